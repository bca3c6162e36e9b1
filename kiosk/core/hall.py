"""The hall and its rules: which terminals one candidate's draw chooses among.

Pure and deterministic, written down byte by byte in docs/draw.md so that a stranger can apply
them to the record. Knows neither seed nor candidates' names, only the facts that rules use.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kiosk.core.codes import Reason

MAX_NAME = 64
LICENCE_CLASSES = frozenset(
    ["A1", "A2", "A3", "B1", "B2", "C1", "C2", "C3", "C4", "C5", "C6", "D", "E", "F", "M", "N", "P"]
)
#: A name never needs an escape in JSON, so its canonical form is the same in every language.
_NOT_IN_NAMES = frozenset('"\\')


@dataclass(frozen=True, slots=True)
class Terminal:
    """One exam desk (考台) of a session."""

    name: str
    position: int  #: in the hall's order, from 0
    row: int | None = None  #: row and column are known both or neither
    column: int | None = None
    in_service: bool = True
    reserved: bool = False  #: kept back by the office: not drawn
    accessible: bool = False  #: for candidates who need one; given to others last
    classes: tuple[str, ...] = ()  #: licence classes it serves; empty: all

    @property
    def drawable(self) -> bool:
        return self.in_service and not self.reserved

    def serves(self, licence_class: str) -> bool:
        return not self.classes or licence_class in self.classes

    def published(self) -> dict[str, Any]:
        """As in the journal and in the committed JSON: without row and column if not known."""
        found: dict[str, Any] = {
            "name": self.name,
            "position": self.position,
            "in_service": self.in_service,
            "reserved": self.reserved,
            "accessible": self.accessible,
            "classes": list(self.classes),
        }
        if self.row is not None and self.column is not None:
            found |= {"row": self.row, "column": self.column}
        return found


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rules may know of a candidate."""

    licence_class: str
    accessible: bool = False  #: needs an accessible terminal
    school: str | None = None  #: salted hash of the driving school

    def published(self) -> dict[str, Any]:
        return {
            "licence_class": self.licence_class,
            "accessible": self.accessible,
            "school": self.school,
        }


@dataclass(frozen=True, slots=True)
class Pool:
    """What one draw chooses among. `refusal` says why `names` is empty; else it is None."""

    free: tuple[str, ...]  #: sorted
    names: tuple[str, ...]  #: sorted; a part of `free`
    spacing_gave_way: bool = False
    refusal: Reason | None = None


def sort_names(names: Iterable[str]) -> tuple[str, ...]:
    """By the bytes of their UTF-8 form."""
    return tuple(sorted(names, key=str.encode))


def is_name(text: str) -> bool:
    """Whether a terminal or session may be called so (docs/draw.md, Names)."""
    return (
        0 < len(text) <= MAX_NAME
        and text.isprintable()
        and text == text.strip()
        and not _NOT_IN_NAMES & set(text)
    )


def hall_json(terminals: Sequence[Terminal], *, capacity: int, spacing: bool) -> str:
    """The hall and its rules as the session opens, in the one form that is committed to."""
    in_order = sorted(terminals, key=lambda t: t.position)
    whole = {
        "capacity": capacity,
        "rules": {"spacing": spacing},
        "terminals": [t.published() for t in in_order],
    }
    return json.dumps(whole, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def hall_sha256(terminals: Sequence[Terminal], *, capacity: int, spacing: bool) -> str:
    """SHA-256, hex, over the UTF-8 bytes of `hall_json`."""
    text = hall_json(terminals, capacity=capacity, spacing=spacing)
    return hashlib.sha256(text.encode()).hexdigest()


def neighbours(a: Terminal, b: Terminal) -> bool:
    """Side by side: in one row, or, where neither has a row, next to each other in order."""
    if a.row is not None and b.row is not None:
        return a.row == b.row and abs((a.column or 0) - (b.column or 0)) == 1
    return a.row is None and b.row is None and abs(a.position - b.position) == 1


def pool_of(
    terminals: Sequence[Terminal],
    held: Mapping[str, str | None],
    facts: Facts,
    *,
    capacity: int,
    spacing: bool,
) -> Pool:
    """The terminals this candidate's draw chooses among, or why there is none.

    `held`: name of each terminal that somebody has, and the school that they came from.
    """
    free = [t for t in terminals if t.drawable and t.name not in held]
    names = sort_names(t.name for t in free)
    if not free or len(held) >= capacity:
        return Pool(names, (), refusal=Reason.HALL_FULL)
    left = [t for t in free if t.serves(facts.licence_class)]
    if not left:
        return Pool(names, (), refusal=Reason.NO_TERMINAL_FOR_CLASS)
    if facts.accessible:
        left = [t for t in left if t.accessible]
        if not left:
            return Pool(names, (), refusal=Reason.NO_ACCESSIBLE_TERMINAL)
    else:
        left = [t for t in left if not t.accessible] or left
    gave_way = False
    if spacing and facts.school is not None:
        mates = [t for t in terminals if held.get(t.name) == facts.school]
        apart = [t for t in left if not any(neighbours(t, m) for m in mates)]
        gave_way = not apart
        left = apart or left
    return Pool(names, sort_names(t.name for t in left), gave_way)
