"""Simulated streams for the face tests: a photograph as a head that turns, or as a flat print.

The head's relief here is deliberately not the one that kiosk.face.parallax fits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from kiosk.face.parts import Detector, Face

Picture = NDArray[np.uint8]
WIDTH, HEIGHT = 640, 480
GRID = 4  #: pixels between the points at which a turned head is worked out


@dataclass(frozen=True)
class Scene:
    """A photograph laid into a camera's frame, with the face that is in it."""

    picture: Picture
    face: Face

    @classmethod
    def of(
        cls,
        photo: Picture,
        detector: Detector,
        eye_px: float = 95.0,
        size: tuple[int, int] = (WIDTH, HEIGHT),
    ) -> Scene:
        """The photograph scaled so that the outer eye corners are `eye_px` apart."""
        found = detector.detect(photo, 640)[0]
        scale = eye_px / found.eye_width
        middle = (found.eye_middle + found.points[4]) / 2
        move = np.array(
            [
                [scale, 0, size[0] / 2 - scale * middle[0]],
                [0, scale, size[1] / 2 - scale * middle[1]],
            ]
        )
        if scale < 1:
            photo = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            move[:, :2] /= scale
        frame = cv2.warpAffine(photo, move, size, borderMode=cv2.BORDER_REPLICATE)
        return cls(frame, detector.detect(frame, 320)[0])


