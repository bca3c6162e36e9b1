"""The module falls silent after any number of bytes: a fault in bounded time, then recovery."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest

from drivers.errors import DeviceFault, FaultCode
from drivers.fingerprint.zfm.channel import Limits
from drivers.fingerprint.zfm.codec import PACKET_SIZES, wire_bytes
from drivers.fingerprint.zfm.device import ZfmReader
from drivers.fingerprint.zfm.virtual import VirtualZfm, make_template

ALICE, BOB = make_template("alice", 1), make_template("bob", 1)
LIMITS = Limits(call_s=0.2, upload_s=0.4, gap_s=0.1, drain_s=0.1, fence_s=0.1)
SLACK_S = 0.5  #: a machine with two busy cores
AT_ONCE = 16

ACK, PARAMETERS, COMPARED = wire_bytes(1), wire_bytes(17), wire_bytes(3)
BLOCK = wire_bytes(PACKET_SIZES[2])
OPEN_BYTES = PARAMETERS + ACK + PARAMETERS  #: resync, password, parameters
LOAD_BYTES = PARAMETERS + ACK + ACK + 4 * BLOCK
VERIFY_BYTES = ACK + ACK + COMPARED
#: every third byte of the head (the other tests have them all), then around each data packet
LOAD_POSITIONS = sorted(
    {*range(0, PARAMETERS + 2 * ACK + 12, 3)}
    | {LOAD_BYTES - n * BLOCK + d for n in range(1, 5) for d in range(-2, 4)}
    | {*range(0, LOAD_BYTES, 61), *range(LOAD_BYTES - 12, LOAD_BYTES)}
)

Step = Callable[[ZfmReader, VirtualZfm], Awaitable[object]]


async def silent_at(position: int, step: Step, bound_s: float, opened: bool) -> None:
    """`step` with a module that stops after `position` bytes; then once more with it awake."""
    with VirtualZfm() as twin:
        reader = ZfmReader({"port": twin.port}, limits=LIMITS, poll_s=0.01)
        try:
            if opened:
                await reader.open()
                await reader.load([ALICE])
            twin.sleep(after_bytes=position)
            started = time.monotonic()
            with pytest.raises(DeviceFault) as caught:
                await step(reader, twin)
            assert time.monotonic() - started < bound_s + LIMITS.resync_s + SLACK_S
            assert caught.value.device == "fingerprint"
            assert caught.value.code in (FaultCode.NO_ANSWER, FaultCode.GARBLED)
            twin.wake()
            await step(reader, twin)
            await reader.check()
        finally:
            await reader.close()


async def at_each(positions: list[int], step: Step, bound_s: float, opened: bool = True) -> None:
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(position: int) -> None:
        async with gate:
            await silent_at(position, step, bound_s, opened)

    async with asyncio.TaskGroup() as group:
        for position in positions:
            group.create_task(one(position))


async def test_while_opening() -> None:
    async def step(reader: ZfmReader, twin: VirtualZfm) -> None:
        await reader.open()

    await at_each(list(range(OPEN_BYTES)), step, LIMITS.call_s, opened=False)


async def test_while_loading() -> None:
    async def step(reader: ZfmReader, twin: VirtualZfm) -> None:
        await reader.load([BOB])

    await at_each(LOAD_POSITIONS, step, LIMITS.upload_s)


async def test_while_verifying() -> None:
    async def step(reader: ZfmReader, twin: VirtualZfm) -> None:
        twin.put_finger("alice")
        assert (await reader.verify()).matched

    await at_each(list(range(VERIFY_BYTES)), step, 3 * LIMITS.call_s)


async def test_while_checking() -> None:
    async def step(reader: ZfmReader, twin: VirtualZfm) -> None:
        await reader.check()

    await at_each(list(range(PARAMETERS)), step, LIMITS.call_s)


async def test_the_stated_bounds() -> None:
    """What the docstring of ZfmReader promises, with the limits used in service."""
    assert (Limits().call_s, Limits().upload_s) == (1.5, 2.5)
    assert Limits().resync_s <= 1.3
    with VirtualZfm() as twin:
        reader = ZfmReader({"port": twin.port})
        await reader.open()
        try:
            twin.sleep()
            started = time.monotonic()
            with pytest.raises(DeviceFault):
                await reader.check()
            assert time.monotonic() - started < 2.8 + SLACK_S
        finally:
            await reader.close()
