"""Opening a bundle: nothing of it is believed before its signature, nothing is kept before its end.

The plain parts lie in a folder in memory while they are used. Knows nothing of the store.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
import pyrage
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from kiosk.centre.bundle import manifest as m
from kiosk.centre.bundle.archive import Reader
from kiosk.centre.bundle.problems import BundleError
from kiosk.centre.bundle.seal import SIGNATURE_BYTES, check_signature, decrypting

#: Memory, not a disk: what lies here is gone with the power, and is not in any copy of a disk.
MEMORY = Path("/dev/shm")
Check = Callable[[m.Manifest], None]


@dataclass(frozen=True, slots=True)
class Peeked:
    """What a bundle says about itself, and that its centre has signed so."""

    manifest: m.Manifest
    raw: bytes  #: the manifest as it was signed
    signature: bytes

    @property
    def sha256(self) -> str:
        """Of the signed manifest: which bundle this is."""
        return hashlib.sha256(self.raw).hexdigest()


@dataclass(frozen=True, slots=True)
class Opened(Peeked):
    """A bundle that is what its centre signed. `folder` is a roster folder (docs/roster.md)."""

    folder: Path


@dataclass(frozen=True, slots=True)
class Embedded:
    """What a bundle brings of a photograph, as the face engine would give it."""

    embedding: tuple[float, ...]
    encoder: str
    quarter_turns: int = 0  #: what a bundle holds is upright


@contextmanager
def opened(
    path: Path,
    identity: pyrage.x25519.Identity,
    centre: Ed25519PublicKey,
    check: Check,
    memory: Path = MEMORY,
) -> Iterator[Opened]:
    """The bundle's parts in a folder that is gone afterwards. Raises `BundleError`.

    `check(manifest)` may refuse it; it is called after the signature and before any part is read.
    """
    try:
        folder = Path(tempfile.mkdtemp(prefix="examgate-", dir=memory))
    except OSError as error:
        raise BundleError("unreadable", f"{memory}: {error.strerror}") from error
    try:
        yield _unpack(path, identity, centre, check, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class _Enough(Exception):
    """The rest of the stream is not wanted."""


def peeked(
    path: Path, identity: pyrage.x25519.Identity, centre: Ed25519PublicKey, check: Check
) -> Peeked:
    """The signed manifest of a bundle, without reading on. Raises `BundleError`.

    That the parts are there and right is known only when the bundle is `opened`.
    """
    found: list[Peeked] = []
    try:
        with _source(path) as source, decrypting(source, identity) as stream:
            found.append(_signed(Reader(stream), centre, check))
            raise _Enough
    except _Enough:
        return found[0]
    except OSError as error:
        raise BundleError("unreadable", f"{path.name}: {error.strerror}") from error


@contextmanager
def _source(path: Path) -> Iterator[IO[bytes]]:
    """A regular file within bounds: a pipe or a device would never end, or never begin."""
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as source:
        status = os.fstat(source.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise BundleError("unreadable", "not a regular file")
        if status.st_size > 2 * m.MAX_BUNDLE_BYTES:
            raise BundleError("too_big")
        yield source


def _signed(reader: Reader, centre: Ed25519PublicKey, check: Check) -> Peeked:
    raw = reader.small(m.MANIFEST, m.MAX_MANIFEST_BYTES)
    signature = reader.small(m.SIGNATURE, SIGNATURE_BYTES)
    check_signature(centre, raw, signature)
    manifest = m.parse(raw)
    check(manifest)
    return Peeked(manifest, raw, signature)


def _unpack(
    path: Path,
    identity: pyrage.x25519.Identity,
    centre: Ed25519PublicKey,
    check: Check,
    folder: Path,
) -> Opened:
    try:
        with _source(path) as source, decrypting(source, identity) as stream:
            reader = Reader(stream)
            signed = _signed(reader, centre, check)
            _parts(reader, signed.manifest, folder)
    except OSError as error:
        raise BundleError("unreadable", f"{path}: {error.strerror}") from error
    return Opened(signed.manifest, signed.raw, signed.signature, folder)


def _parts(reader: Reader, manifest: m.Manifest, folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if manifest.size > free:
        raise BundleError("too_big", f"{manifest.size} bytes, {free} are free in memory")
    for name in ("photos", "templates"):
        (folder / name).mkdir(mode=0o700)
    for part in manifest.parts:
        reader.part(part, folder / part.name)
    reader.end()


def embeddings(bundle: Opened) -> dict[str, Embedded]:
    """By SHA-256 of the photograph; empty where the bundle has none. Raises `BundleError`."""
    manifest = bundle.manifest
    if manifest.encoder is None:
        return {}
    photos = [part.sha256 for part in manifest.parts if part.name.startswith("photos/")]
    flat = np.frombuffer((bundle.folder / m.EMBEDDINGS).read_bytes(), dtype="<f4")
    if not photos or flat.size % len(photos) or not np.isfinite(flat).all():
        raise BundleError("format", m.EMBEDDINGS)
    vectors = flat.reshape(len(photos), -1)
    return {
        sha256: Embedded(tuple(map(float, vector)), manifest.encoder)
        for sha256, vector in zip(photos, vectors, strict=True)
    }


def enrolled_from(
    known: dict[str, Embedded],
) -> Callable[[Sequence[bytes], int, Callable[[int], None]], list[Embedded | Exception]]:
    """In place of the face engine: what the centre has computed already."""

    def enrol_many(
        photos: Sequence[bytes], workers: int, progress: Callable[[int], None]
    ) -> list[Embedded | Exception]:
        progress(len(photos))
        return [known[hashlib.sha256(photo).hexdigest()] for photo in photos]

    return enrol_many
