"""The warnings' page, and the band over all pages that says there are some.

Shows the result of `warning.list`; each stays until a person has pressed that they have seen it.
"""

from __future__ import annotations

from typing import Any

from ui import qt, theme
from ui.i18n import coded, text
from ui.proctor.page import Line
from ui.proctor.panels import button, label
from ui.times import clock

MOST = 40  #: at once; the others come up as these are acknowledged


def sentence(language: str, warning: dict[str, Any]) -> str:
    """What happened, in words; of a kind newer than this screen, its code."""
    args = dict(warning.get("args") or {})
    if "last" in args:
        args["last"] = coded(language, "reason", args["last"])
    key = f"warning.{warning.get('what')}"
    if warning.get("what") == "clock_stepped" and "seconds" in args:
        key += "_on"
    words = coded(language, "warning", key.partition(".")[2])
    return words.format_map(_Known(args))


class _Known(dict[str, Any]):
    """What a warning does not say is a dash."""

    def __missing__(self, key: str) -> str:
        return "–"


class WarningCard(qt.QFrame):
    """One warning. `seen` carries its id."""

    seen = qt.pyqtSignal(int)

    def __init__(self, language: str, warning: dict[str, Any]) -> None:
        super().__init__()
        self.setObjectName("warning_card")
        self.setStyleSheet(f"#warning_card {{ background: {theme.PALE_WARN}; border: 2px solid"
                           f" {theme.WARN}; border-radius: 10px; }}")
        self.words = label("warning_words", 21, bold=True, ink=theme.WARN)
        self.words.setText("! " + sentence(language, warning))
        self.todo = label("warning_todo", 18)
        todo = coded(language, "warning.todo", warning.get("what"))
        self.todo.setText(todo.format_map(_Known(warning.get("args") or {})))
        about = [clock(warning.get("at"), seconds=True)]
        about += [str(warning[k]) for k in ("name", "admission_no", "session_id")
                  if warning.get(k)]
        if warning.get("terminal"):
            column_word = text(language, "proctor.column.terminal")
            about.append(f"{column_word} {warning['terminal']}")
        self.about = label("warning_about", 17, ink=theme.SOFT_INK)
        self.about.setText("　".join(about))
        self.press = button("warning_seen")
        self.press.setText(text(language, "warning.seen"))
        words = qt.QVBoxLayout()
        for part in (self.words, self.todo, self.about):
            words.addWidget(part)
        row = qt.QHBoxLayout(self)
        row.addLayout(words, 1)
        row.addWidget(self.press, 0, qt.Qt.AlignVCenter)
        warning_id = int(warning.get("warning_id") or 0)
        self.press.clicked.connect(lambda: self.seen.emit(warning_id))


class WarningsPage(qt.QScrollArea):
    """`changed` carries the warnings after each answer of the daemon."""

    changed = qt.pyqtSignal(list)

    def __init__(self, language: str, line: Line) -> None:
        super().__init__()
        self._language, self._line = language, line
        self._may_act = False
        self.cards: list[WarningCard] = []
        self.setWidgetResizable(True)
        self.setFrameShape(qt.QFrame.NoFrame)
        self.setHorizontalScrollBarPolicy(qt.Qt.ScrollBarAlwaysOff)
        inside = qt.QWidget()
        self._column = qt.QVBoxLayout(inside)
        self.none = label("warnings_none", 19, ink=theme.SOFT_INK)
        self.none.setText(text(language, "warning.none"))
        self.more = label("warnings_more", 18, bold=True, ink=theme.WARN)
        self._column.addWidget(self.none)
        self._column.addWidget(self.more)
        self._column.addStretch(1)
        self.setWidget(inside)
        self.fill([])

    def refresh(self) -> None:
        self._line.ask("warning.list", {}, lambda r: self.fill(list(r.get("warnings") or [])))

    def fill(self, warnings: list[dict[str, Any]]) -> None:
        for card in self.cards:
            self._column.removeWidget(card)
            card.hide()
            card.deleteLater()
        self.cards = [WarningCard(self._language, w) for w in warnings[:MOST]]
        for n, card in enumerate(self.cards):
            card.seen.connect(self._acknowledge)
            self._column.insertWidget(n, card)
        self.none.setVisible(not warnings)
        left = len(warnings) - len(self.cards)
        self.more.setVisible(left > 0)
        self.more.setText(text(self._language, "warning.more", n=left) if left > 0 else "")
        self.allow(self._may_act)
        self.changed.emit(warnings)

    def allow(self, may_act: bool) -> None:
        self._may_act = may_act
        for card in self.cards:
            card.press.setEnabled(may_act)

    def _acknowledge(self, warning_id: int) -> None:
        self._line.act("warning.acknowledge", {"warning_id": warning_id, "lang": self._language})


class WarningBand(qt.QFrame):
    """How many there are and what the newest says, over whatever page is seen."""

    wanted = qt.pyqtSignal()

    def __init__(self, language: str) -> None:
        super().__init__()
        self.setObjectName("warning_band")
        self._language = language
        self.setStyleSheet(f"#warning_band {{ background: {theme.PALE_WARN}; border-radius: 8px;"
                           f" border: 2px solid {theme.WARN}; }}")
        self.words = label("warning_band_words", 21, bold=True, ink=theme.WARN)
        self.look = button("warning_look")
        self.look.setText(text(language, "warning.look"))
        row = qt.QHBoxLayout(self)
        row.addWidget(self.words, 1)
        row.addWidget(self.look)
        self.look.clicked.connect(self.wanted)
        self.fill([])

    def fill(self, warnings: list[dict[str, Any]]) -> None:
        self.setVisible(bool(warnings))
        if warnings:
            newest = sentence(self._language, warnings[0])
            self.words.setText("! " + text(self._language, "warning.band", n=len(warnings),
                                           newest=newest))
