"""The socket: its page lists every method, garbage is answered, slow clients are dropped."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import os
import re
import socket
from datetime import UTC
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk import wire
from kiosk.clock import SystemClock
from kiosk.daemon import Daemon
from kiosk.desks.lane import LaneDesk
from kiosk.desks.params import Params, parse
from kiosk.desks.stick import StickDesk
from kiosk.desks.workshop import WorkshopDesk
from kiosk.ink import read_ink
from kiosk.office import Office
from kiosk.server import MAX_OF_ONE, Server
from kiosk.signature import Pad, check_strokes
from kiosk.staff import roles
from kiosk.staff.peers import Peer
from kiosk.wire import RpcError

PAGE = (Path(__file__).parents[1] / "docs/wire.md").read_text()


def test_the_page_lists_every_method():
    listed = set(named("## Methods"))
    assert listed == own_methods() | set(office().methods) | set(desk_methods())


def desk_methods() -> dict[str, tuple[type[Params], Any]]:
    """Those of the desks that need the lane as it is now."""
    session: Any = SimpleNamespace()
    lane = LaneDesk(session, "", "zh", RpcError).methods
    sticks = StickDesk(
        session, RpcError, zone=UTC, language="zh", mounts=None, reader=lambda *_: [],
        ask=lambda *_: None, quiet=lambda: True, changed=lambda: None,
    )  # fmt: skip
    return {**lane, **sticks.methods, **WorkshopDesk(session, RpcError).methods}


def named(heading: str) -> list[str]:
    """Methods in the first column of the table below this heading."""
    part = PAGE.split(heading)[1].split("\n## ")[0]
    rows = re.findall(r"^\| (`\w+\.\w+`(?:, `\w+\.\w+`)*) \|", part, re.M)
    return [name for row in rows for name in re.findall(r"\w+\.\w+", row)]


def own_methods() -> set[str]:
    found = re.findall(r'case ("\w+\.\w+"(?: \| "\w+\.\w+")*)', inspect.getsource(Daemon._handle))
    return {name for names in found for name in re.findall(r"\w+\.\w+", names)}


def office() -> Office:
    return Office(
        SimpleNamespace(),  # type: ignore[arg-type]
        clock=SystemClock(),
        zone=None,  # type: ignore[arg-type]
        encoder="",
        min_free_mb=1,
        early_s=0,
        late_s=0,
        language="zh",
    )


def test_the_table_says_who_may_call_every_method():
    assert set(roles.TABLE) == own_methods() | set(office().methods) | set(desk_methods())
    assert roles.render() in PAGE, "python -m kiosk.staff.roles docs/wire.md"


def test_whoever_has_logged_in_is_put_into_every_person():
    made = office()
    own = {"lane.resume", "lane.drill", "proctor.cancel"} | {
        name for name, (schema, _) in desk_methods().items()
        if "person" in schema.model_fields
    }
    having = own | {name for name in made.methods if "person" in made.fields(name)}
    assert {name for name, access in roles.TABLE.items() if access.names} == having


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x, max_size=3)
)


@given(st.text(), st.dictionaries(st.text(), json_values, max_size=4))
def test_messages_survive_the_wire(method, params):
    message = wire.request(method, params, 1)
    line = wire.encode(message)
    assert line.count(b"\n") == 1
    assert wire.decode(line) == message


@given(st.binary(max_size=200))
def test_garbage_is_an_error_not_a_crash(data):
    try:
        assert wire.decode(data)["jsonrpc"] == "2.0"
    except wire.RpcError as error:
        assert error.code in (wire.PARSE_ERROR, wire.INVALID_REQUEST)


def handle(method, params, connection):
    if method == "bug":
        raise KeyError(method)
    if method == "ping":
        return params
    raise wire.RpcError(wire.METHOD_NOT_FOUND, method)


@pytest.mark.parametrize(
    "text",
    [
        b'{"jsonrpc": "2.0", "id": 1, "method": "\\ud800", "params": {}}',
        b'{"jsonrpc": "2.0", "id": "\\udfff", "method": "x", "params": {}}',
        b'{"jsonrpc": "2.0", "id": 1, "method": "\xed\xa0\x80", "params": {}}',
        b'{"jsonrpc": "2.0", "id": 1, "method": "x", "params": {"\\ud800": 1}}',
    ],
)
def test_half_a_character_is_refused_at_the_door(text):
    with pytest.raises(wire.RpcError) as refused:
        wire.decode(text)
    assert refused.value.code == wire.PARSE_ERROR


def test_a_whole_pair_is_a_character():
    message = b'{"jsonrpc": "2.0", "id": 1, "method": "\\ud83d\\ude00", "params": {}}'
    assert wire.decode(message)["method"] == "\U0001f600"


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, float("nan"), float("inf"), "\udcff"])
@pytest.mark.parametrize("wrap", [lambda v: v, lambda v: [v], lambda v: {"x": [v]}])
def test_what_no_database_can_hold_is_refused_with_its_field(value, wrap):
    class Anything(Params):
        value: Any

    with pytest.raises(wire.RpcError, match="value: "):
        parse(Anything, {"value": wrap(value)})
    assert parse(Anything, {"value": wrap(2**63 - 1)}).value == wrap(2**63 - 1)


def test_server_answers_and_goes_on(tmp_path):
    async def story():
        server = Server(tmp_path / "s.sock", handle)
        await server.start()
        reader, writer = await wire.open_connection(tmp_path / "s.sock")
        for line in (b"garbage\n", b'{"jsonrpc":"2.0","id":1,"method":"no"}\n', b"[]\n"):
            writer.write(line)
            assert "error" in wire.decode(await reader.readline())
        writer.write(wire.encode(wire.request("bug", {}, 1)))
        error = wire.decode(await reader.readline())["error"]
        assert error["code"] == wire.INTERNAL_ERROR, "a mistake of ours stops no gate"
        writer.write(wire.encode(wire.request("ping", {"a": 1}, 2)))
        assert wire.decode(await reader.readline())["result"] == {"a": 1}
        await server.stop()
        assert await reader.read() == b""
        writer.close()
        with pytest.raises(wire.NotRunning):
            await wire.open_connection(tmp_path / "s.sock")

    asyncio.run(story())


def test_a_crowd_of_connections_is_turned_away(tmp_path, monkeypatch):
    """Whoever opens a thousand must not take the daemon's last file."""
    monkeypatch.setattr("kiosk.server.MAX_CONNECTIONS", 3)

    async def story():
        server = Server(tmp_path / "s.sock", handle)
        await server.start()
        ends = [await asyncio.open_unix_connection(tmp_path / "s.sock") for _ in range(5)]
        assert await ends[4][0].read() == b"", "closed at once"
        ends[0][1].write(wire.encode(wire.request("ping", {}, 1)))
        assert b"result" in await ends[0][0].readline()
        for _, writer in ends:
            writer.close()
        await server.stop()

    asyncio.run(story())


