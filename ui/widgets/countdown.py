"""The time left for a step: a thin bar and the seconds beside it.

It counts on by itself between two states of the daemon; what happens at zero is not its matter.
"""

from __future__ import annotations

import math

from ui import qt, theme
from ui.i18n import text

TICK_MS = 100
WORDS = 130  #: design pixels that the seconds have
SOON_S = 5.0  #: from here on it is also said by a warmer colour and a thicker bar


class Countdown(qt.QWidget):
    def __init__(self, parent: qt.QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("countdown")
        self._left_s: float | None = None
        self._total_s = 1.0
        self._language = "zh"
        self._unit = 1.0
        self._since = qt.QElapsedTimer()
        self._timer = qt.QTimer(self)
        self._timer.timeout.connect(self.update)

    def set_unit(self, unit: float) -> None:
        self._unit = unit
        self.setFixedHeight(round(48 * unit))

    def begin(self, left_s: float | None, total_s: float | None, language: str) -> None:
        """Count from `left_s` of `total_s` seconds; None shows nothing."""
        self._language = language
        self._left_s = left_s
        self._total_s = max(total_s or left_s or 1.0, 0.1)
        self._since.start()
        if left_s is None:
            self._timer.stop()
        else:
            self._timer.start(TICK_MS)
        self.update()

    def left_s(self) -> float | None:
        """Seconds left now, never below zero."""
        if self._left_s is None:
            return None
        return max(0.0, self._left_s - self._since.elapsed() / 1000)

    def fits(self) -> bool:
        """Whether the seconds, at their boldest, have room beside the bar."""
        left = self.left_s()
        words = text(self._language, "seconds", n=math.ceil(left)) if left is not None else ""
        metrics = qt.QFontMetricsF(theme.font(32 * self._unit, bold=True))
        return (metrics.horizontalAdvance(words) <= WORDS * self._unit
                and metrics.height() <= self.height() + 1)

    def paintEvent(self, event: qt.QPaintEvent) -> None:
        left = self.left_s()
        if left is None:
            return
        u = self._unit
        soon = left <= SOON_S
        painter = qt.QPainter(self)
        painter.setRenderHint(qt.QPainter.Antialiasing)
        words = text(self._language, "seconds", n=math.ceil(left))
        across = WORDS * u
        thick = (14 if soon else 10) * u
        length = self.width() - 64 * u - across
        track = qt.QRectF(32 * u, (self.height() - thick) / 2, length, thick)
        painter.setPen(qt.Qt.NoPen)
        painter.setBrush(qt.QColor(theme.LINE))
        painter.drawRoundedRect(track, thick / 2, thick / 2)
        done = qt.QRectF(track)
        done.setWidth(track.width() * min(1.0, left / self._total_s))
        painter.setBrush(qt.QColor(theme.WARN if soon else theme.PRIMARY))
        painter.drawRoundedRect(done, thick / 2, thick / 2)
        painter.setPen(qt.QColor(theme.WARN if soon else theme.INK))
        painter.setFont(theme.font(32 * u, bold=soon))
        place = qt.QRectF(track.right(), 0, across, self.height())
        painter.drawText(place, int(qt.Qt.AlignRight | qt.Qt.AlignVCenter), words)
