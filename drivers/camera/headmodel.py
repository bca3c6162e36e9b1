"""The virtual person's head: landmarks, a generic 3-D shape, and how its picture moves.

Test equipment. Owns geometry only: no drawing, no files, no clock. The 68-point landmark
model it uses must never be in the product's own path (its training data exclude that).
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Image = NDArray[np.uint8]

NO_MAP: Any = None  #: for cv2.remap with both coordinates in the first map; its stubs forbid None

# Shape of the head, in half-widths of the face (about 7 cm), z towards the camera.
# Shallower at the sides than a real skull, so that no part hides another up to 30 degrees.
SKULL_CURVE = 0.70  #: z falls by this from the middle of the face to the ears
SIDE_SLOPE = 0.45  #: and goes on falling behind the ears
VERTICAL_CURVE = 0.16  #: forehead and chin curve back
NOSE_HEIGHT = 0.32
NOSE_SIGMA = 0.18
SOCKET_DEPTH = 0.05
AXIS_DEPTH = 1.25  #: the neck's axis lies this far behind the bridge of the nose


class NoFace(ValueError):
    """The photograph shows no face that the landmark model finds."""


@functools.cache
def _models() -> tuple[Any, Any]:
    import dlib  # type: ignore[import-untyped,unused-ignore]
    import face_recognition_models  # type: ignore[import-untyped,unused-ignore]

    detector = dlib.get_frontal_face_detector()
    return detector, dlib.shape_predictor(face_recognition_models.pose_predictor_model_location())


def landmarks(image: Image) -> Floats:
    """The largest face's 68 landmarks (iBUG order), 68x2, in pixels. Raises `NoFace`."""
    detector, predictor = _models()
    shrink = min(1.0, 900 / max(image.shape[:2]))
    small = cv2.resize(image, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
    boxes = detector(small, 0) or detector(small, 1)
    if not boxes:
        raise NoFace("no face found in the photograph")
    shape = predictor(small, max(boxes, key=lambda box: box.area()))
    points = np.array([(p.x, p.y) for p in shape.parts()], np.float32)
    return np.asarray(points / shrink, np.float32)


def _smoothstep(low: float, high: float, x: Floats) -> Floats:
    t = np.clip((x - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


@dataclass(frozen=True)
class Head:
    """A head in a picture: its own axes (u to the image's right, v down) and its depth.

    All `uv` are in face half-widths from the bridge of the nose; pictures are in pixels.
    """

    origin: Floats
    axis_u: Floats
    axis_v: Floats
    unit: float  #: pixels in a half-width
    side_left: float  #: half-width on the image's left, in units (a photograph is never exact)
    side_right: float
    points: Floats  #: 68x2, uv

    @classmethod
    def from_landmarks(cls, points: Floats) -> Head:
        axis_u = points[45] - points[36]
        axis_u = axis_u / np.linalg.norm(axis_u)
        axis_v = np.array([-axis_u[1], axis_u[0]], np.float32)
        uv = (points - points[27]) @ np.stack([axis_u, axis_v], 1)
        left, right = -uv[:3, 0].mean(), uv[14:17, 0].mean()
        unit = float(left + right) / 2
        low = 0.55 * unit  # a strongly turned photograph would make one side vanish
        return cls(
            points[27].astype(np.float32),
            axis_u.astype(np.float32),
            axis_v,
            unit,
            float(max(left, low)) / unit,
            float(max(right, low)) / unit,
            np.asarray(uv / unit, np.float32),
        )

    def to_uv(self, xy: Floats) -> Floats:
        return np.asarray(
            (xy - self.origin) @ np.stack([self.axis_u, self.axis_v], 1) / self.unit, np.float32
        )

    def to_xy(self, uv: Floats) -> Floats:
        return np.asarray(
            self.origin + self.unit * (uv @ np.stack([self.axis_u, self.axis_v])), np.float32
        )

    def depth(self, uv: Floats) -> Floats:
        """z at each uv (…x2), in units, 0 at the bridge of the nose."""
        u, v = uv[..., 0], uv[..., 1]
        side = np.abs(u) / np.where(u < 0, self.side_left, self.side_right)
        inner = np.minimum(side, 1)
        z = -SKULL_CURVE * inner**2 - SIDE_SLOPE * np.maximum(side - 1, 0)
        chin = float(self.points[8, 1])
        z -= VERTICAL_CURVE * np.clip((v - 0.35 * chin) / (0.65 * chin), -2.2, 1.3) ** 2
        z += self._nose(u, v)
        for corner_a, corner_b in ((36, 39), (42, 45)):
            centre = (self.points[corner_a] + self.points[corner_b]) / 2
            z -= SOCKET_DEPTH * np.exp(
                -((u - centre[0]) ** 2) / 0.06 - (v - centre[1]) ** 2 / 0.03
            )
        return np.asarray(z, np.float32)

    def _nose(self, u: Floats, v: Floats) -> Floats:
        tip, base = self.points[30], self.points[33]
        ridge_u = np.interp(v, [0, tip[1]], [0, tip[0]])
        end = float(base[1])
        height = np.interp(
            v,
            [-0.25, 0.0, tip[1], end, end + 0.30],
            [0.0, 0.25 * NOSE_HEIGHT, NOSE_HEIGHT, 0.72 * NOSE_HEIGHT, 0.0],
        )
        bump = height * np.exp(-((u - ridge_u) ** 2) / (2 * NOSE_SIGMA**2))
        return np.asarray(bump, np.float32)

    def grip(self, uv: Floats) -> Floats:
        """How much of the head's rotation each point follows: 1 on the head, 0 at the collar."""
        chin = float(self.points[8, 1])
        neck = 1 - _smoothstep(chin - 0.1, chin + 0.85, uv[..., 1])
        sides = 1 - _smoothstep(1.7, 2.6, np.abs(uv[..., 0]))
        return neck * sides


def rotation(yaw_deg: float, pitch_deg: float) -> Floats:
    """3x3, for (u right, v down, z to the camera).

    yaw > 0: the person turns to their own left (the nose moves to the image's right);
    pitch > 0: the person nods (the nose moves down).
    """
    yaw, pitch = np.radians(yaw_deg), np.radians(pitch_deg)
    cy, sy, cp, sp = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch)
    about_v = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_u = np.array([[1, 0, 0], [0, cp, sp], [0, -sp, cp]])
    return np.asarray(about_v @ about_u, np.float32)


class TurnField:
    """Where each point of a head's picture comes from when the head is turned.

    Sampled on a coarse grid over `width`x`height` pixels; the field is smooth, so full
    resolution would only cost time.
    """

    STEP = 4

    def __init__(self, head: Head, width: int, height: int) -> None:
        columns, rows = width // self.STEP + 1, height // self.STEP + 1
        grid = np.stack(
            np.meshgrid(np.arange(columns) * self.STEP, np.arange(rows) * self.STEP), -1
        ).astype(np.float32)
        uv = head.to_uv(grid)
        pivot = float(head.points[8, 1])
        self._head = head
        self._grip = head.grip(uv)
        self._body = np.concatenate(
            [
                uv[..., :1],
                uv[..., 1:] - pivot,
                (head.depth(uv) + AXIS_DEPTH)[..., None],
            ],
            -1,
        )

    def shift(self, yaw_deg: float, pitch_deg: float) -> Floats:
        """Forward: how many pixels (rows x columns x 2, on the grid) each point moves."""
        change = rotation(yaw_deg, pitch_deg)[:2] - np.eye(3, dtype=np.float32)[:2]
        moved = (self._body @ change.T) * self._grip[..., None] * self._head.unit
        return np.asarray(moved @ np.stack([self._head.axis_u, self._head.axis_v]), np.float32)

    def source(self, targets: Floats, yaw_deg: float, pitch_deg: float) -> Floats:
        """Backward: for `targets` (…x2 px) the points of the unturned picture shown there.

        Solves s + shift(s) = target by fixed-point iteration; `shift` contracts because the
        shape has no hidden parts.
        """
        if not yaw_deg and not pitch_deg:
            return targets
        shift = self.shift(yaw_deg, pitch_deg)
        found = targets
        for _ in range(12):
            found = targets - self._at(shift, found)
        return np.asarray(found, np.float32)

    def _at(self, field: Floats, xy: Floats) -> Floats:
        scaled = np.asarray(xy / self.STEP, np.float32)
        return np.asarray(
            cv2.remap(field, scaled, NO_MAP, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE),
            np.float32,
        )
