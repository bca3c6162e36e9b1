"""What a proctor has to hear of, and which journal entries say so. Pure.

Knows entries and counts; keeps nothing and tells nobody.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from kiosk.core.codes import JournalKind, Reason, WarningCode

TRIES = 3  #: failed ones of one person in a session, after which somebody should go and see


_GATE = {
    Reason.GATE_TAILGATED: WarningCode.TAILGATED,
    Reason.GATE_FORCED: WarningCode.GATE_FORCED,
    Reason.GATE_OPPOSITE: WarningCode.GATE_OPPOSITE,
    Reason.GATE_HELD: WarningCode.GATE_HELD,
    Reason.GATE_SENSOR: WarningCode.GATE_SENSOR,
}
_KINDS = {
    JournalKind.CLOCK_STEPPED_BACK: WarningCode.CLOCK_STEPPED,
    JournalKind.JOURNAL_RESTORED: WarningCode.JOURNAL_RESTORED,
    JournalKind.ANCHOR_LOST: WarningCode.JOURNAL_RESTORED,
}
#: Refusals that say something about the person, not about the time or the hall.
FAILURES = frozenset({
    Reason.FACE_MISMATCH, Reason.FACE_NOT_SURE, Reason.FACE_UNKNOWN, Reason.LIVENESS_FAILED,
    Reason.LIVENESS_TIMEOUT, Reason.FINGER_NO_MATCH, Reason.FINGER_TIMEOUT,
    Reason.CARD_NAME_DIFFERS,
    Reason.CARD_NAME_SIMILAR,
})  # fmt: skip


class Reader:
    """Feed it the journal's entries in their order; it says what each one means."""

    def __init__(self) -> None:
        self._failed: Counter[tuple[str | None, str]] = Counter()

    def read(self, entry: Mapping[str, Any]) -> tuple[WarningCode, dict[str, Any]] | None:
        """`entry`: kind, reason, session_id, pseudonym. With what the words need."""
        kind, reason = str(entry["kind"]), entry.get("reason")
        if kind in (JournalKind.GATE_EVENT, JournalKind.GATE_OUTCOME) and reason in _GATE:
            return _GATE[Reason(reason)], {}
        if kind == JournalKind.REFUSED and reason == Reason.NOT_INSIDE:
            return WarningCode.NOT_INSIDE, {}
        if kind in _KINDS:
            return _KINDS[JournalKind(kind)], {}
        pseudonym = entry.get("pseudonym")
        if not pseudonym:
            return None
        who = (entry.get("session_id"), str(pseudonym))
        if kind == JournalKind.ADMITTED:
            del self._failed[who]
        if kind == JournalKind.REFUSED and reason in FAILURES:
            self._failed[who] += 1
            if self._failed[who] % TRIES == 0:
                args = {"tries": self._failed[who], "last": str(reason)}
                return WarningCode.REPEATED_FAILURES, args
        return None
