"""Which coil and input of a Modbus board does what, and which of them are wired the other way
round. Driver and virtual twin read the same map. Numbers count from 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from drivers.contracts import GateInputs, Options, Way

INPUTS = ("input_passage_a", "input_passage_b", "input_forced", "input_fire", "input_open")
#: what may be wired the other way round: a relay that is off when it acts, a contact that is
#: open when it means something
INVERTIBLE = ("unlock_coil", "exit_coil", "release_coil", *INPUTS)
PULSES = ("flash", "coil", "latch")


@dataclass(frozen=True, slots=True)
class BoardMap:
    """As the device's section of config.yaml has it."""

    unlock_coil: int = 0
    exit_coil: int | None = None  #: unlocks outwards; None: the other one unlocks both ways
    release_coil: int = 1
    input_passage_a: int = 0
    input_passage_b: int = 1
    input_forced: int = 2
    input_fire: int = 3
    input_open: int | None = None  #: contact of the gate's wing or door, where there is one
    inverted: frozenset[str] = frozenset()
    pulse: str = "flash"
    pulse_ms: int = 500
    counter_entry: int | None = None
    counter_exit: int | None = None

    @classmethod
    def parse(cls, options: Options) -> Self:
        """From a section; keys of others are passed over. Raises `ValueError` naming the key."""
        given = {k: options[k] for k in cls.__dataclass_fields__ if k in options}
        given["inverted"] = frozenset(given.get("inverted") or ())
        if unknown := sorted(given["inverted"] - set(INVERTIBLE)):
            raise ValueError(f"inverted: {unknown[0]!r} is none of {', '.join(INVERTIBLE)}")
        if given.get("pulse", "flash") not in PULSES:
            raise ValueError(f"pulse: {given['pulse']!r} is none of {', '.join(PULSES)}")
        return cls(**given)

    def level(self, name: str, active: bool) -> bool:
        """What the coil or input of this name shows when it is active or not; and back."""
        return active != (name in self.inverted)

    def unlocker(self, way: Way) -> str:
        """Name of the coil that unlocks this way."""
        return "exit_coil" if way is Way.EXIT and self.exit_coil is not None else "unlock_coil"

    @property
    def unlockers(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.unlocker(way) for way in Way))

    @property
    def input_span(self) -> tuple[int, int]:
        """First input that is used, and how many from there on."""
        numbers = [n for name in INPUTS if (n := getattr(self, name)) is not None]
        return min(numbers), max(numbers) - min(numbers) + 1

    def gate_inputs(self, levels: list[bool]) -> GateInputs:
        """What the levels of `input_span` mean."""
        first, _ = self.input_span
        numbers = {name: getattr(self, name) for name in INPUTS}
        return GateInputs(
            *(
                number is not None and self.level(name, levels[number - first])
                for name, number in numbers.items()
            )
        )
