"""A centre and two lanes, and bundles of invented people; no face engine and no store."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyrage
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk.centre.bundle import accept
from kiosk.centre.bundle import manifest as m
from kiosk.centre.bundle.build import Label, write_bundle
from tests.store.conftest import row as roster_row

NOON = datetime(2026, 11, 27, 4, tzinfo=UTC)
ENCODER = "dlib+sface-v1"


def row(n: int, session_id: str = "S1", **change: Any) -> dict[str, Any]:
    """A row as it comes out of the roster's check."""
    r = roster_row(n, session_id)
    return {
        "session_id": r.session_id,
        "admission_no": r.admission_no,
        "identity_number": r.identity_number,
        "name": r.name,
        "licence_class": r.licence_class,
        "driving_school": "",
        "accessible": n % 5 == 0,
        "photo": b"\xff\xd8\xff" + f"photograph {n}".encode() * 40,
        "templates": [bytes([n % 256, k]) * 256 for k in range(n % 3)],
        "embedding": [(n * 31 + i * i) % 97 / 97 for i in range(128)],
        "encoder": ENCODER,
    } | change


def label(**change: Any) -> Label:
    values = {
        "venue": "YT-01",
        "serial": 7,
        "made_at": NOON,
        "valid_from": NOON - timedelta(hours=1),
        "valid_until": NOON + timedelta(hours=12),
    }
    return Label(**(values | change))


@dataclass
class Office:
    """The centre's key and what it makes."""

    folder: Path
    key: Ed25519PrivateKey
    lane: pyrage.x25519.Identity

    def make(self, rows: Sequence[dict[str, Any]], name: str = "b.tar.age", **more: Any) -> Path:
        labelled = {k: more.pop(k) for k in list(more) if k in Label.__dataclass_fields__}
        path = self.folder / name
        write_bundle(path, rows, label(**labelled), self.key, [self.lane.to_public()], **more)
        return path

    def plain(self, path: Path) -> bytes:
        """The tar inside."""
        return pyrage.decrypt(path.read_bytes(), [self.lane])

    def sealed(self, tar: bytes, name: str = "bent.tar.age") -> Path:
        path = self.folder / name
        path.write_bytes(pyrage.encrypt(tar, [self.lane.to_public()]))
        return path

    def open(self, path: Path, venue: str = "YT-01", now: datetime = NOON) -> Any:
        """As a lane does; the folder's files are read before it is gone."""

        def check(manifest: m.Manifest) -> None:
            m.check_use(manifest, venue=venue, now=now)

        with accept.opened(path, self.lane, self.key.public_key(), check, self.folder) as bundle:
            files = {
                str(file.relative_to(bundle.folder)): file.read_bytes()
                for file in bundle.folder.rglob("*")
                if file.is_file()
            }
            return bundle.manifest, files, accept.embeddings(bundle)


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path, Ed25519PrivateKey.generate(), pyrage.x25519.Identity.generate())


Member = tuple[str, bytes]


def members(tar: bytes) -> list[Member]:
    with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
        return [(i.name, archive.extractfile(i).read()) for i in archive]  # type: ignore[union-attr]


def tar_of(found: Sequence[Member], change: Callable[[tarfile.TarInfo], None] | None = None,
           form: int = tarfile.USTAR_FORMAT) -> bytes:  # fmt: skip
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for name, data in found:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            if change is not None:
                change(info)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()
