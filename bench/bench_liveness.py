"""Attacks that pass as live, people who do not, and how long a challenge takes.

    python bench/bench_liveness.py [--faces DIR] [--people 20] [--species NAME …] [--groups FILE]

`--faces`: a folder per person, one picture of each is used; without it two of those that `make`
fetched, in few rows: a smoke figure, not an accuracy. Terms of ISO/IEC 30107-3: APCER is
the share of attack presentations of one species that are taken as live (and for a swap: that
bring a look of whom was shown), BPCER the share of people who are not. A presentation is one
verification, with all its challenges. All are drawn from photographs (tests/face/attacks.py,
tests/face/stage.py), judged as in the lane; simulated time at 15 frames a second, of people at 30
as well, so the machine's speed does not matter.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "face")]

import given  # noqa: E402
from attacks import BEYOND, SPECIES, Screen  # noqa: E402
from stage import FPS, Person, Run, play  # noqa: E402
from streams import Scene  # noqa: E402

from kiosk.cli.face_texts import FOLDER  # noqa: E402
from kiosk.core.codes import Prompt  # noqa: E402
from kiosk.core.identity import Accept, Evidence, Policy, Scores, decide  # noqa: E402
from kiosk.face.calibration.folder import FolderProblem  # noqa: E402
from kiosk.face.calibration.groups import Groups, read_groups  # noqa: E402
from kiosk.face.calibration.rates import clopper_pearson  # noqa: E402
from kiosk.face.challenge import name_of  # noqa: E402
from kiosk.face.closer import CloserLook  # noqa: E402
from kiosk.face.encoders import LIMITS, make_encoder  # noqa: E402
from kiosk.face.events import LivenessPassed, Observation  # noqa: E402
from kiosk.face.quality import assess  # noqa: E402
from kiosk.face.verification import VerificationOptions  # noqa: E402
from kiosk.face.yunet import YuNetDetector  # noqa: E402

LEAST_PX = 60.0  #: between the eye corners in the picture itself: what is enlarged is no person
EYES = (95.0, 60.0)  #: pixels between the outer eye corners: about 0.5 and 0.8 m


@dataclass(frozen=True)
class Manner:
    """How a person answers."""

    name: str
    turn_deg: float
    nod_deg: float
    react_s: float
    turn_s: float
    eye_px: float


RATES = (FPS, 30.0)  #: of cameras, frames a second
LIMIT_S = 2.5  #: what a challenge may take
FRAMES = 5  #: face.frames, as it is shipped
SMOKE = ["people", "still picture", "replay, telephone in a hand"]  #: of the installed pictures

MANNERS = (
    Manner("brisk, near", 22, 14, 0.35, 0.45, EYES[0]),
    Manner("brisk, far", 22, 14, 0.35, 0.45, EYES[1]),
    Manner("small movements", 15, 10, 0.40, 0.50, EYES[0]),
    Manner("slow", 20, 13, 0.9, 1.1, EYES[0]),
    Manner("wide and quick, 140°/s", 28, 16, 0.25, 0.40, EYES[0]),
)


class Bench:
    def __init__(self, pictures: dict[str, Path], most: int) -> None:
        self.detector, self.encoder = YuNetDetector(), make_encoder()
        self.closer = CloserLook()
        self.limit = LIMITS[self.encoder.name].verify
        self.unfit: Counter[str] = Counter()
        fit = [
            (name, photo)
            for name, path in pictures.items()
            if (photo := self._fit(path)) is not None
        ]
        step = max(len(fit) / most, 1.0)
        chosen = [fit[int(index * step)] for index in range(min(most, len(fit)))]
        self.names, self.photos = [name for name, _ in chosen], [photo for _, photo in chosen]

    def _fit(self, path: Path) -> np.ndarray | None:
        """The picture, when it shows one face large enough to stand before a camera, and looking
        at it: of who is turned away in it no simulation makes somebody who looks ahead."""
        photo = cv2.imread(str(path))
        if photo is None:
            return None
        photo = np.asarray(photo, np.uint8)
        faces = self.detector.detect(photo, 640)
        if not faces or faces[0].eye_width < LEAST_PX:
            return None
        try:
            scene = Scene.of(photo, self.detector, EYES[0])
        except IndexError:  # not found again where it was laid
            self.unfit["nothing found"] += 1
            return None
        told = assess(scene.picture, [scene.face]).prompt
        if told in (Prompt.FACE_FORWARD, Prompt.CENTRE):
            self.unfit[told.value] += 1
            return None
        return photo

    def scenes(self, eye_px: float = EYES[0]) -> Iterator[tuple[int, Scene]]:
        for index, photo in enumerate(self.photos):
            yield index, Scene.of(photo, self.detector, eye_px)

    def bona_fide(self, manner: Manner, fps: float) -> tuple[list[Run], int]:
        runs = []
        for index, scene in self.scenes(manner.eye_px):
            person = Person(
                scene,
                np.random.default_rng(index),
                manner.turn_deg,
                manner.react_s,
                manner.turn_s,
                fps,
                manner.nod_deg,
            )
            runs.append(
                play(
                    person,
                    self.encoder,
                    self.detector,
                    seed=index,
                    fps=fps,
                    closer=self.closer,
                )
            )
        return runs, sum(not run.passed for run in runs)

    def attack(self, name: str) -> tuple[list[Run], int, int, int]:
        """Runs, those with a look taken for whom is shown, those of which a recording was lucky,
        and those that the lane's own rule accepts as whom is shown."""
        runs, taken, lucky, accepted = [], 0, 0, 0
        scenes = [scene for _, scene in self.scenes()]
        options = VerificationOptions(blink=name == "cut-out eyes")
        for index, who in enumerate(scenes):
            other = scenes[(index + 1) % len(scenes)]
            actor = {**SPECIES, **BEYOND}[name](who, other, np.random.default_rng(index))
            run = play(
                actor,
                self.encoder,
                self.detector,
                options,
                seed=1000 + index,
                after_s=2.5,
                closer=self.closer,
            )
            theirs = self.encoder.embed([self.encoder.chip(who.picture, who.face)])[0]
            if run.as_whom(theirs, self.limit):
                taken += 1
                lucky += isinstance(actor, Screen) and _fits(actor, run)
            accepted += self._accepted(run, theirs)
            runs.append(run)
        return runs, taken, lucky, accepted

    def _accepted(self, run: Run, theirs: np.ndarray) -> bool:
        """What comes of a 1:1 claim: the verdict over several looks (kiosk.core.identity)."""
        limits = LIMITS[self.encoder.name]
        policy = Policy(limits.verify, limits.identify, limits.margin, FRAMES, liveness=False)
        evidence = Evidence(claimed=1)
        for look in (o for o in run.outcomes if isinstance(o, Observation)):
            apart = float(np.linalg.norm(np.asarray(look.embedding) - theirs))
            evidence = evidence.with_scores(Scores(((1, apart),), look.quality))
            if (verdict := decide(policy, evidence)) is not None:
                return isinstance(verdict, Accept)
        return False


