"""Which journal entries a report lists, and under which heading: overrides, refusals, incidents.

Each function looks at one entry and gives an event without names, or None.
"""

from __future__ import annotations

from typing import Any

from kiosk.core.codes import JournalKind as K
from kiosk.core.codes import Reason
from kiosk.report.model import Event
from kiosk.store import Entry

#: What of a payload a sentence may need.
_KEPT = ("draw_no", "note", "approved_by", "was_inside", "same", "in_service", "reserved",
         "accessible", "classes", "problems", "version", "from", "to", "lost",
         "device", "code", "distance", "score")  # fmt: skip
#: Let in, as far as the gate can tell.
PASSED = (Reason.ADMITTED, Reason.LEFT, Reason.GATE_TAILGATED, Reason.GATE_UNSEEN)
_BY_PEOPLE = ("fire_release_ended", "emergency_release", "drill_on", "drill_ended")
_TRIES_ENDED = (K.REFUSED, K.CLAIM_FAILED)


def _event(e: Entry, what: str, **more: Any) -> Event:
    args = {k: e.payload[k] for k in _KEPT if k in e.payload}
    person = e.payload.get("person") or e.payload.get("by") or e.payload.get("done_by")
    return Event(
        seq=e.seq,
        at=e.at.isoformat(),
        what=what,
        reason=e.reason,
        pseudonym=e.pseudonym,
        terminal=e.terminal,
        person=str(person) if person and e.kind != K.CLAIMED else None,
        args=args | more,
    )


def override_of(e: Entry) -> Event | None:
    """What a person decided, or what went another way than the usual one."""
    match e.kind:
        case K.SEAT_VOIDED:
            return _event(e, "seat_voided", why=e.payload.get("why"))
        case K.TERMINAL_CHANGED:
            return _event(e, "terminal_changed", why=e.payload.get("why"))
        case K.CLAIM_TYPED | K.SAME_FACE | K.SAME_FACE_ANSWERED:
            return _event(e, str(e.kind))
        case K.SIGNED if e.payload.get("replaces"):
            return _event(e, "score_again")
        case K.REFUSED if e.reason == Reason.CANCELLED_BY_PROCTOR:
            return _event(e, "cancelled_by_proctor")
        case K.GATE_EVENT if e.payload.get("event") in _BY_PEOPLE:
            return _event(e, str(e.payload["event"]))
        case K.RETURN_ALLOWED:
            return _event(e, "return_allowed", why=e.payload.get("why"))
        case K.SEEN_OUTSIDE:
            return _event(e, "seen_outside" if e.payload.get("seen") else "not_seen_outside")
        case K.IDENTITY_OVERRIDDEN | K.FINGER_OVERRIDDEN | K.IDENTITY_REJECTED:
            return _event(e, str(e.kind), why=e.payload.get("why"))
        case K.SESSION_PAUSED | K.SESSION_RESUMED:
            return _event(e, str(e.kind), why=e.payload.get("why"))
        case K.HELP:
            return _event(e, "help_done" if "done_by" in e.payload else "help_asked")
        case _:
            return None


def refusal_of(e: Entry) -> Event | None:
    """A try that ended without a passage: turned away, or let in and not through."""
    if e.kind in _TRIES_ENDED:
        return _event(e, str(e.kind))
    if e.kind == K.GATE_OUTCOME and e.reason not in PASSED:
        return _event(e, "not_passed")
    return None


def incident_of(e: Entry) -> Event | None:
    """What the lane or its gate did that nobody asked for; device faults are listed apart."""
    match e.kind:
        case K.GATE_EVENT if e.payload.get("event") not in _BY_PEOPLE:
            return _event(e, f"gate_{e.payload.get('event')}")
        case K.GATE_OUTCOME if e.reason == Reason.GATE_TAILGATED:
            return _event(e, "gate_tailgated")
        case K.LANE_STARTED | K.LANE_STOPPED | K.CLOCK_STEPPED_BACK | K.JOURNAL_RESTORED:
            return _event(e, str(e.kind))
        case K.ANCHOR_LOST | K.ROSTER_IMPORTED:
            return _event(e, str(e.kind))
        case _:
            return None
