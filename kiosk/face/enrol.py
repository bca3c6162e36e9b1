"""Roster photographs to embeddings, one or hundreds.

Owns decoding with bounds, the photograph's checks and the spreading over processes. Knows
nothing of candidates. Photographs and embeddings never appear in messages.
"""

from __future__ import annotations

import io
import multiprocessing
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import cv2
import numpy as np
from PIL import Image as Pillow
from PIL import ImageFile

from kiosk.face.appearance import sharpness_of
from kiosk.face.encoders import DEFAULT, make_encoder
from kiosk.face.orientation import quarter_turns, turned
from kiosk.face.parts import Chip, Detector, Encoder, Face, Floats, Image
from kiosk.face.upright import patch_of
from kiosk.face.yunet import YuNetDetector
from kiosk.photograph import upright_rgb

MAX_PIXELS = 40_000_000  #: by the header, before anything is decoded
MAX_BYTES = 20 * 1024 * 1024
WORK_SIDE = 800  #: the longer side that detection and embedding work on
MIN_FACE_PX = 60  #: width of the face in the photograph as it came
MIN_SHARPNESS = 10.0
#: Tried in turn: enough for the usual portrait, then for a face that is small in its picture.
_SCAN_WIDTHS = (240, 480, 800)
_RIVAL = 0.5  #: a second face this much of the first one's size is a second person
_CHUNK = 16  #: photographs of one batch
_FORMATS = ("JPEG", "PNG", "BMP", "WEBP")


class PhotoCode(StrEnum):
    UNREADABLE = "unreadable"
    TWO_TONE = "two_tone"
    NO_FACE = "no_face"
    SEVERAL_FACES = "several_faces"
    TOO_SMALL = "too_small"
    BLURRED = "blurred"


class PhotoProblem(Exception):
    """Why a photograph is of no use. `detail`: numbers only, e.g. {"face_px": 31, "min": 60}."""

    def __init__(self, code: PhotoCode, detail: dict[str, float] | None = None) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail or {}

    def __str__(self) -> str:
        numbers = ", ".join(f"{key} {value:g}" for key, value in self.detail.items())
        return f"{self.code.value} ({numbers})" if numbers else self.code.value


@dataclass(frozen=True, slots=True)
class Enrolled:
    embedding: tuple[float, ...] = field(repr=False)  #: as many numbers as the encoder gives
    encoder: str
    face_px: int  #: width of the face in the photograph as it came
    sharpness: float
    #: Clockwise, after those that its EXIF asks for: 1 to 3 where the person did not stand upright.
    quarter_turns: int = 0


@dataclass(frozen=True, slots=True)
class _Look:
    """A photograph that is fit to be embedded."""

    chip: Chip
    face_px: int
    sharpness: float
    quarter_turns: int


class Enroller:
    """The models, loaded once; not to be shared between threads."""

    def __init__(
        self,
        cache_dir: Path | None = None,
        detector: Detector | None = None,
        encoder: Encoder | None = None,
    ) -> None:
        self._detector = detector or YuNetDetector()
        self._encoder = encoder or make_encoder(cache_dir=cache_dir)

    @property
    def encoder(self) -> str:
        """Name of the encoder in use."""
        return self._encoder.name

    def enrol(self, photo: bytes) -> Enrolled:
        """Raises `PhotoProblem`."""
        (result,) = self.enrol_batch([photo])
        if isinstance(result, PhotoProblem):
            raise result
        return result

    def enrol_batch(self, photos: Sequence[bytes]) -> list[Enrolled | PhotoProblem]:
        """One result a photograph, in order; the network sees all the good faces at once."""
        looks = [self._look_or_problem(photo) for photo in photos]
        chips = [look.chip for look in looks if not isinstance(look, PhotoProblem)]
        rows = iter(self._encoder.embed(chips))
        return [
            look if isinstance(look, PhotoProblem) else self._enrolled(look, next(rows))
            for look in looks
        ]

    def _enrolled(self, look: _Look, embedding: Floats) -> Enrolled:
        numbers = tuple(float(value) for value in embedding)
        return Enrolled(
            numbers,
            self._encoder.name,
            look.face_px,
            round(look.sharpness, 1),
            look.quarter_turns,
        )

    def _look_or_problem(self, photo: bytes) -> _Look | PhotoProblem:
        try:
            return self._look(photo)
        except PhotoProblem as problem:
            return problem

    def _look(self, photo: bytes) -> _Look:
        image, shrunk = decode(photo)
        faces = self._faces(image)
        turns = quarter_turns(self._detector, image, faces)
        if turns:
            image = turned(image, turns)
            faces = self._faces(image)
        face = _one_of(faces)
        face_px = round(face.box[2] / shrunk)
        if face_px < MIN_FACE_PX:
            raise PhotoProblem(PhotoCode.TOO_SMALL, {"face_px": face_px, "min": MIN_FACE_PX})
        sharpness = sharpness_of(patch_of(image, face))
        if sharpness < MIN_SHARPNESS:
            detail = {"sharpness": round(sharpness, 1), "min": MIN_SHARPNESS}
            raise PhotoProblem(PhotoCode.BLURRED, detail)
        return _Look(self._encoder.chip(image, face), face_px, sharpness, turns)

    def _faces(self, image: Image) -> list[Face]:
        for width in _SCAN_WIDTHS:
            if width > _SCAN_WIDTHS[0] and width > 1.5 * image.shape[1]:
                break
            if faces := self._detector.detect(image, width):
                return faces
        return []


