"""Makes a session's report out of the store and the journal. Changes nothing.

The report of a closed session rests on the entries and heads of its record, so it stays the same
whatever the lane does later. Knows no paper and no language.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from kiosk.core.balance import Balance, balance
from kiosk.core.codes import JournalKind as K
from kiosk.core.types import Session
from kiosk.report.events import incident_of, override_of, refusal_of
from kiosk.report.model import Difference, Event, Fault, Head, Numbers, Report, Row, Status
from kiosk.store import Entry, Store
from kiosk.store.errors import StoreRefused, no_session
from kiosk.store.heads import Checkpoint
from kiosk.store.people import Person

PAGE = 2000


@dataclass(frozen=True, slots=True)
class Place:
    """Which lane this is; as configured."""

    venue_code: str
    venue_name: str
    lane: str
    timezone: str
    version: str


def gather(store: Store, session_id: str, place: Place, public: bool = False) -> Report:
    """Raises `StoreRefused` when there is no such session, or it was never opened."""
    session = store.session(session_id)
    if session is None:
        raise StoreRefused(no_session(session_id))
    first, last, heads = store.record_span(session_id)
    own, around = _cut(list(_between(store, first, last)), session_id)
    heads = _up_to(heads, around[-1].seq)
    people = {p.pseudonym: p for p in store.people(session_id)}
    found = balance((_plain(e) for e in own), _others_out(around, session_id))
    rows = _rows(own, people, public)
    namer = _Namer({} if public else {k: p.name for k, p in people.items()}, public)
    refusals = namer.events(refusal_of(e) for e in own)
    faults = tuple(_faults(around))
    return Report(
        public=public,
        **_place(place),
        **_session(session, own, public),
        numbers=_numbers(found, rows, len(refusals), len(faults)),
        differences=tuple(
            Difference(
                code=d.code,
                entries=d.entries,
                terminal=d.terminal,
                pseudonym=d.pseudonym,
                who=namer.name(d.pseudonym),
                args=dict(d.args),
            )
            for d in found.differences
        ),
        rows=rows,
        overrides=namer.events(override_of(e) for e in own),
        refusals=refusals,
        incidents=namer.events(incident_of(e) for e in around),
        faults=faults,
        first_head=Head(size=heads[0].size, note=heads[0].note) if heads else None,
        last_head=Head(size=heads[-1].size, note=heads[-1].note) if heads else None,
        vkey=store.vkey,
    )


def _between(store: Store, first: int, last: int) -> Iterator[Entry]:
    """All entries of the lane while the session was open, its own and the lane's."""
    after = first - 1
    while after < last:
        page = store.entries(after, min(PAGE, last - after))
        if not page:
            return
        yield from (e for e in page if e.seq <= last)
        after = page[-1].seq


def _cut(whole: list[Entry], session_id: str) -> tuple[list[Entry], list[Entry]]:
    """The session's own entries and all around them, to its closing and the end of whoever was in
    the gate then: who leaves by the gate hours later changes no report."""
    own = [e for e in whole if e.session_id == session_id]
    closed = next((e.seq for e in own if e.kind == K.SESSION_CLOSED), None)
    if closed is None:
        return own, whole
    begun = {e.payload["intent"] for e in own if e.kind == K.GATE_INTENT and e.seq < closed}
    own = [e for e in own if e.seq <= closed or e.payload.get("intent") in begun]
    return own, [e for e in whole if e.seq <= own[-1].seq]


def _up_to(heads: list[Checkpoint], last: int) -> list[Checkpoint]:
    """Signed heads as far as the first one that covers entry `last`."""
    covering = [h for h in heads if h.size >= last][:1]
    return [h for h in heads if h.size < last] + covering


def _others_out(around: Sequence[Entry], session_id: str) -> int:
    """Who left by the gate before the session was closed and had come in with another."""
    closed = next(
        (e.seq for e in around if e.kind == K.SESSION_CLOSED and e.session_id == session_id), None
    )
    return sum(
        e.kind == K.LEFT and e.session_id != session_id and (closed is None or e.seq < closed)
        for e in around
    )


def _plain(e: Entry) -> dict[str, Any]:
    return {
        "seq": e.seq,
        "kind": e.kind,
        "reason": e.reason,
        "pseudonym": e.pseudonym,
        "terminal": e.terminal,
        "payload": e.payload,
    }


def _place(place: Place) -> dict[str, Any]:
    return {name: getattr(place, name) for name in Place.__slots__}


def _session(session: Session, own: Sequence[Entry], public: bool) -> dict[str, Any]:
    opened = next((e for e in own if e.kind == K.SESSION_OPENED), None)
    closed = next((e for e in own if e.kind == K.SESSION_CLOSED), None)
    by = [None if public or e is None else e.payload.get("person") for e in (opened, closed)]
    return {
        "session_id": session.session_id,
        "subject": session.subject,
        "starts_at": session.starts_at.isoformat(),
        "checkin_from": session.checkin_from.isoformat(),
        "checkin_until": session.checkin_until.isoformat(),
        "state": session.state.value,
        "opened_at": opened.at.isoformat() if opened else None,
        "opened_by": by[0],
        "closed_at": closed.at.isoformat() if closed else None,
        "closed_by": by[1],
        "capacity": session.capacity,
        "terminals": len(session.hall),
        "out_of_service": tuple(t.name for t in session.hall if not t.in_service),
        "spacing": session.spacing,
        "policy": (opened.payload.get("policy") if opened else None) or {},
        "commitment": session.commitment,
        "hall_sha256": session.hall_sha256,
        "seed": closed.payload.get("seed") if closed else None,
    }


