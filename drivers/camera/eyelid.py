"""Shuts the virtual person's eye: pictures of one eye from open to shut, made once.

Test equipment. Pictures and landmarks in, small pictures out; no time, no whole frames.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.camera.headmodel import Floats, Image

Doubles = NDArray[np.float64]

LEVELS = 8  #: pictures between open and shut
#: in iBUG order: corner, two of the upper lid, corner, two of the lower lid; and its brow
EYES = (
    ((36, 37, 38, 39, 40, 41), slice(17, 22)),
    ((42, 43, 44, 45, 46, 47), slice(22, 27)),
)


class Eyelid:
    """`x`, `y`: where the patches go in the picture; `patches[level]`: h x w x 3 BGR."""

    def __init__(
        self, picture: Image, points: Floats, eye: tuple[int, ...], brow: slice
    ) -> None:
        corner_a, up_a, up_b, corner_b, low_b, low_a = (points[i].astype(float) for i in eye)
        width = float(corner_b[0] - corner_a[0])
        self._gap = max(float((low_a + low_b - up_a - up_b)[1]) / 2, 0.12 * width)
        self.x = int(corner_a[0] - 0.25 * width)
        self.y = int(min(up_a[1], up_b[1]) - 1.8 * self._gap)
        columns = np.arange(self.x, int(corner_b[0] + 0.25 * width))
        rows = np.arange(self.y, int(max(low_a[1], low_b[1]) + 1.6 * self._gap))
        self._columns, self._rows = columns, rows[:, None].astype(float)
        knots = [corner_a[0], up_a[0], up_b[0], corner_b[0]]
        self._upper = _arc(columns, knots, [corner_a[1], up_a[1], up_b[1], corner_b[1]])
        lower = _arc(columns, knots, [corner_a[1], low_a[1], low_b[1], corner_b[1]])
        self._lower = np.maximum(lower, self._upper)
        self._brow = np.interp(columns, points[brow, 0], points[brow, 1])
        self._middle = slice(len(columns) // 3, 2 * len(columns) // 3)
        above = self._tone(picture, self._crease(), self._edge(0.0))
        self._skin = self._tone(
            picture, self._lower + 0.5 * self._gap, self._lower + 1.3 * self._gap
        )
        # a brow that lies on the eye leaves no bright skin to pull down: that lid is painted
        self._painted = bool(above.mean() < 0.6 * self._skin.mean())
        self.patches = [self._patch(picture, level / LEVELS) for level in range(LEVELS + 1)]

    def _patch(self, picture: Image, shut: float) -> Image:
        edge = self._edge(shut)
        shift = np.zeros(1) if self._painted else self._pull(edge, shut)
        map_x = np.broadcast_to(self._columns, (len(self._rows), len(self._columns)))
        map_y = np.broadcast_to(self._rows + shift, map_x.shape)
        patch = cv2.remap(
            picture, map_x.astype(np.float32), map_y.astype(np.float32), cv2.INTER_LINEAR
        )
        if self._painted and shut > 0:
            patch = self._paint(np.asarray(patch, np.uint8), edge, shut)
        return np.asarray(patch, np.uint8)

    def _edge(self, shut: float) -> Doubles:
        """Where the lid ends, per column: from a little above the landmarks' upper line to
        just below the lower one."""
        lash, floor = self._upper - 0.12 * self._gap, self._lower + 0.05 * self._gap
        return np.asarray(lash + shut * (floor - lash), np.float64)

    def _crease(self) -> Doubles:
        """From here down skin is pulled: below the brow's own hair."""
        lash = self._edge(0.0)
        crease = np.maximum(lash - 0.9 * self._gap, 0.5 * (self._brow + lash))
        return np.asarray(np.minimum(crease, lash - 1.0), np.float64)

    def _tone(self, picture: Image, top: Doubles, bottom: Doubles) -> Doubles:
        """Median BGR between two lines, in the middle third of the eye."""
        middle = self._middle
        y0, y1 = int(top[middle].min()), int(np.ceil(bottom[middle].max())) + 1
        x0 = self.x
        band = picture[y0:y1, x0 + middle.start : x0 + middle.stop]
        return np.asarray(np.median(band.reshape(-1, 3), 0), np.float64)

    def _pull(self, edge: Doubles, shut: float) -> Doubles:
        """Rows to look further up or down: the skin between brow and lashes, stretched."""
        rows, gap = self._rows, self._gap
        lash = self._edge(0.0)
        crease = self._crease()
        stretched = crease + (rows - crease) * (lash - crease) / (edge - crease)
        shift = np.where((rows > crease) & (rows < edge), stretched - rows, 0)
        # the lashes are pushed ahead of the edge: squeeze the strip below it
        ahead = max(0.35 * gap * shut, 1e-3)
        push = (edge - lash) * np.clip(1 - (rows - edge) / ahead, 0, 1)
        return np.asarray(np.where((rows >= edge) & (rows < edge + ahead), -push, shift))

    def _paint(self, patch: Image, edge: Doubles, shut: float) -> Image:
        rows, gap = self._rows, self._gap
        top = self._upper - 0.1 * gap
        depth = np.clip((rows - top) / np.maximum(self._lower - top, 1), 0, 1)
        lid = self._skin * (0.58 + 0.26 * depth)[..., None]
        open_here = (self._lower - self._upper) > 0.15 * gap
        inside = ((rows > top) & (rows < edge) & open_here).astype(np.float32)
        cover = cv2.GaussianBlur(inside, (0, 0), max(0.07 * gap, 0.6))[..., None]
        line = np.exp(-(((rows - edge) / (0.17 * gap)) ** 2)) * open_here * min(1.0, 2 * shut)
        lashes = cv2.GaussianBlur(line.astype(np.float32), (0, 0), 0.6)[..., None]
        mixed = patch * (1 - cover) + lid * cover
        return np.asarray(np.clip(mixed * (1 - 0.85 * lashes), 0, 255), np.uint8)


def _arc(x: NDArray[np.int64], knots_x: list[float], knots_y: list[float]) -> Doubles:
    """A smooth lid line through the four knots (cubic), level outside the corners."""
    order = np.argsort(knots_x)
    kx, ky = np.array(knots_x)[order], np.array(knots_y)[order]
    middle = kx.mean()
    curve = np.polyval(np.polyfit(kx - middle, ky, 3), np.clip(x, kx[0], kx[-1]) - middle)
    return np.asarray(curve, np.float64)
