"""One face under two identities: what the proctor is asked, until a person has looked.

Shows masked names as the daemon sends them and hands an answer on; it must not call the daemon.
"""

from __future__ import annotations

from typing import Any

from ui import qt, theme
from ui.i18n import coded, text
from ui.proctor.panels import button, label
from ui.proctor.sure import Sure
from ui.times import clock

SHOWN = 2  #: at a time; the others come up as these are answered


class Question(qt.QFrame):
    """One alert. `answered` carries its id and whether it is one person."""

    answered = qt.pyqtSignal(int, bool)

    def __init__(self, language: str) -> None:
        super().__init__()
        self.setObjectName("question")
        self._language = language
        self._alert: dict[str, Any] = {}
        self.setStyleSheet(f"#question {{ background: {theme.PALE_WARN}; border: 2px solid"
                           f" {theme.WARN}; border-radius: 10px; }}")
        self.heading = label("alert_heading", 22, bold=True, ink=theme.WARN)
        self.earlier, self.now = label("alert_earlier", 19), label("alert_now", 19)
        self.ask = label("alert_ask", 18)
        self.two, self.one = button("alert_two"), button("alert_one")
        column = qt.QVBoxLayout(self)
        column.setContentsMargins(14, 10, 14, 10)
        column.setSpacing(5)
        for words in (self.heading, self.earlier, self.now, self.ask):
            column.addWidget(words)
        row = qt.QHBoxLayout()
        for press, same in ((self.two, False), (self.one, True)):
            row.addWidget(press)
            press.clicked.connect(lambda _=False, same=same: self._press(same))
        column.addLayout(row)
        self._sure = Sure(self)
        self._sure.changed.connect(self._name_buttons)

    def show_alert(self, alert: dict[str, Any], may_act: bool) -> None:
        if alert.get("alert_id") != self._alert.get("alert_id"):
            self._sure.forget()
        self._alert = alert
        of_roster = alert.get("origin") == "roster"
        heading = "alert.roster" if of_roster else "alert.lane"
        self.heading.setText("! " + text(self._language, heading))
        key = "alert.is" if of_roster else (
            "alert.came" if alert.get("earlier_verified") else "alert.turned_away")
        self.earlier.setText(text(self._language, key, who=self._who(alert.get("earlier") or {})))
        key = "alert.is" if of_roster else "alert.now"
        self.now.setText(text(self._language, key, who=self._who(alert.get("now") or {})))
        self.ask.setText(text(self._language, "alert.ask_roster" if of_roster else "alert.ask",
                              time=clock(alert.get("at"))))
        for press in (self.two, self.one):
            press.setEnabled(may_act)
        self._name_buttons()

    def _who(self, person: dict[str, Any]) -> str:
        parts = [str(person.get("name") or ""), str(person.get("admission_no") or ""),
                 str(person.get("session_id") or "")]
        if person.get("standing") != "booked":  # "not here yet" is said of who is here
            parts.append(coded(self._language, "standing", person.get("standing")))
        if person.get("terminal"):
            parts.append(f"{text(self._language, 'proctor.column.terminal')} {person['terminal']}")
        return "　".join(part for part in parts if part)

    def _press(self, same: bool) -> None:
        """The first press asks whether it is meant."""
        if self._sure.press(same):
            self.answered.emit(int(self._alert["alert_id"]), same)

    def _name_buttons(self) -> None:
        for press, same, key in ((self.two, False, "two"), (self.one, True, "one")):
            sure = "_sure" if self._sure.of is same else ""
            press.setText(text(self._language, f"alert.{key}{sure}"))


class AlertsPanel(qt.QWidget):
    """The first questions of a list, and how many more there are; hidden when there is none."""

    answered = qt.pyqtSignal(int, bool)

    def __init__(self, language: str) -> None:
        super().__init__()
        self._language = language
        self._alerts: list[dict[str, Any]] = []
        self.questions = [Question(language) for _ in range(SHOWN)]
        self.more = label("alert_more", 18, bold=True, ink=theme.WARN)
        column = qt.QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for question in self.questions:
            question.answered.connect(self.answered)
            column.addWidget(question)
        column.addWidget(self.more)
        self.fill([], False)

    def fill(self, alerts: list[dict[str, Any]], may_act: bool) -> None:
        """The result of `alert.list`."""
        self._alerts = alerts
        self.allow(may_act)

    def allow(self, may_act: bool) -> None:
        for n, question in enumerate(self.questions):
            question.setVisible(n < len(self._alerts))
            if n < len(self._alerts):
                question.show_alert(self._alerts[n], may_act)
        left = len(self._alerts) - SHOWN
        self.more.setVisible(left > 0)
        self.more.setText(text(self._language, "alert.more", n=left) if left > 0 else "")
        self.setVisible(bool(self._alerts))
