"""The proctor's pages as tabs: events, candidates, the hall, and what comes to be there.

Says which session they are about and when to ask anew; each page knows its own part.
"""

from __future__ import annotations

from typing import Any

from ui import qt, theme
from ui.i18n import text
from ui.proctor.hall import HallPage
from ui.proctor.leaving import ExitPage
from ui.proctor.machines import MachinesPage
from ui.proctor.page import Line
from ui.proctor.people import PeoplePage
from ui.proctor.report import ReportPage
from ui.proctor.roll import RollPage
from ui.proctor.tables import EventTable
from ui.proctor.warnings import WarningsPage


class Desk(qt.QTabWidget):
    def __init__(self, language: str, line: Line) -> None:
        super().__init__()
        self._session_id: str | None = None
        self._language = language
        self.setFont(theme.font(19, bold=True))
        self.events = EventTable(language)
        self.people = PeoplePage(language, line)
        self.hall = HallPage(language, line)
        self.machines = MachinesPage(language)
        self.warnings = WarningsPage(language, line)
        self.exit = ExitPage(language)
        self.roll = RollPage(language, line)
        self.report = ReportPage(language, line)
        pages = {"events": self.events, "candidates": self.people, "hall": self.hall,
                 "machines": self.machines, "warnings": self.warnings, "exit": self.exit,
                 "roll": self.roll, "report": self.report}
        for key, page in pages.items():
            self.addTab(page, text(language, f"proctor.{key}"))
        self.warnings.changed.connect(self._on_warnings)
        self.currentChanged.connect(lambda _n: self._on_page())

    def _on_page(self) -> None:
        """A search ends with its page: the others are about everybody."""
        if self.currentWidget() is not self.people and self.people.query:
            self.people.search.clear()
            self.people.searched.emit()
        self.refresh(self._session_id)

    def refresh(self, session_id: str | None) -> None:
        """Something happened, or another session was chosen: what is seen asks anew."""
        self._session_id = session_id
        self.report.refresh(session_id)
        if self.currentWidget() is self.hall:
            self.hall.refresh(session_id)

    def _on_warnings(self, warnings: list[dict[str, Any]]) -> None:
        key = "proctor.warnings_n" if warnings else "proctor.warnings"
        self.setTabText(self.indexOf(self.warnings), text(self._language, key, n=len(warnings)))

    def know(self, session_id: str | None, candidates: list[dict[str, Any]]) -> None:
        """The result of `session.candidates`; of a search, only those found."""
        self.people.show_list(session_id, candidates)
        if not self.people.query:
            self.hall.know(candidates)
            self.exit.know(candidates)

    def show_state(self, state: dict[str, Any]) -> None:
        self.machines.show_devices(state.get("devices") or {})
        self.roll.show_state(state)
        self.people.gate_lets_out = bool(state.get("lets_out"))

    def allow(self, may_act: bool) -> None:
        self.people.allow(may_act)
        self.hall.allow(may_act)
        self.warnings.allow(may_act)
        self.report.allow(may_act)
        self.exit.allow(may_act)

    def forget(self) -> None:
        """Nobody stands here any more: nothing of any candidate stays on the screen."""
        self.people.forget()
        self.roll.forget()
        self.report.forget()
        self.exit.forget()
