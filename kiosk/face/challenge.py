"""What a person is asked to do with their head, and how likely it is to be guessed.

Owns the gestures and the drawing of a sequence; the choice itself is injected. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import permutations

from kiosk.core.codes import Prompt

Challenge = tuple[Prompt, ...]


@dataclass(frozen=True, slots=True)
class Direction:
    """Where what stands out of a face moves in the picture: axis 0 is x, 1 is y (down)."""

    axis: int
    sign: int


#: Left and right are the person's own.
DIRECTIONS: dict[Prompt, Direction] = {
    Prompt.TURN_LEFT: Direction(0, 1),
    Prompt.TURN_RIGHT: Direction(0, -1),
    Prompt.LOOK_DOWN: Direction(1, 1),
    Prompt.LOOK_UP: Direction(1, -1),
}
#: Two different movements in every order: 12, so a recording fits one time in 12.
MOVEMENTS: tuple[Challenge, ...] = tuple(permutations(DIRECTIONS, 2))
#: With a blink as one of the two: it proves no depth, so it never stands alone.
WITH_BLINK: tuple[Challenge, ...] = tuple(
    pair for movement in DIRECTIONS for pair in ((movement, Prompt.BLINK), (Prompt.BLINK, movement))
)
#: Three, none twice in a row: 36. For who has had a challenge already: guessing again must not
#: make a recording fit after all.
LONGER: tuple[Challenge, ...] = tuple(
    (*pair, third) for pair in MOVEMENTS for third in DIRECTIONS if third is not pair[1]
)


def choose(
    choice: Callable[[Sequence[Challenge]], Challenge], blink: bool, again: bool = False
) -> Challenge:
    """A challenge; `choice` is secrets.choice in the product. `again`: not the first one."""
    if again:
        return choice(LONGER)
    return choice(MOVEMENTS + WITH_BLINK if blink else MOVEMENTS)


def spare(choice: Callable[[Sequence[Challenge]], Challenge], challenge: Challenge) -> Prompt:
    """One movement more, not the last one again."""
    return choice(tuple((prompt,) for prompt in DIRECTIONS if prompt is not challenge[-1]))[0]


def across(
    choice: Callable[[Sequence[Challenge]], Challenge], challenge: Challenge
) -> Prompt | None:
    """Asked second instead of the opposite of the first: no way back through the middle. None
    where a blink comes first."""
    first = DIRECTIONS.get(challenge[0])
    if first is None:
        return None
    return choice(tuple((prompt,) for prompt, to in DIRECTIONS.items() if to.axis != first.axis))[0]


def name_of(challenge: Challenge) -> str:
    return ",".join(prompt.value for prompt in challenge)
