"""Is this face fit to be compared, and if not, what should the person do?

Owns the limits, with hysteresis so that a prompt does not flicker, and their order. Knows
nothing of identity; a pure function of one picture's faces and the prompt before. How each
limit was set, and how often it errs: docs/face.md, "Quality".
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from kiosk.core.codes import Prompt
from kiosk.face.appearance import Appearance, appearance_of
from kiosk.face.closer import CloserLook
from kiosk.face.oval import Oval
from kiosk.face.parts import Face, Image
from kiosk.face.upright import Pose, pose_of

Excesses = dict[Prompt, float]  #: how far the limit is exceeded, a fraction of it


@dataclass(frozen=True, slots=True)
class Limits:
    """When a prompt begins. It ends `slack` (a fraction) inside the limit, not on it.

    Terms in brackets are those of ISO/IEC 29794-5:2025; the standard's own measures need a
    learnt model in part, so these are other measures of the same thing.
    """

    min_share: float = 0.080  #: [inter-eye distance] outer eye corners over the oval's height
    max_share: float = 0.43  #: [head size] the same
    max_off_x: float = 0.75  #: from the oval's middle, in its half axes
    max_off_y: float = 0.55
    max_cropped: float = 0.06  #: [crop of the face image] of the box, beyond the picture's edge
    max_rival: float = 0.60  #: [single face present] the second face's size over the first's
    min_highlights: float = 75.0  #: [under-exposure prevention] 0..255
    max_light: float = 222.0  #: [luminance mean] 0..255
    max_burnt: float = 0.20  #: [over-exposure prevention] share of the face
    max_yaw: float = 0.13  #: [head pose] nose beside the eyes' middle, eye widths; drawn: 28°
    max_turn: float = 19.0  #: nose and eyes' lengths, see `_turn`; drawn at 20°: 15, at 30°: 21
    min_pitch: float = 0.31  #: nose below the eyes, in eye widths; 0.55 is straight ahead
    max_pitch: float = 0.76
    max_roll_deg: float = 22.0
    max_chin_deg: float = 23.0  #: closer.Shape: looking down; straight ahead is 7
    max_uneven: float = 0.95  #: [illumination uniformity] 2.6 : 1 between the sides
    max_cloth: float = 0.22  #: [mouth and face occlusion prevention]
    min_seen: float = 24.0  #: [the same] closer.Shape
    max_speed: float = 1.0  #: outer eye corner distances a second, about 9 cm
    still: float = 0.3  #: slower than this it is not motion that blurs
    min_sharpness: float = 5.0  #: [sharpness]
    min_eye_contrast: float = 0.58  #: [eyes visible]
    min_eye_opening: float = 0.46  #: [eyes open] of near faces; less is asked of far ones
    min_lids: float = 0.225  #: [eyes open] closer.lids and the opening together, see `_shut`
    sure_opening: float = 1.2  #: so plainly open that the lids are not looked at
    min_eyes_px: float = 36.0  #: outer eye corners; of smaller ones `eyes open` is not judged
    slack: float = 0.08


@dataclass(frozen=True, slots=True)
class Quality:
    prompt: Prompt  #: NONE when fit
    score: float  #: 0..1, for weighing observations
    pose: Pose
    appearance: Appearance
    closely: bool = False  #: told by the closer look alone

    @property
    def good(self) -> bool:
        return self.prompt is Prompt.NONE


def assess(
    image: Image,
    faces: Sequence[Face],
    before: Prompt = Prompt.NONE,
    limits: Limits | None = None,
    speed: float = 0.0,
    waived: Collection[Prompt] = (),
    closer: CloserLook | None = None,
) -> Quality:
    """Judge the first of `faces` (the tracked one); the others only count as rivals.

    `before` is the prompt of the frame before: its own limit is the stricter one now.
    `speed`: of the face, in outer eye corner distances a second. `waived`: faults that are let
    pass. `closer`: looks once more at what seems fit, and costs ten times as much.
    """
    limits = limits or Limits()
    face, oval = faces[0], Oval.of(image.shape[1], image.shape[0])
    pose, looks = pose_of(face), appearance_of(image, face)
    excesses = {
        **_place(image, faces, oval, limits),
        **_light(looks, limits),
        Prompt.FACE_FORWARD: _turned(pose, limits) - 1,
        Prompt.UNEVEN_LIGHT: looks.uneven / limits.max_uneven - 1,
        Prompt.TAKE_OFF_MASK: looks.cloth / limits.max_cloth - 1,
        **_blur(looks, speed, limits),
        **_eyes(face, looks, speed > limits.still, limits),
    }
    prompt = _first(excesses, before, waived, limits)
    closely = False
    if prompt is Prompt.NONE and closer is not None and face.marks is not None:
        closely = True
        near = _closer(closer, image, face, pose, looks, waived, limits)
        prompt = _first(near, before, waived, limits)
    score = _score(oval.share(face), pose, looks.sharpness, limits)
    return Quality(prompt, score if prompt is Prompt.NONE else score / 2, pose, looks, closely)


def _first(
    excesses: Excesses, before: Prompt, waived: Collection[Prompt], limits: Limits
) -> Prompt:
    """The most important fault of those given that is not let pass."""
    for candidate in ORDER:
        if candidate not in excesses or candidate in waived:
            continue
        if excesses[candidate] > (-limits.slack if candidate is before else 0.0):
            return candidate
    return Prompt.NONE


#: Most important first: what is told when several are true, because the later ones cannot be
#: judged while an earlier one is true.
ORDER = (
    Prompt.COME_CLOSER,
    Prompt.STEP_BACK,
    Prompt.CENTRE,
    Prompt.ONE_PERSON,
    Prompt.TOO_DARK,
    Prompt.TAKE_OFF_MASK,  # before what a white one does to the light and any to the landmarks
    Prompt.TOO_BRIGHT,
    Prompt.FACE_FORWARD,
    Prompt.UNEVEN_LIGHT,
    Prompt.HOLD_STILL,
    Prompt.BLURRED,
    Prompt.SHOW_EYES,
    Prompt.OPEN_EYES,
)

_NEAR_PX = 80.0  #: outer eye corners: a larger face shows its irises no better


def _place(image: Image, faces: Sequence[Face], oval: Oval, limits: Limits) -> Excesses:
    face = faces[0]
    share = oval.share(face)
    off_x, off_y = (abs(off) for off in oval.offset(face))
    off = max(off_x / limits.max_off_x, off_y / limits.max_off_y)
    cropped = _cropped(image, face) / limits.max_cropped
    rival = max((other.eye_width for other in faces[1:]), default=0.0) / max(face.eye_width, 1.0)
    return {
        Prompt.COME_CLOSER: 1 - share / limits.min_share,
        Prompt.STEP_BACK: share / limits.max_share - 1,
        Prompt.CENTRE: max(off, cropped) - 1,
        Prompt.ONE_PERSON: rival / limits.max_rival - 1,
    }


def _cropped(image: Image, face: Face) -> float:
    """Share of the face's box that lies beyond the picture's edge."""
    x, y, width, height = face.box
    inside_x = min(x + width, image.shape[1]) - max(x, 0)
    inside_y = min(y + height, image.shape[0]) - max(y, 0)
    return 1 - float(max(inside_x, 0) * max(inside_y, 0)) / max(width * height, 1.0)


def _light(looks: Appearance, limits: Limits) -> Excesses:
    bright = max(looks.light / limits.max_light, looks.burnt / limits.max_burnt)
    return {
        Prompt.TOO_DARK: 1 - looks.highlights / limits.min_highlights,
        Prompt.TOO_BRIGHT: bright - 1,
    }


def _turned(pose: Pose, limits: Limits) -> float:
    """How far beyond straight ahead: 1 at the limit of the worst of the three angles."""
    return max(
        abs(pose.yaw) / limits.max_yaw,
        limits.min_pitch / max(pose.pitch, 0.01),
        pose.pitch / limits.max_pitch,
        abs(pose.roll_deg) / limits.max_roll_deg,
    )


def _turn(pose: Pose) -> float:
    """The nose's base stands out little, and the farther eye looks shorter: fitted together to
    heads drawn at 15° to 30°, without a constant, so that left and right are alike."""
    return 43.0 * pose.yaw - 220.0 * pose.narrowed


def _closer(
    closer: CloserLook,
    image: Image,
    face: Face,
    pose: Pose,
    looks: Appearance,
    waived: Collection[Prompt],
    limits: Limits,
) -> Excesses:
    shape = closer.shape(image, face)
    away = max(shape.chin_deg / limits.max_chin_deg, abs(_turn(pose)) / limits.max_turn) - 1
    covered = 1 - shape.seen / limits.min_seen if away <= 0 else -1.0  # less is seen from there
    excesses = {Prompt.TAKE_OFF_MASK: covered, Prompt.FACE_FORWARD: away}
    judged = Prompt.OPEN_EYES not in waived and face.eye_width >= limits.min_eyes_px
    if judged and looks.eye_opening < limits.sure_opening:
        shut = _shut(closer.lids(image, face), looks.eye_opening)
        excesses[Prompt.OPEN_EYES] = 1 - shut / (limits.min_lids * _seen(face))
    return excesses


def _shut(lids: float, opening: float) -> float:
    """Lids close together, less of them where an iris is not seen between them either."""
    return lids * float(min(max(opening, 0.0), 1.0) ** 0.3)


def _seen(face: Face) -> float:
    """Of an open eye, so many pixels wide."""
    return min(0.7 + 0.3 * face.eye_width / _NEAR_PX, 1.0)


def _blur(looks: Appearance, speed: float, limits: Limits) -> Excesses:
    """Unsharp while it moves is the person's doing, unsharp while it is still the lens's."""
    unsharp = 1 - looks.sharpness / limits.min_sharpness
    fast = speed / limits.max_speed - 1
    moves = speed > limits.still
    return {
        Prompt.HOLD_STILL: max(fast, unsharp) if moves else fast,
        Prompt.BLURRED: -1.0 if moves else unsharp,
    }


def _eyes(face: Face, looks: Appearance, moves: bool, limits: Limits) -> Excesses:
    """Only of a face that is still: motion wipes out what eyes are told by."""
    if moves:
        return {Prompt.SHOW_EYES: -1.0, Prompt.OPEN_EYES: -1.0}
    opening = looks.eye_opening if face.eye_width >= limits.min_eyes_px else np.inf
    return {
        Prompt.SHOW_EYES: 1 - looks.eye_contrast / limits.min_eye_contrast,
        Prompt.OPEN_EYES: 1 - opening / (limits.min_eye_opening * _seen(face)),
    }


def _score(share: float, pose: Pose, sharpness: float, limits: Limits) -> float:
    """Geometric mean of how comfortably size, sharpness and pose are inside their limits."""
    size = min(share / (2 * limits.min_share), 1.0)
    sharp = min(sharpness / (4 * limits.min_sharpness), 1.0)
    straight = max(1 - abs(pose.yaw) / (2 * limits.max_yaw), 0.0)
    return float(np.cbrt(size * sharp * straight))
