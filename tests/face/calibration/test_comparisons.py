"""Who is compared with whom, and intervals over people."""

from __future__ import annotations

import numpy as np
import pytest
from crowd import made_up
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.face.calibration import bootstrap
from kiosk.face.calibration.bootstrap import Method
from kiosk.face.calibration.comparisons import Samples, compare, distances_between, presentations

RNG = np.random.default_rng


@given(st.lists(st.integers(1, 4), min_size=1, max_size=8), st.integers(0, 3))
@settings(max_examples=40)
def test_every_pair_is_compared_once_and_with_the_right_people(counts, seed):
    s = made_up(len(counts), counts, seed)
    c = compare(s, RNG(0))
    by_hand_genuine, by_hand_impostor = [], []
    for i in range(len(s.person)):
        for j in range(i):
            d = float(np.linalg.norm(s.embeddings[i].astype(float) - s.embeddings[j]))
            pair = (*sorted((int(s.person[i]), int(s.person[j]))), round(d, 4))
            (by_hand_genuine if pair[0] == pair[1] else by_hand_impostor).append(pair)
    ours = zip(c.first.tolist(), c.second.tolist(), c.impostor.round(4).tolist(), strict=True)
    assert [p[:2] for p in sorted(ours)] == [p[:2] for p in sorted(by_hand_impostor)]
    assert c.impostor == pytest.approx(sorted(p[2] for p in by_hand_impostor), abs=1e-4)
    assert np.sort(c.genuine) == pytest.approx(sorted(p[2] for p in by_hand_genuine), abs=1e-4)
    assert (np.diff(c.impostor) >= 0).all()
    assert c.impostor_pairs == len(counts) * (len(counts) - 1) // 2


def test_small_distances_keep_their_digits():
    base = np.full((1, 128), 0.3, np.float32)
    near = base.copy()
    near[0, 0] += 1e-4
    assert distances_between(base, near)[0, 0] == pytest.approx(1e-4, rel=1e-2)


def test_more_comparisons_than_the_limit_take_fewer_pictures_of_everybody():
    s = made_up(10, 6)
    c = compare(s, RNG(0), limit=500)
    assert len(c.impostor) == 10 * 9 // 2 * 3 * 3, "three of six pictures of each"
    assert len(c.genuine) == 10 * 15, "genuine comparisons are all made"


def test_a_presentation_is_the_median_of_its_pictures():
    s = made_up(6, 7)
    shown = presentations(s, 3, RNG(0), but=np.arange(0, 42, 7))
    assert len(shown) == 12 and all(len(set(s.person[rows])) == 1 for rows in shown)
    assert not set(np.concatenate(shown)) & set(range(0, 42, 7)), "the roster's are not shown"
    c = compare(s, RNG(0), frames=3)
    assert len(c.genuine) == 6 * 2 * 4
    assert len(c.impostor) == 6 * 2 * 35
    one = compare(s, RNG(0))
    assert c.genuine.std() < one.genuine.std() and c.impostor.std() < one.impostor.std()


def rate_of(c, threshold, drawn=None):
    drawn = bootstrap.weights(c.people, 400, RNG(1)) if drawn is None else drawn
    return bootstrap.match(c, threshold, drawn), bootstrap.non_match(c, threshold, drawn)


def test_rates_are_counts():
    c = compare(made_up(60, 3), RNG(0))
    fmr, fnmr = rate_of(c, 1.0)
    assert fmr.errors == int((c.impostor <= 1.0).sum()) and fmr.trials == len(c.impostor)
    assert fmr.value == fmr.errors / fmr.trials and fmr.low < fmr.value < fmr.high
    assert fnmr.errors == int((c.genuine > 1.0).sum()) and fnmr.units == 60


def test_numbering_people_otherwise_changes_no_rate():
    s = made_up(40, 3, within=1.0)
    order = RNG(3).permutation(40)
    rows = np.concatenate([np.flatnonzero(s.person == p) for p in order])
    renamed = Samples(s.encoder, s.embeddings[rows], np.repeat(np.arange(40), 3).astype(np.int32))
    one, other = compare(s, RNG(0)), compare(renamed, RNG(0))
    drawn = bootstrap.weights(40, 400, RNG(1))
    for threshold in (0.9, 1.2):
        a, b = rate_of(one, threshold, drawn), rate_of(other, threshold, drawn[:, order])
        for x, y in zip(a, b, strict=True):
            assert (x.errors, x.trials, x.units) == (y.errors, y.trials, y.units)
            assert (x.low, x.high) == pytest.approx((y.low, y.high))


