"""Owns every device's life: opens it, watches it, backs off, opens it again, says how it is.

The only place that reconnects. It must not know what a device is for; whoever uses one
reports its faults here.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

import structlog

from drivers.contracts import DeviceInfo
from drivers.errors import DeviceFault, FaultCode
from kiosk.clock import Clock

log = structlog.get_logger(__name__)

FIRST_WAIT_S = 0.3
LONGEST_WAIT_S = 5.0
CLOSE_TIMEOUT_S = 3.0


class Device(Protocol):
    async def open(self) -> DeviceInfo: ...

    async def close(self) -> None: ...


@dataclass(slots=True)
class DeviceStatus:
    """How one device is, for screens, doctor and start preconditions."""

    role: str
    driver: str
    port: str  #: as configured; while it is well, where it was found
    ok: bool = False
    code: str | None = None  #: a FaultCode; None while it has not been tried
    detail: str = ""
    since: datetime | None = None
    model: str = ""
    facts: dict[str, str] = field(default_factory=dict)
    last: dict[str, str] | None = None  #: the newest fault: code, at, detail

    def as_dict(self) -> dict[str, Any]:
        return {
            "ok": self.ok,
            "code": None if self.ok else self.code,
            "since": self.since.isoformat() if self.since else None,
            "detail": self.detail,
            "driver": self.driver,
            "port": self.port,
            "model": self.model,
            "last": self.last,
        }


@dataclass(slots=True)
class _Managed:
    make: Callable[[], Device]
    serve: Callable[[Any], Awaitable[None]]
    status: DeviceStatus
    port: str  #: as configured
    device: Any = None
    task: asyncio.Task[None] | None = None
    serving: asyncio.Task[None] | None = None
    reported: DeviceFault | None = None


class Supervisor:
    """`on_change(status)` is called after each change from well to unwell and back."""

    def __init__(self, clock: Clock, on_change: Callable[[DeviceStatus], None]) -> None:
        self._clock = clock
        self._on_change = on_change
        self._managed: dict[str, _Managed] = {}
        self._external: dict[str, DeviceStatus] = {}

    def add(
        self,
        role: str,
        driver: str,
        port: str,
        make: Callable[[], Any],
        serve: Callable[[Any], Awaitable[None]],
    ) -> None:
        """Manage a device. `serve(device)` runs while it is well and raises `DeviceFault`."""
        status = DeviceStatus(role, driver, port, since=self._clock.now())
        self._managed[role] = _Managed(make, serve, status, port)

    def add_external(self, role: str, driver: str, port: str) -> None:
        """A device that lives in another process, which reports through `report`."""
        self._external[role] = DeviceStatus(role, driver, port, since=self._clock.now())

    @property
    def statuses(self) -> dict[str, DeviceStatus]:
        both = {role: managed.status for role, managed in self._managed.items()}
        return both | self._external

    @property
    def all_well(self) -> bool:
        return all(status.ok for status in self.statuses.values())

    def device(self, role: str) -> Any:
        """The opened device. Raises `DeviceFault` while it is not well."""
        managed = self._managed[role]
        if managed.device is None:
            code = FaultCode(managed.status.code or FaultCode.NO_ANSWER)
            raise DeviceFault(role, code, managed.status.detail)
        return managed.device

    def fault(self, fault: DeviceFault) -> None:
        """A user of the device saw it fail: it is closed and opened anew."""
        managed = self._managed.get(fault.device)
        if managed is None or managed.device is None:
            return
        managed.reported = fault
        if managed.serving is not None:
            managed.serving.cancel()

    def report(self, role: str, ok: bool, code: str | None = None, detail: str = "") -> None:
        """How an external device is now."""
        self._set(self._external[role], ok, code, detail)

    def start(self) -> None:
        for role, managed in self._managed.items():
            managed.task = asyncio.create_task(self._run(managed), name=f"supervise-{role}")
            managed.task.add_done_callback(_report_bug)

    async def stop(self) -> None:
        tasks = [m.task for m in self._managed.values() if m.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, managed: _Managed) -> None:
        wait_s = FIRST_WAIT_S
        while True:
            try:
                served = await self._live(managed)
            except DeviceFault as fault:
                self._set(managed.status, False, fault.code.value, fault.detail)
                served = False
            wait_s = FIRST_WAIT_S if served else min(wait_s * 2, LONGEST_WAIT_S)
            await asyncio.sleep(wait_s)

    async def _live(self, managed: _Managed) -> bool:
        """One life of the device, from open to fault. Returns whether it was ever well."""
        managed.status.port = managed.port
        device = managed.make()
        try:
            info = await device.open()
            managed.status.port = info.port or managed.port
            managed.device, managed.reported = device, None
            managed.status.model, managed.status.facts = info.model, info.facts
            self._set(managed.status, True, None, "")
            managed.serving = asyncio.create_task(_serve(managed.serve, device))
            fault = await self._until_fault(managed)
            managed.device = None  # nobody may use it while it is closed and opened anew
            self._set(managed.status, False, fault.code.value, fault.detail)
            return True
        finally:
            managed.device = None
            await _stop_task(managed.serving)
            managed.serving = None
            with contextlib.suppress(DeviceFault, TimeoutError):
                await asyncio.wait_for(device.close(), CLOSE_TIMEOUT_S)

    async def _until_fault(self, managed: _Managed) -> DeviceFault:
        assert managed.serving is not None
        await asyncio.wait([managed.serving])
        if managed.reported is not None:
            return managed.reported
        error = None if managed.serving.cancelled() else managed.serving.exception()
        if isinstance(error, DeviceFault):
            return error
        if error is not None:
            raise error
        return DeviceFault(managed.status.role, FaultCode.NO_ANSWER, "its watch ended")

    def _set(self, status: DeviceStatus, ok: bool, code: str | None, detail: str) -> None:
        changed = status.ok != ok or (not ok and status.code != code)
        status.detail = detail
        if not changed:
            return
        status.ok, status.code, status.since = ok, code, self._clock.now()
        if not ok:
            status.last = {"code": code or "", "at": status.since.isoformat(), "detail": detail}
        log.info("device", role=status.role, ok=ok, code=code, detail=detail)
        self._on_change(status)


def _report_bug(task: asyncio.Task[None]) -> None:
    """Supervision that ends by itself is a bug: the one top-level handler must hear of it."""
    if not task.cancelled() and (error := task.exception()) is not None:
        context = {"message": "supervision ended", "exception": error, "task": task}
        asyncio.get_running_loop().call_exception_handler(context)


async def _serve(serve: Callable[[Any], Awaitable[None]], device: Any) -> None:
    await serve(device)


async def _stop_task(task: asyncio.Task[None] | None) -> None:
    if task is None:
        return
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
