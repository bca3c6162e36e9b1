"""dlib's face recognition network as an ONNX model.

Owns the order of its layers. Knows nothing of dlib's file, of images or of where files live.
"""

from __future__ import annotations

from kiosk.face import onnxfile
from kiosk.face.dlibdat import OUTPUTS, Block, Convolution, FaceNetwork

CHIP = 150  #: pixels, width and height of the face
_POOL = 3


def build(network: FaceNetwork) -> bytes:
    """The bytes of an ONNX model: float32 `chips` N×3×150×150 → `embeddings` N×128."""
    graph = onnxfile.Graph()
    stem = network.stem
    value = graph.relu(_convolution(graph, "chips", stem))
    side = (CHIP - stem.weights.shape[2]) // stem.stride + 1
    value = graph.node("MaxPool", [value], kernel_shape=(_POOL, _POOL), strides=(2, 2))
    side = (side - _POOL) // 2 + 1
    for block in network.blocks:
        value, side = _block(graph, value, side, block)
    value = graph.node("GlobalAveragePool", [value])
    value = graph.node("Flatten", [value], axis=1)
    matrix = graph.constant(network.output)
    graph.node("MatMul", [value, matrix], output="embeddings")
    return onnxfile.model(graph, "dlib-resnet-v1", (3, CHIP, CHIP), OUTPUTS, "embeddings")


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
