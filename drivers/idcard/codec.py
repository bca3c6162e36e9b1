"""The SAM protocol of resident-identity-card readers (GA 450 module, as serial readers speak it).

Bytes in, frames out and back; no port or clock. A frame is AA AA AA 96 69, a length (2 bytes,
big endian, from the next byte to the checksum), content, and the XOR of length and content.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import reduce
from operator import xor

from drivers.idcard.status import Status, status_of

PREAMBLE = b"\xaa\xaa\xaa\x96\x69"
MAX_LENGTH = 4096


class Command(Enum):
    """CMD and PARA of a request."""

    STATUS = b"\x11\xff"
    FIND = b"\x20\x01"
    SELECT = b"\x20\x02"
    READ = b"\x30\x01"


@dataclass(frozen=True, slots=True)
class Answer:
    """Status bytes as they came, and the data after them."""

    sw: bytes
    data: bytes = b""

    @property
    def status(self) -> Status | None:
        """None for a status word that the protocol does not list."""
        return status_of(self.sw)


def _frame(content: bytes) -> bytes:
    body = (len(content) + 1).to_bytes(2, "big") + content
    return PREAMBLE + body + bytes((reduce(xor, body),))


def request(command: Command, data: bytes = b"") -> bytes:
    """A host's request.

    >>> request(Command.FIND).hex(" ")
    'aa aa aa 96 69 00 03 20 01 22'
    """
    return _frame(command.value + data)


def answer(status: Status, data: bytes = b"", of_card: bytes | None = None) -> bytes:
    """A reader's answer. `of_card`: SW1 SW2, where the card's own answer is passed on."""
    sw = status.value if of_card is None else of_card + status.value[2:]
    return _frame(sw + data)


class Parser:
    """Finds frames in a stream: skips garbage, bounds what it keeps. Yields their contents."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """Contents (without length and checksum) of every frame completed by these bytes."""
        self._buffer += data
        found = []
        while (content := self._take()) is not None:
            found.append(content)
        return found

    def reset(self) -> None:
        """Nothing more will come of what is half here."""
        self._buffer.clear()

    @property
    def pending(self) -> int:
        return len(self._buffer)

    def _take(self) -> bytes | None:
        while True:
            start = self._buffer.find(PREAMBLE)
            if start < 0:
                del self._buffer[: max(0, len(self._buffer) - len(PREAMBLE) + 1)]
                return None
            del self._buffer[:start]
            head = len(PREAMBLE)
            if len(self._buffer) < head + 2:
                return None
            length = int.from_bytes(self._buffer[head : head + 2], "big")
            if not 1 < length <= MAX_LENGTH:
                del self._buffer[0]
                continue
            end = head + 2 + length
            if len(self._buffer) < end:
                return None
            body = bytes(self._buffer[head:end])
            if reduce(xor, body):
                del self._buffer[0]
                continue
            del self._buffer[:end]
            return body[2:-1]


def parse_answer(content: bytes) -> Answer | None:
    """None when it is too short to be one."""
    return Answer(content[:3], content[3:]) if len(content) >= 3 else None
