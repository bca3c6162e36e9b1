"""Thresholds that meet a target, held against the careful end of what the data support.

Owns the choice. Pure functions of comparisons and simulations; knows no files or words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from kiosk.face.calibration import bootstrap, identify
from kiosk.face.calibration.comparisons import Comparisons, Indices
from kiosk.face.calibration.identify import Simulation
from kiosk.face.calibration.rates import Numbers, match_rate, threshold_at
from kiosk.face.calibration.tail import Tail

#: The margin to the second best may turn away so many more of those on the roster, no more.
MARGIN_COST = 0.005
MARGIN_MOST = 0.40
#: A threshold that turns away more than this at the gate is no solution.
WORST_MISS = 0.5
_GRID = 0.005
_DECIMALS = 3


@dataclass(frozen=True, slots=True)
class Targets:
    roster: int = 500
    fpir: float = 1e-3
    fmr: float = 1e-4


@dataclass(frozen=True, slots=True, eq=False)
class Population:
    """Impostor comparisons of one kind of pairs ("all", "same group") with their tail."""

    name: str
    comparisons: Comparisons
    tail: Tail

    def upper(self, threshold: float, drawn: Numbers) -> float:
        """The FMR that the data do not exclude at 95 %, by the model in the tail.

        But never less than what was seen: a pair of look-alikes, or one person with two
        folders, hardly bends the model and yet is there.
        """
        if threshold > self.tail.model.below:
            return bootstrap.match(self.comparisons, threshold, drawn).high
        seen = float(match_rate(self.comparisons.impostor, threshold))
        return max(self.tail.upper(threshold), seen)

    def threshold(self, fmr: float, drawn: Numbers) -> float:
        """The largest threshold whose `upper` is at most `fmr`."""
        at = min(self.tail.threshold(fmr), threshold_at(self.comparisons.impostor, fmr))
        if at < self.tail.model.below:
            return at
        low, high = at, float(self.comparisons.impostor[-1])
        for _ in range(25):
            middle = (low + high) / 2
            low, high = (middle, high) if self.upper(middle, drawn) <= fmr else (low, middle)
        return low

    def rate(self, thresholds: Numbers) -> Numbers:
        """FMR as estimated, not its upper end: by the model in the tail, counted above it."""
        t = np.asarray(thresholds, dtype=np.float64)
        counted = match_rate(self.comparisons.impostor, t)
        below = self.tail.model.below
        return np.where(t <= below, self.tail.model.rate(np.minimum(t, below)), counted)


class Shortfall(StrEnum):
    """Why a target cannot be met."""

    FEW_PEOPLE = "few_people"
    VERIFY = "verify"
    IDENTIFY = "identify"


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What goes into config.yaml."""

    verify_max_distance: float
    identify_max_distance: float
    identify_margin: float


@dataclass(frozen=True, slots=True)
class Span:
    """An estimate with its 95 % interval; `upper` is the end of the one-sided one."""

    value: float
    low: float
    high: float
    upper: float


@dataclass(frozen=True, slots=True)
class Expected:
    """Extrapolated 1:N rates at the wanted roster's size."""

    roster: int
    population: str  #: whose impostors decided
    match: Span  #: FMR at identify_max_distance
    false_positive: Span  #: FPIR
    miss: Span  #: FNIR
    not_sure: Span  #: the part of it that is asked for a claim: near enough for 1:1


@dataclass(frozen=True, slots=True)
class Recommendation:
    thresholds: Thresholds
    verify_match: Span  #: FMR at verify_max_distance, in the population that decided
    verify_population: str
    expected: Expected
    shortfalls: tuple[Shortfall, ...]


