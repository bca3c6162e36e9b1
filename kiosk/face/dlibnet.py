"""dlib's face recognition network as an ONNX model that OpenCV runs quickly.

Owns the order of its layers. Knows nothing of dlib's file, of images or of where files live.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kiosk.face import onnxfile
from kiosk.face.dlibdat import OUTPUTS, Block, Convolution, FaceNetwork

CHIP = 150  #: pixels, width and height of the face
#: The network's input: each 2×2 square of the chip's pixels as 4 channels of one pixel.
FOLDED = (12, CHIP // 2, CHIP // 2)
_POOL = 3


def fold(blob: NDArray[np.float32]) -> NDArray[np.float32]:
    """N×3×150×150 to N×12×75×75 (space to depth).

    The first convolution is 7×7 with stride 2 over 3 channels, which vectorises badly; over
    the folded picture it is 4×4 with stride 1 over 12, the same sum in a tenth less time for
    the whole network.
    """
    count, channels, rows, columns = blob.shape
    squares = blob.reshape(count, channels, rows // 2, 2, columns // 2, 2)
    return np.ascontiguousarray(squares.transpose(0, 1, 3, 5, 2, 4)).reshape(count, *FOLDED)


def build(network: FaceNetwork) -> bytes:
    """The bytes of an ONNX model: float32 `chips` N×12×75×75 (`fold`) → `embeddings` N×128."""
    graph = onnxfile.Graph()
    stem = _folded(network.stem)
    value = graph.relu(_convolution(graph, "chips", stem))
    side = FOLDED[1] - stem.weights.shape[2] + 1
    value = graph.node("MaxPool", [value], kernel_shape=(_POOL, _POOL), strides=(2, 2))
    side = (side - _POOL) // 2 + 1
    for block in network.blocks:
        value, side = _block(graph, value, side, block)
    value = graph.node("GlobalAveragePool", [value])
    value = graph.node("Flatten", [value], axis=1)
    matrix = graph.constant(network.output)
    graph.node("MatMul", [value, matrix], output="embeddings")
    return onnxfile.model(graph, "dlib-resnet-v1", FOLDED, OUTPUTS, "embeddings")


def _folded(stem: Convolution) -> Convolution:
    """The same convolution over `fold`ed pixels: 7×7 padded to 8×8, then folded likewise."""
    filters, channels, size, _ = stem.weights.shape
    even = np.zeros((filters, channels, size + 1, size + 1), np.float32)
    even[:, :, :size, :size] = stem.weights
    half = (size + 1) // 2
    squares = even.reshape(filters, channels, half, 2, half, 2).transpose(0, 1, 3, 5, 2, 4)
    weights = np.ascontiguousarray(squares).reshape(filters, channels * 4, half, half)
    return Convolution(weights, stem.bias, 1, 0)


def _convolution(graph: onnxfile.Graph, value: str, layer: Convolution) -> str:
    return graph.convolution(value, layer.weights, layer.bias, layer.stride, layer.padding)


def _block(graph: onnxfile.Graph, value: str, side: int, block: Block) -> tuple[str, int]:
    """dlib adds tensors of different size by padding the smaller with zeros at its end."""
    channels_in = block.first.weights.shape[1]
    channels_out = block.second.weights.shape[0]
    long_way = graph.relu(_convolution(graph, value, block.first))
    long_way = _convolution(graph, long_way, block.second)
    if not block.halves:
        return graph.relu(graph.node("Add", [long_way, value])), side
    short = graph.node("AveragePool", [value], kernel_shape=(2, 2), strides=(2, 2))
    long_side = (side + 2 * block.first.padding - block.first.weights.shape[2]) // 2 + 1
    short_side = side // 2
    channels, rows = max(channels_in, channels_out), max(long_side, short_side)
    long_way = graph.pad(long_way, channels - channels_out, rows - long_side)
    short = graph.pad(short, channels - channels_in, rows - short_side)
    return graph.relu(graph.node("Add", [long_way, short])), rows
