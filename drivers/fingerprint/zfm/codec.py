"""The packets of the ZFM-20 family (R30x, AS608): bytes in, packets out, and back.

Sans-IO: knows no port, clock or thread, and nothing of who asks. Source of the format: the
makers' "Fingerprint Identification Module" user manual, chapters on communication protocol.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

START = b"\xef\x01"
BROADCAST = 0xFFFFFFFF  #: the address of a module as shipped
HEADER_BYTES = 9  #: start 2, address 4, type 1, length 2
CHECKSUM_BYTES = 2
MAX_PAYLOAD = 256  #: the largest data packet a module can be set to
PACKET_SIZES = (32, 64, 128, 256)  #: payload of a data packet, by system parameter 6
TEMPLATE_BYTES = 512
_MIN_LENGTH = 1 + CHECKSUM_BYTES
_MAX_LENGTH = MAX_PAYLOAD + CHECKSUM_BYTES


class PacketType(IntEnum):
    COMMAND = 0x01
    DATA = 0x02
    ACK = 0x07
    END = 0x08  #: last data packet


class Command(IntEnum):
    READ_IMAGE = 0x01
    CONVERT_IMAGE = 0x02
    COMPARE = 0x03
    SEARCH = 0x04
    CREATE_TEMPLATE = 0x05
    STORE = 0x06
    LOAD = 0x07
    DOWNLOAD_CHARACTERISTICS = 0x08  #: module → host
    UPLOAD_CHARACTERISTICS = 0x09  #: host → module
    DOWNLOAD_IMAGE = 0x0A
    DELETE = 0x0C
    EMPTY = 0x0D
    SET_PARAMETER = 0x0E
    GET_PARAMETERS = 0x0F
    SET_PASSWORD = 0x12
    VERIFY_PASSWORD = 0x13
    RANDOM = 0x14
    SET_ADDRESS = 0x15
    TEMPLATE_COUNT = 0x1D
    TEMPLATE_INDEX = 0x1F


class Confirm(IntEnum):
    """First byte of an acknowledgement. TOO_DRY and TOO_WET are the AS608's own."""

    OK = 0x00
    PACKET_ERROR = 0x01
    NO_FINGER = 0x02
    IMAGE_FAILED = 0x03
    TOO_DRY = 0x04
    TOO_WET = 0x05
    SMEARED = 0x06
    TOO_FEW_FEATURES = 0x07
    NO_MATCH = 0x08
    NOT_FOUND = 0x09
    COMBINE_FAILED = 0x0A
    BAD_POSITION = 0x0B
    LOAD_FAILED = 0x0C
    DOWNLOAD_FAILED = 0x0D
    UPLOAD_FAILED = 0x0E
    DELETE_FAILED = 0x10
    EMPTY_FAILED = 0x11
    WRONG_PASSWORD = 0x13
    NO_IMAGE = 0x15
    FLASH_ERROR = 0x18
    BAD_REGISTER = 0x1A
    WRONG_ADDRESS = 0x20
    PASSWORD_NEEDED = 0x21


#: Payload bytes of an acknowledgement that says OK. One that says otherwise may be shorter.
OK_PAYLOAD: dict[int, int] = {
    **dict.fromkeys(Command, 1),
    Command.COMPARE: 3,
    Command.SEARCH: 5,
    Command.GET_PARAMETERS: 17,
    Command.RANDOM: 5,
    Command.TEMPLATE_COUNT: 3,
    Command.TEMPLATE_INDEX: 33,
}


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet; `payload` is 1..256 bytes."""

    type: PacketType
    payload: bytes
    address: int = BROADCAST

    def __post_init__(self) -> None:
        if not 1 <= len(self.payload) <= MAX_PAYLOAD:
            raise ValueError(f"payload of {len(self.payload)} bytes")

    def __repr__(self) -> str:
        return f"Packet({self.type.name}, {len(self.payload)} bytes)"  # a payload may be biometric

    def to_bytes(self) -> bytes:
        length = len(self.payload) + CHECKSUM_BYTES
        summed = bytes([self.type]) + length.to_bytes(2, "big") + self.payload
        return START + self.address.to_bytes(4, "big") + summed + _checksum(summed)


@dataclass(frozen=True, slots=True)
class Damaged:
    """Something with the shape of a packet whose checksum is wrong."""

    type: PacketType


def _checksum(summed: bytes) -> bytes:
    return (sum(summed) & 0xFFFF).to_bytes(2, "big")


def wire_bytes(payload: int) -> int:
    """Bytes on the wire of one packet with `payload` bytes."""
    return HEADER_BYTES + payload + CHECKSUM_BYTES


def wire_seconds(count: int, baud: int) -> float:
    """Time that `count` bytes take at 8N1 (ten bits each)."""
    return count * 10 / baud


class Parser:
    """Cuts a byte stream into packets; after garbage it finds the next start by itself.

    Holds back at most one unfinished packet (267 bytes) whatever it is fed.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()

    @property
    def pending(self) -> int:
        """Bytes held back: the beginning of what may become a packet."""
        return len(self._buffer)

    def reset(self) -> None:
        self._buffer.clear()

    def feed(self, data: bytes) -> list[Packet | Damaged]:
        self._buffer += data
        found: list[Packet | Damaged] = []
        while self._seek_header():
            length = int.from_bytes(self._buffer[7:9], "big")
            end = HEADER_BYTES + length
            if len(self._buffer) < end:
                break
            frame = bytes(self._buffer[:end])
            kind = PacketType(frame[6])
            if _checksum(frame[6:-2]) == frame[-2:]:
                address = int.from_bytes(frame[2:6], "big")
                found.append(Packet(kind, frame[9:-2], address))
                del self._buffer[:end]
            else:
                found.append(Damaged(kind))
                del self._buffer[:1]  # the real start may lie inside what looked like a packet
        return found

    def _seek_header(self) -> bool:
        """Drop bytes up to the first plausible header; True when it is complete."""
        buffer = self._buffer
        while buffer:
            start = buffer.find(START)
            if start < 0:
                del buffer[: len(buffer) - (1 if buffer[-1] == START[0] else 0)]
                return False
            del buffer[:start]
            if len(buffer) > 6 and buffer[6] not in _TYPES:
                del buffer[:1]
            elif len(buffer) < HEADER_BYTES:
                return False
            elif _MIN_LENGTH <= int.from_bytes(buffer[7:9], "big") <= _MAX_LENGTH:
                return True
            else:
                del buffer[:1]
        return False


_TYPES = frozenset(PacketType)
