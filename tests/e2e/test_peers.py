"""Who may talk to a daemon that runs: other users of the machine, and what they should not send."""

from __future__ import annotations

import json
import os
import pwd
import random
import re
import ssl
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drivers.camera.virtual import VirtualCamera
from kiosk import wire
from kiosk.demo.venue import STAFF, Venue
from kiosk.relay import Relay
from kiosk.tls import client_context
from tests.centre.web import free_port
from tests.e2e import hostile
from tests.e2e.conftest import as_in_the_morning
from tests.e2e.hostile import PEERS, STRANGER_UID, Record, Stranger
from tests.pki import Authority

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
    tmp_path: Path, morning: Path, camera: VirtualCamera
) -> None:
    """Real processes of three users: the candidate's screen's, another, and root."""
    nobody = pwd.getpwnam("nobody").pw_uid
    changes = {"ui.candidate_user": "nobody"}
    with as_in_the_morning(tmp_path / "venue", morning, camera, changes) as venue:
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


@pytest.fixture
def desk(tmp_path: Path, morning: Path, camera: VirtualCamera) -> Iterator[tuple[Venue, Authority]]:
    """A lane that screens on other computers reach, and who signs their certificates."""
    hall = Authority(tmp_path / "pki")
    certificate, key = hall.issue("lane", "CN=lane", server=True)
    hall.issue("desk", "CN=desk-1")
    hall.issue("laptop", "CN=laptop")
    clients = {"CN=desk-1": "proctor", "CN=laptop": "technician"}
    changes = {"network.tls": {
        "address": "127.0.0.1", "port": free_port(), "certificate": str(certificate),
        "key": str(key), "client_ca": str(hall.ca), "clients": clients,
    }}  # fmt: skip
    with as_in_the_morning(tmp_path / "venue", morning, camera, changes) as venue:
        yield venue, hall


def test_a_proctors_desk_over_the_network(desk: tuple[Venue, Authority]) -> None:
    venue, hall = desk
    port = venue.options.changes["network.tls"]["port"]
    venue.prepare_staff()
    number, pin = PINS["chief"]

    def refusal(client: wire.Client, method: str, **params: object) -> str:
        with pytest.raises(wire.RpcError) as refused:
            client.call(method, params)
        return str(refused.value.data["code"])

    def shown(name: str) -> ssl.SSLContext:
        folder = hall.folder
        return client_context(folder / f"{name}.pem", folder / f"{name}.key", hall.ca)

    with (
        Relay("127.0.0.1", port, shown("desk")) as relay,
        wire.Client(relay.path) as far,
    ):
        for screen in ("candidate", "technician"):
            assert refusal(far, "lane.subscribe", screen=screen) == "NOT_HERE"
        assert refusal(far, "lane.subscribe", preview=True) == "LOGIN_NEEDED"
        assert refusal(far, "candidate.help", visit=0) == "NOT_HERE"
        assert refusal(far, "session.status") == "LOGIN_NEEDED"
        far.call("staff.login", {"staff_no": number, "pin": pin})
        assert far.call("session.status")["sessions"]
        assert refusal(far, "device.pulse", seconds=1) == "NOT_ALLOWED"
    with (
        Relay("127.0.0.1", port, shown("laptop")) as relay,
        wire.Client(relay.path) as far,
    ):
        assert refusal(far, "lane.release") == "LOGIN_NEEDED"
        assert refusal(far, "lane.subscribe", screen="proctor") == "NOT_HERE"
    venue.wait(lambda: venue.journal()[-1]["kind"] == "staff_logged_out", "the desk gone")
    files = ("--cert", hall.folder / "desk.pem", "--key", hall.folder / "desk.key", "--ca", hall.ca)
    there = ("--connect", f"127.0.0.1:{port}", *map(str, files))
    venue.start("desk", "ui", "--role", "proctor", "--windowed", *there)
    venue.wait(lambda: connections_to(port) == 1, "the proctor's window through TLS")
    assert venue.stop("desk") == 0
    venue.wait(lambda: connections_to(port) == 0, "its end")
    wrong = venue.command("--lang", "en", "ui", "--role", "candidate", *there, check=False)
    assert wrong.returncode == 2 and "for a proctor's screen" in wrong.stderr
    for words in (("--connect", "lane"), ("--connect", f"127.0.0.1:{port}")):
        assert venue.command("ui", "--role", "proctor", *words, check=False).returncode == 2
    found = json.loads(venue.command("doctor", "--json", check=False).stdout)["findings"]
    (told,) = [f for f in found if f["says"].startswith(f"127.0.0.1:{port}")]
    assert told["colour"] == "green" and "CN=desk-1" in told["says"]


def connections_to(port: int) -> int:
    """Established ones, at the daemon's end (proc_net_tcp)."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(row[1].endswith(f":{port:04X}") and row[3] == "01" for row in rows)
