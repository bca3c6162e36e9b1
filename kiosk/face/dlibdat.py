"""Reads dlib's serialised face recognition network into plain arrays.

Owns the file format (dlib's `serialize`, read from its headers' layout) and the checks that
the file is that very network. Knows nothing of ONNX, of images or of where files live.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kiosk.face.models import WrongModel

Floats = NDArray[np.float32]

#: Names of the layers that carry numbers: a length (one byte, itself counted) and the characters.
_NAME = re.compile(rb"\x01\x05con_4|\x01\x07affine_|\x01\x0aavg_pool_2|\x01\x04fc_2")
#: What the 29-convolution network looks like from the input up.
CONVOLUTIONS = 29
OUTPUTS = 128
_TENSOR_VERSION = 2
_MAX_INTEGER_BYTES = 8
_MAX_ELEMENTS = 1 << 24


@dataclass(frozen=True, slots=True)
class Convolution:
    """A convolution with the affine layer after it folded in."""

    weights: Floats  #: filters × channels × rows × columns
    bias: Floats  #: filters
    stride: int
    padding: int


@dataclass(frozen=True, slots=True)
class Block:
    """A residual block: relu(second(relu(first(x))) + x), x halved when `halves`."""

    first: Convolution
    second: Convolution
    halves: bool


@dataclass(frozen=True, slots=True)
class FaceNetwork:
    """stem, relu, 3×3 stride-2 max pool, blocks, global average, output matrix."""

    stem: Convolution
    blocks: tuple[Block, ...]
    output: Floats  #: channels × 128


class _Cursor:
    """dlib's integers and tensors, read from a position in the bytes."""

    def __init__(self, data: bytes, at: int) -> None:
        self.data = data
        self.at = at

    def integer(self) -> int:
        """One control byte (low 4 bits: how many bytes follow; 0x80: negative), little endian."""
        if self.at >= len(self.data):
            raise WrongModel("the file ends too early")
        control = self.data[self.at]
        size = control & 0x0F
        raw = self.data[self.at + 1 : self.at + 1 + size]
        if control & 0x70 or size > _MAX_INTEGER_BYTES or len(raw) != size:
            raise WrongModel(f"no integer at byte {self.at}")
        self.at += 1 + size
        value = int.from_bytes(raw, "little")
        return -value if control & 0x80 else value

    def tensor(self) -> Floats:
        """Version, samples, k, rows, columns, then raw little-endian float32."""
        version, *shape = (self.integer() for _ in range(5))
        count = int(np.prod([max(n, 0) for n in shape], dtype=np.int64))
        end = self.at + 4 * count
        if version != _TENSOR_VERSION or count > _MAX_ELEMENTS or end > len(self.data):
            raise WrongModel(f"no tensor at byte {self.at}")
        values = np.frombuffer(self.data, dtype="<f4", count=count, offset=self.at)
        self.at = end
        return values.reshape(shape)


def parse(data: bytes) -> FaceNetwork:
    """The network in the bytes of dlib's face recognition model file. Raises `WrongModel`."""
    convolutions, halved, output = _collect(data)
    if len(convolutions) != CONVOLUTIONS or output is None:
        raise WrongModel(f"{len(convolutions)} convolutions instead of {CONVOLUTIONS}")
    if output.shape[1] != OUTPUTS:
        raise WrongModel(f"{output.shape[1]} outputs instead of {OUTPUTS}")
    stem, rest = convolutions[0], convolutions[1:]
    pairs = zip(rest[::2], rest[1::2], strict=True)
    blocks = tuple(
        Block(first, second, halves=index in halved) for index, (first, second) in enumerate(pairs)
    )
    _check_chain(stem, blocks, output)
    return FaceNetwork(stem, blocks, output)


def _collect(data: bytes) -> tuple[list[Convolution], set[int], Floats | None]:
    """Walk the layer names in the order in which they were written: from the input up."""
    convolutions: list[Convolution] = []
    halved: set[int] = set()
    output: Floats | None = None
    pending: tuple[Floats, int, int, int, int] | None = None
    cursor = _Cursor(data, 0)
    while output is None and (match := _NAME.search(data, cursor.at)):
        name = match.group()[2:]
        cursor.at = match.end()
        if name == b"con_4":
            pending = _convolution(cursor)
        elif name == b"affine_" and pending is not None:
            convolutions.append(_fold(pending, cursor.tensor()))
            pending = None
        elif name == b"avg_pool_2" and cursor.integer() > 0:  # 0 rows: the global one at the end
            halved.add((len(convolutions) - 1) // 2 - 1)
        elif name == b"fc_2":
            output = _output(cursor)
    return convolutions, halved, output


def _convolution(cursor: _Cursor) -> tuple[Floats, int, int, int, int]:
    """Parameters (weights then bias), filters, kernel size, stride, padding."""
    params = cursor.tensor()
    filters, rows, columns, stride_y, stride_x, pad_y, pad_x = (cursor.integer() for _ in range(7))
    if rows != columns or stride_y != stride_x or pad_y != pad_x or filters <= 0:
        raise WrongModel(f"an unusual convolution before byte {cursor.at}")
    return params.ravel(), filters, rows, stride_y, pad_y


def _fold(parts: tuple[Floats, int, int, int, int], affine: Floats) -> Convolution:
    """gamma·(w·x + b) + beta = (gamma·w)·x + (gamma·b + beta)."""
    params, filters, size, stride, padding = parts
    channels, left_over = divmod(params.size - filters, filters * size * size)
    scale = affine.ravel()
    if left_over or channels <= 0 or scale.size != 2 * filters:
        raise WrongModel(f"a convolution of {params.size} parameters for {filters} filters")
    gamma, beta = scale[:filters], scale[filters:]
    weights = params[:-filters].reshape(filters, channels, size, size)
    folded = (weights * gamma[:, None, None, None]).astype(np.float32)
    return Convolution(
        folded, (params[-filters:] * gamma + beta).astype(np.float32), stride, padding
    )


def _output(cursor: _Cursor) -> Floats:
    outputs, inputs = cursor.integer(), cursor.integer()
    matrix = cursor.tensor()
    if matrix.size != outputs * inputs:
        raise WrongModel(f"an output matrix of {matrix.size} numbers")
    return matrix.reshape(inputs, outputs)


def _check_chain(stem: Convolution, blocks: tuple[Block, ...], output: Floats) -> None:
    """Each convolution must take what the one before it gives."""
    if stem.weights.shape[1] != 3:
        raise WrongModel("the input is not an RGB image")
    channels = stem.weights.shape[0]
    for block in blocks:
        if block.first.weights.shape[1] != channels:
            raise WrongModel("the convolutions do not follow each other")
        channels = block.second.weights.shape[0]
    if output.shape[0] != channels:
        raise WrongModel("the output matrix does not follow the last convolution")
