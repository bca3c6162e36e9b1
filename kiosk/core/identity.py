"""From observations to *this candidate*, *not sure* or *nobody we know*: evidence, not a guess.

Pure: distances come in, a verdict goes out. It must not know how faces are found or compared.
Distances are those of one encoder, smaller = more alike.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf
from statistics import median

from kiosk.core.codes import Reason

#: How many times the usual number of observations are taken before a face is turned away.
PATIENCE = 3


#: `Evidence.claimed` for a number that nobody has: looked at like any other, and never accepted.
NOBODY = -1


@dataclass(frozen=True, slots=True)
class Policy:
    verify_max_distance: float
    identify_max_distance: float
    identify_margin: float  #: so much nearer is *clearly* nearer, in 1:N and in 1:1
    frames: int  #: observations that a decision rests on
    liveness: bool = True


@dataclass(frozen=True, slots=True)
class Scores:
    """One observation against the roster: (candidate_id, distance), nearest first.

    In 1:1 the claimed candidate is among them, near or not. `quality`: 0..1, of the picture.
    """

    nearest: tuple[tuple[int, float], ...]
    quality: float = 1.0


@dataclass(frozen=True, slots=True)
class Accept:
    candidate_id: int
    distance: float


@dataclass(frozen=True, slots=True)
class NotSure:
    distance: float


@dataclass(frozen=True, slots=True)
class Reject:
    reason: Reason


Verdict = Accept | NotSure | Reject


@dataclass(frozen=True, slots=True)
class Evidence:
    """What has been seen of the person so far. `claimed`: candidate_id (1:1) or None (1:N)."""

    claimed: int | None
    live: bool = False
    seen: tuple[Scores, ...] = ()

    def with_scores(self, scores: Scores) -> Evidence:
        return replace(self, seen=(*self.seen, scores))

    def with_liveness(self) -> Evidence:
        """Live from now on. What was seen before belonged to no live face, or to another one."""
        return replace(self, live=True, seen=())

    def best(self, frames: int) -> tuple[Scores, ...]:
        """The `frames` observations of best quality, of equal ones the later: a decision rests
        on these, so that poor first looks do not count once better ones have come."""
        return tuple(self.seen[n] for n in self.best_ones(frames))

    def best_ones(self, frames: int) -> list[int]:
        """Which they are, as places in `seen`."""
        return sorted(range(len(self.seen)), key=lambda n: (self.seen[n].quality, n))[-frames:]


def decide(policy: Policy, evidence: Evidence) -> Verdict | None:
    """A verdict, or None while more has to be seen.

    Accepting needs `frames` observations and, where asked for, liveness; turning away needs
    `PATIENCE` times as many, because a genuine person's first looks are often poor. Both rest on
    the best `frames` of them: on each candidate's median distance over these, so that neither one
    lucky look nor one bad one decides.
    """
    if len(evidence.seen) < policy.frames:
        return None
    ranked = _medians(evidence.best(policy.frames))
    if evidence.claimed is not None:
        verdict = _verify(policy, evidence.claimed, ranked)
    else:
        verdict = _identify(policy, ranked)
    if isinstance(verdict, Accept) and policy.liveness and not evidence.live:
        return None
    if not isinstance(verdict, Accept) and len(evidence.seen) < PATIENCE * policy.frames:
        return None
    return verdict


def _medians(looks: Sequence[Scores]) -> list[tuple[float, int]]:
    """(median distance, candidate_id), nearest first."""
    by_candidate: dict[int, list[float]] = defaultdict(list)
    for scores in looks:
        for candidate_id, distance in scores.nearest:
            by_candidate[candidate_id].append(distance)
    absent = inf  # who was not among the nearest of a look was far away in it
    return sorted((median(ds + [absent] * (len(looks) - len(ds))), c)
                  for c, ds in by_candidate.items())  # fmt: skip


def _verify(policy: Policy, claimed: int, ranked: Sequence[tuple[float, int]]) -> Verdict:
    """The claimed one must be near, and nobody else of the roster clearly nearer.

    So a claim as one's twin is no easier than being taken for them in 1:N would be: a person
    decides. Where both are about as near, the claim counts (and the finger after it).
    """
    distance = next((d for d, c in ranked if c == claimed), inf)
    if claimed == NOBODY or distance > policy.verify_max_distance:
        return Reject(Reason.FACE_MISMATCH)
    rival = next((d for d, c in ranked if c != claimed), inf)
    if rival < distance and distance - rival >= policy.identify_margin:
        return NotSure(distance)
    return Accept(claimed, distance)


def _identify(policy: Policy, ranked: Sequence[tuple[float, int]]) -> Verdict:
    """The best must be near, and clearly nearer than the next.

    One who is near enough for a claim, but not for being picked out of a whole roster, is asked
    for the claim: most of them are somebody on it on a bad day.
    """
    best, candidate_id = ranked[0] if ranked else (inf, NOBODY)
    if best > max(policy.identify_max_distance, policy.verify_max_distance):
        return Reject(Reason.FACE_UNKNOWN)
    alike = len(ranked) > 1 and ranked[1][0] - best < policy.identify_margin
    if best > policy.identify_max_distance or alike:
        return NotSure(best)
    return Accept(candidate_id, best)
