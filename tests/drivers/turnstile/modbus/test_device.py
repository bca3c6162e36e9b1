"""The real client against the twin: pulses, passages, release, and faults over a good cable."""

from __future__ import annotations

import asyncio
import time

import pytest

from drivers.contracts import GateCounters, GateInputs, Way
from drivers.contracts import GateEventKind as K
from drivers.errors import DeviceFault, FaultCode, UnlockUnknown
from drivers.turnstile.modbus.boardmap import BoardMap
from drivers.turnstile.modbus.virtual import VirtualTurnstile
from tests.drivers.turnstile.modbus.conftest import STRIDE_S

pytestmark = pytest.mark.usefixtures("no_leaked_threads")


async def until(holds, bound_s=3.0):
    async with asyncio.timeout(bound_s):
        while not holds():
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("pulse", ["flash", "coil"])
def test_one_unlock_one_pulse_one_passage(run, twin, opened, pulse):
    async def body():
        async with opened(pulse=pulse) as gate:
            assert not twin.unlocked
            await gate.unlock(5.0)
            assert twin.pulses == twin.unlock_writes == 1
            walking = asyncio.create_task(asyncio.to_thread(twin.person_passes))
            assert await gate.events(K.PASSED) == [K.ENTERED, K.PASSED]
            assert await walking
            await until(lambda: not twin.coil(0))  # the pulse has ended
            assert not await asyncio.to_thread(twin.person_passes)  # locked again
            assert (twin.pulses, twin.passages) == (1, 1)

    run(body())


@pytest.mark.parametrize("apart", [True, False])
def test_out_by_its_own_relay_or_by_the_same(run, tmp_path, make_gate, apart):
    """Each way has its relay, its counter and its order of barriers; the pulses are counted."""

    async def body():
        wiring = BoardMap(exit_coil=5 if apart else None)
        with VirtualTurnstile(tmp_path / "both", stride_s=STRIDE_S, wiring=wiring) as twin:
            gate = make_gate(port=twin.port, exit_coil=wiring.exit_coil, counter_exit=2)
            await gate.open()
            try:
                await gate.unlock(5.0, Way.EXIT)
                assert twin.unlocked is not apart, "inwards"
                walking = asyncio.create_task(asyncio.to_thread(twin.person_leaves))
                assert await gate.events(K.PASSED) == [K.ENTERED, K.PASSED]
                assert await walking
                assert (twin.pulses, twin.leavings, twin.passages) == (1, 1, 0)
                assert (await gate.counters()).exit == 1
                assert not await asyncio.to_thread(twin.person_leaves), "locked again"
            finally:
                await gate.close()

    run(body())


@pytest.mark.parametrize(
    ("act", "events"),
    [
        ("person_turns_back", [K.ENTERED, K.TURNED_BACK]),
        ("two_people", [K.ENTERED, K.TAILGATED]),
        ("opposite", [K.OPPOSITE, K.TIMED_OUT]),
        ("nobody", [K.TIMED_OUT]),
    ],
)
def test_ends_of_a_passage(run, twin, opened, act, events):
    async def body():
        async with opened() as gate:
            await gate.unlock(0.7)
            acting = asyncio.create_task(asyncio.to_thread(getattr(twin, act)))
            assert await gate.events(events[-1]) == events
            await acting

    run(body())


def test_close_behind(run, twin, opened):
    async def body():
        async with opened() as gate:
            await gate.unlock(2.0)
            walking = asyncio.create_task(asyncio.to_thread(twin.two_people, gap=False))
            assert (await gate.events(K.TAILGATED))[-1] is K.TAILGATED
            await walking
            assert twin.passages == 2

    run(body())


def test_somebody_stands_in_the_gate(run, twin, opened):
    async def body():
        async with opened(clear_s=0.4) as gate:
            await gate.unlock(1.0)
            standing = asyncio.create_task(asyncio.to_thread(twin.stand_in_gate, 0.8))
            assert await gate.events(K.BLOCKED) == [K.ENTERED, K.BLOCKED]
            await standing

    run(body())


