"""The sums: by hand for small cases, the same whole from any parts, and exact moments."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.stats.draws import Drawn, Seat, SessionDraws
from kiosk.stats.tally import CELLS, Tally, _cells
from kiosk.stats.tests import FEWEST, Result, holm, run_tests
from tests.stats.conftest import play

HALL = {name: Seat(n) for n, name in enumerate("abcd")}


def test_counts_and_expectations_by_hand():
    session = SessionDraws("v", "s", HALL, [
        Drawn(1, "b", 1, ("a", "b", "c", "d")), Drawn(2, "a", 0, ("a", "c")),
        Drawn(3, "d", 0, ("d",))])  # fmt: skip
    tally = Tally()
    tally.add_session(session)
    assert tally.observed.tolist() == [1, 1, 0, 1]
    assert tally.expected.tolist() == [1 / 4 + 1 / 2, 1 / 4, 1 / 4 + 1 / 2, 1 / 4 + 1]
    assert tally.covariance[0, 0] == pytest.approx(3 / 16 + 1 / 4)
    assert tally.covariance[0, 2] == pytest.approx(-1 / 16 - 1 / 4)
    assert tally.covariance[3, 3] == pytest.approx(3 / 16), "a pool of one is no choice"
    assert (tally.draws, tally.choices, tally.pairs, tally.turns) == (3, 2, 1, 0)
    score = tally.effects["position"]
    assert score.total == pytest.approx((1 - 1.5) + (0 - 1) + 0)
    assert score.variance == pytest.approx(1.25 + 1)


@settings(max_examples=30)
@given(st.integers(0, 999), st.integers(1, 5), st.integers(2, 9))
def test_parts_add_up_to_the_whole(seed, cut, sessions):
    whole = play(sessions=sessions, seats=8, candidates=6, columns=4, seed=seed)
    dice_same = play(sessions=min(cut, sessions), seats=8, candidates=6, columns=4, seed=seed)
    merged, rest = Tally(), Tally()
    merged.merge(dice_same)
    merged.merge(rest)
    for name in ("observed", "expected", "covariance", "cells"):
        assert np.allclose(getattr(merged, name), getattr(dice_same, name))
    doubled = Tally()
    doubled.merge(whole)
    doubled.merge(whole)
    assert np.allclose(doubled.covariance, 2 * whole.covariance)
    assert doubled.serial.variance == pytest.approx(2 * whole.serial.variance)
    assert doubled.effects["row"].total == pytest.approx(2 * whole.effects["row"].total)
    assert (doubled.turns, doubled.pairs) == (2 * whole.turns, 2 * whole.pairs)


def test_a_venue_whose_hall_changes():
    tally = Tally()
    first = SessionDraws("v", "1", {"a": Seat(0), "b": Seat(1)}, [Drawn(1, "a", 0, ("a", "b"))])
    other = SessionDraws("v", "2", {"c": Seat(0), "a": Seat(1)}, [Drawn(1, "c", 1, ("a", "c"))])
    tally.add_session(first)
    tally.add_session(other)
    assert dict(zip(tally.seats, tally.observed, strict=True)) == {"a": 1, "b": 0, "c": 1}
    assert dict(zip(tally.seats, tally.expected, strict=True)) == {"a": 1, "b": 0.5, "c": 0.5}


@given(st.integers(1, 130))
def test_each_cell_gets_its_part_on_the_mean(size):
    shares, covariance = _cells(size)
    assert np.allclose(shares.mean(axis=0), 1 / CELLS)
    assert np.allclose(shares.sum(axis=1), 1)
    assert np.allclose(covariance, np.cov(shares.T, bias=True))


def test_holm_by_hand():
    found = holm(Result("v", str(n), 0, None, p) for n, p in enumerate([0.01, 0.04, 0.03, 0.5]))
    assert [r.adjusted for r in found] == [0.04, 0.09, 0.09, 0.5]
    ranked = sorted(found, key=lambda r: r.p)
    assert all(a.adjusted <= b.adjusted for a, b in pairwise(ranked))


def test_nothing_is_tested_on_a_handful_of_draws():
    assert run_tests({"v": play(sessions=1, candidates=FEWEST // 2)}) == []
    assert run_tests({"v": Tally()}) == []
    alone = SessionDraws("v", "s", {"a": Seat(0)}, [Drawn(n, "a", 0, ("a",)) for n in range(99)])
    tally = Tally()
    tally.add_session(alone)
    assert run_tests({"v": tally}) == []
