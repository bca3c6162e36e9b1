"""The proctor's two lists: what happened, newest first, and the session's candidates.

Shows masked names only, as the daemon sends them. It must not call the daemon.
"""

from __future__ import annotations

from typing import Any

from ui import qt, theme
from ui.i18n import coded, text
from ui.times import clock

MOST_EVENTS = 500
SILENT = frozenset({"timing"})  #: events for figures, not for people


class Table(qt.QTableWidget):
    def __init__(self, name: str, columns: tuple[str, ...], language: str) -> None:
        super().__init__(0, len(columns))
        self.setObjectName(name)
        self.language = language
        self.setFont(theme.font(18))
        self.setHorizontalHeaderLabels([text(language, f"proctor.column.{c}") for c in columns])
        self.setEditTriggers(qt.QAbstractItemView.NoEditTriggers)
        self.setSelectionBehavior(qt.QAbstractItemView.SelectRows)
        self.setAlternatingRowColors(True)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setStyleSheet("QTableWidget::item { border: none; padding: 0 14px; }"
                           "QHeaderView::section { padding: 6px 14px; }")
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(36)
        header = self.horizontalHeader()
        header.setFont(theme.font(17, bold=True))
        header.setSectionResizeMode(qt.QHeaderView.ResizeToContents)
        header.setStretchLastSection(True)
        header.setDefaultAlignment(qt.Qt.AlignLeft | qt.Qt.AlignVCenter)

    def put(self, row: int, cells: list[str], ink: str = theme.INK) -> None:
        for column, words in enumerate(cells):
            item = qt.QTableWidgetItem(words)
            item.setForeground(qt.QColor(ink))
            self.setItem(row, column, item)


class EventTable(Table):
    """One row for each `event` notification."""

    def __init__(self, language: str) -> None:
        super().__init__("events", ("time", "candidate", "kind", "terminal", "reason"), language)

    def add(self, event: dict[str, Any]) -> None:
        kind, reason = str(event.get("kind")), event.get("reason")
        if kind in SILENT:
            return
        self.insertRow(0)
        ink, sign = theme.INK, ""
        if kind in ("refused", "finger_failed", "device_fault"):
            ink, sign = theme.BAD, "✕ "
        elif kind in ("help", "same_face"):
            ink, sign = theme.WARN, "! "
        elif kind == "admitted":
            ink, sign = theme.GOOD, "✓ "
        self.put(0, [
            clock(event.get("at"), seconds=True),
            str(event.get("candidate") or "—"),
            sign + coded(self.language, "kind", kind),
            str(event.get("terminal") or ""),
            coded(self.language, "reason", reason) if reason else "",
        ], ink)
        if self.rowCount() > MOST_EVENTS:
            self.removeRow(self.rowCount() - 1)


class CandidateTable(Table):
    """The result of `session.candidates`. `chosen` carries the selected one, or None."""

    chosen = qt.pyqtSignal(object)

    def __init__(self, language: str) -> None:
        super().__init__("candidates", ("candidate", "admission_no", "standing", "terminal",
                                        "reason", "last"), language)
        self.setSelectionMode(qt.QAbstractItemView.SingleSelection)
        self._candidates: list[dict[str, Any]] = []
        self.itemSelectionChanged.connect(self._on_selection)

    def _on_selection(self) -> None:
        rows = {index.row() for index in self.selectedIndexes()}
        chosen = [self._candidates[row] for row in rows if row < len(self._candidates)]
        self.chosen.emit(chosen[0] if len(chosen) == 1 else None)

    def _standing(self, one: dict[str, Any], standing: str) -> str:
        """Who may come in again says so."""
        words = str(coded(self.language, "standing", standing))
        may = one.get("returns") or one.get("released")
        return words + text(self.language, "out.may_return") if may else words

    def fill(self, candidates: list[dict[str, Any]]) -> None:
        if candidates == self._candidates:
            return  # as it is, with what is selected
        self._candidates = candidates
        self.clearSelection()
        self.setUpdatesEnabled(False)
        self.setRowCount(len(candidates))
        for row, one in enumerate(candidates):
            standing, reason = str(one.get("standing")), one.get("last_reason")
            sign = {"inside": "✓ ", "seated": "… ", "left": "→ "}.get(standing, "")
            self.put(row, [
                str(one.get("name") or ""),
                str(one.get("admission_no") or ""),
                sign + self._standing(one, standing),
                str(one.get("terminal") or ""),
                coded(self.language, "reason", reason) if reason else "",
                clock(one.get("last_at")) if one.get("last_at") else "",
            ], theme.GOOD if standing == "inside" else theme.INK)
        self.setUpdatesEnabled(True)