def test_without_an_unlock(run, twin, opened):
    async def body():
        async with opened() as gate:
            twin.force()
            assert (await gate.next_event()).kind is K.FORCED
            twin.set_fire(True)
            assert (await gate.next_event()).kind is K.FIRE_ON
            assert (await gate.inputs()).fire
            twin.set_fire(False)
            assert (await gate.next_event()).kind is K.FIRE_OFF
            climbing = asyncio.create_task(asyncio.to_thread(twin.climb_over))
            assert (await gate.next_event()).kind is K.FORCED
            await climbing

    run(body())


def test_fire_that_burned_before_the_start_is_told(run, twin, opened):
    twin.set_fire(True)

    async def body():
        async with opened() as gate:
            assert (await gate.next_event()).kind is K.FIRE_ON

    run(body())


def test_release_is_latched_and_may_be_repeated(run, twin, opened):
    async def body():
        async with opened() as gate:
            for _ in range(2):
                await gate.release(True)
                assert twin.released
            assert await asyncio.to_thread(twin.person_passes)
            await gate.release(False)
            assert not twin.released
            await gate.unlock(0.2)  # what came before it was nobody's fault: no event
            assert await gate.events(K.TIMED_OUT) == [K.TIMED_OUT]
            assert twin.pulses == 1

    run(body())


def test_describes_what_answered(run, twin, make_gate):
    twin.set_fire(True)

    async def body():
        gate = make_gate()
        info = await gate.open()
        assert (info.role, info.driver, info.port) == ("turnstile", "modbus", twin.port)
        assert info.facts["active inputs"] == "fire"
        assert await gate.inputs() == GateInputs(False, False, False, True)
        await gate.close()

    run(body())


def test_inputs_in_any_order_on_the_board(run, twin, opened):
    twin.set_fire(True)  # the twin's fourth input

    async def body():
        async with opened(input_passage_a=3, input_fire=0) as gate:
            assert await gate.inputs() == GateInputs(True, False, False, False)

    run(body())


# --- faults --------------------------------------------------------------------------------------


@pytest.mark.parametrize("pulse", ["flash", "coil"])
def test_a_lost_answer_is_unknown_and_the_gate_tells_what_happened(run, twin, opened, pulse):
    async def body():
        async with opened(pulse=pulse) as gate:
            twin.on_unlock = lambda: setattr(twin, "lost_answers", 1)
            with pytest.raises(UnlockUnknown):
                await gate.unlock(5.0)
            assert twin.pulses == twin.unlock_writes == 1
            walking = asyncio.create_task(asyncio.to_thread(twin.person_passes))
            assert await gate.events(K.PASSED) == [K.ENTERED, K.PASSED]
            await walking
            assert twin.pulses == twin.unlock_writes == 1

    run(body())


@pytest.mark.parametrize("pulse", ["flash", "coil"])
def test_a_refused_unlock_is_a_plain_fault(run, twin, opened, pulse):
    async def body():
        async with opened(pulse=pulse) as gate:
            twin.refuses = True
            with pytest.raises(DeviceFault) as caught:
                await gate.unlock(0.1)
            assert caught.value.code is FaultCode.REFUSED
            twin.refuses = False
            await gate.unlock(0.2)  # the one before owes no TIMED_OUT
            assert await gate.events(K.TIMED_OUT) == [K.TIMED_OUT]
            assert twin.pulses == 1

    run(body())


def test_host_timed_pulse_goes_off_although_answers_are_lost(run, twin, opened):
    async def body():
        async with opened(pulse="coil", pulse_ms=300) as gate:
            unlocking = asyncio.create_task(gate.unlock(5.0))
            await until(lambda: twin.pulses)
            await asyncio.sleep(0.05)  # the on is confirmed
            twin.link.loss = 1.0
            await asyncio.sleep(0.6)
            assert twin.coil(0)
            twin.link.loss = 0.0
            await unlocking
            await until(lambda: not twin.coil(0))
            assert twin.pulses == 1

    run(body())


def test_a_pulse_that_a_crash_left_on_ends_at_the_next_opening(run, twin, opened):
    async def body():
        async with opened(pulse="coil", pulse_ms=20) as gate:
            twin.on_unlock = twin.unplug
            with pytest.raises(UnlockUnknown):
                await gate.unlock(1.0)
        twin.on_unlock = None
        twin.replug()
        twin._coils[0] = True  # a board with its own supply keeps its relay
        async with opened(pulse="coil"):
            assert not twin.coil(0)
        assert twin.pulses == 1

    run(body())


