"""A whole session in any order: draws by every rule, changed terminals, voided seats, crashes.

After each step the record alone must lead to the seats that the store has.
"""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from kiosk.clock import SystemClock
from kiosk.core.codes import Reason, VoidReason
from kiosk.core.hall import Terminal
from kiosk.core.types import Standing
from kiosk.store import Store
from kiosk.store.errors import NoSignature, NotVoidable, StoreRefused
from kiosk.store.vault import make_key_file
from tests.store.conftest import candidate_of, row
from tests.store.replay import Replay

PEOPLE = 7
TERMINALS = tuple(
    Terminal(f"{n}", n, n // 3 + 1, n % 3 + 1, accessible=n in (2, 5),
             classes=(("C1", "C2"), ("D",), ())[n % 3])
    for n in range(6)
)  # fmt: skip
ENDS = [Reason.ADMITTED, Reason.GATE_TIMEOUT, Reason.GATE_TAILGATED, Reason.GATE_UNKNOWN]
names = st.sampled_from([t.name for t in TERMINALS])
people = st.integers(0, PEOPLE - 1)


class Hall(RuleBasedStateMachine):
    @initialize(capacity=st.integers(2, 6), spacing=st.booleans(), data=st.data())
    def begin(self, capacity, spacing, data):
        self.folder = Path(tempfile.mkdtemp())
        make_key_file(self.folder / "lane.key")
        self.store = self.opened()
        now = datetime.now(UTC)
        self.store.create_session("S1", "x", now, TERMINALS, capacity=capacity, spacing=spacing)
        rows = [
            row(
                n,
                licence_class=data.draw(st.sampled_from(["C1", "D", "M"])),
                accessible=data.draw(st.integers(0, 3)) == 0,
                driving_school=data.draw(st.sampled_from(["", "东方", "西方"])),
            )
            for n in range(PEOPLE)
        ]
        self.store.apply_roster(rows, "test", "t")
        self.store.open_session("S1", "t")
        self.signatures = 0

    def opened(self):
        return Store.open(self.folder / "data", self.folder / "lane.key", SystemClock())

    @rule(n=people, outcome=st.sampled_from(ENDS))
    def sign_and_come(self, n, outcome):
        who = candidate_of(self.store, n)
        self.signatures += 1
        self.store.save_signature("S1", who, f"{self.signatures}".encode(), "0" * 64)
        self.come(n)
        for intent in self.store.open_intents():
            self.store.gate_outcome(intent.intent_id, outcome)

    @rule(n=people)
    def come(self, n):
        """With whatever was signed before: after a voided seat that is not enough."""
        before = self.store.lookup("S1", row(n).identity_number)
        try:
            admission = self.store.admit("S1", before.candidate)
        except StoreRefused as refused:
            assert refused.reason is not None
            return
        assert admission.drawn_now == (before.standing is Standing.BOOKED)
        if before.terminal is not None:
            assert admission.terminal == before.terminal, "a seat is kept"

    @rule(which=st.integers(0, 20), outcome=st.sampled_from(ENDS))
    def end_passage(self, which, outcome):
        intents = self.store.open_intents()
        if intents:
            self.store.gate_outcome(intents[which % len(intents)].intent_id, outcome)

    @rule(which=st.integers(0, 5), why=st.sampled_from(VoidReason))
    def void_one_that_is_held(self, which, why):
        held = sorted(self.store.held_seats("S1"))
        if held:
            self.void(held[which % len(held)], why, "chief")

    @rule(name=names, why=st.sampled_from(VoidReason), second=st.sampled_from(["t", "chief", ""]))
    def void(self, name, why, second):
        held = self.store.held_seats("S1")
        before = self.store.tree_head()
        at_gate = {i.terminal for i in self.store.open_intents()}
        try:
            voided = self.store.void_seat("S1", name, why, "t", note="because", approved_by=second)
        except NotVoidable as refused:
            assert self.store.tree_head() == before, "a refusal changes nothing"
            if refused.code == "seat_not_held":
                assert name not in held
            return
        assert name in held and name not in at_gate
        assert name not in self.store.held_seats("S1")
        who = self.store.lookup_id("S1", voided.candidate_id).candidate
        with pytest.raises(NoSignature):
            self.store.admit("S1", who)

    @rule(
        name=names, on=st.integers(0, 3).map(bool), what=st.sampled_from(["in_service", "reserved"])
    )
    def change(self, name, on, what):
        if what == "in_service":
            self.store.set_terminal("S1", name, on, "test", "t")
        else:
            self.store.set_terminal("S1", name, None, "test", "t", reserved=not on)

    @rule(name=names, accessible=st.booleans(), classes=st.sampled_from([(), ("C1",), ("D", "M")]))
    def refit(self, name, accessible, classes):
        self.store.set_terminal("S1", name, None, "x", "t", accessible=accessible, classes=classes)

    @rule()
    def crash(self):
        """Without closing: the file is what another process would find."""
        self.store._lock.close()
        self.store = self.opened()

    @invariant()
    def the_record_alone_leads_to_the_seats(self):
        if not hasattr(self, "store"):
            return
        replay = Replay(self.store.entries(0, 10_000), self.store._seed("S1"))
        held = self.store.held_seats("S1")
        assert {
            name: (draw["draw_no"], inside) for name, (_, draw, inside) in replay.held.items()
        } == {name: (seat.draw_no, seat.inside) for name, seat in held.items()}
        by_pseudonym = {candidate_of(self.store, n).pseudonym: n for n in range(PEOPLE)}
        for who, terminal in replay.seats.items():
            assert (
                self.store.lookup("S1", row(by_pseudonym[who]).identity_number).terminal == terminal
            )
        counts = self.store.counts("S1")
        assert counts.seated + counts.inside == len(held) <= replay.rules["capacity"]
        assert self.store.verify() == []

    def teardown(self):
        if hasattr(self, "store"):
            self.store.close()


TestHall = Hall.TestCase
TestHall.settings = settings(
    max_examples=30,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
