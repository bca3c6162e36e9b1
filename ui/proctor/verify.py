"""Manual verification on the proctor's screen: photograph, live picture and card side by side,
and what is decided with which reason.

Shows what the daemon hands out and hands decisions on; it calls nobody and keeps nobody.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from kiosk.core.codes import FaceOverride, FingerOverride, Rejection
from ui import qt, theme
from ui.i18n import coded, text
from ui.proctor.page import choice, field
from ui.proctor.panels import button, label
from ui.proctor.people import Picture


def fill_reasons(box: qt.QComboBox, language: str, prefix: str, codes: Iterable[StrEnum],
                 first: str) -> None:
    """`first` is what stands there before anything was chosen."""
    box.addItem(first, None)
    for code in codes:
        box.addItem(text(language, f"{prefix}.{code}"), code.value)


class VerifyPanel(qt.QFrame):
    """`accepted` and `rejected` carry the parameters of `verify.accept` and `verify.reject`."""

    captured = qt.pyqtSignal()
    accepted = qt.pyqtSignal(dict)
    rejected = qt.pyqtSignal(dict)
    stopped = qt.pyqtSignal()

    def __init__(self, language: str) -> None:
        super().__init__()
        self.setObjectName("by_hand")
        self._language = language
        self._visit: int | None = None
        self._held = False  #: a picture has been taken
        self._live: str | None = None
        self.two_people = True
        self.name_shown = ""
        self.setStyleSheet(f"#by_hand {{ background: {theme.PANEL}; border: 2px solid"
                           f" {theme.PRIMARY}; border-radius: 10px; }}")
        self.heading = label("by_hand_heading", 20, bold=True, ink=theme.PRIMARY)
        self.heading.setText(text(language, "by_hand.heading"))
        self.name = label("by_hand_name", 28, bold=True)
        self.numbers = label("by_hand_numbers", 19)
        self.photo, self.live = Picture("by_hand_photo"), Picture("by_hand_live")
        column = qt.QVBoxLayout(self)
        column.setContentsMargins(16, 12, 16, 12)
        for part in (self.heading, self.name, self.numbers):
            column.addWidget(part)
        pictures = qt.QHBoxLayout()
        pictures.addWidget(self.photo, 4)
        pictures.addWidget(self.live, 4)
        pictures.addLayout(self._build_card(), 3)
        column.addLayout(pictures, 1)
        self.capture = button("by_hand_capture")
        column.addWidget(self.capture)
        column.addLayout(self._build_decision())
        self.capture.clicked.connect(self.captured)
        self.forget()

    def _build_card(self) -> qt.QVBoxLayout:
        self.card_heading = label("by_hand_card_heading", 17, bold=True)
        self.card_heading.setText(text(self._language, "by_hand.card"))
        self.card = label("by_hand_card", 20)
        self.card_says = label("by_hand_card_says", 20, bold=True)
        column = qt.QVBoxLayout()
        for part in (self.card_heading, self.card, self.card_says):
            column.addWidget(part)
        column.addStretch(1)
        return column

    def _build_decision(self) -> qt.QVBoxLayout:
        language = self._language
        self.why, self.finger = choice("by_hand_why"), choice("by_hand_finger")
        first = text(language, "by_hand.choose_accept")
        fill_reasons(self.why, language, "override", FaceOverride, first)
        self.finger.addItem(text(language, "by_hand.finger_asked"), None)
        for code in FingerOverride:
            why = text(language, f"waive.{code}")
            self.finger.addItem(text(language, "by_hand.finger_without", why=why), code.value)
        self.not_why = choice("by_hand_not_why")
        first = text(language, "by_hand.choose_reject")
        fill_reasons(self.not_why, language, "rejection", Rejection, first)
        self.note = field("by_hand_note", text(language, "by_hand.note"))
        self.accept, self.reject = button("by_hand_accept"), button("by_hand_reject")
        self.stop = button("by_hand_stop")
        for press, key in ((self.accept, "accept"), (self.reject, "reject"), (self.stop, "stop")):
            press.setText(text(language, f"by_hand.{key}"))
        grid = qt.QGridLayout()
        grid.setSpacing(8)
        grid.addWidget(self.why, 0, 0)
        grid.addWidget(self.finger, 0, 1)
        grid.addWidget(self.accept, 0, 2)
        grid.addWidget(self.not_why, 1, 0, 1, 2)
        grid.addWidget(self.reject, 1, 2)
        grid.addWidget(self.note, 2, 0, 1, 2)
        grid.addWidget(self.stop, 2, 2)
        grid.setColumnStretch(0, 3)
        grid.setColumnStretch(1, 2)
        for box in (self.why, self.not_why, self.finger):
            box.setSizeAdjustPolicy(qt.QComboBox.AdjustToMinimumContentsLengthWithIcon)
            box.currentIndexChanged.connect(lambda _n: self.allow())
        self.note.textChanged.connect(lambda _words: self.allow())
        self.accept.clicked.connect(self._accept)
        self.reject.clicked.connect(self._reject)
        self.stop.clicked.connect(self.stopped)
        column = qt.QVBoxLayout()
        column.addLayout(grid)
        return column

    # --- shown ----------------------------------------------------------------------------------

    def show_look(self, look: dict[str, Any]) -> None:
        """The result of `verify.look`."""
        if look.get("visit") != self._visit:
            self.forget()
            self._visit = int(look["visit"])
        self.two_people = bool(look.get("two_people"))
        self.name_shown = str(look.get("name") or "")
        self.name.setText(text(self._language, "by_hand.name", **look))
        self.numbers.setText(text(self._language, "by_hand.numbers", **look))
        self.photo.show_picture(look.get("photo"), text(self._language, "by_hand.photo"),
                                text(self._language, "by_hand.photo_gone"))
        self.finger.setVisible(bool(look.get("finger")))
        self._show_card(look.get("card"))
        if look.get("captured"):
            self.show_captured(look)
        self.allow()

    def _show_card(self, card: dict[str, Any] | None) -> None:
        if card is None:
            self.card.setText(text(self._language, "by_hand.card_none"))
            self.card_says.clear()
            return
        self.card.setText(text(self._language, "by_hand.card_lines", **card))
        fits = bool(card.get("fits"))
        key = "by_hand.card_fits" if fits else "by_hand.card_differs"
        self.card_says.setText(text(self._language, key))
        ink, ground = (theme.GOOD, theme.PALE_GOOD) if fits else (theme.BAD, theme.PALE_BAD)
        self.card_says.setStyleSheet(f"color: {ink}; background: {ground}; padding: 6px;"
                                     " border-radius: 6px;")

    def show_live(self, jpeg: str | None) -> None:
        """The newest picture, unless one has been taken: that one stays."""
        self._live = jpeg
        if not self._held:
            self.live.show_picture(jpeg, text(self._language, "by_hand.live"),
                                   text(self._language, "by_hand.no_live"))

    def show_captured(self, result: dict[str, Any]) -> None:
        """The result of `verify.capture`."""
        jpeg = result.get("captured")
        self._held = bool(jpeg)
        if self._held:
            self.live.show_picture(jpeg, text(self._language, "by_hand.captured"), "")
        self.allow()

    @property
    def is_held(self) -> bool:
        return self._held

    def release(self) -> None:
        """The picture taken is not good: the live one is seen again until another is taken."""
        self._held = False
        self.show_live(self._live)
        self.allow()

    def allow(self) -> None:
        """Only with a reason, its words where it needs some, and a picture."""
        why, not_why = self.why.currentData(), self.not_why.currentData()
        other = "other" in (why, self.finger.currentData())
        worded = bool(self.note.text().strip())
        seen = self._held or why == FaceOverride.CAMERA
        self.accept.setEnabled(why is not None and seen and (worded or not other))
        self.reject.setEnabled(not_why is not None and (worded or not_why != Rejection.OTHER))
        key = "by_hand.again" if self._held else "by_hand.capture"
        self.capture.setText(text(self._language, key))

    def _accept(self) -> None:
        self.accepted.emit({"visit": self._visit, "why": self.why.currentData(),
                            "finger_why": self.finger.currentData(),
                            "note": self.note.text().strip()})

    def _reject(self) -> None:
        self.rejected.emit({"visit": self._visit, "why": self.not_why.currentData(),
                            "note": self.note.text().strip()})

    def approval_words(self, params: dict[str, Any]) -> str:
        """What the second person is asked to approve."""
        why = coded(self._language, "override", params["why"])
        if params.get("finger_why"):
            finger = coded(self._language, "waive", params["finger_why"])
            return text(self._language, "by_hand.approve_both", name=self.name_shown, why=why,
                        finger=finger)
        return text(self._language, "by_hand.approve", name=self.name_shown, why=why)

    def forget(self) -> None:
        """Nothing of this person is left in any widget."""
        self._visit, self._held, self._live, self.name_shown = None, False, None, ""
        for words in (self.name, self.numbers, self.card, self.card_says):
            words.clear()
        self.note.clear()
        self.photo.forget()
        self.live.forget()
        for box in (self.why, self.not_why, self.finger):
            box.setCurrentIndex(0)
        self.allow()


class ReasonSheet(qt.QFrame):
    """A reason from a list and a note, over the window. `decided` carries both."""

    decided = qt.pyqtSignal(str, str)

    def __init__(self, language: str, parent: qt.QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("reason_sheet")
        self._language = language
        self.setStyleSheet(f"#reason_sheet {{ background: {theme.GROUND}; border: 3px solid"
                           f" {theme.PRIMARY}; border-radius: 12px; }}")
        self.heading = label("sheet_heading", 24, bold=True)
        self.why = choice("sheet_why")
        self.note = field("sheet_note", text(language, "by_hand.note"))
        self.go, self.leave = button("sheet_go"), button("sheet_leave")
        self.leave.setText(text(language, "sheet.leave"))
        row = qt.QHBoxLayout()
        row.addWidget(self.go, 1)
        row.addWidget(self.leave)
        column = qt.QVBoxLayout(self)
        column.setContentsMargins(26, 20, 26, 20)
        column.setSpacing(12)
        for part in (self.heading, self.why, self.note):
            column.addWidget(part)
        column.addLayout(row)
        self.why.currentIndexChanged.connect(lambda _n: self._allow())
        self.note.textChanged.connect(lambda _words: self._allow())
        self.go.clicked.connect(self._go)
        self.leave.clicked.connect(self.hide)
        self.hide()

    def ask(self, heading: str, prefix: str, codes: Iterable[StrEnum]) -> None:
        """`prefix` is that of the words: of the reasons, and of what the button says."""
        self.heading.setText(text(self._language, heading))
        self.go.setText(text(self._language, f"{prefix}.go"))
        self.why.clear()
        fill_reasons(self.why, self._language, prefix, codes,
                     text(self._language, "by_hand.choose"))
        self.note.clear()
        self._allow()
        parent = self.parentWidget()
        self.resize(min(620, parent.width() - 40), self.sizeHint().height() + 30)
        self.move((parent.width() - self.width()) // 2, (parent.height() - self.height()) // 2)
        self.show()
        self.raise_()
        self.why.setFocus()

    def _allow(self) -> None:
        why = self.why.currentData()
        worded = bool(self.note.text().strip())
        self.go.setEnabled(why is not None and (worded or why != "other"))

    def _go(self) -> None:
        self.hide()
        self.decided.emit(str(self.why.currentData()), self.note.text().strip())
