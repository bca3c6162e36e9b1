"""Presentation attacks (ISO/IEC 30107-3) as streams: what an attacker shows the lane's camera.

One class or function for each species of the table at the end. All are drawn from photographs;
what a screen or paper adds in texture is recapture.py's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import cycle

import cv2
import numpy as np
from held import FRAMES, Frame, Hall, before
from recapture import Lens, Medium, Recapture
from stage import ASKED, FPS, PITCHES, YAWS, Actor, Person, Print
from streams import HEIGHT, WIDTH, Picture, Pose, Scene, flat, head, noisy

from kiosk.core.codes import Prompt
from kiosk.face.challenge import DIRECTIONS, MOVEMENTS, Challenge

Moves = dict[str, float]


@dataclass
class Hand:
    """Holds a sheet: every movement takes its time, and nothing is ever quite still."""

    rng: np.random.Generator
    react_s: float = 0.3
    slew_s: float = 0.35  #: for a whole movement
    _now: Moves = field(default_factory=dict)
    _wanted: Moves = field(default_factory=dict)
    _next: tuple[float, Moves] = (0.0, {})
    _at_s: float = 0.0

    def __post_init__(self) -> None:
        self._phases = self.rng.uniform(0, 2 * math.pi, 4)

    def at(self, at_s: float, wanted: Moves) -> Moves:
        """Arguments of streams.flat, on the way to `wanted`."""
        if wanted != self._next[1]:
            self._next = (at_s + self.react_s, wanted)
        if at_s >= self._next[0]:
            self._wanted = self._next[1]
        share = min((at_s - self._at_s) / self.slew_s, 1.0)
        self._at_s = at_s
        for name in {*self._now, *self._wanted}:
            rest = 1.0 if name == "zoom" else 0.0
            goal, now = self._wanted.get(name, rest), self._now.get(name, rest)
            step = share * max(abs(goal - now), abs(goal - rest), 1e-6)
            self._now[name] = now + float(np.clip(goal - now, -step, step))
        return self._now

    def sway(self, at_s: float, size: float = 1.0) -> tuple[float, float, float, float]:
        """Shift x, y (eye widths), roll and tilt (degrees) of a hand that means to hold still."""
        a, b, c, d = self._phases
        x = 0.02 * math.sin(2.1 * at_s + a) + 0.005 * math.sin(9 * at_s + b)
        y = 0.015 * math.sin(1.7 * at_s + b) + 0.005 * math.sin(11 * at_s + c)
        roll, tilt = 0.8 * math.sin(1.3 * at_s + c), 1.5 * math.sin(0.9 * at_s + d)
        return size * x, size * y, size * roll, size * tilt


@dataclass
class Sheet:
    """A print in a hand: `respond` says how it is held when a prompt is shown."""

    scene: Scene
    rng: np.random.Generator
    respond: Callable[[Prompt, float], Moves]
    sway: float = 1.0

    def __post_init__(self) -> None:
        self._hand = Hand(self.rng)

    def look(self, prompt: Prompt, at_s: float) -> Picture:
        moves = dict(self._hand.at(at_s, self.respond(prompt, at_s)))
        x, y, roll, tilt = self._hand.sway(at_s, self.sway)
        bend = moves.pop("bend", 0.0)
        scene = bent(self.scene, bend, moves.pop("bend_down", 0.0))
        picture = flat(
            scene,
            tilt_x_deg=moves.get("tilt_x_deg", 0.0) + tilt / 2,
            tilt_y_deg=moves.get("tilt_y_deg", 0.0) + tilt,
            roll_deg=moves.get("roll_deg", 0.0) + roll,
            zoom=moves.get("zoom", 1.0),
            shift=(moves.get("x", 0.0) + x, moves.get("y", 0.0) + y),
        )
        return noisy(picture, self.rng)


def bent(scene: Scene, across: float, down: float = 0.0) -> Scene:
    """The sheet curled about a vertical (`across`) or a level axis, in 1/eye widths.

    The axis goes between the eyes; the camera sees x → sin(kx)/k, magnified by the nearness
    of what the curl brings forward (focal length 1.1 picture widths).
    """
    if abs(across) + abs(down) < 1e-3:
        return scene
    unit, (cx, cy) = scene.face.eye_width, (float(v) for v in scene.face.eye_middle)
    gy, gx = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    x, y = (gx - cx) / unit, (gy - cy) / unit
    away = 1.1 * WIDTH / unit  #: of the camera, eye widths
    sx, sy = x.copy(), y.copy()
    for _ in range(12):
        rise = np.zeros_like(x)
        fx, fy = sx, sy
        if abs(across) >= 1e-3:
            angle = np.clip(across * sx, -1.5, 1.5)
            fx, rise = np.sin(angle) / across, rise + (1 - np.cos(angle)) / across
        if abs(down) >= 1e-3:
            angle = np.clip(down * sy, -1.5, 1.5)
            fy, rise = np.sin(angle) / down, rise + (1 - np.cos(angle)) / down
        grow = away / np.maximum(away + rise, 0.2 * away)
        sx, sy = sx + (x - fx * grow), sy + (y - fy * grow)
    picture = cv2.remap(
        scene.picture,
        (sx * unit + cx).astype(np.float32),
        (sy * unit + cy).astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return replace(scene, picture=np.asarray(picture, dtype=np.uint8))


# --- prints -------------------------------------------------------------------------------------


def _held(prompt: Prompt, at_s: float) -> Moves:
    return {}


def _moved(prompt: Prompt, at_s: float) -> Moves:
    """Carried the way that is asked, and turned about its middle."""
    across, along = YAWS.get(prompt, 0.0), PITCHES.get(prompt, 0.0)
    return {"x": 0.35 * across, "y": 0.3 * along, "roll_deg": 8 * across}


def _zoomed(prompt: Prompt, at_s: float) -> Moves:
    return {"zoom": 1.22 if prompt in ASKED else 1.0}


def _tilted(prompt: Prompt, at_s: float) -> Moves:
    across, along = YAWS.get(prompt, 0.0), PITCHES.get(prompt, 0.0)
    return {"tilt_y_deg": 35 * across, "tilt_x_deg": 35 * along, "x": 0.12 * across}


def _bent(prompt: Prompt, at_s: float) -> Moves:
    """Curled towards the camera's other side and turned the way that is asked."""
    across, along = YAWS.get(prompt, 0.0), PITCHES.get(prompt, 0.0)
    return {
        "bend": 0.5 * abs(across),
        "bend_down": 0.5 * abs(along),
        "tilt_y_deg": 28 * across,
        "tilt_x_deg": 28 * along,
    }


