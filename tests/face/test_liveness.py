"""Heads pass, pictures do not: on simulated streams, and the verdict's logic on its own."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from stage import Person, Print, play
from streams import Scene, flat, head

from kiosk.core.codes import Prompt
from kiosk.face.detector import HogDetector
from kiosk.face.encoder import DlibResnet
from kiosk.face.liveness import Failure, Liveness, LivenessLimits, choose, name_of
from kiosk.face.motion import Look
from kiosk.face.parallax import Parallax, depth_of, measure
from kiosk.face.verification import VerificationOptions

LEFT_RIGHT = (Prompt.TURN_LEFT, Prompt.TURN_RIGHT)
Photo = Callable[[str], NDArray[np.uint8]]
FAST = VerificationOptions(limits=LivenessLimits(response_s=3.0))


# --- streams ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "turn_deg", "seed"),
    [("obama.jpg", 16, 0), ("biden.jpg", 20, 1), ("astronaut.png", 25, 2)],
)
def test_a_turning_head_passes_within_three_seconds(
    name: str, turn_deg: float, seed: int, photo: Photo, detector: HogDetector, encoder: DlibResnet
) -> None:
    scene = Scene.of(photo(name), detector)
    person = Person(scene, np.random.default_rng(seed), turn_deg)
    run = play(person, encoder, detector, seed=seed)
    assert run.passed, run.failure
    assert run.challenge_at is not None and run.decided_at is not None
    assert run.decided_at - run.challenge_at < 3.0


def _still(prompt: Prompt, at_s: float) -> dict[str, object]:
    return {}


def _shifted(prompt: Prompt, at_s: float) -> dict[str, object]:
    zoom = 1 + 0.1 * np.sin(at_s)
    return {"shift": (0.4 * np.sin(2 * at_s), 0.1), "roll_deg": 8 * np.sin(at_s), "zoom": zoom}


def _tilted(prompt: Prompt, at_s: float) -> dict[str, object]:
    sign = {Prompt.TURN_LEFT: 1, Prompt.TURN_RIGHT: -1}.get(prompt, 0)
    return {"tilt_y_deg": 32.0 * sign, "tilt_x_deg": 8 * np.sin(at_s), "roll_deg": 10.0 * sign}


@pytest.mark.parametrize(
    ("name", "moves", "why"),
    [
        ("obama.jpg", _still, "no_response"),
        ("astronaut.png", _shifted, "flat"),
        ("biden.jpg", _tilted, "flat"),
    ],
)
def test_a_flat_picture_fails(
    name: str,
    moves: Callable[[Prompt, float], dict[str, object]],
    why: str,
    photo: Photo,
    detector: HogDetector,
    encoder: DlibResnet,
) -> None:
    scene = Scene.of(photo(name), detector)
    run = play(Print(scene, np.random.default_rng(3), moves), encoder, detector, FAST)
    assert run.failure == why
    assert not run.passed


def test_another_person_after_the_challenge_fails(
    photo: Photo, detector: HogDetector, encoder: DlibResnet
) -> None:
    """A live accomplice answers, then a picture of the candidate is slipped in."""
    live = Person(Scene.of(photo("biden.jpg"), detector), np.random.default_rng(0))
    picture = Scene.of(photo("obama.jpg"), detector)

    class Swap:
        def look(self, prompt: Prompt, at_s: float) -> NDArray[np.uint8]:
            return picture.picture if prompt is Prompt.FACE_FORWARD else live.look(prompt, at_s)

    run = play(Swap(), encoder, detector)  # type: ignore[arg-type]
    assert not run.passed
    # the follower sees the swap and everything starts over, or the embeddings tell
    assert run.failure in (None, "changed", "no_response")


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

CENTRE = Look(0.0, 0.0, Parallax(0.0, 0.0, 0.005, 0.0, 100), 0.97, 0.98, 0.0, 1.0)


def turned(depth: float, **changes: float) -> Look:
    return replace(
        CENTRE, yaw=0.4 * depth, parallax=Parallax(depth, 0.0, 0.01, 0.05, 100), **changes
    )


def feed(liveness: Liveness, looks: list[Look], fps: float = 15.0) -> Liveness:
    for index, look in enumerate(looks):
        liveness.feed(replace(look, at_s=index / fps))
    return liveness


def sweep(*stops: float) -> list[Look]:
    path = np.concatenate([np.linspace(a, b, 8) for a, b in itertools.pairwise(stops)])
    return [turned(float(depth)) for depth in path]


def test_asked_turns_in_order_pass() -> None:
    liveness = feed(Liveness(LEFT_RIGHT), sweep(0, 0.25, 0, -0.25))
    assert liveness.verdict is True and liveness.progress == 1.0


def test_a_quick_turn_from_one_side_to_the_other_passes() -> None:
    looks = sweep(0, 0.3) + [turned(depth) for depth in (0.17, -0.06, -0.25, -0.3, -0.3)]
    assert feed(Liveness(LEFT_RIGHT), looks).verdict is True


def test_the_other_order_is_wrong() -> None:
    liveness = feed(Liveness(LEFT_RIGHT), sweep(0, -0.25, 0, 0.25))
    assert (liveness.verdict, liveness.failure) == (False, Failure.WRONG_TURN)


def test_a_jump_to_another_picture_is_no_turn() -> None:
    looks = [CENTRE] * 5 + [turned(0.3)] * 20 + [turned(-0.3)] * 20
    assert feed(Liveness(LEFT_RIGHT), looks).verdict is not True


def test_no_answer_in_time() -> None:
    liveness = feed(Liveness(LEFT_RIGHT), [CENTRE] * 150)
    assert (liveness.verdict, liveness.failure) == (False, Failure.NO_RESPONSE)


def test_a_tilted_plane_is_flat_within_seconds() -> None:
    tilted = replace(CENTRE, yaw=0.1, parallax=Parallax(0.01, 0.0, 0.005, 0.2, 100))
    liveness = feed(Liveness(LEFT_RIGHT), [CENTRE] * 5 + [tilted] * 25)
    assert (liveness.verdict, liveness.failure) == (False, Failure.FLAT)


def test_a_blink_is_shut_then_open_again() -> None:
    shut = replace(CENTRE, eyes=0.5)
    challenge = (Prompt.BLINK,)
    assert feed(Liveness(challenge), [CENTRE] * 4 + [shut] * 3 + [CENTRE] * 2).verdict is True
    assert feed(Liveness(challenge), [CENTRE] * 4 + [shut] * 40).verdict is not True
    covered = replace(shut, skin=0.4)
    assert feed(Liveness(challenge), [CENTRE] * 4 + [covered] * 3 + [CENTRE] * 2).verdict is None


@given(st.lists(st.sampled_from([CENTRE, replace(CENTRE, parallax=None)]), max_size=80))
def test_nobody_passes_by_looking_ahead(looks: list[Look]) -> None:
    assert feed(Liveness(LEFT_RIGHT), looks).verdict is not True


def test_the_challenge_is_the_choosers() -> None:
    offered: list[object] = []
    assert choose(lambda them: offered.extend(them) or them[0], blink=False) == LEFT_RIGHT
    assert len(offered) == 2
    offered.clear()
    choose(lambda them: offered.extend(them) or them[0], blink=True)
    assert len(offered) == 6
    assert name_of(LEFT_RIGHT) == "turn_left,turn_right"
