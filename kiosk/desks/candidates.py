"""The methods about one session's candidates: the list, finding somebody in it, one of them whole.

Part of the office (kiosk.office). The list is masked; the whole is given out under a name that is
journalled first.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

from pydantic import Field

from kiosk.core.codes import JournalKind
from kiosk.desks.params import Params
from kiosk.store import Store
from kiosk.store.errors import NotBooked, StoreError
from kiosk.store.people import Person
from kiosk.texts import Problem
from kiosk.wire import RpcError

#: of the session, not of the candidate
_NOT_THEIRS = (JournalKind.SESSION_OPENED, JournalKind.SESSION_CLOSED)
_NEWEST = 60  #: entries of a history that are handed out


class WhoIsBooked(Params):
    session_id: str
    query: str = Field("", max_length=64, repr=False)
    person: str = "technician"


class WhichCandidate(Params):
    session_id: str = Field(max_length=64)
    ref: str = Field(max_length=64)
    person: str = Field(min_length=1, max_length=64)


class RollCall(Params):
    session_id: str | None = Field(None, max_length=64)
    drill: bool = False
    person: str = Field(min_length=1, max_length=64)


class SeenOutside(Params):
    session_id: str = Field(max_length=64)
    terminal: str = Field(max_length=64)
    seen: bool = True
    person: str = Field(min_length=1, max_length=64)


class CandidateDesk:
    def __init__(self, store: Store, declined: Callable[..., RpcError]) -> None:
        self._store = store
        self._declined = declined
        self.methods: dict[str, tuple[type[Params], Callable[[Any], Any]]] = {
            "session.candidates": (WhoIsBooked, self._list),
            "candidate.show": (WhichCandidate, self._show),
            "session.rollcall": (RollCall, self._roll),
            "session.seen_outside": (SeenOutside, self._tick),
        }

    def _list(self, p: WhoIsBooked) -> Any:
        return {"candidates": self._store.candidates(p.session_id, p.query)}

    def _roll(self, p: RollCall) -> Any:
        """Names of everybody inside. It is journalled, but never withheld because it cannot be:
        this is asked for when a building is being left."""
        store = self._store
        session = store.session(p.session_id) if p.session_id else store.open_now()
        named = session.session_id if session else None
        if p.session_id and named:
            inside = store.roll(named)
        else:
            inside = [] if p.session_id else store.roll_now(named)
        if session is None and not inside:
            problem = Problem("nobody_on_roll")
            if p.session_id:
                problem = Problem("session_unknown", {"session_id": p.session_id})
            raise self._declined("SESSION_UNKNOWN", [problem], p.lang)
        journalled = True
        try:
            payload = {"person": p.person, "inside": len(inside), "drill": p.drill}
            self._store.journal(
                JournalKind.ROLL_CALLED, session_id=named, payload=payload
            )
        except StoreError:
            journalled = False
        return {"session_id": named, "inside": inside, "journalled": journalled}

    def _tick(self, p: SeenOutside) -> Any:
        """One name of the roll-call: this person saw them outside, or that was a mistake."""
        try:
            self._store.tick_outside(p.session_id, p.terminal, p.person, p.seen)
        except NotBooked as refused:
            problem = Problem("not_on_roll", {"terminal": p.terminal})
            raise self._declined("NOT_ON_ROLL", [problem], p.lang) from refused
        return {}

    def _show(self, p: WhichCandidate) -> Any:
        try:
            person = self._store.person_of(p.session_id, p.ref)
        except NotBooked as refused:
            problem = Problem("candidate_unknown")
            raise self._declined("CANDIDATE_UNKNOWN", [problem], p.lang) from refused
        self._store.note_shown(person, p.person)
        return {
            "ref": person.pseudonym,
            "name": person.name,
            "admission_no": person.admission_no,
            "licence_class": person.licence_class,
            **self._pictures(person),
            "history": self._history(person),
        }

    def _pictures(self, person: Person) -> dict[str, Any]:
        """Photograph and captures; null and none when they are past their retention."""
        try:
            photo = base64.b64encode(self._store.photo(person.candidate_id)).decode()
            kept = self._store.captures(person.session_id, person.candidate_id)
        except StoreError:
            return {"photo": None, "captures": []}
        shown = [
            {
                "at": c.at,
                "outcome": c.outcome,
                "sha256": c.sha256,
                "seq": c.seq,
                "jpeg": base64.b64encode(c.jpeg).decode(),
            }
            for c in kept[-4:]
        ]
        return {"photo": photo, "captures": shown}

    def _history(self, person: Person) -> list[dict[str, Any]]:
        """What the journal has of them, newest first."""
        entries = [json.loads(text) for _, text in self._store.candidate_entries(person)]
        own = [e for e in entries if e["kind"] not in _NOT_THEIRS]
        return [
            {name: e[name] for name in ("seq", "at", "kind", "reason", "terminal")}
            | {"person": e["payload"].get("person") or e["payload"].get("done_by")}
            for e in reversed(own[-_NEWEST:])
        ]
