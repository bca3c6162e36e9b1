"""A stick at the lane: asked about, taken in by the way of every bundle, pulled out at any time."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kiosk import app, app_centre
from kiosk.centre.mounts import Mount
from kiosk.centre.stick import rows_of
from kiosk.clock import SystemClock
from kiosk.desks.stick import StickDesk
from kiosk.wire import RpcError
from tests.centre.bundle.conftest import row
from tests.cli.conftest import config, config_file, key, run
from tests.cli.test_bundle import lane, make

__all__ = ["config", "config_file", "key", "lane", "make", "run"]


class Lane:
    """A desk with a real office behind it; `mounts` is what the kernel would say."""

    def __init__(self, configured: Any, config_file: Path, office: Any) -> None:
        self.mounts: list[Mount] = []
        self.busy = False
        self.reader: Callable[..., list[str]] = lambda what, path: [
            sys.executable, "-m", "kiosk.app", "stick", what, "--config", str(config_file),
            "--", path]  # fmt: skip
        self.office = office
        self.told = 0
        self.desk = StickDesk(
            office._store,
            office.declined,
            zone=office._zone,
            language="en",
            mounts=lambda: self.mounts,
            reader=lambda *words: self.reader(*words),
            ask=office.call,
            quiet=lambda: not self.busy,
            changed=self._changed,
        )

    def _changed(self) -> None:
        self.told += 1

    @property
    def stick(self) -> dict[str, Any]:
        (found,) = self.desk.call("stick.list", {"lang": "en"})["sticks"]
        return dict(found)

    async def until(self, *states: str) -> dict[str, Any]:
        async with asyncio.timeout(60):
            while self.stick["state"] not in states:
                await asyncio.sleep(0.02)
        return self.stick

    def plug(self, folder: Path, number: int = 40) -> None:
        self.mounts = [Mount(number, folder)]
        self.desk.notice()

    def take(self, bundle: dict[str, Any]) -> None:
        asked = {"stick_id": self.stick["stick_id"], "sha256": bundle["sha256"], "person": "李敏",
                 "lang": "en"}  # fmt: skip
        assert self.desk.call("stick.take", asked) == {}

    def booked(self) -> dict[str, int]:
        found = self.office.call("roster.status", {})["sessions"]
        return {s["session_id"]: s["candidates"] for s in found}


@pytest.fixture
def at(lane: Any, config_file: Path) -> Iterator[Lane]:
    with app.offline(lane) as office:
        yield Lane(lane, config_file, office)


@pytest.fixture
def stick(make: Any, tmp_path: Path) -> Path:
    """Two bundles: 7 and, with a change of the day, 8."""
    folder = tmp_path / "stick"
    folder.mkdir()
    make([row(n) for n in range(1, 13)], name="stick/seven.tar.age")
    moved = [row(1), row(2, "S2"), *(row(n) for n in range(4, 14))]
    make(moved, serial=8, name="stick/eight.tar.age")
    make([row(1)], venue="YT-99", name="stick/foreign.tar.age")
    return folder


def test_a_stick_is_offered_taken_and_what_changed_is_told(at: Lane, stick: Path) -> None:
    async def story() -> None:
        at.plug(stick)
        assert at.stick["state"] == "looking"
        found = await at.until("looked")
        eight, seven = found["bundles"]
        assert (eight["serial"], seven["serial"], seven["candidates"]) == (8, 7, 12)
        assert seven["why"] is None and "T" in seven["made_at"] and at.booked() == {}
        assert [r["file"] for r in found["refused"]] == ["foreign.tar.age"]
        assert "for another venue (YT-99" in found["refused"][0]["why"]
        at.take(seven)
        assert (await at.until("taken", "failed"))["result"]["added"] == 12, at.stick
        assert at.booked() == {"S1": 12}
        assert [b["code"] for b in at.stick["bundles"]] == [None, "in_use"]
        at.busy = True
        at.take(eight)
        await at.until("waiting")
        assert at.stick["rows"] == 12
        at.mounts = []
        at.desk.notice()  # all is read: pulled out now it is none the worse
        for _ in range(3):
            at.desk.lane_moved()
            await asyncio.sleep(0.02)
        assert at.booked() == {"S1": 12}, "not before the eyes of somebody at the lane"
        at.busy = False
        at.desk.lane_moved()
        result = (await at.until("taken", "failed"))["result"]
        assert (result["added"], result["unchanged"]) == (2, 10)
        kinds = {(c["kind"], c["session_id"], c["to_session"]) for c in result["changes"]}
        assert kinds == {("moved", "S1", "S2"), ("cancelled", "S1", None)}
        assert at.booked() == {"S1": 11, "S2": 1}
        assert [b["code"] for b in at.stick["bundles"]] == ["in_use", "older"]
        at.desk.call("stick.dismiss", {"stick_id": at.stick["stick_id"]})
        assert at.desk.call("stick.list", {}) == {"sticks": []}
        entries = at.office.call("journal.list", {"after": 0, "limit": 1000, "session_id": None})
        taken = [e["payload"] for e in entries["entries"] if e["kind"] == "roster_imported"]
        assert [p["person"] for p in taken] == ["李敏", "李敏"]
        sources = {s["source"] for s in at.office.call("roster.status", {})["sessions"]}
        assert sources == {"usb: eight.tar.age"}
        await at.desk.stop()

    asyncio.run(story())


@pytest.fixture
def said(lane: Any, stick: Path) -> list[dict[str, Any]]:
    """What the reading process says of bundle 7."""
    with app_centre.open_bundle(lane, stick / "seven.tar.age") as bundle:
        return list(rows_of(bundle, app_centre.prepare_bundle(lane, bundle, lambda *_: None)))


def scripted(at: Lane, lines: list[dict[str, Any]], file: Path, then: str = "") -> None:
    """From now on the reading process says this, and then hangs or does what `then` says."""
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    at.reader = lambda *_: ["sh", "-c", f"cat '{file}'; {then}"]


def offer(sha256: str) -> list[dict[str, Any]]:
    now = SystemClock().now().isoformat()
    return [{"bundle": {"file": "b.age", "path": "/x/b.age", "sha256": sha256, "serial": 7,
                        "made_at": now, "valid_until": now, "candidates": 12, "sessions": [],
                        "sessions_in_all": 1}}, {"end": {"cut": False}}]  # fmt: skip


def test_pulled_out_in_mid_read_the_old_roster_stays(
    at: Lane, said: list[dict[str, Any]], tmp_path: Path
) -> None:
    async def story() -> None:
        scripted(at, offer(said[0]["sha256"]), tmp_path / "look")
        at.plug(tmp_path)
        await at.until("looked")
        scripted(at, said[:2], tmp_path / "take", "sleep 100")
        at.take(at.stick["bundles"][0])
        with pytest.raises(RpcError, match="being taken"):
            at.take(at.stick["bundles"][0])
        async with asyncio.timeout(20):
            while at.stick["rows"] != 10:
                await asyncio.sleep(0.02)
        at.mounts = []
        at.desk.notice()
        assert at.stick["state"] == "failed" and "pulled out" in at.stick["problems"][0]
        assert not at.stick["there"] and at.booked() == {}
        with pytest.raises(RpcError, match="pulled out"):
            at.take({"sha256": said[0]["sha256"]})
        scripted(at, [], tmp_path / "again", "sleep 100")
        at.plug(tmp_path, number=41)  # in again: another stick, whatever it was called
        assert len(at.desk.call("stick.list", {})["sticks"]) == 2
        at.mounts = []
        at.desk.notice()
        assert len(at.desk.call("stick.list", {})["sticks"]) == 1
        await at.desk.stop()

    asyncio.run(story())


@pytest.mark.parametrize(
    ("bend", "then", "why"),
    [
        (lambda s: [s[0] | {"sha256": "0" * 64}, *s[1:]], "", "not the one that was seen"),
        (lambda s: [s[0], {"rows": s[1]["rows"][1:] + s[1]["rows"][1:2]}, *s[2:]], "", ""),
        (lambda s: [s[0], {"rows": [r | {"photo": "AAAA"} for r in s[1]["rows"]]}], "", "manifest"),
        (lambda s: s[:-1], "", "cannot be read"),
        (lambda s: s[:1], "printf '{\"rows\": ['; exit 9", "cannot be read"),
        (lambda s: [{"failed": [{"zh": "坏", "en": "broken there"}]}], "", "broken there"),
    ],
)
def test_whatever_the_reader_says_nothing_is_half_applied(
    at: Lane, said: Any, tmp_path: Path, bend: Any, then: str, why: str
) -> None:
    async def story() -> None:
        scripted(at, offer(said[0]["sha256"]), tmp_path / "look")
        at.plug(tmp_path)
        await at.until("looked")
        scripted(at, bend(said), tmp_path / "take", then)
        at.take(at.stick["bundles"][0])
        found = await at.until("failed", "taken")
        assert found["state"] == "failed" and at.booked() == {}
        assert why in found["problems"][0]  # a row twice: whichever part finds it
        await at.desk.stop()

    asyncio.run(story())


def test_a_stick_that_never_answers_is_given_up(
    at: Lane, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kiosk.desks.stick.LOOK_S", 0.3)

    async def story() -> None:
        at.reader = lambda *_: ["sh", "-c", "sleep 100 & sleep 100"]
        at.plug(tmp_path)
        found = await at.until("failed")
        assert "does not answer in time" in found["problems"][0]
        at.desk.call("stick.dismiss", {"stick_id": found["stick_id"]})
        at.desk.notice()
        assert at.desk.call("stick.list", {}) == {"sticks": []}, "not asked again"
        await at.desk.stop()

    asyncio.run(story())


def test_where_there_is_no_centre_no_stick_is_looked_at(lane: Any) -> None:
    desk = StickDesk(
        None, RpcError, zone=None, language="zh", mounts=None, reader=lambda *_: ["false"],
        ask=lambda *_: None, quiet=lambda: True, changed=lambda: None,
    )  # type: ignore[arg-type] # fmt: skip
    desk.notice()
    assert desk.call("stick.list", {}) == {"sticks": []}
