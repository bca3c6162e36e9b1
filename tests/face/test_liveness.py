"""Heads pass, pictures do not: on simulated streams, and the verdict's logic on its own."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from stage import Person, play
from streams import Scene, flat, head

from kiosk.core.codes import Prompt
from kiosk.face.challenge import (
    DIRECTIONS,
    MOVEMENTS,
    WITH_BLINK,
    Challenge,
    across,
    choose,
    name_of,
    spare,
)
from kiosk.face.detector import HogDetector
from kiosk.face.events import Observation
from kiosk.face.liveness import Failure, Liveness
from kiosk.face.motion import Look
from kiosk.face.parallax import Parallax, depth_of, measure
from kiosk.face.parts import Detector, Encoder

LEFT_RIGHT = (Prompt.TURN_LEFT, Prompt.TURN_RIGHT)
DOWN_LEFT = (Prompt.LOOK_DOWN, Prompt.TURN_LEFT)
Photo = Callable[[str], NDArray[np.uint8]]


# --- streams: people. Pictures held up are in test_attacks.py ------------------------------------


@pytest.mark.parametrize(
    ("name", "turn_deg", "seed"),
    [("obama.jpg", 16, 0), ("biden.jpg", 20, 1), ("astronaut.png", 25, 2), ("obama2.jpg", 18, 3)],
)
def test_a_moving_head_passes_within_three_seconds(
    name: str,
    turn_deg: float,
    seed: int,
    photo: Photo,
    shipped_detector: Detector,
    shipped_encoder: Encoder,
) -> None:
    scene = Scene.of(photo(name), shipped_detector)
    person = Person(scene, np.random.default_rng(seed), turn_deg)
    run = play(person, shipped_encoder, shipped_detector, seed=seed)
    assert run.passed, run.failure
    assert run.challenge_at is not None and run.decided_at is not None
    assert run.decided_at - run.challenge_at < 3.0


def test_only_looks_straight_ahead_are_given_out(
    photo: Photo, shipped_detector: Detector, shipped_encoder: Encoder
) -> None:
    """Right after the last movement the head is still turned, too little for `assess` to tell."""
    scene = Scene.of(photo("obama.jpg"), shipped_detector)
    person = Person(scene, np.random.default_rng(7), react_s=0.4)
    turned: dict[float, float] = {}

    class Noting:
        def look(self, prompt: Prompt, at_s: float) -> NDArray[np.uint8]:
            picture = person.look(prompt, at_s)
            turned[at_s] = float(np.hypot(person._yaw, person._pitch))
            return picture

    run = play(Noting(), shipped_encoder, shipped_detector, seed=7, after_s=1.0)
    seen = [outcome for outcome in run.outcomes if isinstance(outcome, Observation)]
    assert len(seen) >= 5
    assert run.decided_at is not None and max(turned.values()) > 12
    assert max(turned[look.at_s] for look in seen) < 8  # it sways by 2 more


# --- geometry -----------------------------------------------------------------------------------


def _grid(seed: int) -> NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    return np.column_stack([rng.uniform(-0.6, 0.6, 120), rng.uniform(-0.4, 1.0, 120)])


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 99),
    st.lists(st.floats(-0.25, 0.25), min_size=8, max_size=8),
)
def test_no_plane_has_depth(seed: int, bend: list[float]) -> None:
    before = _grid(seed)
    matrix = np.eye(3) + np.append(bend, 0.0).reshape(3, 3)
    now = np.column_stack([before, np.ones(len(before))]) @ matrix.T
    now = now[:, :2] / now[:, 2:]
    now += np.random.default_rng(seed + 1).normal(0, 0.003, now.shape)
    found = measure(before, now)
    assert found is not None
    assert abs(found.x) < 0.03 and abs(found.y) < 0.03


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 99), st.floats(-0.4, 0.4), st.floats(-10, 10))
def test_a_turn_is_measured(seed: int, sine: float, roll_deg: float) -> None:
    before = _grid(seed)
    turn = np.radians(roll_deg)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    now = before @ rotation.T
    now[:, 0] += sine * depth_of(before)
    now += np.random.default_rng(seed).normal(0, 0.003, now.shape)
    found = measure(before, now)
    assert found is not None
    assert found.x == pytest.approx(sine, abs=0.05)


def test_lost_points_do_not_make_depth() -> None:
    before = _grid(1)
    now = before.copy()
    now[:30] += np.random.default_rng(2).normal(0, 0.2, (30, 2))
    found = measure(before, now)
    assert found is not None and abs(found.x) < 0.03
    assert measure(before[:10], now[:10]) is None


def test_texture_tells_a_head_from_a_print(photo: Photo, detector: HogDetector) -> None:
    from kiosk.face.motion import FaceMotion

    scene = Scene.of(photo("obama.jpg"), detector)
    motion = FaceMotion(scene.picture, scene.face)

    def depth(picture: NDArray[np.uint8]) -> float:
        look = motion.look(picture, detector.detect(picture, 320)[0], 0.0)
        assert look.parallax is not None
        return look.parallax.x

    assert depth(head(scene, 15)) > 0.14
    assert depth(head(scene, -15)) < -0.14
    assert abs(depth(flat(scene, tilt_y_deg=30))) < 0.045
    assert abs(depth(flat(scene, tilt_y_deg=-30, roll_deg=10, zoom=1.1))) < 0.045


# --- verdicts -----------------------------------------------------------------------------------

STILL = Parallax(0.0, 0.0, 0.005, 0.005, 0.0, 100)
CENTRE = Look(0.0, 0.0, STILL, 0.97, 0.98, 0.0, 1.0)


def turned(across: float, down: float = 0.0) -> Look:
    """A head turned so far to its left, and bowed so far."""
    return replace(CENTRE, yaw=0.4 * across, parallax=Parallax(across, down, 0.01, 0.01, 0.05, 100))


def feed(liveness: Liveness, looks: list[Look], fps: float = 15.0) -> Liveness:
    for index, look in enumerate(looks):
        liveness.feed(replace(look, at_s=index / fps))
    return liveness


def sweep(*stops: tuple[float, float], steps: int = 8) -> list[Look]:
    """A moment's reaction, then looks on the way from stop to stop, each (across, down)."""
    path = [np.linspace(a, b, steps) for a, b in itertools.pairwise(np.array(stops))]
    return [CENTRE] * 4 + [turned(float(x), float(y)) for x, y in np.concatenate(path)]


