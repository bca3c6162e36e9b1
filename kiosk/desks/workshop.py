"""What a technician does with the gate while the daemon runs: read its inputs, open it by hand.

Part of the daemon. It must not know who calls or over what.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from pydantic import Field

from drivers.contracts import Turnstile
from drivers.errors import DeviceFault
from kiosk.desks.params import NoParams, Params, parse
from kiosk.session import LaneSession
from kiosk.texts import Problem
from kiosk.wire import RpcError
from kiosk.workshop import levels


class ByHand(Params):
    seconds: float = Field(5.0, ge=0.1, le=60.0)
    approved_by: str | None = Field(None, max_length=64)
    person: str = Field(min_length=1, max_length=64)


class WorkshopDesk:
    def __init__(self, session: LaneSession, declined: Callable[..., RpcError]) -> None:
        self._session = session
        self._declined = declined
        self.methods: dict[str, tuple[type[Params], Callable[[Any], Awaitable[Any]]]] = {
            "device.inputs": (NoParams, self._inputs),
            "device.pulse": (ByHand, self._pulse),
        }

    def call(self, method: str, params: dict[str, Any]) -> Awaitable[Any]:
        """Raises `RpcError`, or `StoreError` when nothing can be recorded."""
        schema, handler = self.methods[method]
        return handler(parse(schema, params))

    async def _inputs(self, p: NoParams) -> Any:
        try:
            turnstile: Turnstile = self._session.supervisor.device("turnstile")
            return {"inputs": levels(await turnstile.inputs())}
        except DeviceFault as fault:
            raise self._out_of_order(fault, p) from fault

    async def _pulse(self, p: ByHand) -> Any:
        problem = self._session.workshop.problem(p.approved_by)
        if problem is not None:
            raise self._declined(problem.upper(), [Problem(problem)], p.lang)
        try:
            return await self._session.workshop.pulse(p.seconds, p.person, p.approved_by)
        except DeviceFault as fault:
            raise self._out_of_order(fault, p) from fault

    def _out_of_order(self, fault: DeviceFault, p: Params) -> RpcError:
        about = {"role": fault.device, "code": fault.code.value}
        return self._declined("DEVICE_FAULT", [Problem("device", about)], p.lang)
