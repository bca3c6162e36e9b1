"""What a proctor has to hear of: once each, until a person has acknowledged it, in the journal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from kiosk.clock import SystemClock
from kiosk.core.codes import JournalKind as K
from kiosk.core.codes import Reason as R
from kiosk.desks.privacy import PrivacyDesk
from kiosk.store import Store
from kiosk.store.errors import StoreRefused
from kiosk.store.vault import make_key_file
from kiosk.watch import Watch
from tests.store.conftest import candidate_of, row


class Clock(SystemClock):
    def __init__(self) -> None:
        self.on = timedelta()

    def now(self) -> Any:
        return super().now() + self.on


class Hall:
    def __init__(self, folder: Path) -> None:
        self.clock, self.told = Clock(), 0
        self.free = 5000
        make_key_file(folder / "lane.key")
        self.folder = folder
        self.start()

    def start(self) -> None:
        self.store = Store.open(self.folder / "data", self.folder / "lane.key", self.clock)
        self.store.free_mb = lambda: self.free  # type: ignore[method-assign]
        self.watch = Watch(self.store, self.clock, ZoneInfo("Asia/Shanghai"), min_free_mb=500,
                           roster_days=7, changed=self.tell)  # fmt: skip

    def tell(self) -> None:
        self.told += 1

    def again(self) -> None:
        self.store.close()
        self.start()

    def open(self) -> None:
        self.store.create_session("S1", "科目一", self.clock.now(), ["001", "002"], person="t")
        self.store.apply_roster([row(n) for n in range(3)], "test", "t")
        self.store.open_session("S1", "t")

    def refuse(self, n: int, reason: R) -> None:
        who = candidate_of(self.store, n).pseudonym
        self.store.journal(K.REFUSED, reason, session_id="S1", pseudonym=who)

    @property
    def seen(self) -> list[str]:
        self.watch.look()
        return [w["what"] for w in self.store.open_warnings()]


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Hall]:
    made = Hall(tmp_path)
    yield made
    made.store.close()


@pytest.mark.parametrize(
    ("happens", "what"),
    [
        (lambda s: s.journal(K.GATE_EVENT, R.GATE_FORCED, payload={"event": "forced"}),
         "gate_forced"),
        (lambda s: s.journal(K.GATE_EVENT, R.GATE_OPPOSITE, payload={"event": "opposite"}),
         "gate_opposite"),
        (lambda s: s.journal(K.GATE_OUTCOME, R.GATE_TAILGATED, terminal="001"), "tailgated"),
        (lambda s: s.journal(K.CLOCK_STEPPED_BACK), "clock_stepped"),
        (lambda s: s.journal(K.ANCHOR_LOST), "journal_restored"),
    ],
)  # fmt: skip
def test_each_is_raised_once_and_ends_with_a_person(
    hall: Hall, happens: Callable[[Store], Any], what: str
) -> None:
    assert hall.seen == []
    happens(hall.store)
    assert hall.seen == [what] == hall.seen and hall.told == 1
    hall.again()
    assert hall.seen == [what], "a restart neither loses nor repeats it"
    (warning,) = hall.store.open_warnings()
    hall.store.acknowledge_warning(warning["warning_id"], "1001 周静", "看过了")
    assert hall.seen == []
    with pytest.raises(StoreRefused):
        hall.store.acknowledge_warning(warning["warning_id"], "1001 周静")
    hall.again()
    assert hall.seen == []
    last = hall.store.entries(0, 1000)[-1]
    assert last.kind == "warning_acknowledged" and last.payload == {
        "warning": warning["warning_id"], "what": what, "note": "看过了", "person": "1001 周静"}
    happens(hall.store)
    assert hall.seen == [what], "another time is another warning"


def test_the_third_failure_of_one_person_is_told_with_who_it_is(hall: Hall) -> None:
    hall.open()
    for reason in (R.FACE_MISMATCH, R.CANCELLED, R.TOO_EARLY, R.FINGER_NO_MATCH):
        hall.refuse(0, reason)
        hall.refuse(1, R.FACE_NOT_SURE) if reason is R.CANCELLED else None
    assert hall.seen == []
    hall.refuse(0, R.LIVENESS_FAILED)
    assert hall.seen == ["repeated_failures"]
    (warning,) = hall.store.open_warnings()
    assert (warning["name"], warning["args"]) == (
        "考*0", {"tries": 3, "last": "LIVENESS_FAILED"})
    hall.again()
    for _ in range(3):
        hall.refuse(0, R.FACE_MISMATCH)
    assert hall.seen == ["repeated_failures"] * 2, "and the sixth, over a restart"


def test_who_got_in_after_all_begins_anew(hall: Hall) -> None:
    hall.open()
    who = candidate_of(hall.store, 0).pseudonym
    for _ in range(2):
        hall.refuse(0, R.FACE_MISMATCH)
    hall.store.journal(K.ADMITTED, R.ADMITTED, session_id="S1", pseudonym=who)
    hall.refuse(0, R.FACE_MISMATCH)
    assert hall.seen == []


def test_conditions_are_told_while_a_session_is_open_and_once_a_day(hall: Hall) -> None:
    hall.free, hall.watch.camera_covered = 900, True
    assert hall.seen == [], "nobody is there to mind"
    hall.again()
    hall.watch.camera_covered = True
    hall.open()
    assert set(hall.seen) == {"disk_low", "camera_covered"}
    for warning in hall.store.open_warnings():
        hall.store.acknowledge_warning(warning["warning_id"], "t")
    hall.again()
    hall.watch.camera_covered = True
    assert hall.seen == []


def test_an_old_roster(hall: Hall) -> None:
    hall.clock.on = timedelta(days=-9)
    hall.open()
    hall.clock.on = timedelta()
    hall.again()
    assert hall.seen == ["roster_old"]
    assert hall.store.open_warnings()[0]["args"] == {"days": 9}


def test_while_the_clock_is_in_doubt_nothing_is_destroyed(hall: Hall) -> None:
    hall.open()
    hall.store.close_session("S1", "t")
    desk = PrivacyDesk(hall.store, 30)
    assert hall.seen == [] and desk.forget_due("daemon") == []
    hall.clock.on = timedelta(days=31)
    assert hall.seen == ["clock_stepped"] and desk.forget_due("daemon") == []
    hall.store.acknowledge_warning(hall.store.open_warnings()[0]["warning_id"], "t")
    hall.clock.on = timedelta(days=99)
    hall.again()
    desk = PrivacyDesk(hall.store, 30)
    assert hall.seen == ["clock_stepped"] and desk.forget_due("daemon") == []
    hall.store.acknowledge_warning(hall.store.open_warnings()[0]["warning_id"], "t")
    assert desk.forget_due("daemon") == ["S1"]


def test_a_clock_that_is_put_on_is_noticed(hall: Hall) -> None:
    assert hall.seen == []
    hall.clock.on = timedelta(minutes=10)
    assert hall.seen == ["clock_stepped"]
    assert hall.store.open_warnings()[0]["args"]["seconds"] == pytest.approx(600, abs=2)
