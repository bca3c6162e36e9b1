"""A large touch button with a sign beside its words and a focus ring that is seen from afar.

It must not know what it is pressed for.
"""

from __future__ import annotations

from ui import qt, theme

KINDS = {
    #: kind: (ground, pressed ground, ink, edge)
    "primary": (theme.PRIMARY, theme.PRIMARY_DARK, theme.ON_DARK, theme.PRIMARY),
    "quiet": (theme.PANEL, theme.PALE, theme.INK, theme.SOFT_INK),
    "help": (theme.PANEL, theme.PALE, theme.PRIMARY, theme.PRIMARY),
    "danger": (theme.PANEL, theme.PALE_BAD, theme.BAD, theme.BAD),
    "waiting": (theme.PALE_WARN, theme.PALE_WARN, theme.WARN, theme.WARN),
}


class BigButton(qt.QAbstractButton):
    """`size` is the height of the words in design pixels; `sign` is one character or empty."""

    def __init__(self, name: str, kind: str, *, sign: str = "", size: float = 38,
                 parent: qt.QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self._kind, self._sign, self._size, self._unit = kind, sign, size, 1.0
        self.setFocusPolicy(qt.Qt.StrongFocus)
        self.setSizePolicy(qt.QSizePolicy.Minimum, qt.QSizePolicy.Fixed)

    def set_words(self, words: str, kind: str | None = None) -> None:
        if kind is not None:
            self._kind = kind
        if words != self.text():
            self.setText(words)
            self.setAccessibleName(words)
        self.updateGeometry()
        self.update()

    def set_unit(self, unit: float) -> None:
        self._unit = unit
        self.updateGeometry()

    def sizeHint(self) -> qt.QSize:
        return self.minimumSizeHint()

    def minimumSizeHint(self) -> qt.QSize:
        u = self._unit
        width = qt.QFontMetricsF(self._font()).horizontalAdvance(self._words()) + 84 * u
        return qt.QSize(round(max(width, 200 * u)), round(96 * u))

    def fits(self) -> bool:
        """Whether the words have room between the edges."""
        width = qt.QFontMetricsF(self._font()).horizontalAdvance(self._words())
        return width <= self.width() and self._size * self._unit <= self.height()

    def keyPressEvent(self, event: qt.QKeyEvent) -> None:
        if event.key() in (qt.Qt.Key_Return, qt.Qt.Key_Enter) and not event.isAutoRepeat():
            self.click()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: qt.QPaintEvent) -> None:
        ground, pressed, ink, edge = KINDS[self._kind]
        u = self._unit
        painter = qt.QPainter(self)
        painter.setRenderHint(qt.QPainter.Antialiasing)
        box = qt.QRectF(self.rect()).adjusted(6 * u, 6 * u, -6 * u, -6 * u)
        if not self.isEnabled() and self._kind != "waiting":
            ground, ink, edge = theme.GROUND, theme.SOFT_INK, theme.LINE
        painter.setPen(qt.QPen(qt.QColor(edge), 3 * u))
        painter.setBrush(qt.QColor(pressed if self.isDown() else ground))
        painter.drawRoundedRect(box, 18 * u, 18 * u)
        if self.hasFocus():
            painter.setBrush(qt.Qt.NoBrush)
            painter.setPen(qt.QPen(qt.QColor(theme.FOCUS), 5 * u))
            ring = qt.QRectF(self.rect()).adjusted(2.5 * u, 2.5 * u, -2.5 * u, -2.5 * u)
            painter.drawRoundedRect(ring, 21 * u, 21 * u)
        painter.setPen(qt.QColor(ink))
        painter.setFont(self._font())
        painter.drawText(box, int(qt.Qt.AlignCenter), self._words())

    def _words(self) -> str:
        return f"{self._sign} {self.text()}" if self._sign else self.text()

    def _font(self) -> qt.QFont:
        return theme.font(self._size * self._unit, bold=True)
