"""A signature as the pad sends it: form, limits, and whether it is one at all.

Pure checks. It must not know where strokes are kept or who signed.
"""

from __future__ import annotations

import json
import math
from itertools import pairwise
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

MAX_STROKES = 400
MAX_POINTS = 20_000
#: Shorter than this, in widths of the pad, is a dot or a slip of the finger, not a name.
SHORTEST = 0.15
FEWEST_POINTS = 8

#: x, y in pad pixels from the upper left; t_ms since the first point; pressure 0..1
Point = tuple[float, float, float, float]


class Pad(BaseModel):
    """Parameters of `candidate.sign` (docs/wire.md)."""

    model_config = ConfigDict(extra="forbid")
    lang: str | None = None
    visit: int
    strokes: list[list[Point]] = Field(max_length=MAX_STROKES)
    width: float = Field(gt=0, le=20_000)
    height: float = Field(gt=0, le=20_000)
    text_sha256: str = Field(pattern="^[0-9a-f]{64}$")
    pointer: Literal["touch", "mouse", "pen"] = "touch"

    def canonical(self) -> bytes:
        """The bytes that are hashed, encrypted and kept: JSON, sorted keys, no spaces."""
        body = self.model_dump(include={"strokes", "width", "height", "text_sha256", "pointer"})
        return json.dumps(body, sort_keys=True, separators=(",", ":")).encode()


def check_strokes(pad: Pad) -> bool:
    """Whether this can be a signature: enough points, long enough a line, numbers that exist."""
    points = [p for stroke in pad.strokes for p in stroke]
    if not FEWEST_POINTS <= len(points) <= MAX_POINTS:
        return False
    if not all(math.isfinite(v) for p in points for v in p):
        return False
    length = sum(math.dist(a[:2], b[:2]) for stroke in pad.strokes for a, b in pairwise(stroke))
    return length >= SHORTEST * pad.width
