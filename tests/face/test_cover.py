"""A lens that somebody has covered, told apart from a dark hall and a person in front of it."""

from __future__ import annotations

import numpy as np

from kiosk.face.cover import CLEAR_S, COVERED_S, Cover, nothing_in

RANDOM = np.random.default_rng(7)


def noisy(picture: np.ndarray, sigma: float = 12.0) -> np.ndarray:
    spoiled = picture.astype(np.float32) + RANDOM.normal(0, sigma, picture.shape)
    return np.clip(spoiled, 0, 255).astype(np.uint8)


def even(level: int) -> np.ndarray:
    return noisy(np.full((480, 640, 3), level, np.uint8))


def hall(dim: float = 1.0) -> np.ndarray:
    """A wall with light from one side and somebody's dark head."""
    wall = np.tile(np.linspace(90, 200, 640), (480, 1))
    wall[120:400, 230:420] = 60
    return noisy(np.repeat((wall * dim)[:, :, None], 3, axis=2).astype(np.uint8))


def test_a_hand_tape_or_cap_leaves_nothing_in_the_picture():
    assert all(nothing_in(even(level)) for level in (2, 25, 90, 180, 250))
    assert not nothing_in(hall()) and not nothing_in(hall(0.25))


def test_it_counts_after_a_while_and_ends_soon():
    cover, found = Cover(), []
    for second in range(40):
        covered = 10 <= second < 30 and second != 12  # a glimpse in between begins it anew
        said = cover.feed(even(40) if covered else hall(), float(second))
        if said is not None:
            found.append((second, said))
    assert found == [(13 + COVERED_S, True), (30 + CLEAR_S, False)]
