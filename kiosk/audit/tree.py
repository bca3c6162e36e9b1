"""Checks sequence, times, hashes and signatures of a record, and heads that others have kept.

Knows nothing of what entries mean, but for the two kinds by which it must find the first draw
and a clock that was set back.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from kiosk.audit.findings import Code, Finding
from kiosk.audit.record import Record, moment, parse_json, read_hashes
from kiosk.core.checkpoint import Head, key_id, parse_note, parse_signed, parse_vkey
from kiosk.core.codes import JournalKind
from kiosk.core.merkle import Frontier, consistency_holds

STEP_BACK_S = 1.0
PROOF_FORMAT = "examgate-consistency/1"


@dataclass(frozen=True, slots=True)
class Kept:
    """A signed head that somebody has kept, by the name of its file."""

    name: str
    note: str


@dataclass(frozen=True, slots=True)
class Consistency:
    """A proof that the head `old` is the beginning of the head `new` (examgate journal prove)."""

    old: str
    new: str
    proof: tuple[bytes, ...]


def read_consistency(text: str) -> Consistency:
    """As examgate journal prove writes it. Raises `ValueError`."""
    found = parse_json(text)
    if not isinstance(found, dict) or found.get("format") != PROOF_FORMAT:
        raise ValueError(f"does not say {PROOF_FORMAT}")
    notes = [found.get("old"), found.get("new")]
    if not all(isinstance(note, str) for note in notes):
        raise ValueError("has not the two signed heads")
    return Consistency(str(notes[0]), str(notes[1]), read_hashes(found.get("proof")))


class Key:
    """The public key of one journal. Raises `ValueError` when it is none."""

    def __init__(self, vkey: str) -> None:
        self.vkey = vkey.strip()
        self.origin, raw = parse_vkey(vkey)
        self._id = key_id(self.origin, raw)
        self._key = Ed25519PublicKey.from_public_bytes(raw)

    def text(self, note: str) -> str:
        """Any signed text. Raises `ValueError` with what is wrong."""
        text, identity, signature = parse_signed(note, self.origin)
        if identity != self._id:
            raise ValueError("signed with another key")
        try:
            self._key.verify(signature, text.encode())
        except InvalidSignature:
            raise ValueError("the signature does not fit") from None
        return text

    def head(self, note: str) -> Head:
        """The head that was signed. Raises `ValueError` with what is wrong."""
        found = parse_note(note, self.origin)
        if found.key_id != self._id:
            raise ValueError("signed with another key")
        try:
            self._key.verify(found.signature, found.text.encode())
        except InvalidSignature:
            raise ValueError("the signature does not fit") from None
        if found.head.origin != self.origin:
            raise ValueError(f"is of another journal, {found.head.origin}")
        return found.head


def check_order(record: Record) -> Iterator[Finding]:
    """Numbers without gaps; times that do not go back unsaid."""
    before: datetime | None = None
    expected = record.first
    for entry in record.entries:
        if entry.seq != expected:
            yield Finding(Code.SEQUENCE, entry.seq, "sequence", {"expected": expected})
        expected = entry.seq + 1
        try:
            at = moment(entry.at)
        except ValueError:
            yield Finding(Code.FORM, entry.seq, "payload", {"why": "at"})
            continue
        if before is not None and entry.kind != JournalKind.CLOCK_STEPPED_BACK:
            back_s = (before - at).total_seconds()
            if back_s > STEP_BACK_S:
                yield Finding(Code.CLOCK, entry.seq, "clock", {"seconds": round(back_s, 1)})
        before = at


class Tree:
    """The journal as this record shows it: roots from `first` − 1 to its last entry."""

    def __init__(self, record: Record) -> None:
        """Raises `ValueError` when the peaks do not fit `first`."""
        self._record = record
        self.start = record.first - 1
        tree = Frontier(self.start, record.peaks)
        self._roots = [tree.root()]
        for leaf in record.leaves:
            tree.append(leaf)
            self._roots.append(tree.root())

    def root(self, size: int) -> bytes | None:
        """None when that size is not within the record."""
        within = self.start <= size <= self._record.last
        return self._roots[size - self.start] if within else None


def check_leaves(record: Record) -> Iterator[Finding]:
    for entry, leaf in zip(record.entries, record.leaves, strict=True):
        if entry.leaf != leaf:
            yield Finding(Code.CHANGED, entry.seq, "changed")


def check_heads(record: Record, tree: Tree, key: Key) -> Iterator[Finding]:
    """Signatures, roots, and that everything is signed; ends with the earlier head."""
    heads: dict[int, Head] = {}
    for signed in record.heads:
        try:
            head = key.head(signed.note)
        except ValueError as error:
            args = {"line": signed.line, "why": str(error)}
            yield Finding(Code.SIGNATURE, 0, "head_signature", args)
            continue
        if head.size in heads:
            yield Finding(Code.HEAD, 0, "head_twice", {"size": head.size})
        heads[head.size] = head
    yield from _fit(tree, heads)
    signed_to = max(heads, default=0)
    if not heads:
        yield Finding(Code.UNSIGNED, record.first, "no_head")
    elif signed_to < record.last:
        yield Finding(Code.UNSIGNED, signed_to + 1, "tail", {"size": signed_to})
    yield from _opening(record, heads)
    if record.earlier is not None and signed_to in heads:
        yield from _check_earlier(record, heads[signed_to], key)


def _fit(tree: Tree, heads: Mapping[int, Head]) -> Iterator[Finding]:
    fits = tree.start
    for size, head in sorted(heads.items()):
        root = tree.root(size)
        if root is None or size == tree.start:
            yield Finding(Code.HEAD, 0, "head_range", {"size": size})
        elif root != head.root:
            yield Finding(Code.HEAD, fits + 1, "head_root", {"size": size, "first": fits + 1})
            return  # everything after it rests on the same wrong entries
        else:
            fits = size


def _opening(record: Record, heads: Mapping[int, Head]) -> Iterator[Finding]:
    """A commitment counts when it was signed before anybody drew."""
    draws = (e.seq for e in record.entries if e.kind == JournalKind.SEAT_DRAWN)
    drawn = next(draws, None)
    if drawn is not None and not any(record.first <= size < drawn for size in heads):
        yield Finding(Code.UNSIGNED, drawn, "opening_unsigned")


def _check_earlier(record: Record, newest: Head, key: Key) -> Iterator[Finding]:
    assert record.earlier is not None
    try:
        old = key.head(record.earlier.note)
        if old.size >= record.first:
            raise ValueError("is not earlier")
        proof = record.earlier.proof
        if not consistency_holds(old.size, newest.size, old.root, newest.root, proof):
            raise ValueError("the proof does not lead to the last head")
    except ValueError as error:
        yield Finding(Code.EARLIER, 0, "earlier", {"why": str(error)})


def check_kept(
    record: Record, tree: Tree, key: Key, kept: Sequence[Kept], proofs: Sequence[Consistency]
) -> Iterator[Finding]:
    """Heads from outside: the one thing that shows an exchanged past."""
    for one in kept:
        try:
            head = key.head(one.note)
        except ValueError as error:
            yield Finding(Code.SIGNATURE, 0, "kept_bad", {"name": one.name, "why": str(error)})
            continue
        args = {"name": one.name, "size": head.size, "last": record.last}
        fits = _is_of(record, tree, key, head, proofs)
        if fits is None:
            newer = head.size > record.last
            yield Finding(Code.UNPROVEN, 0, "unproven_newer" if newer else "unproven", args)
        elif not fits:
            yield Finding(Code.FORK, 0, "fork", args)


def _is_of(
    record: Record, tree: Tree, key: Key, head: Head, proofs: Sequence[Consistency]
) -> bool | None:
    """Whether this head is of the record's journal; None when that cannot be told."""
    root = tree.root(head.size)
    if root is not None:
        return root == head.root
    if record.earlier is not None:
        with contextlib.suppress(ValueError):
            earlier = key.head(record.earlier.note)
            if earlier.size == head.size:
                return earlier.root == head.root
    for proof in proofs:
        with contextlib.suppress(ValueError):
            found = _by_proof(tree, head, key.head(proof.old), key.head(proof.new), proof.proof)
            if found is not None:
                return found
    return None


def _by_proof(tree: Tree, head: Head, old: Head, new: Head, proof: Sequence[bytes]) -> bool | None:
    """From an older head into the record, or from the record to a newer head."""
    older, newer = old.size == head.size, new.size == head.size
    root = tree.root(new.size if older else old.size)
    if not (older or newer) or root is None:
        return None
    ends = (head.root, root) if older else (root, head.root)
    return (old.root, new.root) == ends and consistency_holds(old.size, new.size, *ends, proof)