LEFT, RIGHT, DOWN, UP, AHEAD = (0.25, 0.0), (-0.25, 0.0), (0.0, 0.2), (0.0, -0.2), (0.0, 0.0)
WAY = {
    Prompt.TURN_LEFT: LEFT,
    Prompt.TURN_RIGHT: RIGHT,
    Prompt.LOOK_DOWN: DOWN,
    Prompt.LOOK_UP: UP,
}


@pytest.mark.parametrize("challenge", MOVEMENTS, ids=name_of)
def test_what_is_asked_in_the_order_asked_passes(challenge: Challenge) -> None:
    first, second = (WAY[prompt] for prompt in challenge)
    liveness = feed(Liveness(challenge), sweep(AHEAD, first, AHEAD, second))
    assert liveness.verdict is True and liveness.progress == 1.0


@pytest.mark.parametrize("challenge", MOVEMENTS, ids=name_of)
def test_an_answer_to_another_challenge_does_not(challenge: Challenge) -> None:
    for other in set(MOVEMENTS) - {challenge}:
        first, second = (WAY[prompt] for prompt in other)
        liveness = feed(Liveness(challenge, pauses_s=[0.2]), sweep(AHEAD, first, AHEAD, second))
        assert liveness.verdict is not True, (challenge, other)


def test_a_quick_turn_from_one_side_to_the_other_passes() -> None:
    looks = sweep(AHEAD, LEFT)
    looks += [turned(depth) for depth in (0.17, 0.03, -0.12, -0.2, -0.25, -0.25)]
    assert feed(Liveness(LEFT_RIGHT), looks).verdict is True


@pytest.mark.parametrize("challenge", MOVEMENTS, ids=name_of)
def test_who_keeps_the_head_turned_may_answer_the_next_prompt_so(challenge: Challenge) -> None:
    first, second = (np.array(WAY[prompt]) for prompt in challenge)
    if DIRECTIONS[challenge[0]].axis == DIRECTIONS[challenge[1]].axis:
        return  # it cannot be kept
    both = tuple(first + second)
    looks = sweep(AHEAD, tuple(first)) + [turned(*first)] * 5 + sweep(tuple(first), both)[4:]
    assert feed(Liveness(challenge), looks + [turned(*both)] * 3).verdict is True


