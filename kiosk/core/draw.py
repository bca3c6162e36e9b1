"""The draw (抽号): a uniform choice among the free terminals that anyone can recompute.

Pure: seed, number, pseudonym and signature hash come in, a terminal comes out. It must not
know where the seed is kept or who asks.

Two sources of randomness are mixed with HMAC-SHA256 (RFC 2104): the session's secret seed,
fixed before the first candidate comes and committed to in the journal, so that the venue
cannot choose; and the hash of the signature just given, so that nobody who learnt the seed
could have planned the result.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass

SEED_BYTES = 32
_BLOCK_BITS = 256


@dataclass(frozen=True, slots=True)
class Draw:
    """A drawn terminal with what is needed to check it."""

    terminal: str
    index: int  #: position in the list of free terminals, from 0
    free_count: int
    free_hash: str  #: SHA-256 of the free terminals, hex
    rounds: int  #: how many blocks rejection sampling took; nearly always 1


def commitment(seed: bytes, session_id: str) -> str:
    """What is published when the session opens: SHA-256, hex, over a tagged seed."""
    _check_seed(seed)
    tagged = b"examgate/seed/v1\x00" + session_id.encode() + b"\x00" + seed
    return hashlib.sha256(tagged).hexdigest()


def free_hash(free_terminals: Sequence[str]) -> str:
    """SHA-256, hex, over the names in the given order, one a line (UTF-8, LF after each)."""
    return hashlib.sha256("".join(f"{name}\n" for name in free_terminals).encode()).hexdigest()


def draw_terminal(
    *,
    seed: bytes,
    draw_no: int,
    pseudonym: str,
    signature_sha256: str,
    free_terminals: Sequence[str],
) -> Draw:
    """Choose one of `free_terminals` uniformly.

    `seed` is 32 bytes; `draw_no` counts the session's draws from 1; `signature_sha256` is hex.
    Raises `ValueError` when the list is empty or holds a name twice.
    """
    _check_seed(seed)
    if not free_terminals:
        raise ValueError("no free terminal to draw from")
    if len(set(free_terminals)) != len(free_terminals):
        raise ValueError("a terminal is listed twice")
    hashed = free_hash(free_terminals)
    message = "\n".join(
        ("examgate/draw/v1", str(draw_no), pseudonym, signature_sha256, hashed)
    ).encode()
    index, rounds = _uniform(seed, message, len(free_terminals))
    return Draw(free_terminals[index], index, len(free_terminals), hashed, rounds)


def _uniform(seed: bytes, message: bytes, count: int) -> tuple[int, int]:
    """An unbiased number below `count`: blocks at or above the largest multiple are rejected."""
    limit = (1 << _BLOCK_BITS) - (1 << _BLOCK_BITS) % count
    rounds = 0
    while True:
        block = hmac.digest(seed, message + b"\n" + str(rounds).encode(), "sha256")
        rounds += 1
        value = int.from_bytes(block, "big")
        if value < limit:
            return value % count, rounds


def _check_seed(seed: bytes) -> None:
    if len(seed) != SEED_BYTES:
        raise ValueError(f"the seed has {len(seed)} bytes instead of {SEED_BYTES}")
