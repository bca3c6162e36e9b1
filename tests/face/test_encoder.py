"""The encoder against dlib itself, and the life of its cache."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import cv2
import dlib
import face_recognition_models
import numpy as np
import pytest
from numpy.typing import NDArray

from kiosk.face import dlibdat, models, sface
from kiosk.face import encoder as encoder_module
from kiosk.face.detector import HogDetector
from kiosk.face.encoder import DlibResnet, onnx_bytes
from kiosk.face.encoders import make_encoder
from kiosk.face.models import WrongModel

NAMES = ["obama.jpg", "obama2.jpg", "obama3.jpg", "biden.jpg", "astronaut.png"]
SOURCE = Path(face_recognition_models.face_recognition_model_location())


@pytest.fixture(scope="module")
def dlib_network() -> dlib.face_recognition_model_v1:
    return dlib.face_recognition_model_v1(str(SOURCE))


@pytest.mark.parametrize("name", NAMES)
def test_the_same_numbers_as_face_recognition(
    name: str,
    photo: Callable[[str], NDArray[np.uint8]],
    detector: HogDetector,
    encoder: DlibResnet,
) -> None:
    face_recognition = pytest.importorskip("face_recognition")
    image = photo(name)
    face = detector.detect(image, 320)[0]
    ours = encoder.embed([encoder.chip(image, face)])[0]
    x, y, width, height = face.box
    place = (round(y), round(x + width), round(y + height), round(x))
    rgb = np.ascontiguousarray(image[:, :, ::-1])
    theirs = face_recognition.face_encodings(rgb, [place], model="small")[0]
    assert np.abs(ours - theirs).max() < 1e-5


def test_any_chip_alone_and_in_a_batch(
    encoder: DlibResnet, dlib_network: dlib.face_recognition_model_v1
) -> None:
    rng = np.random.default_rng(5)
    chips = [
        cv2.GaussianBlur(rng.integers(0, 256, (150, 150, 3), dtype=np.uint8), (0, 0), sigma)
        for sigma in (0.5, 2, 8)
    ] * 6
    batched = encoder.embed([(chip,) for chip in chips])
    assert batched.shape == (18, 128)
    for index in range(3):
        theirs = np.array(dlib_network.compute_face_descriptor(chips[index]))
        assert np.abs(encoder.embed([(chips[index],)])[0] - theirs).max() < 1e-5
        assert np.abs(batched[index + 3] - theirs).max() < 1e-5


def test_no_chips_no_embeddings(encoder: DlibResnet) -> None:
    assert encoder.embed([]).shape == (0, 128)


def test_a_damaged_cache_is_built_again(tmp_path: Path) -> None:
    onnx_bytes(tmp_path)
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes()
    for damaged in (whole[:-1], b"", whole[:100] + b"\xff" + whole[101:], b"no newline"):
        path.write_bytes(damaged)
        model = onnx_bytes(tmp_path)
        assert path.read_bytes() == whole
        assert whole.endswith(model)
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("name", [encoder_module.NAME, sface.NAME])
@pytest.mark.parametrize("content", [b"", b"xx", bytes(1000)])
def test_a_cache_that_is_whole_but_no_network_is_built_again(
    tmp_path: Path, name: str, content: bytes
) -> None:
    make_encoder(name, tmp_path)
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes()
    path.write_bytes(hashlib.sha256(content).hexdigest().encode() + b"\n" + content)
    assert make_encoder(name, tmp_path).name == name
    assert path.read_bytes() == whole


def test_a_cache_that_cannot_be_written_is_no_obstacle(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    assert len(onnx_bytes(blocked)) > 20_000_000


def test_another_model_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "other.dat"
    other.write_bytes(SOURCE.read_bytes()[:-1] + b"x")
    with pytest.raises(WrongModel, match="SHA-256"):
        onnx_bytes(tmp_path, other)


@pytest.mark.parametrize(
    "data",
    [b"", b"nothing of the kind", b"\x01\x05con_4\x01\x02\x01\x7f", b"\x01\x05con_4\xff"],
)
def test_bytes_that_are_no_network_are_refused(data: bytes) -> None:
    with pytest.raises(WrongModel):
        dlibdat.parse(data)


def test_a_file_cut_short_is_refused() -> None:
    with pytest.raises(WrongModel):
        dlibdat.parse(SOURCE.read_bytes()[:3_000_000])


def test_the_service_cache_is_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CACHE_DIRECTORY", f"{tmp_path}/one:{tmp_path}/two")
    assert models.default_cache_dir() == tmp_path / "one"
    monkeypatch.delenv("CACHE_DIRECTORY")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert models.default_cache_dir() == tmp_path / "examgate"
