"""Which output and input of an OSDP board does what, and which of them are wired the other way
round. Driver and virtual twin read the same map. Numbers count from 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from drivers.turnstile.wiring import Wiring


@dataclass(frozen=True, slots=True)
class OutputMap(Wiring):
    """As the device's section of config.yaml has it."""

    RELAYS: ClassVar = ("unlock_output", "exit_output", "release_output")
    PULSES: ClassVar = ("timed", "latch")

    pulse: str = "timed"
    unlock_output: int = 0
    exit_output: int | None = None  #: unlocks outwards; None: the other one unlocks both ways
    release_output: int = 1
