"""The choice of a face detector, and dlib's HOG detector as the plain alternative.

Owns finding faces in one picture. Knows nothing of tracks, quality or identity.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import dlib
import numpy as np

from kiosk.face.landmarks import FivePoints
from kiosk.face.parts import Detector, Face, Image, search_factor
from kiosk.face.yunet import YuNetDetector

DEFAULT = "yunet"
#: Below this the HOG score is as often a curtain as a face.
_MIN_SCORE = 0.0


class HogDetector:
    """Frontal faces, up to about 40° turned; 5-point landmarks (never the 68-point file).

    Its window is 80 pixels: a smaller face in the reduced picture is not found.
    """

    face_px = 112

    def __init__(self, landmarks: Path | None = None) -> None:
        self._hog = dlib.get_frontal_face_detector()
        self._five = FivePoints(landmarks)

    def detect(self, image: Image, width: int = 320) -> list[Face]:
        """Faces, largest first. Finds those wider than about 80/`width` of the picture."""
        factor = search_factor(image, width)
        if min(image.shape[:2]) * factor < 1:
            return []  # a line of pixels
        small = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), dtype=np.uint8)
        if factor != 1:
            how = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
            resized = cv2.resize(small, None, fx=factor, fy=factor, interpolation=how)
            small = np.asarray(resized, dtype=np.uint8)
        whole = np.ascontiguousarray(image)
        boxes, scores, _ = self._hog.run(small, 0, _MIN_SCORE)
        faces = [
            self._face(whole, box, score, factor) for box, score in zip(boxes, scores, strict=True)
        ]
        return sorted(faces, key=lambda face: -face.box[2])

    def _face(self, image: Image, box: dlib.rectangle, score: float, factor: float) -> Face:
        left, top = box.left() / factor, box.top() / factor
        right, bottom = box.right() / factor, box.bottom() / factor
        points = self._five.find(image, left, top, right, bottom)
        return Face((left, top, right - left, bottom - top), points, float(score))


_DETECTORS: dict[str, Callable[[], Detector]] = {"yunet": YuNetDetector, "hog": HogDetector}


def make_detector(name: str = DEFAULT) -> Detector:
    """The detector "yunet" or "hog". `KeyError` for another name, else `models.WrongModel`."""
    return _DETECTORS[name]()
