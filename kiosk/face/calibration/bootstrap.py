"""Confidence intervals that respect that comparisons of one person hang together.

Owns resampling of people. All comparisons of a person enter or leave together: with pictures
as the unit the intervals would be several times too narrow. Pure functions of numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from kiosk.face.calibration.comparisons import Comparisons
from kiosk.face.calibration.rates import LEVEL, Numbers, clopper_pearson, equal_error

REPLICATES = 1000
#: With errors of fewer people (or pairs of people) than this a resample often holds none, and
#: its percentiles say nothing; the exact interval over people is used instead.
_FEW = 10


class Method(StrEnum):
    """How an interval came about."""

    BOOTSTRAP = "bootstrap"
    EXACT = "clopper-pearson"
    RULE_OF_THREE = "rule-of-three"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate with its 95 % interval and the counts behind it.

    `units` are the people (or pairs of people) that the comparisons came from; they are what
    is resampled, or counted as trials of the exact interval.
    """

    value: float
    low: float
    high: float
    method: Method
    errors: int
    trials: int
    units: int


#: Of no comparisons.
NOTHING = Rate(np.nan, 0.0, 1.0, Method.NONE, 0, 0, 0)


def weights(people: int, replicates: int, rng: np.random.Generator) -> Numbers:
    """How often each person is drawn in each resample of as many people; replicates×people."""
    even = np.full(people, 1 / people)
    return rng.multinomial(people, even, size=replicates).astype(np.float64)


def interval(values: NDArray[np.float64], level: float = LEVEL) -> tuple[float, float]:
    """The percentile interval of bootstrap replicates; NaNs (nothing to count) are left out."""
    half = 100 * (1 - level) / 2
    low, high = np.nanpercentile(values, [half, 100 - half])
    return float(low), float(high)


def non_match(c: Comparisons, threshold: float, drawn: Numbers) -> Rate:
    """FNMR at the threshold. `drawn` as from `weights`."""
    return by_person(c.genuine_person, c.genuine > _as(threshold, c.genuine), drawn)


def by_person(person: NDArray[np.integer], wrong: NDArray[np.bool_], drawn: Numbers) -> Rate:
    """The rate of what went wrong, trial by trial; `person` says whose trial each was."""
    if not len(person):
        return NOTHING
    people = drawn.shape[1]
    errors = np.bincount(person, wrong, people)
    total = np.bincount(person, minlength=people).astype(np.float64)
    with np.errstate(invalid="ignore"):
        replicates = (drawn @ errors) / (drawn @ total)
    units = _Units(int((errors > 0).sum()), int((errors < total).sum()), int((total > 0).sum()))
    return _rate(int(wrong.sum()), len(wrong), units, replicates)


def chance_by_person(
    person: NDArray[np.integer], chances: Numbers, drawn: Numbers
) -> tuple[float, float, float]:
    """The 95 % interval of the mean chance that a trial goes wrong, and its one-sided upper end.

    By resampling people. Where hardly anybody's trials are likely to go wrong (or right) all
    resamples are alike, which says nothing about others: then the exact one over people.
    """
    counted = by_person(person, chances > 0.5, drawn)
    if counted.method is Method.BOOTSTRAP:
        replicates = person_means(person, chances, drawn)
        return *interval(replicates), float(np.nanpercentile(replicates, 100 * LEVEL))
    expected, people = float(chances.mean()) * counted.units, counted.units
    low, high = clopper_pearson(expected, people)
    return low, high, clopper_pearson(expected, people, 2 * LEVEL - 1)[1] if expected else high


def person_means(person: NDArray[np.integer], values: Numbers, drawn: Numbers) -> Numbers:
    """Mean over all trials in each resample of people."""
    people = drawn.shape[1]
    total = np.bincount(person, values, people)
    count = np.bincount(person, minlength=people).astype(np.float64)
    with np.errstate(invalid="ignore"):
        return np.asarray((drawn @ total) / (drawn @ count))


def match(c: Comparisons, threshold: float, drawn: Numbers) -> Rate:
    """FMR at the threshold. A pair of people counts as often as one was drawn times the other."""
    if not len(c.impostor):
        return NOTHING
    units = _Units(c.near_pairs(threshold), c.impostor_pairs, c.impostor_pairs)
    replicates = match_replicates(c, threshold, drawn)
    return _rate(c.near(threshold), len(c.impostor), units, replicates)


