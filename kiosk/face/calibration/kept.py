"""Embeddings that somebody asked to keep between runs, in a file of their own.

Owns that file. They are biometric data: readable by their owner alone, never written unasked,
and no file of anything else is written over.
"""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kiosk.face.calibration.folder import FolderCode, FolderProblem
from kiosk.face.parts import Floats


@dataclass(frozen=True, slots=True)
class Kept:
    """A file of embeddings, each `size` numbers, as one encoder makes them with one detector."""

    path: Path
    encoder: str
    detector: str
    size: int

    def read(self) -> dict[str, Floats]:
        """By the picture's SHA-256; nothing when the file is not there yet.

        Raises `FolderProblem`: for a file that is damaged, something else or of another encoder
        or detector, and where `write` could not write.
        """
        try:
            mode = self.path.stat().st_mode
        except FileNotFoundError:
            self._check_folder()
            return {}
        except OSError as error:
            raise self._problem(FolderCode.KEPT_NO_ROOM, error) from error
        if not stat.S_ISREG(mode):  # a pipe would be waited for
            raise FolderProblem(FolderCode.KEPT_FOREIGN, str(self.path))
        self._check_folder()
        return self._read()

    def _read(self) -> dict[str, Floats]:
        try:
            # opened here: numpy leaves what it cannot read open
            with self.path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
                made = str(file["encoder"]), str(file["detector"])
                names, rows = [str(name) for name in file["sha256"]], file["embeddings"]
        except PermissionError as error:
            raise self._problem(FolderCode.KEPT_NO_ROOM, error) from error
        except Exception:  # a damaged file can raise nearly anything out of its decoder
            raise FolderProblem(FolderCode.KEPT_FOREIGN, str(self.path)) from None
        if made != (self.encoder, self.detector):
            raise FolderProblem(FolderCode.KEPT_OTHER, str(self.path), *made)
        if rows.shape != (len(names), self.size) or rows.dtype != np.float32:
            raise FolderProblem(FolderCode.KEPT_FOREIGN, str(self.path))
        if not np.isfinite(rows).all():
            raise FolderProblem(FolderCode.KEPT_FOREIGN, str(self.path))
        return dict(zip(names, rows, strict=True))

    def write(self, rows: Mapping[str, Floats]) -> None:
        """Whole or not at all. Raises `FolderProblem`."""
        table = np.vstack(list(rows.values()) or [np.empty((0, self.size), np.float32)])
        try:
            with tempfile.NamedTemporaryFile(dir=self.path.parent, delete=False) as file:
                try:  # mode 0600
                    np.savez(
                        file,
                        encoder=np.array(self.encoder),
                        detector=np.array(self.detector),
                        sha256=np.array(list(rows)),
                        embeddings=table,
                    )
                    os.replace(file.name, self.path)
                except BaseException:
                    os.unlink(file.name)
                    raise
        except OSError as error:
            raise self._problem(FolderCode.KEPT_NO_ROOM, error) from error

    def _check_folder(self) -> None:
        """That a file can be made there is found out before the pictures are read, not after."""
        try:
            with tempfile.TemporaryFile(dir=self.path.parent):
                pass
        except OSError as error:
            raise self._problem(FolderCode.KEPT_NO_ROOM, error) from error

    def _problem(self, code: FolderCode, error: OSError) -> FolderProblem:
        return FolderProblem(code, str(self.path), error.strerror or "")
