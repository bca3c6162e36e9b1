"""Merkle tree hashing and proofs as in RFC 6962 §2.1: leaf 0x00, node 0x01, SHA-256.

Pure arithmetic on hashes; knows nothing of entries or where they are kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

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


# --- proofs -------------------------------------------------------------------------------------


def inclusion_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The audit path of the leaf at `index` (from 0) in the tree over `leaves` (RFC 6962 §2.1.1).

    Raises `ValueError` when there is no such leaf.
    """
    if not 0 <= index < len(leaves):
        raise ValueError(f"no leaf {index} in a tree of {len(leaves)}")
    low, high = 0, len(leaves)
    path: list[bytes] = []
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            path.append(root_of(leaves[middle:high]))
            high = middle
        else:
            path.append(root_of(leaves[low:middle]))
            low = middle
    return path[::-1]


def inclusion_proofs(leaves: Sequence[bytes], indices: Iterable[int]) -> dict[int, list[bytes]]:
    """The audit paths of several leaves; each subtree is hashed once, however many they are.

    Raises `ValueError` when there is no such leaf.
    """
    wanted = sorted(set(indices))
    if wanted and not 0 <= wanted[0] <= wanted[-1] < len(leaves):
        raise ValueError(f"no leaf {wanted[0]} or {wanted[-1]} in a tree of {len(leaves)}")
    paths: dict[int, list[bytes]] = {index: [] for index in wanted}

    def root(low: int, high: int, within: list[int]) -> bytes:
        """Of the subtree; adds to the paths of the wanted leaves within, from below."""
        if not within:
            return root_of(leaves[low:high])
        if high - low == 1:
            return leaves[low]
        middle = low + _split(high - low)
        left = [index for index in within if index < middle]
        right = within[len(left) :]
        roots = root(low, middle, left), root(middle, high, right)
        for some, other in ((left, roots[1]), (right, roots[0])):
            for index in some:
                paths[index].append(other)
        return node_hash(*roots)

    if wanted:
        root(0, len(leaves), wanted)
    return paths


def inclusion_holds(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> bool:
    """Whether `proof` shows `leaf` at `index` in the tree with this root (RFC 9162 §2.1.3.2)."""
    if not 0 <= index < size:
        return False
    at, last, found = index, size - 1, leaf
    for node in proof:
        if last == 0:
            return False
        if at & 1 or at == last:
            found = node_hash(node, found)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            found = node_hash(found, node)
        at, last = at >> 1, last >> 1
    return last == 0 and found == root


def consistency_proof(leaves: Sequence[bytes], old: int) -> list[bytes]:
    """Shows that the tree over the first `old` leaves is the beginning of this one (§2.1.2).

    Raises `ValueError` when `old` is not between 0 and the number of leaves.
    """
    if not 0 <= old <= len(leaves):
        raise ValueError(f"a tree of {len(leaves)} has no beginning of {old}")
    if old in (0, len(leaves)):
        return []
    low, high, whole = 0, len(leaves), True  # whole: the verifier has the old root itself
    path: list[bytes] = []
    while old != high:
        middle = low + _split(high - low)
        if old <= middle:
            path.append(root_of(leaves[middle:high]))
            high = middle
        else:
            path.append(root_of(leaves[low:middle]))
            low, whole = middle, False
    if not whole:
        path.append(root_of(leaves[low:high]))
    return path[::-1]


def consistency_holds(
    old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]
) -> bool:
    """Whether `proof` shows that nothing before `old` was changed (RFC 9162 §2.1.4.2)."""
    if not 0 <= old <= new:
        return False
    if old == 0:
        return not proof and old_root == EMPTY_ROOT
    if old == new:
        return not proof and old_root == new_root
    path = list(proof)
    if old & (old - 1) == 0:  # the old tree is one complete subtree: its root starts the path
        path.insert(0, old_root)
    if not path:
        return False
    at, last = old - 1, new - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    first = second = path[0]
    for node in path[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            first, second = node_hash(node, first), node_hash(node, second)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            second = node_hash(second, node)
        at, last = at >> 1, last >> 1
    return last == 0 and (first, second) == (old_root, new_root)


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << ((size - 1).bit_length() - 1)
