"""The emergency release wants a held press, works for anybody, and says whether it was sent."""

from __future__ import annotations

from typing import Any

from drivers.errors import FaultCode
from kiosk import wire
from ui import qt
from ui.i18n import text
from ui.proctor.window import ProctorWindow
from ui.screenshots import STAFF, example
from ui.widgets import hold
from ui.widgets.hold import HoldButton


def press(qtbot: Any, button: HoldButton, for_ms: int) -> None:
    qtbot.mousePress(button, qt.Qt.LeftButton)
    qtbot.wait(for_ms)
    qtbot.mouseRelease(button, qt.Qt.LeftButton)


def test_only_a_held_press_counts_and_counts_once(
    themed: Any, qtbot: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(hold, "HOLD_MS", 120)
    button = HoldButton("release", "hold", "holding")
    qtbot.addWidget(button)
    button.show()
    heard: list[int] = []
    button.held.connect(lambda: heard.append(1))
    qtbot.mouseClick(button, qt.Qt.LeftButton)
    qtbot.keyClick(button, qt.Qt.Key_Space)
    assert heard == []
    qtbot.mousePress(button, qt.Qt.LeftButton)
    qtbot.waitUntil(lambda: heard == [1], timeout=5000)
    qtbot.wait(60)
    qtbot.mouseRelease(button, qt.Qt.LeftButton)
    assert heard == [1] and button.progress() == 0.0
    qtbot.keyPress(button, qt.Qt.Key_Return)
    qtbot.waitUntil(lambda: heard == [1, 1], timeout=5000)
    qtbot.keyRelease(button, qt.Qt.Key_Return)
    assert not button.isDown()


def test_it_is_there_before_anybody_has_logged_in(
    qtbot: Any, daemon: Any, proctor: ProctorWindow, monkeypatch: Any
) -> None:
    monkeypatch.setattr(hold, "HOLD_MS", 60)
    for staff in (STAFF | {"person": None}, STAFF | {"locked": True}):
        daemon.tell("staff", staff)
        qtbot.waitUntil(lambda: proctor.pages.currentWidget() is proctor.login, timeout=5000)
        assert proctor.release.isVisible() and proctor.release.isEnabled()
        before = len(daemon.called("lane.release"))
        qtbot.mousePress(proctor.release, qt.Qt.LeftButton)
        qtbot.waitUntil(lambda n=before: len(daemon.called("lane.release")) > n, timeout=5000)
        qtbot.mouseRelease(proctor.release, qt.Qt.LeftButton)
    qtbot.waitUntil(lambda: text("zh", "release.sent") in proctor.message.text(), timeout=5000)


def test_without_a_daemon_it_sends_people_to_the_gate_itself(
    qtbot: Any, daemon: Any, proctor: ProctorWindow
) -> None:
    daemon.stop()
    qtbot.waitUntil(proctor.offline.isVisible, timeout=5000)
    proctor.release.held.emit()
    assert text("zh", "release.failed") in proctor.message.text() and proctor.message.isVisible()
    proctor._on_not_released(wire.RpcError(-32603, "broken"))
    assert text("zh", "release.failed") in proctor.message.text()


def test_each_fault_of_a_device_has_words_and_what_to_do(
    qtbot: Any, daemon: Any, proctor: ProctorWindow
) -> None:
    page = proctor.tabs.machines
    card = page.cards["camera"]
    at = "2025-06-12T08:31:07+08:00"
    for code in FaultCode:
        status = {"ok": False, "code": code.value, "since": at, "detail": "",
                  "last": {"code": code.value, "at": at, "detail": "errno 5"}}
        daemon.show("idle", devices={"camera": status})
        qtbot.waitUntil(lambda c=code: text("zh", f"fault.{c}") in card.state.text(), timeout=5000)
        assert text("zh", f"todo.{code}") in card.todo.text() and code.value in card.about.text()
        assert card.last.text() == "errno 5"
    daemon.state = example("idle")
    well = {"ok": True, "code": None, "since": at, "detail": "",
            "last": {"code": "frozen", "at": at, "detail": ""}}
    daemon.show("idle", devices={"camera": well})
    qtbot.waitUntil(lambda: card.name.text().startswith("✓"), timeout=5000)
    assert text("zh", "fault.frozen") in card.last.text() and not card.todo.text()
    assert page.cards["turnstile"].isHidden()
