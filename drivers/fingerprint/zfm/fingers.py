"""Synthetic fingers for the virtual reader: a name grows minutiae, a capture sees some of them.

No real person's data and no real algorithm: only the shape of a module's templates (two
halves of 256 bytes, a header beginning 03 01, records of four bytes, zeros to the end).
"""

from __future__ import annotations

import hashlib
import random
from typing import NamedTuple

HALF_BYTES = 256
_HEADER_BYTES = 42  # magic 2, record count 1, quality 1, zero 2, ridge mask 36
_RECORD_BYTES = 4
_BASE_COUNT = 38  # minutiae that a finger has
_SEEN = 0.85  # share of them that one capture sees
_SPURIOUS = 2  # false ones that a capture adds
_JITTER = 2  # pixels, and angle steps of 360/256 degrees
_NEAR_XY = 6
_NEAR_ANGLE = 10
_CHANCE = 8  # agreements that two different fingers may reach by chance
_POINTS = 8


class Minutia(NamedTuple):
    x: int
    y: int
    angle: int  #: 0..255 for a full turn
    kind: int


def make_template(finger: str, seed: int) -> bytes:
    """An enrolment of `finger`: 512 bytes, two halves from two captures.

    The same finger and seed give the same bytes; another seed another enrolment.
    """
    return capture(finger, 2 * seed)[:HALF_BYTES] + capture(finger, 2 * seed + 1)[:HALF_BYTES]


def capture(finger: str, seed: int) -> bytes:
    """What one capture of `finger` leaves in a character buffer: one half, then zeros."""
    chance = random.Random(_digest(f"capture/{finger}/{seed}"))
    seen = [_shift(m, chance) for m in _minutiae(finger) if chance.random() < _SEEN]
    seen += [_random_minutia(chance) for _ in range(_SPURIOUS)]
    chance.shuffle(seen)
    mask = chance.randbytes(_HEADER_BYTES - 6)
    header = bytes([3, 1, len(seen), chance.randint(60, 99), 0, 0]) + mask
    records = b"".join(bytes(m) for m in seen)
    return (header + records).ljust(2 * HALF_BYTES, b"\0")


def combine(first: bytes, second: bytes) -> bytes | None:
    """Two captures of one finger as one template; None when they are not of one finger."""
    return first[:HALF_BYTES] + second[:HALF_BYTES] if similarity(first, second) else None


def similarity(a: bytes, b: bytes) -> int:
    """Score of two character buffers: the best of their halves; 0 for different fingers."""
    scores = [_agreements(x, y) for x in _halves(a) for y in _halves(b)]
    return max(0, _POINTS * (max(scores, default=0) - _CHANCE))


def _minutiae(finger: str) -> list[Minutia]:
    chance = random.Random(_digest(f"finger/{finger}"))
    return [_random_minutia(chance) for _ in range(_BASE_COUNT)]


def _random_minutia(chance: random.Random) -> Minutia:
    return Minutia(
        chance.randint(8, 247), chance.randint(8, 247), chance.randrange(256), chance.randint(1, 2)
    )


def _shift(m: Minutia, chance: random.Random) -> Minutia:
    def near(value: int) -> int:
        return value + chance.randint(-_JITTER, _JITTER)

    return Minutia(near(m.x), near(m.y), near(m.angle) % 256, m.kind)


def _halves(buffer: bytes) -> list[list[Minutia]]:
    halves = []
    for at in (0, HALF_BYTES):
        half = buffer[at : at + HALF_BYTES]
        if len(half) > 2 and half[:2] == b"\x03\x01":
            end = min(_HEADER_BYTES + half[2] * _RECORD_BYTES, len(half) - _RECORD_BYTES + 1)
            starts = range(_HEADER_BYTES, end, _RECORD_BYTES)
            halves.append([Minutia(*half[i : i + _RECORD_BYTES]) for i in starts])
    return halves


def _agreements(a: list[Minutia], b: list[Minutia]) -> int:
    """Minutiae of `a` that have one of `b`, each used once, near by and pointing alike."""
    free, count = list(b), 0
    for m in a:
        for n in free:
            turn = abs(m.angle - n.angle)
            if (
                abs(m.x - n.x) <= _NEAR_XY
                and abs(m.y - n.y) <= _NEAR_XY
                and min(turn, 256 - turn) <= _NEAR_ANGLE
            ):
                free.remove(n)
                count += 1
                break
    return count


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
