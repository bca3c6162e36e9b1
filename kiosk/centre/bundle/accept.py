"""Opening a bundle: nothing of it is believed before its signature, nothing is kept before its end.

The plain parts lie in a folder in memory while they are used. Knows nothing of the store.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

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
class Opened:
    """A bundle that is what its centre signed. `folder` is a roster folder (docs/roster.md)."""

    manifest: m.Manifest
    raw: bytes  #: the manifest as it was signed
    signature: bytes
    folder: Path

    @property
    def sha256(self) -> str:
        """Of the signed manifest: which bundle this is."""
        return hashlib.sha256(self.raw).hexdigest()


@dataclass(frozen=True, slots=True)
class Embedded:
    """What a bundle brings of a photograph, as the face engine would give it."""

    embedding: tuple[float, ...]
    encoder: str


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


def _unpack(
    path: Path,
    identity: pyrage.x25519.Identity,
    centre: Ed25519PublicKey,
    check: Check,
    folder: Path,
) -> Opened:
    try:
        with path.open("rb") as source:
            if source.seek(0, 2) > 2 * m.MAX_BUNDLE_BYTES:
                raise BundleError("too_big")
            source.seek(0)
            with decrypting(source, identity) as stream:
                reader = Reader(stream)
                raw = reader.small(m.MANIFEST, m.MAX_MANIFEST_BYTES)
                signature = reader.small(m.SIGNATURE, SIGNATURE_BYTES)
                check_signature(centre, raw, signature)
                manifest = m.parse(raw)
                check(manifest)
                _parts(reader, manifest, folder)
    except OSError as error:
        raise BundleError("unreadable", f"{path}: {error.strerror}") from error
    return Opened(manifest, raw, signature, folder)


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
