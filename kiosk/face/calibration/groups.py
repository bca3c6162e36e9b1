"""Which groups people belong to (sex, age, origin), from a table somebody made.

Owns reading that table. Knows no faces and no statistics.
"""

from __future__ import annotations

import csv
import stat
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kiosk import csvtext
from kiosk.face.calibration.folder import FolderCode, FolderProblem

MAX_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Groups:
    """What is known of people: column → person → value. An empty value is not known.

    Names are compared in Unicode's composed form: some systems take accents apart in the names
    of folders.
    """

    columns: dict[str, dict[str, str]] = field(default_factory=dict)

    def values(self, column: str, people: Sequence[str]) -> list[str]:
        """Of each person in turn; empty where it is not known."""
        known = self.columns[column]
        return [known.get(_composed(person), "") for person in people]

    def known_by_column(self, people: Sequence[str]) -> dict[str, int]:
        """Of how many of the people each column has a value."""
        return {
            column: sum(bool(value) for value in self.values(column, people))
            for column in self.columns
        }

    def known(self, people: Iterable[str]) -> int:
        """Of how many of the people anything is known."""
        names = {name for column in self.columns.values() for name in column}
        return sum(_composed(person) in names for person in people)


def read_groups(path: Path) -> Groups:
    """A table with a header: first the folder's name, then one column a property.

    Encodings and separators as a roster's (kiosk.csvtext). Raises `FolderProblem`. People of
    the table who have no folder are no matter.
    """
    rows = _rows(path)
    header = rows[0][1] if rows else []
    if len(header) < 2 or not any(header[1:]):
        raise FolderProblem(FolderCode.GROUPS_NO_COLUMN, str(path))
    line = str(rows[0][0])
    for name in header[1:]:
        if name and header[1:].count(name) > 1:
            raise FolderProblem(FolderCode.GROUPS_COLUMN_TWICE, str(path), line, name)
    columns: dict[str, dict[str, str]] = {name: {} for name in header[1:] if name}
    seen: dict[str, int] = {}
    for number, cells in rows[1:]:
        person = _composed(cells[0])
        where = (str(path), str(number))
        if not person:
            raise FolderProblem(FolderCode.GROUPS_NO_PERSON, *where)
        if person in seen:
            raise FolderProblem(FolderCode.GROUPS_TWICE, *where, cells[0], str(seen[person]))
        seen[person] = number
        for at, cell in enumerate(cells[1:], 1):
            if cell and (at >= len(header) or not header[at]):
                raise FolderProblem(FolderCode.GROUPS_EXCESS, *where, cell[:40])
            if cell:
                columns[header[at]][person] = cell
    return Groups(columns)


def check(groups: Groups, path: Path, people: Sequence[str]) -> None:
    """Raises `FolderProblem` when not one of the people is in the table."""
    if groups.known(people):
        return
    theirs = next((name for column in groups.columns.values() for name in column), "–")
    raise FolderProblem(FolderCode.GROUPS_NOBODY, str(path), theirs, people[0])


def _rows(path: Path) -> list[tuple[int, list[str]]]:
    """With their lines, cells without blanks around them; blank rows are left out."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe would be waited for
            raise FolderProblem(FolderCode.GROUPS_NO_FILE, str(path))
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        why = error.strerror or ""
        raise FolderProblem(FolderCode.GROUPS_UNREADABLE, str(path), why) from error
    text = csvtext.decoded(raw) if len(raw) <= MAX_BYTES else None
    if text is None or "\0" in text or raw.startswith(csvtext.SPREADSHEETS):
        raise FolderProblem(FolderCode.GROUPS_NO_TEXT, str(path))
    found: list[tuple[int, list[str]]] = []
    try:
        for number, row in csvtext.rows(text):
            cells = [cell.strip() for cell in row]
            if any(cells):
                found.append((number, cells))
    except csv.Error as error:
        raise FolderProblem(FolderCode.GROUPS_NO_TEXT, str(path)) from error
    return found


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)
