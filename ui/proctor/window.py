"""The proctor's window: session, devices, the candidate now, help, events, candidates.

Covered until somebody has logged in. Asks the daemon, which knows who that is, and shows its
answer; decides nothing.
"""

from __future__ import annotations

from typing import Any

from kiosk import wire
from kiosk.core.codes import (
    Factor,
    FingerOverride,
    PauseReason,
    ReturnReason,
    State,
    VoidReason,
)
from ui import qt, theme
from ui.client import LOST, Client
from ui.i18n import coded, text
from ui.proctor.alerts import AlertsPanel
from ui.proctor.desk import Desk
from ui.proctor.help import HelpPanel
from ui.proctor.leaving import ExitSheet
from ui.proctor.login import ApprovalSheet, LoginPage
from ui.proctor.page import Line
from ui.proctor.panels import CurrentPanel, DevicesPanel, SessionPanel, button, label
from ui.proctor.redraw import RedrawPanel
from ui.proctor.sound import Caller, Voice
from ui.proctor.split import Split
from ui.proctor.stick import StickPanel
from ui.proctor.sure import Sure
from ui.proctor.verify import ReasonSheet, VerifyPanel
from ui.proctor.warnings import WarningBand
from ui.widgets.hold import HoldButton

REFRESH_MS = 800  #: after something happened, the list of candidates is asked for anew
DONE_MS = 5000
#: after these the second person may try again
APPROVAL_AGAIN = ("WRONG_PIN", "STAFF_WAIT", "APPROVAL_OWN", "APPROVAL_CHIEF")
TOUCH_MS = 15_000  #: how often the daemon is told that somebody is still there
TOUCHES = (qt.QEvent.KeyPress, qt.QEvent.MouseButtonPress, qt.QEvent.MouseMove,
           qt.QEvent.TouchBegin, qt.QEvent.Wheel)


def _plain(area: qt.QScrollArea) -> None:
    """Scrolls up and down where there is no room, and does not look it."""
    area.setWidgetResizable(True)
    area.setFrameShape(qt.QFrame.NoFrame)
    area.setHorizontalScrollBarPolicy(qt.Qt.ScrollBarAlwaysOff)