def head(
    scene: Scene,
    yaw_deg: float = 0.0,
    pitch_deg: float = 0.0,
    shut: float = 0.0,
    sway: tuple[float, float] = (0.0, 0.0),
) -> Picture:
    """The head turned (yaw > 0: to its own left), its eyes `shut` (0..1), and head and shoulders
    moved by `sway` (eye widths) before what stands behind them."""
    face, unit = scene.face, scene.face.eye_width
    middle = face.eye_middle
    gy, gx = np.mgrid[0 : HEIGHT + GRID : GRID, 0 : WIDTH + GRID : GRID].astype(np.float32)
    x, y = (gx - middle[0]) / unit, (gy - middle[1]) / unit
    yaw, pitch = math.radians(yaw_deg), math.radians(pitch_deg)
    mask = np.clip(2.2 - 1.3 * np.hypot(x / 0.95, (y - 0.25) / 1.35), 0, 1)
    body = np.maximum(mask, np.clip(2 * y - 2, 0, 1) * np.clip(4.4 - 2 * np.abs(x), 0, 1))
    x, y = x - body * sway[0], y - body * sway[1]
    sx, sy = x.copy(), y.copy()
    for _ in range(8):  # where in the photograph does the point come from
        depth = _relief(sx, sy)
        sx = x - mask * (depth * math.sin(yaw) - sx * (1 - math.cos(yaw)))
        sy = y - mask * (depth * math.sin(pitch) - (sy - 0.25) * (1 - math.cos(pitch)))
    map_x, map_y = _enlarged(sx * unit + middle[0]), _enlarged(sy * unit + middle[1])
    out = cv2.remap(
        _shut(scene, shut), map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(out, dtype=np.uint8)


def _enlarged(coarse: NDArray[np.float32]) -> NDArray[np.float32]:
    """A value for every pixel from one for every `GRID`th."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32) / GRID
    fine = cv2.remap(coarse.astype(np.float32), x, y, cv2.INTER_LINEAR)
    return np.asarray(fine, dtype=np.float32)


def _relief(x: NDArray[np.float32], y: NDArray[np.float32]) -> NDArray[np.float32]:
    """A paraboloid with a wedge for a nose, relative to the plane of the eye corners."""
    skull = -0.75 * x**2 - 0.22 * (y - 0.3) ** 2
    wedge = np.clip(1 - np.abs(x) / 0.22, 0, 1) * np.interp(y, [-0.05, 0.42, 0.60], [0, 0.30, 0])
    return np.asarray(skull + wedge + 0.1, dtype=np.float32)


def _shut(scene: Scene, shut: float) -> Picture:
    """Skin from under each eye drawn over it, with a lash line."""
    if shut <= 0:
        return scene.picture
    out = scene.picture.copy()
    for outer, inner in ((0, 1), (3, 2)):
        a, b = scene.face.points[outer], scene.face.points[inner]
        centre, width = (a + b) / 2, float(np.hypot(*(a - b)))
        half_w, half_h = round(width * 0.62), round(width * 0.30)
        cx, cy = round(float(centre[0])), round(float(centre[1]))
        below = cy + round(width * 0.75)
        lid = scene.picture[below - half_h // 2 : below + half_h // 2, cx - half_w : cx + half_w]
        lid = cv2.resize(lid, (2 * half_w, 2 * half_h))
        yy, xx = np.mgrid[-1 : 1 : 2j * half_h, -1 : 1 : 2j * half_w]  # type: ignore[misc]
        blend = (shut * np.clip(2 - 2 * np.hypot(xx, yy), 0, 1))[..., None]
        spot = out[cy - half_h : cy + half_h, cx - half_w : cx + half_w]
        spot[:] = (spot * (1 - blend) + lid * blend).astype(np.uint8)
        cv2.ellipse(
            out, (cx, cy), (round(width * 0.45), round(width * 0.1)), 0, 10, 170, (40, 35, 40), 1
        )
    return out


@dataclass(frozen=True)
class Pose:
    """How a picture is held: degrees, a factor, and a shift in eye widths."""

    tilt_x_deg: float = 0.0
    tilt_y_deg: float = 0.0
    roll_deg: float = 0.0
    zoom: float = 1.0
    shift: tuple[float, float] = (0.0, 0.0)


def warp_of(scene: Scene, pose: Pose) -> NDArray[np.float64]:
    """3×3: from the photograph's pixels to the camera's, for a print held in that pose."""
    high, wide = scene.picture.shape[:2]
    focal, unit = 1.1 * wide, scene.face.eye_width
    rx, _ = cv2.Rodrigues(np.array([math.radians(pose.tilt_x_deg), 0, 0]))
    ry, _ = cv2.Rodrigues(np.array([0, math.radians(pose.tilt_y_deg), 0]))
    rz, _ = cv2.Rodrigues(np.array([0, 0, math.radians(pose.roll_deg)]))
    rotation = rz @ ry @ rx
    camera = np.array([[focal, 0, wide / 2], [0, focal, high / 2], [0, 0, 1]])
    to_plane = np.array([[1, 0, -wide / 2], [0, 1, -high / 2], [0, 0, 1.0]])
    place = np.column_stack([rotation[:, 0], rotation[:, 1], [0, 0, focal / pose.zoom]])
    move = np.array([[1, 0, pose.shift[0] * unit], [0, 1, pose.shift[1] * unit], [0, 0, 1]])
    return np.asarray(move @ camera @ place @ to_plane, dtype=np.float64)


def flat(
    scene: Scene,
    tilt_x_deg: float = 0.0,
    tilt_y_deg: float = 0.0,
    roll_deg: float = 0.0,
    zoom: float = 1.0,
    shift: tuple[float, float] = (0.0, 0.0),
) -> Picture:
    """The photograph as a print held up and turned in space. Shift in eye widths."""
    pose = Pose(tilt_x_deg, tilt_y_deg, roll_deg, zoom, shift)
    out = cv2.warpPerspective(
        scene.picture,
        warp_of(scene, pose),
        (WIDTH, HEIGHT),
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(out, dtype=np.uint8)


def noisy(picture: Picture, rng: np.random.Generator, sigma: float = 3.0) -> Picture:
    """Sensor noise and a little drift of brightness."""
    gain = 1 + 0.02 * rng.standard_normal()
    grain = np.empty(picture.shape, np.int8)
    cv2.setRNGSeed(int(rng.integers(2**31)))
    cv2.randn(grain, 0, sigma)
    out = picture * np.float32(gain) + grain
    return np.asarray(np.clip(out, 0, 255), dtype=np.uint8)
