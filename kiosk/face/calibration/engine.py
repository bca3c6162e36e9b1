"""A whole calibration: folder, models, embeddings, findings of each encoder.

Owns the order of these. Knows no language and prints nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kiosk.face.calibration import folder as folders
from kiosk.face.calibration.collect import Collected, collect
from kiosk.face.calibration.groups import Groups, check, read_groups
from kiosk.face.calibration.recommend import Thresholds
from kiosk.face.calibration.run import Finding, Settings, analyse
from kiosk.face.detector import make_detector
from kiosk.face.encoders import LIMITS, make_encoder


@dataclass(frozen=True, slots=True)
class Request:
    folder: Path
    encoders: tuple[str, ...]
    detector: str = "yunet"
    groups: Path | None = None
    keep: Path | None = None  #: where embeddings are kept between runs; None: nowhere
    settings: Settings = field(default_factory=Settings)


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    request: Request
    people: int  #: folders with a picture
    grouped: dict[str, int]  #: by column: of how many with a usable picture a group is known
    collected: Collected
    findings: tuple[Finding, ...]


def calibrate(
    request: Request,
    current: Mapping[str, Thresholds],
    progress: Callable[[str, int, int], None],
) -> Result:
    """`current`: thresholds in use, by encoder; others are taken as shipped.

    `progress` hears a stage ("pictures", "figures"), how much of it is done, and of how much.
    Raises `FolderProblem`, `NothingToCompare`, `kiosk.face.models.WrongModel`; `ValueError`
    when the detector does not give what an encoder needs.
    """
    groups = read_groups(request.groups) if request.groups else Groups()
    people = folders.scan(request.folder)
    if request.groups:
        check(groups, request.groups, people.people)
    encoders = [make_encoder(name) for name in request.encoders]
    collected = collect(
        people,
        make_detector(request.detector),
        encoders,
        lambda done, of: progress("pictures", done, of),
        request.keep,
        request.detector,
    )
    findings = []
    for done, name in enumerate(request.encoders):
        progress("figures", done, len(encoders))
        now = current.get(name) or shipped(name)
        findings.append(analyse(collected, collected.samples[name], groups, request.settings, now))
    progress("figures", len(encoders), len(encoders))
    known = groups.known_by_column(collected.people)
    return Result(request, len(people.people), known, collected, tuple(findings))


def shipped(encoder: str) -> Thresholds:
    """The limits that belong to the encoder as delivered."""
    limits = LIMITS[encoder]
    return Thresholds(limits.verify, limits.identify, limits.margin)
