"""Times on the screens are the venue's, whatever the computer is set to."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path

import pytest

from kiosk import app
from kiosk.config import load
from ui import times
from ui.candidate.present import when_text
from ui.proctor.panels import SessionPanel


@pytest.fixture(params=["UTC", "America/New_York", "Asia/Shanghai"])
def computer(request, monkeypatch):
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    times.set_zone(None)
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    "iso", ["2026-11-24T16:30:05+00:00", "2026-11-25T00:30:05+08:00", "2026-11-24T11:30:05-05:00"]
)
def test_the_venues_zone_counts(computer, iso):
    times.set_zone("Asia/Shanghai")
    assert times.clock(iso) == "00:30"
    assert times.clock(iso, seconds=True) == "00:30:05"
    at = times.local(iso)
    assert at is not None and (at.day, at.hour) == (25, 0)
    assert times.venue_now().utcoffset() == at.utcoffset()


def test_without_one_the_computers_counts(computer):
    assert times.local("2026-11-24T16:30:05+00:00") == datetime.fromisoformat(
        "2026-11-25T00:30:05+08:00"
    )
    assert times.clock("2026-11-24T16:30:05") == "16:30"
    assert times.clock("2026-11-25T00:30:05+08:00") == "00:30", "as it was written"
    assert times.clock("soon") == "" == times.clock(None)


def test_today_is_the_venues_day(computer, qtbot, monkeypatch):
    times.set_zone("Asia/Shanghai")
    now = datetime.fromisoformat("2026-11-24T16:30:00+00:00")  # half past midnight there
    assert when_text("2026-11-25T09:00:00+08:00", "zh", now) == "今天 09:00"
    assert when_text("2026-11-25T01:00:00+00:00", "zh", now) == "今天 09:00"
    assert when_text("2026-11-24T09:00:00+08:00", "en", now) == "on 24 Nov at 09:00"
    monkeypatch.setattr("ui.proctor.panels.venue_now", lambda: now.astimezone(times._zone))
    panel = SessionPanel("zh")
    qtbot.addWidget(panel)
    panel.show_sessions([{"session_id": "A", "state": "planned", "starts_at":
                          "2026-11-25T01:00:00+00:00"},
                         {"session_id": "B", "state": "planned", "starts_at":
                          "2026-11-24T01:00:00+00:00"}])  # fmt: skip
    assert panel.choice.itemText(0).startswith("A")
    assert panel.choice.itemText(1).startswith("11-24")


def test_the_configuration_says_it(monkeypatch):
    asked = []
    monkeypatch.setattr("ui.app.run", lambda role, socket, options: asked.append(options) or 0)
    config = load(Path(__file__).resolve().parents[2] / "config.yaml")
    app.run_ui("candidate", config, robot=None, windowed=True)
    assert [options.timezone for options in asked] == [config.venue.timezone] == ["Asia/Shanghai"]
