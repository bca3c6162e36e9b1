"""Warnings: seen over every page, heard until somebody has answered, acknowledged one by one."""

from __future__ import annotations

from typing import Any

import pytest

from ui import qt
from ui.i18n import LANGUAGES, text
from ui.proctor.sound import Caller
from ui.proctor.warnings import MOST, sentence
from ui.proctor.window import ProctorWindow
from ui.screenshots_office import warnings


class Voice:
    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, words: str, language: str) -> None:
        self.said.append(words)


def raised(qtbot: Any, daemon: Any, window: ProctorWindow, found: list[dict[str, Any]]) -> None:
    daemon.answers["warning.list"] = {"warnings": found}
    daemon.show("idle", warnings=len(found))
    qtbot.waitUntil(lambda: window.band.isVisible() == bool(found), timeout=5000)


def test_each_is_acknowledged_by_a_person(
    qtbot: Any, daemon: Any, proctor: ProctorWindow
) -> None:
    assert not proctor.band.isVisible()
    raised(qtbot, daemon, proctor, warnings())
    tabs = proctor.tabs
    assert tabs.tabText(tabs.indexOf(tabs.warnings)) == text(
        "zh", "proctor.warnings_n", n=len(warnings()))
    qtbot.mouseClick(proctor.band.look, qt.Qt.LeftButton)
    assert tabs.currentWidget() is tabs.warnings
    card = tabs.warnings.cards[0]
    assert "王*明" in card.about.text() and "…1234" in card.about.text()
    qtbot.mouseClick(card.press, qt.Qt.LeftButton)
    qtbot.waitUntil(lambda: bool(daemon.called("warning.acknowledge")), timeout=5000)
    assert daemon.called("warning.acknowledge")[0]["warning_id"] == 1
    raised(qtbot, daemon, proctor, warnings()[1:])
    qtbot.waitUntil(lambda: len(tabs.warnings.cards) == len(warnings()) - 1, timeout=5000)
    raised(qtbot, daemon, proctor, [])
    assert tabs.tabText(tabs.indexOf(tabs.warnings)) == text("zh", "proctor.warnings")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_is_a_sentence(language: str) -> None:
    said = {sentence(language, w) for w in warnings()}
    assert len(said) == len(warnings()) and not any("{" in s or "–" in s for s in said)
    assert "–" in sentence(language, {"what": "disk_low", "args": {}})
    assert sentence(language, {"what": "from_the_future"}) == "from_the_future"
    back = sentence(language, {"what": "clock_stepped", "args": {}})
    assert back == text(language, "warning.clock_stepped")


def test_very_many_stay_usable(qtbot: Any, daemon: Any, proctor: ProctorWindow) -> None:
    many = [warnings()[1] | {"warning_id": n} for n in range(MOST + 7)]
    raised(qtbot, daemon, proctor, many)
    page = proctor.tabs.warnings
    assert len(page.cards) == MOST and page.more.text() == text("zh", "warning.more", n=7)


def test_a_new_one_is_heard_and_again_until_it_is_answered(qtbot: Any) -> None:
    voice, parent = Voice(), qt.QObject()
    caller = Caller(voice, "zh", parent)
    caller.call("warnings", 1, "看一看")
    caller.call("warnings", 1, "看一看")
    assert voice.said == ["看一看"] and caller.waits
    caller.call("warnings", 2, "看一看")
    caller._remind()
    assert len(voice.said) == 3
    caller.call("warnings", 1, "看一看")
    assert len(voice.said) == 3, "one less is no news"
    caller.call("warnings", 0, "看一看")
    caller._remind()
    assert len(voice.said) == 3 and not caller.waits


def test_it_is_heard_at_a_locked_screen_too(
    qtbot: Any, daemon: Any, proctor: ProctorWindow
) -> None:
    voice = Voice()
    proctor.caller._voice = voice
    daemon.tell("staff", {"person": None, "set_up": True, "locked": False})
    qtbot.waitUntil(lambda: proctor.pages.currentWidget() is proctor.login, timeout=5000)
    asked = len(daemon.called("warning.list"))
    daemon.show("idle", warnings=1)
    qtbot.waitUntil(lambda: voice.said == [text("zh", "warning.spoken")], timeout=5000)
    assert len(daemon.called("warning.list")) == asked, "nobody is there to read them"
