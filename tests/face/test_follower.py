"""Who is followed, when the track ends, and that a swap never keeps it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from streams import Scene, head, noisy

from kiosk.face.detector import HogDetector, make_detector
from kiosk.face.follower import Follower, FollowLimits, Tracked
from kiosk.face.likeness import alike, alike_turned, thumbnail
from kiosk.face.oval import Oval
from kiosk.face.parts import Detector, Face, Image

Picture = NDArray[np.uint8]
Photo = Callable[[str], Picture]
SIZES = [(640, 480), (1280, 720)]


@pytest.fixture(scope="module", params=["yunet", "hog"])
def any_detector(request: pytest.FixtureRequest) -> Detector:
    return make_detector(request.param)


@pytest.fixture(scope="module")
def yunet() -> Detector:
    return make_detector("yunet")


@pytest.fixture(scope="module")
def people(photo: Photo, yunet: Detector) -> Callable[[str], tuple[Picture, Face]]:
    def read(name: str) -> tuple[Picture, Face]:
        image = photo(name)
        return image, yunet.detect(image, 320)[0]

    return read


def lane(
    size: tuple[int, int], *standing: tuple[tuple[Picture, Face], float, float, float]
) -> Picture:
    """A grey lane with people in it: who, x and y in the picture (0..1), eye corners in pixels."""
    frame = np.full((size[1], size[0], 3), 120, np.uint8)
    for (picture, face), x, y, eye_px in sorted(standing, key=lambda one: one[3]):
        scale = eye_px / face.eye_width
        shrunk = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        left, top, width, height = (scale * number for number in face.box)
        alpha = np.zeros(shrunk.shape[:2], np.float32)
        middle = (round(left + width / 2), round(top + 0.45 * height))
        cv2.ellipse(alpha, middle, (round(0.62 * width), round(0.68 * height)), 0, 0, 360, 1, -1)
        alpha = cv2.GaussianBlur(alpha, (0, 0), 2)
        move = np.array([[1, 0, x * size[0] - middle[0]], [0, 1, y * size[1] - middle[1]]])
        laid = cv2.warpAffine(shrunk, move, size)
        veil = cv2.warpAffine(alpha, move, size)[..., None]
        frame = (frame * (1 - veil) + laid * veil).astype(np.uint8)
    return frame


def follow(
    follower: Follower, frames: list[Picture], fps: float = 15.0, start_s: float = 0.0
) -> list[Tracked | None]:
    rng = np.random.default_rng(5)
    return [
        follower.update(noisy(frame, rng, 2.0), start_s + index / fps)
        for index, frame in enumerate(frames)
    ]


# --- one person ---------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
def test_a_face_is_followed_through_the_distances(
    size: tuple[int, int], people: Callable[[str], tuple[Picture, Face]], any_detector: Detector
) -> None:
    """Walking up from 1.2 to 0.4 metres: one track, never lost, where the face is."""
    person = people("obama.jpg")
    far = 0.09 * size[1] if not isinstance(any_detector, HogDetector) else 0.16 * size[1]
    eyes = np.geomspace(far, 0.29 * size[1], 30)
    frames = [lane(size, (person, 0.35 + 0.005 * n, 0.5, px)) for n, px in enumerate(eyes)]
    seen = follow(Follower(any_detector), frames)
    found = [tracked for tracked in seen if tracked is not None]
    assert len(found) >= len(frames) - 2 and seen[-1] is not None
    assert len({tracked.track for tracked in found}) == 1
    for tracked, px, n in zip(seen, eyes, range(30), strict=True):
        if tracked is not None:
            assert tracked.face.eye_width == pytest.approx(px, rel=0.15)
            x = float(tracked.face.eye_middle[0]) / size[0]
            assert x == pytest.approx(0.35 + 0.005 * n, abs=0.03)


def test_a_turning_head_keeps_its_track(
    photo: Photo, detector: HogDetector, yunet: Detector
) -> None:
    scene = Scene.of(photo("biden.jpg"), detector)
    yaws = [*np.linspace(0, 28, 8), *np.linspace(28, -28, 14), *np.linspace(-28, 0, 8)]
    seen = follow(Follower(yunet), [head(scene, float(yaw)) for yaw in yaws])
    assert len({tracked.track for tracked in seen if tracked is not None}) == 1
    assert all(tracked is not None for tracked in seen)


def test_nobody_is_nobody_and_too_far_is_nobody(
    people: Callable[[str], tuple[Picture, Face]], yunet: Detector
) -> None:
    person = people("obama.jpg")
    assert follow(Follower(yunet), [lane((640, 480))] * 5) == [None] * 5
    assert follow(Follower(yunet), [lane((640, 480), (person, 0.5, 0.5, 20.0))] * 5) == [None] * 5


def test_a_face_at_the_very_edge_is_no_error(
    people: Callable[[str], tuple[Picture, Face]], yunet: Detector
) -> None:
    person = people("obama.jpg")
    for x, y in ((0.0, 0.5), (1.0, 0.5), (0.5, 0.0), (0.5, 1.0), (0.02, 0.02), (0.98, 0.98)):
        frames = [lane((640, 480), (person, x + (0.5 - x) * n / 6, y, 60.0)) for n in range(7)]
        follow(Follower(yunet), frames[::-1])


def test_speed_is_that_of_the_face(
    people: Callable[[str], tuple[Picture, Face]], yunet: Detector
) -> None:
    person = people("obama.jpg")
    still = follow(Follower(yunet), [lane((640, 480), (person, 0.5, 0.5, 80.0))] * 10)
    assert still[-1] is not None and still[-1].speed < 0.3
    step = 2.0 * 80 / 15 / 640  # two eye widths a second
    moving = [lane((640, 480), (person, 0.3 + step * n, 0.5, 80.0)) for n in range(12)]
    last = follow(Follower(yunet), moving)[-1]
    assert last is not None and last.speed == pytest.approx(2.0, rel=0.2)


# --- several people -----------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
def test_the_one_in_the_oval_is_followed(
    size: tuple[int, int], people: Callable[[str], tuple[Picture, Face]], yunet: Detector
) -> None:
    """Nearest and in the middle, wherever in the list the detector has them."""
    one, other = people("obama.jpg"), people("biden.jpg")
    eye_px = 0.14 * size[1]
    frame = lane(size, (one, 0.5, 0.5, eye_px), (other, 0.85, 0.45, 1.1 * eye_px))
    seen = follow(Follower(yunet), [frame] * 3)[-1]
    assert seen is not None and len(seen.faces) == 2
    assert seen.face.centre[0] == pytest.approx(0.5 * size[0], abs=0.05 * size[0])


def test_somebody_passing_behind_or_beside_takes_nothing(
    people: Callable[[str], tuple[Picture, Face]], yunet: Detector
) -> None:
    one, other = people("obama.jpg"), people("biden.jpg")
    frames = [
        lane((640, 480), (one, 0.5, 0.5, 80.0), (other, 0.02 + 0.96 * n / 44, 0.42, 50.0))
        for n in range(45)
    ]
    seen = follow(Follower(yunet), frames)
    assert {tracked.track for tracked in seen if tracked is not None} == {1}
    for tracked in seen:
        assert tracked is not None
        assert tracked.face.centre[0] == pytest.approx(320, abs=25)


def test_the_next_person_takes_over_when_the_first_steps_aside(
    people: Callable[[str], tuple[Picture, Face]], yunet: Detector
) -> None:
    one, other = people("obama.jpg"), people("biden.jpg")
    aside = [lane((640, 480), (one, 0.5 + 0.01 * n, 0.5, 70.0)) for n in range(36)]
    both = [lane((640, 480), (one, 0.86, 0.5, 70.0), (other, 0.5, 0.5, 75.0))] * 40
    seen = follow(Follower(yunet), aside + both)
    assert seen[36] is not None and seen[36].track == 1
    assert seen[-1] is not None and seen[-1].track == 2
    assert seen[-1].face.centre[0] == pytest.approx(320, abs=25)


# --- swaps --------------------------------------------------------------------------------------


def test_another_face_in_the_same_place_is_another_track(
    people: Callable[[str], tuple[Picture, Face]], yunet: Detector
) -> None:
    """Two pictures exchanged between two frames: same place, same size, no gap."""
    names = ("obama.jpg", "biden.jpg", "astronaut.png")
    for a in names:
        for b in names:
            if a != b:
                frames = [lane((640, 480), (people(name), 0.5, 0.5, 80.0)) for name in (a, b)]
                seen = follow(Follower(yunet), [frames[0]] * 4 + [frames[1]] * 4)
                assert all(tracked is not None for tracked in seen)
                assert [t.track for t in seen if t is not None] == [1] * 4 + [2] * 4, (a, b)


@pytest.mark.parametrize("away", [1, 3, 12])
def test_a_swap_behind_a_covered_lens_is_another_track(
    away: int, people: Callable[[str], tuple[Picture, Face]], yunet: Detector
) -> None:
    one, other = (
        lane((640, 480), (people(name), 0.5, 0.5, 80.0)) for name in ("obama.jpg", "biden.jpg")
    )
    seen = follow(Follower(yunet), [one] * 4 + [lane((640, 480))] * away + [other] * 4)
    assert seen[3] is not None and seen[-1] is not None
    assert seen[3].track != seen[-1].track


def test_a_long_absence_is_another_track_even_of_the_same_face(
    people: Callable[[str], tuple[Picture, Face]], yunet: Detector
) -> None:
    frame = lane((640, 480), (people("obama.jpg"), 0.5, 0.5, 80.0))
    seen = follow(Follower(yunet), [frame] * 4 + [lane((640, 480))] * 12 + [frame] * 4)
    assert seen[3] is not None and seen[-1] is not None
    assert seen[3].track != seen[-1].track


def test_a_single_missed_frame_is_not(
    people: Callable[[str], tuple[Picture, Face]], yunet: Detector
) -> None:
    frame = lane((640, 480), (people("obama.jpg"), 0.5, 0.5, 80.0))
    seen = follow(Follower(yunet), [frame] * 4 + [lane((640, 480))] + [frame] * 4)
    assert [None if tracked is None else tracked.track for tracked in seen] == [1] * 4 + [None] + [
        1
    ] * 4


class Scripted:
    """A detector that sees what it is told, wherever it looks."""

    face_px = 56

    def __init__(self) -> None:
        self.face: Face | None = None
        self.offset = (0, 0)

    def detect(self, image: Image, width: int) -> list[Face]:
        if self.face is None or image.shape[:2] != (480, 640):
            return []  # only the search of the whole picture answers
        return [self.face]


def _face(x: float, y: float, eye_px: float) -> Face:
    points = np.array([(0.5, 0), (0.2, 0), (-0.5, 0), (-0.2, 0), (0, 0.55)], np.float32)
    box = (x - 0.86 * eye_px, y - 0.8 * eye_px, 1.72 * eye_px, 2.2 * eye_px)
    return Face(box, points * np.float32(eye_px) + np.array([x, y], np.float32), 0.9)


@settings(max_examples=40, deadline=None)
@given(st.floats(-0.3, 0.3), st.floats(-0.3, 0.3), st.floats(0.5, 2.0))
def test_a_jump_or_a_leap_in_size_ends_the_track(across: float, down: float, size: float) -> None:
    """Whatever it looks like: nobody moves a head's width, or grows by half, between frames."""
    detector = Scripted()
    follower = Follower(detector, FollowLimits(scan_s=0.0, search_s=0.0, least_alike=-1.0))
    image = np.random.default_rng(0).integers(0, 255, (480, 640, 3), np.uint8)
    detector.face = _face(320, 240, 60)
    first = follower.update(image, 0.0)
    moved = _face(320 + across * 640, 240 + down * 480, 60 * size)
    detector.face = moved
    second = follower.update(image, 1 / 15)
    assert first is not None and second is not None
    jumped = np.hypot(across * 640, down * 480) > 0.7 * 1.72 * 60 or abs(np.log(size)) > 0.4
    near = np.hypot(across * 640, down * 480) < 0.3 * 1.72 * 60 and abs(np.log(size)) < 0.15
    if jumped:
        assert second.track != first.track
    if near:
        assert second.track == first.track