def recommend(
    targets: Targets, populations: Sequence[Population], simulation: Simulation, drawn: Numbers
) -> Recommendation:
    """The largest thresholds at which every population meets the targets at its upper end."""
    verify, verifying = _lowest(populations, targets.fmr, drawn)
    rate = identify.match_rate_for(targets.fpir, targets.roster)
    nearest, identifying = _lowest(populations, rate, drawn)
    margin = _margin(simulation, nearest, targets.roster, identifying)
    thresholds = Thresholds(verify, nearest, margin)
    expected = _expected(targets.roster, thresholds, identifying, simulation, drawn)
    shortfalls = []
    genuine = identifying.comparisons.genuine_sorted
    if 1 - float(match_rate(genuine, verify)) > WORST_MISS:
        shortfalls.append(Shortfall.VERIFY)
    if not expected.miss.value <= WORST_MISS:
        shortfalls.append(Shortfall.IDENTIFY)
    return Recommendation(
        thresholds, _match(verifying, verify, drawn), verifying.name, expected, tuple(shortfalls)
    )


def evaluate(
    roster: int,
    thresholds: Thresholds,
    populations: Sequence[Population],
    simulation: Simulation,
    drawn: Numbers,
) -> Expected:
    """What given thresholds would do, by the population for which they do worst."""
    at = thresholds.identify_max_distance
    worst = max(populations, key=lambda population: population.upper(at, drawn))
    return _expected(roster, thresholds, worst, simulation, drawn)


def _lowest(
    populations: Sequence[Population], fmr: float, drawn: Numbers
) -> tuple[float, Population]:
    found = [(population.threshold(fmr, drawn), population) for population in populations]
    threshold, population = min(found, key=lambda pair: pair[0])
    return float(np.floor(threshold * 10**_DECIMALS) / 10**_DECIMALS), population


def _margin(
    simulation: Simulation, max_distance: float, roster: int, population: Population
) -> float:
    """The largest margin that costs at most `MARGIN_COST`.

    It is there for look-alikes, of whom the people at hand hold too few to measure: as large
    as everybody else can bear.
    """

    def turned_away(margin: float) -> float:
        chance = identify.missed(simulation.enrolled, max_distance, margin, roster, population.rate)
        return float(chance.mean()) if len(chance) else 1.0

    without, best = turned_away(0.0), 0.0
    for margin in np.arange(0, MARGIN_MOST + _GRID, _GRID):
        if turned_away(margin) - without <= MARGIN_COST:
            best = float(margin)
    return round(best, _DECIMALS)


def _match(population: Population, threshold: float, drawn: Numbers) -> Span:
    if threshold <= population.tail.model.below:
        tail = population.tail
        return Span(tail.rate(threshold), *tail.interval(threshold), tail.upper(threshold))
    rate = bootstrap.match(population.comparisons, threshold, drawn)
    return Span(rate.value, rate.low, rate.high, rate.high)


def _expected(
    roster: int,
    thresholds: Thresholds,
    population: Population,
    simulation: Simulation,
    drawn: Numbers,
) -> Expected:
    at, margin = thresholds.identify_max_distance, thresholds.identify_margin
    match = _match(population, at, drawn)
    ends = (identify.false_positives(min(max(v, 0.0), 1.0), roster) for v in
            (match.value, match.low, match.high, match.upper))  # fmt: skip
    enrolled = simulation.enrolled
    chance = identify.missed(enrolled, at, margin, roster, population.rate)
    claimable = enrolled.mate <= max(at, thresholds.verify_max_distance)
    return Expected(
        roster,
        population.name,
        match,
        Span(*ends),
        _mean(enrolled.person, chance, drawn),
        _mean(enrolled.person, np.where(claimable, chance, 0.0), drawn),
    )


def _mean(person: Indices, values: Numbers, drawn: Numbers) -> Span:
    if not len(values):
        return Span(np.nan, 0.0, 1.0, 1.0)
    replicates = identify.person_means(person, values, drawn)
    low, high = bootstrap.interval(replicates)
    return Span(float(values.mean()), low, high, float(np.nanpercentile(replicates, 95)))
