"""Two parts beside one another on a wide screen, one above the other on a tall one."""

from __future__ import annotations

from ui import qt

SIDE = 500  #: pixels that the first part is wide, on a wide screen
TOP = 0.42  #: of the height that it has on a tall one


class Split(qt.QWidget):
    def __init__(self, first: qt.QWidget, second: qt.QWidget) -> None:
        super().__init__()
        self._first = first
        self._box = qt.QBoxLayout(qt.QBoxLayout.LeftToRight, self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.addWidget(first)
        self._box.addWidget(second, 1)
        self._arrange()

    def _arrange(self) -> None:
        if self.height() > self.width():
            self._box.setDirection(qt.QBoxLayout.TopToBottom)
            self._first.setMinimumWidth(0)
            self._first.setMaximumWidth(16_777_215)  # Qt's own "any"
            self._first.setFixedHeight(round(TOP * self.height()))
        else:
            self._box.setDirection(qt.QBoxLayout.LeftToRight)
            self._first.setMinimumHeight(0)
            self._first.setMaximumHeight(16_777_215)
            self._first.setFixedWidth(SIDE)

    def resizeEvent(self, event: qt.QResizeEvent) -> None:
        self._arrange()
        super().resizeEvent(event)
