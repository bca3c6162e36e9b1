"""What happens before the virtual camera: who stands there and how they move, over time.

Test equipment. Owns motion, light and sensor noise; drawing is render's, streaming is
virtual's. Time comes in as an argument.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from drivers.camera.headmodel import Image
from drivers.camera.matte import entrance_hall
from drivers.camera.render import HEIGHT, WIDTH, Renderer

TURN_S = 0.5
BLINK_S = 0.2
WALK_S = 0.6
TURN_DEG = 24.0
NOD_DEG = 16.0
TILT_DEG = 28.0  #: of a print, any way
#: Direction: yaw, pitch. Left and right are the person's own; pitch > 0 lowers the chin.
DIRECTIONS = {
    "left": (1.0, 0.0),
    "right": (-1.0, 0.0),
    "up": (0.0, -1.0),
    "down": (0.0, 1.0),
    "center": (0.0, 0.0),
}
NOISE_SIGMA = 2.2
_BITS = 40
_CELL = 12


@dataclass
class _Ease:
    """A value on its way to a target, starting and stopping gently."""

    start: float = 0.0
    target: float = 0.0
    since_s: float = -math.inf
    duration_s: float = TURN_S

    def at(self, now_s: float) -> float:
        t = min(max((now_s - self.since_s) / self.duration_s, 0.0), 1.0)
        return self.start + (self.target - self.start) * (0.5 - 0.5 * math.cos(math.pi * t))

    def go(self, target: float, now_s: float) -> None:
        self.start, self.target, self.since_s = self.at(now_s), target, now_s


def _wave(now_s: float, period_s: float, phase: float) -> float:
    """Slow, never quite repeating, within ±1."""
    a, b = 2 * math.pi * now_s / period_s, 2 * math.pi * now_s / (period_s * 0.37)
    return 0.72 * math.sin(a + phase) + 0.28 * math.sin(b + 2.1 * phase)


class Scene:
    """The scene's state; every method takes `now_s` (monotonic seconds)."""

    def __init__(self, seed: int = 7) -> None:
        self._hall = entrance_hall(WIDTH, HEIGHT)
        self._draw: Callable[[float], Image] = self._empty
        self._renderer: Renderer | None = None
        self._scale = 1.0
        self._turn = _Ease()
        self._nod = _Ease()
        self._walk = _Ease(duration_s=WALK_S)
        self._blink_at_s = -math.inf
        rng = np.random.default_rng(seed)
        field = rng.normal(0, NOISE_SIGMA, (HEIGHT + 64, WIDTH + 64, 3))
        self._noise = np.round(field).astype(np.int16)
        self._jitter = rng

    # --- commands ------------------------------------------------------------------------

    def empty(self, now_s: float) -> None:
        self._draw = self._empty

    def person(self, renderer: Renderer, distance: float, now_s: float) -> None:
        self._enter(renderer, distance, now_s)
        self._draw = self._person

    def flat_photo(self, renderer: Renderer, distance: float, now_s: float) -> None:
        self._enter(renderer, distance, now_s)
        self._draw = self._flat

    def turn(self, direction: str, now_s: float, degrees: float | None = None) -> None:
        """One of `DIRECTIONS`; a head (or print) on its way elsewhere comes back from there."""
        flat = self._draw == self._flat
        yaw, pitch = DIRECTIONS[direction]
        for ease, sign, full in ((self._turn, yaw, TURN_DEG), (self._nod, pitch, NOD_DEG)):
            far = (TILT_DEG if flat else full) if degrees is None else degrees
            ease.go(sign * far, now_s)

    def blink(self, now_s: float) -> None:
        self._blink_at_s = now_s

    def leave(self, now_s: float) -> None:
        if self._walk.target == 0.0:
            self._walk.go(1.0, now_s)

    def cover(self, now_s: float) -> None:
        self._draw = self._covered

    def pattern(self, now_s: float) -> None:
        self._draw = self._pattern

    def _enter(self, renderer: Renderer, distance: float, now_s: float) -> None:
        self._renderer, self._scale = renderer, 1.0 / distance
        self._turn, self._nod = _Ease(), _Ease()
        self._blink_at_s = -math.inf
        self._walk = _Ease(-1.0, 0.0, now_s, WALK_S)

    # --- drawing -------------------------------------------------------------------------

    def frame(self, now_s: float) -> Image:
        """480x640x3 BGR as the sensor sees it at `now_s`."""
        picture = self._draw(now_s)
        if self._draw == self._pattern:
            return picture
        y, x = self._jitter.integers(0, 64, 2)
        noise = self._noise[y : y + HEIGHT, x : x + WIDTH]
        return np.asarray(cv2.add(picture, noise, dtype=cv2.CV_8U), np.uint8)

    def _light(self, now_s: float) -> float:
        return 1.0 + 0.025 * _wave(now_s, 7.0, 0.4)

    def _empty(self, now_s: float) -> Image:
        return np.asarray(cv2.convertScaleAbs(self._hall, alpha=self._light(now_s)), np.uint8)

    def _covered(self, now_s: float) -> Image:
        return np.full((HEIGHT, WIDTH, 3), 9, np.uint8)

    def _person(self, now_s: float) -> Image:
        walk = self._walk.at(now_s)
        if self._renderer is None or walk >= 1.0:
            return self._empty(now_s)
        since = (now_s - self._blink_at_s) / BLINK_S
        return self._renderer.frame(
            yaw_deg=self._turn.at(now_s) + 0.9 * _wave(now_s, 4.3, 0.0) + 20 * abs(walk),
            pitch_deg=self._nod.at(now_s) + 0.7 * _wave(now_s, 5.1, 1.3),
            blink=math.sin(math.pi * since) ** 0.5 if 0 < since < 1 else 0.0,
            dx=3.0 * _wave(now_s, 3.7, 0.7) + walk * (WIDTH + 100),
            dy=2.0 * _wave(now_s, 2.9, 2.2) + 5 * abs(math.sin(3 * math.pi * walk)),
            scale=self._scale * (1 + 0.008 * _wave(now_s, 6.1, 1.0)),
            brightness=self._light(now_s),
            roll_deg=0.5 * _wave(now_s, 5.7, 2.9),
        )

    def _flat(self, now_s: float) -> Image:
        walk = self._walk.at(now_s)
        if self._renderer is None or walk >= 1.0:
            return self._empty(now_s)
        return self._renderer.flat_frame(
            yaw_deg=self._turn.at(now_s) + 3.0 * _wave(now_s, 3.1, 0.3),
            pitch_deg=self._nod.at(now_s) + 2.5 * _wave(now_s, 2.7, 1.1),
            roll_deg=2.0 * _wave(now_s, 3.5, 2.0),
            dx=9.0 * _wave(now_s, 2.3, 0.9),
            dy=6.0 * _wave(now_s, 1.9, 1.7) + abs(walk) * (HEIGHT + 80),
            scale=self._scale * (1 + 0.03 * _wave(now_s, 4.1, 0.2)),
            brightness=self._light(now_s),
        )

    def _pattern(self, now_s: float) -> Image:
        picture = self._hall.copy()
        value = int(now_s * 1e6)
        for bit in range(_BITS):
            x, on = _CELL * (bit + 2), (value >> bit) & 1
            cv2.rectangle(picture, (x, 0), (x + _CELL - 1, 23), (255,) * 3 if on else (0,) * 3, -1)
        return picture


def read_pattern(picture: Image) -> float:
    """The time (monotonic seconds, same machine) at which a `pattern` frame was drawn."""
    xs = [_CELL * (bit + 2) + _CELL // 2 for bit in range(_BITS)]
    value = sum(1 << bit for bit, x in enumerate(xs) if picture[6:18, x - 3 : x + 3].mean() > 128)
    return value / 1e6
