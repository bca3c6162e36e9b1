"""Once a fire alarm has opened the gate, nothing but a person locks it: no death, no command."""

from __future__ import annotations

import asyncio

import pytest

from kiosk import wire


@pytest.mark.parametrize(
    ("death", "contact"), [("kill", True), ("kill", False), ("stop", False)]
)
def test_a_restart_in_a_fire_leaves_the_gate_open(quick_venue, death, contact):
    gate = quick_venue.turnstile
    gate.set_fire(True)
    quick_venue.wait(lambda: gate.released, "the gate open", 10)
    quick_venue.wait(lambda: "fire_on" in events(quick_venue), "the journal entry", 10)
    gate.set_fire(contact)
    if not contact:
        quick_venue.wait(lambda: "fire_off" in events(quick_venue), "the panel's reset", 10)
    getattr(quick_venue, death)("daemon")
    said = quick_venue.command("device", "turnstile", "safe-state").stdout  # as systemd does
    assert "stays open" in said
    quick_venue.start_daemon()
    quick_venue.wait(lambda: state(quick_venue)["devices"]["turnstile"]["ok"], "the gate", 20)
    assert gate.released and gate.closings == 0
    assert (state(quick_venue)["state"], state(quick_venue)["reason"]) == ("out_of_order", "FIRE")

    if contact:
        with pytest.raises(wire.RpcError) as declined:
            quick_venue.call("lane.resume", {"person": "周静"})
        assert declined.value.data["code"] == "FIRE_CONTACT"
        assert gate.released
        gate.set_fire(False)
        quick_venue.wait(lambda: "fire_off" in events(quick_venue), "the panel's reset", 10)
    quick_venue.call("lane.resume", {"person": "周静"})
    quick_venue.wait(lambda: not gate.released, "the gate locked", 10)
    assert gate.closings == 1
    assert events(quick_venue)[-1] == "fire_release_ended"
    quick_venue.stop("daemon")
    assert "locked" in quick_venue.command("device", "turnstile", "safe-state").stdout


def test_a_release_by_hand_at_a_screen_where_nobody_has_logged_in(quick_venue):
    gate = quick_venue.turnstile

    async def hold() -> None:
        reader, writer = await wire.open_connection(quick_venue.socket)
        screen = {"preview": False, "screen": "proctor"}
        for n, (method, params) in enumerate((("lane.subscribe", screen), ("lane.release", {}))):
            writer.write(wire.encode(wire.request(method, params, n)))
            while (answer := wire.decode(await reader.readline())).get("id") != n:
                pass
            assert "error" not in answer
        writer.close()

    asyncio.run(hold())
    quick_venue.wait(lambda: gate.released, "the gate open", 10)
    quick_venue.wait(lambda: "emergency_release" in events(quick_venue), "the journal entry", 10)
    quick_venue.kill("daemon")
    assert "stays open" in quick_venue.command("device", "turnstile", "safe-state").stdout
    quick_venue.start_daemon()
    quick_venue.wait(lambda: state(quick_venue)["devices"]["turnstile"]["ok"], "the gate", 20)
    assert gate.released and gate.closings == 0
    quick_venue.call("lane.resume", {"person": "周静"})
    quick_venue.wait(lambda: not gate.released, "the gate locked", 10)


def state(venue):
    return venue.call("lane.state")


def events(venue):
    entries = venue.call("journal.list", {"after": 0, "limit": 1000, "session_id": None})["entries"]
    return [e["payload"]["event"] for e in entries if e["kind"] == "gate_event"]