def test_looks_are_a_matter_of_the_face(photo: Photo, detector: HogDetector) -> None:
    """The measure itself: a head that turns a little is alike, light and noise do not matter."""
    scene = Scene.of(photo("obama.jpg"), detector)
    base = thumbnail(scene.picture, scene.face)

    def like(picture: Picture, face: Face = scene.face) -> float:
        return alike(base, thumbnail(picture, face))

    assert like(scene.picture) == pytest.approx(1.0, abs=1e-3)
    rng = np.random.default_rng(1)
    assert like(noisy((scene.picture * 0.5).astype(np.uint8), rng)) > 0.9
    limit = FollowLimits().least_alike
    turned = head(scene, 6)
    assert like(turned, detector.detect(turned, 320)[0]) > limit
    other = Scene.of(photo("biden.jpg"), detector)
    assert like(other.picture, other.face) < limit


@pytest.mark.parametrize("name", ["obama.jpg", "biden.jpg"])
@pytest.mark.parametrize("wider", [0.89, 1.0, 1.12])
@pytest.mark.parametrize(("yaw", "pitch"), [(10, 0), (14, 0), (0, 8)])
def test_a_quick_turn_and_eye_corners_found_elsewhere_are_alike(
    photo: Photo, yunet: Detector, name: str, yaw: float, pitch: float, wider: float
) -> None:
    """As far as a quick head goes in a fifteenth of a second, and landmarks that jump meanwhile."""
    scene, limits = Scene.of(photo(name), yunet), FollowLimits()
    turned = head(scene, yaw, pitch)
    face = yunet.detect(turned, 320)[0]
    middle = face.points.mean(0)
    misplaced = replace(face, points=((face.points - middle) * np.float32(wider) + middle))
    before, after = thumbnail(scene.picture, scene.face), thumbnail(turned, misplaced)
    assert alike_turned(before, after) > limits.least_alike_turned
    other = Scene.of(photo("biden.jpg" if name == "obama.jpg" else "obama.jpg"), yunet)
    theirs = thumbnail(other.picture, other.face)
    assert alike_turned(theirs, after) < limits.least_alike_turned
    assert alike_turned(theirs, before) < limits.least_alike_turned


