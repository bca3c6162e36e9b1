"""A drawn seat given up: why, in whose name, and what follows, said before it is done.

Shown beside the candidates' list for the one that is selected; hands the decision on and calls
nobody.
"""

from __future__ import annotations

from typing import Any

from kiosk.core.codes import VoidReason
from ui import qt, theme
from ui.i18n import coded, text
from ui.proctor.panels import Panel, button, label
from ui.proctor.sure import Sure


class RedrawPanel(Panel):
    """`decided` carries terminal, reason and note; hidden while nobody is chosen."""

    decided = qt.pyqtSignal(str, str, str)

    def __init__(self, language: str) -> None:
        super().__init__("redraw", language)
        self._terminal = ""
        self.who = label("redraw_who", 22, bold=True)
        self.why = qt.QComboBox()
        self.why.setObjectName("redraw_why")
        self.why.setFont(theme.font(18))
        self.why.setMinimumHeight(42)
        for why in VoidReason:
            self.why.addItem(coded(language, "void", why.value), why.value)
        self.note = self._field("note")
        self.follows = label("redraw_follows", 18)
        self.give_up, self.leave = button("redraw_give_up"), button("redraw_leave")
        self.leave.setText(text(language, "redraw.leave"))
        row = qt.QHBoxLayout()
        row.addWidget(self.give_up)
        row.addWidget(self.leave)
        for part in (self.who, self.why, self.note, self.follows):
            self.column.addWidget(part)
        self.column.addLayout(row)
        self._sure = Sure(self)
        self._sure.changed.connect(self._name_button)
        self.why.currentIndexChanged.connect(self._on_why)
        self.give_up.clicked.connect(self._press)
        self.leave.clicked.connect(self.forget)
        self.forget()

    def _field(self, name: str) -> qt.QLineEdit:
        made = qt.QLineEdit()
        made.setObjectName(f"redraw_{name}")
        made.setFont(theme.font(18))
        made.setMinimumHeight(42)
        made.setMaxLength(200)
        made.setContextMenuPolicy(qt.Qt.NoContextMenu)
        made.setPlaceholderText(text(self.language, f"redraw.{name}"))
        return made

    def choose(self, candidate: dict[str, Any] | None) -> None:
        """One of `session.candidates`; None or one without a terminal: nothing to give up."""
        terminal = str((candidate or {}).get("terminal") or "")
        if candidate is None or not terminal:
            self.forget()
            return
        if terminal == self._terminal:
            return
        self.forget()
        self._terminal = terminal
        self.who.setText(text(self.language, "redraw.who", terminal=terminal,
                              name=candidate.get("name"), number=candidate.get("admission_no")))
        self._on_why()
        self.show()

    def forget(self) -> None:
        self._terminal = ""
        self.note.clear()
        self._sure.forget()
        self.hide()

    def allow(self, may_act: bool) -> None:
        self.give_up.setEnabled(may_act)

    def _on_why(self) -> None:
        why = VoidReason(self.why.currentData())
        self.follows.setText(text(self.language, f"redraw.follows.{why.value}"))
        self._sure.forget()

    def _press(self) -> None:
        """The first press asks whether it is meant."""
        if not self._sure.press(self._terminal):
            return
        self.decided.emit(self._terminal, str(self.why.currentData()), self.note.text().strip())

    def _name_button(self) -> None:
        sure = "_sure" if self._sure.of is not None else ""
        self.give_up.setText(text(self.language, f"redraw.give_up{sure}"))
