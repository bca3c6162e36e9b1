"""Whole lanes for end-to-end tests: real daemon, real bytes, photographs where there are any."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from drivers.camera.virtual import VirtualCamera
from kiosk.demo.people import CHEN, LI, WANG, write_roster
from kiosk.demo.photos import PhotosMissing, photos_dir
from kiosk.demo.venue import Venue, VenueOptions, soon
from tests.e2e.walker import Walker

QUICK = {
    "face_s": 20.0,
    "finger_s": 10.0,
    "sign_s": 20.0,
    "gate_s": 2.0,
    "gate_clear_s": 3.0,
    "result_s": 1.0,
    "absent_s": 1.5,
}


@pytest.fixture(scope="session")
def photos() -> Path:
    try:
        return photos_dir()
    except PhotosMissing as missing:
        pytest.skip(f"photographs are not here: {missing}")


@pytest.fixture(scope="session")
def camera(photos: Path) -> Iterator[VirtualCamera]:
    """One for all: modelling a head takes a second."""
    camera = VirtualCamera()
    for person in (WANG, LI, CHEN):
        camera.prepare(photos / person.live_photo)
    yield camera
    camera.close()


def options(camera: VirtualCamera) -> VenueOptions:
    """Short waits, and no liveness challenge: that has its own tests."""
    changes = {"face.liveness": False, "face.frames": 1}
    return VenueOptions(timeouts=QUICK, camera=camera, changes=changes)


@pytest.fixture(scope="session")
def morning(tmp_path_factory: pytest.TempPathFactory, photos: Path, camera: VirtualCamera) -> Path:
    """A lane's folder as it is when session S1 has just been opened; copied for each test."""
    folder = tmp_path_factory.mktemp("morning") / "venue"
    with Venue(folder, options(camera)) as venue:
        roster = write_roster(folder / "roster", photos, {"S1": [WANG, LI], "S2": [CHEN]})
        venue.prepare(roster, [("S1", soon(25), 5), ("S2", soon(60), 5)])
        venue.start_daemon()
        venue.command("session", "open", "S1", "--person", "test")
        venue.stop("daemon")
    return folder


@pytest.fixture
def quick_venue(tmp_path: Path, morning: Path, camera: VirtualCamera) -> Iterator[Venue]:
    """A lane with an open session and nobody before its camera."""
    with as_in_the_morning(tmp_path / "venue", morning, camera) as venue:
        yield venue


def copy_of(morning: Path, folder: Path) -> None:
    """The lane's data and keys in a folder of their own."""
    folder.mkdir()
    shutil.copytree(morning / "data", folder / "data")
    for key in morning.glob("*.key"):
        shutil.copy2(key, folder / key.name)


@contextmanager
def as_in_the_morning(
    folder: Path, morning: Path, camera: VirtualCamera, changes: dict[str, Any] | None = None
) -> Iterator[Venue]:
    """Such a lane in a folder of its own; `changes` as in `VenueOptions`."""
    copy_of(morning, folder)
    camera.empty()
    usual = options(camera)
    usual.changes |= changes or {}
    with Venue(folder, usual) as venue:
        venue.start_daemon()
        yield venue


@pytest.fixture
def walker(quick_venue: Venue, photos: Path) -> Walker:
    return Walker(quick_venue, photos)
