"""Sessions with everything in them, on a real store, without anybody's face."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kiosk.core.codes import JournalKind as K
from kiosk.core.codes import Reason as R
from kiosk.core.codes import VoidReason
from kiosk.report.gather import Place
from kiosk.store import Store
from kiosk.store.vault import make_key_file
from tests.store.conftest import row

PLACE = Place("KM1", "昆明一号考场", "A", "Asia/Shanghai", "0.1.0")
NAMES = ("王明", "欧阳娜娜", "阿卜杜热西提·阿卜杜拉艾合买提", "买买提吐尔逊·乌斯曼江·艾则孜",
         "司马相如", "=cmd()", "𬱖一", "Jean-Baptiste de La Salle")  # fmt: skip
POLICY = {"claim": "id_card", "finger": True, "liveness": True}


class Clock:
    """Goes on by a second each time it is asked."""

    def __init__(self) -> None:
        self._now = datetime(2026, 11, 24, 0, 30, tzinfo=UTC)

    def now(self) -> datetime:
        self._now += timedelta(seconds=1)
        return self._now

    def monotonic(self) -> float:
        return self._now.timestamp() - 1_700_000_000

    def pass_(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)


class Hall:
    """A lane that is played through its store."""

    def __init__(self, folder: Path, people: int, terminals: int = 0) -> None:
        self.clock = Clock()
        self.store = Store.open(folder / "data", folder / "lane.key", self.clock, "examgate/KM1/A")
        self.names = [NAMES[n] if n < len(NAMES) else f"考生{n}" for n in range(people)]
        starts = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
        hall = [f"{n:03d}" for n in range(1, (terminals or max(people, 1)) + 1)]
        self.store.create_session("S1", "科目一", starts, hall, person="t")
        rows = [row(n, name=name) for n, name in enumerate(self.names)]
        if rows:
            self.store.apply_roster(rows, "test", "t")
        self.store.open_session("S1", "李老师", POLICY)

    def who(self, n: int):
        found = self.store.lookup("S1", row(n).identity_number).candidate
        assert found is not None
        return found

    def note(self, kind: K, reason: R | None = None, n: int | None = None, **payload) -> None:
        self.store.journal(
            kind,
            reason,
            session_id="S1",
            pseudonym=None if n is None else self.who(n).pseudonym,
            payload=payload,
        )

    def fault(self, device: str, seconds: float) -> None:
        payload = {"device": device, "code": "SILENT", "detail": "no answer"}
        self.store.journal(K.DEVICE_FAULT, R.DEVICE_FAULT, payload=payload)
        self.clock.pass_(seconds)
        self.store.journal(K.DEVICE_RECOVERED, payload=payload | {"code": None})

    def verify(self, n: int, by: str = "card") -> None:
        self.note(K.CLAIMED, None, n, by=by)
        self.note(K.IDENTITY_VERIFIED, None, n, distance=0.3127)
        self.note(K.FINGER_VERIFIED, None, n, score=112)
        self.store.save_signature("S1", self.who(n), f"strokes {n} {by}".encode(), "0" * 64)

    def enter(self, n: int, reason: R = R.ADMITTED, by: str = "card"):
        self.verify(n, by)
        admission = self.store.admit("S1", self.who(n))
        self.store.gate_pulse(admission.intent_id, "sent")
        self.store.gate_outcome(admission.intent_id, reason)
        return admission

    def everything(self) -> None:
        """Each kind of override, refusal, fault and difference, with candidates 0 to 11."""
        store = self.store
        for n in (0, 1, 2):
            self.enter(n)
        self.note(K.CLAIM_TYPED, None, 3)
        self.enter(3, by="number")
        self.enter(4, R.GATE_TIMEOUT)
        self.enter(5, R.GATE_UNKNOWN)
        self.enter(6, R.GATE_TAILGATED)
        self.note(K.REFUSED, R.FACE_MISMATCH, 7)
        self.note(K.REFUSED, R.NOT_ON_ROSTER)
        self.note(K.CLAIM_FAILED, R.FACE_NOT_SURE, 7)
        self.note(K.REFUSED, R.CANCELLED_BY_PROCTOR, 7)
        self.note(K.HELP, R.HELP_REQUESTED, 7)
        self.note(K.HELP, None, done_by="李老师")
        self.note(K.SAME_FACE, R.FACE_SEEN_BEFORE, 8, alert=1, distance=0.31)
        self.note(K.SAME_FACE_ANSWERED, None, 8, alert=1, same=False, person="李老师")
        store.set_terminal("S1", "010", False, "屏幕坏了", "张工")
        seat = store.lookup("S1", row(0).identity_number).terminal
        assert seat is not None
        store.void_seat("S1", seat, VoidReason.SECOND_ATTEMPT, "李老师")
        seat = store.lookup("S1", row(1).identity_number).terminal
        assert seat is not None
        store.void_seat(
            "S1", seat, VoidReason.PROCTOR_DECISION, "李老师", note="座位太暗", approved_by="赵主任"
        )
        self.enter(1, by="again")
        self.fault("fingerprint", 75)
        self.fault("camera", 4000)
        for event, reason in (("forced", R.GATE_FORCED), ("opposite", R.GATE_OPPOSITE),
                              ("fire_on", R.FIRE), ("passed", R.ADMITTED)):  # fmt: skip
            self.note(K.GATE_EVENT, reason, event=event)
        self.note(K.GATE_EVENT, None, event="fire_release_ended", by="李老师")

    def close(self) -> None:
        self.store.close_session("S1", "李老师")


@pytest.fixture
def halls(tmp_path: Path) -> Iterator[Callable[..., Hall]]:
    make_key_file(tmp_path / "lane.key")
    made: list[Hall] = []

    def make(people: int = 12, terminals: int = 0) -> Hall:
        folder = tmp_path if not made else tmp_path / str(len(made))
        if made:
            folder.mkdir()
            make_key_file(folder / "lane.key")
        made.append(Hall(folder, people, terminals))
        return made[-1]

    yield make
    for hall in made:
        hall.store.close()
