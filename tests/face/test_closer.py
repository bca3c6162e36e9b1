"""The closer look: shut eyes, a hand before the mouth and a lowered head each get their prompt.

Few photographs; how often it errs on many people is bench/bench_quality.py's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import cv2
import numpy as np
import pytest
import spoiled
from numpy.typing import NDArray
from streams import Scene, head

from kiosk.core.codes import Prompt
from kiosk.face import verification
from kiosk.face.closer import CloserLook, Shape
from kiosk.face.follower import Tracked
from kiosk.face.parts import Chip, Face, Floats, Image
from kiosk.face.quality import _turn, assess
from kiosk.face.upright import pose_of
from kiosk.face.yunet import YuNetDetector

Picture = NDArray[np.uint8]
Photo = Callable[[str], Picture]
NAMES = ("obama.jpg", "biden.jpg", "astronaut.png")


@pytest.fixture(scope="module")
def yunet() -> YuNetDetector:
    return YuNetDetector()


@pytest.fixture(scope="module")
def closer() -> CloserLook:
    return CloserLook()


@pytest.fixture(scope="module", params=NAMES)
def scene(request: pytest.FixtureRequest, photo: Photo, yunet: YuNetDetector) -> Scene:
    return Scene.of(photo(request.param), yunet, 95.0)


def told(picture: Picture, yunet: YuNetDetector, closer: CloserLook | None) -> Prompt:
    return assess(picture, [yunet.detect(picture, 320)[0]], closer=closer).prompt


def test_who_is_fit_stays_fit(scene: Scene, yunet: YuNetDetector, closer: CloserLook) -> None:
    assert told(scene.picture, yunet, closer) is Prompt.NONE


def test_shut_eyes_are_told(scene: Scene, yunet: YuNetDetector, closer: CloserLook) -> None:
    picture = spoiled.shut(scene.picture, scene.face)
    face = yunet.detect(picture, 320)[0]
    assert closer.lids(picture, face) < closer.lids(scene.picture, scene.face)
    assert told(picture, yunet, closer) is Prompt.OPEN_EYES


def test_a_hand_and_a_lowered_head_are_seen(
    scene: Scene, yunet: YuNetDetector, closer: CloserLook
) -> None:
    plain = closer.shape(scene.picture, scene.face)
    handed = spoiled.handed(scene.picture, scene.face)
    assert closer.shape(handed, yunet.detect(handed, 320)[0]).seen < plain.seen
    down = head(scene, 0, 30)
    lowered = closer.shape(down, yunet.detect(down, 320)[0])
    assert lowered.chin_deg > plain.chin_deg + 10


def test_a_turned_head_is_told_by_nose_and_eyes(scene: Scene, yunet: YuNetDetector) -> None:
    """To both sides."""
    plain = _turn(pose_of(scene.face))
    for angle in (30, -30):
        turned = _turn(pose_of(yunet.detect(head(scene, angle), 320)[0]))
        assert np.sign(turned) == np.sign(angle)
        assert abs(turned - plain) > 10


def test_the_mirrored_face_has_the_same_lids_and_chin(
    scene: Scene, yunet: YuNetDetector, closer: CloserLook
) -> None:
    mirrored = np.ascontiguousarray(scene.picture[:, ::-1])
    face = yunet.detect(mirrored, 320)[0]
    assert closer.lids(mirrored, face) == pytest.approx(
        closer.lids(scene.picture, scene.face), abs=0.06
    )
    there, here = closer.shape(mirrored, face), closer.shape(scene.picture, scene.face)
    assert there.chin_deg == pytest.approx(here.chin_deg, abs=5)


def test_the_same_at_any_roll_and_distance(
    scene: Scene, yunet: YuNetDetector, closer: CloserLook
) -> None:
    here = closer.shape(scene.picture, scene.face)
    height, width = scene.picture.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), 15, 0.7)
    picture = np.asarray(
        cv2.warpAffine(scene.picture, turn, (width, height), borderMode=cv2.BORDER_REPLICATE),
        dtype=np.uint8,
    )
    there = closer.shape(picture, yunet.detect(picture, 320)[0])
    assert there.chin_deg == pytest.approx(here.chin_deg, abs=6)


class Lowered(CloserLook):
    """Says of everybody that they look down, and counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    def shape(self, image: Image, face: Face) -> Shape:
        self.asked += 1
        return Shape(45.0, 40.0)

    def lids(self, image: Image, face: Face) -> float:
        return 0.4


class Nothing:
    name, size = "dlib+sface-v1", 2

    def chip(self, image: Image, face: Face) -> Chip:
        return (image,)

    def embed(self, chips: Sequence[Chip]) -> Floats:
        return np.zeros((len(chips), 2), np.float32)


def test_what_it_alone_tells_is_let_pass_after_three_seconds(scene: Scene) -> None:
    closer = Lowered()
    run = verification.Verification(1, False, Nothing(), closer=closer)
    seen = {t: run.step(scene.picture, Tracked((scene.face,), 1), t / 10) for t in range(60)}
    first = min(t for t, outcomes in seen.items() if outcomes)
    assert 30 <= first <= 32
    assert closer.asked <= first + 1  # and it is not asked any more of this person
    assert run.step(scene.picture, Tracked((scene.face,), 2), 6.0) == []


def test_a_face_without_marks_is_not_looked_at_closely(scene: Scene) -> None:
    bare = replace(scene.face, marks=None)
    closer = Lowered()
    assert assess(scene.picture, [bare], closer=closer).prompt is Prompt.NONE
    assert closer.asked == 0
    with pytest.raises(ValueError, match="marks"):
        CloserLook.shape(Lowered(), scene.picture, bare)
