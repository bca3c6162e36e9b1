"""What went over a serial line, to the byte, in a text file; and a device that answers from it.

`Tap` sits between a driver and its port and writes down; `Replay` is a virtual device that gives
the recorded answers, so that a fault of the field can be looked at, and tested, at a desk. Knows
no device's protocol; whoever records sees to it that nobody's finger or card is on the line.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import serial

from drivers import link

FORMAT = "examgate-recording/1"
TO_DEVICE, FROM_DEVICE = ">", "<"
GAP_S = 0.02  #: silence that ends a message


class BadRecording(ValueError):
    """The file is not a recording; says line and what is wrong."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Bytes that went one way without a gap. `at_s`: since the recording began."""

    at_s: float
    way: str  #: TO_DEVICE or FROM_DEVICE
    data: bytes

    def line(self) -> str:
        return f"{self.at_s:.6f} {self.way} {self.data.hex()}\n"


@dataclass(frozen=True, slots=True)
class Recording:
    """`about`: role, driver, port and what else the first line has."""

    about: dict[str, str]
    chunks: tuple[Chunk, ...]

    def exchanges(self) -> list[tuple[bytes, bytes]]:
        """(what was asked, what came after it), in order; the first may have been asked nothing."""
        found: list[tuple[bytes, bytes]] = []
        asked, answered = b"", b""
        for chunk in self.chunks:
            if chunk.way == FROM_DEVICE:
                answered += chunk.data
                continue
            if asked or answered:
                found.append((asked, answered))
            asked, answered = chunk.data, b""
        if asked or answered:
            found.append((asked, answered))
        return found


def write_head(out: TextIO, about: dict[str, str]) -> None:
    out.write(" ".join([FORMAT, *(f"{k}={v}" for k, v in about.items())]) + "\n")


def read_recording(lines: Iterable[str]) -> Recording:
    """Raises `BadRecording` naming the line."""
    numbered = enumerate(lines, 1)
    _, head = next(numbered, (0, ""))
    name, *words = head.split() or [""]
    if name != FORMAT:
        raise BadRecording(f"line 1: must begin with {FORMAT}")
    about = dict(word.partition("=")[::2] for word in words)
    return Recording(about, tuple(_chunks(numbered)))


def _chunks(numbered: Iterator[tuple[int, str]]) -> Iterator[Chunk]:
    for number, line in numbered:
        if not line.strip() or line.startswith("#"):
            continue
        try:
            at_s, way, data = line.split()
            if way not in (TO_DEVICE, FROM_DEVICE):
                raise ValueError
            yield Chunk(float(at_s), way, bytes.fromhex(data))
        except ValueError:
            said = f"line {number}: must be seconds, > or <, and bytes in hexadecimal"
            raise BadRecording(said) from None


class Tap(link.VirtualDevice):
    """A line of its own to the driver (`port`), the real one behind it, and a file that gets
    every byte. Opened by `start`; raises `DeviceFault` when the real port cannot be had."""

    def __init__(self, role: str, real: str, baud: int, out: TextIO) -> None:
        super().__init__()
        self._role, self._real, self._baud, self._out = role, real, baud, out
        self._line: serial.Serial | None = None
        self._begun_s = 0.0
        self._last: tuple[str, float] = ("", 0.0)
        self._held = b""
        self._held_at_s = 0.0

    def start(self) -> Tap:
        self._line = link.open_serial(self._role, self._real, self._baud)
        self._line.timeout = 0
        self._begun_s = time.monotonic()
        super().start()
        return self

    def stop(self) -> None:
        super().stop()
        self._flush()
        if self._line is not None:
            with contextlib.suppress(*link.PORT_ERRORS):
                self._line.close()
            self._line = None

    def feed(self, data: bytes) -> bytes:
        self._note(TO_DEVICE, data)
        if self._line is not None:
            with contextlib.suppress(*link.PORT_ERRORS):
                self._line.write(data)
        return b""

    def tick(self) -> bytes:
        data = b""
        if self._line is not None:
            try:
                data = self._line.read(4096)
            except link.PORT_ERRORS:  # unplugged: so is the driver's end
                self._pull_out()
        if data:
            self._note(FROM_DEVICE, data)
        return data

    def _note(self, way: str, data: bytes) -> None:
        """Pieces that follow each other closely are one message."""
        if not data:
            return
        now_s = time.monotonic() - self._begun_s
        before, last_s = self._last
        if before != way or now_s - last_s > GAP_S:
            self._flush()
            self._held_at_s = now_s
        self._held += data
        self._last = (way, now_s)

    def _flush(self) -> None:
        if self._held:
            self._out.write(Chunk(self._held_at_s, self._last[0], self._held).line())
        self._held = b""


class Replay(link.VirtualDevice):
    """Gives to each request the answer that followed it in the recording: the next one from
    where it is, from the beginning again when there is none. `unknown`: requests without one."""

    def __init__(self, recording: Recording, link_path: Path | None = None) -> None:
        super().__init__(link_path)
        self._exchanges = [e for e in recording.exchanges() if e[0]]
        self._at = 0
        self._buffer = b""
        self._heard_s = 0.0
        self.answered = 0
        self.unknown: list[bytes] = []

    def feed(self, data: bytes) -> bytes:
        self._heard_s = time.monotonic()
        self._buffer += data
        answer = self._next()
        if answer is None:
            return b""
        self._buffer = b""
        self.answered += 1
        return answer

    def tick(self) -> bytes:
        if self._buffer and time.monotonic() - self._heard_s > GAP_S:
            self.unknown.append(self._buffer)
            self._buffer = b""
        return b""

    def _next(self) -> bytes | None:
        count = len(self._exchanges)
        for step in range(count):
            place = (self._at + step) % count
            if self._exchanges[place][0] == self._buffer:
                self._at = place + 1
                return self._exchanges[place][1]
        return None
