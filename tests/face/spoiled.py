"""Ways to spoil a good picture of a face: what the quality prompts and the detectors must stand.

Drawn, with shading and grain, in the face's own frame: origin between the eyes, x to the
picture's right, y down the face, unit = distance of the outer eye corners.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from kiosk.face.parts import LEFT_EYE_OUTER, RIGHT_EYE_OUTER, Face

Picture = NDArray[np.uint8]
Colour = tuple[float, float, float]

SURGICAL, WHITE, BLACK, FLORAL = (205, 190, 150), (225, 225, 225), (38, 36, 36), (90, 70, 160)

_MASK = ((-0.78, 0.30), (-0.35, 0.20), (0.0, 0.16), (0.35, 0.20), (0.78, 0.30), (0.74, 0.75),
         (0.45, 1.16), (0.0, 1.30), (-0.45, 1.16), (-0.74, 0.75))  # fmt: skip


def laid(photo: Picture, face: Face, eye_px: float, size: tuple[int, int]) -> Picture:
    """The photograph in a frame of `size` (width, height), the face in the middle."""
    scale = eye_px / face.eye_width
    middle = (face.eye_middle + face.points[4]) / 2
    move = np.array([[scale, 0, 0], [0, scale, 0]], dtype=np.float64)
    move[:, 2] = np.array(size) / 2 - scale * middle
    if scale < 1:
        photo = np.asarray(
            cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        )
        move[:, :2] /= scale
    out = cv2.warpAffine(photo, move, size, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(out, dtype=np.uint8)


def _to_picture(face: Face, points: Sequence[Sequence[float]]) -> NDArray[np.float32]:
    unit = face.points[LEFT_EYE_OUTER] - face.points[RIGHT_EYE_OUTER]
    down = np.array([-unit[1], unit[0]])
    xy = np.asarray(points, dtype=np.float64)
    return np.asarray(face.eye_middle + xy[:, :1] * unit + xy[:, 1:] * down, dtype=np.float32)


def _covered(
    picture: Picture, face: Face, shape: Sequence[Sequence[float]], colour: Colour, seed: int = 0
) -> Picture:
    """The polygon filled with the colour, lit like the face under it, soft at its edge."""
    polygon, edge = _to_picture(face, shape), round(0.1 * face.eye_width) + 3
    left, top = (max(int(v) - edge, 0) for v in polygon.min(axis=0))
    right, bottom = (max(int(v) + edge, 1) for v in polygon.max(axis=0))
    out = picture.copy()
    spot = out[top:bottom, left:right]
    if not spot.size:
        return out
    alpha = np.zeros(spot.shape[:2], np.float32)
    at = np.round((polygon - np.array([left, top])) * 16).astype(np.int32)
    cv2.fillPoly(alpha, [at], 1.0, cv2.LINE_AA, 4)
    alpha = cv2.GaussianBlur(alpha, (0, 0), max(face.eye_width * 0.012, 0.6))
    light = _light(spot)
    inside = alpha > 0.5
    mean = max(float(light[inside].mean()) if inside.any() else 128.0, 20.0)
    rng = np.random.default_rng(seed)
    grain = rng.normal(0, 3, spot.shape[:2]).astype(np.float32)
    tint = rng.normal(1, 0.05, (3, 3, 3)).astype(np.float32)  # no cloth or skin is of one colour
    tint = cv2.resize(tint, (spot.shape[1], spot.shape[0]), interpolation=cv2.INTER_CUBIC)
    shade = (0.45 + 0.55 * light / mean) * min(mean / 140, 1.25)
    cloth = np.array(colour, np.float32) * tint * shade[..., None] + grain[..., None]
    mixed = spot * (1 - alpha[..., None]) + cloth * alpha[..., None]
    spot[:] = np.clip(mixed, 0, 255).astype(np.uint8)
    return out


def _light(spot: Picture) -> NDArray[np.float32]:
    """How brightly the place is lit, without its details."""
    grey = cv2.cvtColor(spot, cv2.COLOR_BGR2GRAY)
    coarse = cv2.resize(grey, (4, 4), interpolation=cv2.INTER_AREA).astype(np.float32)
    size = (spot.shape[1], spot.shape[0])
    return np.asarray(cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC), dtype=np.float32)


def masked(picture: Picture, face: Face, colour: Colour = SURGICAL, drop: float = 0.0) -> Picture:
    """A mask from the bridge of the nose to the chin; `drop` (0.3: under the nose) lowers it."""
    shape = [(x, y + (drop if y < 0.5 else 0)) for x, y in _MASK]
    out = _covered(picture, face, shape, colour)
    dark = tuple(0.75 * part for part in colour)
    for y in (0.55 + drop / 2, 0.75 + drop / 3, 0.95):  # the pleats
        line = [
            (-0.6, y),
            (0.0, y + 0.06),
            (0.6, y),
            (0.6, y + 0.02),
            (0.0, y + 0.08),
            (-0.6, y + 0.02),
        ]
        out = _covered(out, face, line, dark)  # type: ignore[arg-type]
    return out


def _skin(picture: Picture, face: Face) -> Colour:
    """The colour of the cheek."""
    x, y = _to_picture(face, [(0.3, 0.35)])[0]
    r = max(round(face.eye_width * 0.06), 1)
    x, y = round(float(x)), round(float(y))
    spot = picture[max(y - r, 0) : y + r + 1, max(x - r, 0) : x + r + 1].reshape(-1, 3)
    if not len(spot):
        return (140.0, 160.0, 200.0)
    b, g, r_ = spot.mean(axis=0)
    top = max(b, g, r_, 1.0)
    keep = 190 / top  # `_covered` lights it again
    return (float(b * keep), float(g * keep), float(r_ * keep))


def handed(picture: Picture, face: Face, y: float = 0.72, x: float = 0.0) -> Picture:
    """Four fingers laid across the face at `y` (0.72: mouth, 0.4: nose, 0: eyes)."""
    skin = _skin(picture, face)
    dark = tuple(0.6 * part for part in skin)
    out = picture
    for n in range(4):
        top = y - 0.36 + 0.18 * n
        left, right = x - 0.62 + 0.05 * abs(n - 1), x + 0.95
        finger = [(left, top + 0.09), (left + 0.03, top + 0.02), (left + 0.12, top),
                  (right, top), (right, top + 0.18), (left + 0.12, top + 0.18),
                  (left + 0.03, top + 0.16)]  # fmt: skip
        out = _covered(out, face, finger, skin, n)
        gap = [(left + 0.1, top + 0.17), (right, top + 0.17), (right, top + 0.19),
               (left + 0.1, top + 0.19)]  # fmt: skip
        out = _covered(out, face, gap, dark)  # type: ignore[arg-type]
    return out


def sunglassed(picture: Picture, face: Face, colour: Colour = (30, 26, 24)) -> Picture:
    out = picture
    for side in (-1, 1):
        lens = [(side * (0.335 + 0.27 * math.cos(a)), 0.03 + 0.19 * math.sin(a))
                for a in np.linspace(0, 2 * math.pi, 24)]  # fmt: skip
        out = _covered(out, face, lens, colour)
        stem = [(side * 0.55, -0.06), (side * 0.85, -0.09), (side * 0.85, -0.04), (side * 0.55, 0)]
        out = _covered(out, face, stem, colour)
    return _covered(out, face, [(-0.1, -0.04), (0.1, -0.04), (0.1, 0.0), (-0.1, 0.0)], colour)


def spectacled(picture: Picture, face: Face, colour: Colour = (40, 38, 36)) -> Picture:
    """Ordinary glasses: a thin frame, a faint gleam on the lenses."""
    out = picture.copy()
    thick = max(round(face.eye_width * 0.025), 1)
    for side in (-1, 1):
        ring = [(side * (0.335 + 0.25 * math.cos(a)), 0.04 + 0.19 * math.sin(a))
                for a in np.linspace(0, 2 * math.pi, 32)]  # fmt: skip
        line = np.round(_to_picture(face, ring) * 16).astype(np.int32)
        cv2.polylines(out, [line], True, colour, thick, cv2.LINE_AA, 4)
        gleam = [(side * 0.335 - 0.14, -0.08), (side * 0.335 - 0.04, -0.11),
                 (side * 0.335 - 0.10, 0.03), (side * 0.335 - 0.16, 0.04)]  # fmt: skip
        glint = _covered(out, face, gleam, (235, 230, 225))
        out = np.asarray(cv2.addWeighted(out, 0.7, glint, 0.3, 0), dtype=np.uint8)
    bridge = np.round(_to_picture(face, [(-0.09, 0.0), (0.0, -0.02), (0.09, 0.0)]) * 16)
    cv2.polylines(out, [bridge.astype(np.int32)], False, colour, thick, cv2.LINE_AA, 4)
    return out


def shut(picture: Picture, face: Face, much: float = 1.0) -> Picture:
    """Skin from under each eye drawn over it, with a lash line."""
    out = picture.copy()
    height, width = picture.shape[:2]
    for outer, inner in ((0, 1), (3, 2)):
        a, b = face.points[outer], face.points[inner]
        centre, long = (a + b) / 2, float(np.hypot(*(a - b)))
        half_w, half_h = max(round(long * 0.62), 2), max(round(long * 0.30), 2)
        cx, cy = round(float(centre[0])), round(float(centre[1]))
        below = cy + round(long * 0.75)
        if not (half_w <= cx < width - half_w and half_h <= cy < height - 2 * half_h - long):
            continue
        half = max(half_h // 2, 1)
        lid = picture[below - half : below + half, cx - half_w : cx + half_w]
        lid = cv2.resize(lid, (2 * half_w, 2 * half_h))
        yy, xx = np.mgrid[-1 : 1 : 2j * half_h, -1 : 1 : 2j * half_w]  # type: ignore[misc]
        blend = (much * np.clip(2 - 2 * np.hypot(xx, yy), 0, 1))[..., None]
        spot = out[cy - half_h : cy + half_h, cx - half_w : cx + half_w]
        spot[:] = (spot * (1 - blend) + lid * blend).astype(np.uint8)
        axes, thick = (round(long * 0.45), round(long * 0.1)), max(round(long * 0.05), 1)
        cv2.ellipse(out, (cx, cy), axes, 0, 10, 170, (40, 35, 40), thick, cv2.LINE_AA)
    return out


_TO_LIGHT = ((np.arange(256) / 255.0) ** 2.2).astype(np.float32)
_FROM_LIGHT = (255 * (np.arange(4096) / 4095.0) ** (1 / 2.2)).astype(np.uint8)


def _developed(light: NDArray[np.float32]) -> Picture:
    """Light (0..1) to pixels, as a camera's gamma has it."""
    steps = (np.clip(light, 0, 1) * np.float32(4095)).astype(np.uint16)
    return np.asarray(_FROM_LIGHT[steps], dtype=np.uint8)


