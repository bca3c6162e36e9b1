"""Every step by keyboard, and nobody gets out of the kiosk by one."""

from __future__ import annotations

from typing import Any

import pytest

from ui import qt
from ui.candidate.window import CandidateWindow
from ui.kiosk import KioskFilter, allowed, typed


def shows(qtbot: Any, daemon: Any, window: CandidateWindow, name: str, **changes: Any) -> None:
    state = daemon.show(name, **changes)
    qtbot.waitUntil(lambda: window._state == state, timeout=5000)


def test_tab_reaches_every_button(qtbot: Any, daemon: Any, window: CandidateWindow) -> None:
    shows(qtbot, daemon, window, "sign")
    window.activateWindow()
    reached = set()
    for _ in range(12):
        qtbot.keyClick(window.focusWidget() or window, qt.Qt.Key_Tab)
        focus = window.focusWidget()
        reached.add(focus.objectName() if focus else None)
    assert {"help", "language", "cancel", "pad", "confirm"} <= reached


def test_focus_is_seen(qtbot: Any, window: CandidateWindow) -> None:
    before = window.help.grab().toImage()
    window.activateWindow()
    window.help.setFocus()
    qtbot.waitUntil(window.help.hasFocus, timeout=3000)
    assert window.help.grab().toImage() != before


@pytest.mark.parametrize(("state", "key", "method"), [
    ("finger", qt.Qt.Key_Escape, "candidate.cancel"),
    ("refused", qt.Qt.Key_Return, "candidate.cancel"),
    ("refused", qt.Qt.Key_Escape, "candidate.cancel"),
    ("face", qt.Qt.Key_F1, "candidate.help"),
])
def test_keys_do_what_buttons_do(qtbot: Any, daemon: Any, window: CandidateWindow, state: str,
                                 key: Any, method: str) -> None:
    shows(qtbot, daemon, window, state, visit=4, reason="TOO_EARLY")
    qtbot.keyClick(window, key)
    qtbot.waitUntil(lambda: daemon.called(method) == [{"visit": 4}], timeout=5000)


@pytest.mark.parametrize(("then", "changes"), [
    ("finger", {"visit": 9}), ("refused", {"visit": 8, "reason": "FINGER_TIMEOUT"})])
def test_the_next_person_and_step_begin_with_no_button_chosen(
    qtbot: Any, daemon: Any, window: CandidateWindow, then: str, changes: dict[str, Any]
) -> None:
    shows(qtbot, daemon, window, "finger", visit=8)
    window.activateWindow()
    window.cancel.setFocus()
    shows(qtbot, daemon, window, "finger", visit=8, finger_retry="too_dry")
    assert window.focusWidget() is window.cancel  # the same step goes on
    shows(qtbot, daemon, window, then, **changes)
    assert window.focusWidget() is window


def test_enter_on_a_button_presses_it(qtbot: Any, window: CandidateWindow) -> None:
    qtbot.keyClick(window.switch, qt.Qt.Key_Return)
    assert window.language == "en"
    qtbot.keyClick(window, qt.Qt.Key_F2)
    assert window.language == "zh"


def test_escape_does_nothing_where_nothing_can_be_cancelled(
    qtbot: Any, daemon: Any, window: CandidateWindow
) -> None:
    for state in ("idle", "gate", "drawing"):
        shows(qtbot, daemon, window, state)
        qtbot.keyClick(window, qt.Qt.Key_Escape)
        qtbot.keyClick(window, qt.Qt.Key_Return)
    shows(qtbot, daemon, window, "finger")
    assert daemon.called("candidate.cancel") == [] and window.isVisible()


def test_full_screen_does_not_close(qtbot: Any, window: CandidateWindow) -> None:
    window.showFullScreen()
    assert not window.close() and window.isVisible()
    window.showNormal()
    assert window.close()


@pytest.mark.parametrize(("key", "held", "goes"), [
    (qt.Qt.Key_Tab, 0, True), (qt.Qt.Key_Return, 0, True),
    (qt.Qt.Key_F4, int(qt.Qt.AltModifier), False), (qt.Qt.Key_Meta, 0, False),
    (qt.Qt.Key_Tab, int(qt.Qt.AltModifier), False), (qt.Qt.Key_Print, 0, False),
    (qt.Qt.Key_Q, int(qt.Qt.ControlModifier), False), (qt.Qt.Key_F11, 0, False),
    (qt.Qt.Key_Delete, int(qt.Qt.ControlModifier) | int(qt.Qt.AltModifier), False),
    (qt.Qt.Key_F1, int(qt.Qt.ControlModifier) | int(qt.Qt.AltModifier), False),
    (qt.Qt.Key_Super_L, 0, False), (qt.Qt.Key_Super_R, 0, False), (qt.Qt.Key_Menu, 0, False),
    (qt.Qt.Key_D, int(qt.Qt.MetaModifier), False)])
