"""A real lane whose gate is the way out as well: in, out, back on a proctor's word, a fire drill;
the twin's own counters, the balance and both verifiers agree."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from drivers.camera.virtual import VirtualCamera
from kiosk import wire
from kiosk.demo.people import LI, WANG
from kiosk.demo.venue import STAFF, Venue
from tests.e2e.conftest import as_in_the_morning
from tests.e2e.walker import Walker, audit

PINS = {no: pin for no, _, _, pin in STAFF}


@pytest.fixture
def quick_venue(tmp_path: Path, morning: Path, camera: VirtualCamera) -> Iterator[Venue]:
    both = {"lane.direction": "both", "identity.finger": False}
    with as_in_the_morning(tmp_path / "venue", morning, camera, both) as venue:
        yield venue


def over(state: dict[str, Any]) -> bool:
    return state["state"] in ("welcome", "refused")


def drill(venue: Venue, what: str, staff_no: str) -> tuple[int, str]:
    """(exit code, what was said on standard error) of the command."""
    done = venue.command("--lang", "en", "drill", what, "--staff-no", staff_no, "--pin-stdin",
                         check=False, said=PINS[staff_no] + "\n")  # fmt: skip
    return done.returncode, done.stderr.strip()


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
    for no, name, role, pin in STAFF:
        venue.call("staff.add", {"staff_no": no, "name": name, "role": role, "pin": pin,
                                 "person": "test"})  # fmt: skip
    with pytest.raises(wire.RpcError):
        venue.call("lane.drill", {"person": "test"})
    assert drill(venue, "end", "1001") == (1, "There is no drill. A release in a fire is ended on "
                                              "the proctor's screen.")  # fmt: skip
    assert drill(venue, "begin", "1002") == (
        1, "Your role may not do that; ask the chief proctor.",
    )  # fmt: skip
    assert not venue.turnstile.released
    assert drill(venue, "begin", "1001") == (0, "")
    venue.wait(lambda: venue.turnstile.released, "the gate to stand open")
    assert drill(venue, "begin", "1001")[0] == 1
    assert venue.call("lane.state")["reason"] == "DRILL"
    called = venue.command("session", "rollcall", "--drill", "--person", "test").stdout
    assert WANG.name in called and LI.name not in called
    assert drill(venue, "end", "1002") == (0, "")
    by = [e["payload"].get("person") or e["payload"].get("by") for e in audit(venue)
          if e["reason"] == "DRILL"]  # fmt: skip
    assert by == ["1001 李敏", "1002 周静"]
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
