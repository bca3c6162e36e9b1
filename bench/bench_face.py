"""What the face engine costs, beside face_recognition used the usual way in the same run.

    python bench/bench_face.py [--faces DIR] [--roster 500]

DIR holds a folder per person; without it the photographs that `make` fetched are used. Either
way the distances printed at the end are a smoke figure of few people, not an accuracy.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import face_recognition
import numpy as np
import psutil

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from drivers.camera.render import Renderer  # noqa: E402
from kiosk.core.codes import Prompt  # noqa: E402
from kiosk.face.detector import HogDetector  # noqa: E402
from kiosk.face.encoder import DlibResnet  # noqa: E402
from kiosk.face.enrol import Enrolled, enrol_many  # noqa: E402
from kiosk.face.events import LivenessPassed, Observation  # noqa: E402
from kiosk.face.follower import Follower  # noqa: E402
from kiosk.face.verification import Verification  # noqa: E402

PICTURES = {".jpg", ".jpeg", ".png"}
FPS = 15.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--faces", type=Path, help="a folder per person")
    parser.add_argument("--roster", type=int, default=500, help="photographs to import")
    arguments = parser.parse_args()
    people = _people(arguments.faces)
    pictures = [path for paths in people.values() for path in paths]
    if not pictures:
        sys.exit("no photographs: give --faces DIR, or run make")
    cv2.setNumThreads(1)
    print(f"{len(pictures)} photographs of {len(people)} people, {os.cpu_count()} cores\n")
    photo = pictures[0]
    _embedding(photo)
    _picture(photo)
    _verification(photo)
    _roster(pictures, arguments.roster)
    _distances(people)
    print(f"\nresident memory of this process: {psutil.Process().memory_info().rss >> 20} MB")


def _people(folder: Path | None) -> dict[str, list[Path]]:
    if folder is not None:
        people = {sub.name: _pictures(sub) for sub in sorted(folder.iterdir()) if sub.is_dir()}
        return {name: paths for name, paths in people.items() if paths}
    installed = Path(os.environ.get("EXAMGATE_PHOTOS") or ROOT / ".cache" / "photos")
    people = {}
    for path in _pictures(installed) if installed.is_dir() else []:
        people.setdefault(path.stem.rstrip("0123456789"), []).append(path)
    return people


def _pictures(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in PICTURES)


def _times(work: Callable[[], object], rounds: int) -> list[float]:
    work()
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        times.append((time.perf_counter() - began) * 1e3)
    return times


def _ratio(what: str, theirs: Callable[[], object], ours: Callable[[], object]) -> None:
    """Taken in turns, so that whatever else the machine does slows both alike."""
    rounds = [(_times(theirs, 1)[0], _times(ours, 3)) for _ in range(7)]
    a = statistics.median(time for time, _ in rounds)
    b = statistics.median(time for _, times in rounds for time in times)
    print(f"{what:<34} face_recognition {a:7.1f} ms   here {b:6.1f} ms   {a / b:5.1f} times faster")


def _embedding(photo: Path) -> None:
    detector, encoder = HogDetector(), DlibResnet()
    image = np.asarray(cv2.imread(str(photo)), dtype=np.uint8)
    face = detector.detect(image, 320)[0]
    rgb = np.ascontiguousarray(image[:, :, ::-1])
    x, y, width, height = face.box
    place = [(round(y), round(x + width), round(y + height), round(x))]
    _ratio(
        "box given, one embedding",
        lambda: face_recognition.face_encodings(rgb, place, model="small"),
        lambda: encoder.embed([encoder.chip(image, face)]),
    )
    chips = [encoder.chip(image, face)] * 16
    batch = [t / 16 for t in _times(lambda: encoder.embed(chips), 5)]
    print(f"{'in batches of 16':<34} {statistics.median(batch):.1f} ms each")
    expected = face_recognition.face_encodings(rgb, place, model="small")[0]
    apart = np.abs(encoder.embed(chips[:1])[0] - expected).max()
    print(f"{'largest difference of the numbers':<34} {apart:.1e}")


def _picture(photo: Path) -> None:
    """One 640x480 frame: find the face, its landmarks and its embedding."""
    detector, encoder = HogDetector(), DlibResnet()
    frame = Renderer(photo).frame()
    rgb = np.ascontiguousarray(frame[:, :, ::-1])

    def ours() -> object:
        return encoder.embed([encoder.chip(frame, detector.detect(frame, 320)[0])])

    def theirs() -> object:
        return face_recognition.face_encodings(rgb, face_recognition.face_locations(rgb))

    _ratio("640x480 frame to embedding", theirs, ours)


@dataclass
class _Person:
    """Stands before the virtual camera and does what the prompt says."""

    renderer: Renderer
    yaw: float = 0.0
    asked: Prompt = Prompt.NONE
    since: float = 0.0
    times: list[float] = field(default_factory=list)

    def frame(self, prompt: Prompt, at_s: float) -> np.ndarray:
        if prompt is not self.asked:
            self.asked, self.since = prompt, at_s
        target = {Prompt.TURN_LEFT: 20.0, Prompt.TURN_RIGHT: -20.0}.get(prompt, 0.0)
        if at_s - self.since > 0.35:
            self.yaw += float(np.clip(target - self.yaw, -6, 6))
        return self.renderer.frame(yaw_deg=self.yaw, dx=2 * np.sin(at_s))


def _verification(photo: Path) -> None:
    """A whole verification of a simulated person: cost per frame, and time to the decision."""
    person, detector, encoder = _Person(Renderer(photo)), HogDetector(), DlibResnet()
    costs: dict[str, list[float]] = {"all": [], "embedding": [], "challenge": []}
    decided = None
    for round_no in range(4):
        verification, follower = Verification(round_no, True, encoder), Follower(detector)
        given = 0
        for index in range(int(8 * FPS)):
            at_s = index / FPS
            image = person.frame(verification.prompt, at_s)
            challenged = verification.prompt in (Prompt.TURN_LEFT, Prompt.TURN_RIGHT)
            began = time.perf_counter()
            told = verification.step(image, follower.update(image, at_s), at_s)
            cost = (time.perf_counter() - began) * 1e3
            given += sum(isinstance(event, Observation) for event in told)
            costs["all"].append(cost)
            if challenged:
                costs["challenge"].append(cost)
            elif told and not any(isinstance(event, LivenessPassed) for event in told):
                costs["embedding"].append(cost)
            if given >= 5 and decided is None:
                decided = at_s
    print("\nframes of a verification (detect, landmarks, quality, liveness, embedding):")
    for name, values in costs.items():
        p50, p95 = np.percentile(values, [50, 95]) if values else (float("nan"),) * 2
        print(f"  {name:<12} p50 {p50:5.1f} ms   p95 {p95:5.1f} ms   ({len(values)} frames)")
    print(f"  face in view to the fifth live observation: {decided or 0:.2f} s,")
    print("  simulated time at 15 frames a second, of a person who takes 0.35 s to react")


def _roster(pictures: list[Path], count: int) -> None:
    photos = [path.read_bytes() for path in pictures]
    photos = (photos * (count // len(photos) + 1))[:count]
    began = time.perf_counter()
    done = enrol_many(photos, 2, lambda n: None)
    took = time.perf_counter() - began
    good = sum(isinstance(result, Enrolled) for result in done)
    print(f"\nroster of {count}: {took:.1f} s with 2 processes, {count / took:.0f} photographs/s,")
    print(f"  {good} enrolled, {count - good} refused")


def _distances(people: dict[str, list[Path]]) -> None:
    names = [name for name, paths in people.items() for _ in paths]
    photos = [path.read_bytes() for paths in people.values() for path in paths]
    results = enrol_many(photos, 2, lambda n: None)
    genuine, impostor = [], []
    for i, a in enumerate(results):
        for j, b in enumerate(results[:i]):
            if isinstance(a, Enrolled) and isinstance(b, Enrolled):
                apart = float(np.linalg.norm(np.subtract(a.embedding, b.embedding)))
                (genuine if names[i] == names[j] else impostor).append(apart)
    print(f"\nsmoke figure: {len(genuine)} genuine and {len(impostor)} impostor pairs")
    for kind, values in (("genuine", genuine), ("impostor", impostor)):
        if values:
            low, middle, high = min(values), statistics.median(values), max(values)
            print(f"  {kind:<9} distance {low:.3f} … {middle:.3f} … {high:.3f}")
    for limit in (0.40, 0.45, 0.50, 0.55):
        missed = sum(value > limit for value in genuine)
        admitted = sum(value <= limit for value in impostor)
        print(
            f"  at {limit:.2f}: {missed}/{len(genuine)} missed, {admitted}/{len(impostor)} admitted"
        )


if __name__ == "__main__":
    main()
