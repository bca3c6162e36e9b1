"""What the pixels of a face say about light, sharpness, and what covers it.

Owns the measures that need the picture, each independent of the face's size in it. Knows no
limits and no prompts. Terms in brackets are those of ISO/IEC 29794-5:2025.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from kiosk.face.parts import (
    LEFT_EYE_INNER,
    LEFT_EYE_OUTER,
    RIGHT_EYE_INNER,
    RIGHT_EYE_OUTER,
    Face,
    Floats,
    Grey,
    Image,
)
from kiosk.face.upright import cut_of, in_cut

_NORMAL_CONTRAST = 50.0
_BURNT = 247  #: the standard's own bound of over-exposed luminance

#: The cut-out: outer eye corners `_EYES` apart, the point between the eyes at `_AT`.
_EYES, _SIZE, _AT = 64.0, (96, 112), (48.0, 32.0)
_LIGHT = ((np.arange(256) / 255.0) ** 2.2).astype(np.float32)  #: pixels to light, 0..1
_CHIN = 96  #: rows of the cut that are face in any case: light and sharpness are theirs
_GLIMMER = np.float32(0.01)  #: light that is as good as none: keeps logarithms finite

Zone = tuple[float, float, float, float]  #: left, right, top, bottom in eye widths from the eyes
#: Skin that no mask covers: forehead, between the brows, bridge of the nose.
_UPPER: tuple[Zone, ...] = ((-0.20, 0.20, -0.42, -0.25), (-0.10, 0.10, -0.20, -0.05),
                            (-0.07, 0.07, 0.0, 0.15))  # fmt: skip
#: Cheeks beside the nose, mouth, jaws, chin: what a mask covers even when worn low.
_LOWER: tuple[Zone, ...] = ((-0.45, -0.30, 0.45, 0.65), (0.30, 0.45, 0.45, 0.65),
                            (-0.20, 0.20, 0.70, 0.90), (-0.40, -0.25, 0.75, 0.95),
                            (0.25, 0.40, 0.75, 0.95), (-0.15, 0.15, 1.0, 1.15))  # fmt: skip
_CHEEK: Zone = (0.22, 0.48, 0.20, 0.70)
_BROW: Zone = (0.10, 0.35, -0.40, -0.15)
_LEAST_EYE = 40  #: pixels of the cut; fewer are no eye
_LIGHTNESS = 0.2  #: weight of lightness beside two logarithms of colour ratios


@dataclass(frozen=True, slots=True)
class Appearance:
    """Logarithms are natural, of linear light."""

    sharpness: float  #: [sharpness] of detail that is not noise, see `_detail`
    light: float  #: [luminance mean] 0..255
    highlights: float  #: [under-exposure prevention] 95th percentile of grey: nearly the same for
    #: all skins in one light, which the mean is not
    burnt: float  #: [over-exposure prevention] share of pixels at 247 and above
    uneven: float  #: [illumination uniformity] log ratio of the two sides, where cheeks and
    #: brows agree; 0 when they do not
    cloth: float  #: [mouth and face occlusion prevention] how far the lower face is of one
    #: colour that the upper face does not have: log ratio, less its own spread
    eye_contrast: float  #: [eyes visible] log range of light within the eye, the lesser eye
    eye_opening: float  #: [eyes open] dark between light on both sides, as an iris is, plus the
    #: share of upright edges; mean of both eyes


def appearance_of(image: Image, face: Face) -> Appearance:
    cut = cut_of(image, face, _EYES, _SIZE, _AT)
    grey = np.asarray(cv2.cvtColor(cut, cv2.COLOR_BGR2GRAY), dtype=np.uint8)
    face_only = np.ascontiguousarray(grey[:_CHIN])
    counts = cv2.calcHist([face_only], [0], None, [256], [0, 256]).ravel()
    counts = counts / face_only.size
    contrast, opening = _eyes(grey, in_cut(face, _EYES, _AT))
    return Appearance(
        sharpness=_detail(face_only),
        light=float(counts @ np.arange(256)),
        highlights=float(np.searchsorted(np.cumsum(counts), 0.95)),
        burnt=float(counts[_BURNT:].sum()),
        uneven=_uneven(grey),
        cloth=_cloth(cut),
        eye_contrast=contrast,
        eye_opening=opening,
    )


def sharpness_of(patch: Grey) -> float:
    """Variance of the Laplacian of `upright.patch_of`, made independent of contrast.

    For photographs: a camera's noise in dim light passes for detail here.
    """
    return _edges(patch)


def _detail(grey: Grey) -> float:
    """The same of the cut-out, at a scale of 1.5 of its pixels: a camera's noise is averaged
    out there, and what an unfocused lens takes is not (a Laplacian of Gaussian)."""
    smooth = cv2.GaussianBlur(grey.astype(np.float32), (9, 9), 1.5)
    return _edges(np.asarray(smooth, dtype=np.float32))


def _edges(patch: Grey | Floats) -> float:
    contrast = max(float(cv2.meanStdDev(patch)[1][0, 0]), 8.0)
    edges = float(cv2.meanStdDev(cv2.Laplacian(patch, cv2.CV_32F))[1][0, 0])
    return (edges * _NORMAL_CONTRAST / contrast) ** 2


def _grids(zones: tuple[Zone, ...], steps: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows and columns of the cut: `steps`² places in each zone, N×steps²."""
    rows, columns = [], []
    for left, right, top, bottom in zones:
        y, x = np.meshgrid(np.linspace(top, bottom, steps), np.linspace(left, right, steps))
        rows.append(np.rint(_AT[1] + _EYES * y).astype(np.intp).ravel())
        columns.append(np.rint(_AT[0] + _EYES * x).astype(np.intp).ravel())
    return np.array(rows), np.array(columns)


