"""The help queue: who needs a proctor and why, until a person has said how it ended.

Kept over a restart; each step is one transaction with its journal entry.
"""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.core.codes import JournalKind, Reason
from kiosk.core.types import Candidate, mask_name
from kiosk.store.base import Base
from kiosk.store.errors import NotHelpable

#: How a request may end, as a person says it.
ENDS = ("helped", "sent_away", "nobody")
PASSED, BY_LANE = "passed", None  #: they came through after all: the lane itself says so


@dataclass(frozen=True, slots=True)
class HelpRequest:
    """One that is open. Names are masked."""

    help_id: int
    at: str
    session_id: str | None
    candidate_id: int | None
    ref: str | None  #: the candidate's pseudonym
    name: str | None
    admission_no: str | None
    reason: str
    times: int  #: how often it was asked for
    taken_by: str | None
    taken_at: str | None


class Help(Base):
    def ask_for_help(
        self, session_id: str | None, candidate: Candidate | None, reason: Reason
    ) -> int:
        """A new request, or the open one of this candidate once more, with the newest reason.

        Of people whom nobody knows, one for each reason: a gate's contact may chatter.
        """
        before = self._row(
            "select help_id from help_requests where done_at is null and candidate_id is ?1"
            " and (candidate_id is not null or reason = ?2)",
            candidate and candidate.candidate_id,
            reason.value,
        )
        with self._transaction():
            if before is None:
                cursor = self._db.execute(
                    "insert into help_requests (at, session_id, candidate_id, reason)"
                    " values (?, ?, ?, ?)",
                    [self._now(), session_id, candidate and candidate.candidate_id, reason.value],
                )
                help_id = int(cursor.lastrowid or 0)
            else:
                help_id = int(before[0])
                self._db.execute(
                    "update help_requests set times = times + 1, reason = ? where help_id = ?",
                    [reason.value, help_id],
                )
            self._note_help(JournalKind.HELP, help_id, reason=reason)
        return help_id

    def open_help(self) -> list[HelpRequest]:
        """Oldest first."""
        rows = self._rows(
            "select help_id, h.at, h.session_id, h.candidate_id, pseudonym, name, admission_no,"
            " reason, times, taken_by, taken_at from help_requests h"
            " left join candidates c using (candidate_id) where done_at is null order by help_id"
        )
        found = []
        for help_id, at, session_id, candidate_id, ref, name, number, *more in rows:
            masked = mask_name(name) if name else None
            shown = "…" + number[-4:] if number else None
            found.append(
                HelpRequest(help_id, at, session_id, candidate_id, ref, masked, shown, *more)
            )
        return found

    def take_help(self, help_id: int, person: str) -> None:
        """Somebody goes there. Who takes it from another says so by taking it."""
        self._open_request(help_id)
        with self._transaction():
            self._db.execute(
                "update help_requests set taken_by = ?, taken_at = ? where help_id = ?",
                [person, self._now(), help_id],
            )
            self._note_help(JournalKind.HELP_TAKEN, help_id, person=person)

    def end_help(self, help_id: int, person: str | None, how: str) -> None:
        """`person` None: the candidate came through after all."""
        self._open_request(help_id)
        with self._transaction():
            self._db.execute(
                "update help_requests set done_by = ?, done_at = ?, done_how = ? where help_id = ?",
                [person, self._now(), how, help_id],
            )
            self._note_help(JournalKind.HELP, help_id, done_by=person, how=how)

    def help_of(self, candidate: Candidate) -> int | None:
        """The open request of this candidate."""
        row = self._row(
            "select help_id from help_requests where candidate_id = ? and done_at is null",
            candidate.candidate_id,
        )
        return int(row[0]) if row else None

    def _open_request(self, help_id: int) -> None:
        row = self._row("select done_at from help_requests where help_id = ?", help_id)
        if row is None or row[0] is not None:
            raise NotHelpable(f"help request {help_id} is not open")

    def _note_help(
        self, kind: JournalKind, help_id: int, reason: Reason | None = None, **about: str | None
    ) -> None:
        """Inside the running transaction."""
        session_id, pseudonym = self._rows(
            "select h.session_id, pseudonym from help_requests h"
            " left join candidates using (candidate_id) where help_id = ?",
            help_id,
        )[0]
        self._note(
            kind,
            reason,
            session_id=session_id,
            pseudonym=pseudonym,
            payload={"help": help_id} | about,
        )
