"""A head that turns when asked, or a picture of one? (presentation attack detection)

Owns the challenge and its verdict. Pure: looks in, verdict out; no pictures, clock or
randomness (the choice is injected).

Two things are asked of every turn: the landmarks and skin must move the way that was asked,
and a part of that motion must need depth (parallax.py). A flat picture that is shifted,
turned, zoomed or tilted never shows the second, whatever it does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from kiosk.core.codes import Prompt
from kiosk.face.motion import Look

Challenge = tuple[Prompt, ...]

_TURNS: tuple[Challenge, ...] = (
    (Prompt.TURN_LEFT, Prompt.TURN_RIGHT),
    (Prompt.TURN_RIGHT, Prompt.TURN_LEFT),
)
_WITH_BLINK: tuple[Challenge, ...] = (
    (Prompt.TURN_LEFT, Prompt.BLINK),
    (Prompt.TURN_RIGHT, Prompt.BLINK),
    (Prompt.BLINK, Prompt.TURN_LEFT),
    (Prompt.BLINK, Prompt.TURN_RIGHT),
)


class Failure(StrEnum):
    FLAT = "flat"  #: it moved, and a plane explains all of it
    NO_RESPONSE = "no_response"
    WRONG_TURN = "wrong_turn"
    CHANGED = "changed"  #: the face after the challenge is not the one before it


@dataclass(frozen=True, slots=True)
class LivenessLimits:
    """`depth`: parallax, about the sine of the turn. Measured in docs/face.md."""

    turn_depth: float = 0.14  #: about 10°; flat pictures stayed below 0.03
    min_ratio: float = 4.0  #: depth over its standard error
    turn_frames: int = 2  #: in a row
    max_rate: float = 4.0  #: depth per second, about 240°/s: faster is another picture, not a turn
    centre_depth: float = 0.07  #: back in the middle, in between
    flat_depth: float = 0.045  #: at most this, while …
    flat_tilt: float = 0.08  #: … the plane tilts by this much, or
    flat_yaw: float = 0.06  #: … the nose leaves the middle by this much (eye widths)
    flat_error: float = 0.03  #: and the depth is known this well
    flat_s: float = 1.0  #: for so long in all
    moved: float = 0.15  #: eye widths, or share of size: a picture that is being moved
    response_s: float = 7.0
    blink_eyes: float = 0.78  #: likeness of the eyes at or below which they are shut …
    blink_skin: float = 0.88  #: … while the skin stays this much alike
    blink_open: float = 0.88
    blink_max_s: float = 1.2


def choose(choice: Callable[[Sequence[Challenge]], Challenge], blink: bool) -> Challenge:
    """A challenge; `choice` is secrets.choice in the product."""
    return choice(_TURNS + _WITH_BLINK if blink else _TURNS)


def name_of(challenge: Challenge) -> str:
    return ",".join(prompt.value for prompt in challenge)


class Liveness:
    """One try at one challenge over one track. Feed it looks until `verdict` is not None."""

    def __init__(self, challenge: Challenge, limits: LivenessLimits | None = None) -> None:
        self.challenge = challenge
        self.verdict: bool | None = None
        self.failure: Failure | None = None
        self._limits = limits or LivenessLimits()
        self._step = 0
        self._began: float | None = None
        self._last = 0.0
        self._flat_s = 0.0
        self._measured = 0
        self._deepest = 0.0
        self._moved = False
        self._before: tuple[float, float] | None = None
        self._begin_step()

    def _begin_step(self) -> None:
        self._in_a_row = 0
        self._wrong_in_a_row = 0
        self._was_central = self._step == 0
        self._came_smoothly = self._step == 0
        self._shut_at: float | None = None

    @property
    def prompt(self) -> Prompt:
        return Prompt.NONE if self.verdict is not None else self.challenge[self._step]

    @property
    def progress(self) -> float:
        return 1.0 if self.verdict else self._step / len(self.challenge)

    def feed(self, look: Look) -> None:
        if self.verdict is not None:
            return
        if self._began is None:
            self._began = self._last = look.at_s
        elapsed, self._last = look.at_s - self._last, look.at_s
        self._weigh_flatness(look, min(elapsed, 0.2))
        if self.verdict is None and self._answers(look):
            self._step += 1
            if self._step == len(self.challenge):
                self.verdict = True
                return
            self._begin_step()
        if self.verdict is None and look.at_s - self._began > self._limits.response_s:
            self._fail(Failure.FLAT if self._looked_flat() else Failure.NO_RESPONSE)

    def _fail(self, failure: Failure) -> None:
        self.verdict, self.failure = False, failure

    def _answers(self, look: Look) -> bool:
        if self.challenge[self._step] is Prompt.BLINK:
            return self._blinks(look)
        return self._turns(look, 1 if self.challenge[self._step] is Prompt.TURN_LEFT else -1)

    def _turns(self, look: Look, sign: int) -> bool:
        """Past the limit the asked way, having got there as a head does and not at once."""
        limits = self._limits
        if look.parallax is None:
            return False
        depth = sign * look.parallax.x
        if abs(depth) < limits.centre_depth:
            self._was_central = True
        jumped = self._jumped(look)
        self._came_smoothly = not jumped and (self._came_smoothly or abs(depth) < limits.turn_depth)
        sure = abs(depth) >= limits.min_ratio * look.parallax.error
        turned = sure and depth >= limits.turn_depth and sign * look.yaw > 0
        self._in_a_row = self._in_a_row + 1 if turned else 0
        wrong = sure and self._was_central and depth <= -limits.turn_depth
        self._wrong_in_a_row = self._wrong_in_a_row + 1 if wrong else 0
        if self._wrong_in_a_row > limits.turn_frames:
            self._fail(Failure.WRONG_TURN)
        return self._in_a_row >= limits.turn_frames and self._came_smoothly

    def _jumped(self, look: Look) -> bool:
        assert look.parallax is not None
        before, self._before = self._before, (look.parallax.x, look.at_s)
        if before is None:
            return False
        elapsed = max(look.at_s - before[1], 0.04)
        return abs(look.parallax.x - before[0]) / elapsed > self._limits.max_rate

    def _blinks(self, look: Look) -> bool:
        """Shut and open again, briefly, while the rest of the face stays as it was."""
        limits = self._limits
        still = look.skin >= limits.blink_skin and abs(look.yaw) < limits.flat_yaw
        if look.parallax is not None:
            still &= abs(look.parallax.x) < limits.centre_depth
            still &= look.parallax.tilt < limits.flat_tilt
        if not still:
            self._shut_at, self._was_central = None, False
            return False
        if look.eyes >= limits.blink_open:
            answered = self._shut_at is not None
            self._was_central, self._shut_at = True, None
            return answered
        if look.eyes <= limits.blink_eyes and self._was_central:
            self._shut_at = self._shut_at if self._shut_at is not None else look.at_s
        if self._shut_at is not None and look.at_s - self._shut_at > limits.blink_max_s:
            self._shut_at, self._was_central = None, False
        return False

    def _weigh_flatness(self, look: Look, elapsed: float) -> None:
        """Adds up the time in which it was plainly turned or tilted, and plainly had no depth."""
        limits = self._limits
        self._moved |= look.shift > limits.moved or abs(look.zoom - 1) > limits.moved
        if look.parallax is None or look.parallax.error > limits.flat_error:
            return
        self._measured += 1
        depth = float(np.hypot(look.parallax.x, look.parallax.y))
        self._deepest = max(self._deepest, depth)
        posed = look.parallax.tilt > limits.flat_tilt or abs(look.yaw) > limits.flat_yaw
        self._moved |= posed
        if posed and depth < limits.flat_depth:
            self._flat_s += elapsed
        elif depth > 2 * limits.flat_depth:
            self._flat_s = 0.0
        if self._flat_s >= limits.flat_s:
            self._fail(Failure.FLAT)

    def _looked_flat(self) -> bool:
        return self._moved and self._measured >= 10 and self._deepest < 2 * self._limits.flat_depth
