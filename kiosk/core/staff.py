"""The people who run a lane: their roles, how they are written into the record, which PINs are
too easy, and how long somebody waits who keeps getting theirs wrong.

Pure; knows neither where they are kept nor how a PIN is hashed.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import pairwise

FREE_TRIES = 3  #: wrong PINs before the first wait
FIRST_WAIT_S = 30.0
LONGEST_WAIT_S = 900.0
PIN_LENGTHS = range(6, 13)
MAX_NAME = 32
_STAFF_NO = re.compile(r"[0-9]{1,12}", re.ASCII)
#: What people choose first, beyond what the rules below catch (Chinese halls).
_FAVOURITES = frozenset({
    "112233", "123321", "147258", "159357", "159753", "168168", "258369", "445566", "5201314",
    "520520", "521521", "665544", "778899", "789456", "963852", "1314520", "147258369",
    "112358", "100200", "102030", "110120", "110119",
})  # fmt: skip


class Role(StrEnum):
    """What somebody is at this lane. What each may do is in kiosk.staff.roles."""

    PROCTOR = "proctor"
    CHIEF = "chief"
    TECHNICIAN = "technician"


class PinProblem(StrEnum):
    """Why a PIN is not taken; a key of kiosk.texts as `pin_…`."""

    LENGTH = "length"  #: not 6 to 12 characters
    DIGITS = "digits"  #: something else than digits
    NUMBER = "number"  #: the staff number is in it, or it in the staff number
    EASY = "easy"  #: one of those that anybody tries first


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a staff number (工号) of this lane."""

    staff_no: str
    name: str
    role: Role

    @property
    def signature(self) -> str:
        """How journal entries name who did something: number, blank, name.

        >>> Person("1001", "李敏", Role.CHIEF).signature
        '1001 李敏'
        """
        return f"{self.staff_no} {self.name}"


def looks_like_signature(person: str) -> bool:
    """Whether a name written by hand could be taken for somebody who has logged in."""
    number, blank, _ = person.strip().partition(" ")
    return bool(blank) and is_staff_no(number)


def is_staff_no(text: str) -> bool:
    """1 to 12 digits, as a number pad can type them; none begins with 0 and looks like another."""
    return _STAFF_NO.fullmatch(text) is not None and not text.startswith("0")


def is_staff_name(text: str) -> bool:
    """1 to 32 printable characters without outer blanks."""
    return 0 < len(text) <= MAX_NAME and text.isprintable() and text == text.strip()


def plain_name(name: str) -> str:
    """What makes two names look the same on a screen: neither blanks, width nor case.

    >>> plain_name("Ｌi  Min") == plain_name("LI MIN")
    True
    """
    return "".join(unicodedata.normalize("NFKC", name).split()).casefold()


def pin_problem(pin: str, staff_no: str) -> PinProblem | None:
    """Why this PIN may not be used, or None.

    >>> pin_problem("123456", "1001"), pin_problem("483917", "1001")
    (<PinProblem.EASY: 'easy'>, None)
    """
    if len(pin) not in PIN_LENGTHS:
        return PinProblem.LENGTH
    if not (pin.isascii() and pin.isdigit()):
        return PinProblem.DIGITS
    if pin in staff_no or (len(staff_no) >= 4 and staff_no in pin):
        return PinProblem.NUMBER
    return PinProblem.EASY if _is_easy(pin) else None


def _is_easy(pin: str) -> bool:
    """Few different digits, a run up or down, something short repeated, a date, a favourite."""
    steps = {(int(b) - int(a)) % 10 for a, b in pairwise(pin)}
    repeated = any(pin == (pin[:n] * len(pin))[: len(pin)] for n in range(1, len(pin) // 2 + 1))
    return (
        len(set(pin)) < 3 or steps in ({1}, {9}) or repeated or pin in _FAVOURITES or _is_date(pin)
    )


def _is_date(pin: str) -> bool:
    """A day as people write it: YYYYMMDD, YYMMDD, DDMMYYYY."""
    for form in ("%Y%m%d", "%y%m%d", "%d%m%Y"):
        try:
            found = datetime.strptime(pin, form)
        except ValueError:
            continue
        if 1930 <= found.year <= 2068 and found.strftime(form) == pin:
            return True
    return False


def wait_s(failures: int) -> float:
    """How long after the last of so many wrong PINs in a row nobody may try again.

    >>> [wait_s(n) for n in (0, 2, 3, 4, 5, 99)]
    [0.0, 0.0, 30.0, 60.0, 120.0, 900.0]
    """
    if failures < FREE_TRIES:
        return 0.0
    return min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(failures - FREE_TRIES, 30))


def left_to_wait_s(failures: int, failed_at: datetime | None, now: datetime) -> float:
    """What is left of it; a clock that was set back does not make it longer."""
    whole = wait_s(failures)
    if failed_at is None or whole == 0.0:
        return 0.0
    return max(0.0, min(whole, whole - (now - failed_at).total_seconds()))


def may_approve(person: Person | None, approver: Person) -> bool:
    """Two people, at least one of them a chief. `person` None: somebody at the command line."""
    if person is not None and person.staff_no == approver.staff_no:
        return False
    chiefs = [p for p in (person, approver) if p is not None and p.role is Role.CHIEF]
    return bool(chiefs) and approver.role in (Role.CHIEF, Role.PROCTOR)