@pytest.mark.parametrize("lag", [0, 1, 2, 4])
@pytest.mark.parametrize("challenge", MOVEMENTS, ids=name_of)
def test_one_slanting_movement_is_not_two(challenge: Challenge, lag: int) -> None:
    """Also when its second part sets out a little later."""
    first, second = (np.array(WAY[prompt]) for prompt in challenge)
    if DIRECTIONS[challenge[0]].axis == DIRECTIONS[challenge[1]].axis:
        return
    parts = np.arange(1, 13) / 8
    way = [share * first + max(share - lag / 8, 0.0) * second for share in parts]
    looks = [CENTRE] * 6 + [turned(*pose) for pose in way] + [turned(*way[-1])] * 10
    assert feed(Liveness(challenge), looks).verdict is not True


def test_nobody_answers_before_they_can_have_read_the_prompt() -> None:
    at_once = sweep(AHEAD, LEFT)[4:] + [turned(*LEFT)] * 30
    assert feed(Liveness((Prompt.TURN_LEFT,)), at_once).verdict is None
    again = at_once + sweep(LEFT, AHEAD, AHEAD, LEFT)[4:]  # back, and once more
    assert feed(Liveness((Prompt.TURN_LEFT,)), again).verdict is True


def test_the_other_order_is_wrong() -> None:
    liveness = feed(Liveness(LEFT_RIGHT), sweep(AHEAD, RIGHT, AHEAD, LEFT))
    assert (liveness.verdict, liveness.failure) == (False, Failure.WRONG_TURN)


def test_a_nod_where_a_turn_is_asked_is_wrong() -> None:
    liveness = feed(Liveness(LEFT_RIGHT), sweep(AHEAD, DOWN, AHEAD))
    assert (liveness.verdict, liveness.failure) == (False, Failure.WRONG_TURN)


def test_who_began_too_soon_is_asked_back_and_then_anew() -> None:
    liveness = Liveness((Prompt.TURN_LEFT,))
    looks = sweep(AHEAD, LEFT)[4:] + [turned(*LEFT)] * 15 + sweep(LEFT, AHEAD)[4:]
    looks += [CENTRE] * 6 + sweep(AHEAD, LEFT)
    asked = [prompt for prompt, _ in itertools.groupby(shown(liveness, looks))]
    assert asked == [Prompt.TURN_LEFT, Prompt.FACE_FORWARD, Prompt.TURN_LEFT, Prompt.NONE]
    assert liveness.verdict is True


def test_a_movement_under_way_before_the_prompt_does_not_answer_it() -> None:
    """As in a recording: the turn comes in the pause, before anybody asked for it."""
    looks = sweep(AHEAD, DOWN, AHEAD, LEFT) + [turned(*LEFT)] * 60
    assert feed(Liveness(DOWN_LEFT, pauses_s=[0.0]), looks).verdict is True
    assert feed(Liveness(DOWN_LEFT, pauses_s=[1.2]), looks).verdict is not True


def shown(liveness: Liveness, looks: list[Look], fps: float = 15.0) -> list[Prompt]:
    """What is asked for after each look."""
    seen = []
    for index, look in enumerate(looks):
        liveness.feed(replace(look, at_s=index / fps))
        seen.append(liveness.prompt)
    return seen


def test_the_next_prompt_is_shown_while_the_movement_before_it_is_under_way() -> None:
    looks = sweep(AHEAD, DOWN)
    depths = [look.parallax.y for look in looks if look.parallax is not None]
    asked = shown(Liveness(DOWN_LEFT, pauses_s=[0.0]), looks)
    first = asked.index(Prompt.TURN_LEFT)
    assert asked[:first] == [Prompt.LOOK_DOWN] * first
    assert 0.05 < depths[first] < 0.11  # begun, and not there yet


def test_the_next_prompt_waits_for_its_pause() -> None:
    looks = sweep(AHEAD, DOWN) + [turned(*DOWN)] * 12
    at_once = shown(Liveness(DOWN_LEFT, pauses_s=[0.0]), looks).index(Prompt.TURN_LEFT)
    later = shown(Liveness(DOWN_LEFT, pauses_s=[0.5]), looks).index(Prompt.TURN_LEFT)
    assert later - at_once in (7, 8)  # half a second of frames


def test_never_more_than_one_prompt_ahead() -> None:
    """Who has only begun the first knows the second, not the third."""
    three = (*DOWN_LEFT, Prompt.LOOK_UP)
    looks = sweep(AHEAD, (0.0, 0.08)) + [turned(0.0, 0.08)] * 10
    assert set(shown(Liveness(three), looks)) == {Prompt.LOOK_DOWN, Prompt.TURN_LEFT}


def test_the_second_movement_does_not_stand_for_the_first() -> None:
    short = sweep(AHEAD, (0.0, 0.09)) + sweep((0.0, 0.09), LEFT)[4:] + [turned(*LEFT)] * 6
    liveness = feed(Liveness(DOWN_LEFT), short)
    assert (liveness.verdict, liveness.failure) == (False, Failure.TOO_SMALL)


