"""Any common board by a map: numbers, pulse or latch, inversion, to the byte on the wire."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.contracts import GateEventKind as K
from drivers.contracts import GateInputs, Way
from drivers.errors import DeviceFault, FaultCode
from drivers.turnstile.modbus import codec, device
from drivers.turnstile.modbus.boardmap import BoardMap
from drivers.turnstile.modbus.bus import Bus
from drivers.turnstile.modbus.codec import Request
from drivers.turnstile.modbus.device import ModbusBoard
from drivers.turnstile.modbus.virtual import VirtualTurnstile
from drivers.turnstile.wiring import INPUTS

pytestmark = pytest.mark.usefixtures("no_leaked_threads")


def sent(map_: BoardMap, monkeypatch, do) -> list[str]:
    """The frames that reach the wire, and that the board would hear."""
    frames: list[bytes] = []
    with VirtualTurnstile(wiring=map_) as twin:
        feed = twin.feed
        monkeypatch.setattr(twin, "feed", lambda data: (frames.append(data), feed(data))[1])
        board = ModbusBoard(Bus("turnstile", twin.port, 115200, 1), map_, twin.port)
        try:
            do(board)
        finally:
            board.close()
    return [frame.hex(" ") for frame in frames]


def frame(address: int, value: int, function: int = codec.WRITE_COIL) -> str:
    return Request(1, function, address, value).to_bytes().hex(" ")


ON, OFF = codec.COIL_ON, codec.COIL_OFF


@pytest.mark.parametrize(
    ("map_", "pulse"),
    [
        (BoardMap(), ["01 05 02 00 00 05 0c 71"]),
        (BoardMap(unlock_coil=6, pulse_ms=700), [frame(0x0206, 7)]),
        (BoardMap(inverted=frozenset({"unlock_coil"})), [frame(0x0400, 5)]),
        (BoardMap(pulse="coil", unlock_coil=3), [frame(3, ON), frame(3, OFF)]),
        (
            BoardMap(pulse="latch", inverted=frozenset({"unlock_coil"})),
            [frame(0, OFF), frame(0, ON)],
        ),
    ],
    ids=["flash", "flash of another coil", "flash off", "coil", "latch, inverted"],
)
def test_an_unlock_on_the_wire(monkeypatch, map_, pulse):
    def do(board: ModbusBoard) -> None:
        board.pulse()
        if map_.pulse != "flash":
            board._looks_back = False
            board.settle(1e12, owed=False)

    assert sent(map_, monkeypatch, do) == pulse


@pytest.mark.parametrize(
    ("map_", "pulse"),
    [
        (BoardMap(), [frame(0x0200, 5)]),
        (BoardMap(exit_coil=4), [frame(0x0204, 5)]),
        (BoardMap(exit_coil=4, inverted=frozenset({"exit_coil"})), [frame(0x0404, 5)]),
        (BoardMap(exit_coil=4, pulse="coil"), [frame(4, ON), frame(4, OFF)]),
    ],
    ids=["one coil for both ways", "its own", "its own, inverted", "its own, timed here"],
)
def test_an_unlock_outwards_on_the_wire(monkeypatch, map_, pulse):
    def do(board: ModbusBoard) -> None:
        board.pulse(Way.EXIT)
        if map_.pulse != "flash":
            board._looks_back = False
            board.settle(1e12, owed=False)

    assert sent(map_, monkeypatch, do) == pulse


def test_the_other_way_is_locked_before_this_one_is_unlocked(monkeypatch):
    def do(board: ModbusBoard) -> None:
        board.pulse(Way.ENTRY)
        board.pulse(Way.EXIT)

    map_ = BoardMap(exit_coil=4, pulse="latch")
    frames = sent(map_, monkeypatch, do)
    assert frames[:3] == [frame(0, ON), frame(0, OFF), frame(4, ON)]


@pytest.mark.parametrize(
    ("map_", "frames"),
    [
        (BoardMap(release_coil=5), [frame(5, ON), frame(5, OFF)]),
        (BoardMap(inverted=frozenset({"release_coil"})), [frame(1, OFF), frame(1, ON)]),
    ],
)
def test_a_release_on_the_wire(monkeypatch, map_, frames):
    def do(board: ModbusBoard) -> None:
        board.release(True)
        board.release(False)

    assert sent(map_, monkeypatch, do) == frames


def test_reads_from_the_lowest_input_to_the_highest(monkeypatch):
    map_ = BoardMap(input_passage_a=4, input_passage_b=2, input_forced=7, input_fire=3)
    asked = sent(map_, monkeypatch, lambda board: board.inputs())
    assert asked == [frame(2, 6, codec.READ_INPUTS)]


numbers = st.permutations(range(8))


@given(numbers, st.sets(st.sampled_from(INPUTS)), st.sets(st.sampled_from(INPUTS)))
def test_what_the_twin_shows_the_driver_reads(order, inverted, active):
    """Any numbers, any inversion, any levels: through the board and back."""
    wiring = BoardMap(**dict(zip(INPUTS, order, strict=False)), inverted=frozenset(inverted))
    twin = VirtualTurnstile(wiring=wiring)
    for name in active:
        twin.sensors[name.removeprefix("input_")] = True
    first, count = wiring.input_span
    seen = wiring.gate_inputs(twin.inputs()[first : first + count])
    assert seen == GateInputs(*(name in active for name in INPUTS))


def test_a_map_with_a_word_of_no_meaning_is_said():
    with pytest.raises(ValueError, match="inverted: 'relay' is none of"):
        BoardMap.parse({"inverted": ["relay"]})
    with pytest.raises(ValueError, match="pulse: 'short' is none of"):
        BoardMap.parse({"pulse": "short"})


@pytest.fixture
def wired(tmp_path, gate_options):
    """A twin and a driver that share a map."""
    make, options = gate_options

    def pair(**changes):
        asked = options | {"port": str(tmp_path / "wired")} | changes
        twin = VirtualTurnstile(
            tmp_path / "wired", stride_s=0.1, wiring=BoardMap.parse(asked)
        ).start()
        return twin, make(asked)

    return pair


@pytest.mark.parametrize("pulse", ["flash", "coil", "latch"])
def test_a_board_wired_the_other_way_round(run, wired, pulse):
    """Everything inverted: locked by a powered relay, contacts that open."""
    everything = [*BoardMap.RELAYS, *INPUTS]
    twin, gate = wired(pulse=pulse, inverted=everything, input_open=5, unlock_coil=4)

    async def body():
        assert twin.unlocked  # such a lock is open until its relay is powered
        await gate.open()
        try:
            assert await gate.inputs() == GateInputs(False, False, False, False)
            await gate.release(False)
            assert not twin.unlocked
            await gate.unlock(3.0)
            assert (twin.pulses, twin.unlock_writes, twin.unlocked) == (1, 1, True)
            walking = asyncio.create_task(asyncio.to_thread(twin.person_passes))
            assert await gate.events(K.PASSED) == [K.ENTERED, K.PASSED]
            assert await walking
            assert not twin.unlocked
            twin.set_fire(True)
            assert (await gate.next_event()).kind is K.FIRE_ON
        finally:
            await gate.close()
            twin.stop()

    run(body())


def test_a_latched_unlock_lasts_until_the_person_is_through(run, wired):
    twin, gate = wired(pulse="latch")

    async def body():
        await gate.open()
        try:
            await gate.unlock(0.4)
            assert twin.coil(0)
            assert await gate.events(K.TIMED_OUT) == [K.TIMED_OUT]
            async with asyncio.timeout(2):
                while twin.coil(0):
                    await asyncio.sleep(0.01)
            await gate.unlock(3.0)
        finally:
            await gate.close()  # in the middle of it: nobody is there to lock it later
            assert not twin.coil(0)
            twin.stop()
        assert twin.pulses == 2

    run(body())


def test_a_board_that_was_restarted_is_told_its_relays_again(run, wired, monkeypatch):
    """Its adapter stays, so no plug is seen; and the gate must stay open in a fire."""
    monkeypatch.setattr(device, "LOOK_BACK_S", 0.05)
    twin, gate = wired()

    async def body():
        await gate.open()
        try:
            await gate.release(True)
            with twin.lock:
                twin.lost_power()
            async with asyncio.timeout(2):
                while not twin.released:
                    await asyncio.sleep(0.01)
            await gate.inputs()
            assert twin.pulses == 0
        finally:
            await gate.close()
            twin.stop()

    run(body())


def test_a_relay_that_does_not_move_is_a_fault(run, wired, monkeypatch):
    """Half dead: it answers everything, and does nothing."""
    monkeypatch.setattr(device, "LOOK_BACK_S", 0.05)
    twin, gate = wired()

    async def body():
        await gate.open()
        try:
            monkeypatch.setattr(twin, "_switch", lambda coil, on: None)
            await gate.release(True)
            with pytest.raises(DeviceFault) as caught:
                async with asyncio.timeout(3):
                    await gate.next_event()
            assert caught.value.code is FaultCode.MISBEHAVES
            assert "release_coil" in caught.value.detail
        finally:
            await gate.close()
            twin.stop()

    run(body())
