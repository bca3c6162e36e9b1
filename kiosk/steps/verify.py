"""A proctor's own eyes in the face engine's place: what they are shown, and what they decided.

Keeps the picture they looked at as evidence before anything follows from it. Who may decide is
kiosk.staff's, what follows is the flow's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.contracts import IdCard
from kiosk.core import events as ev
from kiosk.core import flow
from kiosk.core.codes import JournalKind, State
from kiosk.core.types import Lookup, Override, Standing
from kiosk.face import events as face
from kiosk.samename import Likeness
from kiosk.steps.claim import name_likeness

if TYPE_CHECKING:
    from kiosk.session import LaneSession


class VerifyStep:
    """One a lane; forgets everything of a person with `forget`."""

    def __init__(self, lane: LaneSession, two_people: bool) -> None:
        self._lane = lane
        self.two_people = two_people  #: a second person approves what is set aside
        self.newest: bytes | None = None  #: JPEG, as the candidate stands there
        self.captured: bytes | None = None  #: the one that is looked at, and kept
        self.card: IdCard | None = None  #: laid on meanwhile
        self._begun = False  #: who looks is in the journal

    @property
    def under_way(self) -> bool:
        """A proctor looks; before they have begun they are only waited for."""
        return self._lane.lane.state is State.VERIFY and self._begun

    @property
    def awaited(self) -> bool:
        return self._lane.lane.state is State.VERIFY and not self._begun

    def may_begin(self, leaving: bool = False) -> bool:
        """Nobody new while paused, closed or out of order; `leaving`: to let somebody out."""
        lane = self._lane.lane
        ready = leaving or (lane.session_open and not lane.paused)
        ready = ready and lane.failed is None and not self.under_way
        return ready and flow.accepts(lane, ev.VerificationBegun(_NOBODY, leaving))

    def is_another(self, lookup: Lookup) -> bool:
        """Whether somebody else is on their way just now."""
        lane = self._lane.lane
        if lane.state in (State.IDLE, State.REFUSED):
            return False
        here = lane.visit.candidate or (lane.visit.typed and lane.visit.typed.candidate)
        return here is not None and here != lookup.candidate

    def begin(self, lookup: Lookup, person: str, leaving: bool = False) -> None:
        """Who looks is journalled before they see anything."""
        assert lookup.candidate is not None
        lane = self._lane
        lane.store.journal(
            JournalKind.VERIFICATION_BEGUN,
            session_id=lookup.session_id or lane.session_id,
            pseudonym=lookup.candidate.pseudonym,
            payload={"person": person},
        )
        lane.post(ev.VerificationBegun(lookup, leaving))
        self._begun = lane.lane.state is State.VERIFY  # after a new visit has forgotten the last
        lane.show_again()
        lane.tell(JournalKind.VERIFICATION_BEGUN.value, None, candidate=lookup.candidate)

    def saw(self, picture: face.Preview) -> None:
        if self.under_way:
            self.newest = picture.jpeg

    def saw_card(self, card: IdCard) -> None:
        self.card = card
        self._lane.show_again()

    def card_fits(self) -> bool | None:
        """Whether the card laid on is the candidate's; None: none was."""
        who = self._lane.lane.visit.candidate
        if self.card is None or who is None:
            return None
        how = name_likeness(self.card, who.name)
        same_name = how not in (Likeness.SIMILAR, Likeness.DIFFERENT)
        return same_name and self.card.number == who.identity_number

    def capture(self) -> bytes | None:
        """Hold the newest picture: this one is looked at, approved and kept."""
        self.captured = self.newest or self.captured
        return self.captured

    def accept(self, decision: Override, finger: Override | None) -> None:
        """It is them. Raises `StoreError`; then nothing was changed."""
        self._lane.post(ev.IdentityOverridden(self._with_evidence(decision), finger))

    def reject(self, decision: Override) -> None:
        self._lane.post(ev.IdentityRejected(self._with_evidence(decision)))

    def _with_evidence(self, d: Override) -> Override:
        lane, who = self._lane, self._lane.lane.visit.who
        session_id = lane.session_of(who)
        if self.captured is None or session_id is None:
            return d
        sha256 = lane.store.keep_capture(session_id, who, self.captured, "by_hand")
        return Override(d.why, d.note, d.person, d.approved_by, sha256)

    def forget(self) -> None:
        self.newest = self.captured = self.card = None
        self._begun = False


_NOBODY = Lookup(Standing.UNKNOWN)  # whoever: only the kind of event is asked about
