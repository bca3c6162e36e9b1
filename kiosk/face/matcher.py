"""Distances between one embedding and a roster's.

Owns the arithmetic only: what distance means *same person* is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray


class Matcher:
    """N embeddings of one encoder, each under a candidate's id.

    `embeddings` is N×D; a candidate may have several rows, the nearest one counts.
    """

    def __init__(self, ids: Sequence[int], embeddings: ArrayLike) -> None:
        table = np.ascontiguousarray(embeddings, dtype=np.float32)
        if table.size == 0:
            table = table.reshape(0, table.shape[-1] if table.ndim == 2 else 0)
        if table.ndim != 2 or len(ids) != len(table):
            raise ValueError(f"{len(ids)} ids for embeddings of shape {table.shape}")
        if not np.isfinite(table).all():
            raise ValueError("an embedding is not finite")
        self._ids = np.asarray(ids, dtype=np.int64)
        self._table = table

    def __len__(self) -> int:
        return len(self._ids)

    def nearest(self, embedding: ArrayLike, k: int) -> list[tuple[int, float]]:
        """The k nearest candidates with their L2 distance, nearest first, each id once."""
        best: dict[int, float] = {}
        distances = self._distances(embedding)
        for row in np.argsort(distances, kind="stable"):
            if len(best) == k:
                break
            best.setdefault(int(self._ids[row]), float(distances[row]))
        return list(best.items())

    def distance(self, candidate_id: int, embedding: ArrayLike) -> float:
        """L2 distance to one candidate. Raises `KeyError` when there is none with that id."""
        rows = np.flatnonzero(self._ids == candidate_id)
        if not len(rows):
            raise KeyError(candidate_id)
        return float(self._distances(embedding)[rows].min())

    def _distances(self, embedding: ArrayLike) -> NDArray[np.float32]:
        probe = np.asarray(embedding, dtype=np.float32).ravel()
        if not len(self._table):
            return np.empty(0, np.float32)
        if probe.size != self._table.shape[1] or not np.isfinite(probe).all():
            raise ValueError(f"an embedding of {probe.size} numbers, or not finite")
        # The difference, not the scalar product: near 0 the latter loses its digits in float32.
        return np.asarray(np.linalg.norm(self._table - probe, axis=1), dtype=np.float32)
