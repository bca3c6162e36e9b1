"""A closer look at a face that seems fit: are its lids open, its chin down, a hand before it?

Owns the running of two networks of MediaPipe and the geometry that is read off their points.
Knows no limits and no prompts. Sources: Kartynnik et al., "Real-time Facial Surface Geometry
from Monocular Video on Mobile GPUs", 2019 (468 points); Ablavatski et al., "Real-time Pupil
Tracking from Monocular Video for Digital Puppetry", 2020 (contours of an eye).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from kiosk.face import models
from kiosk.face.models import ModelFile
from kiosk.face.parts import (
    LEFT_EYE_INNER,
    LEFT_EYE_OUTER,
    MARK_LEFT_EYE,
    MARK_RIGHT_EYE,
    RIGHT_EYE_INNER,
    RIGHT_EYE_OUTER,
    Face,
    Floats,
    Image,
)

_MESH_SIDE, _EYE_SIDE = 192, 64  #: pixels of what the networks are given
_MESH_ROOM, _EYE_ROOM = 1.4, 2.3  #: its side over the face's longer one; over the eye's length
_MESH_POINTS, _SEEN = "conv2d_20", "conv2d_30"  #: outputs: 468×3; one number
_EYE_POINTS = "output_eyes_contours_and_brows"  #: 71×3, of which the first 16 go round the eye
_FOREHEAD, _CHIN = 10, 152  #: of the 468
_CORNERS = (0, 8)  #: of the 16
_LIDS = ((3, 11), (4, 12), (5, 13))  #: lower and upper lid, one above the other


@dataclass(frozen=True, slots=True)
class Shape:
    seen: float  #: how plainly a whole face is there, a logit: about 45; with a hand on it 20
    chin_deg: float  #: how far the chin is behind the forehead: looking down is above 0


class CloserLook:
    """3 ms for `shape`, 7 ms for `lids` of processor time. Raises `models.WrongModel`.

    OpenCV is set to one thread, see `encoder.DlibResnet`.
    """

    def __init__(self) -> None:
        cv2.setNumThreads(1)
        self._mesh, self._eye = _net(models.FACE_MESH), _net(models.EYE_CONTOURS)

    def shape(self, image: Image, face: Face) -> Shape:
        """`face` with marks. `ValueError` without."""
        if face.marks is None:
            raise ValueError("this look needs a detector that gives marks")
        x, y, width, height = face.box
        middle = np.array([x + width / 2, y + height / 2])
        along = face.marks[MARK_LEFT_EYE] - face.marks[MARK_RIGHT_EYE]
        cut = _cut(image, middle, along, _MESH_ROOM * max(width, height), _MESH_SIDE)
        self._mesh.setInput(cv2.dnn.blobFromImage(cut, 1 / 255, swapRB=True))
        points, seen = self._mesh.forward([_MESH_POINTS, _SEEN])
        points = points.reshape(-1, 3)
        across, down, back = (float(v) for v in points[_CHIN] - points[_FOREHEAD])
        return Shape(
            float(seen.ravel()[0]), float(np.degrees(np.arctan2(back, np.hypot(across, down))))
        )

    def lids(self, image: Image, face: Face) -> float:
        """How far the lids are apart, over the eye's length; the mean of both eyes."""
        across = face.points[LEFT_EYE_OUTER] - face.points[RIGHT_EYE_OUTER]
        right = self._opening(image, face, RIGHT_EYE_OUTER, RIGHT_EYE_INNER, across, False)
        left = self._opening(image, face, LEFT_EYE_OUTER, LEFT_EYE_INNER, across, True)
        return (right + left) / 2

    def _opening(
        self, image: Image, face: Face, outer: int, inner: int, across: Floats, mirrored: bool
    ) -> float:
        """The network knows right eyes only; a left one is shown to it mirrored."""
        a, b = face.points[outer], face.points[inner]
        room = _EYE_ROOM * max(float(np.hypot(*(a - b))), 1.0)
        cut = _cut(image, (a + b) / 2, across, room, _EYE_SIDE)
        if mirrored:
            cut = np.ascontiguousarray(cut[:, ::-1])
        self._eye.setInput(cv2.dnn.blobFromImage(cut, 1 / 255, swapRB=True))
        round_it = self._eye.forward(_EYE_POINTS).reshape(-1, 3)[:16, :2]
        length = float(np.hypot(*(round_it[_CORNERS[0]] - round_it[_CORNERS[1]])))
        apart = [float(np.hypot(*(round_it[low] - round_it[up]))) for low, up in _LIDS]
        return float(np.mean(apart)) / max(length, 1.0)


def _net(model: ModelFile) -> cv2.dnn.Net:
    """OpenCV 5's new engine gives one of several outputs only, and for a model that is handed over
    in memory the classic one cannot be asked for."""
    model.read()
    return cv2.dnn.readNetFromTFLite(str(model.path()), cv2.dnn.ENGINE_CLASSIC)


def _cut(
    image: Image, middle: NDArray[np.floating], along: Floats, room: float, side: int
) -> Image:
    """A square of `room` pixels around `middle`, upright as `along` is level, `side` across."""
    scale = side / max(room, 1.0)
    turn = np.arctan2(float(along[1]), float(along[0]))
    cos, sin = scale * np.cos(turn), scale * np.sin(turn)
    move = np.array([[cos, sin, 0.0], [-sin, cos, 0.0]])
    move[:, 2] = side / 2 - move[:, :2] @ np.asarray(middle, dtype=np.float64)
    cut = cv2.warpAffine(
        image, move, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(cut, dtype=np.uint8)
