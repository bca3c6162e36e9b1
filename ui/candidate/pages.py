"""The candidate's pages without buttons: a notice, the camera, the seat.

Each lays itself out for wide and tall screens and says what it is told, nothing of its own.
"""

from __future__ import annotations

from typing import Any

from ui import qt, theme
from ui.candidate.present import Shown
from ui.candidate.spoken import asked
from ui.i18n import text
from ui.widgets.code import QrCode
from ui.widgets.hallmap import HallMap, plan_of
from ui.widgets.pictures import Picture
from ui.widgets.preview import ARROWS, Preview
from ui.widgets.text import BigText

PROMPT_HOLD_MS = 600  #: a prompt stays at least this long, so that words do not flicker
_MOVING = frozenset([*ARROWS, "more_slowly", "further"])
GROUNDS = {"plain": None, "good": theme.PALE_GOOD, "warn": theme.PALE_WARN, "bad": theme.PALE_BAD}


class Page(qt.QWidget):
    """Something that fills the middle of the screen. On a tall one nothing that is touched is
    above `low`, in its own pixels."""

    low = 0.0

    def show_state(self, shown: Shown, state: dict[str, Any], language: str) -> None:
        raise NotImplementedError

    def forget(self) -> None:
        """Drop everything of the person who was there."""

    @property
    def unit(self) -> float:
        window = self.window()
        return theme.unit(window.width(), window.height())

    @property
    def tall(self) -> bool:
        return self.height() > self.width()

    def resizeEvent(self, event: qt.QResizeEvent) -> None:
        for words in self.findChildren(BigText):
            words.set_unit(self.unit)
        self._place(self.width(), self.height(), self.unit)

    def _place(self, width: int, height: int, u: float) -> None:
        raise NotImplementedError


def put(widget: qt.QWidget, x: float, y: float, width: float, height: float) -> None:
    widget.setGeometry(round(x), round(y), max(1, round(width)), max(1, round(height)))


class NoticePage(Page):
    """One picture, a few large words, one line of help."""

    def __init__(self, parent: qt.QWidget | None = None) -> None:
        super().__init__(parent)
        self.picture = Picture(self)
        self.title = BigText("title", 118, 56, bold=True, parent=self)
        self.body = BigText("body", 58, 34, parent=self)
        self.note = BigText("note", 52, 32, bold=True, parent=self)

    def show_state(self, shown: Shown, state: dict[str, Any], language: str) -> None:
        self.picture.show_kind(shown.picture)
        self.title.set_text(shown.title)
        # another try at what the picture shows; a refusal has its own button
        retry = shown.tone == "warn" and (
            shown.picture.startswith("finger") or (shown.picture == "card" and shown.action != "ok")
        )
        self.body.set_text(shown.body, theme.WARN if retry else theme.INK,
                           theme.PALE_WARN if retry else None)
        self.note.set_text(shown.note, theme.PRIMARY)

    def forget(self) -> None:
        for words in (self.title, self.body, self.note):
            words.set_text("")

    def _place(self, width: int, height: int, u: float) -> None:
        edge = 48 * u
        if self.tall:
            top = height * 0.50
            put(self.picture, edge, edge, width - 2 * edge, top - 2 * edge)
            x, across, y = edge, width - 2 * edge, top
        else:
            x, across, y = width * 0.43, width * 0.57 - edge, height * 0.12
            put(self.picture, edge, height * 0.06, width * 0.43 - 2 * edge, height * 0.88)
        room = height * 0.95 - y
        put(self.title, x, y, across, room * 0.46)
        put(self.body, x, y + room * 0.50, across, room * 0.27)
        put(self.note, x, y + room * 0.81, across, room * 0.17)


class FacePage(Page):
    """The mirrored live picture and one prompt; `prompted` when it is another one."""

    prompted = qt.pyqtSignal()

    def __init__(self, parent: qt.QWidget | None = None) -> None:
        super().__init__(parent)
        self.preview = Preview(self)
        self.title = BigText("title", 112, 52, bold=True, parent=self)
        self.body = BigText("body", 50, 32, parent=self)
        self._held = qt.QElapsedTimer()
        self._prompt: str | None = None
        self.then = False  #: the prompt follows another movement, which may not be over yet
        self._prompting = False
        self._language = "zh"
        self._body = ""

    def show_state(self, shown: Shown, state: dict[str, Any], language: str) -> None:
        self._prompting = state.get("state") == "face"
        if not self._prompting:
            self._prompt = None
        if self._prompt is None:
            self.title.set_text(shown.title)
        elif language != self._language:
            self.title.set_text(asked(self._prompt, self.then, language))
        self._language = language
        self._body = shown.body
        self._show_body()

    def _show_body(self) -> None:
        """Who is to move their head is not told of their hat."""
        moving = self._prompt in _MOVING
        self.body.set_text(text(self._language, "face.moving") if moving else self._body)

    def show_preview(self, preview: dict[str, Any]) -> None:
        self.preview.show_frame(preview)
        prompt = preview.get("prompt")
        # an instruction never waits behind "all is well", and a movement behind nothing: until it
        # can be read nobody can answer it
        held = (self._held.isValid() and self._held.elapsed() < PROMPT_HOLD_MS
                and self._prompt != "none" and prompt not in ARROWS)
        if not self._prompting or prompt == self._prompt or not prompt or held:
            return
        self.then = prompt in ARROWS and self._prompt in ARROWS
        self._prompt = str(prompt)
        self._held.start()
        self.title.set_text(asked(self._prompt, self.then, self._language))
        self._show_body()
        self.prompted.emit()

    @property
    def prompt(self) -> str | None:
        """What the person is asked for now; None before the first picture."""
        return self._prompt

    def forget(self) -> None:
        self.preview.clear()
        self._prompt = None
        self._held.invalidate()
        self.title.set_text("")
        self.body.set_text("")

    def hideEvent(self, event: qt.QEvent) -> None:
        self.forget()  # no old picture when the page comes back

    def _place(self, width: int, height: int, u: float) -> None:
        edge = 40 * u
        if self.tall:
            put(self.title, edge, edge / 2, width - 2 * edge, height * 0.17)
            put(self.preview, edge, height * 0.19, width - 2 * edge, height * 0.66)
            put(self.body, edge, height * 0.87, width - 2 * edge, height * 0.10)
        else:
            put(self.preview, edge, edge / 2, width * 0.54 - edge, height - edge)
            x, across = width * 0.54 + edge, width * 0.46 - 2 * edge
            put(self.title, x, height * 0.16, across, height * 0.42)
            put(self.body, x, height * 0.64, across, height * 0.24)


