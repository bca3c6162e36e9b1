"""Alerts of rosters and lanes: one a pair, answered once, gone with the photograph or session."""

from __future__ import annotations

import numpy as np
import pytest

from kiosk.core.sameface import Seen, Suspicion
from kiosk.store.errors import StoreRefused
from kiosk.store.faces import Alike
from tests.store.conftest import admit, candidate_of, row

DAY = "2026-11-23"


def ids(store, *numbers):
    return [candidate_of(store, n).candidate_id for n in numbers]


def came(store, n, found=None, day=DAY, verified=True):
    who = candidate_of(store, n)
    seen = Seen(0, who.identity_number, day, "e", verified)
    return store.keep_face("S1", who, seen, np.ones(4, np.float32), found)


def suspicious(store, earlier, now):
    face_id, _ = came(store, earlier)
    seen = Seen(face_id, row(earlier).identity_number, DAY, "e", True)
    return came(store, now, Suspicion(seen, 0.2, 0))[1]


def test_a_pair_of_a_roster_is_asked_about_once(store):
    a, b, c = ids(store, 0, 1, 2)
    first = store.note_alike([a, b, c], [Alike(b, a, 0.2)], DAY)
    assert store.note_alike([a, b, c], [Alike(a, b, 0.2)], DAY) == first
    assert [e.kind for e in store.entries(0, 100)].count("same_face") == 1
    (alert,) = store.open_alerts()
    assert (alert["origin"], alert["earlier"]["name"], alert["now"]["name"]) == (
        "roster", "考*0", "考*1")  # fmt: skip
    store.answer_alert(first[0], False, "李老师")
    assert store.note_alike([a], [Alike(a, b, 0.2)], DAY) == []
    assert store.open_alerts() == []
    assert store.cleared_pairs(DAY) == frozenset(), "photographs clear nobody at the lane"


def test_another_photograph_ends_the_question(store):
    a, b, c = ids(store, 0, 1, 2)
    store.note_alike([a, b, c], [Alike(a, b, 0.2), Alike(b, c, 0.3)], DAY)
    store.note_alike([c], [], DAY)
    (alert,) = store.open_alerts()
    assert {alert["earlier"]["name"], alert["now"]["name"]} == {"考*0", "考*1"}


def test_a_rosters_question_ends_with_its_session_and_a_lanes_does_not(store):
    a, b = ids(store, 0, 1)
    store.note_alike([a, b], [Alike(a, b, 0.2)], DAY)
    suspicious(store, 2, 3)
    assert [x["origin"] for x in store.open_alerts()] == ["lane", "roster"]
    store.close_session("S1", "t")
    assert [x["origin"] for x in store.open_alerts()] == ["lane"]


def test_a_lanes_alert_says_where_the_other_one_is_now(store):
    admission = admit(store, 0)
    suspicious(store, 0, 1)
    (alert,) = store.open_alerts()
    assert alert["earlier"]["terminal"] == admission.terminal
    assert (alert["earlier"]["standing"], alert["now"]["standing"]) == ("seated", "booked")
    assert "考生0" not in str(alert) and row(0).identity_number not in str(alert)


def test_one_alert_a_pair_whichever_way_round_until_it_is_answered(store):
    one = suspicious(store, 0, 1)
    assert suspicious(store, 1, 0) == one
    (alert,) = store.open_alerts()
    assert alert["now"]["name"] == "考*0", "who came last"
    store.answer_alert(one, True, "t")
    assert suspicious(store, 0, 1) != one
    assert store.cleared_pairs(DAY) == frozenset()


def test_cleared_is_a_pair_that_day(store):
    alert = suspicious(store, 0, 1)
    store.answer_alert(alert, False, "t")
    pair = frozenset((row(0).identity_number, row(1).identity_number))
    assert store.cleared_pairs(DAY) == {pair}
    assert store.cleared_pairs("2026-11-24") == frozenset()


def test_answers_are_given_once_and_to_what_is_there(store):
    alert = suspicious(store, 0, 1)
    with pytest.raises(StoreRefused, match="no alert 77"):
        store.answer_alert(77, True, "t")
    store.answer_alert(alert, True, "t")
    with pytest.raises(StoreRefused, match="answered already"):
        store.answer_alert(alert, True, "t")


def test_faces_of_another_day_are_deleted(store):
    for day in (DAY, "2026-11-22", "2026-11-24"):
        came(store, 0, day=day)
    assert store.forget_faces(but=DAY) == 2
    assert store.forget_faces(but=DAY) == 0
    assert len(store.faces_of_day(DAY, "e")[0]) == 1
    assert store.faces_of_day(DAY, "another") == ([], [])
