"""A signature as the pad sends it: form, limits, and whether it is one at all.

Pure checks. It must not know where strokes are kept or who signed.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Literal

from pydantic import Field, model_validator

from kiosk.core.signed_texts import Purpose
from kiosk.desks.params import Params
from kiosk.ink import MAX_POINTS, MAX_SIDE, MAX_STROKES, Ink, Point, make_ink, write_ink

#: Shorter than this, in widths of the pad, is a dot or a slip of the finger, not a name.
SHORTEST = 0.15
FEWEST_POINTS = 8


class Strokes(Params):
    """What every pad sends, whatever it is signed for."""

    strokes: list[list[Point]] = Field(max_length=MAX_STROKES)
    width: float = Field(gt=0, le=MAX_SIDE)
    height: float = Field(gt=0, le=MAX_SIDE)
    text_sha256: str = Field(pattern="^[0-9a-f]{64}$")
    pointer: Literal["touch", "mouse", "pen"] = "touch"

    @model_validator(mode="after")
    def _can_be_kept(self) -> Strokes:
        if any(self.strokes):
            self.ink()
        return self

    def ink(self, purpose: Purpose = "entry", score: int | None = None) -> Ink:
        """Rounded to what is kept. Raises `ValueError`: no point, or one that cannot be."""
        return make_ink(
            self.strokes, self.width, self.height, self.pointer, self.text_sha256, purpose, score
        )


class Pad(Strokes):
    """Parameters of `candidate.sign` (docs/wire.md)."""

    visit: int

    def document(self) -> bytes:
        """The bytes that are hashed, encrypted and kept."""
        return write_ink(self.ink())


def check_strokes(pad: Strokes) -> bool:
    """Whether this can be a signature: enough points, long enough a line, numbers that exist."""
    points = [p for stroke in pad.strokes for p in stroke]
    if not FEWEST_POINTS <= len(points) <= MAX_POINTS:
        return False
    length = sum(math.dist(a[:2], b[:2]) for stroke in pad.strokes for a, b in pairwise(stroke))
    return length >= SHORTEST * pad.width