def test_one_user_leaves_room_for_the_others(tmp_path):
    users = SimpleNamespace(peer=lambda uid: Peer(whose=asking[0]))
    asking = ["candidate"]

    async def story():
        server = Server(tmp_path / "s.sock", handle, users=users)
        await server.start()
        ends = []

        async def answered():
            reader, writer = await wire.open_connection(tmp_path / "s.sock")
            ends.append(writer)
            writer.write(wire.encode(wire.request("ping", {}, 1)))
            with contextlib.suppress(ConnectionError):
                return b"result" in await reader.readline()
            return False

        assert [await answered() for _ in range(MAX_OF_ONE + 1)] == [True] * MAX_OF_ONE + [False]
        asking[0] = "proctor"
        assert await answered()
        for writer in ends:
            writer.close()
        await server.stop()

    asyncio.run(story())


def test_server_knows_the_user_at_the_other_end_and_waits_for_what_takes_time(tmp_path):
    async def story():
        seen, gone = [], []

        async def later(params):
            await asyncio.sleep(0)
            return params

        def slow(method, params, connection):
            return later(params) if method == "later" else {"now": True}

        server = Server(
            tmp_path / "s.sock", slow, came=lambda c: seen.append(c.peer), gone=gone.append
        )
        await server.start()
        reader, writer = await wire.open_connection(tmp_path / "s.sock")
        for number, method in enumerate(("later", "now")):
            writer.write(wire.encode(wire.request(method, {"n": number}, number)))
        answers = [wire.decode(await reader.readline()) for _ in range(2)]
        assert [a["id"] for a in answers] == [0, 1], "in the order in which they were asked"
        assert answers[0]["result"] == {"n": 0}
        assert seen == [Peer(machine=True, whose=os.geteuid())]
        writer.close()
        await server.stop()
        assert len(gone) == 1

    asyncio.run(story())


def test_who_does_not_read_does_not_keep_the_server_from_stopping(tmp_path):
    async def story():
        server = Server(tmp_path / "s.sock", lambda *_: "x" * 1_500_000)
        await server.start()
        with socket.socket(socket.AF_UNIX) as deaf:
            deaf.connect(str(tmp_path / "s.sock"))
            deaf.send(wire.encode(wire.request("lane.state", {}, 1)) * 2)
            while not server._connections:
                await asyncio.sleep(0.01)
            async with asyncio.timeout(20):
                await server.stop()

    asyncio.run(story())


def test_half_a_line_is_nothing_and_a_long_one_ends_the_connection(tmp_path):
    async def story():
        asked = []
        server = Server(tmp_path / "s.sock", lambda method, *_: asked.append(method))
        await server.start()
        whole = wire.encode(wire.request("lane.release", {}, 1))
        _, writer = await wire.open_connection(tmp_path / "s.sock")
        writer.write(whole.rstrip(b"\n"))
        writer.close()
        await writer.wait_closed()
        reader, writer = await wire.open_connection(tmp_path / "s.sock")
        padded = wire.encode(wire.request("padded", {"x": "y" * 200_000}, 1))  # of several blocks
        writer.write(padded)
        assert b"result" in await reader.readline()
        writer.write(b"x" * (wire.MAX_LINE + 200_000))
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""
        writer.close()
        await server.stop()
        assert asked == ["padded"]

    asyncio.run(story())


def pad(strokes):
    return Pad(visit=1, strokes=strokes, width=800, height=300, text_sha256="0" * 64)


def test_what_is_a_signature():
    line = [(10.0 * i, 100.0, 5.0 * i, 0.5) for i in range(60)]
    assert check_strokes(pad([line]))
    assert not check_strokes(pad([]))
    assert not check_strokes(pad([[(1.0, 1.0, 0.0, 0.0)] * 50])), "a dot"
    assert pad([line]).document() == pad([list(line)]).document()
    assert read_ink(pad([line]).document()).strokes == (tuple(line),)
    for wrong in (float("nan"), float("inf"), -1.0, 801.0):
        with pytest.raises(ValueError, match="X of a point"):
            pad([[*line, (wrong, 0.0, 0.0, 0.0)]])
