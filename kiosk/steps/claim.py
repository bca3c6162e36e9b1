"""The claim: a card that was laid on, or a number that was typed or scanned, becomes an event.

Looks up and hands on; what a claim leads to is the flow's. Numbers are never logged.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from drivers.contracts import CardKind, IdCard
from kiosk.core import events as ev
from kiosk.core import flow
from kiosk.core.codes import CardNote, Reason, State
from kiosk.core.leaving import leaves, says_so
from kiosk.core.number import Number, NumberKind, NumberProblem, read
from kiosk.core.types import Lookup, Standing
from kiosk.samename import Likeness, likeness
from kiosk.store.errors import StoreError

if TYPE_CHECKING:
    from kiosk.session import LaneSession

_Who = TypeVar("_Who")
_NOBODY = Lookup(Standing.UNKNOWN)
#: Somebody is at the lane: the next one's card waits.
_BUSY = (State.FACE, State.FINGER, State.SIGN, State.DRAWING, State.GATE)
_NAME_PROBLEMS = {
    Likeness.SIMILAR: Reason.CARD_NAME_SIMILAR,
    Likeness.DIFFERENT: Reason.CARD_NAME_DIFFERS,
}
_NAME_NOTES = {
    Likeness.WRITTEN: CardNote.NAME_WRITTEN,
    Likeness.VARIANT: CardNote.NAME_VARIANT,
}


def name_likeness(card: IdCard, name: str) -> Likeness:
    """How alike the card's name and the roster's are; of a foreigner's two names the nearer."""
    found = [likeness(n, name) for n in (card.name, card.other_name) if n]
    return min(found, key=list(Likeness).index, default=Likeness.DIFFERENT)


class ClaimStep:
    """One a lane; keeps nothing."""

    def __init__(self, lane: LaneSession) -> None:
        self._lane = lane
        self._scanned: tuple[int, NumberProblem] | None = None  #: of which visit

    # --- cards ----------------------------------------------------------------------------------

    def on_card(self, card: IdCard, *, waited: bool = False) -> bool:
        """A card was read: look it up and claim. Returns False when it is not this card's turn
        yet: it may be offered again, as long as it lies there.

        `waited`: it was not laid on just now; then the one before may read their screen first.
        """
        lane = self._lane
        state = lane.lane.state
        if state is State.VERIFY:
            lane.verify.saw_card(card)
            return True
        if state in _BUSY:
            return self._is_own(card)
        if (state, ev.CardClaimed) not in flow.TABLE:
            return state is not State.OUT_OF_ORDER
        if waited and state in (State.REFUSED, State.WELCOME):
            return self._is_own(card)
        try:
            lookup = self.of_number(Number(NumberKind.IDENTITY, card.number))
        except StoreError as error:
            lane.evidence_failed(error)
            return True
        going = leaves(lane.lane, lookup)
        if not going and lane.session is None:
            return True  # nobody new while no session is open
        problem: Reason | None = None
        notes: tuple[CardNote, ...] = ()
        if not going:  # a card that has expired meanwhile keeps nobody in
            problem, notes = self._about(card, lookup)
            problem = problem or lane.window_problem(lookup)
        lane.offer(ev.CardClaimed(lookup, problem, notes))
        if lane.verify.awaited:
            lane.verify.saw_card(card)  # the proctor who is called compares it
        return True

    def _is_own(self, card: IdCard) -> bool:
        """Of whoever is at the lane: laid on a second time, it claims nothing for later."""
        visit = self._lane.lane.visit
        here = visit.candidate or (visit.typed.candidate if visit.typed else None)
        return here is not None and here.identity_number == card.number

    def _about(self, card: IdCard, lookup: Lookup) -> tuple[Reason | None, tuple[CardNote, ...]]:
        """What is wrong with the card, and what is let pass."""
        problem: Reason | None = None
        notes: list[CardNote] = []
        if card.kind is not CardKind.RESIDENT:
            notes.append(CardNote(card.kind.value))
        if card.valid_to.isdigit() and card.valid_to < self._lane.today().strftime("%Y%m%d"):
            if self._lane.lane.rules.expired_card:
                notes.append(CardNote.EXPIRED)
            else:
                problem = Reason.CARD_EXPIRED
        if lookup.candidate is not None:
            how = name_likeness(card, lookup.candidate.name)
            problem = problem or _NAME_PROBLEMS.get(how)
            if how in _NAME_NOTES:
                notes.append(_NAME_NOTES[how])
        return problem, tuple(notes)

    # --- who it is --------------------------------------------------------------------------------

    def of_number(self, number: Number) -> Lookup:
        """How whoever has this number stands. Raises `StoreError`."""
        store = self._lane.store
        if number.kind is NumberKind.IDENTITY:
            return self._lookup(number.value, store.lookup_leaving, store.lookup)
        return self._lookup(number.value, store.lookup_leaving_admission, store.lookup_admission)

    def of_candidate(self, candidate_id: int) -> Lookup:
        """The same by the roster's entry that a face is near to."""
        store = self._lane.store
        return self._lookup(candidate_id, store.lookup_leaving_id, store.lookup_id)

    def _lookup(
        self, who: _Who, leaving: Callable[[_Who], Lookup | None],
        booked: Callable[[str, _Who], Lookup],
    ) -> Lookup:  # fmt: skip
        """In the open session; at a gate that lets people out also who is inside by whatever
        session of these hours, unless the open one lets them come in again."""
        lane = self._lane
        here = _NOBODY if lane.session is None else booked(lane.session.session_id, who)
        if lane.lane.rules.exit is None or (here.may_return and not says_so(lane.lane)):
            return here
        return leaving(who) or here

    # --- numbers --------------------------------------------------------------------------------

    @property
    def awaits_number(self) -> bool:
        """Whether a number may be typed or scanned now."""
        lane = self._lane.lane
        someone = self._lane.session is not None or lane.visit.leaving
        return lane.rules.may_type and lane.state is State.CLAIM and someone

    def may_ask(self) -> bool:
        """Whether a card lane lets somebody type instead of laying a card on."""
        return self._lane.lane.asks_numbers and self._lane.lane.state is State.IDLE

    def on_scan(self, text: str) -> None:
        """A slip's code: a number like one that is typed, no more to be trusted, and only where
        and when one may be. Whatever else is held before the scanner is nobody's claim."""
        lane = self._lane
        try:
            if self.may_ask():
                lane.offer(ev.NumberAsked())
            if not self.awaits_number:
                return
            visit, problem = lane.lane.visit.number, self.on_number(text)
        except StoreError as error:
            lane.evidence_failed(error)
            return
        self._scanned = None if problem is None else (visit, problem)
        lane.show_again()

    @property
    def scan_problem(self) -> str | None:
        """What is wrong with the code that whoever is at the lane has just had scanned."""
        visit, problem = self._scanned or (0, None)
        here = self.awaits_number and visit == self._lane.lane.visit.number
        return problem.value if here and problem is not None else None

    def on_number(self, text: str) -> NumberProblem | None:
        """Claim by what was typed; the answer is what is wrong with it as a number.

        Whether anybody has that number is not answered here, nor by how the screen goes on: the
        face is looked at in any case, and a number of nobody ends like one of somebody else
        (`kiosk.core.flow`). So the screen cannot be used to find out who is booked.
        Only while `awaits_number`. Raises `StoreError`.
        """
        assert self.awaits_number
        self._scanned = None
        number = read(text, self._lane.store.admission_lengths(self._lane.session_id))
        if not isinstance(number, Number):
            return number
        self._lane.post(ev.NumberClaimed(self.of_number(number)))
        return None
