"""YuNet beside dlib's own detector: the same faces, the same landmarks, quiet and robust."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from kiosk.face import models
from kiosk.face.detector import HogDetector, make_detector
from kiosk.face.encoder import DlibResnet
from kiosk.face.models import ModelFile, WrongModel
from kiosk.face.parts import (
    LEFT_EYE_OUTER,
    MARK_LEFT_EYE,
    MARK_MOUTH_LEFT,
    MARK_MOUTH_RIGHT,
    MARK_NOSE_TIP,
    MARK_RIGHT_EYE,
    RIGHT_EYE_OUTER,
    Face,
    search_factor,
)
from kiosk.face.yunet import YuNetDetector, landmark_box

Photo = Callable[[str], NDArray[np.uint8]]
NAMES = ("obama.jpg", "obama2.jpg", "biden.jpg", "astronaut.png")


@pytest.fixture(scope="module")
def yunet() -> YuNetDetector:
    return YuNetDetector()


def _nearest(faces: list[Face], to: Face) -> Face:
    return min(faces, key=lambda face: np.hypot(*np.subtract(face.centre, to.centre)))


@pytest.mark.parametrize("name", NAMES)
def test_the_landmarks_are_those_of_dlib_s_own_box(
    name: str, photo: Photo, yunet: YuNetDetector, detector: HogDetector, encoder: DlibResnet
) -> None:
    image = photo(name)
    theirs = detector.detect(image, 320)[0]
    ours = _nearest(yunet.detect(image, 320), theirs)
    apart = np.linalg.norm(ours.points - theirs.points, axis=1) / theirs.eye_width
    assert apart.max() < 0.06
    chips = [encoder.chip(image, face) for face in (ours, theirs)]
    a, b = encoder.embed(chips)
    assert np.linalg.norm(a - b) < 0.15  # two pictures of one person: about 0.3


@pytest.mark.parametrize("name", NAMES)
def test_marks_lie_where_they_are_named(name: str, photo: Photo, yunet: YuNetDetector) -> None:
    face = yunet.detect(photo(name), 320)[0]
    assert face.marks is not None
    left, right = face.marks[MARK_LEFT_EYE], face.marks[MARK_RIGHT_EYE]
    assert left[0] > face.marks[MARK_NOSE_TIP][0] > right[0]
    assert face.marks[MARK_MOUTH_LEFT][0] > face.marks[MARK_MOUTH_RIGHT][0]
    assert min(face.marks[MARK_MOUTH_LEFT:, 1]) > face.marks[MARK_NOSE_TIP][1] > max(left[1], 0)
    # dlib's corners lie to both sides of the network's eye centres
    assert face.points[LEFT_EYE_OUTER][0] > left[0] > right[0] > face.points[RIGHT_EYE_OUTER][0]


@given(st.integers(1, 40_000), st.integers(1, 40_000), st.integers(100, 800))
def test_what_is_searched_is_bounded_by_the_width(height: int, across: int, width: int) -> None:
    image = np.broadcast_to(np.zeros(3, np.uint8), (height, across, 3))
    factor = search_factor(image, width)
    assert across * factor <= width * 1.0001
    assert height * factor <= 4 * width * 1.0001
    if height <= 4 * across:
        assert factor == width / across  # a photograph's is what it was measured with


@pytest.mark.parametrize("shape", [(1, 800), (800, 1), (2, 800), (10, 800), (800, 10), (9000, 1)])
@pytest.mark.parametrize("name", ["yunet", "hog"])
def test_a_strip_is_searched_in_little_memory(
    name: str, shape: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    resize = cv2.resize

    def watched(*args: object, **kwargs: object) -> object:
        made = resize(*args, **kwargs)  # type: ignore[call-overload]
        sizes.append(made.shape[0] * made.shape[1])
        return made

    finder = make_detector(name)
    monkeypatch.setattr(cv2, "resize", watched)
    assert finder.detect(np.full((*shape, 3), 127, np.uint8), 480) == []
    assert max(sizes, default=0) <= 4 * 480 * 480


@pytest.mark.parametrize(("width", "height"), [(640, 480), (1280, 720), (480, 640), (333, 251)])
@pytest.mark.parametrize("across", [128, 320, 500])
def test_any_picture_at_any_width(
    width: int, height: int, across: int, photo: Photo, yunet: YuNetDetector
) -> None:
    """The face lies where it was put, whatever padding the network needs."""
    image = photo("obama.jpg")
    known = yunet.detect(image, 320)[0]
    scale = 0.3 * height / known.box[2]
    x, y = known.centre
    move = np.array([[scale, 0, 0.6 * width - scale * x], [0, scale, 0.55 * height - scale * y]])
    move[:, 2] = np.round(move[:, 2])
    small = cv2.warpAffine(image, move, (width, height), flags=cv2.INTER_AREA)
    (face,) = yunet.detect(np.asarray(small, dtype=np.uint8), across)
    assert face.centre == pytest.approx((0.6 * width, 0.55 * height), abs=0.03 * height)
    assert face.box[2] == pytest.approx(0.3 * height, rel=0.12)


def test_turned_and_covered_faces_are_found(photo: Photo, yunet: YuNetDetector) -> None:
    image = photo("biden.jpg")
    known = yunet.detect(image, 320)[0]
    for angle in (-40, 40):
        turn = cv2.getRotationMatrix2D(known.centre, angle, 1.0)
        turned = cv2.warpAffine(image, turn, image.shape[1::-1])
        assert yunet.detect(np.asarray(turned, dtype=np.uint8), 320)
    x, y, width, height = (round(number) for number in known.box)
    masked = image.copy()
    masked[y + height // 2 : y + height, x : x + width] = (200, 190, 170)
    assert yunet.detect(masked, 320)


@pytest.mark.parametrize("shade", [0, 128, 255])
def test_an_empty_lane_has_no_face(shade: int, yunet: YuNetDetector) -> None:
    empty = np.full((480, 640, 3), shade, np.uint8)
    noise = np.random.default_rng(0).integers(-20, 20, empty.shape)
    assert yunet.detect(np.clip(empty + noise, 0, 255).astype(np.uint8), 320) == []


@settings(max_examples=50, deadline=None)
@given(st.floats(20, 400), st.floats(-200, 900), st.floats(-200, 900))
def test_the_landmark_box_goes_with_the_face(size: float, x: float, y: float) -> None:
    marks = np.array([(0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.35, 0.8), (0.65, 0.8)], np.float32)
    at = np.array([x, y], np.float32)
    left, top, right, bottom = landmark_box((x, y, size, 1.3 * size), marks * size + at)
    unit = landmark_box((0.0, 0.0, 1.0, 1.3), marks)
    assert (left - x, top - y, right - x, bottom - y) == pytest.approx(
        [number * size for number in unit], abs=0.01 * size
    )
    assert right - left == pytest.approx(bottom - top)


def test_it_starts_without_a_word() -> None:
    """OpenCV's line on targets would be in the lane's log at every start."""
    code = "from kiosk.face.detector import make_detector; make_detector()"
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_detectors_by_name() -> None:
    assert isinstance(make_detector(), YuNetDetector)
    assert isinstance(make_detector("hog"), HogDetector)
    with pytest.raises(KeyError):
        make_detector("haar")


def test_another_model_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    other = ModelFile(models.YUNET.package, models.YUNET.distribution, models.YUNET.inside, "0")
    monkeypatch.setattr(models, "YUNET", other)
    with pytest.raises(WrongModel, match="SHA-256"):
        YuNetDetector()
