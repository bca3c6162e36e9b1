"""The claim: a card that was laid on, or a number that was typed or scanned, becomes an event.

Looks up and hands on; what a claim leads to is the flow's. Numbers are never logged.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from drivers.contracts import IdCard
from kiosk.core import events as ev
from kiosk.core import flow
from kiosk.core.codes import Reason, State
from kiosk.core.leaving import leaves, says_so
from kiosk.core.number import Number, NumberKind, NumberProblem, read
from kiosk.core.types import Lookup, Standing
from kiosk.store.errors import StoreError

if TYPE_CHECKING:
    from kiosk.session import LaneSession

_Who = TypeVar("_Who")
_NOBODY = Lookup(Standing.UNKNOWN)


class ClaimStep:
    """One a lane; keeps nothing."""

    def __init__(self, lane: LaneSession) -> None:
        self._lane = lane

    # --- cards ----------------------------------------------------------------------------------

    def on_card(self, card: IdCard) -> bool:
        """A card was read: look it up and claim. Ignored while somebody else is on their way.

        Returns False when the lane was not ready for anybody: the card may be offered again.
        """
        lane = self._lane
        if lane.lane.state is State.VERIFY:
            lane.verify.saw_card(card)
            return True
        if (lane.lane.state, ev.CardClaimed) not in flow.TABLE:
            return lane.lane.state is not State.OUT_OF_ORDER
        try:
            lookup = self.of_number(Number(NumberKind.IDENTITY, card.number))
        except StoreError as error:
            lane.evidence_failed(error)
            return True
        if not leaves(lane.lane, lookup) and lane.session is None:
            return True  # nobody new while no session is open
        problem = None
        if not leaves(lane.lane, lookup):  # a card that has expired meanwhile keeps nobody in
            problem = self._card_problem(card, lookup) or lane.window_problem(lookup)
        lane.offer(ev.CardClaimed(lookup, problem))
        if lane.verify.awaited:
            lane.verify.saw_card(card)  # the proctor who is called compares it
        return True

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

    def _card_problem(self, card: IdCard, lookup: Lookup) -> Reason | None:
        if card.valid_to.isdigit() and card.valid_to < self._lane.today().strftime("%Y%m%d"):
            return Reason.CARD_EXPIRED
        candidate = lookup.candidate
        if candidate is not None and candidate.name.split() != card.name.split():
            return Reason.CARD_NAME_DIFFERS
        return None

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

    def on_number(self, text: str) -> NumberProblem | None:
        """Claim by what was typed; the answer is what is wrong with it as a number.

        Whether anybody has that number is not answered here, nor by how the screen goes on: the
        face is looked at in any case, and a number of nobody ends like one of somebody else
        (`kiosk.core.flow`). So the screen cannot be used to find out who is booked.
        Only while `awaits_number`. Raises `StoreError`.
        """
        assert self.awaits_number
        number = read(text, self._lane.store.admission_lengths(self._lane.session_id))
        if not isinstance(number, Number):
            return number
        self._lane.post(ev.NumberClaimed(self.of_number(number)))
        return None
