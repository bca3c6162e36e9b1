"""Forgetting on time: what is held about a session's candidates, and its end.

The key goes first, then the rows. What stays is the journal, which names nobody: its pseudonyms
were made with a salt that is gone too. Whether a session is due is only arithmetic here; who
decided the time is the configuration's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import structlog

from kiosk.core.codes import JournalKind
from kiosk.core.types import SessionState
from kiosk.store.base import Base
from kiosk.store.errors import StoreRefused

log = structlog.get_logger(__name__)

#: What is encrypted with the session's key, by table: deleted whole.
_ROWS = ("templates", "captures", "signatures", "day_faces")
#: A session that nobody ever opened is over so long after its check-in window.
NEVER_OPENED = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Held:
    """What the lane has of one session's candidates. Counts of rows; nobody is named."""

    session_id: str
    ended: datetime | None  #: None: it is not over
    candidates: int
    templates: int
    captures: int
    signatures: int
    faces: int
    reports: int

    @property
    def empty(self) -> bool:
        return not any(
            (self.candidates, self.templates, self.captures, self.signatures, self.faces,
             self.reports)
        )  # fmt: skip

    def counts(self) -> dict[str, int]:
        whole = asdict(self)
        return {name: n for name, n in whole.items() if isinstance(n, int)}


class Retention(Base):
    _backups: Path

    def held(self) -> list[Held]:
        """Every session of which anything personal is left, oldest first."""
        rows = self._rows(
            "select session_id from (select session_id from candidates where name <> ''"
            " union select session_id from signatures union select session_id from captures"
            " union select session_id from day_faces union select session_id from reports"
            " union select session_id from salts)"
            " left join sessions using (session_id) order by starts_at, session_id"
        )
        return [self._held(str(session_id)) for (session_id,) in rows]

    def _held(self, session_id: str) -> Held:
        def count(query: str) -> int:
            row = self._row(query, session_id)
            return int(row[0]) if row else 0

        return Held(
            session_id,
            self._ended(session_id),
            count("select count(*) from candidates where session_id = ? and name <> ''"),
            count("select count(*) from templates join candidates using (candidate_id)"
                  " where session_id = ?"),
            count("select count(*) from captures where session_id = ?"),
            count("select count(*) from signatures where session_id = ?"),
            count("select count(*) from day_faces where session_id = ?"),
            count("select count(*) from reports where session_id = ?"),
        )  # fmt: skip

    def _ended(self, session_id: str) -> datetime | None:
        """When the session was over: its check-in window, unless it is open."""
        row = self._row(
            "select state, checkin_until from sessions where session_id = ?", session_id
        )
        if row is None:
            # booked for a session that was never created: the day after its roster came
            row = self._row(
                "select 'created', max(imported_at) from candidates where session_id = ?",
                session_id,
            )
            if row is None or row[1] is None:
                return None
        until = datetime.fromisoformat(row[1])
        if row[0] == SessionState.CLOSED.value:
            return until
        over = row[0] != SessionState.OPEN.value and until + NEVER_OPENED < self._clock.now()
        return until if over else None

    def due(self, days: int) -> list[str]:
        """Sessions over for longer than so many days."""
        latest = self._clock.now() - timedelta(days=days)
        return [h.session_id for h in self.held() if h.ended is not None and h.ended <= latest]

    def forget_session(self, session_id: str, person: str, why: str) -> Held:
        """End the retention of a session. Returns what there was.

        Raises `StoreRefused` when it is not over, or nothing of it is left. The key's secret is
        overwritten before anything else: from then on nothing encrypted with it can be read, in no
        copy of the database.
        """
        found = {held.session_id: held for held in self.held()}.get(session_id)
        if found is None:
            raise StoreRefused(f"nothing personal is left of session {session_id}")
        if found.ended is None:
            raise StoreRefused(f"session {session_id} is not over; close it first")
        self._vault.destroy(session_id)
        with self._transaction():
            self._empty(session_id)
            self._note(
                JournalKind.SESSION_FORGOTTEN,
                payload={"session_id": session_id, "why": why, "person": person} | found.counts(),
            )
        self._drop_copies()
        log.info("session_forgotten", session=session_id)
        return found

    def _empty(self, session_id: str) -> None:
        ids = "(select candidate_id from candidates where session_id = ?)"
        for table in _ROWS:
            self._db.execute(f"delete from {table} where candidate_id in {ids}", [session_id])
        self._db.execute(
            "update outbox set gone = 'forgotten' where evidence = 1 and acknowledged_at is null"
            " and ref in (select seq from journal where session_id = ?)",
            [session_id],
        )
        self._db.execute("delete from reports where session_id = ?", [session_id])
        self._db.execute("delete from salts where session_id = ?", [session_id])
        self._db.execute("update assignments set school = null where session_id = ?", [session_id])
        self._db.execute(
            "update candidates set active = 0, name = '', identity_number = '',"
            " admission_no = '', photo = x'', embedding = x'', digest = '', school = null,"
            " accessible = 0 where session_id = ?",
            [session_id],
        )

    def _drop_copies(self) -> None:
        """Names are in the clear in copies made before a migration; the log of the database too."""
        self._db.execute("pragma wal_checkpoint(truncate)")
        for copy in _files(self._backups):
            try:
                copy.unlink()
            except OSError as error:
                log.error("copy_not_removed", file=copy.name, error=error.strerror)

    def about(self, number: str) -> list[dict[str, Any]]:
        """What is held about whoever has this identity or admission number: kinds, no content."""
        rows = self._rows(
            "select candidate_id, session_id, imported_at, source from candidates"
            " where identity_number = ?1 collate nocase or admission_no = ?1 collate nocase"
            " order by candidate_id",
            number,
        )
        return [
            {"session_id": session_id, "imported_at": imported_at, "source": source}
            | self._kinds(candidate_id)
            for candidate_id, session_id, imported_at, source in rows
        ]

    def _kinds(self, candidate_id: int) -> dict[str, int]:
        found = {}
        for table in _ROWS:
            row = self._row(f"select count(*) from {table} where candidate_id = ?", candidate_id)
            found[table] = int(row[0]) if row else 0
        return found


def _files(folder: Path) -> Iterable[Path]:
    return sorted(folder.glob("*.db")) if folder.is_dir() else ()
