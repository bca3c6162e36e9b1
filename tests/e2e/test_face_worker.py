"""The face worker killed, and the camera pulled, while somebody is looked at: said at once, and
the same candidate comes in afterwards."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable

import psutil
import pytest

from kiosk.demo.people import WANG
from kiosk.demo.venue import Venue
from tests.e2e.walker import Walker, audit


def kill_worker(venue: Venue) -> None:
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if "face-worker" in words and str(venue.config_path) in words:
            os.kill(process.pid, signal.SIGKILL)
            return
    raise AssertionError("there is no face worker")


def pull_camera(venue: Venue) -> None:
    assert venue.camera is not None
    venue.camera.unplug()
    threading.Timer(2.0, venue.camera.replug).start()


@pytest.mark.parametrize("lose", [kill_worker, pull_camera])
def test_lost_while_looked_at(
    quick_venue: Venue, walker: Walker, lose: Callable[[Venue], None]
) -> None:
    venue = quick_venue
    lost_at: list[float] = []

    def in_the_face_step() -> None:
        venue.wait(lambda: venue.call("lane.state")["state"] == "face", "the face step")
        lost_at.append(time.monotonic())
        lose(venue)

    saboteur = threading.Thread(target=in_the_face_step)
    saboteur.start()
    state = walker.walk(WANG, lambda state: state["state"] == "out_of_order")
    assert lost_at and time.monotonic() - lost_at[0] < 1.0
    assert state["reason"] == "DEVICE_FAULT" and not state["devices"]["camera"]["ok"]
    saboteur.join()
    venue.wait(lambda: venue.call("device.status")["camera"]["ok"], "the camera", 10)
    state = walker.walk(WANG, lambda state: state["state"] == "welcome")
    assert state["reason"] == "ADMITTED"
    assert len([e for e in audit(venue) if e["kind"] == "seat_drawn"]) == 1
