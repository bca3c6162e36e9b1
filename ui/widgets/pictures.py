"""The illustrations: drawn in a box of 400 by 400, with a gentle movement by `phase` 0..1.

Each shows what to do. They must not know states or reasons; screens choose by name.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from ui import qt, theme
from ui.widgets.fingers import OVER

SIDE = 400.0
P = qt.QPointF
R = qt.QRectF


def _line(painter: qt.QPainter, colour: str = theme.INK, width: float = 9) -> None:
    painter.setPen(qt.QPen(qt.QColor(colour), width, qt.Qt.SolidLine, qt.Qt.RoundCap,
                           qt.Qt.RoundJoin))
    painter.setBrush(qt.Qt.NoBrush)


def _fill(painter: qt.QPainter, colour: str, edge: str | None = theme.INK,
          width: float = 9) -> None:
    if edge is None:
        painter.setPen(qt.Qt.NoPen)
    else:
        _line(painter, edge, width)
    painter.setBrush(qt.QColor(colour))


def draw_arrow(painter: qt.QPainter, start: qt.QPointF, end: qt.QPointF,
               colour: str = theme.PRIMARY, width: float = 20, head: float | None = None) -> None:
    """A thick arrow with an open head, its wings `head` long."""
    _line(painter, colour, width)
    painter.drawLine(start, end)
    angle = math.atan2(end.y() - start.y(), end.x() - start.x())
    head = 2.6 * width if head is None else head
    wings = [P(end.x() - head * math.cos(angle + s), end.y() - head * math.sin(angle + s))
             for s in (-0.65, 0.65)]
    painter.drawPolyline(qt.QPolygonF([wings[0], end, wings[1]]))


def _person(painter: qt.QPainter, x: float, feet: float, tall: float, coat: str,
            stride: float = 0.0) -> None:
    """Head, body and two legs; `stride` -1..1 swings them."""
    head = tall * 0.17
    hip = feet - tall * 0.42
    _line(painter, theme.INK, tall * 0.085)
    for side in (-1, 1):
        painter.drawLine(P(x, hip), P(x + side * tall * (0.08 + 0.1 * abs(stride)), feet))
    _fill(painter, coat)
    body = R(x - tall * 0.13, feet - tall * 0.8, tall * 0.26, tall * 0.42)
    painter.drawRoundedRect(body, tall * 0.09, tall * 0.09)
    _fill(painter, theme.SKIN)
    painter.drawEllipse(P(x, feet - tall * 0.9), head * 0.72, head * 0.8)


def _bob(phase: float) -> float:
    """0 → 1 → 0, soft at both ends."""
    return (1 - math.cos(2 * math.pi * phase)) / 2


def draw_card(painter: qt.QPainter, phase: float) -> None:
    """An identity card comes down onto the reader."""
    _fill(painter, theme.PALE)
    painter.drawRoundedRect(R(50, 285, 300, 80), 22, 22)
    _line(painter, theme.PRIMARY, 8)
    for n in range(2):
        spread = 34 + 30 * n
        painter.drawArc(R(200 - spread, 318 - spread * 0.55, 2 * spread, spread * 1.1), 20 * 16,
                        140 * 16)
    painter.save()
    painter.translate(0, 36 * _bob(phase) - 10)
    _fill(painter, theme.PANEL)
    painter.drawRoundedRect(R(70, 40, 260, 165), 18, 18)
    _fill(painter, theme.SKIN, theme.INK, 6)
    painter.drawEllipse(P(270, 100), 24, 28)
    _fill(painter, theme.PRIMARY, theme.INK, 6)
    shoulders = qt.QPainterPath(P(226, 180))
    shoulders.cubicTo(P(226, 122), P(314, 122), P(314, 180))
    shoulders.closeSubpath()
    painter.drawPath(shoulders)
    _line(painter, theme.SOFT_INK, 9)
    for y, across in ((82, 90), (114, 70), (146, 90)):
        painter.drawLine(P(98, y), P(98 + across, y))
    painter.restore()
    draw_arrow(painter, P(200, 225 + 12 * _bob(phase)), P(200, 262 + 12 * _bob(phase)), width=14)


def draw_keypad(painter: qt.QPainter, phase: float) -> None:
    """A number pad, its keys pressed one after the other."""
    _fill(painter, theme.PANEL)
    painter.drawRoundedRect(R(80, 30, 240, 345), 22, 22)
    pressed = int(phase * 12) % 12
    for n in range(12):
        row, column = divmod(n, 3)
        _fill(painter, theme.PRIMARY if n == pressed else theme.PALE, theme.INK, 6)
        painter.drawRoundedRect(R(104 + 68 * column, 62 + 75 * row, 56, 56), 12, 12)


def draw_face(painter: qt.QPainter, phase: float) -> None:
    """A face inside the oval."""
    painter.setPen(qt.QPen(qt.QColor(theme.PRIMARY), 12, qt.Qt.DashLine, qt.Qt.RoundCap))
    painter.setBrush(qt.QColor(theme.PANEL))
    painter.drawEllipse(P(200, 200), 140, 178)
    _fill(painter, theme.SKIN)
    painter.drawEllipse(P(200, 205), 92, 118)
    _fill(painter, theme.INK, None)
    hair = qt.QPainterPath(P(108, 190))
    hair.cubicTo(P(104, 60), P(296, 60), P(292, 190))
    hair.cubicTo(P(270, 135), P(180, 150), P(108, 190))
    painter.drawPath(hair)
    shut = 0.15 if phase > 0.93 else 1.0
    for x in (165, 235):
        painter.drawEllipse(P(x, 205), 10, 12 * shut)
    _line(painter, theme.INK, 8)
    painter.drawArc(R(165, 220, 70, 55), 200 * 16, 140 * 16)


def draw_finger(painter: qt.QPainter, phase: float) -> None:
    """A hand's forefinger comes down flat on the sensor."""
    _fill(painter, theme.PALE)
    painter.drawRoundedRect(R(40, 285, 250, 80), 22, 22)
    _fill(painter, theme.PRIMARY, None)
    painter.drawRoundedRect(R(75, 272, 130, 26), 10, 10)
    painter.save()
    painter.translate(0, 26 * _bob(phase) - 26)
    _fill(painter, theme.SKIN)
    hand = qt.QPainterPath(P(95, 235))
    hand.cubicTo(P(80, 270), P(110, 275), P(130, 272))
    hand.lineTo(P(235, 262))
    hand.cubicTo(P(250, 300), P(300, 300), P(385, 270))
    hand.lineTo(P(385, 120))
    hand.cubicTo(P(330, 110), P(280, 130), P(245, 180))
    hand.lineTo(P(125, 220))
    hand.cubicTo(P(110, 224), P(100, 228), P(95, 235))
    painter.drawPath(hand)
    _line(painter, theme.INK, 6)
    for y in (200, 235):
        painter.drawArc(R(262, y - 20, 60, 44), 100 * 16, 130 * 16)
    _fill(painter, theme.PANEL, theme.INK, 5)
    painter.drawEllipse(P(122, 234), 15, 8)
    painter.restore()
    _line(painter, theme.PRIMARY, 7)
    for n in range(3):
        reach = 18 + 15 * n
        painter.drawArc(R(140 - reach, 306 - reach * 0.5, 2 * reach, reach), 200 * 16, 140 * 16)


