"""The supervisor's promise: a device that dies is said to be dead, and comes back by itself."""

import asyncio

import pytest

from drivers.contracts import DeviceInfo
from drivers.errors import DeviceFault, FaultCode
from kiosk import supervisor as module
from kiosk.clock import SystemClock
from kiosk.supervisor import Supervisor


class Plug:
    """A socket in the wall: whether the device behind it can be opened."""

    present = True

    def __init__(self):
        self.opened = self.closed = 0
        self.died = asyncio.Event()

    def make(self):
        return Device(self)


class Device:
    def __init__(self, plug):
        self.plug = plug

    async def open(self):
        if not self.plug.present:
            raise DeviceFault("reader", FaultCode.PORT_MISSING, "/dev/nothing")
        self.plug.opened += 1
        return DeviceInfo("reader", "fake", "/dev/fake", model="R1")

    async def close(self):
        self.plug.closed += 1

    async def serve(self):
        await self.plug.died.wait()
        self.plug.died.clear()
        raise DeviceFault("reader", FaultCode.UNPLUGGED, "gone")


async def until(condition, timeout_s=5.0):
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0.01)


def supervised(story, monkeypatch):
    """Run `story(supervisor, plug, changes)` with short waits."""
    monkeypatch.setattr(module, "FIRST_WAIT_S", 0.02)
    monkeypatch.setattr(module, "LONGEST_WAIT_S", 0.1)

    async def run():
        changes = []
        plug = Plug()
        supervisor = Supervisor(SystemClock(), lambda s: changes.append((s.role, s.ok, s.code)))
        supervisor.add("reader", "fake", "/dev/fake", plug.make, lambda device: device.serve())
        supervisor.start()
        try:
            await story(supervisor, plug, changes)
        finally:
            await supervisor.stop()

    asyncio.run(run())


def test_dies_and_comes_back(monkeypatch):
    async def story(supervisor, plug, changes):
        await until(lambda: supervisor.all_well)
        plug.present = False
        plug.died.set()
        await until(lambda: not supervisor.all_well)
        with pytest.raises(DeviceFault):
            supervisor.device("reader")
        await until(lambda: ("reader", False, "port_missing") in changes)
        plug.present = True
        await until(lambda: supervisor.all_well)
        assert plug.opened == 2
        assert changes == [
            ("reader", True, None),
            ("reader", False, "unplugged"),
            ("reader", False, "port_missing"),
            ("reader", True, None),
        ], "each change once, whatever the number of tries"

    supervised(story, monkeypatch)


def test_a_fault_that_a_user_saw_is_believed(monkeypatch):
    async def story(supervisor, plug, changes):
        await until(lambda: supervisor.all_well)
        supervisor.fault(DeviceFault("reader", FaultCode.GARBLED, "half-dead"))
        await until(lambda: plug.opened == 2)
        await until(lambda: supervisor.all_well)
        assert ("reader", False, "garbled") in changes
        supervisor.fault(DeviceFault("unknown", FaultCode.GARBLED))  # nobody's: ignored

    supervised(story, monkeypatch)


def test_missing_from_the_start_is_said(monkeypatch):
    async def story(supervisor, plug, changes):
        await until(lambda: bool(changes))
        assert changes == [("reader", False, "port_missing")]

    monkeypatch.setattr(Plug, "present", False)
    supervised(story, monkeypatch)


def test_stopping_closes_the_device(monkeypatch):
    async def story(supervisor, plug, changes):
        await until(lambda: supervisor.all_well)
        await supervisor.stop()
        assert plug.closed == 1

    supervised(story, monkeypatch)