def _fits(actor: Screen, run: Run) -> bool:
    """Whether a recording of the very challenge that was asked had been played."""
    asked = {o.challenge for o in run.outcomes if isinstance(o, LivenessPassed)}
    return bool(asked & {name_of(challenge) for challenge in actor.played})


def _rate(errors: int, trials: int) -> str:
    low, high = clopper_pearson(errors, trials)
    share = 100 * errors / trials
    return f"{errors:3d} / {trials:<4d} {share:5.1f} %  ({100 * low:.1f}–{100 * high:.1f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    every = ["people", *SPECIES, *BEYOND]
    given.add_faces(parser)
    parser.add_argument(
        "--people", type=given.whole(2), help="at most; default: 20, of the installed pictures 2"
    )
    parser.add_argument(
        "--species",
        nargs="+",
        choices=every,
        metavar="NAME",
        help="these only; 'people' for people",
    )
    parser.add_argument(
        "--groups", type=given.file, metavar="FILE", help="CSV: folder, then a column a property"
    )
    arguments = parser.parse_args()
    faces = given.faces(parser, arguments.faces)
    groups = _groups(parser, arguments.groups)
    cv2.setNumThreads(1)
    bench = Bench(faces.largest(), arguments.people or (2 if faces.smoke else 20))
    if len(bench.photos) < 2:
        there_is = (
            f"of {len(faces.people)} people fewer than two look ahead with eyes "
            f"{LEAST_PX:.0f} px apart"
        )
        given.useless(parser, faces.folder, there_is)
    faces.tell(len(bench.photos), len(bench.photos))
    print(f"encoder {bench.encoder.name}")
    print(f"left out, told or not found: {dict(bench.unfit)}\n")
    wanted = arguments.species or (SMOKE if faces.smoke else every)
    began = time.monotonic()
    if "people" in wanted:
        _tell_people(bench, groups, MANNERS[:1] if faces.smoke else MANNERS)
    print("\nattacks: taken as live, 95 % interval; how the others ended")
    for name in wanted:
        if name == "people":
            continue
        runs, taken, lucky, accepted = bench.attack(name)
        ends = Counter(run.failure or "given up" for run in runs if not run.passed)
        told = ", ".join(f"{why} {count}" for why, count in ends.most_common())
        of_these = f"; {lucky} of these a recording of this very challenge" if taken else ""
        of_these += f"; accepted in 1:1: {accepted}" if taken else ""
        print(f"  {name:<28} {_rate(taken, len(runs))}  {told}{of_these}", flush=True)
    print(f"({time.monotonic() - began:.0f} s)")