def draw_gate(painter: qt.QPainter, phase: float) -> None:
    """A person walks through the open turnstile."""
    _line(painter, theme.LINE, 9)
    painter.drawLine(P(20, 355), P(380, 355))
    _fill(painter, theme.PALE)
    painter.drawRoundedRect(R(150, 215, 44, 140), 14, 14)
    _person(painter, 115 + 75 * phase, 350, 230, theme.PRIMARY, math.sin(4 * math.pi * phase))
    _fill(painter, theme.PALE)
    painter.drawRoundedRect(R(215, 235, 50, 120), 14, 14)
    _fill(painter, theme.GOOD, theme.INK, 6)
    painter.drawEllipse(P(240, 262), 14, 14)
    shift = 22 * _bob(phase)
    draw_arrow(painter, P(255, 145), P(335 + shift, 145), theme.GOOD, 22)


def draw_seat(painter: qt.QPainter, phase: float) -> None:
    """An exam desk with its screen and chair."""
    _fill(painter, theme.PANEL)
    painter.drawRoundedRect(R(150, 80, 200, 140), 14, 14)
    _fill(painter, theme.PALE, None)
    painter.drawRect(R(168, 98, 164, 104))
    _line(painter, theme.GOOD, 20)
    painter.drawPolyline(qt.QPolygonF([P(215, 150), P(240, 175), P(290, 122)]))
    _line(painter)
    painter.drawLine(P(250, 220), P(250, 255))
    painter.drawLine(P(130, 258), P(385, 258))
    painter.drawLine(P(160, 258), P(160, 360))
    painter.drawLine(P(360, 258), P(360, 360))
    _fill(painter, theme.PRIMARY)
    painter.drawRoundedRect(R(30, 150, 26, 130), 12, 12)
    painter.drawRoundedRect(R(30, 270, 105, 24), 12, 12)
    _line(painter)
    painter.drawLine(P(50, 294), P(42, 360))
    painter.drawLine(P(118, 294), P(126, 360))


