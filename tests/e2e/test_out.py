"""A real lane whose gate is the way out as well: in, out, back on a proctor's word, a fire drill;
the twin's own counters, the balance and both verifiers agree."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from drivers.camera.virtual import VirtualCamera
from kiosk.demo.people import LI, WANG
from kiosk.demo.venue import Venue
from tests.e2e.conftest import as_in_the_morning
from tests.e2e.walker import Walker, audit


@pytest.fixture
def quick_venue(tmp_path: Path, morning: Path, camera: VirtualCamera) -> Iterator[Venue]:
    both = {"lane.direction": "both", "identity.finger": False}
    with as_in_the_morning(tmp_path / "venue", morning, camera, both) as venue:
        yield venue


def over(state: dict[str, Any]) -> bool:
    return state["state"] in ("welcome", "refused")


def test_in_out_and_back_and_a_drill(quick_venue: Venue, walker: Walker) -> None:
    venue = quick_venue
    first = walker.walk(WANG, over)
    assert first["state"] == "welcome", first["reason"]
    walker.leave()
    gone = walker.walk(WANG, over)
    assert (gone["state"], gone["reason"], gone["leaving"]) == ("welcome", "LEFT", True)
    assert [s for s in walker.seen if s not in ("idle", "drawing")] == ["face", "gate", "welcome"]
    walker.leave()
    venue.command("session", "let-back", "S1", first["terminal"], "--why", "toilet",
                  "--person", "test")  # fmt: skip
    back = walker.walk(WANG, over)
    assert (back["state"], back["terminal"]) == ("welcome", first["terminal"])
    walker.leave()
    venue.call("lane.drill", {"person": "test"})
    venue.wait(lambda: venue.turnstile.released, "the gate to stand open")
    assert venue.call("lane.state")["reason"] == "DRILL"
    called = venue.command("session", "rollcall", "--drill", "--person", "test").stdout
    assert WANG.name in called and LI.name not in called
    venue.call("lane.resume", {"person": "test"})
    venue.wait(lambda: not venue.turnstile.released, "the gate to be locked")
    venue.wait(lambda: venue.call("lane.state")["state"] == "idle", "the lane to be idle")
    assert (venue.turnstile.pulses, venue.turnstile.passages, venue.turnstile.leavings) == (3, 2, 1)
    venue.command("session", "close", "S1", "--person", "test")
    audit(venue)
    record = venue.folder / "s1.record"
    venue.command("session", "export", "S1", str(record))
    assert "1 draws, 3 gate intents, 1 inside" in venue.command("audit", str(record)).stdout
    counted = [e["payload"] for e in audit(venue) if e["kind"] == "gate_counters"][-1]
    assert (counted["entry"], counted["exit"]) == (2, 1), "the gate's own, before the closing"
