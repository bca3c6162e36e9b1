"""What is handed to others so that they can check: a session's record, and proofs over the tree.

Owns the record's form (docs/journal.md, The record); decides nothing and changes nothing but
that it signs the tree first.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kiosk.core.codes import JournalKind
from kiosk.core.merkle import Frontier, consistency_proof, inclusion_proof, inclusion_proofs
from kiosk.store.errors import StoreRefused, no_session
from kiosk.store.heads import Checkpoint, Heads
from kiosk.told import Told

FORMAT = "examgate-record/1"

#: The entries with which a session ends; later ones that name it do not prolong its record.
_LAST = (
    JournalKind.SESSION_CLOSED,
    JournalKind.GATE_PULSE,
    JournalKind.GATE_OUTCOME,
    JournalKind.ADMITTED,
    JournalKind.LEFT,
)


@dataclass(frozen=True, slots=True)
class Proof:
    """Hashes, in the order of RFC 6962, and the signed head that they lead to."""

    path: tuple[bytes, ...]
    head: Checkpoint


class Records(Heads):
    def inclusion_proof(self, seq: int, size: int | None = None) -> Proof:
        """That entry `seq` is in the journal. `size`: of a signed head; else a new one is made.

        Raises `StoreRefused` when there is no such entry or head.
        """
        head = self._head_of(size)
        if not 1 <= seq <= head.size:
            raise StoreRefused(Told(
                f"the journal of {head.size} entries has no entry {seq}",
                f"日志共 {head.size} 条，没有第 {seq} 条",
            ))  # fmt: skip
        leaves = self._journal.leaves(head.size)
        return Proof(tuple(inclusion_proof(leaves, seq - 1)), head)

    def proofs(self, seqs: Sequence[int]) -> tuple[dict[str, list[str]], str]:
        """That these entries are in the journal: number → hashes, hex; and the head they lead to,
        which is new."""
        head = self._head_of(None)
        paths = inclusion_proofs(self._journal.leaves(head.size), [seq - 1 for seq in seqs])
        found = {str(at + 1): [node.hex() for node in path] for at, path in paths.items()}
        return found, head.note

    def consistency_proof(self, old: int, size: int | None = None) -> Proof:
        """That the journal of `old` entries is the beginning of the one that a head signs.

        Raises `StoreRefused` when there is no such head.
        """
        head = self._head_of(size)
        if not 0 <= old <= head.size:
            raise StoreRefused(f"the journal of {head.size} entries has no beginning of {old}")
        return Proof(tuple(consistency_proof(self._journal.leaves(head.size), old)), head)

    def _head_of(self, size: int | None) -> Checkpoint:
        found = self.sign_head() if size is None else None
        if size is not None:
            found = next(iter(self.checkpoints(size, size)), None)
        if found is None:
            raise StoreRefused(f"no signed head has {size or 0} entries")
        return found

    def record(self, session_id: str) -> Iterator[str]:
        """A session's record, a line each, without line ends (docs/journal.md, The record).

        Raises `StoreRefused` when there is no such session or it was never opened.
        """
        first, size, heads = self.record_span(session_id)
        before = self._row("select max(size) from checkpoints where size < ?", first)
        earlier = None
        if before is not None and before[0]:
            proof = self.consistency_proof(before[0], size)
            note = self.checkpoints(before[0], before[0])[0].note
            earlier = {"note": note, "proof": [node.hex() for node in proof.path]}
        tree = Frontier()
        for leaf in self._journal.leaves(first - 1):
            tree.append(leaf)
        yield _json(
            {
                "format": FORMAT,
                "origin": self.origin,
                "vkey": self.vkey,
                "session_id": session_id,
                "first": first,
                "entries": size - first + 1,
                "checkpoints": len(heads),
                "peaks": tree.to_list(),
                "earlier": earlier,
            }
        )
        leaves: list[str] = []
        for text, leaf_hash in self._journal.texts(first, size):
            leaves.append(leaf_hash)
            yield text
        yield _json({"leaves": leaves})
        for head in heads:
            yield _json({"at": head.at, "note": head.note})

    def record_span(self, session_id: str) -> tuple[int, int, list[Checkpoint]]:
        """First and last entry of a session's record, and the signed heads over them.

        Signs the tree first. Raises `StoreRefused` as `record` does.
        """
        self.sign_head()
        first, last = self._span(session_id)
        size = int(self._rows("select min(size) from checkpoints where size >= ?", last)[0][0])
        return first, size, self.checkpoints(first, size)

    def _span(self, session_id: str) -> tuple[int, int]:
        """First and last entry that a session's record must have."""
        if self._row("select 1 from sessions where session_id = ?", session_id) is None:
            raise StoreRefused(no_session(session_id))
        opened = self._row(
            "select min(seq) from journal where session_id = ? and kind = ?",
            session_id,
            JournalKind.SESSION_OPENED.value,
        )
        if opened is None or opened[0] is None:
            raise StoreRefused(Told(
                f"session {session_id} has never been opened: it has no record yet",
                f"场次 {session_id} 没有开放过，还没有记录",
            ))  # fmt: skip
        closed = self._row(
            "select max(seq) from journal where session_id = ? and kind = ?",
            session_id,
            JournalKind.SESSION_CLOSED.value,
        )
        if closed is None or closed[0] is None:
            return int(opened[0]), self.tree_size()
        marks = ", ".join("?" * len(_LAST))
        last = self._rows(
            f"select max(seq) from journal where session_id = ? and kind in ({marks})",
            session_id,
            *(kind.value for kind in _LAST),
        )[0][0]
        return int(opened[0]), int(last)

    def tree_size(self) -> int:
        return self._journal.head()[0]


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
