"""Whether a name or number is what somebody types to find a person: characters of the name, the
initials of its pinyin, the last digits of a number.

Knows words only; whose they are and who may ask is decided elsewhere.
"""

from __future__ import annotations

import os
from functools import lru_cache

# phrases would choose one reading of 重 or 单; a search must find all of them, and the phrases
# alone are some 40 MB
os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")

MOST_INITIALS = 64  #: combinations of readings of one name that are tried


def found(query: str, name: str, numbers: tuple[str, ...]) -> bool:
    """Whether `query` means this person. An empty one means everybody.

    Characters stand anywhere in the name, letters are its first initials (wx: 王晓明), digits and
    X end a number.
    """
    wanted = "".join(query.split()).casefold()
    if not wanted or wanted in name.casefold():
        return True
    if wanted.isascii() and wanted.isalnum():
        if any(number.casefold().endswith(wanted) for number in numbers):
            return True
        return any(initials.startswith(wanted) for initials in initials_of(name))
    return False


@lru_cache(maxsize=4096)
def initials_of(name: str) -> frozenset[str]:
    """Every way in which the first letters of the characters' pinyin can be written."""
    from pypinyin import Style, pinyin  # its tables take a tenth of a second

    written = "".join(name.split())
    readings = pinyin(written, style=Style.FIRST_LETTER, heteronym=True, errors="default")
    whole = [""]
    for letters in readings:
        different = sorted({letter.casefold()[:1] for letter in letters if letter})
        whole = [before + letter for before in whole for letter in different][:MOST_INITIALS]
    return frozenset(whole)
