"""A technician opens the gate by hand while the daemon runs: one pulse, named as such.

It has no candidate and no intent: it is journalled before it is sent and again with its result,
and the lane is out of service meanwhile. Who may ask for it is kiosk.staff's.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import structlog

from drivers.contracts import GateEventKind, Turnstile
from drivers.errors import DeviceFault, UnlockUnknown
from kiosk.core.codes import JournalKind, State

if TYPE_CHECKING:
    from kiosk.session import LaneSession

log = structlog.get_logger(__name__)

#: Nobody is on their way, and nobody reads how it went.
FREE = frozenset({State.IDLE, State.PAUSED, State.CLOSED, State.OUT_OF_ORDER})
LOOK_S = 0.2  #: between two looks at whether the gate is still there
#: The lane stays out of service so long after a pulse: of several, candidates see one pause.
REST_S = 2.0


class WorkshopStep:
    """One a lane. `end_s`: how long after an unlock's time its passage may end."""

    def __init__(self, lane: LaneSession, end_s: float) -> None:
        self._lane = lane
        self._end_s = end_s
        self._end: asyncio.Future[GateEventKind] | None = None
        self._rest: asyncio.TimerHandle | None = None
        self._pulsing = False

    @property
    def busy(self) -> bool:
        """Whether the lane is out of service because of this."""
        return self._pulsing or self._rest is not None

    def problem(self, approved_by: str | None) -> str | None:
        """Why the gate may not be moved now, a key of kiosk.texts; None: it may."""
        lane = self._lane
        if lane.gate.fire:
            return "gate_released"
        if self._pulsing or lane.lane.state not in FREE:
            return "gate_in_use"
        if lane.session is not None and not (approved_by or "").strip():
            return "gate_chief"
        return None

    async def pulse(self, seconds: float, person: str, approved_by: str | None) -> dict[str, Any]:
        """Unlock once and wait how it ends: `result` and `end` as in the journal, `ms`, and the
        `fault` by which the gate was lost meanwhile.

        Only when there is no `problem`. Raises `StoreError` when it cannot be journalled, and then
        nothing was sent; `DeviceFault` when the gate is not there.
        """
        turnstile: Turnstile = self._lane.supervisor.device("turnstile")
        self._pulsing = True
        about = {"device": "turnstile", "action": "pulse", "person": person,
                 "approved_by": approved_by}  # fmt: skip
        session_id = self._lane.session_id  # of both entries, whatever is closed meanwhile
        try:
            self._note(session_id, about | {"result": "asked"})
            self._lane.health_changed()
            return await self._move(turnstile, seconds, session_id, about)
        finally:
            self._pulsing, self._end = False, None
            self._begin_rest()
            self._lane.health_changed()

    async def _move(
        self, turnstile: Turnstile, seconds: float, session_id: str | None, about: dict[str, Any]
    ) -> dict[str, Any]:
        loop = asyncio.get_running_loop()
        self._end = loop.create_future()
        asked_s = self._lane.clock.monotonic()
        result, end, fault = "unknown", None, None
        was_well = self._fault() is None
        try:
            result = await self._send(turnstile, seconds)
            ms = round(1000 * (self._lane.clock.monotonic() - asked_s), 1)
            if result != "not_sent":
                end = await self._end_of(seconds, was_well)
            fault = self._fault() if was_well and end is None else None
        finally:  # also when the daemon stops meanwhile
            self._note(session_id, about | {"result": result, "end": end})
        return {"result": result, "end": end, "ms": ms, "fault": fault}

    async def _send(self, turnstile: Turnstile, seconds: float) -> str:
        try:
            await turnstile.unlock(seconds)
        except UnlockUnknown:
            return "unknown"
        except DeviceFault as fault:
            self._lane.supervisor.fault(fault)
            return "not_sent"
        return "sent"

    async def _end_of(self, seconds: float, was_well: bool) -> str | None:
        """None: nobody saw one. A gate that is lost meanwhile will not say anything any more."""
        assert self._end is not None
        time_s = asyncio.get_running_loop().time
        until_s = time_s() + seconds + self._end_s
        while (left_s := until_s - time_s()) > 0:
            await asyncio.wait({self._end}, timeout=min(LOOK_S, left_s))
            if self._end.done():
                return self._end.result().value
            if was_well and self._fault() is not None:
                break
        return None

    def _fault(self) -> str | None:
        """The gate's, as it is known now."""
        status = self._lane.supervisor.statuses.get("turnstile")
        return None if status is None or status.ok else status.code or "no_answer"

    def saw(self, kind: GateEventKind) -> bool:
        """A passage ended; whether it was that of a pulse by hand."""
        if self._end is None or self._end.done():
            return False
        self._end.set_result(kind)
        return True

    def own_up(self) -> None:
        """At the start: a pulse that was asked for and whose result nobody wrote down."""
        found = self._lane.store.unfinished_trial()
        if found is None:
            return
        session_id, payload = found
        log.warning("trial_without_result")
        self._note(session_id, payload | {"result": "unknown", "end": None})

    def _note(self, session_id: str | None, payload: dict[str, Any]) -> None:
        kind = JournalKind.DEVICE_TRIED
        self._lane.store.journal(kind, session_id=session_id, payload=payload)
        self._lane.tell(kind.value, None)

    def _begin_rest(self) -> None:
        if self._rest is not None:
            self._rest.cancel()
        self._rest = asyncio.get_running_loop().call_later(REST_S, self._end_rest)

    def _end_rest(self) -> None:
        self._rest = None
        self._lane.health_changed()

    def stop(self) -> None:
        if self._rest is not None:
            self._rest.cancel()
