"""A folder of people on the disk: who is there, with which pictures, and what is wrong with it.

Owns reading names and bytes. Knows no faces. Follows links; goes one level deep and no further.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

#: Files that lie about in such folders and are no pictures.
_NOTES = frozenset((".txt", ".md", ".csv", ".tsv", ".json", ".xml", ".yaml", ".yml", ".html",
                    ".ini", ".db", ".pdf", ".mat"))  # fmt: skip


class FolderCode(StrEnum):
    """Why a folder cannot be used. Texts are in kiosk/cli/face_texts.py."""

    NO_FOLDER = "no_folder"
    NO_PEOPLE = "no_people"
    NESTED = "nested"
    SAME_PICTURE = "same_picture"
    GROUPS_UNREADABLE = "groups_unreadable"
    GROUPS_NO_COLUMN = "groups_no_column"
    GROUPS_TWICE = "groups_twice"


class FolderProblem(Exception):
    """The input is of no use as it is. `names`: what it is about, for the sentence."""

    def __init__(self, code: FolderCode, *names: str) -> None:
        super().__init__(code, *names)
        self.code = code
        self.names = names


class SkipCode(StrEnum):
    """Why a file or folder was left out. The last four count as failures to acquire."""

    LOOSE_FILE = "loose_file"
    INNER_FOLDER = "inner_folder"
    EMPTY_FOLDER = "empty_folder"
    DUPLICATE = "duplicate"
    UNREADABLE = "unreadable"
    NO_FACE = "no_face"
    SEVERAL_FACES = "several_faces"
    TOO_SMALL = "too_small"
    BLURRED = "blurred"


@dataclass(frozen=True, slots=True)
class Skipped:
    path: str  #: below the folder
    code: SkipCode
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    path: Path
    person: str
    sha256: str

    @property
    def name(self) -> str:
        """As it is told to people: person/file."""
        return f"{self.person}/{self.path.name}"


@dataclass(frozen=True, slots=True)
class Folder:
    pictures: tuple[Picture, ...]  #: by person, then by name
    skipped: tuple[Skipped, ...]

    @property
    def people(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(picture.person for picture in self.pictures))


def scan(root: Path) -> Folder:
    """Read the folder. Raises `FolderProblem` where going on would give wrong figures."""
    if not root.is_dir():
        raise FolderProblem(FolderCode.NO_FOLDER, str(root))
    skipped: list[Skipped] = []
    people: dict[str, list[Path]] = {}
    for entry in _visible(root):
        if entry.is_dir():
            people[entry.name] = _files(entry, root, skipped)
        elif not _is_note(entry):
            skipped.append(Skipped(entry.name, SkipCode.LOOSE_FILE))
    _not_nested(root, people, skipped)
    pictures = _without_duplicates(people, skipped)
    if not pictures:
        raise FolderProblem(FolderCode.NO_PEOPLE, str(root))
    return Folder(tuple(pictures), tuple(skipped))


def _visible(folder: Path) -> Iterator[Path]:
    return iter(sorted(e for e in folder.iterdir() if not e.name.startswith(".")))


def _is_note(path: Path) -> bool:
    return path.suffix.lower() in _NOTES or path.name in ("LICENSE", "README", "Makefile")


def _files(person: Path, root: Path, skipped: list[Skipped]) -> list[Path]:
    found = []
    for entry in _visible(person):
        if entry.is_dir():
            skipped.append(Skipped(str(entry.relative_to(root)), SkipCode.INNER_FOLDER))
        elif not _is_note(entry):
            found.append(entry)
    if not found:
        skipped.append(Skipped(person.name, SkipCode.EMPTY_FOLDER))
    return found


def _not_nested(root: Path, people: Mapping[str, list[Path]], skipped: list[Skipped]) -> None:
    """Pictures only one level deeper: somebody gave the folder above the one they meant."""
    inner = [s.path for s in skipped if s.code is SkipCode.INNER_FOLDER]
    if inner and not any(people.values()):
        raise FolderProblem(FolderCode.NESTED, str(root / Path(inner[0]).parent), inner[0])


def _without_duplicates(people: Mapping[str, list[Path]], skipped: list[Skipped]) -> list[Picture]:
    """The same file twice is one picture; under two people it is an error: all are named."""
    seen: dict[str, Picture] = {}
    clashes: list[str] = []
    for person, paths in people.items():
        for path in paths:
            name = f"{person}/{path.name}"
            try:
                digest = hashlib.sha256(path.read_bytes()).hexdigest()
            except OSError as error:  # a broken link, no permission
                skipped.append(Skipped(name, SkipCode.UNREADABLE, error.strerror or ""))
                continue
            before = seen.setdefault(digest, Picture(path, person, digest))
            if before.person != person:
                clashes.append(f"{before.name} = {name}")
            elif before.path != path:
                skipped.append(Skipped(name, SkipCode.DUPLICATE, before.name))
    if clashes:
        raise FolderProblem(FolderCode.SAME_PICTURE, *clashes)
    return list(seen.values())


# --- groups -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Groups:
    """What is known of people: column → person → value. An empty value is not known."""

    columns: dict[str, dict[str, str]] = field(default_factory=dict)

    def values(self, column: str, people: tuple[str, ...]) -> list[str]:
        """Of each person in turn; empty where it is not known."""
        return [self.columns[column].get(person, "") for person in people]


def read_groups(path: Path) -> Groups:
    """A CSV file with a header: first the folder's name, then one column a property.

    Raises `FolderProblem`. People of the file who have no folder are no matter.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [[cell.strip() for cell in row] for row in csv.reader(file) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise FolderProblem(FolderCode.GROUPS_UNREADABLE, str(path), str(error)) from error
    header = rows[0] if rows else []
    if len(header) < 2:
        raise FolderProblem(FolderCode.GROUPS_NO_COLUMN, str(path))
    columns: dict[str, dict[str, str]] = {name: {} for name in header[1:] if name}
    seen: set[str] = set()
    for row in rows[1:]:
        if row[0] in seen:
            raise FolderProblem(FolderCode.GROUPS_TWICE, str(path), row[0])
        seen.add(row[0])
        for name, value in zip(header[1:], row[1:], strict=False):
            if name and value:
                columns[name][row[0]] = value
    return Groups(columns)
