"""Follows the skin's texture from a frontal look to the present one, and the eyes' look.

Owns point tracking on upright, size-normalised cut-outs. Knows nothing of challenges; what
the motion means is parallax.py's and liveness.py's.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from kiosk.face import passage
from kiosk.face.parallax import Parallax, measure
from kiosk.face.parts import Face, Floats, Grey, Image
from kiosk.face.upright import patch_of, pose_of

SIDE = 176  #: pixels of the cut-out
EYES = 100.0  #: pixels between the outer eye corners in it
_MAX_POINTS = 160
_MAX_ROUND_TRIP_PX = 0.6
_LK_WINDOW = (17, 17)
_LK_LEVELS = 3
_LK_STOP = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 20, 0.02)
_CLAHE_CLIP, _CLAHE_TILES = 2.0, (4, 4)


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What one frame says about the head, against the frontal look of the same track."""

    at_s: float
    yaw: float  #: upright.Pose.yaw now minus then
    parallax: Parallax | None
    eyes: float  #: likeness of both eyes to the frontal look's, −1..1; the worse one
    skin: float  #: likeness of the nose's surroundings, −1..1: what `eyes` is judged against
    shift: float  #: movement in the picture since then, in eye widths
    zoom: float  #: size now over size then
    #: passage.cut of this frame where the face was then; None where nobody will judge it
    cut: Image | None = None


class FaceMotion:
    """Begins with a frontal look; `look` compares any later frame with it."""

    def __init__(self, image: Image, face: Face) -> None:
        self._base, self._face = _cut(image, face), face
        self._yaw = pose_of(face).yaw
        self._middle, self._width = face.eye_middle, face.eye_width
        pose = pose_of(face)
        self._eye_x = SIDE / 2 - pose.yaw * EYES / 2  # the cut's middle is half-way to the nose
        self._eye_y = SIDE / 2 - pose.pitch * EYES / 2
        mask = np.zeros((SIDE, SIDE), np.uint8)
        centre = (round(self._eye_x), round(self._eye_y + 0.28 * EYES))
        cv2.ellipse(mask, centre, (round(0.66 * EYES), round(0.80 * EYES)), 0, 0, 360, 255, -1)
        found = cv2.goodFeaturesToTrack(
            self._base, _MAX_POINTS, 0.004, 5, mask=mask, blockSize=5, useHarrisDetector=False
        )
        self._points: Floats = np.empty((0, 1, 2), np.float32)
        if found is not None:
            self._points = np.asarray(found, dtype=np.float32)

    def look(self, image: Image, face: Face, at_s: float) -> Look:
        now = _cut(image, face)
        eyes, skin = self._likeness(now)
        return Look(
            at_s,
            pose_of(face).yaw - self._yaw,
            self._parallax(now),
            eyes,
            skin,
            float(np.hypot(*(face.eye_middle - self._middle))) / max(self._width, 1.0),
            face.eye_width / max(self._width, 1.0),
            passage.cut(image, self._face),
        )

    def _parallax(self, now: Grey) -> Parallax | None:
        if not len(self._points):
            return None
        there, found = _flow(self._base, now, self._points)
        back, found_back = _flow(now, self._base, there)
        error = np.linalg.norm((back - self._points).reshape(-1, 2), axis=1)
        good = found & found_back & (error < _MAX_ROUND_TRIP_PX)
        origin = np.array([self._eye_x, self._eye_y])
        before = (self._points.reshape(-1, 2)[good] - origin) / EYES
        return measure(before.astype(np.float64), (there.reshape(-1, 2)[good] - origin) / EYES)

    def _likeness(self, now: Grey) -> tuple[float, float]:
        """Normalised correlation with the frontal look, each piece allowed to slip a little."""
        eye_y, middle = self._eye_y, self._eye_x
        left = self._correlate(now, middle + 0.34 * EYES, eye_y, 0.17 * EYES, 0.11 * EYES)
        right = self._correlate(now, middle - 0.34 * EYES, eye_y, 0.17 * EYES, 0.11 * EYES)
        skin = self._correlate(now, middle, eye_y + 0.42 * EYES, 0.26 * EYES, 0.2 * EYES)
        return min(left, right), skin

    def _correlate(self, now: Grey, x: float, y: float, half_w: float, half_h: float) -> float:
        slip = 6
        left, top = round(x - half_w), round(y - half_h)
        right, bottom = round(x + half_w), round(y + half_h)
        piece = self._base[top:bottom, left:right]
        around = now[max(top - slip, 0) : bottom + slip, left - slip : right + slip]
        return float(cv2.matchTemplate(around, piece, cv2.TM_CCOEFF_NORMED).max())


def _flow(before: Grey, now: Grey, points: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Where the points (N×1×2) have gone, and which were found (N)."""
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


def _cut(image: Image, face: Face) -> Grey:
    patch = patch_of(image, face, SIDE, EYES)
    return np.asarray(cv2.createCLAHE(_CLAHE_CLIP, _CLAHE_TILES).apply(patch), dtype=np.uint8)
