"""What the screens are told: the `state` notification of docs/wire.md, built from the lane.

Read-only; holds no state and decides nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kiosk.core.codes import State, Step
from kiosk.core.events import LeavingAsked
from kiosk.core.flow import Lane, accepts
from kiosk.core.types import Candidate, Session
from kiosk.store import Counts

_NOW = {
    State.CLAIM: Step.FACE,
    State.FACE: Step.FACE,
    State.VERIFY: Step.FACE,
    State.FINGER: Step.FINGER,
    State.SIGN: Step.SIGN,
    State.DRAWING: Step.SEAT,
    State.GATE: Step.SEAT,
}
_ORDER = list(Step)


def steps_of(lane: Lane) -> dict[str, str]:
    """Each step as todo, now, done, failed or skipped."""
    visit = lane.visit
    now = _NOW.get(lane.state)
    if lane.state is State.REFUSED and visit.candidate is not None:
        failed = next((s for s in _ORDER if s not in visit.done), None)
    else:
        failed = None
    skipped = set() if lane.asks_finger else {Step.FINGER}
    if visit.leaving:  # one thing is asked of them, and they have a seat
        asked = Step.FINGER if lane.state is State.FINGER else Step.FACE
        skipped = set(Step) - {asked}
    result = {}
    for step in _ORDER:
        if step in visit.done:
            result[step.value] = "done"
        elif step in skipped:
            result[step.value] = "skipped"
        elif step is now:
            result[step.value] = "now"
        elif step is failed:
            result[step.value] = "failed"
        else:
            result[step.value] = "todo"
    return result


def candidate_of(candidate: Candidate | None) -> dict[str, str] | None:
    """Enough for its owner to recognise, too little for anybody else."""
    if candidate is None:
        return None
    return {
        "name": candidate.masked_name,
        "admission_no": "…" + candidate.admission_no[-4:],
        "licence_class": candidate.licence_class,
    }


def session_of(session: Session, counts: Counts) -> dict[str, Any]:
    """The session object of docs/wire.md."""
    return {
        "session_id": session.session_id,
        "subject": session.subject,
        "starts_at": session.starts_at.isoformat(),
        "checkin_from": session.checkin_from.isoformat(),
        "checkin_until": session.checkin_until.isoformat(),
        "state": session.state.value,
        "terminals": list(session.terminals),
        "out_of_service": sorted(session.out_of_service),
        "capacity": session.capacity,
        "booked": counts.booked,
        "seated": counts.seated,
        "inside": counts.inside,
        "late": counts.late,
        "left": counts.left,
        "free_terminals": counts.free_terminals,
        "commitment": session.commitment,
        "paused": session.paused
        and {
            "since": session.paused.since.isoformat(),
            "why": session.paused.why,
            "note": session.paused.note,
            "person": session.paused.person,
        },
        "hall_sha256": session.hall_sha256,
    }


def hall_of(session: Session, entrance: str) -> dict[str, Any] | None:
    """Where the terminals stand, for a map; None where rows and columns are not known."""
    seats = [[t.name, t.row, t.column] for t in session.hall if t.row is not None]
    return {"seats": seats, "entrance": entrance} if seats else None


def may_type(lane: Lane) -> bool:
    """Whether the screen offers a number instead of a card: now, or at the touch of a button."""
    if lane.state is State.IDLE:
        return lane.asks_numbers
    return lane.rules.may_type and lane.state is State.CLAIM


def claim_mode(lane: Lane) -> str:
    """How somebody says who they are: by `id_card`, `face`, `number` or through a `proctor`."""
    if lane.by_eye:
        return "id_card" if lane.takes_cards else "proctor"
    if not lane.rules.claim_by_card:
        return "face"
    if lane.takes_cards:
        return "id_card"
    return "number" if lane.asks_numbers else "proctor"


def state_of(
    lane: Lane,
    *,
    seq: int,
    session: dict[str, Any] | None,
    devices: dict[str, Any],
    deadline_in_s: float | None,
    deadline_total_s: float | None,
    help_waiting: bool,
    alerts: int = 0,
    warnings: int = 0,
    help_open: int = 0,
    sticks: int = 0,
    two_people: bool = True,
    mode: dict[str, Any] | None = None,
    awaits_proctor: bool = False,
    card_hint: str | None = None,
    scan_problem: str | None = None,
    receipt: str | None = None,
    hall: dict[str, Any] | None = None,
    fingers: Sequence[str] = (),
) -> dict[str, Any]:
    """The `state` notification."""
    visit = lane.visit
    other = visit.lookup.other_session_starts_at if visit.lookup else None
    shows_seat = lane.state in (State.GATE, State.WELCOME)
    return {
        "seq": seq,
        "state": lane.state.value,
        "steps": steps_of(lane),
        "claim_mode": claim_mode(lane),
        "candidate": candidate_of(visit.candidate),
        "may_type": may_type(lane),
        "may_leave": accepts(lane, LeavingAsked()),
        "leaving": visit.leaving,
        "lets_out": lane.rules.exit is not None,
        "may_lay_card": lane.takes_cards,
        "card_hint": card_hint,
        "scan_problem": scan_problem,
        "numbers_left": visit.numbers_left if lane.state is State.CLAIM else None,
        "number_failed": visit.number_failed,
        "reason": visit.reason.value if visit.reason else lane.failed and lane.failed.value,
        "finger_retry": visit.finger_retry,
        "finger_attempts_left": visit.attempts_left,
        "fingers": list(fingers) if lane.state is State.FINGER else [],
        "terminal": visit.terminal if shows_seat else None,
        "draw_no": visit.draw_no if shows_seat else None,
        "receipt": receipt if shows_seat else None,
        "hall": hall if shows_seat else None,
        "kept_seat": visit.kept_seat,
        "deadline_in_s": deadline_in_s,
        "deadline_total_s": deadline_total_s,
        "other_session_at": other.isoformat() if other else None,
        "session": session,
        "devices": devices,
        "help_waiting": help_waiting,
        "alerts": alerts,
        "warnings": warnings,
        "help_open": help_open,
        "sticks": sticks,
        "two_people": two_people,
        "mode": mode or {"rung": "full", "missing": []},
        "awaits_proctor": awaits_proctor,
        "visit": visit.number,
    }
