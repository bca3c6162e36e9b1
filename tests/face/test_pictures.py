"""Pictures flow at the camera's pace while the engine is busy, and stop when told to."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable

import numpy as np
import pytest

from drivers.contracts import DeviceInfo, Frame
from drivers.errors import DeviceFault, FaultCode
from kiosk.core.codes import Prompt
from kiosk.face.events import Preview
from kiosk.face.pictures import Look, Pictures

IMAGE = np.zeros((480, 640, 3), np.uint8)


class TickingCamera:
    """A frame every `gap_s`, or none at all while it is lost."""

    def __init__(self, gap_s: float) -> None:
        self._gap_s, self._began, self.lost = gap_s, time.monotonic(), False

    def open(self) -> DeviceInfo:
        return DeviceInfo("camera", "ticking", "", "")

    def close(self) -> None:
        pass

    def newest(self, after_seq: int, timeout_s: float) -> Frame:
        while not self.lost:
            now = time.monotonic()
            seq = int((now - self._began) / self._gap_s)
            if seq > after_seq:
                return Frame(IMAGE, seq, self._began + seq * self._gap_s)
            time.sleep(0.001)
        raise DeviceFault("camera", FaultCode.UNPLUGGED, "")


@pytest.fixture
def made() -> Callable[..., tuple[Pictures, list[Preview], TickingCamera]]:
    def make(gap_s: float, fps: float) -> tuple[Pictures, list[Preview], TickingCamera]:
        sent: list[Preview] = []
        camera = TickingCamera(gap_s)
        pictures = Pictures(camera, sent.append, width=320, quality=75, fps=fps)
        return pictures, sent, camera

    return make


def test_a_busy_engine_does_not_hold_pictures_up(made: Callable) -> None:
    pictures, sent, camera = made(0.02, 100)
    look = Look((0.1, 0.2, 0.3, 0.4), Prompt.TURN_LEFT, 0.4)
    pictures.show(camera.newest(-1, 1), look, flow=True)
    time.sleep(0.5)  # the engine looks at one frame for half a second
    pictures.still()
    assert len(sent) >= 15
    assert {(p.box, p.prompt, p.progress) for p in sent} == {(look.box, look.prompt, 0.4)}
    times = [p.at_s for p in sent]
    assert times == sorted(set(times)), "none twice, none out of order"
    assert (sent[0].width, sent[0].height) == (320, 240)
    pictures.close()


def test_none_comes_after_it_was_told_to_stop(made: Callable) -> None:
    pictures, sent, camera = made(0.001, 1000)
    pictures.show(camera.newest(-1, 1), Look(), flow=True)
    time.sleep(0.05)
    pictures.still()
    count = len(sent)
    time.sleep(0.05)
    assert len(sent) == count > 1
    pictures.show(camera.newest(-1, 1), Look(), flow=False)
    time.sleep(0.05)
    assert len(sent) == count + 1
    pictures.close()


def test_a_fast_camera_is_slowed_to_the_pace_of_a_screen(made: Callable) -> None:
    pictures, sent, camera = made(0.005, 25)
    pictures.show(camera.newest(-1, 1), Look(), flow=True)
    time.sleep(0.6)
    pictures.still()
    assert 8 <= len(sent) <= 18  # 200 frames a second came, 25 are shown
    gaps = [b.at_s - a.at_s for a, b in itertools.pairwise(sent[3:])]
    assert min(gaps) > 0.004
    pictures.close()


def test_a_lost_camera_ends_it_and_the_engine_begins_it_anew(made: Callable) -> None:
    pictures, sent, camera = made(0.01, 100)
    pictures.show(camera.newest(-1, 1), Look(), flow=True)
    time.sleep(0.05)
    camera.lost = True
    time.sleep(0.05)
    camera.lost = False
    count = len(sent)
    time.sleep(0.1)
    assert len(sent) == count
    pictures.show(camera.newest(-1, 1), Look(), flow=True)
    time.sleep(0.1)
    pictures.still()
    assert len(sent) > count + 3
    pictures.close()
    assert not any(t.name == "pictures" and t.is_alive() for t in threading.enumerate())