def draw_clock(painter: qt.QPainter, phase: float) -> None:
    """Wait."""
    _fill(painter, theme.PANEL, theme.INK, 14)
    painter.drawEllipse(P(200, 200), 150, 150)
    _line(painter, theme.SOFT_INK, 10)
    for n in range(12):
        angle = n * math.pi / 6
        inner = 118 if n % 3 else 108
        painter.drawLine(P(200 + inner * math.sin(angle), 200 - inner * math.cos(angle)),
                         P(200 + 128 * math.sin(angle), 200 - 128 * math.cos(angle)))
    _line(painter, theme.PRIMARY, 16)
    painter.drawLine(P(200, 200), P(200, 108))
    painter.drawLine(P(200, 200), P(262, 236))


def draw_wait(painter: qt.QPainter, phase: float) -> None:
    """Turning dots: the system works on it."""
    for n in range(8):
        angle = n * math.pi / 4
        age = (phase * 8 - n) % 8 / 8
        colour = qt.QColor(theme.PRIMARY)
        colour.setAlphaF(1.0 - 0.8 * age)
        painter.setPen(qt.Qt.NoPen)
        painter.setBrush(colour)
        painter.drawEllipse(P(200 + 120 * math.sin(angle), 200 - 120 * math.cos(angle)), 30, 30)


def draw_draw(painter: qt.QPainter, phase: float) -> None:
    """Numbered slips: a terminal is being drawn."""
    for n, (x, tilt) in enumerate(((95, -14.0), (305, 14.0), (200, 0.0))):
        painter.save()
        painter.translate(x, 205 - (34 * _bob(phase) if n == 2 else 0))
        painter.rotate(tilt)
        _fill(painter, theme.PALE if n < 2 else theme.PRIMARY)
        painter.drawRoundedRect(R(-70, -95, 140, 190), 18, 18)
        painter.setFont(theme.font(110, bold=True))
        painter.setPen(qt.QColor(theme.PRIMARY if n < 2 else theme.ON_DARK))
        painter.drawText(R(-70, -95, 140, 190), int(qt.Qt.AlignCenter), "?")
        painter.restore()


def draw_proctor(painter: qt.QPainter, phase: float) -> None:
    """A proctor with a badge, raising a hand."""
    _line(painter, theme.INK, 34)
    painter.drawLine(P(285, 290), P(338, 170 - 14 * _bob(phase)))
    _line(painter, theme.PRIMARY, 22)
    painter.drawLine(P(285, 290), P(334, 180 - 14 * _bob(phase)))
    _fill(painter, theme.SKIN, theme.INK, 8)
    painter.drawEllipse(P(345, 148 - 14 * _bob(phase)), 24, 26)
    _fill(painter, theme.PRIMARY)
    body = qt.QPainterPath(P(85, 375))
    body.cubicTo(P(85, 200), P(315, 200), P(315, 375))
    body.closeSubpath()
    painter.drawPath(body)
    _fill(painter, theme.SKIN)
    painter.drawEllipse(P(200, 150), 66, 76)
    _fill(painter, theme.INK, None)
    cap = qt.QPainterPath(P(120, 118))
    cap.cubicTo(P(130, 40), P(270, 40), P(280, 118))
    cap.closeSubpath()
    painter.drawPath(cap)
    _fill(painter, theme.PANEL, theme.INK, 6)
    painter.drawRoundedRect(R(215, 290, 60, 44), 8, 8)
    _line(painter, theme.INK, 6)
    painter.drawArc(R(172, 160, 56, 40), 200 * 16, 140 * 16)


def draw_desk(painter: qt.QPainter, phase: float) -> None:
    """The service desk with somebody behind it."""
    _person(painter, 200, 330, 270, theme.PRIMARY)
    _fill(painter, theme.PALE)
    painter.drawRoundedRect(R(40, 235, 320, 130), 16, 16)
    _fill(painter, theme.PRIMARY, None)
    painter.drawEllipse(P(200, 300), 40, 40)
    painter.setPen(qt.QColor(theme.ON_DARK))
    painter.setFont(theme.font(60, bold=True))
    painter.drawText(R(160, 260, 80, 80), int(qt.Qt.AlignCenter), "i")


