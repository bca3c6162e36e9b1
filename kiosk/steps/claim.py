"""The claim: a card that was laid on, or a number that was typed or scanned, becomes an event.

Looks up and hands on; what a claim leads to is the flow's. Numbers are never logged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.contracts import IdCard
from kiosk.core import events as ev
from kiosk.core import flow
from kiosk.core.codes import Reason, State
from kiosk.core.number import Number, NumberKind, NumberProblem, read
from kiosk.core.types import Lookup, Standing
from kiosk.store.errors import StoreError

if TYPE_CHECKING:
    from kiosk.session import LaneSession

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
        if lane.session is None or not flow.accepts(lane.lane, ev.CardClaimed(_NOBODY)):
            return lane.lane.state is not State.OUT_OF_ORDER
        try:
            lookup = lane.store.lookup(lane.session.session_id, card.number)
        except StoreError as error:
            lane.evidence_failed(error)
            return True
        problem = self._card_problem(card, lookup) or lane.window_problem(lookup)
        lane.post(ev.CardClaimed(lookup, problem))
        return True

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
        return lane.rules.may_type and lane.state is State.CLAIM and self._lane.session is not None

    def may_ask(self) -> bool:
        """Whether a card lane lets somebody type instead of laying a card on."""
        rules, state = self._lane.lane.rules, self._lane.lane.state
        return rules.may_type_at_once and rules.claim_by_card and state is State.IDLE

    def on_number(self, text: str) -> NumberProblem | None:
        """Claim by what was typed; the answer is what is wrong with it as a number.

        Whether anybody has that number is not answered here, nor by how the screen goes on: the
        face is looked at in any case, and a number of nobody ends like one of somebody else
        (`kiosk.core.flow`). So the screen cannot be used to find out who is booked.
        Only while `awaits_number`. Raises `StoreError`.
        """
        session = self._lane.session
        assert session is not None and self.awaits_number
        store = self._lane.store
        number = read(text, store.admission_lengths(session.session_id))
        if not isinstance(number, Number):
            return number
        if number.kind is NumberKind.IDENTITY:
            lookup = store.lookup(session.session_id, number.value)
        else:
            lookup = store.lookup_admission(session.session_id, number.value)
        self._lane.post(ev.NumberClaimed(lookup))
        return None
