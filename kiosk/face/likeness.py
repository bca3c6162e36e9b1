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
