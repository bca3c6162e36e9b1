"""The face worker's process: camera in, events out, as the daemon commands.

Owns the loop, its pace and the camera's recovery. Knows devices only by drivers.contracts;
what a face means is in verification.py and presence.py.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from drivers.contracts import Camera, Frame
from drivers.errors import DeviceFault, FaultCode
from kiosk.core.codes import Prompt
from kiosk.face.closer import CloserLook
from kiosk.face.cover import Cover
from kiosk.face.encoders import DEFAULT, make_encoder
from kiosk.face.events import (
    Box,
    CameraCovered,
    CameraFault,
    CameraOk,
    LivenessFailed,
    Presence,
    WorkerReady,
)
from kiosk.face.follower import Follower, Tracked
from kiosk.face.framing import Alive, Command, Guard, Rest, Stop, Verify, Watch
from kiosk.face.link import Link
from kiosk.face.liveness import LivenessLimits
from kiosk.face.models import WrongModel
from kiosk.face.parts import Detector, Encoder, Image
from kiosk.face.pictures import Look, Pictures
from kiosk.face.presence import PresenceWatch
from kiosk.face.verification import Verification, VerificationOptions
from kiosk.face.yunet import YuNetDetector

_SLICE_S = 0.2  #: longest wait for a frame in one go, so that commands are heard
_REOPEN_S = 1.0
_FIRST_FRAME_S = 2.0  #: a stream that has just been opened may take this much longer to begin
_ALIVE_S = 1.0
_STILL = 1.5  #: mean grey levels between thumbnails: nothing moved, nothing to look for


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    absent_s: float = 4.0
    liveness_s: float = 12.0  #: for one challenge
    frames: int = 5
    blink: bool = False
    preview_width: int = 480
    jpeg_quality: int = 75
    preview_fps: float = 31.0  #: at most, while a face is looked at
    watch_fps: float = 5.0
    verify_fps: float = 18.0
    challenge_fps: float = 30.0  #: quick heads are turned within a tenth of a second
    guard_fps: float = 8.0
    no_frames_s: float = 0.8  #: silence that counts as a lost camera; as the driver's `stall_s`
    nice: int = 5
    cache_dir: Path | None = None
    encoder: str = DEFAULT


def run(camera: Camera, fd: int, options: WorkerOptions | None = None) -> None:
    """Serve the daemon at socket `fd` until it says stop or goes away.

    Raises `kiosk.face.models.WrongModel` when a model file is another one, which the daemon hears.
    """
    options = options or WorkerOptions()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is the daemon's to handle
    with contextlib.suppress(OSError):
        os.nice(options.nice)
    cv2.setNumThreads(1)
    link = Link(fd)
    try:
        encoder = make_encoder(options.encoder, options.cache_dir)
        worker = Worker(camera, link, YuNetDetector(), encoder, options, CloserLook())
    except WrongModel as error:
        link.send(CameraFault(FaultCode.WRONG_MODEL.value, str(error)))
        link.close()
        raise
    link.send(WorkerReady(os.getpid()))
    try:
        worker.loop()
    finally:
        worker.pictures.close()
        with contextlib.suppress(DeviceFault):
            camera.close()
        link.close()


@dataclass
class _Pace:
    """When the next frame is due."""

    next_s: float = field(default_factory=time.monotonic)

    def wait_s(self) -> float:
        return self.next_s - time.monotonic()

    def took(self, fps: float) -> None:
        now = time.monotonic()
        self.next_s = max(self.next_s + 1 / fps, now)


class Worker:
    """The loop's state. `detector` and `encoder` are given, so that others can come."""

    def __init__(
        self,
        camera: Camera,
        link: Link,
        detector: Detector,
        encoder: Encoder,
        options: WorkerOptions,
        closer: CloserLook | None = None,
    ) -> None:
        self._closer = closer
        self._camera, self._link, self._encoder, self._options = camera, link, encoder, options
        self.pictures = Pictures(
            camera,
            link.send,
            width=options.preview_width,
            quality=options.jpeg_quality,
            fps=options.preview_fps,
        )
        self._follower = Follower(detector)
        self._presence = PresenceWatch(options.absent_s)
        self._cover = Cover()
        self._mode: Command = Rest()
        self._verification: Verification | None = None
        self._pace = _Pace()
        self._open = False
        self._faulted = False
        self._to_announce: CameraOk | None = None
        self._retry_at = 0.0
        self._frame_at = 0.0
        self._seq = -1
        self._alive_at = 0.0
        self._thumb: np.ndarray | None = None
        self._tracked: Tracked | None = None
        self._looked_at = float("-inf")

    def loop(self) -> None:
        while True:
            for command in self._link.commands(self._wait_s()):
                if isinstance(command, Stop):
                    return
                self._obey(command)
            now = time.monotonic()
            if now - self._alive_at >= _ALIVE_S:
                self._alive_at = now
                self._link.send(Alive())
            if not self._open:
                self._try_open(now)
            elif self._pace.wait_s() <= 0:
                self._next_frame()

    def _wait_s(self) -> float:
        """Until the next frame is due, or the camera is to be tried again."""
        due = self._pace.wait_s() if self._open else self._retry_at - time.monotonic()
        return min(max(due, 0.0), _ALIVE_S)

    def _obey(self, command: Command) -> None:
        self._mode = command
        self.pictures.still()
        self._verification = None
        self._pace = _Pace()
        if isinstance(command, Verify):
            limits = LivenessLimits(response_s=self._options.liveness_s)
            options = VerificationOptions(
                frames=self._options.frames, blink=self._options.blink, limits=limits
            )
            self._verification = Verification(
                command.task_id, command.liveness, self._encoder, options, closer=self._closer
            )
        elif isinstance(command, Watch):
            self._presence.restart()
            self._looked_at = float("-inf")

    # --- camera ---------------------------------------------------------------------------------

    def _try_open(self, now: float) -> None:
        if now < self._retry_at:
            return
        self._link.send(Alive())  # nothing more can be said until it is open or has failed
        try:
            info = self._camera.open()
        except DeviceFault as fault:
            self._lost(fault)
            return
        self._open, self._seq = True, -1
        self._frame_at = time.monotonic() + _FIRST_FRAME_S
        self._pace = _Pace()
        facts = {"role": info.role, "driver": info.driver, "port": info.port, "model": info.model}
        self._to_announce = CameraOk({**facts, "facts": dict(info.facts)})

    def _lost(self, fault: DeviceFault) -> None:
        """Said once, then tried again every second."""
        self._open = False
        self.pictures.still()
        self._retry_at = time.monotonic() + _REOPEN_S
        with contextlib.suppress(DeviceFault):
            self._camera.close()
        if not self._faulted:
            self._faulted = True
            self._link.send(CameraFault(fault.code.value, fault.detail))

    def _next_frame(self) -> None:
        try:
            frame = self._camera.newest(self._seq, _SLICE_S)
        except DeviceFault as fault:
            silent_s = time.monotonic() - self._frame_at
            if fault.code is not FaultCode.NO_FRAMES or silent_s >= self._options.no_frames_s:
                self._lost(fault)
            return
        self._seq, self._frame_at = frame.seq, time.monotonic()
        if self._to_announce is not None:  # it delivers: only now is it well
            self._link.send(self._to_announce)
            self._to_announce, self._faulted = None, False
        if (covered := self._cover.feed(frame.image, frame.at_s)) is not None:
            self._link.send(CameraCovered(covered))
        if isinstance(self._mode, Verify):
            self._verify(frame)
            self._pace.took(self._verify_fps())
        elif isinstance(self._mode, Guard):
            self._guard(frame)
            self._pace.took(self._options.guard_fps)
        elif isinstance(self._mode, Watch):
            self._watch(frame)
            self._pace.took(self._options.watch_fps)
        else:
            self._pace.took(1.0)

    # --- what each mode does with a frame ---------------------------------------------------------

    def _verify(self, frame: Frame) -> None:
        assert self._verification is not None
        tracked = self._follower.update(frame.image, frame.at_s)
        outcomes = self._verification.step(frame.image, tracked, frame.at_s)
        look = Look(_box(frame, tracked), self._verification.prompt, self._verification.progress)
        self.pictures.show(frame, look, flow=True)  # first: what is judged by it is kept with it
        for outcome in outcomes:
            self._link.send(outcome)
        if any(isinstance(outcome, LivenessFailed) for outcome in outcomes):
            self._follower.forget()
        self._tell_presence(frame, tracked is not None, lenient=False)

    def _verify_fps(self) -> float:
        challenged = self._verification is not None and self._verification.challenged
        return self._options.challenge_fps if challenged else self._options.verify_fps

    def _guard(self, frame: Frame) -> None:
        tracked = self._follower.update(frame.image, frame.at_s)
        self._tell_presence(frame, tracked is not None, lenient=True)
        self.pictures.show(frame, Look(_box(frame, tracked), Prompt.NONE, 1.0), flow=False)

    def _watch(self, frame: Frame) -> None:
        """Look only where something moved, and once a second anyway."""
        thumb = _thumb(frame.image)
        moved = self._thumb is None or float(np.abs(thumb - self._thumb).mean()) > _STILL
        if moved or self._tracked is not None or frame.at_s - self._looked_at >= 1.0:
            self._thumb, self._looked_at = thumb, frame.at_s
            self._tracked = self._follower.update(frame.image, frame.at_s)
        self._tell_presence(frame, self._tracked is not None, lenient=False)
        look = Look(_box(frame, self._tracked), Prompt.NONE, 0.0)
        self.pictures.show(frame, look, flow=self._tracked is not None)

    def _tell_presence(self, frame: Frame, face: bool, lenient: bool) -> None:
        if self._presence.update(frame.image, face, lenient, frame.at_s):
            self._link.send(Presence(bool(self._presence.present), frame.at_s))


def _box(frame: Frame, tracked: Tracked | None) -> Box | None:
    """The face as fractions of the picture."""
    if tracked is None:
        return None
    rows, columns = frame.image.shape[:2]
    x, y, wide, high = tracked.face.box
    return (x / columns, y / rows, wide / columns, high / rows)


def _thumb(image: Image) -> np.ndarray:
    small = cv2.resize(image, (32, 24), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), dtype=np.float32)
