"""The roll-call: who is inside by the record, and who was seen outside; and the fire drill.

Names in full, so they are asked for by a press, journalled, and gone when the screen is locked.
"""

from __future__ import annotations

from typing import Any

from kiosk.core.codes import Reason, State
from ui import qt, theme
from ui.i18n import text
from ui.proctor.page import Line
from ui.proctor.panels import button, label
from ui.proctor.sure import Sure
from ui.proctor.tables import Table

TICKED, BLANK = "☑", "☐"
ROW = 52  #: pixels: a row is pressed with a glove on, outdoors


class RollTable(Table):
    """`touched` carries the row's number."""

    touched = qt.pyqtSignal(int)

    def __init__(self, language: str) -> None:
        super().__init__("roll", ("seen", "terminal", "name", "admission_no", "help", "seen_by"),
                         language)
        self.verticalHeader().setDefaultSectionSize(ROW)
        self.setSelectionMode(qt.QAbstractItemView.NoSelection)
        self.cellClicked.connect(lambda row, _column: self.touched.emit(row))

    def fill(self, inside: list[dict[str, Any]]) -> None:
        self.setRowCount(len(inside))
        for n, one in enumerate(inside):
            self.show_one(n, one)

    def show_one(self, n: int, one: dict[str, Any]) -> None:
        self.put(n, [
            TICKED if one.get("seen_at") else BLANK,
            str(one.get("terminal") or "") + str(one.get("of") or ""),
            str(one.get("name") or ""),
            str(one.get("admission_no") or ""),
            text(self.language, "roll.help") if one.get("accessible") else "",
            str(one.get("seen_by") or ""),
        ], theme.GOOD if one.get("seen_at") else theme.INK)


class RollPage(qt.QWidget):
    def __init__(self, language: str, line: Line) -> None:
        super().__init__()
        self._language, self._line = language, line
        self._inside: list[dict[str, Any]] = []
        self._called = False
        self._asked = 0  #: an answer that comes after the screen was locked is not shown
        self._drill_lasts = self._opened = self._may_act = self._is_chief = False
        self.how = label("roll_how", 18)
        self.how.setText(text(language, "roll.how"))
        self.opened = label("roll_opened", 20, bold=True, ink=theme.WARN)
        self.counted = label("roll_count", 24, bold=True)
        self.table = RollTable(language)
        self.call_roll, self.drill = button("roll_call"), button("roll_drill")
        row = qt.QHBoxLayout()
        row.addWidget(self.call_roll)
        row.addStretch(1)
        row.addWidget(self.drill)
        column = qt.QVBoxLayout(self)
        for part in (self.how, self.opened):
            column.addWidget(part)
        column.addLayout(row)
        column.addWidget(self.counted)
        column.addWidget(self.table, 1)
        column.addStretch(0)
        self._sure = Sure(self)
        self._sure.changed.connect(self._name_drill)
        self.call_roll.clicked.connect(self._call)
        self.drill.clicked.connect(self._press_drill)
        self.table.touched.connect(self._tick)
        self.forget()
        self._name_drill()

    def show_state(self, state: dict[str, Any]) -> None:
        """Whether the gate stands open, and in earnest or for practice."""
        open_now = state.get("state") == State.OUT_OF_ORDER
        self._drill_lasts = open_now and state.get("reason") == Reason.DRILL
        self._opened = self._drill_lasts or (open_now and state.get("reason") == Reason.FIRE)
        key = "roll.drill_on" if self._drill_lasts else "roll.fire_on"
        self.opened.setText("! " + text(self._language, key) if self._opened else "")
        self.opened.setVisible(self._opened)
        self._allow()

    def allow(self, may_act: bool, is_chief: bool) -> None:
        self._may_act, self._is_chief = may_act, is_chief
        self._allow()

    def _allow(self) -> None:
        self.call_roll.setEnabled(self._may_act)
        self.drill.setVisible(self._is_chief)
        self.drill.setEnabled(self._may_act and not self._opened)

    # --- the roll ---------------------------------------------------------------------------------

    def _call(self) -> None:
        self._asked += 1
        asked = self._asked
        self._line.ask("session.rollcall", {"drill": self._drill_lasts, "lang": self._language},
                       lambda found: self._show(asked, found))

    def _show(self, asked: int, found: dict[str, Any]) -> None:
        if asked != self._asked:
            return
        self._called = True
        self._inside = list(found.get("inside") or [])
        for one in self._inside:  # who came in with an earlier session, where this gate knows
            if one.get("session_id") != found.get("session_id"):
                one["of"] = f"　{one.get('session_id')}"
        if not found.get("journalled", True):
            self._line.say(text(self._language, "roll.not_journalled"))
        self.table.fill(self._inside)
        self._count()

    def _count(self) -> None:
        everybody = len(self._inside)
        seen = sum(bool(one.get("seen_at")) for one in self._inside)
        self.counted.setText(
            text(self._language, "roll.count", all=everybody, seen=seen, missing=everybody - seen)
            if everybody else text(self._language, "roll.none") if self._called else "")
        self.counted.setVisible(self._called)
        self.table.setVisible(bool(everybody))
        self.call_roll.setText(text(self._language, "roll.again" if self._called else "roll.call"))

    def _tick(self, row: int) -> None:
        """It stands there when the daemon has it."""
        if not self._may_act or row >= len(self._inside):
            return
        one, asked = self._inside[row], self._asked
        seen = not one.get("seen_at")
        about = {"session_id": one["session_id"], "terminal": one["terminal"], "seen": seen,
                 "lang": self._language}
        self._line.ask("session.seen_outside", about,
                       lambda _result: self._ticked(asked, row, seen))

    def _ticked(self, asked: int, row: int, seen: bool) -> None:
        if asked != self._asked:
            return
        self._inside[row] |= {"seen_at": "now" if seen else None, "seen_by": None}
        self.table.show_one(row, self._inside[row])
        self._count()

    def forget(self) -> None:
        """No name is left to whoever comes next."""
        self._asked += 1
        self._inside, self._called = [], False
        self.table.fill([])
        self._count()

    # --- the drill --------------------------------------------------------------------------------

    def _press_drill(self) -> None:
        """It opens the gate in earnest: the first press asks whether it is meant."""
        if self._sure.press("drill"):
            self._line.act("lane.drill", {"lang": self._language})

    def _name_drill(self) -> None:
        sure = "_sure" if self._sure.of is not None else ""
        self.drill.setText(text(self._language, f"roll.drill{sure}"))