class ProctorWindow(qt.QWidget):
    def __init__(self, client: Client, language: str, voice: Voice | None = None) -> None:
        super().__init__()
        self.setObjectName("proctor")
        self.setWindowTitle(text(language, "proctor.title"))
        self.setAutoFillBackground(True)
        self._client, self._language = client, language
        self._state: dict[str, Any] = {}
        self._staff: dict[str, Any] = {}
        self._to_approve: tuple[str, dict[str, Any]] | None = None
        self._sessions: list[dict[str, Any]] = []
        self.caller = Caller(voice, language, self)
        self._build()
        self._sure, self._waive_sure = Sure(self), Sure(self)  # to close; to go on without a device
        self._sure.changed.connect(self._name_close)
        self._waive_sure.changed.connect(self._name_waive)
        self._refresh = self._single_shot(REFRESH_MS, self._ask_sessions)
        self._done = self._single_shot(DONE_MS, self.message.hide)
        self._waive_sure.forget()
        self._touched = self._single_shot(TOUCH_MS, lambda: None)
        client.staff.connect(self._on_staff)
        client.state.connect(self._on_state)
        client.happened.connect(self._on_event)
        client.preview.connect(self._on_preview)
        client.connected.connect(self._on_connected)
        self.resize(1440, 900)
        self._on_connected(False)
        qt.QApplication.instance().installEventFilter(self)

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
        self._left = left = qt.QVBoxLayout()
        for panel in (self.session, self.current, self.devices):
            left.addWidget(panel)
        left.addStretch(1)
        side = qt.QWidget()
        side.setLayout(left)
        left.setContentsMargins(0, 0, 0, 0)
        scroll = qt.QScrollArea()
        scroll.setWidget(side)
        _plain(scroll)
        second = qt.QWidget()
        right = qt.QVBoxLayout(second)
        right.setContentsMargins(0, 0, 0, 0)
        self.help = HelpPanel(self._language)
        right.addWidget(self.help)
        self.stick = StickPanel(self._language, Line(self._ask, self._do, self._note))
        right.addWidget(self.stick)
        self.band = WarningBand(self._language)
        right.addWidget(self.band)
        self.alerts = AlertsPanel(self._language)
        right.addWidget(self.alerts)
        self.tabs = Desk(self._language, Line(self._ask, self._do, self._note))
        self.events, self.candidates = self.tabs.events, self.tabs.people.table
        self.by_hand = VerifyPanel(self._language)
        self.desk = qt.QStackedWidget()
        self.desk.addWidget(self.tabs)
        self.desk.addWidget(self.by_hand)
        below = qt.QScrollArea()  # what has to be answered goes first, whatever is left below
        _plain(below)
        below.setWidget(self.desk)
        right.addWidget(below, 1)
        self.redraw = RedrawPanel(self._language)
        right.addWidget(self.redraw)
        self.work = Split(scroll, second)
        self.login = LoginPage(self._language)
        self.pages = qt.QStackedWidget()
        self.pages.addWidget(self.login)
        self.pages.addWidget(self.work)
        self.exit = ExitSheet(self._language, Line(self._ask, self._do, self._note))
        self.pages.addWidget(self.exit)
        whole = qt.QVBoxLayout(self)
        whole.addLayout(self._build_top())
        whole.addWidget(self.pages, 1)
        self.pausing, self.waiving, self.returning = (
            ReasonSheet(self._language, self) for _ in range(3)
        )
        self._returns = ""  #: the terminal of whoever `returning` is about
        self.approval = ApprovalSheet(self._language, self)
        self._connect_buttons()

    def _build_top(self) -> qt.QVBoxLayout:
        self.lane = label("lane", 18, ink=theme.SOFT_INK)
        self.person = label("person", 18, bold=True)
        self.person.setAlignment(qt.Qt.AlignRight | qt.Qt.AlignVCenter)
        self.lock, self.logout = button("lock"), button("logout")
        self.lock.setText(text(self._language, "login.lock"))
        self.logout.setText(text(self._language, "login.logout"))
        row = qt.QHBoxLayout()
        self.release = HoldButton("release", text(self._language, "release.hold"),
                                  text(self._language, "release.holding"))
        self.release.setToolTip(text(self._language, "release.note"))
        row.addWidget(self.lane, 1)
        row.addWidget(self.release)
        for part in (self.person, self.lock, self.logout):
            row.addWidget(part)
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

    def _connect_buttons(self) -> None:
        self.login.entered.connect(self._log_in)
        self.login.left.connect(lambda: self._client.call("staff.logout", {}))
        self.lock.clicked.connect(lambda: self._client.call("staff.lock", {}))
        self.logout.clicked.connect(lambda: self._client.call("staff.logout", {}))
        self.approval.approved.connect(self._approve)
        self.release.held.connect(self._release)
        self.session.open.clicked.connect(lambda: self._act_on_session("session.open"))
        self.session.close_session.clicked.connect(self._close_session)
        self.session.choice.currentIndexChanged.connect(self._on_choice)
        self.current.cancel.clicked.connect(lambda: self._act("proctor.cancel"))
        self.current.resume.clicked.connect(lambda: self._act("lane.resume"))
        self.tabs.warnings.changed.connect(self._on_warnings)
        self.band.wanted.connect(lambda: self.tabs.setCurrentWidget(self.tabs.warnings))
        self.help.pressed.connect(self._on_help)
        self.current.verify.clicked.connect(
            lambda: self._act("verify.begin", visit=self._state.get("visit")))
        self.tabs.people.verify.connect(lambda ref: self._act("verify.begin", ref=ref))
        self.tabs.people.let_out.connect(
            lambda ref: self._act("verify.begin", ref=ref, leaving=True, lang=self._language))
        self.tabs.people.let_back.connect(self._ask_return)
        self.returning.decided.connect(self._let_back)
        self.current.waive.clicked.connect(
            lambda: self.waiving.ask("waive.heading", "waive", FingerOverride))
        self.waiving.decided.connect(self._waive)
        self.session.pause.clicked.connect(self._pause)
        for factor, press in self.devices.waive.items():
            press.clicked.connect(lambda _on, factor=factor: self._waive_factor(factor))
        self.pausing.decided.connect(
            lambda why, note: self._act_on_session("session.pause", why=why, note=note))
        self.by_hand.captured.connect(self._capture)
        self.by_hand.accepted.connect(self._accept)
        self.by_hand.rejected.connect(
            lambda params: self._act("verify.reject", **params, lang=self._language))
        self.by_hand.stopped.connect(lambda: self._act("proctor.cancel"))
        self.tabs.people.chosen.connect(self.redraw.choose)
        self.tabs.people.searched.connect(self._ask_candidates)
        self.tabs.hall.give_up.connect(self.redraw.choose)
        self.tabs.exit.begun.connect(self._let_sign)
        self.exit.ended.connect(self._take_back)
        self.pages.currentChanged.connect(lambda _n: self._show_top())
        self.redraw.decided.connect(self._give_up)
        self.alerts.answered.connect(
            lambda alert_id, same: self._act("alert.answer", alert_id=alert_id, same=same))

    # --- from the daemon ------------------------------------------------------------------------

    def _on_connected(self, up: bool) -> None:
        self.offline.setVisible(not up)
        if up:
            self._client.call("lane.info", {}, self._on_info)
        else:
            self._staff = {}  # whoever it was logs in again
            self.caller.silence()
        self._show_standing()

    def _on_info(self, info: dict[str, Any]) -> None:
        self.lane.setText(text(self._language, "proctor.lane", venue=info.get("venue", ""),
                               lane=info.get("lane", ""), version=info.get("version", "")))

    # --- who stands here ------------------------------------------------------------------------

    def _on_staff(self, staff: dict[str, Any]) -> None:
        before = self._may_act
        self._staff = staff
        self._show_standing()
        if self._may_act and not before:
            self._ask_sessions()
            self._ask_alerts()
            self.tabs.warnings.refresh()
            self.stick.refresh()
            self._ask_help()
            if self._state.get("state") == State.VERIFY:
                self._ask_look()

    def _show_standing(self) -> None:
        person = self._staff.get("person")
        self.person.setText(text(self._language, "proctor.person", **person,
                                 role_words=coded(self._language, "role", person["role"]))
                            if person else "")
        inside = person is not None and not self._staff.get("locked")
        self.login.show_standing(self._staff, self._client.is_connected)
        if not inside or self.pages.currentWidget() is not self.exit:
            self.pages.setCurrentWidget(self.work if inside else self.login)
        self._show_top()
        if not inside:
            self._forget_decisions()
        self._render()

    def _show_top(self) -> None:
        """Nothing of the proctor's is in a candidate's reach while they sign for a score."""
        inside = self._staff.get("person") is not None and not self._staff.get("locked")
        for part in (self.person, self.lock, self.logout):
            part.setVisible(inside and self.pages.currentWidget() is not self.exit)

    def _forget_decisions(self) -> None:
        """What somebody was about to decide is not left to the next."""
        self._to_approve = None
        self.approval.forget()
        self.redraw.forget()
        self.stick.forget()
        self.tabs.forget()
        self.exit.forget()
        self.by_hand.forget()
        for sheet in (self.pausing, self.waiving, self.returning):
            sheet.hide()
        self.message.hide()

    def _log_in(self, staff_no: str, pin: str) -> None:
        asked = {"staff_no": staff_no, "pin": pin, "lang": self._language}
        self._client.call("staff.login", asked, None,
                          lambda error: self.login.entry.say("\n".join(error.problems)))

    def eventFilter(self, watched: qt.QObject, event: qt.QEvent) -> bool:
        """The daemon locks a screen that nobody touches; here it hears that somebody does."""
        if event.type() in TOUCHES and self._may_act and not self._touched.isActive():
            self._touched.start()
            self._client.call("staff.touch", {})
        return False

    def _on_state(self, state: dict[str, Any]) -> None:
        before, alerts = self._state.get("session"), self._state.get("alerts")
        helps = self._state.get("help_open")
        sticks = self._state.get("sticks")
        warnings, self._state = self._state.get("warnings"), state
        if sticks != state.get("sticks") and self._may_act:
            self.stick.refresh()
        if alerts != state.get("alerts") and self._may_act:
            self._ask_alerts()
        if warnings != state.get("warnings") and self._may_act:
            self.tabs.warnings.refresh()
        unseen = int(state.get("warnings") or 0) + int(state.get("alerts") or 0)
        self.caller.call("warnings", unseen, text(self._language, "warning.spoken"))
        if helps != state.get("help_open"):
            self._ask_help()
        if state.get("state") == State.VERIFY and self._may_act:
            self._ask_look()
        if _standing(before) != _standing(state.get("session")):
            self._refresh.start()
        self._render()

    def _ask_alerts(self) -> None:
        self._client.call("alert.list", {}, self._on_alerts)

    def _on_warnings(self, warnings: list[dict[str, Any]]) -> None:
        self.band.fill(warnings)

    def _on_alerts(self, result: dict[str, Any]) -> None:
        self.alerts.fill(list(result.get("alerts") or []), self._may_act)

    @property
    def _may_act(self) -> bool:
        person = self._staff.get("person")
        return self._client.is_connected and bool(person) and not self._staff.get("locked")

    @property
    def _may_decide(self) -> bool:
        """Who decides about candidates; a technician only looks."""
        role = (self._staff.get("person") or {}).get("role")
        return self._may_act and role in ("proctor", "chief")

    def _on_event(self, event: dict[str, Any]) -> None:
        self.events.add(event)
        if event.get("kind") == "same_face" and self._may_act:
            self._ask_alerts()  # the same two once more: the number of alerts does not change
        if not self._refresh.isActive():
            self._refresh.start()

    # --- help, and a person's own eyes ----------------------------------------------------------

    def _ask_help(self) -> None:
        if self._may_act:
            self._client.call("help.list", {}, self._on_helps)
        else:
            waiting = int(self._state.get("help_open") or 0)
            self.caller.call("help", waiting, text(self._language, "help.needed"))

    def _on_helps(self, result: dict[str, Any]) -> None:
        self.help.fill(list(result.get("requests") or []), self._may_decide)
        self.caller.call("help", self.help.untaken, self.help.spoken)

    def _on_help(self, what: str, help_id: int) -> None:
        match what:
            case "take":
                self._act("help.take", help_id=help_id)
            case "verify":
                self._act("verify.begin", help_id=help_id, lang=self._language)
            case _:
                how = "helped" if what == "done" else what
                self._act("help.done", help_id=help_id, how=how)

    def _ask_look(self) -> None:
        if self._may_decide and not self._state.get("awaits_proctor"):
            self._client.call("verify.look", {}, self.by_hand.show_look)

    def _on_preview(self, preview: dict[str, Any]) -> None:
        if self._state.get("state") == State.VERIFY:
            self.by_hand.show_live(preview.get("jpeg"))

    def _capture(self) -> None:
        if self.by_hand.is_held:
            self.by_hand.release()
        else:
            self._client.call("verify.capture", {}, self.by_hand.show_captured, self._on_declined)

    def _accept(self, params: dict[str, Any]) -> None:
        whole = params | {"lang": self._language}
        if self.by_hand.two_people:
            self._act_approved(self.by_hand.approval_words(params), "verify.accept", **whole)
        else:
            self._act("verify.accept", **whole)

    def _waive(self, why: str, note: str) -> None:
        params = {"visit": self._state.get("visit"), "why": why, "note": note,
                  "lang": self._language}
        if self._state.get("two_people", True):
            what = text(self._language, "waive.approve", why=coded(self._language, "waive", why))
            self._act_approved(what, "finger.waive", **params)
        else:
            self._act("finger.waive", **params)

    def _put_devices(self, first: bool) -> None:
        """What is missing is seen without scrolling; all well, it is the least of the three."""
        place = 0 if first else 2
        if self._left.indexOf(self.devices) != place:
            self._left.insertWidget(place, self.devices)

    def _waive_factor(self, factor: Factor) -> None:
        """For everybody until its device is back: the first press asks whether it is meant."""
        if self._waive_sure.press(factor):
            self._act("lane.waive", factor=factor.value, lang=self._language)

    def _name_waive(self) -> None:
        for factor, press in self.devices.waive.items():
            key = "mode.sure" if self._waive_sure.of == factor else f"mode.button.{factor}"
            press.setText(text(self._language, key))

    def _pause(self) -> None:
        if (self._chosen() or {}).get("paused"):
            self._act_on_session("session.resume")
        else:
            self.pausing.ask("pause.heading", "pause", PauseReason)

    def _show_verification(self) -> None:
        """The page of the verification while one is under way, with live pictures."""
        under_way = self._state.get("state") == State.VERIFY
        under_way = under_way and not self._state.get("awaits_proctor")
        wanted = under_way and self._may_decide
        if wanted is not (self.desk.currentWidget() is self.by_hand):
            self.desk.setCurrentWidget(self.by_hand if wanted else self.tabs)
            self._client.want_pictures(wanted)
            if not wanted:
                self.by_hand.forget()

    def _ask_sessions(self) -> None:
        if not self._may_act:
            return
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
        self.tabs.refresh(chosen)
        if chosen is None:
            self.tabs.know(None, [])
            return
        asked = {"session_id": chosen, "query": self.tabs.people.query}
        self._client.call("session.candidates", asked, self._on_candidates)

    def _on_candidates(self, result: dict[str, Any]) -> None:
        self.tabs.know(self.session.choice.currentData(), list(result.get("candidates") or []))

    # --- to the daemon --------------------------------------------------------------------------

    def _act(self, method: str, **params: Any) -> None:
        self._client.call(method, params, self._on_done, self._on_declined)

    def _act_approved(self, what: str, method: str, **params: Any) -> None:
        """The same, once a second person has entered their own number and PIN."""
        self._to_approve = (method, params)
        self.approval.ask(what)

    def _approve(self, staff_no: str, pin: str) -> None:
        if self._to_approve is None:
            return
        method, params = self._to_approve
        approval = {"staff_no": staff_no, "pin": pin}
        self._client.call(method, params | {"approval": approval, "lang": self._language},
                          self._on_approved, self._on_not_approved)

    def _on_approved(self, result: Any) -> None:
        self._to_approve = None
        self.approval.forget()
        self._on_done(result)

    def _on_not_approved(self, error: wire.RpcError) -> None:
        """A wrong PIN is typed anew; anything else is said and ends it."""
        if error.data.get("code") in APPROVAL_AGAIN:
            self.approval.entry.say("\n".join(error.problems))
            return
        self._to_approve = None
        self.approval.forget()
        self._on_declined(error)

    def _do(self, method: str, params: dict[str, Any]) -> None:
        """A page's `act`."""
        self._act(method, **params)

    def _ask(self, method: str, params: dict[str, Any], on_result: Any,
             on_error: Any = None) -> None:
        """A page's `ask`."""

        def declined(error: wire.RpcError) -> None:
            if error.code != LOST:  # that is said already, and asked again afterwards
                self._on_declined(error)
            if on_error is not None:
                on_error(error)

        self._client.call(method, params, on_result, declined)

    def _note(self, words: str) -> None:
        self._done.stop()
        self._say("! " + words, theme.WARN, theme.PALE_WARN)

    def _release(self) -> None:
        """Everybody out: whoever holds it, also before anybody has logged in."""
        self._client.call("lane.release", {}, self._on_released, self._on_not_released)

    def _on_released(self, _result: Any) -> None:
        self._note(text(self._language, "release.sent"))

    def _on_not_released(self, _error: wire.RpcError) -> None:
        self._done.stop()
        self._say("✕ " + text(self._language, "release.failed"), theme.BAD, theme.PALE_BAD)

    def _let_sign(self, candidate: dict[str, Any], score: int, note: str) -> None:
        """The screen is the candidate's until a proctor takes it back."""
        session_id = self.session.choice.currentData()
        if session_id is None:
            return
        self.tabs.forget()
        self.message.hide()
        self.exit.begin(session_id, candidate, score, note)
        self.pages.setCurrentWidget(self.exit)

    def _take_back(self) -> None:
        self.pages.setCurrentWidget(self.work)
        self._show_standing()
        self._ask_sessions()

    def _act_on_session(self, method: str, **params: Any) -> None:
        chosen = self.session.choice.currentData()
        if chosen is not None:
            self._act(method, session_id=chosen, lang=self._language, **params)

    def _give_up(self, terminal: str, why: str, note: str) -> None:
        chosen = self.session.choice.currentData()
        if chosen is None:
            return
        params = {"session_id": chosen, "terminal": terminal, "why": why, "note": note,
                  "lang": self._language}
        if why == VoidReason.PROCTOR_DECISION:
            what = text(self._language, "approval.void", terminal=terminal, note=note)
            self._act_approved(what, "seat.void", **params)
        else:
            self._act("seat.void", **params)

    def _ask_return(self, terminal: str) -> None:
        self._returns = terminal
        self.returning.ask("return.heading", "return", ReturnReason)

    def _let_back(self, why: str, note: str) -> None:
        """Who has left by the gate may come in again; a second person approves own words."""
        chosen = self.session.choice.currentData()
        if chosen is None:
            return
        params = {"session_id": chosen, "terminal": self._returns, "why": why, "note": note,
                  "lang": self._language}
        if why == ReturnReason.OTHER:
            what = text(self._language, "return.approve", terminal=self._returns, note=note)
            self._act_approved(what, "seat.let_back", **params)
        else:
            self._act("seat.let_back", **params)

    def _close_session(self) -> None:
        if self._sure.press("close"):
            self._act_on_session("session.close")

    def _name_close(self) -> None:
        key = "proctor.close" if self._sure.of is None else "proctor.close_sure"
        self.session.close_session.setText(text(self._language, key))

    def _on_done(self, _result: Any) -> None:
        self._say("✓ " + text(self._language, "proctor.done"), theme.GOOD, theme.PALE_GOOD)
        self._done.start()
        self._ask_sessions()
        self._ask_alerts()
        self._ask_help()

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
        self._sure.forget()
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
        self.stick.allow(may_act)
        self.redraw.allow(may_act)
        self.tabs.allow(may_act)
        role = (self._staff.get("person") or {}).get("role")
        self.tabs.roll.allow(self._may_decide, role == "chief")
        self.tabs.show_state(state)
        self.session.show_session(session)
        standing = session.get("state") if session else None
        self.session.open.setEnabled(may_act and standing == "created")
        self.session.close_session.setEnabled(may_act and standing == "open")
        self.devices.show_devices(state.get("devices") or {})
        is_chief = (self._staff.get("person") or {}).get("role") == "chief"
        self.devices.show_mode(state, may_act and is_chief)
        self._put_devices(bool((state.get("mode") or {}).get("missing")))
        self.current.show_state(state)
        self.current.allow(state, may_act)
        self.session.pause.setEnabled(self._may_decide)
        self.help.allow(self._may_decide)
        waiting = int(state.get("help_open") or 0)
        self.login.show_help(text(self._language, "help.locked", n=waiting) if waiting else "")
        self._show_verification()

    def closeEvent(self, event: qt.QCloseEvent) -> None:
        """In full screen only the end of the process closes it."""
        if self.isFullScreen() and not qt.QApplication.closingDown():
            event.ignore()
        else:
            # the application must not ask a window that is being taken apart
            qt.QApplication.instance().removeEventFilter(self)
            event.accept()

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


def _standing(session: dict[str, Any] | None) -> tuple[object, ...]:
    """What the list of sessions has to be asked for anew for."""
    keys = ("session_id", "state", "paused")
    return tuple(session.get(key) for key in keys) if session else ()
