"""Number and PIN on a large pad: to log in, to open a locked screen, to approve.

Hands both on and forgets the PIN at once; it must not call the daemon.
"""

from __future__ import annotations

from ui import qt, theme
from ui.i18n import text
from ui.proctor.panels import button, label

KEYS = ("1", "2", "3", "4", "5", "6", "7", "8", "9", "clear", "0", "back")
MOST_DIGITS = 12


class PinEntry(qt.QWidget):
    """`entered` carries staff number and PIN."""

    entered = qt.pyqtSignal(str, str)

    def __init__(self, name: str, language: str) -> None:
        super().__init__()
        self._language = language
        self.number, self.pin = self._field(f"{name}_number"), self._field(f"{name}_pin")
        self.pin.setEchoMode(qt.QLineEdit.Password)
        self._at = self.number
        for field in (self.number, self.pin):
            field.installEventFilter(self)
        self.keys: dict[str, qt.QPushButton] = {}
        grid = qt.QGridLayout()
        grid.setSpacing(8)
        for n, key in enumerate(KEYS):
            made = button(f"{name}_key_{key}")
            made.setFont(theme.font(30, bold=True))
            made.setMinimumSize(112, 60)
            made.setFocusPolicy(qt.Qt.NoFocus)  # the field keeps it
            made.setText(key if key.isdigit() else text(language, f"login.{key}"))
            made.clicked.connect(lambda _=False, key=key: self.press(key))
            grid.addWidget(made, n // 3, n % 3)
            self.keys[key] = made
        self.go = button(f"{name}_go")
        self.go.setMinimumHeight(58)
        self.go.setFont(theme.font(26, bold=True))
        self.go.clicked.connect(self._enter)
        self.said = label(f"{name}_said", 20, bold=True, ink=theme.BAD)
        self.said.setAlignment(qt.Qt.AlignCenter)
        self.said.setMinimumHeight(54)
        fields = qt.QGridLayout()
        for row, (key, field) in enumerate((("number", self.number), ("pin", self.pin))):
            words = label(f"{name}_{key}_words", 20, ink=theme.SOFT_INK)
            words.setText(text(language, f"login.{key}"))
            words.setWordWrap(False)
            fields.addWidget(words, row, 0)
            fields.addWidget(field, row, 1)
        column = qt.QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        column.addLayout(fields)
        column.addWidget(self.said)
        column.addLayout(grid)
        column.addWidget(self.go)
        for field in (self.number, self.pin):
            field.textChanged.connect(self._on_text)
            field.returnPressed.connect(self._on_return)
        self._on_text()

    def _field(self, name: str) -> qt.QLineEdit:
        made = qt.QLineEdit()
        made.setObjectName(name)
        made.setFont(theme.font(30))
        made.setMinimumHeight(52)
        made.setMaxLength(MOST_DIGITS)
        made.setAlignment(qt.Qt.AlignCenter)
        made.setContextMenuPolicy(qt.Qt.NoContextMenu)
        return made

    def eventFilter(self, watched: qt.QObject, event: qt.QEvent) -> bool:
        if event.type() == qt.QEvent.FocusIn and isinstance(watched, qt.QLineEdit):
            self._at = watched
        return False

    def begin(self, staff_no: str = "") -> None:
        """Empty again; with a number it is only the PIN that is asked for."""
        self.number.setText(staff_no)
        self.pin.clear()
        self.said.clear()
        self._at = self.pin if staff_no else self.number
        self._at.setFocus()

    def press(self, key: str) -> None:
        """A key of the pad."""
        if key == "clear":
            self._at.clear()
        elif key == "back":
            self._at.backspace()
        else:
            self._at.insert(key)

    def say(self, words: str) -> None:
        """Why it was not taken; the PIN is typed anew."""
        self.pin.clear()
        self.said.setText(words)
        self._at = self.pin
        self.pin.setFocus()

    def _on_text(self) -> None:
        self.go.setEnabled(bool(self.number.text() and self.pin.text()))

    def _on_return(self) -> None:
        if not self.pin.text():
            self._at = self.pin
            self.pin.setFocus()
        else:
            self._enter()

    def _enter(self) -> None:
        staff_no, pin = self.number.text().strip(), self.pin.text()
        self.pin.clear()
        if staff_no and pin:
            self.said.clear()
            self.entered.emit(staff_no, pin)
