"""The receipt on the candidate's last screen: a reader decodes it, and it goes with the person."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
import zxingcpp

from kiosk.core.receipt import MAX_BYTES, parse_receipt
from ui import qt
from ui.candidate.window import CandidateWindow
from ui.client import Client
from ui.i18n import LANGUAGES, text
from ui.screenshots import NOWHERE, RECEIPT, SIZES, example
from ui.widgets.code import QUIET, QrCode, modules_of


def pixels(widget: qt.QWidget) -> np.ndarray:
    """Grey values as a camera that sees all of it."""
    image = widget.grab().toImage().convertToFormat(qt.QImage.Format_Grayscale8)
    bits = image.constBits()
    bits.setsize(image.byteCount())
    whole = np.frombuffer(bits, np.uint8).reshape(image.height(), image.bytesPerLine())
    return np.array(whole[:, : image.width()])


def decoded(widget: qt.QWidget) -> list[str]:
    return [found.text for found in zxingcpp.read_barcodes(pixels(widget))]


@pytest.fixture
def show(themed: Any, qtbot: Any) -> Any:
    """`show(language, size)` gives a window and what tells it a state."""

    def make(language: str, size: tuple[int, int]) -> tuple[CandidateWindow, Client]:
        client = Client(NOWHERE, preview=False)
        window = CandidateWindow(client, language)
        qtbot.addWidget(window)
        window.resize(*size)
        window.show()
        return window, client

    return make


@pytest.mark.parametrize("size", [*SIZES, (1024, 600), (600, 1024)])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_phone_reads_it(show: Any, language: str, size: tuple[int, int]) -> None:
    window, client = show(language, size)
    for visit, state in enumerate(("gate", "welcome")):
        client.state.emit(example(state, visit=visit))
        assert decoded(window) == [RECEIPT]
        assert window.findChild(qt.QWidget, "receipt_note").text() == text(language, "receipt.note")
    parse_receipt(RECEIPT)


def test_a_phone_reads_it_askew_small_and_blurred(show: Any) -> None:
    """Three pixels a module, held slanted, out of focus, with noise and a reflection."""
    window, client = show("zh", (1920, 1080))
    client.state.emit(example("welcome"))
    seen = pixels(window).astype(np.float32)
    high, wide = seen.shape
    small = 3 / window.findChild(QrCode).module_pixels
    corners = np.float32([[0, 0], [wide, 0], [wide, high], [0, high]])
    slanted = np.float32([[60, 90], [wide - 40, 0], [wide, high - 30], [0, high]]) * small
    size = (round(wide * small), round(high * small))
    turn = cv2.getPerspectiveTransform(corners, slanted)
    seen = cv2.warpPerspective(seen, turn, size, flags=cv2.INTER_AREA)
    seen = cv2.GaussianBlur(seen, (0, 0), 0.8)
    seen = seen * 0.7 + np.linspace(60, 0, size[0], dtype=np.float32)
    seen += np.random.default_rng(1).normal(0, 6, seen.shape)
    found = zxingcpp.read_barcodes(seen.clip(0, 255).astype(np.uint8))
    assert [code.text for code in found] == [RECEIPT]


@pytest.mark.parametrize("size", SIZES)
def test_its_modules_are_large_enough_at_arms_length(show: Any, size: tuple[int, int]) -> None:
    """A phone with 12 million pixels has 0.1 mm a pixel at 30 cm; a reader wants three a module.

    Of a 21.5 inch screen the short side is 268 mm.
    """
    window, client = show("zh", size)
    client.state.emit(example("welcome"))
    code = window.findChild(QrCode)
    assert code.module_pixels * 268 / min(size) > 0.9
    side = code.module_pixels * (len(modules_of(RECEIPT)) + 2 * QUIET) * 268 / min(size)
    assert 70 < side < 150  # mm


def test_nothing_of_it_is_on_the_next_ones_screen(show: Any) -> None:
    window, client = show("zh", (1280, 720))
    for after in ("idle", "face", "refused", "gate"):
        client.state.emit(example("welcome", visit=1))
        assert decoded(window) == [RECEIPT]
        client.state.emit(example(after, visit=2, receipt=None))
        assert decoded(window) == []
        assert window.findChild(QrCode).text() == ""
        assert window.findChild(qt.QWidget, "receipt_note").text() == ""
    client.state.emit(example("gate", visit=3))
    client.connected.emit(False)
    assert decoded(window) == [] and window.findChild(QrCode).text() == ""


def test_it_comes_after_the_gate_was_opened_and_moves_nothing(show: Any) -> None:
    window, client = show("zh", (1920, 1080))
    client.state.emit(example("gate", receipt=None))
    page = window.page
    before = {part.objectName(): part.geometry() for part in page.findChildren(qt.QWidget)}
    assert decoded(window) == []
    client.state.emit(example("gate"))
    assert {p.objectName(): p.geometry() for p in page.findChildren(qt.QWidget)} == before
    assert decoded(window) == [RECEIPT]


def test_long_texts_get_the_weaker_level_or_none(themed: Any, qtbot: Any) -> None:
    code = QrCode()
    qtbot.addWidget(code)
    code.resize(800, 800)
    for length in (MAX_BYTES // 2, MAX_BYTES):
        code.set_text("x" * length)
        assert decoded(code) == ["x" * length]
    code.set_text("x" * 4000)
    assert code.module_pixels == 0 and code.isHidden()
