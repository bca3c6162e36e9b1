"""Merkle tree hashing as in RFC 6962 §2.1: leaf 0x00, node 0x01, SHA-256.

Pure arithmetic on hashes; knows nothing of entries or where they are kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(data: bytes) -> bytes:
    """Hash of one entry's bytes as a leaf."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


class Frontier:
    """The right edge of a growing tree: appending costs O(log n), whatever its size.

    `peaks` are the roots of the complete subtrees from left (largest) to right; together with
    the size they determine the root, so they are all that has to be kept to go on.
    """

    def __init__(self, size: int = 0, peaks: Iterable[bytes] = ()) -> None:
        self.size = size
        self.peaks = list(peaks)
        if len(self.peaks) != size.bit_count():
            raise ValueError(f"{len(self.peaks)} peaks do not fit a tree of {size} leaves")

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash."""
        self.peaks.append(leaf)
        size = self.size
        while size & 1:  # each trailing one-bit is a complete subtree to be merged
            right = self.peaks.pop()
            self.peaks.append(node_hash(self.peaks.pop(), right))
            size >>= 1
        self.size += 1

    def root(self) -> bytes:
        """Root of the tree as it is now (RFC 6962 §2.1)."""
        if not self.peaks:
            return EMPTY_ROOT
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = node_hash(peak, root)
        return root

    def to_list(self) -> list[str]:
        """Peaks as hex, for keeping."""
        return [peak.hex() for peak in self.peaks]

    @classmethod
    def from_list(cls, size: int, peaks: Iterable[str]) -> Frontier:
        return cls(size, (bytes.fromhex(peak) for peak in peaks))


def root_of(leaves: Iterable[bytes]) -> bytes:
    """Root over leaf hashes, from the beginning."""
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    return frontier.root()
