"""The far end of the impostor distances: rates smaller than the comparisons at hand can show.

Owns the tail model and its interval. Pure functions of numbers; whatever comes out of it is an
extrapolation and must be called one.

The distances below a low threshold u are modelled, as u - d, by a generalised Pareto
distribution: its justification is the theorem of Balkema and de Haan (1974) and Pickands
(1975), its use "peaks over threshold" (Coles, An Introduction to Statistical Modeling of
Extreme Values, 2001, chapter 4). ISO/IEC 5152:2024 standardises extreme value models for
estimating false match rates from small samples; Jarosz, Fondeur and Dupré (2005) carried them
to large-scale identification.

The shape is not left to the sample alone. A distance cannot be below 0, so u - d has an end and
in the limit the shape cannot be above 0; at 0 the tail is exponential, the heaviest that such a
variable can have far out. That careful end is taken, unless the tail at hand looks heavier still
(look-alikes among the people): then its own shape, by probability-weighted moments (Hosking and
Wallis, Technometrics 29(3), 1987). What remains to be estimated is one number, the mean excess,
and resampling people gives its interval.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kiosk.face.calibration.bootstrap import interval, match_replicates
from kiosk.face.calibration.comparisons import Comparisons
from kiosk.face.calibration.rates import Numbers

#: Share of the pairs of people whose comparisons form the tail, and bounds of their number: with
#: more people the tail begins deeper, where the model is truer, instead of holding more of them.
SHARE = 0.02
LEAST_PAIRS, MOST_PAIRS = 60, 500
MOST_COMPARISONS = 6000
#: A tenth of all pairs is no tail any more.
MOST_SHARE = 0.1
#: The lightest tail that is believed in: exponential.
LIGHTEST = 0.0
_SEARCH = 60  #: halvings when a threshold is looked for


class TooFew(Exception):
    """Not enough pairs of people to say anything about the tail of their distances."""

    def __init__(self, pairs: int) -> None:
        super().__init__(f"{pairs} pairs of people; at least {least_pairs()} are needed")
        self.pairs = pairs


def least_pairs() -> int:
    """Pairs of people that a tail needs: 600, which is 36 people."""
    return round(LEAST_PAIRS / MOST_SHARE)


@dataclass(frozen=True, slots=True)
class Pareto:
    """P(d ≤ t) = `share` · (1 + shape · (below - t) / scale)^(-1/shape) for t ≤ `below`."""

    below: float
    share: float
    scale: float
    shape: float

    def rate(self, thresholds: ArrayLike) -> Numbers:
        """Model FMR; only for thresholds up to `below`."""
        t = np.asarray(thresholds, dtype=np.float64)
        return _survival(self.below - t, self.share, self.scale, self.shape)


def fit_pareto(excess: ArrayLike) -> tuple[float, float]:
    """Scale and shape of a generalised Pareto distribution, by probability-weighted moments.

    `excess` are values above 0, with plotting positions (i - 0.35)/n as Hosking and Wallis have.
    """
    x = np.sort(np.asarray(excess, dtype=np.float64))
    rest = 1 - (np.arange(1, len(x) + 1) - 0.35) / len(x)
    first, second = float(x.mean()), float((rest * x).mean())
    if first <= 2 * second:  # all alike: no shape can be told
        return first, 0.0
    return 2 * first * second / (first - 2 * second), 2 - first / (first - 2 * second)


def _survival(
    excess: Numbers, share: ArrayLike, scale: ArrayLike, shape: ArrayLike
) -> NDArray[np.float64]:
    share, scale, shape = (np.asarray(v, dtype=np.float64) for v in (share, scale, shape))
    small = np.abs(shape) < 1e-9
    safe = np.where(small, 1.0, shape)
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        base = np.maximum(1 + safe * excess / scale, 0.0)
        curved = np.where(base > 0, base ** (-1 / safe), np.where(safe < 0, 0.0, 1.0))
        straight = np.exp(-excess / scale)
    return np.asarray(share * np.where(small, straight, curved), dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Tail:
    """The model with its resamples."""

    model: Pareto
    shares: Numbers  #: of each resample
    scales: Numbers  #: of each resample
    fitted: float  #: the shape that the sample alone would have
    pairs: int  #: pairs of people that it rests on
    comparisons: int

    def rate(self, threshold: float) -> float:
        return float(self.model.rate(threshold))

    def rates(self, threshold: float) -> Numbers:
        """FMR by each resample."""
        excess = np.asarray(self.model.below - threshold)
        return _survival(excess, self.shares, self.scales, self.model.shape)

    def interval(self, threshold: float) -> tuple[float, float]:
        """The 95 % interval of the extrapolated FMR."""
        return interval(self.rates(threshold))

    def upper(self, threshold: float) -> float:
        """Upper end of the one-sided 95 % interval: what a target is held against."""
        return max(float(np.nanpercentile(self.rates(threshold), 95)), self.rate(threshold))

    def threshold(self, target: float) -> float | None:
        """The largest threshold whose `upper` is at most `target`, up to the tail's beginning.

        None when there is none: a distance is never below 0, so neither is a threshold.
        """
        low, high = 0.0, self.model.below
        if self.upper(high) <= target:
            return high
        if self.upper(low) > target:
            return None
        for _ in range(_SEARCH):
            middle = (low + high) / 2
            low, high = (middle, high) if self.upper(middle) <= target else (low, middle)
        return low


def fit(c: Comparisons, drawn: Numbers, share: float = SHARE) -> Tail:
    """The tail of the impostor distances. `drawn` as from `bootstrap.weights`.

    Raises `TooFew`. The tail begins where `share` of the pairs of people have come in; deeper
    when that would be very many.
    """
    begins = _beginning(c, share)
    below = float(c.impostor[begins])
    first, second = c.first[:begins], c.second[:begins]
    excess = below - c.impostor[:begins].astype(np.float64)
    _, fitted = fit_pareto(excess)
    shape = max(fitted, LIGHTEST)
    scales = []
    for rows in np.array_split(drawn, max(1, len(drawn) * begins // 4_000_000)):
        weight = rows[:, first] * rows[:, second]
        with np.errstate(invalid="ignore"):
            scales.append((1 - shape) * (weight @ excess) / weight.sum(axis=1))
    inside = float(np.nextafter(np.float32(below), np.float32(-1)))
    return Tail(
        model=Pareto(below, begins / len(c.impostor), (1 - shape) * float(excess.mean()), shape),
        shares=match_replicates(c, inside, drawn),
        scales=np.concatenate(scales),
        fitted=fitted,
        pairs=c.near_pairs(inside),
        comparisons=begins,
    )


def _beginning(c: Comparisons, share: float) -> int:
    """How many of the nearest comparisons make the tail."""
    if c.impostor_pairs < least_pairs():
        raise TooFew(c.impostor_pairs)
    cells = c.first.astype(np.int64) * c.people + c.second
    _, arrivals = np.unique(cells, return_index=True)
    arrivals.sort()
    wanted = min(max(int(share * c.impostor_pairs), LEAST_PAIRS), MOST_PAIRS)
    number = int(arrivals[min(wanted, len(arrivals) - 1)])
    if number > MOST_COMPARISONS:  # many pictures of a person: as deep as a fit needs, no deeper
        number = max(MOST_COMPARISONS, int(arrivals[LEAST_PAIRS]))
    return number
