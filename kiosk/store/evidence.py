"""Evidence on its way to the centre, and what of it may go when the disk fills.

Signatures, live pictures and reports, each known by the number of its journal entry, which has its
SHA-256. Nothing is copied for sending: what waits is read from where it is kept, so the end of a
session's retention ends it there too. Only reports, which the lane does not keep otherwise, are
kept until the centre has them. Knows bytes, not what is in them, nor where the centre is.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from kiosk.core.codes import JournalKind
from kiosk.core.types import SessionState
from kiosk.store.base import Base
from kiosk.store.journal import Entry

_PURPOSE = "report"


class EvidenceKind(StrEnum):
    """As the outbox and docs/record-api.yaml name it."""

    SIGNATURE = "signature"
    CAPTURE = "capture"
    REPORT = "report"  #: the signed PDF
    REPORT_TABLE = "report_table"  #: the same as CSV


#: Where it is kept: table, column of the bytes, what they are encrypted as (kiosk.store.vault).
_PLACES = {
    EvidenceKind.SIGNATURE: ("signatures", "strokes", "strokes"),
    EvidenceKind.CAPTURE: ("captures", "jpeg", "capture"),
    EvidenceKind.REPORT: ("reports", "pdf", _PURPOSE),
    EvidenceKind.REPORT_TABLE: ("reports", "csv", _PURPOSE),
}


@dataclass(frozen=True, slots=True)
class Thinned:
    """What was removed in one go: `unsent` of the `count` had not reached the centre."""

    what: str
    count: int
    unsent: int


class Evidence(Base):
    _sent: frozenset[str] = frozenset()  #: kinds that the centre is given

    def send_evidence(self, kinds: Collection[EvidenceKind]) -> None:
        """From now on these go to the centre, and so does what is held of them already.

        Of other kinds nothing waits any more, until they are named again.
        """
        self._sent = frozenset(kinds)
        with self._transaction():
            for kind in EvidenceKind:
                if kind in self._sent:
                    self._queue_held(kind)
                else:
                    self._db.execute(
                        "update outbox set gone = 'withdrawn' where kind = ?"
                        " and acknowledged_at is null and gone is null",
                        [kind.value],
                    )

    def _queue_held(self, kind: EvidenceKind) -> None:
        table, column, _ = _PLACES[kind]
        self._db.execute(
            "update outbox set gone = null where kind = ? and gone = 'withdrawn'", [kind.value]
        )
        self._db.execute(
            "insert into outbox (kind, ref, created_at, evidence)"
            f" select ?1, seq, ?2, 1 from {table} where length({column}) > 0 and seq is not null"
            " and seq not in (select ref from outbox where kind = ?1) order by seq",
            [kind.value, self._now()],
        )

    def _queue(self, kind: EvidenceKind, seq: int) -> None:
        """Inside the transaction in which its entry is made."""
        if kind in self._sent:
            self._db.execute(
                "insert into outbox (kind, ref, created_at, evidence) values (?, ?, ?, 1)",
                [kind.value, seq, self._now()],
            )

    def evidence(self, kind: EvidenceKind, seq: int) -> bytes | None:
        """The bytes whose SHA-256 entry `seq` has; None: they are not here any more.

        Raises `StoreError` when they cannot be decrypted.
        """
        table, column, purpose = _PLACES[kind]
        row = self._row(f"select session_id, {column} from {table} where seq = ?", seq)
        if row is None or not row[1]:
            return None
        return self._vault.decrypt(row[0], purpose, row[1])

    # --- reports ----------------------------------------------------------------------------------

    def note_report(
        self, session_id: str, payload: dict[str, Any], pdf: bytes, table: bytes
    ) -> Entry:
        """A report was made: its entry, and its bytes until the centre has them."""
        with self._transaction():
            entry = self._note(JournalKind.REPORT_SIGNED, session_id=session_id, payload=payload)
            if EvidenceKind.REPORT in self._sent:
                self._db.execute(
                    "insert into reports (seq, session_id, pdf, csv) values (?, ?, ?, ?)",
                    [
                        entry.seq,
                        session_id,
                        self._vault.encrypt(session_id, _PURPOSE, pdf),
                        self._vault.encrypt(session_id, _PURPOSE, table),
                    ],
                )
                self._queue(EvidenceKind.REPORT, entry.seq)
                self._queue(EvidenceKind.REPORT_TABLE, entry.seq)
        return entry

    def reports_owed(self) -> list[str]:
        """Closed sessions of which the centre expects a report and none was ever made."""
        if EvidenceKind.REPORT not in self._sent:
            return []
        rows = self._rows(
            "select session_id from sessions s where state = ? and exists (select 1 from salts"
            " where salts.session_id = s.session_id) and not exists (select 1 from journal j"
            " where j.session_id = s.session_id and j.kind = ?) order by starts_at",
            SessionState.CLOSED.value,
            JournalKind.REPORT_SIGNED.value,
        )
        return [str(session_id) for (session_id,) in rows]

    def _drop_sent_reports(self) -> None:
        """Both of its parts are at the centre. Inside the caller's transaction."""
        self._db.execute(
            "delete from reports where not exists (select 1 from outbox where ref = reports.seq"
            " and kind in (?, ?) and acknowledged_at is null)",
            [EvidenceKind.REPORT.value, EvidenceKind.REPORT_TABLE.value],
        )

    # --- what may go ------------------------------------------------------------------------------

    def used_mb(self) -> int:
        """What is in use of the database's file, which does not shrink when something goes."""
        return self._pages("page_count") - self._pages("freelist_count")

    def reusable_mb(self) -> int:
        """What can be written before the file grows."""
        return self._pages("freelist_count")

    def _pages(self, what: str) -> int:
        (count,), (size,) = self._rows(f"pragma {what}")[0], self._rows("pragma page_size")[0]
        return int(count) * int(size) // (1024 * 1024)

    def thin(self, kinds: Sequence[EvidenceKind], most: int, why: str) -> Thinned | None:
        """Remove the oldest evidence of the first of these kinds that there is any of.

        At most `most` of one kind, never of a session that is open, and what the centre has
        before what it has not. Their entries stay; one more says which are gone and `why`. None:
        there is nothing that may go.
        """
        for kind in kinds:
            for acknowledged in (True, False):
                numbers = self._oldest(kind, acknowledged, most)
                if not numbers:
                    continue
                unsent = 0 if acknowledged else len(numbers)
                with self._transaction():
                    self._remove(kind, numbers)
                    self._note(
                        JournalKind.EVIDENCE_THINNED,
                        payload={"what": kind.value, "entries": numbers, "unsent": unsent,
                                 "why": why},
                    )  # fmt: skip
                return Thinned(kind.value, len(numbers), unsent)
        return None

    def _oldest(self, kind: EvidenceKind, acknowledged: bool, most: int) -> list[int]:
        """Found at once among very many: each query has an index of just what it looks for."""
        table, column, _ = _PLACES[kind]
        if acknowledged:
            found = (
                f"outbox join {table} e on seq = ref where kind = '{kind.value}' and evidence = 1"
                " and acknowledged_at is not null and gone is null"
            )
        else:
            found = f"{table} e where seq > 0"
        rows = self._rows(
            f"select seq from {found} and length({column}) > 0 and not exists (select 1 from"
            " sessions s where s.session_id = e.session_id and s.state = 'open')"
            " order by seq limit ?",
            most,
        )
        return [seq for (seq,) in rows]

    def _remove(self, kind: EvidenceKind, numbers: Sequence[int]) -> None:
        table, column, _ = _PLACES[kind]
        # the row stays: that somebody has signed counts after their strokes are gone
        empty = f"update {table} set {column} = x'' where seq = ?"
        self._db.conn.executemany(empty, [(n,) for n in numbers])
        self._db.conn.executemany(
            "update outbox set gone = 'thinned' where kind = ? and ref = ?",
            [(kind.value, n) for n in numbers],
        )
