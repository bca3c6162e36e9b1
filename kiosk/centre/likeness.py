"""Who looks like whom on one roster: embeddings nearer than two people ever should be.

Pure numbers; what it means is the caller's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_BLOCK = 512  #: rows compared at a time: bounds the memory to a block times all


@dataclass(frozen=True, slots=True)
class Alike:
    """Row `index` is `distance` from row `other`, its nearest; `more` others are near too."""

    index: int
    other: int
    distance: float
    more: int


@dataclass(frozen=True, slots=True)
class Link:
    """Rows `one` and `other` of two people, `distance` apart."""

    one: int
    other: int
    distance: float


def links(
    embeddings: NDArray[np.float32],
    persons: Sequence[str],
    max_distance: float,
    known: Iterable[tuple[int, int]] = (),
) -> tuple[list[Link], list[Link]]:
    """(the `known` pairs that hold, the fewest others that are needed): together they connect all
    rows that `alike` finds as all near pairs would, the nearest first (Prim's spanning forest).

    A group of n rows has n - 1 links when none is known.
    """
    rows = np.array([a.index for a in alike(embeddings, persons, max_distance)], dtype=np.int64)
    place = {int(row): at for at, row in enumerate(rows)}
    vectors = embeddings[rows]
    _, who = np.unique(np.asarray(persons, dtype=object)[rows].astype(str), return_inverse=True)

    def away(at: int) -> NDArray[np.float32]:
        distances = np.asarray(np.linalg.norm(vectors - vectors[at], axis=1), dtype=np.float32)
        distances[(who == who[at]) | (distances > max_distance)] = np.inf
        return distances

    stand: list[Link] = []
    free: dict[int, list[int]] = defaultdict(list)
    for one, other in known:
        if one in place and other in place:
            distance = float(away(place[one])[place[other]])
            if np.isfinite(distance):
                stand.append(Link(one, other, distance))
                free[place[one]].append(place[other])
                free[place[other]].append(place[one])
    return stand, [
        Link(int(rows[a]), int(rows[b]), d) for a, b, d in _forest(len(rows), away, free)
    ]


def _forest(
    count: int, away: Callable[[int], NDArray[np.float32]], free: Mapping[int, Sequence[int]]
) -> Iterator[tuple[int, int, float]]:
    """The edges that a minimum spanning forest has beside the `free` ones."""
    best = np.full(count, np.inf, dtype=np.float64)  #: -1: reached by a free edge
    by = np.zeros(count, dtype=np.int64)
    waiting = np.ones(count, dtype=bool)
    while waiting.any():
        at = int(np.where(waiting, best, np.inf).argmin())
        if not np.isfinite(best[at]) or not waiting[at]:
            at = int(waiting.argmax())  # the first of another group
        elif best[at] >= 0:
            yield int(by[at]), at, float(best[at])
        waiting[at] = False
        distances = away(at).astype(np.float64)
        distances[list(free.get(at, ()))] = -1.0
        nearer = waiting & (distances < best)
        best[nearer], by[nearer] = distances[nearer], at


def groups(pairs: Iterable[tuple[int, int]]) -> list[list[int]]:
    """What is connected by `pairs`, each group and their list in rising order."""
    group: dict[int, set[int]] = {}
    for one, other in pairs:
        joined = group.get(one, {one}) | group.get(other, {other})
        group.update(dict.fromkeys(joined, joined))
    return sorted(sorted(each) for each in {id(g): g for g in group.values()}.values())


def alike(
    embeddings: NDArray[np.float32], persons: Sequence[str], max_distance: float
) -> Iterator[Alike]:
    """Each row (N × size) with another person's row at or below the Euclidean `max_distance`.

    Rows with the same entry in `persons` are one person and not compared.
    """
    if not len(embeddings):
        return
    _, who = np.unique(np.asarray(persons), return_inverse=True)
    squares = (embeddings**2).sum(axis=1)
    rows = np.arange(len(embeddings))
    for start in range(0, len(rows), _BLOCK):
        block = rows[start : start + _BLOCK]
        # |a - b|² = |a|² + |b|² - 2ab
        d2 = squares[block, None] + squares[None, :] - 2 * embeddings[block] @ embeddings.T
        d2[who[block, None] == who[None, :]] = np.inf
        near = (d2 <= max_distance**2).sum(axis=1)
        for row in np.flatnonzero(near):
            other = int(d2[row].argmin())
            distance = float(np.sqrt(max(float(d2[row, other]), 0.0)))
            yield Alike(int(block[row]), other, distance, int(near[row]) - 1)
