"""TLS: who is let in as which screen, and what keeps a stranger from more than a refusal."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import gc
import json
import os
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from kiosk import tls, wire
from kiosk.relay import Relay
from kiosk.server import Server
from kiosk.staff.peers import Peer
from kiosk.tls import Files, Listener, TlsProblem, client_context, server_context
from tests.pki import Authority

DESK, LAPTOP = "CN=desk-1,O=Hall", "CN=laptop"
SUBJECTS = {"desk": DESK, "laptop": LAPTOP}
CLIENTS = {DESK: "proctor", LAPTOP: "technician"}
DAY = datetime.timedelta(days=1)


@pytest.fixture
def hall(tmp_path: Path) -> Authority:
    made = Authority(tmp_path / "pki")
    made.issue("lane", "CN=lane", server=True)
    made.issue("desk", DESK)
    made.issue("laptop", LAPTOP)
    return made


def files(hall: Authority, crl: Path | None = None) -> Files:
    return Files(hall.folder / "lane.pem", hall.folder / "lane.key", hall.ca, crl)


class Lane:
    """A server on both sockets that answers with who it thinks is asking."""

    def __init__(self, folder: Path, listener: Listener) -> None:
        self.peers: list[Peer] = []
        self.listener = listener
        self.server = Server(
            folder / "s.sock",
            lambda method, params, connection: {"screen": connection.peer.screen},
            came=lambda connection: self.peers.append(connection.peer),
            far=listener,
        )

    @property
    def port(self) -> int:
        assert self.listener.port is not None
        return self.listener.port


@contextlib.asynccontextmanager
async def lane_of(folder: Path, chosen: Files) -> AsyncIterator[Lane]:
    lane = Lane(folder, Listener("127.0.0.1", 0, chosen, CLIENTS))
    await lane.server.start()
    async with asyncio.timeout(30):
        while lane.listener.port is None:
            await asyncio.sleep(0.01)
    try:
        yield lane
    finally:
        await lane.server.stop()


def play(story: Callable[[Lane], Any], folder: Path, chosen: Files) -> list[Any]:
    """Run it beside a lane; returns what the lane logged."""

    stopped: list[dict[str, Any]] = []  #: what the daemon's one handler would stop it for

    async def whole() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, about: stopped.append(about))
        async with lane_of(folder, chosen) as lane, asyncio.timeout(60):
            await story(lane)

    with capture_logs() as logs:
        asyncio.run(whole())
    gc.collect()  # tasks tell of what nobody has asked them for when they go
    assert not stopped
    assert not [entry for entry in logs if entry["log_level"] == "critical"]
    return logs


async def ask(port: int, context: ssl.SSLContext | None, line: bytes = b"") -> bytes:
    """What is answered to one question; b"" when the connection is closed instead."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    except (ssl.SSLError, ConnectionError):
        return b""
    try:
        writer.write(line or wire.encode(wire.request("lane.state", {}, 1)))
        return await reader.readline()
    except (ssl.SSLError, ConnectionError):
        return b""
    finally:
        writer.transport.abort()


def shown_by(hall: Authority, name: str, ca: Path | None = None) -> ssl.SSLContext:
    return client_context(hall.folder / f"{name}.pem", hall.folder / f"{name}.key", ca or hall.ca)


def test_a_listed_certificate_is_its_screen_and_nothing_more(
    hall: Authority, tmp_path: Path
) -> None:
    async def story(lane: Lane) -> None:
        for name, screen in (("desk", "proctor"), ("laptop", "technician")):
            answer = await ask(lane.port, shown_by(hall, name))
            assert json.loads(answer)["result"] == {"screen": screen}
            assert lane.peers[-1] == Peer.only(screen, far=True, whose=SUBJECTS[name])

    play(story, tmp_path, files(hall))


