"""Out by the gate on both screens: the candidate's button and pages; a proctor lets somebody back
or out, calls the roll and begins a drill."""

from __future__ import annotations

from typing import Any

import pytest

from tests.ui.test_lane import called, shows, told
from ui.candidate.present import present
from ui.candidate.spoken import spoken
from ui.i18n import text
from ui.screenshots import example
from ui.screenshots_lane import CHIEF
from ui.screenshots_office import candidates, roll


def test_the_button_is_there_where_the_gate_lets_people_out(
    window: Any, daemon: Any, qtbot: Any
) -> None:
    daemon.show("idle")
    qtbot.waitUntil(lambda: window.state_name == "idle", timeout=5000)
    assert not window.leave.isVisible()
    for name in ("idle", "paused", "closed"):
        daemon.show(name, may_leave=True)
        qtbot.waitUntil(lambda name=name: window.state_name == name and window.leave.isVisible(),
                        timeout=5000)  # fmt: skip
    window.leave.click()
    asked = called(qtbot, daemon, "candidate.leave")
    assert asked["visit"] == daemon.state["visit"]


@pytest.mark.parametrize("size", [(1920, 1080), (1080, 1920), (1280, 720)])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_no_button_covers_another(
    open_window: Any, daemon: Any, qtbot: Any, size: tuple[int, int], language: str
) -> None:
    window = open_window(language, size)
    daemon.show("idle", may_leave=True, may_type=True)
    qtbot.waitUntil(lambda: window.leave.isVisible() and window.number.isVisible(), timeout=5000)
    row = [window.help, window.switch, window.number, window.leave, window.code]
    for n, one in enumerate(row):
        assert one is window.code or one.fits()
        assert window.rect().contains(one.geometry())
        for other in row[n + 1 :]:
            assert not one.geometry().intersects(other.geometry())


@pytest.mark.parametrize("language", ["zh", "en"])
def test_who_leaves_is_not_told_of_terminals_and_draws(language: str) -> None:
    for name, reason in (("claim", None), ("face", None), ("drawing", None), ("gate", None),
                         ("welcome", "LEFT"), ("refused", "GATE_TIMEOUT"),
                         ("refused", "GATE_UNKNOWN")):
        state = example(name, leaving=True, reason=reason)
        shown = present(state, language)
        assert shown.page != "seat"
        said = " ".join((shown.title, shown.body, shown.note, spoken(state, shown, None, language)))
        assert "考台" not in said and "erminal" not in said and "047" not in said, said


def test_a_drill_does_not_read_as_a_fire() -> None:
    for language, word, fire in (("zh", "演练", "火"), ("en", "drill", "alarm")):
        shown = present(example("out_of_order", reason="DRILL"), language)
        assert word in (shown.title + shown.body).lower() and fire not in shown.body
        assert spoken(example("out_of_order", reason="DRILL"), shown, None, language)


def test_who_has_left_is_let_back_with_a_reason(proctor: Any, daemon: Any, qtbot: Any) -> None:
    people = proctor.tabs.people
    proctor.tabs.setCurrentWidget(people)
    proctor._on_candidates({"candidates": candidates(12)})
    proctor.candidates.selectRow(11)
    assert not people.back.isEnabled(), "may return already"
    gone = candidates(12)
    gone[11] |= {"returns": False}
    proctor._on_candidates({"candidates": gone})
    proctor.candidates.selectRow(11)
    people.back.click()
    assert proctor.returning.isVisible() and not proctor.returning.go.isEnabled()
    proctor.returning.why.setCurrentIndex(1)
    proctor.returning.go.click()
    asked = called(qtbot, daemon, "seat.let_back")
    assert (asked["terminal"], asked["why"]) == ("034", "toilet")


def test_own_words_want_a_second_person(proctor: Any, daemon: Any, qtbot: Any) -> None:
    proctor._ask_return("034")
    proctor.returning.why.setCurrentIndex(4)
    assert not proctor.returning.go.isEnabled()
    proctor.returning.note.setText("忘了证件")
    proctor.returning.go.click()
    assert proctor.approval.isVisible() and not daemon.called("seat.let_back")


def test_who_is_inside_by_no_record_is_let_out_by_hand(
    proctor: Any, daemon: Any, qtbot: Any
) -> None:
    people = proctor.tabs.people
    proctor.tabs.setCurrentWidget(people)
    shows(qtbot, daemon, proctor, "idle")
    proctor._on_candidates({"candidates": candidates(12)})
    proctor.candidates.selectRow(3)
    assert people.out.isHidden(), "not at a gate that lets nobody out"
    shows(qtbot, daemon, proctor, "idle", lets_out=True)
    people.out.click()
    asked = called(qtbot, daemon, "verify.begin")
    assert asked["leaving"] and asked["ref"] == candidates(12)[3]["ref"]


def test_the_roll_is_called_ticked_and_gone(proctor: Any, daemon: Any, qtbot: Any) -> None:
    page = proctor.tabs.roll
    proctor.tabs.setCurrentWidget(page)
    daemon.answers["session.rollcall"] = roll(3) | {"inside": [
        one | {"seen_at": None, "seen_by": None} for one in roll(3)["inside"]]}  # fmt: skip
    daemon.answers["session.seen_outside"] = {}
    page.call_roll.click()
    qtbot.waitUntil(lambda: page.table.rowCount() == 3, timeout=5000)
    assert called(qtbot, daemon, "session.rollcall")["drill"] is False
    page.table.touched.emit(1)
    asked = called(qtbot, daemon, "session.seen_outside")
    assert (asked["terminal"], asked["seen"]) == ("004", True)
    qtbot.waitUntil(lambda: page.table.item(1, 0).text() == "☑", timeout=5000)
    assert page.counted.text() == text("zh", "roll.count", all=3, seen=1, missing=2)
    told(qtbot, daemon, proctor, locked=True)
    assert page.table.rowCount() == 0, "no name is left to whoever comes next"


def test_a_chief_begins_a_drill_and_any_proctor_ends_it(
    proctor: Any, daemon: Any, qtbot: Any
) -> None:
    page = proctor.tabs.roll
    assert page.drill.isHidden(), "a proctor alone does not"
    daemon.tell("staff", CHIEF)
    qtbot.waitUntil(lambda: not page.drill.isHidden(), timeout=5000)
    page.drill.click()
    assert not daemon.called("lane.drill")
    page.drill.click()
    called(qtbot, daemon, "lane.drill")
    shows(qtbot, daemon, proctor, "out_of_order", reason="DRILL")
    assert not page.drill.isEnabled()
    resume = proctor.current.resume
    assert not resume.isHidden() and resume.text() == text("zh", "out.drill_end")
    page.call_roll.click()
    assert called(qtbot, daemon, "session.rollcall")["drill"] is True
    resume.click()
    called(qtbot, daemon, "lane.resume")
