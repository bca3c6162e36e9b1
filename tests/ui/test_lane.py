"""The proctor's screen: who stands there, the help queue, a person's own eyes, and the pause."""

from __future__ import annotations

from typing import Any

import pytest

from kiosk import wire
from ui import qt
from ui.client import Client
from ui.i18n import text
from ui.proctor.pin import PinEntry
from ui.proctor.window import ProctorWindow
from ui.screenshots import DEVICES, STAFF, example, placeholder
from ui.screenshots_lane import look, requests


def told(qtbot: Any, daemon: Any, window: ProctorWindow, **change: Any) -> None:
    """The daemon says who stands there now."""
    standing = STAFF | change
    daemon.tell("staff", standing)
    qtbot.waitUntil(lambda: window._staff == standing, timeout=5000)


def shows(qtbot: Any, daemon: Any, window: ProctorWindow, name: str, **changes: Any) -> None:
    state = daemon.show(name, **changes)
    qtbot.waitUntil(lambda: window._state == state, timeout=5000)


def type_in(entry: PinEntry, staff_no: str, pin: str) -> None:
    """On the pad, as with a finger."""
    for key in staff_no:
        entry.keys[key].click()
    if staff_no:
        entry._on_return()
    for key in pin:
        entry.keys[key].click()
    entry.go.click()


def called(qtbot: Any, daemon: Any, method: str) -> dict[str, Any]:
    qtbot.waitUntil(lambda: bool(daemon.called(method)), timeout=5000)
    return dict(daemon.called(method)[-1])


# --- who stands there -----------------------------------------------------------------------------


def test_covered_until_somebody_has_logged_in(themed: Any, daemon: Any, qtbot: Any) -> None:
    daemon.staff = STAFF | {"person": None}
    client = Client(daemon.path, preview=False, screen="proctor")
    window = ProctorWindow(client, "zh")
    qtbot.addWidget(window)
    window.show()
    client.start()
    qtbot.waitUntil(lambda: bool(window._staff), timeout=5000)
    assert window.login.isVisible() and not window.work.isVisible()
    assert not daemon.called("session.status"), "nothing is asked for before"
    daemon.answers["staff.login"] = wire.RpcError(
        wire.REFUSED, "no", {"code": "WRONG_PIN", "problems": ["工号或密码不对。"]})
    type_in(window.login.entry, "1001", "111222")
    qtbot.waitUntil(lambda: window.login.entry.said.text() == "工号或密码不对。", timeout=5000)
    assert window.login.entry.pin.text() == "" and window.login.entry.number.text() == "1001"
    daemon.answers["staff.login"] = {}
    daemon.requests.clear()
    type_in(window.login.entry, "", "483917")
    asked = called(qtbot, daemon, "staff.login")
    assert asked == {"staff_no": "1001", "pin": "483917", "lang": "zh"}
    told(qtbot, daemon, window)
    assert window.work.isVisible() and "1001 周静" in window.person.text()
    qtbot.waitUntil(lambda: bool(daemon.called("session.status")), timeout=5000)
    client.stop()


def test_before_there_is_staff_it_says_what_to_do(
    qtbot: Any, daemon: Any, proctor: ProctorWindow
) -> None:
    told(qtbot, daemon, proctor, set_up=False, person=None)
    assert "examgate staff add" in proctor.login.who.text()
    assert not proctor.login.entry.isVisible()


def test_a_locked_screen_asks_for_the_same_persons_pin(
    qtbot: Any, daemon: Any, proctor: ProctorWindow
) -> None:
    proctor.tabs.people.card.show_person({"name": "王小明", "captures": [], "history": []})
    proctor.waiving.show()
    proctor.lock.click()
    called(qtbot, daemon, "staff.lock")
    shows(qtbot, daemon, proctor, "idle", help_open=2)
    told(qtbot, daemon, proctor, locked=True)
    entry = proctor.login.entry
    assert proctor.login.isVisible() and entry.number.text() == "1001" and entry.number.isReadOnly()
    assert "2" in proctor.login.help.text(), "that somebody waits is seen, not who"
    assert not proctor.waiving.isVisible() and proctor.tabs.people.card.name.text() == ""
    type_in(entry, "", "275064")
    assert called(qtbot, daemon, "staff.login")["staff_no"] == "1001"
    proctor.login.other.click()
    called(qtbot, daemon, "staff.logout")


