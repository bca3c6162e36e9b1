"""Does the camera show the world, or the same pictures again?

Owns the comparison of small pictures of the last seconds. Knows nothing of faces.

A sensor's noise is never the same twice, and a head on its way never comes by the same place
in the same pose many frames in a row. A camera that hangs, or somebody who feeds a recording in,
shows just that.
"""

from __future__ import annotations

from collections import deque

import cv2
import numpy as np

from kiosk.face.parts import Floats, Image

_WIDTH, _HEIGHT = 64, 48
#: Mean absolute differences of two small pictures, grey levels. One frame decoded twice gives 0;
#: the quietest simulated camera (noise of half a level) before an even wall gave 0.08.
FROZEN = 0.02
REPEATED = 0.25  #: a recording compressed anew stays below
MOVED = 1.2  #: a head on its way; lamps that flicker stay below
KEPT_S = 12.0
APART_S = 0.3  #: a recording is looked for at least this far back
FREEZE_FRAMES = 6  #: a camera may give one frame twice
REPEAT_FRAMES = 8  #: in all, of the last REPEAT_WINDOW that moved
REPEAT_WINDOW = 16


class Freshness:
    """Feed it each frame; `stale` tells when they come again."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, Floats]] = deque()
        self._frozen = 0
        self._again: deque[bool] = deque(maxlen=REPEAT_WINDOW)

    @property
    def stale(self) -> bool:
        return self._frozen >= FREEZE_FRAMES or sum(self._again) >= REPEAT_FRAMES

    def feed(self, image: Image, at_s: float) -> None:
        """`image`: BGR of any size; `at_s`: monotonic seconds."""
        now = _small(image)
        while self._seen and at_s - self._seen[0][0] > KEPT_S:
            self._seen.popleft()
        if self._seen:
            step = _apart(self._seen[-1][1], now)
            self._frozen = self._frozen + 1 if step < FROZEN else 0
            if step >= FROZEN:
                self._compare_with_old(now, step, at_s)
        self._seen.append((at_s, now))

    def _compare_with_old(self, now: Floats, step: float, at_s: float) -> None:
        """What does not move says nothing: a still person looks the same from frame to frame."""
        old = [row for when, row in self._seen if at_s - when >= APART_S]
        if step >= MOVED:
            self._again.append(bool(old) and _nearest(old, now) < REPEATED)


def _small(image: Image) -> Floats:
    """The middle, where the person is; of equal mean, so that lamps that flicker do not count."""
    height, width = image.shape[:2]
    middle = image[height // 5 : height - height // 5, width // 5 : width - width // 5]
    # in floats before averaging: rounded means of an even wall would be equal, noise or not
    fine = cv2.cvtColor(middle, cv2.COLOR_BGR2GRAY).astype(np.float32)
    grey = cv2.resize(fine, (_WIDTH, _HEIGHT), interpolation=cv2.INTER_AREA).ravel()
    return np.asarray(grey * (100.0 / max(float(grey.mean()), 1.0)), dtype=np.float32)


def _apart(one: Floats, other: Floats) -> float:
    return float(np.abs(one - other).mean())


def _nearest(rows: list[Floats], now: Floats) -> float:
    """Distance of the nearest; a coarse look first, then closely at the ten best."""
    table = np.stack(rows)
    coarse = np.abs(table[:, ::16] - now[::16]).mean(axis=1)
    best = np.argsort(coarse)[:10]
    return float(np.abs(table[best] - now).mean(axis=1).min())
