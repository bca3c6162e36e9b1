"""What every test shares: no display is needed, nothing of the user's own lane is touched, no
example is judged by the wall clock of a busy machine, no test logs as another has set it up."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import settings

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # before the first import of Qt
os.environ.pop("EXAMGATE_CONFIG", None)

settings.register_profile("examgate", deadline=None)
settings.load_profile("examgate")


@pytest.fixture(autouse=True)
def own_logging() -> Iterator[None]:
    """A command that sets up the logs of its process sets up those of no other test."""
    yield
    structlog.reset_defaults()


@pytest.fixture
def damaged_model(tmp_path: Path) -> Path:
    """A folder for the front of Python's path: in it a copy of SFace with one bit turned."""
    from kiosk.face import models

    folder = tmp_path / "damaged" / models.SFACE.package
    (folder / "models").mkdir(parents=True)
    (folder / "__init__.py").touch()
    (folder / models.YUNET.inside).symlink_to(models.YUNET.path())
    content = bytearray(models.SFACE.read())
    content[len(content) // 2] ^= 1
    (folder / models.SFACE.inside).write_bytes(content)
    return folder.parent
