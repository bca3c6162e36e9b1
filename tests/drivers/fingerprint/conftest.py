"""Real prints, where they were fetched: two of one finger, one of another."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from drivers.fingerprint.host.matcher import Print

PRINTS = Path(__file__).resolve().parents[3] / ".cache" / "prints"


def as_print(image: Image.Image) -> Print:
    grey = image.convert("L")
    return Print(grey.width, grey.height, 500 / 25.4, grey.tobytes())


@pytest.fixture(scope="session")
def picture() -> Callable[[str], Image.Image]:
    """`picture("p1_1")`: p1_1 and p1_2 are one finger, p2_1 is another."""
    if importlib.util.find_spec("nbis") is None:
        pytest.skip("nbis-py is not installed")
    if not (PRINTS / "p1_1.png").is_file():
        pytest.skip("no prints: tools/fetch_prints.py fetches them")
    return lambda name: Image.open(PRINTS / f"{name}.png").convert("L")
