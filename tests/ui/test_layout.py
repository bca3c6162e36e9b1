"""Every text on every screen fits, in both languages, wide, tall and small; nothing overlaps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations
from typing import Any

import pytest

from kiosk.core.codes import Prompt
from kiosk.core.number import NumberProblem
from ui import qt, theme
from ui.candidate.number import LONGEST
from ui.candidate.spoken import asked
from ui.candidate.window import CandidateWindow, window_size
from ui.client import Client
from ui.i18n import LANGUAGES
from ui.proctor.window import ProctorWindow
from ui.screenshots import (
    ALERTS,
    NOWHERE,
    SIZES,
    STAFF,
    every_state,
    example,
    placeholder,
    preview,
    settle,
)
from ui.screenshots_lane import pages
from ui.widgets.button import BigButton
from ui.widgets.text import BigText


def faults(window: CandidateWindow) -> list[str]:
    """Texts that do not fit, parts beyond the edge, words or buttons over one another."""
    found = [part.objectName() for part in (window.steps, window.countdown, window.sign_page.pad)
             if part.isVisible() and not part.fits()]
    whole, places = window.rect(), []
    for part in [*window.findChildren(BigText), *window.findChildren(BigButton)]:
        if not part.isVisible() or not part.text():
            continue
        place = qt.QRect(part.mapTo(window, qt.QPoint(0, 0)), part.size())
        places.append((part.objectName(), place))
        if not part.fits():
            found.append(f"{part.objectName()} does not fit: {part.text()}")
        if not whole.contains(place):
            found.append(f"{part.objectName()} is beyond the edge")
    found += [f"{a} over {b}" for (a, x), (b, y) in combinations(places, 2) if x.intersects(y)]
    return found


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_enlarged_commitment_fits_from_the_first_moment(
    themed: Any, qtbot: Any, language: str, size: tuple[int, int]
) -> None:
    client = Client(NOWHERE, preview=False)
    window = CandidateWindow(client, language)
    qtbot.addWidget(window)
    window.resize(*size)
    window.show()
    client.state.emit(example("sign", visit=1))
    window.sign_page.enlarge.click()
    reading = window.sign_page.reading
    assert reading.isVisible() and faults(window) == []
    inside = reading.area.viewport()
    needed = reading.label.heightForWidth(inside.width())
    assert needed <= inside.height(), "no line is out of sight"
    window.switch.click()
    assert faults(window) == []


@pytest.fixture
def scaled() -> Iterator[Callable[[float], None]]:
    yield theme.set_text_scale
    theme.set_text_scale(1.0)


@pytest.mark.parametrize("scale", [1.4, 2.0])
@pytest.mark.parametrize("language", LANGUAGES)
def test_larger_words_fit_too_and_are_larger(
    themed: Any, qtbot: Any, scaled: Callable[[float], None], language: str, scale: float
) -> None:
    client = Client(NOWHERE, preview=False)
    sizes = []
    for chosen in (1.0, scale):
        scaled(chosen)
        window = CandidateWindow(client, language)
        qtbot.addWidget(window)
        window.resize(1080, 1920)
        window.show()
        for number, (name, state) in enumerate(every_state().items()):
            client.state.emit(state | {"visit": number})
            assert faults(window) == [], name
        client.state.emit(example("finger", visit=1000))
        sizes.append(window.pages["notice"].body.pixels)
    assert sizes[1] > 1.1 * sizes[0]


@pytest.mark.parametrize("size", [*SIZES, (1024, 600), (600, 1024), (3840, 2160)])
@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_fits(themed: Any, qtbot: Any, language: str, size: tuple[int, int]) -> None:
    client = Client(NOWHERE, preview=False)
    window = CandidateWindow(client, language)
    qtbot.addWidget(window)
    window.resize(*size)
    window.show()
    found = {"offline": faults(window)}
    for number, (name, state) in enumerate(every_state().items()):
        client.state.emit(state | {"visit": number})
        themed.processEvents()
        found[name] = faults(window)
        client.state.emit(state | {"visit": number, "help_waiting": True})
        found[name] += faults(window)
    client.state.emit(example("face", visit=1000))
    for prompt in Prompt:
        window.face_page._held.invalidate()
        window.face_page.show_preview(preview(prompt.value))
        then = window.face_page.then
        assert window.face_page.title.text() == asked(prompt.value, then, language)
        found[f"{prompt.value} {then}"] = faults(window)
        window.face_page.title.set_text(asked(prompt.value, False, language))
        found[prompt.value] = faults(window)
    client.state.emit(example("sign", visit=1001, deadline_in_s=600.0, deadline_total_s=600.0))
    for key in ("sign.too_short", "sign.again", "sign.sending"):
        window.sign_page._say(key)
        found[key] = faults(window)
        window.sign_page.hint.set_text("")
    window.sign_page.enlarge.click()
    found["enlarged"] = faults(window)
    client.state.emit(example("claim", visit=1002, numbers_left=2))
    for code in ("FAILED", *(p.upper() for p in NumberProblem), "AGAIN"):
        window.number_page._set("37060219610804301X")
        window.number_page.declined(f"NUMBER_{code}")
        found[code] = faults(window)
    window.number_page._set("8" * LONGEST)
    found["long number"] = faults(window)
    assert {name: what for name, what in found.items() if what} == {}


@pytest.mark.parametrize("reach", [0.1, 0.5, 0.62])
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_control_of_a_tall_screen_is_within_reach(
    themed: Any, qtbot: Any, language: str, reach: float
) -> None:
    client = Client(NOWHERE, preview=False)
    theme.set_reach(reach)
    try:
        window = CandidateWindow(client, language)
        qtbot.addWidget(window)
        window.resize(1080, 1920)
        window.show()
        highest = round(1920 * (1 - theme.reach()))
        for number, (name, state) in enumerate(every_state().items()):
            client.state.emit(state | {"visit": number})
            themed.processEvents()
            controls = [*window.findChildren(BigButton), window.sign_page.pad]
            for part in (c for c in controls if c.isVisible()):
                assert part.mapTo(window, qt.QPoint(0, 0)).y() >= highest, (name, part.objectName())
            assert faults(window) == [], name
        client.state.emit(example("sign", visit=1000))
        window.sign_page.enlarge.click()
        assert faults(window) == []
        pad = window.sign_page.pad
        assert pad.width() > 500 and pad.height() > 200
        window.resize(1920, 1080)  # where nothing is too high
        assert window.sign_page.y() < 200
    finally:
        theme.set_reach(1.0)


def test_no_character_stands_alone_where_smaller_type_saves_it(themed: Any, qtbot: Any) -> None:
    words = BigText("title", 100, 40, bold=True)
    qtbot.addWidget(words)
    words.show()  # a hidden one is not told its new size
    words.set_text("请慢慢向左转头")
    for width, lines in ((800, 1), (640, 1), (400, 2)):
        words.resize(width, 400)
        metrics = qt.QFontMetricsF(theme.font(words.pixels, bold=True))
        across = metrics.horizontalAdvance(words.text())
        assert (across <= width) == (lines == 1) and words.fits()
        assert words.pixels == 100 if width != 640 else 80 <= words.pixels < 100
    words.set_text("一\n二\n请慢慢向左转头")
    words.resize(640, 600)
    assert words.pixels == 100  # a text for reading keeps its size


@pytest.mark.parametrize("size", SIZES)
def test_the_terminal_is_readable_from_three_metres(
    themed: Any, qtbot: Any, size: tuple[int, int]
) -> None:
    client = Client(NOWHERE, preview=False)
    window = CandidateWindow(client, "zh")
    qtbot.addWidget(window)
    window.resize(*size)
    window.show()
    for terminal in ("7", "047", "B-112"):
        client.state.emit(example("gate", terminal=terminal))
        number = window.findChild(BigText, "terminal")
        # a digit of 1/5 of the short side is some 5 cm on a 21 inch screen
        assert number.pixels * 0.73 >= min(size) / 5


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_proctors_words_fit(themed: Any, qtbot: Any, language: str) -> None:
    client = Client(NOWHERE, preview=False)
    client._up = True  # as far as the window can tell
    window = ProctorWindow(client, language)
    qtbot.addWidget(window)
    window.show()
    for change in ({"set_up": False, "person": None}, {"person": None}, {"locked": True}):
        client.staff.emit(STAFF | change)
        settle(themed)
        assert window.login.isVisible()
        words_fit(window)
    client.staff.emit(STAFF)
    assert window.work.isVisible()
    down = {role: {"ok": False, "code": "unlock_unknown", "since": "2025-06-12T08:00:00+08:00"}
            for role in ("turnstile", "fingerprint", "camera", "id_card")}
    client.state.emit(example("finger", devices=down, help_waiting=True, finger_retry="no_match"))
    for alerts in ([], ALERTS, ALERTS[2:]):
        window._on_alerts({"alerts": alerts})
        for question in window.alerts.questions:
            question._press(True)
        settle(themed)
        words_fit(window)
    window._on_alerts({"alerts": []})
    for size in ((1440, 900), (1080, 1920)):
        for _ in range(2):  # the first time it still has the least size of the other shape
            window.resize(*size)
            settle(themed)
        assert window.width() == size[0], "wider than the screen"
        for name in pages(client, window, example, placeholder(60, 80)):
            settle(themed)
            words_fit(window, name)
        client.staff.emit(STAFF)


def words_fit(window: qt.QWidget, name: str = "") -> None:
    """No label is higher and no button wider than its place; boxes show all of what is chosen."""
    for part in window.findChildren(qt.QLabel):
        if part.isVisible() and part.text():
            assert part.heightForWidth(part.width()) <= part.height() + 1, (name, part.text())
    for part in window.findChildren(qt.QPushButton):
        if part.isVisible():
            assert part.minimumSizeHint().width() <= part.width(), (name, part.text())
    for box in window.findChildren(qt.QComboBox):
        if box.isVisible() and box.currentText():
            wide = qt.QFontMetricsF(box.font()).horizontalAdvance(box.currentText())
            assert wide <= box.width() - 24, (name, box.currentText())


@pytest.mark.parametrize(("said", "size"), [("1080x1920", (1080, 1920)), ("", (1920, 1080)),
                                            ("tall", (1920, 1080)), ("0x0", (1920, 1080))])
def test_the_windows_size_comes_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, said: str, size: tuple[int, int]
) -> None:
    monkeypatch.setenv("EXAMGATE_SCREEN", said)
    assert window_size() == size