def dimmed(picture: Picture, gain: float, seed: int = 0) -> Picture:
    """Less light on the sensor (`gain` of it), and the noise that comes with it."""
    light = _TO_LIGHT[picture] * np.float32(gain)
    noise = np.random.default_rng(seed).standard_normal(light.shape, np.float32)
    return _developed(light + noise * np.sqrt(light * np.float32(2e-4) + np.float32(4e-6)))


def burnt(picture: Picture, gain: float) -> Picture:
    """More light than the sensor takes."""
    return _developed(_TO_LIGHT[picture] * np.float32(gain))


def side_lit(picture: Picture, face: Face, ratio: float, angle_deg: float = 0.0) -> Picture:
    """Light from one side: `ratio` times as much on one edge of the face as on the other."""
    height, width = picture.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    mx, my = (float(v) for v in face.eye_middle)
    a = math.radians(angle_deg)
    along = ((x - mx) * math.cos(a) + (y - my) * math.sin(a)) / face.eye_width
    gain = (ratio ** (np.tanh(2.2 * along) / 2)).astype(np.float32)
    return _developed(_TO_LIGHT[picture] * gain[..., None])


def blurred(picture: Picture, sigma: float) -> Picture:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), dtype=np.uint8)


def smeared(picture: Picture, length: float, angle_deg: float = 0.0) -> Picture:
    """Motion during the exposure, `length` pixels long."""
    side = max(int(length) | 1, 3)
    kernel = np.zeros((side, side), np.float32)
    kernel[side // 2] = 1
    turn = cv2.getRotationMatrix2D((side / 2 - 0.5, side / 2 - 0.5), angle_deg, 1)
    kernel = cv2.warpAffine(kernel, turn, (side, side))
    return np.asarray(cv2.filter2D(picture, -1, kernel / kernel.sum()), dtype=np.uint8)
