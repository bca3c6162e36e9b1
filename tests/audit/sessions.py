"""A session with everything in it, made by the real store, and its record as it is handed out.

For tests of who checks records: the honest record, the key that signed it, and what people kept.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

from kiosk.core.codes import JournalKind, Reason, ReturnReason, VoidReason
from kiosk.core.hall import Terminal
from kiosk.store import Store
from kiosk.store.signer import signing_key_file
from kiosk.store.vault import make_key_file, read_key_file
from tests.store.conftest import row

ORIGIN = "examgate/KM1/A"
SESSION = "科目一-0900"
POLICY = {"claim": "id_card", "finger": True, "liveness": True, "override_approval": True,
          "exit": "face"}  # fmt: skip
SENT, NOT_SENT, UNKNOWN = "sent", "not_sent", "unknown"

HALL = (
    Terminal("01", 0, 1, 1),
    Terminal("02", 1, 1, 2),
    Terminal("03", 2, 1, 3, accessible=True),
    Terminal("04", 3, 2, 1, classes=("D",)),
    Terminal("05", 4, 2, 2),
    Terminal("06", 5, 2, 3, in_service=False),
    Terminal("07", 6, 3, 1),
    Terminal("08", 7, 3, 2, reserved=True),
    Terminal("09", 8, 3, 3),
    Terminal("窗边1", 9),
    Terminal("窗边2", 10),
)


@dataclass(frozen=True)
class Made:
    """An honest record and what a stranger, or the venue itself, has beside it."""

    record: bytes
    vkey: str
    signing_key: bytes  #: 32 bytes; the venue's, for tampering as only the venue can
    leaves_before: tuple[bytes, ...]  #: leaf hashes of the journal before the record
    older: str  #: signed head from before the record's `earlier`
    earlier: str  #: the one in the record's header
    within: tuple[str, ...]  #: the record's own heads
    later: str  #: signed head of a longer journal
    older_proof: str  #: files of `examgate journal prove`
    later_proof: str
    receipts: tuple[str, ...]


class Ticking:
    """Half a second later at each look: records do not depend on the machine's speed."""

    def __init__(self) -> None:
        self._now = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)

    def now(self) -> datetime:
        self._now += timedelta(seconds=0.5)
        return self._now

    def monotonic(self) -> float:
        return self._now.timestamp() - 1.7e9


class Day:
    """The lane's day, a call for each thing that happens."""

    def __init__(self, folder: Path, spacing: bool = True) -> None:
        make_key_file(folder / "lane.key")
        self.store = Store.open(folder / "data", folder / "lane.key", Ticking(), ORIGIN)
        self.signing_key = read_key_file(signing_key_file(folder / "lane.key"))
        self.strokes = 0
        self.session_id = SESSION
        self.spacing = spacing

    def note(self, kind: JournalKind, n: int | None = None, **more: object) -> None:
        who = None if n is None else self.who(n).pseudonym
        self.store.journal(
            kind, session_id=self.session_id if n is not None else None, pseudonym=who, **more
        )

    def who(self, n: int):
        found = self.store.lookup(self.session_id, row(n).identity_number).candidate
        assert found is not None
        return found

    def create(self, session_id: str, people: int) -> None:
        self.session_id = session_id
        start = datetime(2026, 11, 24, 1, 30, tzinfo=UTC)
        self.store.create_session(
            session_id, "科目一", start, HALL, capacity=9, person="李老师", spacing=self.spacing
        )
        self.store.apply_roster([self.row(n) for n in range(people)], "test", "李老师")

    def row(self, n: int):
        return row(
            n,
            self.session_id,
            licence_class="D" if n == 4 else "C1",
            accessible=n == 5,
            driving_school="" if n == 7 else ("东方", "西方")[n % 2],
        )

    def verify(self, n: int, finger: bool = True) -> None:
        self.note(JournalKind.CLAIMED, n)
        self.note(JournalKind.IDENTITY_VERIFIED, n, payload={"distance": 0.31})
        if finger:
            self.note(JournalKind.FINGER_FAILED, n, payload={"score": 12})
            self.note(JournalKind.FINGER_VERIFIED, n, payload={"score": 143})

    def override(self, n: int, *, finger: bool) -> None:
        """By a proctor's eyes, with the picture they looked at, and another's approval."""
        self.note(JournalKind.VERIFICATION_BEGUN, n, payload={"person": "1002 周静"})
        jpeg = f"picture of {n}, {finger}".encode()
        sha256 = self.store.keep_capture(self.session_id, self.who(n), jpeg, "by_hand")
        decision = {"why": "appearance", "note": "", "person": "1002 周静",
                    "approved_by": "1001 李敏"}  # fmt: skip
        face = decision | {"evidence_sha256": sha256}
        self.note(JournalKind.IDENTITY_OVERRIDDEN, n, payload=face)
        if finger:
            self.note(JournalKind.FINGER_OVERRIDDEN, n, payload=decision | {"why": "worn"})
        else:
            self.note(JournalKind.FINGER_VERIFIED, n, payload={"score": 143})

    def sign(self, n: int) -> None:
        self.strokes += 1
        text = f"strokes {self.strokes} of {n}".encode()
        self.store.save_signature(self.session_id, self.who(n), text, "0" * 64)

    def pass_gate(
        self, n: int, outcome: Reason, pulse: str = SENT, authority: str = "verified"
    ) -> str:
        """With what was verified and signed before. Returns the terminal."""
        admission = self.store.admit(self.session_id, self.who(n), authority)
        self.store.gate_pulse(admission.intent_id, pulse)
        if pulse == UNKNOWN:
            self.store.gate_pulse_seen(admission.intent_id, outcome is Reason.ADMITTED)
        self.store.gate_outcome(admission.intent_id, outcome)
        return admission.terminal

    def come(self, n: int, outcome: Reason, pulse: str = SENT, finger: bool = True) -> str:
        self.verify(n, finger)
        self.sign(n)
        return self.pass_gate(n, outcome, pulse)

    def leave(
        self, n: int, outcome: Reason = Reason.LEFT, authority: str = "verified"
    ) -> None:
        """Out by the gate; the face was shown before, or nobody asked for one."""
        departure = self.store.depart(self.session_id, self.who(n), authority)
        self.store.gate_pulse(departure.intent_id, SENT)
        self.store.gate_outcome(departure.intent_id, outcome)

    def back(self, n: int, outcome: Reason = Reason.ADMITTED) -> None:
        self.verify(n)
        self.pass_gate(n, outcome)

    def void(self, terminal: str, why: VoidReason, **more: str) -> None:
        self.store.void_seat(self.session_id, terminal, why, "李老师", **more)

    def restart(self, finger: bool) -> None:
        self.note(JournalKind.LANE_STOPPED)
        self.note(
            JournalKind.LANE_STARTED,
            payload={"version": "1", "policy": POLICY | {"finger": finger}},
        )

    def receipt(self, n: int) -> str:
        return self.store.receipt(self.session_id, self.who(n).candidate_id)


