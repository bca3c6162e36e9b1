"""The lane as the flow sees it: its rules, its state, and the person now at the gate.

Pure data; what happens to it is in flow.py.
"""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.core.codes import ExitCheck, Factor, Reason, State, Step
from kiosk.core.types import Candidate, Lookup


@dataclass(frozen=True, slots=True)
class Rules:
    """What the lane's configuration decides about the way."""

    claim_by_card: bool = True
    has_card_reader: bool = True
    finger: bool = True
    finger_attempts: int = 3
    may_type: bool = True  #: when the face was not sure, a number may take the card's place
    may_type_at_once: bool = False  #: in card lanes too, by whoever's card cannot be read
    numbers: int = 3  #: that may be tried by one person
    exit: ExitCheck | None = None  #: what is asked of who leaves; None: this gate lets nobody out
    expired_card: bool = False  #: an expired card claims all the same, and that is journalled


@dataclass(frozen=True, slots=True)
class Visit:
    """Everything about the person now at the gate; dropped as a whole when they are done."""

    number: int = 0
    candidate: Candidate | None = None
    typed: Lookup | None = None  #: what a number led to; nobody is told before the face fits
    numbers_left: int = 0
    number_failed: bool = False  #: the last number and the face did not fit
    leaving: bool = False  #: they go out, or have said that they want to
    seated: bool = False  #: has a seat from an earlier try
    signed: bool = False
    overridden: bool = False  #: a person's word stands for the face or the finger
    attempts_left: int = 0
    finger_retry: str | None = None
    terminal: str | None = None
    draw_no: int | None = None
    kept_seat: bool = False
    intent_id: int | None = None
    reason: Reason | None = None
    done: frozenset[Step] = frozenset()
    lookup: Lookup | None = None

    @property
    def who(self) -> Candidate:
        assert self.candidate is not None, "no candidate in this state"
        return self.candidate


@dataclass(frozen=True, slots=True)
class Lane:
    state: State = State.CLOSED
    session_open: bool = False
    without: frozenset[Factor] = frozenset()  #: a chief lets it go on while these are missing
    paused: bool = False  #: nobody new begins; who is on their way finishes
    failed: Reason | None = None
    visit: Visit = Visit()
    rules: Rules = Rules()

    @property
    def asks_finger(self) -> bool:
        return self.rules.finger and Factor.FINGER not in self.without

    @property
    def by_eye(self) -> bool:
        """Without its camera: a proctor looks at everybody."""
        return Factor.FACE in self.without

    @property
    def takes_cards(self) -> bool:
        return self.rules.has_card_reader and Factor.CARD not in self.without

    @property
    def asks_numbers(self) -> bool:
        """Whether who waits may ask to type a number instead of laying a card on. Not without the
        camera: nothing would stand behind a number."""
        rules = self.rules
        wanted = rules.may_type_at_once or Factor.CARD in self.without
        return rules.claim_by_card and rules.may_type and wanted and not self.by_eye
