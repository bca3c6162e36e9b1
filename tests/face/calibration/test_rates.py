"""The pure statistics against formulas, scipy and their own laws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from kiosk.face.calibration import rates

distances = hnp.arrays(
    np.float32, st.integers(1, 60), elements=st.floats(0, 2, width=32, allow_subnormal=False)
).map(np.sort)
targets = st.floats(0, 1)


@given(distances, st.lists(st.floats(-0.5, 2.5), min_size=2, max_size=20).map(sorted))
def test_fmr_never_falls_and_fnmr_never_rises(ordered, thresholds):
    fmr = rates.false_match_rate(ordered, thresholds)
    fnmr = rates.false_non_match_rate(ordered, thresholds)
    assert (np.diff(fmr) >= 0).all() and (np.diff(fnmr) <= 0).all()
    assert np.allclose(fmr + fnmr, 1), "what matches of one set is what does not fail of it"
    assert rates.match_rate(ordered, -1.0) == 0 and rates.match_rate(ordered, 2.0) == 1


@given(distances, st.floats(-0.5, 2.5), st.randoms())
def test_order_of_comparisons_is_no_matter(ordered, threshold, random):
    shuffled = list(ordered)
    random.shuffle(shuffled)
    counted = np.mean([d <= np.float32(threshold) for d in shuffled])
    assert rates.match_rate(ordered, threshold) == pytest.approx(counted)


@given(distances, targets)
def test_threshold_is_the_largest_that_keeps_the_target(ordered, target):
    at = rates.threshold_at(ordered, target)
    if at == float("inf"):
        assert target * len(ordered) * (1 + 1e-9) >= len(ordered)
        return
    assert rates.false_match_rate(ordered, at) <= target + 1e-12
    above = np.nextafter(np.float32(at), np.float32(3))
    assert rates.false_match_rate(ordered, above) > target


@given(distances, distances)
def test_det_is_monotone_and_holds_the_equal_error(genuine, impostor):
    curve = rates.det(genuine, impostor)
    assert (np.diff(curve.thresholds) > 0).all()
    assert (np.diff(curve.fmr) >= 0).all() and (np.diff(curve.fnmr) <= 0).all()
    eer = rates.equal_error(genuine, impostor)
    fmr = rates.false_match_rate(impostor, np.float32(eer.threshold))
    fnmr = rates.false_non_match_rate(genuine, np.float32(eer.threshold))
    assert eer.rate == pytest.approx(float(fmr + fnmr) / 2)
    candidates = np.union1d(genuine, impostor)
    gaps = rates.false_match_rate(impostor, candidates) - rates.false_non_match_rate(
        genuine, candidates
    )
    assert abs(fmr - fnmr) == pytest.approx(np.abs(gaps).min())


def test_two_normal_distributions_have_the_rates_of_the_formula():
    rng = np.random.default_rng(7)
    genuine = np.sort(rng.normal(0.4, 0.1, 200_000))
    impostor = np.sort(rng.normal(0.9, 0.15, 200_000))
    eer = rates.equal_error(genuine, impostor)
    assert eer.threshold == pytest.approx(0.6, abs=0.003)  # (0.4·0.15 + 0.9·0.1) / 0.25
    assert eer.rate == pytest.approx(stats.norm.sf(2.0), rel=0.03)
    at = rates.threshold_at(impostor, 1e-3)
    assert at == pytest.approx(stats.norm.ppf(1e-3, 0.9, 0.15), abs=0.01)
    expected = stats.norm.sf(at, 0.4, 0.1)
    assert float(rates.false_non_match_rate(genuine, at)) == pytest.approx(expected, rel=0.1)


@given(st.integers(1, 400), st.floats(0, 1))
def test_exact_interval_is_scipys(trials, share):
    errors = round(share * trials)
    low, high = rates.clopper_pearson(errors, trials)
    if 0 < errors < trials:
        theirs = stats.binomtest(errors, trials).proportion_ci(0.95, "exact")
        assert (low, high) == pytest.approx((theirs.low, theirs.high))
    assert low <= errors / trials <= high


@given(st.integers(20, 10_000_000))
def test_no_error_gives_the_rule_of_three(trials):
    low, high = rates.clopper_pearson(0, trials)
    assert low == 0
    assert high == pytest.approx(3 / trials, rel=0.15) and high <= 3 / trials
    theirs = stats.binomtest(0, trials, alternative="less").proportion_ci(0.95, "exact")
    assert high == pytest.approx(theirs.high)
    assert rates.measurable(3 / trials, trials) and not rates.measurable(2.9 / trials, trials)


def test_nonsense_is_refused():
    some = np.array([0.1], np.float32)
    for bad in (-0.1, 1.1):
        with pytest.raises(ValueError, match="between 0 and 1"):
            rates.threshold_at(some, bad)
    with pytest.raises(ValueError, match="trials"):
        rates.clopper_pearson(3, 2)
    with pytest.raises(ValueError, match="genuine and impostor"):
        rates.equal_error(some, some[:0])
    assert np.isnan(rates.match_rate(some[:0], 0.5))
