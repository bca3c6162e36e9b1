"""ZfmReader over bad cables: right results or a fault in bounded time, and always recovery."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from drivers.contracts import FingerResult
from drivers.errors import DeviceFault, FaultCode
from drivers.fingerprint.zfm.device import ZfmReader
from drivers.fingerprint.zfm.virtual import VirtualZfm, make_template
from drivers.link import Link

ALICE, BOB = make_template("alice", 1), make_template("bob", 1)
CALL_BOUND_S = 3.0


async def candidate(twin: VirtualZfm, reader: ZfmReader, finger: str) -> FingerResult:
    """One person: template of alice, `finger` laid on and lifted."""
    await reader.load([ALICE])
    twin.put_finger(finger)
    result = await asyncio.wait_for(reader.verify(), CALL_BOUND_S)
    twin.lift_finger()
    await asyncio.wait_for(reader.wait_lifted(), CALL_BOUND_S)
    return result


@pytest.mark.parametrize(
    "link",
    [Link(), Link(chunk=1), Link(chunk=7), Link(delay_s=0.03), Link(chunk=3, delay_s=0.02)],
    ids=["perfect", "one byte at a time", "sevens", "delayed", "delayed threes"],
)
async def test_slow_cables_change_nothing(twin: VirtualZfm, opened: ZfmReader, link: Link) -> None:
    twin.link = link
    assert (await candidate(twin, opened, "alice")).matched
    assert not (await candidate(twin, opened, "bob")).matched


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(
    "rates",
    [{"loss": 0.002}, {"flip": 0.002}, {"duplicate": 0.002}, {"babble": 0.05}],
    ids=lambda rates: next(iter(rates)),
)
async def test_noisy_cables(
    twin: VirtualZfm, opened: ZfmReader, rates: dict[str, Any], seed: int
) -> None:
    twin.link = Link(**rates, seed=seed)
    for finger in ("alice", "bob", "alice"):
        try:
            assert (await candidate(twin, opened, finger)).matched is (finger == "alice")
        except DeviceFault as fault:
            assert fault.code in (FaultCode.NO_ANSWER, FaultCode.GARBLED)
    twin.link = Link()
    assert (await candidate(twin, opened, "alice")).matched


async def test_only_noise(twin: VirtualZfm, reader: ZfmReader) -> None:
    twin.sleep()
    twin.link = Link(babble=0.9)
    started = time.monotonic()
    with pytest.raises(DeviceFault) as caught:
        await reader.open()
    assert caught.value.code is FaultCode.GARBLED
    assert time.monotonic() - started < CALL_BOUND_S


async def test_every_packet_garbled(twin: VirtualZfm, opened: ZfmReader) -> None:
    twin.link = Link(flip=0.2)
    started = time.monotonic()
    with pytest.raises(DeviceFault):
        await opened.check()
    assert time.monotonic() - started < CALL_BOUND_S
    twin.link = Link()
    await opened.check()


@pytest.mark.parametrize("after_bytes", [0, 5, 40, 300])
async def test_unplugged_in_the_middle(
    tmp_path: Path, make_reader: Callable[..., ZfmReader], after_bytes: int
) -> None:
    """Pulled while a template goes over, after so many bytes; then plugged in again."""
    with VirtualZfm(tmp_path / "fingerprint", timed=True) as twin:
        reader = make_reader(port=twin.port)
        await reader.open()
        loading = asyncio.create_task(reader.load([ALICE]))
        await asyncio.sleep(after_bytes * 10 / 57600)
        twin.unplug()
        started = time.monotonic()
        with pytest.raises(DeviceFault) as caught:
            await loading
            await reader.check()
        assert caught.value.code is FaultCode.UNPLUGGED
        assert time.monotonic() - started < 1.0
        with pytest.raises(DeviceFault) as caught:
            await reader.open()
        assert caught.value.code is FaultCode.PORT_MISSING
        twin.replug()
        await reader.open()
        twin.put_finger("alice")
        assert (await reader.verify()).matched  # sent again by itself


async def test_unplugged_while_waiting_for_a_finger(
    tmp_path: Path, make_reader: Callable[..., ZfmReader]
) -> None:
    with VirtualZfm(tmp_path / "fingerprint") as twin:
        reader = make_reader(port=twin.port)
        await reader.open()
        await reader.load([ALICE])
        waiting = asyncio.create_task(reader.verify())
        await asyncio.sleep(0.1)
        twin.unplug()
        started = time.monotonic()
        with pytest.raises(DeviceFault) as caught:
            await waiting
        assert caught.value.code is FaultCode.UNPLUGGED
        assert time.monotonic() - started < 1.0


async def test_a_second_reader_finds_the_port_busy(
    opened: ZfmReader, make_reader: Callable[..., ZfmReader]
) -> None:
    with pytest.raises(DeviceFault) as caught:
        await make_reader().open()
    assert caught.value.code is FaultCode.PORT_BUSY
    await opened.check()


async def test_half_an_exchange_left_by_an_earlier_user(
    twin: VirtualZfm, make_reader: Callable[..., ZfmReader]
) -> None:
    """A process killed in the middle of an upload: the next one opens the module all the same."""
    first = make_reader()
    await first.open()
    loading = asyncio.create_task(first.load([ALICE]))
    await asyncio.sleep(0.005)
    loading.cancel()
    await first.close()
    second = make_reader()
    await second.open()
    assert (await candidate(twin, second, "alice")).matched
