"""The degraded-mode ladder: which factors are missing, and which of them a chief lets the lane go
on without (docs/degraded.md). A step down has a name; the way up is the device's return.

Knows devices by role and factors by name; what a missing factor changes is the flow's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from kiosk.core import events as ev
from kiosk.core.codes import Factor, JournalKind
from kiosk.store.errors import StoreError
from kiosk.supervisor import DeviceStatus

if TYPE_CHECKING:
    from kiosk.session import LaneSession

DEVICES = {Factor.FACE: "camera", Factor.FINGER: "fingerprint", Factor.CARD: "id_card"}
_OTHERS = {"turnstile": "gate", "scanner": "scanner"}
EXTRAS = {"scanner"}  #: devices that only save typing: the lane goes on without
FACTORS = {role: factor for factor, role in DEVICES.items()}


@dataclass(frozen=True, slots=True)
class Waiver:
    """Who let the lane go on without a factor, and since when."""

    at: datetime
    person: str


class Ladder:
    """One a lane. A restart of the daemon begins at the top again."""

    def __init__(self, lane: LaneSession) -> None:
        self._lane = lane
        self.waived: dict[Factor, Waiver] = {}
        self.others: Callable[[], list[dict[str, Any]]] = list  #: what is missing beside devices

    @property
    def needed(self) -> dict[str, DeviceStatus]:
        """Devices that the lane cannot do without now."""
        gone = {DEVICES[factor] for factor in self._lane.lane.without} | EXTRAS
        statuses = self._lane.supervisor.statuses
        return {role: status for role, status in statuses.items() if role not in gone}

    def may_waive(self, factor: Factor) -> bool:
        """Only what is out of order, and is not waived yet."""
        status = self._lane.supervisor.statuses.get(DEVICES[factor])
        return status is not None and not status.ok and factor not in self.waived

    def waive(self, factor: Factor, person: str) -> None:
        """Go on without it until its device is back. Raises `StoreError`; then nothing changed."""
        lane = self._lane
        self._note(factor, person)
        self.waived[factor] = Waiver(lane.clock.now(), person)
        lane.post(ev.FactorWaived(factor, person))
        lane.tell(JournalKind.FACTOR_WAIVED.value, None, extra={"factor": factor.value})
        lane.health_changed()

    def session_opened(self) -> None:
        """Its record begins here, and has to say what the lane goes on without."""
        for factor, waiver in self.waived.items():
            self._note(factor, waiver.person)

    def _note(self, factor: Factor, person: str) -> None:
        lane = self._lane
        code = lane.supervisor.statuses[DEVICES[factor]].code
        payload = {"factor": factor.value, "code": code, "person": person}
        lane.store.journal(
            JournalKind.FACTOR_WAIVED, session_id=lane.session_id, payload=payload
        )

    def found(self, role: str) -> None:
        """A device is back: what was waived for it is asked for again."""
        factor, lane = FACTORS.get(role), self._lane
        if factor is None or factor not in self.waived:
            return
        del self.waived[factor]
        lane.post(ev.FactorRestored(factor))
        payload = {"factor": factor.value}
        try:
            lane.store.journal(
                JournalKind.FACTOR_RESTORED, session_id=lane.session_id, payload=payload
            )
        except StoreError as error:
            lane.evidence_failed(error)
        lane.tell(JournalKind.FACTOR_RESTORED.value, None, extra=payload)

    def mode(self) -> dict[str, Any]:
        """`rung` and what is `missing`, as the wire has it."""
        missing = [self._device(s) for s in self._lane.supervisor.statuses.values() if not s.ok]
        missing += self.others()
        return {"rung": self._rung(), "missing": missing}

    def _rung(self) -> str:
        if self._lane.lane.failed is not None:
            return "stopped"
        if self._lane.lane.by_eye:
            return "by_eye"
        return "reduced" if self.waived else "full"

    def _device(self, status: DeviceStatus) -> dict[str, Any]:
        factor = FACTORS.get(status.role)
        waiver = self.waived.get(factor) if factor is not None else None
        return missing(
            factor.value if factor is not None else _OTHERS[status.role],
            status.code or "no_answer",
            status.since,
            may_waive=factor is not None and waiver is None,
            waiver=waiver,
        )


def missing(
    factor: str,
    code: str,
    since: datetime | None,
    *,
    may_waive: bool = False,
    waiver: Waiver | None = None,
) -> dict[str, Any]:
    """One missing factor, as the wire has it."""
    return {
        "factor": factor,
        "code": code,
        "since": since.isoformat() if since else None,
        "may_waive": may_waive,
        "allowed_by": waiver.person if waiver else None,
        "allowed_at": waiver.at.isoformat() if waiver else None,
    }
