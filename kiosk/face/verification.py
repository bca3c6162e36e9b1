"""One person before the camera: from *come closer* to live observations.

Owns the order of a verification: a good frontal look, the challenge, then observations, all
of one unbroken track. Knows no cameras, sockets or rosters; frames and times come in.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from kiosk.core.codes import Prompt
from kiosk.face import challenge as challenges
from kiosk.face import raster
from kiosk.face.challenge import Challenge
from kiosk.face.closer import CloserLook
from kiosk.face.encoders import LIMITS
from kiosk.face.events import LivenessFailed, LivenessPassed, Observation
from kiosk.face.follower import Tracked
from kiosk.face.freshness import Freshness
from kiosk.face.liveness import Failure, Liveness, LivenessLimits
from kiosk.face.motion import FaceMotion, Look
from kiosk.face.parallax import Parallax
from kiosk.face.parts import Encoder, Floats, Image
from kiosk.face.prompts import PromptHold
from kiosk.face.quality import Quality, assess
from kiosk.face.surroundings import Surroundings

_BASE_LOOKS = 2
_REST_LOOKS = 2  #: more, while the first prompt is being read …
_REST_DEPTH = 0.04  #: … and the head has not begun to move
#: How often each ends in another challenge, and what the person is told before it: turning the
#: wrong way happens to honest people, and so does a movement so small that it looks like a blend.
_AGAIN = {
    Failure.WRONG_TURN: (1, Prompt.FACE_FORWARD),
    Failure.BLENDED: (1, Prompt.FACE_FORWARD),
    Failure.TOO_QUICK: (2, Prompt.MORE_SLOWLY),
    Failure.TOO_SMALL: (2, Prompt.FURTHER),
}
_TRIES = 3  #: of all of them
#: Long enough to be read, and for whatever an earlier prompt still sets going to be over.
_NOTICE_S = {Prompt.MORE_SLOWLY: 1.2, Prompt.FURTHER: 1.2, Prompt.FACE_FORWARD: 1.2}
_MOST_CHALLENGES = 4  #: also when the face was lost in the middle of some
#: Depth (parallax.py: about a sine, so 5°) at which a head is back from the movement it made.
_BACK_DEPTH = 0.08
_BACK_PATIENCE_S = 1.5  #: from then on the quality's coarser measure of pose is enough

#: Told by weak measures, or not the person's to change (a beard, narrow eyes, the hall's lamps):
#: asked for this long, then let pass, and so is whatever the closer look alone tells. What the
#: looks are worth, the distances tell.
_WAIVABLE = frozenset({Prompt.TAKE_OFF_MASK, Prompt.OPEN_EYES, Prompt.UNEVEN_LIGHT})
_WAIVED_AFTER_S = 3.0

_SURROUNDINGS_S = 0.08  #: between looks at them
MOST_PEAK = 4.0  #: raster.peak in both frontal looks; people: docs/face.md, "Screens and paper"

_PAUSES_MS = range(0, 100, 10)  #: from a movement's beginning to the next prompt


def _random_pause_s() -> float:
    return secrets.choice(_PAUSES_MS) / 1000


def _depth(parallax: Parallax) -> float:
    return float(np.hypot(parallax.x, parallax.y))


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
        closer: CloserLook | None = None,
    ) -> None:
        self.task_id = task_id
        self.prompt = Prompt.LOOK_HERE
        self._hold = PromptHold(self.prompt)
        self.done = False
        self._with_liveness = with_liveness
        self._encoder = encoder
        self._options = options or VerificationOptions()
        self._choice, self._pause = choice, pause
        self._closer = closer
        self._freshness = Freshness()
        self._ended: Counter[Failure] = Counter()
        self._started = 0
        self._notice_until = float("-inf")
        self._reference: FaceMotion | None = None  #: the first look ahead, of whatever track
        self._waits_since = float("-inf")
        self._track: int | None = None
        self._quality_prompt = Prompt.NONE
        self._restart()

    def _restart(self) -> None:
        """Nothing seen before counts for another track."""
        self._waived: frozenset[Prompt] = frozenset()
        self._closely = True  #: the closer look has not been let pass yet
        self._fault_since = float("-inf")
        self._live = not self._with_liveness
        self._told_live = self._live
        self._live_at = float("-inf")
        self._challenge: Liveness | None = None
        self._motion: FaceMotion | None = None
        self._surroundings: Surroundings | None = None
        self._surroundings_at = float("-inf")
        self._peaks: list[float] = []  #: of a grid, in the frontal looks
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
        return 0.1 * min(len(self._base) / _BASE_LOOKS, 1.0)

    @property
    def challenged(self) -> bool:
        return self._challenge is not None and not self._live and not self.done

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
            if self.challenged:  # a quick head is easily lost
                self._tell(Prompt.MORE_SLOWLY, at_s)
            self._restart()
        if at_s < self._notice_until:
            return []
        quality = self._assess(image, tracked, at_s)
        if self._challenge is not None and not self._live:
            return self._challenged(image, tracked, quality, at_s)
        self.prompt = self._hold.update(quality.prompt, at_s)
        fit = quality.good or (self._to_be_told and quality.prompt is Prompt.FACE_FORWARD)
        if not fit or at_s - self._embedded_at < self._options.every_s:
            return []
        if not self._live:
            if not self._looks_ahead(image, tracked, at_s):
                return []
            seen = self._observe(image, tracked, quality, at_s)
            return self._collect_base(image, tracked, seen)
        back = quality.good and self._is_back(image, tracked, at_s)
        if not back:
            self.prompt = self._hold.show(Prompt.FACE_FORWARD, at_s)
            if self._told_live:
                return []
        return self._deliver(self._observe(image, tracked, quality, at_s), back)

    @property
    def _to_be_told(self) -> bool:
        """The challenge is over: one look, be it of a head still turned, may say whose it was."""
        return self._live and not self._told_live

    def _looks_ahead(self, image: Image, tracked: Tracked, at_s: float) -> bool:
        """Not still turned by an earlier challenge, and not turning: what follows is measured
        from here. Who keeps looking elsewhere is let go on after a while."""
        if self._reference is None:
            self._reference, self._waits_since = FaceMotion(image, tracked.face), at_s
            return True
        parallax = self._reference.look(image, tracked.face, at_s).parallax
        if parallax is not None and _depth(parallax) <= _BACK_DEPTH:
            self._waits_since = at_s
            return True
        if at_s - self._waits_since > _BACK_PATIENCE_S:
            self._reference = None
        self.prompt = self._hold.show(Prompt.FACE_FORWARD, at_s)
        return False

    def _is_back(self, image: Image, tracked: Tracked, at_s: float) -> bool:
        """Looking ahead again, as before the challenge. Who has just turned their head is still
        turned by less than `assess` can tell, and far enough to look less like themselves."""
        if self._motion is None or at_s - self._live_at > _BACK_PATIENCE_S:
            return True
        parallax = self._motion.look(image, tracked.face, at_s).parallax
        return parallax is not None and _depth(parallax) <= _BACK_DEPTH

    def _assess(self, image: Image, tracked: Tracked, at_s: float) -> Quality:
        before, waived = self._quality_prompt, self._waived
        due = at_s - self._embedded_at >= self._options.every_s or before is not Prompt.NONE
        closer = self._closer if self._closely and due and not self.challenged else None
        quality = assess(image, tracked.faces, before, None, tracked.speed, waived, closer)
        self._quality_prompt = quality.prompt
        if quality.prompt is not before or not (quality.prompt in _WAIVABLE or quality.closely):
            self._fault_since = at_s
        elif at_s - self._fault_since >= _WAIVED_AFTER_S:
            self._waived = waived | ({quality.prompt} & _WAIVABLE)
            self._closely &= not quality.closely
        return quality

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
        self._peaks.append(raster.peak(image, tracked.face))
        if len(self._base) < _BASE_LOOKS:
            return []
        self._started += 1
        if self._started > _MOST_CHALLENGES:
            return self._refused(Failure.NO_RESPONSE)
        self._base_mean = np.mean([look.embedding for look in self._base], axis=0)
        self._motion = FaceMotion(image, tracked.face)
        self._surroundings = Surroundings(image, tracked.face)
        challenge = challenges.choose(self._choice, self._options.blink, self._started > 1)
        pauses = [self._pause() for _ in challenge]
        self._challenge = Liveness(
            challenge,
            self._options.limits,
            pauses,
            challenges.spare(self._choice, challenge),
            challenges.across(self._choice, challenge),
        )
        self.prompt = self._challenge.prompt
        return []

    def _challenged(
        self, image: Image, tracked: Tracked, quality: Quality, at_s: float
    ) -> list[Outcome]:
        assert self._challenge is not None and self._motion is not None
        look = self._motion.look(image, tracked.face, at_s)
        self._challenge.feed(look)
        self._watch_surroundings(image, at_s)
        self._look_at_rest(image, tracked, quality, look)
        if self._challenge.verdict is None:
            rival = quality.prompt is Prompt.ONE_PERSON
            self.prompt = Prompt.ONE_PERSON if rival else self._challenge.prompt
            return []
        if self._challenge.verdict:
            if (shown := self._recaptured()) is not None:
                return self._refused(shown)
            self._live, self._live_at = True, at_s
            self.prompt = self._hold.show(Prompt.FACE_FORWARD, at_s)
            if not quality.good and quality.prompt is not Prompt.FACE_FORWARD:
                return []
            return self._deliver(self._observe(image, tracked, quality, at_s), back=False)
        return self._failed(self._challenge.failure or Failure.NO_RESPONSE, at_s)

    def _look_at_rest(self, image: Image, tracked: Tracked, quality: Quality, look: Look) -> None:
        """Until it begins to turn the head looks as straight ahead as before the prompt."""
        still = look.parallax is not None and _depth(look.parallax) <= _REST_DEPTH
        due = look.at_s - self._embedded_at >= self._options.every_s
        if still and due and quality.good and len(self._base) < _BASE_LOOKS + _REST_LOOKS:
            self._base.append(self._observe(image, tracked, quality, look.at_s))

    def _watch_surroundings(self, image: Image, at_s: float) -> None:
        if self._surroundings is not None and at_s - self._surroundings_at >= _SURROUNDINGS_S:
            self._surroundings_at = at_s
            self._surroundings.feed(image)

    def _recaptured(self) -> Failure | None:
        """Whatever it answered: is it a screen's or a print's picture that did?"""
        if self._surroundings is not None and self._surroundings.held is not None:
            return Failure.HELD
        return Failure.RASTER if min(self._peaks, default=0.0) >= MOST_PEAK else None

    def _failed(self, failure: Failure, at_s: float) -> list[Outcome]:
        """Another challenge, longer and drawn anew, for what happens to honest people."""
        self._ended[failure] += 1
        times, told = _AGAIN.get(failure, (0, Prompt.NONE))
        if self._ended[failure] > times or self._ended.total() >= _TRIES:
            return self._refused(failure)
        self._restart()
        self._tell(told, at_s)
        return []

    def _tell(self, prompt: Prompt, at_s: float) -> None:
        self.prompt = self._hold.show(prompt, at_s)
        self._notice_until = at_s + _NOTICE_S.get(prompt, 0.0)

    def _refused(self, failure: Failure) -> list[Outcome]:
        self.done, self.prompt = True, Prompt.NONE
        return [LivenessFailed(self.task_id, failure.value)]

    def _deliver(self, seen: Observation, back: bool) -> list[Outcome]:
        """After the challenge: the same face as before it, or all was for nothing.

        A look that is not `back` yet may say so, but is not given out itself.
        """
        if self._base_mean is not None:
            apart = float(np.linalg.norm(np.asarray(seen.embedding) - self._base_mean))
            if apart > LIMITS[self._encoder.name].one_track:
                return self._refused(Failure.CHANGED) if back else []
        outcomes: list[Outcome] = []
        if not self._told_live:
            assert self._challenge is not None
            self._told_live = True
            outcomes.append(
                LivenessPassed(self.task_id, challenges.name_of(self._challenge.challenge))
            )
            outcomes.extend(self._base)
            self._given += len(self._base)
        if back:
            self._given += 1
            outcomes.append(seen)
        return outcomes
