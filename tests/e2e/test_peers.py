"""Who may talk to a daemon that runs: other users of the machine, and what they should not send."""

from __future__ import annotations

import os
import pwd
import random
import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kiosk import wire
from kiosk.demo.venue import STAFF, Venue
from tests.e2e import hostile
from tests.e2e.conftest import as_in_the_morning
from tests.e2e.hostile import PEERS, STRANGER_UID, Record, Stranger

PINS = {role: (no, pin) for no, _, role, pin in STAFF if role in ("chief", "technician")}


def test_malformed_messages_from_every_kind_of_peer_change_nothing(quick_venue: Venue) -> None:
    """A few hundred; bench_fuzz.py sends 100,000."""
    quick_venue.prepare_staff()
    pid = quick_venue.call("lane.info")["pid"]
    record = Record(quick_venue.folder / "data")
    peers = {kind: Stranger(quick_venue.socket, record, PINS, kind) for kind in PEERS}

    @settings(max_examples=300, deadline=None, derandomize=True, database=None,
              suppress_health_check=list(HealthCheck))
    @given(st.sampled_from(PEERS), st.integers(0, 2**32))
    def sent(kind: str, seed: int) -> None:
        peers[kind].send([hostile.line(random.Random(seed))])

    sent()
    peers["stranger"].send([hostile.line(random.Random(n)) for n in range(100)])
    for hard in (True, False):
        peers["proctor"].cut(b'{"jsonrpc":"2.0","id":1,"method":"lane.release"}', hard=hard)
    for peer in peers.values():
        peer.close()
    record.close()
    ended = sum((peer.ended for peer in peers.values()), Counter[str]())
    assert min(ended[told] for told in ("declined", "no message", "wrong parameters")) > 20
    assert quick_venue.call("lane.info")["pid"] == pid
    assert quick_venue.call("journal.verify")["problems"] == []
    assert "bug" not in (quick_venue.logs / "daemon.log").read_text()


def test_a_line_without_end_is_not_kept(quick_venue: Venue) -> None:
    peer = Stranger(quick_venue.socket, None, {}, "proctor")
    peer.endless()
    peer.close()
    assert quick_venue.call("lane.state")["state"] == "idle"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_the_users_of_the_two_screens_are_told_apart(
    tmp_path: Path, morning: Path, camera: object
) -> None:
    """Real processes of three users: the candidate's screen's, another, and root."""
    nobody = pwd.getpwnam("nobody").pw_uid
    changes = {"ui.candidate_user": "nobody"}
    with as_in_the_morning(tmp_path / "venue", morning, camera, changes) as venue:  # type: ignore[arg-type]
        venue.prepare_staff()
        for screen in ("proctor", "technician"):
            assert ask(venue, nobody, "lane.subscribe", screen=screen) == "NOT_HERE"
        chief = {"staff_no": PINS["chief"][0], "pin": PINS["chief"][1]}
        assert ask(venue, nobody, "staff.login", **chief) == "NOT_HERE"
        for method in ("lane.release", "session.status", "journal.list", "staff.add"):
            assert ask(venue, nobody, method) == "NOT_HERE"
        assert ask(venue, nobody, "lane.subscribe", screen="candidate") is None
        assert ask(venue, nobody, "candidate.help", visit=0) == "STALE_VISIT"
        assert ask(venue, STRANGER_UID, "lane.subscribe", screen="candidate") == "NOT_HERE"
        assert ask(venue, STRANGER_UID, "candidate.help", visit=0) == "NOT_HERE"
        assert ask(venue, STRANGER_UID, "staff.login", **chief) is None
        assert ask(venue, 0, "session.status") is None
        with pytest.raises(PermissionError):
            hostile.connect_as(venue.socket, STRANGER_UID, groups=())
        venue.stop("daemon")
        text = venue.config_path.read_text()
        venue.config_path.write_text(re.sub("nobody", "no-such-user", text))
        done = venue.command("--lang", "en", "daemon", check=False)
        assert done.returncode == 1 and "没有用户 no-such-user" in done.stderr


def ask(venue: Venue, uid: int, method: str, **params: object) -> str | None:
    """The code with which it was declined."""
    with hostile.connect_as(venue.socket, uid) as line, line.makefile("rb") as answers:
        line.settimeout(30)
        line.sendall(wire.encode(wire.request(method, params, 1)))
        for answer in answers:
            message = wire.decode(answer)
            if message.get("id") == 1:
                return message["error"]["data"]["code"] if "error" in message else None
    raise AssertionError("no answer")
