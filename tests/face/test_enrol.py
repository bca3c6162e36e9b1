"""Roster photographs: what is refused and why, and the same result in any process."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from kiosk.face import enrol
from kiosk.face.enrol import Enrolled, Enroller, PhotoCode, PhotoProblem, enrol_many
from kiosk.face.orientation import quarter_turns
from kiosk.face.parts import Face


@pytest.fixture(scope="module")
def enroller(face_cache: Path) -> Enroller:
    return Enroller(face_cache)


def jpeg(image: NDArray[np.uint8]) -> bytes:
    return cv2.imencode(".jpg", image)[1].tobytes()


def problem(enroller: Enroller, photo: bytes) -> PhotoProblem:
    with pytest.raises(PhotoProblem) as raised:
        enroller.enrol(photo)
    return raised.value


def png_header(width: int, height: int) -> bytes:
    """A PNG that says it is huge, and is a hundred bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        crc = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.mark.parametrize("data", [b"", b"no picture", b"\xff\xd8\xff\xe0" + bytes(50), b"GIF89a"])
def test_bytes_that_are_no_photograph(enroller: Enroller, data: bytes) -> None:
    assert problem(enroller, data).code is PhotoCode.UNREADABLE


def test_a_bomb_is_refused_by_its_header(enroller: Enroller) -> None:
    bomb = problem(enroller, png_header(50_000, 50_000))
    assert bomb.code is PhotoCode.UNREADABLE
    large = problem(enroller, png_header(10_000, 8_000))
    assert large.code is PhotoCode.UNREADABLE
    assert large.detail["pixels"] == 80_000_000


def test_a_file_too_big_is_not_opened(enroller: Enroller) -> None:
    assert "bytes" in problem(enroller, bytes(enrol.MAX_BYTES + 1)).detail


def test_no_face(enroller: Enroller) -> None:
    plain = np.full((600, 400, 3), 127, np.uint8)
    assert problem(enroller, jpeg(plain)).code is PhotoCode.NO_FACE
    noise = np.random.default_rng(0).integers(0, 256, (300, 300, 3), dtype=np.uint8)
    assert problem(enroller, jpeg(noise)).code is PhotoCode.NO_FACE
    assert problem(enroller, jpeg(plain[:1, :1])).code is PhotoCode.NO_FACE


