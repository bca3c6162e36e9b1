"""A face worker of its own process, before a camera that a test directs through a file.

The file's text is what stands before the camera: "empty", "person", "person:turn_left",
"print:turn_left", "dark", or "unplugged". Its time is its own: a frame each time the engine asks
for one, a fifteenth of a second after the last, so that a busy machine changes nothing.
"""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

import cv2
import numpy as np
from attacks import SPECIES
from stage import Person, empty
from streams import Picture, Scene

from drivers.contracts import DeviceInfo, Frame
from drivers.errors import DeviceFault, FaultCode
from kiosk.core.codes import Prompt
from kiosk.face.detector import HogDetector
from kiosk.face.worker import WorkerOptions, run

FPS = 15.0


class ActedCamera:
    def __init__(self, photo: Path, script: Path) -> None:
        picture = np.asarray(cv2.imread(str(photo)), dtype=np.uint8)
        scene, rng = Scene.of(picture, HogDetector()), np.random.default_rng(0)
        self._script, self._rng, self._seq = script, rng, 0
        self._person = Person(scene, rng, react_s=0.25)
        self._print = SPECIES["tilted"](scene, scene, rng)
        self._began = time.monotonic()
        self._news = threading.Condition()
        self._frame: Frame | None = None

    def open(self) -> DeviceInfo:
        self._refuse_if_unplugged()
        return DeviceInfo("camera", "acted", "script", "acted camera")

    def close(self) -> None:
        pass

    def newest(self, after_seq: int, timeout_s: float) -> Frame:
        """A new one for the engine's loop; the thread of the pictures sees what the loop saw."""
        with self._news:
            self._refuse_if_unplugged()
            if threading.current_thread() is threading.main_thread():
                self._seq += 1
                at_s = self._began + self._seq / FPS
                self._frame = Frame(self._picture(at_s), self._seq, at_s)
                self._news.notify_all()
            else:
                self._news.wait_for(lambda: self._newer(after_seq), timeout_s)
            if self._frame is None or not self._newer(after_seq):
                raise DeviceFault("camera", FaultCode.NO_FRAMES, "the loop asks for none")
            return self._frame

    def _newer(self, after_seq: int) -> bool:
        return self._frame is not None and self._frame.seq > after_seq

    def _picture(self, at_s: float) -> Picture:
        what, _, asked = self._script.read_text().partition(":")
        prompt = Prompt(asked or "none")
        if what == "person":
            return self._person.look(prompt, at_s)
        if what == "print":
            return self._print.look(prompt, at_s)
        return empty(self._rng)

    def _refuse_if_unplugged(self) -> None:
        if self._script.read_text() == "unplugged":
            raise DeviceFault("camera", FaultCode.UNPLUGGED, "the test pulled it")


def main() -> None:
    photo, script, cache, _, fd = sys.argv[1:]
    options = WorkerOptions(absent_s=1.0, liveness_s=12.0, cache_dir=Path(cache))
    run(ActedCamera(Path(photo), Path(script)), int(fd), options)


if __name__ == "__main__":
    main()
