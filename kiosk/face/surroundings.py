"""Does what stands around the head stand still, as behind a person it must?

Owns the tracking of the background beside the head and of long straight edges around it. Knows
nothing of faces' motion or challenges. The lane's camera is fixed: a hall behind somebody does
not move. What a hand holds up does, never quite still, and takes the picture's own background
and the edges of the device or sheet with it. Where nothing moves, a rim (rim.py) may tell it.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from kiosk.face import rim
from kiosk.face.parts import Face, Floats, Grey, Image

WIDTH = 640  #: larger pictures are looked at in this size
_POINTS = 60  #: on each side
_FEWEST = 8  #: on each side: with less nothing is known
_BESIDE = (1.55, 3.4)  #: outer eye corner distances from the face's middle line: background …
_LEVEL = (-1.7, 0.9)  #: … above the shoulders
_ROUND_TRIP_PX = 0.3
_LK_WINDOW, _LK_LEVELS = (15, 15), 2
_LK_STOP = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 15, 0.02)
_AGREE_PX = 0.6
_AGREE = 0.7  #: share of the points on each side that move alike
_REACH = 10  #: pixels to each side of an edge that are looked at
_FARTHEST = 8  #: pixels an edge is looked for from its place
_LONG = 1.1  #: of an edge, eye corner distances
_EDGES = 4  #: of each side of a frame, the strongest
_RIM_EVERY = 3  #: looks: searching lines is the dear part
_LEAST_CONTRAST = 12.0  #: grey levels across an edge


@dataclass(frozen=True, slots=True)
class Limits:
    moved_px: float = 0.5  #: pixels of 640 across; a hand that holds something still: 1 to 3
    frames: int = 8  #: fewer say nothing
    share: float = 0.35  #: of the frames in which all of it had moved
    rim_looks: int = 3  #: fewer say nothing
    rim_share: float = 0.5  #: of the looks in which a rim was closed below the chin


@dataclass(frozen=True, slots=True)
class _Edge:
    """Points along a straight edge, its normal, and the mean profile across it."""

    points: Floats  #: N×2
    normal: Floats
    profile: Floats


class Surroundings:
    """Begins with a frontal look; feed it later frames of the same track."""

    def __init__(self, image: Image, face: Face, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._base, scale = _grey(image)
        self._unit = max(face.eye_width * scale, 1.0)
        self._middle = np.asarray(face.eye_middle, dtype=np.float32) * scale
        self._sides = [self._background(sign) for sign in (-1, 1)]
        self._edges = self._straight_edges()
        self._judged = {"background": 0, "frame": 0}
        self._moved = {"background": 0, "frame": 0}
        self._fed = self._rim_looks = self._rims = 0

    @property
    def held(self) -> str | None:
        """What shows that the face is a picture: "rim", "background", "frame", or nothing."""
        limits = self._limits
        enough = self._rim_looks >= limits.rim_looks
        if enough and self._rims >= limits.rim_share * self._rim_looks:
            return "rim"
        for what, judged in self._judged.items():
            enough = judged >= self._limits.frames
            if enough and self._moved[what] >= self._limits.share * judged:
                return what
        return None

    def feed(self, image: Image) -> dict[str, float | None]:
        """Pixels that background and frame have moved since the first look; None: unknown."""
        now, _ = _grey(image)
        if self._fed % _RIM_EVERY == 0:
            self._rim_looks += 1
            self._rims += rim.has_rim(now, self._middle, self._unit)
        self._fed += 1
        moved = {"background": self._background_moved(now), "frame": self._frame_moved(now)}
        for what, by in moved.items():
            if by is not None:
                self._judged[what] += 1
                self._moved[what] += by >= self._limits.moved_px
        return moved

    # --- the picture's own background -----------------------------------------------------------

    def _background(self, sign: int) -> Floats:
        """Points to follow on one side, N×1×2."""
        height, width = self._base.shape
        xs = sorted(float(self._middle[0]) + sign * b * self._unit for b in _BESIDE)
        ys = [float(self._middle[1]) + b * self._unit for b in _LEVEL]
        left, right = (int(np.clip(x, 8, width - 8)) for x in xs)
        top, bottom = (int(np.clip(y, 8, height - 8)) for y in ys)
        if right - left < 12 or bottom - top < 12:
            return np.empty((0, 1, 2), np.float32)
        piece = np.ascontiguousarray(self._base[top:bottom, left:right])
        found = cv2.goodFeaturesToTrack(piece, _POINTS, 0.01, 6, blockSize=5)
        if found is None:
            return np.empty((0, 1, 2), np.float32)
        return np.asarray(found + np.array([left, top], np.float32), dtype=np.float32)

    def _background_moved(self, now: Grey) -> float | None:
        """How far the middle of the picture has gone with it, pixels; None: not to be told."""
        if min(len(side) for side in self._sides) < _FEWEST:
            return None
        before, after, counts = [], [], []
        for side in self._sides:
            there, good = _followed(self._base, now, side)
            if good.sum() < _FEWEST:
                return None
            before.append(side.reshape(-1, 2)[good])
            after.append(there.reshape(-1, 2)[good])
            counts.append(int(good.sum()))
        centre = np.array([self._base.shape[1] / 2, self._base.shape[0] / 2], np.float32)
        old, new = np.concatenate(before) - centre, np.concatenate(after) - centre
        plane, inliers = cv2.findHomography(old, new, cv2.RANSAC, _AGREE_PX)
        if plane is None:
            return 0.0
        agree = inliers.ravel().astype(bool)
        if min(agree[: counts[0]].mean(), agree[counts[0] :].mean()) < _AGREE:
            return 0.0  # people walk behind
        # zoom, as of a lens that focuses, does not move the middle; and of a few weak points on a
        # bare wall a plane's middle is a guess, so both sides must have gone there, too
        middle = float(np.hypot(plane[0, 2], plane[1, 2]) / max(abs(plane[2, 2]), 1e-6))
        sides = [np.median(side, axis=0) for side in np.split(new - old, counts[:1])]
        return min(middle, float(np.hypot(*(sides[0] + sides[1]))) / 2)

    # --- edges of a device or a sheet -----------------------------------------------------------

    def _straight_edges(self) -> dict[str, list[_Edge]]:
        found: dict[str, list[tuple[float, _Edge]]] = {"left": [], "right": [], "level": []}
        for a, b in rim.lines_in(self._base):
            side = self._side_of(a, b)
            edge = _edge(self._base, a, b) if side else None
            if side and edge is not None:
                found[side].append((float(np.hypot(*(b - a))), edge))
        return {
            side: [edge for _, edge in sorted(edges, key=lambda each: -each[0])[:_EDGES]]
            for side, edges in found.items()
        }

    def _side_of(self, a: Floats, b: Floats) -> str | None:
        along = b - a
        if float(np.hypot(*along)) < _LONG * self._unit:
            return None
        x, y = (float(v) for v in ((a + b) / 2 - self._middle) / self._unit)
        upright = rim.upright_deg(a, b)
        if upright <= rim.UPRIGHT_DEG and 0.6 <= abs(x) <= 2.9 and -1.6 <= y <= 2.0:
            return "left" if x < 0 else "right"
        if upright >= 90 - rim.UPRIGHT_DEG and abs(x) <= 1.5 and (y <= -1.1 or y >= 1.5):
            return "level"
        return None

    def _frame_moved(self, now: Grey) -> float | None:
        """How far a left and a right edge have gone together, a level one having gone as well."""
        if not all(self._edges.values()):
            return None
        by = {
            side: [d for edge in edges if (d := _gone(edge, now)) is not None]
            for side, edges in self._edges.items()
        }
        if not all(by.values()):
            return None
        level = max(abs(d) for d in by["level"])
        together = [
            min(abs(left), abs(right))
            for left in by["left"]
            for right in by["right"]
            if left * right > 0 and abs(left - right) <= 0.5 * max(abs(left), abs(right))
        ]
        return max(together, default=0.0) if level > 0.25 else 0.0


def _grey(image: Image) -> tuple[Grey, float]:
    scale = WIDTH / image.shape[1]
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    if scale < 1:
        grey = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.asarray(grey, dtype=np.uint8), min(scale, 1.0)


def _followed(before: Grey, now: Grey, points: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    there, found = _flow(before, now, points)
    back, found_back = _flow(now, before, there)
    error = np.linalg.norm((back - points).reshape(-1, 2), axis=1)
    return there, found & found_back & (error < _ROUND_TRIP_PX)


def _flow(before: Grey, now: Grey, points: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    there, found, _ = cv2.calcOpticalFlowPyrLK(
        before,
        now,
        points,
        points.copy(),
        winSize=_LK_WINDOW,
        maxLevel=_LK_LEVELS,
        criteria=_LK_STOP,
    )
    return np.asarray(there, dtype=np.float32), np.asarray(found).ravel() == 1


def _edge(grey: Grey, a: Floats, b: Floats) -> _Edge | None:
    length = float(np.hypot(*(b - a)))
    along = (b - a) / length
    normal = np.array([-along[1], along[0]], np.float32)
    if abs(normal[0]) >= abs(normal[1]):  # signs alike on both sides
        normal *= np.sign(normal[0])
    else:
        normal *= np.sign(normal[1])
    steps = np.linspace(0.1, 0.9, max(int(length / 3), 8), dtype=np.float32)
    points = a + steps[:, None] * (b - a)
    profile = _profile(grey, points, normal)
    if profile is None:
        return None
    low, high = profile[: _REACH - 1].mean(), profile[_REACH + 2 :].mean()
    if abs(float(high - low)) < _LEAST_CONTRAST:
        return None
    return _Edge(np.asarray(points, dtype=np.float32), normal, profile)


def _profile(grey: Grey, points: Floats, normal: Floats) -> Floats | None:
    """Median brightness across the edge, 2·_REACH + 1 pixels; None beyond the picture."""
    offsets = np.arange(-_REACH, _REACH + 1, dtype=np.float32)
    x = points[:, :1] + offsets * normal[0]
    y = points[:, 1:] + offsets * normal[1]
    height, width = grey.shape
    if x.min() < 0 or y.min() < 0 or x.max() > width - 1 or y.max() > height - 1:
        return None
    rows = cv2.remap(grey, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR)
    return np.asarray(np.median(rows.astype(np.float32), axis=0), dtype=np.float32)


def _gone(edge: _Edge, now: Grey) -> float | None:
    """Pixels along its normal; None when the edge is not there as it was."""
    profile = _profile(now, edge.points, edge.normal)
    if profile is None:
        return None
    old, new = np.diff(edge.profile), np.diff(profile)
    likeness = []
    for shift in range(-_FARTHEST, _FARTHEST + 1):
        a = old[max(-shift, 0) : len(old) - max(shift, 0)]
        b = new[max(shift, 0) : len(new) + min(shift, 0)]
        scale = np.linalg.norm(a) * np.linalg.norm(b)
        likeness.append(float(a @ b / scale) if scale > 1e-6 else 0.0)
    best = int(np.argmax(likeness))
    if likeness[best] < 0.8 or best in (0, 2 * _FARTHEST):
        return None
    left, top, right = likeness[best - 1 : best + 2]
    curve = left - 2 * top + right
    return best - _FARTHEST + (0.5 * (left - right) / curve if curve < -1e-9 else 0.0)
