"""The camera: a thread drains its source so that the newest picture is always at hand.

Owns freshness and loss; where pictures come from is sources.py. Looks at no picture's
content and writes no picture anywhere.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, fields
from typing import Self

import cv2
import numpy as np

from drivers.camera.sources import Image, Source, fault, open_source, shown
from drivers.contracts import DeviceInfo, Frame, Options
from drivers.errors import DeviceFault, FaultCode


@dataclass(frozen=True)
class CameraOptions:
    source: str | int  #: V4L2 path or number, rtsp://, http(s):// (MJPEG), video file, folder
    width: int = 640  #: asked of V4L2 cameras; others send what they send
    height: int = 480
    loop: bool = True  #: files and folders begin again at their end
    folder_fps: float = 5.0
    stall_s: float = 0.8  #: no picture for so long: the camera is lost (the face worker's, too)
    frozen_s: float = 5.0  #: the very same picture for so long: it hangs; 0 = do not look
    open_timeout_s: float = 5.0

    @classmethod
    def parse(cls, options: Options) -> Self:
        """Raises `ValueError` naming an option that is unknown or missing."""
        given = {key: value for key, value in options.items() if key != "driver"}
        unknown = sorted(set(given) - {field.name for field in fields(cls)})
        if unknown:
            raise ValueError(f"camera: unknown option {unknown[0]!r}")
        if "source" not in given:
            raise ValueError("camera: option 'source' is missing")
        return cls(**given)


class _Grabber(threading.Thread):
    """Owns one open source from its opening to its release, so that a call stuck in a
    driver can be left behind without taking the lane with it."""

    def __init__(self, options: CameraOptions, seq: int, stuck: bytes) -> None:
        super().__init__(name="camera-grabber", daemon=True)
        self._options = options
        self.news = threading.Condition()
        self.frame: Frame | None = None
        self.fault: DeviceFault | None = None
        self.facts: dict[str, str] | None = None  #: None until opened
        self.stopping = False
        self.damaged = 0  #: pictures since the last whole one
        self.stuck = stuck  #: samples of the picture that it hung at, until another one comes
        self._seq = seq
        self._print: bytes = b""
        self._changed_s = self._stuck_s = 0.0

    def run(self) -> None:
        options = self._options
        source: Source | None = None
        try:
            source = open_source(
                options.source,
                width=options.width,
                height=options.height,
                loop=options.loop,
                folder_fps=options.folder_fps,
            )
            self.facts = dict(source.facts)
            while not self.stopping:
                image = source.read()
                if image is None:
                    self.damaged += 1
                else:
                    self._publish(image, source.live)
        except DeviceFault as error:
            self._fail(error)
        except cv2.error as error:
            # its text may quote the source with its password: the code is enough
            self._fail(fault(FaultCode.NO_FRAMES, f"OpenCV error {error.code}"))
        finally:
            if source is not None:
                source.close()

    def _fail(self, error: DeviceFault) -> None:
        with self.news:
            self.fault = error
            self.news.notify_all()

    def _publish(self, image: Image, live: bool) -> None:
        now_s = time.monotonic()
        if live and self._options.frozen_s and self._look_frozen(image, now_s):
            return
        if live and self.frame is not None:
            self._look_size(image, self.frame.image)
        with self.news:
            self.damaged = 0
            self._seq += 1
            self.frame = Frame(image, self._seq, now_s)
            self.news.notify_all()

    def _look_size(self, image: Image, before: Image) -> None:
        """Faces are followed from picture to picture: another size is another stream."""
        if image.shape == before.shape:
            return
        was, now = (f"{each.shape[1]}x{each.shape[0]}" for each in (before, image))
        detail = f"{shown(self._options.source)}: picture size changed from {was} to {now}"
        raise fault(FaultCode.MISBEHAVES, detail)

    def _look_frozen(self, image: Image, now_s: float) -> bool:
        """Whether this is still the picture that it hung at before it was opened anew.

        A live sensor is never silent: noise changes some sample from picture to picture.

        Even pictures (a covered lens, a saturated one) may truly repeat and do not count.
        """
        samples = np.ascontiguousarray(image[::16, ::16])
        now = samples.tobytes()
        if now == self.stuck:
            self._stuck_s = self._stuck_s or now_s
            if now_s - self._stuck_s >= self._options.stall_s:  # it may begin with an old one
                raise fault(FaultCode.FROZEN, shown(self._options.source))
            return True
        self.stuck = b""
        if now != self._print or samples.std() < 2:
            self._print, self._changed_s = now, now_s
        elif now_s - self._changed_s >= self._options.frozen_s:
            self.stuck = now
            raise fault(FaultCode.FROZEN, shown(self._options.source))
        return False

    def wait(self, after_seq: int, until_s: float) -> Frame | None:
        """The newest frame after `after_seq`, None when there is none by `until_s`."""

        def ready() -> bool:
            return self.fault is not None or self._seq_now() > after_seq

        with self.news:
            self.news.wait_for(ready, max(0.0, until_s - time.monotonic()))
            if self.fault is not None:
                raise DeviceFault(self.fault.device, self.fault.code, self.fault.detail)
            return self.frame if self._seq_now() > after_seq else None

    def _seq_now(self) -> int:
        return self.frame.seq if self.frame is not None else -1


class OpenCvCamera:
    """`drivers.contracts.Camera` over OpenCV. `open` again after a fault; only `newest` may be
    called by several threads.

    `options`: see `CameraOptions`. Frame numbers go on rising across `open`s.
    """

    def __init__(self, options: Options) -> None:
        self._options = CameraOptions.parse(options)
        self._grabber: _Grabber | None = None
        self._opened_s = 0.0
        self._seq = 0
        self._stuck = b""

    def open(self) -> DeviceInfo:
        """Open and wait for the first picture, `open_timeout_s` at most. Raises `DeviceFault`:
        PORT_MISSING, PORT_DENIED, PORT_BUSY, NO_ANSWER, WRONG_SOURCE, NO_FRAMES, MISBEHAVES; and
        FROZEN when it was, and still has only that picture."""
        self.close()
        options = self._options
        grabber = self._grabber = _Grabber(options, self._seq, self._stuck)
        grabber.start()
        try:
            first = grabber.wait(self._seq, time.monotonic() + options.open_timeout_s)
            if first is None:
                raise self._nothing(grabber)
        except DeviceFault:
            self.close()
            raise
        self._opened_s = time.monotonic()
        facts = {**(grabber.facts or {})}
        facts["width"], facts["height"] = str(first.image.shape[1]), str(first.image.shape[0])
        model = facts.pop("backend", "")
        return DeviceInfo("camera", "opencv", shown(options.source), model, facts)

    def close(self) -> None:
        """Give the source back. A source stuck in its driver is left to its own timeout."""
        grabber, self._grabber = self._grabber, None
        if grabber is None:
            return
        grabber.stopping = True
        if grabber.is_alive():
            grabber.join(1.0)
        self._stuck = grabber.stuck
        if grabber.frame is not None:
            self._seq = max(self._seq, grabber.frame.seq)

    def newest(self, after_seq: int, timeout_s: float) -> Frame:
        """The newest frame with `seq > after_seq`; waits `timeout_s` at most.

        Raises `DeviceFault("camera", …)`: UNPLUGGED (connection cut, device gone), NO_FRAMES
        (silent for `stall_s`, or nothing newer in time), FROZEN (the same picture over and
        over), MISBEHAVES (damaged pictures only, or the size changed). It keeps raising until
        `open`.
        """
        grabber = self._grabber
        if grabber is None:
            raise fault(FaultCode.UNPLUGGED, "not open")
        now_s = time.monotonic()
        until_s = now_s + timeout_s
        last_s = grabber.frame.at_s if grabber.frame is not None else self._opened_s
        frame = grabber.wait(after_seq, min(until_s, max(last_s + self._stall_s, now_s)))
        if frame is None:
            silent = time.monotonic() - last_s >= self._stall_s
            raise self._nothing(grabber) if silent else self._no_frames()
        return frame

    def _no_frames(self) -> DeviceFault:
        return fault(FaultCode.NO_FRAMES, shown(self._options.source))

    def _nothing(self, grabber: _Grabber) -> DeviceFault:
        """For so long that it counts: nothing came, or nothing that was whole."""
        if not grabber.damaged:
            return self._no_frames()
        detail = f"{shown(self._options.source)}: {grabber.damaged} pictures came, all damaged"
        return fault(FaultCode.MISBEHAVES, detail)

    @property
    def _stall_s(self) -> float:
        options = self._options
        return max(options.stall_s, 2.5 / options.folder_fps)
