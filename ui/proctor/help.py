"""The help queue on the proctor's screen: who waits at which lane and why, oldest first.

Shows what the daemon lists and hands on what a person presses; it calls nobody.
"""

from __future__ import annotations

from typing import Any

from ui import qt, theme
from ui.i18n import coded, text
from ui.proctor.panels import button, label
from ui.proctor.sure import Sure
from ui.times import clock

ENDS = ("done", "nobody")
SHOWN = 3  #: at a time; the others come up as these are answered


class Request(qt.QFrame):
    """One that is open. `pressed` carries what was pressed: take, verify, done or nobody."""

    pressed = qt.pyqtSignal(str, int)

    def __init__(self, language: str) -> None:
        super().__init__()
        self.setObjectName("help_request")
        self._language = language
        self._help_id = 0
        self.setStyleSheet(f"#help_request {{ background: {theme.PALE_WARN}; border: 2px solid"
                           f" {theme.WARN}; border-radius: 10px; }}")
        self.who = label("help_who", 19, bold=True, ink=theme.WARN)
        self.why = label("help_why", 19)
        words = qt.QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self.who)
        words.addWidget(self.why)
        row = qt.QHBoxLayout(self)
        row.setContentsMargins(14, 8, 10, 8)
        row.addLayout(words, 1)
        self.presses: dict[str, qt.QPushButton] = {}
        for what in ("take", "verify", "done", "nobody"):
            made = button(f"help_{what}")
            made.setText(text(language, f"help.{what}"))
            made.clicked.connect(lambda _=False, what=what: self._press(what))
            row.addWidget(made)
            self.presses[what] = made

        self._sure = Sure(self)
        self._sure.changed.connect(self._name_ends)

    def _press(self, what: str) -> None:
        """What ends a request wants a second press: it lies beside what does not."""
        if what in ENDS and not self._sure.press(what):
            return
        self._sure.forget()
        self.pressed.emit(what, self._help_id)

    def _name_ends(self) -> None:
        for what in ENDS:
            key = "sure" if self._sure.of == what else what
            self.presses[what].setText(text(self._language, f"help.{key}"))

    def show_request(self, request: dict[str, Any], may_act: bool) -> None:
        if int(request["help_id"]) != self._help_id:
            self._sure.forget()
        self._help_id = int(request["help_id"])
        name = request.get("candidate")
        who = (f"{name}　{request.get('admission_no') or ''}" if name
               else text(self._language, "help.unknown"))
        self.who.setText("! " + text(self._language, "help.who", time=clock(request.get("at")),
                                     lane=request.get("lane"), who=who))
        reason = coded(self._language, "reason", request.get("reason"))
        times = int(request.get("times") or 1)
        words = text(self._language, "help.times" if times > 1 else "help.why", reason=reason,
                     n=times)
        taken = request.get("taken_by")
        if taken:
            words += "　" + text(self._language, "help.taken", person=taken)
        self.why.setText(words)
        self.presses["take"].setVisible(not taken)
        self.presses["verify"].setVisible(bool(request.get("may_verify")))
        for press in self.presses.values():
            press.setEnabled(may_act)


class HelpPanel(qt.QWidget):
    """The oldest requests, and how many more there are; one quiet line when there is none."""

    pressed = qt.pyqtSignal(str, int)

    def __init__(self, language: str) -> None:
        super().__init__()
        self.setObjectName("help_panel")
        self._language = language
        self._requests: list[dict[str, Any]] = []
        self.heading = label("help", 20, bold=True)
        self.requests = [Request(language) for _ in range(SHOWN)]
        self.more = label("help_more", 18, bold=True, ink=theme.WARN)
        column = qt.QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.heading)
        for request in self.requests:
            request.pressed.connect(self.pressed)
            column.addWidget(request)
        column.addWidget(self.more)
        self.fill([], False)

    def fill(self, requests: list[dict[str, Any]], may_act: bool) -> None:
        """The result of `help.list`."""
        self._requests = requests
        self.allow(may_act)

    def allow(self, may_act: bool) -> None:
        waiting = len(self._requests)
        for n, one in enumerate(self.requests):
            one.setVisible(n < waiting)
            if n < waiting:
                one.show_request(self._requests[n], may_act)
        self.heading.setText(text(self._language, "help.heading", n=waiting) if waiting
                             else text(self._language, "help.none"))
        ink, ground = (theme.WARN, theme.PALE_WARN) if waiting else (theme.SOFT_INK, theme.PANEL)
        self.heading.setStyleSheet(f"color: {ink}; background: {ground}; padding: 8px 10px;"
                                   " border-radius: 8px;")
        self.more.setVisible(waiting > SHOWN)
        self.more.setText(text(self._language, "help.more", n=waiting - SHOWN)
                          if waiting > SHOWN else "")

    @property
    def untaken(self) -> int:
        """How often somebody has asked to whom nobody goes yet."""
        return sum(int(r.get("times") or 1) for r in self._requests if not r.get("taken_by"))

    @property
    def spoken(self) -> str:
        """Lane and reason of the newest of those; names nobody."""
        waiting = [r for r in self._requests if not r.get("taken_by")]
        if not waiting:
            return ""
        reason = coded(self._language, "reason", waiting[-1].get("reason"))
        return text(self._language, "help.spoken", lane=waiting[-1].get("lane"), reason=reason)
