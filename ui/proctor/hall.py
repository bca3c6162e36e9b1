"""The hall's page: every terminal, and what a person may do with the one that was touched.

Shows the result of `terminal.list`; hands decisions on with their reason.
"""

from __future__ import annotations

from typing import Any

from ui import qt, theme
from ui.i18n import text
from ui.proctor.page import Line, choice
from ui.proctor.panels import button, label
from ui.widgets.hallgrid import MOST, STATES, HallGrid, Seat, paint_seat, state_of

REASONS = ("computer", "screen", "network", "spare", "mended", "assigned")


class Legend(qt.QWidget):
    """Each state's shape, its words and how many there are."""

    def __init__(self, language: str) -> None:
        super().__init__()
        self.setObjectName("hall_legend")
        self._language = language
        self._counts: dict[str, int] = {}
        self.setMinimumHeight(64)

    def count(self, seats: list[Seat]) -> None:
        self._counts = {state: sum(s.state == state for s in seats) for state in STATES}
        self._counts["accessible"] = sum(s.accessible for s in seats)
        self.update()

    def words(self, state: str) -> str:
        return text(self._language, "hall.legend", words=text(self._language, f"hall.{state}"),
                    n=self._counts.get(state, 0))

    def fits(self) -> bool:
        metrics = qt.QFontMetricsF(theme.font(16))
        longest = max(metrics.horizontalAdvance(self.words(s)) for s in (*STATES, "accessible"))
        return longest <= self.width() / 3 - 46

    def paintEvent(self, event: qt.QPaintEvent) -> None:
        painter = qt.QPainter(self)
        painter.setRenderHint(qt.QPainter.Antialiasing)
        names = (*STATES, "accessible")
        wide, high = self.width() / 3, self.height() / 2
        for n, state in enumerate(names):
            box = qt.QRectF(n % 3 * wide, n // 3 * high + 3, 36, high - 6)
            shape = "free" if state == "accessible" else state
            paint_seat(painter, box, Seat("", 0, 0, shape, state == "accessible"))
            painter.setPen(qt.QColor(theme.INK))
            painter.setFont(theme.font(16))
            painter.drawText(box.adjusted(46, 0, wide - 46, 0),
                             int(qt.Qt.AlignLeft | qt.Qt.AlignVCenter), self.words(state))


class TerminalPanel(qt.QFrame):
    """The touched terminal. `changed` carries its name and a change for `terminal.set`;
    `give_up` its name."""

    changed = qt.pyqtSignal(str, dict)
    give_up = qt.pyqtSignal(str)

    def __init__(self, language: str) -> None:
        super().__init__()
        self.setObjectName("terminal_panel")
        self.setStyleSheet(f"#terminal_panel {{ background: {theme.PANEL}; border: 1px solid"
                           f" {theme.LINE}; border-radius: 10px; }}")
        self._language = language
        self._terminal: dict[str, Any] = {}
        self.heading = label("terminal_name", 30, bold=True, ink=theme.PRIMARY)
        self.about = label("terminal_about", 18)
        self.why = choice("terminal_why")
        self.why.setEditable(True)
        self.why.lineEdit().setMaxLength(200)
        self.why.lineEdit().setContextMenuPolicy(qt.Qt.NoContextMenu)
        self.why.lineEdit().setPlaceholderText(text(language, "hall.why"))
        for reason in REASONS:
            self.why.addItem(text(language, f"hall.why.{reason}"))
        self.note = label("terminal_note", 16, ink=theme.SOFT_INK)
        self.service, self.reserve = button("terminal_service"), button("terminal_reserve")
        self.accessible, self.redraw = button("terminal_accessible"), button("terminal_redraw")
        self.redraw.setText(text(language, "hall.redraw"))
        column = qt.QVBoxLayout(self)
        parts = (self.heading, self.about, self.why, self.service, self.reserve, self.accessible,
                 self.redraw, self.note)
        for part in parts:
            column.addWidget(part)
        column.addStretch(1)
        self.service.clicked.connect(lambda: self._change("in_service"))
        self.reserve.clicked.connect(lambda: self._change("reserved"))
        self.accessible.clicked.connect(lambda: self._change("accessible"))
        self.redraw.clicked.connect(lambda: self.give_up.emit(str(self._terminal.get("name"))))
        self.show_terminal(None, False)

    def show_terminal(self, terminal: dict[str, Any] | None, may_act: bool, who: str = "") -> None:
        another = (terminal or {}).get("name") != self._terminal.get("name")
        self._terminal = terminal or {}
        inputs = (self.why, self.service, self.reserve, self.accessible, self.redraw, self.note)
        for part in inputs:
            part.setVisible(terminal is not None)
        if terminal is None:
            self.heading.setText("")
            self.about.setText(text(self._language, "hall.touch"))
            return
        if another:
            self.why.setCurrentIndex(-1)
            self.why.clearEditText()
        self.heading.setText(str(terminal["name"]))
        self.about.setText(self._about(terminal, who))
        in_service, reserved = bool(terminal.get("in_service")), bool(terminal.get("reserved"))
        accessible = bool(terminal.get("accessible"))
        for press, key in (
            (self.service, "hall.stop" if in_service else "hall.start"),
            (self.reserve, "hall.unreserve" if reserved else "hall.reserve"),
            (self.accessible, "hall.unmake_accessible" if accessible else "hall.make_accessible"),
        ):
            press.setText(text(self._language, key))
            press.setEnabled(may_act)
        taken = terminal.get("standing") in ("held", "inside", "left")
        self.redraw.setVisible(taken)
        self.redraw.setEnabled(may_act)
        self.note.setText(text(self._language, "hall.held_note") if taken else "")
        self.note.setVisible(taken)

    def _about(self, terminal: dict[str, Any], who: str) -> str:
        parts = [text(self._language, f"hall.{state_of(terminal)}")]
        if not terminal.get("in_service") and parts[0] != text(self._language, "hall.out"):
            parts.append(text(self._language, "hall.out"))
        if terminal.get("accessible"):
            parts.append(text(self._language, "hall.accessible"))
        if terminal.get("row") is not None and terminal.get("column") is not None:
            parts.append(text(self._language, "hall.place", row=terminal["row"],
                              column=terminal["column"]))
        parts += [" ".join(terminal.get("classes") or []), who]
        if terminal.get("draw_no"):
            parts.append(text(self._language, "hall.draw", draw_no=terminal["draw_no"]))
        return "\n".join(part for part in parts if part)

    def _change(self, what: str) -> None:
        reason = self.why.currentText().strip()
        if not reason:
            self.note.setText("! " + text(self._language, "hall.why_needed"))
            self.note.show()
            self.why.setFocus()
            return
        self.changed.emit(str(self._terminal["name"]),
                          {what: not self._terminal.get(what), "reason": reason})


class HallPage(qt.QWidget):
    """`give_up` carries the candidate-like object that RedrawPanel takes."""

    give_up = qt.pyqtSignal(object)

    def __init__(self, language: str, line: Line) -> None:
        super().__init__()
        self._language, self._line = language, line
        self._session_id = ""
        self._may_act = False
        self._terminals: list[dict[str, Any]] = []
        self._holders: dict[str, dict[str, Any]] = {}
        self.grid, self.legend = HallGrid(), Legend(language)
        self.empty = label("hall_empty", 20, ink=theme.SOFT_INK)
        self.panel = TerminalPanel(language)
        self.panel.setFixedWidth(280)
        left = qt.QVBoxLayout()
        left.addWidget(self.empty)
        left.addWidget(self.grid, 1)
        left.addWidget(self.legend)
        row = qt.QHBoxLayout(self)
        row.addLayout(left, 1)
        row.addWidget(self.panel)
        self.grid.chosen.connect(lambda _name: self._show_panel())
        self.panel.changed.connect(self._change)
        self.panel.give_up.connect(self._give_up)
        self._fill([])

    def refresh(self, session_id: str | None) -> None:
        """Ask for the terminals of this session anew."""
        if session_id != self._session_id:
            self._session_id = session_id or ""
            self.grid.selected = ""
            self._fill([])
        if session_id:
            self._line.ask("terminal.list", {"session_id": session_id},
                           lambda result: self._on_terminals(session_id, result))

    def know(self, candidates: list[dict[str, Any]]) -> None:
        """Who holds which terminal, masked, from `session.candidates`."""
        self._holders = {str(c["terminal"]): c for c in candidates if c.get("terminal")}
        self._show_panel()

    def allow(self, may_act: bool) -> None:
        if may_act != self._may_act:
            self._may_act = may_act
            self._show_panel()

    def _on_terminals(self, session_id: str, result: dict[str, Any]) -> None:
        if session_id == self._session_id:  # another may have been chosen meanwhile
            self._fill(list(result.get("terminals") or []))

    def _fill(self, terminals: list[dict[str, Any]]) -> None:
        too_many = len(terminals) > MOST
        self._terminals = [] if too_many else terminals
        self.grid.fill(self._terminals)
        self.legend.count(self.grid.seats)
        self.grid.setVisible(bool(self._terminals))
        self.legend.setVisible(bool(self._terminals))
        self.empty.setVisible(not self._terminals)
        self.empty.setText(text(self._language, "hall.too_many" if too_many else "hall.none"))
        self._show_panel()

    def _show_panel(self) -> None:
        name = self.grid.selected
        terminal = next((t for t in self._terminals if t.get("name") == name), None)
        holder = self._holders.get(name) or {}
        who = "　".join(str(holder[k]) for k in ("name", "admission_no") if holder.get(k))
        self.panel.show_terminal(terminal, self._may_act, who)

    def _change(self, terminal: str, change: dict[str, Any]) -> None:
        self._line.act("terminal.set", {"session_id": self._session_id, "terminal": terminal,
                                        "lang": self._language} | change)

    def _give_up(self, terminal: str) -> None:
        holder = self._holders.get(terminal) or {"name": "", "admission_no": ""}
        self.give_up.emit(holder | {"terminal": terminal})
