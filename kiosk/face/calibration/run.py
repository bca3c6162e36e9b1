"""A calibration from embeddings to findings, for one encoder.

Owns the order of the steps and the finding's shape. Knows no files, pictures or languages.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from kiosk.core.identity import Policy
from kiosk.face.calibration import bootstrap, identify, rates, recommend, tail
from kiosk.face.calibration.bootstrap import Method, Rate
from kiosk.face.calibration.collect import Collected
from kiosk.face.calibration.comparisons import Comparisons, Samples, compare, distances_between
from kiosk.face.calibration.folder import Skipped
from kiosk.face.calibration.groups import Groups
from kiosk.face.calibration.recommend import (
    Expected,
    Population,
    Recommendation,
    Shortfall,
    Targets,
    Thresholds,
)

SEED = 19795  #: the same folder gives the same figures
FMR_POINTS = (1e-2, 1e-3, 1e-4, 1e-5)
#: Two people nearer than this share of one person's own comparisons may be one person.
_SUSPICIOUS = 0.5
ALL = "all"


@dataclass(frozen=True, slots=True)
class Point:
    """FNMR where FMR is `target`; what the data do not support has no threshold."""

    target: float
    threshold: float | None
    fmr: Rate | None
    fnmr: Rate | None
    bound: float  #: below this no FMR can be shown with these people (rule of three)


@dataclass(frozen=True, slots=True)
class Suspect:
    """Pictures of two people as near as one person's: a label error, relatives, or one person."""

    one: str
    other: str
    distance: float


@dataclass(frozen=True, slots=True)
class GroupRow:
    column: str
    value: str
    people: int
    fmr: Rate  #: of impostor comparisons within the group, at identify_max_distance
    fmr_verify: Rate  #: … at verify_max_distance
    fnmr: Rate  #: at verify_max_distance
    nearest: float  #: the group's nearest impostor comparison


@dataclass(frozen=True, slots=True)
class Alike:
    """Pairs of people who share a known value in each of these columns of the groups."""

    columns: tuple[str, ...]
    pairs: int
    held: bool  #: enough of them to hold thresholds against

    @property
    def name(self) -> str:
        """Of their population and tail; never `ALL`."""
        return f"same {' + '.join(self.columns)}"


@dataclass(frozen=True, slots=True, eq=False)
class Finding:
    """What was found of one encoder."""

    encoder: str
    people: int
    pictures: int
    people_genuine: int
    genuine: int
    impostor: int
    impostor_pairs: int
    eer: float
    eer_interval: tuple[float, float]
    eer_threshold: float
    points: tuple[Point, ...]
    det: rates.Det
    fnmr_limits: tuple[rates.Numbers, rates.Numbers]  #: 95 % interval along `det`, over people
    comparisons: Comparisons = field(repr=False)
    suspects: tuple[Suspect, ...]
    suspects_below: float
    groups: tuple[GroupRow, ...]
    tails: dict[str, tail.Tail]
    alike: tuple[Alike, ...]  #: by each column of the groups, then by all; empty without groups
    recommendation: Recommendation | None  #: None: too few people
    current: Thresholds | None  #: what the configuration or the encoder has now
    current_expected: Expected | None
    simulated: identify.Rates | None  #: at the recommended thresholds
    current_simulated: identify.Rates | None
    verify: tuple[Rate, Rate] | None  #: FMR and FNMR counted at the recommended threshold
    current_verify: tuple[Rate, Rate] | None
    shortfalls: tuple[Shortfall, ...]


@dataclass(frozen=True, slots=True)
class Settings:
    targets: Targets = field(default_factory=Targets)
    frames: int = 1  #: pictures of one presentation
    replicates: int = bootstrap.REPLICATES
    decision_frames: int = 5  #: observations that the gate's decision rests on


class NothingToCompare(Exception):
    """Not one genuine or not one impostor comparison, of presentations of `frames` pictures."""

    def __init__(
        self, genuine: int, impostor: int, frames: int, skipped: tuple[Skipped, ...]
    ) -> None:
        super().__init__(genuine, impostor)
        self.genuine, self.impostor, self.frames = genuine, impostor, frames
        self.skipped = skipped


