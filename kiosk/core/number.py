"""A number that somebody typed or scanned: an identity number, an admission number, or what is
wrong with it.

Pure; says nothing of whether anybody has that number. The number never appears in its repr.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from kiosk.core import idnumber

MAX_LENGTH = 64  #: of an admission number, as in the roster
_IGNORED = " \t\u3000"


class NumberKind(StrEnum):
    IDENTITY = "identity"
    ADMISSION = "admission"


@dataclass(frozen=True, slots=True)
class Number:
    """As the roster writes it: capitals, no blanks, plain digits."""

    kind: NumberKind
    value: str

    def __repr__(self) -> str:
        return f"Number({self.kind.value}, {len(self.value)} characters)"


class NumberProblem(StrEnum):
    """What is wrong with what was typed, told at once: it follows from the digits alone."""

    EMPTY = "empty"
    LENGTH = "length"
    CHARACTERS = "characters"
    OLD_NUMBER = "old_number"
    BIRTH_DATE = "birth_date"
    CHECKSUM = "checksum"


def read(text: str, admission_lengths: Collection[int]) -> Number | NumberProblem:
    """Read what was typed. `admission_lengths`: how long this session's admission numbers are.

    A whole identity number is one; else what is as long as an admission number is that; else
    the fault of the identity number it was meant to be.

    >>> read("37060219610804301 x", {13})
    <NumberProblem.CHECKSUM: 'checksum'>
    >>> read("3706261100001", {13})
    Number(admission, 13 characters)
    """
    plain = unicodedata.normalize("NFKC", text).upper()
    for character in _IGNORED:
        plain = plain.replace(character, "")
    if not plain:
        return NumberProblem.EMPTY
    if len(plain) > MAX_LENGTH:
        return NumberProblem.LENGTH
    problem = idnumber.problem(plain)
    if problem is None:
        return Number(NumberKind.IDENTITY, plain)
    if len(plain) in admission_lengths:
        return Number(NumberKind.ADMISSION, plain)
    return NumberProblem(problem)