def _one_of(faces: Sequence[Face]) -> Face:
    if not faces:
        raise PhotoProblem(PhotoCode.NO_FACE)
    largest = faces[0].box[2]
    rivals = sum(1 for face in faces if face.box[2] >= _RIVAL * largest)
    if rivals > 1:
        raise PhotoProblem(PhotoCode.SEVERAL_FACES, {"faces": rivals})
    return faces[0]


def decode(photo: bytes) -> tuple[Image, float]:
    """BGR, upright, at most `WORK_SIDE` on the longer side, and by what factor it was shrunk.

    The size is read from the header first, and a JPEG is decoded at the scale that is needed,
    so that neither a bomb nor a 40-megapixel scan costs more than a photograph.
    """
    if len(photo) > MAX_BYTES:
        raise PhotoProblem(PhotoCode.UNREADABLE, {"bytes": len(photo), "max": MAX_BYTES})
    ImageFile.LOAD_TRUNCATED_IMAGES = False  # face_recognition sets it for the whole process
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # told to nobody who could do anything about them
            picture = Pillow.open(io.BytesIO(photo), formats=_FORMATS)
            width, height = picture.size
            if width * height > MAX_PIXELS:
                raise PhotoProblem(
                    PhotoCode.UNREADABLE, {"pixels": width * height, "max": MAX_PIXELS}
                )
            if picture.mode == "1":  # shades of grey made of dots: found, and then not recognised
                raise PhotoProblem(PhotoCode.TWO_TONE)
            shrink = min(WORK_SIDE / max(width, height), 1.0)
            picture.draft("RGB", (round(width * shrink), round(height * shrink)))
            upright = upright_rgb(picture)
    except PhotoProblem:
        raise
    except Exception as error:  # a damaged file can raise nearly anything out of its decoder
        raise PhotoProblem(PhotoCode.UNREADABLE) from error
    return _shrunk(np.asarray(upright), max(width, height))


def _shrunk(rgb: Image, original_side: int) -> tuple[Image, float]:
    factor = WORK_SIDE / max(rgb.shape[:2])
    if factor < 1:
        size = (max(round(rgb.shape[1] * factor), 1), max(round(rgb.shape[0] * factor), 1))
        rgb = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    image = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), dtype=np.uint8)
    return image, max(image.shape[:2]) / original_side


_enroller: Enroller | None = None


def enrol_photo(photo: bytes, encoder: str = DEFAULT) -> Enrolled:
    """One photograph. Raises `PhotoProblem`. The models stay loaded in this process."""
    return _shared(encoder).enrol(photo)


def enrol_many(
    photos: Sequence[bytes],
    workers: int,
    progress: Callable[[int], None],
    encoder: str = DEFAULT,
) -> list[Enrolled | PhotoProblem]:
    """All of them, in order; `progress` hears how many are done. Uses `workers` processes."""
    results: list[Enrolled | PhotoProblem] = []
    make_encoder(encoder)  # converts once here, if need be, rather than in every process
    for chunk in _spread(photos, workers, encoder):
        results += chunk
        progress(len(results))
    return results


def _spread(
    photos: Sequence[bytes], workers: int, encoder: str
) -> Iterator[list[Enrolled | PhotoProblem]]:
    chunks = [(photos[at : at + _CHUNK], encoder) for at in range(0, len(photos), _CHUNK)]
    if workers <= 1 or len(chunks) <= 1:
        yield from map(_enrol_chunk, chunks)
        return
    context = multiprocessing.get_context("spawn")  # fork would copy OpenCV's and dlib's threads
    with ProcessPoolExecutor(min(workers, len(chunks)), mp_context=context) as pool:
        yield from pool.map(_enrol_chunk, chunks)


def _enrol_chunk(work: tuple[Sequence[bytes], str]) -> list[Enrolled | PhotoProblem]:
    photos, encoder = work
    return _shared(encoder).enrol_batch(photos)


def _shared(encoder: str) -> Enroller:
    """This process's models."""
    global _enroller
    if _enroller is None or _enroller.encoder != encoder:
        _enroller = Enroller(encoder=make_encoder(encoder))
    return _enroller
