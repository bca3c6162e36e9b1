"""Modbus RTU as relay-and-input boards speak it: requests, answers, CRC, a slave's framing.

Bytes in, frames out and back; no port, clock or thread. Sources: Modbus Application Protocol
V1.1b3 (functions 01, 02, 04, 05, 15), Modbus over Serial Line V1.02 (RTU framing, CRC-16 §6.2.2).
The timed pulse ("flash on", "flash off") is the common extension of Chinese relay boards: function
05 with address 0x0200 + coil (on, then off again) or 0x0400 + coil (off, then on again) and the
length in tenths of a second as the value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

READ_COILS = 0x01
READ_INPUTS = 0x02
READ_REGISTERS = 0x04  #: input registers, 16 bits each
WRITE_COIL = 0x05
WRITE_COILS = 0x0F
SHORT_FUNCTIONS = frozenset(range(0x01, 0x07))  #: two 16-bit fields and nothing more
COIL_ON = 0xFF00
COIL_OFF = 0x0000
FLASH_ON = 0x0200  #: added to the coil's number
FLASH_OFF = 0x0400  #: likewise: off, and on again by itself
FLASH_STEP_MS = 100

ILLEGAL_FUNCTION = 0x01
ILLEGAL_ADDRESS = 0x02
ILLEGAL_VALUE = 0x03

_REQUEST_BYTES = 8  #: of a short function, and the least of function 15
_MAX_FRAME = 256


def crc16(data: bytes) -> int:
    """CRC-16/MODBUS: polynomial 0xA001 reflected, start 0xFFFF."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0xA001 if crc & 1 else crc >> 1
    return crc


def seal(body: bytes) -> bytes:
    """Append the CRC, low byte first."""
    return body + crc16(body).to_bytes(2, "little")


@dataclass(frozen=True, slots=True)
class Request:
    """A master's request. `value` is the count for reads, the raw value for writes."""

    unit: int
    function: int
    address: int
    value: int
    data: bytes = b""  #: function 15: the coils, packed

    def to_bytes(self) -> bytes:
        body = bytes((self.unit, self.function))
        body += self.address.to_bytes(2, "big") + self.value.to_bytes(2, "big")
        if self.function == WRITE_COILS:
            body += bytes((len(self.data),)) + self.data
        return seal(body)


def pack_bits(bits: list[bool]) -> bytes:
    """Lowest number in the lowest bit of the first byte."""
    out = bytearray((len(bits) + 7) // 8)
    for n, bit in enumerate(bits):
        if bit:
            out[n // 8] |= 1 << (n % 8)
    return bytes(out)


def unpack_bits(data: bytes, count: int) -> list[bool]:
    """The first `count` bits. Raises `ValueError` when there are fewer."""
    if count > 8 * len(data):
        raise ValueError(f"{count} bits in {len(data)} bytes")
    return [bool(data[n // 8] >> (n % 8) & 1) for n in range(count)]


def bits_answer(request: Request, bits: list[bool]) -> bytes:
    packed = pack_bits(bits)
    return seal(bytes((request.unit, request.function, len(packed))) + packed)


def registers_answer(request: Request, values: Sequence[int]) -> bytes:
    """Answer to a read of registers, each of 16 bits."""
    data = b"".join(value.to_bytes(2, "big") for value in values)
    return seal(bytes((request.unit, request.function, len(data))) + data)


def echo_answer(request: Request) -> bytes:
    """Answer to a write: what was written."""
    body = bytes((request.unit, request.function))
    return seal(body + request.address.to_bytes(2, "big") + request.value.to_bytes(2, "big"))


def exception_answer(request: Request, code: int) -> bytes:
    return seal(bytes((request.unit, request.function | 0x80, code)))


class RequestParser:
    """A slave's view of the line: finds whole requests, skips garbage, keeps little.

    RTU ends a frame by silence, which a byte stream does not carry; the known lengths of the
    functions and the CRC find the frames instead, and `silence` drops what never got whole.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Request]:
        """Every request completed by these bytes."""
        self._buffer += data
        found = []
        while len(self._buffer) >= _REQUEST_BYTES:
            length = self._length()
            if length is None:
                del self._buffer[0]
                continue
            if len(self._buffer) < length:
                break
            frame = bytes(self._buffer[:length])
            if crc16(frame[:-2]) != int.from_bytes(frame[-2:], "little"):
                del self._buffer[0]
                continue
            del self._buffer[:length]
            found.append(_request(frame))
        return found

    def silence(self) -> None:
        """Nothing has come for a while: what is left is half a frame."""
        self._buffer.clear()

    @property
    def pending(self) -> int:
        return len(self._buffer)

    def _length(self) -> int | None:
        function = self._buffer[1]
        if function in SHORT_FUNCTIONS:
            return _REQUEST_BYTES
        if function == WRITE_COILS:
            count = self._buffer[6]
            length = 7 + count + 2
            return length if length <= _MAX_FRAME else None
        return None


def _request(frame: bytes) -> Request:
    return Request(
        unit=frame[0],
        function=frame[1],
        address=int.from_bytes(frame[2:4], "big"),
        value=int.from_bytes(frame[4:6], "big"),
        data=frame[7:-2] if frame[1] == WRITE_COILS else b"",
    )
