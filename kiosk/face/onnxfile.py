"""Writes the face network as an ONNX file, with just the protobuf that this needs.

Owns the ONNX encoding (field numbers from onnx.proto, opset 11). Knows nothing of dlib's
file, of images or of OpenCV; reading ONNX is OpenCV's work.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from kiosk.face.dlibdat import Block, Convolution, FaceNetwork

CHIP = 150  #: pixels, width and height of the input
_OPSET = 11
_IR_VERSION = 6
_FLOAT, _INT64 = 1, 7  # TensorProto.DataType
_INT, _INTS = 2, 7  # AttributeProto.AttributeType


def build(network: FaceNetwork) -> bytes:
    """The bytes of an ONNX model: float32 `chips` N×3×150×150 → `embeddings` N×128."""
    graph = _Graph()
    side = (CHIP - network.stem.weights.shape[2]) // network.stem.stride + 1
    value = graph.relu(graph.convolution("chips", network.stem))
    value = graph.node("MaxPool", [value], kernel_shape=(3, 3), strides=(2, 2))
    side = (side - 3) // 2 + 1
    for block in network.blocks:
        value, side = _block(graph, value, side, block)
    value = graph.node("GlobalAveragePool", [value])
    value = graph.node("Flatten", [value], axis=1)
    matrix = graph.constant(network.output)
    graph.node("MatMul", [value, matrix], output="embeddings")
    return _model(graph)


def _block(graph: _Graph, value: str, side: int, block: Block) -> tuple[str, int]:
    """dlib adds tensors of different size by padding the smaller with zeros at its end."""
    channels_in = block.first.weights.shape[1]
    channels_out = block.second.weights.shape[0]
    long_way = graph.convolution(graph.relu(graph.convolution(value, block.first)), block.second)
    if not block.halves:
        return graph.relu(graph.node("Add", [long_way, value])), side
    short = graph.node("AveragePool", [value], kernel_shape=(2, 2), strides=(2, 2))
    long_side = (side + 2 * block.first.padding - block.first.weights.shape[2]) // 2 + 1
    short_side = side // 2
    channels, rows = max(channels_in, channels_out), max(long_side, short_side)
    long_way = graph.pad(long_way, channels - channels_out, rows - long_side)
    short = graph.pad(short, channels - channels_in, rows - short_side)
    return graph.relu(graph.node("Add", [long_way, short])), rows


class _Graph:
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

    def convolution(self, value: str, layer: Convolution) -> str:
        size, stride, padding = layer.weights.shape[2], layer.stride, layer.padding
        return self.node(
            "Conv",
            [value, self.constant(layer.weights), self.constant(layer.bias)],
            kernel_shape=(size, size),
            strides=(stride, stride),
            pads=(padding,) * 4,
        )

    def relu(self, value: str) -> str:
        return self.node("Relu", [value])

    def pad(self, value: str, channels: int, side: int) -> str:
        """Zeros at the end of channels, rows and columns; nothing when nothing is missing."""
        if not channels and not side:
            return value
        ends = np.array([0, 0, 0, 0, 0, channels, side, side], dtype=np.int64)
        return self.node("Pad", [value, self.constant(ends)])


def _model(graph: _Graph) -> bytes:
    body = (
        b"".join(_bytes(1, node) for node in graph.nodes)
        + _text(2, "dlib-resnet-v1")
        + b"".join(_bytes(5, constant) for constant in graph.constants)
        + _bytes(11, _value("chips", ("n", 3, CHIP, CHIP)))
        + _bytes(12, _value("embeddings", ("n", 128)))
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