@dataclass
class CutOutEyes:
    """A print with holes, real eyes behind: they blink, the print is tilted as asked."""

    scene: Scene
    rng: np.random.Generator

    def __post_init__(self) -> None:
        self._hand, self._since, self._asked = Hand(self.rng), 0.0, Prompt.NONE

    def look(self, prompt: Prompt, at_s: float) -> Picture:
        if prompt is not self._asked:
            self._asked, self._since = prompt, at_s
        waited = at_s - self._since - 0.35
        shut = 1.0 if prompt is Prompt.BLINK and 0 < waited % 1.0 < 0.2 else 0.0
        sheet = replace(self.scene, picture=head(self.scene, shut=shut))
        moves = self._hand.at(at_s, _tilted(prompt, at_s))
        x, y, roll, tilt = self._hand.sway(at_s)
        across, along = moves.get("tilt_y_deg", 0.0), moves.get("tilt_x_deg", 0.0)
        return noisy(flat(sheet, along + tilt / 2, across + tilt, roll, shift=(x, y)), self.rng)


# --- recordings ---------------------------------------------------------------------------------


@dataclass
class Recording:
    """Frames of a person who answers `challenge` for a camera of the attacker's own."""

    scene: Scene
    challenge: Challenge
    rng: np.random.Generator
    fps: float = FPS

    def frames(self) -> Iterator[Picture]:
        person = Person(self.scene, self.rng, react_s=float(self.rng.uniform(0.2, 0.5)))
        asked = [Prompt.LOOK_HERE] * round(0.5 * self.fps)
        for movement in self.challenge:
            asked += [movement] * round(self.rng.uniform(0.9, 1.3) * self.fps)
            asked += [Prompt.FACE_FORWARD] * round(self.rng.uniform(0.5, 0.9) * self.fps)
        for index, prompt in enumerate(asked):
            yield person.look(prompt, index / self.fps)


@dataclass
class Device:
    """What shows a picture: its edges before the hall, or nothing but the picture, in a hand that
    keeps `sway` of a hand's unrest (0: propped up). Its texture is recapture.py's, or left out."""

    rng: np.random.Generator
    frame: Frame | None = None
    sway: float = 0.6
    medium: Medium | None = None
    lens: Lens = field(default_factory=Lens)

    def __post_init__(self) -> None:
        self._hand, self._hall = Hand(self.rng), Hall(self.rng)
        self._recapture = Recapture(self.medium, self.lens, self.rng)

    def show(self, scene: Scene, at_s: float) -> Picture:
        x, y, roll, tilt = self._hand.sway(at_s, self.sway)
        pose = Pose(tilt / 2, tilt, roll, shift=(x, y))
        if self.medium is not None:
            taken = self._recapture.look(scene, pose, at_s)
        else:
            taken = flat(scene, tilt / 2, tilt, roll, shift=(x, y))
        if self.frame is not None:
            taken = before(self._hall, taken, scene, pose, self.frame)
        return noisy(taken, self.rng, 1.0 if self.medium is not None else 3.0)