def test_a_lost_connection_covers_the_screen(
    qtbot: Any, daemon: Any, proctor: ProctorWindow
) -> None:
    daemon.stop()
    qtbot.waitUntil(proctor.login.isVisible, timeout=5000)
    daemon.staff = STAFF | {"person": None}
    daemon.start()
    qtbot.waitUntil(lambda: proctor._staff == daemon.staff, timeout=10_000)
    assert proctor.login.isVisible()


def test_the_daemon_hears_that_somebody_is_there_now_and_then(
    qtbot: Any, daemon: Any, proctor: ProctorWindow
) -> None:
    for _ in range(3):
        qtbot.mouseClick(proctor.tabs, qt.Qt.LeftButton)
    called(qtbot, daemon, "staff.touch")
    assert len(daemon.called("staff.touch")) == 1, "not at each touch"


# --- help -----------------------------------------------------------------------------------------


def test_who_waits_oldest_first_with_why(qtbot: Any, daemon: Any, proctor: ProctorWindow) -> None:
    daemon.answers["help.list"] = {"requests": requests()}
    shows(qtbot, daemon, proctor, "idle", help_open=4)
    first, second, third = proctor.help.requests
    qtbot.waitUntil(first.isVisible, timeout=5000)
    assert "entry-1" in first.who.text() and "李*明" in first.who.text()
    assert text("zh", "reason.FACE_MISMATCH") in first.why.text() and "周静" in first.why.text()
    assert not first.presses["take"].isVisible(), "somebody goes there already"
    assert "3" in second.why.text(), "how often"
    assert not third.presses["verify"].isVisible(), "nobody knows who that is"
    assert proctor.help.more.text() == text("zh", "help.more", n=1)
    second.presses["take"].click()
    assert called(qtbot, daemon, "help.take") == {"help_id": 2}
    second.presses["nobody"].click()
    assert not daemon.called("help.done"), "what ends a request wants a second press"
    second.presses["nobody"].click()
    assert called(qtbot, daemon, "help.done") == {"help_id": 2, "how": "nobody"}
    first.presses["verify"].click()
    assert called(qtbot, daemon, "verify.begin")["help_id"] == 1
    daemon.answers["help.list"] = {"requests": []}
    shows(qtbot, daemon, proctor, "idle", help_open=0)
    qtbot.waitUntil(lambda: not first.isVisible(), timeout=5000)


def test_a_technician_looks_and_decides_nothing(
    qtbot: Any, daemon: Any, proctor: ProctorWindow
) -> None:
    person = {"staff_no": "1003", "name": "王工", "role": "technician"}
    told(qtbot, daemon, proctor, person=person)
    daemon.answers["help.list"] = {"requests": requests()}
    shows(qtbot, daemon, proctor, "verify", help_open=4)
    qtbot.waitUntil(proctor.help.requests[0].isVisible, timeout=5000)
    assert not proctor.help.requests[0].presses["verify"].isEnabled()
    assert not proctor.by_hand.isVisible() and not daemon.called("verify.look")


