"""The proctor's window against a daemon on a real socket."""

from __future__ import annotations

from typing import Any

from kiosk import wire
from ui import qt
from ui.i18n import text
from ui.proctor.window import ProctorWindow
from ui.screenshots import ALERTS, DEVICES


def shows(qtbot: Any, daemon: Any, window: ProctorWindow, name: str, **changes: Any) -> None:
    state = daemon.show(name, **changes)
    qtbot.waitUntil(lambda: window._state == state, timeout=5000)


def row(table: qt.QTableWidget, number: int = 0) -> list[str]:
    cells = [table.item(number, column) for column in range(table.columnCount())]
    return [cell.text() if cell else "" for cell in cells]


def test_session_counters_and_devices_in_plain_words(
    qtbot: Any, daemon: Any, proctor: ProctorWindow
) -> None:
    down = DEVICES | {"camera": {"ok": False, "code": "frozen",
                                 "since": "2025-06-12T08:00:00+08:00", "detail": ""}}
    shows(qtbot, daemon, proctor, "finger", devices=down, finger_retry="too_wet")
    numbers = {key: part.text() for key, part in proctor.session.numbers.items()}
    assert numbers == {"booked": "96", "entered": "38", "in_hall": "36", "missing": "58",
                       "late": "3", "seated": "3", "left": "2", "free": "59"}
    assert text("zh", "fault.frozen") in proctor.devices.rows["camera"].text()
    assert "08:00" in proctor.devices.rows["camera"].text()
    assert "王*明" in proctor.current.who.text()
    assert text("zh", "state.finger") in proctor.current.where.text()
    assert "YT-03" in proctor.lane.text() and "周静" in proctor.person.text()


def test_events_in_words_newest_first(qtbot: Any, daemon: Any, proctor: ProctorWindow) -> None:
    for kind, reason in (("claimed", None), ("timing", None), ("refused", "TOO_EARLY")):
        daemon.tell("event", {"at": "2025-06-12T09:13:02+08:00", "kind": kind, "reason": reason,
                              "candidate": "陈*静", "terminal": None, "text_args": {}})
    qtbot.waitUntil(lambda: proctor.events.rowCount() == 2, timeout=5000)
    assert row(proctor.events) == ["09:13:02", "陈*静", "✕ " + text("zh", "kind.refused"), "",
                                   text("zh", "reason.TOO_EARLY")]


def test_what_happens_brings_the_list_up_to_date(
    qtbot: Any, daemon: Any, proctor: ProctorWindow
) -> None:
    assert row(proctor.candidates)[:2] == ["李*", "…0032"]
    daemon.answers["session.candidates"] = {"candidates": []}
    daemon.tell("event", {"at": "2025-06-12T09:13:02+08:00", "kind": "admitted",
                          "reason": "ADMITTED", "candidate": "李*", "terminal": "012"})
    qtbot.waitUntil(lambda: proctor.candidates.rowCount() == 0, timeout=5000)


def test_cancel_only_while_somebody_is_there(
    qtbot: Any, daemon: Any, proctor: ProctorWindow
) -> None:
    assert not proctor.current.cancel.isEnabled()
    shows(qtbot, daemon, proctor, "sign")
    qtbot.mouseClick(proctor.current.cancel, qt.Qt.LeftButton)
    qtbot.waitUntil(lambda: daemon.called("proctor.cancel") == [{}], timeout=5000)


def test_a_declined_opening_lists_every_problem(
    qtbot: Any, daemon: Any, proctor: ProctorWindow
) -> None:
    daemon.answers["session.open"] = wire.RpcError(
        -32000, "declined", {"code": "NOT_READY", "problems": ["磁盘只剩 12 MB", "摄像头不正常"]})
    proctor.session.choice.setCurrentIndex(1)
    qtbot.mouseClick(proctor.session.open, qt.Qt.LeftButton)
    qtbot.waitUntil(proctor.message.isVisible, timeout=5000)
    said = proctor.message.text()
    assert "• 磁盘只剩 12 MB" in said and "• 摄像头不正常" in said
    assert daemon.called("session.open") == [
        {"session_id": "KM1-1400", "lang": "zh"}]


