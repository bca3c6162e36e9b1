"""The candidate's window: steps above, one page, time left and three buttons below.

Follows the daemon's state and keeps nothing of a person beyond their visit; decides nothing.
"""

from __future__ import annotations

import os
from typing import Any

from kiosk import wire
from kiosk.core.codes import Reason, State
from ui import qt, theme
from ui.candidate.number import NumberPage
from ui.candidate.pages import FacePage, NoticePage, Page, SeatPage, put
from ui.candidate.present import Shown, present, restarting
from ui.candidate.sign import SignPage
from ui.candidate.spoken import spoken
from ui.client import Client
from ui.i18n import text
from ui.voice import Prompter, Speaker
from ui.widgets.button import BigButton
from ui.widgets.countdown import Countdown
from ui.widgets.steps import Steps
from ui.widgets.text import BigText

DEFAULT_SIZE = (1920, 1080)
LANGUAGE_IDLE_MS = 30_000  #: nobody took the chosen language with a card: back to the lane's


def window_size() -> tuple[int, int]:
    """From EXAMGATE_SCREEN, e.g. `1080x1920`; an unreadable value counts as absent."""
    wide, _, high = os.environ.get("EXAMGATE_SCREEN", "").partition("x")
    if wide.isdecimal() and high.isdecimal() and int(wide) >= 320 and int(high) >= 320:
        return int(wide), int(high)
    return DEFAULT_SIZE


