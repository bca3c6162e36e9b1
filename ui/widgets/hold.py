"""A button that acts only when it is held: a touch by chance does nothing, a shaking hand does.

It must not know what it is held for. Space or Enter held down do the same.
"""

from __future__ import annotations

from ui import qt, theme

HOLD_MS = 1500
TICK_MS = 30
KEYS = (qt.Qt.Key_Space, qt.Qt.Key_Return, qt.Qt.Key_Enter)


class HoldButton(qt.QAbstractButton):
    """`held` once, when it has been pressed for so long; then it must be let go first."""

    held = qt.pyqtSignal()

    def __init__(self, name: str, words: str, holding: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setText(words)
        self.setAccessibleName(words)
        self._holding = holding
        self.setFocusPolicy(qt.Qt.StrongFocus)
        self.setMinimumHeight(52)
        self._since = qt.QElapsedTimer()
        self._done = self._by_key = False
        self._tick = qt.QTimer(self)
        self._tick.setInterval(TICK_MS)
        self._tick.timeout.connect(self._on_tick)
        self.pressed.connect(self._begin)
        self.released.connect(self._end)

    def _begin(self) -> None:
        self._done = False
        self._since.start()
        self._tick.start()
        self.update()

    def _end(self) -> None:
        self._tick.stop()
        self._since.invalidate()
        self.update()

    def _on_tick(self) -> None:
        if not self._done and self._since.elapsed() >= HOLD_MS:
            self._done = True
            self._tick.stop()
            self.held.emit()
        self.update()

    def progress(self) -> float:
        if self._done or not self._since.isValid():
            return 0.0
        return min(1.0, float(self._since.elapsed()) / HOLD_MS)

    def keyPressEvent(self, event: qt.QKeyEvent) -> None:
        if event.key() in KEYS:
            if not event.isAutoRepeat() and not self.isDown():
                self.setDown(True)
                self._by_key = True
                self.pressed.emit()
        else:
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: qt.QKeyEvent) -> None:
        if event.key() in KEYS:
            if not event.isAutoRepeat() and self.isDown():
                self.setDown(False)
                self._by_key = False
                self.released.emit()
        else:
            super().keyReleaseEvent(event)

    def focusOutEvent(self, event: object) -> None:
        if self._by_key:  # a key that is let go elsewhere would be heard by nobody
            self.setDown(False)
            self._by_key = False
            self._end()
        self.update()

    def sizeHint(self) -> qt.QSize:
        return self.minimumSizeHint()

    def minimumSizeHint(self) -> qt.QSize:
        metrics = qt.QFontMetricsF(theme.font(20, bold=True))
        longest = max(metrics.horizontalAdvance(w) for w in (self.text(), self._holding))
        return qt.QSize(round(longest) + 60, 52)

    def paintEvent(self, event: qt.QPaintEvent) -> None:
        painter = qt.QPainter(self)
        painter.setRenderHint(qt.QPainter.Antialiasing)
        box = qt.QRectF(self.rect()).adjusted(2, 2, -2, -2)
        path = qt.QPainterPath()
        path.addRoundedRect(box, 10, 10)
        painter.setPen(qt.QPen(qt.QColor(theme.FOCUS if self.hasFocus() else theme.BAD), 3))
        painter.fillPath(path, qt.QColor(theme.PANEL))
        part = self.progress()
        painter.setClipPath(path)
        painter.fillRect(qt.QRectF(box.left(), box.top(), box.width() * part, box.height()),
                         qt.QColor(theme.PALE_BAD))
        painter.setClipping(False)
        painter.drawPath(path)
        painter.setPen(qt.QColor(theme.BAD))
        painter.setFont(theme.font(20, bold=True))
        words = self._holding if part > 0 else self.text()
        painter.drawText(box, int(qt.Qt.AlignCenter), words)