def test_a_movement_that_stops_on_its_way_is_not_waited_for() -> None:
    for depth in (0.08, 0.11):  # before and after it counts as begun
        looks = sweep(AHEAD, (depth, 0.0)) + [turned(depth)] * 30
        liveness = feed(Liveness(LEFT_RIGHT), looks)
        assert (liveness.verdict, liveness.failure) == (False, Failure.TOO_SMALL)
        assert liveness._last < 3.0


def test_a_movement_without_a_way_is_too_quick() -> None:
    looks = [CENTRE] * 5 + [turned(0.27)] * 8  # slower than the limit, and yet nothing between
    liveness = feed(Liveness(LEFT_RIGHT), looks)
    assert (liveness.verdict, liveness.failure) == (False, Failure.TOO_QUICK)


def test_a_jump_to_another_picture_is_no_turn() -> None:
    looks = [CENTRE] * 5 + [turned(0.3)] * 20 + [turned(-0.3)] * 20
    assert feed(Liveness(LEFT_RIGHT), looks).verdict is not True


def test_no_answer_in_time() -> None:
    liveness = feed(Liveness(LEFT_RIGHT), [CENTRE] * 150)
    assert (liveness.verdict, liveness.failure) == (False, Failure.NO_RESPONSE)
    assert liveness.prompt is Prompt.NONE


def test_a_tilted_plane_is_flat_within_seconds() -> None:
    tilted = replace(CENTRE, yaw=0.1, parallax=Parallax(0.01, 0.0, 0.005, 0.005, 0.2, 100))
    liveness = feed(Liveness(LEFT_RIGHT), [CENTRE] * 5 + [tilted] * 25)
    assert (liveness.verdict, liveness.failure) == (False, Failure.FLAT)


def test_a_blink_is_shut_then_open_again() -> None:
    shut = replace(CENTRE, eyes=0.5)
    challenge = (Prompt.BLINK,)
    assert feed(Liveness(challenge), [CENTRE] * 4 + [shut] * 3 + [CENTRE] * 2).verdict is True
    assert feed(Liveness(challenge), [CENTRE] * 4 + [shut] * 40).verdict is not True
    for movement in (Prompt.LOOK_DOWN, Prompt.TURN_LEFT):
        looks = [CENTRE] * 20 + [shut] * 3 + [CENTRE] * 2 + sweep(AHEAD, WAY[movement])
        both = Liveness((Prompt.BLINK, movement), pauses_s=[0.1], across=Prompt.LOOK_UP)
        assert feed(both, looks + [turned(*WAY[movement])] * 3).verdict is True
    covered = replace(shut, skin=0.4)
    assert feed(Liveness(challenge), [CENTRE] * 4 + [covered] * 3 + [CENTRE] * 2).verdict is None


@given(st.lists(st.sampled_from([CENTRE, replace(CENTRE, parallax=None)]), max_size=80))
def test_nobody_passes_by_looking_ahead(looks: list[Look]) -> None:
    assert feed(Liveness(LEFT_RIGHT), looks).verdict is not True


depths = st.floats(-0.4, 0.4)


@given(
    st.sampled_from(MOVEMENTS),
    st.lists(st.tuples(depths, depths), max_size=40),
    st.floats(0.0, 0.13),
)
def test_nobody_passes_without_ever_reaching_both(
    challenge: Challenge, path: list[tuple[float, float]], ceiling: float
) -> None:
    """Whatever else the head does: a direction never taken far enough was not answered."""
    prompt = challenge[1]
    axis, sign = DIRECTIONS[prompt].axis, DIRECTIONS[prompt].sign
    limit = min(ceiling, 0.1)
    looks = []
    for point in path:
        stop = list(point)
        stop[axis] = sign * min(sign * stop[axis], limit)
        looks += [turned(*stop)] * 3
    assert feed(Liveness(challenge), looks).verdict is not True


def test_the_challenge_is_the_choosers() -> None:
    offered: list[Challenge] = []

    def first(them: Sequence[Challenge]) -> Challenge:
        offered.extend(them)
        return them[0]

    assert choose(first, blink=False) == LEFT_RIGHT
    assert len(set(offered)) == len(offered) == 12
    offered.clear()
    choose(first, blink=True)
    assert len(set(offered)) == 20 and set(WITH_BLINK) < set(offered)
    assert all(any(prompt in DIRECTIONS for prompt in each) for each in offered)
    offered.clear()
    assert len(choose(first, blink=True, again=True)) == 3
    assert len(set(offered)) == 36
    assert all(a is not b for each in offered for a, b in itertools.pairwise(each))
    assert name_of(LEFT_RIGHT) == "turn_left,turn_right"


