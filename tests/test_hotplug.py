"""Put into another socket, every kind of serial device is found again by its USB identity: the
supervisor, the drivers and the twins' bytes are the real ones, only the system's list is not."""

from __future__ import annotations

import asyncio
import os
import pty
from pathlib import Path
from types import SimpleNamespace

import pytest

from drivers import ports
from drivers.errors import DeviceFault, FaultCode
from drivers.fingerprint.zfm.virtual import VirtualZfm, make_template
from drivers.idcard.virtual import VirtualSamReader
from drivers.scanner.virtual import VirtualScanner
from drivers.turnstile.modbus.codec import READ_INPUTS, RequestParser
from drivers.turnstile.modbus.virtual import VirtualTurnstile
from drivers.turnstile.osdp.virtual import VirtualOsdp
from drivers.turnstile.usb_relay.codec import HostParser
from drivers.turnstile.usb_relay.virtual import VirtualUsbRelay
from kiosk import supervisor as module
from kiosk.app import device_of, find_port
from kiosk.clock import SystemClock
from kiosk.config import load
from kiosk.config.devices import AUTO
from kiosk.supervisor import Supervisor

EXAMPLE = Path(__file__).resolve().parents[1] / "config.yaml"
KEY = bytes.fromhex("8a1f03b2c4d5e6f708192a3b4c5d6e7f")
KINDS = {
    "modbus": ("turnstile", VirtualTurnstile),
    "osdp": ("turnstile", lambda: VirtualOsdp(key=KEY)),
    "usb_relay": ("turnstile", VirtualUsbRelay),
    "zfm": ("fingerprint", VirtualZfm),
    "sam": ("id_card", VirtualSamReader),
    "serial": ("scanner", VirtualScanner),
}


async def watched(device):
    while True:
        await (device.inputs() if hasattr(device, "inputs") else device.check())
        await asyncio.sleep(0.02)


async def until(condition):
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("driver", KINDS)
def test_a_device_in_another_socket_is_found_by_its_identity(driver, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "FIRST_WAIT_S", 0.02)
    monkeypatch.setattr(module, "LONGEST_WAIT_S", 0.1)
    key_file = tmp_path / "osdp.key"
    key_file.write_text(KEY.hex())
    key_file.chmod(0o600)
    role, make_twin = KINDS[driver]
    config = load(EXAMPLE)
    told = []

    def listed():
        here = [("A50285BI", twin.port)] if twin.plugged else []
        # a stranger of the same make, which must be left alone
        return [ports.UsbPort(p, "1a86:7523", s, "", "") for s, p in [*here, ("OTHER", other)]]

    def make():
        changes = {"driver": driver, "usb": "A50285BI", "port": "/dev/nothing"}
        if driver == "osdp":
            changes |= {"key_file": key_file, "pulse": "timed"}
        if driver == "serial":
            changes |= {"baud": 9600}  # the example has no such section
        return device_of(config, role, **changes)

    async def story():
        supervisor = Supervisor(SystemClock(), lambda s: told.append((s.ok, s.code)))
        supervisor.add(role, driver, "", make, watched)
        supervisor.start()
        try:
            await until(lambda: told and told[-1][0])
            before = twin.port
            twin.unplug()
            await until(lambda: told[-1] == (False, "port_missing"))
            taken.append(pty.openpty())  # the old socket's name belongs to somebody else now
            twin.replug()
            await until(lambda: told[-1][0])
            assert twin.port != before
        finally:
            await supervisor.stop()

    stranger, its_end = pty.openpty()
    other, taken = os.ttyname(its_end), [(stranger, its_end)]
    os.set_blocking(stranger, False)
    monkeypatch.setattr(ports, "usb_ports", listed)
    try:
        with make_twin() as twin:
            asyncio.run(story())
            with pytest.raises(BlockingIOError):
                os.read(stranger, 1)  # not a byte was sent to it
    finally:
        for ends in taken:
            for end in ends:
                os.close(end)


def among(role, driver, twins, monkeypatch, **changes):
    """The device behind one of these twins' adapters, which are all alike."""
    alike = [ports.UsbPort(twin.port, "1a86:7523", "", "", "") for twin in twins]
    monkeypatch.setattr(ports, "usb_ports", lambda: alike)
    return device_of(load(EXAMPLE), role, driver=driver, usb="1a86:7523", **changes)


def test_of_several_alike_it_is_the_one_that_answers(monkeypatch):
    with VirtualZfm() as finger, VirtualSamReader() as card, VirtualTurnstile() as gate:

        async def story():
            twins = (finger, card, gate)
            roles = {"turnstile": "modbus", "id_card": "sam", "fingerprint": "zfm"}
            devices = [among(r, d, twins, monkeypatch) for r, d in roles.items()]
            try:
                # at the end each holds its own, and those opened later pass those over
                found = [(await device.open()).port for device in devices]
                assert found == [gate.port, card.port, finger.port]
                assert not (await devices[0].inputs()).fire
                await devices[0].unlock(0.1)
            finally:
                for device in devices:
                    await device.close()

        asyncio.run(story())
        assert gate.pulses == gate.unlock_writes == 1


class HeardModbus(VirtualTurnstile):
    heard = b""

    def feed(self, data):
        self.heard += data
        return super().feed(data)


