"""Fetch the pictures that the face benches and `examgate face calibrate` are run on.

    python bench/collect_faces.py DIR [--list bench/faces.toml]

`faces.toml` says which packages they are in and which picture shows whom. Each archive is fetched
with its registry's own client (pip, npm), kept in DIR.archives, and used only when its SHA-256 is
the listed one. Writes DIR/<person>/1.jpg, 2.jpg … (or .png) and DIR/groups.csv, for `--groups`.
Exit 0: all of it; 1: something is missing or differs, and it says what, the rest is written;
2: the list is not in order, or the folder cannot be written.
"""

from __future__ import annotations

import argparse
import csv
import fnmatch
import hashlib
import re
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import cv2
import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

LIST = Path(__file__).with_name("faces.toml")
GROUPS = ("source", "region", "age", "glasses", "skin")
FETCH_TIMEOUT_S = 300
_AS_IT_IS = (".jpg", ".jpeg", ".png")


class NotCollected(Exception):
    """An archive or a picture cannot be used; the text says which, why and what to do."""


class ListProblem(ValueError):
    """The list is not in order; the text says file, place, value and what is expected."""


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Archive(_Row):
    kind: Literal["npm", "wheel", "sdist"]
    name: str
    version: str
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    licence: str


@dataclass(frozen=True)
class Picture:
    archive: str
    member: str  #: may hold *
    crop: tuple[int, ...] = ()  #: left, top, right, bottom


def _picture(text: object) -> Picture:
    form = "archive:member, then #left,top,right,bottom where one person is cut out"
    match = re.fullmatch(r"([^:]+):([^#]+)(?:#(\d+),(\d+),(\d+),(\d+))?", str(text))
    if match is None:
        raise ValueError(f"expected {form}")
    archive, member, *edges = match.groups()
    if edges[0] is None:
        return Picture(archive, member)
    left, top, right, bottom = crop = tuple(int(edge) for edge in edges)
    if left >= right or top >= bottom:
        raise ValueError("nothing is left of it: right must exceed left, bottom must exceed top")
    return Picture(archive, member, crop)


class Person(_Row):
    pictures: Annotated[
        tuple[Annotated[Picture, BeforeValidator(_picture)], ...], Field(min_length=1)
    ]
    region: str = ""
    age: str = ""
    glasses: str = ""
    skin: str = ""

    @property
    def source(self) -> str:
        return self.pictures[0].archive


class _List(_Row):
    archive: dict[str, Archive]
    # each is a folder's name
    person: Annotated[
        dict[Annotated[str, Field(pattern=r"^\w[\w-]*$")], Person], Field(min_length=1)
    ]


Fetch = Callable[[Archive, Path], Path]


