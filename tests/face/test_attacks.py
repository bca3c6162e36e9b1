"""Each species of attack (attacks.py) against the whole way of a verification: none is live.

One presentation of each here; bench/bench_liveness.py makes many and counts.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from attacks import BEYOND, SPECIES, Repeated, Screen, bent
from numpy.typing import NDArray
from stage import Person, play
from streams import Scene, noisy

from kiosk.core.codes import Prompt
from kiosk.face import passage
from kiosk.face.challenge import name_of
from kiosk.face.encoders import LIMITS
from kiosk.face.events import LivenessPassed
from kiosk.face.freshness import Freshness
from kiosk.face.liveness import LivenessLimits
from kiosk.face.parts import Detector, Encoder
from kiosk.face.verification import VerificationOptions

Photo = Callable[[str], NDArray[np.uint8]]
SOON = LivenessLimits(response_s=3.0)

#: Why each ends. A swap makes the verification begin anew, so it ends for want of an answer; or
#: who was live is told to be live at once, and nothing more is heard of (None).
ENDS: dict[str, set[str | None]] = {
    "still picture": {"no_response"},
    "moved": {"flat"},
    "zoomed": {"flat"},
    "tilted": {"flat"},
    "bent": {"flat"},
    "cut-out eyes": {"flat"},
    "alternated pictures": {"no_response", "blended", "too_quick"},
    "alternated, blended": {"blended", "no_response"},
    "frozen stream": {"repeated"},
    "repeated stream": {"wrong_turn", "repeated", "no_response"},
    "repeated, compressed anew": {"wrong_turn", "repeated", "no_response"},
    "swapped after": {"no_response", "changed", None},
    "swapped after, blended": {"changed"},
    "swapped after, in a gap": {"no_response", "repeated", None},
    "swapped before and after": {"no_response", "changed", "held", None},
    "driven, tablet in a hand": {"held"},
    "driven, tablet propped up": {"held"},
}
#: Some escape; what tells them: test_surroundings.py.
HELD = (
    "driven, telephone in a hand",
    "driven, laptop in a hand",
    "replay, telephone in a hand",
    "driven, telephone propped up",
    "driven, laptop propped up",
)
REPLAYS = ("replay, any", "replay, begun at the prompt", "replay, first movement fits")
REPLAYS += ("replay, fits, tablet in a hand",)


@pytest.fixture(scope="module")
def scenes(photo: Photo, shipped_detector: Detector) -> list[Scene]:
    names = ("obama.jpg", "biden.jpg", "astronaut.png")
    return [Scene.of(photo(name), shipped_detector) for name in names]


@pytest.mark.parametrize("species", ENDS)
def test_an_attack_is_not_taken_for_the_person(
    species: str, scenes: list[Scene], shipped_detector: Detector, shipped_encoder: Encoder
) -> None:
    place = list(ENDS).index(species)
    who, other = scenes[place % 3], scenes[(place + 1) % 3]
    options = VerificationOptions(blink=species == "cut-out eyes", limits=SOON)
    actor = SPECIES[species](who, other, np.random.default_rng(place))
    run = play(actor, shipped_encoder, shipped_detector, options, seed=place, after_s=2.5)
    theirs = shipped_encoder.embed([shipped_encoder.chip(who.picture, who.face)])[0]
    assert not run.as_whom(theirs, LIMITS[shipped_encoder.name].verify)
    assert run.failure in ENDS[species]
    if not species.startswith("swapped"):
        assert not run.passed


def test_no_species_is_left_out() -> None:
    assert set(ENDS) | set(REPLAYS) | set(HELD) == set(SPECIES)
    assert set(BEYOND) == {
        "driven, in a hand, no edge in view",
        "driven, propped up, no edge in view",
    }


@pytest.mark.parametrize("species", REPLAYS)
def test_a_recording_passes_only_when_it_is_of_this_very_challenge(
    species: str, scenes: list[Scene], shipped_detector: Detector, shipped_encoder: Encoder
) -> None:
    """How often it is, by luck, the bench counts."""
    outcomes = set()
    for seed in range(2):
        actor = SPECIES[species](scenes[seed], scenes[2], np.random.default_rng(seed))
        assert isinstance(actor, Screen)
        run = play(actor, shipped_encoder, shipped_detector, seed=seed + 1)
        passed = [o.challenge for o in run.outcomes if isinstance(o, LivenessPassed)]
        played = tuple(name_of(challenge) for challenge in actor.played)
        assert all(name.startswith(played) for name in passed)  # and one more, where it was late
        outcomes.add(run.failure)
    assert outcomes & {"wrong_turn", "no_response"}


@pytest.mark.parametrize("encode", [False, True])
def test_a_stream_that_comes_again_is_noticed_by_itself(encode: bool, scenes: list[Scene]) -> None:
    freshness, stream = Freshness(), Repeated(scenes[1], np.random.default_rng(4), encode)
    frames = 0
    while not freshness.stale and frames < 30 * 15:
        freshness.feed(stream.look(Prompt.NONE, 0.0), frames / 15)
        frames += 1
    assert freshness.stale
    assert frames > 2 * 15  # not before it can have come again


def test_a_person_never_comes_again(scenes: list[Scene]) -> None:
    freshness, person = Freshness(), Person(scenes[2], np.random.default_rng(5))
    asked = [Prompt.LOOK_HERE, Prompt.TURN_LEFT, Prompt.FACE_FORWARD, Prompt.TURN_LEFT] * 3
    for index in range(20 * 15):
        prompt = asked[index // 15 % len(asked)]
        freshness.feed(person.look(prompt, index / 15), index / 15)
        assert not freshness.stale, index / 15


@pytest.mark.parametrize("sigma", [1.0, 3.0])
def test_who_stands_still_is_not_a_frozen_camera(sigma: float, scenes: list[Scene]) -> None:
    rng, freshness = np.random.default_rng(0), Freshness()
    for index in range(60):
        freshness.feed(noisy(scenes[1].picture, rng, sigma), index / 15)
    assert not freshness.stale


def test_bending_bends(scenes: list[Scene]) -> None:
    flat_one = scenes[0]
    assert bent(flat_one, 0.0) is flat_one
    curled = bent(flat_one, 0.5)
    changed = np.abs(curled.picture.astype(int) - flat_one.picture).mean(axis=(0, 2))
    middle = round(float(flat_one.face.eye_middle[0]))
    assert changed[middle - 5 : middle + 5].mean() < changed[middle - 120 : middle - 60].mean()


def test_a_way_needs_something_on_it(scenes: list[Scene]) -> None:
    piece = passage.cut(scenes[0].picture, scenes[0].face)
    assert piece.shape == (passage.SIDE, passage.SIDE)
    with pytest.raises(ValueError, match="between"):
        passage.motion_over_blend(piece, [], piece)
