"""Sessions and their terminals: created, opened with a secret seed, closed with it revealed.

Knows no candidate but how many there are.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from kiosk.core.codes import JournalKind
from kiosk.core.draw import SEED_BYTES, commitment
from kiosk.core.hall import LICENCE_CLASSES, MAX_NAME, Terminal, hall_sha256, is_name
from kiosk.core.types import Pause, Session, SessionState, Standing
from kiosk.store.base import Base, iso, standing_of
from kiosk.store.errors import NotOpen, StoreRefused, no_session
from kiosk.told import Told

_TERMINAL = "terminal, position, row_no, column_no, in_service, reserved, accessible, classes"
#: What a person may change while the session runs, and its column.
_CHANGES = ("in_service", "reserved", "accessible", "classes")


@dataclass(frozen=True, slots=True)
class Counts:
    booked: int
    seated: int  #: have a seat, have not passed the gate
    inside: int  #: have passed the gate
    free_terminals: int
    late: int = 0  #: of those inside, who came after the start
    left: int = 0  #: of those inside, who are gone: out by the gate, or signed for their score
    out: int = 0  #: … by the gate
    released: int = 0  #: were inside when the gate was opened for everybody, and may come in again


def _hall_of(terminals: Sequence[Terminal | str], out: set[str]) -> list[Terminal]:
    """In the order given; a bare name is a terminal for everybody whose place is not known."""
    whole = [t if isinstance(t, Terminal) else Terminal(t, 0) for t in terminals]
    return [
        replace(
            t,
            position=n,
            in_service=t.in_service and t.name not in out,
            classes=tuple(sorted(set(t.classes))),
        )
        for n, t in enumerate(whole)
    ]


def _hall_problems(session_id: str, hall: Sequence[Terminal]) -> Iterator[str]:
    """Names go into hashes one a line and onto screens; a place is for one terminal."""
    names = [t.name for t in hall]
    for what, name in [("session id", session_id), *(("terminal", n) for n in names)]:
        if not is_name(name):
            yield (
                f"{what} {name!r} is not a name: 1 to {MAX_NAME} printable characters, no outer "
                'blanks, neither " nor \\'
            )
    if twice := sorted({n for n in names if names.count(n) > 1}):
        yield f"terminals listed twice: {', '.join(twice)}"
    places: dict[tuple[int, int], str] = {}
    for t in hall:
        if (t.row is None) != (t.column is None):
            yield f"terminal {t.name}: row and column are given both or neither"
        elif t.row is not None and t.column is not None:
            if other := places.get((t.row, t.column)):
                yield f"terminals {other} and {t.name} are both in row {t.row}, column {t.column}"
            places[t.row, t.column] = t.name
        yield from _class_problems(t.name, t.classes)
    if not hall:
        yield "a session needs at least one terminal"


def _class_problems(terminal: str, classes: Iterable[str]) -> Iterator[str]:
    if unknown := sorted(set(classes) - LICENCE_CLASSES):
        yield f"terminal {terminal}: no such licence class: {', '.join(unknown)}"


@dataclass(frozen=True, slots=True)
class Seat:
    """A terminal that somebody holds."""

    draw_no: int
    school: str | None  #: salted hash, as it was at the draw
    standing: Standing  #: SEATED, INSIDE or LEFT

    @property
    def inside(self) -> bool:
        return self.standing is Standing.INSIDE


class Sessions(Base):
    def create_session(
        self,
        session_id: str,
        subject: str,
        starts_at: datetime,
        terminals: Sequence[Terminal | str],
        out_of_service: Iterable[str] = (),
        capacity: int | None = None,
        early_s: int = 1800,
        late_s: int = 0,
        person: str = "technician",
        spacing: bool = False,
    ) -> Session:
        """Add a session. `terminals`: in the hall's order; their `position` is set from it.

        Raises `StoreRefused` with every problem.
        """
        out = set(out_of_service)
        hall = _hall_of(terminals, out)
        usable = len({t.name for t in hall if t.drawable})
        problems = list(_hall_problems(session_id, hall))
        if starts_at.tzinfo is None:
            problems.append("the start must have a time zone")
        if self.session(session_id) is not None:
            problems.append(f"session {session_id} exists already")
        if unknown := sorted(out - {t.name for t in hall}):
            problems.append(f"out of service but not a terminal: {', '.join(unknown)}")
        if hall and not usable:
            problems.append("every terminal is out of service or reserved")
        elif hall and capacity is not None and not 0 < capacity <= usable:
            problems.append(f"capacity {capacity} does not fit {usable} usable terminals")
        if problems:
            raise StoreRefused(problems)
        with self._transaction():
            self._db.execute(
                "insert into sessions (session_id, subject, starts_at, checkin_from,"
                " checkin_until, state, capacity, spacing) values (?, ?, ?, ?, ?, 'created', ?, ?)",
                [
                    session_id,
                    subject,
                    iso(starts_at),
                    iso(starts_at - timedelta(seconds=early_s)),
                    iso(starts_at + timedelta(seconds=late_s)),
                    capacity or len(hall),
                    int(spacing),
                ],
            )
            self._db.conn.executemany(
                f"insert into terminals (session_id, {_TERMINAL})"
                " values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [(session_id, *_terminal_row(t)) for t in hall],
            )
            self._note(
                JournalKind.SESSION_CREATED,
                session_id=session_id,
                payload={
                    "subject": subject,
                    "starts_at": iso(starts_at),
                    "terminals": [t.published() for t in hall],
                    "rules": {"spacing": spacing},
                    "capacity": capacity or len(hall),
                    "person": person,
                },
            )
        return self._known(session_id)

    def sessions(self) -> list[Session]:
        """All, by start."""
        ids = self._rows("select session_id from sessions order by starts_at, session_id")
        return [self._known(session_id) for (session_id,) in ids]

    def session(self, session_id: str) -> Session | None:
        row = self._row(
            "select session_id, subject, starts_at, checkin_from, checkin_until, state, capacity,"
            " spacing, hall_sha256, commitment, paused_at, paused_why, paused_note, paused_by"
            " from sessions where session_id = ?",
            session_id,
        )
        if row is None:
            return None
        return Session(
            session_id=row[0],
            subject=row[1],
            starts_at=datetime.fromisoformat(row[2]),
            checkin_from=datetime.fromisoformat(row[3]),
            checkin_until=datetime.fromisoformat(row[4]),
            state=SessionState(row[5]),
            hall=self._hall(session_id),
            capacity=row[6],
            spacing=bool(row[7]),
            hall_sha256=row[8],
            commitment=row[9],
            paused=_pause_of(row[10:14]) if row[5] == SessionState.OPEN else None,
        )

    def _hall(self, session_id: str) -> tuple[Terminal, ...]:
        rows = self._rows(
            f"select {_TERMINAL} from terminals where session_id = ? order by position", session_id
        )
        return tuple(_terminal_of(row) for row in rows)

    def _known(self, session_id: str) -> Session:
        session = self.session(session_id)
        if session is None:
            raise StoreRefused(no_session(session_id))
        return session

    def open_now(self) -> Session | None:
        row = self._row("select session_id from sessions where state = 'open'")
        return self._known(row[0]) if row else None

    def open_session(
        self, session_id: str, person: str, policy: dict[str, Any] | None = None
    ) -> Session:
        """Fix the secret seed, publish its commitment, take candidates. Again: no change.

        `policy`: what the lane asks of a candidate (docs/journal.md).
        """
        session = self._known(session_id)
        if session.state is SessionState.OPEN:
            return session
        if session.state is SessionState.CLOSED:
            raise StoreRefused(Told(
                f"session {session_id} is closed and cannot be opened again",
                f"场次 {session_id} 已经结束，不能再次开放",
            ))  # fmt: skip
        if (other := self.open_now()) is not None:
            raise StoreRefused(Told(
                f"session {other.session_id} is still open",
                f"场次 {other.session_id} 还在进行，请先关闭",
            ))  # fmt: skip
        seed = secrets.token_bytes(SEED_BYTES)
        rules: dict[str, Any] = {"capacity": session.capacity, "spacing": session.spacing}
        hall = hall_sha256(session.hall, **rules)
        published = commitment(seed, session_id, hall)
        with self._transaction():
            self._db.execute(
                "update sessions set state = 'open', seed = ?, commitment = ?, hall_sha256 = ?,"
                " exit_gate = ? where session_id = ?",
                [
                    self._vault.encrypt(session_id, "seed", seed),
                    published,
                    hall,
                    bool((policy or {}).get("exit")),
                    session_id,
                ],
            )
            self._note(
                JournalKind.SESSION_OPENED,
                session_id=session_id,
                payload={
                    "commitment": published,
                    "hall_sha256": hall,
                    "terminals": [t.published() for t in session.hall],
                    "rules": {"spacing": session.spacing},
                    "capacity": session.capacity,
                    "person": person,
                }
                | ({"policy": policy} if policy is not None else {}),
            )
        return self._known(session_id)

    def pause_session(self, session_id: str, why: str, note: str, person: str) -> Session:
        """Nobody new begins until it is resumed. Again: another reason. Raises `NotOpen`."""
        self._open_only(session_id)
        with self._transaction():
            self._db.execute(
                "update sessions set paused_at = ?, paused_why = ?, paused_note = ?, paused_by = ?"
                " where session_id = ?",
                [self._now(), why, note, person, session_id],
            )
            self._note(
                JournalKind.SESSION_PAUSED,
                session_id=session_id,
                payload={"why": why, "note": note, "person": person},
            )
        return self._known(session_id)

    def resume_session(self, session_id: str, person: str) -> Session:
        """It goes on; no change where it does already. Raises `NotOpen`."""
        session = self._open_only(session_id)
        if session.paused is None:
            return session
        with self._transaction():
            self._db.execute(
                "update sessions set paused_at = null where session_id = ?", [session_id]
            )
            self._note(
                JournalKind.SESSION_RESUMED, session_id=session_id, payload={"person": person}
            )
        return self._known(session_id)

    def _open_only(self, session_id: str) -> Session:
        session = self._known(session_id)
        if session.state is not SessionState.OPEN:
            raise NotOpen(f"session {session_id} is not open")
        return session

    def close_session(self, session_id: str, person: str) -> Session:
        """End it for good and reveal the seed."""
        session = self._known(session_id)
        if session.state is not SessionState.OPEN:
            raise NotOpen(f"session {session_id} is not open")
        counts = self.counts(session_id)
        with self._transaction():
            self._db.execute(
                "update sessions set state = 'closed' where session_id = ?", [session_id]
            )
            self._note(
                JournalKind.SESSION_CLOSED,
                session_id=session_id,
                payload={
                    "seed": self._seed(session_id).hex(),
                    "booked": counts.booked,
                    "seated": counts.seated,
                    "inside": counts.inside - counts.out,
                    "person": person,
                }
                | ({"left": counts.out} if counts.out else {}),
            )
        return self._known(session_id)

    def _seed(self, session_id: str) -> bytes:
        row = self._row("select seed from sessions where session_id = ?", session_id)
        if row is None or row[0] is None:
            raise NotOpen(f"session {session_id} has never been opened")
        return self._vault.decrypt(session_id, "seed", row[0])

    def counts(self, session_id: str) -> Counts:
        booked = self._rows(
            "select count(*) from candidates where session_id = ? and active", session_id
        )[0][0]
        seated, inside = self._rows(
            "select count(*) filter (where inside_at is null and left_at is null),"
            " count(*) filter (where inside_at is not null or left_at is not null)"
            " from assignments where session_id = ? and voided_at is null",
            session_id,
        )[0]
        free = self._rows(
            "select count(*) from terminals t where session_id = ? and in_service and not reserved"
            " and not exists (select 1 from assignments a where a.session_id = t.session_id"
            "  and a.terminal = t.terminal and a.voided_at is null)",
            session_id,
        )[0][0]
        late, signed, out, released = self._rows(
            "select count(*) filter (where inside_at > starts_at),"
            " count(*) filter (where left_at is null and not exit_gate and exists"
            " (select 1 from signatures g where g.session_id = a.session_id and purpose = 'exit'"
            "  and g.candidate_id = a.candidate_id and g.draw_no = a.draw_no)),"
            " count(left_at), count(*) filter (where released_at is not null and left_at is null)"
            " from assignments a join sessions using (session_id)"
            " where session_id = ? and voided_at is null"
            " and (inside_at is not null or left_at is not null)",
            session_id,
        )[0]
        return Counts(booked, seated, inside, free, late, signed + out, out, released)

    def held_seats(self, session_id: str) -> dict[str, Seat]:
        """Terminal → who holds it now."""
        rows = self._rows(
            "select terminal, draw_no, school, inside_at, left_at from assignments"
            " where session_id = ? and voided_at is null",
            session_id,
        )
        return {
            terminal: Seat(no, school, standing_of(terminal, *gone))
            for terminal, no, school, *gone in rows
        }

    def set_terminal(
        self,
        session_id: str,
        terminal: str,
        in_service: bool | None,
        reason: str,
        person: str,
        *,
        reserved: bool | None = None,
        accessible: bool | None = None,
        classes: Iterable[str] | None = None,
    ) -> Session:
        """Change what a terminal is; None stays as it is. A seat already drawn stays, too."""
        session = self._known(session_id)
        if terminal not in session.terminals:
            raise StoreRefused(Told(
                f"session {session_id} has no terminal {terminal}",
                f"场次 {session_id} 没有考台 {terminal}",
            ))  # fmt: skip
        if session.state is SessionState.CLOSED:
            raise NotOpen(f"session {session_id} is closed")
        listed = None if classes is None else sorted(set(classes))
        given = dict(zip(_CHANGES, (in_service, reserved, accessible, listed), strict=True))
        change = {name: value for name, value in given.items() if value is not None}
        if not change:
            raise StoreRefused(Told(
                f"nothing about terminal {terminal} would change", f"考台 {terminal} 没有任何改动"
            ))  # fmt: skip
        if problems := list(_class_problems(terminal, listed or ())):
            raise StoreRefused(problems)
        with self._transaction():
            self._change_terminal(session_id, terminal, change, reason, person)
        return self._known(session_id)

    def _change_terminal(
        self, session_id: str, terminal: str, change: dict[str, Any], why: str, person: str
    ) -> None:
        """Inside the running transaction."""
        stored = {k: ";".join(v) if k == "classes" else int(v) for k, v in change.items()}
        self._db.execute(
            f"update terminals set {', '.join(f'{name} = ?' for name in stored)}"
            " where session_id = ? and terminal = ?",
            [*stored.values(), session_id, terminal],
        )
        self._note(
            JournalKind.TERMINAL_CHANGED,
            session_id=session_id,
            terminal=terminal,
            payload=change | {"why": why, "person": person},
        )


def _pause_of(row: Sequence[Any]) -> Pause | None:
    since, why, note, person = row
    return Pause(datetime.fromisoformat(since), why, note, person) if since else None


def _terminal_row(t: Terminal) -> tuple[object, ...]:
    flags = (int(t.in_service), int(t.reserved), int(t.accessible))
    return (t.name, t.position, t.row, t.column, *flags, ";".join(t.classes))


def _terminal_of(row: tuple[Any, ...]) -> Terminal:
    name, position, row_no, column_no, in_service, reserved, accessible, classes = row
    return Terminal(
        name=name,
        position=position,
        row=row_no,
        column=column_no,
        in_service=bool(in_service),
        reserved=bool(reserved),
        accessible=bool(accessible),
        classes=tuple(classes.split(";")) if classes else (),
    )