def play_before(day: Day) -> None:
    """A short session of an hour before, and a head that somebody kept of it."""
    day.note(JournalKind.LANE_STARTED, payload={"version": "1", "policy": POLICY})
    day.create("科目一-0800", 2)
    day.store.open_session(day.session_id, "李老师", POLICY)
    day.come(0, Reason.ADMITTED)
    day.store.close_session(day.session_id, "李老师")


def play(day: Day) -> Iterator[str]:
    """The session itself. Gives receipts."""
    store = day.store
    store.open_session(SESSION, "李老师", POLICY)
    day.come(0, Reason.ADMITTED)
    yield day.receipt(0)
    broken = day.come(1, Reason.GATE_TIMEOUT)
    day.note(JournalKind.HELP, 1)
    day.void(broken, VoidReason.TERMINAL_BROKEN)
    day.come(1, Reason.GATE_TURNED_BACK)
    day.verify(1)
    day.pass_gate(1, Reason.ADMITTED)
    yield day.receipt(1)
    store.set_terminal(SESSION, "08", None, "空出", "李老师", reserved=False)
    day.come(2, Reason.GATE_TAILGATED)
    day.note(JournalKind.GATE_EVENT, payload={"event": "tailgate"})
    store.sign_head()
    day.come(4, Reason.GATE_BLOCKED, UNKNOWN)
    day.verify(4)
    seat = day.pass_gate(4, Reason.ADMITTED, UNKNOWN)
    day.void(seat, VoidReason.SECOND_ATTEMPT)
    store.set_terminal(SESSION, seat, None, "试试", "李老师", classes=("C1", "D"))
    day.come(4, Reason.ADMITTED)
    day.note(JournalKind.DEVICE_FAULT, payload={"device": "camera", "code": "GONE", "detail": ""})
    day.restart(finger=False)
    day.come(5, Reason.GATE_UNKNOWN, NOT_SENT, finger=False)
    day.verify(5, finger=False)
    yield day.receipt(5)
    day.pass_gate(5, Reason.ADMITTED)
    day.restart(finger=True)
    store.sign_head()
    for result in ({"result": "asked"}, {"result": "sent", "end": "passed"}):
        tried = {"device": "turnstile", "action": "pulse", "person": "1003 王工",
                 "approved_by": "1001 李敏"}  # fmt: skip
        store.journal(JournalKind.DEVICE_TRIED, session_id=SESSION, payload=tried | result)
    store.set_terminal(SESSION, "06", True, "已修好", "王主任")
    seat = day.come(6, Reason.GATE_TIMEOUT)
    day.note(JournalKind.REFUSED, 6)
    day.void(seat, VoidReason.PROCTOR_DECISION, note="屏幕反光", approved_by="王主任")
    day.come(6, Reason.GATE_UNSEEN)
    day.come(3, Reason.GATE_TIMEOUT)
    go_out_and_back(day)
    day.note(JournalKind.DEVICE_RECOVERED, payload={"device": "camera"})
    day.come(7, Reason.ADMITTED)
    yield day.receipt(7)
    day.come(8, Reason.GATE_TIMEOUT)
    day.override(8, finger=True)
    day.pass_gate(8, Reason.GATE_TURNED_BACK, authority="override")
    day.override(8, finger=False)
    day.pass_gate(8, Reason.GATE_TIMEOUT, authority="override")
    camera = {"factor": "face", "code": "no_frames", "person": "1001 李敏"}
    store.journal(JournalKind.FACTOR_WAIVED, session_id=SESSION, payload=camera)
    decision = {"why": "camera", "note": "", "person": "1002 周静", "approved_by": "1001 李敏",
                "evidence_sha256": None}  # fmt: skip
    day.note(JournalKind.IDENTITY_OVERRIDDEN, 8, payload=decision)
    day.note(JournalKind.FINGER_VERIFIED, 8, payload={"score": 143})
    store.journal(JournalKind.FACTOR_RESTORED, session_id=SESSION, payload={"factor": "face"})
    day.pass_gate(8, Reason.GATE_TIMEOUT, authority="override")
    waived = {"factor": "finger", "code": "unplugged", "person": "1001 李敏"}
    store.journal(JournalKind.FACTOR_WAIVED, session_id=SESSION, payload=waived)
    day.verify(8, finger=False)
    store.journal(
        JournalKind.FACTOR_RESTORED, session_id=SESSION, payload={"factor": "finger"}
    )
    day.pass_gate(8, Reason.GATE_TIMEOUT)
    store.close_session(SESSION, "李老师")
    day.verify(5, finger=False)
    day.leave(5, Reason.GATE_TIMEOUT)
    day.verify(5, finger=False)
    day.leave(5)
    store.sign_head()


