"""The libfprint driver on libfprint's own virtual reader, with real prints pressed on it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from drivers.errors import DeviceFault, FaultCode, Retry, RetryReason
from drivers.fingerprint.libfprint.device import LibfprintReader
from drivers.fingerprint.libfprint.virtual import VirtualImageReader
from tests.prints import need_libfprint


@pytest.fixture(scope="session")
def libfprint() -> None:
    need_libfprint()


@pytest.fixture
def twin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, libfprint: None) -> Any:
    made = VirtualImageReader(tmp_path / "virtual")
    for name, value in made.environment.items():
        monkeypatch.setenv(name, value)
    yield made
    made.close()


async def pressed(twin: VirtualImageReader, image: Image.Image, work: Any) -> Any:
    """What `work` comes to while a finger with this image is pressed."""
    waiting = asyncio.ensure_future(work)
    await asyncio.sleep(0.15)
    twin.press(image.width, image.height, image.tobytes())
    return await waiting


def played(twin: VirtualImageReader, body: Callable[[LibfprintReader], Any], **options: Any) -> Any:
    async def whole() -> None:
        reader = LibfprintReader(options)
        try:
            await body(reader)
        finally:
            await reader.close()

    return whole()


def test_a_finger_is_captured_and_compared(run: Any, twin: Any, picture: Any) -> None:
    async def body(reader: LibfprintReader) -> None:
        info = await reader.open()
        assert (info.driver, info.port) == ("libfprint", "virtual_image")
        await reader.check()
        mine = await pressed(twin, picture("p1_1"), reader.capture())
        assert mine.startswith(b"FMR\0 20\0")
        await reader.load([mine])
        good = await pressed(twin, picture("p1_2"), reader.verify())
        assert good.matched and good.score >= 40
        other = await pressed(twin, picture("p2_1"), reader.verify())
        assert not other.matched
        theirs = await pressed(twin, picture("p2_1"), reader.capture())
        await reader.load([theirs, mine])  # the other hand's
        second = await pressed(twin, picture("p1_2"), reader.verify())
        assert (second.matched, second.template_index) == (True, 1)
        assert await reader.keep([mine]) == 0
        await reader.clear()
        with pytest.raises(RuntimeError):
            await reader.verify()

    run(played(twin, body))


def test_bad_scans_and_poor_images_are_the_persons_to_repeat(
    run: Any, twin: Any, picture: Any
) -> None:
    async def body(reader: LibfprintReader) -> None:
        await reader.open()
        await reader.load([await pressed(twin, picture("p1_1"), reader.capture())])
        waiting = asyncio.ensure_future(reader.verify())
        await asyncio.sleep(0.15)
        twin.retry(2)
        with pytest.raises(Retry) as off_centre:
            await waiting
        assert off_centre.value.reason is RetryReason.TOO_FEW_FEATURES
        with pytest.raises(Retry):
            await pressed(twin, Image.new("L", (300, 300), 255), reader.verify())
        assert (await pressed(twin, picture("p1_2"), reader.verify())).matched

    run(played(twin, body))


def test_a_cancelled_verify_frees_the_reader(run: Any, twin: Any, picture: Any) -> None:
    async def body(reader: LibfprintReader) -> None:
        await reader.open()
        await reader.load([await pressed(twin, picture("p1_1"), reader.capture())])
        for _ in range(3):
            waiting = asyncio.ensure_future(reader.verify())
            await asyncio.sleep(0.1)
            await reader.check()  # answers while it waits
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
            await reader.check()
        assert (await pressed(twin, picture("p1_2"), reader.verify())).matched

    run(played(twin, body))


def test_a_process_that_hangs_or_dies_is_a_fault_and_opened_anew(
    run: Any, twin: Any, picture: Any
) -> None:
    async def body(reader: LibfprintReader) -> None:
        for signal_, code in ((signal.SIGSTOP, FaultCode.NO_ANSWER),
                              (signal.SIGKILL, FaultCode.UNPLUGGED)):  # fmt: skip
            await reader.open()
            process = reader._child._process
            assert process is not None
            os.kill(process.pid, signal_)
            with pytest.raises(DeviceFault) as fault:
                await reader.check()
            assert fault.value.code is code
            with pytest.raises(DeviceFault):
                await reader.capture()
        await reader.open()
        await reader.check()

    run(played(twin, body))


def test_a_device_that_fails_is_a_fault(run: Any, twin: Any, picture: Any) -> None:
    async def body(reader: LibfprintReader) -> None:
        await reader.open()
        waiting = asyncio.ensure_future(reader.capture())
        await asyncio.sleep(0.15)
        twin.fail()
        with pytest.raises(DeviceFault):
            await waiting

    run(played(twin, body))


def test_a_reader_that_is_not_there_is_named(run: Any, twin: Any, picture: Any) -> None:
    async def body(reader: LibfprintReader) -> None:
        with pytest.raises(DeviceFault) as fault:
            await reader.open()
        assert fault.value.code is FaultCode.PORT_MISSING
        assert fault.value.detail == "uru4000; libfprint sees: virtual_image"

    run(played(twin, body, device="uru4000"))


@pytest.mark.parametrize("python", [sys.executable, "/usr/bin/no-such-python"])
def test_without_libfprint_it_says_what_to_install(
    run: Any, tmp_path: Path, picture: Any, python: str
) -> None:
    async def body(reader: LibfprintReader) -> None:
        with pytest.raises(DeviceFault) as fault:
            await reader.open()
        assert fault.value.code is FaultCode.REFUSED and "gir1.2-fprint" in fault.value.detail

    run(played(VirtualImageReader(tmp_path), body, python=python))
