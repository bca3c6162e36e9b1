"""One against many: who would be let in as whom, by the rule that the gate itself uses.

Owns the simulation of rosters and the step from the people at hand to a larger roster. What
to make of distances is decided by kiosk.core.identity; here it is only asked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from statistics import median

import numpy as np
from numpy.typing import NDArray

from kiosk.core.identity import PATIENCE, Accept, Evidence, NotSure, Policy, Scores, decide
from kiosk.face.calibration.bootstrap import Rate, by_person
from kiosk.face.calibration.comparisons import Indices, Samples, distances_between, presentations
from kiosk.face.calibration.rates import Numbers
from kiosk.face.parts import Floats

#: How many of the roster an observation is ranked against: kiosk.steps.face.NEAREST.
NEAREST = 5
#: Rosters drawn, and presentations of one person to each: people count about evenly.
ROSTERS, PER_PERSON = 10, 4


class Outcome(StrEnum):
    OWN = "own"  #: accepted as themselves
    OTHER = "other"  #: accepted as somebody else: a false positive identification
    NOT_SURE = "not_sure"
    UNKNOWN = "unknown"  #: turned away as not on the roster


@dataclass(frozen=True, slots=True, eq=False)
class Transactions:
    """Presentations against rosters. `nearest` and `second` are medians over the frames."""

    person: Indices
    nearest: Floats
    second: Floats
    right: NDArray[np.bool_]  #: the nearest is the person; never where they are not enrolled
    mate: Floats  #: median distance to the own roster picture; infinite where there is none
    frames: list[tuple[Scores, ...]]  #: what the gate's rule would see, frame by frame

    def outcomes(self, max_distance: float, margin: float, verify: float) -> NDArray[np.str_]:
        """The rule for all at once; `decided` asks the rule itself."""
        nearest = self.nearest.astype(np.float64)
        clear = (nearest <= max_distance) & (self.second.astype(np.float64) - nearest >= margin)
        accepted = np.where(self.right, Outcome.OWN.value, Outcome.OTHER.value)
        known = np.where(clear, accepted, Outcome.NOT_SURE.value)
        return np.asarray(np.where(nearest <= max(max_distance, verify), known, Outcome.UNKNOWN))

    def decided(self, policy: Policy) -> list[Outcome]:
        """What kiosk.core.identity decides. Frames come again in turn until it has."""
        return [
            _decided(policy, frames, int(person))
            for frames, person in zip(self.frames, self.person, strict=True)
        ]


def _decided(policy: Policy, frames: tuple[Scores, ...], person: int) -> Outcome:
    enough = PATIENCE * policy.frames
    stream = (frames * (enough // len(frames) + 1))[:enough]
    for seen in (policy.frames, enough):
        verdict = decide(policy, Evidence(None, live=True, seen=stream[:seen]))
        if isinstance(verdict, Accept):
            return Outcome.OWN if verdict.candidate_id == person else Outcome.OTHER
        if isinstance(verdict, NotSure):
            return Outcome.NOT_SURE
    return Outcome.UNKNOWN


@dataclass(frozen=True, slots=True, eq=False)
class Simulation:
    """Transactions of people on the roster and of people not on it."""

    roster: int  #: how many were on each simulated roster
    wanted: int  #: how many were asked for
    enrolled: Transactions
    strangers: Transactions


def simulate(
    samples: Samples, roster: int, rng: np.random.Generator, frames: int = 1, rosters: int = ROSTERS
) -> Simulation:
    """Draw rosters from the people and present everybody to them, once enrolled, once not.

    Each time another picture of a person is the one on the roster, and the rest are presented.
    A roster has `roster` people, or as many as there are but for the one who is presented.
    Who has one picture is on rosters, and presented as a stranger.
    """
    size = min(roster, samples.people - 1)
    if size < 1:
        raise ValueError("a roster needs at least two people")
    counts = samples.pictures_of()
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    enrolled, strangers = _Rows(), _Rows()
    for _ in range(rosters):
        gallery = (starts + (rng.random(samples.people) * counts).astype(np.int64)).astype(np.intp)
        all_distances = distances_between(samples.embeddings, samples.embeddings[gallery])
        for rows in _shown(samples, gallery, counts, frames, rng):
            person = int(samples.person[rows[0]])
            table = all_distances[rows]
            others = np.delete(np.arange(samples.people), person)
            if size < len(others):
                others = rng.choice(others, size, replace=False)
            strangers.add(person, table, others, mated=False)
            if rows[0] != gallery[person]:
                enrolled.add(person, table, np.append(others[: size - 1], person), mated=True)
    return Simulation(size, roster, enrolled.whole(), strangers.whole())


def _shown(
    samples: Samples,
    gallery: NDArray[np.intp],
    counts: Indices,
    frames: int,
    rng: np.random.Generator,
) -> list[NDArray[np.intp]]:
    shown = presentations(samples, frames, rng, but=gallery)
    if frames == 1:  # nobody else can be a presentation of a person with one picture
        shown += [gallery[p : p + 1] for p in np.flatnonzero(counts == 1)]
    kept, seen = [], Counter[int]()
    for rows in shown:
        seen[person := int(samples.person[rows[0]])] += 1
        if seen[person] <= PER_PERSON:
            kept.append(rows)
    return kept


class _Rows:
    """Transactions while they are gathered."""

    def __init__(self) -> None:
        self._rows: list[tuple[int, float, float, bool, float]] = []
        self._frames: list[tuple[Scores, ...]] = []

    def add(self, person: int, table: Floats, on: NDArray[np.integer], mated: bool) -> None:
        """`table`: a row a frame, a column a person; `on`: who is on the roster."""
        frames = tuple(_scores(row, on) for row in table)
        ranked = _medians(frames)
        nearest, second = (*ranked, (float("inf"), -1), (float("inf"), -1))[:2]
        mate = median(table[:, person].tolist()) if mated else float("inf")
        self._rows.append((person, nearest[0], second[0], nearest[1] == person, mate))
        self._frames.append(frames)

    def whole(self) -> Transactions:
        person, nearest, second, right, mate = zip(*self._rows, strict=True) if self._rows else (
            (), (), (), (), ())  # fmt: skip
        return Transactions(
            np.array(person, dtype=np.int32),
            np.array(nearest, dtype=np.float32),
            np.array(second, dtype=np.float32),
            np.array(right, dtype=np.bool_),
            np.array(mate, dtype=np.float32),
            self._frames,
        )


def _scores(distances: Floats, on: NDArray[np.integer]) -> Scores:
    """The nearest of the roster in one frame, as the gate asks for them."""
    on = np.asarray(on)
    few = min(NEAREST, len(on))
    best = on[np.argpartition(distances[on], few - 1)[:few]]
    best = best[np.argsort(distances[best], kind="stable")]
    return Scores(tuple((int(person), float(distances[person])) for person in best))


def _medians(frames: tuple[Scores, ...]) -> list[tuple[float, int]]:
    """Candidates by their median; who was not among the nearest of a frame was far in it."""
    table: dict[int, list[float]] = {}
    for at, scores in enumerate(frames):
        for person, distance in scores.nearest:
            table.setdefault(person, [float("inf")] * len(frames))[at] = distance
    return sorted((median(values), person) for person, values in table.items())


@dataclass(frozen=True, slots=True)
class Rates:
    """1:N rates at one policy (ISO/IEC 19795-1: FPIR, FNIR; not sure and unknown part of FNIR)."""

    roster: int
    false_positive: Rate  #: FPIR: people not on the roster who are taken for somebody on it
    wrong_person: Rate  #: people on the roster who are taken for somebody else
    miss: Rate  #: FNIR: people on the roster who are not accepted as themselves
    not_sure: Rate  #: … of these, asked for another factor
    unknown: Rate  #: … turned away


def measure(simulation: Simulation, policy: Policy, drawn: Numbers) -> Rates:
    """Rates of the simulated rosters, by the gate's own rule."""
    strangers = np.array(simulation.strangers.decided(policy), dtype=str)
    enrolled = np.array(simulation.enrolled.decided(policy), dtype=str)
    persons = simulation.enrolled.person

    def of_enrolled(wrong: NDArray[np.bool_]) -> Rate:
        return by_person(persons, wrong, drawn)

    return Rates(
        simulation.roster,
        by_person(simulation.strangers.person, strangers == Outcome.OTHER, drawn),
        of_enrolled(enrolled == Outcome.OTHER),
        of_enrolled(enrolled != Outcome.OWN),
        of_enrolled(enrolled == Outcome.NOT_SURE),
        of_enrolled(enrolled == Outcome.UNKNOWN),
    )


