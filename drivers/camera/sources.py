"""Where pictures come from: V4L2, RTSP, MJPEG over HTTP, a video file, a folder of images.

Each source blocks for its next picture, in its own pace, for a bounded time, and says why
there is none. No threads, no notion of newest; OpenCV's errors end here.
"""

from __future__ import annotations

import os
import stat
import threading
import time
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit, urlunsplit

# FFmpeg and V4L2 write to stderr from C; these are read when OpenCV first opens a source.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "1")

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.errors import DeviceFault, FaultCode

Image = NDArray[np.uint8]

OPEN_TIMEOUT_MS = 3000
READ_TIMEOUT_MS = 900
FPS = 30  #: asked of V4L2 cameras: heads that turn are followed from picture to picture
_VIDEO4LINUX = 81  #: major number of the kernel's video devices
_END = b"\xff\xd9"  #: of a JPEG
PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")
_RTSP_OPTIONS = "rtsp_transport;tcp|fflags;nobuffer|flags;low_delay|max_delay;0"
_environment = threading.Lock()


class Source(Protocol):
    facts: dict[str, str]  #: for the technician
    live: bool  #: a camera, whose pictures are never twice the same

    def read(self) -> Image | None:
        """The next picture (HxWx3 BGR), or None for one that was damaged.

        Raises `DeviceFault` (UNPLUGGED, NO_FRAMES, WRONG_SOURCE) when there will be no more.
        """

    def close(self) -> None: ...


def fault(code: FaultCode, detail: str) -> DeviceFault:
    return DeviceFault("camera", code, detail)


def shown(source: str | int) -> str:
    """The source as a technician may see it: no user name, no password, no query."""
    text = str(source)
    if "://" not in text:
        return f"/dev/video{text}" if text.isdigit() else text
    parts = urlsplit(text)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))


def open_source(
    source: str | int, *, width: int, height: int, loop: bool, folder_fps: float
) -> Source:
    """Open what `source` names. Raises `DeviceFault` with the reason it cannot be opened."""
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    if "://" in str(source):
        return _NetworkSource(str(source))
    text = shown(source)
    path = Path(text)
    try:
        status = path.stat()
    except PermissionError as error:
        raise fault(FaultCode.PORT_DENIED, text) from error
    except OSError as error:
        raise fault(FaultCode.PORT_MISSING, text) from error
    if not os.access(path, os.R_OK):
        raise fault(FaultCode.PORT_DENIED, text)
    if stat.S_ISDIR(status.st_mode):
        return _FolderSource(path, folder_fps, loop)
    if stat.S_ISCHR(status.st_mode):
        if os.major(status.st_rdev) != _VIDEO4LINUX:
            raise fault(FaultCode.WRONG_SOURCE, f"{text}: a device, but no camera")
        return _V4l2Source(text, width, height)
    if not stat.S_ISREG(status.st_mode):
        raise fault(FaultCode.WRONG_SOURCE, f"{text}: neither a camera nor a file")
    return _FileSource(text, loop)


def _facts(capture: cv2.VideoCapture) -> dict[str, str]:
    return {
        "width": str(int(capture.get(cv2.CAP_PROP_FRAME_WIDTH))),
        "height": str(int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT))),
        "fps": f"{capture.get(cv2.CAP_PROP_FPS):.0f}",
        "backend": capture.getBackendName(),
    }


def _picture(capture: cv2.VideoCapture) -> Image | None:
    good, image = capture.retrieve()
    if not good or image is None or image.ndim != 3:
        return None
    return np.asarray(image, np.uint8)


def _whole_jpeg(capture: cv2.VideoCapture) -> Image | None:
    """None for one that was cut off: its end is not there."""
    good, data = capture.retrieve()
    if not good or data is None:
        return None
    coded = np.asarray(data, np.uint8).reshape(-1)
    if _END not in coded[-64:].tobytes():  # some cameras fill up after it
        return None
    how = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    image = cv2.imdecode(coded, how)
    return None if image is None else np.asarray(image, np.uint8)


class _NetworkSource:
    """FFmpeg with its buffers off. On MJPEG over HTTP it hands out a picture 3 ms after it
    was sent, sees a cut connection at once and a silent one at the read timeout.

    MJPEG is decoded here: FFmpeg's pictures would be filled up with grey where a JPEG was cut
    off, and OpenCV would stretch those of another size to the first one's."""

    live = True

    def __init__(self, url: str) -> None:
        self._shown = shown(url)
        parameters: list[Any] = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, OPEN_TIMEOUT_MS]
        parameters += [cv2.CAP_PROP_READ_TIMEOUT_MSEC, READ_TIMEOUT_MS]
        parameters += [cv2.CAP_PROP_N_THREADS, 1]  # frame threads hold pictures back
        with _environment:  # the only way OpenCV passes options on to FFmpeg
            before = os.environ.get("OPENCV_FFMPEG_CAPTURE_OPTIONS")
            options = _RTSP_OPTIONS if url.startswith("rtsp") else "fflags;nobuffer"
            os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = before or options
            try:
                self._capture = cv2.VideoCapture(url, cv2.CAP_FFMPEG, parameters)
            finally:
                if before is None:
                    del os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"]
        if not self._capture.isOpened():
            raise fault(FaultCode.NO_ANSWER, self._shown)
        self.facts = _facts(self._capture)
        del self.facts["fps"]  # FFmpeg guesses 25 when the stream does not say
        coded = int(self._capture.get(cv2.CAP_PROP_FOURCC)) == cv2.VideoWriter.fourcc(*"MJPG")
        self._jpegs = coded and self._capture.set(cv2.CAP_PROP_FORMAT, -1)  # as they came

    def read(self) -> Image | None:
        began = time.monotonic()
        if not self._capture.grab():
            silent = time.monotonic() - began > 0.8 * READ_TIMEOUT_MS / 1000
            raise fault(FaultCode.NO_FRAMES if silent else FaultCode.UNPLUGGED, self._shown)
        return _whole_jpeg(self._capture) if self._jpegs else _picture(self._capture)

    def close(self) -> None:
        self._capture.release()


