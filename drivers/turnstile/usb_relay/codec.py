"""The four-byte protocol of USB relay boards with a CH340 (LCUS-1 to LCUS-8 and their kin).

Sans-IO. Frame: A0, relay (from 1), operation, and the low byte of the sum of the three; 9600 baud,
8N1. 00 switches off, 01 on; neither is answered. One byte FF asks for the state of all relays:
some boards answer one byte each (00 off, 01 on), some a line of text each (`CH1: ON`), those with
one relay mostly nothing. Source: the product pages of LC Technology's LCUS boards, and the drivers
github.com/jarwyg/USB_RELAY and github.com/Pebble94464/lcus-usb-relay-module-controller.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

START = 0xA0
OFF, ON = 0x00, 0x01
STATUS_QUERY = b"\xff"
FRAME_BYTES = 4
MOST_RELAYS = 8
_LINE = re.compile(rb"CH([1-8]):\s*(ON|OFF)\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Switch:
    """Put one relay on or off."""

    relay: int  #: from 1
    on: bool

    def to_bytes(self) -> bytes:
        """
        >>> Switch(1, True).to_bytes().hex(" "), Switch(1, False).to_bytes().hex(" ")
        ('a0 01 01 a2', 'a0 01 00 a1')
        """
        body = bytes((START, self.relay, ON if self.on else OFF))
        return body + bytes((sum(body) & 0xFF,))


class HostParser:
    """A board's view of the line: switches and status queries; drops what is neither."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Switch | None]:
        """What was asked, in order; None is a status query."""
        self._buffer += data
        found: list[Switch | None] = []
        while self._buffer:
            if self._buffer[0] == STATUS_QUERY[0]:
                del self._buffer[0]
                found.append(None)
            elif self._buffer[0] != START:
                del self._buffer[0]
            elif len(self._buffer) < FRAME_BYTES:
                break
            elif (switch := _switch(bytes(self._buffer[:FRAME_BYTES]))) is not None:
                del self._buffer[:FRAME_BYTES]
                found.append(switch)
            else:
                del self._buffer[0]
        return found

    def silence(self) -> None:
        """Half a frame is forgotten."""
        self._buffer.clear()

    @property
    def pending(self) -> int:
        return len(self._buffer)


def _switch(frame: bytes) -> Switch | None:
    _, relay, operation, check = frame
    right = sum(frame[:3]) & 0xFF == check and 1 <= relay <= MOST_RELAYS
    return Switch(relay, operation == ON) if right and operation in (OFF, ON) else None


def states_answer(states: list[bool], text: bool) -> bytes:
    """A board's answer to FF."""
    if text:
        lines = (f"CH{n}: {'ON' if on else 'OFF'}\r\n" for n, on in enumerate(states, 1))
        return "".join(lines).encode("ascii")
    return bytes(ON if on else OFF for on in states)


def parse_states(data: bytes) -> list[bool] | None:
    """Both forms of the answer; None when it is neither, or not yet whole."""
    if not data:
        return None
    if data[:1].upper() == b"C":
        found = _LINE.findall(data)
        whole = data.endswith(b"\n") and b"".join(_LINE.split(data)[::3]).strip() == b""
        numbered = [int(n) for n, _ in found] == list(range(1, len(found) + 1))
        return [state.upper() == b"ON" for _, state in found] if whole and numbered else None
    if len(data) > MOST_RELAYS or any(byte not in (OFF, ON) for byte in data):
        return None
    return [byte == ON for byte in data]
