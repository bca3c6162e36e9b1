"""The outbox: what the centre has not acknowledged yet. Rows are marked, never deleted.

Written together with what they announce; sending is another's work.
"""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.store.base import Base


@dataclass(frozen=True, slots=True)
class OutboxRow:
    outbox_id: int
    kind: str
    ref: int  #: for kind "journal": the entry's seq
    created_at: str


class Outbox(Base):
    def outbox_pending(self, limit: int = 100) -> list[OutboxRow]:
        """Oldest first."""
        rows = self._rows(
            "select outbox_id, kind, ref, created_at from outbox where acknowledged_at is null"
            " and rejected is null order by outbox_id limit ?",
            limit,
        )
        return [OutboxRow(*row) for row in rows]

    def outbox_acknowledge(self, outbox_id: int) -> None:
        with self._transaction():
            self._db.execute(
                "update outbox set acknowledged_at = ? where outbox_id = ?",
                [self._now(), outbox_id],
            )

    def outbox_size(self) -> tuple[int, int]:
        """How many wait, how many there are."""
        waiting, total = self._rows(
            "select count(*) filter (where acknowledged_at is null and rejected is null),"
            " count(*) from outbox"
        )[0]
        return waiting, total
