"""Which finger a template is of, and in which format it is written. Pure.

Fingers have the numbers of ISO/IEC 19794-2 (finger position, 1 to 10). A roster may also use the
codes that go with China's identity card (11 to 20, in the same order) or words.
"""

from __future__ import annotations

from dataclasses import dataclass

ZFM = "zfm"  #: 512 bytes, as modules of the ZFM-20 family make them
ISO = "iso-19794-2"  #: a finger minutiae record of ISO/IEC 19794-2:2005 ("FMR", " 20")
FORMATS = (ZFM, ISO)
ZFM_BYTES = 512
MAX_ISO_BYTES = 8192
_ISO_HEAD = b"FMR\0 20\0"
_ISO_HEAD_BYTES = 24

#: by number; 0 is a finger that nobody named
NAMES = (
    "", "right_thumb", "right_index", "right_middle", "right_ring", "right_little",
    "left_thumb", "left_index", "left_middle", "left_ring", "left_little",
)  # fmt: skip
_DIGITS = ("拇", "食", "中", "环", "小")
_WORDS = {name: n for n, name in enumerate(NAMES) if name}
_WORDS |= {str(n): n for n in range(1, 11)} | {str(n + 10): n for n in range(1, 11)}
for _at, _hand in enumerate(("右", "左")):
    for _n, _digit in enumerate(_DIGITS, 5 * _at + 1):
        _WORDS |= {f"{_hand}手{_digit}指": _n, f"{_hand}{_digit}指": _n, f"{_hand}{_digit}": _n}


@dataclass(frozen=True, slots=True)
class Template:
    """One of a candidate's. Personal data: never log."""

    data: bytes
    format: str = ZFM
    finger: int = 0

    def __repr__(self) -> str:
        return f"Template({self.format})"


def number_of(word: str) -> int | None:
    """A finger's number; None: no such word.

    >>> number_of("右手拇指"), number_of("left_index"), number_of("16"), number_of("thumb")
    (1, 7, 6, None)
    """
    return _WORDS.get(word.strip().lower().replace(" ", "_"))


def format_of(data: bytes) -> str | None:
    """What the bytes look like; None: like nothing that is known.

    An ISO record says its own length; its remaining fields are for whoever compares it.
    """
    if data.startswith(_ISO_HEAD) and len(data) > _ISO_HEAD_BYTES:
        said = int.from_bytes(data[8:12], "big")
        return ISO if said == len(data) <= MAX_ISO_BYTES else None
    return ZFM if len(data) == ZFM_BYTES else None
