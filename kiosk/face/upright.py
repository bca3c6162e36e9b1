"""The face's own frame: where it points, and an upright cut-out of one size.

Owns the geometry between a face in a picture and its normalised patch. Judges nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from kiosk.face.parts import (
    LEFT_EYE_INNER,
    LEFT_EYE_OUTER,
    NOSE,
    RIGHT_EYE_INNER,
    RIGHT_EYE_OUTER,
    Face,
    Floats,
    Grey,
    Image,
)

#: Side of the square that sharpness is measured on, eyes 74 px apart as in the encoder's chip:
#: the same face gives the same figure at any distance.
PATCH = 110
EYES = 74.0

Affine = NDArray[np.float64]  #: 2×3


@dataclass(frozen=True, slots=True)
class Pose:
    """Where the face points, from five landmarks. Not angles: ratios that grow with them."""

    yaw: float  #: > 0: nose towards the picture's right, the person turned to their own left
    pitch: float  #: nose below the eyes in eye widths; smaller when looking up or down far
    roll_deg: float
    narrowed: float = 0.0  #: left eye's length less the right one's, in eye widths: < 0 as yaw > 0


def pose_of(face: Face) -> Pose:
    across = face.points[LEFT_EYE_OUTER] - face.points[RIGHT_EYE_OUTER]
    width = max(float(np.hypot(*across)), 1.0)
    unit = across / width
    down = np.array([-unit[1], unit[0]])
    nose = face.points[NOSE] - face.eye_middle
    roll = float(np.degrees(np.arctan2(unit[1], unit[0])))
    left = face.points[LEFT_EYE_OUTER] - face.points[LEFT_EYE_INNER]
    right = face.points[RIGHT_EYE_OUTER] - face.points[RIGHT_EYE_INNER]
    narrowed = float(np.hypot(*left) - np.hypot(*right)) / width
    return Pose(float(nose @ unit) / width, float(nose @ down) / width, roll, narrowed)


def patch_of(image: Image, face: Face, side: int = PATCH, eyes: float = EYES) -> Grey:
    """The upright face, grey, `side` pixels square with the outer eye corners `eyes` apart.

    Its middle is half-way between the eyes and the base of the nose.
    """
    middle = (face.eye_middle + face.points[NOSE]) / 2
    turn = _turn(face, eyes, middle, (side / 2, side / 2))
    spot, turn = _spot(image, turn, (side, side))
    if not spot.size:
        return np.zeros((side, side), np.uint8)
    grey = np.asarray(cv2.cvtColor(spot, cv2.COLOR_BGR2GRAY), dtype=np.uint8)
    scale = eyes / max(face.eye_width, 1.0)
    if scale < 0.7:  # averaged before sampling, or a near face would look sharper than it is
        size = (max(round(grey.shape[1] * scale), 1), max(round(grey.shape[0] * scale), 1))
        grey, turn = _shrunk(grey, turn, size)
    patch = cv2.warpAffine(grey, turn, (side, side), flags=cv2.INTER_LINEAR)
    return np.asarray(patch, dtype=np.uint8)


def cut_of(
    image: Image, face: Face, eyes: float, size: tuple[int, int], at: tuple[float, float]
) -> Image:
    """The upright face in colour, `size` (width, height) pixels, the outer eye corners `eyes`
    apart and the point between the eyes at `at`. Black where the picture ends."""
    turn = _turn(face, eyes, face.eye_middle, at)
    spot, turn = _spot(image, turn, size)
    if not spot.size:
        return np.zeros((size[1], size[0], 3), np.uint8)
    whole = int(max(face.eye_width, 1.0) / eyes)
    if whole > 1:  # by a whole number, which is several times faster in colour
        height, width = (side // whole for side in spot.shape[:2])
        spot = spot[: height * whole, : width * whole]
        spot, turn = _shrunk(spot, turn, (width, height))
    cut = cv2.warpAffine(spot, turn, size, flags=cv2.INTER_LINEAR)
    return np.asarray(cut, dtype=np.uint8)


def in_cut(face: Face, eyes: float, at: tuple[float, float]) -> Floats:
    """`face.points` (5×2) in the pixels of `cut_of` with the same arguments."""
    turn = _turn(face, eyes, face.eye_middle, at)
    return np.asarray(face.points @ turn[:, :2].T + turn[:, 2], dtype=np.float32)


def _turn(face: Face, eyes: float, middle: Floats, at: tuple[float, float]) -> Affine:
    """Picture to cut-out: upright, scaled, the point `middle` at `at`."""
    scale = eyes / max(face.eye_width, 1.0)
    roll = np.radians(pose_of(face).roll_deg)
    cos, sin = scale * np.cos(roll), scale * np.sin(roll)
    turn = np.array([[cos, sin, 0.0], [-sin, cos, 0.0]])
    turn[:, 2] = np.array(at) - turn[:, :2] @ middle
    return turn


def _spot(image: Image, turn: Affine, size: tuple[int, int]) -> tuple[Image, Affine]:
    """The part of the picture that the cut-out needs, and the turn from there."""
    corners = np.array([(0, 0), (size[0], 0), (0, size[1]), size]) - turn[:, 2]
    there = corners @ np.linalg.inv(turn[:, :2]).T
    edge = int(1 / np.hypot(turn[0, 0], turn[0, 1])) + 2  # a pixel of the cut-out to sample from
    left, top = (max(int(v) - edge, 0) for v in there.min(axis=0))
    right, bottom = (max(int(v) + edge + 1, 0) for v in there.max(axis=0))
    turn = turn.copy()
    turn[:, 2] += turn[:, :2] @ (left, top)
    return image[top:bottom, left:right], turn


def _shrunk(spot: Image, turn: Affine, size: tuple[int, int]) -> tuple[Image, Affine]:
    """The spot at `size`, each pixel the mean of those it stands for, and the turn from there."""
    exact = np.array([size[0] / spot.shape[1], size[1] / spot.shape[0]])
    small = cv2.resize(spot, size, interpolation=cv2.INTER_AREA)
    turn = turn.copy()
    turn[:, 2] += turn[:, :2] @ (0.5 / exact - 0.5)  # pixels have their values in their middle
    turn[:, :2] /= exact
    return np.asarray(small, dtype=np.uint8), turn
