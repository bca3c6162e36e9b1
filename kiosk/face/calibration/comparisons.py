"""All comparisons between the pictures of a set of people, for one encoder.

Owns who is compared with whom: two pictures of a person are a genuine comparison, pictures of
two people an impostor comparison. Knows no files and decides nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from kiosk.face.parts import Floats

#: More impostor comparisons than this are not made: fewer pictures of each person are taken
#: instead. Twelve bytes each, and half an hour of a core is not worth a third digit.
MAX_IMPOSTORS = 20_000_000

Indices = NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Embeddings of one encoder, one row a picture, with whose each is."""

    encoder: str
    embeddings: Floats  #: n×D
    person: Indices  #: n, from 0 up, ascending

    @property
    def people(self) -> int:
        return int(self.person.max()) + 1 if len(self.person) else 0

    def pictures_of(self) -> Indices:
        """Number of pictures, by person."""
        return np.bincount(self.person, minlength=self.people).astype(np.int32)

    def only(self, people: NDArray[np.bool_]) -> Samples:
        """The same with some of the people, counted anew."""
        keep = people[self.person]
        number = np.cumsum(people) - 1
        return Samples(
            self.encoder, self.embeddings[keep], number[self.person[keep]].astype(np.int32)
        )


@dataclass(frozen=True, eq=False)
class Comparisons:
    """Distances with the people they are of. Impostor distances ascend; `first` < `second`."""

    people: int
    genuine: Floats
    genuine_person: Indices
    impostor: Floats
    first: Indices
    second: Indices

    @cached_property
    def genuine_sorted(self) -> Floats:
        return np.sort(self.genuine)

    @cached_property
    def genuine_people(self) -> int:
        """How many people have a genuine comparison."""
        return len(np.unique(self.genuine_person))

    @cached_property
    def impostor_pairs(self) -> int:
        """How many pairs of people have an impostor comparison: what is nearly independent."""
        return len(np.unique(self.first.astype(np.int64) * self.people + self.second))

    def near(self, threshold: float) -> int:
        """How many impostor comparisons are at or below the threshold."""
        at = np.asarray(threshold, dtype=self.impostor.dtype)
        return int(np.searchsorted(self.impostor, at, side="right"))

    def near_pairs(self, threshold: float) -> int:
        """How many pairs of people have an impostor comparison at or below the threshold."""
        n = self.near(threshold)
        return len(np.unique(self.first[:n].astype(np.int64) * self.people + self.second[:n]))

    def among(self, alike: NDArray[np.bool_]) -> Comparisons:
        """Without the impostor comparisons of people (i, j) where `alike[i, j]` is false."""
        keep = alike[self.first, self.second]
        return Comparisons(
            self.people,
            self.genuine,
            self.genuine_person,
            self.impostor[keep],
            self.first[keep],
            self.second[keep],
        )


def compare(
    samples: Samples, rng: np.random.Generator, frames: int = 1, limit: int = MAX_IMPOSTORS
) -> Comparisons:
    """Every genuine comparison, and impostor comparisons up to about `limit`.

    With `frames` above 1, one side of each comparison is a presentation: so many pictures of a
    person, whose distance is the median of theirs, as the gate decides. When there would be
    more comparisons than `limit`, the same number of pictures is drawn of each person.
    """
    rows = _within(samples, limit, rng)
    if frames == 1:
        genuine, owner = _genuine(samples)
        distances, first, second = _impostors(samples.embeddings[rows], samples.person[rows])
    else:
        shown = presentations(samples, frames, rng)
        genuine, owner = _presented_genuine(samples, shown)
        distances, first, second = _presented_impostors(samples, shown, rows)
    order = np.argsort(distances, kind="stable")
    return Comparisons(
        samples.people, genuine, owner, distances[order], first[order], second[order]
    )


def presentations(
    samples: Samples, frames: int, rng: np.random.Generator, but: NDArray[np.intp] | None = None
) -> list[NDArray[np.intp]]:
    """Each person's pictures dealt out in sets of `frames`; a rest too small for a set is left.

    Rows of `but` (the pictures on a roster) are not dealt.
    """
    free = np.ones(len(samples.person), dtype=np.bool_)
    if but is not None:
        free[but] = False
    shown = []
    for person in range(samples.people):
        rows = rng.permutation(np.flatnonzero((samples.person == person) & free))
        shown += [rows[at : at + frames] for at in range(0, len(rows) - frames + 1, frames)]
    return shown