def false_positives(match_rate: float, roster: int) -> float:
    """FPIR(N) = 1 - (1 - FMR)^N: at least one false match among N comparisons.

    Exact when the N are independent and alike for everybody who is presented. When people
    differ in how often they match, the mean over them is smaller (the function is concave), so
    with the FMR over all people this errs on the careful side; the margin to the second best
    makes it smaller still and is not counted.
    """
    return float(-np.expm1(roster * np.log1p(-match_rate))) if match_rate < 1 else 1.0


def match_rate_for(false_positive: float, roster: int) -> float:
    """The FMR that `false_positives` needs: its inverse."""
    return float(-np.expm1(np.log1p(-false_positive) / roster))


def missed(
    transactions: Transactions,
    max_distance: float,
    margin: float,
    roster: int,
    match_rate: Callable[[Numbers], Numbers],
) -> Numbers:
    """Extrapolated chance of each enrolled transaction not to be accepted, on a larger roster.

    The mate is too far, or one of the other N - 1 is not farther than the mate and the margin:
    1 - (1 - FMR(d + margin))^(N - 1) at the mate's distance d.
    """
    mate = transactions.mate.astype(np.float64)
    free = np.power(1 - match_rate(mate + margin), roster - 1)
    return np.where(mate <= max_distance, 1 - free, 1.0)
