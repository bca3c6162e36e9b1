"""The hall from above as who enters sees it: the door below, the own seat, the way to it.

It must not know who sits where; only the person's own seat is told apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ui import qt, theme

DOOR = {"left": 0.0, "middle": 0.5, "right": 1.0}
MOST = 60  #: rows or columns; beyond this nothing can be told apart


@dataclass(frozen=True, slots=True)
class Plan:
    """Seats in cells counted from the door's left: (across, up); the own one; the door."""

    seats: tuple[tuple[int, int], ...]
    own: tuple[int, int]
    across: int
    up: int
    door: float | None  #: 0 left .. 1 right on the lower side; None where it is not known


def plan_of(hall: Any, terminal: str) -> Plan | None:
    """From the `hall` of a state; None where places are not known, or are too many."""
    if not isinstance(hall, dict):
        return None
    try:
        places = {str(name): (int(column), int(row)) for name, row, column in hall["seats"]}
    except (KeyError, TypeError, ValueError):
        return None
    if terminal not in places:
        return None
    left, low = (min(place[n] for place in places.values()) for n in (0, 1))
    right, high = (max(place[n] for place in places.values()) for n in (0, 1))
    if right - left >= MOST or high - low >= MOST:
        return None
    side, _, where = str(hall.get("entrance") or "").partition("_")
    turned = side == "back"

    def cell(place: tuple[int, int]) -> tuple[int, int]:
        column, row = place
        return (right - column, high - row) if turned else (column - left, row - low)

    return Plan(tuple(cell(place) for place in places.values()), cell(places[terminal]),
                right - left + 1, high - low + 1, DOOR.get(where))


class HallMap(qt.QWidget):
    """Nothing is drawn until `set_plan`; `entrance` is the word at the door."""

    def __init__(self, parent: qt.QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("map")
        self._plan: Plan | None = None
        self._entrance = ""

    def set_plan(self, plan: Plan | None, entrance: str) -> None:
        self._plan, self._entrance = plan, entrance
        self.update()

    @property
    def plan(self) -> Plan | None:
        return self._plan

    def _cell(self, plan: Plan) -> float:
        """Pixels a side: an aisle around the seats, the door's word below."""
        return min(self.width() / (plan.across + 1.2), self.height() / (plan.up + 2.4), 90.0)

    def _at(self, plan: Plan, across: float, up: float) -> qt.QPointF:
        """The middle of a cell; -1 up is the aisle at the door."""
        side = self._cell(plan)
        left = (self.width() - plan.across * side) / 2
        floor = (self.height() + (plan.up + 2.4) * side) / 2 - 1.9 * side
        return qt.QPointF(left + (across + 0.5) * side, floor - (up + 0.5) * side)

    def way(self) -> list[qt.QPointF]:
        """From the door along the lower aisle, up beside the column, to the seat."""
        plan = self._plan
        if plan is None or plan.door is None:
            return []
        across, up = plan.own
        door = plan.door * plan.across - 0.5
        beside = across + (0.5 if door > across else -0.5)
        return [self._at(plan, door, -1.35), self._at(plan, door, -0.85),
                self._at(plan, beside, -0.85), self._at(plan, beside, up),
                self._at(plan, across, up)]

    def paintEvent(self, event: qt.QPaintEvent) -> None:
        plan = self._plan
        if plan is None:
            return
        painter = qt.QPainter(self)
        painter.setRenderHint(qt.QPainter.Antialiasing)
        side = self._cell(plan)
        painter.setPen(qt.QPen(qt.QColor(theme.SOFT_INK), max(1.0, side / 22)))
        painter.setBrush(qt.QColor(theme.PANEL))
        for across, up in plan.seats:
            painter.drawRoundedRect(self._box(plan, across, up, 0.62), side / 10, side / 10)
        self._paint_way(painter, side)
        own = self._box(plan, *plan.own, 1.5)
        painter.setPen(qt.QPen(qt.QColor(theme.PANEL), max(2.0, side / 12)))
        painter.setBrush(qt.QColor(theme.GOOD))
        painter.drawEllipse(own)  # round among squares: told apart without its colour
        painter.setPen(qt.QPen(qt.QColor(theme.ON_DARK), max(2.0, side / 8), qt.Qt.SolidLine,
                               qt.Qt.RoundCap))
        x, y, u = own.center().x(), own.center().y(), own.width() / 10
        painter.drawPolyline(qt.QPolygonF([qt.QPointF(x - 2.2 * u, y + 0.2 * u),
                                           qt.QPointF(x - 0.5 * u, y + 1.9 * u),
                                           qt.QPointF(x + 2.5 * u, y - 1.9 * u)]))

    def _box(self, plan: Plan, across: float, up: float, part: float) -> qt.QRectF:
        size = self._cell(plan) * part
        box = qt.QRectF(0, 0, size, size)
        box.moveCenter(self._at(plan, across, up))
        return box

    def _paint_way(self, painter: qt.QPainter, side: float) -> None:
        way = self.way()
        if not way:
            return
        painter.setPen(qt.QPen(qt.QColor(theme.PRIMARY), max(3.0, side / 5), qt.Qt.SolidLine,
                               qt.Qt.RoundCap, qt.Qt.RoundJoin))
        painter.setBrush(qt.Qt.NoBrush)
        painter.drawPolyline(qt.QPolygonF(way))
        words = theme.font(max(20.0, min(side * 0.8, 44.0)), bold=True)
        painter.setFont(words)
        wide = qt.QFontMetricsF(words).horizontalAdvance(self._entrance) + 12
        high = qt.QFontMetricsF(words).height()
        beside = way[0].x() + (side * 0.3 if way[1].x() < way[2].x() else -side * 0.3 - wide)
        x = min(max(beside, 0.0), self.width() - wide)
        y = min(way[0].y() - high * 0.2, self.height() - high)
        painter.drawText(qt.QRectF(x, y, wide, high), int(qt.Qt.AlignCenter), self._entrance)