def test_a_new_request_is_said_aloud_and_names_nobody(
    qtbot: Any, daemon: Any, proctor: ProctorWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(proctor.caller, "_ring", said.append)
    proctor._on_helps({"requests": requests()[:2]})
    proctor._on_helps({"requests": requests()[:2]})
    assert len(said) == 1 and text("zh", "reason.LIVENESS_TIMEOUT") in said[0]
    assert "王" not in said[0] and "entry-1" in said[0]
    proctor._on_helps({"requests": requests()[:3]})
    assert len(said) == 2, "one more"
    proctor._on_helps({"requests": []})
    assert not proctor.caller.waits
    told(qtbot, daemon, proctor, locked=True)
    shows(qtbot, daemon, proctor, "idle", help_open=1)
    assert said[-1] == text("zh", "help.needed"), "also while it is locked"


# --- a person's own eyes --------------------------------------------------------------------------


@pytest.fixture
def looking(qtbot: Any, daemon: Any, proctor: ProctorWindow) -> ProctorWindow:
    daemon.answers["verify.look"] = look(placeholder(60, 80))
    daemon.answers["verify.capture"] = {"captured": placeholder(80, 60)}
    shows(qtbot, daemon, proctor, "verify")
    qtbot.waitUntil(lambda: proctor.by_hand.name.text() != "", timeout=5000)
    return proctor


def test_photograph_person_and_card_are_side_by_side(
    qtbot: Any, daemon: Any, looking: ProctorWindow
) -> None:
    panel = looking.by_hand
    assert panel.isVisible() and not looking.tabs.isVisible()
    assert "王小明" in panel.name.text() and "37060219610804301X" in panel.numbers.text()
    assert not panel.photo.image.pixels.isNull()
    qtbot.waitUntil(lambda: daemon.called("lane.subscribe")[-1]["preview"], timeout=5000)
    daemon.tell("preview", {"jpeg": placeholder(80, 60), "width": 80, "height": 60})
    qtbot.waitUntil(lambda: not panel.live.image.pixels.isNull(), timeout=5000)
    card = {"name": "王小明", "number": "370602", "valid_to": "长期", "fits": False}
    panel.show_look(look(placeholder(60, 80), card=card))
    assert panel.card_says.text() == text("zh", "by_hand.card_differs")
    shows(qtbot, daemon, looking, "sign")
    qtbot.waitUntil(lambda: not panel.isVisible(), timeout=5000)
    qtbot.waitUntil(lambda: not daemon.called("lane.subscribe")[-1]["preview"], timeout=5000)
    assert panel.name.text() == "" and panel.photo.image.pixels.isNull(), "nobody stays"


def test_let_in_only_with_reason_picture_and_the_second_person(
    qtbot: Any, daemon: Any, looking: ProctorWindow
) -> None:
    panel = looking.by_hand
    assert not panel.accept.isEnabled()
    panel.why.setCurrentIndex(panel.why.findData("appearance"))
    assert not panel.accept.isEnabled(), "no picture was taken"
    panel.capture.click()
    qtbot.waitUntil(panel.accept.isEnabled, timeout=5000)
    held = panel.live.image.pixels
    panel.show_live(placeholder(40, 40))
    assert panel.live.image.pixels == held, "the one that was taken stays"
    panel.finger.setCurrentIndex(panel.finger.findData("other"))
    assert not panel.accept.isEnabled(), "other wants a note"
    panel.note.setText("石膏")
    panel.accept.click()
    assert looking.approval.isVisible() and not daemon.called("verify.accept")
    assert "王小明" in looking.approval.what.text()
    type_in(looking.approval.entry, "1001", "483917")
    assert called(qtbot, daemon, "verify.accept") == {
        "visit": 7, "why": "appearance", "finger_why": "other", "note": "石膏", "lang": "zh",
        "approval": {"staff_no": "1001", "pin": "483917"}}


def test_where_one_person_is_enough_nobody_else_is_asked(
    qtbot: Any, daemon: Any, looking: ProctorWindow
) -> None:
    panel = looking.by_hand
    panel.show_look(look(placeholder(60, 80), two_people=False, finger=False,
                         captured=placeholder(80, 60)))
    assert not panel.finger.isVisible()
    panel.why.setCurrentIndex(panel.why.findData("photo"))
    panel.accept.click()
    assert "approval" not in called(qtbot, daemon, "verify.accept")


def test_turned_away_with_a_reason(qtbot: Any, daemon: Any, looking: ProctorWindow) -> None:
    panel = looking.by_hand
    assert not panel.reject.isEnabled()
    panel.not_why.setCurrentIndex(panel.not_why.findData("not_the_person"))
    panel.reject.click()
    assert called(qtbot, daemon, "verify.reject") == {
        "visit": 7, "why": "not_the_person", "note": "", "lang": "zh"}
    panel.stop.click()
    called(qtbot, daemon, "proctor.cancel")


def test_a_finger_is_set_aside_by_two(qtbot: Any, daemon: Any, proctor: ProctorWindow) -> None:
    assert not proctor.current.waive.isVisible()
    shows(qtbot, daemon, proctor, "finger")
    proctor.current.waive.click()
    sheet = proctor.waiving
    assert sheet.isVisible() and not sheet.go.isEnabled()
    sheet.why.setCurrentIndex(sheet.why.findData("worn"))
    sheet.go.click()
    type_in(proctor.approval.entry, "1001", "483917")
    asked = called(qtbot, daemon, "finger.waive")
    assert (asked["visit"], asked["why"]) == (7, "worn") and asked["approval"]["staff_no"] == "1001"


def test_begun_for_who_is_at_the_lane_or_in_the_list(
    qtbot: Any, daemon: Any, proctor: ProctorWindow
) -> None:
    assert not proctor.current.verify.isVisible(), "nobody is there"
    shows(qtbot, daemon, proctor, "refused", reason="FACE_MISMATCH")
    proctor.current.verify.click()
    assert called(qtbot, daemon, "verify.begin") == {"visit": 7}
    page = proctor.tabs.people
    page._choose({"ref": "f" * 32, "standing": "inside"})
    assert not page.by_hand.isEnabled(), "who is inside needs nothing"
    page._choose({"ref": "f" * 32, "standing": "booked"})
    page.by_hand.click()
    qtbot.waitUntil(lambda: daemon.called("verify.begin")[-1] == {"ref": "f" * 32}, timeout=5000)


def test_a_chief_lets_the_lane_go_on_without_its_reader(
    qtbot: Any, daemon: Any, proctor: ProctorWindow
) -> None:
    down = DEVICES | {"fingerprint": {"ok": False, "code": "unplugged",
                                      "since": "2025-06-12T08:00:00+08:00", "detail": ""}}
    lack = {"code": "unplugged", "since": "2025-06-12T08:00:00+08:00", "may_waive": True,
            "allowed_by": None, "allowed_at": None}
    lacks = [lack | {"factor": "finger"}, lack | {"factor": "face"}]
    finger, face = (proctor.devices.waive[factor] for factor in ("finger", "face"))
    shows(qtbot, daemon, proctor, "out_of_order", reason="DEVICE_FAULT", devices=down,
          mode={"rung": "stopped", "missing": lacks})
    assert not finger.isVisible() and not proctor.devices.mode.isVisible(), "a proctor may not"
    told(qtbot, daemon, proctor, person={"staff_no": "1", "name": "李敏", "role": "chief"})
    assert finger.isVisible() and not proctor.devices.waive["card"].isVisible()
    finger.click()
    face.click()
    assert not daemon.called("lane.waive"), "the first press only asks, each for itself"
    finger.click()
    finger.click()
    assert called(qtbot, daemon, "lane.waive")["factor"] == "finger"
    allowed = {"may_waive": False, "allowed_by": "1 李敏",
               "allowed_at": "2025-06-12T09:31:00+08:00"}
    screen = lack | {"factor": "screen", "code": "no_screen", "may_waive": False}
    missing = [lack | allowed | {"factor": "finger"}, screen]
    shows(qtbot, daemon, proctor, "idle", devices=down, mode={"rung": "reduced",
                                                              "missing": missing})
    lines = proctor.devices.mode.text().splitlines()
    assert "1 李敏" in lines[0] and "考生屏" in lines[1] and not finger.isVisible()


def test_who_waits_for_a_proctor_is_looked_at_only_when_one_begins(
    qtbot: Any, daemon: Any, proctor: ProctorWindow
) -> None:
    shows(qtbot, daemon, proctor, "verify", awaits_proctor=True, visit=7)
    assert proctor.desk.currentWidget() is proctor.tabs and not daemon.called("verify.look")
    assert proctor.current.verify.isVisible()
    proctor.current.verify.click()
    assert called(qtbot, daemon, "verify.begin")["visit"] == 7


# --- pause ----------------------------------------------------------------------------------------


def test_a_pause_has_a_reason_and_is_seen(qtbot: Any, daemon: Any, proctor: ProctorWindow) -> None:
    shows(qtbot, daemon, proctor, "idle")
    proctor.session.pause.click()
    sheet = proctor.pausing
    sheet.why.setCurrentIndex(sheet.why.findData("other"))
    assert not sheet.go.isEnabled()
    sheet.note.setText("停电")
    sheet.go.click()
    assert called(qtbot, daemon, "session.pause") == {
        "session_id": "KM1-0930", "lang": "zh", "why": "other", "note": "停电"}
    paused = example("paused")
    paused["session"] |= {"paused": {"since": "2025-06-12T09:20:05+08:00", "why": "hall",
                                     "note": "", "person": "1001 李敏"}}
    shows(qtbot, daemon, proctor, "paused", session=paused["session"])
    assert text("zh", "pause.hall") in proctor.session.paused.text()
    assert "李敏" in proctor.session.paused.text()
    proctor.session.pause.click()
    assert called(qtbot, daemon, "session.resume")["session_id"] == "KM1-0930"
