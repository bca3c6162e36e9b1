"""Pictures of the proctor's pages with invented people. Nothing here speaks with a daemon."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from kiosk.core.codes import WarningCode
from kiosk.core.signed_texts import score_statement
from ui import qt, screenshots_stick
from ui.i18n import text

FAMILY = "王李张刘陈杨赵黄周吴"
CLOCK = "2025-06-12T09:{minute:02d}:{second:02d}+08:00"


def hall(rows: int = 10, columns: int = 12) -> list[dict[str, Any]]:
    """The result of `terminal.list`: a full hall in the middle of a check-in."""
    found = []
    for n in range(rows * columns):
        standing = "inside" if n % 3 == 0 and n < 100 else "held" if n in (10, 47, 76) else "free"
        found.append({
            "name": f"{n + 1:03d}", "position": n, "row": n // columns + 1,
            "column": n % columns + 1 + n % columns // 4, "in_service": n not in (17, 58, 59),
            "reserved": n >= 118, "accessible": n in (0, 11, 100), "classes": [],
            "standing": standing, "draw_no": n + 1 if standing != "free" else None,
        })
    return found


def candidates(number: int = 96) -> list[dict[str, Any]]:
    """The result of `session.candidates`."""
    found = []
    for n in range(number):
        inside, held = n % 5 in (0, 2), n == 3
        found.append({
            "ref": f"{n:032x}", "name": f"{FAMILY[n % 10]}*", "admission_no": f"…{1201 + n}",
            "standing": "inside" if inside else "seated" if held else "left" if n == 11
            else "booked",
            "terminal": f"{n * 3 + 1:03d}" if (inside or n == 11) and n < 33 else "077" if held
            else None,
            "draw_no": n + 1 if inside else None, "late": n == 10, "left": n in (5, 7, 11),
            "released": False, "returns": n == 11,
            "accessible": n == 4, "last_reason": "ADMITTED" if inside else "GATE_TIMEOUT"
            if held else "FACE_NOT_SURE" if n == 8 else None,
            "last_at": CLOCK.format(minute=n % 60, second=7) if inside or held or n == 8 else None,
        })
    return found


def roll(number: int = 14) -> dict[str, Any]:
    """The result of `session.rollcall`."""
    inside = [{
        "session_id": "KM1-0930" if n < 12 else "KM1-0830",
        "terminal": f"{3 * n + 1:03d}", "name": f"{FAMILY[n % 10]}{'小明' if n % 2 else '静'}",
        "admission_no": f"2025061200{1201 + n}", "since": CLOCK.format(minute=n, second=0),
        "accessible": n == 4, "seen_at": CLOCK.format(minute=40, second=n) if n < 5 else None,
        "seen_by": "1002 周静" if n < 5 else None} for n in range(number)]
    return {"session_id": "KM1-0930", "inside": inside, "journalled": True}


def person(picture: str) -> dict[str, Any]:
    """The result of `candidate.show`."""
    kinds = (("candidate_shown", None, None, "1001 周静"),
             ("refused", "FINGER_NO_MATCH", None, None),
             ("finger_failed", None, None, None), ("identity_verified", None, None, None),
             ("capture_kept", None, None, None), ("claimed", None, None, None),
             ("refused", "FACE_NOT_SURE", None, None), ("capture_kept", None, None, None),
             ("claimed", None, None, None))  # fmt: skip
    return {
        "ref": "0", "name": "王小明", "admission_no": "20250612001234", "licence_class": "C1",
        "photo": picture,
        "captures": [
            {"at": CLOCK.format(minute=4, second=2), "outcome": "turned_away", "sha256": "0" * 64,
             "seq": 90, "jpeg": picture},
            {"at": CLOCK.format(minute=9, second=40), "outcome": "verified", "sha256": "0" * 64,
             "seq": 120, "jpeg": picture},
        ],
        "history": [{"seq": 130 - n, "at": CLOCK.format(minute=12 - n, second=30), "kind": kind,
                     "reason": reason, "terminal": terminal, "person": by}
                    for n, (kind, reason, terminal, by) in enumerate(kinds)],
    }


def warnings() -> list[dict[str, Any]]:
    """The result of `warning.list`, one of each kind."""
    found: list[dict[str, Any]] = []
    about = {"repeated_failures": {"tries": 3, "last": "FACE_MISMATCH"}, "disk_low": {
        "free": 812, "need": 500}, "roster_old": {"days": 9}, "clock_stepped": {"seconds": 600}}
    for n, what in enumerate(WarningCode):
        person = what is WarningCode.REPEATED_FAILURES
        found.append({
            "warning_id": n + 1, "what": what.value, "at": CLOCK.format(minute=20 - n, second=5),
            "session_id": "KM1-0930", "terminal": "047" if n == 1 else None,
            "args": about.get(what.value, {}), "name": "王*明" if person else None,
            "admission_no": "…1234" if person else None})
    return found


def paper() -> qt.QImage:
    """Something like a page with a heading and a table."""
    page = qt.QImage(794, 1123, qt.QImage.Format_RGB32)
    page.fill(qt.QColor("white"))
    painter = qt.QPainter(page)
    painter.fillRect(80, 90, 380, 26, qt.QColor("#0E2038"))
    for line in range(24):
        for column, wide in enumerate((60, 150, 150, 110)):
            painter.fillRect(80 + 160 * column, 170 + 34 * line, wide, 10, qt.QColor("#9AA7B5"))
    painter.end()
    return page


def pages(window: Any, picture: str) -> Iterator[str]:
    """Puts the window before its pages one after another, naming each."""
    tabs = window.tabs
    window.message.hide()
    window._on_candidates({"candidates": candidates()})
    tabs.setCurrentWidget(tabs.people)
    window.candidates.selectRow(8)
    yield "candidates"
    tabs.people.card.show_person(person(picture))
    tabs.people.setCurrentWidget(tabs.people.card)
    yield "candidate"
    tabs.people.forget()
    window.candidates.clearSelection()
    tabs.setCurrentWidget(tabs.hall)
    tabs.hall._fill(hall())
    tabs.hall.grid.selected = "018"
    tabs.hall._show_panel()
    yield "hall"
    tabs.hall.grid.selected = "011"
    tabs.hall._show_panel()
    yield "hall_held"
    tabs.setCurrentWidget(tabs.machines)
    since = CLOCK.format(minute=2, second=0)
    well = {"ok": True, "code": None, "since": since, "detail": "", "last": None}
    tabs.machines.show_devices({
        "turnstile": well | {"model": "Modbus relay board", "driver": "modbus",
                             "port": "/dev/examgate-turnstile"},
        "fingerprint": well | {"ok": False, "code": "unplugged", "port": "/dev/examgate-finger",
                               "last": {"code": "unplugged", "at": since, "detail": "EIO"}},
        "camera": well | {"last": {"code": "frozen", "at": since, "detail": ""}},
        "id_card": well | {"ok": False, "code": "no_answer", "detail": ""}})
    yield "devices"
    tabs.warnings.fill(warnings())
    tabs.setCurrentWidget(tabs.warnings)
    yield "alerts"
    tabs.warnings.fill([])
    tabs.setCurrentWidget(tabs.roll)
    window._state = window._state | {"state": "out_of_order", "reason": "DRILL"}
    window._render()
    tabs.roll._show(tabs.roll._asked, roll())
    yield "roll_call"
    window._state = window._state | {"state": "idle", "reason": None, "lets_out": True}
    window._render()
    tabs.roll.forget()
    yield "roll_call_before"
    tabs.setCurrentWidget(tabs.people)
    window.candidates.selectRow(11)
    yield "candidates_left"
    window.candidates.selectRow(10)
    yield "candidates_inside"
    window.candidates.clearSelection()
    tabs.setCurrentWidget(tabs.exit)
    tabs.exit.who.setCurrentRow(2)
    tabs.exit.score.setText("96")
    yield "exit"
    window.pages.setCurrentWidget(window.exit)
    window.exit.begin("KM1-0930", candidates()[2], 96, "")
    language = window._language
    window.exit._on_statement(window.exit._asked, {
        "text": score_statement(96, language), "text_sha256": "0" * 64})
    yield "exit_sign"
    window.exit.back.held.emit()
    tabs.setCurrentWidget(tabs.report)
    tabs.report.said.setText(text(language, "report.ready"))
    tabs.report.number.setText(text(language, "report.page", n=1, of=5))
    tabs.report.sheet.show_page(paper())
    yield "report"
    tabs.report.forget()


def save_pages(
    window: Any, picture: str, folder: Path, settle: Callable[[], None]
) -> None:
    """Each page wide and tall."""
    settle()
    for size, ending in (((1440, 900), ""), ((1080, 1920), "_tall")):
        window.resize(*size)
        for name in chain(pages(window, picture), screenshots_stick.shown(window)):
            settle()
            window.grab().save(str(folder / f"{name}{ending}.png"))
    window.resize(1440, 900)
    window.tabs.setCurrentIndex(0)


