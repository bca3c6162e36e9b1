"""A face worker of its own process, before a camera that a test directs through a file.

The file's text is what stands before the camera: "empty", "person", "person:turn_left",
"print:turn_left", "dark", or "unplugged".
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
        self._lock = threading.Lock()
        self._frame: Frame | None = None

    def open(self) -> DeviceInfo:
        self._refuse_if_unplugged()
        return DeviceInfo("camera", "acted", "script", "acted camera")

    def close(self) -> None:
        pass

    def newest(self, after_seq: int, timeout_s: float) -> Frame:
        with self._lock:
            self._refuse_if_unplugged()
            if self._frame is not None and self._frame.seq > after_seq:
                return self._frame
            now = time.monotonic()
            due = self._began + self._seq / FPS
            time.sleep(max(due - now, 0.0))
            self._seq = int((time.monotonic() - self._began) * FPS) + 1
            self._frame = Frame(self._picture(), self._seq, time.monotonic())
            return self._frame

    def _picture(self) -> Picture:
        what, _, asked = self._script.read_text().partition(":")
        prompt, at_s = Prompt(asked or "none"), time.monotonic() - self._began
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
    options = WorkerOptions(absent_s=1.0, liveness_s=6.0, cache_dir=Path(cache))
    run(ActedCamera(Path(photo), Path(script)), int(fd), options)


if __name__ == "__main__":
    main()
