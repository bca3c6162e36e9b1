"""Does the face in this frame still look like the one in the frame before?

Owns a thumbnail of the upright face and its comparison. Not recognition: it tells a cut or a
swap between two frames from a head that moves, for the tenth of a millisecond it costs.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from kiosk.face.parts import Face, Image
from kiosk.face.upright import patch_of

_SIDE, _EYES = 32, 18.0
_SLIP = 3  #: pixels, when the motion has been undone
_COLUMN, _ROW = np.meshgrid(*[np.arange(_SIDE, dtype=np.float32)] * 2)


def thumbnail(image: Image, face: Face) -> NDArray[np.float32]:
    """32×32, the outer eye corners 18 apart, light evened out, mean 0 and length 1."""
    patch = patch_of(image, face, _SIDE, _EYES).astype(np.float32)
    patch -= cv2.GaussianBlur(patch, (0, 0), 6)
    patch -= patch.mean()
    return np.asarray(patch / max(float(np.linalg.norm(patch)), 1e-6), dtype=np.float32)


def alike(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """Normalised correlation, the better of not slipping and slipping by a pixel; −1..1."""
    inner = a[1:-1, 1:-1]
    return float(cv2.matchTemplate(b, inner, cv2.TM_CCOEFF_NORMED).max())


def alike_turned(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """The same after smooth motion between them is undone, as of a head that turned quickly, or of
    eye corners that were found a little elsewhere; −1..1. Takes 0.7 ms, and other people look more
    alike as well, so its limit is higher."""
    sizes = [cv2.resize(_grey(patch), (2 * _SIDE, 2 * _SIDE)) for patch in (a, b)]
    flow = cv2.calcOpticalFlowFarneback(*sizes, None, 0.5, 2, 21, 3, 5, 1.1, 0)  # type: ignore[call-overload]
    flow = cv2.resize(cv2.GaussianBlur(flow, (0, 0), 6), (_SIDE, _SIDE)) / 2
    back = cv2.remap(b, _COLUMN + flow[..., 0], _ROW + flow[..., 1], cv2.INTER_LINEAR)
    inner = a[_SLIP:-_SLIP, _SLIP:-_SLIP]
    return float(cv2.matchTemplate(back, inner, cv2.TM_CCOEFF_NORMED).max())


def _grey(patch: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.clip(128 + 600 * patch, 0, 255).astype(np.uint8)
