"""Which coil and input of a Modbus board does what, and which of them are wired the other way
round. Driver and virtual twin read the same map. Numbers count from 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from drivers.turnstile.wiring import Wiring


@dataclass(frozen=True, slots=True)
class BoardMap(Wiring):
    """As the device's section of config.yaml has it."""

    RELAYS: ClassVar = ("unlock_coil", "exit_coil", "release_coil")
    PULSES: ClassVar = ("flash", "coil", "latch")

    pulse: str = "flash"
    unlock_coil: int = 0
    exit_coil: int | None = None  #: unlocks outwards; None: the other one unlocks both ways
    release_coil: int = 1
    counter_entry: int | None = None
    counter_exit: int | None = None
