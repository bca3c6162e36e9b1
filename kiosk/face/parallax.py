"""Is the motion between two looks at a face that of a surface, or of a head?

Owns the geometry: points that a plane's motion explains, plus a part that only depth
explains. Pure arithmetic on point pairs; knows nothing of pictures or time.

Any motion of a flat picture before a camera is a homography (8 numbers). A head that turns
adds, to first order, depth × (direction of turning). Both are fitted at once, so whatever a
homography can explain is never counted as depth.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]  #: N×2, origin between the eyes, unit = outer eye corner distance

MIN_POINTS = 18
_ROUNDS = 6


@dataclass(frozen=True, slots=True)
class Parallax:
    """`x`, `y`: depth part of the motion; for a head turned by θ, x is about sin θ.

    x > 0: what stands out moved towards the picture's right (turned to the own left).
    y > 0: it moved down (the chin lowered).
    `error`, `error_y`: standard errors of x and y; `tilt`: how unlike a mere shift, turn and
    zoom the plane's part is (0: none); `points`: how many agreed.
    """

    x: float
    y: float
    error: float
    error_y: float
    tilt: float
    points: int


def depth_of(points: Points) -> NDArray[np.float64]:
    """Height of an average face over the plane of the eyes, in outer eye corner distances.

    An ellipsoid for the head and a ridge for the nose. Only its shape matters: a person whose
    face differs gets a smaller coefficient and a larger error, not another sign.
    """
    x, y = points[:, 0], points[:, 1]
    head = 0.9 * np.sqrt(np.clip(1 - (x / 0.95) ** 2 - ((y - 0.25) / 1.35) ** 2, 0.05, None))
    ridge = np.exp(-0.5 * (x / 0.14) ** 2) * np.exp(-0.5 * ((y - 0.42) / 0.22) ** 2)
    sockets = np.exp(-0.5 * ((np.abs(x) - 0.34) / 0.14) ** 2 - 0.5 * (y / 0.10) ** 2)
    return np.asarray(head + 0.26 * ridge - 0.06 * sockets, dtype=np.float64)


def measure(before: Points, now: Points) -> Parallax | None:
    """Fit plane and depth to the pairs; None when too few agree with any smooth motion."""
    if len(before) < MIN_POINTS:
        return None
    plane, _ = cv2.findHomography(before, now, cv2.LMEDS)
    if plane is None or not np.isfinite(plane).all():
        return None
    moved = cv2.perspectiveTransform(before[None], plane)[0]
    residual = (now - moved).ravel()
    design = _design(moved, depth_of(before))
    weights = np.ones(len(residual))
    solution, spread = np.zeros(design.shape[1]), 0.0
    for _ in range(_ROUNDS):
        rooted = np.sqrt(weights)[:, None]
        solution = np.linalg.lstsq(design * rooted, residual * rooted[:, 0], rcond=None)[0]
        left = np.abs(residual - design @ solution).reshape(-1, 2).max(axis=1)
        spread = max(1.4826 * float(np.median(left)), 1e-4)
        weights = np.repeat(np.clip(1 - (left / (4 * spread)) ** 2, 0, 1) ** 2, 2)
    agreed = int((weights[::2] > 0.2).sum())
    if agreed < MIN_POINTS:
        return None
    covariance = np.linalg.pinv(design.T @ (design * weights[:, None])) * spread**2
    tilt = _tilt(np.asarray(plane, dtype=np.float64))
    error_x, error_y = np.sqrt(np.diag(covariance)[8:10])
    return Parallax(
        float(solution[8]), float(solution[9]), float(error_x), float(error_y), tilt, agreed
    )


def _design(points: Points, depth: NDArray[np.float64]) -> NDArray[np.float64]:
    """Columns: the eight directions in which a homography can move points, then depth in x, y."""
    x, y = points[:, 0], points[:, 1]
    one, zero = np.ones_like(x), np.zeros_like(x)
    in_x = [one, zero, x, y, zero, zero, x * x, x * y, depth, zero]
    in_y = [zero, one, zero, zero, x, y, x * y, y * y, zero, depth]
    return np.asarray(np.stack([np.stack(in_x, 1), np.stack(in_y, 1)], axis=1).reshape(-1, 10))


def _tilt(plane: NDArray[np.float64]) -> float:
    """Ratio of the two stretches of the plane's linear part at the eyes, minus 1."""
    linear = plane[:2, :2] / plane[2, 2] - np.outer(plane[:2, 2], plane[2, :2]) / plane[2, 2] ** 2
    stretches = np.linalg.svd(linear, compute_uv=False)
    return float(stretches[0] / max(stretches[1], 1e-6) - 1)
