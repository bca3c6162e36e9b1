"""Relays that can be read back: a board that was restarted is told them again, one that has them
otherwise than told is half dead. What boards with inputs share; knows no bytes.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod

from drivers.errors import DeviceFault, FaultCode
from drivers.turnstile.board import ROLE, NotSent
from drivers.turnstile.wiring import Wiring

PULSE_SLACK_S = 0.5  #: how much later than asked a board may end its timed pulse


class ToldRelays(ABC):
    """`look_back_s`: between two looks at whether the relays are as they were told."""

    def __init__(self, map_: Wiring, port: str, look_back_s: float) -> None:
        self._wiring, self._port = map_, port
        self._every_s = look_back_s
        self._off_due_s: float | None = None  #: the relay below may be on and must go off then
        self._pulsed = map_.RELAYS[0]  #: which one
        self._told: dict[str, bool] = {}  #: relay → what it was last told for good
        self._looks_back = True
        self._look_back_s = 0.0

    @abstractmethod
    def _switch(self, relay: str, level: bool) -> None:
        """Set the relay of this name for good. Raises `DeviceFault`."""

    @abstractmethod
    def _levels(self, first: int, count: int) -> list[bool]:
        """How the relays are. Raises `DeviceFault`: REFUSED where the board cannot be asked."""

    def settle(self, now_s: float, owed: bool) -> None:
        if self._looks_back and self._off_due_s is None and now_s >= self._look_back_s:
            self._look_back_s = now_s + self._every_s
            self._look_back()
        due_s = self._off_due_s
        if due_s is None or (owed if self._wiring.pulse == "latch" else now_s < due_s):
            return
        self._write(self._pulsed, False)
        self._off_due_s = None

    def _take(self, relay: str) -> None:
        """This one will be pulsed. The other way's, unlocked still, is locked first: one at a
        time. Raises `NotSent`."""
        if self._off_due_s is not None and relay != self._pulsed:
            try:
                self._write(self._pulsed, False)
            except DeviceFault as fault:
                raise NotSent(ROLE, fault.code, fault.detail) from fault
            self._off_due_s = None
        self._pulsed = relay

    def _write(self, relay: str, active: bool) -> None:
        self._told[relay] = active
        self._switch(relay, self._wiring.level(relay, active))

    def _no_look_during_pulse(self) -> None:
        self._look_back_s = self._pulse_end_s() + PULSE_SLACK_S

    def _pulse_end_s(self) -> float:
        return time.monotonic() + self._wiring.pulse_ms / 1000

    def _look_back(self) -> None:
        """Boards that cannot be asked are believed."""
        wrong = self._not_as_told()
        for relay in wrong:
            self._write(relay, self._told[relay])
        if wrong and (still := self._not_as_told()):
            self._look_back_s = 0.0  # at the next poll again
            detail = f"{self._port}: {', '.join(still)} not as told"
            raise DeviceFault(ROLE, FaultCode.MISBEHAVES, detail)

    def _not_as_told(self) -> list[str]:
        numbers = {relay: getattr(self._wiring, relay) for relay in self._told}
        if not numbers:
            return []
        first = min(numbers.values())
        try:
            levels = self._levels(first, max(numbers.values()) - first + 1)
        except DeviceFault as fault:
            if fault.code is not FaultCode.REFUSED:
                raise
            self._looks_back = False
            return []
        return [
            relay
            for relay, number in numbers.items()
            if levels[number - first] != self._wiring.level(relay, self._told[relay])
        ]
