"""The methods about the hall: sessions with their terminals, changes of a terminal, voided seats.

Part of the office (kiosk.office). Which terminal anybody gets is the draw's; it only passes on
what a person decided, under their name.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, tzinfo
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from kiosk.core.codes import ReturnReason, VoidReason
from kiosk.core.hall import Terminal
from kiosk.core.types import Session, Standing
from kiosk.desks.params import Params
from kiosk.store import Store
from kiosk.store.errors import NotOpen, NotReturnable, NotVoidable
from kiosk.texts import Problem
from kiosk.wire import RpcError

SESSION_ID = r"^[\w.\-]{1,64}$"  #: as in a roster
MOST_TERMINALS = 500


#: how the holder of a seat stands, as the hall's map says it
_SHOWN = {Standing.SEATED: "held", Standing.INSIDE: "inside", Standing.LEFT: "left"}


class TerminalRow(BaseModel):
    """A terminal as it is announced; its place in the list is its place in the hall."""

    model_config = ConfigDict(extra="forbid", strict=True)
    name: str
    row: int | None = Field(None, ge=1, le=1000)
    column: int | None = Field(None, ge=1, le=1000)
    in_service: bool = True
    reserved: bool = False
    accessible: bool = False
    classes: list[str] = []

    def to_core(self) -> Terminal:
        return Terminal(**(self.model_dump() | {"position": 0, "classes": tuple(self.classes)}))


class NewSession(Params):
    session_id: str = Field(pattern=SESSION_ID)
    subject: str = Field(min_length=1, max_length=64)
    starts_at: datetime
    terminals: list[str | TerminalRow] = Field(min_length=1, max_length=MOST_TERMINALS)
    out_of_service: list[str] = []
    capacity: int | None = Field(None, ge=1)
    spacing: bool = False
    early_s: int | None = Field(None, ge=0, le=86_400)
    late_s: int | None = Field(None, ge=0, le=86_400)
    person: str = "technician"

    @field_validator("starts_at")
    @classmethod
    def _in_our_time(cls, value: datetime) -> datetime:
        """Far from the ends of what a date can be: hours are added and taken away."""
        if not 2000 <= value.year < 2200:
            raise ValueError("a year from 2000 to 2199")
        return value


class TerminalChange(Params):
    session_id: str
    terminal: str
    in_service: bool | None = None
    reserved: bool | None = None
    accessible: bool | None = None
    classes: list[str] | None = None
    reason: str = Field(min_length=1, max_length=200)
    person: str = "technician"


class WhichSession(Params):
    session_id: str


class SeatVoid(Params):
    session_id: str
    terminal: str
    why: VoidReason
    note: str = Field("", max_length=200)
    draw_no: int | None = Field(None, ge=1)
    approved_by: str | None = Field(None, max_length=64)
    person: str = Field(min_length=1, max_length=64)


class LetBack(Params):
    session_id: str
    terminal: str
    why: ReturnReason
    note: str = Field("", max_length=200)
    approved_by: str | None = Field(None, max_length=64)
    person: str = Field(min_length=1, max_length=64)


class HallDesk:
    """`session_changed` and `happened` tell the lane and its screens."""

    def __init__(
        self,
        store: Store,
        declined: Callable[..., RpcError],
        describe: Callable[[Session], dict[str, Any]],
        *,
        zone: tzinfo,
        early_s: int,
        late_s: int,
        session_changed: Callable[[], None],
        happened: Callable[[dict[str, Any]], None],
    ) -> None:
        self._store = store
        self._declined = declined
        self._describe = describe
        self._zone = zone
        self._early_s, self._late_s = early_s, late_s
        self._session_changed = session_changed
        self._happened = happened
        self.methods: dict[str, tuple[type[Params], Callable[[Any], Any]]] = {
            "session.create": (NewSession, self._create),
            "terminal.list": (WhichSession, self._list),
            "terminal.set": (TerminalChange, self._set),
            "seat.void": (SeatVoid, self._void),
            "seat.let_back": (LetBack, self._let_back),
        }

    def _create(self, p: NewSession) -> Any:
        starts = p.starts_at
        session = self._store.create_session(
            p.session_id,
            p.subject,
            starts if starts.tzinfo else starts.replace(tzinfo=self._zone),
            [t if isinstance(t, str) else t.to_core() for t in p.terminals],
            p.out_of_service,
            p.capacity,
            self._early_s if p.early_s is None else p.early_s,
            self._late_s if p.late_s is None else p.late_s,
            p.person,
            spacing=p.spacing,
        )
        return self._describe(session)

    def _list(self, p: WhichSession) -> Any:
        session = self._known(p.session_id, p.lang)
        held = self._store.held_seats(p.session_id)
        found = []
        for terminal in session.hall:
            seat = held.get(terminal.name)
            standing = "free" if seat is None else _SHOWN[seat.standing]
            draw_no = seat.draw_no if seat else None
            found.append(terminal.published() | {"standing": standing, "draw_no": draw_no})
        return {"terminals": found}

    def _set(self, p: TerminalChange) -> Any:
        self._known(p.session_id, p.lang)
        session = self._store.set_terminal(
            p.session_id,
            p.terminal,
            p.in_service,
            p.reason,
            p.person,
            reserved=p.reserved,
            accessible=p.accessible,
            classes=p.classes,
        )
        self._session_changed()
        return self._describe(session)

    def _void(self, p: SeatVoid) -> Any:
        """The candidate comes through the lane again, signs again and draws again."""
        self._known(p.session_id, p.lang)
        try:
            voided = self._store.void_seat(
                p.session_id,
                p.terminal,
                p.why,
                p.person,
                note=p.note,
                approved_by=p.approved_by,
                draw_no=p.draw_no,
            )
        except NotVoidable as refused:
            problem = Problem(refused.code, dict(refused.about))
            raise self._declined(refused.code.upper(), [problem], p.lang) from refused
        except NotOpen as refused:
            problem = Problem("not_open", {"session_id": p.session_id})
            raise self._declined("NOT_OPEN", [problem], p.lang) from refused
        self._happened(
            {
                "kind": "seat_voided",
                "reason": None,
                "candidate": None,
                "terminal": voided.terminal,
                "text_args": {"why": p.why.value, "draw_no": voided.draw_no},
            }
        )
        self._session_changed()
        return {
            "terminal": voided.terminal,
            "draw_no": voided.draw_no,
            "was_inside": voided.was_inside,
        }

    def _let_back(self, p: LetBack) -> Any:
        """Who left by the gate comes in again, to the same seat, after a fresh verification."""
        self._known(p.session_id, p.lang)
        try:
            self._store.let_back(
                p.session_id, p.terminal, p.why, p.person, note=p.note, approved_by=p.approved_by
            )
        except NotReturnable as refused:
            problem = Problem(refused.code, dict(refused.about))
            raise self._declined(refused.code.upper(), [problem], p.lang) from refused
        except NotOpen as refused:
            problem = Problem("not_open", {"session_id": p.session_id})
            raise self._declined("NOT_OPEN", [problem], p.lang) from refused
        self._happened({"kind": "return_allowed", "reason": None, "candidate": None,
                        "terminal": p.terminal, "text_args": {"why": p.why.value}})  # fmt: skip
        return {"terminal": p.terminal}

    def _known(self, session_id: str, lang: str | None) -> Session:
        session = self._store.session(session_id)
        if session is None:
            found = [Problem("session_unknown", {"session_id": session_id})]
            raise self._declined("SESSION_UNKNOWN", found, lang)
        return session