def test_closing_wants_a_second_press(qtbot: Any, daemon: Any, proctor: ProctorWindow) -> None:
    button = proctor.session.close_session
    qtbot.mouseClick(button, qt.Qt.LeftButton)
    assert button.text() == text("zh", "proctor.close_sure")
    qtbot.mouseClick(button, qt.Qt.LeftButton)
    qtbot.waitUntil(lambda: bool(daemon.called("session.close")), timeout=5000)
    assert daemon.called("session.close")[0]["session_id"] == "KM1-0930"


def test_a_fire_release_is_ended_by_a_person(
    qtbot: Any, daemon: Any, proctor: ProctorWindow
) -> None:
    assert not proctor.current.resume.isVisible()
    shows(qtbot, daemon, proctor, "out_of_order", reason="FIRE")
    qtbot.mouseClick(proctor.current.resume, qt.Qt.LeftButton)
    qtbot.waitUntil(lambda: daemon.called("lane.resume") == [{}], timeout=5000)


def test_a_restart_is_said_and_nothing_can_be_pressed(
    qtbot: Any, daemon: Any, proctor: ProctorWindow
) -> None:
    shows(qtbot, daemon, proctor, "sign")
    daemon.stop()
    qtbot.waitUntil(proctor.offline.isVisible, timeout=5000)
    assert not proctor.current.cancel.isEnabled() and not proctor.session.open.isEnabled()
    daemon.start()
    qtbot.waitUntil(lambda: not proctor.offline.isVisible(), timeout=10_000)
    assert proctor.current.cancel.isEnabled()


def asked(qtbot: Any, daemon: Any, window: ProctorWindow, alerts: list[dict[str, Any]]) -> None:
    daemon.answers["alert.list"] = {"alerts": alerts}
    daemon.show("idle", alerts=len(alerts))
    qtbot.waitUntil(lambda: window.alerts.isVisible() == bool(alerts), timeout=5000)


def test_one_face_under_two_identities_stays_until_a_person_has_answered(
    qtbot: Any, daemon: Any, proctor: ProctorWindow
) -> None:
    assert not proctor.alerts.isVisible()
    asked(qtbot, daemon, proctor, ALERTS)
    first, second = proctor.alerts.questions
    said = first.earlier.text() + first.now.text()
    for words in ("王*明", "…1234", "047", "周*立", "…0520"):
        assert words in said
    assert text("zh", "alert.turned_away", who="")[:6] in second.earlier.text()
    assert proctor.alerts.more.text() == text("zh", "alert.more", n=1)
    qtbot.mouseClick(first.two, qt.Qt.LeftButton)
    assert first.two.text() == text("zh", "alert.two_sure")
    qtbot.mouseClick(first.one, qt.Qt.LeftButton)
    assert not daemon.called("alert.answer"), "the other button asks anew"
    qtbot.mouseClick(first.two, qt.Qt.LeftButton)
    qtbot.mouseClick(first.two, qt.Qt.LeftButton)
    qtbot.waitUntil(lambda: bool(daemon.called("alert.answer")), timeout=5000)
    assert daemon.called("alert.answer") == [{"alert_id": 3, "same": False}]
    asked(qtbot, daemon, proctor, ALERTS[2:])
    qtbot.waitUntil(lambda: not second.isVisible(), timeout=5000)
    assert text("zh", "alert.roster") in first.heading.text()
    asked(qtbot, daemon, proctor, [])


def test_the_same_two_again_are_asked_for_again(
    qtbot: Any, daemon: Any, proctor: ProctorWindow
) -> None:
    asked(qtbot, daemon, proctor, ALERTS[:1])
    later = ALERTS[0] | {"at": "2025-06-12T09:30:00+08:00"}
    daemon.answers["alert.list"] = {"alerts": [later]}
    daemon.tell("event", {"at": "2025-06-12T09:30:00+08:00", "kind": "same_face",
                          "reason": "FACE_SEEN_BEFORE", "candidate": "周*立", "terminal": None})
    question = proctor.alerts.questions[0]
    qtbot.waitUntil(lambda: "09:30" in question.ask.text(), timeout=5000)
    assert row(proctor.events)[2] == "! " + text("zh", "kind.same_face")
