"""The twin on its cable, its key in a file, and turnstiles that are always closed."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from drivers.turnstile.osdp.device import OsdpTurnstile
from drivers.turnstile.osdp.virtual import VirtualOsdp

KEY = bytes.fromhex("8a1f03b2c4d5e6f708192a3b4c5d6e7f")


@pytest.fixture
def key_file(tmp_path):
    file = tmp_path / "osdp.key"
    file.write_text(KEY.hex() + "\n")
    file.chmod(0o600)
    return file


@pytest.fixture
def make_twin(tmp_path):
    with contextlib.ExitStack() as running:
        yield lambda **changes: running.enter_context(
            VirtualOsdp(tmp_path / "osdp", **({"key": KEY, "stride_s": 0.12} | changes))
        )


@pytest.fixture
def twin(make_twin):
    return make_twin()


@pytest.fixture
def options(tmp_path, key_file):
    return {
        "port": str(tmp_path / "osdp"), "baud": 115200, "address": 0, "key_file": key_file,
        "pulse_ms": 100, "clear_s": 1.0, "follow_s": 0.3,
    }  # fmt: skip


@pytest.fixture
def opened(options):
    @contextlib.asynccontextmanager
    async def using(**changes):
        gate = OsdpTurnstile(options | changes)
        try:
            await gate.open()
            yield gate
        finally:
            await gate.close()

    return using


@pytest.fixture
def until():
    async def holds(condition, bound_s=3.0):
        async with asyncio.timeout(bound_s):
            while not condition():
                await asyncio.sleep(0.005)

    return holds


@pytest.fixture
def events():
    async def to(gate, end, bound_s=6.0):
        seen = []
        async with asyncio.timeout(bound_s):
            while not seen or seen[-1] is not end:
                seen.append((await gate.next_event()).kind)
        return seen

    return to
