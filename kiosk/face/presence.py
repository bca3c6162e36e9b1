"""Is somebody there? By their face, or while they look down, by not being the empty lane.

Owns presence with its patience. Pure over thumbnails and times; knows nothing of tasks.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from kiosk.face.parts import Image

_THUMB = (40, 30)
_LEARN_AFTER_S = 2.0
_LEARN_RATE = 0.1
_DIFFERENT = 13.0  #: mean grey levels, light evened out
_MOVING = 2.5
_PATIENCE_WITHOUT_BACKGROUND = 4.0  #: times `absent_s`


class PresenceWatch:
    """Feed every frame; `present` is None until the first answer is certain."""

    def __init__(self, absent_s: float) -> None:
        self._absent_s = absent_s
        self.present: bool | None = None
        self._empty: NDArray[np.float32] | None = None
        self._last: NDArray[np.float32] | None = None
        self._since: float | None = None
        self._seen = float("-inf")
        self._faces_in_a_row = 0

    def restart(self) -> None:
        """Ask anew: the next person in view is news, the learnt background stays."""
        self.present, self._since, self._faces_in_a_row = None, None, 0
        self._seen = float("-inf")

    def update(self, image: Image, face: bool, lenient: bool, at_s: float) -> bool:
        """True when `present` changed. `lenient`: the person may look down for long."""
        thumb = _thumb(image)
        before, self._since = self.present, at_s if self._since is None else self._since
        self._faces_in_a_row = self._faces_in_a_row + 1 if face else 0
        if self._faces_in_a_row >= 2 or (face and self.present):
            self._seen, self.present = at_s, True
        elif lenient and self._occupied(thumb):
            self._seen = at_s
        last_sign = max(self._seen, self._since)
        patience = self._absent_s
        if lenient and self._empty is None:
            patience *= _PATIENCE_WITHOUT_BACKGROUND
        if not face and at_s - last_sign >= patience:
            self.present = False
        if not face and at_s - last_sign >= _LEARN_AFTER_S and not lenient:
            self._learn(thumb)
        self._last = thumb
        return self.present is not before and not (before is None and self.present is False)

    def _occupied(self, thumb: NDArray[np.float32]) -> bool:
        if self._empty is not None:
            return _difference(thumb, self._empty) > _DIFFERENT
        return self._last is not None and _difference(thumb, self._last) > _MOVING

    def _learn(self, thumb: NDArray[np.float32]) -> None:
        """Slowly, and only a picture that keeps still: a coat in view must not become the lane."""
        if self._empty is None:
            self._empty = thumb
        elif self._last is not None and _difference(thumb, self._last) < _MOVING:
            self._empty = (1 - _LEARN_RATE) * self._empty + _LEARN_RATE * thumb


def _thumb(image: Image) -> NDArray[np.float32]:
    """The middle of the picture, grey, 40×30: enough to tell somebody from nobody."""
    width = image.shape[1]
    middle = image[:, width // 6 : width - width // 6]
    small = cv2.resize(middle, _THUMB, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), dtype=np.float32)


def _difference(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """Mean absolute difference after taking out a common change of light."""
    change = a - b
    return float(np.abs(change - np.median(change)).mean())
