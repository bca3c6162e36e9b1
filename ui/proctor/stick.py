"""A stick with a roster: what is on it, whether to use it, and what then changed.

Shows the daemon's answer to `stick.list` and asks for one thing at a time; decides nothing.
"""

from __future__ import annotations

from typing import Any

from ui import qt, theme
from ui.i18n import text
from ui.proctor.page import Line
from ui.proctor.panels import button, label
from ui.times import local

MOST_SESSIONS, MOST_LINES = 6, 6  #: that are named; the others are counted


class StickPanel(qt.QFrame):
    """The first stick of the list; hidden when there is none."""

    def __init__(self, language: str, line: Line) -> None:
        super().__init__()
        self.setObjectName("stick")
        self._language, self._line = language, line
        self._sticks: list[dict[str, Any]] = []
        self._nth = 0  #: which of a stick's bundles is shown
        self._may_act = False
        self.heading = label("stick_heading", 22, bold=True, ink=theme.PRIMARY)
        self.words = label("stick_words", 18)
        self.ask = label("stick_ask", 18, bold=True)
        self.bar = qt.QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(12)
        self.take, self.other, self.away = (
            button(f"stick_{name}") for name in ("take", "other", "away"))
        column = qt.QVBoxLayout(self)
        column.setContentsMargins(14, 10, 14, 10)
        column.setSpacing(6)
        for part in (self.heading, self.words, self.bar, self.ask):
            column.addWidget(part)
        row = qt.QHBoxLayout()
        for press in (self.take, self.other, self.away):
            row.addWidget(press)
        column.addLayout(row)
        self.take.clicked.connect(self._take)
        self.other.clicked.connect(self._show_other)
        self.away.clicked.connect(self._dismiss)
        self.other.setText(self._text("other"))
        self._render()

    def refresh(self) -> None:
        asked = {"lang": self._language}
        self._line.ask("stick.list", asked, lambda r: self.fill(list(r.get("sticks") or [])))

    def fill(self, sticks: list[dict[str, Any]]) -> None:
        """The result of `stick.list`."""
        before = self._stick.get("stick_id")
        self._sticks = sticks
        if self._stick.get("stick_id") != before:
            self._nth = 0
        self._render()

    def allow(self, may_act: bool) -> None:
        self._may_act = may_act
        self._render()

    def forget(self) -> None:
        self.fill([])

    # --- what is shown --------------------------------------------------------------------------

    @property
    def _stick(self) -> dict[str, Any]:
        return self._sticks[0] if self._sticks else {}

    @property
    def _bundles(self) -> list[dict[str, Any]]:
        """Those that could be used first, the newest of them on top."""
        found = list(self._stick.get("bundles") or [])
        return sorted(found, key=lambda bundle: bundle.get("code") is not None)

    @property
    def _bundle(self) -> dict[str, Any]:
        found = self._bundles
        return found[self._nth % len(found)] if found else {}

    def _render(self) -> None:
        stick = self._stick
        self.setVisible(bool(stick))
        if not stick:
            return
        state = str(stick.get("state"))
        usable = bool(self._bundle) and self._bundle.get("code") is None
        shown = {"looked": self._show_offer, "reading": self._show_reading,
                 "waiting": self._show_waiting, "taken": self._show_taken,
                 "failed": self._show_failed}.get(state, self._show_looking)
        for part in (self.words, self.ask, self.bar):
            part.hide()
        shown(stick)
        self.take.setText(self._text("again" if state == "failed" else "take"))
        again = state == "failed" and bool(stick.get("there"))
        self.take.setVisible(usable and (state == "looked" or again))
        self.other.setVisible(state == "looked" and len(self._bundles) > 1)
        self.away.setText(self._text("not_now" if state == "looked" and usable else "seen"))
        self.away.setVisible(state in ("looked", "taken", "failed"))
        for press in (self.take, self.other, self.away):
            press.setEnabled(self._may_act)
        wrong = state == "failed" or (state == "looked" and not usable)
        ink, ground = (theme.WARN, theme.PALE_WARN) if wrong else (theme.PRIMARY, theme.PALE)
        self.heading.setStyleSheet(f"color: {ink};")
        self.setStyleSheet(f"#stick {{ background: {ground}; border: 2px solid {ink};"
                           " border-radius: 10px; }")

    def _say(self, part: qt.QLabel, words: str) -> None:
        part.setText(words)
        part.setVisible(bool(words))

    def _show_looking(self, _stick: dict[str, Any]) -> None:
        self.heading.setText(self._text("looking"))

    def _show_offer(self, stick: dict[str, Any]) -> None:
        bundle = self._bundle
        if not bundle:
            self.heading.setText(self._text("none"))
            self._say(self.words, "\n".join(self._refusals(stick)) or self._text("none_how"))
            return
        self.heading.setText(self._text("offer", day=bundle.get("day", "")))
        self._say(self.words, "\n".join([*self._about(bundle), *self._refusals(stick)]))
        why = bundle.get("why")
        self._say(self.ask, self._text("cannot", why=why) if why else self._text("ask"))

    def _about(self, bundle: dict[str, Any]) -> list[str]:
        made = local(bundle.get("made_at"))
        sessions = list(bundle.get("sessions") or [])
        many = int(bundle.get("sessions_in_all") or len(sessions))
        named = "　".join(f"{s['session_id']}: {s['candidates']}"
                         for s in sessions[:MOST_SESSIONS])
        more = " …" if many > MOST_SESSIONS else ""
        return [self._text("about", sessions=many, candidates=bundle.get("candidates", 0),
                           made=f"{made:%Y-%m-%d %H:%M}" if made else "–"), named + more]

    def _refusals(self, stick: dict[str, Any]) -> list[str]:
        """Files that look like rosters and are none for this lane."""
        refused = list(stick.get("refused") or [])
        lines = [f"✕ {r.get('file')}: {r.get('why')}" for r in refused[:MOST_LINES]]
        if len(refused) > MOST_LINES:
            lines.append(self._text("more", n=len(refused) - MOST_LINES))
        if stick.get("more"):
            lines.append(self._text("cut"))
        return lines

    def _show_reading(self, stick: dict[str, Any]) -> None:
        of = int((stick.get("taking") or {}).get("candidates") or 0)
        rows = int(stick.get("rows") or 0)
        self.heading.setText(self._text("reading"))
        self._say(self.words, self._text("reading_how", rows=rows, of=of))
        self.bar.setRange(0, of if rows else 0)  # nothing known yet: it runs to and fro
        self.bar.setValue(rows)
        self.bar.show()

    def _show_waiting(self, _stick: dict[str, Any]) -> None:
        self.heading.setText(self._text("waiting"))
        self._say(self.words, self._text("waiting_how"))

    def _show_taken(self, stick: dict[str, Any]) -> None:
        result = stick.get("result") or {}
        self.heading.setText("✓ " + self._text("taken", day=(stick.get("taking") or {}).get("day")))
        counts = {name: result.get(name, 0) for name in ("added", "changed", "unchanged")}
        changes = list(result.get("changes") or [])
        lines = [self._text("counts", **counts)]
        lines += [self._change(change) for change in changes[:MOST_LINES]]
        if len(changes) > MOST_LINES:
            lines.append(self._text("more", n=len(changes) - MOST_LINES))
        self._say(self.words, "\n".join(lines))

    def _change(self, change: dict[str, Any]) -> str:
        to = f" → {change['to_session']}" if change.get("to_session") else ""
        return (f"{self._text(str(change.get('kind')))}: {change.get('name')} "
                f"{change.get('admission_no')}　{change.get('session_id')}{to}")

    def _show_failed(self, stick: dict[str, Any]) -> None:
        self.heading.setText("! " + self._text("failed"))
        problems = [str(problem) for problem in stick.get("problems") or []]
        lines = problems[:MOST_LINES]
        if len(problems) > MOST_LINES:
            lines.append(self._text("more", n=len(problems) - MOST_LINES))
        self._say(self.words, "\n".join(lines))

    def _text(self, key: str, **args: Any) -> str:
        return text(self._language, f"stick.{key}", **args)

    # --- what is pressed ------------------------------------------------------------------------

    def _show_other(self) -> None:
        self._nth += 1
        self._render()

    def _take(self) -> None:
        chosen = self._stick.get("taking") if self._stick.get("state") == "failed" else None
        bundle = chosen or self._bundle
        self._line.act("stick.take", {"stick_id": self._stick.get("stick_id"),
                                      "sha256": bundle.get("sha256"), "lang": self._language})

    def _dismiss(self) -> None:
        asked = {"stick_id": self._stick.get("stick_id"), "lang": self._language}
        self._line.ask("stick.dismiss", asked, lambda _result: self.refresh())