def analyse(
    collected: Collected,
    samples: Samples,
    groups: Groups,
    settings: Settings,
    current: Thresholds | None = None,
) -> Finding:
    """Everything about one encoder. Raises `NothingToCompare`."""
    rng = np.random.default_rng(SEED)
    c = compare(samples, rng, settings.frames)
    if not len(c.genuine) or not len(c.impostor):
        raise NothingToCompare(len(c.genuine), len(c.impostor), settings.frames, collected.skipped)
    drawn = bootstrap.weights(samples.people, settings.replicates, rng)
    populations, alike = _populations(c, collected.people, groups, drawn)
    simulation = identify.simulate(samples, settings.targets.roster, rng, settings.frames)
    advice = (
        recommend.recommend(settings.targets, populations, simulation, drawn)
        if populations
        else None
    )
    eer = rates.equal_error(c.genuine_sorted, c.impostor)
    det = rates.det(c.genuine_sorted, c.impostor)
    below = float(np.quantile(c.genuine, _SUSPICIOUS))
    best = advice.thresholds if advice else current
    return Finding(
        encoder=samples.encoder,
        people=samples.people,
        pictures=len(samples.person),
        people_genuine=c.genuine_people,
        genuine=len(c.genuine),
        impostor=len(c.impostor),
        impostor_pairs=c.impostor_pairs,
        eer=eer.rate,
        eer_interval=bootstrap.equal_error_interval(c, drawn),
        eer_threshold=eer.threshold,
        points=tuple(_point(c, target, drawn) for target in FMR_POINTS),
        det=det,
        fnmr_limits=_fnmr_limits(c, det, drawn),
        comparisons=c,
        suspects=suspects(samples, collected, below),
        suspects_below=below,
        groups=tuple(_groups(c, collected.people, groups, best, drawn)) if best else (),
        tails={population.name: population.tail for population in populations},
        alike=alike,
        recommendation=advice,
        current=current,
        current_expected=(
            recommend.evaluate(settings.targets.roster, current, populations, simulation, drawn)
            if current and populations
            else None
        ),
        simulated=_simulated(simulation, best, settings, drawn) if advice else None,
        current_simulated=_simulated(simulation, current, settings, drawn),
        verify=_verify(c, best, drawn) if advice else None,
        current_verify=_verify(c, current, drawn),
        shortfalls=advice.shortfalls if advice else (Shortfall.FEW_PEOPLE,),
    )


def _fnmr_limits(
    c: Comparisons, det: rates.Det, drawn: rates.Numbers
) -> tuple[rates.Numbers, rates.Numbers]:
    along = [bootstrap.non_match(c, at, drawn) for at in det.thresholds.tolist()]
    return np.array([rate.low for rate in along]), np.array([rate.high for rate in along])


def _verify(
    c: Comparisons, at: Thresholds | None, drawn: rates.Numbers
) -> tuple[Rate, Rate] | None:
    if at is None or at.verify_max_distance is None:
        return None
    threshold = at.verify_max_distance
    return bootstrap.match(c, threshold, drawn), bootstrap.non_match(c, threshold, drawn)


def _simulated(
    simulation: identify.Simulation, at: Thresholds | None, settings: Settings, drawn: rates.Numbers
) -> identify.Rates | None:
    if at is None or at.identify_max_distance is None or at.identify_margin is None:
        return None
    policy = Policy(
        at.verify_max_distance or at.identify_max_distance,
        at.identify_max_distance,
        at.identify_margin,
        frames=settings.decision_frames if settings.frames == 1 else settings.frames,
    )
    return identify.measure(simulation, policy, drawn)


def _point(c: Comparisons, target: float, drawn: rates.Numbers) -> Point:
    bound = rates.clopper_pearson(0, c.impostor_pairs)[1]
    if not rates.measurable(target, c.impostor_pairs):
        return Point(target, None, None, None, bound)
    at = rates.threshold_at(c.impostor, target)
    fmr, fnmr = bootstrap.match(c, at, drawn), bootstrap.non_match(c, at, drawn)
    return Point(target, at, fmr, fnmr, bound)


