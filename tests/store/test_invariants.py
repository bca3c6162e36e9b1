"""Anything that can happen to a store, in any order, crashes included: the invariants hold."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from kiosk.clock import SystemClock
from kiosk.core.codes import Reason
from kiosk.store import Store
from kiosk.store.errors import StoreRefused
from kiosk.store.vault import make_key_file
from tests.store.conftest import candidate_of, row

PEOPLE, TERMINALS = 6, 4
OUTCOMES = [Reason.ADMITTED, Reason.GATE_TIMEOUT, Reason.GATE_TAILGATED, Reason.GATE_UNKNOWN]


class Hall(RuleBasedStateMachine):
    @initialize()
    def begin(self):
        self.folder = Path(tempfile.mkdtemp())
        make_key_file(self.folder / "lane.key")
        self.store = self.opened()
        names = [f"{n}" for n in range(TERMINALS)]
        self.store.create_session("S1", "x", datetime.now(UTC), names, person="t")
        self.store.apply_roster([row(n) for n in range(PEOPLE)], "test", "t")
        self.store.open_session("S1", "t")
        self.seats: dict[int, str] = {}
        self.inside: set[int] = set()

    def opened(self):
        return Store.open(self.folder / "data", self.folder / "lane.key", SystemClock())

    @rule(n=st.integers(0, PEOPLE - 1), again=st.integers(0, 2))
    def sign(self, n, again):
        who = candidate_of(self.store, n)
        self.store.save_signature("S1", who, f"{n}/{again}".encode(), "0" * 64)

    @rule(n=st.integers(0, PEOPLE - 1))
    def admit(self, n):
        try:
            admission = self.store.admit("S1", candidate_of(self.store, n))
        except StoreRefused:
            return
        assert n not in self.inside
        assert self.seats.setdefault(n, admission.terminal) == admission.terminal

    @rule(which=st.integers(0, 20), outcome=st.sampled_from(OUTCOMES))
    def end_passage(self, which, outcome):
        intents = self.store.open_intents()
        if not intents:
            return
        intent = intents[which % len(intents)]
        self.store.gate_outcome(intent.intent_id, outcome)
        if outcome in (Reason.ADMITTED, Reason.GATE_TAILGATED):
            by_id = {candidate_of(self.store, n).candidate_id: n for n in range(PEOPLE)}
            self.inside.add(by_id[intent.candidate_id])

    @rule(n=st.integers(0, TERMINALS - 1), on=st.booleans())
    def service(self, n, on):
        self.store.set_terminal("S1", f"{n}", on, "test", "t")

    @rule()
    def import_again(self):
        self.store.apply_roster([row(n, name=f"新{n}") for n in range(PEOPLE)], "again", "t")

    @rule()
    def crash(self):
        """Without closing: the file is what another process would find."""
        self.store._lock.close()
        self.store = self.opened()

    @invariant()
    def holds(self):
        if not hasattr(self, "store"):
            return
        assert len(set(self.seats.values())) == len(self.seats), "one seat for two"
        counts = self.store.counts("S1")
        assert counts.inside == len(self.inside)
        assert counts.seated == len(self.seats) - len(self.inside)
        assert self.store.verify() == []
        entries = self.store.tree_head()[0]
        heads = len(self.store.checkpoints(0, entries))
        assert self.store.outbox_size()[1] == entries + heads

    def teardown(self):
        if hasattr(self, "store"):
            self.store.close()


TestHall = Hall.TestCase
TestHall.settings = settings(
    max_examples=25,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