@dataclass
class Screen:
    """A screen that plays one recording after another.

    `wait`: it starts a recording when a movement is asked (of those whose first movement is
    the one asked, when `knowing`), else it plays without regard to prompts.
    """

    scene: Scene
    rng: np.random.Generator
    wait: bool = False
    knowing: bool = False
    device: Device | None = None

    def __post_init__(self) -> None:
        self._device = self.device or Device(self.rng)
        self._playing: Iterator[Picture] = iter(())
        self._started_for = Prompt.NONE
        self.played: list[Challenge] = []

    def look(self, prompt: Prompt, at_s: float) -> Picture:
        picture = next(self._playing, None)
        begins = prompt in ASKED and prompt is not self._started_for
        if picture is None and (begins or not self.wait):
            self._started_for = prompt
            self.played.append(self._choose(prompt))
            self._playing = Recording(self.scene, self.played[-1], self.rng).frames()
            picture = next(self._playing)
        shown = self.scene if picture is None else replace(self.scene, picture=picture)
        return self._device.show(shown, at_s)

    def _choose(self, prompt: Prompt) -> Challenge:
        fitting = [c for c in MOVEMENTS if not self.knowing or c[0] is prompt]
        return fitting[int(self.rng.integers(len(fitting)))] if fitting else MOVEMENTS[0]


@dataclass
class Alternated:
    """Pictures of the same head in five poses, changed for the one that is asked.

    `fade_s` 0: put before one another; else blended, as a screen can.
    """

    scene: Scene
    rng: np.random.Generator
    fade_s: float = 0.0

    def __post_init__(self) -> None:
        self._poses = {
            prompt: head(self.scene, 20 * YAWS.get(prompt, 0.0), 14 * PITCHES.get(prompt, 0.0))
            for prompt in (*DIRECTIONS, Prompt.NONE)
        }
        self._hand, self._shown, self._before = Hand(self.rng), Prompt.NONE, Prompt.NONE
        self._changed = -9.0
        self._asked, self._asked_at = Prompt.NONE, 0.0

    def look(self, prompt: Prompt, at_s: float) -> Picture:
        wanted = prompt if prompt in DIRECTIONS else Prompt.NONE
        if wanted is not self._asked:
            self._asked, self._asked_at = wanted, at_s
        if self._asked is not self._shown and at_s - self._asked_at > 0.3:
            self._before, self._shown, self._changed = self._shown, self._asked, at_s
        share = min((at_s - self._changed) / self.fade_s, 1.0) if self.fade_s else 1.0
        old, new = self._poses[self._before], self._poses[self._shown]
        picture = cv2.addWeighted(old, 1 - share, new, share, 0)
        x, y, roll, tilt = self._hand.sway(at_s)
        sheet = replace(self.scene, picture=np.asarray(picture, dtype=np.uint8))
        return noisy(flat(sheet, tilt / 2, tilt, roll, shift=(x, y)), self.rng)


# --- the stream itself --------------------------------------------------------------------------


@dataclass
class Frozen:
    """A live person, until the first movement is asked: then the last frame, again and again."""

    scene: Scene
    rng: np.random.Generator

    def __post_init__(self) -> None:
        self._person = Person(self.scene, self.rng)
        self._last: Picture | None = None

    def look(self, prompt: Prompt, at_s: float) -> Picture:
        if self._last is None or prompt not in ASKED:
            self._last = self._person.look(prompt, at_s)
        return self._last


@dataclass
class Repeated:
    """A recording fed in where the camera was, over and over: all four movements in a row."""

    scene: Scene
    rng: np.random.Generator
    encode: bool = False  #: compressed anew each time, so no two passes are equal to the bit

    def __post_init__(self) -> None:
        order = tuple(self.rng.permutation(np.array(list(DIRECTIONS), dtype=object)))
        self._frames = cycle(list(Recording(self.scene, order, self.rng).frames()))

    def look(self, prompt: Prompt, at_s: float) -> Picture:
        frame = next(self._frames)
        if not self.encode:
            return frame
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(self.rng.integers(80, 96))]
        return np.asarray(
            cv2.imdecode(cv2.imencode(".jpg", frame, quality)[1], cv2.IMREAD_COLOR), dtype=np.uint8
        )


# --- one lives, another is shown -----------------------------------------------------------------


