"""The tail model: against scipy's distribution, and against populations that are known."""

from __future__ import annotations

import numpy as np
import pytest
from crowd import DIMENSIONS, WITHIN, made_up
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from kiosk.face.calibration import bootstrap, tail
from kiosk.face.calibration.comparisons import Samples, compare

RNG = np.random.default_rng


def tail_of(people: int, seed: int = 1, pictures: int = 2) -> tail.Tail:
    c = compare(made_up(people, pictures, seed), RNG(0))
    return tail.fit(c, bootstrap.weights(people, 300, RNG(seed)))


def true_rate(threshold: float) -> float:
    """FMR of the made-up people: their squared distance is a scaled chi-squared."""
    scaled = threshold**2 * DIMENSIONS / (2 * (1 + WITHIN**2))
    return float(stats.chi2.cdf(scaled, DIMENSIONS))


def true_threshold(rate: float) -> float:
    return float(np.sqrt(stats.chi2.ppf(rate, DIMENSIONS) * 2 * (1 + WITHIN**2) / DIMENSIONS))


@pytest.mark.parametrize("shape", [-0.3, 0.0, 0.2])
def test_moments_find_the_parameters(shape):
    sample = stats.genpareto.rvs(shape, scale=0.05, size=60_000, random_state=4)
    scale, found = tail.fit_pareto(sample)
    assert scale == pytest.approx(0.05, rel=0.05)
    assert found == pytest.approx(shape, abs=0.03)


shapes = st.floats(-0.4, 0.6).map(lambda shape: round(shape, 6))


@given(shapes, st.floats(0.01, 0.2), st.lists(st.floats(0.0, 1.0), min_size=2))
def test_model_is_scipys_and_monotone(shape, scale, places):
    model = tail.Pareto(below=1.0, share=0.02, scale=scale, shape=shape)
    thresholds = np.sort(places)
    expected = 0.02 * stats.genpareto.sf(1 - thresholds, shape, scale=scale)
    assert model.rate(thresholds) == pytest.approx(expected, rel=1e-6, abs=1e-15)
    assert (np.diff(model.rate(thresholds)) >= 0).all()


@pytest.mark.parametrize("people", [40, 120, 400])
def test_extrapolated_thresholds_keep_a_known_target(people):
    """A rate a hundred times below what the people can show, and the upper end must hold it."""
    useful = true_threshold(1e-14)
    for seed in range(5):
        found = tail_of(people, seed).threshold(2e-6)
        assert true_rate(found) <= 2e-6
        if people == 400:
            assert found > useful, "careful, but not useless"


def test_more_people_bring_the_threshold_nearer_to_the_true_one():
    median = [np.median([tail_of(n, s).threshold(2e-6) for s in range(5)]) for n in (60, 400)]
    assert median[0] < median[1] < true_threshold(2e-6)


def test_the_interval_holds_the_truth():
    at = true_threshold(1e-5)
    for seed in range(5):
        found = tail_of(200, seed)
        assert found.upper(at) >= 1e-5
        assert found.interval(at)[0] <= found.rate(at) <= found.interval(at)[1]


@given(st.floats(-7, -3), st.floats(-7, -3))
@settings(max_examples=20, deadline=None)
def test_thresholds_and_rates_go_together(one, other):
    found = _shared()
    low, high = sorted((10**one, 10**other))
    assert found.threshold(low) <= found.threshold(high)
    assert found.upper(found.threshold(low)) <= low * (1 + 1e-6)


_found: list[tail.Tail] = []


def _shared() -> tail.Tail:
    if not _found:
        _found.append(tail_of(80))
    return _found[0]


def test_a_lighter_sample_is_held_exponential_and_a_heavier_one_is_believed():
    light = tail_of(100)
    assert light.fitted < 0 and light.model.shape == 0
    s = made_up(100, 2)
    near = s.embeddings.copy()  # ten pairs of near-doubles: a shoulder in the tail
    near[:20] = near[20:40] + 0.1 * near[:20]
    heavy = tail.fit(
        compare(Samples(s.encoder, near, s.person), RNG(0)), bootstrap.weights(100, 200, RNG(0))
    )
    assert heavy.fitted > 0 and heavy.model.shape == heavy.fitted
    assert heavy.threshold(1e-3) < light.threshold(1e-3)
    assert heavy.threshold(2e-6) is None, "no distance is below zero"
    assert heavy.upper(0.0) > 2e-6


def test_too_few_people_are_refused():
    with pytest.raises(tail.TooFew) as refused:
        tail_of(35)
    assert refused.value.pairs == 595
    assert tail_of(36).pairs >= tail.LEAST_PAIRS


def test_more_people_begin_the_tail_deeper():
    assert tail_of(400).model.share < tail_of(60).model.share
    assert tail_of(400).pairs <= tail.MOST_PAIRS + 1
