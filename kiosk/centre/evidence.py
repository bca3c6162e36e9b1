"""Opens the evidence that a receiver has, where the centre's secret key is, and holds each piece
against the entry that announces it: what was signed at the lane is what has come.

Reads the receiver's database and writes files; changes nothing in either's past.
"""

from __future__ import annotations

import csv
import hashlib
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import pyrage

from kiosk.centre.bundle.problems import BundleError
from kiosk.centre.bundle.seal import decrypted
from kiosk.centre.receiver import ANNOUNCED, Archive, Piece, body_of, payload_of
from kiosk.report.table import safe_cell

INDEX = "evidence.csv"
_ENDINGS = {"capture": "jpg", "report": "pdf", "report_table": "csv"}


class Found(StrEnum):
    """What became of a piece; see docs/upload.md."""

    OPENED = "opened"  #: it fits its entry
    ALTERED = "altered"  #: it opens, and is not what the entry says
    DAMAGED = "damaged"  #: it does not open, though it is encrypted to this key
    OTHER_KEY = "other_key"
    THINNED = "thinned"  #: the lane has removed it to make room before it was sent
    FORGOTTEN = "forgotten"  #: its retention ended before it was sent
    NOT_HERE = "not_here"  #: not sent yet, or not asked for


#: None of these should ever be seen.
BAD = (Found.ALTERED, Found.DAMAGED, Found.OTHER_KEY)


@dataclass(frozen=True, slots=True)
class Opened:
    """One piece. `data` only when it was `OPENED`."""

    piece: Piece
    found: Found
    session_id: str
    pseudonym: str
    at: str
    sha256: str
    data: bytes | None = None

    def __repr__(self) -> str:
        return f"Opened({self.piece!r}, {self.found})"


def open_all(
    archive: Archive,
    identity: pyrage.x25519.Identity,
    origin: str | None = None,
    session_id: str | None = None,
) -> Iterator[Opened]:
    """Every piece that is announced, in the logs' order; of one log or session where given."""
    gone: dict[str, tuple[set[tuple[str, int]], dict[str, int]]] = {}
    for piece in archive.pieces(origin):
        if piece.origin not in gone:
            gone[piece.origin] = archive.gone(piece.origin)
        opened = _open(piece, identity, *gone[piece.origin])
        if session_id in (None, opened.session_id):
            yield opened


def _open(
    piece: Piece,
    identity: pyrage.x25519.Identity,
    thinned: set[tuple[str, int]],
    forgotten: dict[str, int],
) -> Opened:
    body = body_of(piece.entry)
    sha256 = payload_of(body).get(ANNOUNCED[piece.kind][1])
    session_id = _text(body.get("session_id"))

    def told(found: Found, data: bytes | None = None) -> Opened:
        pseudonym, at = _text(body.get("pseudonym")), _text(body.get("at"))
        return Opened(piece, found, session_id, pseudonym, at, _text(sha256), data)

    if piece.age is None:
        if (piece.kind, piece.seq) in thinned:
            return told(Found.THINNED)
        ended = forgotten.get(session_id, 0)
        return told(Found.FORGOTTEN if ended > piece.seq else Found.NOT_HERE)
    try:
        data = decrypted(piece.age, identity)
    except BundleError as error:
        return told(Found.OTHER_KEY if error.code == "other_recipient" else Found.DAMAGED)
    if hashlib.sha256(data).hexdigest() != sha256:
        return told(Found.ALTERED)
    return told(Found.OPENED, data)


def _text(value: Any) -> str:
    """Such as a file can have it: JSON may say half of a surrogate pair, UTF-8 not."""
    return value.encode(errors="replace").decode() if isinstance(value, str) else ""


def write_out(pieces: Iterable[Opened], folder: Path) -> Counter[Found]:
    """A file for each piece that opened, and one table of all. Returns how many were found how.

    Files are readable by their owner only; what is there already from before is written anew.
    Raises `OSError`.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    counts: Counter[Found] = Counter()
    with open(folder / INDEX, "w", newline="", encoding="utf-8", opener=_private) as table:
        rows = csv.writer(table)
        rows.writerow(
            ["log", "entry", "kind", "session", "candidate", "at", "found", "signed_head",
             "sha256", "file"]
        )  # fmt: skip
        for one in pieces:
            counts[one.found] += 1
            name = _write(one, folder) if one.data is not None else ""
            rows.writerow(
                map(safe_cell, [
                    one.piece.origin, one.piece.seq, one.piece.kind, one.session_id, one.pseudonym,
                    one.at, one.found.value, int(one.piece.covered), one.sha256, name,
                ])
            )  # fmt: skip
    return counts


def _write(one: Opened, folder: Path) -> str:
    """Returns its name below `folder`. Nothing that the lane says can lead out of it."""
    assert one.data is not None
    place = Path(*map(_safe, one.piece.origin.split("/")), _safe(one.session_id or "none"))
    (folder / place).mkdir(parents=True, exist_ok=True, mode=0o700)
    file = place / f"{one.piece.seq:08d}-{one.piece.kind}.{_ending(one)}"
    with open(folder / file, "wb", opener=_private) as out:
        out.write(one.data)
    return str(file)


def _ending(one: Opened) -> str:
    if one.piece.kind == "signature":
        return "inkml" if (one.data or b"").lstrip().startswith(b"<") else "json"
    return _ENDINGS[one.piece.kind]


def _safe(name: str) -> str:
    """A folder's name; no two names have the same, and none is longer than file systems take."""
    safe = re.sub(r"^-|[^\w-]", "_", name)[:50]
    if safe == name != "":
        return safe
    return f"{safe or '_'}-{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW, 0o600)