@dataclass
class Swap:
    """An accomplice answers; then a picture of the one who is booked takes their place.

    `fade_s`: blended in for so long; `gap_s`: nobody in view for so long; `first`: the picture
    is shown before the challenge too.
    """

    scene: Scene  #: who is booked: a picture
    accomplice: Scene
    rng: np.random.Generator
    fade_s: float = 0.0
    gap_s: float = 0.0
    first: bool = False

    def __post_init__(self) -> None:
        self._live = Person(self.accomplice, self.rng)
        self._print = Print(self.scene, self.rng, lambda prompt, at_s: {})
        self._answered: set[Prompt] = set()
        self._over_at: float | None = None

    def look(self, prompt: Prompt, at_s: float) -> Picture:
        if prompt in ASKED:
            self._answered.add(prompt)
            self._over_at = None
        elif len(self._answered) >= 2 and self._over_at is None:
            self._over_at = at_s
        live = self._live.look(prompt, at_s)
        if self._over_at is None:
            early = self.first and not self._answered
            return self._print.look(prompt, at_s) if early else live
        since = at_s - self._over_at
        if since < self.gap_s:
            return noisy(np.full((HEIGHT, WIDTH, 3), 120, np.uint8), self.rng)
        share = min(since / self.fade_s, 1.0) if self.fade_s else 1.0
        picture = self._print.look(prompt, at_s)
        return np.asarray(cv2.addWeighted(live, 1 - share, picture, share, 0), dtype=np.uint8)


@dataclass
class Puppet:
    """The face driven live on a screen as prompts ask. Geometry and timing are a head's own."""

    scene: Scene
    rng: np.random.Generator
    device: Device | None = None

    def __post_init__(self) -> None:
        self._person = Person(self.scene, self.rng)
        self._device = self.device or Device(self.rng)

    def look(self, prompt: Prompt, at_s: float) -> Picture:
        shown = replace(self.scene, picture=self._person.look(prompt, at_s))
        return self._device.show(shown, at_s)


Species = Callable[[Scene, Scene, np.random.Generator], Actor]

#: Name → (who is booked, somebody else, chance) → what stands before the camera.
SPECIES: dict[str, Species] = {
    "still picture": lambda who, other, rng: Sheet(who, rng, _held),
    "moved": lambda who, other, rng: Sheet(who, rng, _moved, sway=2.0),
    "zoomed": lambda who, other, rng: Sheet(who, rng, _zoomed),
    "tilted": lambda who, other, rng: Sheet(who, rng, _tilted),
    "bent": lambda who, other, rng: Sheet(who, rng, _bent),
    "cut-out eyes": lambda who, other, rng: CutOutEyes(who, rng),
    "replay, any": lambda who, other, rng: Screen(who, rng),
    "replay, begun at the prompt": lambda who, other, rng: Screen(who, rng, wait=True),
    "replay, first movement fits": lambda who, other, rng: Screen(who, rng, True, True),
    "alternated pictures": lambda who, other, rng: Alternated(who, rng),
    "alternated, blended": lambda who, other, rng: Alternated(who, rng, fade_s=0.35),
    "frozen stream": lambda who, other, rng: Frozen(who, rng),
    "repeated stream": lambda who, other, rng: Repeated(who, rng),
    "repeated, compressed anew": lambda who, other, rng: Repeated(who, rng, encode=True),
    "swapped after": lambda who, other, rng: Swap(who, other, rng),
    "swapped after, blended": lambda who, other, rng: Swap(who, other, rng, fade_s=1.0),
    "swapped after, in a gap": lambda who, other, rng: Swap(who, other, rng, gap_s=0.4),
    "swapped before and after": lambda who, other, rng: Swap(who, other, rng, first=True),
}
PHONE, TABLET, LAPTOP, _ = FRAMES


def _held_device(frame: Frame, knowing: bool) -> Species:
    def replay(who: Scene, other: Scene, rng: np.random.Generator) -> Actor:
        return Screen(who, rng, knowing, knowing, Device(rng, frame))

    return replay


def _driven(frame: Frame | None, sway: float) -> Species:
    """The face driven live as prompts ask: geometry and timing are a head's own."""
    return lambda who, other, rng: Puppet(who, rng, Device(rng, frame, sway))


SPECIES |= {
    "replay, telephone in a hand": _held_device(PHONE, False),
    "replay, fits, tablet in a hand": _held_device(TABLET, True),
    "driven, telephone in a hand": _driven(PHONE, 0.6),
    "driven, tablet in a hand": _driven(TABLET, 0.6),
    "driven, laptop in a hand": _driven(LAPTOP, 0.6),
    "driven, telephone propped up": _driven(PHONE, 0.0),
    "driven, tablet propped up": _driven(TABLET, 0.0),
    "driven, laptop propped up": _driven(LAPTOP, 0.0),
}
#: What nothing here tells from a head; measured, not claimed to be stopped.
BEYOND: dict[str, Species] = {
    "driven, in a hand, no edge in view": _driven(None, 0.6),
    "driven, propped up, no edge in view": _driven(None, 0.0),
}
