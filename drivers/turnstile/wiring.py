"""Which input of a board is which sensor, and what is wired the other way round: what the maps of
all boards with inputs share. Numbers count from 0. Driver and virtual twin read the same map.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from drivers.contracts import GateInputs, Options, Way

INPUTS = ("input_passage_a", "input_passage_b", "input_forced", "input_fire", "input_open")


@dataclass(frozen=True, slots=True)
class Wiring:
    """As the device's section of config.yaml has it. A board's own map adds its relays."""

    RELAYS: ClassVar[tuple[str, ...]] = ()  #: keys: unlock, unlock outwards, release
    PULSES: ClassVar[tuple[str, ...]] = ()  #: what `pulse` may be; the first is the default

    input_passage_a: int = 0
    input_passage_b: int = 1
    input_forced: int = 2
    input_fire: int = 3
    input_open: int | None = None  #: contact of the gate's wing or door, where there is one
    #: a relay that is off when it acts, a contact that is open when it means something
    inverted: frozenset[str] = frozenset()
    pulse: str = ""
    pulse_ms: int = 500

    @classmethod
    def parse(cls, options: Options) -> Self:
        """From a section; keys of others are passed over. Raises `ValueError` naming the key."""
        given = {k: options[k] for k in cls.__dataclass_fields__ if k in options}
        given["inverted"] = frozenset(given.get("inverted") or ())
        known = (*cls.RELAYS, *INPUTS)
        if unknown := sorted(given["inverted"] - set(known)):
            raise ValueError(f"inverted: {unknown[0]!r} is none of {', '.join(known)}")
        if given.setdefault("pulse", cls.PULSES[0]) not in cls.PULSES:
            raise ValueError(f"pulse: {given['pulse']!r} is none of {', '.join(cls.PULSES)}")
        return cls(**given)

    def level(self, name: str, active: bool) -> bool:
        """What the relay or input of this name shows when it is active or not; and back."""
        return active != (name in self.inverted)

    def unlocker(self, way: Way) -> str:
        """Name of the relay that unlocks this way; where there is one for both, that one."""
        both, out, _ = self.RELAYS
        return out if way is Way.EXIT and getattr(self, out) is not None else both

    @property
    def unlockers(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.unlocker(way) for way in Way))

    @property
    def input_span(self) -> tuple[int, int]:
        """First input that is used, and how many from there on."""
        numbers = [n for name in INPUTS if (n := getattr(self, name)) is not None]
        return min(numbers), max(numbers) - min(numbers) + 1

    def gate_inputs(self, levels: Sequence[bool]) -> GateInputs:
        """What the levels of `input_span` mean."""
        first, _ = self.input_span
        numbers = {name: getattr(self, name) for name in INPUTS}
        return GateInputs(
            *(
                number is not None and self.level(name, levels[number - first])
                for name, number in numbers.items()
            )
        )
