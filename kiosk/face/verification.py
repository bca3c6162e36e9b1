"""One person before the camera: from *come closer* to live observations.

Owns the order of a verification: a good frontal look, the challenge, then observations, all
of one unbroken track. Knows no cameras, sockets or rosters; frames and times come in.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from kiosk.core.codes import Prompt
from kiosk.face import challenge as challenges
from kiosk.face.challenge import Challenge
from kiosk.face.encoders import LIMITS
from kiosk.face.events import LivenessFailed, LivenessPassed, Observation
from kiosk.face.follower import Tracked
from kiosk.face.freshness import Freshness
from kiosk.face.liveness import Failure, Liveness, LivenessLimits
from kiosk.face.motion import FaceMotion
from kiosk.face.parts import Encoder, Floats, Image
from kiosk.face.prompts import PromptHold
from kiosk.face.quality import Quality, assess

_BASE_LOOKS = 2
_TRIES = 2
_MOST_CHALLENGES = 4  #: also when the face was lost in the middle of some
#: Depth (parallax.py: about a sine, so 5°) at which a head is back from the movement it made.
_BACK_DEPTH = 0.08
_BACK_PATIENCE_S = 1.5  #: from then on the quality's coarser measure of pose is enough

_PAUSES_MS = range(100, 500, 20)  #: between two prompts


def _random_pause_s() -> float:
    return secrets.choice(_PAUSES_MS) / 1000


Outcome = LivenessPassed | LivenessFailed | Observation


@dataclass(frozen=True, slots=True)
class VerificationOptions:
    frames: int = 5  #: observations after which the progress ring is full
    every_s: float = 0.1  #: between observations
    blink: bool = False  #: challenges may contain a blink
    limits: LivenessLimits = field(default_factory=LivenessLimits)


class Verification:
    """Feed it every frame; it returns what the daemon should hear."""

    def __init__(
        self,
        task_id: int,
        with_liveness: bool,
        encoder: Encoder,
        options: VerificationOptions | None = None,
        choice: Callable[[Sequence[Challenge]], Challenge] = secrets.choice,
        pause: Callable[[], float] = _random_pause_s,
    ) -> None:
        self.task_id = task_id
        self.prompt = Prompt.LOOK_HERE
        self._hold = PromptHold(self.prompt)
        self.done = False
        self._with_liveness = with_liveness
        self._encoder = encoder
        self._options = options or VerificationOptions()
        self._choice, self._pause = choice, pause
        self._freshness = Freshness()
        self._tries = self._started = 0
        self._track: int | None = None
        self._quality_prompt = Prompt.NONE
        self._restart()

    def _restart(self) -> None:
        """Nothing seen before counts for another track."""
        self._live = not self._with_liveness
        self._told_live = self._live
        self._live_at = float("-inf")
        self._challenge: Liveness | None = None
        self._motion: FaceMotion | None = None
        self._base: list[Observation] = []
        self._base_mean: Floats | None = None
        self._given = 0
        self._embedded_at = float("-inf")

    @property
    def progress(self) -> float:
        """0..1: a tenth for the frontal look, six for the challenge, the rest for observations."""
        share = min(self._given / max(self._options.frames, 1), 1.0)
        if not self._with_liveness:
            return share
        if self._live:
            return 0.7 + 0.3 * share
        if self._challenge is not None:
            return 0.1 + 0.6 * self._challenge.progress
        return 0.1 * len(self._base) / _BASE_LOOKS

    def step(self, image: Image, tracked: Tracked | None, at_s: float) -> list[Outcome]:
        """One frame. `tracked` is None when the face is not seen in it."""
        if self.done:
            return []
        if self._with_liveness:
            self._freshness.feed(image, at_s)
            if self._freshness.stale:
                return self._refused(Failure.REPEATED)
        if tracked is None:
            if self._challenge is None or self._live:
                self.prompt = self._hold.update(Prompt.LOOK_HERE, at_s)
            return []
        if tracked.track != self._track:
            self._track = tracked.track
            self._restart()
        quality = assess(image, tracked.faces, self._quality_prompt, speed=tracked.speed)
        self._quality_prompt = quality.prompt
        if self._challenge is not None and not self._live:
            return self._challenged(image, tracked, quality, at_s)
        self.prompt = self._hold.update(quality.prompt, at_s)
        if not quality.good or at_s - self._embedded_at < self._options.every_s:
            return []
        if self._live and not self._is_back(image, tracked, at_s):
            self.prompt = self._hold.show(Prompt.FACE_FORWARD, at_s)
            return []
        seen = self._observe(image, tracked, quality, at_s)
        if self._live:
            return self._deliver(seen)
        return self._collect_base(image, tracked, seen)

    def _is_back(self, image: Image, tracked: Tracked, at_s: float) -> bool:
        """Looking ahead again, as before the challenge. Who has just turned their head is still
        turned by less than `assess` can tell, and far enough to look less like themselves."""
        if self._motion is None or at_s - self._live_at > _BACK_PATIENCE_S:
            return True
        parallax = self._motion.look(image, tracked.face, at_s).parallax
        return parallax is not None and np.hypot(parallax.x, parallax.y) <= _BACK_DEPTH

    def _observe(
        self, image: Image, tracked: Tracked, quality: Quality, at_s: float
    ) -> Observation:
        self._embedded_at = at_s
        embedding = self._encoder.embed([self._encoder.chip(image, tracked.face)])[0]
        numbers = tuple(float(value) for value in embedding)
        return Observation(self.task_id, numbers, quality.score, at_s, self._encoder.name)

    def _collect_base(self, image: Image, tracked: Tracked, seen: Observation) -> list[Outcome]:
        """Frontal looks, then a challenge; not endlessly many for who breaks off each time."""
        self._base.append(seen)
        if len(self._base) < _BASE_LOOKS:
            return []
        self._started += 1
        if self._started > _MOST_CHALLENGES:
            return self._refused(Failure.NO_RESPONSE)
        self._base_mean = np.mean([look.embedding for look in self._base], axis=0)
        self._motion = FaceMotion(image, tracked.face)
        challenge = challenges.choose(self._choice, self._options.blink, self._started > 1)
        pauses = [self._pause() for _ in challenge[1:]]
        self._challenge = Liveness(challenge, self._options.limits, pauses)
        self.prompt = self._challenge.prompt
        return []

    def _challenged(
        self, image: Image, tracked: Tracked, quality: Quality, at_s: float
    ) -> list[Outcome]:
        assert self._challenge is not None and self._motion is not None
        self._challenge.feed(self._motion.look(image, tracked.face, at_s))
        if self._challenge.verdict is None:
            rival = quality.prompt is Prompt.ONE_PERSON
            self.prompt = Prompt.ONE_PERSON if rival else self._challenge.prompt
            return []
        if self._challenge.verdict:
            self._live, self._live_at = True, at_s
            self.prompt = self._hold.show(Prompt.FACE_FORWARD, at_s)
            return []
        return self._failed(self._challenge.failure or Failure.NO_RESPONSE)

    def _failed(self, failure: Failure) -> list[Outcome]:
        """Turning the wrong way happens to honest people once; they get another challenge."""
        self._tries += 1
        if failure is Failure.WRONG_TURN and self._tries < _TRIES:
            self._restart()
            self.prompt = Prompt.FACE_FORWARD
            return []
        return self._refused(failure)

    def _refused(self, failure: Failure) -> list[Outcome]:
        self.done, self.prompt = True, Prompt.NONE
        return [LivenessFailed(self.task_id, failure.value)]

    def _deliver(self, seen: Observation) -> list[Outcome]:
        """After the challenge: the same face as before it, or all was for nothing."""
        if self._base_mean is not None:
            apart = float(np.linalg.norm(np.asarray(seen.embedding) - self._base_mean))
            if apart > LIMITS[self._encoder.name].one_track:
                return self._failed(Failure.CHANGED)
        outcomes: list[Outcome] = []
        if not self._told_live:
            assert self._challenge is not None
            self._told_live = True
            outcomes.append(
                LivenessPassed(self.task_id, challenges.name_of(self._challenge.challenge))
            )
            outcomes.extend(self._base)
            self._given += len(self._base)
        self._given += 1
        return [*outcomes, seen]