def test_whoever_is_not_listed_is_refused_without_being_named(
    hall: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Authority(tmp_path / "other")
    other.issue("desk", DESK)
    hall.issue("unlisted", "CN=Wang Xiaoming")
    hall.issue("expired", DESK, valid=-datetime.timedelta(minutes=1))
    hall.issue("wrong_use", DESK, server=True)
    nothing = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    nothing.load_verify_locations(hall.ca)
    old = shown_by(hall, "desk")
    with pytest.warns(DeprecationWarning):
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    strangers = {
        "wrong authority": shown_by(other, "desk", hall.ca),
        "unlisted": shown_by(hall, "unlisted"),
        "expired": shown_by(hall, "expired"),
        "not for clients": shown_by(hall, "wrong_use"),
        "no certificate": nothing,
        "TLS 1.1": old,
        "plain text": None,
    }

    async def story(lane: Lane) -> None:
        for why, context in strangers.items():
            assert await ask(lane.port, context) == b"", why
        assert lane.peers == []
        assert b"proctor" in await ask(lane.port, shown_by(hall, "desk")), "others are let in still"

    monkeypatch.setattr(tls, "TOLD_EVERY_S", 0.0)
    logs = play(story, tmp_path, files(hall))
    refused = [entry for entry in logs if entry["event"] == "tls_refused"]
    assert len(refused) == len(strangers), refused
    assert "Wang" not in repr(logs) and "127.0.0.1" not in repr(refused)


def test_what_was_taken_back_is_refused_without_a_restart(hall: Authority, tmp_path: Path) -> None:
    crl = hall.revoke()

    async def story(lane: Lane) -> None:
        assert b"proctor" in await ask(lane.port, shown_by(hall, "desk"))
        hall.revoke(hall.folder / "desk.pem")
        assert await ask(lane.port, shown_by(hall, "desk")) == b""
        assert b"technician" in await ask(lane.port, shown_by(hall, "laptop"))
        crl.write_text("nonsense")  # bad files leave the old ones in use
        assert await ask(lane.port, shown_by(hall, "desk")) == b""
        assert b"technician" in await ask(lane.port, shown_by(hall, "laptop"))

    logs = play(story, tmp_path, files(hall, crl))
    assert [e for e in logs if e["event"] == "tls_files_not_taken"]


def test_slow_and_many_handshakes_keep_nobody_out(
    hall: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One address gets a few at a time, each for a moment; the unix socket does not notice."""
    monkeypatch.setattr(tls, "HANDSHAKE_S", 0.5)

    async def story(lane: Lane) -> None:
        slow = [await asyncio.open_connection("127.0.0.1", lane.port) for _ in range(40)]
        slow[0][1].write(b"\x16\x03\x01")  # begins, and never goes on
        reader, writer = await asyncio.open_unix_connection(tmp_path / "s.sock")
        writer.write(wire.encode(wire.request("lane.state", {}, 1)))
        assert b"result" in await reader.readline()
        writer.close()
        for ends, _ in slow:
            with contextlib.suppress(ConnectionError):
                assert await ends.read() == b""
        assert b"proctor" in await ask(lane.port, shown_by(hall, "desk"))
        assert not lane.listener._shaking, "nothing is kept of them"
        for _, out in slow:
            out.close()

    play(story, tmp_path, files(hall))


def test_garbage_in_the_channel_ends_one_connection(hall: Authority, tmp_path: Path) -> None:
    async def story(lane: Lane) -> None:
        assert b"not a JSON message" in await ask(lane.port, shown_by(hall, "desk"), b"\0\xff\n")
        where = ("127.0.0.1", lane.port)
        reader, writer = await asyncio.open_connection(*where, ssl=shown_by(hall, "desk"))
        under = writer.get_extra_info("socket").fileno()
        os.write(under, b"\x17\x03\x03\x00\x20" + b"x" * 32)  # a record that nobody has sealed
        with contextlib.suppress(ssl.SSLError, ConnectionError):
            assert await reader.read() == b""
        writer.transport.abort()
        too_long = b"x" * (3 << 20)
        assert await ask(lane.port, shown_by(hall, "desk"), too_long) == b""
        assert b"proctor" in await ask(lane.port, shown_by(hall, "desk"))

    play(story, tmp_path, files(hall))


def test_a_certificate_that_expires_ends_its_connection(hall: Authority, tmp_path: Path) -> None:
    hall.issue("brief", DESK, valid=datetime.timedelta(seconds=3))

    async def story(lane: Lane) -> None:
        where = ("127.0.0.1", lane.port)
        reader, writer = await asyncio.open_connection(*where, ssl=shown_by(hall, "brief"))
        with contextlib.suppress(ssl.SSLError, ConnectionError):
            assert await reader.read() == b""
        writer.transport.abort()

    play(story, tmp_path, files(hall))


def test_bad_files_are_named(hall: Authority, tmp_path: Path) -> None:
    good = files(hall)
    server_context(good)
    (hall.folder / "lane.key").chmod(0o640)
    with pytest.raises(TlsProblem, match=r"lane\.key: .* chmod 600"):
        server_context(good)
    (hall.folder / "lane.key").chmod(0o600)
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("nonsense")
    for wrong in (
        Files(nonsense, good.key, good.client_ca),
        Files(good.certificate, good.key, nonsense),
        Files(good.certificate, good.key, good.client_ca, nonsense),
    ):
        with pytest.raises(TlsProblem, match=r"nonsense\.pem"):
            server_context(wrong)
    with pytest.raises(TlsProblem, match=r"gone\.key: No such file"):
        server_context(Files(good.certificate, tmp_path / "gone.key", good.client_ca))


def test_without_an_address_the_lane_runs_and_tries_again(hall: Authority, tmp_path: Path) -> None:
    """192.0.2.1 is nobody's (RFC 5737)."""

    async def story() -> None:
        server = Server(tmp_path / "s.sock", lambda *_: {}, far=Listener("192.0.2.1", 7443,
                        files(hall), CLIENTS))  # fmt: skip
        await server.start()
        reader, writer = await asyncio.open_unix_connection(tmp_path / "s.sock")
        writer.write(wire.encode(wire.request("lane.state", {}, 1)))
        assert b"result" in await reader.readline()
        writer.close()
        await server.stop()

    with capture_logs() as logs:
        asyncio.run(story())
    assert [e for e in logs if e["event"] == "tls_not_listening"]


def test_a_screen_elsewhere_speaks_through_the_relay(
    hall: Authority, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def at_the_desk(port: int) -> None:
        with Relay("127.0.0.1", port, shown_by(hall, "desk")) as relay:
            assert relay.path.parent.stat().st_mode & 0o077 == 0, "nobody else's"
            with wire.Client(relay.path) as one, wire.Client(relay.path) as two:
                assert one.call("lane.state") == two.call("lane.state") == {"screen": "proctor"}
        hall.issue("unlisted", "CN=somebody")
        for name, ca in (("unlisted", None), ("desk", Authority(tmp_path / "x").ca)):
            with (
                Relay("127.0.0.1", port, shown_by(hall, name, ca)) as relay,
                wire.Client(relay.path) as client,
                pytest.raises(ConnectionError),
            ):
                client.call("lane.state")

    async def story(lane: Lane) -> None:
        await asyncio.to_thread(at_the_desk, lane.port)

    play(story, tmp_path, files(hall))
    assert "CERTIFICATE_VERIFY_FAILED" in capsys.readouterr().err, "why, for who looks"