def match_replicates(c: Comparisons, threshold: float, drawn: Numbers) -> Numbers:
    """FMR in each resample."""
    with np.errstate(invalid="ignore"):
        return _pair_sums(c, c.near(threshold), drawn) / _pair_sums(c, len(c.impostor), drawn)


def _pair_sums(c: Comparisons, nearest: int, drawn: Numbers) -> Numbers:
    """How many of the `nearest` impostor comparisons each resample holds."""
    cells = c.first[:nearest].astype(np.int64) * c.people + c.second[:nearest]
    if nearest < 4 * c.people:  # few: pair by pair costs less than the whole square
        where, often = np.unique(cells, return_counts=True)
        product = drawn[:, where // c.people] * drawn[:, where % c.people]
        return np.asarray(product @ often.astype(np.float64))
    square = np.bincount(cells, minlength=c.people**2).reshape(c.people, c.people)
    return np.asarray(((drawn @ square.astype(np.float64)) * drawn).sum(axis=1))


@dataclass(frozen=True, slots=True)
class _Units:
    """People, or pairs of people: with an error, with something right, and all."""

    erring: int
    sound: int
    of: int


def _rate(errors: int, trials: int, units: _Units, replicates: Numbers) -> Rate:
    value = errors / trials
    if errors == 0:
        exact = clopper_pearson(0, units.of)
        return Rate(value, *exact, Method.RULE_OF_THREE, errors, trials, units.of)
    if min(units.erring, units.sound) < _FEW:
        low, high = clopper_pearson(value * units.of, units.of)
        return Rate(value, low, high, Method.EXACT, errors, trials, units.of)
    return Rate(value, *interval(replicates), Method.BOOTSTRAP, errors, trials, units.of)


def _as(threshold: float, distances: NDArray[np.floating]) -> NDArray[np.floating]:
    """In the precision of the distances, so that one taken from them is at itself."""
    return np.asarray(threshold, dtype=distances.dtype)


def equal_error_interval(c: Comparisons, drawn: Numbers) -> tuple[float, float]:
    """The 95 % interval of the EER, which lies between FMR and FNMR at whatever threshold.

    Where both have errors of enough people: where the curves of each resample cross. Else a
    resample mostly has no error to cross with, and the ends of both exact intervals hold it.
    """
    at = equal_error(c.genuine_sorted, c.impostor).threshold
    both = match(c, at, drawn), non_match(c, at, drawn)
    if all(rate.method is Method.BOOTSTRAP for rate in both):
        return _crossings(c, at, drawn)
    return min(rate.low for rate in both), max(rate.high for rate in both)


def _crossings(
    c: Comparisons, centre: float, drawn: Numbers, grid: int = 40
) -> tuple[float, float]:
    """On a grid of thresholds about the `centre`."""
    reach = max(float(c.genuine.std()), 1e-6)
    thresholds = np.linspace(centre - 1.5 * reach, centre + 1.5 * reach, grid)
    fmr = np.array([match_replicates(c, t, drawn) for t in thresholds])
    total = drawn @ np.bincount(c.genuine_person, minlength=c.people).astype(np.float64)
    with np.errstate(invalid="ignore"):  # a resample without anybody of several pictures: NaN
        fnmr = np.array([_missed(c, t, drawn) for t in thresholds]) / total
    crossing = np.argmax(fmr >= fnmr, axis=0)
    columns = np.arange(drawn.shape[0])
    after, before = crossing, np.maximum(crossing - 1, 0)
    gap_after = (fmr - fnmr)[after, columns]
    gap_before = (fmr - fnmr)[before, columns]
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.clip(np.nan_to_num(gap_before / (gap_before - gap_after)), 0, 1)
    crossed = fmr[before, columns] * (1 - share) + fmr[after, columns] * share
    return interval(crossed[total > 0])


def _missed(c: Comparisons, threshold: float, drawn: Numbers) -> Numbers:
    missed = c.genuine > _as(threshold, c.genuine)
    return np.asarray(drawn @ np.bincount(c.genuine_person, missed, c.people))