def distances_between(rows: Floats, others: Floats) -> Floats:
    """Euclidean distances, n×m.

    In double precision: the scalar product loses the digits of small distances otherwise.
    """
    a, b = rows.astype(np.float64), others.astype(np.float64)
    squares = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1)[None, :] - 2 * a @ b.T
    return np.asarray(np.sqrt(np.maximum(squares, 0.0)), dtype=np.float32)


def _genuine(samples: Samples) -> tuple[Floats, Indices]:
    parts, owners = [np.empty(0, np.float32)], [np.empty(0, np.int32)]
    for person in range(samples.people):
        own = samples.embeddings[samples.person == person]
        if len(own) > 1:
            upper = np.triu_indices(len(own), 1)
            parts.append(distances_between(own, own)[upper])
            owners.append(np.full(len(upper[0]), person, dtype=np.int32))
    return np.concatenate(parts), np.concatenate(owners)


def _presented_genuine(samples: Samples, shown: list[NDArray[np.intp]]) -> tuple[Floats, Indices]:
    """Each presentation against the person's other pictures."""
    parts, owners = [np.empty(0, np.float32)], [np.empty(0, np.int32)]
    for rows in shown:
        person = samples.person[rows[0]]
        others = np.setdiff1d(np.flatnonzero(samples.person == person), rows)
        if len(others):
            parts.append(_medians(samples, rows, others))
            owners.append(np.full(len(others), person, dtype=np.int32))
    return np.concatenate(parts), np.concatenate(owners)


def _presented_impostors(
    samples: Samples, shown: list[NDArray[np.intp]], rows: NDArray[np.intp]
) -> tuple[Floats, Indices, Indices]:
    """Each presentation against the chosen pictures of everybody else."""
    parts, firsts = [np.empty(0, np.float32)], [np.empty(0, np.int32)]
    seconds = [np.empty(0, np.int32)]
    for presented in shown:
        person = samples.person[presented[0]]
        others = rows[samples.person[rows] != person]
        theirs = samples.person[others]
        parts.append(_medians(samples, presented, others))
        firsts.append(np.minimum(theirs, person))
        seconds.append(np.maximum(theirs, person))
    return np.concatenate(parts), np.concatenate(firsts), np.concatenate(seconds)


def _medians(samples: Samples, rows: NDArray[np.intp], others: NDArray[np.intp]) -> Floats:
    between = distances_between(samples.embeddings[rows], samples.embeddings[others])
    return np.asarray(np.median(between, axis=0), dtype=np.float32)


def _within(samples: Samples, limit: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Rows to compare: all, or as many of each person as keeps the pairs below the limit."""
    counts = samples.pictures_of().astype(np.int64)
    most = int(counts.max(initial=0))
    while most > 1 and _pairs(np.minimum(counts, most)) > limit:
        most -= 1
    chosen = [np.empty(0, dtype=np.intp)]
    for person in range(samples.people):
        rows = np.flatnonzero(samples.person == person)
        if len(rows) > most:
            rows = np.sort(rng.choice(rows, most, replace=False))
        chosen.append(rows)
    return np.concatenate(chosen)


def _pairs(counts: NDArray[np.int64]) -> int:
    return int((counts.sum() ** 2 - (counts**2).sum()) // 2)


def _impostors(embeddings: Floats, person: Indices) -> tuple[Floats, Indices, Indices]:
    """Each picture against all pictures of people with higher numbers, person by person."""
    parts, firsts, seconds = [np.empty(0, np.float32)], [np.empty(0, np.int32)], []
    seconds.append(np.empty(0, np.int32))
    starts = np.flatnonzero(np.diff(person, prepend=-1))
    for start, end in pairwise(starts):  # the last one has been everybody's other side
        found = distances_between(embeddings[start:end], embeddings[end:])
        parts.append(found.ravel())
        firsts.append(np.full(found.size, person[start], dtype=np.int32))
        seconds.append(np.tile(person[end:], end - start).astype(np.int32))
    return np.concatenate(parts), np.concatenate(firsts), np.concatenate(seconds)