def test_silence_is_a_fault_within_its_time(run, twin, opened):
    async def body():
        async with opened() as gate:
            waiting = asyncio.create_task(gate.next_event())
            await asyncio.sleep(0.1)
            twin.mute = True
            started = time.monotonic()
            with pytest.raises(DeviceFault) as caught:
                await waiting
            assert caught.value.code is FaultCode.NO_ANSWER
            assert time.monotonic() - started < 1.5
            with pytest.raises(DeviceFault):
                await gate.next_event()  # whoever asks again is told again
            with pytest.raises(DeviceFault):
                await gate.unlock(1.0)
            assert twin.pulses == 0
            twin.mute = False
            await gate.open()  # without a close in between
            await gate.unlock(1.0)
            assert twin.pulses == 1

    run(body())


def test_nobody_at_the_port(run, twin, make_gate):
    async def body():
        twin.mute = True
        started = time.monotonic()
        with pytest.raises(DeviceFault) as caught:
            await make_gate().open()
        assert caught.value.code is FaultCode.NO_ANSWER
        assert time.monotonic() - started < 1.5
        with pytest.raises(DeviceFault) as caught:
            await make_gate(port=twin.port + "-not").open()
        assert caught.value.code is FaultCode.PORT_MISSING

    run(body())


def test_another_unit_does_not_answer(run, twin, make_gate):
    async def body():
        with pytest.raises(DeviceFault) as caught:
            await make_gate(unit=2).open()
        assert caught.value.code is FaultCode.NO_ANSWER

    run(body())


def test_a_second_user_finds_the_port_busy(run, opened, make_gate):
    async def body():
        async with opened() as gate:
            with pytest.raises(DeviceFault) as caught:
                await make_gate().open()
            assert caught.value.code is FaultCode.PORT_BUSY
            await gate.inputs()

    run(body())


def test_closed_is_closed(run, twin, make_gate):
    async def body():
        gate = make_gate()
        with pytest.raises(DeviceFault):
            await gate.unlock(1.0)
        await gate.close()
        await gate.open()
        waiting = asyncio.create_task(gate.next_event())
        await asyncio.sleep(0.05)
        await gate.close()
        with pytest.raises(DeviceFault):
            await waiting
        with pytest.raises(DeviceFault):
            await gate.unlock(1.0)
        assert twin.pulses == 0

    run(body())


def test_cancelled_calls_leave_it_usable(run, twin, opened):
    async def body():
        async with opened() as gate:
            for _ in range(3):
                for call in (gate.next_event(), gate.inputs(), gate.release(True)):
                    task = asyncio.create_task(call)
                    await asyncio.sleep(0.003)
                    task.cancel()
                    await asyncio.gather(task, return_exceptions=True)
            await gate.release(False)
            await gate.unlock(3.0)
            walking = asyncio.create_task(asyncio.to_thread(twin.person_passes))
            assert await gate.events(K.PASSED) == [K.ENTERED, K.PASSED]
            await walking

    run(body())


def test_an_opening_that_is_cancelled_holds_no_port(run, twin, make_gate):
    async def body():
        twin.mute = True
        first = make_gate()
        opening = asyncio.create_task(first.open())
        await asyncio.sleep(0.1)
        opening.cancel()
        await asyncio.gather(opening, return_exceptions=True)
        await first.close()
        twin.mute = False
        second = make_gate()
        await second.open()
        await second.close()

    run(body())


def test_the_gates_own_counters(run, twin, opened):
    """32 bits over two registers; a gate without them says so, one that has none is a fault."""

    async def body():
        twin.counted = [70_001, 131_072]
        async with opened(counter_entry=0, counter_exit=2) as gate:
            assert await gate.counters() == GateCounters(70_001, 131_072)
            await gate.unlock(5.0)
            assert await asyncio.to_thread(twin.person_passes)
            assert await gate.counters() == GateCounters(70_002, 131_072)
        async with opened(counter_exit=2) as gate:
            assert await gate.counters() == GateCounters(None, 131_072)
        async with opened() as gate:
            assert await gate.counters() is None
        async with opened(counter_entry=9) as gate:
            with pytest.raises(DeviceFault) as raised:
                await gate.counters()
            assert raised.value.code is FaultCode.REFUSED

    run(body())
