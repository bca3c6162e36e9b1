"""The twin on its cable, with a quick stride, and turnstiles that are always closed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from drivers.contracts import GateEventKind
from drivers.turnstile.modbus.device import ModbusTurnstile
from drivers.turnstile.modbus.virtual import VirtualTurnstile

STRIDE_S = 0.12
FOLLOW_S = 0.3  #: shorter than in service; longer than a stride
OPTIONS: dict[str, Any] = {
    "baud": 115200,
    "unit": 1,
    "pulse_ms": 100,
    "pulse": "flash",
    "unlock_coil": 0,
    "release_coil": 1,
    "input_passage_a": 0,
    "input_passage_b": 1,
    "input_forced": 2,
    "input_fire": 3,
    "clear_s": 1.0,
    "follow_s": FOLLOW_S,
}


class Gate(ModbusTurnstile):
    """The driver, and what a test asks of it."""

    async def events(self, until: GateEventKind, bound_s: float = 6.0) -> list[GateEventKind]:
        """What the sensors saw up to and with `until`."""
        seen: list[GateEventKind] = []
        async with asyncio.timeout(bound_s):
            while not seen or seen[-1] is not until:
                seen.append((await self.next_event()).kind)
        return seen


@pytest.fixture
def twin(tmp_path: Path) -> Iterator[VirtualTurnstile]:
    with VirtualTurnstile(tmp_path / "turnstile", stride_s=STRIDE_S) as running:
        yield running


@pytest.fixture
def make_gate(twin: VirtualTurnstile) -> Callable[..., Gate]:
    """A driver for the twin, not yet opened."""
    return lambda **changes: Gate(OPTIONS | {"port": twin.port} | changes)


@pytest.fixture
def gate_options() -> tuple[type[Gate], dict[str, Any]]:
    """For tests that make their own twins."""
    return Gate, OPTIONS


@pytest.fixture
def opened(
    make_gate: Callable[..., Gate],
) -> Callable[..., contextlib.AbstractAsyncContextManager[Gate]]:
    """`async with opened(pulse="coil") as gate`."""

    @contextlib.asynccontextmanager
    async def using(**changes: Any) -> AsyncIterator[Gate]:
        gate = make_gate(**changes)
        await gate.open()
        try:
            yield gate
        finally:
            await gate.close()

    return using
