"""The live picture for the candidate's screen, at the camera's pace while the engine has its own.

Owns the thread that makes and sends previews. Must not know what a face means.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

import cv2

from drivers.contracts import Camera, Frame
from drivers.errors import DeviceFault
from kiosk.core.codes import Prompt
from kiosk.face.events import Box, Preview
from kiosk.face.parts import Image

_SLICE_S = 0.2


@dataclass(frozen=True, slots=True)
class Look:
    """What the engine saw last, to be shown with each picture until it has looked again."""

    box: Box | None = None  #: fractions of the picture
    prompt: Prompt = Prompt.NONE
    progress: float = 0.0


class Pictures:
    """Pictures flow between `flow` and `still`; `send` is called from the thread in between."""

    def __init__(
        self,
        camera: Camera,
        send: Callable[[Preview], None],
        *,
        width: int,
        quality: int,
        fps: float,
    ) -> None:
        self._camera, self._send = camera, send
        self._width, self._quality = width, quality
        self._gap_s = 1 / fps
        self._look = Look()
        self._flowing = threading.Event()
        self._turn = threading.Lock()
        self._ended = False
        self._seq, self._due_s = -1, 0.0
        self._thread = threading.Thread(target=self._run, name="pictures", daemon=True)
        self._thread.start()

    def show(self, frame: Frame, look: Look, flow: bool) -> None:
        """Show this; with `flow` every further picture of the camera as well, until told else."""
        with self._turn:
            self._look = look
            if flow and self._flowing.is_set():
                return  # the thread has shown this picture, or a newer one
            self._picture(frame)
        if flow:
            self._flowing.set()
        else:
            self.still()

    def still(self) -> None:
        """No picture comes of itself; none is under way any more when this returns."""
        self._flowing.clear()
        with self._turn:
            self._seq = -1

    def close(self) -> None:
        self._ended = True
        self._flowing.set()
        self._thread.join(1.0)

    def _run(self) -> None:
        while True:
            self._flowing.wait()
            if self._ended:
                return
            try:
                frame = self._camera.newest(self._seq, _SLICE_S)
            except DeviceFault:  # the engine's loop meets it too, and recovers the camera
                self._flowing.clear()
                continue
            with self._turn:
                if not self._flowing.is_set():
                    continue  # it was told to be still while it waited: this one is not its own
                if frame.at_s >= self._due_s:
                    self._picture(frame)
                else:
                    self._seq = frame.seq

    def _picture(self, frame: Frame) -> None:
        if frame.seq <= self._seq:
            return
        self._seq = frame.seq
        # cameras are not quite regular: one that comes early after a late one still counts
        self._due_s = max(self._due_s, frame.at_s - 2 * self._gap_s) + self._gap_s
        jpeg, width, height = self._jpeg(frame.image)
        look = self._look
        self._send(Preview(jpeg, width, height, look.box, look.prompt, look.progress, frame.at_s))

    def _jpeg(self, image: Image) -> tuple[bytes, int, int]:
        scale = min(self._width / image.shape[1], 1.0)
        small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        _, data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, self._quality])
        return data.tobytes(), small.shape[1], small.shape[0]
