"""The four steps, always visible: number or sign, word, and colour for each.

Shape and words carry the meaning, colour only repeats it. It must not know why a step failed.
"""

from __future__ import annotations

from collections.abc import Mapping

from kiosk.core.codes import Step
from ui import qt, theme
from ui.i18n import text

#: standing: (disc, ink on disc, words)
LOOKS = {
    "todo": (theme.PANEL, theme.SOFT_INK, theme.SOFT_INK),
    "now": (theme.PRIMARY, theme.ON_DARK, theme.PRIMARY),
    "done": (theme.GOOD, theme.ON_DARK, theme.GOOD),
    "failed": (theme.BAD, theme.ON_DARK, theme.BAD),
    "skipped": (theme.GROUND, theme.SOFT_INK, theme.SOFT_INK),
}


class Steps(qt.QWidget):
    """A row of four; `show_steps` takes the `steps` object of the daemon's state."""

    def __init__(self, parent: qt.QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("steps")
        self._steps: dict[str, str] = {}
        self._language = "zh"
        self._unit = 1.0

    def show_steps(self, steps: Mapping[str, str], language: str) -> None:
        self._steps, self._language = dict(steps), language
        self.setAccessibleName(" ".join(self.words()))
        self.update()

    def set_unit(self, unit: float) -> None:
        self._unit = unit
        self.setFixedHeight(round(104 * unit))

    def words(self) -> list[str]:
        return [text(self._language, f"step.{step}") for step in Step]

    def fits(self) -> bool:
        metrics = qt.QFontMetricsF(theme.font(38 * self._unit, bold=True))
        room = self.width() / 4 - 110 * self._unit
        return all(metrics.horizontalAdvance(word) <= room for word in self.words())

    def paintEvent(self, event: qt.QPaintEvent) -> None:
        u = self._unit
        painter = qt.QPainter(self)
        painter.setRenderHint(qt.QPainter.Antialiasing)
        painter.fillRect(self.rect(), qt.QColor(theme.PANEL))
        painter.fillRect(qt.QRectF(0, self.height() - 2 * u, self.width(), 2 * u),
                         qt.QColor(theme.LINE))
        cell = self.width() / len(Step)
        for n, step in enumerate(Step):
            standing = self._steps.get(step.value, "todo")
            self._paint_step(painter, qt.QRectF(n * cell, 0, cell, self.height()), n, step,
                             standing if standing in LOOKS else "todo")

    def _paint_step(self, painter: qt.QPainter, cell: qt.QRectF, n: int, step: Step,
                    standing: str) -> None:
        u = self._unit
        disc, on_disc, ink = LOOKS[standing]
        words = text(self._language, f"step.{step}")
        face = theme.font(38 * u, bold=standing == "now")
        across = qt.QFontMetricsF(face).horizontalAdvance(words)
        left = cell.center().x() - (64 * u + 18 * u + across) / 2
        circle = qt.QRectF(left, cell.center().y() - 32 * u, 64 * u, 64 * u)
        painter.setPen(qt.QPen(qt.QColor(ink), 3 * u))
        painter.setBrush(qt.QColor(disc))
        painter.drawEllipse(circle)
        painter.setPen(qt.QPen(qt.QColor(on_disc), 6 * u, qt.Qt.SolidLine, qt.Qt.RoundCap))
        _sign(painter, circle, standing, str(n + 1), u)
        painter.setFont(face)
        painter.setPen(qt.QColor(ink))
        painter.drawText(qt.QRectF(circle.right() + 18 * u, cell.top(), across + 20 * u,
                                   cell.height()), int(qt.Qt.AlignVCenter), words)
        if standing == "now":
            bar = qt.QRectF(cell.left() + 24 * u, cell.bottom() - 9 * u, cell.width() - 48 * u,
                            9 * u)
            painter.fillRect(bar, qt.QColor(theme.PRIMARY))


def _sign(painter: qt.QPainter, box: qt.QRectF, standing: str, number: str, u: float) -> None:
    """Tick, cross, dash or the step's number inside the disc."""
    x, y = box.center().x(), box.center().y()
    if standing == "done":
        painter.drawPolyline(qt.QPolygonF([qt.QPointF(x - 14 * u, y + 1 * u),
                                           qt.QPointF(x - 3 * u, y + 12 * u),
                                           qt.QPointF(x + 16 * u, y - 12 * u)]))
    elif standing == "failed":
        painter.drawLine(qt.QPointF(x - 12 * u, y - 12 * u), qt.QPointF(x + 12 * u, y + 12 * u))
        painter.drawLine(qt.QPointF(x - 12 * u, y + 12 * u), qt.QPointF(x + 12 * u, y - 12 * u))
    elif standing == "skipped":
        painter.drawLine(qt.QPointF(x - 14 * u, y), qt.QPointF(x + 14 * u, y))
    else:
        painter.setFont(theme.font(36 * u, bold=True))
        painter.drawText(box, int(qt.Qt.AlignCenter), number)
