"""Codes over the wire, whatever the scanner is set to send after them; lines that are not well."""

from __future__ import annotations

import asyncio
import contextlib
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from drivers.errors import DeviceFault, FaultCode
from drivers.scanner import device
from drivers.scanner.codec import ENDS, LONGEST, BadCode, Parser
from drivers.scanner.device import SerialScanner
from drivers.scanner.virtual import VirtualScanner

SLIP, OTHER = "3706261100001", "37060219610804301X"
TEXTS = st.text(st.characters(codec="utf-8", categories=("L", "N", "P")), min_size=1, max_size=30)


@contextlib.asynccontextmanager
async def opened(twin, **options):
    scanner = SerialScanner({"port": twin.port, "baud": 9600} | options)
    await scanner.open()
    try:
        yield scanner
    finally:
        await scanner.close()


async def code_of(scanner, bound_s=5.0):
    return await asyncio.wait_for(scanner.next_code(), bound_s)


async def nothing_comes(scanner, bound_s=0.4):
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(scanner.next_code(), bound_s)


@given(st.lists(TEXTS, max_size=5), st.sampled_from([b"\r", b"\n", b"\r\n", b"\t", b"\x03"]),
       st.integers(1, 9))  # fmt: skip
def test_codes_come_out_as_they_went_in(codes, end, piece):
    raw = b"".join(code.encode() + end for code in codes)
    parser, found = Parser(), []
    for at in range(0, len(raw), piece):
        found += parser.feed(raw[at : at + piece])
    assert found == codes and not parser.pending


@given(st.binary(max_size=600))
@example(b"\x1c")  # a blank to Python's own strip
def test_whatever_comes_is_bounded_and_no_crash(raw):
    parser = Parser()
    found = [*parser.feed(raw), *parser.flush()]
    assert len(found) <= len(raw)
    for one in found:
        assert isinstance(one, BadCode) or 0 < len(one.encode()) <= LONGEST
        assert isinstance(one, BadCode) or not set(one.encode()) & set(ENDS)
    assert not parser.pending and len(parser._pending) == 0


@pytest.mark.parametrize("suffix", [b"\r", b"\n", b"\r\n", b"\t", b""])
def test_a_slip_is_read_once_with_any_suffix(suffix):
    async def body():
        with VirtualScanner(suffix=suffix) as twin:
            async with opened(twin) as scanner:
                twin.hold(SLIP)
                assert await code_of(scanner) == SLIP
                twin.hold(OTHER)
                assert await code_of(scanner) == OTHER
                await scanner.check()

    asyncio.run(body())


def test_a_slip_that_is_held_there_is_told_once(monkeypatch):
    async def body():
        with VirtualScanner(repeats=4) as twin:
            async with opened(twin) as scanner:
                twin.hold(SLIP)
                assert await code_of(scanner) == SLIP
                await nothing_comes(scanner)
                monkeypatch.setattr(device, "SAME_S", 0.05)
                await asyncio.sleep(0.1)
                twin.hold(SLIP)
                assert await code_of(scanner) == SLIP, "laid there again later"

    asyncio.run(body())


def test_what_was_scanned_before_anybody_listened_is_nobodys():
    async def body():
        with VirtualScanner() as twin:
            async with opened(twin) as scanner:
                twin.hold(SLIP)
                assert await code_of(scanner) == SLIP
                twin.hold(OTHER)
                await asyncio.sleep(0.2)
                await scanner.open()
                await nothing_comes(scanner)

    asyncio.run(body())


def test_a_cancelled_wait_loses_no_code():
    async def body():
        with VirtualScanner() as twin:
            async with opened(twin) as scanner:
                for n in range(20):
                    waiting = asyncio.ensure_future(scanner.next_code())
                    await asyncio.sleep(0.003)
                    twin.hold(f"A{n:06d}")
                    await asyncio.sleep(0.004 * (n % 5))
                    waiting.cancel()
                    got = await asyncio.gather(waiting, return_exceptions=True)
                    if isinstance(got[0], BaseException):
                        got = [await code_of(scanner)]
                    assert got == [f"A{n:06d}"]

    asyncio.run(body())


def test_pulled_out_and_put_back():
    async def body():
        with VirtualScanner() as twin:
            async with opened(twin) as scanner:
                twin.unplug()
                with pytest.raises(DeviceFault) as fault:
                    await code_of(scanner)
                assert fault.value.code is FaultCode.UNPLUGGED
                with pytest.raises(DeviceFault):
                    await scanner.check()
                twin.replug()
                async with opened(twin) as again:
                    twin.hold(SLIP)
                    assert await code_of(again) == SLIP

    asyncio.run(body())


def test_a_line_that_babbles_is_a_fault_and_says_what_to_look_at():
    async def body():
        with VirtualScanner() as twin:
            async with opened(twin) as scanner:
                for _ in range(device.MOST_BAD):
                    twin.hold("\x01\x07")
                with pytest.raises(DeviceFault) as fault:
                    await code_of(scanner)
        assert fault.value.code is FaultCode.GARBLED and "baud" in fault.value.detail
        assert "\x07" not in fault.value.detail

    asyncio.run(body())


def test_one_code_that_cannot_be_read_is_passed_over():
    async def body():
        with VirtualScanner() as twin:
            async with opened(twin) as scanner:
                twin.hold("x" * 500)
                twin.hold("\x07")
                twin.hold(SLIP)
                assert await code_of(scanner) == SLIP

    asyncio.run(body())


@pytest.mark.parametrize(
    "link",
    [{"chunk": 1}, {"loss": 0.05}, {"flip": 0.05}, {"duplicate": 0.05}, {"delay_s": 0.05},
     {"babble": 0.05}],
    ids=str,
)  # fmt: skip
def test_noisy_cables(link):
    """Never a hang; each call ends with a code, nothing, or a fault that opening anew mends."""

    async def body():
        with VirtualScanner() as twin:
            for name, value in link.items():
                setattr(twin.link, name, value)
            begun_s, whole = time.monotonic(), 0
            for n in range(12):
                async with opened(twin) as scanner:
                    twin.hold(f"37062611{n:05d}")
                    with contextlib.suppress(DeviceFault, TimeoutError):
                        whole += await code_of(scanner, 0.3) == f"37062611{n:05d}"
            assert time.monotonic() - begun_s < 30
            for name in link:
                setattr(twin.link, name, 0)
            async with opened(twin) as scanner:
                await nothing_comes(scanner, 0.2) if "babble" not in link else None
                twin.hold(OTHER)
                assert await code_of(scanner) == OTHER

    asyncio.run(body())
