"""A virtual camera for the tests of this folder, and where the photographs are."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from drivers.camera.device import OpenCvCamera
from drivers.camera.render import Renderer
from drivers.camera.virtual import VirtualCamera
from drivers.errors import DeviceFault

ROOT = Path(__file__).resolve().parents[3]
PHOTOS = Path(os.environ.get("EXAMGATE_PHOTOS") or ROOT / ".cache" / "photos")


@pytest.fixture(scope="session")
def photo_path() -> Callable[[str], Path]:
    def find(name: str) -> Path:
        path = PHOTOS / name
        if not path.is_file():
            pytest.skip(f"no photograph {name} in {PHOTOS}; tools/fetch_photos.py fetches it")
        return path

    return find


@pytest.fixture(scope="session")
def renderer(photo_path: Callable[[str], Path]) -> Renderer:
    return Renderer(photo_path("obama.jpg"))


@pytest.fixture(scope="session")
def _twin() -> Iterator[VirtualCamera]:
    with VirtualCamera() as camera:
        yield camera


@pytest.fixture
def twin(_twin: VirtualCamera) -> VirtualCamera:
    """Plugged in, live, showing the pattern that carries its own time."""
    _twin.replug()
    _twin.resume()
    _twin.pattern()
    return _twin


@pytest.fixture
def camera(twin: VirtualCamera) -> Iterator[OpenCvCamera]:
    """The real capture on the twin's stream, not yet opened."""
    device = OpenCvCamera({"driver": "opencv", "source": twin.url, "width": 640, "height": 480})
    yield device
    device.close()


def until_lost(camera: OpenCvCamera, limit_s: float) -> tuple[DeviceFault, float]:
    """Watch until the camera raises; the fault and the seconds it took."""
    began_s, seq = time.monotonic(), 0
    while time.monotonic() - began_s < limit_s:
        try:
            seq = camera.newest(seq, 1.0).seq
        except DeviceFault as fault:
            return fault, time.monotonic() - began_s
    raise AssertionError(f"still alive after {limit_s} s")


@pytest.fixture
def lost() -> Callable[[OpenCvCamera, float], tuple[DeviceFault, float]]:
    return until_lost
