"""The proctor's window: session, devices, the candidate now, help, events, candidates.

Asks the daemon under the named person's authority and shows its answer; decides nothing.
"""

from __future__ import annotations

from typing import Any

from kiosk import wire
from ui import qt, theme
from ui.client import LOST, Client
from ui.i18n import text
from ui.proctor.alerts import AlertsPanel
from ui.proctor.panels import CurrentPanel, DevicesPanel, SessionPanel, button, label
from ui.proctor.redraw import RedrawPanel
from ui.proctor.tables import CandidateTable, EventTable

SURE_MS = 4000  #: closing a session wants a second press within this time
REFRESH_MS = 800  #: after something happened, the list of candidates is asked for anew
DONE_MS = 5000


class ProctorWindow(qt.QWidget):
    def __init__(self, client: Client, language: str, person: str) -> None:
        super().__init__()
        self.setObjectName("proctor")
        self.setWindowTitle(text(language, "proctor.title"))
        self.setAutoFillBackground(True)
        self._client, self._language, self._person = client, language, person
        self._state: dict[str, Any] = {}
        self._sessions: list[dict[str, Any]] = []
        self._build()
        self._sure = self._single_shot(SURE_MS, self._not_sure)
        self._refresh = self._single_shot(REFRESH_MS, self._ask_sessions)
        self._done = self._single_shot(DONE_MS, self.message.hide)
        client.state.connect(self._on_state)
        client.happened.connect(self._on_event)
        client.connected.connect(self._on_connected)
        self.resize(1440, 900)
        self._on_connected(False)

    def _single_shot(self, wait_ms: int, act: Any) -> qt.QTimer:
        timer = qt.QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(wait_ms)
        timer.timeout.connect(act)
        return timer

    # --- parts ----------------------------------------------------------------------------------

    def _build(self) -> None:
        self.session = SessionPanel(self._language)
        self.devices = DevicesPanel(self._language)
        self.current = CurrentPanel(self._language)
        left = qt.QVBoxLayout()
        for panel in (self.session, self.current, self.devices):
            left.addWidget(panel)
        left.addStretch(1)
        side = qt.QWidget()
        side.setLayout(left)
        left.setContentsMargins(0, 0, 0, 0)
        scroll = qt.QScrollArea()
        scroll.setWidget(side)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(qt.QFrame.NoFrame)
        scroll.setHorizontalScrollBarPolicy(qt.Qt.ScrollBarAlwaysOff)
        scroll.setFixedWidth(500)
        right = qt.QVBoxLayout()
        right.addLayout(self._build_help())
        self.alerts = AlertsPanel(self._language)
        right.addWidget(self.alerts)
        self.events, self.candidates = EventTable(self._language), CandidateTable(self._language)
        self.tabs = qt.QTabWidget()
        self.tabs.setFont(theme.font(19, bold=True))
        self.tabs.addTab(self.events, text(self._language, "proctor.events"))
        self.tabs.addTab(self.candidates, text(self._language, "proctor.candidates"))
        right.addWidget(self.tabs)
        self.redraw = RedrawPanel(self._language)
        right.addWidget(self.redraw)
        middle = qt.QHBoxLayout()
        middle.addWidget(scroll)
        middle.addLayout(right, 1)
        whole = qt.QVBoxLayout(self)
        whole.addLayout(self._build_top())
        whole.addLayout(middle, 1)
        self._connect_buttons()

    def _build_top(self) -> qt.QVBoxLayout:
        self.lane = label("lane", 18, ink=theme.SOFT_INK)
        self.person = label("person", 18, bold=True)
        self.person.setAlignment(qt.Qt.AlignRight | qt.Qt.AlignVCenter)
        self.person.setText(text(self._language, "proctor.person", person=self._person)
                            if self._person else text(self._language, "proctor.no_person"))
        row = qt.QHBoxLayout()
        row.addWidget(self.lane, 1)
        row.addWidget(self.person)
        self.offline = label("offline", 21, bold=True)
        self.offline.setText("! " + text(self._language, "proctor.offline"))
        self.offline.setStyleSheet(_band(theme.WARN, theme.PALE_WARN))
        self.message = label("message", 19)
        self.message.hide()
        column = qt.QVBoxLayout()
        column.addLayout(row)
        column.addWidget(self.offline)
        column.addWidget(self.message)
        return column

    def _build_help(self) -> qt.QHBoxLayout:
        self.help = label("help", 22, bold=True)
        self.help_done = button("help_done")
        self.help_done.setText(text(self._language, "proctor.help_done"))
        row = qt.QHBoxLayout()
        row.addWidget(self.help, 1)
        row.addWidget(self.help_done)
        return row

    def _connect_buttons(self) -> None:
        self.session.open.clicked.connect(lambda: self._act_on_session("session.open"))
        self.session.close_session.clicked.connect(self._close_session)
        self.session.choice.currentIndexChanged.connect(self._on_choice)
        self.current.cancel.clicked.connect(lambda: self._act("proctor.cancel"))
        self.current.resume.clicked.connect(lambda: self._act("lane.resume"))
        self.help_done.clicked.connect(lambda: self._act("proctor.help_done"))
        self.candidates.chosen.connect(self.redraw.choose)
        self.redraw.decided.connect(self._give_up)
        self.alerts.answered.connect(
            lambda alert_id, same: self._act("alert.answer", alert_id=alert_id, same=same))

    # --- from the daemon ------------------------------------------------------------------------

    def _on_connected(self, up: bool) -> None:
        self.offline.setVisible(not up)
        if up:
            self._client.call("lane.info", {}, self._on_info)
            self._ask_sessions()
            self._ask_alerts()
        self._render()

    def _on_info(self, info: dict[str, Any]) -> None:
        self.lane.setText(text(self._language, "proctor.lane", venue=info.get("venue", ""),
                               lane=info.get("lane", ""), version=info.get("version", "")))

    def _on_state(self, state: dict[str, Any]) -> None:
        before, alerts = self._state.get("session"), self._state.get("alerts")
        self._state = state
        if alerts != state.get("alerts"):
            self._ask_alerts()
        if _standing(before) != _standing(state.get("session")):
            self._refresh.start()
        self._render()

    def _ask_alerts(self) -> None:
        self._client.call("alert.list", {}, self._on_alerts)

    def _on_alerts(self, result: dict[str, Any]) -> None:
        self.alerts.fill(list(result.get("alerts") or []), self._may_act)

    @property
    def _may_act(self) -> bool:
        return self._client.is_connected and bool(self._person)

    def _on_event(self, event: dict[str, Any]) -> None:
        self.events.add(event)
        if event.get("kind") == "same_face":
            self._ask_alerts()  # the same two once more: the number of alerts does not change
        if not self._refresh.isActive():
            self._refresh.start()

    def _ask_sessions(self) -> None:
        self._client.call("session.status", {"session_id": None}, self._on_sessions)

    def _on_sessions(self, result: dict[str, Any]) -> None:
        first = not self._sessions
        self._sessions = list(result.get("sessions") or [])
        self.session.show_sessions(self._sessions)
        running = (self._state.get("session") or {}).get("session_id")
        if first and running:
            self.session.choice.setCurrentIndex(max(0, self.session.choice.findData(running)))
        self._ask_candidates()
        self._render()

    def _ask_candidates(self) -> None:
        chosen = self.session.choice.currentData()
        if chosen is None:
            self.candidates.fill([])
            return
        self._client.call("session.candidates", {"session_id": chosen}, self._on_candidates)

    def _on_candidates(self, result: dict[str, Any]) -> None:
        self.candidates.fill(list(result.get("candidates") or []))

    # --- to the daemon --------------------------------------------------------------------------

    def _act(self, method: str, **params: Any) -> None:
        whole = params | {"person": self._person}
        self._client.call(method, whole, self._on_done, self._on_declined)

    def _act_on_session(self, method: str) -> None:
        chosen = self.session.choice.currentData()
        if chosen is not None:
            self._act(method, session_id=chosen, lang=self._language)

    def _give_up(self, terminal: str, why: str, note: str, approved_by: str) -> None:
        chosen = self.session.choice.currentData()
        if chosen is not None:
            self._act("seat.void", session_id=chosen, terminal=terminal, why=why, note=note,
                      approved_by=approved_by or None, lang=self._language)

    def _close_session(self) -> None:
        if self._sure.isActive():
            self._not_sure()
            self._act_on_session("session.close")
            return
        self._sure.start()
        self.session.close_session.setText(text(self._language, "proctor.close_sure"))

    def _not_sure(self) -> None:
        self._sure.stop()
        self.session.close_session.setText(text(self._language, "proctor.close"))

    def _on_done(self, _result: Any) -> None:
        self._say("✓ " + text(self._language, "proctor.done"), theme.GOOD, theme.PALE_GOOD)
        self._done.start()
        self._ask_sessions()
        self._ask_alerts()

    def _on_declined(self, error: wire.RpcError) -> None:
        if error.code == LOST:
            words = text(self._language, "proctor.lost")
        else:
            listed = "\n".join(f"• {problem}" for problem in error.problems)
            words = f"{text(self._language, 'proctor.problems')}\n{listed}"
        self._done.stop()
        self._say("✕ " + words, theme.BAD, theme.PALE_BAD)

    def _say(self, words: str, ink: str, ground: str) -> None:
        self.message.setText(words)
        self.message.setStyleSheet(_band(ink, ground))
        self.message.show()

    # --- what is seen ---------------------------------------------------------------------------

    def _on_choice(self) -> None:
        self._not_sure()
        self.message.hide()
        self._ask_candidates()
        self._render()

    def _chosen(self) -> dict[str, Any] | None:
        """The chosen session; the running one with the newest counters."""
        running = self._state.get("session")
        chosen = self.session.choice.currentData()
        if running and chosen in (None, running.get("session_id")):
            return dict(running)
        return next((s for s in self._sessions if s.get("session_id") == chosen), None)

    def _render(self) -> None:
        state, session = self._state, self._chosen()
        may_act = self._may_act
        self.alerts.allow(may_act)
        self.redraw.allow(may_act)
        self.session.show_session(session)
        standing = session.get("state") if session else None
        self.session.open.setEnabled(may_act and standing == "created")
        self.session.close_session.setEnabled(may_act and standing == "open")
        self.devices.show_devices(state.get("devices") or {})
        self.current.show_state(state)
        self.current.allow(state, may_act)
        waiting = bool(state.get("help_waiting"))
        self.help.setText(("! " if waiting else "") + text(
            self._language, "proctor.help" if waiting else "proctor.help_none"))
        self.help.setStyleSheet(_band(theme.WARN, theme.PALE_WARN) if waiting
                                else _band(theme.SOFT_INK, theme.PANEL))
        self.help_done.setVisible(waiting)
        self.help_done.setEnabled(may_act)

    def keyPressEvent(self, event: qt.QKeyEvent) -> None:
        focus = self.focusWidget()
        if event.key() in (qt.Qt.Key_Return, qt.Qt.Key_Enter) and isinstance(
                focus, qt.QPushButton):
            focus.click()
        elif event.key() == qt.Qt.Key_Escape:
            self.message.hide()
        else:
            super().keyPressEvent(event)


def _band(ink: str, ground: str) -> str:
    return f"color: {ink}; background: {ground}; padding: 10px; border-radius: 8px;"


def _standing(session: dict[str, Any] | None) -> tuple[object, object]:
    return (session.get("session_id"), session.get("state")) if session else (None, None)
