"""People made of random numbers, whose error rates are known by formula."""

from __future__ import annotations

import numpy as np

from kiosk.face.calibration.collect import Collected
from kiosk.face.calibration.comparisons import Samples

DIMENSIONS = 32
WITHIN = 0.3  #: spread of one person's pictures, of the spread between people


def made_up(
    people: int, pictures: int | list[int], seed: int = 1, within: float = WITHIN
) -> Samples:
    """Normal people, normal pictures of them: squared distances are chi-squared."""
    rng = np.random.default_rng(seed)
    counts = [pictures] * people if isinstance(pictures, int) else pictures
    centres = rng.normal(size=(people, DIMENSIONS)) / np.sqrt(DIMENSIONS)
    person = np.repeat(np.arange(people), counts).astype(np.int32)
    noise = within * rng.normal(size=(len(person), DIMENSIONS)) / np.sqrt(DIMENSIONS)
    return Samples("made-up", (centres[person] + noise).astype(np.float32), person)


def as_collected(samples: Samples) -> Collected:
    people = tuple(f"p{n:03d}" for n in range(samples.people))
    pictures = tuple(f"p{p:03d}/{row}.jpg" for row, p in enumerate(samples.person))
    return Collected(people, pictures, {samples.encoder: samples}, len(pictures), ())