class _V4l2Source:
    live = True

    def __init__(self, device: str, width: int, height: int) -> None:
        self._device = device
        self._capture = cv2.VideoCapture(device, cv2.CAP_V4L2)
        if not self._capture.isOpened():
            # a camera that exists and may be read, yet does not open, is nearly always in use
            raise fault(FaultCode.PORT_BUSY, device)
        # MJPG first: over USB 2 most cameras reach 30 pictures a second only with it
        self._capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
        self._capture.set(cv2.CAP_PROP_FRAME_WIDTH, width)
        self._capture.set(cv2.CAP_PROP_FRAME_HEIGHT, height)
        self._capture.set(cv2.CAP_PROP_FPS, FPS)
        self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        self.facts = _facts(self._capture)

    def read(self) -> Image | None:
        if not self._capture.grab():
            gone = not os.path.exists(self._device)
            raise fault(FaultCode.UNPLUGGED if gone else FaultCode.NO_FRAMES, self._device)
        return _picture(self._capture)

    def close(self) -> None:
        self._capture.release()


class _Pace:
    """Lets recorded pictures go by as fast as a camera would have sent them."""

    def __init__(self, fps: float) -> None:
        self._step_s = 1 / fps
        self._due_s = time.monotonic()

    def wait(self) -> None:
        now_s = time.monotonic()
        time.sleep(max(0.0, self._due_s - now_s))
        self._due_s = max(self._due_s, now_s - self._step_s) + self._step_s


class _FileSource:
    live = False

    def __init__(self, path: str, loop: bool) -> None:
        self._path, self._loop = path, loop
        self._capture = cv2.VideoCapture(path, cv2.CAP_FFMPEG)
        if not self._capture.isOpened():
            raise fault(FaultCode.WRONG_SOURCE, f"{path}: not a video that can be read")
        self.facts = _facts(self._capture)
        fps = self._capture.get(cv2.CAP_PROP_FPS)
        self._pace = _Pace(fps if 1 <= fps <= 120 else 25.0)

    def read(self) -> Image | None:
        self._pace.wait()
        if not self._capture.grab():
            if not self._loop:
                raise fault(FaultCode.UNPLUGGED, f"{self._path}: end of the recording")
            # reopening rewinds every container, seeking only some
            self._capture.release()
            self._capture = cv2.VideoCapture(self._path, cv2.CAP_FFMPEG)
            if not self._capture.grab():
                raise fault(FaultCode.NO_FRAMES, self._path)
        return _picture(self._capture)

    def close(self) -> None:
        self._capture.release()


class _FolderSource:
    """Images in the order of their names; the folder is read again on every round."""

    live = False

    def __init__(self, folder: Path, fps: float, loop: bool) -> None:
        self._folder, self._loop = folder, loop
        self._pace = _Pace(fps)
        self._files = self._list()
        self._next = 0
        self._bad: list[Path] = []  #: since the last picture
        self.facts = {"pictures": str(len(self._files)), "fps": f"{fps:g}", "backend": "FOLDER"}

    def _list(self) -> list[Path]:
        try:
            files = sorted(p for p in self._folder.iterdir() if p.suffix.lower() in PICTURES)
        except OSError as error:
            raise fault(FaultCode.UNPLUGGED, str(self._folder)) from error
        if not files:
            kinds = " ".join(PICTURES)
            raise fault(FaultCode.WRONG_SOURCE, f"{self._folder}: no images ({kinds})")
        return files

    def read(self) -> Image | None:
        self._pace.wait()
        if self._next >= len(self._files):
            if not self._loop:
                raise fault(FaultCode.UNPLUGGED, f"{self._folder}: end of the pictures")
            self._files, self._next = self._list(), 0
        path = self._files[self._next]
        self._next += 1
        try:
            data = np.fromfile(path, np.uint8)
        except OSError as error:
            raise fault(FaultCode.UNPLUGGED, str(self._folder)) from error
        image = cv2.imdecode(data, cv2.IMREAD_COLOR) if len(data) else None
        if image is not None:
            self._bad = []
            return np.asarray(image, np.uint8)
        self._bad.append(path)
        if len(self._bad) >= len(self._files):
            detail = f"{self._bad[0]}: not a picture that can be read; nor is any other there"
            raise fault(FaultCode.WRONG_SOURCE, detail)
        return None

    def close(self) -> None:
        self._files = []