def _numbers(found: Balance, rows: Sequence[Row], refusals: int, faults: int) -> Numbers:
    return Numbers(
        booked=len(rows),
        drawn=found.drawn,
        voided=found.voided,
        seated=found.seated,
        inside=found.inside,
        left=found.left,
        admissions=found.admissions,
        readmissions=found.readmissions,
        exits=found.exits,
        intents=found.intents,
        passages=found.passages,
        unseen=found.unseen,
        absent=sum(r.status is Status.ABSENT for r in rows),
        turned_away=sum(r.status is Status.TURNED_AWAY for r in rows),
        refusals=refusals,
        faults=faults,
        counted_in=found.counted_in,
        counted_out=found.counted_out,
    )


# --- candidates ---------------------------------------------------------------------------------


def _rows(own: Sequence[Entry], people: dict[str, Person], public: bool) -> tuple[Row, ...]:
    """Who is on the roster, and who has left it since but is in the journal."""
    seen: dict[str, list[Entry]] = {}
    for entry in own:
        if entry.pseudonym is not None:
            seen.setdefault(entry.pseudonym, []).append(entry)
    rows = []
    for pseudonym in [*people, *(p for p in seen if p not in people)]:
        person = people.get(pseudonym)
        way = _way(seen.get(pseudonym, []))
        if public:
            way |= {"face_distance": None, "finger_score": None}
        rows.append(
            Row(
                pseudonym=pseudonym,
                name=None if public or person is None else person.name,
                admission_no=None if public or person is None else person.admission_no,
                licence_class=person.licence_class if person else "",
                **way,
            )
        )
    return tuple(sorted(rows, key=lambda r: r.pseudonym)) if public else tuple(rows)


def _way(entries: Sequence[Entry]) -> dict[str, Any]:
    """What one candidate's entries add up to."""
    way: dict[str, Any] = {"status": Status.ABSENT}
    for e in entries:
        match e.kind:
            case K.SEAT_DRAWN:
                way |= {"terminal": e.terminal, "draw_no": e.payload["draw_no"]}
                way.pop("entered_at", None)
                way["status"] = Status.SEATED
            case K.ADMITTED:
                way |= {"status": Status.INSIDE, "left_at": None}
                way.setdefault("entered_at", e.at.isoformat())
            case K.LEFT:
                way |= {"status": Status.LEFT, "left_at": e.at.isoformat()}
            case K.SEAT_VOIDED:
                was_inside = e.payload.get("was_inside")
                way["status"] = Status.CAME_OUT if was_inside else Status.TURNED_AWAY
                way |= {"terminal": None, "draw_no": None}
            case K.CLAIM_TYPED:
                way["claim"] = "number"
            case K.CLAIMED:
                way["claim"] = e.payload.get("by", way.get("claim"))
            case K.IDENTITY_VERIFIED:
                way |= {"face": True, "face_distance": e.payload.get("distance")}
            case K.FINGER_VERIFIED:
                way |= {"finger": True, "finger_score": e.payload.get("score")}
        if way["status"] is Status.ABSENT and e.kind not in (K.SAME_FACE, K.SAME_FACE_ANSWERED):
            way["status"] = Status.TURNED_AWAY
    return way


# --- lists --------------------------------------------------------------------------------------


class _Namer:
    """Puts names to pseudonyms, or takes everything personal away."""

    def __init__(self, names: dict[str, str], public: bool) -> None:
        self._names = names
        self._public = public

    def name(self, pseudonym: str | None) -> str | None:
        return None if pseudonym is None else self._names.get(pseudonym)

    def events(self, found: Iterator[Event | None]) -> tuple[Event, ...]:
        listed = []
        for event in found:
            if event is None:
                continue
            if self._public:
                kept = {k: v for k, v in event.args.items() if k not in ("note", "approved_by")}
                event = event.model_copy(update={"person": None, "args": kept})
            listed.append(event.model_copy(update={"who": self.name(event.pseudonym)}))
        return tuple(listed)


def _faults(around: Sequence[Entry]) -> Iterator[Fault]:
    """Each fault until the same device was well again."""
    for n, e in enumerate(around):
        if e.kind != K.DEVICE_FAULT:
            continue
        device = e.payload.get("device")
        same = (f for f in around[n + 1 :] if f.payload.get("device") == device)
        end = next((f for f in same if f.kind in (K.DEVICE_FAULT, K.DEVICE_RECOVERED)), None)
        yield Fault(
            device=str(device),
            code=str(e.payload.get("code")),
            seq=e.seq,
            since=e.at.isoformat(),
            seconds=_seconds(e, end) if end is not None else None,
        )


def _seconds(begun: Entry, end: Entry) -> float:
    seconds: float = (end.at - begun.at).total_seconds()
    return round(max(0.0, seconds), 1)
