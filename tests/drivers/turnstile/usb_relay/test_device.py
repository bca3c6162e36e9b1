"""A gate that can be opened and not seen: one pulse an unlock, an end by time, honest faults."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from drivers.contracts import GateEventKind as K
from drivers.contracts import Way
from drivers.errors import DeviceFault, FaultCode, UnlockUnknown
from drivers.link import Link
from drivers.turnstile.usb_relay import device
from drivers.turnstile.usb_relay.device import UsbRelayTurnstile
from drivers.turnstile.usb_relay.virtual import VirtualUsbRelay

pytestmark = pytest.mark.usefixtures("no_leaked_threads")


@pytest.fixture
def twin(tmp_path):
    with VirtualUsbRelay(tmp_path / "relay", stride_s=0.02) as running:
        yield running


@pytest.fixture
def opened(twin):
    @contextlib.asynccontextmanager
    async def using(**changes):
        options = {"port": twin.port, "pulse_ms": 100, "release_relay": 2}
        gate = UsbRelayTurnstile(options | changes)
        await gate.open()
        try:
            yield gate
        finally:
            await gate.close()

    return using


async def until(holds, bound_s=3.0):
    async with asyncio.timeout(bound_s):
        while not holds():
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("answers", ["", "bytes", "text"])
def test_one_unlock_one_pulse_and_nobody_saw_who_went(run, twin, opened, answers):
    twin.answers = answers

    async def body():
        async with opened(answers=bool(answers)) as gate:
            assert await gate.inputs() is None
            assert await gate.counters() is None
            await gate.unlock(0.5)
            await until(lambda: twin.pulses == 1)
            assert await asyncio.to_thread(twin.person_passes)
            assert (await gate.next_event()).kind is K.UNSEEN
            assert not twin.relay(1)
            assert (twin.pulses, twin.unlock_writes, twin.passages) == (1, 1, 1)
            await gate.unlock(0.2)  # and nobody comes: it ends alike
            assert (await gate.next_event()).kind is K.UNSEEN

    run(body())


def test_out_by_a_relay_of_its_own(run, tmp_path):
    async def body():
        with VirtualUsbRelay(
            tmp_path / "both", relays=3, exit_relay=3, answers="bytes", stride_s=0.02
        ) as twin:
            options = {"port": twin.port, "pulse_ms": 100, "release_relay": 2, "exit_relay": 3}
            gate = UsbRelayTurnstile(options | {"answers": True})
            await gate.open()
            try:
                await gate.unlock(0.3, Way.EXIT)
                await until(lambda: twin.relay(3))
                assert not twin.relay(1) and not twin.unlocked
                assert await asyncio.to_thread(twin.person_leaves)
                event = await gate.next_event()
                assert (event.kind, event.way) == (K.UNSEEN, Way.EXIT)
                assert not twin.relay(3) and twin.pulses == 1
            finally:
                await gate.close()

    run(body())


def test_release_by_its_own_relay_or_by_the_locks(run, twin, opened):
    async def body():
        async with opened() as gate:
            await gate.release(True)
            await until(lambda: twin.released)
            await gate.release(False)
            await until(lambda: not twin.released)
        async with opened(release_relay=None) as gate:
            await gate.release(True)
            await until(lambda: twin.relay(1))
            await gate.unlock(0.2)  # it stands open: no second pull, and no end of the release
            assert (await gate.next_event()).kind is K.UNSEEN
            assert twin.relay(1) and twin.pulses == 1
            await gate.release(False)
            await until(lambda: not twin.relay(1))

    run(body())


def test_an_unlock_that_a_crash_left_on_ends_at_the_next_opening(run, twin, opened):
    async def body():
        twin.feed(bytes.fromhex("a00101a2"))
        async with opened():
            await until(lambda: not twin.relay(1))

    run(body())


def test_a_closed_driver_leaves_no_pulse_on(run, twin, opened):
    async def body():
        async with opened(pulse_ms=5000) as gate:
            await gate.unlock(5.0)
            await until(lambda: twin.relay(1))
        await until(lambda: not twin.relay(1))

    run(body())


def test_a_relay_that_does_not_move_is_seen_where_the_board_answers(run, twin, opened):
    twin.answers = "text"

    async def body():
        async with opened(answers=True) as gate:
            twin.stuck = True
            with pytest.raises(UnlockUnknown):
                await gate.unlock(0.5)
            assert twin.pulses == 0

    run(body())


def test_a_relay_that_stays_on_is_a_fault(run, twin, opened, monkeypatch):
    monkeypatch.setattr(device, "LOOK_S", 0.05)
    twin.answers = "bytes"

    async def body():
        async with opened(answers=True) as gate:
            await gate.unlock(5.0)
            twin.stuck = True
            with pytest.raises(DeviceFault) as caught:
                async with asyncio.timeout(4):
                    await gate.next_event()
            assert caught.value.code is FaultCode.MISBEHAVES

    run(body())


def test_a_board_that_should_answer_and_does_not_is_no_board(run, twin):
    async def body():
        gate = UsbRelayTurnstile({"port": twin.port, "answers": True})
        with pytest.raises(DeviceFault) as caught:
            await gate.open()
        assert caught.value.code is FaultCode.NO_ANSWER

    run(body())


def test_a_pulled_plug_is_seen_and_sends_nothing(run, twin, opened):
    async def body():
        async with opened() as gate:
            twin.unplug()
            with pytest.raises(DeviceFault) as caught:
                await gate.next_event()
            assert caught.value.code is FaultCode.UNPLUGGED
            with pytest.raises(DeviceFault):
                await gate.unlock(1.0)
            twin.replug()
            await gate.open()
            await gate.unlock(0.2)
            assert (await gate.next_event()).kind is K.UNSEEN
            assert twin.pulses == 1

    run(body())


@pytest.mark.parametrize(
    "link",
    [Link(chunk=1), Link(loss=0.1), Link(flip=0.05), Link(duplicate=0.1), Link(babble=0.3)],
    ids=["byte by byte", "loss", "flipped", "duplicated", "babbling"],
)
def test_never_more_pulses_than_unlocks(run, twin, opened, link):
    """A lost frame opens nothing; a damaged one opens nothing else."""

    async def body():
        async with opened(pulse_ms=40) as gate:
            twin.link = link
            for n in range(1, 9):
                await gate.unlock(0.08)
                assert (await gate.next_event()).kind is K.UNSEEN
                assert twin.pulses <= twin.unlock_writes <= n
            twin.link = Link()
            await asyncio.sleep(0.1)  # half a frame is forgotten
            before = twin.pulses
            await gate.release(False)
            await gate.unlock(0.1)
            assert (await gate.next_event()).kind is K.UNSEEN
            assert twin.pulses == before + 1

    run(body())
