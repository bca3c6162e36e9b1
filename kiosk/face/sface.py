"""SFace, the second encoder: a MobileNet trained with the sigmoid-constrained hypersphere loss.

Owns reading its weights, its chips and the running. Knows nothing of cameras or decisions.
Source: Zhong et al., "SFace: Sigmoid-Constrained Hypersphere Loss for Robust Face
Recognition", IEEE TIP 2021; weights of the OpenCV model zoo, quantised in blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from kiosk.face import models, onnxfile
from kiosk.face.models import WrongModel
from kiosk.face.parts import Chip, Face, Floats, Image

NAME = "sface-2021dec-v1"
CHIP = 112  #: pixels, width and height of the input
SIZE = 128
_REVISION = 1
_BATCH = 16
_LAYERS = 14  #: a full convolution, then pairs of a depthwise and a 1×1 one
_HALVING = {3, 5, 7, 13}  #: the layers whose depthwise convolution has stride 2
_EPSILON, _EPSILON_END = 1e-3, 2e-5
_MEAN, _SCALE = 127.5, 0.0078125
#: Where `Face.marks` come to lie in the chip: the usual template of 112×112 recognisers
#: (the person's right eye, left eye, nose tip, right and left corner of the mouth).
TEMPLATE = np.array(
    [(38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655),
     (70.7299, 92.2041)], dtype=np.float64
)  # fmt: skip

T = TypeVar("T")

Tensors = Mapping[str, NDArray[np.generic]]


class SFace:
    """The encoder "sface-2021dec-v1": unit vectors, so that d² = 2 - 2 cos.

    Raises `kiosk.face.models.WrongModel`. OpenCV is set to one thread, see `DlibResnet`.
    """

    name = NAME
    size = SIZE

    def __init__(self, cache_dir: Path | None = None, source: Path | None = None) -> None:
        cv2.setNumThreads(1)
        self._net = _converted(_net, cache_dir, source)

    def chip(self, image: Image, face: Face) -> Chip:
        """112×112 RGB, the marks laid onto the template by a similarity transform."""
        if face.marks is None:
            raise ValueError("this encoder needs a detector that gives marks")
        move = similarity(face.marks.astype(np.float64), TEMPLATE)
        chip = cv2.warpAffine(image, move, (CHIP, CHIP), flags=cv2.INTER_LINEAR)
        return (np.asarray(cv2.cvtColor(chip, cv2.COLOR_BGR2RGB), dtype=np.uint8),)

    def embed(self, chips: Sequence[Chip]) -> Floats:
        """N chips (112×112 RGB) to N×128 float32 of length 1."""
        images = [chip[0] for chip in chips]
        parts = [self._forward(images[at : at + _BATCH]) for at in range(0, len(images), _BATCH)]
        return np.vstack(parts) if parts else np.empty((0, self.size), np.float32)

    def _forward(self, chips: Sequence[Image]) -> Floats:
        mean = (_MEAN, _MEAN, _MEAN)
        self._net.setInput(cv2.dnn.blobFromImages(list(chips), _SCALE, (CHIP, CHIP), mean))
        rows = np.array(self._net.forward(), dtype=np.float32).reshape(len(chips), -1)
        lengths = np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
        return np.asarray(rows / lengths, dtype=np.float32)


def similarity(points: NDArray[np.float64], onto: NDArray[np.float64]) -> NDArray[np.float64]:
    """The 2×3 turn, scale and shift that lays N×2 `points` onto `onto` best (least squares).

    Umeyama, "Least-squares estimation of transformation parameters between two point
    patterns", IEEE PAMI 13(4), 1991; in the plane it is one complex division.
    """
    there, here = onto - onto.mean(axis=0), points - points.mean(axis=0)
    a, b = here[:, 0] + 1j * here[:, 1], there[:, 0] + 1j * there[:, 1]
    turn = complex((a.conj() @ b) / max(float((a.conj() @ a).real), 1e-12))
    matrix = np.array([[turn.real, -turn.imag], [turn.imag, turn.real]])
    shift = onto.mean(axis=0) - matrix @ points.mean(axis=0)
    return np.column_stack([matrix, shift])


def onnx_bytes(cache_dir: Path | None = None, source: Path | None = None) -> bytes:
    """The network in float32 and folded, from the cache if that is whole, else built."""
    return _converted(bytes, cache_dir, source)


def _converted(load: Callable[[bytes], T], cache_dir: Path | None, source: Path | None) -> T:
    return models.converted(NAME, _REVISION, models.SFACE, convert, load, cache_dir, source)


def _net(model: bytes) -> cv2.dnn.Net:
    return cv2.dnn.readNetFromONNX(np.frombuffer(model, np.uint8))


def convert(model: bytes) -> bytes:
    """From int8 in blocks to float32, with each normalisation folded into its convolution.

    The original file lists its weights as inputs, which OpenCV 5 takes at their word and refuses;
    this one has the picture as its only input and gives the same unit vectors within 1e-5.
    Raises `WrongModel` when the tensors are not those of this network.
    """
    try:
        tensors = onnxfile.initializers(model)
        return _build(tensors)
    except (onnxfile.NotOnnx, KeyError, ValueError) as error:
        raise WrongModel(f"not the SFace network: {error}") from error


def _build(tensors: Tensors) -> bytes:
    graph = onnxfile.Graph()
    value = _layer(graph, tensors, "chips", "conv_1", 1, 1)
    for layer in range(2, _LAYERS + 1):
        stride = 2 if layer in _HALVING else 1
        value = _layer(graph, tensors, value, f"conv_{layer}_dw", stride, 1)
        value = _layer(graph, tensors, value, f"conv_{layer}", 1, 0)
    weights, bias = _ending(tensors)
    value = graph.node("Flatten", [value], axis=1)
    inputs = [value, graph.constant(weights), graph.constant(bias)]
    graph.node("Gemm", inputs, output="embeddings", transB=1)
    return onnxfile.model(graph, NAME, (3, CHIP, CHIP), SIZE, "embeddings")


def _layer(
    graph: onnxfile.Graph, tensors: Tensors, value: str, name: str, stride: int, padding: int
) -> str:
    weights = _weights(tensors, f"{name}_conv2d")
    scale, shift = _normalisation(tensors, f"{name}_batchnorm", _EPSILON)
    folded = (weights * scale[:, None, None, None]).astype(np.float32)
    value = graph.convolution(value, folded, shift.astype(np.float32), stride, padding)
    slope = np.asarray(tensors[f"{name}_relu_gamma"], dtype=np.float32).reshape(-1, 1, 1)
    return graph.node("PRelu", [value, graph.constant(slope)])


def _ending(tensors: Tensors) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Normalisation, full connection and normalisation again: one matrix and one offset."""
    scale, shift = _normalisation(tensors, "bn1", _EPSILON_END)
    matrix = _dequantised(tensors, "pre_fc1_weight", 1)
    squares = matrix.shape[1] // len(scale)
    matrix3 = matrix.reshape(len(matrix), len(scale), squares)
    offset = _dequantised(tensors, "pre_fc1_bias", 0) + (matrix3.sum(axis=2) @ shift)
    matrix = (matrix3 * scale[None, :, None]).reshape(matrix.shape)
    last, last_shift = _normalisation(tensors, "fc1", _EPSILON_END)
    return (
        (matrix * last[:, None]).astype(np.float32),
        (offset * last + last_shift).astype(np.float32),
    )


