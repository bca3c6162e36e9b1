"""The outbox: what the centre has not acknowledged yet. Rows are marked, never deleted.

Written together with what they announce; sending is another's work.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from kiosk.store.errors import KeyFileProblem, StoreError
from kiosk.store.evidence import Evidence, EvidenceKind


@dataclass(frozen=True, slots=True)
class OutboxRow:
    outbox_id: int
    kind: str
    ref: int  #: "checkpoint": the tree's size; all others: the entry's seq
    created_at: str


@dataclass(frozen=True, slots=True)
class Item:
    """A row with what it announces: an entry's exact text or a signed head as `text`, or a piece of
    evidence as `plain`, which goes to the centre encrypted only."""

    outbox_id: int
    kind: str
    ref: int
    text: str = ""
    plain: bytes | None = None

    @property
    def size(self) -> int:
        return len(self.text) if self.plain is None else len(self.plain)

    def __repr__(self) -> str:
        return f"Item({self.outbox_id}, {self.kind}, {self.ref})"  # keeps evidence out of logs


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many rows of one kind there are, wait, or will never be sent and why."""

    kind: str
    total: int
    waiting: int
    rejected: int
    thinned: int  #: removed to make room before the centre had it
    forgotten: int  #: its retention ended before


_PENDING = "acknowledged_at is null and rejected is null and gone is null"
_NOT_THESE = "outbox_id not in (select value from json_each(?))"
_READ_AT_ONCE = 50  #: pieces of evidence, so that a batch's limit is not overshot by much
UNREADABLE = "unreadable: it cannot be decrypted on the lane"
DAMAGED = "damaged: what it announces is not in the lane's database as it was written"


