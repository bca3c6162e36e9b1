"""Public fingerprint images and libfprint's own virtual reader, for the tests that need them.

Where the images, nbis-py or libfprint are missing those tests are skipped. Nobody's prints are
committed: tools/fetch_prints.py fetches two of one finger and one of another.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from drivers.fingerprint.host import matcher as host
from drivers.fingerprint.host.matcher import Matcher, Print
from drivers.fingerprint.libfprint import device
from drivers.fingerprint.libfprint.virtual import VirtualImageReader

FOLDER = Path(__file__).resolve().parents[1] / ".cache" / "prints"
PROBE = "import gi; gi.require_version('FPrint', '2.0'); from gi.repository import FPrint"


def picture(name: str) -> Image.Image:
    """`picture("p1_1")`: p1_1 and p1_2 are one finger, p2_1 is another."""
    if importlib.util.find_spec("nbis") is None:
        pytest.skip("nbis-py is not installed")
    if not (FOLDER / f"{name}.png").is_file():
        pytest.skip("no prints: tools/fetch_prints.py fetches them")
    return Image.open(FOLDER / f"{name}.png").convert("L")


def as_print(image: Image.Image) -> Print:
    grey = image.convert("L")
    return Print(grey.width, grey.height, 500 / 25.4, grey.tobytes())


def be_patient(patch: pytest.MonkeyPatch) -> None:
    """No test is judged by how busy the machine is."""
    for bound in ("EXTRACT_S", "COMPARE_S", "QUALITY_S"):
        patch.setattr(host, bound, 60.0)
    for module in (host, device):
        patch.setattr(module, "START_S", 60.0)


def iso_records(*names: str) -> list[bytes]:
    """Templates of these pictures, as another system would export them."""
    images = [as_print(picture(name)) for name in names]

    async def made() -> list[bytes]:
        matcher, found = Matcher("fingerprint"), []
        try:
            for image in images:
                await matcher.extract(image)
                found.append(await matcher.record())
        finally:
            await matcher.stop()
        return found

    return asyncio.run(made())


def need_libfprint() -> None:
    try:
        subprocess.run([device.PYTHON, "-c", PROBE], check=True, capture_output=True, timeout=20)
    except (OSError, subprocess.SubprocessError):
        pytest.skip("libfprint or python3-gi is not installed (tools/setup.sh .venv tests)")


@contextlib.contextmanager
def laid_on(twin: VirtualImageReader, name: str) -> Iterator[None]:
    """Somebody lays this finger on again and again, whether the reader waits for it or not."""
    image, enough = picture(name), threading.Event()

    def lay() -> None:
        while not enough.wait(0.4):
            with contextlib.suppress(OSError):  # not opened yet, or closed already
                twin.press(image.width, image.height, image.tobytes())

    hand = threading.Thread(target=lay)
    hand.start()
    try:
        yield
    finally:
        enough.set()
        hand.join()
