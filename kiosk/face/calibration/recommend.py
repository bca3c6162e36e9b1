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
    """Impostor comparisons of one kind of pairs ("all", "same sex") with their tail."""

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

    def threshold(self, fmr: float, drawn: Numbers) -> float | None:
        """The largest threshold whose `upper` is at most `fmr`; None when none above 0 is."""
        modelled = self.tail.threshold(fmr)
        if modelled is None:
            return None
        at = min(modelled, threshold_at(self.comparisons.impostor, fmr))
        if at < self.tail.model.below:
            return at if at > 0 else None
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
    """What goes into config.yaml. None in a recommendation: its target cannot be met."""

    verify_max_distance: float | None
    identify_max_distance: float | None
    identify_margin: float | None


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
class Needed:
    """What a target would take, met or not."""

    max_distance: float | None  #: None: no distance above 0 is small enough
    miss: float  #: share of the genuine that would not get through

    @property
    def met(self) -> bool:
        return self.max_distance is not None and self.miss <= WORST_MISS


@dataclass(frozen=True, slots=True)
class Recommendation:
    thresholds: Thresholds
    verify_match: Span | None  #: FMR at verify_max_distance, in the population that decided
    verify_population: str
    expected: Expected | None
    needed: dict[Shortfall, Needed]  #: of both targets

    @property
    def shortfalls(self) -> tuple[Shortfall, ...]:
        return tuple(target for target, needed in self.needed.items() if not needed.met)


def recommend(
    targets: Targets, populations: Sequence[Population], simulation: Simulation, drawn: Numbers
) -> Recommendation:
    """The largest thresholds at which every population meets the targets at its upper end.

    A target that no threshold meets, or only one at which most of the genuine fail, has none.
    """
    verify, verifying = _lowest(populations, targets.fmr, drawn)
    rate = identify.match_rate_for(targets.fpir, targets.roster)
    nearest, identifying = _lowest(populations, rate, drawn)
    margin, miss = 0.0, 1.0
    if nearest is not None:
        margin = _margin(simulation, nearest, targets.roster, identifying)
        miss = _missed(simulation, nearest, margin, targets.roster, identifying)
    needed = {
        Shortfall.VERIFY: Needed(verify, _failing(identifying.comparisons, verify)),
        Shortfall.IDENTIFY: Needed(nearest, miss),
    }
    one_to_one, one_to_many = needed[Shortfall.VERIFY].met, needed[Shortfall.IDENTIFY].met
    thresholds = Thresholds(
        verify if one_to_one else None,
        nearest if one_to_many else None,
        margin if one_to_many else None,
    )
    return Recommendation(
        thresholds,
        _match(verifying, verify, drawn) if one_to_one and verify is not None else None,
        verifying.name,
        _expected(targets.roster, thresholds, identifying, simulation, drawn),
        needed,
    )


def evaluate(
    roster: int,
    thresholds: Thresholds,
    populations: Sequence[Population],
    simulation: Simulation,
    drawn: Numbers,
) -> Expected | None:
    """What given thresholds would do, by the population for which they do worst."""
    at = thresholds.identify_max_distance
    if at is None:
        return None
    worst = max(populations, key=lambda population: population.upper(at, drawn))
    return _expected(roster, thresholds, worst, simulation, drawn)


def _lowest(
    populations: Sequence[Population], fmr: float, drawn: Numbers
) -> tuple[float | None, Population]:
    """The threshold that all of them can bear (rounded down; None: there is none), and whose."""
    found = [(population.threshold(fmr, drawn), population) for population in populations]
    threshold, population = min(found, key=lambda pair: pair[0] or 0.0)
    rounded = np.floor((threshold or 0.0) * 10**_DECIMALS) / 10**_DECIMALS
    return float(rounded) or None, population


def _failing(c: Comparisons, threshold: float | None) -> float:
    return 1.0 if threshold is None else 1 - float(match_rate(c.genuine_sorted, threshold))


def _missed(
    simulation: Simulation, max_distance: float, margin: float, roster: int, population: Population
) -> float:
    """Extrapolated FNIR; 1 without anybody on the roster to be missed."""
    chance = identify.missed(simulation.enrolled, max_distance, margin, roster, population.rate)
    return float(chance.mean()) if len(chance) else 1.0


def _margin(
    simulation: Simulation, max_distance: float, roster: int, population: Population
) -> float:
    """The largest margin that costs at most `MARGIN_COST`.

    It is there for look-alikes, of whom the people at hand hold too few to measure: as large
    as everybody else can bear.
    """

    without, best = _missed(simulation, max_distance, 0.0, roster, population), 0.0
    for margin in np.arange(0, MARGIN_MOST + _GRID, _GRID):
        if _missed(simulation, max_distance, margin, roster, population) - without <= MARGIN_COST:
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
) -> Expected | None:
    at, margin = thresholds.identify_max_distance, thresholds.identify_margin
    if at is None or margin is None:
        return None
    match = _match(population, at, drawn)
    ends = (identify.false_positives(min(max(v, 0.0), 1.0), roster) for v in
            (match.value, match.low, match.high, match.upper))  # fmt: skip
    enrolled = simulation.enrolled
    chance = identify.missed(enrolled, at, margin, roster, population.rate)
    claimable = enrolled.mate <= max(at, thresholds.verify_max_distance or at)
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
    return Span(float(values.mean()), *bootstrap.chance_by_person(person, values, drawn))
