"""The signing page: commitment, pad, undo, clear, confirm.

Hands a signature on with the hash of the very text that was shown. It must not know the socket.
"""

from __future__ import annotations

from typing import Any

from ui import qt, theme
from ui.candidate.pages import Page, put
from ui.candidate.present import Shown
from ui.candidate.reading import Reading
from ui.i18n import commitment, text
from ui.widgets.button import BigButton
from ui.widgets.pad import SignaturePad
from ui.widgets.text import BigText

LEFT = int(qt.Qt.AlignLeft | qt.Qt.AlignVCenter)


class SignPage(Page):
    """`signed` carries strokes, width, height, text_sha256 and pointer, as `candidate.sign`."""

    signed = qt.pyqtSignal(dict)

    def __init__(self, parent: qt.QWidget | None = None) -> None:
        super().__init__(parent)
        self._language = ""
        self._sha256 = ""
        self.title = BigText("title", 76, 40, bold=True, align=LEFT, parent=self)
        self.heading = BigText("commitment_title", 52, 34, bold=True, align=LEFT, parent=self)
        self.commitment = BigText("commitment", 42, 28, align=LEFT, parent=self)
        self.hint = BigText("hint", 40, 28, bold=True, align=LEFT, parent=self)
        self.pad = SignaturePad(self)
        self.undo = BigButton("undo", "quiet", sign="↶", parent=self)
        self.clear = BigButton("clear", "quiet", sign="✕", parent=self)
        self.confirm = BigButton("confirm", "primary", sign="✓", parent=self)
        self.enlarge = BigButton("enlarge", "quiet", sign="A+", size=34, parent=self)
        self.reading = Reading(self)
        self.reading.hide()
        self.enlarge.clicked.connect(self._read)
        self.reading.closed.connect(self._back_to_the_pad)
        self.undo.clicked.connect(self.pad.undo)
        self.clear.clicked.connect(self.pad.clear)
        self.confirm.clicked.connect(self._confirm)
        self.pad.changed.connect(self._on_ink)

    def show_state(self, shown: Shown, state: dict[str, Any], language: str) -> None:
        self.title.set_text(shown.title)
        if language == self._language:
            return
        self._language = language
        self.pad.clear()  # a signature belongs to the text it was written under
        words, self._sha256 = commitment(language)
        self.heading.set_text(text(language, "commitment.title"), theme.PRIMARY)
        self.commitment.set_text(words)
        self.pad.set_hint(shown.body)
        self.undo.set_words(text(language, "button.undo"))
        self.clear.set_words(text(language, "button.clear"))
        self.confirm.set_words(text(language, "button.confirm"))
        self.enlarge.set_words(text(language, "button.enlarge"))
        self.reading.set_words(words, *(text(language, f"button.{name}")
                                        for name in ("smaller", "larger", "read")))
        self._on_ink()
        self._place(self.width(), self.height(), self.unit)

    def forget(self) -> None:
        self.pad.clear()
        self.hint.set_text("")
        self.pad.setEnabled(True)
        self._show_reading(False)

    def hideEvent(self, event: qt.QEvent) -> None:
        self.forget()

    def try_again(self, key: str) -> None:
        """The daemon did not take it: say so and let the person go on."""
        self.pad.setEnabled(True)
        self._say(key)
        self._set_buttons()

    def _read(self) -> None:
        self._show_reading(True)

    def _back_to_the_pad(self) -> None:
        self._show_reading(False)
        self.pad.setFocus()

    def _show_reading(self, on: bool) -> None:
        """The text over everything; what was written stays as it is."""
        for part in (self.title, self.heading, self.commitment, self.hint, self.pad, self.enlarge,
                     self.undo, self.clear, self.confirm):
            part.setVisible(not on)
        if on:
            self.reading.begin()
        else:
            self.reading.hide()

    def _on_ink(self) -> None:
        self.hint.set_text("")
        self._set_buttons()

    def _set_buttons(self) -> None:
        something = not self.pad.is_blank and self.pad.isEnabled()
        self.undo.setEnabled(something)
        self.clear.setEnabled(something)
        self.confirm.setEnabled(self.pad.isEnabled())

    def _say(self, key: str) -> None:
        self.hint.set_text(text(self._language, key), theme.WARN, theme.PALE_WARN)

    def _confirm(self) -> None:
        if not self.pad.is_signature():
            self._say("sign.too_short")
            return
        self.pad.setEnabled(False)
        self._set_buttons()
        self.hint.set_text(text(self._language, "sign.sending"), theme.PRIMARY)
        self.signed.emit({
            "strokes": self.pad.strokes(),
            "width": self.pad.width(),
            "height": self.pad.height(),
            "text_sha256": self._sha256,
            "pointer": self.pad.pointer,
        })

    def _place(self, width: int, height: int, u: float) -> None:
        edge = 36 * u
        buttons = (self.undo, self.clear, self.confirm)
        for button in (*buttons, self.enlarge):
            button.set_unit(u)
        self.reading.set_unit(u)
        put(self.reading, 0, 0, width, height)
        large = self.enlarge.minimumSizeHint().width()
        if self.tall:
            left, top = edge, max(height * 0.37, self.low)
            put(self.heading, edge, 0, width - 2 * edge, 84 * u)
            put(self.commitment, edge, 90 * u, width - 2 * edge, top - height * 0.01 - 90 * u)
            put(self.enlarge, width - edge - large, top, large, 84 * u)
        else:
            column = width * 0.40
            put(self.heading, edge, edge / 2, column - 2 * edge - large, 84 * u)
            put(self.enlarge, column - edge / 2 - large, edge / 2, large, 84 * u)
            put(self.commitment, edge, 84 * u + edge / 2, column - 1.5 * edge,
                height - 84 * u - edge)
            left, top = column + edge, edge / 2
        across, row = width - left - edge, 96 * u
        beside = edge / 2 + large if self.tall else 0.0
        put(self.title, left, top, across - beside, 84 * u)
        bottom = height - row - edge / 2
        put(self.hint, left, bottom - 66 * u, across, 60 * u)
        put(self.pad, left, top + 92 * u, across, bottom - top - 168 * u)
        x, gap = left, 20 * u
        for button in buttons[:2]:
            size = button.minimumSizeHint()
            put(button, x, bottom, size.width(), row)
            x += size.width() + gap
        confirm = max(self.confirm.minimumSizeHint().width(), left + across - x - 2 * gap)
        put(self.confirm, left + across - confirm, bottom, confirm, row)