class CandidateWindow(qt.QWidget):
    def __init__(self, client: Client, language: str, speaker: Speaker | None = None) -> None:
        super().__init__()
        self._prompter = Prompter(speaker, self) if speaker is not None else None
        self.setObjectName("candidate")
        self.setWindowTitle("examgate")
        self.setContextMenuPolicy(qt.Qt.NoContextMenu)
        self.setAutoFillBackground(True)
        self._client = client
        self._home_language = self._language = language
        self._state: dict[str, Any] | None = None
        self._visit: int | None = None
        self._focused_for: tuple[object, ...] = ()
        self._shown = restarting(language)
        self._build()
        self._language_timer = qt.QTimer(self)
        self._language_timer.setSingleShot(True)
        self._language_timer.timeout.connect(self._go_home_language)
        client.state.connect(self._on_state)
        client.preview.connect(self._on_preview)
        client.connected.connect(self._on_connected)
        self.setFocusPolicy(qt.Qt.ClickFocus)
        self.resize(*window_size())
        self._render()

    def _build(self) -> None:
        self.steps = Steps(self)
        self.who = BigText("who", 36, 26, parent=self)
        self.pages: dict[str, Page] = {"notice": NoticePage(self), "face": FacePage(self),
                                       "number": NumberPage(self), "sign": SignPage(self),
                                       "seat": SeatPage(self)}
        self.code = BigText("code", 26, 18, parent=self)
        self.countdown = Countdown(self)
        self.help = BigButton("help", "help", sign="?", parent=self)
        self.switch = BigButton("language", "quiet", parent=self)
        self.number = BigButton("number_instead", "quiet", parent=self)
        self.leave = BigButton("leave", "quiet", parent=self)
        self.cancel = BigButton("cancel", "danger", parent=self)
        self.ok = BigButton("ok", "primary", parent=self)
        self.help.clicked.connect(self._ask_help)
        self.switch.clicked.connect(self._switch_language)
        self.number.clicked.connect(self._ask_number)
        self.leave.clicked.connect(self._ask_to_leave)
        self.cancel.clicked.connect(self._cancel)
        self.ok.clicked.connect(self._cancel)
        for page in self.pages.values():
            page.hide()
        self.sign_page.signed.connect(self._sign)
        self.number_page.entered.connect(self._claim)
        self.face_page.prompted.connect(self._speak)

    @property
    def number_page(self) -> NumberPage:
        page = self.pages["number"]
        assert isinstance(page, NumberPage)
        return page

    @property
    def sign_page(self) -> SignPage:
        page = self.pages["sign"]
        assert isinstance(page, SignPage)
        return page

    @property
    def face_page(self) -> FacePage:
        page = self.pages["face"]
        assert isinstance(page, FacePage)
        return page

    @property
    def page(self) -> Page:
        return self.pages[self._shown.page]

    @property
    def language(self) -> str:
        return self._language

    @property
    def state_name(self) -> str:
        """The daemon's state, or `offline`."""
        return str(self._state.get("state")) if self._state else "offline"

    @property
    def shown(self) -> Shown:
        return self._shown

    # --- from the daemon ------------------------------------------------------------------------

    def _on_state(self, state: dict[str, Any]) -> None:
        if state.get("visit") != self._visit:
            self._wipe(state.get("visit"))
        self._state = state
        self._render()
        self.countdown.begin(state.get("deadline_in_s"), state.get("deadline_total_s"),
                             self._language)

    def _on_preview(self, preview: dict[str, Any]) -> None:
        if self._shown.page == "face" and self._state is not None:
            self.face_page.show_preview(preview)

    def _on_connected(self, up: bool) -> None:
        if not up:
            self._wipe(None)
            self._state = None
            self.countdown.begin(None, None, self._language)
            self._render()

    def _wipe(self, visit: int | None) -> None:
        """Another person, or none: nothing of the last one stays. The caller renders anew."""
        self._visit = visit
        self._language = self._home_language  # not rendered here: that would bring the last back
        for page in self.pages.values():
            page.forget()

    # --- language -------------------------------------------------------------------------------

    def _switch_language(self) -> None:
        self._language = "en" if self._language == "zh" else "zh"
        self._render()
        self._watch_language()

    def _go_home_language(self) -> None:
        if self._language != self._home_language:
            self._language = self._home_language
            self._render()

    def _watch_language(self) -> None:
        waiting = self.state_name in (State.IDLE, State.PAUSED, State.CLOSED, State.OUT_OF_ORDER,
                                      "offline")
        if not waiting or self._language == self._home_language:
            self._language_timer.stop()
        elif not self._language_timer.isActive():
            self._language_timer.start(LANGUAGE_IDLE_MS)

    # --- to the daemon --------------------------------------------------------------------------

    def _ask_help(self) -> None:
        self._client.call("candidate.help", {"visit": self._visit})

    def _cancel(self) -> None:
        self._client.call("candidate.cancel", {"visit": self._visit})

    def _ask_number(self) -> None:
        self._client.call("candidate.enter_number", {"visit": self._visit})

    def _ask_to_leave(self) -> None:
        self._client.call("candidate.leave", {"visit": self._visit})

    def _claim(self, number: str) -> None:
        visit = self._visit

        def declined(error: wire.RpcError) -> None:
            if visit == self._visit and self._shown.page == "number":
                self.number_page.declined(str(error.data.get("code") or ""))

        self._client.call("candidate.claim", {"visit": visit, "number": number},
                          on_error=declined)

    def _sign(self, signature: dict[str, Any]) -> None:
        visit = self._visit

        def declined(error: wire.RpcError) -> None:
            if visit == self._visit and self._shown.page == "sign":
                empty = error.data.get("code") == Reason.SIGNATURE_EMPTY
                self.sign_page.try_again("sign.too_short" if empty else "sign.again")

        self._client.call("candidate.sign", {"visit": visit} | signature, on_error=declined)

    # --- what is seen ---------------------------------------------------------------------------

    def _render(self) -> None:
        state, language = self._state or {}, self._language
        shown = present(state, language) if self._state else restarting(language)
        self._shown = shown
        for name, page in self.pages.items():
            page.setVisible(name == shown.page)
        self.page.show_state(shown, state, language)
        self.steps.show_steps(state.get("steps") or {}, language)
        candidate = state.get("candidate")
        self.who.set_text(text(language, "candidate.line", **_who(candidate)) if candidate else "")
        self.code.set_text(shown.code, theme.SOFT_INK)
        self._render_buttons(shown, bool(state.get("help_waiting")))
        self._watch_language()
        now = (self._visit, self.state_name)
        if now != self._focused_for:
            self._focused_for = now
            self._focus()
        self._speak()

    def _speak(self) -> None:
        if self._prompter is not None:
            words = spoken(self._state, self._shown, self.face_page.prompt, self._language,
                           self.face_page.then)
            self._prompter.show((self._visit, self.state_name), words, self._language)

    def _render_buttons(self, shown: Shown, coming: bool) -> None:
        language = self._language
        self.help.set_words(text(language, "button.help_coming" if coming else "button.help"),
                            "waiting" if coming else "help")
        self.help.setEnabled(self._state is not None and not coming)
        self.switch.set_words(text(language, "button.language"))
        no_card = (self._state or {}).get("claim_mode") == "number"
        self.number.set_words(text(language, "button.type" if no_card else "button.number"))
        self.leave.set_words(text(language, "button.leave"))
        self.cancel.set_words(text(language, "button.cancel"))
        self.ok.set_words(text(language, "button.ok"))
        self.number.setVisible(self.state_name == State.IDLE
                               and bool((self._state or {}).get("may_type")))
        self.leave.setVisible(bool((self._state or {}).get("may_leave")))
        self.cancel.setVisible(shown.action == "cancel")
        self.ok.setVisible(shown.action == "ok")
        self._place()

    def _focus(self) -> None:
        if self._shown.page == "sign":
            self.sign_page.pad.setFocus()
        elif self._shown.page == "number":
            self.number_page.setFocus()  # what a scanner types arrives there
        else:
            self.setFocus()  # no button is pressed by chance; Tab goes to the first

    def resizeEvent(self, event: qt.QResizeEvent) -> None:
        self._place()

    def _place(self) -> None:
        width, height = self.width(), self.height()
        u = theme.unit(width, height)
        for part in (self.steps, self.who, self.code, self.countdown, self.help, self.switch,
                     self.number, self.leave, self.cancel, self.ok):
            part.set_unit(u)
        edge, bar = 32 * u, 120 * u
        put(self.steps, 0, 0, width, 104 * u)
        put(self.who, edge, 108 * u, width - 2 * edge, 54 * u)
        bottom = height - bar
        put(self.countdown, 0, bottom - 48 * u, width, 48 * u)
        put(self.code, edge, bottom - 88 * u, width - 2 * edge, 38 * u)
        low = height * (1 - theme.reach()) if height > width else 0.0
        for page in self.pages.values():
            page.low = max(0.0, low - 164 * u)
            put(page, 0, 164 * u, width, bottom - 90 * u - 164 * u)
        x, y, high = edge, bottom + 8 * u, 96 * u
        for button in (self.help, self.switch, self.number):
            across = button.minimumSizeHint().width()
            put(button, x, y, across, high)
            x += 0 if button.isHidden() else across + 20 * u
        for button in (self.cancel, self.ok, self.leave):
            wide = max(button.minimumSizeHint().width(), 240 * u)
            room = x <= width - edge - wide  # else above: where it is, nothing counts down
            put(button, width - edge - wide, y if room else y - high - 8 * u, wide, high)
            if not room and not button.isHidden():
                put(self.code, edge, bottom - 88 * u, width - 3 * edge - wide, 38 * u)

    # --- keyboard and kiosk ---------------------------------------------------------------------

    def keyPressEvent(self, event: qt.QKeyEvent) -> None:
        key = event.key()
        if self._shown.page == "number" and self.number_page.take_key(event):
            return
        if key in (qt.Qt.Key_Return, qt.Qt.Key_Enter):
            if self._shown.page == "sign":
                self.sign_page.confirm.click()
            elif self._shown.action == "ok":
                self.ok.click()
        elif key == qt.Qt.Key_Escape and self._shown.action != "none":
            self._cancel()
        elif key == qt.Qt.Key_F1:
            self.help.click()
        elif key == qt.Qt.Key_F2:
            self.switch.click()

    def closeEvent(self, event: qt.QCloseEvent) -> None:
        """In full screen only the end of the process closes it."""
        if self.isFullScreen() and not qt.QApplication.closingDown():
            event.ignore()
        else:
            event.accept()


def _who(candidate: dict[str, Any]) -> dict[str, object]:
    return {"name": candidate.get("name", ""), "admission_no": candidate.get("admission_no", "")}
