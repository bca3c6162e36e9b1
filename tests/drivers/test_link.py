"""Opening a port says what is wrong with it; the virtual cable is as bad as it is told to be."""

from __future__ import annotations

import errno
import os
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import serial
from hypothesis import given
from hypothesis import strategies as st

from drivers import link
from drivers.errors import DeviceFault, FaultCode
from drivers.link import Link, VirtualDevice

pytestmark = pytest.mark.usefixtures("no_leaked_threads")
BOUND_S = 3.0


class Echo(VirtualDevice):
    """Says what it hears, and remembers how the bytes came."""

    def __init__(self, link_path: Path | None = None) -> None:
        super().__init__(link_path)
        self.heard: list[bytes] = []
        self.on_feed: Callable[[], None] = lambda: None

    def feed(self, data: bytes) -> bytes:
        self.heard.append(data)
        self.on_feed()
        return data


@pytest.fixture
def twin(tmp_path: Path) -> Iterator[Echo]:
    with Echo(tmp_path / "echo") as running:
        yield running


def ask(port: serial.Serial, data: bytes, count: int | None = None) -> bytes:
    """Write, then read until `count` bytes (default: as many) have come or time is up."""
    port.write(data)
    return read(port, len(data) if count is None else count)


def read(port: serial.Serial, count: int, bound_s: float = BOUND_S) -> bytes:
    got, end = b"", time.monotonic() + bound_s
    while len(got) < count and time.monotonic() < end:
        got += port.read(count - len(got))
    return got


# --- opening -------------------------------------------------------------------------------------


def fault_of(port: str | Path, baud: int = 9600) -> FaultCode:
    with pytest.raises(DeviceFault) as caught:
        link.open_serial("turnstile", str(port), baud)
    assert caught.value.device == "turnstile"
    return caught.value.code


def test_a_missing_port(tmp_path):
    assert fault_of(tmp_path / "nothing") is FaultCode.PORT_MISSING


def test_a_dangling_name(tmp_path):
    (tmp_path / "name").symlink_to(tmp_path / "gone")
    assert fault_of(tmp_path / "name") is FaultCode.PORT_MISSING


def test_a_busy_port(twin):
    with link.open_serial("turnstile", twin.port, 9600):
        assert fault_of(twin.port) is FaultCode.PORT_BUSY


def test_what_is_not_a_serial_port(tmp_path):
    (tmp_path / "file").write_text("")
    assert fault_of(tmp_path / "file") is FaultCode.WRONG_DEVICE
    assert fault_of(tmp_path) is FaultCode.WRONG_DEVICE


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is denied to root")
def test_a_denied_port(tmp_path):
    (tmp_path / "port").touch(0o000)
    assert fault_of(tmp_path / "port") is FaultCode.PORT_DENIED


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (PermissionError(errno.EACCES, ""), FaultCode.PORT_DENIED),
        (BlockingIOError(errno.EAGAIN, ""), FaultCode.PORT_BUSY),
        (OSError(errno.ENXIO, ""), FaultCode.PORT_MISSING),
        (OSError(errno.EIO, ""), FaultCode.UNPLUGGED),
        (termios.error(errno.EIO, "gone"), FaultCode.UNPLUGGED),
        (TypeError("fd is None"), FaultCode.UNPLUGGED),
    ],
)
def test_what_an_error_means(error, code):
    assert link.serial_fault("turnstile", "/dev/x", error).code is code


# --- the cable -----------------------------------------------------------------------------------


def test_a_perfect_cable(twin):
    data = bytes(range(256)) * 8
    with link.open_serial("turnstile", twin.port, 115200) as port:
        assert ask(port, data) == data


def test_byte_by_byte_both_ways(twin):
    twin.link.chunk = 1
    with link.open_serial("turnstile", twin.port, 9600) as port:
        assert ask(port, b"hello") == b"hello"
    assert twin.heard == [b"h", b"e", b"l", b"l", b"o"]