class Outbox(Evidence):
    def outbox_pending(self, limit: int = 100) -> list[OutboxRow]:
        """The oldest of the record, then of the evidence."""
        rows = self._rows(
            f"select outbox_id, kind, ref, created_at from outbox where {_PENDING}"
            " order by evidence, outbox_id limit ?",
            limit,
        )
        return [OutboxRow(*row) for row in rows]

    def outbox_batch(self, most: int, most_bytes: int, without: Collection[int] = ()) -> list[Item]:
        """What waits, at least one, no more than so many or so large: the oldest entries and heads,
        then the oldest evidence; `without` these rows.

        Evidence that is not here any more, what cannot be decrypted, and what somebody has bent in
        the database is marked and left out: the rest must not wait for it.
        """
        batch = _Batch(most, most_bytes, json.dumps(sorted(without)))
        if self._add_record(batch):
            while self._add_evidence(batch):
                pass
        return batch.items

    def _add_record(self, batch: _Batch) -> bool:
        """Whether there is room and nothing of the record left."""
        rows = self._rows(
            "select outbox_id, outbox.kind, ref, cast(coalesce(entry, note) as blob) from outbox"
            " left join journal on outbox.kind = 'journal' and seq = ref"
            " left join checkpoints on outbox.kind = 'checkpoint' and size = ref"
            f" where evidence = 0 and {_PENDING} and {_NOT_THESE} order by outbox_id limit ?",
            batch.without,
            (most := batch.room + 1),
        )
        for outbox_id, kind, ref, written in rows:
            if (text := _text(written)) is None:
                self.outbox_answered([], {outbox_id: DAMAGED})
            elif not batch.add(Item(outbox_id, kind, ref, text)):
                return False
        return len(rows) < most

    def _add_evidence(self, batch: _Batch) -> bool:
        """Whether there may be more, and room for it."""
        rows = self._rows(
            f"select outbox_id, kind, ref from outbox where evidence = 1 and {_PENDING}"
            f" and {_NOT_THESE} and outbox_id > ? order by outbox_id limit ?",
            batch.without,
            batch.evidence_to,
            min(batch.room, _READ_AT_ONCE),
        )
        for outbox_id, kind, ref in rows:
            try:
                plain = self.evidence(EvidenceKind(kind), ref)
            except KeyFileProblem:
                raise
            except ValueError:
                self.outbox_answered([], {outbox_id: DAMAGED})
                continue
            except StoreError:
                self.outbox_answered([], {outbox_id: UNREADABLE})
                continue
            if plain is None:
                self._forgotten(outbox_id)
                continue
            if not batch.add(Item(outbox_id, kind, ref, plain=plain)):
                return False
            batch.evidence_to = outbox_id
        return len(rows) > 0 and batch.room > 0

    def _forgotten(self, outbox_id: int) -> None:
        with self._transaction():
            self._db.execute(
                f"update outbox set gone = 'forgotten' where outbox_id = ? and {_PENDING}",
                [outbox_id],
            )

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
            self._drop_sent_reports()

    def outbox_acknowledge(self, outbox_id: int) -> None:
        self.outbox_answered([outbox_id], {})

    def outbox_again(self, since: int | None = None) -> int:
        """Send what was rejected once more, and what the centre had from entry `since` on, as far
        as the lane still has it: of reports it has none. Returns how many rows."""
        with self._transaction():
            cursor = self._db.execute("update outbox set rejected = null where rejected <> ''")
            rows = int(cursor.rowcount)
            if since is not None:
                cursor = self._db.execute(
                    "update outbox set acknowledged_at = null where ref >= ? and gone is null"
                    " and acknowledged_at is not null and kind not in (?, ?)",
                    [since, EvidenceKind.REPORT.value, EvidenceKind.REPORT_TABLE.value],
                )
                rows += int(cursor.rowcount)
        return rows

    def outbox_rejected(self, limit: int = 100) -> list[dict[str, Any]]:
        """Oldest first: what the centre did not take, and why."""
        rows = self._rows(
            "select outbox_id, kind, ref, created_at, rejected from outbox"
            " where acknowledged_at is null and rejected is not null and gone is null"
            " order by +outbox_id limit ?",  # not all rows in their order
            limit,
        )
        names = ("outbox_id", "kind", "ref", "created_at", "why")
        return [dict(zip(names, row, strict=True)) for row in rows]

    def outbox_oldest(self) -> str | None:
        """Since when something waits, ISO time."""
        rows = [
            self._row(
                f"select created_at from outbox where evidence = {evidence} and {_PENDING}"
                " order by outbox_id limit 1"
            )
            for evidence in (0, 1)
        ]
        return min((str(row[0]) for row in rows if row), default=None)

    def outbox_size(self) -> tuple[int, int]:
        """How many wait, how many there are."""
        waiting, total = self._rows(
            f"select count(*) filter (where {_PENDING}), count(*) from outbox"
        )[0]
        return waiting, total

    def outbox_kinds(self) -> list[Waiting]:
        """Each kind of which there is a row, the record first.

        Quick among millions that were acknowledged: the lane stands still meanwhile.
        """
        totals = dict(self._rows("select kind, count(*) from outbox group by kind"))
        rest = {
            kind: counts
            for kind, *counts in self._rows(
                f"select kind, count(*) filter (where {_PENDING}),"
                " count(*) filter (where rejected is not null and gone is null),"
                " count(*) filter (where gone = 'thinned'),"
                " count(*) filter (where gone = 'forgotten')"
                " from outbox where acknowledged_at is null group by kind"
            )
        }
        known = ("journal", "checkpoint", *EvidenceKind)
        order = [kind for kind in known if kind in totals]
        order += sorted(set(totals) - set(order), key=str)
        return [Waiting(kind, totals[kind], *rest.get(kind, (0, 0, 0, 0))) for kind in order]


def _text(written: bytes | None) -> str | None:
    """None: it is not there, or is no text that JSON could be."""
    try:
        text = (written or b"\0").decode()
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


class _Batch:
    """Items up to a number and a size, at least one."""

    def __init__(self, most: int, most_bytes: int, without: str = "[]") -> None:
        self.without = without  #: a JSON list of rows
        self.items: list[Item] = []
        self.evidence_to = 0  #: outbox_id of the last piece of evidence in it
        self._most, self._most_bytes, self._size = most, most_bytes, 0

    @property
    def room(self) -> int:
        return self._most - len(self.items)

    def add(self, item: Item) -> bool:
        """False: there is no room for it."""
        if self.items and (self.room <= 0 or self._size + item.size > self._most_bytes):
            return False
        self.items.append(item)
        self._size += item.size
        return True
