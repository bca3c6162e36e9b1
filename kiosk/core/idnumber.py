"""The resident identity number of GB 11643-1999: 17 digits and a check character.

Pure; says what is wrong with a number, not whose it is.
"""

from __future__ import annotations

from datetime import date

LENGTH = 18
OLD_LENGTH = 15  #: GB 11643-1989, not issued since 1999: two digits of the year, no check character
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"


def check_character(first17: str) -> str:
    """ISO 7064 MOD 11-2 over the first 17 digits."""
    total = sum(int(d) * w for d, w in zip(first17, _WEIGHTS, strict=True))
    return _CHECK[total % 11]


def birth_date(number: str) -> date:
    """Raises `ValueError` when digits 7 to 14 are not a day."""
    return date(int(number[6:10]), int(number[10:12]), int(number[12:14]))


def problem(number: str) -> str | None:
    """What is wrong: old_number, length, characters, birth_date, checksum; None when nothing is."""
    if len(number) == OLD_LENGTH and number.isascii() and number.isdigit():
        return "old_number"
    if len(number) != LENGTH:
        return "length"
    body, last = number[:17], number[17]
    if not (number.isascii() and body.isdigit() and (last.isdigit() or last == "X")):
        return "characters"
    try:
        born = birth_date(number)
    except ValueError:
        return "birth_date"
    if born.year < 1900:
        return "birth_date"
    return None if check_character(body) == last else "checksum"
