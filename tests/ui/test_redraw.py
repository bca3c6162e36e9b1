"""A drawn seat given up on the proctor's screen: who, why, and only on the second press."""

from __future__ import annotations

from typing import Any

from kiosk import wire
from ui.i18n import text
from ui.proctor.pin import PinEntry
from ui.proctor.window import ProctorWindow


def asked(daemon: Any) -> list[dict[str, Any]]:
    return list(daemon.called("seat.void"))


def choose(qtbot: Any, proctor: ProctorWindow) -> None:
    proctor.tabs.setCurrentIndex(1)
    proctor.candidates.selectRow(0)
    qtbot.waitUntil(proctor.redraw.isVisible, timeout=2000)


def test_a_seat_is_given_up_on_the_second_press(
    qtbot: Any, daemon: Any, proctor: ProctorWindow
) -> None:
    daemon.answers["seat.void"] = {"terminal": "012", "draw_no": 7, "was_inside": False}
    assert not proctor.redraw.isVisible(), "nobody is chosen"
    choose(qtbot, proctor)
    assert "012" in proctor.redraw.who.text() and "李*" in proctor.redraw.who.text()
    assert proctor.redraw.follows.text() == text("zh", "redraw.follows.terminal_broken")
    proctor.redraw.note.setText("屏幕不亮")
    proctor.redraw.give_up.click()
    assert asked(daemon) == [], "the first press only asks"
    proctor.redraw.give_up.click()
    qtbot.waitUntil(lambda: bool(asked(daemon)), timeout=5000)
    (params,) = asked(daemon)
    assert params == {
        "session_id": "KM1-0930",
        "terminal": "012",
        "why": "terminal_broken",
        "note": "屏幕不亮",
        "lang": "zh",
    }


def test_a_second_person_approves_with_their_own_pin(
    qtbot: Any, daemon: Any, proctor: ProctorWindow
) -> None:
    choose(qtbot, proctor)
    proctor.redraw.why.setCurrentIndex(2)
    assert proctor.redraw.follows.text() == text("zh", "redraw.follows.proctor_decision")
    proctor.redraw.note.setText("座位太暗")
    for _ in range(2):
        proctor.redraw.give_up.click()
    sheet = proctor.approval
    assert sheet.isVisible() and "座位太暗" in sheet.what.text() and asked(daemon) == []
    daemon.answers["seat.void"] = wire.RpcError(
        wire.REFUSED, "no", {"code": "WRONG_PIN", "problems": ["工号或密码不对。"]})
    type_in(sheet.entry, "1002", "999999")
    qtbot.waitUntil(lambda: sheet.entry.said.text() == "工号或密码不对。", timeout=5000)
    assert sheet.isVisible() and sheet.entry.pin.text() == ""
    daemon.answers["seat.void"] = {"terminal": "012", "draw_no": 7, "was_inside": False}
    type_in(sheet.entry, "", "483917")
    qtbot.waitUntil(lambda: not sheet.isVisible(), timeout=5000)
    assert asked(daemon)[-1]["approval"] == {"staff_no": "1002", "pin": "483917"}
    assert "approved_by" not in asked(daemon)[-1]


def type_in(entry: PinEntry, staff_no: str, pin: str) -> None:
    """On the pad, as with a finger."""
    for key in staff_no:
        entry.keys[key].click()
    if staff_no:
        entry._on_return()
    for key in pin:
        entry.keys[key].click()
    entry.go.click()


def test_leaving_it_forgets_what_was_written(qtbot: Any, proctor: ProctorWindow) -> None:
    choose(qtbot, proctor)
    proctor.redraw.note.setText("屏幕不亮")
    proctor.redraw.leave.click()
    assert not proctor.redraw.isVisible() and not proctor.redraw.note.text()


def test_the_commitment_can_be_compared(qtbot: Any, proctor: ProctorWindow) -> None:
    qtbot.waitUntil(lambda: "87b7 24d8" in proctor.session.commitment.text(), timeout=5000)
    assert "d0b5 01a3 b688" in proctor.session.commitment.text()
