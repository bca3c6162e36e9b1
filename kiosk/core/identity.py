"""From observations to *this candidate*, *not sure* or *nobody we know*: evidence, not a guess.

Pure: distances come in, a verdict goes out. It must not know how faces are found or compared.
Distances are those of one encoder, smaller = more alike.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from statistics import median

from kiosk.core.codes import Reason

#: How many times the usual number of observations are taken before a face is turned away.
PATIENCE = 3


@dataclass(frozen=True, slots=True)
class Policy:
    verify_max_distance: float
    identify_max_distance: float
    identify_margin: float
    frames: int  #: observations that a decision rests on
    liveness: bool = True


@dataclass(frozen=True, slots=True)
class Scores:
    """One observation against the roster: (candidate_id, distance), nearest first."""

    nearest: tuple[tuple[int, float], ...]


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
        return replace(self, live=True)


def decide(policy: Policy, evidence: Evidence) -> Verdict | None:
    """A verdict, or None while more has to be seen.

    Accepting needs `frames` observations and, where asked for, liveness; turning away needs
    `PATIENCE` times as many, because a genuine person's first frames are often poor.
    """
    if len(evidence.seen) < policy.frames:
        return None
    if evidence.claimed is not None:
        verdict = _verify(policy, evidence)
    else:
        verdict = _identify(policy, evidence)
    if isinstance(verdict, Accept) and policy.liveness and not evidence.live:
        return None
    if not isinstance(verdict, Accept) and len(evidence.seen) < PATIENCE * policy.frames:
        return None
    return verdict


def _verify(policy: Policy, evidence: Evidence) -> Verdict:
    recent = evidence.seen[-policy.frames :]
    claimed = evidence.claimed
    assert claimed is not None
    distances = [d for s in recent for c, d in s.nearest if c == claimed]
    if len(distances) == len(recent) and median(distances) <= policy.verify_max_distance:
        return Accept(claimed, median(distances))
    return Reject(Reason.FACE_MISMATCH)


def _identify(policy: Policy, evidence: Evidence) -> Verdict:
    """The best must be near in the median of the frames, and clearly nearer than the next."""
    recent = evidence.seen[-policy.frames :]
    by_candidate: dict[int, list[float]] = defaultdict(list)
    for scores in recent:
        for candidate_id, distance in scores.nearest:
            by_candidate[candidate_id].append(distance)
    absent = float("inf")  # who was not among the nearest of a frame was far away in it
    ranked = sorted(
        (median(ds + [absent] * (len(recent) - len(ds))), c) for c, ds in by_candidate.items()
    )
    if not ranked or ranked[0][0] > policy.identify_max_distance:
        return Reject(Reason.FACE_UNKNOWN)
    best, candidate_id = ranked[0]
    if len(ranked) > 1 and ranked[1][0] - best < policy.identify_margin:
        return NotSure(best)
    return Accept(candidate_id, best)
