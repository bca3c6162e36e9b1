"""The serial object handed to pyfingerprint: every read is bounded, every frame is checked.

pyfingerprint writes and reads single bytes and takes a timeout for a byte; here a command goes
out as one write, and it only ever sees whole packets that the module sent in answer to it.
Knows packets and time limits, not what a fingerprint is for.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import Protocol

import serial

from drivers.errors import DeviceFault, FaultCode
from drivers.fingerprint.zfm.codec import (
    OK_PAYLOAD,
    Command,
    Confirm,
    Damaged,
    Packet,
    PacketType,
    Parser,
)

ROLE = "fingerprint"
_SLICE_S = 0.02  #: longest sleep in a read; how soon an abort is seen
_QUIET_SLICES = 2
_FENCE_TRIES = 3


@dataclass(frozen=True, slots=True)
class Limits:
    """Time limits in seconds. A module answers a command within 1 s (the makers' figure)."""

    call_s: float = 1.5  #: one library call
    upload_s: float = 2.5  #: one template, sent and read back
    gap_s: float = 0.25  #: silence inside a packet
    drain_s: float = 0.25  #: longest wait for a quiet line
    fence_s: float = 0.35  #: one try of the question that ends a resync

    @property
    def resync_s(self) -> float:
        return self.drain_s + _FENCE_TRIES * self.fence_s


class Port(Protocol):
    """What is used of serial.Serial; `read` returns b"" after the port's own short timeout."""

    timeout: float | None

    @property
    def in_waiting(self) -> int: ...

    def read(self, size: int = 1, /) -> bytes: ...

    def write(self, data: bytes, /) -> int | None: ...

    def close(self) -> None: ...


class Aborted(Exception):
    """The caller went away in the middle of an answer; the line needs a resync."""


class Channel:
    """Stands in for the serial.Serial inside pyfingerprint.

    Rules, so that no old or damaged answer is ever taken for a new one: a packet is passed on
    only when its checksum, address, type and (for OK) length fit the command just sent. A
    packet that does not fit is a fault, never skipped. After any fault the line is drained
    until quiet and fenced: a question whose answer cannot be mistaken (17 bytes) is asked,
    and as a module answers in order, everything before its answer is old.

    Use from one thread; `abort` may be set from any.
    """

    def __init__(self, port: Port, address: int, limits: Limits) -> None:
        self.abort = threading.Event()  #: of the call being made
        self.confirmation: int | None = None  #: of the last acknowledgement
        self.lost = False  #: the last resync failed: the module is not there
        self._port = port
        self._address = address
        self._limits = limits
        fence = Packet(PacketType.COMMAND, bytes([Command.GET_PARAMETERS]), address)
        self._fence = fence.to_bytes()
        self._outgoing = Parser()
        self._incoming = Parser()
        self._arrived: deque[Packet | Damaged] = deque()
        self._command: int | None = None  #: whose acknowledgement is awaited
        self._ready = bytearray()  #: checked bytes that the library has not read yet
        self._heard = False
        self._deadline = 0.0
        self._dirty = False
        port.timeout = _SLICE_S

    # --- for the device ------------------------------------------------------------------

    def begin(self, bound_s: float) -> None:
        """Start a library call that must end within `bound_s` (plus one resync if due)."""
        if self.abort.is_set():
            raise Aborted
        if self._dirty:
            self._resync()
        self._ready.clear()
        self._outgoing.reset()
        self.confirmation = None
        self._deadline = time.monotonic() + bound_s

    def distrust(self) -> None:
        """The next call begins with a resync."""
        self._dirty = True

    # --- for pyfingerprint ----------------------------------------------------------------

    def write(self, data: bytes) -> int:
        for packet in self._outgoing.feed(data):
            if isinstance(packet, Packet):
                self._send(packet)
        return len(data)

    def read(self, size: int = 1) -> bytes:
        if not self._ready:
            self._ready += self._answer().to_bytes()
        taken = bytes(self._ready[:size])
        del self._ready[:size]
        return taken

    def isOpen(self) -> bool:
        return False  # keeps pyfingerprint's destructor from closing a port that is not its own

    def close(self) -> None:
        self._port.close()

    # --- inside ---------------------------------------------------------------------------

    def _send(self, packet: Packet) -> None:
        if packet.type is PacketType.COMMAND:
            self._refuse_stale()
            self._command = packet.payload[0]
        self._raw_write(packet.to_bytes())

    def _refuse_stale(self) -> None:
        """Bytes that came unasked: noise is dropped, a packet means the order is lost."""
        self._arrived.extend(self._incoming.feed(self._raw_read(wait=False)))
        self._incoming.reset()
        if self._arrived:
            raise self._garbled("answer nobody asked for")

    def _answer(self) -> Packet:
        packet = self._next_packet()
        if packet.address != self._address:
            raise self._garbled("answer from another address")
        if self._command is None:
            if packet.type not in (PacketType.DATA, PacketType.END):
                raise self._garbled("no data packet")
            return packet
        if packet.type is not PacketType.ACK:
            raise self._garbled("no acknowledgement")
        self.confirmation = packet.payload[0]
        if self.confirmation == Confirm.OK and len(packet.payload) != OK_PAYLOAD.get(
            self._command, len(packet.payload)
        ):
            raise self._garbled("acknowledgement of another command")
        self._command = None
        return packet

    def _next_packet(self) -> Packet:
        """The next whole packet; raises NO_ANSWER, GARBLED, UNPLUGGED, or `Aborted`."""
        heard = time.monotonic()
        while not self._arrived:
            data = self._raw_read()
            now = time.monotonic()
            self._arrived.extend(self._incoming.feed(data))
            if data:
                heard = now
            elif self.abort.is_set():
                self._dirty = True
                raise Aborted
            elif self._incoming.pending and now - heard > self._limits.gap_s:
                raise self._garbled("packet broke off")
            if now >= self._deadline and not self._arrived:
                raise self._fault(FaultCode.GARBLED if data else FaultCode.NO_ANSWER)
        packet = self._arrived.popleft()
        if isinstance(packet, Damaged):
            raise self._garbled("checksum")
        return packet

    def _resync(self) -> None:
        self.lost = True
        self._heard = False
        self._drain()
        for attempt in range(_FENCE_TRIES):
            self._raw_write(self._fence)
            if self._fence_answered(time.monotonic() + self._limits.fence_s):
                if attempt:
                    self._drain()  # an earlier try may be answered as well
                self._dirty = self.lost = False
                return
        raise self._fault(FaultCode.GARBLED if self._heard else FaultCode.NO_ANSWER, "resync")

    def _drain(self) -> None:
        end = time.monotonic() + self._limits.drain_s
        quiet = 0
        while quiet < _QUIET_SLICES and time.monotonic() < end:
            quiet = 0 if self._raw_read() else quiet + 1
        self._incoming.reset()
        self._arrived.clear()

    def _fence_answered(self, deadline: float) -> bool:
        while time.monotonic() < deadline:
            for packet in self._incoming.feed(self._raw_read()):
                if isinstance(packet, Packet) and packet.type is PacketType.ACK:
                    whole = len(packet.payload) == OK_PAYLOAD[Command.GET_PARAMETERS]
                    if whole or packet.payload[0] == Confirm.PASSWORD_NEEDED:
                        return True
            if self.abort.is_set():
                raise Aborted
        return False

    def _raw_read(self, wait: bool = True) -> bytes:
        """All bytes at hand; waits for the first of them for at most a slice."""
        try:
            first = self._port.read(1) if wait else b""
            waiting = self._port.in_waiting if first or not wait else 0
            self._heard |= bool(first) or waiting > 0
            return first + (self._port.read(waiting) if waiting else b"")
        except (serial.SerialException, OSError) as gone:
            raise self._fault(FaultCode.UNPLUGGED) from gone

    def _raw_write(self, data: bytes) -> None:
        try:
            self._port.write(data)
        except serial.SerialTimeoutException as full:
            raise self._fault(FaultCode.NO_ANSWER, "cannot write") from full
        except (serial.SerialException, OSError) as gone:
            raise self._fault(FaultCode.UNPLUGGED) from gone

    def _garbled(self, detail: str) -> DeviceFault:
        return self._fault(FaultCode.GARBLED, detail)

    def _fault(self, code: FaultCode, detail: str = "") -> DeviceFault:
        self._dirty = True
        return DeviceFault(ROLE, code, detail)
