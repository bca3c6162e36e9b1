"""Values that the whole lane speaks of. Pure data: no I/O, no clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from kiosk.core.hall import Terminal


class Standing(StrEnum):
    """How a claimed identity stands with the session now open."""

    BOOKED = "booked"  #: on this session's roster, no seat yet
    SEATED = "seated"  #: has drawn a seat but has not passed the gate
    INSIDE = "inside"  #: passed the gate
    LEFT = "left"  #: went out by the gate
    OTHER_SESSION = "other_session"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A candidate as the flow knows them. `candidate_id` is the lane's own row id."""

    candidate_id: int
    name: str
    admission_no: str
    identity_number: str
    licence_class: str
    pseudonym: str  #: salted hash; the only identity that the journal carries

    def __repr__(self) -> str:
        return f"Candidate({self.candidate_id})"  # keeps personal data out of logs

    @property
    def masked_name(self) -> str:
        return mask_name(self.name)


def mask_name(name: str) -> str:
    """王小明 → 王*明, 王明 → 王*, Barack Obama → B*a: enough for its owner to recognise.

    >>> mask_name("王小明"), mask_name("王明"), mask_name("欧阳娜娜")
    ('王*明', '王*', '欧*娜')
    """
    if len(name) <= 1:
        return "*"
    if len(name) == 2:
        return name[0] + "*"
    return name[0] + "*" + name[-1]


class SessionState(StrEnum):
    CREATED = "created"
    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Pause:
    """Nobody new is taken for a while."""

    since: datetime
    why: str  #: a `PauseReason`
    note: str
    person: str


@dataclass(frozen=True, slots=True)
class Session:
    """One sitting (场次). All times are aware datetimes."""

    session_id: str  #: as in the roster's 考试场次
    subject: str
    starts_at: datetime
    checkin_from: datetime
    checkin_until: datetime
    state: SessionState
    hall: tuple[Terminal, ...]  #: all of them, in the hall's order, as they are now
    capacity: int
    spacing: bool = False  #: no neighbour from the same driving school while others are free
    hall_sha256: str | None = None  #: hall and rules as they were committed to at opening
    commitment: str | None = None  #: to the secret seed; published when the session opens
    paused: Pause | None = None

    @property
    def terminals(self) -> tuple[str, ...]:
        return tuple(t.name for t in self.hall)

    @property
    def out_of_service(self) -> frozenset[str]:
        return frozenset(t.name for t in self.hall if not t.in_service)

    @property
    def reserved(self) -> frozenset[str]:
        return frozenset(t.name for t in self.hall if t.reserved)

    @property
    def usable_terminals(self) -> tuple[str, ...]:
        """Those that can be drawn: in service and not reserved."""
        return tuple(t.name for t in self.hall if t.drawable)


@dataclass(frozen=True, slots=True)
class Lookup:
    """What the store says about a claimed identity number."""

    standing: Standing
    candidate: Candidate | None = None
    terminal: str | None = None  #: when SEATED or INSIDE
    other_session_starts_at: datetime | None = None  #: when OTHER_SESSION
    has_signature: bool = False
    comes_again: bool = False  #: a proctor has voided a seat of theirs: they come a second time
    #: in again: the gate stood open for everybody since they came in, or by a proctor's word
    may_return: bool = False
    session_id: str | None = None  #: in which they stand so


@dataclass(frozen=True, slots=True)
class Override:
    """What a person decided in a machine's place, as it is journalled."""

    why: str
    note: str
    person: str
    approved_by: str | None = None
    evidence_sha256: str | None = None  #: of the picture that was looked at

    def payload(self) -> dict[str, str | None]:
        return {
            "why": self.why,
            "note": self.note,
            "person": self.person,
            "approved_by": self.approved_by,
        }


@dataclass(frozen=True, slots=True)
class Admission:
    """Seat and gate intent, committed together."""

    terminal: str
    draw_no: int
    intent_id: int
    drawn_now: bool  #: False: the seat was drawn on an earlier try and is kept
