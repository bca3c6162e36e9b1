"""Reads and writes ONNX files, with just the protobuf that the face networks need.

Owns the ONNX encoding (field numbers from onnx.proto, opset 13). Knows nothing of the
networks themselves, of images or of OpenCV; running ONNX is OpenCV's work.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray

_OPSET = 13
_IR_VERSION = 7
_FLOAT, _INT8, _INT64 = 1, 3, 7  # TensorProto.DataType
_INT, _INTS = 2, 7  # AttributeProto.AttributeType
_DTYPES = {_FLOAT: "<f4", _INT8: "i1", _INT64: "<i8"}


class NotOnnx(ValueError):
    """The bytes are no ONNX model of the kind that is read here."""


class Graph:
    """Nodes and constants under automatic names."""

    def __init__(self) -> None:
        self.nodes: list[bytes] = []
        self.constants: list[bytes] = []

    def constant(self, values: NDArray[np.float32] | NDArray[np.int64]) -> str:
        name = f"c{len(self.constants)}"
        kind, order = (_FLOAT, "<f4") if values.dtype == np.float32 else (_INT64, "<i8")
        self.constants.append(
            b"".join(_number(1, size) for size in values.shape)
            + _number(2, kind)
            + _text(8, name)
            + _bytes(9, np.ascontiguousarray(values, dtype=order).tobytes())
        )
        return name

    def node(
        self,
        kind: str,
        inputs: Sequence[str],
        output: str = "",
        **attributes: int | Sequence[int],
    ) -> str:
        name = output or f"v{len(self.nodes)}"
        self.nodes.append(
            b"".join(_text(1, value) for value in inputs)
            + _text(2, name)
            + _text(3, f"n{len(self.nodes)}")
            + _text(4, kind)
            + b"".join(_bytes(5, _attribute(key, value)) for key, value in attributes.items())
        )
        return name

    def convolution(
        self,
        value: str,
        weights: NDArray[np.float32],
        bias: NDArray[np.float32],
        stride: int,
        padding: int,
    ) -> str:
        """`weights`: filters × channels × rows × columns; one channel each: depthwise."""
        filters, channels, size, _ = weights.shape
        return self.node(
            "Conv",
            [value, self.constant(weights), self.constant(bias)],
            kernel_shape=(size, size),
            strides=(stride, stride),
            pads=(padding,) * 4,
            group=filters if channels == 1 else 1,
        )

    def relu(self, value: str) -> str:
        return self.node("Relu", [value])

    def pad(self, value: str, channels: int, side: int) -> str:
        """Zeros at the end of channels, rows and columns; nothing when nothing is missing."""
        if not channels and not side:
            return value
        ends = np.array([0, 0, 0, 0, 0, channels, side, side], dtype=np.int64)
        return self.node("Pad", [value, self.constant(ends)])


def model(
    graph: Graph, name: str, chips: tuple[int, int, int], embeddings: int, output: str
) -> bytes:
    """The file: input `chips` (N × channels × rows × columns) → `output`, N × `embeddings`."""
    body = (
        b"".join(_bytes(1, node) for node in graph.nodes)
        + _text(2, name)
        + b"".join(_bytes(5, constant) for constant in graph.constants)
        + _bytes(11, _value("chips", ("n", *chips)))
        + _bytes(12, _value(output, ("n", embeddings)))
    )
    opset = _text(1, "") + _number(2, _OPSET)
    return _number(1, _IR_VERSION) + _text(2, "examgate") + _bytes(7, body) + _bytes(8, opset)


def _value(name: str, shape: Iterable[int | str]) -> bytes:
    """ValueInfoProto of a float tensor; a text as size is a free dimension of that name."""
    dims = b"".join(
        _bytes(1, _text(2, size) if isinstance(size, str) else _number(1, size)) for size in shape
    )
    tensor = _number(1, _FLOAT) + _bytes(2, dims)
    return _text(1, name) + _bytes(2, _bytes(1, tensor))


def _attribute(name: str, value: int | Sequence[int]) -> bytes:
    if isinstance(value, int):
        return _text(1, name) + _number(3, value) + _number(20, _INT)
    return _text(1, name) + b"".join(_number(8, item) for item in value) + _number(20, _INTS)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _text(field: int, value: str) -> bytes:
    return _bytes(field, value.encode())


# --- reading ------------------------------------------------------------------------------------


def initializers(data: bytes) -> dict[str, NDArray[np.generic]]:
    """The model's stored tensors by name: float32, int8 or int64. Raises `NotOnnx`."""
    found: dict[str, NDArray[np.generic]] = {}
    for number, graph in _fields(data):
        if number != 7 or not isinstance(graph, bytes):
            continue
        for inner, tensor in _fields(graph):
            if inner == 5 and isinstance(tensor, bytes):
                name, values = _tensor(tensor)
                found[name] = values
    if not found:
        raise NotOnnx("no stored tensors")
    return found


def _tensor(data: bytes) -> tuple[str, NDArray[np.generic]]:
    """TensorProto with its numbers in raw_data, float_data, int32_data or int64_data."""
    shape: list[int] = []
    kind, name, raw, listed = 0, "", b"", []  # type: int, str, bytes, list[bytes | int]
    for number, value in _fields(data):
        if number == 1:
            shape += _integers(value)
        elif number == 2:
            kind = cast(int, value)
        elif number == 8:
            name = cast(bytes, value).decode("utf-8", "replace")
        elif number == 9:
            raw = cast(bytes, value)
        elif number in (4, 5, 7):
            listed.append(value)
    if kind not in _DTYPES:
        raise NotOnnx(f"tensor {name} is of type {kind}")
    if raw:
        values = np.frombuffer(raw, _DTYPES[kind])
    elif kind == _FLOAT:
        values = np.frombuffer(b"".join(cast(list[bytes], listed)), "<f4")
    else:
        numbers = [number for value in listed for number in _integers(value)]
        values = np.array(numbers).astype(_DTYPES[kind])
    if values.size != int(np.prod(shape)):
        raise NotOnnx(f"tensor {name} has {values.size} numbers for shape {shape}")
    return name, values.reshape(shape)


def _integers(value: bytes | int) -> list[int]:
    """A repeated integer field: packed, or one number."""
    if isinstance(value, int):
        return [value]
    out, at = [], 0
    while at < len(value):
        number, at = _read_varint(value, at)
        out.append(number - (1 << 64) if number >> 63 else number)
    return out


def _fields(data: bytes) -> Iterator[tuple[int, bytes | int]]:
    """Field numbers and values of a protobuf message (varint, 4 and 8 bytes, length)."""
    at = 0
    while at < len(data):
        key, at = _read_varint(data, at)
        wire = key & 7
        if wire == 0:
            value, at = _read_varint(data, at)
            yield key >> 3, value
            continue
        if wire == 2:
            size, at = _read_varint(data, at)
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
        else:
            raise NotOnnx(f"wire type {wire} at byte {at}")
        if at + size > len(data):
            raise NotOnnx("the file ends too early")
        yield key >> 3, data[at : at + size]
        at += size


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data) and shift < 64:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    raise NotOnnx("no number where one should be")
