"""The outbox: what the centre has not acknowledged yet. Rows are marked, never deleted.

Written together with what they announce; sending is another's work.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kiosk.store.base import Base


@dataclass(frozen=True, slots=True)
class OutboxRow:
    outbox_id: int
    kind: str
    ref: int  #: for kind "journal": the entry's seq; "checkpoint": the tree's size
    created_at: str


@dataclass(frozen=True, slots=True)
class Item:
    """A row with what it announces: an entry's exact text, or a signed head."""

    outbox_id: int
    kind: str
    ref: int
    text: str

    def as_dict(self) -> dict[str, Any]:
        return {"id": self.outbox_id, "kind": self.kind, "ref": self.ref, "text": self.text}


_PENDING = "acknowledged_at is null and rejected is null"


class Outbox(Base):
    def outbox_pending(self, limit: int = 100) -> list[OutboxRow]:
        """Oldest first."""
        rows = self._rows(
            f"select outbox_id, kind, ref, created_at from outbox where {_PENDING}"
            " order by outbox_id limit ?",
            limit,
        )
        return [OutboxRow(*row) for row in rows]

    def outbox_batch(self, most: int, most_bytes: int) -> list[Item]:
        """The oldest rows that wait, at least one, no more than so many or so large."""
        rows = self._rows(
            f"select outbox_id, outbox.kind, ref, coalesce(entry, note) from outbox"
            " left join journal on outbox.kind = 'journal' and seq = ref"
            " left join checkpoints on outbox.kind = 'checkpoint' and size = ref"
            f" where {_PENDING} order by outbox_id limit ?",
            most,
        )
        batch: list[Item] = []
        size = 0
        for row in rows:
            size += len(row[3])
            if batch and size > most_bytes:
                break
            batch.append(Item(*row))
        return batch

    def outbox_answered(self, stored: Sequence[int], rejected: dict[int, str]) -> None:
        """What the centre said. An answer that comes twice changes nothing."""
        now = self._now()
        with self._transaction():
            for outbox_id in stored:
                self._db.execute(
                    f"update outbox set acknowledged_at = ? where outbox_id = ? and {_PENDING}",
                    [now, outbox_id],
                )
            for outbox_id, why in rejected.items():
                self._db.execute(
                    f"update outbox set rejected = ? where outbox_id = ? and {_PENDING}",
                    [why, outbox_id],
                )

    def outbox_acknowledge(self, outbox_id: int) -> None:
        self.outbox_answered([outbox_id], {})

    def outbox_again(self) -> int:
        """Send what was rejected once more. Returns how many rows."""
        with self._transaction():
            cursor = self._db.execute("update outbox set rejected = null where rejected <> ''")
        return int(cursor.rowcount)

    def outbox_rejected(self, limit: int = 100) -> list[dict[str, Any]]:
        """Oldest first: what the centre did not take, and why."""
        rows = self._rows(
            "select outbox_id, kind, ref, created_at, rejected from outbox"
            " where rejected is not null order by outbox_id limit ?",
            limit,
        )
        names = ("outbox_id", "kind", "ref", "created_at", "why")
        return [dict(zip(names, row, strict=True)) for row in rows]

    def outbox_oldest(self) -> str | None:
        """Since when something waits, ISO time."""
        row = self._row(
            f"select created_at from outbox where {_PENDING} order by outbox_id limit 1"
        )
        return str(row[0]) if row else None

    def outbox_size(self) -> tuple[int, int]:
        """How many wait, how many there are."""
        waiting, total = self._rows(
            f"select count(*) filter (where {_PENDING}), count(*) from outbox"
        )[0]
        return waiting, total
