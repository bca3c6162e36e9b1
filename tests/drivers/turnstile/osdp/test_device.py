"""The driver and libosdp's own peripheral over a cable: one pulse an unlock, what the sensors
mean, honest faults, every wait bounded."""

from __future__ import annotations

import asyncio
import time

import pytest

from drivers.contracts import GateEventKind as K
from drivers.contracts import GateInputs, Way
from drivers.errors import DeviceFault, FaultCode, UnlockUnknown
from drivers.link import Link
from drivers.turnstile.osdp import device
from drivers.turnstile.osdp.outputmap import OutputMap

pytestmark = pytest.mark.usefixtures("no_leaked_threads")


def test_it_says_who_it_is_and_sees_somebody_through(run, twin, opened, events):
    async def body():
        async with opened() as gate:
            assert await gate.inputs() == GateInputs(False, False, False, False)
            assert await gate.counters() is None
            await gate.unlock(1.0)
            assert twin.unlocked and twin.pulses == 1
            assert await asyncio.to_thread(twin.person_passes)
            assert await events(gate, K.PASSED) == [K.ENTERED, K.PASSED]
            assert not twin.output(0)  # the board ended the pulse by itself
            await asyncio.to_thread(twin.opposite)
            assert (await gate.next_event()).kind is K.OPPOSITE
            await gate.release(True)
            assert twin.released
            await gate.release(False)
            assert not twin.released
        assert (twin.pulses, twin.unlock_writes, twin.closings) == (1, 1, 1)

    run(body())


def test_what_a_board_says_of_itself(run, twin, options):
    async def body():
        gate = device.OsdpTurnstile(options)
        try:
            info = await gate.open()
        finally:
            await gate.close()
        assert info.model == "OSDP 0E60AD model 7.1"
        assert info.facts["serial number"] == "20261126"
        assert info.facts["secure channel"] == "yes"
        assert info.facts["active inputs"] == "none"

    run(body())


def test_fire_is_seen_at_once_and_when_it_was_there_before(run, twin, opened):
    async def body():
        twin.set_fire(True)
        async with opened() as gate:
            assert (await gate.inputs()).fire
            assert (await gate.next_event()).kind is K.FIRE_ON
            twin.set_fire(False)
            assert (await gate.next_event()).kind is K.FIRE_OFF

    run(body())


@pytest.mark.parametrize("pulse", ["timed", "latch"])
def test_wired_the_other_way_round(run, make_twin, opened, events, pulse):
    inverted = frozenset(["unlock_output", "release_output", "input_passage_a", "input_fire"])
    wiring = OutputMap(pulse=pulse, inverted=inverted, unlock_output=2, input_open=5)
    twin = make_twin(wiring=wiring)
    changes = {"pulse": pulse, "inverted": list(inverted), "unlock_output": 2, "input_open": 5}

    async def body():
        async with opened(**changes) as gate:
            await gate.release(False)
            assert not twin.unlocked and twin.output(2)
            assert await gate.inputs() == GateInputs(False, False, False, False)
            twin.pulses = twin.unlock_writes = 0  # locked from the first moment on
            await gate.unlock(1.0)
            assert await asyncio.to_thread(twin.person_passes)
            assert await events(gate, K.PASSED) == [K.ENTERED, K.PASSED]
        assert not twin.unlocked and twin.output(2) and twin.pulses == 1

    run(body())


def test_a_slow_line_brings_one_byte_at_a_time(run, twin, opened):
    twin.link = Link(chunk=1)

    async def body():
        async with opened() as gate:
            assert await gate.inputs() == GateInputs(False, False, False, False)
            await gate.unlock(0.2)
        assert twin.pulses == twin.unlock_writes == 1

    run(body())


@pytest.mark.parametrize("pulse", ["timed", "latch"])
def test_outwards_by_an_output_of_its_own(run, make_twin, opened, events, pulse):
    twin = make_twin(wiring=OutputMap(pulse=pulse, exit_output=3))

    async def body():
        async with opened(pulse=pulse, exit_output=3) as gate:
            await gate.unlock(1.0, Way.EXIT)
            assert twin.output(3) and not twin.unlocked and twin.unlocked_for(Way.EXIT)
            assert await asyncio.to_thread(twin.person_leaves)
            assert await events(gate, K.PASSED) == [K.ENTERED, K.PASSED]
            await gate.unlock(0.5)
            assert twin.output(0) and twin.pulses == twin.unlock_writes == 2

    run(body())


def test_a_lost_answer_is_unknown_and_never_asked_again(run, twin, opened):
    async def body():
        async with opened() as gate:
            twin.lose_out = True
            with pytest.raises(UnlockUnknown):
                await gate.unlock(0.3)
            twin.lose_out = False
            # libosdp alone would send it again a second after
            assert (await gate.next_event()).kind is K.TIMED_OUT
            await asyncio.sleep(0.9)
            assert (twin.pulses, twin.unlock_writes) == (1, 1)
            await gate.unlock(0.2)  # a new session, and all is well
            assert (twin.pulses, twin.unlock_writes) == (2, 2)

    run(body())


def test_a_refused_unlock_moved_nothing(run, twin, opened):
    async def body():
        async with opened() as gate:
            twin.refuses = True
            with pytest.raises(DeviceFault) as caught:
                await gate.unlock(0.2)
            assert caught.value.code is FaultCode.REFUSED
            assert twin.pulses == 0
            twin.refuses = False
            await gate.unlock(0.2)
            assert twin.pulses == 1

    run(body())


