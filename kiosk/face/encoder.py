"""dlib's face recognition network, run in OpenCV: the same 128 numbers, many times sooner.

Owns the conversion's cache and the running. Knows nothing of cameras, rosters or decisions.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import cv2
import dlib
import face_recognition_models
import numpy as np

from kiosk.face import dlibdat, onnxfile
from kiosk.face.dlibdat import WrongModel
from kiosk.face.parts import Chip, Face, Floats, Image

NAME = "dlib-resnet-v1"
#: SHA-256 of dlib_face_recognition_resnet_model_v1.dat; other weights are another encoder.
SOURCE_SHA256 = "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30"
_FORMAT = 1  # raise when onnxfile writes something else, so that old caches are left behind
_MEAN = (122.782, 117.001, 104.298)  # RGB; dlib's input_rgb_image_sized
_PADDING = 0.25
_BATCH = 16


class DlibResnet:
    """The encoder "dlib-resnet-v1". Raises `WrongModel` or `FileNotFoundError`.

    OpenCV's thread count is a setting of the whole process; it is set to 1 here, because a
    lane's two cores have other work and one face does not gain from more.
    """

    name = NAME
    size = dlibdat.OUTPUTS

    def __init__(self, cache_dir: Path | None = None, source: Path | None = None) -> None:
        cv2.setNumThreads(1)
        self._net = cv2.dnn.readNetFromONNX(np.frombuffer(onnx_bytes(cache_dir, source), np.uint8))

    def chip(self, image: Image, face: Face) -> Chip:
        """150×150 RGB, aligned by the five points as dlib does."""
        x, y, width, height = (round(value) for value in face.box)
        points = dlib.points(
            [dlib.point(round(float(px)), round(float(py))) for px, py in face.points]
        )
        shape = dlib.full_object_detection(dlib.rectangle(x, y, x + width, y + height), points)
        rgb = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)  # whole: a cut would move dlib's sampling
        chip = dlib.get_face_chip(rgb, shape, onnxfile.CHIP, _PADDING)
        return (np.asarray(chip, dtype=np.uint8),)

    def embed(self, chips: Sequence[Chip]) -> Floats:
        """N chips (150×150 RGB) to N×128 float32, in batches that bound the memory."""
        images = [chip[0] for chip in chips]
        parts = [self._forward(images[at : at + _BATCH]) for at in range(0, len(images), _BATCH)]
        return np.vstack(parts) if parts else np.empty((0, self.size), np.float32)

    def _forward(self, chips: Sequence[Image]) -> Floats:
        size = (onnxfile.CHIP, onnxfile.CHIP)
        blob = cv2.dnn.blobFromImages(list(chips), 1 / 256, size, _MEAN, swapRB=False)
        self._net.setInput(blob)
        return np.array(self._net.forward(), dtype=np.float32).reshape(len(chips), -1)


def default_cache_dir() -> Path:
    """systemd's CacheDirectory when there is one, else the user's cache."""
    if service := os.environ.get("CACHE_DIRECTORY"):
        return Path(service.split(":")[0])
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "examgate"


def onnx_bytes(cache_dir: Path | None = None, source: Path | None = None) -> bytes:
    """The converted network, from the cache if that is whole, else built and cached.

    A cache that cannot be written costs a second at each start and nothing else.
    """
    source = source or Path(face_recognition_models.face_recognition_model_location())
    weights = source.read_bytes()
    found = hashlib.sha256(weights).hexdigest()
    if found != SOURCE_SHA256:
        raise WrongModel(f"{source.name} has SHA-256 {found[:16]}…, not {SOURCE_SHA256[:16]}…")
    path = (cache_dir or default_cache_dir()) / f"{NAME}-{SOURCE_SHA256[:16]}-{_FORMAT}.onnx"
    if (cached := _read_checked(path)) is not None:
        return cached
    model = onnxfile.build(dlibdat.parse(weights))
    with contextlib.suppress(OSError):
        _write(path, hashlib.sha256(model).hexdigest().encode() + b"\n" + model)
    return model


def _read_checked(path: Path) -> bytes | None:
    """The file is one line with the SHA-256 of the rest; None when it is missing or damaged."""
    try:
        digest, _, model = path.read_bytes().partition(b"\n")
    except OSError:
        return None
    return model if hashlib.sha256(model).hexdigest().encode() == digest else None


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all, also when several processes start at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        try:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            os.replace(file.name, path)
        except OSError:
            os.unlink(file.name)
            raise
