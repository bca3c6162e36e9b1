"""Whole lanes for end-to-end tests: real daemon, real bytes, photographs where there are any."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

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
    "absent_s": 2.0,
}


@pytest.fixture(scope="session")
def photos() -> Path:
    try:
        return photos_dir()
    except PhotosMissing as missing:
        pytest.skip(f"photographs are not here: {missing}")


@pytest.fixture
def quick_venue(tmp_path: Path, photos: Path) -> Iterator[Venue]:
    """A lane with an open session, short waits, and no liveness challenge (tested elsewhere)."""
    options = VenueOptions(timeouts=QUICK, changes={"face.liveness": False, "face.frames": 1})
    with Venue(tmp_path / "venue", options) as venue:
        roster = write_roster(tmp_path / "roster", photos, {"S1": [WANG, LI], "S2": [CHEN]})
        venue.prepare(roster, [("S1", soon(), 5), ("S2", soon(60), 5)])
        venue.prepare_camera(photos)
        venue.start_daemon()
        venue.command("session", "open", "S1", "--person", "test")
        yield venue


@pytest.fixture
def walker(quick_venue: Venue, photos: Path) -> Walker:
    return Walker(quick_venue, photos)
