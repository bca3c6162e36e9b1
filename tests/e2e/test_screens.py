"""Both screens are processes of their own: the daemon dies and comes back, they stay and say so."""

from __future__ import annotations

import json
import socket


def describe(path):
    with socket.socket(socket.AF_UNIX) as hand:
        hand.settimeout(20)
        hand.connect(str(path))
        hand.sendall(json.dumps({"do": "describe"}).encode() + b"\n")
        with hand.makefile("rb") as lines:
            return json.loads(lines.readline())


def test_both_screens_live_through_a_restart(quick_venue):
    hands = {}
    for role in ("candidate", "proctor"):
        hands[role] = quick_venue.folder / "run" / f"{role}.sock"
        quick_venue.start(role, "ui", "--role", role, "--windowed", "--robot", str(hands[role]))
    for role, hand in hands.items():
        quick_venue.wait(hand.exists, f"the {role}'s screen", 40)

    def shown(role):
        said = describe(hands[role])
        assert said["ok"], said
        return said

    quick_venue.wait(lambda: shown("candidate")["screen"] == "idle", "the lane's state", 20)
    assert "offline" not in shown("proctor")["texts"]
    quick_venue.kill("daemon")
    quick_venue.wait(lambda: shown("candidate")["screen"] != "idle", "the restart said", 20)
    quick_venue.wait(lambda: "offline" in shown("proctor")["texts"], "the restart said", 20)
    quick_venue.start_daemon()
    quick_venue.wait(lambda: shown("candidate")["screen"] == "idle", "the state again", 20)
    quick_venue.wait(lambda: "offline" not in shown("proctor")["texts"], "the state again", 20)
    assert all(quick_venue.running(role) for role in hands)