_SIDES = tuple((sign * x0, sign * x1, top, bottom)
               for x0, x1, top, bottom in (_CHEEK, _BROW) for sign in (1, -1))  # fmt: skip
_SIDE_GRID = _grids(_SIDES, 7)
_TONE_GRID = _grids(_UPPER + _LOWER, 5)


def _median(rows: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Along the second axis; of an odd number, and without `np.median`'s detours."""
    return np.asarray(np.sort(rows, axis=1)[:, rows.shape[1] // 2], dtype=np.uint8)


def _uneven(grey: Grey) -> float:
    """Only what cheeks and brows have in common: hair and a shadow of the nose are on one."""
    light = _LIGHT[_median(grey[_SIDE_GRID])] + _GLIMMER
    cheeks, brows = (float(np.log(light[at] / light[at + 1])) for at in (0, 2))
    return min(abs(cheeks), abs(brows)) if cheeks * brows > 0 else 0.0


def _cloth(cut: Image) -> float:
    """Beards, lips and shadows differ from the forehead too, but not all parts in one way."""
    pixels = _median(cut[_TONE_GRID])  # zones × 3
    burnt = pixels.max(axis=1) >= _BURNT
    if burnt[: len(_UPPER)].sum() > 1 and burnt[len(_UPPER) :].sum() > 2:
        return 0.0  # nothing that is burnt has a colour to compare
    b, g, r = (_LIGHT[pixels] + 0.4 * _GLIMMER).T
    lightness = _LIGHTNESS * np.log((b + g + r) / 3)
    tones = np.stack([np.log(r / g), np.log(b / g), lightness], axis=1)
    upper, lower = tones[: len(_UPPER)], tones[len(_UPPER) :]
    apart = np.linalg.norm(lower[:, None] - upper[None], axis=2).min(axis=1)
    middle = np.sort(lower, axis=0)[2:4].mean(axis=0)
    spread = np.sort(np.linalg.norm(lower - middle, axis=1))
    return float(np.sort(apart)[1] - spread[2:4].mean())


def _eyes(grey: Grey, points: Floats) -> tuple[float, float]:
    """The lesser eye's contrast, and the mean opening of both."""
    contrasts, openings = [], []
    for outer, inner in ((LEFT_EYE_OUTER, LEFT_EYE_INNER), (RIGHT_EYE_OUTER, RIGHT_EYE_INNER)):
        x, y = (float(v) for v in (points[outer] + points[inner]) / 2)
        half = min(max(abs(float(points[outer][0] - points[inner][0])) / 2, 6.0), 14.0)
        left, right = max(round(x - 0.75 * half), 6), min(round(x + 0.75 * half) + 1, _SIZE[0] - 6)
        top, bottom = max(round(y - 0.55 * half), 3), round(y + 0.6 * half) + 1
        strip = _LIGHT[grey[top:bottom, left - 6 : right + 6]]
        eye = strip[:, 6:-6]
        if eye.size < _LEAST_EYE:
            return 0.0, 0.0
        low, high = int(0.1 * eye.size), int(0.9 * eye.size)
        flat = np.partition(eye, (low, high), axis=None) + _GLIMMER
        contrasts.append(float(np.log(flat[high] / flat[low])))
        openings.append(_iris(strip) + _upright_edges(eye))
    return min(contrasts), sum(openings) / 2


def _iris(strip: NDArray[np.float32]) -> float:
    """The best place for a dark spot with something lighter on its left and on its right.

    Log ratio, most of it from the less light side. The strip has 6 pixels more to each side.
    """
    spot = cv2.blur(strip, (5, 5)) + _GLIMMER
    side = cv2.blur(strip, (3, 5)) + _GLIMMER
    quarter = max((strip.shape[1] - 12) // 6, 1)
    within = slice(6 + quarter, strip.shape[1] - 6 - quarter)
    near, far = side[:, within.start - 4 : within.stop - 4], side[:, within.start + 4 :]
    far = far[:, : near.shape[1]]
    lesser, greater = np.minimum(near, far), np.maximum(near, far)
    ratio = 0.7 * np.log(lesser / spot[:, within]) + 0.3 * np.log(greater / spot[:, within])
    return float(ratio.max())


def _upright_edges(eye: NDArray[np.float32]) -> float:
    """Upright edges over lying ones: a closed lid's lashes are one lying edge."""
    light = np.log(eye + 2 * _GLIMMER)
    across = float(np.abs(cv2.Sobel(light, cv2.CV_32F, 1, 0)).mean())
    down = float(np.abs(cv2.Sobel(light, cv2.CV_32F, 0, 1)).mean())
    return across / max(down, 1e-3)
