"""Bad cables: never more pulses than unlocks, faults within their time, and always recovery."""

from __future__ import annotations

import asyncio
import contextlib
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drivers.contracts import GateEventKind as K
from drivers.errors import DeviceFault, FaultCode, UnlockUnknown
from drivers.link import Link
from drivers.turnstile.modbus import bus
from drivers.turnstile.modbus.virtual import VirtualTurnstile

pytestmark = pytest.mark.usefixtures("no_leaked_threads")
SEEN_S = 1.5  #: a dead bus is seen within this


async def passage(gate, twin):
    await gate.unlock(5.0)
    walking = asyncio.create_task(asyncio.to_thread(twin.person_passes))
    events = await gate.events(K.PASSED)
    assert await walking
    return events


@pytest.mark.parametrize(
    "link",
    [Link(), Link(chunk=1), Link(chunk=3), Link(chunk=1, delay_s=0.05)],
    ids=["perfect", "one byte at a time", "threes", "delayed bytes"],
)
def test_slow_cables_change_nothing(run, twin, opened, link):
    async def body():
        async with opened(baud=9600) as gate:
            twin.link = link
            assert await passage(gate, twin) == [K.ENTERED, K.PASSED]
            assert twin.pulses == 1

    run(body())


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(
    "rates",
    [{"loss": 0.003}, {"flip": 0.003}, {"duplicate": 0.003}, {"babble": 0.02}],
    ids=lambda rates: next(iter(rates)),
)
def test_noisy_cables(run, twin, make_gate, rates, seed):
    """Unlocks go through, are refused or stay unknown; the noise gone, everything works."""

    async def body():
        gate = make_gate()
        await gate.open()
        asked = 0
        try:
            twin.link = Link(**rates, seed=seed)
            for _ in range(6):
                asked += 1
                try:
                    await gate.unlock(0.1)
                except UnlockUnknown:
                    continue
                except DeviceFault as fault:
                    assert fault.code in (FaultCode.NO_ANSWER, FaultCode.GARBLED)
                    with contextlib.suppress(DeviceFault):
                        await gate.open()
            twin.link = Link()
            await gate.open()
            before = twin.pulses
            assert before <= twin.unlock_writes <= asked
            await asyncio.sleep(0.15)  # the last pulse has ended
            assert await passage(gate, twin) == [K.ENTERED, K.PASSED]
            assert twin.pulses == before + 1
        finally:
            await gate.close()

    run(body())


rate = st.sampled_from([0.0, 0.0, 0.01, 0.05, 0.3])
links = st.builds(
    Link,
    chunk=st.sampled_from([0, 0, 1]),
    loss=rate,
    flip=rate,
    duplicate=rate,
    babble=rate,
    delay_s=st.sampled_from([0.0, 0.03, 0.1]),
    both_ways=st.booleans(),  # not: every request is heard, only answers suffer
    seed=st.integers(0, 999),
)


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(link=links, pulse=st.sampled_from(["flash", "coil"]), unplugs=st.booleans())
def test_never_more_pulses_than_unlocks(
    run, gate_options, monkeypatch, tmp_path, link, pulse, unplugs
):
    """Whatever the cable does, and however often the driver is opened anew."""
    monkeypatch.setattr(bus, "ANSWER_S", 0.06)  # less patience, more trouble

    async def body():
        with VirtualTurnstile(tmp_path / "hostile") as twin:
            make, options = gate_options
            gate = make(options | {"port": twin.port, "pulse": pulse, "pulse_ms": 20})
            try:
                await gate.open()
                twin.link = link
                for _ in range(3):
                    told = twin.unlock_writes
                    with contextlib.suppress(DeviceFault):
                        await gate.unlock(0.1)
                    if unplugs:
                        twin.unplug()
                        await asyncio.sleep(0.01)
                        twin.replug()
                    try:
                        await gate.inputs()
                    except DeviceFault:
                        with contextlib.suppress(DeviceFault):
                            await gate.open()
                    await asyncio.sleep(0.02)  # what was still on its way
                    assert twin.unlock_writes <= told + 1
            finally:
                await gate.close()
            assert twin.pulses <= twin.unlock_writes

    run(body())


def test_one_or_two_lost_answers_are_no_fault(run, twin, opened):
    async def body():
        async with opened() as gate:
            for lost in (1, 2):
                with twin.lock:
                    twin.lost_answers = lost
                await asyncio.sleep(lost * 0.3 + 0.1)
                assert twin.lost_answers == 0
            assert (await gate.inputs()).fire is False
            with twin.lock:
                twin.lost_answers = 3
            with pytest.raises(DeviceFault):
                await gate.next_event()

    run(body())


def test_only_noise(run, twin, opened, make_gate):
    async def body():
        async with opened() as gate:
            twin.link = Link(babble=1.0, loss=1.0)
            started = time.monotonic()
            with pytest.raises(DeviceFault) as caught:
                await gate.next_event()
            assert caught.value.code is FaultCode.NO_ANSWER
            assert time.monotonic() - started < SEEN_S

    run(body())


def test_an_answer_that_comes_too_late_is_not_taken_for_another(run, twin, opened):
    """A poll's answer, held up, arrives while the pulse's is awaited: the pulse stays unknown."""

    async def body():
        async with opened() as gate:
            twin.link.delay_s = 0.3
            await asyncio.sleep(0.2)
            with pytest.raises(UnlockUnknown):
                await gate.unlock(5.0)
            twin.link.delay_s = 0.0
            with contextlib.suppress(DeviceFault):
                await asyncio.sleep(0.2)
                await gate.inputs()
            assert twin.pulses <= 1

    run(body())


@pytest.mark.parametrize("after", [0, 1, 3])
def test_unplugged_in_the_middle_of_an_answer(run, twin, make_gate, after):
    """After so many bytes of it; seen at once, and well again when plugged in."""

    async def body():
        gate = make_gate()
        await gate.open()
        try:
            twin.link.chunk, twin.link.delay_s = 1, 0.02
            await asyncio.sleep(0.1 + 0.001 * after)
            waiting = asyncio.create_task(gate.next_event())
            twin.unplug()
            started = time.monotonic()
            with pytest.raises(DeviceFault) as caught:
                await waiting
            assert caught.value.code is FaultCode.UNPLUGGED
            assert time.monotonic() - started < SEEN_S
            with pytest.raises(DeviceFault) as caught:
                await gate.unlock(1.0)
            assert not isinstance(caught.value, UnlockUnknown), "certainly not sent"
            with pytest.raises(DeviceFault) as caught:
                await gate.open()
            assert caught.value.code is FaultCode.PORT_MISSING
            twin.link = Link()
            twin.replug()
            await gate.open()
            assert await passage(gate, twin) == [K.ENTERED, K.PASSED]
            assert twin.pulses == 1
        finally:
            await gate.close()

    run(body())


def test_the_pulse_pulls_the_plug(run, twin, make_gate):
    """The relay clicked and its answer never comes: unknown, and not once more."""

    async def body():
        gate = make_gate()
        await gate.open()
        twin.on_unlock = twin.unplug
        try:
            with pytest.raises(UnlockUnknown):
                await gate.unlock(5.0)
            twin.on_unlock = None
            twin.replug()
            await gate.open()
            await asyncio.sleep(0.2)
            assert twin.pulses == 1
        finally:
            await gate.close()

    run(body())