def read_list(path: Path = LIST) -> tuple[dict[str, Archive], dict[str, Person]]:
    """Archives and people by name. Raises `ListProblem`."""
    try:
        table = _List.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ListProblem(f"{path}: cannot be read ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ListProblem(f"{path}: not a TOML file: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ListProblem(f"{path}: {place}: {first['msg']}; found {first['input']!r}") from error
    for name, person in table.person.items():
        if unknown := sorted({p.archive for p in person.pictures} - set(table.archive)):
            raise ListProblem(f"{path}: person.{name}: no archive is called {unknown[0]}")
    return table.archive, table.person


# --- archives -----------------------------------------------------------------------------------

_COMMANDS: dict[str, Callable[[Archive], list[str]]] = {
    "npm": lambda a: [
        "npm",
        "pack",
        "--silent",
        "--ignore-scripts",
        "--fetch-retries=0",
        f"{a.name}@{a.version}",
    ],
    "wheel": lambda a: [*_PIP, "--only-binary", ":all:", f"{a.name}=={a.version}"],
    # only this package as source, so that what pip needs to read its metadata comes ready-made
    "sdist": lambda a: [*_PIP, "--no-binary", a.name, f"{a.name}=={a.version}"],
}
_PIP = [
    sys.executable,
    "-m",
    "pip",
    "download",
    "-q",
    "--disable-pip-version-check",
    "--no-deps",
    "--retries=1",
]


def fetch(archive: Archive, into: Path) -> Path:
    """By the registry's own client. Raises `NotCollected`."""
    what = f"{archive.kind} {archive.name} {archive.version}"
    with tempfile.TemporaryDirectory(dir=into) as scratch:
        try:
            done = subprocess.run(
                _COMMANDS[archive.kind](archive),
                cwd=scratch, capture_output=True, text=True, timeout=FETCH_TIMEOUT_S,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            raise NotCollected(f"{what} was not fetched: {error}") from error
        got = sorted(Path(scratch).iterdir())
        if done.returncode or not got:
            said = [line for line in done.stderr.splitlines() if "err" in line.lower()]
            raise NotCollected(
                f"{what} was not fetched: {said[-1] if said else done.returncode}. Connect this "
                "machine to the network and run it again; what is there is kept."
            )
        return got[0].rename(into / got[0].name)


def checked(path: Path, archive: Archive) -> Path:
    """The path, when the file is the listed one. Raises `NotCollected`."""
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != archive.sha256:
        raise NotCollected(
            f"{path}: not the archive of {archive.name} {archive.version} that the pictures were "
            f"listed from. Expected SHA-256 {archive.sha256}, found {found}. Delete the file and "
            "run it again; if it still differs the package was published anew: look at its "
            "pictures before you enter the new hash."
        )
    return path


def obtain(key: str, archive: Archive, folder: Path, fetching: Fetch) -> Path:
    """From the folder, else fetched into it; one folder an archive. Raises `NotCollected`."""
    place = folder / f"{key}-{archive.version}"
    place.mkdir(parents=True, exist_ok=True)
    kept = sorted(path for path in place.iterdir() if path.is_file())
    return checked(kept[0] if kept else fetching(archive, place), archive)


class _Members:
    """What is in an archive: a wheel is a zip file, everything else a compressed tar."""

    def __init__(self, path: Path) -> None:
        wheel = path.suffix == ".whl"
        self._file = zipfile.ZipFile(path) if wheel else tarfile.open(path)  # noqa: SIM115

    def names(self, pattern: str) -> list[str]:
        file = self._file
        names = file.namelist() if isinstance(file, zipfile.ZipFile) else file.getnames()
        # only "*" is special: names of pictures may hold brackets
        return sorted(fnmatch.filter(names, pattern.replace("[", "[[]")))

    def read(self, name: str) -> bytes:
        if isinstance(self._file, zipfile.ZipFile):
            return self._file.read(name)
        member = self._file.extractfile(name)
        return member.read() if member else b""


# --- people -------------------------------------------------------------------------------------


def collect(
    folder: Path, archives: dict[str, Archive], people: dict[str, Person], fetching: Fetch = fetch
) -> list[str]:
    """Write everything that can be had into the folder; what could not, as sentences. Raises
    `OSError` where the folder cannot be written."""
    kept = folder.with_name(folder.name + ".archives")
    opened: dict[str, _Members] = {}
    problems: list[str] = []
    for key in sorted({p.archive for person in people.values() for p in person.pictures}):
        try:
            opened[key] = _Members(obtain(key, archives[key], kept, fetching))
        except (NotCollected, OSError, tarfile.TarError, zipfile.BadZipFile) as error:
            problems.append(f"{key}: {error}")
    strangers = sorted(p.name for p in folder.iterdir() if p.is_dir() and p.name not in people)
    if strangers:
        problems.append(
            f"{', '.join(strangers)}: not of the list. Delete what is not to be counted."
        )
    written = []
    for name, person in people.items():
        try:
            pictures = [made for p in person.pictures for made in _pictures(p, opened)]
        except NotCollected as error:
            problems.append(f"{name}: {error}")
            continue
        place = folder / name
        place.mkdir(exist_ok=True)
        for number, (data, suffix) in enumerate(pictures, 1):
            (place / f"{number}{suffix}").write_bytes(data)
        written.append(name)
    with (folder / "groups.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("person", *GROUPS))
        rows.writerows(
            (name, *(getattr(people[name], group) for group in GROUPS)) for name in written
        )
    return problems


def _pictures(picture: Picture, opened: dict[str, _Members]) -> list[tuple[bytes, str]]:
    members = opened.get(picture.archive)
    if members is None:
        raise NotCollected(f"left out, the archive {picture.archive} is not there")
    names = members.names(picture.member)
    if not names:
        raise NotCollected(f"{picture.archive} does not hold {picture.member}")
    made = []
    for name in names:
        data, suffix = members.read(name), Path(name).suffix.lower()
        if picture.crop or suffix not in _AS_IT_IS:
            data, suffix = _png(data, picture.crop, name), ".png"
        made.append((data, ".jpg" if suffix == ".jpeg" else suffix))
    return made


def _png(data: bytes, crop: tuple[int, ...], name: str) -> bytes:
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    if image is None:
        raise NotCollected(f"{name} cannot be decoded")
    if crop:
        left, top, right, bottom = crop
        image = image[top:bottom, left:right]
        if image.size == 0:
            raise NotCollected(f"{name}: {crop} lies outside of the picture")
    return bytes(cv2.imencode(".png", image)[1])


def main(arguments: list[str] | None = None, fetching: Fetch = fetch) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "folder", type=Path, metavar="DIR",
        help="where the folders of people and groups.csv are written; the archives are kept beside "
        "it, in DIR.archives, and not fetched again",
    )  # fmt: skip
    parser.add_argument(
        "--list", type=Path, default=LIST, help="which archives and pictures (%(default)s)"
    )
    options = parser.parse_args(arguments)
    folder = options.folder.resolve()
    try:
        archives, people = read_list(options.list)
        folder.mkdir(parents=True, exist_ok=True)
        problems = collect(folder, archives, people, fetching)
    except ListProblem as error:
        print(f"collect_faces: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        told = f"{error.filename or folder}: cannot be written ({error.strerror})"
        print(f"collect_faces: {told}; make room there or give another folder", file=sys.stderr)
        return 2
    for problem in problems:
        print(f"collect_faces: {problem}", file=sys.stderr)
    places = [path for path in folder.iterdir() if path.is_dir()]
    pictures = sum(len(list(place.iterdir())) for place in places)
    print(f"{len(places)} people, {pictures} pictures in {folder}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
