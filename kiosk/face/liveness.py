"""A head that moves when asked, or a picture of one? (presentation attack detection)

Owns the verdict on one challenge. Pure: looks in, verdict out; no pictures, clock or
randomness (challenge and pauses are given).

Two things are asked of every movement: skin and landmarks must move the way that was asked,
and a part of that motion must need depth (parallax.py). A flat picture that is shifted,
turned, zoomed or tilted never shows the second, whatever it does. And the movement must answer
its prompt: begin after it, from rest, in no other direction first. A recording does not know
the prompts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from kiosk.core.codes import Prompt
from kiosk.face.challenge import DIRECTIONS, Challenge, Direction
from kiosk.face.motion import Look
from kiosk.face.parallax import Parallax
from kiosk.face.passage import motion_over_blend


class Failure(StrEnum):
    FLAT = "flat"  #: it moved, and a plane explains all of it
    NO_RESPONSE = "no_response"
    WRONG_TURN = "wrong_turn"  #: a movement nobody asked for
    BLENDED = "blended"  #: one picture was faded into another
    TOO_QUICK = "too_quick"  #: nothing was seen of the way: put before one another, or a quick head
    TOO_SMALL = "too_small"  #: it began, and did not go far enough
    CHANGED = "changed"  #: the face after the challenge is not the one before it
    REPEATED = "repeated"  #: the camera gave the same pictures again
    HELD = "held"  #: background or edges move as those of a picture in a hand
    RASTER = "raster"  #: a screen's or a print's grid lies over the face


@dataclass(frozen=True, slots=True)
class LivenessLimits:
    """Depth is parallax: about the sine of the turn. Measured in docs/face.md."""

    turn_depth: float = 0.14  #: to the side, about 10°; flat and bent pictures stayed below 0.05
    nod_depth: float = 0.11  #: up and down, about 8°
    min_ratio: float = 4.0  #: depth over its standard error
    turn_frames: int = 2  #: in a row that have begun it, the last of them past the limit
    max_rate: float = 4.5  #: depth per second, about 260°/s: faster is another picture
    centre_depth: float = 0.07  #: back in the middle, in between
    least_motion: float = 1.4  #: passage.motion_over_blend: heads lie above 1.8, blends below 1.1
    on_the_way: tuple[float, float] = (0.2, 0.85)  #: shares of a movement that count as its way
    react_s: float = 0.15  #: what moves sooner after the prompt does not answer it
    late_s: float = 1.4  #: who begins later is asked for one movement more
    slow_s: float = 0.6  #: who begins later is not asked for the opposite movement next
    held_s: float = 0.6  #: turned, but not so that it counts: after this it is asked anew
    begun_depth: float = 0.055  #: of a movement that has plainly begun: the next prompt is shown
    doubt_s: float = 0.3  #: how long a movement may go on that has not shown its way yet
    stalled_s: float = 1.2  #: begun, and still not there
    short: float = 0.5  #: share of the limit that is plainly meant, if it …
    short_s: float = 1.5  #: … stays for so long and no farther
    quiet: float = 0.03  #: depth by which a movement under way grows in …
    quiet_s: float = 0.25  #: … so long, at least
    unasked: float = 1.15  #: times the limit: a movement in another direction, plainly
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

    def enough(self, direction: Direction) -> float:
        return self.turn_depth if direction.axis == 0 else self.nod_depth


class Liveness:
    """One try at one challenge over one track. Feed it looks until `verdict` is not None.

    The next prompt is shown as soon as the movement before it has plainly begun: who reads it is
    still finishing that one. Its movement is judged when that one is done.

    `pauses_s`: how long from then until each prompt but the first is shown; drawn at random, so
    that a recording cannot time its movements. Missing ones are 0, and for the slow the first is.
    `spare`: asked in the end as well, of whom one of the answers came late: a person reacts within
    a second, a recording when it does. `across`: asked instead of the second movement, where that
    is the opposite of the first and the first was slow in coming: a head needs 0.3 s more for it,
    and the slow would not be done in the time a challenge may take (docs/adr/0014).
    """

    def __init__(
        self,
        challenge: Challenge,
        limits: LivenessLimits | None = None,
        pauses_s: Sequence[float] = (),
        spare: Prompt | None = None,
        across: Prompt | None = None,
    ) -> None:
        self.challenge = challenge
        self.verdict: bool | None = None
        self.failure: Failure | None = None
        self._limits = limits or LivenessLimits()
        self._pauses_s = tuple(pauses_s)
        self._spare = spare
        self._across = across
        self._late = False
        self._step = 0  #: the movement that is judged, or will be when its prompt is shown
        self._told_at: list[float | None] = [None]  #: first look after each prompt was shown
        self._back_first = False  #: back ahead, then the same once more
        self._began: float | None = None
        self._last = 0.0
        self._flat_s = 0.0
        self._measured = 0
        self._deepest = 0.0
        self._moved = False
        self._before: tuple[Parallax, float] | None = None
        self._begin_step()

    def _begin_step(self) -> None:
        self._begun_at: float | None = None  #: of the movement: plainly under way
        self._short_since: float | None = None
        self._doubted_at: float | None = None  #: past the limit, on a way that tells too little
        self._in_a_row = 0
        self._unasked_in_a_row = 0
        self._held_since: float | None = None  #: there, but not in a way that counts
        self._rested: set[Direction] = set()  #: directions not taken at some time since
        self._smooth = False  #: without a jump since it was at rest
        self._way: list[tuple[float, Look]] = []  #: depths of the movement, from rest
        self._was_central = True  #: of a blink
        self._shut_at: float | None = None

    @property
    def prompt(self) -> Prompt:
        """The newest one. Its movement may still wait for the one before it."""
        if self.verdict is not None:
            return Prompt.NONE
        return Prompt.FACE_FORWARD if self._back_first else self.challenge[len(self._told_at) - 1]

    @property
    def progress(self) -> float:
        return 1.0 if self.verdict else self._step / len(self.challenge)

    @property
    def _ahead(self) -> bool:
        """The next prompt is shown already."""
        return len(self._told_at) > self._step + 1

    def feed(self, look: Look) -> None:
        if self.verdict is not None:
            return
        if self._began is None:
            self._began = self._last = look.at_s
        elapsed, self._last = look.at_s - self._last, look.at_s
        self._weigh_flatness(look, min(elapsed, 0.2))
        if self.verdict is None:
            self._hear_answer(look)
        if self.verdict is None and look.at_s - self._began > self._limits.response_s:
            self._fail(Failure.FLAT if self._looked_flat() else Failure.NO_RESPONSE)

    def _hear_answer(self, look: Look) -> None:
        if self._back_first:
            if self._at_rest(look):
                self._back_first, self._told_at[-1] = False, None
                self._begin_step()
            return
        if self._told_at[-1] is None:
            self._told_at[-1] = look.at_s
        if self._step < len(self._told_at):
            blink = self.challenge[self._step] is Prompt.BLINK
            if self._blinks(look) if blink else self._moves(look):
                self._late |= not blink and self._came_late()
                self._answered(look)
        if self.verdict is None:
            self._show_next(look)

    def _answered(self, look: Look) -> None:
        self._step += 1
        if self._step == len(self.challenge) and self._late and self._spare is not None:
            self.challenge, self._spare = (*self.challenge, self._spare), None
        if self._step == len(self.challenge):
            self.verdict = True
        elif self._step < len(self._told_at):
            self._begin_step()
        elif self._begun_at is None:
            self._begun_at = look.at_s

    def _show_next(self, look: Look) -> None:
        """One prompt ahead at the most: who knew more could choose a recording by it."""
        told = len(self._told_at)
        if self._begun_at is None or self._ahead or told == len(self.challenge):
            return
        slow = told == 1 and len(self.challenge) == 2 and self._set_out_slowly()
        pause_s = self._pauses_s[told - 1] if told <= len(self._pauses_s) and not slow else 0.0
        if look.at_s - self._begun_at >= pause_s:
            if slow:
                self._ask_across()
            self._told_at.append(None)
            if self._step == told:
                self._begin_step()

    def _set_out_slowly(self) -> bool:
        """On the first movement, long after its prompt."""
        asked_at = self._told_at[0]
        if asked_at is None or not self._way:  # a blink has no way
            return False
        return self._set_out_at() - asked_at >= self._limits.slow_s

    def _ask_across(self) -> None:
        first, second = (DIRECTIONS.get(prompt) for prompt in self.challenge)
        if self._across is not None and first and second and first.axis == second.axis:
            self.challenge = (self.challenge[0], self._across)

    @property
    def _asked_at(self) -> float:
        asked_at = self._told_at[self._step]
        assert asked_at is not None
        return asked_at

    def _came_late(self) -> bool:
        """Long after the prompt it had not set out yet."""
        return self._set_out_at() - self._asked_at > self._limits.late_s

    def _set_out_at(self) -> float:
        """When the movement's last stretch without a rest began."""
        way = [(look.at_s, depth) for depth, look in self._way]
        for at_s, depth in reversed(way):
            before = [d for t, d in way if t <= at_s - self._limits.quiet_s]
            if not before:
                break
            if depth - before[-1] < self._limits.quiet:
                return at_s
        return way[0][0]

    def _at_rest(self, look: Look) -> bool:
        asked = DIRECTIONS.get(self.challenge[self._step])
        if asked is None or look.parallax is None:
            return True
        return _along(look.parallax, asked) < self._limits.centre_depth

    def _fail(self, failure: Failure) -> None:
        self.verdict, self.failure = False, failure

    def _moves(self, look: Look) -> bool:
        """Past the limit the asked way, from rest, after the prompt, as a head does it."""
        parallax = look.parallax
        if parallax is None:
            return False
        asked = DIRECTIONS[self.challenge[self._step]]
        along = _along(parallax, asked)
        at_rest = along < self._limits.centre_depth
        early = look.at_s - self._asked_at < self._limits.react_s
        self._note_rest(parallax)
        if early and not at_rest:  # it was under way before the prompt could be read
            self._rested.discard(asked)
        jumped = self._jumped(parallax, look.at_s)
        self._smooth = at_rest or (self._smooth and not jumped)
        self._remember(look, along, at_rest)
        beside = self._beside(asked)
        there = self._reaches(parallax, asked, 1.0, beside)
        counts = asked in self._rested and self._smooth
        if asked.axis == 0:
            counts &= asked.sign * look.yaw > 0
        share = self._limits.begun_depth / self._limits.enough(asked)
        begun = counts and self._reaches(parallax, asked, share, beside)
        if begun and self._begun_at is None:
            self._begun_at = look.at_s
        self._in_a_row = self._in_a_row + 1 if begun else 0
        self._count_unasked(parallax, asked)
        if there and self._in_a_row >= self._limits.turn_frames and self._passed_over():
            return True
        self._watch_held(look, there and not counts, asked)
        self._watch_short(look, self._reaches(parallax, asked, self._limits.short, beside))
        return False

    def _watch_held(self, look: Look, idle: bool, asked: Direction) -> None:
        """Held where it does not count. Begun too soon: back first, then anew."""
        if self.verdict is not None:
            return
        if not idle:
            self._held_since = None
        elif self._held_since is None:
            self._held_since = look.at_s
        elif look.at_s - self._held_since > self._limits.held_s:
            if asked in self._rested and not self._smooth:
                self._fail(Failure.TOO_QUICK)
            elif not self._ahead:
                self._back_first = True

    def _watch_short(self, look: Look, meant: bool) -> None:
        """Waits for no more of a movement that has stopped on its way."""
        if self.verdict is not None or self._held_since is not None:
            return
        limits = self._limits
        if self._begun_at is not None and look.at_s - self._begun_at > limits.stalled_s:
            self._fail(Failure.TOO_SMALL)
        if not meant:
            self._short_since = None
        elif self._short_since is None:
            self._short_since = look.at_s
        elif look.at_s - self._short_since > limits.short_s:
            self._fail(Failure.TOO_SMALL)

    def _remember(self, look: Look, along: float, at_rest: bool) -> None:
        """The way of a movement: from where it rested last, at any number of frames a second."""
        self._way.append((along, look))
        if not at_rest:
            return
        rested = look.at_s - self._limits.quiet_s
        before = [index for index, (_, seen) in enumerate(self._way) if seen.at_s <= rested]
        if before and along - self._way[before[-1]][0] < self._limits.quiet:
            del self._way[: before[-1]]

    def _passed_over(self) -> bool:
        """A head was in every pose on the way; pictures are put before one another, or blended."""
        (start, first), (end, last) = self._way[0], self._way[-1]
        low, high = (start + share * (end - start) for share in self._limits.on_the_way)
        between = [look.cut for depth, look in self._way if low < depth < high]
        way = [cut for cut in between if cut is not None]
        if not between:
            return self._in_doubt(Failure.TOO_QUICK)
        if first.cut is None or last.cut is None or not way:
            return True
        middle = way[len(way) // 2 - 1 : len(way) // 2 + 2] or way
        if motion_over_blend(first.cut, middle, last.cut) < self._limits.least_motion:
            return self._in_doubt(Failure.BLENDED)
        return True

    def _in_doubt(self, failure: Failure) -> bool:
        """The farther it goes, the more is to be seen of its way: not said before it is over."""
        at_s = self._way[-1][1].at_s
        if self._doubted_at is None:
            self._doubted_at = at_s
        elif at_s - self._doubted_at >= self._limits.doubt_s:
            self._fail(failure)
        return False

    def _note_rest(self, parallax: Parallax) -> None:
        limit = self._limits.centre_depth
        self._rested |= {d for d in DIRECTIONS.values() if _along(parallax, d) < limit}

    def _beside(self, asked: Direction) -> float:
        """How far the head was still turned by the movement before, across this one, when this one
        set out: who keeps it so, or is on the way back, answers as well as who came back first.
        One slanting movement is not two: there, this grows with it."""
        before = DIRECTIONS.get(self.challenge[self._step - 1]) if self._step else None
        parallax = self._way[0][1].parallax
        if before is None or before.axis == asked.axis or parallax is None:
            return 0.0
        return max(_along(parallax, before), 0.0)

    def _reaches(
        self, parallax: Parallax, direction: Direction, factor: float, beside: float = 0.0
    ) -> bool:
        """Plainly that way, and more that way than any other but for what was `beside` it."""
        limits = self._limits
        along = _along(parallax, direction)
        error, across = (
            (parallax.error, parallax.y) if direction.axis == 0 else (parallax.error_y, parallax.x)
        )
        return (
            along >= factor * limits.enough(direction)
            and along >= limits.min_ratio * error
            and (along > abs(across) or abs(across) <= beside)
        )

    def _count_unasked(self, parallax: Parallax, asked: Direction) -> None:
        """A movement that nobody asked for, from rest: who shows a recording makes them."""
        unasked = any(
            self._reaches(parallax, direction, self._limits.unasked)
            for direction in self._rested
            if direction != asked
        )
        self._unasked_in_a_row = self._unasked_in_a_row + 1 if unasked else 0
        if self._unasked_in_a_row > self._limits.turn_frames:
            # who has begun as asked and goes on to what is shown by now has only stopped short
            honest = self._begun_at is not None and self._ahead and self._goes_on(parallax)
            self._fail(Failure.TOO_SMALL if honest else Failure.WRONG_TURN)

    def _goes_on(self, parallax: Parallax) -> bool:
        following = DIRECTIONS.get(self.challenge[self._step + 1])
        return following is not None and self._reaches(parallax, following, 1.0)

    def _jumped(self, parallax: Parallax, at_s: float) -> bool:
        before, self._before = self._before, (parallax, at_s)
        if before is None:
            return False
        elapsed = max(at_s - before[1], 0.04)
        step = float(np.hypot(parallax.x - before[0].x, parallax.y - before[0].y))
        return step / elapsed > self._limits.max_rate

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


def _along(parallax: Parallax, direction: Direction) -> float:
    """Depth part of the motion in this direction."""
    return direction.sign * (parallax.x if direction.axis == 0 else parallax.y)
