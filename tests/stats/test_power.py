"""Draws that are not fair are found, each by the test that is for it; fair ones are left alone."""

from __future__ import annotations

import hashlib
import math

import numpy as np
import pytest
from scipy import stats

from kiosk.stats.simulate import VENUE, simulate
from kiosk.stats.tests import ALPHA, Result, run_tests
from tests.stats.conftest import fair, play


def results(tally) -> dict[str, Result]:
    return {r.test: r for r in run_tests({"KM1": tally})}


def unusual(tally) -> set[str]:
    return {name for name, r in results(tally).items() if r.unusual}


def modulo(dice, pool, before, far):
    """A byte modulo the number of seats: the first ones come oftener."""
    return int(dice.integers(256)) % len(pool)


def favourite(times):
    """The seat 07 is `times` as likely as any other."""

    def choose(dice, pool, before, far):
        weights = np.array([times if name == "07" else 1.0 for name in pool])
        return int(dice.choice(len(pool), p=weights / weights.sum()))

    return choose


def follower(dice, pool, before, far):
    """One in ten gets the place in the pool that was drawn just before."""
    again = before is not None and dice.random() < 0.1
    return min(before, len(pool) - 1) if again else fair(dice, pool, before, far)


def avoider(dice, pool, before, far):
    """Changes between the halves of the pool more often than chance does."""
    index = fair(dice, pool, before, far)
    if before is None or dice.random() > 0.15:
        return index
    low = 2 * before < len(pool)
    return int(dice.integers(len(pool) // 2)) + (len(pool) - len(pool) // 2 if low else 0)


def drifting(dice, pool, before, far):
    """Early candidates a little to the front of the pool, late ones to its end."""
    tilt = 0.35 * (far - 0.5)
    weights = 1 + tilt * np.linspace(-1, 1, len(pool))
    return int(dice.choice(len(pool), p=weights / weights.sum()))


def in_front(dice, pool, before, far):
    weights = np.array([1.3 if int(name) <= 5 else 1.0 for name in pool])
    return int(dice.choice(len(pool), p=weights / weights.sum()))


def at_the_aisle(dice, pool, before, far):
    weights = np.array([1.15 if int(name) % 5 in (1, 0) else 1.0 for name in pool])
    return int(dice.choice(len(pool), p=weights / weights.sum()))


@pytest.mark.parametrize(
    ("choose", "found_by", "how"),
    [
        (modulo, {"places", "terminals"}, {"sessions": 120, "seats": 100, "candidates": 60}),
        (favourite(1.1), {"one_terminal"}, {"sessions": 12_000, "seats": 10, "candidates": 3}),
        (favourite(2.0), {"one_terminal", "terminals"}, {"sessions": 200}),
        (follower, {"serial"}, {"sessions": 250}),
        (avoider, {"serial", "runs"}, {"sessions": 250}),
        (drifting, {"order"}, {"sessions": 600}),
        (in_front, {"row"}, {"sessions": 600}),
        (at_the_aisle, {"row_end"}, {"sessions": 900}),
    ],
    ids=lambda x: getattr(x, "__name__", None),
)
def test_what_is_not_fair_is_found(choose, found_by, how):
    how = {"candidates": 8} | how
    tally = play(choose, **how)
    assert found_by <= unusual(tally), {n: r.adjusted for n, r in results(tally).items()}
    assert not unusual(play(fair, **how)), "the same hall, and nothing wrong with it"


def test_the_favourite_is_named():
    found = results(play(favourite(2.0), sessions=200, candidates=8))["one_terminal"]
    assert found.terminal == "07" and found.value > 4


def test_too_even_is_unusual_too():
    """A venue that deals its seats out in turn instead of drawing them."""
    turn = iter(range(10**9))

    def in_turn(dice, pool, before, far):
        return next(turn) % len(pool)

    assert {"places", "terminals"} & unusual(play(in_turn, sessions=100, candidates=1))


def test_p_values_of_fair_draws_are_spread_evenly():
    """Of 150 fair years each test's p-values: no more small ones than there should be."""
    found: dict[str, list[float]] = {}
    for seed in range(150):
        tally = play(sessions=12, seats=12, candidates=10, columns=4, seed=seed)
        for name, result in results(tally).items():
            found.setdefault(name, []).append(result.p)
    assert {"terminals", "places", "runs", "serial", "order", "row", "column"} <= set(found)
    for name, p in found.items():
        small = sum(x < 0.05 for x in p)
        assert small <= stats.binom.ppf(0.9999, len(p), 0.05), name
        if name != "runs":  # whole numbers of runs: their p-values lie on few points
            assert stats.kstest(p, "uniform").pvalue > 1e-4, name


def test_false_alarms_stay_below_the_level():
    alarms = sum(bool(unusual(play(sessions=12, seats=12, candidates=10, columns=4, seed=seed)))
                 for seed in range(150))  # fmt: skip
    assert alarms <= stats.binom.ppf(0.9999, 150, ALPHA)


def test_the_real_draw_is_fair_under_all_rules():
    """20 000 draws of the product's own code; `--simulate 1000000` does the same with more."""
    *_, tally = simulate(20_000, "tests", processes=1)
    assert tally.draws >= 20_000
    assert tally.observed.sum() == pytest.approx(tally.expected.sum()) == tally.draws
    found = run_tests({VENUE: tally})
    assert len(found) == 9
    assert all(r.adjusted > 0.05 for r in found), found


def test_simulation_is_the_same_in_any_number_of_processes():
    *_, one = simulate(900, "x", processes=1)
    *_, two = simulate(900, "x", processes=2)
    digest = [hashlib.sha256(t.observed.tobytes()).hexdigest() for t in (one, two)]
    assert digest[0] == digest[1] and one.draws == two.draws
    assert math.isclose(one.serial.total, two.serial.total)
