"""YuNet: a small network that finds faces at any angle, with five marks each.

Owns the running of the network and what dlib's landmarks need of it. Knows nothing of tracks,
quality or identity. Source: Wu et al., "YuNet: A Tiny Millisecond-level Face Detector",
Machine Intelligence Research 20, 2023; weights of the OpenCV model zoo.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import cv2
import numpy as np

from kiosk.face import models
from kiosk.face.landmarks import FivePoints
from kiosk.face.parts import (
    MARK_LEFT_EYE,
    MARK_MOUTH_LEFT,
    MARK_MOUTH_RIGHT,
    MARK_RIGHT_EYE,
    Face,
    Floats,
    Image,
    search_factor,
)

_MIN_SCORE = 0.7
_OVERLAP = 0.3  #: boxes that share more than this are one face
_MOST = 20  #: faces kept of one picture
_STEP = 32  #: the network's largest stride: sides are padded up to it
_LEAST_PX = 8.0  #: in the searched picture; smaller ones are noise
#: Side of dlib's box over the root of the network's box area, and the middle of dlib's box on
#: the way from between the eyes to the middle of the mouth (docs/face.md, "One frame").
_SIDE, _DOWN = 0.94, 0.49


class YuNetDetector:
    """Faces from about 1/25 of the searched width up, also turned, dim and covered ones.

    `box` is the network's own (hairline to chin, narrower than high). Raises
    `kiosk.face.models.WrongModel`. OpenCV is set to one thread, see `encoder.DlibResnet`.
    """

    face_px = 56

    def __init__(self) -> None:
        cv2.setNumThreads(1)
        model, nothing = np.frombuffer(models.YUNET.read(), np.uint8), np.empty(0, np.uint8)
        with _without_warnings():
            self._net = cv2.FaceDetectorYN.create(
                "onnx", model, nothing, (320, 256), _MIN_SCORE, _OVERLAP, _MOST
            )
        self._five = FivePoints()

    def detect(self, image: Image, width: int = 320) -> list[Face]:
        """Faces, largest first, looked for at `width` pixels across.

        Each new pair of sides, rounded up to 32, costs the network half a millisecond.
        """
        factor = search_factor(image, width)
        height, width = (max(round(side * factor), 1) for side in image.shape[:2])
        small = image
        if factor != 1:
            how = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
            small = np.asarray(cv2.resize(image, (width, height), interpolation=how))
        across, down = -(-width // _STEP) * _STEP, -(-height // _STEP) * _STEP
        if (across, down) != (width, height):
            edges = (0, down - height, 0, across - width)
            small = np.asarray(cv2.copyMakeBorder(small, *edges, cv2.BORDER_CONSTANT))
        self._net.setInputSize((across, down))
        _, rows = self._net.detect(small)
        if rows is None:
            return []
        whole = np.ascontiguousarray(image)
        found = [self._face(whole, row / factor, float(row[14])) for row in rows if _whole(row)]
        return sorted(found, key=lambda face: -face.box[2])

    def _face(self, image: Image, row: Floats, score: float) -> Face:
        """`row`: box, then five marks, in the picture's own pixels."""
        x, y, width, height = (float(number) for number in row[:4])
        marks = np.asarray(row[4:14], dtype=np.float32).reshape(5, 2)
        points = self._five.find(image, *landmark_box((x, y, width, height), marks))
        return Face((x, y, width, height), points, score, marks)


def landmark_box(
    box: tuple[float, float, float, float], marks: Floats
) -> tuple[float, float, float, float]:
    """Left, top, right, bottom of the square that dlib's own detector would have drawn.

    The size comes from the box, which turning and covering the mouth change least.
    """
    eyes = (marks[MARK_RIGHT_EYE] + marks[MARK_LEFT_EYE]) / 2
    mouth = (marks[MARK_MOUTH_RIGHT] + marks[MARK_MOUTH_LEFT]) / 2
    x, y = (float(number) for number in eyes + _DOWN * (mouth - eyes))
    half = _SIDE * float(np.sqrt(max(box[2] * box[3], 1.0))) / 2
    return x - half, y - half, x + half, y + half


def _whole(row: Floats) -> bool:
    return bool(np.isfinite(row).all() and min(row[2], row[3]) >= _LEAST_PX)


@contextmanager
def _without_warnings() -> Iterator[None]:
    """OpenCV 5 says on every start that the new graph engine ignores targets; we ask for none."""
    logging = cv2.utils.logging
    before = logging.setLogLevel(logging.LOG_LEVEL_ERROR)
    try:
        yield
    finally:
        logging.setLogLevel(before)
