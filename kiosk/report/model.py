"""What a session's report says, as plain data: made in one process, set as a page in another.

Times are ISO 8601 in UTC. Knows neither the store nor paper.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict


class Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Status(StrEnum):
    """Where a candidate is at the end."""

    INSIDE = "inside"
    SEATED = "seated"  #: has a seat, did not pass the gate
    LEFT = "left"  #: went out by the gate
    CAME_OUT = "came_out"  #: was inside; the seat was given up
    TURNED_AWAY = "turned_away"  #: came, and has no seat
    ABSENT = "absent"


class Row(Model):
    """One candidate. In the public version without name and number."""

    pseudonym: str
    name: str | None
    admission_no: str | None
    licence_class: str
    status: Status
    entered_at: str | None = None
    left_at: str | None = None
    terminal: str | None = None
    draw_no: int | None = None
    claim: str | None = None  #: card, number, face
    face: bool = False
    face_distance: float | None = None
    finger: bool = False
    finger_score: int | None = None


class Event(Model):
    """One thing that is listed: `what` is a key of kiosk.report.words, `args` fill its sentence."""

    seq: int
    at: str
    what: str
    reason: str | None = None
    pseudonym: str | None = None
    who: str | None = None  #: the candidate's name; None in the public version
    terminal: str | None = None
    person: str | None = None  #: of the staff
    args: dict[str, Any] = {}


class Fault(Model):
    device: str
    code: str
    seq: int
    since: str
    seconds: float | None  #: None: not recovered within the session


class Difference(Model):
    """As in kiosk.core.balance."""

    code: str
    entries: tuple[int, ...]
    terminal: str | None = None
    pseudonym: str | None = None
    who: str | None = None
    args: dict[str, Any] = {}


class Numbers(Model):
    booked: int
    drawn: int
    voided: int
    seated: int
    inside: int
    left: int = 0
    admissions: int
    readmissions: int = 0
    exits: int = 0
    intents: int
    passages: int
    unseen: int = 0
    absent: int
    turned_away: int
    refusals: int
    faults: int
    counted_in: int | None
    counted_out: int | None


class Head(Model):
    """A signed head of the journal."""

    size: int
    note: str


class Report(Model):
    public: bool
    venue_code: str
    venue_name: str
    lane: str
    timezone: str
    version: str
    session_id: str
    subject: str
    starts_at: str
    checkin_from: str
    checkin_until: str
    state: str
    opened_at: str | None
    opened_by: str | None
    closed_at: str | None
    closed_by: str | None
    capacity: int
    terminals: int
    out_of_service: tuple[str, ...]
    spacing: bool
    policy: dict[str, Any]
    numbers: Numbers
    differences: tuple[Difference, ...]
    rows: tuple[Row, ...]
    overrides: tuple[Event, ...]
    refusals: tuple[Event, ...]
    incidents: tuple[Event, ...]
    faults: tuple[Fault, ...]
    commitment: str | None
    hall_sha256: str | None
    seed: str | None
    first_head: Head | None
    last_head: Head | None
    vkey: str


class Moment(Model):
    """One entry of a candidate's record. `what` is a key of kiosk.report.words."""

    seq: int
    at: str
    kind: str
    what: str
    reason: str | None = None
    terminal: str | None = None
    person: str | None = None
    args: dict[str, Any] = {}


class Timeline(Model):
    """Everything that the journal has of one candidate."""

    venue_code: str
    venue_name: str
    lane: str
    timezone: str
    session_id: str
    subject: str
    starts_at: str
    pseudonym: str
    name: str
    admission_no: str
    licence_class: str
    moments: tuple[Moment, ...]
    head: Head
    vkey: str
