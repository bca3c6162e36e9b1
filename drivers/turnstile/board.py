"""What a relay board at the turnstile must be able to do; one folder beside this file for each.

Knows no passages and no lane: those are passage.py's and the driver's (polled.py).
"""

from __future__ import annotations

from typing import Protocol

from drivers.contracts import DeviceInfo, GateCounters, GateInputs, Way
from drivers.errors import DeviceFault

ROLE = "turnstile"


class NotSent(DeviceFault):
    """It failed before the first byte was written: the board cannot have heard anything."""


class Board(Protocol):
    """An open board. Every call is bounded in time, is made from one thread, and raises
    `DeviceFault`; only `pulse` may never be repeated.
    """

    def identify(self) -> None:
        """Make sure that such a board answers, by a question that moves nothing and that no other
        kind of device takes for an order; its port may be another device's."""

    def greet(self) -> DeviceInfo:
        """Make sure that somebody answers, and that no unlock of an earlier life is still on."""

    def inputs(self) -> GateInputs | None:
        """Levels, True = active; None: this board has no inputs."""

    def counters(self) -> GateCounters | None: ...

    def pulse(self, way: Way) -> None:
        """Unlock once for this way, asking once. Raises `NotSent`, or `DeviceFault(REFUSED)`, when
        nothing moved for certain; any other fault means that it may have."""

    def settle(self, now_s: float, owed: bool) -> None:
        """Called at every poll: switch off what is due. `owed`: a passage is still expected, so
        an unlock that lasts as long as the passage goes on."""

    def release(self, on: bool) -> None: ...

    def close(self) -> None:
        """Give the port back; an unlock still on is switched off first, if the board hears."""
