"""The panel about a stick: asks once, sends what was shown, and goes when it is answered."""

from __future__ import annotations

from typing import Any

import pytest

from ui import qt
from ui.i18n import LANGUAGES, text
from ui.proctor.window import ProctorWindow
from ui.screenshots_stick import bundle, states, stick


def plugged(qtbot: Any, daemon: Any, window: ProctorWindow, n: int, **answer: Any) -> None:
    daemon.answers["stick.list"] = {"sticks": [stick(**answer)] if answer else []}
    asked = len(daemon.called("stick.list"))
    daemon.show("idle", sticks=n)
    qtbot.waitUntil(lambda: len(daemon.called("stick.list")) > asked, timeout=5000)
    qtbot.waitUntil(lambda: window.stick.isVisible() == bool(answer), timeout=5000)


def test_a_proctor_is_asked_and_takes_it(qtbot: Any, daemon: Any, proctor: ProctorWindow) -> None:
    panel = proctor.stick
    assert not panel.isVisible()
    plugged(qtbot, daemon, proctor, 1, state="looked")
    assert "2026-11-27" in panel.heading.text() and "815" in panel.words.text()
    assert "KM1-0830: 164" in panel.words.text() and not panel.other.isVisible()
    qtbot.mouseClick(panel.take, qt.Qt.LeftButton)
    qtbot.waitUntil(lambda: bool(daemon.called("stick.take")), timeout=5000)
    assert daemon.called("stick.take")[0] == {
        "stick_id": "5f0c", "sha256": bundle()["sha256"], "lang": "zh"}
    plugged(qtbot, daemon, proctor, 2, state="reading", taking=bundle(), rows=300)
    qtbot.waitUntil(panel.bar.isVisible, timeout=5000)
    assert panel.bar.value() == 300 and not panel.take.isVisible() and not panel.away.isVisible()
    plugged(qtbot, daemon, proctor, 3)
    qtbot.mouseClick(panel.away, qt.Qt.LeftButton)


def test_the_usable_one_is_shown_first_and_the_other_on_demand(
    qtbot: Any, daemon: Any, proctor: ProctorWindow
) -> None:
    old = bundle(serial=2, day="2026-11-26", sha256="cd" * 32, code="older", why="更旧")
    plugged(qtbot, daemon, proctor, 1, state="looked", bundles=[old, bundle()])
    panel = proctor.stick
    assert "2026-11-27" in panel.heading.text()
    qtbot.mouseClick(panel.other, qt.Qt.LeftButton)
    assert "2026-11-26" in panel.heading.text() and "更旧" in panel.ask.text()
    assert not panel.take.isVisible()
    qtbot.mouseClick(panel.away, qt.Qt.LeftButton)
    qtbot.waitUntil(lambda: bool(daemon.called("stick.dismiss")), timeout=5000)


def test_it_may_be_tried_again_only_while_it_is_there(
    qtbot: Any, daemon: Any, proctor: ProctorWindow
) -> None:
    failed = {"state": "failed", "taking": bundle(), "problems": ["读不出来"]}
    plugged(qtbot, daemon, proctor, 1, **failed, there=True)
    panel = proctor.stick
    assert panel.take.isVisible() and "读不出来" in panel.words.text()
    plugged(qtbot, daemon, proctor, 2, **failed, there=False)
    qtbot.waitUntil(lambda: not panel.take.isVisible(), timeout=5000)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_state_is_said_in_words(qtbot: Any, daemon: Any, language: str) -> None:
    from ui.client import Client

    window = ProctorWindow(Client(daemon.path, preview=False), language)
    qtbot.addWidget(window)
    said = set()
    for _, found in states(language):
        window.stick.fill([found])
        said.add(window.stick.heading.text())
        assert "{" not in window.stick.words.text() + window.stick.heading.text()
    assert len(said) == 5, "an offer, and one that is older, have one heading"
    window.stick.fill([stick("looking")])
    assert window.stick.heading.text() == text(language, "stick.looking")
