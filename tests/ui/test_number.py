"""The keypad: touched, typed at, scanned at; kind about mistakes, and nothing of it stays."""

from __future__ import annotations

from typing import Any

import pytest

from kiosk import wire
from kiosk.core.number import NumberProblem
from ui import qt
from ui.candidate.number import NumberPage
from ui.candidate.window import CandidateWindow
from ui.i18n import LANGUAGES, text
from ui.kiosk import allowed
from ui.widgets.text import BigText

NUMBER = "37060219610804301X"


def asks(qtbot: Any, daemon: Any, window: CandidateWindow, **changes: Any) -> NumberPage:
    state = daemon.show("claim", claim_mode="face", visit=8, **changes)
    qtbot.waitUntil(lambda: window._state == state, timeout=5000)
    window.activateWindow()
    return window.number_page


def claims(daemon: Any) -> list[str]:
    assert all(call["visit"] == 8 for call in daemon.called("candidate.claim"))
    return [call["number"] for call in daemon.called("candidate.claim")]


def touch(qtbot: Any, page: NumberPage, keys: str) -> None:
    for key in keys:
        button = {"<": page.delete, "\n": page.confirm}.get(key) or page.keys[key]
        qtbot.mouseClick(button, qt.Qt.LeftButton)


def scan(qtbot: Any, window: CandidateWindow, code: str) -> None:
    """As a scanner that acts like a keyboard: to whatever has the focus, ended by Enter."""
    for character in code:
        qtbot.keyClicks(window.focusWidget() or window, character)
    qtbot.keyClick(window.focusWidget() or window, qt.Qt.Key_Return)


def test_touched_keys_and_confirm(qtbot: Any, daemon: Any, window: CandidateWindow) -> None:
    page = asks(qtbot, daemon, window)
    touch(qtbot, page, "3706021961080430155<<X")
    assert page.field.text() == "370602 19610804 301X"
    touch(qtbot, page, "\n")
    qtbot.waitUntil(lambda: claims(daemon) == [NUMBER], timeout=5000)
    touch(qtbot, page, "\n5")
    assert page.field.text() == "370602 19610804 301X", "sent: no second time, no more keys"


@pytest.mark.parametrize("focused", ["page", "key_7", "cancel", "help"])
def test_a_slip_is_scanned_whatever_has_the_focus(
    qtbot: Any, daemon: Any, window: CandidateWindow, focused: str
) -> None:
    page = asks(qtbot, daemon, window)
    touch(qtbot, page, "12")
    qtbot.wait(150)  # between a touch and a scan
    if focused != "page":
        window.findChild(qt.QAbstractButton, focused).setFocus()
    scan(qtbot, window, "3706261100001")
    qtbot.waitUntil(lambda: claims(daemon) == ["3706261100001"], timeout=5000)
    assert not daemon.called("candidate.cancel") and not daemon.called("candidate.help")


def test_typed_slowly_on_a_keyboard(qtbot: Any, daemon: Any, window: CandidateWindow) -> None:
    page = asks(qtbot, daemon, window)
    for character in "a-12":
        qtbot.keyClicks(window.focusWidget() or window, character)
        qtbot.wait(120)
    qtbot.keyClick(page, qt.Qt.Key_Backspace)
    qtbot.wait(120)
    qtbot.keyClick(page, qt.Qt.Key_Return)
    qtbot.waitUntil(lambda: claims(daemon) == ["A-1"], timeout=5000)


def test_a_scan_does_not_hang_on_to_what_was_typed_before(
    qtbot: Any, daemon: Any, window: CandidateWindow
) -> None:
    asks(qtbot, daemon, window)
    for character in "99":
        qtbot.keyClicks(window.focusWidget() or window, character)
    qtbot.wait(150)
    scan(qtbot, window, NUMBER.lower())
    qtbot.waitUntil(lambda: claims(daemon) == [NUMBER], timeout=5000)


@pytest.mark.parametrize("problem", list(NumberProblem))
def test_what_is_wrong_is_said_and_the_digits_stay(
    qtbot: Any, daemon: Any, window: CandidateWindow, problem: NumberProblem
) -> None:
    page = asks(qtbot, daemon, window)
    code = f"NUMBER_{problem}".upper()
    daemon.answers["candidate.claim"] = wire.RpcError(-32000, "no", {"code": code})
    touch(qtbot, page, "123\n")
    qtbot.waitUntil(lambda: page.hint.text() == text("zh", f"number.{problem}"), timeout=5000)
    assert page.field.text() == "123"
    touch(qtbot, page, "4")
    assert page.hint.text() == "" and page.field.text() == "1234"


