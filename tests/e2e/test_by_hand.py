"""A real lane: somebody logs in at a proctor's screen and lets a candidate in by hand, with a
chief's own PIN; both verifiers agree, and no PIN is in any log or in the journal."""

from __future__ import annotations

import json
import threading

import pytest

from kiosk import wire
from kiosk.demo.people import WANG
from kiosk.demo.venue import STAFF, Venue
from tests.e2e.walker import Walker, audit, leaks

PINS = {no: pin for no, _, _, pin in STAFF}
TRIED = "918273"  #: a wrong one


def refusal(screen: wire.Client, method: str, **params: object) -> str:
    with pytest.raises(wire.RpcError) as refused:
        screen.call(method, params)
    return str(refused.value.data["code"])


def opened_by_a_technician(venue: Venue) -> None:
    """With `examgate device turnstile pulse`, while a session is open."""
    pulse = ("--lang", "en", "device", "turnstile", "pulse", "--seconds", "5",
             "--staff-no", "1003", "--pin-stdin")  # fmt: skip
    before = venue.turnstile.pulses
    alone = venue.command(*pulse, check=False, said=PINS["1003"] + "\n")
    assert alone.returncode == 1 and "a chief has to approve" in alone.stderr
    wrong = venue.command(*pulse, check=False, said=TRIED + "\n")
    assert wrong.returncode == 1 and "do not fit" in wrong.stderr
    assert venue.turnstile.pulses == before
    venue.turnstile.on_unlock = threading.Timer(0.1, venue.turnstile.person_passes).start
    both = f"{PINS['1003']}\n{PINS['1001']}\n"
    done = venue.command(*pulse, "--approved-by", "1001", said=both)
    assert "(passed)" in done.stdout and venue.turnstile.pulses == before + 1


def test_let_in_by_hand_under_two_peoples_pins(quick_venue: Venue, walker: Walker) -> None:
    venue, camera = quick_venue, quick_venue.camera
    assert camera is not None
    for no, name, role, pin in STAFF:
        venue.call("staff.add", {"staff_no": no, "name": name, "role": role, "pin": pin,
                                 "person": "test"})
    with wire.Client(venue.socket) as screen:
        screen.call("lane.subscribe", {"screen": "proctor"})
        assert refusal(screen, "session.status") == "LOGIN_NEEDED"
        assert refusal(screen, "candidate.cancel", visit=1) == "NOT_HERE"
        assert refusal(screen, "staff.login", staff_no="1002", pin=TRIED) == "WRONG_PIN"
        screen.call("staff.login", {"staff_no": "1002", "pin": PINS["1002"]})
        camera.person(walker.photos / WANG.live_photo)
        begun = screen.call("verify.begin", {"number": WANG.number})
        venue.wait(lambda: screen.call("verify.capture")["captured"], "a picture")
        decision = {"visit": begun["visit"], "why": "appearance", "finger_why": "worn"}
        alone = {"staff_no": "1002", "pin": PINS["1002"]}
        chief = {"staff_no": "1001", "pin": PINS["1001"]}
        assert refusal(screen, "verify.accept", **decision) == "APPROVAL_MISSING"
        assert refusal(screen, "verify.accept", **decision, approval=alone) == "APPROVAL_OWN"
        screen.call("verify.accept", decision | {"approval": chief, "person": "somebody else"})
    with wire.Client(venue.socket) as client:
        walker.sign(client, begun["visit"])
    venue.wait(lambda: venue.call("lane.state")["state"] == "gate", "the gate")
    walker._go_through()
    venue.wait(lambda: venue.call("lane.state")["state"] == "welcome", "the passage")
    entries = audit(venue)
    (overridden,) = [e for e in entries if e["kind"] == "identity_overridden"]
    said = overridden["payload"]
    assert (said["person"], said["approved_by"]) == ("1002 周静", "1001 李敏")
    (intent,) = [e for e in entries if e["kind"] == "gate_intent"]
    assert intent["payload"]["authority"] == "override"
    walker.leave()
    opened_by_a_technician(venue)
    entries = audit(venue)
    (asked, done) = [e["payload"] for e in entries if e["kind"] == "device_tried"]
    assert (asked["person"], asked["approved_by"]) == ("1003 王工", "1001 李敏")
    assert (done["result"], done["end"]) == ("sent", "passed")
    venue.stop("daemon")
    assert leaks(venue, WANG) == []
    written = json.dumps(entries) + "".join(f.read_text() for f in venue.logs.iterdir())
    assert not [pin for pin in (*PINS.values(), TRIED) if pin in written]
