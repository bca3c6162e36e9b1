"""Whether something lies over the lens: a picture in which there is nothing, for a while.

Pure but for numpy; frames and times come in. It must not know faces.
"""

from __future__ import annotations

import cv2
import numpy as np

from kiosk.face.parts import Image

EVERY_S = 1.0  #: one frame in so many seconds is enough
COVERED_S = 8.0  #: so long nothing is seen before it counts
CLEAR_S = 2.0
#: Grey levels by which 32×24 means differ (their standard deviation). A wall with a window's light
#: on it has more; a hand, tape or a lens cap has less, in the dark as well.
NOTHING, NOTHING_DARK = 4.0, 8.0
DARK = 30.0  #: mean grey level


class Cover:
    """`feed` each frame; True or False when that has just been found, None otherwise."""

    def __init__(self) -> None:
        self.covered = False
        self._looked_s = float("-inf")
        self._other_since_s: float | None = None

    def feed(self, image: Image, at_s: float) -> bool | None:
        if at_s - self._looked_s < EVERY_S:
            return None
        self._looked_s = at_s
        if nothing_in(image) == self.covered:
            self._other_since_s = None
            return None
        if self._other_since_s is None:
            self._other_since_s = at_s
        if at_s - self._other_since_s < (CLEAR_S if self.covered else COVERED_S):
            return None
        self.covered, self._other_since_s = not self.covered, None
        return self.covered


def nothing_in(image: Image) -> bool:
    """Whether the picture is all but one even grey, whatever its noise."""
    small = cv2.resize(image, (32, 24), interpolation=cv2.INTER_AREA)
    grey = np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), dtype=np.float32)
    return bool(grey.std() < (NOTHING_DARK if grey.mean() < DARK else NOTHING))
