"""dlib's face recognition network, run by ONNX Runtime: the same 128 numbers, many times sooner.

Owns its chips and the running. Knows nothing of cameras, rosters or decisions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

import cv2
import dlib
import numpy as np
import onnxruntime

from kiosk.face import dlibdat, dlibnet, models
from kiosk.face.parts import Chip, Face, Floats, Image

T = TypeVar("T")

NAME = "dlib-resnet-v1"
_REVISION = 3  # raise when dlibnet writes something else
_MEAN = (122.782, 117.001, 104.298)  # RGB; dlib's input_rgb_image_sized
_PADDING = 0.25
_BATCH = 16


class DlibResnet:
    """The encoder "dlib-resnet-v1". Raises `kiosk.face.models.WrongModel`.

    On one thread: a lane's two cores have other work and one face does not gain from more.
    ONNX Runtime, because it takes a quarter less time for this network than OpenCV does
    (docs/face.md, Cost).
    """

    name = NAME
    size = dlibdat.OUTPUTS

    def __init__(self, cache_dir: Path | None = None, source: Path | None = None) -> None:
        cv2.setNumThreads(1)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        load = partial(
            onnxruntime.InferenceSession,
            sess_options=options,
            providers=["CPUExecutionProvider"],
        )
        self._net = _converted(load, cache_dir, source)

    def chip(self, image: Image, face: Face) -> Chip:
        """150×150 RGB, aligned by the five points as dlib does."""
        x, y, width, height = (round(value) for value in face.box)
        points = dlib.points(
            [dlib.point(round(float(px)), round(float(py))) for px, py in face.points]
        )
        shape = dlib.full_object_detection(dlib.rectangle(x, y, x + width, y + height), points)
        rgb = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)  # whole: a cut would move dlib's sampling
        chip = dlib.get_face_chip(rgb, shape, dlibnet.CHIP, _PADDING)
        return (np.asarray(chip, dtype=np.uint8),)

    def embed(self, chips: Sequence[Chip]) -> Floats:
        """N chips (150×150 RGB) to N×128 float32, in batches that bound the memory."""
        images = [chip[0] for chip in chips]
        parts = [self._forward(images[at : at + _BATCH]) for at in range(0, len(images), _BATCH)]
        return np.vstack(parts) if parts else np.empty((0, self.size), np.float32)

    def _forward(self, chips: Sequence[Image]) -> Floats:
        size = (dlibnet.CHIP, dlibnet.CHIP)
        blob = cv2.dnn.blobFromImages(list(chips), 1 / 256, size, _MEAN, swapRB=False)
        (rows,) = self._net.run(None, {"chips": np.asarray(blob, dtype=np.float32)})
        return np.asarray(rows, dtype=np.float32)


def onnx_bytes(cache_dir: Path | None = None, source: Path | None = None) -> bytes:
    """The converted network, from the cache if that is whole, else built and cached."""
    return _converted(bytes, cache_dir, source)


def _converted(load: Callable[[bytes], T], cache_dir: Path | None, source: Path | None) -> T:
    return models.converted(NAME, _REVISION, models.DLIB_RESNET, _convert, load, cache_dir, source)


def _convert(weights: bytes) -> bytes:
    return dlibnet.build(dlibdat.parse(weights))
