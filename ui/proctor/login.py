"""What covers the proctor's window while nobody has logged in, or while it is locked.

Shows what the daemon says about who stands there; it decides and calls nothing itself.
"""

from __future__ import annotations

from typing import Any

from ui import qt, theme
from ui.i18n import text
from ui.proctor.panels import button, label
from ui.proctor.pin import PinEntry

WIDTH = 480
WIDE = 760  #: for a command to be typed elsewhere


class LoginPage(qt.QFrame):
    """`entered` carries number and PIN; `left` says that somebody else wants to log in."""

    entered = qt.pyqtSignal(str, str)
    left = qt.pyqtSignal()

    def __init__(self, language: str) -> None:
        super().__init__()
        self.setObjectName("login")
        self._language = language
        self.setAutoFillBackground(True)
        self.heading = label("login_heading", 34, bold=True)
        self.heading.setAlignment(qt.Qt.AlignCenter)
        self.who = label("login_who", 24, ink=theme.SOFT_INK)
        self.who.setAlignment(qt.Qt.AlignCenter)
        self.help = label("login_help", 22, bold=True)
        self.help.setAlignment(qt.Qt.AlignCenter)
        self.help.setStyleSheet(f"color: {theme.WARN}; background: {theme.PALE_WARN};"
                                " padding: 10px; border-radius: 8px;")
        self.help.hide()
        self.entry = PinEntry("login", language)
        self.entry.go.setText(text(language, "login.go"))
        self.other = button("login_other")
        self.other.setText(text(language, "login.other"))
        self._inner = inner = qt.QWidget()
        inner.setFixedWidth(WIDTH)
        column = qt.QVBoxLayout(inner)
        column.setSpacing(10)
        for part in (self.heading, self.who, self.help, self.entry, self.other):
            column.addWidget(part)
        whole = qt.QVBoxLayout(self)
        whole.addStretch(1)
        whole.addWidget(inner, 0, qt.Qt.AlignHCenter)
        whole.addStretch(1)
        self._shown: tuple[object, ...] = ()
        self.entry.entered.connect(self.entered)
        self.other.clicked.connect(self.left)

    def show_standing(self, staff: dict[str, Any], connected: bool) -> None:
        """`staff`: the notification, empty until it has come."""
        person = staff.get("person") or {}
        locked = bool(staff.get("locked"))
        set_up = bool(staff.get("set_up", True))
        shown = (person.get("staff_no"), locked, set_up)
        if shown != self._shown:
            self._shown = shown
            self.entry.begin(str(person.get("staff_no") or "") if locked else "")
        key = "login.locked" if locked else "login.heading"
        self.heading.setText(text(self._language, key if set_up else "login.no_staff"))
        self.who.setText(text(self._language, "login.who", **person) if locked
                         else "" if set_up else text(self._language, "login.no_staff_how"))
        self.who.setVisible(bool(self.who.text()))
        self._inner.setFixedWidth(WIDTH if set_up else WIDE)
        self.entry.setVisible(set_up)
        self.entry.setEnabled(connected)
        self.entry.number.setReadOnly(locked)
        self.other.setVisible(locked)

    def show_help(self, words: str) -> None:
        """That candidates wait, without saying who."""
        self.help.setText(words)
        self.help.setVisible(bool(words))


class ApprovalSheet(qt.QFrame):
    """A second person's number and PIN, over the window. `approved` carries both."""

    approved = qt.pyqtSignal(str, str)
    left = qt.pyqtSignal()

    def __init__(self, language: str, parent: qt.QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("approval")
        self._language = language
        self.setStyleSheet(f"#approval {{ background: {theme.GROUND}; border: 3px solid"
                           f" {theme.PRIMARY}; border-radius: 12px; }}")
        self.heading = label("approval_heading", 28, bold=True)
        self.heading.setText(text(language, "approval.heading"))
        self.what = label("approval_what", 20)
        self.entry = PinEntry("approval", language)
        self.entry.go.setText(text(language, "approval.go"))
        self.leave = button("approval_leave")
        self.leave.setText(text(language, "approval.leave"))
        column = qt.QVBoxLayout(self)
        column.setContentsMargins(26, 20, 26, 20)
        for part in (self.heading, self.what, self.entry, self.leave):
            column.addWidget(part)
        self.entry.entered.connect(self.approved)
        self.leave.clicked.connect(self._leave)
        self.hide()

    def ask(self, what: str) -> None:
        """`what` is decided, in words, so that the second person knows."""
        self.what.setText(what)
        self.entry.begin()
        parent = self.parentWidget()
        size = qt.QSize(WIDTH + 52, max(self.heightForWidth(WIDTH + 52), self.sizeHint().height()))
        self.resize(size)
        self.move((parent.width() - size.width()) // 2, (parent.height() - size.height()) // 2)
        self.show()
        self.raise_()
        self.entry.number.setFocus()

    def _leave(self) -> None:
        self.forget()
        self.left.emit()

    def forget(self) -> None:
        self.entry.begin()
        self.hide()
