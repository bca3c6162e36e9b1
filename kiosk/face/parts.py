"""What the engine's exchangeable parts look like: a face, a detector, an encoder.

Owns the small interfaces behind which other models can come later. Knows no model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]  #: H×W×3, BGR, as cameras and OpenCV have it
Grey = NDArray[np.uint8]  #: H×W
Floats = NDArray[np.float32]

#: Rows of `Face.points`: corners of the eyes and the base of the nose. "Left" and "right" are
#: the person's own: in an unmirrored picture the person's left eye is on the picture's right.
LEFT_EYE_OUTER, LEFT_EYE_INNER, RIGHT_EYE_OUTER, RIGHT_EYE_INNER, NOSE = range(5)

#: Rows of `Face.marks`, in YuNet's order, sides again the person's own.
MARK_RIGHT_EYE, MARK_LEFT_EYE, MARK_NOSE_TIP, MARK_MOUTH_RIGHT, MARK_MOUTH_LEFT = range(5)

#: What an encoder wants of a face: one aligned RGB picture for each network in it.
Chip = tuple[Image, ...]

#: A searched picture is at most this many times as high as wide; no photograph is narrower.
_TALLEST = 4


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """A face in one picture, in that picture's pixels."""

    box: tuple[float, float, float, float]  #: x, y, width, height
    points: Floats  #: 5×2, rows as named above
    score: float  #: the detector's own, higher is surer
    #: 5×2, rows as named above: eye centres, nose tip, corners of the mouth. None where the
    #: detector has none.
    marks: Floats | None = None

    @property
    def eye_width(self) -> float:
        """Distance of the outer eye corners, pixels: the size that turning changes least."""
        return float(np.hypot(*(self.points[LEFT_EYE_OUTER] - self.points[RIGHT_EYE_OUTER])))

    @property
    def eye_middle(self) -> Floats:
        return np.asarray(self.points[:4].mean(axis=0), dtype=np.float32)

    @property
    def centre(self) -> tuple[float, float]:
        x, y, width, height = self.box
        return x + width / 2, y + height / 2


class Detector(Protocol):
    @property
    def face_px(self) -> int:
        """Width of a face in the searched picture at which it is found for certain."""

    def detect(self, image: Image, width: int) -> list[Face]:
        """Faces of the picture, largest first, looked for at `width` pixels across.

        A narrow strip is searched at less, see `search_factor`: the cost is bounded by `width`.
        """


def search_factor(image: Image | Grey, width: int) -> float:
    """What to scale `image` by so that it is searched at `width` pixels across.

    Less for a strip, which would become millions of pixels high and gigabytes in the network.
    """
    height, across = image.shape[:2]
    return float(min(width / across, _TALLEST * width / height))


class Encoder(Protocol):
    @property
    def name(self) -> str:
        """Identity of the embedding space; embeddings of different names never meet."""

    @property
    def size(self) -> int:
        """Numbers in an embedding."""

    def chip(self, image: Image, face: Face) -> Chip:
        """The aligned cut-outs that this encoder wants. `ValueError` when the face lacks marks."""

    def embed(self, chips: Sequence[Chip]) -> Floats:
        """N chips to N×`size` float32; likeness is the Euclidean distance of two rows."""
