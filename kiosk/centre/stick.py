"""What is on a stick: bundles found within bounds, looked into, and read whole when wanted.

Runs in a process of its own (`python -m kiosk.app stick`), because a stick may answer slowly, or
never again. What it finds it says as JSON, a line each; who believes it checks the signature
once more (kiosk.desks.roster). Knows nothing of the store.
"""

from __future__ import annotations

import base64
import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from kiosk.centre.bundle.accept import Opened, Peeked
from kiosk.centre.bundle.problems import BundleError
from kiosk.centre.mounts import printable
from kiosk.centre.roster_file import Prepared, for_wire

MAX_ENTRIES = 20_000  #: names that are looked at; a bundle lies at the top, not under all that
MAX_DEPTH = 3
MAX_FOUND = 16  #: bundles of one stick
MAX_SECONDS = 20.0
BATCH = 10  #: rows a line: a photograph each, well below the longest line
MAX_TOLD = 20  #: mistakes of a table that are worth a line on a screen
SESSIONS = 40  #: of a bundle, that are named; the others are counted

Said = dict[str, Any]


class Search:
    """The bundles of a stick by their names, nearest to the top first; never follows a link."""

    def __init__(self, folder: Path, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._folder = folder
        self._monotonic = monotonic
        self.cut = False  #: there is more on it than is looked at

    def __iter__(self) -> Iterator[Path]:
        left, found = MAX_ENTRIES, 0
        until = self._monotonic() + MAX_SECONDS
        folders = deque([(self._folder, 1)])
        while folders:
            folder, depth = folders.popleft()
            for entry in _entries(folder, top=depth == 1):
                left -= 1
                if left < 0 or found >= MAX_FOUND or self._monotonic() > until:
                    self.cut = True
                    return
                if entry.is_dir(follow_symlinks=False):
                    if depth < MAX_DEPTH and not entry.name.startswith("."):
                        folders.append((Path(entry.path), depth + 1))
                elif entry.name.lower().endswith(".age") and entry.is_file(follow_symlinks=False):
                    found += 1
                    yield Path(entry.path)


def _entries(folder: Path, top: bool) -> Iterator[os.DirEntry[str]]:
    """A folder that cannot be read counts as empty, the stick itself does not."""
    try:
        with os.scandir(folder) as entries:
            yield from entries
    except OSError:
        if top:
            raise


def look(folder: Path, peek: Callable[[Path], Peeked]) -> Iterator[Said]:
    """Each bundle and what is wrong with it, then the end. `peek` raises `BundleError`."""
    search = Search(folder)
    try:
        for path in search:
            file = {"file": printable(path.name), "path": str(path)}
            try:
                yield {"bundle": file | _described(peek(path))}
            except BundleError as error:
                yield {"refused": file | {"code": error.code, "detail": printable(error.detail)}}
    except OSError as error:
        why = BundleError("unreadable", error.strerror or "")
        yield {"failed": [{"zh": why.sentence("zh"), "en": why.sentence("en")}]}
        return
    yield {"end": {"cut": search.cut}}


def _described(bundle: Peeked) -> Said:
    manifest = bundle.manifest
    sessions = [s.model_dump() for s in manifest.sessions[:SESSIONS]]
    return {
        "sha256": bundle.sha256,
        "serial": manifest.serial,
        "made_at": manifest.made_at.isoformat(),
        "valid_until": manifest.valid_until.isoformat(),
        "candidates": manifest.candidates,
        "sessions": sessions,
        "sessions_in_all": len(manifest.sessions),
    }


def rows_of(bundle: Opened, prepared: Prepared) -> Iterator[Said]:
    """What the daemon's `roster.begin` and `roster.add` take, or what is wrong with the table."""
    if prepared.problems:
        told = [
            {
                lang: f"{p.file}:{p.line} {p.field_in(lang)}: {p.message_in(lang)}; "
                f"{p.remedy_in(lang)}"
                for lang in ("zh", "en")
            }
            for p in prepared.problems[:MAX_TOLD]
        ]
        why = BundleError("content", f"{len(prepared.problems)}")
        yield {"failed": [{"zh": why.sentence("zh"), "en": why.sentence("en")}, *told]}
        return
    yield {
        "begin": {
            "rows": len(prepared.rows),
            "bundle": {
                "manifest": base64.b64encode(bundle.raw).decode(),
                "signature": base64.b64encode(bundle.signature).decode(),
            },
        },
        "sha256": bundle.sha256,
    }
    for at in range(0, len(prepared.rows), BATCH):
        yield {"rows": [for_wire(row) for row in prepared.rows[at : at + BATCH]]}
    yield {"end": {}}