def go_out_and_back(day: Day) -> None:
    """To the toilet and back, out for good, and back to the seats after the gate stood open."""
    store = day.store
    day.verify(0, finger=False)
    day.leave(0, Reason.GATE_TURNED_BACK)
    day.verify(0, finger=False)
    day.leave(0)
    day.note(JournalKind.REFUSED, 0)
    seat = store.lookup(SESSION, row(0).identity_number).terminal or ""
    store.let_back(SESSION, seat, ReturnReason.TOILET, "1002 周静")
    day.back(0, Reason.GATE_TIMEOUT)
    day.back(0)
    day.verify(2, finger=False)
    day.leave(2, Reason.GATE_TAILGATED)
    store.journal(
        JournalKind.GATE_EVENT, Reason.FIRE, session_id=SESSION, payload={"event": "fire_on"}
    )
    store.end_release("fire", "1001 李敏")
    day.back(1, Reason.GATE_TURNED_BACK)
    day.back(1, Reason.GATE_UNSEEN)
    seat = store.lookup(SESSION, row(2).identity_number).terminal or ""
    words = {"note": "成绩单", "approved_by": "1001 李敏"}
    store.let_back(SESSION, seat, ReturnReason.OTHER, "1002 周静", **words)


def proof_file(store: Store, old: str, size: int | None = None) -> str:
    """As `examgate journal prove` writes it."""
    proof = store.consistency_proof(int(old.split("\n")[1]), size)
    return json.dumps(
        {
            "format": "examgate-consistency/1",
            "old": old,
            "new": proof.head.note,
            "proof": [node.hex() for node in proof.path],
        }
    )


def make(folder: Path) -> Made:
    """Plays the day in `folder`, which has to be empty. Each time with the same draws."""
    chance = random.Random(4)
    with patch("secrets.token_bytes", chance.randbytes):
        return _make(folder)


def _make(folder: Path) -> Made:
    day = Day(folder)
    store = day.store
    try:
        play_before(day)
        older = store.newest_checkpoint()
        day.create(SESSION, 9)
        earlier = store.sign_head()
        receipts = tuple(play(day))
        last = store.newest_checkpoint()
        day.note(JournalKind.LANE_STOPPED)
        later = store.sign_head()
        assert older and earlier and last and later
        record = "".join(line + "\n" for line in store.record(SESSION)).encode()
        first = json.loads(record.split(b"\n", 1)[0])["first"]
        return Made(
            record,
            store.vkey,
            day.signing_key,
            tuple(store._journal.leaves(first - 1)),
            older.note,
            earlier.note,
            tuple(head.note for head in store.checkpoints(first, last.size)),
            later.note,
            proof_file(store, older.note, last.size),
            proof_file(store, last.note, later.size),
            receipts,
        )
    finally:
        store.close()