class HeardRelay(VirtualUsbRelay):
    heard = b""

    def feed(self, data):
        self.heard += data
        return super().feed(data)


def nothing_given(monkeypatch, *twins, **named):
    """A file that says nothing of where three devices are; `named`: roles whose port it does say.
    The computer has all these ports."""
    monkeypatch.setattr(ports, "serial_ports", lambda: [twin.port for twin in twins])
    monkeypatch.setattr(ports, "usb_ports", lambda: [])
    config = load(EXAMPLE)
    searched = {
        role: getattr(config.devices, role).model_copy(
            update={"port": named[role].port if role in named else AUTO}
        )
        for role in ("turnstile", "fingerprint", "id_card")
    }
    devices = config.devices.model_copy(update=searched)
    return config.model_copy(update={"devices": devices})


@pytest.mark.parametrize("board", ["modbus", "osdp", "usb_relay"])
def test_nothing_given_every_port_is_asked_and_no_other_device_is_touched(
    board, tmp_path, monkeypatch
):
    key_file = tmp_path / "osdp.key"
    key_file.write_text(KEY.hex())
    key_file.chmod(0o600)
    changes = {
        # opening this one writes to its relays: asking who is there must not
        "modbus": {"pulse": "latch"},
        "osdp": {"key_file": key_file, "pulse": "timed"},
        "usb_relay": {"answers": True},
    }[board]
    with (
        VirtualZfm() as finger, VirtualZfm() as foreign, VirtualSamReader() as card,
        HeardModbus() as modbus, VirtualOsdp(key=KEY) as osdp,
        HeardRelay(answers="bytes") as relay, VirtualScanner() as scanner,
    ):  # fmt: skip
        foreign.set_password(7)
        finger.chip.library[3] = foreign.chip.library[3] = make_template("somebody/thumb", 1)
        gates = {"modbus": modbus, "osdp": osdp, "usb_relay": relay}
        own = gates.pop(board)
        config = nothing_given(monkeypatch, scanner, foreign, *gates.values(), finger, card, own)
        devices = [
            device_of(config, "turnstile", driver=board, **changes),
            device_of(config, "fingerprint", preload=False),
            device_of(config, "id_card"),
        ]

        async def story():
            try:
                # all at once, as the supervisor does: none is in another's way
                found = await asyncio.gather(*(device.open() for device in devices))
                assert [f.port for f in found] == [own.port, finger.port, card.port]
            finally:
                for device in devices:
                    await device.close()

        asyncio.run(story())
        for gate in (own, *gates.values()):
            assert gate.pulses == gate.unlock_writes == 0
        assert list(finger.chip.library) == list(foreign.chip.library) == [3]
        if own is not modbus:
            functions = {request.function for request in RequestParser().feed(modbus.heard)}
            assert functions <= {READ_INPUTS}
        if own is not relay:
            orders = [asked for asked in HostParser().feed(relay.heard) if asked is not None]
            assert orders == []


def test_several_gates_or_none_at_the_ports_are_told_with_what_each_said(monkeypatch):
    seventeen = [SimpleNamespace(port=f"/dev/ttyS{n}") for n in range(17)]
    with HeardModbus() as gate, HeardModbus() as other, VirtualSamReader() as card:
        for twins, code, said in (
            ((gate, card, other), FaultCode.WRONG_DEVICE, f"{other.port} answers"),
            ((card,), FaultCode.NO_ANSWER, f"{card.port} no_answer"),
            ((), FaultCode.PORT_MISSING, "no serial port"),
            (seventeen, FaultCode.WRONG_DEVICE, "17 ports"),
        ):
            config = nothing_given(monkeypatch, *twins)
            with pytest.raises(DeviceFault, match=said) as caught:
                asyncio.run(device_of(config, "turnstile").open())
            assert caught.value.code is code
        requests = RequestParser().feed(gate.heard + other.heard)
        assert {request.function for request in requests} == {READ_INPUTS}


def test_a_port_that_the_file_gives_to_another_device_is_not_asked(monkeypatch):
    with HeardModbus() as gate, VirtualZfm() as finger:
        config = nothing_given(monkeypatch, gate, finger, turnstile=gate)
        assert find_port(config, "fingerprint") == finger.port
        assert find_port(config, "turnstile") == gate.port
        assert gate.heard == b""


def test_a_reader_with_another_password_is_told_as_that(monkeypatch):
    with VirtualZfm() as finger:
        finger.set_password(7)
        config = nothing_given(monkeypatch, finger)
        with pytest.raises(DeviceFault) as caught:
            asyncio.run(device_of(config, "fingerprint").open())
        assert caught.value.code is FaultCode.WRONG_PASSWORD


def test_two_that_answer_or_cannot_are_not_chosen_between(monkeypatch):
    with VirtualTurnstile() as gate, VirtualTurnstile() as other:
        device = among("turnstile", "modbus", (gate, other), monkeypatch)
        with pytest.raises(DeviceFault, match="answers") as caught:
            asyncio.run(device.open())
        assert caught.value.code is FaultCode.WRONG_DEVICE
        with pytest.raises(DeviceFault, match="several") as caught:
            among("turnstile", "usb_relay", (gate, other), monkeypatch)
        assert caught.value.code is FaultCode.WRONG_DEVICE
        assert gate.unlock_writes == other.unlock_writes == 0
