"""Making a bundle from checked rows: the centre's side.

Takes the rows of kiosk.centre.roster_file; writes one file, whole or not at all.
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyrage
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk.centre.bundle import manifest as m
from kiosk.centre.bundle.archive import Writer
from kiosk.centre.bundle.problems import BundleError
from kiosk.centre.bundle.seal import encrypting

COLUMNS = (
    "session_id", "admission_no", "identity_number", "name", "licence_class", "driving_school",
    "accessible", "photo", "templates", "template_format", "fingers",
)  # fmt: skip
Row = Mapping[str, Any]  #: as in docs/wire.md, photo and templates as bytes


@dataclass(frozen=True, slots=True)
class Label:
    """What the office says of a bundle. Times with their zone."""

    venue: str
    serial: int
    made_at: datetime
    valid_from: datetime
    valid_until: datetime


def write_bundle(
    path: Path,
    rows: Sequence[Row],
    label: Label,
    key: Ed25519PrivateKey,
    recipients: Sequence[pyrage.x25519.Recipient],
    *,
    embeddings: bool = True,
) -> m.Manifest:
    """A new file at `path`, or `BundleError` and none. `embeddings`: also the rows' own."""
    parts = list(_parts(rows, embeddings))
    manifest = _manifest(rows, label, parts, embeddings)
    raw = manifest.to_bytes()
    if len(raw) > m.MAX_MANIFEST_BYTES:
        raise BundleError("too_big", f"manifest of {len(raw)} bytes")
    m.parse(raw)  # what a lane would refuse is not made
    try:
        with _whole_or_none(path) as file, encrypting(file, recipients) as out:
            tar = Writer(out)
            tar.add(m.MANIFEST, raw)
            tar.add(m.SIGNATURE, key.sign(raw))
            for name, data in parts:
                tar.add(name, data)
            tar.close()
    except OSError as error:
        raise BundleError("unreadable", f"{path}: {error.strerror}") from error
    return manifest


def _parts(rows: Sequence[Row], embeddings: bool) -> Iterator[tuple[str, bytes]]:
    table = io.StringIO(newline="")
    out = csv.writer(table, lineterminator="\n")
    out.writerow(COLUMNS)
    files: list[tuple[str, bytes]] = []
    for n, row in enumerate(rows, 1):
        photo = f"photos/{n:06}.jpg"
        templates = [f"templates/{n:06}-{k}.dat" for k in range(1, len(row["templates"]) + 1)]
        files += [(photo, row["photo"]), *zip(templates, row["templates"], strict=True)]
        texts = [row[name] for name in COLUMNS[:6]]
        fingers = ";".join(map(str, row.get("fingers", ())))
        out.writerow([*texts, "yes" if row["accessible"] else "", photo, ";".join(templates),
                      row.get("template_format", ""), fingers])  # fmt: skip
    yield m.CANDIDATES, table.getvalue().encode()
    if embeddings:
        vectors = np.array([row["embedding"] for row in rows], dtype="<f4")
        yield m.EMBEDDINGS, vectors.tobytes()
    yield from files


def _manifest(
    rows: Sequence[Row], label: Label, parts: Iterable[tuple[str, bytes]], embeddings: bool
) -> m.Manifest:
    encoders = {str(row["encoder"]) for row in rows}
    if embeddings and len(encoders) != 1:
        raise BundleError("format", f"encoder: {len(encoders)} of them")
    sessions = Counter(str(row["session_id"]) for row in rows)
    return m.Manifest(
        format=m.FORMAT,
        venue=label.venue,
        serial=label.serial,
        made_at=label.made_at,
        valid_from=label.valid_from,
        valid_until=label.valid_until,
        encoder=encoders.pop() if embeddings else None,
        sessions=tuple(
            m.SessionOf(session_id=name, candidates=n) for name, n in sorted(sessions.items())
        ),
        photos=len(rows),
        templates=sum(len(row["templates"]) for row in rows),
        parts=tuple(
            m.Part(name=name, size=len(data), sha256=hashlib.sha256(data).hexdigest())
            for name, data in parts
        ),
    )


class _whole_or_none:
    """A file that appears under its name when everything is on disk."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._part = path.with_name(f".{path.name}.part")

    def __enter__(self) -> IO[bytes]:
        handle = os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        self._file = os.fdopen(handle, "wb")
        return self._file

    def __exit__(self, kind: object, *_: object) -> None:
        with self._file:
            if kind is None:
                self._file.flush()
                os.fsync(self._file.fileno())
        if kind is None:
            os.replace(self._part, self._path)
        else:
            self._part.unlink(missing_ok=True)
