"""The left side of the proctor's window: session with counters, devices, the candidate now.

Each panel shows a part of the daemon's state in plain words and offers buttons; it calls nobody.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from kiosk.core.codes import Factor, Reason, State
from ui import qt, theme
from ui.i18n import coded, has, text
from ui.times import clock, local, venue_now

COUNTERS = ("booked", "entered", "in_hall", "missing", "late", "seated", "left", "free")
LARGE = 4  #: of them, in the first row
ROLES = ("turnstile", "fingerprint", "camera", "id_card", "scanner")


def label(name: str, pixels: int, *, bold: bool = False, ink: str = theme.INK) -> qt.QLabel:
    made = qt.QLabel()
    made.setObjectName(name)
    made.setFont(theme.font(pixels, bold=bold))
    made.setStyleSheet(f"color: {ink};")
    made.setWordWrap(True)
    made.setTextFormat(qt.Qt.PlainText)
    return made


def button(name: str) -> qt.QPushButton:
    made = qt.QPushButton()
    made.setObjectName(name)
    made.setFont(theme.font(19, bold=True))
    made.setMinimumHeight(46)
    made.setStyleSheet(
        f"QPushButton {{ background: {theme.PANEL}; color: {theme.PRIMARY}; padding: 4px 14px;"
        f" border: 2px solid {theme.PRIMARY}; border-radius: 8px; }}"
        f"QPushButton:focus {{ border: 3px solid {theme.FOCUS}; }}"
        f"QPushButton:pressed {{ background: {theme.PALE}; }}"
        f"QPushButton:disabled {{ color: {theme.SOFT_INK}; border-color: {theme.LINE}; }}"
    )
    return made


def grouped(digits: str) -> str:
    """Hexadecimal digits in fours, so that two people can compare them aloud."""
    return " ".join(digits[at : at + 4] for at in range(0, len(digits), 4))


class Panel(qt.QFrame):
    def __init__(self, name: str, language: str) -> None:
        super().__init__()
        self.setObjectName(f"panel_{name}")
        self.language = language
        self.setStyleSheet(f"#panel_{name} {{ background: {theme.PANEL}; border: 1px solid"
                           f" {theme.LINE}; border-radius: 10px; }}")
        self.column = qt.QVBoxLayout(self)
        self.column.setContentsMargins(16, 12, 16, 12)
        self.column.setSpacing(8)
        heading = label(f"heading_{name}", 18, bold=True, ink=theme.SOFT_INK)
        heading.setText(text(language, f"proctor.{name}"))
        self.column.addWidget(heading)


def counters(session: dict[str, Any] | None) -> dict[str, int | None]:
    """What is counted of a session object; None where it does not say."""
    if session is None:
        return dict.fromkeys(COUNTERS)
    booked, inside, left = (session.get(k) for k in ("booked", "inside", "left"))
    return {
        "booked": booked,
        "entered": inside,
        "in_hall": None if inside is None else inside - (left or 0),
        "missing": None if booked is None or inside is None else booked - inside,
        "late": session.get("late"),
        "seated": session.get("seated"),
        "left": left,
        "free": session.get("free_terminals"),
    }


def countdown(language: str, session: dict[str, Any] | None, now: datetime) -> str:
    """What comes next in a session and how long until then; in words where nothing does."""
    if session is None or session.get("state") == "closed":
        return ""
    for field, key in (("checkin_from", "until_checkin"), ("starts_at", "until_start"),
                       ("checkin_until", "until_end")):
        at = local(session.get(field))
        if at is not None and now < at:
            left_s = int((at - now).total_seconds())
            hours, rest = divmod(left_s, 3600)
            time = f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else (
                f"{rest // 60:02d}:{rest % 60:02d}")
            return text(language, f"proctor.{key}", time=time)
    return text(language, "proctor.checkin_over")


class SessionPanel(Panel):
    """The session in progress or chosen, four counters, open and close."""

    def __init__(self, language: str) -> None:
        super().__init__("session", language)
        self.choice = qt.QComboBox()
        self.choice.setObjectName("session_choice")
        self.choice.setFont(theme.font(18))
        self.choice.setMinimumHeight(42)
        self.line = label("session_line", 18)
        self.column.addWidget(self.choice)
        self.column.addWidget(self.line)
        self.left_time = label("session_countdown", 24, bold=True)
        self.column.addWidget(self.left_time)
        grid = qt.QGridLayout()
        self.numbers: dict[str, qt.QLabel] = {}
        for n, key in enumerate(COUNTERS):
            large = n < LARGE
            number = label(f"count_{key}", 40 if large else 24, bold=True, ink=theme.PRIMARY)
            number.setMinimumHeight(54 if large else 32)
            words = label(f"count_{key}_words", 16, ink=theme.SOFT_INK)
            words.setText(text(language, f"proctor.{key}"))
            for row, part in enumerate((number, words)):
                part.setAlignment(qt.Qt.AlignCenter)
                grid.addWidget(part, 2 * (n // LARGE) + row, n % LARGE)
            self.numbers[key] = number
        self.column.addLayout(grid)
        self._session: dict[str, Any] | None = None
        self._second = qt.QTimer(self)
        self._second.setInterval(1000)
        self._second.timeout.connect(self._tick)
        self._second.start()
        self.commitment = label("commitment", 15, ink=theme.SOFT_INK)
        self.commitment.setTextInteractionFlags(qt.Qt.TextSelectableByMouse)
        self.commitment.setContextMenuPolicy(qt.Qt.NoContextMenu)
        self.column.addWidget(self.commitment)
        buttons = qt.QHBoxLayout()
        self.open, self.close_session = button("session_open"), button("session_close")
        self.open.setText(text(language, "proctor.open"))
        self.close_session.setText(text(language, "proctor.close"))
        buttons.addWidget(self.open)
        buttons.addWidget(self.close_session)
        self.column.addLayout(buttons)
        self.paused = label("session_paused", 18, bold=True)
        self.paused.setStyleSheet(f"color: {theme.WARN}; background: {theme.PALE_WARN};"
                                  " padding: 8px; border-radius: 8px;")
        self.pause = button("session_pause")
        self.column.addWidget(self.paused)
        self.column.addWidget(self.pause)

    def show_sessions(self, sessions: list[dict[str, Any]]) -> None:
        """Fill the choice, keeping what was chosen: the open one first, then today's, then others
        with their day."""
        chosen = self.choice.currentData()
        self.choice.blockSignals(True)
        self.choice.clear()
        today = venue_now().date()

        def other_day(session: dict[str, Any]) -> bool:
            at = local(session.get("starts_at"))
            return at is not None and at.date() != today

        for session in sorted(sessions, key=lambda s: (s.get("state") != "open", other_day(s))):
            standing = coded(self.language, "proctor.session_state", session.get("state"))
            at = local(session.get("starts_at"))
            day = f"{at:%m-%d}　" if at is not None and other_day(session) else ""
            self.choice.addItem(f"{day}{session['session_id']}　{standing}", session["session_id"])
        self.choice.setCurrentIndex(max(0, self.choice.findData(chosen)) if sessions else -1)
        self.choice.blockSignals(False)

    def show_session(self, session: dict[str, Any] | None) -> None:
        self._show_pause(session)
        if session is None:
            self.line.setText(text(self.language, "proctor.no_session"))
        else:
            self.line.setText(text(
                self.language, "proctor.session_line", session_id=session.get("session_id"),
                subject=session.get("subject"), starts=clock(session.get("starts_at")),
                since=clock(session.get("checkin_from")),
                until=clock(session.get("checkin_until"))))
        commitment = (session or {}).get("commitment")
        self.commitment.setVisible(bool(commitment))
        self.commitment.setText(text(self.language, "proctor.commitment",
                                     digits=grouped(commitment)) if commitment else "")
        for key, count in counters(session).items():
            self.numbers[key].setText("—" if count is None else str(count))
        self._session = session
        self._tick()

    def _show_pause(self, session: dict[str, Any] | None) -> None:
        """Whether nobody new is taken, and the button that changes it; only while it is open."""
        pause = (session or {}).get("paused")
        self.paused.setVisible(bool(pause))
        self.pause.setVisible((session or {}).get("state") == "open")
        self.pause.setText(text(self.language, "pause.resume" if pause else "pause.button"))
        if pause:
            self.paused.setText(text(
                self.language, "pause.line", time=clock(pause.get("since")),
                why=coded(self.language, "pause", pause.get("why")),
                note=pause.get("note") or "", person=pause.get("person")))

    def _tick(self) -> None:
        """The countdown, by this machine's clock: it is the daemon's as well."""
        words = countdown(self.language, self._session, datetime.now(UTC))
        self.left_time.setText(words)
        self.left_time.setVisible(bool(words))


class DevicesPanel(Panel):
    """Each device: a sign, its name, and what to do when it is not well."""

    def __init__(self, language: str) -> None:
        super().__init__("devices", language)
        self.mode = label("mode", 18, bold=True)
        self.mode.setStyleSheet(f"color: {theme.WARN}; background: {theme.PALE_WARN};"
                                " padding: 8px; border-radius: 8px;")
        self.column.addWidget(self.mode)
        self.waive = {factor: button(f"waive_{factor}") for factor in Factor}
        for press in self.waive.values():
            self.column.addWidget(press)
        self.rows = {role: label(f"device_{role}", 19) for role in ROLES}
        for row in self.rows.values():
            self.column.addWidget(row)
        self.show_mode({}, False)

    def show_mode(self, state: dict[str, Any], is_chief: bool) -> None:
        """What the lane goes on without, since when and by whom; a chief's buttons for it."""
        missing = (state.get("mode") or {}).get("missing") or []
        lines = [line for one in missing if (line := self._lack(one))]
        self.mode.setVisible(bool(lines))
        self.mode.setText("\n".join(lines))
        open_ = {one["factor"] for one in missing if one.get("may_waive")}
        for factor, press in self.waive.items():
            press.setVisible(is_chief and factor in open_)

    def _lack(self, one: dict[str, Any]) -> str:
        """Empty for a device that nobody has waived: its own row says that."""
        if one.get("allowed_by"):
            return text(self.language, "mode.line", person=one["allowed_by"],
                        time=clock(one.get("allowed_at")),
                        what=coded(self.language, "mode.without", one["factor"]))
        key = f"mode.lack.{one['factor']}"
        if not has(key):
            return ""
        return text(self.language, "mode.lack", what=text(self.language, key),
                    time=clock(one.get("since")))

    def show_devices(self, devices: dict[str, Any]) -> None:
        """What is not well comes first: the panel may be cut off below."""
        first = min(self.column.indexOf(row) for row in self.rows.values())
        ill_first = sorted(self.rows, key=lambda role: bool(devices.get(role, {}).get("ok", True)))
        for n, role in enumerate(ill_first):
            self.column.insertWidget(first + n, self.rows[role])
        for role, row in self.rows.items():
            status = devices.get(role)
            row.setVisible(status is not None)
            if status is None:
                continue
            name = text(self.language, f"device.{role}")
            if status.get("ok"):
                row.setText(f"✓ {name}　{text(self.language, 'proctor.device_ok')}")
                row.setStyleSheet(f"color: {theme.GOOD};")
            else:
                since = text(self.language, "proctor.since", time=clock(status.get("since")))
                words = coded(self.language, "fault", status.get("code"))
                row.setText(f"✕ {name}　{words}（{since}）")
                row.setStyleSheet(f"color: {theme.BAD}; background: {theme.PALE_BAD};"
                                  " padding: 4px; border-radius: 4px;")


