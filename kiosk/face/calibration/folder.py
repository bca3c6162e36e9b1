"""A folder of people on the disk: who is there, with which pictures, and what is wrong with it.

Owns reading names and bytes. Knows no faces. Follows links; goes one level deep and no further.
"""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from kiosk.face.enrol import MAX_BYTES

#: Files that lie about in such folders and are no pictures.
_NOTES = frozenset((".txt", ".md", ".csv", ".tsv", ".json", ".xml", ".yaml", ".yml", ".html",
                    ".ini", ".db", ".pdf", ".mat"))  # fmt: skip


class FolderCode(StrEnum):
    """Why a folder cannot be used. Texts are in kiosk/cli/face_texts.py."""

    NO_FOLDER = "no_folder"
    UNREADABLE = "unreadable"
    NO_PEOPLE = "no_people"
    NESTED = "nested"
    SAME_PICTURE = "same_picture"
    GROUPS_UNREADABLE = "groups_unreadable"
    GROUPS_NO_COLUMN = "groups_no_column"
    GROUPS_TWICE = "groups_twice"
    GROUPS_NO_FILE = "groups_no_file"
    GROUPS_NO_TEXT = "groups_no_text"
    GROUPS_COLUMN_TWICE = "groups_column_twice"
    GROUPS_NO_PERSON = "groups_no_person"
    GROUPS_EXCESS = "groups_excess"
    GROUPS_NOBODY = "groups_nobody"
    KEPT_FOREIGN = "kept_foreign"
    KEPT_OTHER = "kept_other"
    KEPT_NO_ROOM = "kept_no_room"


class FolderProblem(Exception):
    """The input is of no use as it is. `names`: what it is about, for the sentence."""

    def __init__(self, code: FolderCode, *names: str) -> None:
        super().__init__(code, *names)
        self.code = code
        self.names = names


class SkipCode(StrEnum):
    """Why a file or folder was left out. The last six count as failures to acquire."""

    LOOSE_FILE = "loose_file"
    INNER_FOLDER = "inner_folder"
    NOT_A_FILE = "not_a_file"
    EMPTY_FOLDER = "empty_folder"
    DUPLICATE = "duplicate"
    UNREADABLE = "unreadable"
    TWO_TONE = "two_tone"
    NO_FACE = "no_face"
    SEVERAL_FACES = "several_faces"
    TOO_SMALL = "too_small"
    BLURRED = "blurred"


def told(name: str) -> str:
    """A name from the disk as it can be shown and written: nothing in it moves a cursor."""
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in name
    )


@dataclass(frozen=True, slots=True)
class Skipped:
    path: str  #: below the folder, as it is told to people
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
        return told(f"{self.person}/{self.path.name}")


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
    try:
        entries = _visible(root)
    except OSError as error:
        raise FolderProblem(FolderCode.UNREADABLE, str(root), error.strerror or "") from error
    for entry in entries:
        if entry.is_dir():
            people[entry.name] = _files(entry, root, skipped)
        elif not _is_note(entry):
            skipped.append(Skipped(told(entry.name), SkipCode.LOOSE_FILE))
    _not_nested(root, people, skipped)
    pictures = _without_duplicates(people, skipped)
    if not pictures:
        raise FolderProblem(FolderCode.NO_PEOPLE, str(root))
    return Folder(tuple(pictures), tuple(skipped))


def _visible(folder: Path) -> list[Path]:
    return sorted(e for e in folder.iterdir() if not e.name.startswith("."))


def _is_note(path: Path) -> bool:
    return path.suffix.lower() in _NOTES or path.name in ("LICENSE", "README", "Makefile")


def _files(person: Path, root: Path, skipped: list[Skipped]) -> list[Path]:
    found = []
    try:
        entries = _visible(person)
    except OSError as error:  # no permission
        skipped.append(Skipped(told(person.name), SkipCode.UNREADABLE, error.strerror or ""))
        return []
    for entry in entries:
        if entry.is_dir():
            skipped.append(Skipped(told(str(entry.relative_to(root))), SkipCode.INNER_FOLDER))
        elif not _is_note(entry):
            found.append(entry)
    if not found:
        skipped.append(Skipped(told(person.name), SkipCode.EMPTY_FOLDER))
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
            name = told(f"{person}/{path.name}")
            try:
                status = path.stat()
                if not stat.S_ISREG(status.st_mode):  # a pipe would be waited for
                    skipped.append(Skipped(name, SkipCode.NOT_A_FILE))
                    continue
                if status.st_size > MAX_BYTES:
                    detail = f"bytes {status.st_size}, max {MAX_BYTES}"
                    skipped.append(Skipped(name, SkipCode.UNREADABLE, detail))
                    continue
                with path.open("rb") as file:
                    digest = hashlib.file_digest(file, "sha256").hexdigest()
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
