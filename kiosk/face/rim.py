"""Is there a device's or a sheet's outline around the face, closed in front of the chest?

Owns straight lines and the corner they make. Knows no time and no motion. Doors and posters
stand behind a person: no level line of theirs runs across the chest below the chin.
"""

from __future__ import annotations

import cv2
import numpy as np

from kiosk.face.parts import Floats, Grey

UPRIGHT_DEG = 15.0
_SIDE_LONG, _CHIN_LONG = 0.9, 1.0  #: of its sides, and of what joins them: eye corner distances
_SIDES = (0.5, 3.2)  #: of the sides, from the face's middle line …
_SIDE_TOP = 0.4  #: … beginning above the mouth: those of a slip held before the chest do not
_CHIN = (1.2, 3.2)  #: of the line, below the eyes
_PAST_MIDDLE = 0.4
_CORNER = 0.3  #: radius of a corner, at most
_SLACK = 0.08


def has_rim(grey: Grey, middle: Floats, unit: float) -> bool:
    """Two upright sides beside the face, and a level line across the chest that joins them.

    `middle`: between the eyes, pixels; `unit`: pixels between the outer eye corners.
    """
    lines = (lines_in(grey) - middle) / unit
    low = [end for a, b in lines if (end := _side(a, b)) is not None]
    return any(
        any(_corner(side, ends[0]) for side in low if side[0] < 0)
        and any(_corner(side, ends[1]) for side in low if side[0] > 0)
        for a, b in lines
        if (ends := _chin_line(a, b)) is not None
    )


def _corner(side: Floats, end: Floats) -> bool:
    """The side ends no lower than the line is, and no nearer to the middle than the line ends."""
    out, down = abs(float(side[0])) - abs(float(end[0])), float(end[1] - side[1])
    return -_SLACK <= out <= _CORNER and -_SLACK <= down <= _CORNER


def lines_in(grey: Grey) -> Floats:
    """Straight lines: N×2×2, both ends."""
    found = cv2.createLineSegmentDetector().detect(grey)[0]
    if found is None:
        return np.empty((0, 2, 2), np.float32)
    return np.asarray(found, dtype=np.float32).reshape(-1, 2, 2)


def upright_deg(a: Floats, b: Floats) -> float:
    """0: upright, 90: level."""
    return float(np.degrees(np.arctan2(abs(b[0] - a[0]), abs(b[1] - a[1]))))


def _side(a: Floats, b: Floats) -> Floats | None:
    """The lower end of what may be a rim's side. Eye corner distances from between the eyes."""
    low, high = (a, b) if a[1] > b[1] else (b, a)
    beside = _SIDES[0] <= abs(float(a[0] + b[0]) / 2) <= _SIDES[1]
    long = float(np.hypot(*(b - a))) >= _SIDE_LONG and high[1] <= _SIDE_TOP
    return low if beside and long and upright_deg(a, b) <= UPRIGHT_DEG else None


def _chin_line(a: Floats, b: Floats) -> tuple[Floats, Floats] | None:
    """Left and right end of a level line across the face's middle, below the chin."""
    left, right = (a, b) if a[0] < b[0] else (b, a)
    across = (
        left[0] < -_PAST_MIDDLE and right[0] > _PAST_MIDDLE and right[0] - left[0] >= _CHIN_LONG
    )
    below = _CHIN[0] <= float(a[1] + b[1]) / 2 <= _CHIN[1]
    level = upright_deg(a, b) >= 90 - UPRIGHT_DEG
    return (left, right) if across and below and level else None
