"""The draw (抽号): a uniform choice among the pool of terminals that anyone can recompute.

Pure: seed, number, pseudonym and signature hash come in, a terminal comes out. It must not
know where the seed is kept or who asks. docs/draw.md has the exact bytes.

Two sources of randomness are mixed with HMAC-SHA256 (RFC 2104): the session's secret seed,
fixed before the first candidate comes and committed to in the journal, so that the venue
cannot choose; and the hash of the signature just given, so that nobody who learnt the seed
could have planned the result.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count

from kiosk.core.hall import sort_names

SEED_BYTES = 32
DRAW_TAG = "examgate/draw/v2"
SEED_TAG = "examgate/seed/v2"
_BLOCK_BITS = 256


@dataclass(frozen=True, slots=True)
class Draw:
    """A drawn terminal with what is needed to check it."""

    terminal: str
    index: int  #: place in the sorted pool, from 0
    free_hash: str  #: SHA-256 of the free terminals, hex
    pool_hash: str  #: SHA-256 of the pool, hex
    rounds: int  #: how many blocks rejection sampling took; nearly always 1


def commitment(seed: bytes, session_id: str, hall_sha256: str) -> str:
    """What is published when the session opens: SHA-256, hex, over seed, session and hall."""
    _check_seed(seed)
    text = "\n".join((SEED_TAG, session_id, hall_sha256, seed.hex()))
    return hashlib.sha256(text.encode()).hexdigest()


def names_hash(names: Iterable[str]) -> str:
    """SHA-256, hex, over the names sorted by their bytes, one a line (UTF-8, LF after each)."""
    return hashlib.sha256("".join(f"{name}\n" for name in sort_names(names)).encode()).hexdigest()


def message(
    *,
    session_id: str,
    draw_no: int,
    pseudonym: str,
    signature_sha256: str,
    free_hash: str,
    pool_hash: str,
) -> str:
    """What a draw depends on besides the seed, one a line, no LF at the end."""
    return "\n".join(
        (DRAW_TAG, session_id, str(draw_no), pseudonym, signature_sha256, free_hash, pool_hash)
    )


def draw_terminal(
    *,
    seed: bytes,
    session_id: str,
    draw_no: int,
    pseudonym: str,
    signature_sha256: str,
    free: Sequence[str],
    pool: Sequence[str],
) -> Draw:
    """Choose one of `pool` uniformly; the order of the lists does not matter.

    `seed` is 32 bytes; `draw_no` counts the session's draws from 1; `signature_sha256` is hex.
    Raises `ValueError` when the pool is empty, is not a part of `free`, or a name is there twice.
    """
    _check_seed(seed)
    if not pool:
        raise ValueError("no terminal to draw from")
    for names in (free, pool):
        if len(set(names)) != len(names):
            raise ValueError("a terminal is listed twice")
    if not set(pool) <= set(free):
        raise ValueError("a terminal of the pool is not free")
    free_hash, pool_hash = names_hash(free), names_hash(pool)
    text = message(
        session_id=session_id,
        draw_no=draw_no,
        pseudonym=pseudonym,
        signature_sha256=signature_sha256,
        free_hash=free_hash,
        pool_hash=pool_hash,
    )
    index, rounds = uniform(blocks(seed, text), len(pool))
    return Draw(sort_names(pool)[index], index, free_hash, pool_hash, rounds)


def blocks(seed: bytes, text: str) -> Iterator[bytes]:
    """HMAC-SHA256(seed, text LF round) for round 0, 1, 2, …"""
    return (hmac.digest(seed, f"{text}\n{n}".encode(), "sha256") for n in count())


def uniform(of: Iterable[bytes], size: int) -> tuple[int, int]:
    """An unbiased number below `size` and how many blocks that took.

    A block, read as a big-endian number, is used when it lies below the largest multiple of
    `size` that 256 bits hold; otherwise the next one is asked for.
    """
    limit = (1 << _BLOCK_BITS) - (1 << _BLOCK_BITS) % size
    for rounds, block in enumerate(of, 1):
        value = int.from_bytes(block, "big")
        if value < limit:
            return value % size, rounds
    raise ValueError("the blocks have run out")


def _check_seed(seed: bytes) -> None:
    if len(seed) != SEED_BYTES:
        raise ValueError(f"the seed has {len(seed)} bytes instead of {SEED_BYTES}")
