"""A bundle replaces the roster of its sessions, and only a newer one does."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from kiosk.core.types import Standing
from kiosk.store.errors import StoreError, StoreRefused
from kiosk.store.roster import BundleMark
from tests.store.conftest import admit, row

WHEN = datetime(2026, 11, 27, tzinfo=UTC)


def mark(serial: int, *sessions: str, sha256: str = "") -> BundleMark:
    return BundleMark(serial, sha256 or f"{serial:064x}", WHEN, sessions or ("S1", "S2"))


def standing(store, n: int, session_id: str = "S1") -> Standing:
    return store.lookup(session_id, row(n).identity_number).standing


def test_who_is_not_in_it_is_cancelled_or_moved(store):
    store.apply_roster([row(1), row(2), row(3), row(4, "S2")], "a", "t", mark(1))
    done = store.apply_roster([row(1), row(2, "S2", admission_no="B2"), row(4, "S2")], "b", "t",
                              mark(2))  # fmt: skip
    told = [(c.kind, c.candidate.name, c.session_id, c.to_session) for c in done.changes]
    assert told == [("moved", "考生2", "S1", "S2"), ("cancelled", "考生3", "S1", None)]
    assert (done.added, done.changed, done.unchanged) == (1, 0, 2)
    assert standing(store, 3) is Standing.UNKNOWN
    assert standing(store, 2, "S2") is Standing.BOOKED
    entry = store.entries(0, 100)[-1]
    assert entry.payload["bundle"] == 2 and entry.payload["cancelled"] == 1
    assert (entry.payload["moved"], entry.payload["kept"]) == (1, 0)


def test_a_cancelled_candidate_can_come_back(store):
    store.apply_roster([row(1), row(2)], "a", "t", mark(1))
    store.apply_roster([row(1)], "b", "t", mark(2))
    assert store.apply_roster([row(1), row(2)], "c", "t", mark(3)).added == 1
    assert standing(store, 2) is Standing.BOOKED


def test_sessions_it_does_not_speak_for_are_left_alone(store):
    store.apply_roster([row(1), row(2, "S2")], "a", "t", mark(1))
    done = store.apply_roster([], "b", "t", mark(2, "S1"))
    assert [c.session_id for c in done.changes] == ["S1"]
    assert standing(store, 2, "S2") is Standing.BOOKED


def test_who_has_a_seat_keeps_it(store):
    first = admit(store, 1)
    done = store.apply_roster([row(2)], "b", "t", mark(1, "S1"))
    assert {(c.kind, c.candidate.name) for c in done.changes} == {
        ("kept", "考生1"),
        ("cancelled", "考生0"),
        ("cancelled", "考生3"),
    }
    assert standing(store, 1) is Standing.SEATED
    assert admit(store, 1).terminal == first.terminal


@pytest.mark.parametrize(
    ("second", "said"),
    [(mark(4), "older than 5"), (mark(5, sha256="f" * 64), "another bundle with the serial")],
)
def test_no_way_back_to_an_older_one(store, second, said):
    store.apply_roster([row(1)], "a", "t", mark(5))
    with pytest.raises(StoreRefused) as refused:
        store.apply_roster([row(2)], "b", "t", second)
    assert said in refused.value.problems[0]
    assert standing(store, 1) is Standing.BOOKED and standing(store, 2) is Standing.UNKNOWN
    assert store.last_bundle()[:2] == (5, f"{5:064x}")


def test_the_same_one_again_changes_nothing(store):
    store.apply_roster([row(1)], "a", "t", mark(5))
    done = store.apply_roster([row(1)], "a", "t", mark(5))
    assert (done.unchanged, done.changes) == (1, ())


def test_nothing_is_half_applied(store):
    store.apply_roster([row(1)], "a", "t", mark(1, "S1"))
    with pytest.raises(StoreError):
        store.apply_roster([row(2), row(3, "S3")], "b", "t", mark(2, "S1"))
    assert store.last_bundle()[:2] == (1, f"{1:064x}")
    assert standing(store, 1) is Standing.BOOKED
