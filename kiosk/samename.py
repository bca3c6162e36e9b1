"""Whether two ways of writing a name are one name: a card's and the roster's.

The identity number has said already whose entry it is; this says whether name and number belong
together. Knows words only. What is one name, and why: docs/roster.md, "The name on the card".
"""

from __future__ import annotations

import unicodedata
from enum import StrEnum
from functools import lru_cache
from typing import Any


class Likeness(StrEnum):
    """From one name to two, in this order."""

    SAME = "same"
    WRITTEN = "written"  #: blanks, dots, width, capitals, a private character of GB 18030
    VARIANT = "variant"  #: another form of the same character: traditional, old print
    SIMILAR = "similar"  #: one character more, less or another: a person has to look
    DIFFERENT = "different"


#: What stands between the parts of a transcribed name; some systems write none at all.
_DOTS = "·•・‧∙⋅●．.･᛫‐-‑’'`´"
_UNKNOWN = "?？□■〓*＊�"  #: what programs write for a character that they do not have

#: GBK put 80 characters of a later standard at U+E815 to U+E864, in the order of GB 18030's
#: two-byte codes FE50 to FEA0. All but these have the character in Python's codec; these got one
#: in GB 18030-2022 only.
_PRIVATE_FIRST = 0xE815
_PRIVATE_2022 = {
    0xE816: 0x20087, 0xE817: 0x20089, 0xE818: 0x200CC, 0xE81E: 0x9FB4, 0xE826: 0x9FB5,
    0xE82B: 0x9FB6, 0xE82C: 0x9FB7, 0xE831: 0x215D7, 0xE832: 0x9FB8, 0xE83B: 0x2298F,
    0xE843: 0x9FB9, 0xE854: 0x9FBA, 0xE855: 0x241FE, 0xE864: 0x9FBB,
}  # fmt: skip

#: Forms of print that OpenCC's table of traditional characters does not have
_OLD_PRINT = str.maketrans("靑淸愼戸髙郞徳黒値兪巻濶", "青清慎户高郎德黑值俞卷阔")


def likeness(one: str, other: str) -> Likeness:
    """How alike two ways of writing a name are."""
    if one.split() == other.split():
        return Likeness.SAME
    a, b = _plain(one), _plain(other)
    if a == b:
        return Likeness.WRITTEN if a else Likeness.DIFFERENT
    a, b = _simplified(a), _simplified(b)
    if a == b:
        return Likeness.VARIANT
    if _one_apart(a, b) or _same_words(one, other):
        return Likeness.SIMILAR
    return Likeness.DIFFERENT


def _plain(name: str) -> str:
    """Without what only its writers see."""
    shown = unicodedata.normalize("NFKC", name.translate(_private()))
    kept = (c for c in shown if c not in _DOTS and not c.isspace() and not _invisible(c))
    return "".join(kept).casefold()


def _invisible(character: str) -> bool:
    """Also the selectors that choose one drawing of a character."""
    return unicodedata.category(character) in ("Cf", "Cc") or "\ufe00" <= character <= "\ufe0f" or (
        "\U000e0100" <= character <= "\U000e01ef"
    )


@lru_cache(maxsize=1)
def _private() -> dict[int, int]:
    table = dict(_PRIVATE_2022)
    codes = [code for code in range(0x50, 0xA1) if code != 0x7F]
    for n, code in enumerate(codes):
        meant = ord(bytes((0xFE, code)).decode("gb18030"))
        table.setdefault(_PRIVATE_FIRST + n, meant)
    return table


def _simplified(name: str) -> str:
    """Character by character: whole words would be converted by what they mean."""
    return "".join(_simple(c) for c in name.translate(_OLD_PRINT))


@lru_cache(maxsize=8192)
def _simple(character: str) -> str:
    if unicodedata.category(character) == "Cs":
        return character  # half of one: no text that the converter takes
    return str(_converter().convert(character))


@lru_cache(maxsize=1)
def _converter() -> Any:
    from opencc import OpenCC  # its tables take ten milliseconds

    return OpenCC("t2s")


def _one_apart(a: str, b: str) -> bool:
    """One character was exchanged, left out, or could not be written."""
    short, long = sorted((a, b), key=len)
    if len(short) < 2 or len(long) - len(short) > 1:
        return False
    if len(short) == len(long):
        pairs = [(x, y) for x, y in zip(a, b, strict=True) if x != y]
        known = [p for p in pairs if not set(p) & set(_UNKNOWN)]
        return len(known) <= 1 and len(pairs) < len(a)
    return any(long[:at] + long[at + 1 :] == short for at in range(len(long)))


def _same_words(one: str, other: str) -> bool:
    """Latin names: the same words in another order, or some of them."""
    a, b = (set(unicodedata.normalize("NFKC", n).casefold().split()) for n in (one, other))
    fewer = min(a, b, key=len)
    return len(fewer) > 1 and fewer == a & b
