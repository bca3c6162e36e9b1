"""OSDP frames as far as they can be read without the session's keys: who, which, and how sealed.

Bytes in, frames out; no port, clock or thread. libosdp builds, encrypts and checks the frames; this
looks at what passes, to know which command is on its way and what came back. Source: SIA OSDP
v2.2 / IEC 60839-11-5: 0x53, address (answers: + 0x80), length (2 bytes, low first, of the whole
frame), control (sequence, CRC, security block), security block, command or reply, data, MAC,
CRC-16 (polynomial 0x1021, start 0x1D0F) or an 8-bit sum. Inside the secure channel only the data
are encrypted; the command's number is not.
"""

from __future__ import annotations

from dataclasses import dataclass

ID, CAP = 0x61, 0x62
OUT = 0x68
CHLNG, SCRYPT = 0x76, 0x77
ACK, NAK = 0x40, 0x41
CCRYPT = 0x76
ISTATR, OSTATR = 0x49, 0x4A

SOM = 0x53
REPLY = 0x80  #: added to the address
_SEQUENCE, _HAS_CRC, _HAS_SECURITY = 0x03, 0x04, 0x08
_HEADER = 5
_MAX_FRAME = 1440
_MAC_TYPES = range(0x15, 0x19)  #: security blocks of an open secure channel


@dataclass(frozen=True, slots=True)
class Frame:
    """`code`: the command, or the reply. `secure`: it has the secure channel's MAC, which is not
    checked here."""

    address: int
    reply: bool
    sequence: int
    secure: bool
    code: int


def crc16(data: bytes) -> int:
    crc = 0x1D0F
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc


def sealed(body: bytes) -> bytes:
    """A frame's end, as its control byte says."""
    if body[4] & _HAS_CRC:
        return body + crc16(body).to_bytes(2, "little")
    return body + bytes((-sum(body) & 0xFF,))


def parse(frame: bytes) -> Frame | None:
    """None: not a whole, undamaged frame."""
    if len(frame) < _HEADER + 2 or frame[0] != SOM:
        return None
    if int.from_bytes(frame[2:4], "little") != len(frame):
        return None
    control = frame[4]
    end = len(frame) - (2 if control & _HAS_CRC else 1)
    if sealed(frame[:end]) != frame:
        return None
    at, secure = _HEADER, False
    if control & _HAS_SECURITY:
        secure = frame[_HEADER + 1] in _MAC_TYPES
        at += frame[_HEADER]
    if at >= end:
        return None
    return Frame(frame[1] & 0x7F, bool(frame[1] & REPLY), control & _SEQUENCE, secure, frame[at])


class FrameReader:
    """Finds undamaged frames in a stream, skips everything else, keeps little."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._whole = bytearray()

    def feed(self, data: bytes) -> list[Frame]:
        """Every frame completed by these bytes."""
        self._buffer += data
        found = []
        while len(self._buffer) >= _HEADER:
            length = int.from_bytes(self._buffer[2:4], "little")
            if self._buffer[0] != SOM or not _HEADER + 2 <= length <= _MAX_FRAME:
                del self._buffer[0]
                continue
            if len(self._buffer) < length:
                break
            frame = parse(bytes(self._buffer[:length]))
            if frame is None:
                del self._buffer[0]
                continue
            self._whole += self._buffer[:length]
            del self._buffer[:length]
            found.append(frame)
        return found

    def take(self, count: int) -> bytes:
        """The first so many bytes of the frames found and not yet taken."""
        taken = bytes(self._whole[:count])
        del self._whole[:count]
        return taken

    def clear(self) -> None:
        self._buffer.clear()
        self._whole.clear()

    @property
    def pending(self) -> int:
        return len(self._buffer)
