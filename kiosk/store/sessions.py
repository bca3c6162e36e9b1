"""Sessions and their terminals: created, opened with a secret seed, closed with it revealed.

Knows no candidate but how many there are.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from kiosk.core.codes import JournalKind
from kiosk.core.draw import SEED_BYTES, commitment
from kiosk.core.types import Session, SessionState
from kiosk.store.base import Base, iso
from kiosk.store.errors import NotOpen, StoreRefused

MAX_NAME = 64


@dataclass(frozen=True, slots=True)
class Counts:
    booked: int
    seated: int  #: have a seat, have not passed the gate
    inside: int
    free_terminals: int


def _name_problems(session_id: str, terminals: Sequence[str]) -> list[str]:
    """Names go into hashes one a line and onto screens: no control characters, no blanks."""
    names = [("session id", session_id), *(("terminal", t) for t in terminals)]
    return [
        f"{what} {name!r} is not a name: 1 to {MAX_NAME} printable characters, no outer blanks"
        for what, name in names
        if not (0 < len(name) <= MAX_NAME and name.isprintable() and name == name.strip())
    ]


class Sessions(Base):
    def create_session(
        self,
        session_id: str,
        subject: str,
        starts_at: datetime,
        terminals: Sequence[str],
        out_of_service: Iterable[str] = (),
        capacity: int | None = None,
        early_s: int = 1800,
        late_s: int = 0,
        person: str = "technician",
    ) -> Session:
        """Add a session. Raises `StoreRefused` with every problem."""
        out = set(out_of_service)
        usable = len(set(terminals) - out)
        problems = _name_problems(session_id, terminals)
        if starts_at.tzinfo is None:
            problems.append("the start must have a time zone")
        if self.session(session_id) is not None:
            problems.append(f"session {session_id} exists already")
        if len(set(terminals)) != len(terminals):
            twice = sorted({t for t in terminals if list(terminals).count(t) > 1})
            problems.append(f"terminals listed twice: {', '.join(twice)}")
        if not terminals:
            problems.append("a session needs at least one terminal")
        if unknown := sorted(out - set(terminals)):
            problems.append(f"out of service but not a terminal: {', '.join(unknown)}")
        if terminals and not usable:
            problems.append("every terminal is out of service")
        elif terminals and capacity is not None and not 0 < capacity <= usable:
            problems.append(f"capacity {capacity} does not fit {usable} usable terminals")
        if problems:
            raise StoreRefused(problems)
        with self._transaction():
            self._db.execute(
                "insert into sessions (session_id, subject, starts_at, checkin_from,"
                " checkin_until, state, capacity) values (?, ?, ?, ?, ?, 'created', ?)",
                [
                    session_id,
                    subject,
                    iso(starts_at),
                    iso(starts_at - timedelta(seconds=early_s)),
                    iso(starts_at + timedelta(seconds=late_s)),
                    capacity or len(terminals),
                ],
            )
            self._db.conn.executemany(
                "insert into terminals values (?, ?, ?, ?)",
                [(session_id, t, n, int(t not in out)) for n, t in enumerate(terminals)],
            )
            self._note(
                JournalKind.SESSION_CREATED,
                session_id=session_id,
                payload={
                    "subject": subject,
                    "starts_at": iso(starts_at),
                    "terminals": list(terminals),
                    "out_of_service": sorted(out),
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
            "select session_id, subject, starts_at, checkin_from, checkin_until, state, capacity"
            " from sessions where session_id = ?",
            session_id,
        )
        if row is None:
            return None
        terminals = self._rows(
            "select terminal, in_service from terminals where session_id = ? order by position",
            session_id,
        )
        return Session(
            session_id=row[0],
            subject=row[1],
            starts_at=datetime.fromisoformat(row[2]),
            checkin_from=datetime.fromisoformat(row[3]),
            checkin_until=datetime.fromisoformat(row[4]),
            state=SessionState(row[5]),
            terminals=tuple(t for t, _ in terminals),
            out_of_service=frozenset(t for t, in_service in terminals if not in_service),
            capacity=row[6],
        )

    def _known(self, session_id: str) -> Session:
        session = self.session(session_id)
        if session is None:
            raise StoreRefused(f"there is no session {session_id}")
        return session

    def open_now(self) -> Session | None:
        row = self._row("select session_id from sessions where state = 'open'")
        return self._known(row[0]) if row else None

    def open_session(self, session_id: str, person: str) -> Session:
        """Fix the secret seed, publish its commitment, take candidates. Again: no change."""
        session = self._known(session_id)
        if session.state is SessionState.OPEN:
            return session
        if session.state is SessionState.CLOSED:
            raise StoreRefused(f"session {session_id} is closed and cannot be opened again")
        if (other := self.open_now()) is not None:
            raise StoreRefused(f"session {other.session_id} is still open")
        seed = secrets.token_bytes(SEED_BYTES)
        published = commitment(seed, session_id)
        with self._transaction():
            self._db.execute(
                "update sessions set state = 'open', seed = ?, commitment = ? where session_id = ?",
                [self._vault.encrypt(session_id, "seed", seed), published, session_id],
            )
            self._note(
                JournalKind.SESSION_OPENED,
                session_id=session_id,
                payload={
                    "commitment": published,
                    "terminals": list(session.terminals),
                    "out_of_service": sorted(session.out_of_service),
                    "person": person,
                },
            )
        return self._known(session_id)

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
                    "inside": counts.inside,
                    "person": person,
                },
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
            "select count(*) filter (where inside_at is null), count(inside_at)"
            " from assignments where session_id = ? and voided_at is null",
            session_id,
        )[0]
        return Counts(booked, seated, inside, len(self._free_terminals(session_id)))

    def _free_terminals(self, session_id: str) -> list[str]:
        """In service and not assigned, in the hall's order."""
        rows = self._rows(
            "select terminal from terminals t where session_id = ? and in_service and not exists"
            " (select 1 from assignments a where a.session_id = t.session_id"
            "  and a.terminal = t.terminal and a.voided_at is null) order by position",
            session_id,
        )
        return [terminal for (terminal,) in rows]

    def set_terminal(
        self, session_id: str, terminal: str, in_service: bool, reason: str, person: str
    ) -> Session:
        """Take a terminal out of service or put it back; a seat already drawn stays."""
        session = self._known(session_id)
        if terminal not in session.terminals:
            raise StoreRefused(f"session {session_id} has no terminal {terminal}")
        if session.state is SessionState.CLOSED:
            raise NotOpen(f"session {session_id} is closed")
        with self._transaction():
            self._db.execute(
                "update terminals set in_service = ? where session_id = ? and terminal = ?",
                [int(in_service), session_id, terminal],
            )
            self._note(
                JournalKind.TERMINAL_CHANGED,
                session_id=session_id,
                terminal=terminal,
                payload={"in_service": in_service, "why": reason, "person": person},
            )
        return self._known(session_id)