def test_window_keys_go_nowhere(key: int, held: int, goes: bool) -> None:
    assert allowed(key, held) == goes


@pytest.mark.parametrize(("key", "held", "goes"), [
    (qt.Qt.Key_A, int(qt.Qt.ShiftModifier), True), (qt.Qt.Key_V, int(qt.Qt.ControlModifier), True),
    (qt.Qt.Key_Comma, 0, True), (qt.Qt.Key_Space, int(qt.Qt.ControlModifier), True),
    (qt.Qt.Key_F4, int(qt.Qt.AltModifier), False), (qt.Qt.Key_Super_L, 0, False),
    (qt.Qt.Key_Tab, int(qt.Qt.AltModifier), False), (qt.Qt.Key_F11, 0, False),
    (qt.Qt.Key_Q, int(qt.Qt.ControlModifier), False), (qt.Qt.Key_Menu, 0, False),
    (qt.Qt.Key_D, int(qt.Qt.MetaModifier), False)])
def test_a_proctor_types_and_gets_nowhere_else(key: int, held: int, goes: bool) -> None:
    assert typed(key, held) == goes


def test_the_filter_eats_window_keys_and_menus(qtbot: Any, window: CandidateWindow) -> None:
    guard = KioskFilter()
    menu = qt.QContextMenuEvent(qt.QContextMenuEvent.Mouse, qt.QPoint(5, 5))
    quit_key = qt.QKeyEvent(qt.QEvent.KeyPress, qt.Qt.Key_F4, qt.Qt.AltModifier)
    enter = qt.QKeyEvent(qt.QEvent.KeyPress, qt.Qt.Key_Return, qt.Qt.NoModifier)
    assert guard.eventFilter(window, menu) and guard.eventFilter(window, quit_key)
    assert not guard.eventFilter(window, enter)


def test_the_whole_way_by_keyboard_alone(
    qtbot: Any, daemon: Any, window: CandidateWindow
) -> None:
    """Language, number, help, reading, signature and the end, without touching the screen."""
    def press(key: Any) -> None:
        target = window.focusWidget() or window
        qtbot.keyClick(target, key)

    def tab_to(name: str) -> None:
        for _ in range(30):
            focus = window.focusWidget()
            if focus is not None and focus.objectName() == name:
                return
            press(qt.Qt.Key_Tab)
        raise AssertionError(f"{name} is not reached")

    window.activateWindow()
    shows(qtbot, daemon, window, "idle", visit=1, may_type=True)
    tab_to("number_instead")
    press(qt.Qt.Key_Return)
    qtbot.waitUntil(lambda: bool(daemon.called("candidate.enter_number")), timeout=5000)
    shows(qtbot, daemon, window, "claim", visit=1)
    for key in "3706":
        qtbot.keyClicks(window.focusWidget() or window, key)
    tab_to("key_confirm")
    press(qt.Qt.Key_Return)
    qtbot.waitUntil(lambda: bool(daemon.called("candidate.claim")), timeout=5000)
    assert daemon.called("candidate.claim")[0]["number"] == "3706"
    shows(qtbot, daemon, window, "finger", visit=1)
    press(qt.Qt.Key_F1)
    qtbot.waitUntil(lambda: bool(daemon.called("candidate.help")), timeout=5000)
    shows(qtbot, daemon, window, "sign", visit=1)
    tab_to("enlarge")
    press(qt.Qt.Key_Return)
    assert window.sign_page.reading.isVisible()
    press(qt.Qt.Key_Escape)
    assert window.focusWidget() is window.sign_page.pad
    press(qt.Qt.Key_Space)
    for _ in range(12):
        press(qt.Qt.Key_Right)
    press(qt.Qt.Key_Space)
    tab_to("confirm")
    press(qt.Qt.Key_Return)
    qtbot.waitUntil(lambda: bool(daemon.called("candidate.sign")), timeout=5000)
    shows(qtbot, daemon, window, "welcome", visit=1)
    tab_to("ok")
    press(qt.Qt.Key_Return)
    qtbot.waitUntil(lambda: bool(daemon.called("candidate.cancel")), timeout=5000)
