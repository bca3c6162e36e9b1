"""Screens, paper and hands: the surroundings that move, the grid that lies over a face."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from attacks import Device
from held import FRAMES, Frame, Hall
from numpy.typing import NDArray
from recapture import DISPLAYS, LENSES, PAPERS, Lens, Recapture
from stage import Person
from streams import Picture, Pose, Scene, noisy

from kiosk.core.codes import Prompt
from kiosk.face import raster
from kiosk.face.parts import Detector
from kiosk.face.surroundings import Limits, Surroundings
from kiosk.face.verification import MOST_PEAK

Photo = Callable[[str], NDArray[np.uint8]]
FRAMES_S = [0.1 * n for n in range(24)]
SHARP = Lens("resolves it", 3, blur=0.6)


@pytest.fixture(scope="module")
def scene(photo: Photo, shipped_detector: Detector) -> Scene:
    return Scene.of(photo("obama.jpg"), shipped_detector)


def held(pictures: list[Picture], scene: Scene) -> str | None:
    surroundings = Surroundings(pictures[0], scene.face)
    for picture in pictures[1:]:
        surroundings.feed(picture)
    return surroundings.held


@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: frame.name)
def test_what_a_hand_holds_takes_its_edges_along(frame: Frame, scene: Scene) -> None:
    device = Device(np.random.default_rng(2), frame, sway=1.5)
    shown = [device.show(scene, at_s) for at_s in FRAMES_S]
    assert held(shown, scene) in ("frame", "background")


def test_a_picture_without_edges_takes_its_own_background_along(scene: Scene) -> None:
    rng = np.random.default_rng(4)
    hall = Hall(rng, things=80)
    middle = scene.face.eye_middle
    x = np.abs(np.arange(640) - middle[0]) / scene.face.eye_width
    pattern = np.where((x > 1.3)[None, :, None], hall.picture, scene.picture)
    device = Device(rng, None, sway=1.5)
    before_a_hall = replace(scene, picture=np.asarray(pattern, dtype=np.uint8))
    assert held([device.show(before_a_hall, at_s) for at_s in FRAMES_S], scene) == "background"


def test_a_hall_behind_a_person_stands_still(photo: Photo, shipped_detector: Detector) -> None:
    """Also when its doors and posters frame the head."""
    scene = Scene.of(photo("obama.jpg"), shipped_detector, 60)
    rng = np.random.default_rng(1)
    person, frame = Person(scene, rng), FRAMES[1]
    propped = Device(rng, frame, sway=0.0)
    moving = [person.look(Prompt.TURN_LEFT, at_s) for at_s in FRAMES_S]
    assert held(moving, scene) is None
    shown = [propped.show(replace(scene, picture=picture), 0.0) for picture in moving]
    assert held(shown, scene) is None  # nor, alas, a device that stands


def test_few_frames_say_nothing(scene: Scene) -> None:
    device = Device(np.random.default_rng(2), FRAMES[1], sway=3.0)
    assert held([device.show(scene, at_s) for at_s in FRAMES_S[: Limits().frames]], scene) is None


def test_a_wall_without_anything_on_it_is_no_evidence(scene: Scene) -> None:
    rng = np.random.default_rng(0)
    bare = replace(scene, picture=np.full_like(scene.picture, 120))
    assert held([noisy(bare.picture, rng) for _ in range(12)], scene) is None


@pytest.mark.parametrize("lens", LENSES, ids=lambda lens: lens.name)
@pytest.mark.parametrize("name", ["obama.jpg", "biden.jpg", "astronaut.png"])
def test_skin_has_no_grid(
    name: str, lens: Lens, photo: Photo, shipped_detector: Detector
) -> None:
    scene = Scene.of(photo(name), shipped_detector, 80)
    taken = Recapture(None, lens, np.random.default_rng(0)).look(scene, Pose())
    assert raster.peak(taken, scene.face) < MOST_PEAK


def test_a_grid_is_seen_where_the_sensor_resolves_it(scene: Scene) -> None:
    """A third of a monitor's pixel, or of a cell of a laser print, to each of the camera's."""
    rng, pose = np.random.default_rng(0), Pose(tilt_y_deg=4, roll_deg=3)
    monitor, laser = replace(DISPLAYS[0], scale=0.3), replace(PAPERS[0], scale=0.25)
    for medium in (monitor, laser):
        assert raster.peak(Recapture(medium, SHARP, rng).look(scene, pose), scene.face) > MOST_PEAK
    telephone = DISPLAYS[-1]
    assert raster.peak(Recapture(telephone, SHARP, rng).look(scene, pose), scene.face) < MOST_PEAK


def test_a_face_that_is_small_or_cut_off_is_not_judged(scene: Scene) -> None:
    small = replace(scene.face, points=scene.face.points * 0.3)
    assert raster.peak(scene.picture, small) == 0.0
    aside = replace(scene.face, points=scene.face.points + np.float32(400))
    assert raster.peak(scene.picture, aside) == 0.0
