"""A device or a sheet in a hand before the lane's camera, with its edges and the hall behind it.

Owns what lies beyond the picture that attacks.py and recapture.py draw. Knows no detector.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray
from streams import HEIGHT, WIDTH, Picture, Pose, Scene, warp_of


@dataclass(frozen=True)
class Frame:
    """Half sides of what is shown, and the rim around it, in the shown face's eye widths."""

    name: str
    half_width: float
    half_height: float
    rim: float
    shade: int  #: grey of the rim
    middle: float = 0.3  #: of the frame, below the eyes
    round: float = 0.0  #: radius of its corners


#: Telephone 65×140 mm and tablet 160×215 mm upright, laptop 310×175 mm, an A4 sheet.
FRAMES = (
    Frame("telephone", 0.80, 1.73, 0.06, 15, round=0.2),
    Frame("tablet", 1.11, 1.50, 0.14, 20, round=0.1),
    Frame("laptop", 2.46, 1.38, 0.10, 25),
    Frame("sheet", 1.17, 1.65, 0.08, 235),
)


@dataclass
class Hall:
    """What stands behind: walls, doors, posters. It does not move."""

    rng: np.random.Generator
    things: int = 14
    picture: Picture = field(init=False)

    def __post_init__(self) -> None:
        rng = self.rng
        out = np.empty((HEIGHT, WIDTH, 3), np.float32)
        out[:] = np.linspace(rng.uniform(90, 170), rng.uniform(90, 170), WIDTH)[None, :, None]
        for _ in range(self.things):
            x, y = rng.integers(0, WIDTH), rng.integers(0, HEIGHT)
            wide, high = rng.integers(15, 160), rng.integers(20, 260)
            shade = rng.uniform(30, 220) + rng.uniform(-20, 20, 3)
            out[y : y + high, x : x + wide] = shade
        self.picture = np.asarray(cv2.GaussianBlur(out, (0, 0), 1.2), dtype=np.uint8)


def before(hall: Hall, taken: Picture, scene: Scene, pose: Pose, frame: Frame) -> Picture:
    """`taken`: the whole picture held in `pose`; cut to the frame, with its rim and the hall."""
    unit, (cx, cy) = scene.face.eye_width, (float(v) for v in scene.face.eye_middle)
    cy += frame.middle * unit
    masks = []
    for rim in (0.0, frame.rim):
        half = np.array([frame.half_width + rim, frame.half_height + rim]) * unit
        mask = np.zeros((HEIGHT, WIDTH), np.uint8)
        outline = _rounded((cx, cy), half, frame.round * unit)
        there = cv2.perspectiveTransform(outline[None], warp_of(scene, pose))[0]
        cv2.fillConvexPoly(mask, np.round(there * 16).astype(np.int32), 255, cv2.LINE_AA, 4)
        masks.append(cv2.GaussianBlur(mask, (0, 0), 0.7).astype(np.float32)[..., None] / 255)
    out = hall.picture * (1 - masks[1]) + frame.shade * masks[1]
    out = out * (1 - masks[0]) + taken * masks[0]
    return np.asarray(out, dtype=np.uint8)


def _rounded(
    centre: tuple[float, float], half: NDArray[np.float64], radius: float
) -> NDArray[np.float64]:
    """The outline of a rectangle, N×2."""
    turns = np.radians(np.linspace(0, 90, 8))
    arc = np.stack([np.cos(turns), np.sin(turns)], axis=1) * radius
    points = []
    for x, y in ((1, 1), (-1, 1), (-1, -1), (1, -1)):
        corner = (half - radius + arc) * [x, y]
        points.append(corner if x * y > 0 else corner[::-1])
    return np.concatenate(points) + np.array(centre)
