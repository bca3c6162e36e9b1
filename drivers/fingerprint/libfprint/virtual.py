"""The hand on libfprint's own virtual reader: images and errors through its socket.

libfprint's `virtual_image` device listens where FP_VIRTUAL_IMAGE says; the messages are those of
its `virtual-image.c`: two integers, width and height and then the pixels, or a code and a value.
"""

from __future__ import annotations

import socket
import struct
from pathlib import Path

ENV = "FP_VIRTUAL_IMAGE"
_RETRY, _ERROR = -1, -2


class VirtualImageReader:
    """Set `environment` before the reader is opened; then press fingers on it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._line: socket.socket | None = None

    @property
    def environment(self) -> dict[str, str]:
        return {ENV: str(self._path)}

    def press(self, width: int, height: int, pixels: bytes) -> None:
        """A finger comes, is seen and goes. `pixels`: 8-bit grey, rows from the top."""
        if len(pixels) != width * height:
            raise ValueError(f"{len(pixels)} pixels for {width}×{height}")
        self._send(width, height, pixels)

    def retry(self, code: int) -> None:
        """The next scan is bad: 0 anyhow, 1 too short, 2 not centred, 3 lift and try again."""
        self._send(_RETRY, code)

    def fail(self, code: int = 0) -> None:
        """The device fails while it scans."""
        self._send(_ERROR, code)

    def close(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None

    def _send(self, first: int, second: int, more: bytes = b"") -> None:
        if self._line is None:
            line = socket.socket(socket.AF_UNIX)
            try:
                line.connect(str(self._path))
            except OSError:
                line.close()
                raise
            self._line = line
        self._line.sendall(struct.pack("=ii", first, second) + more)
