"""Ink on a transparent sheet: a smooth curve whose width follows pressure or speed.

Each point costs one short curve, so that ink keeps up with the hand. It keeps no strokes.

The curve runs through the midpoints of neighbouring points with the points themselves as
control points (quadratic Bézier segments), which join without corners.
"""

from __future__ import annotations

import math

from ui import qt, theme

Point = tuple[float, float, float, float]  #: x, y, t_ms, pressure

FASTEST = 2.5  #: pixels per ms at which a line without pressure is thinnest
CALM = 0.35  #: how fast the width follows, 0..1 a point


class Ink:
    def __init__(self) -> None:
        self._sheet = qt.QPixmap(1, 1)
        self._sheet.fill(qt.Qt.transparent)
        self._last: Point = (0.0, 0.0, 0.0, 0.0)
        self._middle = qt.QPointF()
        self._thick = self._width = 1.0
        self._by_pressure = False

    def reset(self, size: qt.QSize) -> None:
        self._sheet = qt.QPixmap(max(1, size.width()), max(1, size.height()))
        self._sheet.fill(qt.Qt.transparent)

    def draw(self, stroke: list[Point], thickness: float, pointer: str) -> None:
        """A whole stroke."""
        self.begin(stroke[0], thickness, pointer)
        for point in stroke[1:]:
            self.extend(point)
        self.end()

    def begin(self, point: Point, thickness: float, pointer: str) -> qt.QRect:
        """The first point; returns what must be painted anew, as the others do."""
        self._by_pressure = point[3] > 0
        self._thick = self._width = thickness
        self._last, self._middle = point, qt.QPointF(point[0], point[1])
        if self._by_pressure:
            self._width = self._target(point)
        return self._curve(self._middle, self._middle, self._middle, self._width, self._width)

    def extend(self, point: Point) -> qt.QRect:
        old, new = self._last, point
        middle = qt.QPointF((old[0] + new[0]) / 2, (old[1] + new[1]) / 2)
        width = self._width + CALM * (self._target(new) - self._width)
        dirty = self._curve(self._middle, qt.QPointF(old[0], old[1]), middle, self._width, width)
        self._last, self._middle, self._width = new, middle, width
        return dirty

    def end(self) -> qt.QRect:
        """From the last midpoint to the last point."""
        tip = qt.QPointF(self._last[0], self._last[1])
        return self._curve(self._middle, tip, tip, self._width, self._width * 0.7)

    def paint(self, painter: qt.QPainter, part: qt.QRect) -> None:
        painter.drawPixmap(part, self._sheet, part)

    def _target(self, point: Point) -> float:
        if self._by_pressure:
            return self._thick * (0.35 + 1.1 * point[3])
        way = math.dist(point[:2], self._last[:2])
        speed = way / max(1.0, point[2] - self._last[2])
        return self._thick * (1.15 - 0.7 * min(1.0, speed / FASTEST))

    def _curve(self, a: qt.QPointF, control: qt.QPointF, b: qt.QPointF, wide_a: float,
               wide_b: float) -> qt.QRect:
        painter = qt.QPainter(self._sheet)
        painter.setRenderHint(qt.QPainter.Antialiasing)
        pen = qt.QPen(qt.QColor(theme.INK), wide_a, qt.Qt.SolidLine, qt.Qt.RoundCap)
        length = math.hypot(b.x() - a.x(), b.y() - a.y())
        pieces = max(1, min(24, round(length / 3)))
        before = a
        for n in range(1, pieces + 1):
            t = n / pieces
            s = 1 - t
            at = a * (s * s) + control * (2 * s * t) + b * (t * t)
            pen.setWidthF(wide_a + (wide_b - wide_a) * t)
            painter.setPen(pen)
            if at == before:
                painter.drawPoint(at)
            else:
                painter.drawLine(before, at)
            before = at
        painter.end()
        edge = max(wide_a, wide_b) / 2 + 2
        return _around((a, control, b), edge)


def _around(points: tuple[qt.QPointF, ...], edge: float) -> qt.QRect:
    xs, ys = [p.x() for p in points], [p.y() for p in points]
    return qt.QRectF(min(xs) - edge, min(ys) - edge, max(xs) - min(xs) + 2 * edge,
                     max(ys) - min(ys) + 2 * edge).toAlignedRect()
