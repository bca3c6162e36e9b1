"""What the benches are given on the command line: pictures of people, and numbers in bounds.

What is of no use is told in one sentence, as argparse tells it (exit code 2), before anything is
measured. Knows nothing of faces.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from kiosk.demo.photos import ENV, photos_folder

SUFFIXES = (".jpg", ".jpeg", ".png")


@dataclass(frozen=True)
class Faces:
    """Pictures by person, sorted; of `--faces`, or the few that the tests are played with."""

    people: dict[str, list[Path]]
    folder: Path
    smoke: bool  #: the installed ones: whether it runs, not how well it does

    @property
    def pictures(self) -> list[Path]:
        return [path for paths in self.people.values() for path in paths]

    def largest(self) -> dict[str, Path]:
        """One picture of each person: the largest file."""
        return {
            name: max(paths, key=lambda path: path.stat().st_size)
            for name, paths in self.people.items()
        }

    def tell(self, people: int, pictures: int) -> None:
        """How much of it was used, and what the figures are worth."""
        print(
            f"{self.folder}: people used {people} of {len(self.people)}, "
            f"pictures {pictures} of {len(self.pictures)}"
        )
        if self.smoke:
            print("SMOKE FIGURE, not an accuracy: the installed pictures; give --faces DIR")


def add_faces(parser: argparse.ArgumentParser | argparse._ArgumentGroup) -> None:
    parser.add_argument("--faces", type=folder, metavar="DIR",
                        help="a folder per person; default: the installed pictures")  # fmt: skip


def faces(parser: argparse.ArgumentParser, given: Path | None) -> Faces:
    """Of the folder given; without one the photographs that `make` fetched."""
    if given is not None:
        subs = {sub.name: _pictures(sub) for sub in sorted(given.iterdir()) if sub.is_dir()}
        people = {name: paths for name, paths in subs.items() if paths}
        if not people:
            useless(parser, given, f"none of {len(subs)} folders has a picture in it")
        return Faces(people, given, smoke=False)
    installed = photos_folder()
    people = {}
    for path in _pictures(installed) if installed.is_dir() else []:
        people.setdefault(path.stem.rstrip("0123456789"), []).append(path)
    if not people:
        parser.error(f"no pictures installed in {installed} ({ENV}): give --faces DIR, or run make")
    return Faces(people, installed, smoke=True)


def useless(parser: argparse.ArgumentParser, given: Path, there_is: str) -> NoReturn:
    parser.error(
        f"argument --faces: {str(given)!r}: {there_is}; it takes a folder for each person, with "
        f"pictures ({', '.join(SUFFIXES)}) in it"
    )


def _pictures(of: Path) -> list[Path]:
    return sorted(path for path in of.iterdir() if path.suffix.lower() in SUFFIXES)


# --- types for add_argument ---------------------------------------------------------------------


def folder(text: str) -> Path:
    path = Path(text)
    if not path.is_dir():
        raise argparse.ArgumentTypeError(f"{text!r}: {_instead(path)}; it takes a folder")
    return path


def file(text: str) -> Path:
    path = Path(text)
    if not path.is_file():
        raise argparse.ArgumentTypeError(f"{text!r}: {_instead(path)}; it takes a file")
    return path


def _instead(path: Path) -> str:
    if path.exists():
        return "is a folder" if path.is_dir() else "is a file"
    return "is not there"


def whole(least: int) -> Callable[[str], int]:
    """A whole number from `least` up."""

    def number(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if value < least:
            raise argparse.ArgumentTypeError(f"{text!r}: it takes a whole number from {least} up")
        return value

    return number


def seconds(text: str) -> float:
    return _finite(text, "more than 0", lambda value: value > 0)


def minutes(text: str) -> float:
    """None of them is good as well."""
    return _finite(text, "0 or more", lambda value: value >= 0)


def _finite(text: str, bounds: str, good: Callable[[float], bool]) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and good(value)):
        raise argparse.ArgumentTypeError(f"{text!r}: it takes a number, {bounds}")
    return value
