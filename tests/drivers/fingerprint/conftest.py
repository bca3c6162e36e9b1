"""Real prints, where they were fetched: two of one finger, one of another."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PIL import Image

from tests import prints


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    prints.be_patient(monkeypatch)


@pytest.fixture(scope="session")
def picture() -> Callable[[str], Image.Image]:
    """`picture("p1_1")`: p1_1 and p1_2 are one finger, p2_1 is another."""
    prints.picture("p1_1")  # or the test is skipped
    return prints.picture
