"""The twin on its cable, readers that are always closed, and tests that are coroutines."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterator
from typing import Any

import pytest

from drivers.fingerprint.zfm.channel import Limits
from drivers.fingerprint.zfm.device import ZfmReader
from drivers.fingerprint.zfm.virtual import VirtualZfm

TEST_LIMIT_S = 30.0
#: Shorter than in service, so that silence is tested quickly; still generous for two cores.
QUICK = Limits(call_s=0.3, upload_s=1.0, gap_s=0.15, drain_s=0.15, fence_s=0.25)


class Readers:
    """Makes readers on the twin's port; closes them all at the end."""

    def __init__(self, port: str) -> None:
        self._port = port
        self._made: list[ZfmReader] = []

    def __call__(self, limits: Limits = QUICK, **options: Any) -> ZfmReader:
        reader = ZfmReader({"port": self._port, **options}, limits=limits, poll_s=0.01)
        self._made.append(reader)
        return reader

    async def close(self) -> None:
        for reader in self._made:
            await reader.close()


@pytest.fixture
def twin() -> Iterator[VirtualZfm]:
    with VirtualZfm() as running:
        yield running


@pytest.fixture
def make_reader(twin: VirtualZfm) -> Readers:
    return Readers(twin.port)


@pytest.fixture
def reader(make_reader: Readers) -> ZfmReader:
    return make_reader()


@pytest.fixture
def opened(reader: ZfmReader) -> ZfmReader:
    """Opened by the hook below, inside the test's event loop."""
    return reader


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = inspect.signature(pyfuncitem.obj).parameters
    arguments: dict[str, Any] = {name: pyfuncitem.funcargs[name] for name in names}

    async def body() -> None:
        try:
            if "opened" in arguments:
                await arguments["opened"].open()
            await pyfuncitem.obj(**arguments)
        finally:
            if isinstance(readers := pyfuncitem.funcargs.get("make_reader"), Readers):
                await readers.close()

    asyncio.run(asyncio.wait_for(body(), TEST_LIMIT_S))
    return True
