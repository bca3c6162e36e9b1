"""Distances to a roster."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.face.matcher import Matcher


@given(st.integers(1, 40), st.integers(1, 10), st.integers(0, 2**32 - 1))
def test_nearest_is_what_a_full_sort_says(count: int, k: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    table = rng.normal(0, 0.1, (count, 128)).astype(np.float32)
    ids = [int(i) for i in rng.permutation(1000)[:count]]
    probe = table[0] + rng.normal(0, 0.01, 128).astype(np.float32)
    nearest = Matcher(ids, table).nearest(probe, k)
    every = sorted(
        (float(np.linalg.norm(row - probe)), i) for i, row in zip(ids, table, strict=True)
    )
    assert [i for i, _ in nearest] == [i for _, i in every[:k]]
    assert [d for _, d in nearest] == pytest.approx([d for d, _ in every[:k]], abs=1e-6)


def test_distance_to_one() -> None:
    matcher = Matcher([7, 9], [[0.0, 0.0], [3.0, 4.0]])
    assert matcher.distance(9, [0.0, 0.0]) == pytest.approx(5.0)
    with pytest.raises(KeyError):
        matcher.distance(8, [0.0, 0.0])


def test_several_pictures_of_one_candidate_count_once() -> None:
    matcher = Matcher([7, 7, 9], [[0.0, 1.0], [0.0, 0.5], [0.0, 2.0]])
    assert matcher.nearest([0.0, 0.0], 5) == [(7, 0.5), (9, 2.0)]
    assert matcher.distance(7, [0.0, 0.0]) == 0.5


def test_an_empty_roster_has_nobody() -> None:
    assert Matcher([], np.empty((0, 128), np.float32)).nearest(np.zeros(128), 3) == []
    assert Matcher([], []).nearest(np.zeros(128), 3) == []


def test_apples_and_pears() -> None:
    with pytest.raises(ValueError, match="shape"):
        Matcher([1], np.zeros((2, 128)))
    with pytest.raises(ValueError, match="finite"):
        Matcher([1], [[float("nan")] * 4])
    with pytest.raises(ValueError, match="512"):
        Matcher([1], np.zeros((1, 128))).nearest(np.zeros(512), 1)