class CurrentPanel(Panel):
    """Who is at the lane and how far; cancel, and the end of a fire release."""

    def __init__(self, language: str) -> None:
        super().__init__("current", language)
        self.who = label("current_who", 24, bold=True)
        self.where = label("current_state", 22)
        self.cancel, self.resume = button("cancel"), button("resume")
        self.verify, self.waive = button("current_verify"), button("current_waive")
        self.verify.setText(text(language, "by_hand.begin"))
        self.waive.setText(text(language, "waive.button"))
        self.cancel.setText(text(language, "proctor.cancel"))
        self.resume.setText(text(language, "proctor.resume"))
        for part in (self.who, self.where, self.verify, self.waive, self.cancel, self.resume):
            self.column.addWidget(part)

    def show_state(self, state: dict[str, Any]) -> None:
        candidate = state.get("candidate")
        self.who.setText(f"{candidate['name']}　{candidate['admission_no']}" if candidate
                         else text(self.language, "proctor.nobody"))
        words = coded(self.language, "state", state["state"]) if state.get("state") else ""
        if state.get("leaving") and state.get("state") == State.WELCOME:
            words = text(self.language, "standing.left")
        elif state.get("leaving"):
            words = text(self.language, "out.leaving", where=words)
        if state.get("terminal"):
            words += f"　{text(self.language, 'proctor.column.terminal')} {state['terminal']}"
        if state.get("reason"):
            words += f"　{coded(self.language, 'reason', state['reason'])}"
        if state.get("finger_retry"):
            words += f"　{coded(self.language, 'retry', state['finger_retry'])}"
        self.where.setText(words)

    def allow(self, state: dict[str, Any], may_act: bool) -> None:
        """Offer only what the lane can do now."""
        active = (State.CLAIM, State.FACE, State.VERIFY, State.FINGER, State.SIGN)
        known = state.get("candidate") is not None
        stuck = state.get("state") in (State.CLAIM, State.FACE, State.REFUSED)
        stuck = stuck or bool(state.get("awaits_proctor"))
        for press, wanted in ((self.verify, known and stuck),
                              (self.waive, state.get("state") == State.FINGER)):
            press.setVisible(wanted)
            press.setEnabled(may_act)
        self.cancel.setEnabled(may_act and state.get("state") in active)
        opened = state.get("reason") in (Reason.FIRE, Reason.DRILL)
        drill = state.get("reason") == Reason.DRILL
        self.resume.setText(text(self.language, "out.drill_end" if drill else "proctor.resume"))
        self.resume.setVisible(state.get("state") == State.OUT_OF_ORDER and opened)
        self.resume.setEnabled(may_act)
