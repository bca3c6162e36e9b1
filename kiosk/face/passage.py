"""Did a head pass from one pose to the next, or was one picture blended into another?

Owns the comparison of two explanations of a picture on the way. Knows nothing of challenges.

Between two poses of a head every piece of skin is somewhere in between: bending the first
picture (or the last) explains the one on the way, mixing the two does not. Between two
pictures that are faded into each other it is the other way round.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from kiosk.face.parts import Face, Floats, Image

SIDE = 96  #: pixels of a cut-out: this many for …
ACROSS = 2.0  #: … so many outer eye corner distances
_EDGE = SIDE // 8  #: what moves in from outside is not judged
_ROUNDS = 5
_MOST_SHIFT = 0.08 * SIDE  #: of a sheet in a hand between two frames
_FLOW_BLUR = SIDE / 40
_NO_FLOW = np.zeros((SIDE, SIDE, 2), np.float32)


def cut(image: Image, at: Face) -> Image:
    """The place where `at` was, SIDE×SIDE×1 grey: of the picture, not following the face."""
    scale = SIDE / (ACROSS * max(at.eye_width, 1.0))
    middle = (at.eye_middle + at.points[4]) / 2
    move = np.array(
        [[scale, 0, SIDE / 2 - scale * middle[0]], [0, scale, SIDE / 2 - scale * middle[1]]]
    )
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    if scale < 0.8:
        grey = cv2.GaussianBlur(grey, (0, 0), 0.5 / scale)
    return np.asarray(cv2.warpAffine(grey, move, (SIDE, SIDE)), dtype=np.uint8)


def motion_over_blend(first: Image, way: Sequence[Image], last: Image) -> float:
    """How much better motion explains the cut-outs on the `way` than a blend does.

    Ratio of the residuals' mean squares, the median over `way`: heads lie above 1.8, blends
    below 1.1 (docs/face.md). Raises `ValueError` for an empty way.
    """
    if not way:
        raise ValueError("nothing lies between the two poses")
    start, end = first.astype(np.float32), last.astype(np.float32)
    ratios = []
    for between in way:
        now = between.astype(np.float32)
        bent = min(_unlike([_bent(first, between)], now), _unlike([_bent(last, between)], now))
        ratios.append(_blend_residual(start, end, now) / max(bent, 1e-3))
    return float(np.median(ratios))


def _inner(picture: Floats) -> Floats:
    return picture[_EDGE:-_EDGE, _EDGE:-_EDGE].ravel()


def _fit(columns: Sequence[Floats], now: Floats) -> tuple[Floats, float]:
    """Least squares with a constant; the coefficients and the mean square left."""
    wanted = _inner(now)
    design = np.stack([*(_inner(column) for column in columns), np.ones_like(wanted)], axis=1)
    normal = design.T @ design + 1e-3 * np.eye(design.shape[1], dtype=np.float32)
    found = np.linalg.solve(normal.astype(np.float64), (design.T @ wanted).astype(np.float64))
    left = wanted - design @ found.astype(np.float32)
    return np.asarray(found, dtype=np.float32), float(np.mean(left**2))


def _unlike(columns: Sequence[Floats], now: Floats) -> float:
    return _fit(columns, now)[1]


def _bent(source: Image, target: Image) -> Floats:
    """`source` moved, point by point but smoothly, to look like `target`."""
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    flow.setFinestScale(0)
    by = cv2.GaussianBlur(flow.calc(target, source, _NO_FLOW), (0, 0), _FLOW_BLUR)
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)
    moved = cv2.remap(
        source.astype(np.float32),
        x + by[..., 0],
        y + by[..., 1],
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(moved, dtype=np.float32)


def _blend_residual(start: Floats, end: Floats, now: Floats) -> float:
    """What a mixture of the two leaves, each shifted to where it fits best (Gauss-Newton)."""
    shifts, least = [np.zeros(2), np.zeros(2)], float("inf")
    for _ in range(_ROUNDS):
        parts = [_shifted(start, shifts[0]), _shifted(end, shifts[1])]
        slopes = [slope for part in parts for slope in _slopes(part)]
        found, left = _fit([*parts, *slopes], now)
        least = min(least, left)
        for index, share in enumerate(found[:2]):
            if share > 0.1:
                step = np.clip(found[2 + 2 * index : 4 + 2 * index] / share, -2, 2)
                shifts[index] = np.clip(shifts[index] - step, -_MOST_SHIFT, _MOST_SHIFT)
    return least


def _slopes(picture: Floats) -> list[Floats]:
    across = cv2.Sobel(picture, cv2.CV_32F, 1, 0, ksize=3, scale=1 / 8)
    down = cv2.Sobel(picture, cv2.CV_32F, 0, 1, ksize=3, scale=1 / 8)
    return [np.asarray(across, dtype=np.float32), np.asarray(down, dtype=np.float32)]


def _shifted(picture: Floats, by: NDArray[np.float64]) -> Floats:
    move = np.array([[1, 0, by[0]], [0, 1, by[1]]], dtype=np.float64)
    moved = cv2.warpAffine(picture, move, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, dtype=np.float32)
