"""The devices' page: each one's state, its last fault in plain words, and what to do about it.

Shows the `devices` of a state; it calls nobody.
"""

from __future__ import annotations

from typing import Any

from ui import qt, theme
from ui.i18n import coded, has, text
from ui.proctor.panels import ROLES, label
from ui.times import clock


class MachineCard(qt.QFrame):
    """One device."""

    def __init__(self, role: str, language: str) -> None:
        super().__init__()
        self.setObjectName(f"machine_{role}")
        self._role, self._language = role, language
        self.name = label(f"machine_{role}_name", 22, bold=True)
        self.state = label(f"machine_{role}_state", 19)
        self.todo = label(f"machine_{role}_todo", 18)
        self.last = label(f"machine_{role}_last", 16, ink=theme.SOFT_INK)
        self.about = label(f"machine_{role}_about", 16, ink=theme.SOFT_INK)
        column = qt.QVBoxLayout(self)
        column.setContentsMargins(16, 10, 16, 10)
        for part in (self.name, self.state, self.todo, self.last, self.about):
            column.addWidget(part)

    def show_status(self, status: dict[str, Any]) -> None:
        ok, code = bool(status.get("ok")), status.get("code")
        edge, ground = (theme.LINE, theme.PANEL) if ok else (theme.BAD, theme.PALE_BAD)
        self.setStyleSheet(f"#machine_{self._role} {{ background: {ground}; border: 2px solid"
                           f" {edge}; border-radius: 10px; }}")
        self.name.setText(("✓ " if ok else "✕ ") + text(self._language, f"device.{self._role}"))
        since = clock(status.get("since"))
        if ok:
            self.state.setText(text(self._language, "machines.ok", time=since))
        else:
            words = coded(self._language, "fault", code)
            self.state.setText(text(self._language, "machines.bad", words=words, time=since))
        todo = text(self._language, f"todo.{code}") if not ok and has(f"todo.{code}") else ""
        self.todo.setText(f"{text(self._language, 'machines.what')}\n{todo}" if todo else "")
        self.todo.setVisible(bool(todo))
        self.last.setText(self._last(status.get("last"), ok))
        self.last.setVisible(ok or bool(code))
        about = [str(status.get(k)) for k in ("model", "driver", "port") if status.get(k)]
        if not ok and code:
            about.append(text(self._language, "machines.code", code=code))
        self.about.setText("　".join(about))
        self.about.setVisible(bool(about))

    def _last(self, last: dict[str, Any] | None, ok: bool) -> str:
        if not last:
            return text(self._language, "machines.never")
        if not ok:  # it is the one above; what the driver said of it
            return str(last.get("detail") or "")
        words = coded(self._language, "fault", last.get("code"))
        return text(self._language, "machines.last", time=clock(last.get("at")), words=words)


class MachinesPage(qt.QScrollArea):
    def __init__(self, language: str) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(qt.QFrame.NoFrame)
        self.setHorizontalScrollBarPolicy(qt.Qt.ScrollBarAlwaysOff)
        inside = qt.QWidget()
        column = qt.QVBoxLayout(inside)
        self.none = label("machines_none", 19, ink=theme.SOFT_INK)
        self.none.setText(text(language, "machines.none"))
        column.addWidget(self.none)
        self.cards = {role: MachineCard(role, language) for role in ROLES}
        for card in self.cards.values():
            column.addWidget(card)
        column.addStretch(1)
        self.setWidget(inside)
        self.show_devices({})

    def show_devices(self, devices: dict[str, Any]) -> None:
        self.none.setVisible(not devices)
        for role, card in self.cards.items():
            status = devices.get(role)
            card.setVisible(status is not None)
            if status is not None:
                card.show_status(status)
