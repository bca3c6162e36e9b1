"""Is there a regular grid over the face: a screen's pixels, a printer's dots, or their moiré?

Owns the spectrum of a face's cut-out at the camera's own resolution. A pure function of one
picture; judges no motion. Skin has no period; a sharp peak in the spectrum has a grid behind it.
What a camera can see of a grid at all is a matter of pixels: docs/face.md, "Screens and paper".
"""

from __future__ import annotations

import cv2
import numpy as np

from kiosk.face.parts import Face, Floats, Image

_SIDE = 1.25  #: of the cut-out, outer eye corner distances: brow to mouth, cheek to cheek
_LEAST_PX, _MOST_PX = 48, 320
_DETAIL = 4.0  #: sigma, pixels: coarser things are the face's own
_LOWEST = 0.05  #: cycles a pixel
_AROUND = 9  #: bins each way that a peak is compared with


def peak(image: Image, face: Face) -> float:
    """How far the sharpest peak stands out of its neighbourhood, natural logarithm of power.

    The largest over brightness and two colour differences; 0 where the face is too small or cut
    off. Noise alone gives about 3; see docs/face.md for people, screens and prints.
    """
    cut = _cut(image, face)
    if cut is None:
        return 0.0
    blue, green, red = (cut[..., channel] for channel in range(3))
    signals = (0.114 * blue + 0.587 * green + 0.299 * red, red - green, blue - green)
    return max(_peak(signal) for signal in signals)


def _cut(image: Image, face: Face) -> Floats | None:
    side = min(int(_SIDE * face.eye_width), _MOST_PX) // 2 * 2
    middle = (face.eye_middle + face.points[4]) / 2
    left, top = (round(float(v) - side / 2) for v in middle)
    height, width = image.shape[:2]
    inside = left >= 0 and top >= 0 and left + side <= width and top + side <= height
    if side < _LEAST_PX or not inside:
        return None
    return image[top : top + side, left : left + side].astype(np.float32)


def _peak(signal: Floats) -> float:
    side = signal.shape[0]
    fine = signal - cv2.GaussianBlur(signal, (0, 0), _DETAIL)
    window = np.hanning(side).astype(np.float32)
    power = np.abs(np.fft.fftshift(np.fft.fft2(fine * window[:, None] * window))) ** 2
    # a floor where chroma was thrown away: what is 0 by compression is no valley to stand out of
    level = np.log(power + 1e-3 * float(power.mean()) + 1e-6).astype(np.float32)
    return float((level - _around(level))[_judged(side)].max())


def _around(level: Floats) -> Floats:
    """Mean of each bin's neighbourhood but the bin and those next to it; spectra have no edges."""
    wide = cv2.copyMakeBorder(level, _AROUND, _AROUND, _AROUND, _AROUND, cv2.BORDER_WRAP)
    whole, own = (
        cv2.boxFilter(wide, cv2.CV_32F, (size, size), normalize=False) for size in (_AROUND, 3)
    )
    ring = (whole - own) / (_AROUND**2 - 9)
    return np.asarray(ring[_AROUND:-_AROUND, _AROUND:-_AROUND], dtype=np.float32)


def _judged(side: int) -> np.ndarray:
    """Frequencies high enough, off the axes, each once."""
    steps = np.arange(-(side // 2), side - side // 2) / side
    across, down = np.meshgrid(steps, steps)
    axis = 1.2 / side
    high = np.hypot(across, down) > _LOWEST
    return np.asarray(high & (np.abs(across) > axis) & (np.abs(down) > axis) & (across > 0))
