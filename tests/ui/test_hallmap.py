"""The map: the own seat where it is, a way that crosses no desk, nothing where nothing is known."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ui import qt
from ui.candidate.window import CandidateWindow
from ui.client import Client
from ui.i18n import text
from ui.screenshots import HALL, NOWHERE, example
from ui.widgets.hallmap import HallMap, plan_of


@pytest.mark.parametrize(("entrance", "own", "door"), [
    ("front_left", (6, 4), 0.0), ("front_right", (6, 4), 1.0), ("front_middle", (6, 4), 0.5),
    ("back_left", (3, 5), 0.0), (None, (6, 4), None), ("roof", (6, 4), None)])
def test_the_seat_as_who_enters_sees_it(entrance: str | None, own: Any, door: Any) -> None:
    plan = plan_of(HALL | {"entrance": entrance}, "047")  # row 5, column 7 of ten by ten
    assert plan is not None
    assert (plan.own, plan.door, plan.across, plan.up) == (own, door, 10, 10)


@pytest.mark.parametrize("hall", [
    None, {}, {"seats": []}, {"seats": [["001", 1, 1]]}, {"seats": [["047", None, None]]},
    {"seats": [["047", 1]]}, {"seats": 5}, "hall", {"seats": [["047", 1, 1], ["048", 1, 900]]}])
def test_unknown_places_give_no_map(hall: Any) -> None:
    assert plan_of(hall, "047") is None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(rows=st.integers(1, 15), columns=st.integers(1, 15), data=st.data(),
       entrance=st.sampled_from(["front_left", "front_middle", "back_right", "back_middle"]))
def test_the_way_starts_at_the_door_ends_at_the_seat_and_crosses_no_desk(
    themed: Any, rows: int, columns: int, data: st.DataObject, entrance: str
) -> None:
    seats = [[f"{r}-{c}", r, c] for r in range(1, rows + 1) for c in range(1, columns + 1)]
    mine = data.draw(st.sampled_from(seats))[0]
    plan = plan_of({"seats": seats, "entrance": entrance}, mine)
    assert plan is not None
    shown = HallMap()
    shown.resize(340, 600)
    shown.set_plan(plan, "入口")
    way = shown.way()
    assert way[-1] == shown._at(plan, *plan.own)
    assert all(shown.rect().contains(point.toPoint()) for point in way)
    for other in set(plan.seats) - {plan.own}:
        box = shown._box(plan, *other, 0.62)
        for a, b in itertools.pairwise(way):
            line = qt.QRectF(a, b).normalized().adjusted(-0.01, -0.01, 0.01, 0.01)
            assert not line.intersects(box), (other, a, b)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_seat_page_shows_it_says_it_in_words_and_wipes_it(
    themed: Any, qtbot: Any, language: str
) -> None:
    client = Client(NOWHERE, preview=False)
    window = CandidateWindow(client, language)
    qtbot.addWidget(window)
    window.show()
    page = window.pages["seat"]
    client.state.emit(example("gate", visit=1))
    assert page.map.isVisible() and not page.picture.isVisible()
    assert page.place.text() == text(language, "map.place", row=5, column=7)
    client.state.emit(example("welcome", visit=1, hall=None))
    assert page.picture.isVisible() and not page.map.isVisible() and page.place.text() == ""
    client.state.emit(example("gate", visit=1))
    client.state.emit(example("idle", visit=2))
    assert page.map.plan is None and page.place.text() == ""
