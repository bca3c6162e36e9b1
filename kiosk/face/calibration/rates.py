"""False match and false non-match rates of sorted distances: pure functions of numbers.

Knows no pictures, people or encoders. Terms are those of ISO/IEC 19795-1:2021. Two embeddings
match when their distance is at most the threshold; smaller is more alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

LEVEL = 0.95  #: confidence of every interval
#: 0 errors in N independent trials support no claim below 3/N at 95 % (the rule of three).
RULE_OF_THREE = 3.0

Numbers = NDArray[np.float64]


def match_rate(ordered: NDArray[np.floating], thresholds: ArrayLike) -> Numbers:
    """Share of the ascending `ordered` distances at or below each threshold.

    Of impostor comparisons this is FMR, of genuine ones 1 - FNMR. No distances: NaN.
    """
    if not len(ordered):
        return np.full(np.shape(thresholds), np.nan)
    # compared in the precision of the distances, or a threshold taken from them would miss them
    at = np.asarray(thresholds, dtype=ordered.dtype)
    return np.asarray(np.searchsorted(ordered, at, side="right") / len(ordered), dtype=np.float64)


def false_match_rate(impostor: NDArray[np.floating], thresholds: ArrayLike) -> Numbers:
    """FMR at each threshold; `impostor` ascending."""
    return match_rate(impostor, thresholds)


def false_non_match_rate(genuine: NDArray[np.floating], thresholds: ArrayLike) -> Numbers:
    """FNMR at each threshold; `genuine` ascending."""
    return 1.0 - match_rate(genuine, thresholds)


def threshold_at(impostor: NDArray[np.floating], target: float) -> float:
    """The largest threshold whose observed FMR is at most `target`; `impostor` ascending.

    Just below the first distance that would be one match too many; infinite at a target of 1.
    """
    if not 0 <= target <= 1:
        raise ValueError(f"a rate is between 0 and 1, not {target}")
    allowed = int(np.floor(target * len(impostor) * (1 + 1e-12)))
    if allowed >= len(impostor):
        return float("inf")
    lowest = np.asarray(-np.inf, dtype=impostor.dtype)
    return float(np.nextafter(impostor[allowed], lowest))


@dataclass(frozen=True, slots=True)
class EqualError:
    """Where FMR and FNMR cross; the rate is their mean there, since both are steps."""

    rate: float
    threshold: float


def equal_error(genuine: NDArray[np.floating], impostor: NDArray[np.floating]) -> EqualError:
    """EER of ascending distances. `ValueError` when either is empty."""
    if not len(genuine) or not len(impostor):
        raise ValueError("an equal error rate needs genuine and impostor distances")
    kind = np.result_type(genuine, impostor)
    candidates = np.union1d(genuine, impostor).astype(kind)
    # FMR rises and FNMR falls along the thresholds, so the crossing is found by bisection
    low, high = 0, len(candidates) - 1
    while low < high:
        middle = (low + high) // 2
        if _excess(genuine, impostor, float(candidates[middle])) >= 0:
            high = middle
        else:
            low = middle + 1
    near = [c for c in (low - 1, low) if 0 <= c < len(candidates)]
    best = min(near, key=lambda c: abs(_excess(genuine, impostor, float(candidates[c]))))
    at = candidates[best]
    rate = (false_match_rate(impostor, at) + false_non_match_rate(genuine, at)) / 2
    return EqualError(float(rate), float(at))


def _excess(
    genuine: NDArray[np.floating], impostor: NDArray[np.floating], threshold: float
) -> float:
    fmr, fnmr = false_match_rate(impostor, threshold), false_non_match_rate(genuine, threshold)
    return float(fmr - fnmr)


@dataclass(frozen=True, slots=True, eq=False)
class Det:
    """A detection error trade-off curve: FMR never falls, FNMR never rises along it."""

    thresholds: Numbers
    fmr: Numbers
    fnmr: Numbers


def det(genuine: NDArray[np.floating], impostor: NDArray[np.floating], points: int = 400) -> Det:
    """The curve through thresholds at evenly spaced ranks of both kinds of distance."""
    if not len(genuine) or not len(impostor):
        raise ValueError("a curve needs genuine and impostor distances")
    few = np.unique(np.geomspace(1, len(impostor), points).astype(int) - 1)  # the tail matters
    even = np.unique(np.linspace(0, len(genuine) - 1, points).astype(int))
    chosen = np.unique(np.concatenate([impostor[few], genuine[even]]).astype(impostor.dtype))
    return Det(
        chosen.astype(np.float64),
        false_match_rate(impostor, chosen),
        false_non_match_rate(genuine, chosen),
    )


def clopper_pearson(errors: float, trials: float, level: float = LEVEL) -> tuple[float, float]:
    """The exact interval of a binomial rate (Clopper and Pearson 1934), by beta quantiles.

    `errors` and `trials` may be fractions: effective numbers of dependent trials (Korn and
    Graubard 1998). Without an error (or with nothing but errors) the interval is one-sided, so
    that its end is the rule of three's.
    """
    if not 0 <= errors <= trials or trials <= 0:
        raise ValueError(f"{errors} errors in {trials} trials")
    if errors == 0:
        return 0.0, float(1 - (1 - level) ** (1 / trials))
    if errors == trials:
        return float((1 - level) ** (1 / trials)), 1.0
    half = (1 - level) / 2
    low = stats.beta.ppf(half, errors, trials - errors + 1)
    high = stats.beta.ppf(1 - half, errors + 1, trials - errors)
    return float(low), float(high)


def measurable(target: float, independent: int) -> bool:
    """Can so many independent comparisons show a rate as small as `target` at all?"""
    return independent * target >= RULE_OF_THREE * (1 - 1e-12)
