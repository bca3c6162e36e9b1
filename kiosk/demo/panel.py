"""The virtual venue's own window: what a person at the gate would do, as buttons.

Stands for hardware and bodies (card, face, finger, feet); everything else happens in the real
windows beside it. Knows the twins, not the lane.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from kiosk.demo.people import CHEN, LI, STRANGER, WANG, ZHOU, Person, write_roster
from kiosk.demo.venue import STAFF, Venue, VenueOptions, soon
from ui import qt

WORDS = {
    "zh": {
        "title": "虚拟现场：卡、脸、手指、脚步",
        "who": "谁来了",
        "card": "放上身份证",
        "lift": "拿走身份证",
        "come": "站到镜头前",
        "photo": "举着照片",
        "left": "头转向左",
        "right": "头转向右",
        "center": "看正前方",
        "blink": "眨眼",
        "leave": "离开",
        "finger": "按手指",
        "other": "按别的手指",
        "lift_finger": "抬起手指",
        "pass": "走过闸机",
        "back": "进闸又退回",
        "two": "两人跟随",
        "force": "强行闯入",
        "unplug": "拔掉指纹仪",
        "replug": "插上指纹仪",
        "staff": "考试员屏幕的工号、姓名、密码：",
        "hint": "签名请直接在考生屏幕上写。关闭本窗口即结束。",
    },
    "en": {
        "title": "Virtual venue: card, face, finger, feet",
        "who": "Who is there",
        "card": "lay card on",
        "lift": "take card away",
        "come": "step before the camera",
        "photo": "hold up a photograph",
        "left": "turn head left",
        "right": "turn head right",
        "center": "look ahead",
        "blink": "blink",
        "leave": "walk away",
        "finger": "put finger on",
        "other": "put another finger on",
        "lift_finger": "lift finger",
        "pass": "walk through",
        "back": "go in and turn back",
        "two": "two people at once",
        "force": "force the gate",
        "unplug": "unplug the fingerprint reader",
        "replug": "plug it in again",
        "staff": "Number, name and PIN for the proctor's screen:",
        "hint": "Sign on the candidate's screen itself. Closing this window ends the play.",
    },
}
PEOPLE = (WANG, LI, CHEN, ZHOU, STRANGER)


def play_by_hand(folder: Path, photos: Path, language: str) -> None:
    """Open candidate, proctor and venue windows; return when the venue's window is closed."""
    roster = write_roster(folder / "roster", photos, {"KM1-A": [WANG, LI, ZHOU], "KM1-B": [CHEN]})
    options = VenueOptions(language=language, windowed=True)
    with Venue(folder, options) as venue:
        starts = soon()
        venue.prepare(roster, [("KM1-A", starts, 20), ("KM1-B", starts + timedelta(hours=2), 20)])
        venue.prepare_staff()
        venue.prepare_camera(photos)
        venue.start_daemon()
        venue.command("session", "open", "KM1-A", "--person", "demo")
        venue.start_screen()
        venue.start("proctor", "ui", "--role", "proctor", "--windowed")
        app = qt.QApplication.instance() or qt.QApplication([])
        panel = Panel(venue, photos, language)
        panel.show()
        panel.raise_()
        app.exec_()


class Panel(qt.QWidget):
    """One column of buttons for each thing a body can do."""

    def __init__(self, venue: Venue, photos: Path, language: str) -> None:
        super().__init__()
        self._venue, self._photos = venue, photos
        self._words = WORDS[language]
        self.setWindowTitle(self._words["title"])
        self._who = qt.QComboBox()
        self._who.addItems([person.name for person in PEOPLE])
        layout = qt.QVBoxLayout(self)
        layout.addWidget(qt.QLabel(self._words["who"]))
        layout.addWidget(self._who)
        for row in self._rows():
            line = qt.QHBoxLayout()
            for key, act in row:
                button = qt.QPushButton(self._words[key])
                button.setObjectName(key)
                button.clicked.connect(self._in_background(act))
                line.addWidget(button)
            layout.addLayout(line)
        who = "　".join(f"{no} {name} {pin}" for no, name, _, pin in STAFF)
        layout.addWidget(qt.QLabel(f"{self._words['staff']}\n{who}"))
        layout.addWidget(qt.QLabel(self._words["hint"]))

    @property
    def _person(self) -> Person:
        return PEOPLE[self._who.currentIndex()]

    def _rows(self) -> list[list[tuple[str, Callable[[], object]]]]:
        venue, camera = self._venue, self._venue.camera
        assert camera is not None
        gate, reader, cards = venue.turnstile, venue.fingerprint, venue.id_card
        return [
            [("card", lambda: cards.lay_card(self._person.card())), ("lift", cards.lift_card)],
            [
                ("come", lambda: camera.person(self._photos / self._person.live_photo)),
                ("photo", lambda: camera.flat_photo(self._photos / self._person.live_photo)),
                ("leave", camera.leave),
            ],
            [
                ("left", lambda: camera.turn("left")),
                ("center", lambda: camera.turn("center")),
                ("right", lambda: camera.turn("right")),
                ("blink", camera.blink),
            ],
            [
                ("finger", lambda: reader.put_finger(self._person.finger)),
                ("other", lambda: reader.put_finger("somebody/else")),
                ("lift_finger", reader.lift_finger),
            ],
            [
                ("pass", gate.person_passes),
                ("back", gate.person_turns_back),
                ("two", gate.two_people),
                ("force", gate.force),
            ],
            [("unplug", reader.unplug), ("replug", reader.replug)],
        ]

    def _in_background(self, act: Callable[[], object]) -> Callable[[], None]:
        """A body's act may take seconds; the window must not freeze meanwhile."""
        return lambda: threading.Thread(target=act, daemon=True).start()
