"""The live faces of the day at this lane: each new one is held against those of other identities.

Owns the comparison and what is kept for it; whether two faces are suspicious is
kiosk.core.sameface's to say, and what follows the lane's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kiosk.core.sameface import Pair, Seen, Suspicion, suspicion
from kiosk.core.types import Candidate
from kiosk.store import Store


@dataclass(frozen=True, slots=True)
class SameFaceRule:
    """Two identities whose live faces are at or below `max_distance` are shown to a proctor;
    with `stop`, who came second goes on only after a person has found that they are two."""

    max_distance: float
    stop: bool = True


class SeenFaces:
    """One a lane. Everything here raises `StoreError` when the store cannot be used."""

    def __init__(self, store: Store, encoder: str, rule: SameFaceRule) -> None:
        self._store = store
        self._encoder = encoder
        self.rule = rule
        self._day: str | None = None
        self._seen: list[Seen] = []
        self._table: NDArray[np.float32] | None = None  #: their embeddings, a row each
        self._cleared: frozenset[Pair] = frozenset()

    def begin_day(self, day: str) -> None:
        """Forget the faces of every other day, in memory and on disk; free on the same day."""
        if day == self._day:
            return
        self._store.forget_faces(but=day)
        self._seen, vectors = self._store.faces_of_day(day, self._encoder)
        self._table = np.stack(vectors) if vectors else None
        self._day = day
        self.look_again()

    def look_again(self) -> None:
        """Learn which pairs a person has cleared meanwhile."""
        if self._day is not None:
            self._cleared = self._store.cleared_pairs(self._day)

    def came_as(
        self,
        session_id: str,
        candidate: Candidate,
        looks: Sequence[NDArray[np.float32]],
        day: str,
        verified: bool,
    ) -> Suspicion | None:
        """A live face, seen in these looks, came as `candidate`: compare it, keep it, raise the
        alert. `verified`: it is that candidate's; otherwise it was turned away.
        """
        self.begin_day(day)
        vector = typical(looks)
        now = Seen(0, candidate.identity_number, day, self._encoder, verified)
        found = suspicion(now, self._near(vector), self.rule.max_distance, self._cleared)
        face_id, _ = self._store.keep_face(session_id, candidate, now, vector, found)
        self._seen.append(Seen(face_id, now.identity, day, self._encoder, verified))
        row = vector[None, :]
        self._table = row if self._table is None else np.concatenate((self._table, row))
        return found

    def _near(self, vector: NDArray[np.float32]) -> list[tuple[Seen, float]]:
        """The day's faces that are near enough to be suspicious at all, with their distances."""
        if self._table is None:
            return []
        distances = np.linalg.norm(self._table - vector, axis=1)
        near = np.flatnonzero(distances <= self.rule.max_distance)
        return [(self._seen[n], float(distances[n])) for n in near]


def typical(looks: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """One embedding for several looks at one face: their mean, as long as they are.

    The mean of unit vectors is shorter than one; brought back to their mean length, distances to
    it compare with distances between looks.
    """
    stacked = np.stack([np.asarray(look, dtype=np.float32) for look in looks])
    mean = stacked.mean(axis=0)
    length = float(np.linalg.norm(mean))
    if length == 0.0:
        return np.asarray(stacked[-1], dtype=np.float32)
    scale = float(np.linalg.norm(stacked, axis=1).mean()) / length
    return np.asarray(mean * scale, dtype=np.float32)