def _normalisation(
    tensors: Tensors, name: str, epsilon: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Batch normalisation as y = scale · x + shift, per channel."""
    gamma, beta, mean, variance = (
        np.asarray(tensors[f"{name}_{part}"], dtype=np.float64)
        for part in ("gamma", "beta", "moving_mean", "moving_var")
    )
    scale = gamma / np.sqrt(variance + epsilon)
    return scale, beta - mean * scale


def _weights(tensors: Tensors, name: str) -> NDArray[np.float64]:
    shape = np.asarray(tensors[f"{name}_weight_shape"], dtype=np.int64)
    return _dequantised(tensors, f"{name}_weight", 1).reshape(tuple(int(n) for n in shape))


def _dequantised(tensors: Tensors, name: str, axis: int) -> NDArray[np.float64]:
    """(q - zero) · scale, each scale for a block along `axis` (ONNX DequantizeLinear, 21)."""
    numbers = np.asarray(tensors[f"{name}_quantized"], dtype=np.float64)
    scales = np.asarray(tensors[f"{name}_scales"], dtype=np.float64)
    zeros = np.asarray(tensors[f"{name}_zero_point"], dtype=np.float64)
    block = -(-numbers.shape[axis] // scales.shape[axis])
    length = numbers.shape[axis]

    def spread(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.take(np.repeat(values, block, axis=axis), range(length), axis=axis)

    return (numbers - spread(zeros)) * spread(scales)