def _populations(
    c: Comparisons, people: tuple[str, ...], groups: Groups, drawn: rates.Numbers
) -> tuple[list[Population], tuple[Alike, ...]]:
    """All impostors and, where groups are known, those who are alike by them: the harder ones.

    By one column at a time, because few people share all that is known of them, and nothing may
    be known of most; by all columns together as well, which is harder still. No populations when
    there are too few people at all; without those of which there are too few.
    """
    found = []
    with contextlib.suppress(tail.TooFew):
        found.append(Population(ALL, c, tail.fit(c, drawn)))
    alike = []
    for columns in _shared(groups):
        inside = c.among(alike_people(people, groups, columns))
        enough = bool(found) and inside.impostor_pairs >= tail.least_pairs()
        alike.append(Alike(columns, inside.impostor_pairs, enough))
        if enough:
            found.append(Population(alike[-1].name, inside, tail.fit(inside, drawn)))
    return found, tuple(alike)


def _shared(groups: Groups) -> list[tuple[str, ...]]:
    each: list[tuple[str, ...]] = [(column,) for column in groups.columns]
    return [*each, tuple(groups.columns)] if len(each) > 1 else each


def alike_people(
    people: tuple[str, ...], groups: Groups, columns: Sequence[str]
) -> NDArray[np.bool_]:
    """Who is of the same known group as whom, in every one of the columns."""
    alike = np.ones((len(people), len(people)), dtype=np.bool_)
    for column in columns:
        values = np.array(groups.values(column, people))
        alike &= (values[:, None] == values[None, :]) & (values != "")[:, None]
    return alike


def _groups(
    c: Comparisons,
    people: tuple[str, ...],
    groups: Groups,
    at: Thresholds,
    drawn: rates.Numbers,
) -> Sequence[GroupRow]:
    rows = []
    for column in groups.columns:
        values = np.array(groups.values(column, people))
        for value in sorted(set(values.tolist()) - {""}):
            inside = values == value
            rows.append(_group(c, column, value, inside, at, drawn))
    return rows


def _group(
    c: Comparisons,
    column: str,
    value: str,
    inside: NDArray[np.bool_],
    at: Thresholds,
    drawn: rates.Numbers,
) -> GroupRow:
    own = c.among(inside[:, None] & inside[None, :])
    mine = inside[c.genuine_person]
    own = Comparisons(
        own.people, c.genuine[mine], c.genuine_person[mine], own.impostor, own.first, own.second
    )
    near, verify = at.identify_max_distance, at.verify_max_distance
    nothing = bootstrap.NOTHING
    return GroupRow(
        column,
        value,
        int(inside.sum()),
        nothing if near is None else bootstrap.match(own, near, drawn),
        nothing if verify is None else bootstrap.match(own, verify, drawn),
        nothing if verify is None else bootstrap.non_match(own, verify, drawn),
        float(own.impostor[0]) if len(own.impostor) else float("nan"),
    )


def suspects(samples: Samples, collected: Collected, below: float) -> tuple[Suspect, ...]:
    """Nearest pictures of each pair of people at or below the distance, nearest first."""
    found = []
    for person in range(samples.people):
        own = np.flatnonzero(samples.person == person)
        later = np.flatnonzero(samples.person > person)
        if not len(later):
            continue
        table = distances_between(samples.embeddings[own], samples.embeddings[later])
        seen: set[int] = set()
        for at in np.argsort(table, axis=None, kind="stable"):
            row, column = divmod(int(at), len(later))
            distance, other = float(table[row, column]), int(samples.person[later[column]])
            if distance > below:
                break
            if other not in seen:
                seen.add(other)
                one, two = collected.pictures[own[row]], collected.pictures[later[column]]
                found.append(Suspect(one, two, distance))
    return tuple(sorted(found, key=lambda s: s.distance))


__all__ = ["Alike", "Finding", "GroupRow", "Method", "Point", "Settings", "Suspect", "analyse"]
