"""Every status word of the SAM module, what it means, and whose trouble it is.

SW3 is the module's own word; in four of them SW1 and SW2 are what the card itself answered.
The list is the one of the interface manual of the Ministry of Public Security's first research
institute, as docs/protocol-idcard.md quotes it. Knows no port and no card.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Means(Enum):
    """What a status asks of whoever hears it."""

    GOOD = "good"
    NO_CARD = "no_card"  #: none lies there, or it was lifted meanwhile
    UNREADABLE = "unreadable"  #: the card's content did not come: lay it on again
    NOT_TRUSTED = "not_trusted"  #: card and module do not believe each other
    OTHER_CARD = "other_card"  #: no identity card
    LINE = "line"  #: the request was damaged on its way: ask again
    MODULE = "module"  #: the reader itself is not well: the technician


class Status(Enum):
    """SW1 SW2 SW3 of an answer, as the module writes it when it speaks for itself."""

    OK = b"\x00\x00\x90"
    FOUND = b"\x00\x00\x9f"
    CHECKSUM = b"\x00\x00\x10"
    LENGTH = b"\x00\x00\x11"
    BAD_COMMAND = b"\x00\x00\x21"
    NOT_ALLOWED = b"\x00\x00\x23"
    UNKNOWN = b"\x00\x00\x24"
    SAM_AUTH_FAILED = b"\x00\x00\x31"
    CARD_AUTH_FAILED = b"\x00\x00\x32"
    INFO_CHECK_FAILED = b"\x00\x00\x33"
    FINGER_CHECK_FAILED = b"\x00\x00\x37"
    INFO_LENGTH = b"\x00\x00\x3f"
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
        return WORDS[self].english

    @property
    def means(self) -> Means:
        return WORDS[self].means


@dataclass(frozen=True, slots=True)
class Word:
    """One row of the table."""

    means: Means
    chinese: str
    english: str


WORDS: dict[Status, Word] = {
    Status.OK: Word(Means.GOOD, "操作成功", "done"),
    Status.FOUND: Word(Means.GOOD, "找到证件", "a card was found"),
    Status.CHECKSUM: Word(Means.LINE, "收到的指令校验和错", "the request's checksum was wrong"),
    Status.LENGTH: Word(Means.LINE, "收到的指令长度错", "the request's length was wrong"),
    Status.BAD_COMMAND: Word(Means.LINE, "收到的指令有误", "the request's command was wrong"),
    Status.NOT_ALLOWED: Word(Means.MODULE, "越权操作", "the module may not do that"),
    Status.UNKNOWN: Word(Means.LINE, "无法识别的错误", "an error that the module cannot name"),
    Status.SAM_AUTH_FAILED: Word(
        Means.NOT_TRUSTED, "证件不认可读卡模块", "the module did not prove itself to the card"
    ),
    Status.CARD_AUTH_FAILED: Word(
        Means.NOT_TRUSTED, "读卡模块不认可证件", "the card did not prove itself to the module"
    ),
    Status.INFO_CHECK_FAILED: Word(
        Means.NOT_TRUSTED, "证件内容验证不通过", "the card's content is not authentic"
    ),
    Status.FINGER_CHECK_FAILED: Word(
        Means.NOT_TRUSTED,
        "证件中的指纹信息验证不通过",
        "the fingerprints on the card are not authentic",
    ),
    Status.INFO_LENGTH: Word(
        Means.UNREADABLE, "证件内容长度错", "the card's content has a wrong length"
    ),
    Status.BAD_CARD_TYPE: Word(Means.OTHER_CARD, "无法识别的证件类型", "a card of another type"),
    Status.READ_FAILED: Word(Means.NO_CARD, "读证件失败", "reading the card failed"),
    Status.RANDOM_FAILED: Word(
        Means.UNREADABLE, "取随机数失败", "the card gave no random number"
    ),
    Status.SELFTEST_FAILED: Word(
        Means.MODULE, "读卡模块自检失败", "the module's self-test failed: it takes no command"
    ),
    Status.SAM_NOT_AUTHORISED: Word(
        Means.MODULE, "读卡模块未经授权", "the module is not authorised"
    ),
    Status.NOT_FOUND: Word(Means.NO_CARD, "没有找到证件", "no card"),
    Status.NOT_SELECTED: Word(Means.NO_CARD, "选取证件失败", "the card could not be selected"),
    Status.NO_FIELD: Word(
        Means.UNREADABLE, "证件中没有这一项", "the card has no such content"
    ),
}

#: Only the last byte is the module's: the first two are the card's own answer.
OF_THE_CARD = frozenset({
    Status.SAM_AUTH_FAILED, Status.READ_FAILED, Status.RANDOM_FAILED, Status.NOT_SELECTED,
})  # fmt: skip

_BY_BYTES = {status.value: status for status in Status}
_BY_LAST = {status.value[2]: status for status in OF_THE_CARD}


def status_of(sw: bytes) -> Status | None:
    """None for a status word that the protocol does not list.

    >>> status_of(b"\\x69\\x82\\x41").name
    'READ_FAILED'
    """
    return _BY_BYTES.get(sw) or (_BY_LAST.get(sw[2]) if len(sw) == 3 else None)


def explain(sw: bytes) -> str:
    """For the technician, in one line."""
    status = status_of(sw)
    says = f"status {sw.hex()}: {status.meaning if status else 'not in the protocol'}"
    if status in OF_THE_CARD and sw[:2] != b"\x00\x00":
        says += f" (the card answered {sw[:2].hex()})"
    return says