def test_a_chopped_answer_does_not_hold_the_lock(twin):
    """Otherwise nobody could pull the plug in the middle of one."""
    twin.link.chunk = 1
    with link.open_serial("turnstile", twin.port, 9600) as port:
        port.write(bytes(2000))  # a second's worth
        assert len(read(port, 10)) == 10
        started = time.monotonic()
        twin.unplug()
        assert time.monotonic() - started < 0.2
        with pytest.raises(link.PORT_ERRORS):
            read(port, 2000)


def test_delay_keeps_the_order(twin):
    with link.open_serial("turnstile", twin.port, 9600) as port:
        twin.link.delay_s = 0.15
        started = time.monotonic()
        port.write(b"slow ")
        while not twin.heard:
            time.sleep(0.001)
        twin.link.delay_s = 0.0
        assert ask(port, b"fast", 9) == b"slow fast"
        assert time.monotonic() - started >= 0.15


def test_knobs_turn_while_it_runs(twin):
    with link.open_serial("turnstile", twin.port, 9600) as port:
        assert ask(port, b"one") == b"one"
        twin.link.loss = 1.0
        port.write(b"two")
        assert read(port, 1, bound_s=0.1) == b""
        twin.link.loss, twin.link.babble = 0.0, 1.0
        assert len(read(port, 20)) == 20
    assert b"".join(twin.heard) == b"one"


@given(st.binary(max_size=200), st.integers(0, 1000))
def test_damage_follows_the_seed(data, seed):
    rates = {"loss": 0.1, "flip": 0.1, "duplicate": 0.1, "seed": seed}
    assert Link(**rates).mangle(data) == Link(**rates).mangle(data)
    assert Link(seed=seed).mangle(data) == data
    assert Link(loss=1.0).mangle(data) == b""
    assert Link(duplicate=1.0).mangle(data) == b"".join(bytes((b, b)) for b in data)
    flipped = Link(flip=1.0, seed=seed).mangle(data)
    assert all((a ^ b).bit_count() == 1 for a, b in zip(data, flipped, strict=True))


# --- the plug ------------------------------------------------------------------------------------


def test_unplugged_and_plugged_in_again(twin):
    name = twin.port
    with link.open_serial("turnstile", name, 9600) as port:
        twin.unplug()
        assert not twin.plugged
        assert fault_of(name) is FaultCode.PORT_MISSING
        with pytest.raises(link.PORT_ERRORS):
            ask(port, b"anybody?")
    twin.unplug()  # nothing more to pull
    twin.replug()
    twin.replug()
    assert twin.port == name
    with link.open_serial("turnstile", name, 9600) as port:
        assert ask(port, b"again") == b"again"


def test_what_was_on_its_way_is_gone_after_replugging(twin):
    twin.link.delay_s = 0.1
    with link.open_serial("turnstile", twin.port, 9600) as port:
        port.write(b"old")
        while not twin.heard:
            time.sleep(0.001)
    twin.unplug()
    twin.replug()
    twin.link.delay_s = 0.0
    with link.open_serial("turnstile", twin.port, 9600) as port:
        assert ask(port, b"new") == b"new"
        assert read(port, 1, bound_s=0.15) == b""


def test_unplugged_by_the_twin_itself(twin):
    """From inside the cable's thread, before it has answered."""
    twin.on_feed = twin.unplug
    port = link.open_serial("turnstile", twin.port, 9600)
    with port, pytest.raises(link.PORT_ERRORS):
        ask(port, b"x")
    twin.on_feed = lambda: None
    twin.replug()
    with link.open_serial("turnstile", twin.port, 9600) as port:
        assert ask(port, b"y") == b"y"


def test_without_a_name_of_its_own():
    with Echo() as twin, link.open_serial("turnstile", twin.port, 9600) as port:
        assert ask(port, b"z") == b"z"


def test_started_and_stopped_twice(twin):
    twin.stop()
    assert not os.path.lexists(twin.port)
    twin.start()
    with link.open_serial("turnstile", twin.port, 9600) as port:
        assert ask(port, b"once more") == b"once more"
