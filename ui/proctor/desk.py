"""The proctor's pages as tabs: events, candidates, the hall, and what comes to be there.

Says which session they are about and when to ask anew; each page knows its own part.
"""

from __future__ import annotations

from typing import Any

from ui import qt, theme
from ui.i18n import text
from ui.proctor.hall import HallPage
from ui.proctor.machines import MachinesPage
from ui.proctor.page import Line
from ui.proctor.people import PeoplePage
from ui.proctor.tables import EventTable


class Desk(qt.QTabWidget):
    def __init__(self, language: str, line: Line) -> None:
        super().__init__()
        self._session_id: str | None = None
        self.setFont(theme.font(19, bold=True))
        self.events = EventTable(language)
        self.people = PeoplePage(language, line)
        self.hall = HallPage(language, line)
        self.machines = MachinesPage(language)
        for page, key in ((self.events, "events"), (self.people, "candidates"),
                          (self.hall, "hall"), (self.machines, "machines")):
            self.addTab(page, text(language, f"proctor.{key}"))
        self.currentChanged.connect(lambda _n: self.refresh(self._session_id))

    def refresh(self, session_id: str | None) -> None:
        """Something happened, or another session was chosen: what is seen asks anew."""
        self._session_id = session_id
        if self.currentWidget() is self.hall:
            self.hall.refresh(session_id)

    def know(self, session_id: str | None, candidates: list[dict[str, Any]]) -> None:
        """The result of `session.candidates`; of a search, only those found."""
        self.people.show_list(session_id, candidates)
        if not self.people.query:
            self.hall.know(candidates)

    def show_state(self, state: dict[str, Any]) -> None:
        self.machines.show_devices(state.get("devices") or {})

    def allow(self, may_act: bool) -> None:
        self.people.allow(may_act)
        self.hall.allow(may_act)

    def forget(self) -> None:
        """Nobody stands here any more: nothing of any candidate stays on the screen."""
        self.people.forget()
