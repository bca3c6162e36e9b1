"""The number page: a large keypad for an identity or admission number, and a scanner's keys.

Hands on what was entered and says kindly what is wrong with it. It must not know whose it is.
"""

from __future__ import annotations

from typing import Any

from ui import qt, theme
from ui.candidate.pages import Page, put
from ui.candidate.present import Shown
from ui.i18n import has, text
from ui.widgets.button import BigButton
from ui.widgets.text import BigText

KEYS = ("1", "2", "3", "4", "5", "6", "7", "8", "9", "X", "0")
LONGEST = 64
SHOWN = 24  #: characters of a very long number that are shown, its last ones
SCAN_MS = 100  #: a scanner's keys are nearer to one another; nobody types like that
SCAN_LENGTH = 6


class NumberPage(Page):
    """`entered` carries the number as it was typed or scanned."""

    entered = qt.pyqtSignal(str)

    def __init__(self, parent: qt.QWidget | None = None) -> None:
        super().__init__(parent)
        self._language = "zh"
        self._typed = ""
        self._burst = ""
        self._since_key = qt.QElapsedTimer()
        self._sending = False
        self._hint = ""
        self._scan_problem: str | None = None
        self._left: object = None
        self.setFocusPolicy(qt.Qt.StrongFocus)
        self.title = BigText("title", 84, 40, bold=True, parent=self)
        self.body = BigText("body", 46, 28, parent=self)
        self.hint = BigText("hint", 48, 28, bold=True, parent=self)
        self.left = BigText("left", 38, 26, bold=True, parent=self)
        self.field = BigText("number", 68, 26, bold=True, parent=self)
        self.keys = {key: self._key(f"key_{key}", "quiet", key) for key in KEYS}
        self.delete = self._key("key_delete", "quiet", "⌫")
        self.clear = BigButton("key_clear", "quiet", parent=self)
        self.confirm = BigButton("key_confirm", "primary", sign="✓", parent=self)
        for key, made in self.keys.items():
            made.clicked.connect(lambda _=False, key=key: self._type(key))
        self.delete.clicked.connect(self._delete)
        self.clear.clicked.connect(lambda: self._set(""))
        self.confirm.clicked.connect(lambda: self._confirm(self._typed))
        for made in (*self.keys.values(), self.delete, self.clear, self.confirm):
            # a touch must not take the focus from the page: a scanner's Enter would press the key
            made.setFocusPolicy(qt.Qt.TabFocus)

    def _key(self, name: str, kind: str, words: str) -> BigButton:
        made = BigButton(name, kind, size=60, parent=self)
        made.set_words(words)
        return made

    def show_state(self, shown: Shown, state: dict[str, Any], language: str) -> None:
        self._language = language
        self.title.set_text(shown.title)
        self.body.set_text(shown.body)
        self._left = state.get("numbers_left")
        if state.get("number_failed") and not self._hint and not self._typed:
            self._hint = "number.failed"
        scanned = state.get("scan_problem")
        if scanned and scanned != self._scan_problem:  # of a code that the daemon has read itself
            self._hint = f"number.{scanned}"
        self._scan_problem = scanned
        self.clear.set_words(text(language, "button.clear_number"))
        self.confirm.set_words(text(language, "button.ok_number"))
        self.delete.setAccessibleName(text(language, "button.delete"))
        self._show()

    def forget(self) -> None:
        self._typed = self._burst = self._hint = ""
        self._scan_problem = None
        self._left = None
        self._sending = False
        self._since_key.invalidate()
        for words in (self.title, self.body, self.hint, self.left, self.field):
            words.set_text("")

    def hideEvent(self, event: qt.QEvent) -> None:
        self.forget()

    def declined(self, code: str) -> None:
        """The daemon found no number in it (`NUMBER_LENGTH`, …), or did not answer."""
        key = f"number.{code.removeprefix('NUMBER_').lower()}"
        self._sending = False
        self._hint = key if has(key) else "number.again"
        self._show()

    # --- typing ---------------------------------------------------------------------------------

    def take_key(self, event: qt.QKeyEvent) -> bool:
        """A key of a keyboard or of a scanner that acts like one; True when it was for us."""
        if event.key() in (qt.Qt.Key_Return, qt.Qt.Key_Enter):
            self._confirm(self._scanned() or self._typed)
        elif event.key() in (qt.Qt.Key_Backspace, qt.Qt.Key_Delete):
            self._delete()
        elif len(event.text()) == 1 and (event.text().isalnum() or event.text() == "-"):
            self.setFocus()  # so that the Enter at the end presses no button
            near = self._since_key.isValid() and self._since_key.elapsed() <= SCAN_MS
            self._burst = (self._burst if near else "") + event.text().upper()
            self._since_key.start()
            self._type(event.text().upper())
        else:
            return False
        return True

    def _scanned(self) -> str:
        """What just came as fast as only a scanner types; it stands for itself."""
        fast = self._since_key.isValid() and self._since_key.elapsed() <= SCAN_MS
        return self._burst if fast and len(self._burst) >= SCAN_LENGTH else ""

    def keyPressEvent(self, event: qt.QKeyEvent) -> None:
        if not self.take_key(event):
            super().keyPressEvent(event)

    def _type(self, character: str) -> None:
        if not self._sending:
            self._set((self._typed + character)[:LONGEST])

    def _delete(self) -> None:
        if not self._sending:
            self._set(self._typed[:-1])

    def _set(self, typed: str) -> None:
        self._typed, self._hint = typed, ""
        self._show()

    def _confirm(self, number: str) -> None:
        if self._sending:
            return
        self._burst = ""
        if not number:
            self.declined("NUMBER_EMPTY")
            return
        self._sending, self._typed, self._hint = True, number, ""
        self._show()
        self.entered.emit(number)

    # --- what is seen ---------------------------------------------------------------------------

    def _show(self) -> None:
        if self._typed:
            self.field.set_text(grouped(self._typed), theme.PRIMARY)
        else:
            self.field.set_text(text(self._language, "number.place"), theme.SOFT_INK)
        words = text(self._language, self._hint) if self._hint else ""
        self.hint.set_text(words, theme.WARN, theme.PALE_WARN)
        few = isinstance(self._left, int) and self._left < 3
        left = text(self._language, "number.last" if self._left == 1 else "number.left",
                    n=self._left) if few else ""
        self.left.set_text(left, theme.PRIMARY)
        for button in (self.delete, self.clear):
            button.setEnabled(bool(self._typed) and not self._sending)
        self.confirm.setEnabled(not self._sending)
        self.update()

    def paintEvent(self, event: qt.QPaintEvent) -> None:
        """The field's ground."""
        painter = qt.QPainter(self)
        painter.setRenderHint(qt.QPainter.Antialiasing)
        u = self.unit
        painter.setPen(qt.QPen(qt.QColor(theme.SOFT_INK), 3 * u))
        painter.setBrush(qt.QColor(theme.PANEL))
        box = qt.QRectF(self.field.geometry()).adjusted(-10 * u, 4 * u, 10 * u, -4 * u)
        painter.drawRoundedRect(box, 18 * u, 18 * u)

    def _place(self, width: int, height: int, u: float) -> None:
        edge, gap = 40 * u, 16 * u
        for button in (*self.keys.values(), self.delete, self.clear, self.confirm):
            button.set_unit(u)
        if self.tall:
            across = width - 2 * edge
            put(self.title, edge, 0, across, height * 0.11)
            put(self.body, edge, height * 0.115, across, height * 0.07)
            put(self.hint, edge, height * 0.19, across, height * 0.075)
            put(self.left, edge, height * 0.27, across, height * 0.035)
            x, y, wide = edge, max(height * 0.32, self.low), across
        else:
            column = width * 0.46 - 2 * edge
            put(self.title, edge, height * 0.06, column, height * 0.30)
            put(self.body, edge, height * 0.38, column, height * 0.18)
            put(self.hint, edge, height * 0.60, column, height * 0.22)
            put(self.left, edge, height * 0.85, column, height * 0.10)
            x, y, wide = width * 0.46, edge / 2, width * 0.54 - edge
        room = height - y - edge / 4
        row = (room - 5 * gap) / 6
        put(self.field, x + 16 * u, y, wide - 32 * u, row)
        key = (wide - 2 * gap) / 3
        for n, button in enumerate((*self.keys.values(), self.delete)):
            put(button, x + (n % 3) * (key + gap), y + (n // 3 + 1) * (row + gap), key, row)
        last = y + 5 * (row + gap)
        put(self.clear, x, last, key, row)
        put(self.confirm, x + key + gap, last, 2 * key + gap, row)


def grouped(number: str) -> str:
    """As it is printed on cards and slips, so that it can be compared: 6-8-4, else in fours.

    >>> grouped("37060219610804301X"), grouped("3706261100001")
    ('370602 19610804 301X', '3706 2611 0000 1')
    """
    if 13 < len(number) <= 18:
        return " ".join(filter(None, (number[:6], number[6:14], number[14:])))
    shown = number if len(number) <= SHOWN else "…" + number[-SHOWN:]
    return " ".join(shown[n : n + 4] for n in range(0, len(shown), 4))
