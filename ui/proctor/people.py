"""The candidates' page: find somebody, see where they are, look at their pictures and history.

The list is masked; the whole of one person is asked for by a press, because each look is
journalled, and goes from the screen after a while.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

from ui import qt, theme
from ui.i18n import coded, text
from ui.proctor.page import Line, choice, field
from ui.proctor.panels import button, label
from ui.proctor.tables import CandidateTable, Table
from ui.times import clock

TYPED_MS = 300  #: after the last letter the list is asked for
SHOWN_MS = 120_000  #: so long one person's pictures stay on the screen
FILTERS = ("all", "booked", "seated", "in_hall", "late", "left", "accessible")


def belongs(candidate: dict[str, Any], group: str) -> bool:
    """Whether one of `session.candidates` is of this group of `FILTERS`."""
    standing = candidate.get("standing")
    match group:
        case "booked" | "seated":
            return standing == group
        case "in_hall":
            return standing == "inside" and not candidate.get("left")
        case "late" | "left" | "accessible":
            return bool(candidate.get(group))
    return True


class Frame(qt.QWidget):
    """A picture as large as its place; words where there is none."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setMinimumSize(120, 120)
        self.setSizePolicy(qt.QSizePolicy.Expanding, qt.QSizePolicy.Expanding)
        self.pixels, self.instead = qt.QImage(), ""

    def show_pixels(self, pixels: qt.QImage, instead: str) -> None:
        self.pixels, self.instead = pixels, instead
        self.update()

    def paintEvent(self, event: qt.QPaintEvent) -> None:
        painter = qt.QPainter(self)
        painter.fillRect(self.rect(), qt.QColor(theme.PANEL))
        painter.setRenderHint(qt.QPainter.SmoothPixmapTransform)
        whole = qt.QRectF(self.rect())
        if self.pixels.isNull():
            painter.setPen(qt.QColor(theme.SOFT_INK))
            painter.setFont(theme.font(18))
            flags = int(qt.Qt.AlignCenter | qt.Qt.TextWordWrap)
            painter.drawText(whole.adjusted(8, 8, -8, -8), flags, self.instead)
            return
        size = qt.QSizeF(self.pixels.size()).scaled(whole.size(), qt.Qt.KeepAspectRatio)
        box = qt.QRectF(0, 0, size.width(), size.height())
        box.moveCenter(whole.center())
        painter.drawImage(box, self.pixels)