def test_another_key_is_a_fault_of_its_own(run, make_twin, opened, options):
    twin = make_twin(key=bytes(16))

    async def body():
        with pytest.raises(DeviceFault) as caught:
            async with opened():
                pass
        assert caught.value.code is FaultCode.WRONG_KEY
        options["key_file"].chmod(0o644)
        with pytest.raises(DeviceFault, match="chmod 600") as caught:
            async with opened():
                pass
        assert caught.value.code is FaultCode.WRONG_KEY

    run(body())
    assert twin.unlock_writes == 0


def test_a_board_without_a_key_is_given_none_by_itself(run, make_twin, opened):
    twin = make_twin(key=None)

    async def body():
        with pytest.raises(DeviceFault) as caught:
            async with opened():
                pass
        assert caught.value.code is FaultCode.WRONG_KEY

    run(body())
    assert twin.unlock_writes == 0 and twin.given_key is None


def test_a_key_is_given_when_a_technician_asks(run, make_twin, options, opened):
    """A new key in a new file; again with the same one; and none to a board that has another."""
    twin = make_twin(key=None)
    options["key_file"].unlink()
    gate = device.OsdpTurnstile(options)

    async def body():
        about = await gate.give_key()
        assert about.serial_number == 0x20261126
        assert twin.given_key is not None
        assert options["key_file"].read_text().strip() == twin.given_key.hex()
        with twin.lock:
            twin.lost_power()  # the board keeps its key
        await gate.give_key()
        async with opened():
            assert twin.unlock_writes == 0
        options["key_file"].write_text("00" * 16)
        with pytest.raises(DeviceFault) as caught:
            await gate.give_key()
        assert caught.value.code is FaultCode.WRONG_KEY

    run(body())


def test_a_number_that_the_board_does_not_have(run, twin, opened):
    async def body():
        for key, said in (("input_fire", "has 8 inputs"), ("release_output", "has 4 outputs")):
            with pytest.raises(DeviceFault, match=f"{key} is 9, the board {said}"):
                async with opened(**{key: 9}):
                    pass

    run(body())


def test_a_board_of_outputs_only_sees_nothing(run, make_twin, opened):
    twin = make_twin(inputs=0)

    async def body():
        async with opened() as gate:
            assert await gate.inputs() is None
            await gate.unlock(0.2)
            assert (await gate.next_event()).kind is K.UNSEEN
        assert twin.pulses == 1

    run(body())


def test_a_restarted_board_is_told_its_outputs_again(run, twin, opened, until):
    async def body():
        async with opened() as gate:
            await gate.release(True)
            with twin.lock:
                twin.lost_power()  # its adapter stays plugged in
            assert not twin.released
            await until(lambda: twin.released)

    run(body())


def test_an_output_that_does_not_move_is_a_fault(run, twin, opened, monkeypatch):
    monkeypatch.setattr(device, "LOOK_BACK_S", 0.05)

    async def body():
        async with opened() as gate:
            await gate.release(True)
            twin.stuck = True
            with pytest.raises(DeviceFault, match="release_output not as told") as caught:
                await gate.next_event()
            assert caught.value.code is FaultCode.MISBEHAVES

    run(body())


def test_a_board_that_does_not_report_its_inputs_is_a_fault(run, twin, opened, monkeypatch):
    monkeypatch.setattr(device, "ASK_S", 0.4)

    async def body():
        async with opened() as gate:
            assert not (await gate.inputs()).fire
            twin.reports = False
            twin.set_fire(True)
            with pytest.raises(DeviceFault, match="report") as caught:
                while True:
                    await gate.next_event()
            assert caught.value.code is FaultCode.MISBEHAVES

    run(body())


@pytest.mark.parametrize("how", ["mute", "unplug", "babble"])
def test_a_dead_bus_is_told_in_time(run, twin, opened, how):
    async def body():
        async with opened() as gate:
            begun_s = time.monotonic()
            match how:
                case "mute":
                    twin.mute = True
                case "unplug":
                    twin.unplug()
                case "babble":
                    twin.mute = True
                    twin.link = Link(babble=1.0)
            with pytest.raises(DeviceFault) as caught:
                await gate.next_event()
            assert time.monotonic() - begun_s < 3.0
            with pytest.raises(DeviceFault) as unlock:
                await gate.unlock(0.2)  # nothing is sent
            assert not isinstance(unlock.value, UnlockUnknown)
        allowed = {"mute": FaultCode.NO_ANSWER, "unplug": FaultCode.UNPLUGGED}
        assert caught.value.code is allowed.get(how, FaultCode.GARBLED)
        assert twin.unlock_writes == 0

    run(body())


@pytest.mark.parametrize(
    "link",
    [{"chunk": 1}, {"loss": 0.01}, {"flip": 0.01}, {"duplicate": 0.01}],
    ids=lambda link: next(iter(link)),
)
def test_hostile_links_never_pull_twice(run, twin, options, link):
    async def body():
        gate = device.OsdpTurnstile(options)
        await gate.open()
        twin.link = Link(seed=3, **link)
        asked = 0
        end_s = time.monotonic() + 1.0
        while time.monotonic() < end_s:
            asked += 1
            try:
                await gate.unlock(0.05)
                assert twin.unlock_writes > 0
            except DeviceFault:
                try:
                    await gate.open()
                except DeviceFault:
                    continue
            assert twin.pulses <= twin.unlock_writes <= asked
        twin.link = Link()
        try:
            await gate.inputs()
        except DeviceFault:
            await gate.open()
        await asyncio.sleep(0.15)  # the last pulse is over
        before = twin.pulses
        await gate.unlock(0.05)
        assert twin.pulses == before + 1
        await gate.close()

    run(body())
