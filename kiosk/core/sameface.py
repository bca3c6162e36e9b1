"""One face under two identities on one day: which earlier face a new one must be held against.

Pure: distances come in. It says *look at these two*, never who is who; a person decides.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Seen:
    """A live face that came to this lane under an identity. `face_id` is the store's row id."""

    face_id: int
    identity: str = field(repr=False)  #: the identity number
    day: str  #: ISO date in the hall's time zone
    encoder: str
    verified: bool  #: False: it was turned away, because it was not the face of that identity


@dataclass(frozen=True, slots=True)
class Suspicion:
    """The nearest face of another identity, and how many more identities are as suspicious."""

    seen: Seen
    distance: float
    more: int


Pair = frozenset[str]  #: two identity numbers


def suspicion(
    now: Seen,
    earlier: Iterable[tuple[Seen, float]],
    max_distance: float,
    cleared: Collection[Pair],
) -> Suspicion | None:
    """Whether `now` may be somebody who came before under another identity that day.

    `earlier`: faces with their distance to `now`. Never of the same identity (who comes again is
    nobody else), of another day or another encoder, nor of a pair that a person has looked at
    and found to be two people (`cleared`).
    """
    near: dict[str, tuple[float, Seen]] = {}
    for seen, distance in earlier:
        comparable = seen.day == now.day and seen.encoder == now.encoder
        if not comparable or seen.identity == now.identity or not distance <= max_distance:
            continue
        if frozenset((seen.identity, now.identity)) in cleared:
            continue
        held = near.get(seen.identity)
        if held is None or distance < held[0]:
            near[seen.identity] = (distance, seen)
    if not near:
        return None
    distance, seen = min(near.values(), key=lambda found: (found[0], found[1].face_id))
    return Suspicion(seen, distance, len(near) - 1)