def draw_next_lane(painter: qt.QPainter, phase: float) -> None:
    """This lane is shut; the next one is beside it."""
    _fill(painter, theme.PALE_BAD)
    painter.drawRoundedRect(R(40, 150, 130, 210), 18, 18)
    _line(painter, theme.BAD, 20)
    painter.drawLine(P(75, 220), P(135, 290))
    painter.drawLine(P(135, 220), P(75, 290))
    _fill(painter, theme.PALE_GOOD)
    painter.drawRoundedRect(R(245, 150, 130, 210), 18, 18)
    _line(painter, theme.GOOD, 20)
    painter.drawPolyline(qt.QPolygonF([P(280, 258), P(302, 282), P(342, 226)]))
    draw_arrow(painter, P(105, 95), P(290 + 16 * _bob(phase), 95), theme.PRIMARY, 20)


def draw_leave(painter: qt.QPainter, phase: float) -> None:
    """Out, through the open gate."""
    _fill(painter, theme.PALE_GOOD)
    painter.drawRect(R(225, 60, 130, 300))
    _person(painter, 120 + 40 * phase, 355, 230, theme.GOOD, math.sin(4 * math.pi * phase))
    draw_arrow(painter, P(225, 130), P(315 + 12 * _bob(phase), 130), theme.GOOD, 20)


def draw_again(painter: qt.QPainter, phase: float) -> None:
    """Once more from the beginning."""
    painter.save()
    painter.translate(200, 200)
    painter.rotate(-360 * phase * 0.08)
    _line(painter, theme.PRIMARY, 30)
    painter.drawArc(R(-120, -120, 240, 240), 128 * 16, 275 * 16)
    end = math.radians(120)
    x, y = 120 * math.cos(end), -120 * math.sin(end)
    for wing in (-0.75, 0.75):  # an open head, pointing clockwise along the ring
        back = math.radians(180 - 26) + wing
        painter.drawLine(P(x + 16, y - 9), P(x + 16 + 70 * math.cos(back),
                                             y - 9 + 70 * math.sin(back)))
    painter.restore()


def _finger_and(over: Callable[[qt.QPainter, float], None]
                ) -> Callable[[qt.QPainter, float], None]:
    """The finger on the sensor, resting, and what to do with it above."""

    def draw(painter: qt.QPainter, phase: float) -> None:
        painter.save()
        painter.translate(40, 40)
        painter.scale(0.9, 0.9)
        draw_finger(painter, 0.5)
        painter.restore()
        over(painter, phase)

    return draw


DRAWINGS: dict[str, Callable[[qt.QPainter, float], None]] = {
    "card": draw_card, "face": draw_face, "finger": draw_finger, "gate": draw_gate,
    "seat": draw_seat, "clock": draw_clock, "wait": draw_wait, "draw": draw_draw,
    "proctor": draw_proctor, "desk": draw_desk, "next_lane": draw_next_lane,
    "leave": draw_leave, "again": draw_again, "keypad": draw_keypad,
    **{name: _finger_and(over) for name, over in OVER.items()},
}
STILL = frozenset({"seat", "clock", "desk"})


class Picture(qt.QWidget):
    """One illustration as large as there is room, moving while it is visible."""

    PERIOD_MS = 2400
    TICK_MS = 66

    def __init__(self, parent: qt.QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("picture")
        self._kind = "card"
        self._phase = 0.0
        self._timer = qt.QTimer(self)
        self._timer.timeout.connect(self._tick)

    @property
    def kind(self) -> str:
        return self._kind

    def show_kind(self, kind: str) -> None:
        if kind != self._kind:
            self._kind, self._phase = kind, 0.0
        self._run()
        self.update()

    def _run(self) -> None:
        if self.isVisible() and self._kind not in STILL:
            if not self._timer.isActive():
                self._timer.start(self.TICK_MS)
        else:
            self._timer.stop()

    def showEvent(self, event: qt.QShowEvent) -> None:
        self._run()

    def hideEvent(self, event: qt.QEvent) -> None:
        self._timer.stop()

    def _tick(self) -> None:
        self._phase = (self._phase + self.TICK_MS / self.PERIOD_MS) % 1.0
        self.update()

    def paintEvent(self, event: qt.QPaintEvent) -> None:
        painter = qt.QPainter(self)
        painter.setRenderHint(qt.QPainter.Antialiasing)
        side = min(self.width(), self.height())
        painter.translate((self.width() - side) / 2, (self.height() - side) / 2)
        painter.scale(side / SIDE, side / SIDE)
        DRAWINGS[self._kind](painter, self._phase)
