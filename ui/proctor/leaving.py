"""The counter at the exit: a candidate sees their score, signs for it, and nothing else.

Covers the proctor's pages, so that nobody who signs sees others' data. Hands score and strokes on;
it must not know the socket.
"""

from __future__ import annotations

from typing import Any

from ui import qt, theme
from ui.i18n import text
from ui.proctor.page import Line, field
from ui.proctor.panels import button, label
from ui.widgets.hold import HoldButton
from ui.widgets.pad import SignaturePad

HIGHEST = 100
DIGITS = 3
TALLEST = 0.45  #: of its width: a pad that a name fits into


class ExitPage(qt.QWidget):
    """The proctor's side: whose score, and how many points. `begun` carries candidate, score and
    note."""

    begun = qt.pyqtSignal(object, int, str)

    def __init__(self, language: str) -> None:
        super().__init__()
        self._language = language
        self._may_act = False
        self._candidates: list[dict[str, Any]] = []
        self.heading = label("exit_heading", 19)
        self.heading.setText(text(language, "exit.how"))
        self.search = field("exit_find", text(language, "exit.find"), 32)
        self.who = qt.QListWidget()
        self.who.setObjectName("exit_who")
        self.who.setFont(theme.font(20))
        self.who.setSpacing(4)
        self.score = field("exit_score", text(language, "exit.score"), DIGITS)
        self.score.setFont(theme.font(34, bold=True))
        self.score.setMinimumHeight(64)
        self.score.setAlignment(qt.Qt.AlignCenter)
        self.note = field("exit_note", text(language, "exit.note"))
        self.begin = button("exit_begin")
        self.begin.setText(text(language, "exit.begin"))
        self.begin.setMinimumHeight(64)
        left, right = qt.QVBoxLayout(), qt.QVBoxLayout()
        left.addWidget(self.search)
        left.addWidget(self.who, 1)
        right.addWidget(self.score)
        right.addLayout(self._keypad())
        right.addWidget(self.note)
        right.addWidget(self.begin)
        right.addStretch(1)
        row = qt.QHBoxLayout()
        row.addLayout(left, 1)
        row.addLayout(right, 1)
        column = qt.QVBoxLayout(self)
        column.addWidget(self.heading)
        column.addLayout(row, 1)
        self.search.textEdited.connect(lambda _t: self._fill())
        self.score.textChanged.connect(lambda _t: self._set_button())
        self.who.currentRowChanged.connect(lambda _n: self._set_button())
        self.begin.clicked.connect(self._begin)
        self._set_button()

    def _keypad(self) -> qt.QGridLayout:
        grid = qt.QGridLayout()
        self.keys: dict[str, qt.QPushButton] = {}
        for n, key in enumerate(("1", "2", "3", "4", "5", "6", "7", "8", "9", "", "0", "<")):
            if not key:
                continue
            press = button(f"exit_key_{key}")
            press.setText(text(self._language, "exit.delete") if key == "<" else key)
            press.clicked.connect(lambda _=False, key=key: self._type(key))
            press.setFocusPolicy(qt.Qt.NoFocus)
            grid.addWidget(press, n // 3, n % 3)
            self.keys[key] = press
        return grid

    def _type(self, key: str) -> None:
        now = self.score.text()
        self.score.setText(now[:-1] if key == "<" else (now + key)[:DIGITS])

    def know(self, candidates: list[dict[str, Any]]) -> None:
        """`session.candidates`: those inside who have not left are offered."""
        inside = [c for c in candidates if c.get("standing") == "inside" and c.get("ref")]
        if inside != self._candidates:
            self._candidates = inside
            self._fill()

    def allow(self, may_act: bool) -> None:
        self._may_act = may_act
        self._set_button()

    def _fill(self) -> None:
        chosen = self._chosen()
        wanted = self.search.text().strip()
        self.who.clear()
        for one in self._candidates:
            words = (f"{one.get('terminal') or '—'}　{one.get('name')}　{one.get('admission_no')}")
            if one.get("left"):
                words += f"　{text(self._language, 'exit.signed_already')}"
            if wanted and wanted not in words:
                continue
            item = qt.QListWidgetItem(words)
            item.setData(qt.Qt.UserRole, one)
            self.who.addItem(item)
            if chosen is not None and one["ref"] == chosen["ref"]:
                self.who.setCurrentItem(item)
        if self.who.count() == 1:
            self.who.setCurrentRow(0)
        self._set_button()

    def _chosen(self) -> dict[str, Any] | None:
        item = self.who.currentItem()
        return dict(item.data(qt.Qt.UserRole)) if item is not None else None

    def _points(self) -> int | None:
        typed = self.score.text()
        number = int(typed) if typed.isascii() and typed.isdigit() else None
        return number if number is not None and number <= HIGHEST else None

    def _set_button(self) -> None:
        ready = self._chosen() is not None and self._points() is not None
        self.begin.setEnabled(self._may_act and ready)

    def _begin(self) -> None:
        chosen, points = self._chosen(), self._points()
        if chosen is not None and points is not None:
            self.begun.emit(chosen, points, self.note.text().strip())

    def forget(self) -> None:
        for part in (self.search, self.score, self.note):
            part.clear()
        self.who.setCurrentRow(-1)
        self._fill()


class ExitSheet(qt.QWidget):
    """The candidate's side. `ended` when the proctor takes the screen back."""

    ended = qt.pyqtSignal()

    def __init__(self, language: str, line: Line) -> None:
        super().__init__()
        self.setObjectName("exit_sheet")
        self._first = self._language = language
        self._line = line
        self._about: dict[str, Any] = {}
        self._sha256 = ""
        self._asked = 0  #: an answer for the one before is not shown to the next
        self.who = label("exit_sheet_who", 26, bold=True)
        self.statement = label("exit_statement", 34, bold=True)
        self.hint = label("exit_hint", 24, bold=True, ink=theme.WARN)
        self.pad = SignaturePad()
        self.pad.setMinimumHeight(220)
        self.undo, self.clear = button("exit_undo"), button("exit_clear")
        self.confirm, self.switch = button("exit_confirm"), button("exit_language")
        for press in (self.undo, self.clear, self.confirm, self.switch):
            press.setMinimumHeight(72)
            press.setFont(theme.font(26, bold=True))
        self.back = HoldButton("exit_back", text(language, "exit.back"),
                               text(language, "release.holding"))
        row = qt.QHBoxLayout()
        row.addWidget(self.undo)
        row.addWidget(self.clear)
        row.addWidget(self.confirm, 1)
        last = qt.QHBoxLayout()
        last.addWidget(self.switch)
        last.addStretch(1)
        last.addWidget(self.back)
        column = qt.QVBoxLayout(self)
        column.setContentsMargins(32, 16, 32, 16)
        column.setSpacing(14)
        for part in (self.who, self.statement, self.hint):
            column.addWidget(part)
        column.addWidget(self.pad, 1)
        column.addLayout(row)
        column.addStretch(0)
        column.addLayout(last)
        self.undo.clicked.connect(self.pad.undo)
        self.clear.clicked.connect(self.pad.clear)
        self.pad.changed.connect(self._on_ink)
        self.confirm.clicked.connect(self._confirm)
        self.switch.clicked.connect(self._switch)
        self.back.held.connect(self._end)
        self._words()

    def resizeEvent(self, event: qt.QResizeEvent) -> None:
        self.pad.setMaximumHeight(max(220, round(TALLEST * self.width())))
        super().resizeEvent(event)

    def begin(self, session_id: str, candidate: dict[str, Any], score: int, note: str) -> None:
        self.forget()
        self._about = {"session_id": session_id, "ref": candidate["ref"], "score": score,
                       "note": note}
        self.who.setText(f"{candidate.get('name')}　{candidate.get('admission_no')}")
        self._ask_statement()

    def forget(self) -> None:
        """Nothing of the one before is left."""
        self._asked += 1
        self._about, self._sha256, self._language = {}, "", self._first
        self.who.clear()
        self.statement.clear()
        self.pad.clear()
        self.hint.clear()
        self._words()

    def _words(self) -> None:
        other = "zh" if self._language == "en" else "en"
        self.undo.setText("↶ " + text(self._language, "button.undo"))
        self.clear.setText("✕ " + text(self._language, "button.clear"))
        self.confirm.setText("✓ " + text(self._language, "button.confirm"))
        self.switch.setText(text(other, "exit.this_language"))
        self.pad.set_hint(text(self._language, "sign.place"))
        self._set_buttons()

    def _switch(self) -> None:
        """Another text wants another signature."""
        self._language = "zh" if self._language == "en" else "en"
        self.pad.clear()
        self._words()
        self._ask_statement()

    def _ask_statement(self) -> None:
        self._asked += 1
        asked, self._sha256 = self._asked, ""
        self.statement.clear()
        self._set_buttons()
        params = {"score": self._about["score"], "language": self._language}
        self._line.ask("exit.statement", params, lambda found: self._on_statement(asked, found))

    def _on_statement(self, asked: int, found: dict[str, Any]) -> None:
        if asked == self._asked:
            self._sha256 = str(found.get("text_sha256"))
            self.statement.setText(str(found.get("text")))
            self._set_buttons()

    def _on_ink(self) -> None:
        self.hint.clear()
        self._set_buttons()

    def _set_buttons(self) -> None:
        open_now = bool(self._sha256) and self.pad.isEnabled()
        self.undo.setEnabled(open_now and not self.pad.is_blank)
        self.clear.setEnabled(open_now and not self.pad.is_blank)
        self.confirm.setEnabled(open_now)
        self.switch.setEnabled(bool(self._about) and self.pad.isEnabled())

    def _confirm(self) -> None:
        if not self.pad.is_signature():
            self.hint.setText(text(self._language, "sign.too_short"))
            return
        asked = self._asked
        self.pad.setEnabled(False)
        self._set_buttons()
        signed = self._about | {
            "strokes": self.pad.strokes(), "width": self.pad.width(), "height": self.pad.height(),
            "text_sha256": self._sha256, "pointer": self.pad.pointer, "lang": self._language}
        self._line.ask("exit.sign", signed, lambda _r: self._on_signed(asked),
                       lambda error: self._on_declined(asked, error))

    def _on_signed(self, asked: int) -> None:
        self.pad.setEnabled(True)
        if asked != self._asked:
            return
        language = self._language
        self.forget()
        self.statement.setText(text(language, "exit.done"))

    def _on_declined(self, asked: int, error: Any) -> None:
        self.pad.setEnabled(True)
        if asked == self._asked:
            problems = getattr(error, "problems", None) or [text(self._language, "proctor.lost")]
            self.hint.setText("\n".join(problems))
            self._set_buttons()

    def _end(self) -> None:
        self.forget()
        self.ended.emit()