def test_no_error_counts_people_not_pictures():
    c = compare(made_up(30, 5), RNG(0))
    fmr, fnmr = rate_of(c, 0.01)
    assert fmr.method is Method.RULE_OF_THREE and fmr.units == 435
    assert fmr.high == pytest.approx(3 / 435, rel=0.01), "435 pairs of people, not 10875"
    assert fnmr.value == 1.0 and fnmr.low == pytest.approx(0.05 ** (1 / 30))
    fnmr = rate_of(c, 3.0)[1]
    assert fnmr.method is Method.RULE_OF_THREE
    assert fnmr.high == pytest.approx(1 - 0.05 ** (1 / 30)), "30 people, not 300 comparisons"


def test_errors_of_few_people_are_not_resampled():
    c = compare(made_up(200, 2), RNG(0))
    few = float(np.sort(c.genuine)[-4])  # three people fail
    fnmr = rate_of(c, few)[1]
    assert fnmr.errors == 3 and fnmr.method is Method.EXACT
    assert fnmr.low < 3 / 200 < fnmr.high


def test_intervals_cover_the_truth_and_are_wider_than_of_independent_pictures():
    """60 samples of a population whose FMR is known: 95 % intervals hold it about so often."""
    truth = (compare(made_up(1500, 2, seed=99), RNG(0)).impostor <= 1.05).mean()
    held, wider = 0, 0
    for seed in range(60):
        c = compare(made_up(40, 4, seed=seed), RNG(0))
        fmr = rate_of(c, 1.05)[0]
        held += fmr.low <= truth <= fmr.high
        naive = 1.96 * np.sqrt(fmr.value * (1 - fmr.value) / fmr.trials)
        wider += fmr.high - fmr.value > 1.5 * naive
    assert held >= 51, "of 60; 57 are expected"
    assert wider >= 55


def test_equal_error_interval_holds_the_rate():
    from kiosk.face.calibration.rates import equal_error

    c = compare(made_up(60, 4, within=1.2), RNG(0))
    low, high = bootstrap.equal_error_interval(c, bootstrap.weights(60, 300, RNG(2)))
    assert low < equal_error(c.genuine_sorted, c.impostor).rate < high
    assert high - low < 0.15


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("counts", [[2, 1], [2, 2, 1], [10, 10, 10], [9] * 6 + [1] * 40])
def test_no_error_of_a_few_people_promises_no_equal_error_rate_of_none(counts):
    """However many pictures there are of each: the people are what may be different next time."""
    from kiosk.face.calibration.rates import clopper_pearson, equal_error

    c = compare(made_up(len(counts), counts), RNG(0))
    assert equal_error(c.genuine_sorted, c.impostor).rate == 0
    low, high = bootstrap.equal_error_interval(c, bootstrap.weights(len(counts), 300, RNG(2)))
    people = sum(count > 1 for count in counts)
    pairs = len(counts) * (len(counts) - 1) // 2
    assert low == 0
    assert high == pytest.approx(1 - 0.05 ** (1 / min(people, pairs)))
    assert high == clopper_pearson(0, min(people, pairs))[1]


@given(st.integers(2, 14), st.integers(2, 4), st.floats(0.1, 3.0), st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_an_equal_error_rate_lies_in_its_interval(people, pictures, within, seed):
    from kiosk.face.calibration.rates import equal_error

    c = compare(made_up(people, pictures, seed, within), RNG(0))
    low, high = bootstrap.equal_error_interval(c, bootstrap.weights(people, 200, RNG(2)))
    assert 0 <= low <= equal_error(c.genuine_sorted, c.impostor).rate <= high <= 1
    assert high > 0, "nothing is ever promised to be without error"


def test_a_chance_of_none_is_bounded_by_the_people():
    people, drawn = np.repeat(np.arange(20), 3), bootstrap.weights(20, 200, RNG(1))
    nothing = bootstrap.chance_by_person(people, np.zeros(60), drawn)
    assert nothing == (
        0.0,
        pytest.approx(1 - 0.05 ** (1 / 20)),
        pytest.approx(1 - 0.05 ** (1 / 20)),
    )
    hardly = bootstrap.chance_by_person(people, np.full(60, 1e-9), drawn)
    assert hardly[0] <= 1e-9 and hardly[1] > 0.13, "a model's word is no promise about people"
    often = np.where(np.arange(60) % 4 == 0, 0.9, 0.1)
    low, high, upper = bootstrap.chance_by_person(people, often, drawn)
    assert low < often.mean() < upper < high < 0.5


def test_nothing_to_compare_says_so():
    alone = compare(made_up(5, 1), RNG(0))
    fnmr = rate_of(alone, 1.0)[1]
    assert fnmr.method is Method.NONE and np.isnan(fnmr.value) and (fnmr.low, fnmr.high) == (0, 1)
