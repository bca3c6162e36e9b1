"""When the lane itself calls a proctor, and when a request has ended by itself.

Knows reasons and the queue in the store; who answers is a person's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiosk.core.codes import JournalKind, Reason
from kiosk.core.types import Candidate
from kiosk.store.help import PASSED

if TYPE_CHECKING:
    from kiosk.session import LaneSession

R = Reason
#: After these the candidate's screen sends them to a proctor.
AT_ONCE = frozenset({
    R.FACE_MISMATCH, R.FACE_NOT_SURE, R.FACE_SEEN_BEFORE, R.FINGER_NO_MATCH, R.FINGER_NOT_COMPARED,
    R.NO_TEMPLATE,
    R.TEMPLATE_FORMAT, R.LIVENESS_FAILED, R.GATE_UNKNOWN, R.GATE_BLOCKED, R.GATE_TAILGATED,
    R.GATE_FORCED, R.NO_ACCESSIBLE_TERMINAL, R.CARD_NAME_DIFFERS, R.CARD_NAME_SIMILAR,
    R.MANUAL_TIMEOUT, R.ALREADY_LEFT, R.NOT_INSIDE,
})  # fmt: skip
#: What may happen to anybody once: the second time in a row somebody should look.
SECOND_TIME = frozenset({
    R.FACE_TIMEOUT, R.LIVENESS_TIMEOUT, R.FINGER_TIMEOUT, R.SIGNATURE_TIMEOUT, R.GATE_TIMEOUT,
    R.GATE_TURNED_BACK,
})  # fmt: skip
#: They are inside, and still somebody has to look.
ALSO_INSIDE = frozenset({R.GATE_TAILGATED.value, R.GATE_UNKNOWN.value, R.GATE_FORCED.value})


class HelpStep:
    """One a lane."""

    def __init__(self, lane: LaneSession) -> None:
        self._lane = lane
        self._failed: dict[int, int] = {}  #: candidate → tries that ended so, in a row
        self.open = 0  #: requests that nobody has answered

    def count(self) -> None:
        self.open = len(self._lane.store.open_help())

    def ask(self, candidate: Candidate | None, reason: Reason) -> int:
        """The request's number. Raises `StoreError`."""
        session_id = self._lane.session_of(candidate)
        help_id = self._lane.store.ask_for_help(session_id, candidate, reason)
        self.count()
        self._lane.tell(JournalKind.HELP.value, reason, candidate=candidate)
        return help_id

    def is_open(self, help_id: int | None) -> bool:
        return any(h.help_id == help_id for h in self._lane.store.open_help())

    def ended(self, candidate: Candidate | None, reason: Reason | None) -> None:
        """A try, or something at the gate, ended so."""
        if reason in AT_ONCE:
            self.ask(candidate, reason)
        elif reason in SECOND_TIME and candidate is not None:
            failed = self._failed.get(candidate.candidate_id, 0) + 1
            self._failed[candidate.candidate_id] = failed
            if failed >= 2:
                self.ask(candidate, reason)

    def passed(self, candidate: Candidate | None) -> None:
        """They are inside, or have left: what they needed help for is over."""
        if candidate is None:
            return
        self._failed.pop(candidate.candidate_id, None)
        for request in self._lane.store.open_help():
            own = request.candidate_id == candidate.candidate_id
            if own and request.reason not in ALSO_INSIDE:
                self._lane.store.end_help(request.help_id, None, PASSED)
        self.count()
