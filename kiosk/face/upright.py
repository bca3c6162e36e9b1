"""The face's own frame: where it points, and an upright cut-out of one size.

Owns the geometry between a face in a picture and its normalised patch. Judges nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from kiosk.face.parts import LEFT_EYE_OUTER, NOSE, RIGHT_EYE_OUTER, Face, Grey, Image

#: Side of the square that sharpness is measured on, eyes 74 px apart as in the encoder's chip:
#: the same face gives the same figure at any distance.
PATCH = 110
EYES = 74.0


@dataclass(frozen=True, slots=True)
class Pose:
    """Where the face points, from five landmarks. Not angles: ratios that grow with them."""

    yaw: float  #: > 0: nose towards the picture's right, the person turned to their own left
    pitch: float  #: nose below the eyes in eye widths; smaller when looking up or down far
    roll_deg: float


def pose_of(face: Face) -> Pose:
    across = face.points[LEFT_EYE_OUTER] - face.points[RIGHT_EYE_OUTER]
    width = max(float(np.hypot(*across)), 1.0)
    unit = across / width
    down = np.array([-unit[1], unit[0]])
    nose = face.points[NOSE] - face.eye_middle
    roll = float(np.degrees(np.arctan2(unit[1], unit[0])))
    return Pose(float(nose @ unit) / width, float(nose @ down) / width, roll)


def patch_of(image: Image, face: Face, side: int = PATCH, eyes: float = EYES) -> Grey:
    """The upright face, grey, `side` pixels square with the outer eye corners `eyes` apart.

    Its middle is half-way between the eyes and the base of the nose.
    """
    scale = eyes / max(face.eye_width, 1.0)
    middle = (face.eye_middle + face.points[NOSE]) / 2
    around = 0.75 * side / scale + 2  # half the square's diagonal, and a pixel to sample from
    left, top = (max(int(v - around), 0) for v in middle)
    right, bottom = (max(int(v + around) + 1, 1) for v in middle)
    spot = image[top:bottom, left:right]
    if not spot.size:
        return np.zeros((side, side), np.uint8)
    spot = np.asarray(cv2.cvtColor(spot, cv2.COLOR_BGR2GRAY), dtype=np.uint8)
    roll = np.radians(pose_of(face).roll_deg)
    cos, sin = scale * np.cos(roll), scale * np.sin(roll)
    turn = np.array([[cos, sin, 0.0], [-sin, cos, 0.0]])
    turn[:, 2] = side / 2 - turn[:, :2] @ (middle - (left, top))
    if scale < 0.7:  # averaged before sampling, or a near face would look sharper than it is
        size = (max(round(spot.shape[1] * scale), 1), max(round(spot.shape[0] * scale), 1))
        exact = np.array([size[0] / spot.shape[1], size[1] / spot.shape[0]])
        spot = np.asarray(cv2.resize(spot, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
        turn[:, 2] += turn[:, :2] @ (0.5 / exact - 0.5)  # pixels have their values in their middle
        turn[:, :2] /= exact
    patch = cv2.warpAffine(spot, turn, (side, side), flags=cv2.INTER_LINEAR)
    return np.asarray(patch, dtype=np.uint8)
