"""The SAM protocol of resident-identity-card readers (GA 450 module, as serial readers speak it).

Bytes in, frames out and back; no port or clock. A frame is AA AA AA 96 69, a length (2 bytes,
big endian, from the next byte to the checksum), content, and the XOR of length and content.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import reduce
from operator import xor

from drivers.contracts import IdCard

PREAMBLE = b"\xaa\xaa\xaa\x96\x69"
MAX_LENGTH = 4096
TEXT_BYTES = 256
PHOTO_BYTES = 1024

#: (field, characters) in the order of the card's text, UTF-16LE, padded with spaces
FIELDS = (
    ("name", 15),
    ("sex", 1),
    ("nation", 2),
    ("birth_date", 8),
    ("address", 35),
    ("number", 18),
    ("issuer", 15),
    ("valid_from", 8),
    ("valid_to", 8),
)
SEXES = {"0": "未知", "1": "男", "2": "女", "9": "未说明"}

#: GB/T 3304, in the order of their codes 01 to 56
NATIONS = (
    "汉 蒙古 回 藏 维吾尔 苗 彝 壮 布依 朝鲜 满 侗 瑶 白 土家 哈尼 哈萨克 傣 黎 傈僳 佤 畲 高山 拉祜 水"
    " 东乡 纳西 景颇 柯尔克孜 土 达斡尔 仫佬 羌 布朗 撒拉 毛南 仡佬 锡伯 阿昌 普米 塔吉克 怒 乌孜别克"
    " 俄罗斯 鄂温克 德昂 保安 裕固 京 塔塔尔 独龙 鄂伦春 赫哲 门巴 珞巴 基诺"
).split()


class Command(Enum):
    """CMD and PARA of a request."""

    STATUS = b"\x11\xff"
    FIND = b"\x20\x01"
    SELECT = b"\x20\x02"
    READ = b"\x30\x01"


class Status(Enum):
    """SW1 SW2 SW3 of an answer, with what it means."""

    OK = b"\x00\x00\x90"
    FOUND = b"\x00\x00\x9f"
    CHECKSUM = b"\x00\x00\x10"
    LENGTH = b"\x00\x00\x11"
    BAD_COMMAND = b"\x00\x00\x21"
    NOT_ALLOWED = b"\x00\x00\x23"
    UNKNOWN = b"\x00\x00\x24"
    CARD_AUTH_FAILED = b"\x00\x00\x31"
    SAM_AUTH_FAILED = b"\x00\x00\x32"
    INFO_CHECK_FAILED = b"\x00\x00\x33"
    BAD_CARD_TYPE = b"\x00\x00\x40"
    READ_FAILED = b"\x00\x00\x41"
    RANDOM_FAILED = b"\x00\x00\x47"
    SELFTEST_FAILED = b"\x00\x00\x60"
    SAM_NOT_AUTHORISED = b"\x00\x00\x66"
    NOT_FOUND = b"\x00\x00\x80"
    NOT_SELECTED = b"\x00\x00\x81"
    NO_FIELD = b"\x00\x00\x91"


@dataclass(frozen=True, slots=True)
class Answer:
    """Status bytes as they came, and the data after them."""

    sw: bytes
    data: bytes = b""

    @property
    def status(self) -> Status | None:
        """None for a status word that the protocol does not list."""
        return next((s for s in Status if s.value == self.sw), None)


def _frame(content: bytes) -> bytes:
    body = (len(content) + 1).to_bytes(2, "big") + content
    return PREAMBLE + body + bytes((reduce(xor, body),))


def request(command: Command, data: bytes = b"") -> bytes:
    """A host's request.

    >>> request(Command.FIND).hex(" ")
    'aa aa aa 96 69 00 03 20 01 22'
    """
    return _frame(command.value + data)


def answer(status: Status, data: bytes = b"") -> bytes:
    """A reader's answer."""
    return _frame(status.value + data)


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
        self._buffer.clear()

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


def parse_answer(content: bytes) -> Answer:
    """Raises `ValueError` when it is too short to be one."""
    if len(content) < 3:
        raise ValueError(f"an answer of {len(content)} bytes")
    return Answer(content[:3], content[3:])


def text_of(card: IdCard) -> bytes:
    """The 256 bytes of a card's text."""
    codes = {name: code for code, name in SEXES.items()}
    values = {name: getattr(card, name) for name, _ in FIELDS}
    nation = f"{NATIONS.index(card.nation) + 1:02d}" if card.nation in NATIONS else card.nation
    values |= {"sex": codes.get(card.sex, "0"), "nation": nation}
    text = "".join(str(values[name])[:size].ljust(size) for name, size in FIELDS)
    return text.ljust(TEXT_BYTES // 2).encode("utf-16-le")


def card_of(text: bytes) -> IdCard:
    """The card's fields. Raises `ValueError` when these are not a card's text."""
    if len(text) < TEXT_BYTES:
        raise ValueError(f"{len(text)} bytes of text instead of {TEXT_BYTES}")
    characters = text[:TEXT_BYTES].decode("utf-16-le")
    values, at = {}, 0
    for name, size in FIELDS:
        values[name] = characters[at : at + size].strip(" \0")
        at += size
    if len(values["number"]) != 18 or not values["name"]:
        raise ValueError("name or number is missing")
    values["sex"] = SEXES.get(values["sex"], values["sex"])
    if values["nation"].isdecimal() and 1 <= int(values["nation"]) <= len(NATIONS):
        values["nation"] = NATIONS[int(values["nation"]) - 1]
    return IdCard(**values)


def read_data(card: IdCard, photo: bytes = bytes(PHOTO_BYTES)) -> bytes:
    """What a READ answers: two lengths, text, coded photograph."""
    lengths = TEXT_BYTES.to_bytes(2, "big") + PHOTO_BYTES.to_bytes(2, "big")
    return lengths + text_of(card) + photo


def card_from_read(data: bytes) -> IdCard:
    """The card in a READ's data. Raises `ValueError`."""
    if len(data) < 4:
        raise ValueError("no lengths")
    size = int.from_bytes(data[:2], "big")
    return card_of(data[4 : 4 + size])
