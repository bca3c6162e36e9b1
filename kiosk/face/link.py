"""The worker's end of the socket: never waits for a slow daemon.

Owns buffering and dropping. A preview that cannot be sent at once is dropped, everything else
is kept. Knows nothing of what the messages mean.
"""

from __future__ import annotations

import select
import socket
import threading

from kiosk.face import framing
from kiosk.face.events import FaceEvent, Preview
from kiosk.face.framing import Command, Decoder, FramingError, Stop

_PREVIEW_BACKLOG = 64 * 1024
_MAX_BACKLOG = 8 * 1024 * 1024


class Link:
    """Commands in, events out, over an inherited socket. `send` may be called by any thread."""

    def __init__(self, fd: int) -> None:
        self._socket = socket.socket(fileno=fd)
        self._socket.setblocking(False)
        self._decoder = Decoder()
        self._out = bytearray()
        self._lock = threading.Lock()

    def close(self) -> None:
        self._socket.close()

    def send(self, event: FaceEvent | framing.Alive) -> None:
        """Queue and send what fits now."""
        with self._lock:
            if isinstance(event, Preview) and len(self._out) > _PREVIEW_BACKLOG:
                return
            self._out += framing.encode(event)
            self._flush()

    def commands(self, wait_s: float) -> list[Command]:
        """Commands that have come, waiting at most `wait_s` for the first.

        A closed, garbled or stuck connection reads as `Stop`: without its daemon a worker
        has nothing to do.
        """
        writers = [self._socket] if self._out else []
        readable, writable, _ = select.select([self._socket], writers, [], max(wait_s, 0.0))
        if writable:
            with self._lock:
                self._flush()
        if len(self._out) > _MAX_BACKLOG:
            return [Stop()]
        if not readable:
            return []
        try:
            data = self._socket.recv(65536)
            messages = self._decoder.feed(data)
        except BlockingIOError:
            return []
        except (OSError, FramingError):
            return [Stop()]
        if not data:
            return [Stop()]
        return [message for message in messages if isinstance(message, Command)]

    def _flush(self) -> None:
        try:
            while self._out:
                del self._out[: self._socket.send(self._out)]
        except BlockingIOError:
            pass
        except OSError:
            self._out.clear()  # the next read says Stop