def test_nothing_typed_and_no_daemon(qtbot: Any, daemon: Any, window: CandidateWindow) -> None:
    page = asks(qtbot, daemon, window)
    touch(qtbot, page, "\n")
    assert page.hint.text() == text("zh", "number.empty") and claims(daemon) == []
    daemon.answers["candidate.claim"] = wire.RpcError(-32603, "bug")
    touch(qtbot, page, "1\n")
    qtbot.waitUntil(lambda: page.hint.text() == text("zh", "number.again"), timeout=5000)


def test_after_a_number_that_did_not_fit(
    qtbot: Any, daemon: Any, window: CandidateWindow
) -> None:
    page = asks(qtbot, daemon, window)
    touch(qtbot, page, "37\n")
    daemon.show("face", visit=8, candidate=None)
    qtbot.waitUntil(lambda: window.state_name == "face", timeout=5000)
    page = asks(qtbot, daemon, window, number_failed=True, numbers_left=1)
    assert page.hint.text() == text("zh", "number.failed")
    assert page.left.text() == text("zh", "number.last")
    assert page.field.text() == text("zh", "number.place"), "the last number is gone"
    qtbot.mouseClick(window.switch, qt.Qt.LeftButton)
    assert page.hint.text() == text("en", "number.failed")


@pytest.mark.parametrize("gone", ["step", "person", "connection"])
def test_no_digit_outlives_the_page(
    qtbot: Any, daemon: Any, window: CandidateWindow, gone: str
) -> None:
    page = asks(qtbot, daemon, window)
    touch(qtbot, page, "123456")
    if gone == "step":
        daemon.show("face", visit=8)
    elif gone == "person":
        daemon.show("idle", visit=9)
    else:
        daemon.stop()
    qtbot.waitUntil(lambda: not page.isVisible(), timeout=5000)
    assert page._typed == page._burst == ""
    everything = " ".join(w.text() for w in window.findChildren(BigText))
    assert "1234" not in everything.replace(" ", "").replace("…1234", "")


def test_escape_cancels_and_tab_reaches_the_keys(
    qtbot: Any, daemon: Any, window: CandidateWindow
) -> None:
    page = asks(qtbot, daemon, window)
    assert window.focusWidget() is page
    reached = set()
    for _ in range(24):
        qtbot.keyClick(window.focusWidget() or window, qt.Qt.Key_Tab)
        reached.add(window.focusWidget().objectName())
    assert {"key_0", "key_X", "key_confirm", "cancel", "help"} <= reached
    page.setFocus()
    qtbot.keyClick(page, qt.Qt.Key_Escape)
    qtbot.waitUntil(lambda: bool(daemon.called("candidate.cancel")), timeout=5000)


@pytest.mark.parametrize("language", LANGUAGES)
def test_without_a_reader_no_card_is_asked_for(
    qtbot: Any, daemon: Any, open_window: Any, language: str
) -> None:
    window = open_window(language)
    page = asks(qtbot, daemon, window, may_lay_card=False)
    assert page.title.text() == text(language, "number.title")
    state = daemon.show("claim", claim_mode="face", visit=8, may_type=False)
    qtbot.waitUntil(lambda: window._state == state, timeout=5000)
    assert not page.isVisible()


def test_a_card_that_cannot_be_read(qtbot: Any, daemon: Any, window: CandidateWindow) -> None:
    assert not window.number.isVisible()
    state = daemon.show("idle", may_type=True, visit=5)
    qtbot.waitUntil(lambda: window._state == state, timeout=5000)
    qtbot.mouseClick(window.number, qt.Qt.LeftButton)
    qtbot.waitUntil(lambda: daemon.called("candidate.enter_number") == [{"visit": 5}],
                    timeout=5000)


def test_a_kiosk_lets_numbers_through() -> None:
    for key in (qt.Qt.Key_0, qt.Qt.Key_9, qt.Qt.Key_X, qt.Qt.Key_Backspace, qt.Qt.Key_Minus):
        assert allowed(key, 0) and not allowed(key, int(qt.Qt.ControlModifier))


def test_a_code_that_the_daemon_read_is_told_wrong_like_one_that_is_typed(qtbot, daemon, window):
    page = asks(qtbot, daemon, window, scan_problem="checksum")
    assert page.hint.text() == text("zh", "number.checksum")
    page._set("3")
    assert page.hint.text() == "", "who types on has read it"
