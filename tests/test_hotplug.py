"""Put into another socket, every kind of serial device is found again by its USB identity: the
supervisor, the drivers and the twins' bytes are the real ones, only the system's list is not."""

from __future__ import annotations

import asyncio
import os
import pty
from pathlib import Path

import pytest

from drivers import ports
from drivers.errors import DeviceFault, FaultCode
from drivers.fingerprint.zfm.virtual import VirtualZfm
from drivers.idcard.virtual import VirtualSamReader
from drivers.scanner.virtual import VirtualScanner
from drivers.turnstile.modbus.virtual import VirtualTurnstile
from drivers.turnstile.osdp.virtual import VirtualOsdp
from drivers.turnstile.usb_relay.virtual import VirtualUsbRelay
from kiosk import supervisor as module
from kiosk.app import device_of
from kiosk.clock import SystemClock
from kiosk.config import load
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
