"""The SAM protocol of resident-identity-card readers (GA 450 module, as serial readers speak it).

Bytes in, frames out and back; no port or clock. A frame is AA AA AA 96 69, a length (2 bytes,
big endian, from the next byte to the checksum), content, and the XOR of length and content.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from functools import reduce
from operator import xor

from drivers.contracts import IdCard

PREAMBLE = b"\xaa\xaa\xaa\x96\x69"
MAX_LENGTH = 4096
TEXT_BYTES = 256
PHOTO_BYTES = 1024

#: (field, UTF-16 units) in the order of the card's text, UTF-16LE, padded with spaces
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

_NATIONS = (
    "汉 蒙古 回 藏 维吾尔 苗 彝 壮 布依 朝鲜 满 侗 瑶 白 土家 哈尼 哈萨克 傣 黎 傈僳 佤 畲 高山"
    " 拉祜 水 东乡 纳西 景颇 柯尔克孜 土 达斡尔 仫佬 羌 布朗 撒拉 毛南 仡佬 锡伯 阿昌 普米 塔吉克"
    " 怒 乌孜别克 俄罗斯 鄂温克 德昂 保安 裕固 京 塔塔尔 独龙 鄂伦春 赫哲 门巴 珞巴 基诺"
)
#: GB/T 3304, in the order of their codes 01 to 56
NATIONS = _NATIONS.split()
NATION_CODES = {f"{n:02d}": name for n, name in enumerate(NATIONS, 1)}
NATION_CODES |= {"97": "其他", "98": "外国血统中国籍人士"}
LONG_TERM = "长期"


class Command(Enum):
    """CMD and PARA of a request."""

    STATUS = b"\x11\xff"
    FIND = b"\x20\x01"
    SELECT = b"\x20\x02"
    READ = b"\x30\x01"


class Status(Enum):
    """SW1 SW2 SW3 of an answer."""

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

    @property
    def meaning(self) -> str:
        return _MEANINGS[self]


_MEANINGS = {
    Status.OK: "done",
    Status.FOUND: "a card was found",
    Status.CHECKSUM: "the request's checksum was wrong",
    Status.LENGTH: "the request's length was wrong",
    Status.BAD_COMMAND: "the request's command was wrong",
    Status.NOT_ALLOWED: "not allowed now",
    Status.UNKNOWN: "unknown command",
    Status.CARD_AUTH_FAILED: "the card did not prove itself to the module",
    Status.SAM_AUTH_FAILED: "the module did not prove itself to the card",
    Status.INFO_CHECK_FAILED: "the card's content is not authentic",
    Status.BAD_CARD_TYPE: "a card of another type",
    Status.READ_FAILED: "reading the card failed",
    Status.RANDOM_FAILED: "no random number",
    Status.SELFTEST_FAILED: "the module's self-test failed",
    Status.SAM_NOT_AUTHORISED: "the module is not authorised",
    Status.NOT_FOUND: "no card",
    Status.NOT_SELECTED: "the card could not be selected",
    Status.NO_FIELD: "the card has no such content",
}
#: The request was damaged on its way: it may be asked again.
DAMAGED = frozenset({Status.CHECKSUM, Status.LENGTH, Status.BAD_COMMAND, Status.UNKNOWN})


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


def text_of(card: IdCard) -> bytes:
    """The 256 bytes of a card's text. Raises `ValueError` naming a field that does not fit."""
    sexes = {name: code for code, name in SEXES.items()}
    nations = {name: code for code, name in NATION_CODES.items()}
    values = {name: str(getattr(card, name)) for name, _ in FIELDS}
    values["sex"] = sexes.get(card.sex, card.sex)
    values["nation"] = nations.get(card.nation, card.nation)
    out = b""
    for name, units in FIELDS:
        field = values[name].encode("utf-16-le")
        if len(field) > 2 * units:
            raise ValueError(f"{name} is longer than {units} characters")
        out += field + _SPACE * (units - len(field) // 2)
    return out + _SPACE * ((TEXT_BYTES - len(out)) // 2)


def card_of(text: bytes) -> IdCard:
    """The card's fields. Raises `ValueError` when these cannot be a card's.

    The line's XOR misses two errors that cancel out, so what the fields owe each other is
    looked at as well; the message never holds their content.
    """
    if len(text) < TEXT_BYTES:
        raise ValueError(f"{len(text)} bytes of text instead of {TEXT_BYTES}")
    values, at = {}, 0
    for name, units in FIELDS:
        values[name] = text[at : at + 2 * units].decode("utf-16-le").strip(" \0")
        at += 2 * units
    wrong = [name for name, pattern in _SHAPES.items() if not pattern.fullmatch(values[name])]
    if not wrong and values["number"][6:14] != values["birth_date"]:
        wrong = ["birth_date"]
    if wrong:
        raise ValueError(f"implausible: {', '.join(wrong)}")
    values["sex"] = SEXES.get(values["sex"], values["sex"])
    values["nation"] = NATION_CODES.get(values["nation"], values["nation"])
    return IdCard(**values)


_SPACE = " ".encode("utf-16-le")
_DATE = r"(19|20)[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])"
_SHAPES = {
    "name": re.compile(r"[^\x00-\x1f]+"),
    "sex": re.compile(r"[0129]"),
    "nation": re.compile("|".join(NATION_CODES) + "|"),  # blank on residence permits
    "birth_date": re.compile(_DATE),
    "number": re.compile(r"[0-9]{17}[0-9X]"),
    "valid_from": re.compile(_DATE),
    "valid_to": re.compile(_DATE + "|" + LONG_TERM),
}


def read_data(card: IdCard, photo: bytes = bytes(PHOTO_BYTES)) -> bytes:
    """What a READ answers: two lengths, text, coded photograph."""
    lengths = TEXT_BYTES.to_bytes(2, "big") + len(photo).to_bytes(2, "big")
    return lengths + text_of(card) + photo


def card_from_read(data: bytes) -> IdCard:
    """The card in a READ's data. Raises `ValueError`."""
    if len(data) < 4:
        raise ValueError("no lengths")
    size = int.from_bytes(data[:2], "big")
    return card_of(data[4 : 4 + size])
