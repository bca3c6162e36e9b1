"""The journal: what was decided and done, append-only, each entry a leaf of a Merkle tree.

Owns entries, tree and outbox rows; knows sessions and candidates only by id and pseudonym.
Every call runs inside the caller's transaction.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlite_utils import Database

from kiosk.clock import Clock
from kiosk.core.codes import JournalKind, Reason
from kiosk.core.merkle import EMPTY_ROOT, Frontier, leaf_hash
from kiosk.store.errors import StoreError

#: A wall clock that is behind the last entry by more than this has been set back.
STEP_BACK_S = 1.0
#: Kept beside the entry's text for searching; they must say the same.
_COLUMNS = ("seq", "at", "monotonic", "kind", "reason", "session_id", "pseudonym", "terminal")


@dataclass(frozen=True, slots=True)
class Entry:
    seq: int
    at: datetime
    kind: str
    reason: str | None
    session_id: str | None
    pseudonym: str | None
    terminal: str | None
    payload: dict[str, Any]
    leaf_hash: str  #: hex


def canonical(body: dict[str, Any]) -> str:
    """The entry's bytes as text: JSON, sorted keys, no spaces, UTF-8."""
    return json.dumps(
        body, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


class Journal:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._db = database
        self._clock = clock

    def append(
        self,
        kind: JournalKind,
        reason: Reason | None,
        *,
        session_id: str | None,
        pseudonym: str | None,
        terminal: str | None,
        payload: dict[str, Any],
    ) -> Entry:
        """Add one entry; a clock that was set back is said first."""
        now = self._clock.now()
        last = self.last_at()
        if last is not None and (last - now).total_seconds() > STEP_BACK_S:
            said = self._db.execute(
                "select kind from journal order by seq desc limit 1"
            ).fetchone()[0]
            if said != JournalKind.CLOCK_STEPPED_BACK:
                self._append(
                    JournalKind.CLOCK_STEPPED_BACK,
                    None,
                    None,
                    None,
                    None,
                    {"from": last.isoformat(), "to": now.isoformat()},
                    now,
                )
        return self._append(kind, reason, session_id, pseudonym, terminal, payload, now)

    def _append(
        self,
        kind: JournalKind,
        reason: Reason | None,
        session_id: str | None,
        pseudonym: str | None,
        terminal: str | None,
        payload: dict[str, Any],
        now: datetime,
    ) -> Entry:
        tree = self._frontier()
        seq = tree.size + 1
        at = now.astimezone(UTC).isoformat(timespec="microseconds")
        monotonic = round(self._clock.monotonic(), 6)
        body: dict[str, Any] = {
            "seq": seq,
            "at": at,
            "monotonic": monotonic,
            "kind": kind.value,
            "reason": reason.value if reason else None,
            "session_id": session_id,
            "pseudonym": pseudonym,
            "terminal": terminal,
            "payload": payload,
        }
        text = canonical(body)
        leaf = leaf_hash(text.encode())
        tree.append(leaf)
        self._db.execute(
            "insert into journal values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                seq,
                at,
                monotonic,
                kind.value,
                body["reason"],
                session_id,
                pseudonym,
                terminal,
                text,
                leaf.hex(),
                tree.root().hex(),
            ],
        )
        self._db.execute(
            "update tree set size = ?, peaks = ?", [tree.size, json.dumps(tree.to_list())]
        )
        self._db.execute(
            "insert into outbox (kind, ref, created_at) values ('journal', ?, ?)", [seq, at]
        )
        return Entry(
            seq,
            now,
            kind.value,
            body["reason"],
            session_id,
            pseudonym,
            terminal,
            payload,
            leaf.hex(),
        )

    def _frontier(self) -> Frontier:
        row = self._db.execute("select size, peaks from tree").fetchone()
        try:
            return Frontier.from_list(row[0], json.loads(row[1]))
        except (TypeError, ValueError) as error:
            raise StoreError(
                "the journal's tree is damaged; nothing can be recorded: keep the disk as it is "
                "and restore a copy"
            ) from error

    def last_at(self) -> datetime | None:
        row = self._db.execute("select at from journal order by seq desc limit 1").fetchone()
        return datetime.fromisoformat(row[0]) if row else None

    def head(self) -> tuple[int, str]:
        """Size of the tree and its root, hex."""
        tree = self._frontier()
        return tree.size, tree.root().hex()

    def root_at(self, size: int) -> bytes | None:
        """The root as it was with so many entries; None when there were never so many."""
        if size == 0:
            return EMPTY_ROOT
        row = self._db.execute("select root from journal where seq = ?", [size]).fetchone()
        return bytes.fromhex(row[0]) if row else None

    def leaves(self, size: int) -> list[bytes]:
        """Leaf hashes of the first `size` entries."""
        rows = self._db.execute("select leaf_hash from journal where seq <= ? order by seq", [size])
        return [bytes.fromhex(leaf) for (leaf,) in rows]

    def texts(self, first: int, last: int) -> Iterator[tuple[str, str]]:
        """Each entry's exact text and leaf hash, hex, from `first` to `last`."""
        query = "select entry, leaf_hash from journal where seq between ? and ? order by seq"
        yield from self._db.execute(query, [first, last])

    def entries(self, after: int, limit: int, session_id: str | None) -> list[Entry]:
        """Entries with seq > `after`, oldest first; of one session where given."""
        one = "" if session_id is None else "and session_id = :session_id"
        rows = self._db.execute(
            f"select entry, leaf_hash from journal where seq > :after {one} order by seq"
            " limit :limit",
            {"after": after, "limit": limit, "session_id": session_id},
        )
        return [_entry(json.loads(text), leaf) for text, leaf in rows]

    def last_gate_event(self, events: Sequence[str]) -> str | None:
        """The newest of these in a `gate_event` of any session; None: there was none."""
        row = self._db.execute(
            "select json_extract(entry, '$.payload.event') as event from journal"
            f" where kind = 'gate_event' and event in ({','.join('?' * len(events))})"
            " order by seq desc limit 1",
            list(events),
        ).fetchone()
        return str(row[0]) if row else None

    def last_trial(self) -> tuple[str | None, dict[str, Any]] | None:
        """Session and payload of the newest pulse by hand; None: there was none."""
        row = self._db.execute(
            "select session_id, json_extract(entry, '$.payload') as payload from journal"
            " where kind = 'device_tried' and json_extract(payload, '$.action') = 'pulse'"
            " order by seq desc limit 1"
        ).fetchone()
        return (row[0], json.loads(row[1])) if row else None

    def verify(self, heads: Mapping[int, str] | None = None) -> list[str]:
        """Recompute everything; one sentence for each thing that is wrong, naming the entry.

        `heads`: size → root, hex, as they were signed.
        """
        problems: list[str] = []
        signed = dict(heads or {})
        bent_since: int | None = None
        tree = Frontier()
        expected = 1
        query = f"select {', '.join(_COLUMNS)}, entry, leaf_hash, root from journal order by seq"
        for *values, text, leaf, root in self._db.execute(query):
            seq = values[0]
            if seq != expected:
                problems.append(f"entry {expected}: missing; the next one is {seq}")
            expected = seq + 1
            columns = dict(zip(_COLUMNS, values, strict=True))
            problems += _differences(seq, columns, str(text), leaf)
            tree.append(leaf_hash(str(text).encode()))
            if not problems and tree.root().hex() != root:
                problems.append(f"entry {seq}: the tree's root differs from the one recorded")
            head = signed.pop(seq, None)
            if head is not None and bent_since is None and head != tree.root().hex():
                bent_since = seq
        if bent_since is not None:
            fits = max((n for n in heads or () if n < bent_since), default=0)
            problems.append(
                f"signed head of size {bent_since}: does not fit; something from entry {fits + 1} "
                f"to {bent_since} was changed after it was signed"
            )
        if signed:
            problems.append(
                f"signed head of size {max(signed)}: has no such entry; the journal was cut off "
                f"after entry {expected - 1}, or entries were taken out"
            )
        return problems + self._end_problems(expected, tree, bool(problems))

    def _end_problems(self, expected: int, tree: Frontier, bent: bool) -> list[str]:
        """What is wrong after the last entry: a tail cut off, a tree or outbox that differ."""
        found = []
        row = self._db.execute("select size, peaks from tree").fetchone()
        size, peaks = row or (0, "")
        if size != expected - 1:
            found.append(f"entry {expected}: the tree has {size} leaves, the journal ends here")
        elif not bent and peaks != json.dumps(tree.to_list()):
            found.append("the tree kept for appending differs from the journal")
        unsent = self._db.execute(
            "select seq from journal where seq not in (select ref from outbox where kind ="
            " 'journal') order by seq limit 3"
        )
        found += [f"entry {seq}: is not in the outbox" for (seq,) in unsent]
        return found


def _entry(body: dict[str, Any], leaf: str) -> Entry:
    return Entry(
        body["seq"],
        datetime.fromisoformat(body["at"]),
        body["kind"],
        body["reason"],
        body["session_id"],
        body["pseudonym"],
        body["terminal"],
        body["payload"],
        leaf,
    )


def _differences(seq: int, columns: dict[str, Any], text: str, leaf: str) -> list[str]:
    problems = []
    if leaf_hash(text.encode()).hex() != leaf:
        problems.append(f"entry {seq}: its content does not fit its hash")
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        return [*problems, f"entry {seq}: its text is not an entry"]
    for name, value in columns.items():
        if body.get(name) != value:
            problems.append(f"entry {seq}: column {name} differs from the entry's own text")
    return problems
