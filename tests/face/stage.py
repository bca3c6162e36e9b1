"""A person, or a print of one, before the lane's camera: answers prompts in simulated time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from streams import HEIGHT, WIDTH, Picture, Scene, flat, head, noisy

from kiosk.core.codes import Prompt
from kiosk.face.closer import CloserLook
from kiosk.face.events import LivenessFailed, LivenessPassed, Observation
from kiosk.face.follower import Follower
from kiosk.face.parts import Detector, Encoder, Floats
from kiosk.face.verification import Outcome, Verification, VerificationOptions

FPS = 15.0
YAWS = {Prompt.TURN_LEFT: 1.0, Prompt.TURN_RIGHT: -1.0}
PITCHES = {Prompt.LOOK_DOWN: 1.0, Prompt.LOOK_UP: -1.0}
ASKED = {*YAWS, *PITCHES, Prompt.BLINK}


@dataclass
class Person:
    """Turns, nods and blinks when asked, after a moment, and sways a little.

    What was asked before goes on until then. Told to, they move more slowly or farther.
    """

    scene: Scene
    rng: np.random.Generator
    turn_deg: float = 20.0
    react_s: float = 0.35
    turn_s: float = 0.45
    fps: float = FPS
    nod_deg: float = 13.0
    _yaw: float = 0.0
    _pitch: float = 0.0
    _asked: Prompt = Prompt.NONE
    _since: float = 0.0
    _heard: deque[tuple[float, Prompt]] = field(default_factory=deque)
    _doing: Prompt = Prompt.NONE

    def look(self, prompt: Prompt, at_s: float) -> Picture:
        if prompt is not self._asked:
            self._asked, self._since = prompt, at_s
            self._heard.append((at_s + self.react_s, prompt))
            self._mend(prompt)
        while self._heard and at_s > self._heard[0][0]:
            self._doing = self._heard.popleft()[1]
        step = 2 * self.turn_deg / self.turn_s / self.fps
        across, along = YAWS.get(self._doing, 0.0), PITCHES.get(self._doing, 0.0)
        self._yaw += float(np.clip(across * self.turn_deg - self._yaw, -step, step))
        self._pitch += float(np.clip(along * self.nod_deg - self._pitch, -step, step))
        waited = at_s - self._since - self.react_s
        shut = 1.0 if self._doing is Prompt.BLINK and 0 < waited % 1.0 < 0.2 else 0.0
        sway = np.sin(at_s * 1.3), np.cos(at_s * 0.9)
        aside = 0.03 * float(sway[0]), 0.02 * float(sway[1])
        yaw, pitch = self._yaw + 1.5 * float(sway[0]), self._pitch + 1.5 * float(sway[1])
        return noisy(head(self.scene, yaw, pitch, shut, aside), self.rng)

    def _mend(self, prompt: Prompt) -> None:
        if prompt is Prompt.MORE_SLOWLY:
            self.turn_s *= 2
        elif prompt is Prompt.FURTHER:
            self.turn_deg, self.nod_deg = 1.5 * self.turn_deg, 1.5 * self.nod_deg


@dataclass
class Print:
    """A photograph held up: `moves` gives flat()'s arguments for the prompt and the time."""

    scene: Scene
    rng: np.random.Generator
    moves: Callable[[Prompt, float], dict[str, object]]

    def look(self, prompt: Prompt, at_s: float) -> Picture:
        return noisy(flat(self.scene, **self.moves(prompt, at_s)), self.rng)  # type: ignore[arg-type]


class Actor(Protocol):
    """Whatever stands before the camera: a frame for what the screen asks now."""

    def look(self, prompt: Prompt, at_s: float) -> Picture: ...


def empty(rng: np.random.Generator) -> Picture:
    return noisy(np.full((HEIGHT, WIDTH, 3), 120, np.uint8), rng)


@dataclass
class Run:
    """What came of it; times are simulated seconds."""

    outcomes: list[Outcome] = field(default_factory=list)
    prompts: list[Prompt] = field(default_factory=list)
    challenge_at: float | None = None
    decided_at: float | None = None

    @property
    def passed(self) -> bool:
        return any(isinstance(outcome, LivenessPassed) for outcome in self.outcomes)

    def as_whom(self, embedding: Floats, limit: float) -> bool:
        """Whether it would be taken for that person: live, and near their embedding."""
        looks = [o.embedding for o in self.outcomes if isinstance(o, Observation)]
        near = [np.linalg.norm(np.array(look) - embedding) <= limit for look in looks]
        return self.passed and any(near)

    @property
    def failure(self) -> str | None:
        return next((o.why for o in self.outcomes if isinstance(o, LivenessFailed)), None)


def play(
    actor: Actor,
    encoder: Encoder,
    detector: Detector,
    options: VerificationOptions | None = None,
    limit_s: float = 16.0,
    seed: int = 0,
    fps: float = FPS,
    after_s: float = 0.0,
    closer: CloserLook | None = None,
) -> Run:
    """Feed the verification until it is decided, or `limit_s` of simulated time has gone.

    `after_s`: how long to go on when liveness has passed, for who changes the face then.
    """
    chooser = np.random.default_rng(seed)
    verification = Verification(
        7,
        True,
        encoder,
        options,
        choice=lambda them: them[int(chooser.integers(len(them)))],
        pause=lambda: float(chooser.uniform(0.0, 0.1)),
        closer=closer,
    )
    follower, run = Follower(detector), Run()
    for index in range(int(limit_s * fps)):
        at_s = index / fps
        image = actor.look(verification.prompt, at_s)
        run.outcomes += verification.step(image, follower.update(image, at_s), at_s)
        run.prompts.append(verification.prompt)
        if verification.prompt in ASKED and run.challenge_at is None:
            run.challenge_at = at_s
        if run.decided_at is None and (run.passed or verification.done):
            run.decided_at = at_s
        if run.decided_at is not None and (verification.done or at_s >= run.decided_at + after_s):
            break
    return run