class Picture(qt.QFrame):
    """One picture with a line under it; in its place, when there is none, words."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.image = Frame(f"{name}_image")
        self.words = label(f"{name}_words", 17, bold=True)
        self.words.setAlignment(qt.Qt.AlignCenter)
        column = qt.QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.image, 1)
        column.addWidget(self.words)

    def show_picture(self, jpeg: str | None, words: str, instead: str) -> None:
        """`jpeg` in base64; what cannot be read counts as none."""
        try:
            pixels = qt.QImage.fromData(base64.b64decode(jpeg or "", validate=True))
        except (binascii.Error, ValueError):
            pixels = qt.QImage()
        self.words.setText(words)
        self.image.show_pixels(pixels, instead)

    def forget(self) -> None:
        self.show_picture(None, "", "")


class HistoryTable(Table):
    def __init__(self, language: str) -> None:
        super().__init__("history", ("time", "kind", "terminal", "reason", "person"), language)

    def fill(self, history: list[dict[str, Any]]) -> None:
        self.setRowCount(len(history))
        for n, entry in enumerate(history):
            reason = entry.get("reason")
            self.put(n, [
                clock(entry.get("at"), seconds=True),
                coded(self.language, "kind", entry.get("kind")),
                str(entry.get("terminal") or ""),
                coded(self.language, "reason", reason) if reason else "",
                str(entry.get("person") or ""),
            ])


class CandidateCard(qt.QWidget):
    """One person: photograph and live picture side by side, and what happened."""

    closed = qt.pyqtSignal()

    def __init__(self, language: str) -> None:
        super().__init__()
        self.setObjectName("candidate_card")
        self._language = language
        self._captures: list[dict[str, Any]] = []
        self._at = 0
        self.name = label("card_name", 30, bold=True)
        self.number = label("card_number", 18)
        self.back = button("card_back")
        self.back.setText(text(language, "people.back"))
        self.photo, self.live = Picture("card_photo"), Picture("card_live")
        self.earlier, self.later = button("card_earlier"), button("card_later")
        self.earlier.setText("‹ " + text(language, "people.earlier"))
        self.later.setText(text(language, "people.later") + " ›")
        self.heading = label("card_history", 18, bold=True, ink=theme.SOFT_INK)
        self.heading.setText(text(language, "people.history"))
        self.history = HistoryTable(language)
        top = qt.QHBoxLayout()
        words = qt.QVBoxLayout()
        words.addWidget(self.name)
        words.addWidget(self.number)
        top.addLayout(words, 1)
        top.addWidget(self.back, 0, qt.Qt.AlignTop)
        pictures = qt.QHBoxLayout()
        pictures.addWidget(self.photo, 1)
        pictures.addWidget(self.live, 1)
        turn = qt.QHBoxLayout()
        turn.addStretch(1)
        turn.addWidget(self.earlier)
        turn.addWidget(self.later)
        column = qt.QVBoxLayout(self)
        column.addLayout(top)
        column.addLayout(pictures, 3)
        column.addLayout(turn)
        column.addWidget(self.heading)
        column.addWidget(self.history, 2)
        self.back.clicked.connect(self.closed)
        self.earlier.clicked.connect(lambda: self._turn(-1))
        self.later.clicked.connect(lambda: self._turn(1))

    def show_person(self, person: dict[str, Any]) -> None:
        """The result of `candidate.show`."""
        self.name.setText(str(person.get("name") or ""))
        self.number.setText(text(self._language, "people.number",
                                 admission_no=person.get("admission_no"),
                                 licence_class=person.get("licence_class")))
        self.photo.show_picture(person.get("photo"), text(self._language, "people.photo"),
                                text(self._language, "people.photo_gone"))
        self._captures = list(person.get("captures") or [])
        self._at = len(self._captures) - 1
        self._show_capture()
        self.history.fill(list(person.get("history") or []))

    def _turn(self, step: int) -> None:
        self._at = max(0, min(len(self._captures) - 1, self._at + step))
        self._show_capture()

    def _show_capture(self) -> None:
        none = text(self._language, "people.no_capture")
        for press in (self.earlier, self.later):
            press.setVisible(len(self._captures) > 1)
        if not self._captures:
            self.live.show_picture(None, "", none)
            return
        capture = self._captures[self._at]
        key = f"people.capture.{capture.get('outcome')}"
        words = text(self._language, key, time=clock(capture.get("at")))
        self.live.show_picture(capture.get("jpeg"), words, none)
        self.earlier.setEnabled(self._at > 0)
        self.later.setEnabled(self._at < len(self._captures) - 1)

    def forget(self) -> None:
        """Nothing of this person is left in any widget."""
        self._captures = []
        for words in (self.name, self.number):
            words.clear()
        self.photo.forget()
        self.live.forget()
        self.history.fill([])


class PeoplePage(qt.QStackedWidget):
    """`chosen` carries the selected candidate, or None; `searched` that the list is wanted."""

    chosen = qt.pyqtSignal(object)
    searched = qt.pyqtSignal()
    verify = qt.pyqtSignal(str)  #: the selected one's `ref`: to be looked at by hand
    let_out = qt.pyqtSignal(str)  #: the same, to be let out
    let_back = qt.pyqtSignal(str)  #: the terminal of who has left and may come in again

    def __init__(self, language: str, line: Line) -> None:
        super().__init__()
        self._language, self._line = language, line
        self._session_id = ""
        self._may_act = False
        self._asked = 0  #: counts looks: an answer to an earlier one is not shown
        self._all: list[dict[str, Any]] = []
        self._one: dict[str, Any] | None = None
        self.search = field("people_search", text(language, "people.search"), 64)
        self.group = choice("people_group")
        for group in FILTERS:
            self.group.addItem(text(language, f"people.{group}"), group)
        self.counted = label("people_count", 18, ink=theme.SOFT_INK)
        self.table = CandidateTable(language)
        self.none = label("people_none", 18, ink=theme.SOFT_INK)
        self.none.setText(text(language, "people.none"))
        self.look = button("people_look")
        self.look.setText(text(language, "people.look"))
        self.by_hand = button("people_verify")
        self.by_hand.setText(text(language, "help.verify"))
        self.by_hand.clicked.connect(lambda: self.verify.emit(str((self._one or {}).get("ref"))))
        self.out, self.back = button("people_let_out"), button("people_let_back")
        self.out.setText(text(language, "out.by_hand"))
        self.back.setText(text(language, "out.let_back"))
        self.out.clicked.connect(lambda: self.let_out.emit(str((self._one or {}).get("ref"))))
        self.back.clicked.connect(
            lambda: self.let_back.emit(str((self._one or {}).get("terminal"))))
        self.gate_lets_out = False
        self.note = label("people_note", 16, ink=theme.SOFT_INK)
        self.note.setText(text(language, "people.journalled"))
        self.card = CandidateCard(language)
        self.addWidget(self._list())
        self.addWidget(self.card)
        self._typed, self._shown = self._timer(TYPED_MS), self._timer(SHOWN_MS)
        self._typed.timeout.connect(self.searched)
        self._shown.timeout.connect(self.forget)
        self.search.textEdited.connect(lambda _words: self._typed.start())
        self.group.currentIndexChanged.connect(lambda _n: self._fill())
        self.table.chosen.connect(self._choose)
        self.table.itemDoubleClicked.connect(lambda _item: self._look())
        self.look.clicked.connect(self._look)
        self.card.closed.connect(self.forget)
        self._choose(None)
        self._fill()

    def _timer(self, wait_ms: int) -> qt.QTimer:
        made = qt.QTimer(self)
        made.setSingleShot(True)
        made.setInterval(wait_ms)
        return made

    def _list(self) -> qt.QWidget:
        row = qt.QHBoxLayout()
        row.addWidget(self.search, 1)
        row.addWidget(self.group)
        row.addWidget(self.counted)
        self.counted.setWordWrap(False)
        beside = qt.QHBoxLayout()  # above the list, which may be cut off below
        for press in (self.look, self.by_hand, self.out, self.back):
            beside.addWidget(press)
        beside.addWidget(self.note, 1)
        whole = qt.QWidget()
        column = qt.QVBoxLayout(whole)
        column.addLayout(row)
        column.addLayout(beside)
        column.addWidget(self.none)
        column.addWidget(self.table, 1)
        return whole

    @property
    def query(self) -> str:
        return str(self.search.text().strip())

    def show_list(self, session_id: str | None, candidates: list[dict[str, Any]]) -> None:
        """The result of `session.candidates` for `query`."""
        if session_id != self._session_id:
            self._session_id = session_id or ""
            self.forget()
        self._all = candidates
        self._fill()

    def _fill(self) -> None:
        group = str(self.group.currentData())
        shown = [c for c in self._all if belongs(c, group)]
        self.table.fill(shown)
        self.counted.setText(text(self._language, "people.count", shown=len(shown),
                                all=len(self._all)))
        self.none.setVisible(bool(self.query or group != "all") and not shown)

    def allow(self, may_act: bool) -> None:
        self._may_act = may_act
        known = self._one is not None and bool(self._one.get("ref"))
        one = self._one or {}
        outside = one.get("standing") in ("booked", "seated") or bool(
            one.get("released") or one.get("returns"))
        self.look.setEnabled(may_act and known)
        self.by_hand.setEnabled(may_act and known and outside)
        standing = (self._one or {}).get("standing")
        self.out.setVisible(self.gate_lets_out and standing in ("seated", "inside"))
        self.back.setVisible(standing == "left")
        self.out.setEnabled(may_act and known)
        self.back.setEnabled(may_act and known and not (self._one or {}).get("returns"))

    def _choose(self, candidate: dict[str, Any] | None) -> None:
        self._one = candidate
        self.allow(self._may_act)
        self.chosen.emit(candidate)

    def _look(self) -> None:
        if not self.look.isEnabled() or self._one is None:
            return
        self._asked += 1
        asked = self._asked
        self._line.ask("candidate.show", {"session_id": self._session_id, "ref": self._one["ref"],
                                          "lang": self._language},
                       lambda person: self._show(asked, person))

    def _show(self, asked: int, person: dict[str, Any]) -> None:
        if asked != self._asked:
            return
        self.card.show_person(person)
        self.setCurrentWidget(self.card)
        self._shown.start()
        self.chosen.emit(None)  # the room is the pictures'

    def forget(self) -> None:
        """Back to the list; one person's pictures are left to nobody."""
        self._asked += 1
        self._shown.stop()
        self.card.forget()
        if self.currentIndex() != 0:
            self.setCurrentIndex(0)
            self.chosen.emit(self._one)
