"""A candidate without a screen, and the audit that must hold at any moment of any lane."""

from __future__ import annotations

import base64
import contextlib
import json
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from drivers.fingerprint.zfm.virtual import make_template
from kiosk import wire
from kiosk.audit.record import parse_record
from kiosk.audit.run import audit as check
from kiosk.demo.venue import Venue
from tools.verify_record import Kept, verify

CARD_CHANGE_S = 0.7  #: nobody lifts a card and lays on another one faster


def personal(person: Any) -> dict[str, bytes]:
    """What must never be in a log: as it is, and as bytes are often printed."""
    template = make_template(person.finger, seed=1)
    found = {
        "name": person.name.encode(),
        "escaped name": json.dumps(person.name).strip('"').encode(),
        "identity number": person.number.encode(),
        "birth date": person.number[6:14].encode(),
        "admission number": person.admission_no.encode(),
        "address": person.card().address.encode(),
        "template": template[64:96],
        "template, hex": template[64:80].hex().encode(),
        "template, base64": base64.b64encode(template)[88:112],
        "template, repr": repr(template[64:80])[2:-1].encode(),
        "strokes": b"[10.0, 5",
    }
    return found


def leaks(venue: Venue, person: Any) -> list[str]:
    """Which of these are in anything that the lane's processes have written to their logs."""
    logs = {f.name: f.read_bytes() for f in venue.logs.iterdir()}
    assert any(len(log) > 200 for log in logs.values()), "there is nothing to look through"
    return [f"{what} in {name}" for name, log in logs.items()
            for what, piece in personal(person).items() if piece in log]  # fmt: skip


def scrawl(n: int) -> list[list[list[float]]]:
    """A name as it is written the nth time: never twice the same."""
    return [[[10.0 + 9 * i, 50.0 + n + 20 * (i % 3), 12.0 * i, 0.5] for i in range(60)]]


class Walker:
    """A candidate without a screen process: does what the state asks, through the socket."""

    def __init__(self, venue: Venue, photos: Path) -> None:
        self.venue, self.photos = venue, photos
        self.state: dict[str, Any] = {}
        self.seen: list[str] = []
        self._signed = 0

    def walk(
        self,
        person: Any,
        until: Callable[[dict[str, Any]], bool],
        timeout_s: float = 40.0,
        passes: bool = True,
        types: Sequence[str] = (),
    ) -> dict[str, Any]:
        """Lay the card on and go on until `until(state)`; returns that state.

        With `types` no card is laid on: these numbers are typed, one each time one is asked for.
        """
        venue = self.venue
        assert venue.camera is not None
        self.seen, numbers = [], list(types)
        venue.fingerprint.lift_finger()
        venue.id_card.lift_card()
        venue.camera.person(self.photos / person.live_photo)
        with wire.Client(venue.socket, timeout_s=timeout_s) as client:
            client.call("lane.subscribe", {"preview": False})
            laid, end = bool(types), time.monotonic() + timeout_s
            for message in client.notifications():
                assert time.monotonic() < end, f"still in {self.seen} after {timeout_s} s"
                if message["method"] != "state":
                    continue
                self.state = state = message["params"]
                name = state["state"]
                if not self.seen or self.seen[-1] != name:
                    self.seen.append(name)
                    if name == "finger":
                        venue.fingerprint.put_finger(person.finger)
                    elif name == "claim" and numbers:
                        claim = {"visit": state["visit"], "number": numbers.pop(0)}
                        client.call("candidate.claim", claim)
                    elif name == "gate" and passes:
                        go = self._go_out if state["leaving"] else self._go_through
                        threading.Thread(target=go, daemon=True).start()
                if laid and until(state):
                    break
                if not laid and name == "idle":
                    laid = True
                    time.sleep(CARD_CHANGE_S)
                    venue.id_card.lay_card(person.card())
                if name == "sign":
                    with contextlib.suppress(wire.RpcError):
                        self.sign(client, state["visit"])
        return self.state

    def _go_through(self) -> None:
        """A person sees the light turn green and walks."""
        end = time.monotonic() + 3
        while not self.venue.turnstile.person_passes() and time.monotonic() < end:
            time.sleep(0.02)

    def _go_out(self) -> None:
        end = time.monotonic() + 3
        while not self.venue.turnstile.person_leaves() and time.monotonic() < end:
            time.sleep(0.02)

    def sign(self, client: wire.Client, visit: int) -> None:
        self._signed += 1
        client.call(
            "candidate.sign",
            {
                "visit": visit,
                "strokes": scrawl(self._signed),
                "width": 800,
                "height": 300,
                "text_sha256": "0" * 64,
                "pointer": "mouse",
            },
        )

    def leave(self) -> None:
        """Card away, finger away, out of the picture; the lane is idle afterwards."""
        venue = self.venue
        assert venue.camera is not None
        venue.fingerprint.lift_finger()
        venue.id_card.lift_card()
        venue.camera.leave()
        venue.wait(lambda: venue.call("lane.state")["state"] == "idle", "the lane to be idle")


def audit(venue: Venue) -> list[dict[str, Any]]:
    """What must hold at any moment of any lane; returns the journal."""
    entries: list[dict[str, Any]] = venue.call("journal.list", {"limit": 10_000})["entries"]
    assert venue.call("journal.verify")["problems"] == []
    assert [e["seq"] for e in entries] == list(range(1, len(entries) + 1))
    intents = [e for e in entries if e["kind"] == "gate_intent"]
    by_hand = [e for e in entries if e["kind"] == "device_tried"
               and e["payload"]["result"] == "asked"]  # fmt: skip
    asked = len(intents) + len(by_hand)
    assert venue.turnstile.pulses <= asked, "a pulse without an intent on disk"
    draws = [e for e in entries if e["kind"] == "seat_drawn"]
    voided = {(e["session_id"], e["payload"]["draw_no"]) for e in entries
              if e["kind"] == "seat_voided"}  # fmt: skip
    kept = [d for d in draws if (d["session_id"], d["payload"]["draw_no"]) not in voided]
    assert len({d["pseudonym"] for d in kept}) == len(kept), "somebody drew twice"
    assert len({(d["session_id"], d["terminal"]) for d in kept}) == len(kept), "one seat for two"
    seats = {(d["pseudonym"], d["terminal"]) for d in draws}
    assert all((i["pseudonym"], i["terminal"]) in seats for i in intents)
    outcomes = [e for e in entries if e["kind"] == "gate_outcome"]
    assert len(outcomes) <= len(intents), "an outcome without an intent"
    assert findings(venue) <= {"OPEN"}, "a stranger would find more than that it is not closed"
    return entries


def findings(venue: Venue, session_id: str = "S1") -> set[str]:
    """Codes of what an audit of the session's record finds; a stranger's program finds the same."""
    begun = venue.call("record.begin", {"session_id": session_id})
    lines = venue.call("record.lines", {"record_id": begun["record_id"], "limit": 2000})["lines"]
    assert len(lines) == begun["lines"]
    record = "".join(f"{line}\n" for line in lines)
    found = {f.code.value for f in check(parse_record(record)).findings}
    assert {f.code for f in verify(record.encode(), None, Kept([], [], [])).findings} == found
    return found
