"""The tests: is there anything unusual in the draws of a venue? Each with its p-value, and Holm's.

Works on the sums of `tally`; knows no file and no words for people.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from kiosk.stats.tally import Array, Score, Tally

ALPHA = 0.01  #: what is called unusual, after Holm's correction
FEWEST = 30  #: draws from a pool of more than one; below that nothing is tested
FEWEST_EXPECTED = 5.0  #: of a group of terminals in a chi-square (Cochran's rule)
#: of a terminal looked at alone: its deviation is skewed while it is drawn once a session or so
FEWEST_ALONE = 50.0


@dataclass(frozen=True, slots=True)
class Result:
    """One test of one venue. `p` is two-sided: too even is as unusual as too uneven."""

    venue: str
    test: str  #: terminals, one_terminal, places, runs, serial, order, or an effect
    value: float  #: the statistic: chi-square where `degrees` is given, else standard normal
    degrees: int | None
    p: float
    adjusted: float = 1.0  #: Holm's, over all tests of all venues
    terminal: str | None = None  #: `one_terminal`: which

    @property
    def unusual(self) -> bool:
        return self.adjusted < ALPHA


def run_tests(tallies: Mapping[str, Tally]) -> list[Result]:
    """Every test that each venue has draws enough for."""
    found = [result for venue, tally in tallies.items() for result in _tests(venue, tally)]
    return holm(found)


def holm(results: Iterable[Result]) -> list[Result]:
    """Adjusted p-values (Holm 1979): the chance of any false alarm stays below the level."""
    found = list(results)
    order = sorted(range(len(found)), key=lambda n: found[n].p)
    highest = 0.0
    for rank, n in enumerate(order):
        highest = max(highest, min(1.0, (len(found) - rank) * found[n].p))
        found[n] = replace(found[n], adjusted=highest)
    return found


def _tests(venue: str, tally: Tally) -> Iterable[Result]:
    if tally.choices < FEWEST:
        return
    away = tally.observed - tally.expected
    groups = _groups(tally)
    together = groups @ tally.covariance @ groups.T
    yield from _chi_square(venue, "terminals", groups @ away, together)
    yield from _one_terminal(venue, tally)
    yield from _chi_square(venue, "places", tally.cells, tally.cells_covariance)
    if tally.pairs:
        p = stats.binomtest(tally.turns, tally.pairs, 0.5).pvalue
        value = (2 * tally.turns - tally.pairs) / np.sqrt(tally.pairs)
        yield Result(venue, "runs", float(value), None, float(p))
    scores = {"serial": tally.serial, "order": tally.order} | tally.effects
    for name, score in scores.items():
        yield from _normal(venue, name, score)


def _groups(tally: Tally) -> Array:
    """Terminals next to each other in the hall's order, together until enough are expected."""
    names = list(tally.seats)
    order = sorted(range(len(names)), key=lambda n: (tally.seats[names[n]].position, names[n]))
    groups: list[list[int]] = [[]]
    for n in order:
        if tally.expected[groups[-1]].sum() >= FEWEST_EXPECTED:
            groups.append([])
        groups[-1].append(n)
    if len(groups) > 1 and tally.expected[groups[-1]].sum() < FEWEST_EXPECTED:
        groups[-2] += groups.pop()
    found = np.zeros((len(groups), len(names)))
    for row, group in zip(found, groups, strict=True):
        row[group] = 1.0
    return found


def _chi_square(venue: str, test: str, away: Array, covariance: Array) -> Iterable[Result]:
    """The quadratic form of the deviations with the inverse of their covariance."""
    values, vectors = np.linalg.eigh(covariance)
    kept = values > 1e-9 * max(1.0, float(values.max(initial=0.0)))
    degrees = int(kept.sum())
    if degrees == 0:
        return
    value = float(((vectors[:, kept].T @ away) ** 2 / values[kept]).sum())
    upper, lower = stats.chi2.sf(value, degrees), stats.chi2.cdf(value, degrees)
    yield Result(venue, test, value, degrees, float(min(1.0, 2 * min(upper, lower))))


def _one_terminal(venue: str, tally: Tally) -> Iterable[Result]:
    """The terminal that is farthest from its expected count, of all that have enough (Šidák)."""
    variance = np.diag(tally.covariance)
    enough = (tally.expected >= FEWEST_ALONE) & (variance > 0)
    if not enough.any():
        return
    away = np.zeros(len(variance))
    away[enough] = (tally.observed - tally.expected)[enough] / np.sqrt(variance[enough])
    farthest = int(np.abs(away).argmax())
    single = 2 * stats.norm.sf(abs(away[farthest]))
    p = -np.expm1(enough.sum() * np.log1p(-min(single, 1 - 1e-16)))
    name = list(tally.seats)[farthest]
    yield Result(venue, "one_terminal", float(away[farthest]), None, float(p), terminal=name)


def _normal(venue: str, test: str, score: Score) -> Iterable[Result]:
    if score.variance > 0:
        value = score.total / np.sqrt(score.variance)
        yield Result(venue, test, float(value), None, float(2 * stats.norm.sf(abs(value))))
