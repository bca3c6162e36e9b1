"""Signing for a score at the proctor's screen: the right person, the very text, and no trace."""

from __future__ import annotations

from typing import Any

import pytest

from kiosk import wire
from ui import qt
from ui.i18n import text
from ui.proctor.window import ProctorWindow
from ui.screenshots import write
from ui.screenshots_office import candidates


@pytest.fixture
def page(qtbot: Any, daemon: Any, proctor: ProctorWindow) -> Any:
    daemon.answers |= {
        "session.candidates": {"candidates": candidates()},
        "exit.statement": lambda params: {
            "text": f"{params['score']} {params['language']}",
            "text_sha256": f"{params['score']:x}".zfill(64)},
    }
    proctor._ask_candidates()
    proctor.tabs.setCurrentWidget(proctor.tabs.exit)
    qtbot.waitUntil(lambda: proctor.tabs.exit.who.count() > 5, timeout=5000)
    return proctor.tabs.exit


def begin(qtbot: Any, window: ProctorWindow, page: Any, row: int = 2) -> dict[str, Any]:
    page.who.setCurrentRow(row)
    page.score.clear()
    for key in "96":
        qtbot.mouseClick(page.keys[key], qt.Qt.LeftButton)
    chosen = page._chosen()
    qtbot.mouseClick(page.begin, qt.Qt.LeftButton)
    qtbot.waitUntil(lambda: window.exit.statement.text() == "96 zh", timeout=5000)
    return dict(chosen)


def sign(qtbot: Any, sheet: Any) -> None:
    write(sheet.pad)  # into Qt's queue
    qtbot.waitUntil(sheet.pad.is_signature, timeout=5000)


def test_only_who_is_inside_and_a_score_up_to_100(qtbot: Any, page: Any) -> None:
    inside = [c for c in candidates() if c["standing"] == "inside"]
    assert page.who.count() == len(inside) and not page.begin.isEnabled()
    page.who.setCurrentRow(0)
    for typed, ready in (("100", True), ("101", False), ("0", True), ("", False), ("9x", False)):
        page.score.setText(typed)
        assert page.begin.isEnabled() == ready, typed
    qtbot.keyClicks(page.search, "1206")
    assert page.who.count() == 1 and "1206" in page.who.item(0).text()


def test_a_candidate_signs_the_very_text_and_leaves_no_trace(
    qtbot: Any, daemon: Any, proctor: ProctorWindow, page: Any
) -> None:
    chosen = begin(qtbot, proctor, page)
    sheet = proctor.exit
    assert proctor.pages.currentWidget() is sheet and not proctor.work.isVisible()
    assert proctor.release.isVisible(), "the way out stays"
    qtbot.mouseClick(sheet.confirm, qt.Qt.LeftButton)
    assert sheet.hint.text() == text("zh", "sign.too_short") and not daemon.called("exit.sign")
    sign(qtbot, sheet)
    qtbot.mouseClick(sheet.confirm, qt.Qt.LeftButton)
    qtbot.waitUntil(lambda: sheet.statement.text() == text("zh", "exit.done"), timeout=5000)
    (signed,) = daemon.called("exit.sign")
    assert (signed["ref"], signed["score"], signed["session_id"]) == (chosen["ref"], 96, "KM1-0930")
    assert signed["text_sha256"] == f"{96:x}".zfill(64) and len(signed["strokes"]) == 2
    assert sheet.pad.is_blank and sheet.who.text() == "" and sheet._about == {}
    sheet.back.held.emit()
    assert proctor.pages.currentWidget() is proctor.work and page.score.text() == ""


def test_another_language_is_another_text_and_wants_another_signature(
    qtbot: Any, daemon: Any, proctor: ProctorWindow, page: Any
) -> None:
    begin(qtbot, proctor, page)
    sheet = proctor.exit
    sign(qtbot, sheet)
    qtbot.mouseClick(sheet.switch, qt.Qt.LeftButton)
    assert sheet.pad.is_blank and not sheet.confirm.isEnabled()
    qtbot.waitUntil(lambda: sheet.statement.text() == "96 en", timeout=5000)
    assert sheet.confirm.text().endswith(text("en", "button.confirm"))


def test_what_is_declined_is_said_and_can_be_signed_again(
    qtbot: Any, daemon: Any, proctor: ProctorWindow, page: Any
) -> None:
    daemon.answers["exit.sign"] = wire.RpcError(-32000, "no", {"problems": ["已经签过"]})
    begin(qtbot, proctor, page)
    sign(qtbot, proctor.exit)
    qtbot.mouseClick(proctor.exit.confirm, qt.Qt.LeftButton)
    qtbot.waitUntil(lambda: proctor.exit.hint.text() == "已经签过", timeout=5000)
    assert proctor.exit.confirm.isEnabled() and not proctor.exit.pad.is_blank


def test_a_lock_or_a_restart_ends_it_without_a_trace(
    qtbot: Any, daemon: Any, proctor: ProctorWindow, page: Any
) -> None:
    begin(qtbot, proctor, page)
    sign(qtbot, proctor.exit)
    daemon.tell("staff", daemon.staff | {"locked": True})
    qtbot.waitUntil(lambda: proctor.pages.currentWidget() is proctor.login, timeout=5000)
    assert proctor.exit.pad.is_blank and proctor.exit.statement.text() == ""
