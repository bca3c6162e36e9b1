"""SIGKILL between any two steps: no second pulse, no second seat, nothing lost."""

from __future__ import annotations

import contextlib
import threading
import time

import pytest

from kiosk import wire
from kiosk.demo.people import WANG
from tests.e2e.walker import audit

SETTLE_S = 0.3  #: what was on the wire when the daemon died still arrives
STATES = ["face", "finger", "sign", "gate", "welcome"]


def restart(venue):
    """The person steps aside meanwhile: who stays, with card and finger, would be verified anew."""
    venue.fingerprint.lift_finger()
    venue.id_card.lift_card()
    venue.camera.empty()
    venue.start_daemon()
    venue.wait(lambda: venue.call("lane.state")["state"] == "idle", "the lane idle again", 20)


def finish(venue, walker):
    """After the crash the same person comes again; returns the terminal they end with."""
    walker.leave()
    state = walker.walk(WANG, lambda s: s["state"] in ("welcome", "refused"))
    entries = audit(venue)
    intents = [e for e in entries if e["kind"] == "gate_intent"]
    outcomes = [e for e in entries if e["kind"] == "gate_outcome"]
    assert len(intents) == len(outcomes), "each intent has its outcome, if only *unknown*"
    return state, entries


@pytest.mark.parametrize("when", STATES)
def test_killed_on_entering_a_state(quick_venue, walker, when):
    walker.walk(WANG, lambda s: s["state"] == when, passes=when == "welcome")
    quick_venue.kill("daemon")
    time.sleep(SETTLE_S)
    before = quick_venue.turnstile.pulses
    restart(quick_venue)
    time.sleep(0.5)
    assert quick_venue.turnstile.pulses == before, "nothing is repeated on its own"
    state, entries = finish(quick_venue, walker)
    if when == "welcome" and state["reason"] == "ALREADY_INSIDE":
        assert quick_venue.turnstile.pulses == 1
        return
    assert state["state"] == "welcome", (state["reason"], walker.seen)
    draws = [e for e in entries if e["kind"] == "seat_drawn"]
    assert len(draws) == 1
    assert state["terminal"] == draws[0]["terminal"], "the seat that was drawn is kept"


@pytest.mark.parametrize("delay_ms", [0, 2, 4, 7, 11, 18])
def test_killed_at_a_moment_between_signature_and_pulse(quick_venue, walker, delay_ms):
    walker.walk(WANG, lambda s: s["state"] == "sign")
    visit = quick_venue.call("lane.state")["visit"]

    def sign():
        killed_while_we_spoke = (ConnectionError, wire.NotRunning, wire.RpcError)
        with (
            contextlib.suppress(*killed_while_we_spoke),
            wire.Client(quick_venue.socket) as client,
        ):
            walker.sign(client, visit)

    signing = threading.Thread(target=sign)
    signing.start()
    time.sleep(delay_ms / 1000)
    quick_venue.kill("daemon")
    signing.join()
    restart(quick_venue)
    state, entries = finish(quick_venue, walker)
    assert state["state"] == "welcome", (state["reason"], walker.seen)
    assert len([e for e in entries if e["kind"] == "seat_drawn"]) == 1
    assert quick_venue.turnstile.pulses <= len([e for e in entries if e["kind"] == "gate_intent"])


def test_the_pulse_itself_kills_the_daemon(quick_venue, walker):
    """Power fails at the very moment the relay clicks: the intent is there, its outcome unknown."""
    killed = threading.Event()

    def power_cut():
        threading.Thread(target=lambda: (quick_venue.kill("daemon"), killed.set())).start()

    quick_venue.turnstile.on_unlock = power_cut
    with contextlib.suppress(ConnectionError):
        walker.walk(WANG, lambda s: False, passes=False)
    assert killed.wait(20)
    quick_venue.turnstile.on_unlock = None
    assert quick_venue.turnstile.pulses == 1
    restart(quick_venue)
    outcomes = [e for e in audit(quick_venue) if e["kind"] == "gate_outcome"]
    assert [o["reason"] for o in outcomes] == ["GATE_UNKNOWN"], "named, not repeated"
    assert quick_venue.turnstile.pulses == 1
