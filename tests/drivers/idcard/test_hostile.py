"""Bad cables: the right card or none, faults within their time, and always recovery."""

from __future__ import annotations

import asyncio
import contextlib
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drivers.errors import DeviceFault, FaultCode, Retry
from drivers.idcard import device
from drivers.idcard.virtual import VirtualSamReader
from drivers.link import Link

pytestmark = pytest.mark.usefixtures("no_leaked_threads")


async def read(reader, twin, card):
    twin.lay_card(card)
    got = await asyncio.wait_for(reader.next_card(), 5)
    twin.lift_card()
    return got


@pytest.mark.parametrize(
    "link",
    [Link(), Link(chunk=1), Link(chunk=64), Link(delay_s=0.1), Link(chunk=7, delay_s=0.05)],
    ids=["perfect", "one byte at a time", "blocks", "delayed", "delayed sevens"],
)
def test_slow_cables_change_nothing(run, twin, opened, card, link):
    async def body():
        async with opened() as reader:
            twin.link = link
            assert await read(reader, twin, card) == card
            assert twin.reads == 1

    run(body())


links = st.builds(
    Link,
    chunk=st.sampled_from([0, 64]),
    loss=st.sampled_from([0.0, 0.0005, 0.01]),
    flip=st.sampled_from([0.0, 0.0005]),
    duplicate=st.sampled_from([0.0, 0.0005, 0.01]),
    babble=st.sampled_from([0.0, 0.02]),
    seed=st.integers(0, 999),
)


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(link=links)
def test_noisy_cables(run, monkeypatch, tmp_path, make_reader, card, link):
    """The right card, a retry or a fault; the noise gone, the card is read."""

    async def body():
        with VirtualSamReader(tmp_path / "noisy") as twin:
            reader = make_reader(twin.port)
            await reader.open()
            twin.link = link
            with monkeypatch.context() as short:  # only while a time-out is no mistake
                for name, seconds in (("ANSWER_S", 0.08), ("READ_S", 0.15), ("POLL_S", 0.01)):
                    short.setattr(device, name, seconds)
                for _ in range(2):
                    with contextlib.suppress(DeviceFault, Retry, TimeoutError):
                        twin.lay_card(card)
                        got = await asyncio.wait_for(reader.next_card(), 0.6)
                        # the checksum is one XOR: text from two cancelling flips can get through
                        assert link.flip or got == card
                    twin.lift_card()
            twin.link = Link()
            await reader.open()
            assert await read(reader, twin, card) == card
            await reader.close()

    run(body())


def test_only_noise(run, twin, opened, card):
    async def body():
        async with opened() as reader:
            twin.link = Link(babble=1.0, loss=1.0)
            started = time.monotonic()
            with pytest.raises(DeviceFault) as caught:
                await reader.next_card()
            assert caught.value.code is FaultCode.NO_ANSWER
            assert time.monotonic() - started < 1.5
            twin.link = Link()
            assert await read(reader, twin, card) == card

    run(body())


@pytest.mark.parametrize("after_s", [0.0, 0.03, 0.2])
def test_unplugged_in_the_middle_of_a_card(run, twin, make_reader, card, after_s):
    """Pulled while the card's content comes byte by byte; well again when plugged in."""

    async def body():
        reader = make_reader()
        await reader.open()
        try:
            twin.link.chunk = 1
            twin.lay_card(card)
            waiting = asyncio.create_task(reader.next_card())
            async with asyncio.timeout(3):
                while not twin.reads:
                    await asyncio.sleep(0.002)
            await asyncio.sleep(after_s)
            twin.unplug()
            started = time.monotonic()
            with pytest.raises(DeviceFault) as caught:
                await waiting
            assert caught.value.code is FaultCode.UNPLUGGED
            assert time.monotonic() - started < 1.0
            with pytest.raises(DeviceFault) as caught:
                await reader.open()
            assert caught.value.code is FaultCode.PORT_MISSING
            twin.link.chunk = 0
            twin.replug()
            await reader.open()
            assert await asyncio.wait_for(reader.next_card(), 3) == card  # never reported
        finally:
            await reader.close()

    run(body())


def test_a_content_that_is_lost_once_is_asked_for_again(run, monkeypatch, twin, opened, card):
    monkeypatch.setattr(device, "READ_S", 0.3)

    async def body():
        async with opened() as reader:
            honest, lost = twin._read, []

            def lose_first():
                answer = honest()
                return answer if lost else lost.append(1) or answer[:700]

            monkeypatch.setattr(twin, "_read", lose_first)
            assert await read(reader, twin, card) == card
            assert twin.reads == 2

    run(body())
