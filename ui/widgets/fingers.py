"""What to do with the finger after the reader's own reasons: drawn over the finger on the sensor.

In the box of 400 by 400 of pictures.py. They must not know codes; screens choose by name.
"""

from __future__ import annotations

import math

from ui import qt, theme

P = qt.QPointF
R = qt.QRectF


def _pen(painter: qt.QPainter, colour: str, width: float) -> None:
    painter.setPen(qt.QPen(qt.QColor(colour), width, qt.Qt.SolidLine, qt.Qt.RoundCap,
                           qt.Qt.RoundJoin))
    painter.setBrush(qt.Qt.NoBrush)


def arrow(painter: qt.QPainter, start: qt.QPointF, end: qt.QPointF, colour: str,
          width: float) -> None:
    _pen(painter, colour, width)
    painter.drawLine(start, end)
    angle = math.atan2(end.y() - start.y(), end.x() - start.x())
    reach = 2.2 * width
    painter.drawPolyline(qt.QPolygonF([
        P(end.x() - reach * math.cos(angle - 0.65), end.y() - reach * math.sin(angle - 0.65)),
        end,
        P(end.x() - reach * math.cos(angle + 0.65), end.y() - reach * math.sin(angle + 0.65))]))


def press(painter: qt.QPainter, phase: float) -> None:
    """Harder: a thick arrow pushes down on the fingertip."""
    sink = 26 * (1 - math.cos(2 * math.pi * phase)) / 2
    arrow(painter, P(140, 70 + sink), P(140, 165 + sink), theme.PRIMARY, 26)


def hold(painter: qt.QPainter, phase: float) -> None:
    """Longer: a clock fills while the finger lies."""
    box = R(85, 50, 110, 110)
    _pen(painter, theme.INK, 9)
    painter.setBrush(qt.QColor(theme.PANEL))
    painter.drawEllipse(box)
    painter.setPen(qt.Qt.NoPen)
    painter.setBrush(qt.QColor(theme.PRIMARY))
    painter.drawPie(box.adjusted(12, 12, -12, -12), 90 * 16, -round(360 * 16 * phase))


def breathe(painter: qt.QPainter, phase: float) -> None:
    """Too dry: breath goes from a mouth to the fingertip."""
    _pen(painter, theme.INK, 9)
    painter.setBrush(qt.QColor(theme.SKIN))
    painter.drawEllipse(P(55, 70), 42, 48)
    painter.setBrush(qt.QColor(theme.INK))
    painter.drawEllipse(P(86, 88), 9, 11)
    for n in range(3):
        way = (phase + n / 3) % 1.0
        colour = theme.colour(theme.PRIMARY, 1.0 - 0.7 * way)
        painter.setPen(qt.QPen(colour, 12, qt.Qt.SolidLine, qt.Qt.RoundCap))
        x, y = 105 + 45 * way, 100 + 95 * way
        painter.drawArc(R(x - 26, y - 26, 52, 52), 280 * 16, 80 * 16)


def wipe(painter: qt.QPainter, phase: float) -> None:
    """Too wet: a cloth goes over the fingertip, drops fly off."""
    shift = 34 * math.sin(2 * math.pi * phase)
    painter.save()
    painter.translate(130 + shift, 150)
    painter.rotate(-18)
    _pen(painter, theme.INK, 8)
    painter.setBrush(qt.QColor(theme.PALE_WARN))
    painter.drawRoundedRect(R(-62, -34, 124, 64), 12, 12)
    painter.drawLine(P(-36, -14), P(36, -14))
    painter.restore()
    painter.setPen(qt.QPen(qt.QColor(theme.INK), 5))
    painter.setBrush(qt.QColor(theme.PRIMARY))
    for x, y in ((46, 92), (96, 52), (180, 46)):
        drop = qt.QPainterPath(P(x, y - 26))
        drop.cubicTo(P(x + 24, y + 6), P(x + 12, y + 20), P(x, y + 20))
        drop.cubicTo(P(x - 12, y + 20), P(x - 24, y + 6), P(x, y - 26))
        painter.drawPath(drop)


def still(painter: qt.QPainter, phase: float) -> None:
    """It slid: no movement to the sides."""
    arrow(painter, P(150, 110), P(235, 110), theme.SOFT_INK, 16)
    arrow(painter, P(130, 110), P(45, 110), theme.SOFT_INK, 16)
    _pen(painter, theme.BAD, 20)
    painter.drawLine(P(95, 65), P(185, 155))
    painter.drawLine(P(185, 65), P(95, 155))


def other(painter: qt.QPainter, phase: float) -> None:
    """Another finger: a hand whose fingers take turns."""
    chosen = int(phase * 3) % 3
    painter.save()
    painter.translate(10, -22)
    for n, (x, top) in enumerate(((45, 62), (85, 40), (125, 30), (165, 48))):
        _pen(painter, theme.INK, 8)
        painter.setBrush(qt.QColor(theme.PRIMARY if n == chosen else theme.SKIN))
        painter.drawRoundedRect(R(x, top, 34, 150 - top + 30), 17, 17)
    painter.setBrush(qt.QColor(theme.SKIN))
    painter.drawRoundedRect(R(40, 125, 165, 90), 34, 34)
    painter.restore()


OVER = {"finger_press": press, "finger_hold": hold, "finger_dry": breathe, "finger_wet": wipe,
        "finger_still": still, "finger_other": other}