def test_who_answers_late_is_asked_for_one_movement_more() -> None:
    late = [CENTRE] * 30 + sweep(AHEAD, LEFT)
    assert feed(Liveness((Prompt.TURN_LEFT,)), late).verdict is True
    asked_more = feed(Liveness((Prompt.TURN_LEFT,), spare=Prompt.LOOK_UP), late)
    assert asked_more.verdict is None
    assert asked_more.challenge == (Prompt.TURN_LEFT, Prompt.LOOK_UP)
    both = late + sweep(LEFT, AHEAD)[4:] + [CENTRE] * 10 + sweep(AHEAD, UP)
    assert feed(Liveness((Prompt.TURN_LEFT,), spare=Prompt.LOOK_UP), both).verdict is True
    prompt = sweep(AHEAD, LEFT)
    assert feed(Liveness((Prompt.TURN_LEFT,), spare=Prompt.LOOK_UP), prompt).verdict is True


SLOW = [CENTRE] * 15 + sweep(AHEAD, LEFT)  #: sets out after a second


@pytest.mark.parametrize(
    ("challenge", "looks", "asked"),
    [
        (LEFT_RIGHT, SLOW, (Prompt.TURN_LEFT, Prompt.LOOK_UP)),
        (LEFT_RIGHT, sweep(AHEAD, LEFT), LEFT_RIGHT),  # not slow
        ((Prompt.TURN_LEFT, Prompt.LOOK_DOWN), SLOW, (Prompt.TURN_LEFT, Prompt.LOOK_DOWN)),
        ((*LEFT_RIGHT, Prompt.LOOK_DOWN), SLOW, (*LEFT_RIGHT, Prompt.LOOK_DOWN)),  # a second try
    ],
)
def test_who_is_slow_is_not_asked_for_the_opposite_movement_next(
    challenge: Challenge, looks: list[Look], asked: Challenge
) -> None:
    for pause_s in (0.0, 0.1, 1.0):  # shown while the first is under way, and after it
        liveness = Liveness(challenge, pauses_s=[pause_s], across=Prompt.LOOK_UP)
        seen = shown(liveness, looks + [turned(*LEFT)] * 20)
        assert liveness.challenge == asked
        if liveness.verdict is None:
            assert set(seen) >= set(asked[:2])


def test_another_movement_does_not_stand_for_the_one_across() -> None:
    """What was drawn at first, the opposite, is no answer any more."""
    for last, verdict in ((UP, True), (RIGHT, False), (DOWN, False)):
        looks = SLOW + sweep(LEFT, AHEAD, last)[4:] + [turned(*last)] * 6
        assert feed(Liveness(LEFT_RIGHT, across=Prompt.LOOK_UP), looks).verdict is verdict


def test_the_movement_across_is_drawn_of_two() -> None:
    for challenge in (*MOVEMENTS, *WITH_BLINK):
        offered: list[Challenge] = []

        def last(them: Sequence[Challenge], offered: list[Challenge] = offered) -> Challenge:
            offered.extend(them)
            return them[-1]

        drawn = across(last, challenge)
        if challenge[0] is Prompt.BLINK:
            assert drawn is None
            continue
        assert drawn is not None and len(offered) == 2
        assert DIRECTIONS[drawn].axis != DIRECTIONS[challenge[0]].axis


@pytest.mark.parametrize("fps", [10.0, 15.0, 30.0, 60.0])
def test_the_way_of_a_slow_movement_begins_where_it_rested(fps: float) -> None:
    """At many frames a second each step is small; the way's beginning does not creep along."""
    rest = [CENTRE] * round(3 * fps)
    step = 0.36 / fps  # 0.36 of depth a second
    looks = rest + [turned(step * (index + 1)) for index in range(int(0.12 / step))]
    depth, look = feed(Liveness(LEFT_RIGHT), looks, fps)._way[0]
    assert depth < 0.01 and 2.5 < look.at_s < 3.0  # and not at the very first look either


def test_the_spare_movement_is_never_the_last_one_again() -> None:
    for challenge in MOVEMENTS:
        offered: list[Challenge] = []

        def last(them: Sequence[Challenge], offered: list[Challenge] = offered) -> Challenge:
            offered.extend(them)
            return them[-1]

        assert spare(last, challenge) is not challenge[-1]
        assert len(offered) == 3
