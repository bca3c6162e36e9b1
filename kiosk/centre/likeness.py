"""Who looks like whom on one roster: embeddings nearer than two people ever should be.

Pure numbers; what it means is the caller's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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


def alike(
    embeddings: NDArray[np.float32],
    persons: Sequence[str],
    max_distance: float,
    only: Sequence[int] | None = None,
) -> Iterator[Alike]:
    """Each row (N × size) with another person's row at or below the Euclidean `max_distance`.

    Rows with the same entry in `persons` are one person and not compared. `only`: the rows to
    look from; they are still compared with all.
    """
    if not len(embeddings):
        return
    _, who = np.unique(np.asarray(persons), return_inverse=True)
    squares = (embeddings**2).sum(axis=1)
    rows = np.arange(len(embeddings)) if only is None else np.asarray(only, dtype=np.int64)
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
