"""Before a session opens: every reason at once, in plain sentences of both languages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from kiosk.clock import SystemClock
from kiosk.preconditions import problems_of
from kiosk.store import Store
from kiosk.store.errors import StoreError
from kiosk.store.vault import make_key_file
from kiosk.supervisor import DeviceStatus
from kiosk.texts import SENTENCES, Problem
from tests.store.conftest import row

ENCODER = "dlib-resnet-v1"


class Later:
    """A clock that is wrong by `by`."""

    def __init__(self, by: timedelta) -> None:
        self._by = by

    def now(self) -> datetime:
        return datetime.now(UTC) + self._by

    def monotonic(self) -> float:
        return 0.0


@pytest.fixture
def store(tmp_path: Path):
    make_key_file(tmp_path / "lane.key")
    store = Store.open(tmp_path / "data", tmp_path / "lane.key", SystemClock())
    yield store
    store.close()


def codes(store, session_id="S1", *, devices=None, clock=None, min_free_mb=1):
    found = problems_of(
        session_id,
        store=store,
        devices=devices or {},
        clock=clock or SystemClock(),
        zone=ZoneInfo("UTC"),
        encoder=ENCODER,
        min_free_mb=min_free_mb,
    )
    for problem in found:
        assert problem.sentence("zh") and problem.sentence("en")
    return {p.code for p in found}


def create(store, session_id="S1", terminals=("1", "2"), **change):
    values = {"starts_at": datetime.now(UTC), "late_s": 3600, "person": "t"} | change
    store.create_session(session_id, "x", terminals=list(terminals), **values)


def test_ready(store):
    create(store)
    store.apply_roster([row(0), row(1)], "x", "t")
    well = {"camera": DeviceStatus("camera", "opencv", "x", ok=True)}
    assert codes(store, devices=well) == set()


def test_everything_wrong_at_once(store):
    create(store, terminals=["1"], starts_at=datetime.now(UTC) + timedelta(days=2))
    store.apply_roster([row(0), row(1, encoder="another")], "x", "t")
    dead = {"turnstile": DeviceStatus("turnstile", "modbus", "x", code="no_answer")}
    found = codes(store, devices=dead, min_free_mb=10**9)
    assert found == {"other_day", "encoder_differs", "too_few_terminals", "device", "disk"}


def test_roster_session_and_window(store):
    assert codes(store, "nothing") == {"session_unknown"}
    create(store)
    for terminal in ("1", "2"):
        store.set_terminal("S1", terminal, False, "test", "t")
    assert codes(store) == {"roster_missing", "no_terminal"}
    create(store, "S2", starts_at=datetime.now(UTC), late_s=0)
    store.apply_roster([row(0, "S2"), row(1, "S1")], "x", "t")
    assert "window_over" in codes(store, "S2")
    create(store, "S3")
    store.open_session("S3", "t")
    assert "other_session_open" in codes(store, "S1")
    store.close_session("S3", "t")
    assert "session_closed_for_good" in codes(store, "S3")


def test_a_clock_that_cannot_be(store):
    create(store)
    assert "clock" in codes(store, clock=Later(-timedelta(days=3650)))
    assert "clock" in codes(store, clock=Later(-timedelta(hours=1))), "before the last entry"


def test_where_nothing_can_be_recorded(store, monkeypatch):
    create(store)

    def fails():
        raise StoreError("disk full")

    monkeypatch.setattr(store, "writable_check", fails)
    assert "evidence" in codes(store)


def test_sentences_are_in_both_languages():
    for code, (chinese, english) in SENTENCES.items():
        assert chinese and english
        assert chinese.count("{") == english.count("{"), code
    told = Problem("device", {"role": "camera", "code": "x"})
    assert "摄像头" in told.sentence("zh") and "camera" in told.sentence("en")
