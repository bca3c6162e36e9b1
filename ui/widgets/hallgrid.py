"""The hall as the proctor sees it: every terminal on one screen, its state by colour and shape.

Draws what it is given and says which one was touched; it must not know what may be done with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ui import qt, theme

STATES = ("free", "held", "inside", "out", "reserved")
MOST = 500
#: (ground, ink) of each state; the shape differs as well (`_shape`)
LOOKS = {
    "free": (theme.PANEL, theme.INK),
    "held": (theme.PALE_WARN, theme.WARN),
    "inside": (theme.PRIMARY, theme.ON_DARK),
    "out": (theme.PALE_BAD, theme.BAD),
    "reserved": (theme.GROUND, theme.SOFT_INK),
}


@dataclass(frozen=True, slots=True)
class Seat:
    """One terminal in the drawing: its cell, from the upper left, and what it is."""

    name: str
    across: int
    down: int
    state: str
    accessible: bool


def state_of(terminal: dict[str, Any]) -> str:
    """Who sits there counts before what would become of it afterwards."""
    standing = terminal.get("standing")
    if standing == "left":
        return "held"  # kept for who may come back
    if standing in ("held", "inside"):
        return str(standing)
    if not terminal.get("in_service", True):
        return "out"
    return "reserved" if terminal.get("reserved") else "free"


def seats_of(terminals: list[dict[str, Any]]) -> list[Seat]:
    """Where they stand; where rows and columns are not all known, or two share one place, in the
    hall's order."""
    places = [(int(t["column"]), int(t["row"])) for t in terminals
              if t.get("column") is not None and t.get("row") is not None]
    if len(set(places)) == len(terminals):
        left, top = (min((p[n] for p in places), default=0) for n in (0, 1))
        cells = [(c - left, r - top) for c, r in places]
        if max((max(c, r) for c, r in cells), default=0) < MOST // 4:
            return _seats(terminals, cells)
    across = max(1, round((1.4 * len(terminals)) ** 0.5))
    return _seats(terminals, [(n % across, n // across) for n in range(len(terminals))])


def _seats(terminals: list[dict[str, Any]], cells: list[tuple[int, int]]) -> list[Seat]:
    return [Seat(str(t.get("name")), c, r, state_of(t), bool(t.get("accessible")))
            for t, (c, r) in zip(terminals, cells, strict=True)]


class HallGrid(qt.QWidget):
    """`chosen` carries a terminal's name. Arrows move, Enter or a touch chooses."""

    chosen = qt.pyqtSignal(str)

    def __init__(self, parent: qt.QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("hall_grid")
        self.setFocusPolicy(qt.Qt.StrongFocus)
        self.setMinimumSize(320, 240)
        self.seats: list[Seat] = []
        self.selected = ""
        self._at = 0  #: where the keyboard is

    def fill(self, terminals: list[dict[str, Any]]) -> None:
        self.seats = seats_of(terminals)
        self._at = min(self._at, max(0, len(self.seats) - 1))
        if self.selected not in {s.name for s in self.seats}:
            self.selected = ""
        self.update()

    def _cell(self) -> tuple[float, float, float, float]:
        """Width and height of a cell, and where the first one begins."""
        across = 1 + max((s.across for s in self.seats), default=0)
        down = 1 + max((s.down for s in self.seats), default=0)
        wide = min(self.width() / across, 120.0)
        high = min(self.height() / down, 96.0, 1.15 * wide)
        return wide, high, (self.width() - across * wide) / 2, (self.height() - down * high) / 2

    def place(self, seat: Seat) -> qt.QRectF:
        """Where it is drawn and touched, in pixels."""
        wide, high, left, top = self._cell()
        gap = min(wide, high) * 0.06
        return qt.QRectF(left + seat.across * wide + gap, top + seat.down * high + gap,
                         wide - 2 * gap, high - 2 * gap)

    def paintEvent(self, event: qt.QPaintEvent) -> None:
        painter = qt.QPainter(self)
        painter.setRenderHint(qt.QPainter.Antialiasing)
        for n, seat in enumerate(self.seats):
            box = self.place(seat)
            paint_seat(painter, box, seat)
            if seat.name == self.selected or (self.hasFocus() and n == self._at):
                painter.setBrush(qt.Qt.NoBrush)
                painter.setPen(qt.QPen(qt.QColor(theme.FOCUS), 4))
                painter.drawRect(box.adjusted(-1, -1, 1, 1))

    def mouseReleaseEvent(self, event: qt.QMouseEvent) -> None:
        at = qt.QPointF(event.pos())
        for n, seat in enumerate(self.seats):
            if self.place(seat).contains(at):
                self._at = n
                self._choose(seat)
                return

    def keyPressEvent(self, event: qt.QKeyEvent) -> None:
        step = {qt.Qt.Key_Left: (-1, 0), qt.Qt.Key_Right: (1, 0), qt.Qt.Key_Up: (0, -1),
                qt.Qt.Key_Down: (0, 1)}.get(event.key())
        if step and self.seats:
            self._move(*step)
        elif event.key() in (qt.Qt.Key_Return, qt.Qt.Key_Enter, qt.Qt.Key_Space) and self.seats:
            self._choose(self.seats[self._at])
        else:
            super().keyPressEvent(event)

    def _move(self, across: int, down: int) -> None:
        """To the nearest one in that direction, across aisles as well."""
        here = self.seats[self._at]

        def away(seat: Seat) -> tuple[int, int]:
            x, y = seat.across - here.across, seat.down - here.down
            along, aside = (x * across, abs(y)) if across else (y * down, abs(x))
            return (along + 3 * aside, aside) if along > 0 else (10_000, 0)

        nearest = min(range(len(self.seats)), key=lambda n: away(self.seats[n]))
        if away(self.seats[nearest])[0] < 10_000:
            self._at = nearest
        self.update()

    def _choose(self, seat: Seat) -> None:
        self.selected = seat.name
        self.update()
        self.chosen.emit(seat.name)


def paint_seat(painter: qt.QPainter, box: qt.QRectF, seat: Seat) -> None:
    """One terminal: free is an open square, drawn a cut one, taken round and full, out of service
    crossed out, reserved dashed; an accessible one has a wheelchair in its corner."""
    ground, ink = LOOKS[seat.state]
    painter.setBrush(qt.QColor(ground))
    line = qt.Qt.DashLine if seat.state == "reserved" else qt.Qt.SolidLine
    painter.setPen(qt.QPen(qt.QColor(ink), 2, line))
    painter.drawPath(_shape(box, seat.state))
    if seat.state == "out":
        painter.setPen(qt.QPen(qt.QColor(ink), 2))
        painter.drawLine(box.topLeft(), box.bottomRight())
        painter.drawLine(box.topRight(), box.bottomLeft())
    _paint_name(painter, box, seat, ground, ink)
    if seat.accessible:
        _paint_chair(painter, box, ink)


def _shape(box: qt.QRectF, state: str) -> qt.QPainterPath:
    path = qt.QPainterPath()
    if state == "inside":
        path.addRoundedRect(box, box.height() / 2, box.height() / 2)
    elif state == "held":
        cut = min(box.width(), box.height()) * 0.32
        path.addPolygon(qt.QPolygonF([
            qt.QPointF(box.left() + cut, box.top()), qt.QPointF(box.right() - cut, box.top()),
            qt.QPointF(box.right(), box.center().y()),
            qt.QPointF(box.right() - cut, box.bottom()),
            qt.QPointF(box.left() + cut, box.bottom()),
            qt.QPointF(box.left(), box.center().y()),
        ]))
        path.closeSubpath()
    else:
        path.addRect(box)
    return path


def _paint_name(
    painter: qt.QPainter, box: qt.QRectF, seat: Seat, ground: str, ink: str
) -> None:
    font = theme.font(min(box.height() * 0.42, 26.0), bold=True)
    across = qt.QFontMetricsF(font).horizontalAdvance(seat.name)
    if across > box.width() * 0.74:
        font = theme.font(max(8.0, font.pixelSize() * box.width() * 0.74 / across), bold=True)
    painter.setFont(font)
    metrics = qt.QFontMetricsF(font)
    words = metrics.elidedText(seat.name, qt.Qt.ElideMiddle, box.width())
    if seat.state == "out":  # the cross must not run through the number
        wide = metrics.horizontalAdvance(words) + 4
        under = qt.QRectF(0, 0, wide, metrics.height())
        under.moveCenter(box.center())
        painter.fillRect(under, qt.QColor(ground))
    painter.setPen(qt.QColor(ink))
    painter.drawText(box, int(qt.Qt.AlignCenter), words)


def _paint_chair(painter: qt.QPainter, box: qt.QRectF, ink: str) -> None:
    """Head, back, seat, and the wheel, in the upper right corner."""
    side = min(box.width(), box.height()) * 0.3
    x, y = box.right() - side * 1.25, box.top() + side * 0.12
    painter.setPen(qt.QPen(qt.QColor(ink), max(1.5, side / 8), qt.Qt.SolidLine, qt.Qt.RoundCap))
    painter.setBrush(qt.QColor(ink))
    painter.drawEllipse(qt.QRectF(x + side * 0.22, y, side * 0.2, side * 0.2))
    painter.setBrush(qt.Qt.NoBrush)
    painter.drawPolyline(qt.QPolygonF([
        qt.QPointF(x + side * 0.32, y + side * 0.25), qt.QPointF(x + side * 0.36, y + side * 0.6),
        qt.QPointF(x + side * 0.7, y + side * 0.6), qt.QPointF(x + side * 0.86, y + side * 0.92)]))
    painter.drawArc(qt.QRectF(x + side * 0.08, y + side * 0.42, side * 0.55, side * 0.55),
                    110 * 16, 250 * 16)
