"""dlib's five landmarks of a face whose box is known.

Owns the landmark file. Knows no detector; only what kind of box the file was trained on.
"""

from __future__ import annotations

from pathlib import Path

import dlib
import numpy as np

from kiosk.face import models
from kiosk.face.parts import Floats, Image


class FivePoints:
    """The 5-point file (never the 68-point one, see docs/face.md). Raises `models.WrongModel`."""

    def __init__(self, path: Path | None = None) -> None:
        models.DLIB_FIVE_POINTS.read(path)
        self._predictor = dlib.shape_predictor(str(path or models.DLIB_FIVE_POINTS.path()))

    def find(self, image: Image, left: float, top: float, right: float, bottom: float) -> Floats:
        """5×2 in `image`'s pixels, rows as in `parts`. The box is one of dlib's own detector:
        a square from the eyebrows to the chin. `image` is contiguous, grey or colour."""
        # dlib reads a colour pixel as the mean of its channels, so their order does not matter
        box = dlib.rectangle(round(left), round(top), round(right), round(bottom))
        shape = self._predictor(image, box)
        return np.array([(part.x, part.y) for part in shape.parts()], dtype=np.float32)
