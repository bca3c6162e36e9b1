"""Seats by the rules of the hall, and seats given up: what is recorded and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from kiosk.core.codes import JournalKind, Reason, VoidReason
from kiosk.core.hall import Terminal
from kiosk.core.types import Standing
from kiosk.store.errors import HallFull, NoSignature, NotOpen, NotVoidable, StoreRefused
from tests.store.conftest import admit, candidate_of, row
from tests.store.replay import Replay

HALL = (
    Terminal("A1", 0, 1, 1),
    Terminal("A2", 1, 1, 2),
    Terminal("B1", 2, 2, 1, accessible=True),
    Terminal("B2", 3, 2, 2, classes=("D", "E")),
    Terminal("C1", 4, 3, 1, in_service=False),
    Terminal("C2", 5, 3, 2, reserved=True),
)


@pytest.fixture
def hall(open_store):
    """Session S1 open in HALL with spacing: 0 and 1 of one school, 2 needs access, 3 rides."""
    store = open_store()
    store.create_session("S1", "科目一", datetime.now(UTC), HALL, spacing=True, person="t")
    rows = [
        row(0, driving_school="东方驾校"),
        row(1, driving_school=" 东方　驾校 "),
        row(2, accessible=True),
        row(3, licence_class="E"),
        row(4, licence_class="E"),
        row(5),
    ]
    store.apply_roster(rows, "test", "t")
    store.open_session("S1", "t")
    return store


def entries(store, kind):
    return [e for e in store.entries(0, 1000) if e.kind == kind]


def enter(store, n):
    """Sign, draw, pass the gate."""
    admission = admit(store, n)
    store.gate_outcome(admission.intent_id, Reason.ADMITTED)
    return admission


def sign(store, n, strokes=b"another signature"):
    store.save_signature("S1", candidate_of(store, n), strokes, "0" * 64)


def replay(store):
    return Replay(store.entries(0, 10_000), store._seed("S1"))


# --- rules --------------------------------------------------------------------------------------


def test_the_hall_as_it_opens_is_published_and_committed_to(hall):
    opened = entries(hall, "session_opened")[0].payload
    assert [t["name"] for t in opened["terminals"]] == [t.name for t in HALL]
    assert opened["rules"] == {"spacing": True}
    assert opened["capacity"] == 6
    session = hall.session("S1")
    assert (session.commitment, session.hall_sha256) == (
        opened["commitment"],
        opened["hall_sha256"],
    )
    assert session.hall == HALL
    assert session.usable_terminals == ("A1", "A2", "B1", "B2")
    assert hall.counts("S1").free_terminals == 4
    replay(hall)


def test_each_draw_says_what_it_chose_among(hall):
    first = admit(hall, 0).terminal
    assert first in ("A1", "A2")
    drawn = entries(hall, "seat_drawn")[0].payload
    assert drawn["free"] == ["A1", "A2", "B1", "B2"]
    assert drawn["pool"] == ["A1", "A2"], "neither accessible nor for another class"
    assert drawn["replaces"] is None
    second = admit(hall, 1).terminal
    assert {first, second} == {"A1", "A2"}
    drawn = entries(hall, "seat_drawn")[1].payload
    assert drawn["spacing_gave_way"], "the only one left is beside somebody of the same school"
    assert admit(hall, 2).terminal == "B1"
    assert admit(hall, 3).terminal == "B2"
    replay(hall)


def test_schools_are_compared_but_not_named(hall):
    admit(hall, 0)
    admit(hall, 1)
    admit(hall, 3)
    schools = [e.payload["facts"]["school"] for e in entries(hall, "seat_drawn")]
    assert schools[0] == schools[1] is not None, "blanks and width do not make another school"
    assert len(schools[0]) == 32
    assert schools[2] is None
    assert "东方" not in repr(hall.entries(0, 1000))
    (blob,) = hall._row("select group_concat(school) from candidates")
    assert "东方" not in blob


def test_the_school_of_a_draw_stays_what_it_was(hall):
    admit(hall, 0)
    hall.apply_roster([row(0, driving_school="西方驾校")], "again", "t")
    admit(hall, 1)
    assert entries(hall, "seat_drawn")[1].payload["spacing_gave_way"]
    replay(hall)


def test_a_pool_that_is_all_that_is_free_is_not_written_twice(store):
    admit(store, 0)
    drawn = entries(store, "seat_drawn")[0].payload
    assert "pool" not in drawn
    assert drawn["pool_hash"] == drawn["free_hash"]


def refused(store, n):
    sign(store, n)
    before = store.tree_head()
    with pytest.raises(HallFull) as caught:
        store.admit("S1", candidate_of(store, n))
    assert store.tree_head() == before
    return caught.value.reason


def test_each_refusal_has_its_own_reason(hall):
    admit(hall, 3)
    hall.set_terminal("S1", "B1", False, "test", "t")
    assert refused(hall, 2) is Reason.NO_ACCESSIBLE_TERMINAL
    for name in ("A1", "A2"):
        hall.set_terminal("S1", name, None, "test", "t", classes=["D"])
    assert refused(hall, 5) is Reason.NO_TERMINAL_FOR_CLASS
    for name in ("A1", "A2", "B2"):
        hall.set_terminal("S1", name, False, "test", "t")
    assert refused(hall, 5) is Reason.HALL_FULL


def test_capacity_counts_who_has_a_seat(open_store):
    store = open_store()
    now = datetime.now(UTC)
    store.create_session("S1", "x", now, ["1", "2", "3"], capacity=2, person="t")
    store.apply_roster([row(n) for n in range(4)], "test", "t")
    store.open_session("S1", "t")
    enter(store, 0)
    seat = enter(store, 1).terminal
    assert refused(store, 2) is Reason.HALL_FULL
    store.void_seat("S1", seat, VoidReason.SECOND_ATTEMPT, "t")
    assert store.admit("S1", candidate_of(store, 2)).drawn_now


def test_changes_are_published_and_only_what_changed(hall):
    hall.set_terminal("S1", "C2", None, "考试需要", "李", reserved=False, classes=["D", "C1", "D"])
    (entry,) = entries(hall, "terminal_changed")
    assert entry.payload == {
        "reserved": False,
        "classes": ["C1", "D"],
        "why": "考试需要",
        "person": "李",
    }
    assert hall.session("S1").hall[5] == Terminal("C2", 5, 3, 2, classes=("C1", "D"))
    with pytest.raises(StoreRefused, match="nothing about"):
        hall.set_terminal("S1", "C2", None, "x", "t")
    with pytest.raises(StoreRefused, match="no such licence class: Q"):
        hall.set_terminal("S1", "C2", None, "x", "t", classes=["Q"])


def test_a_hall_that_cannot_be_is_refused_with_every_reason(open_store):
    store = open_store()
    bad = [
        Terminal("1", 0, 1, None),
        Terminal("2", 0, 1, 1),
        Terminal("3", 0, 1, 1, classes=("Q",)),
        Terminal('"', 0),
    ]
    with pytest.raises(StoreRefused) as caught:
        store.create_session("S1", "x", datetime.now(UTC), bad, person="t")
    assert len(caught.value.problems) == 4
    reserved = [Terminal("1", 0, reserved=True)]
    with pytest.raises(StoreRefused, match="out of service or reserved"):
        store.create_session("S1", "x", datetime.now(UTC), reserved, person="t")


# --- given up and drawn anew ----------------------------------------------------------------------


def test_a_broken_terminal(hall):
    seat = enter(hall, 0).terminal
    assert hall.lookup("S1", row(0).identity_number).standing is Standing.INSIDE
    voided = hall.void_seat(
        "S1", seat, VoidReason.TERMINAL_BROKEN, "李老师", note="黑屏", draw_no=1
    )
    assert (voided.draw_no, voided.was_inside) == (1, True)
    changed, gone = hall.entries(0, 1000)[-2:]
    assert (changed.kind, changed.terminal) == ("terminal_changed", seat)
    assert changed.payload == {"in_service": False, "why": "terminal_broken", "person": "李老师"}
    assert (gone.kind, gone.terminal) == ("seat_voided", seat)
    assert gone.pseudonym == candidate_of(hall, 0).pseudonym
    assert gone.payload == {
        "draw_no": 1,
        "why": "terminal_broken",
        "note": "黑屏",
        "person": "李老师",
        "approved_by": None,
        "was_inside": True,
    }
    lookup = hall.lookup("S1", row(0).identity_number)
    assert (lookup.standing, lookup.terminal, lookup.comes_again) == (Standing.BOOKED, None, True)
    assert hall.counts("S1").inside == 0
    sign(hall, 0)
    again = hall.admit("S1", candidate_of(hall, 0))
    assert (again.drawn_now, again.draw_no) == (True, 2)
    assert again.terminal != seat
    assert entries(hall, "seat_drawn")[-1].payload["replaces"] == 1
    assert replay(hall).seats == {gone.pseudonym: again.terminal}
    assert hall.verify() == []


def test_a_second_draw_needs_a_second_signature(hall):
    seat = enter(hall, 0).terminal
    hall.void_seat("S1", seat, VoidReason.SECOND_ATTEMPT, "t")
    before = hall.tree_head()
    with pytest.raises(NoSignature, match="since the seat"):
        hall.admit("S1", candidate_of(hall, 0))
    sign(hall, 0, b"strokes of 0")  # the very same strokes: nothing new
    with pytest.raises(NoSignature):
        hall.admit("S1", candidate_of(hall, 0))
    assert hall.tree_head() == before
    sign(hall, 0)
    assert hall.admit("S1", candidate_of(hall, 0)).drawn_now
    replay(hall)


def test_the_second_attempt_is_the_second(hall):
    seat = enter(hall, 0).terminal
    hall.void_seat("S1", seat, VoidReason.SECOND_ATTEMPT, "t")
    sign(hall, 0)
    admission = hall.admit("S1", candidate_of(hall, 0))
    hall.gate_outcome(admission.intent_id, Reason.GATE_TIMEOUT)
    assert refusal(hall, admission.terminal, VoidReason.SECOND_ATTEMPT) == "second_not_inside"
    again = hall.admit("S1", candidate_of(hall, 0))
    hall.gate_outcome(again.intent_id, Reason.ADMITTED)
    assert refusal(hall, admission.terminal, VoidReason.SECOND_ATTEMPT) == "second_used"
    hall.void_seat("S1", admission.terminal, VoidReason.TERMINAL_BROKEN, "t")
    replay(hall)


def refusal(store, terminal, why, **more):
    before = store.tree_head()
    with pytest.raises(NotVoidable) as caught:
        store.void_seat("S1", terminal, why, more.pop("person", "李"), **more)
    assert store.tree_head() == before
    return caught.value.code


def test_what_a_proctor_decides_needs_a_reason_and_somebody_else(hall):
    seat, why = enter(hall, 0).terminal, VoidReason.PROCTOR_DECISION
    assert refusal(hall, seat, why, note="x") == "approval_missing"
    assert refusal(hall, seat, why, note="x", approved_by="  ") == "approval_missing"
    assert refusal(hall, seat, why, note="x", approved_by=" 李 ") == "approval_own"
    assert refusal(hall, seat, why, note="  ", approved_by="周主任") == "note_missing"
    hall.void_seat("S1", seat, why, "李", note="考台太低", approved_by="周主任")
    assert entries(hall, "seat_voided")[0].payload["approved_by"] == "周主任"


def test_what_cannot_be_given_up(hall):
    why = VoidReason.TERMINAL_BROKEN
    assert refusal(hall, "A1", why) == "seat_not_held"
    assert refusal(hall, "none", why) == "seat_not_held"
    admission = admit(hall, 0)
    assert refusal(hall, admission.terminal, why) == "seat_at_gate"
    hall.gate_outcome(admission.intent_id, Reason.GATE_TIMEOUT)
    assert refusal(hall, admission.terminal, why, draw_no=7) == "seat_changed"
    hall.close_session("S1", "t")
    with pytest.raises(NotOpen):
        hall.void_seat("S1", admission.terminal, why, "t")


def test_a_seat_that_was_given_up_can_be_somebody_elses(hall):
    seat = enter(hall, 2).terminal
    hall.void_seat("S1", seat, VoidReason.SECOND_ATTEMPT, "t")
    for name in ("A1", "A2", "B2"):
        hall.set_terminal("S1", name, False, "test", "t")
    assert admit(hall, 5).terminal == seat, "accessible, and the last one"
    assert refused(hall, 2) is Reason.HALL_FULL
    replay(hall)


def test_the_list_of_candidates_follows(hall):
    seat = enter(hall, 0).terminal
    first = hall.candidates("S1")[0]
    assert (first["terminal"], first["draw_no"], first["standing"]) == (seat, 1, "inside")
    hall.void_seat("S1", seat, VoidReason.SECOND_ATTEMPT, "t")
    first = hall.candidates("S1")[0]
    assert (first["terminal"], first["draw_no"], first["standing"]) == (None, None, "booked")


def test_a_clock_that_was_set_back_does_not_make_an_old_signature_new(hall):
    seat = enter(hall, 0).terminal
    hall.void_seat("S1", seat, VoidReason.SECOND_ATTEMPT, "t")
    real = hall._journal._clock

    class Earlier:
        def now(self):
            return real.now() - timedelta(hours=1)

        def monotonic(self):
            return real.monotonic()

    hall._clock = hall._journal._clock = Earlier()
    sign(hall, 0)
    assert hall.admit("S1", candidate_of(hall, 0)).drawn_now
    assert JournalKind.CLOCK_STEPPED_BACK in [e.kind for e in hall.entries(0, 1000)]
    replay(hall)
