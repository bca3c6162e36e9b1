"""The commitment large over the whole page: scrolled by finger, wheel or keys, in three sizes.

Shows a text and says when it has been read. It must not know what it commits to.
"""

from __future__ import annotations

from ui import qt, theme
from ui.widgets.button import BigButton

SIZES = (64, 88, 116)  #: design pixels of the type
FIRST = range(64, 47, -4)  #: the first size is the largest of these in which all of it is seen


class Reading(qt.QWidget):
    """`closed` when the reader goes back."""

    closed = qt.pyqtSignal()

    def __init__(self, parent: qt.QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAutoFillBackground(True)
        self._size, self._unit, self._first = 0, 1.0, FIRST[0]
        self.label = qt.QLabel()
        self.label.setWordWrap(True)
        self.label.setAlignment(qt.Qt.AlignTop | qt.Qt.AlignLeft)
        self.area = qt.QScrollArea(self)
        self.area.setObjectName("reading")
        self.area.setWidgetResizable(True)
        self.area.setHorizontalScrollBarPolicy(qt.Qt.ScrollBarAlwaysOff)
        self.area.setWidget(self.label)
        qt.QScroller.grabGesture(self.area.viewport(), qt.QScroller.LeftMouseButtonGesture)
        self.smaller = BigButton("smaller", "quiet", sign="A−", parent=self)
        self.larger = BigButton("larger", "quiet", sign="A+", parent=self)
        self.back = BigButton("read", "primary", sign="✓", parent=self)
        self.smaller.clicked.connect(lambda: self._resize(-1))
        self.larger.clicked.connect(lambda: self._resize(1))
        self.back.clicked.connect(self.closed.emit)

    def set_words(self, words: str, smaller: str, larger: str, back: str) -> None:
        self.label.setText(words)
        for button, said in ((self.smaller, smaller), (self.larger, larger), (self.back, back)):
            button.set_words(said)
        self._place()

    def begin(self) -> None:
        """From the beginning, in the smallest of the large sizes."""
        self._size = 0
        self.show()  # then the page has its height
        self._resize(0)
        self.area.verticalScrollBar().setValue(0)
        self.raise_()
        self.area.setFocus()

    def set_unit(self, unit: float) -> None:
        self._unit = unit
        self._resize(0)

    @property
    def pixels(self) -> float:
        return self._unit * (SIZES[self._size] if self._size else self._first)

    def _resize(self, step: int) -> None:
        self._size = min(max(self._size + step, 0), len(SIZES) - 1)
        self._first = next((size for size in FIRST if self._fits(size)), FIRST[0])
        self.label.setFont(theme.font(self.pixels))
        self.smaller.setEnabled(self._size > 0)
        self.larger.setEnabled(self._size < len(SIZES) - 1)

    def _fits(self, size: int) -> bool:
        """Nobody has to find out that there is more below."""
        self.label.setFont(theme.font(size * self._unit))
        inside = self.area.viewport()
        return self.label.heightForWidth(inside.width()) <= inside.height()

    def keyPressEvent(self, event: qt.QKeyEvent) -> None:
        if event.key() == qt.Qt.Key_Escape:
            self.closed.emit()  # back to the pad, not out of the whole visit
        elif event.key() in (qt.Qt.Key_Return, qt.Qt.Key_Enter):
            self.closed.emit()
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: qt.QResizeEvent) -> None:
        self._place()

    def _place(self) -> None:
        u, edge = self._unit, round(36 * self._unit)
        row, y = round(96 * u), self.height() - round(96 * u) - edge // 2
        x = edge
        for button in (self.smaller, self.larger, self.back):
            button.set_unit(u)
            wide = button.minimumSizeHint().width()
            if button is self.back:
                x = self.width() - edge - wide
            button.setGeometry(x, y, wide, row)
            x += wide + round(20 * u)
        self.area.setGeometry(edge, edge // 2, self.width() - 2 * edge, y - edge)
        self._resize(0)