def _groups(parser: argparse.ArgumentParser, table: Path | None) -> Groups:
    if table is None:
        return Groups()
    try:
        return read_groups(table)
    except FolderProblem as problem:
        said = FOLDER[problem.code][1].format(*problem.names)
        parser.error(f"argument --groups: {said}")


def _why(run: Run) -> str:
    """How it ended; of one that never began, what was asked for."""
    return run.failure or f"told {run.prompts[-1].value}"


def _tell_groups(bench: Bench, groups: Groups, runs: list[Run]) -> None:
    for column in groups.columns:
        values = groups.values(column, tuple(bench.names))
        for value in sorted({value for value in values if value}):
            these = [run for run, own in zip(runs, values, strict=True) if own == value]
            failed = sum(not run.passed for run in these)
            print(f"    {column} {value:<21} {_rate(failed, len(these))}", flush=True)


def _tell_people(bench: Bench, groups: Groups, manners: Sequence[Manner]) -> None:
    print("people: not passed, 95 % interval; seconds from the first prompt of the challenge")
    for manner, fps in product(manners, RATES):
        runs, failed = bench.bona_fide(manner, fps)
        times = [
            run.decided_at - run.challenge_at
            for run in runs
            if run.passed and run.decided_at is not None and run.challenge_at is not None
        ]
        p50, p95 = np.percentile(times, [50, 95]) if times else (float("nan"),) * 2
        ends = Counter(_why(run) for run in runs if not run.passed)
        told = ", ".join(f"{why} {count}" for why, count in ends.most_common())
        longer = sum(took > LIMIT_S for took in times)
        took = f"p50 {p50:.2f}, p95 {p95:.2f} s, longer than {LIMIT_S}: {longer}"
        name = f"{manner.name}, {fps:.0f}/s"
        print(f"  {name:<28} {_rate(failed, len(runs))}  {took}  {told}", flush=True)
        _tell_groups(bench, groups, runs)


if __name__ == "__main__":
    main()
