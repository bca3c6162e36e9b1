"""That the gate stands open until a person ends it, remembered outside the process.

Two marker files, so that neither a full or dying disk nor a reboot alone forgets: one in the
runtime folder (memory), one beside the database. Knows no device and no journal.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import structlog

from kiosk.durable import sync_folder

log = structlog.get_logger(__name__)

FILE = "gate-held-open"


class OpenLatch:
    """Set while either marker is there; also while that cannot be found out: people first."""

    def __init__(self, folders: Iterable[Path]) -> None:
        self._files = [folder / FILE for folder in folders]

    @property
    def is_set(self) -> bool:
        return any(_there(file) for file in self._files)

    def set(self) -> None:
        """Leave the markers, on disk. A folder that refuses is logged: the gate does not wait."""
        for file in self._files:
            try:
                handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o640)
                try:
                    os.fsync(handle)
                finally:
                    os.close(handle)
                sync_folder(file.parent)
            except OSError as error:
                log.error("latch_not_kept", file=str(file), error=error.strerror)

    def clear(self) -> None:
        """Take the markers away. One that stays opens the gate at the next start; it is logged."""
        for file in self._files:
            try:
                file.unlink(missing_ok=True)
                sync_folder(file.parent)
            except OSError as error:
                log.error("latch_not_cleared", file=str(file), error=error.strerror)


def _there(file: Path) -> bool:
    try:
        file.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True
