"""Is this face fit to be compared, and if not, what should the person do?

Owns measuring and the limits, with hysteresis so that a prompt does not flicker. Knows
nothing of identity; a pure function of one picture's faces and the prompt before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from kiosk.core.codes import Prompt
from kiosk.face.parts import Face, Grey, Image
from kiosk.face.upright import Pose, patch_of, pose_of

_NORMAL_CONTRAST = 50.0


@dataclass(frozen=True, slots=True)
class Limits:
    """When a prompt begins. It ends `slack` (a fraction) inside the limit, not on it."""

    min_eye_px: float = 40.0  #: outer eye corners, about 1.2 m away at 640 px across
    max_eye_share: float = 0.30  #: of the picture's width, about 0.3 m away
    max_off_x: float = 0.20  #: of the width, from the middle
    max_off_y: float = 0.24  #: of the height
    max_rival: float = 0.60  #: the second face's size over the first's
    min_light: float = 45.0  #: mean grey of the face, 0..255
    max_light: float = 222.0
    max_burnt: float = 0.35  #: share of the face at 250 and above
    min_sharpness: float = 12.0
    max_yaw: float = 0.13  #: nose beside the eyes' middle, in eye widths; about 20°
    min_pitch: float = 0.36  #: nose below the eyes, in eye widths; 0.55 is straight ahead
    max_pitch: float = 0.76
    max_roll_deg: float = 22.0
    slack: float = 0.08


@dataclass(frozen=True, slots=True)
class Quality:
    prompt: Prompt  #: NONE when fit
    score: float  #: 0..1, for weighing observations
    sharpness: float  #: variance of the Laplacian at 74 px between the eyes, contrast 50
    light: float  #: mean grey of the face
    pose: Pose

    @property
    def good(self) -> bool:
        return self.prompt is Prompt.NONE


def sharpness_of(patch: Grey) -> float:
    """Variance of the Laplacian, made independent of contrast."""
    contrast = max(float(patch.std()), 8.0)
    return float(cv2.Laplacian(patch, cv2.CV_32F).var()) * (_NORMAL_CONTRAST / contrast) ** 2


def assess(
    image: Image,
    faces: Sequence[Face],
    before: Prompt = Prompt.NONE,
    limits: Limits | None = None,
) -> Quality:
    """Judge the first of `faces` (the tracked one); the others only count as rivals.

    `before` is the prompt of the frame before: its own limit is the stricter one now.
    """
    limits = limits or Limits()
    face = faces[0]
    patch = patch_of(image, face)
    pose, sharpness, light = pose_of(face), sharpness_of(patch), float(patch.mean())
    prompt = Prompt.NONE
    for candidate, excess in _excesses(image, faces, pose, sharpness, patch, limits):
        if excess > (-limits.slack if candidate is before else 0.0):
            prompt = candidate
            break
    score = _score(face, pose, sharpness, limits)
    return Quality(prompt, score if prompt is Prompt.NONE else score / 2, sharpness, light, pose)


def _excesses(
    image: Image, faces: Sequence[Face], pose: Pose, sharpness: float, patch: Grey, limits: Limits
) -> list[tuple[Prompt, float]]:
    """Each prompt with how far its limit is exceeded (a fraction of it), most important first."""
    face = faces[0]
    height, width = image.shape[:2]
    centre_x, centre_y = face.centre
    off_x = abs(centre_x / width - 0.5) / limits.max_off_x
    off_y = abs(centre_y / height - 0.5) / limits.max_off_y
    rival = max((other.eye_width for other in faces[1:]), default=0.0) / max(face.eye_width, 1.0)
    light = float(patch.mean())
    burnt = float((patch >= 250).mean())
    low_pitch, high_pitch = limits.min_pitch / max(pose.pitch, 0.01), pose.pitch / limits.max_pitch
    turned = max(
        abs(pose.yaw) / limits.max_yaw,
        low_pitch,
        high_pitch,
        abs(pose.roll_deg) / limits.max_roll_deg,
    )
    return [
        (Prompt.COME_CLOSER, 1 - face.eye_width / limits.min_eye_px),
        (Prompt.STEP_BACK, face.eye_width / (limits.max_eye_share * width) - 1),
        (Prompt.CENTRE, max(off_x, off_y) - 1),
        (Prompt.ONE_PERSON, rival / limits.max_rival - 1),
        (Prompt.TOO_DARK, 1 - light / limits.min_light),
        (Prompt.TOO_BRIGHT, max(light / limits.max_light, burnt / limits.max_burnt) - 1),
        (Prompt.HOLD_STILL, 1 - sharpness / limits.min_sharpness),
        (Prompt.FACE_FORWARD, turned - 1),
    ]


def _score(face: Face, pose: Pose, sharpness: float, limits: Limits) -> float:
    """Geometric mean of how comfortably size, sharpness and pose are inside their limits."""
    size = min(face.eye_width / (2 * limits.min_eye_px), 1.0)
    sharp = min(sharpness / (4 * limits.min_sharpness), 1.0)
    straight = max(1 - abs(pose.yaw) / (2 * limits.max_yaw), 0.0)
    return float(np.cbrt(size * sharp * straight))
