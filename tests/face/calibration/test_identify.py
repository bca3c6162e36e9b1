"""1:N: the simulated rosters, and that it is the gate's own rule that decides."""

from __future__ import annotations

import numpy as np
import pytest
from crowd import made_up
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.core.identity import Policy
from kiosk.face.calibration import bootstrap, identify
from kiosk.face.calibration.comparisons import Samples
from kiosk.face.calibration.identify import Outcome
from kiosk.face.matcher import Matcher
from kiosk.steps import face as face_step

RNG = np.random.default_rng


def policy(max_distance: float, margin: float, frames: int = 5) -> Policy:
    return Policy(0.9, max_distance, margin, frames)


def test_the_gate_ranks_as_many():
    assert identify.NEAREST == face_step.NEAREST


@pytest.mark.parametrize("frames", [1, 3])
@given(st.floats(0.2, 1.4), st.floats(0, 0.4))
@settings(max_examples=15, deadline=None)
def test_the_quick_rule_is_the_gates(frames, max_distance, margin):
    simulation = SIMULATIONS[frames]
    rule = policy(max_distance, margin, frames=5 if frames == 1 else frames)
    for transactions in (simulation.enrolled, simulation.strangers):
        asked = [outcome.value for outcome in transactions.decided(rule)]
        # distances are float32; a threshold that falls into their rounding may go either way
        near = np.abs(transactions.nearest - max_distance) < 1e-6
        near |= np.abs(transactions.nearest - rule.verify_max_distance) < 1e-6
        near |= np.abs(transactions.second - transactions.nearest - margin) < 1e-6
        quick = transactions.outcomes(max_distance, margin, rule.verify_max_distance)
        assert [a for a, n in zip(asked, near, strict=True) if not n] == quick[~near].tolist()


SIMULATIONS = {
    frames: identify.simulate(made_up(30, 7, within=0.6), 20, RNG(0), frames, rosters=2)
    for frames in (1, 3)
}


def test_frames_are_ranked_as_the_matcher_does():
    s = made_up(12, 2)
    gallery = s.embeddings[::2]
    probe = s.embeddings[1]
    distances = np.linalg.norm(gallery - probe, axis=1)
    ours = identify._scores(distances.astype(np.float32), np.arange(12)).nearest
    theirs = Matcher(list(range(12)), gallery).nearest(probe, identify.NEAREST)
    assert [c for c, _ in ours] == [c for c, _ in theirs]
    assert [d for _, d in ours] == pytest.approx([d for _, d in theirs], abs=1e-6)


def test_rosters_are_as_large_as_asked_or_as_the_people_allow():
    s = made_up(30, [3] * 20 + [1] * 10)
    small = identify.simulate(s, 8, RNG(0), rosters=2)
    assert small.roster == 8 and small.wanted == 8
    assert {len(f[0].nearest) for f in small.strangers.frames} == {5}
    large = identify.simulate(s, 500, RNG(0), rosters=2)
    assert large.roster == 29 and large.wanted == 500
    assert len(large.strangers.person) == 2 * (20 * 2 + 10)
    assert len(large.enrolled.person) == 2 * 20 * 2, "one picture each is only for the roster"
    with pytest.raises(ValueError, match="two people"):
        identify.simulate(made_up(1, 3), 5, RNG(0))


def test_nobody_is_found_by_their_own_roster_picture():
    assert (SIMULATIONS[1].enrolled.mate > 1e-3).all()
    assert np.isinf(SIMULATIONS[1].strangers.mate).all()
    assert not SIMULATIONS[1].strangers.right.any(), "a stranger cannot be right"


def twins() -> Samples:
    """Twenty people, the first two of whom are nearly one."""
    s = made_up(20, 3)
    centre = s.embeddings[:6].mean(axis=0)
    noise = 0.3 * RNG(3).normal(size=(6, 32)) / np.sqrt(32)
    s.embeddings[:6] = centre + noise
    return s


def test_twins_end_in_not_sure_and_a_twin_outside_in_a_false_positive():
    simulation = identify.simulate(twins(), 19, RNG(0), rosters=6)
    drawn = bootstrap.weights(20, 200, RNG(1))
    with_margin = identify.measure(simulation, policy(0.7, 0.2), drawn)
    assert with_margin.not_sure.errors > 0
    assert with_margin.not_sure.value <= 0.12, "only the twins, not the eighteen others"
    assert with_margin.wrong_person.errors == 0
    without = identify.measure(simulation, policy(0.7, 0.0), drawn)
    assert without.wrong_person.errors > 0, "that is what the margin is for"
    assert without.not_sure.errors == 0
    # the margin cannot help where the other twin is not on the roster
    outside = identify.simulate(twins(), 10, RNG(0), rosters=10)
    assert identify.measure(outside, policy(0.7, 0.2), drawn).false_positive.errors > 0


def test_outcomes_add_up():
    drawn = bootstrap.weights(30, 100, RNG(1))
    found = identify.measure(SIMULATIONS[1], policy(1.0, 0.2), drawn)
    assert found.miss.errors == (
        found.not_sure.errors + found.unknown.errors + found.wrong_person.errors
    )
    all_in = identify.measure(SIMULATIONS[1], policy(3.0, 0.0), drawn)
    assert all_in.false_positive.value == 1.0, "everybody is the nearest of somebody"
    none_in = identify.measure(SIMULATIONS[1], policy(0.001, 0.0), drawn)
    assert none_in.miss.value == 1.0 and none_in.false_positive.errors == 0


@given(st.floats(1e-12, 0.5), st.integers(1, 5000))
def test_roster_rate_and_its_inverse(rate, roster):
    fpir = identify.false_positives(rate, roster)
    assert max(rate, 0) <= fpir * (1 + 1e-9) and fpir <= min(1, roster * rate) * (1 + 1e-9)
    if fpir < 0.999:
        assert identify.match_rate_for(fpir, roster) == pytest.approx(rate, rel=1e-6)


def test_roster_rate_is_what_independent_distances_give():
    """20 000 probes against 50 normal distances each, the nearest below a threshold."""
    from scipy import stats

    nearest = RNG(5).normal(1.3, 0.1, (20_000, 50)).min(axis=1)
    rate = float(stats.norm.cdf(1.0, 1.3, 0.1))
    seen = float((nearest <= 1.0).mean())
    assert seen == pytest.approx(identify.false_positives(rate, 50), rel=0.1)


def test_extrapolated_misses_are_the_simulated_ones_at_the_same_size():
    """On a roster that the people suffice for, the formula must agree with the simulation."""
    from kiosk.face.calibration.comparisons import compare
    from kiosk.face.calibration.rates import match_rate

    s = made_up(150, 3, within=0.8)
    simulation = identify.simulate(s, 100, RNG(0))
    c = compare(s, RNG(0))
    chance = identify.missed(
        simulation.enrolled, 1.2, 0.1, 100, lambda t: match_rate(c.impostor, t)
    ).mean()
    counted = (simulation.enrolled.outcomes(1.2, 0.1, 0.9) != Outcome.OWN).mean()
    assert chance == pytest.approx(counted, abs=0.04)
    assert 0.05 < counted < 0.95
