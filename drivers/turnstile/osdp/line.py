"""What libosdp reads from and writes to: the serial port, with an eye on what passes.

It lets each output command out once, whatever the library would do on a lost answer. Knows
no session and no gate.
"""

from __future__ import annotations

import select
import time

import serial

from drivers import link
from drivers.turnstile.osdp import codec
from drivers.turnstile.osdp.codec import Frame, FrameReader

#: fewer than the library asks for: it reads on and on as long as it gets what it asked for
_READ_BYTES = 60


class Line:
    """A channel as libosdp wants them: `id`, `read`, `write`, `flush`. One for a port's whole life,
    because the library never lets go of one that it was given. None of these raises, because an
    exception cannot pass through the library; `gone` tells."""

    def __init__(self, port: serial.Serial) -> None:
        self.id = 0  # libosdp's number of the bus
        self._port: serial.Serial | None = port
        self._reader = FrameReader()
        self.gone = False
        self.tickets = 0  #: output commands that may still go out
        self.outputs_sent = 0
        self.sent: Frame | None = None  #: the newest command
        self.sent_s = 0.0
        self.heard = 0  #: bytes since then
        self.answer: Frame | None = None  #: to it
        self.awaited = False  #: nothing has come since the last look

    def fresh(self) -> None:
        """A new session begins: what is on its way belongs to another."""
        self.tickets = 0
        self.sent = self.answer = None
        self.heard = 0
        self.awaited = False

    def wait(self, seconds: float) -> None:
        """Until something comes; only a moment when something has."""
        if self._port is None or not self.awaited:
            time.sleep(min(seconds, 0.0005))
            return
        try:
            select.select([self._port.fileno()], [], [], seconds)
        except (*link.PORT_ERRORS, ValueError):
            self.gone = True

    def close(self) -> None:
        port, self._port = self._port, None
        self.gone = True
        if port is not None:
            try:
                port.close()
            except link.PORT_ERRORS:
                return

    # --- for the library --------------------------------------------------------------------------

    def read(self, max_bytes: int) -> bytes:
        if self._port is None:
            return b""
        try:
            waiting = self._port.in_waiting
            data: bytes = self._port.read(waiting) if waiting else b""
        except link.PORT_ERRORS:
            self.gone = True
            return b""
        if data:
            self.awaited = False
            self.heard += len(data)
            for frame in self._reader.feed(data):
                if frame.reply:
                    self.answer = frame
        # whole frames only: libosdp 3.2.9 loses one whose first bytes come one at a time
        return self._reader.take(min(max_bytes, _READ_BYTES))

    def write(self, buf: bytes) -> int:
        frame = codec.parse(buf[buf.index(codec.SOM) :]) if codec.SOM in buf else None
        if self._port is None or frame is None:
            return -1
        if frame.code == codec.OUT:
            if not self.tickets:
                return -1
            self.tickets -= 1
            self.outputs_sent += 1
        self.sent, self.sent_s = frame, time.monotonic()
        self.answer, self.heard, self.awaited = None, 0, True
        try:
            self._port.write(buf)
        except link.PORT_ERRORS:  # a time-out is one of them
            self.gone = True
            return -1
        return len(buf)

    def flush(self) -> None:
        """What came unasked is nobody's answer."""
        self._reader.clear()
        if self._port is not None:
            try:
                self._port.reset_input_buffer()
            except link.PORT_ERRORS:
                self.gone = True
