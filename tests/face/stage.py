"""A person, or a print of one, before the lane's camera: answers prompts in simulated time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from streams import HEIGHT, WIDTH, Picture, Scene, flat, head, noisy

from kiosk.core.codes import Prompt
from kiosk.face.detector import HogDetector
from kiosk.face.events import LivenessFailed, LivenessPassed
from kiosk.face.follower import Follower
from kiosk.face.parts import Encoder
from kiosk.face.verification import Outcome, Verification, VerificationOptions

FPS = 15.0


@dataclass
class Person:
    """Turns and blinks when asked, after a moment, and sways a little."""

    scene: Scene
    rng: np.random.Generator
    turn_deg: float = 20.0
    react_s: float = 0.35
    turn_s: float = 0.45
    _yaw: float = 0.0
    _asked: Prompt = Prompt.NONE
    _since: float = 0.0

    def look(self, prompt: Prompt, at_s: float) -> Picture:
        if prompt is not self._asked:
            self._asked, self._since = prompt, at_s
        waited = at_s - self._since - self.react_s
        target = {Prompt.TURN_LEFT: 1.0, Prompt.TURN_RIGHT: -1.0}.get(prompt, 0.0) * self.turn_deg
        if waited > 0:
            step = 2 * self.turn_deg / self.turn_s / FPS
            self._yaw += float(np.clip(target - self._yaw, -step, step))
        shut = 1.0 if prompt is Prompt.BLINK and 0 < waited % 1.0 < 0.2 else 0.0
        sway = np.sin(at_s * 1.3), np.cos(at_s * 0.9)
        picture = head(self.scene, self._yaw + 1.5 * sway[0], 1.5 * sway[1], shut)
        shift = np.roll(picture, (round(2 * sway[1]), round(3 * sway[0])), (0, 1))
        return noisy(shift, self.rng)


@dataclass
class Print:
    """A photograph held up: `moves` gives flat()'s arguments for the prompt and the time."""

    scene: Scene
    rng: np.random.Generator
    moves: Callable[[Prompt, float], dict[str, object]]

    def look(self, prompt: Prompt, at_s: float) -> Picture:
        return noisy(flat(self.scene, **self.moves(prompt, at_s)), self.rng)  # type: ignore[arg-type]


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

    @property
    def failure(self) -> str | None:
        return next((o.why for o in self.outcomes if isinstance(o, LivenessFailed)), None)


def play(
    actor: Person | Print,
    encoder: Encoder,
    detector: HogDetector,
    options: VerificationOptions | None = None,
    limit_s: float = 16.0,
    seed: int = 0,
) -> Run:
    """Feed the verification until it is decided, or `limit_s` of simulated time has gone."""
    chooser = np.random.default_rng(seed)
    verification = Verification(
        7, True, encoder, options, choice=lambda them: them[int(chooser.integers(len(them)))]
    )
    follower, run = Follower(detector), Run()
    for index in range(int(limit_s * FPS)):
        at_s = index / FPS
        image = actor.look(verification.prompt, at_s)
        run.outcomes += verification.step(image, follower.update(image, at_s), at_s)
        run.prompts.append(verification.prompt)
        asked = verification.prompt in (Prompt.TURN_LEFT, Prompt.TURN_RIGHT, Prompt.BLINK)
        if asked and run.challenge_at is None:
            run.challenge_at = at_s
        if run.passed or verification.done:
            run.decided_at = at_s
            break
    return run
