"""Out by the gate and back, in any order, with releases and crashes: nobody is let in twice without
a release or a proctor's word between, and both verifiers take the record for honest."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from kiosk.audit.record import parse_record
from kiosk.audit.run import audit
from kiosk.clock import SystemClock
from kiosk.core.codes import JournalKind, Reason, ReturnReason
from kiosk.core.types import Standing
from kiosk.store import Store
from kiosk.store.errors import AlreadyInside, AlreadyLeft, AtTheGate, NotInside, StoreRefused
from kiosk.store.vault import make_key_file
from tests.store.conftest import candidate_of, row
from tools import verify_record as tool

PEOPLE = 3
POLICY = {"claim": "id_card", "finger": False, "liveness": True, "exit": "face"}
people = st.integers(0, PEOPLE - 1)


class Gate(RuleBasedStateMachine):
    @initialize()
    def begin(self):
        self.folder = Path(tempfile.mkdtemp())
        make_key_file(self.folder / "lane.key")
        self.store = self.opened()
        names = [f"{n}" for n in range(PEOPLE + 1)]
        self.store.create_session("S1", "x", datetime.now(UTC), names, person="t")
        self.store.apply_roster([row(n) for n in range(PEOPLE)], "test", "t")
        self.store.open_session("S1", "t", POLICY)
        self.where = dict.fromkeys(range(PEOPLE), "never")
        self.may_return: set[int] = set()
        self.at_gate: dict[int, tuple[int, bool]] = {}  #: person: intent, outwards
        self.pulses = 0

    def opened(self):
        return Store.open(self.folder / "data", self.folder / "lane.key", SystemClock())

    def shown(self, n):
        who = candidate_of(self.store, n)
        about = {"session_id": "S1", "pseudonym": who.pseudonym}
        self.store.journal(JournalKind.IDENTITY_VERIFIED, **about, payload={"distance": 0.3})
        return who

    @rule(n=people)
    def come(self, n):
        who = self.shown(n)
        if self.where[n] == "never":
            self.store.save_signature("S1", who, f"{n}".encode(), "0" * 64)
        elif n in self.at_gate:
            with pytest.raises((AtTheGate, AlreadyInside, AlreadyLeft)):
                self.store.admit("S1", who)
            return
        elif n not in self.may_return:
            with pytest.raises(AlreadyLeft if self.where[n] == "left" else AlreadyInside):
                self.store.admit("S1", who)
            return
        if n not in self.at_gate:
            self.at_gate[n] = (self.store.admit("S1", who).intent_id, False)

    @rule(n=people)
    def want_out(self, n):
        who = self.shown(n)
        if n in self.at_gate:
            with pytest.raises((AtTheGate, NotInside)):
                self.store.depart("S1", who)
        elif self.where[n] != "inside":
            with pytest.raises(NotInside):
                self.store.depart("S1", who)
        else:
            self.at_gate[n] = (self.store.depart("S1", who).intent_id, True)

    @rule(n=people, passes=st.booleans())
    def end(self, n, passes):
        if n not in self.at_gate:
            return
        intent, out = self.at_gate.pop(n)
        self.store.gate_pulse(intent, "sent")
        self.pulses += 1
        if passes:
            self.where[n] = "left" if out else "inside"
            self.may_return.discard(n)
        passed = Reason.LEFT if out else Reason.ADMITTED
        self.store.gate_outcome(intent, passed if passes else Reason.GATE_TIMEOUT)

    @rule(n=people)
    def let_back(self, n):
        terminal = self.store.lookup("S1", row(n).identity_number).terminal
        try:
            self.store.let_back("S1", terminal or "?", ReturnReason.TOILET, "1002 周静")
        except StoreRefused:
            assert self.where[n] != "left"
        else:
            assert self.where[n] == "left"
            self.may_return.add(n)

    @rule(drill=st.booleans())
    def release(self, drill):
        event = "drill_on" if drill else "fire_on"
        self.store.journal(JournalKind.GATE_EVENT, session_id="S1", payload={"event": event})
        self.store.end_release("drill" if drill else "fire", "1001 李敏")
        self.may_return |= {n for n, where in self.where.items() if where == "inside"}

    @precondition(lambda self: self.at_gate)
    @rule()
    def crash(self):
        """Intents without an end are owned up to, as the daemon does."""
        self.store._lock.close()
        self.store = self.opened()
        for intent in self.store.open_intents():
            self.store.gate_outcome(intent.intent_id, Reason.GATE_UNKNOWN)
        self.at_gate = {}

    @invariant()
    def stands(self):
        if not hasattr(self, "store"):
            return
        counts = self.store.counts("S1")
        assert counts.out == sum(where == "left" for where in self.where.values())
        assert counts.inside - counts.out == sum(w == "inside" for w in self.where.values())
        for n, where in self.where.items():
            found = self.store.lookup("S1", row(n).identity_number)
            expected = {"left": Standing.LEFT, "inside": Standing.INSIDE}.get(where)
            assert expected in (None, found.standing)
            assert found.may_return is (n in self.may_return)
            leaving = self.store.lookup_leaving(row(n).identity_number)
            assert (leaving is not None) is (where == "inside")

    def teardown(self):
        if not hasattr(self, "store"):
            return
        for n in list(self.at_gate):
            self.end(n, True)
        self.store.close_session("S1", "t")
        record = "".join(line + "\n" for line in self.store.record("S1"))
        found = audit(parse_record(record), self.store.vkey).findings
        alone = tool.verify(
            record.encode(), tool.read_key(self.store.vkey), tool.Kept([], [], [])
        ).findings
        kinds = [e.kind for e in self.store.entries(0, 10_000)]
        self.store.close()
        assert (found, alone) == ((), [])
        assert kinds.count("gate_pulse") == self.pulses <= kinds.count("gate_intent")


TestGate = Gate.TestCase
TestGate.settings = settings(
    max_examples=20,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)

