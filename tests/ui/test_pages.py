"""The proctor's pages: finding people, looking at one of them, the hall and its terminals."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kiosk import wire
from ui import qt
from ui.i18n import LANGUAGES, text
from ui.proctor.hall import Legend
from ui.proctor.panels import countdown, counters
from ui.proctor.people import FILTERS, belongs
from ui.proctor.window import ProctorWindow
from ui.screenshots import SESSION, placeholder
from ui.screenshots_office import candidates, hall, pages, person
from ui.widgets.hallgrid import HallGrid, seats_of, state_of

PICTURE = placeholder(60, 80)


def show_people(qtbot: Any, daemon: Any, window: ProctorWindow) -> Any:
    daemon.answers["session.candidates"] = {"candidates": candidates()}
    daemon.answers["candidate.show"] = person(PICTURE)
    window.tabs.setCurrentWidget(window.tabs.people)
    window._ask_candidates()
    qtbot.waitUntil(lambda: window.candidates.rowCount() == 96, timeout=5000)
    return window.tabs.people


def test_what_is_typed_is_looked_for_by_the_daemon(
    qtbot: Any, daemon: Any, proctor: ProctorWindow
) -> None:
    people = show_people(qtbot, daemon, proctor)
    daemon.answers["session.candidates"] = {"candidates": candidates(2)}
    qtbot.keyClicks(people.search, "wxm")
    qtbot.waitUntil(lambda: proctor.candidates.rowCount() == 2, timeout=5000)
    assert daemon.called("session.candidates")[-1]["query"] == "wxm"
    assert people.counted.text() == text("zh", "people.count", shown=2, all=2)


def test_a_search_ends_with_its_page(
    qtbot: Any, daemon: Any, proctor: ProctorWindow
) -> None:
    people = show_people(qtbot, daemon, proctor)
    daemon.answers["session.candidates"] = lambda params: {
        "candidates": candidates(2 if params["query"] else 96)}
    qtbot.keyClicks(people.search, "wxm")
    qtbot.waitUntil(lambda: proctor.candidates.rowCount() == 2, timeout=5000)
    before = proctor.tabs.exit.who.count()
    proctor.tabs.setCurrentWidget(proctor.tabs.exit)
    qtbot.waitUntil(lambda: proctor.candidates.rowCount() == 96, timeout=5000)
    assert people.query == "" and proctor.tabs.exit.who.count() == before > 5


def test_groups_of_the_list_leave_nobody_out(
    qtbot: Any, daemon: Any, proctor: ProctorWindow
) -> None:
    people, everybody = show_people(qtbot, daemon, proctor), candidates()
    for n, group in enumerate(FILTERS):
        people.group.setCurrentIndex(n)
        wanted = [c for c in everybody if belongs(c, group)]
        assert proctor.candidates.rowCount() == len(wanted) > 0, group
    once = ("booked", "seated", "in_hall", "left")
    assert all(sum(belongs(c, group) for group in once) == 1 for c in everybody)


def test_one_person_is_looked_at_by_a_press_and_leaves_no_trace(
    qtbot: Any, daemon: Any, proctor: ProctorWindow
) -> None:
    people = show_people(qtbot, daemon, proctor)
    assert not people.look.isEnabled()
    proctor.candidates.selectRow(8)
    assert not daemon.called("candidate.show"), "a row that is touched is not looked at"
    qtbot.mouseClick(people.look, qt.Qt.LeftButton)
    qtbot.waitUntil(lambda: people.currentWidget() is people.card, timeout=5000)
    (asked,) = daemon.called("candidate.show")
    assert (asked["ref"], asked["session_id"]) == (candidates()[8]["ref"], "KM1-0930")
    card = people.card
    assert card.name.text() == "王小明" and not card.photo.image.pixels.isNull()
    assert card.live.words.text() == text("zh", "people.capture.verified", time="09:09")
    qtbot.mouseClick(card.earlier, qt.Qt.LeftButton)
    assert card.live.words.text() == text("zh", "people.capture.turned_away", time="09:04")
    assert card.history.rowCount() == 9
    qtbot.mouseClick(card.back, qt.Qt.LeftButton)
    assert people.currentWidget() is not card and card.history.rowCount() == 0
    assert card.name.text() == "" and card.photo.image.pixels.isNull()
    assert card.live.image.pixels.isNull() and card._captures == []


def test_an_answer_that_comes_too_late_shows_nobody(
    qtbot: Any, daemon: Any, proctor: ProctorWindow
) -> None:
    people = show_people(qtbot, daemon, proctor)
    asked = people._asked
    people.forget()
    people._show(asked, person(PICTURE))
    assert people.currentWidget() is not people.card and people.card.name.text() == ""


def test_another_session_takes_the_pictures_from_the_screen(
    qtbot: Any, daemon: Any, proctor: ProctorWindow
) -> None:
    people = show_people(qtbot, daemon, proctor)
    people._show(people._asked, person(PICTURE))
    assert people.currentWidget() is people.card
    proctor.session.choice.setCurrentIndex(1)
    qtbot.waitUntil(lambda: people.currentWidget() is not people.card, timeout=5000)


def show_hall(qtbot: Any, daemon: Any, window: ProctorWindow) -> Any:
    daemon.answers["session.candidates"] = {"candidates": candidates()}
    daemon.answers["terminal.list"] = {"terminals": hall()}
    window._ask_candidates()
    window.tabs.setCurrentWidget(window.tabs.hall)
    qtbot.waitUntil(lambda: len(window.tabs.hall.grid.seats) == 120, timeout=5000)
    return window.tabs.hall


def touch(qtbot: Any, page: Any, name: str) -> None:
    seat = next(s for s in page.grid.seats if s.name == name)
    qtbot.mouseClick(page.grid, qt.Qt.LeftButton, pos=page.grid.place(seat).center().toPoint())


def test_a_terminal_is_taken_out_of_service_with_a_reason(
    qtbot: Any, daemon: Any, proctor: ProctorWindow
) -> None:
    page = show_hall(qtbot, daemon, proctor)
    touch(qtbot, page, "002")
    panel = page.panel
    assert panel.heading.text() == "002" and not panel.redraw.isVisible()
    qtbot.mouseClick(panel.service, qt.Qt.LeftButton)
    assert text("zh", "hall.why_needed") in panel.note.text()
    assert not daemon.called("terminal.set")
    panel.why.setCurrentIndex(0)
    qtbot.mouseClick(panel.service, qt.Qt.LeftButton)
    qtbot.waitUntil(lambda: bool(daemon.called("terminal.set")), timeout=5000)
    (asked,) = daemon.called("terminal.set")
    assert {k: asked[k] for k in ("session_id", "terminal", "in_service", "reason")} == {
        "session_id": "KM1-0930", "terminal": "002", "in_service": False,
        "reason": text("zh", "hall.why.computer")}
    touch(qtbot, page, "018")
    assert panel.service.text() == text("zh", "hall.start") and panel.why.currentText() == ""


def test_a_taken_terminal_is_drawn_again_by_its_own_way(
    qtbot: Any, daemon: Any, proctor: ProctorWindow
) -> None:
    page = show_hall(qtbot, daemon, proctor)
    touch(qtbot, page, "001")
    assert "王*" in page.panel.about.text()
    qtbot.mouseClick(page.panel.redraw, qt.Qt.LeftButton)
    assert proctor.redraw.isVisible() and "001" in proctor.redraw.who.text()
    assert not daemon.called("seat.void"), "it says first what follows"


def test_the_hall_by_keyboard(qtbot: Any, daemon: Any, proctor: ProctorWindow) -> None:
    page = show_hall(qtbot, daemon, proctor)
    for key in (qt.Qt.Key_Right, qt.Qt.Key_Down, qt.Qt.Key_Down, qt.Qt.Key_Return):
        qtbot.keyClick(page.grid, key)
    assert page.panel.heading.text() == "026"


@pytest.mark.parametrize("size", [(900, 600), (560, 700), (1300, 900)])
def test_120_terminals_are_on_one_screen_and_none_over_another(
    themed: Any, qtbot: Any, size: tuple[int, int]
) -> None:
    grid = HallGrid()
    qtbot.addWidget(grid)
    grid.resize(*size)
    grid.fill(hall())
    places = [grid.place(seat) for seat in grid.seats]
    assert len(places) == 120 and all(qt.QRectF(grid.rect()).contains(p) for p in places)
    assert min(p.width() for p in places) > 25 and min(p.height() for p in places) > 25
    for n, place in enumerate(places):
        assert not any(place.intersects(other) for other in places[n + 1:])


def test_every_state_has_a_look_of_its_own_without_its_colour(themed: Any, qtbot: Any) -> None:
    grids = []
    for change in ({}, {"standing": "held"}, {"standing": "inside"}, {"in_service": False},
                   {"reserved": True}, {"accessible": True}):
        one = {"name": "7", "standing": "free", "in_service": True, "reserved": False} | change
        grid = HallGrid()
        qtbot.addWidget(grid)
        grid.resize(90, 90)
        grid.fill([one])
        grid.show()
        grey = grid.grab().toImage().convertToFormat(qt.QImage.Format_Grayscale8)
        grids.append(bytes(grey.constBits().asstring(grey.sizeInBytes())))
    assert len(set(grids)) == len(grids)


def test_without_places_the_hall_is_in_its_order() -> None:
    plain = [{"name": str(n), "row": None, "column": None, "standing": "free"} for n in range(30)]
    cells = {(s.across, s.down) for s in seats_of(plain)}
    assert len(cells) == 30
    same = [t | {"row": 1, "column": 1} for t in plain]
    assert len({(s.across, s.down) for s in seats_of(same)}) == 30
    assert seats_of([]) == [] and state_of({"standing": "inside", "in_service": False}) == "inside"


def test_counters_and_what_comes_next() -> None:
    assert counters(None)["entered"] is None
    found = counters(SESSION | {"booked": 10, "inside": 6, "left": 2})
    assert (found["in_hall"], found["missing"]) == (4, 4)
    now = datetime(2026, 11, 26, 1, 0, tzinfo=UTC)
    at = {name: (now + timedelta(minutes=m)).isoformat()
          for name, m in (("checkin_from", 30), ("starts_at", 60), ("checkin_until", 75))}
    for minutes, words in (
        (0, text("zh", "proctor.until_checkin", time="30:00")),
        (45, text("zh", "proctor.until_start", time="15:00")),
        (65, text("zh", "proctor.until_end", time="10:00")),
        (80, text("zh", "proctor.checkin_over")),
    ):
        later = now + timedelta(minutes=minutes)
        assert countdown("zh", SESSION | at, later) == words
    assert countdown("zh", SESSION | at | {"state": "closed"}, now) == ""
    assert countdown("zh", at, now - timedelta(hours=2)).endswith("2:30:00")


@pytest.mark.parametrize("size", [(1440, 900), (1080, 1920)])
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_words_of_every_page_fit(
    themed: Any, qtbot: Any, make_proctor: Any, language: str, size: tuple[int, int]
) -> None:
    window = make_proctor(language)
    window.resize(*size)
    found = []
    for name in pages(window, PICTURE):
        themed.processEvents()
        assert (window.width(), window.height()) == size, name
        for part in window.findChildren(qt.QLabel):
            if part.isVisible() and part.text() and part.heightForWidth(part.width()) > (
                    part.height() + 1):
                found.append((name, part.text()))
        for part in window.findChildren(qt.QPushButton):
            if part.isVisible() and part.minimumSizeHint().width() > part.width():
                found.append((name, part.text()))
        if window.exit.isVisible() and not window.exit.pad.fits():
            found.append((name, "pad"))
        legends = [x for x in window.findChildren(Legend) if x.isVisible()]
        found += [(name, "legend") for legend in legends if not legend.fits()]
    assert found == []


def test_a_declined_look_is_said(qtbot: Any, daemon: Any, proctor: ProctorWindow) -> None:
    people = show_people(qtbot, daemon, proctor)
    daemon.answers["candidate.show"] = wire.RpcError(-32000, "no", {"problems": ["请刷新"]})
    proctor.candidates.selectRow(0)
    qtbot.mouseClick(people.look, qt.Qt.LeftButton)
    qtbot.waitUntil(proctor.message.isVisible, timeout=5000)
    assert "请刷新" in proctor.message.text() and people.currentWidget() is not people.card