class SeatPage(Page):
    """The terminal's number, to be read from three metres, where to go, and the receipt."""

    def __init__(self, parent: qt.QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = BigText("title", 104, 52, bold=True, parent=self)
        self.caption = BigText("caption", 56, 34, parent=self)
        self.terminal = BigText("terminal", 460, 120, bold=True, parent=self)
        self.note = BigText("note", 50, 32, parent=self)
        self.picture = Picture(self)
        self.map = HallMap(self)
        self.place = BigText("place", 40, 22, bold=True, parent=self)
        self.receipt = QrCode(self)
        self.receipt_note = BigText("receipt_note", 34, 22, parent=self)

    def show_state(self, shown: Shown, state: dict[str, Any], language: str) -> None:
        self.title.set_text(shown.title, theme.GOOD)
        self.caption.set_text(shown.body)
        self.terminal.set_text(str(state.get("terminal") or ""), theme.PRIMARY)
        self.note.set_text(shown.note)
        self.picture.show_kind(shown.picture)
        self._show_map(state, language)
        self.receipt.set_text(str(state.get("receipt") or ""))
        seen = self.receipt.module_pixels
        self.receipt_note.set_text(text(language, "receipt.note") if seen else "")

    def _show_map(self, state: dict[str, Any], language: str) -> None:
        """The map in the picture's place, where the hall's rows and columns are known."""
        terminal, hall = str(state.get("terminal") or ""), state.get("hall")
        plan = plan_of(hall, terminal)
        self.map.set_plan(plan, text(language, "map.entrance"))
        self.map.setVisible(plan is not None)
        self.picture.setVisible(plan is None)
        seats = hall["seats"] if plan is not None and isinstance(hall, dict) else []
        found = next(((row, column) for name, row, column in seats if name == terminal), None)
        self.place.set_text(text(language, "map.place", row=found[0], column=found[1])
                            if found else "")

    def forget(self) -> None:
        for words in (self.title, self.caption, self.terminal, self.note, self.receipt_note,
                      self.place):
            words.set_text("")
        self.map.set_plan(None, "")
        self.receipt.set_text("")

    def hideEvent(self, event: qt.QEvent) -> None:
        self.forget()

    def _place(self, width: int, height: int, u: float) -> None:
        """The receipt's place is kept free before it is there, so that nothing moves."""
        edge = 40 * u
        if self.tall:
            put(self.caption, edge, edge, width - 2 * edge, height * 0.07)
            put(self.terminal, edge, height * 0.10, width - 2 * edge, height * 0.28)
            put(self.note, edge, height * 0.39, width - 2 * edge, height * 0.055)
            x, y, across, high = edge, height * 0.45, width - 2 * edge, height * 0.37
            put(self.title, edge, height * 0.83, width - 2 * edge, height * 0.15)
        else:
            half = width * 0.49
            put(self.caption, edge, height * 0.06, half - edge, height * 0.12)
            put(self.terminal, edge, height * 0.18, half - edge, height * 0.62)
            put(self.note, edge, height * 0.82, half - edge, height * 0.12)
            x, y, across, high = half + edge / 2, height * 0.02, width - half - edge, height * 0.72
            put(self.title, half + edge, height * 0.75, width - half - 2 * edge, height * 0.23)
        words = 88 * u
        side = min(high - words, across * 0.6)
        put(self.picture, x, y, across - side - edge / 2, high)
        put(self.map, x, y, across - side - edge / 2, high - words)
        put(self.place, x, y + high - words, across - side - edge / 2, words)
        put(self.receipt, x + across - side, y + (high - words - side) / 2, side, side)
        put(self.receipt_note, x + across - side, y + (high - words + side) / 2, side, words)
