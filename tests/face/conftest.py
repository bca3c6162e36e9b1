"""Where the photographs are, and what every face test builds from them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from kiosk.face.detector import HogDetector
from kiosk.face.encoder import DlibResnet
from kiosk.face.encoders import make_encoder
from kiosk.face.parts import Encoder
from kiosk.face.yunet import YuNetDetector

sys.path.insert(0, str(Path(__file__).parent))  # for stage.py and streams.py beside this file

ROOT = Path(__file__).resolve().parents[2]
PHOTOS = Path(os.environ.get("EXAMGATE_PHOTOS") or ROOT / ".cache" / "photos")


@pytest.fixture(scope="session")
def photo_path() -> Callable[[str], Path]:
    def find(name: str) -> Path:
        path = PHOTOS / name
        if not path.exists():
            pytest.skip(f"no photograph {path}; `make` puts it there, or set EXAMGATE_PHOTOS")
        return path

    return find


@pytest.fixture(scope="session")
def photo(photo_path: Callable[[str], Path]) -> Callable[[str], NDArray[np.uint8]]:
    def read(name: str) -> NDArray[np.uint8]:
        return np.asarray(cv2.imread(str(photo_path(name))), dtype=np.uint8)

    return read


@pytest.fixture(scope="session")
def face_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("face-cache")


@pytest.fixture(scope="session")
def detector() -> HogDetector:
    return HogDetector()


@pytest.fixture(scope="session")
def encoder(face_cache: Path) -> DlibResnet:
    return DlibResnet(face_cache)


@pytest.fixture(scope="session")
def shipped_detector() -> YuNetDetector:
    return YuNetDetector()


@pytest.fixture(scope="session")
def shipped_encoder(face_cache: Path) -> Encoder:
    return make_encoder(cache_dir=face_cache)
