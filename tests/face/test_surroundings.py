"""Screens, paper and hands: the surroundings that move, the grid that lies over a face."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest
from attacks import Device
from held import FRAMES, Frame, Hall
from numpy.typing import NDArray
from recapture import DISPLAYS, LENSES, PAPERS, Lens, Recapture
from stage import Person
from streams import Picture, Pose, Scene, noisy

from kiosk.core.codes import Prompt
from kiosk.face import raster, rim
from kiosk.face.parts import Detector
from kiosk.face.surroundings import Surroundings
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
    assert held(shown, scene) is not None


@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: frame.name)
def test_what_stands_is_told_by_its_rim(
    frame: Frame, photo: Photo, shipped_detector: Detector
) -> None:
    scene = Scene.of(photo("obama.jpg"), shipped_detector, 80)
    device = Device(np.random.default_rng(1), frame, sway=0.0)
    assert held([device.show(scene, at_s) for at_s in FRAMES_S], scene) == "rim"


def test_a_slip_before_the_chest_and_a_door_behind_are_no_rim() -> None:
    around = np.full((480, 640), 150, np.uint8)
    unit, x, y = 80.0, 320, 180
    cv2.rectangle(around, (x - 90, 0), (x + 90, 470), 60, 3)  # a door, behind …
    cv2.ellipse(around, (x, y + 30), (70, 110), 0, 0, 360, 200, -1)
    cv2.rectangle(around, (x - 150, y + 160), (x + 150, 479), 90, -1)  # … a person …
    cv2.rectangle(around, (x - 66, y + 150), (x + 66, y + 240), 230, -1)  # … with a slip
    middle = np.array([x, y], np.float32)
    assert not rim.has_rim(around, middle, unit)
    cv2.rectangle(around, (x - 110, y - 120), (x + 110, y + 200), 20, 6)
    assert rim.has_rim(around, middle, unit)


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
    person = Person(scene, rng)
    moving = [person.look(Prompt.TURN_LEFT, at_s) for at_s in FRAMES_S]
    assert held(moving, scene) is None


def test_few_frames_say_nothing(scene: Scene) -> None:
    device = Device(np.random.default_rng(2), FRAMES[1], sway=3.0)
    assert held([device.show(scene, at_s) for at_s in FRAMES_S[:6]], scene) is None


def test_a_wall_without_anything_on_it_is_no_evidence(scene: Scene) -> None:
    rng = np.random.default_rng(0)
    bare = replace(scene, picture=np.full_like(scene.picture, 120))
    assert held([noisy(bare.picture, rng) for _ in range(12)], scene) is None


@pytest.mark.parametrize(("stripes", "texture", "seed"), [(4, 4, 10), (16, 2, 18), (16, 4, 18)])
def test_a_wall_with_next_to_nothing_on_it_stands_still(
    stripes: float, texture: float, seed: int, photo: Photo, shipped_detector: Detector
) -> None:
    """Level stripes and a breath of roughness, in grey levels: what is followed there slips along,
    and the plane through it has its middle anywhere."""
    scene = Scene.of(photo("obama.jpg"), shipped_detector, 60)
    rng = np.random.default_rng(seed)
    rows = cv2.GaussianBlur(np.cumsum(rng.normal(0, stripes, 480))[:, None], (0, 0), 4)
    rough = cv2.GaussianBlur(rng.normal(0, 1, (480, 640)), (0, 0), 4)
    wall = np.clip(110 + rows + rough * texture / rough.std(), 20, 230)[..., None]
    beside = np.abs(np.arange(640) - scene.face.eye_middle[0]) > 1.3 * scene.face.eye_width
    picture = np.where(beside[None, :, None], wall, scene.picture).astype(np.uint8)
    assert held([noisy(picture, rng) for _ in range(21)], scene) is None


@pytest.mark.parametrize("lens", LENSES, ids=lambda lens: lens.name)
@pytest.mark.parametrize("name", ["obama.jpg", "biden.jpg", "astronaut.png"])
def test_skin_has_no_grid(name: str, lens: Lens, photo: Photo, shipped_detector: Detector) -> None:
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