def test_a_photograph_cut_off(enroller: Enroller, photo_path: Callable[[str], Path]) -> None:
    whole = photo_path("obama.jpg").read_bytes()
    assert problem(enroller, whole[: len(whole) // 3]).code is PhotoCode.UNREADABLE


@pytest.mark.filterwarnings("error")
def test_what_a_decoder_finds_odd_is_not_said_among_a_commands_lines() -> None:
    odd = io.BytesIO()
    picture = Image.linear_gradient("L").convert("P")
    picture.save(odd, "PNG", transparency=bytes(range(256)))
    image, _ = enrol.decode(odd.getvalue())
    assert image.shape == (256, 256, 3)


def test_several_faces(enroller: Enroller, photo: Callable[[str], NDArray[np.uint8]]) -> None:
    one = cv2.resize(photo("obama.jpg"), (480, 600))
    two = cv2.resize(photo("biden.jpg")[:1212], (480, 600))
    assert problem(enroller, jpeg(np.hstack([one, two]))).code is PhotoCode.SEVERAL_FACES


def test_too_small_and_blurred(
    enroller: Enroller, photo: Callable[[str], NDArray[np.uint8]]
) -> None:
    image = photo("obama2.jpg")
    small = cv2.resize(image, None, fx=0.16, fy=0.16, interpolation=cv2.INTER_AREA)
    found = problem(enroller, jpeg(small))
    assert found.code is PhotoCode.TOO_SMALL
    assert found.detail["face_px"] < enrol.MIN_FACE_PX
    blurred = problem(enroller, jpeg(cv2.GaussianBlur(image, (0, 0), 9)))
    assert blurred.code is PhotoCode.BLURRED


def test_turned_by_exif_and_in_grey(enroller: Enroller, photo_path: Callable[[str], Path]) -> None:
    upright = Image.open(photo_path("obama2.jpg"))
    exif = upright.getexif()
    exif[0x0112] = 6  # lies on its side; turn it clockwise to show it
    lying, grey = io.BytesIO(), io.BytesIO()
    upright.rotate(90, expand=True).save(lying, "JPEG", exif=exif)
    upright.convert("L").save(grey, "JPEG")
    reference = np.array(enroller.enrol(photo_path("obama2.jpg").read_bytes()).embedding)
    for other in (lying, grey):
        embedding = np.array(enroller.enrol(other.getvalue()).embedding)
        assert np.linalg.norm(embedding - reference) < 0.35


@pytest.mark.parametrize("name", ["obama.jpg", "obama2.jpg", "biden.jpg", "astronaut.png"])
def test_turned_without_exif(
    enroller: Enroller, photo: Callable[[str], NDArray[np.uint8]], name: str
) -> None:
    image = photo(name)
    upright = enroller.enrol(jpeg(image))
    assert upright.quarter_turns == 0
    for turns in (1, 2, 3):
        lying = enroller.enrol(jpeg(np.rot90(image, turns)))
        assert lying.quarter_turns == turns
        assert np.linalg.norm(np.subtract(lying.embedding, upright.embedding)) < 0.15
        assert abs(lying.face_px - upright.face_px) <= 0.05 * upright.face_px


def test_several_faces_lying(
    enroller: Enroller, photo: Callable[[str], NDArray[np.uint8]]
) -> None:
    one = cv2.resize(photo("obama.jpg"), (480, 600))
    two = cv2.resize(photo("biden.jpg")[:1212], (480, 600))
    lying = np.rot90(np.hstack([one, two]))
    assert problem(enroller, jpeg(lying)).code is PhotoCode.SEVERAL_FACES


def test_a_sure_face_is_not_looked_at_in_other_ways() -> None:
    class Detector:
        face_px = 56
        looks = 0

        def detect(self, image: NDArray[np.uint8], width: int) -> list[Face]:
            self.looks += 1
            return []

    def face(score: float) -> Face:
        return Face((0, 0, 9, 9), np.zeros((5, 2), np.float32), score)

    detector, image = Detector(), np.zeros((9, 9, 3), np.uint8)
    assert quarter_turns(detector, image, [face(0.93)]) == 0 and detector.looks == 0
    assert quarter_turns(detector, image, [face(0.8)]) == 0 and detector.looks > 0


def coded(picture: Image.Image, form: str, **how: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, form, **how)
    return buffer.getvalue()


def test_pixels_of_any_kind(enroller: Enroller, photo_path: Callable[[str], Path]) -> None:
    whole = Image.open(photo_path("obama2.jpg"))
    grey = np.asarray(whole.convert("L"))
    deep = Image.fromarray(grey.astype(np.uint16) * 257)
    lies = Image.Exif()
    lies[0x0112] = 6
    palette = whole.convert("P")
    kinds = {
        "16 bits": coded(deep, "PNG"),
        "16 bits, EXIF": coded(deep.rotate(90, expand=True), "PNG", exif=lies),
        "16 bits, lying": coded(deep.rotate(90, expand=True), "PNG"),
        "grey, transparent": coded(whole.convert("LA"), "PNG"),
        "grey": coded(whole.convert("L"), "BMP"),
        "CMYK": coded(whole.convert("CMYK"), "JPEG"),
        "palette": coded(palette, "PNG"),
        "palette, transparent": coded(palette, "PNG", transparency=bytes(range(256))),
        "transparent": coded(whole.convert("RGBA"), "WEBP"),
    }
    colour = np.array(enroller.enrol(coded(whole, "PNG")).embedding)
    for kind, data in kinds.items():
        found = np.array(enroller.enrol(data).embedding)
        assert np.linalg.norm(found - colour) < 0.4, kind
    assert problem(enroller, coded(whole.convert("1"), "PNG")).code is PhotoCode.TWO_TONE


def test_many_in_order_in_two_processes(
    photo_path: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, face_cache: Path
) -> None:
    monkeypatch.setenv("CACHE_DIRECTORY", str(face_cache))
    names = ["obama.jpg", "biden.jpg", "obama2.jpg", "astronaut.png"]
    photos = [photo_path(name).read_bytes() for name in names] * 5
    photos[5] = b"rubbish"
    heard: list[int] = []
    together = enrol_many(photos, 2, heard.append)
    assert heard == [16, 20]
    assert isinstance(together[5], PhotoProblem)
    assert together[5].code is PhotoCode.UNREADABLE
    alone = enrol_many(photos[:4], 1, lambda done: None)
    for index, result in enumerate(together):
        if index != 5:
            same = alone[index % 4]
            assert isinstance(result, Enrolled) and isinstance(same, Enrolled)
            assert np.allclose(result.embedding, same.embedding, atol=1e-5)
            assert result.encoder == "dlib+sface-v1" and len(result.embedding) == 256


def test_messages_hold_no_embedding(enroller: Enroller, photo_path: Callable[[str], Path]) -> None:
    enrolled = enroller.enrol(photo_path("obama.jpg").read_bytes())
    assert str(enrolled.embedding[0])[:8] not in repr(enrolled)
