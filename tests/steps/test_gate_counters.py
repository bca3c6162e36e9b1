"""The gate's counters at a session's ends: read, or said to be unknown; never an old number."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from types import SimpleNamespace
from typing import Any

import pytest

from drivers.contracts import GateCounters
from drivers.errors import DeviceFault, FaultCode
from kiosk.latch import OpenLatch
from kiosk.steps.gate import GateStep


class Lane:
    """As much of a lane as the counters need; `well`: whether the turnstile is."""

    def __init__(self, counters: GateCounters | None) -> None:
        self.session_id = "S1"
        self.well = True
        self.written: list[dict[str, Any]] = []
        self.supervisor = SimpleNamespace(device=self._device)
        self.store = SimpleNamespace(journal=lambda _kind, **said: self.written.append(said))
        self._counters = counters
        self._tasks: list[asyncio.Future[None]] = []

    def _device(self, role: str) -> Any:
        if not self.well:
            raise DeviceFault(role, FaultCode.NO_ANSWER, "silent")

        async def counters() -> GateCounters | None:
            return self._counters

        return SimpleNamespace(counters=counters)

    def spawn(self, work: Awaitable[None]) -> None:
        self._tasks.append(asyncio.ensure_future(work))

    async def settle(self) -> None:
        await asyncio.gather(*self._tasks)


@pytest.mark.parametrize(
    ("well", "last"),
    [(True, {"entry": 10, "exit": 3}), (False, {"entry": None, "exit": None})],
)
def test_a_gate_that_has_failed_is_not_quoted_at_closing(well, last):
    async def session() -> list[Any]:
        lane = Lane(GateCounters(10, 3))
        gate = GateStep(lane, 5.0, OpenLatch([]))
        gate.session_opened()
        await lane.settle()
        lane.well = well
        gate.session_closes()
        return [said["payload"] for said in lane.written]

    assert asyncio.run(session()) == [{"entry": 10, "exit": 3}, last]


def test_a_gate_that_does_not_count_is_not_mentioned():
    async def session() -> list[Any]:
        lane = Lane(None)
        gate = GateStep(lane, 5.0, OpenLatch([]))
        gate.connected()
        gate.session_opened()
        await lane.settle()
        lane.well = False
        gate.session_closes()
        return lane.written

    assert asyncio.run(session()) == []