def test_a_track_survives_misplaced_eye_corners() -> None:
    detector = Scripted()
    follower = Follower(detector, FollowLimits(scan_s=0.0, search_s=0.0))
    rough = np.random.default_rng(0).integers(0, 255, (480, 640, 3), np.uint8)
    image = np.asarray(cv2.GaussianBlur(rough, (0, 0), 4), np.uint8)
    tracks, likes = set(), []
    for index, eye_px in enumerate((60.0, 66.0, 60.0, 54.0)):
        detector.face = _face(320, 240, eye_px)
        tracked = follower.update(image, index / 15)
        assert tracked is not None
        tracks.add(tracked.track)
        likes.append(thumbnail(image, detector.face))
    assert len(tracks) == 1
    limit = FollowLimits().least_alike  # which alone had ended it
    assert min(alike(a, b) for a, b in pairwise(likes)) < limit


# --- the oval -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("width", "height"), [(640, 480), (1280, 720), (480, 640), (720, 1280)])
def test_the_oval_fits_every_picture(width: int, height: int) -> None:
    oval = Oval.of(width, height)
    assert 0 < 2 * oval.half_width <= 0.95 * width and 2 * oval.half_height <= 0.86 * height
    assert oval.half_width / oval.half_height == pytest.approx(0.76)
    middle = replace(_face(width / 2, height / 2, 50), box=(width / 2 - 5, height / 2 - 5, 10, 10))
    assert oval.offset(middle) == pytest.approx((0, 0))
    assert oval.claim(middle) == pytest.approx(oval.share(middle))


def test_the_same_person_means_the_same_on_both_cameras() -> None:
    """A wide picture shows more to the sides; near and central stay what they were."""
    for x, eye_px in ((0, 60), (80, 60), (-120, 40)):
        vga = _face(320 + x, 240, eye_px)
        hd = _face(640 + 1.5 * x, 360, 1.5 * eye_px)
        a, b = Oval.of(640, 480), Oval.of(1280, 720)
        assert a.share(vga) == pytest.approx(b.share(hd))
        assert a.offset(vga) == pytest.approx(b.offset(hd), abs=1e-6)
