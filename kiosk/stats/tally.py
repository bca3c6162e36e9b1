"""Sums over draws from which every test is computed; sums of parts add up to those of the whole.

If each draw is uniform over its own pool, whatever happened before, then observed minus expected
is a martingale: its increments have mean zero given the past, and the sum of their conditional
variances estimates its variance. That is what is summed here, as in the log-rank test
(Mantel 1966; Andersen and Gill 1982): no draw has to have the same pool as another, and that a
seat is taken away once it is drawn does no harm.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

import numpy as np
from numpy.typing import NDArray

from kiosk.stats.draws import Seat, SessionDraws

Array = NDArray[np.float64]
CELLS = 10  #: parts of the unit interval for the places in the pool

#: what may have an effect → its value for a seat; None: not known of this hall
EFFECTS: dict[str, Callable[[Seat, dict[str, Seat]], float | None]] = {
    "position": lambda seat, seats: None if _has_rows(seats) else float(seat.position),
    "row": lambda seat, seats: float(seat.row or 0) if _has_rows(seats) else None,
    "column": lambda seat, seats: float(seat.column or 0) if _has_rows(seats) else None,
    "row_end": lambda seat, seats: _row_end(seat, seats),
}


def _has_rows(seats: dict[str, Seat]) -> bool:
    return all(s.row is not None and s.column is not None for s in seats.values())


def _row_end(seat: Seat, seats: dict[str, Seat]) -> float | None:
    """1 at the first or last place of its row, beside the aisle or wall; else 0."""
    if not _has_rows(seats):
        return None
    row = [s.column or 0 for s in seats.values() if s.row == seat.row]
    return float(seat.column in (min(row), max(row)))


@dataclass(slots=True)
class Score:
    """A sum with mean 0 and this variance if nothing has an effect."""

    total: float = 0.0
    variance: float = 0.0

    def add(self, total: float, variance: float) -> None:
        self.total += total
        self.variance += variance


@dataclass(slots=True)
class Tally:
    """Of one venue. Arrays are in the order of `seats`."""

    seats: dict[str, Seat] = field(default_factory=dict)
    observed: Array = field(default_factory=lambda: np.zeros(0))
    expected: Array = field(default_factory=lambda: np.zeros(0))
    covariance: Array = field(default_factory=lambda: np.zeros((0, 0)))
    cells: Array = field(default_factory=lambda: np.zeros(CELLS))
    cells_covariance: Array = field(default_factory=lambda: np.zeros((CELLS, CELLS)))
    turns: int = 0  #: changes between the lower and the upper half of the pool
    pairs: int = 0  #: neighbouring draws that could have made such a change
    serial: Score = field(default_factory=Score)
    order: Score = field(default_factory=Score)
    effects: dict[str, Score] = field(default_factory=dict)
    draws: int = 0
    choices: int = 0  #: draws from a pool of more than one
    sessions: int = 0

    def add_session(self, session: SessionDraws) -> None:
        here = {name: n for n, name in enumerate(session.seats)}
        pools = np.zeros((len(session.draws), len(here)))
        for row, draw in zip(pools, session.draws, strict=True):
            row[[here[name] for name in draw.pool]] = 1.0
        sizes = pools.sum(axis=1)
        chances = pools / sizes[:, None]
        drawn = np.array([here[draw.terminal] for draw in session.draws])
        self._add_seats(session, chances, drawn)
        self._add_places(np.array([d.index for d in session.draws]), sizes.astype(int))
        self._add_effects(session.seats, chances, drawn)
        self.sessions += 1
        self.draws += len(session.draws)
        self.choices += int((sizes > 1).sum())

    def merge(self, other: Tally) -> None:
        """Add what another has counted."""
        where = self._places_of(other.seats)
        self.observed[where] += other.observed
        self.expected[where] += other.expected
        self.covariance[np.ix_(where, where)] += other.covariance
        self.cells += other.cells
        self.cells_covariance += other.cells_covariance
        self.serial.add(other.serial.total, other.serial.variance)
        self.order.add(other.order.total, other.order.variance)
        for name, score in other.effects.items():
            self.effects.setdefault(name, Score()).add(score.total, score.variance)
        for name in ("turns", "pairs", "draws", "choices", "sessions"):
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def _places_of(self, seats: dict[str, Seat]) -> NDArray[np.intp]:
        """Where these seats are in our arrays, which grow for new ones."""
        self.seats |= seats
        more = len(self.seats) - len(self.observed)
        if more:
            self.observed = np.pad(self.observed, (0, more))
            self.expected = np.pad(self.expected, (0, more))
            self.covariance = np.pad(self.covariance, (0, more))
        place = {name: n for n, name in enumerate(self.seats)}
        return np.array([place[name] for name in seats], dtype=np.intp)

    def _add_seats(self, session: SessionDraws, chances: Array, drawn: NDArray[np.intp]) -> None:
        where = self._places_of(session.seats)
        expected = chances.sum(axis=0)
        self.observed[where] += np.bincount(drawn, minlength=len(where))
        self.expected[where] += expected
        # not `chances.T @ chances`: for matrices this small BLAS' threads cost ten times the work
        product = np.einsum("ki,kj->ij", chances, chances)
        self.covariance[np.ix_(where, where)] += np.diag(expected) - product

    def _add_places(self, index: NDArray[np.int_], sizes: NDArray[np.int_]) -> None:
        cells = [_cells(size) for size in sizes.tolist()]
        shares = [found[n] for (found, _), n in zip(cells, index.tolist(), strict=True)]
        self.cells += np.sum(shares, axis=0) - len(shares) / CELLS
        self.cells_covariance += np.sum([covariance for _, covariance in cells], axis=0)
        order = np.arange(len(index)) - (len(index) - 1) / 2
        many = sizes > 1
        index, sizes, order = index[many], sizes[many], order[many]
        place = 2 * index + 1 - sizes  # whole numbers, 0 in the middle
        standard = place / (2 * sizes) / np.sqrt((1 - 1 / sizes**2.0) / 12)
        before, after = standard[:-1], standard[1:]
        self.serial.add(float(before @ after), float(before @ before))
        self.order.add(float(order @ standard), float(order @ order))
        upper = place[place != 0] > 0
        self.turns += int((upper[1:] != upper[:-1]).sum())
        self.pairs += max(0, len(upper) - 1)

    def _add_effects(self, seats: dict[str, Seat], chances: Array, drawn: NDArray[np.intp]) -> None:
        for name, values in _effects_of(tuple(seats.items())).items():
            mean = chances @ values
            score = self.effects.setdefault(name, Score())
            variance = (chances @ values**2 - mean**2).sum()
            score.add(float((values[drawn] - mean).sum()), max(0.0, float(variance)))


@cache
def _effects_of(seats: tuple[tuple[str, Seat], ...]) -> dict[str, Array]:
    """Effect → its value for each seat, as far as this hall has it."""
    known = dict(seats)
    found = {}
    for name, value_of in EFFECTS.items():
        values = [value_of(seat, known) for seat in known.values()]
        if None not in values and len(set(values)) > 1:
            found[name] = np.array(values, dtype=float)
    return found


@cache
def _cells(size: int) -> tuple[Array, Array]:
    """For each index of a pool of this size, its share of each cell; and their covariance.

    Index i stands for the interval from i/n to (i+1)/n: what it has in common with each tenth of
    the unit interval. This is the non-randomised probability integral transform for discrete
    data (Czado, Gneiting and Held 2009): on the mean each tenth gets a tenth, and no dice are
    thrown over where in its interval a draw lies.
    """
    low = np.arange(size)[:, None] / size
    cell = np.arange(CELLS)[None, :] / CELLS
    overlap = np.minimum(low + 1 / size, cell + 1 / CELLS) - np.maximum(low, cell)
    shares = size * np.clip(overlap, 0, None)
    away = shares - 1 / CELLS
    return shares, away.T @ away / size


def tallies(sessions: list[SessionDraws]) -> dict[str, Tally]:
    """Venue → its sums."""
    found: dict[str, Tally] = {}
    for session in sessions:
        found.setdefault(session.venue, Tally()).add_session(session)
    return found
