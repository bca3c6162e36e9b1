"""Signed tree heads: made when the journal has grown, kept for good, and the newest one also
outside the database, by which a database that was put back is noticed.

Knows sizes and roots, not what the entries say.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kiosk.core.checkpoint import Head
from kiosk.core.codes import JournalKind
from kiosk.durable import write_whole
from kiosk.store.base import Base
from kiosk.store.errors import StoreError
from kiosk.store.signer import Signer

ANCHOR = "anchor"  #: file name, beside the database


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A signed head as it is kept."""

    size: int
    at: str
    note: str  #: docs/journal.md, Signed heads


class Heads(Base):
    _signer: Signer
    _anchor: Path
    restored = False  #: found at this start: the database is older than what was signed

    @property
    def vkey(self) -> str:
        return self._signer.vkey

    @property
    def origin(self) -> str:
        return self._signer.origin

    def sign_text(self, text: str) -> str:
        """A signed note by the journal's key; see `Signer.sign_text`."""
        return self._signer.sign_text(text)

    def sign_head(self) -> Checkpoint | None:
        """Sign the tree as it is, unless that has been done. None while the journal is empty."""
        last = self.newest_checkpoint()
        size, root = self._journal.head()
        if size == (last.size if last else 0):
            return last
        note = self._signer.sign(size, bytes.fromhex(root))
        made = Checkpoint(size, self._now(), note)
        with self._transaction():
            self._db.execute(
                "insert into checkpoints (size, at, note) values (?, ?, ?)",
                [made.size, made.at, made.note],
            )
            self._db.execute(
                "insert into outbox (kind, ref, created_at) values ('checkpoint', ?, ?)",
                [made.size, made.at],
            )
        self._write_anchor(made)
        return made

    def newest_checkpoint(self) -> Checkpoint | None:
        row = self._row("select size, at, note from checkpoints order by size desc limit 1")
        return Checkpoint(*row) if row else None

    def checkpoints(self, first: int, last: int) -> list[Checkpoint]:
        """Those of `first` ≤ size ≤ `last`, smallest first."""
        rows = self._rows(
            "select size, at, note from checkpoints where size between ? and ? order by size",
            first,
            last,
        )
        return [Checkpoint(*row) for row in rows]

    def verify(self) -> list[str]:
        """Recompute journal and heads; one sentence for each thing that is wrong."""
        try:
            heads, problems = self._checked_heads()
            return self._journal.verify(heads) + problems + list(self._anchor_problems())
        except sqlite3.Error as error:
            return [f"the journal cannot be read to its end: {error}"]

    def _checked_heads(self) -> tuple[dict[int, str], list[str]]:
        """Size → root, hex, of the heads that we did sign; and what is wrong with others."""
        heads: dict[int, str] = {}
        problems: list[str] = []
        for size, note in self._db.execute("select size, note from checkpoints order by size"):
            try:
                head = self._signer.check(str(note))
            except ValueError as error:
                problems.append(f"signed head of size {size}: {error}")
                continue
            if head.size != size:
                problems.append(f"signed head of size {size}: is really of size {head.size}")
            heads[head.size] = head.root.hex()
        return heads, problems

    # --- the anchor -----------------------------------------------------------------------------

    def _write_anchor(self, newest: Checkpoint) -> None:
        """Whole or not at all, whenever the power goes."""
        try:
            write_whole(self._anchor, newest.note.encode())
        except OSError as error:
            raise StoreError(f"{self._anchor}: cannot be written ({error.strerror})") from error

    def _read_anchor(self) -> Head | None:
        """None when there is none. Raises `ValueError` when it is not one of ours."""
        try:
            return self._signer.check(self._anchor.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ValueError(f"cannot be read ({error.strerror})") from error

    def _fits(self, head: Head) -> bool:
        """Whether the journal as it is begins with what was signed."""
        row = self._row("select root from journal where seq = ?", head.size)
        return row is not None and row[0] == head.root.hex()

    def _compare_with_anchor(self) -> None:
        """At the start: own up to a database that was put back, and go on with it.

        Nothing is repaired and nothing hidden: what is missing is missing, the journal says
        so, and the checkpoint that proves it is in the entry.
        """
        newest = self.newest_checkpoint()
        try:
            head = self._read_anchor()
        except ValueError as error:
            self._own_up(JournalKind.ANCHOR_LOST, {"why": str(error)})
            return
        if head is None:
            if newest is not None:
                self._own_up(JournalKind.ANCHOR_LOST, {"why": "missing"})
        elif not self._fits(head):
            size, root = self._journal.head()
            self.restored = True
            self._own_up(
                JournalKind.JOURNAL_RESTORED,
                {
                    "anchor": self._anchor.read_text(encoding="utf-8"),
                    "anchor_size": head.size,
                    "size": size,
                    "root": root,
                    "lost": max(0, head.size - size),
                },
            )

    def _own_up(self, kind: JournalKind, payload: dict[str, Any]) -> None:
        with self._transaction():
            self._note(kind, payload=payload)
        self.sign_head()

    def _anchor_problems(self) -> Iterator[str]:
        newest = self.newest_checkpoint()
        try:
            head = self._read_anchor()
        except ValueError as error:
            yield f"the anchor {self._anchor}: {error}"
            return
        if head is None:
            if newest is not None:
                yield f"the anchor {self._anchor}: is missing"
        elif not self._fits(head):
            yield (
                f"the anchor {self._anchor}: says that the journal had {head.size} entries of "
                "another content: an older copy of the database was put back"
            )
