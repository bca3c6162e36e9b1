"""What the face engine costs, beside face_recognition used the usual way in the same run.

    python bench/bench_face.py [--faces DIR] [--roster 500]

DIR holds a folder per person. Without it the photographs that `make` fetched are used, and the
error rates are a smoke figure of a few pictures, not an accuracy. Costs are of one picture, the
first in which a face is found. What the worker's process costs is in bench_worker.py, attacks in
bench_liveness.py.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import face_recognition
import numpy as np
import psutil

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import given  # noqa: E402

from drivers.camera.render import Renderer  # noqa: E402
from kiosk.core.codes import Prompt  # noqa: E402
from kiosk.face.detector import HogDetector  # noqa: E402
from kiosk.face.encoder import DlibResnet  # noqa: E402
from kiosk.face.encoders import DEFAULT, LIMITS, make_encoder  # noqa: E402
from kiosk.face.enrol import Enrolled, enrol_many  # noqa: E402
from kiosk.face.events import LivenessPassed, Observation  # noqa: E402
from kiosk.face.follower import Follower  # noqa: E402
from kiosk.face.parts import Encoder, Face  # noqa: E402
from kiosk.face.verification import Verification  # noqa: E402
from kiosk.face.yunet import YuNetDetector  # noqa: E402

FPS = 15.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    given.add_faces(parser)
    parser.add_argument("--roster", type=given.whole(1), default=500, help="photographs to import")
    arguments = parser.parse_args()
    faces = given.faces(parser, arguments.faces)
    people, pictures = faces.people, faces.pictures
    photo = next((path for path in pictures if _shows_face(path)), None)
    if photo is None:
        given.useless(parser, faces.folder, f"no face found in its {len(pictures)} pictures")
    cv2.setNumThreads(1)
    faces.tell(len(people), len(pictures))
    print(f"costs of {photo.name}, {os.cpu_count()} cores\n")
    _embedding(photo)
    _picture(photo)
    _verification(photo)
    _roster(pictures, arguments.roster)
    _error_rates(people, faces.smoke)
    print(f"\nresident memory of this process: {psutil.Process().memory_info().rss >> 20} MB")


def _shows_face(path: Path) -> bool:
    """To both detectors, before the camera."""
    if cv2.imread(str(path)) is None:
        return False
    frame = Renderer(path).frame()
    return all(detector.detect(frame, 320) for detector in (YuNetDetector(), HogDetector()))


def _times(work: Callable[[], object], rounds: int) -> list[float]:
    """Milliseconds of processor time, after one round to warm up."""
    work()
    times = []
    for _ in range(rounds):
        began = time.process_time()
        work()
        times.append((time.process_time() - began) * 1e3)
    return times


def _ratio(what: str, theirs: Callable[[], object], ours: Callable[[], object]) -> None:
    """Processor time, taken in turns, so that whatever else the machine does slows both alike."""
    rounds = [(_times(theirs, 1)[0], _times(ours, 3)) for _ in range(9)]
    a = statistics.median(time for time, _ in rounds)
    b = statistics.median(time for _, times in rounds for time in times)
    print(f"{what:<34} face_recognition {a:7.1f} ms   here {b:6.1f} ms   {a / b:5.1f} times faster")


def _embedding(photo: Path) -> None:
    """A 640x480 frame with the place of the face given, one core; the numbers compared."""
    frame = Renderer(photo).frame()
    face = HogDetector().detect(frame, 320)[0]  # its box is what face_recognition is given
    rgb = np.ascontiguousarray(frame[:, :, ::-1])
    x, y, width, height = face.box
    place = [(round(y), round(x + width), round(y + height), round(x))]
    encoder = DlibResnet()
    _ratio(
        "box given, dlib's 128 numbers",
        lambda: face_recognition.face_encodings(rgb, place, model="small"),
        lambda: encoder.embed([encoder.chip(frame, face)]),
    )
    expected = face_recognition.face_encodings(rgb, place, model="small")[0]
    apart = np.abs(encoder.embed([encoder.chip(frame, face)])[0] - expected).max()
    print(f"{'largest difference of the numbers':<34} {apart:.1e}")
    marked = YuNetDetector().detect(frame, 320)[0]
    for name in LIMITS:
        _per_core(make_encoder(name), frame, marked)


def _per_core(encoder: Encoder, frame: np.ndarray, face: Face) -> None:
    one = statistics.median(_times(lambda: encoder.embed([encoder.chip(frame, face)]), 15))
    chips = [encoder.chip(frame, face)] * 16
    batch = statistics.median(_times(lambda: encoder.embed(chips), 5)) / 16
    print(
        f"{encoder.name:<34} {one:.1f} ms, {1e3 / one:.0f} embeddings/s on one core; "
        f"in batches {1e3 / batch:.0f}/s"
    )


def _picture(photo: Path) -> None:
    """One 640x480 frame: find the face, its landmarks and its embedding."""
    detector, encoder, shipped = YuNetDetector(), DlibResnet(), make_encoder()
    frame = Renderer(photo).frame()
    rgb = np.ascontiguousarray(frame[:, :, ::-1])

    def theirs() -> object:
        return face_recognition.face_encodings(rgb, face_recognition.face_locations(rgb))

    def with_encoder(encoder: Encoder) -> Callable[[], object]:
        return lambda: encoder.embed([encoder.chip(frame, detector.detect(frame, 320)[0])])

    _ratio("640x480 frame to dlib's numbers", theirs, with_encoder(encoder))
    _ratio(f"640x480 frame to {DEFAULT}", theirs, with_encoder(shipped))


YAWS = {Prompt.TURN_LEFT: 20.0, Prompt.TURN_RIGHT: -20.0}
PITCHES = {Prompt.LOOK_DOWN: 14.0, Prompt.LOOK_UP: -14.0}


@dataclass
class _Person:
    """Stands before the virtual camera and does what the prompt says."""

    renderer: Renderer
    yaw: float = 0.0
    pitch: float = 0.0
    asked: Prompt = Prompt.NONE
    since: float = 0.0
    times: list[float] = field(default_factory=list)

    def frame(self, prompt: Prompt, at_s: float) -> np.ndarray:
        if prompt is not self.asked:
            self.asked, self.since = prompt, at_s
        if at_s - self.since > 0.35:
            self.yaw += float(np.clip(YAWS.get(prompt, 0.0) - self.yaw, -6, 6))
            self.pitch += float(np.clip(PITCHES.get(prompt, 0.0) - self.pitch, -6, 6))
        picture = self.renderer.frame(yaw_deg=self.yaw, pitch_deg=self.pitch, dx=2 * np.sin(at_s))
        noise = np.empty(picture.shape, np.int16)
        cv2.randn(noise, 0, 2)
        return np.asarray(cv2.add(picture, noise, dtype=cv2.CV_8U), np.uint8)


def _verification(photo: Path) -> None:
    """A whole verification of a simulated person: cost per frame, and time to the decision."""
    person, detector, encoder = _Person(Renderer(photo)), YuNetDetector(), make_encoder()
    costs: dict[str, list[float]] = {
        name: [] for name in ("find and landmarks", "challenge", "embedding", "all")
    }
    decided = None
    for round_no in range(4):
        verification, follower = Verification(round_no, True, encoder), Follower(detector)
        given = 0
        for index in range(int(8 * FPS)):
            at_s = index / FPS
            image = person.frame(verification.prompt, at_s)
            challenged = verification.prompt in (*YAWS, *PITCHES)
            began = time.process_time()
            tracked = follower.update(image, at_s)
            found = time.process_time()
            told = verification.step(image, tracked, at_s)
            cost = (time.process_time() - began) * 1e3
            costs["find and landmarks"].append((found - began) * 1e3)
            given += sum(isinstance(event, Observation) for event in told)
            costs["all"].append(cost)
            if challenged:
                costs["challenge"].append(cost)
            elif told and not any(isinstance(event, LivenessPassed) for event in told):
                costs["embedding"].append(cost)
            if given >= 5 and decided is None:
                decided = at_s
    print(
        "\nframes of a verification (detect, landmarks, quality, liveness, embedding), processor:"
    )
    for name, values in costs.items():
        p50, p95 = np.percentile(values, [50, 95]) if values else (float("nan"),) * 2
        print(f"  {name:<20} p50 {p50:5.1f} ms   p95 {p95:5.1f} ms   ({len(values)} frames)")
    print(f"  face in view to the fifth live observation: {decided or 0:.2f} s,")
    print("  simulated time at 15 frames a second, of a person who takes 0.35 s to react")


def _roster(pictures: list[Path], count: int) -> None:
    """Roster photographs, ours in two processes; face_recognition in one, from the same files."""
    photos = [path.read_bytes() for path in pictures]
    photos = (photos * (count // len(photos) + 1))[:count]
    began = time.perf_counter()
    done = enrol_many(photos, 2, lambda n: None)
    took = time.perf_counter() - began
    good = sum(isinstance(result, Enrolled) for result in done)
    print(f"\nroster of {count}: {took:.1f} s with 2 processes, {count / took:.0f} photographs/s,")
    print(f"  {good} enrolled, {count - good} refused")
    few = pictures[:12]
    began = time.perf_counter()
    for path in few:
        face_recognition.face_encodings(face_recognition.load_image_file(path))
    theirs = (time.perf_counter() - began) / len(few)
    print(f"  face_recognition, one process: {1 / theirs:.1f} photographs/s (over {len(few)})")


def _error_rates(people: dict[str, list[Path]], smoke: bool) -> None:
    """False match and false non-match rates of single pictures at the shipped 1:1 limit.

    The comparisons of one person are not independent; `examgate face calibrate` gives intervals.
    """
    names = [name for name, paths in people.items() for _ in paths]
    paths = [path for listed in people.values() for path in listed]
    results = enrol_many([path.read_bytes() for path in paths], 2, lambda n: None)
    ours = [r.embedding if isinstance(r, Enrolled) else None for r in results]
    refused = sum(row is None for row in ours)
    theirs = [_usual_way(path) for path in paths]
    missed = sum(row is None for row in theirs)
    print("\nSMOKE FIGURE, not an accuracy:" if smoke else "\nerror rates of single pictures:")
    print(f"  {len(people)} people, {len(paths)} pictures; no face or poor: {refused} here, "
          f"{missed} face_recognition")  # fmt: skip
    _rates(f"here, {DEFAULT}", names, ours, LIMITS[DEFAULT].verify)
    _rates("face_recognition", names, theirs, 0.6)


def _usual_way(path: Path) -> np.ndarray | None:
    found = face_recognition.face_encodings(face_recognition.load_image_file(path))
    return found[0] if len(found) == 1 else None


def _rates(
    what: str, names: list[str], rows: Sequence[Sequence[float] | np.ndarray | None], limit: float
) -> None:
    kept = [(name, row) for name, row in zip(names, rows, strict=True) if row is not None]
    if len(kept) < 2:
        print(f"  {what:<24} fewer than two pictures of use: nothing to compare")
        return
    table = np.array([row for _, row in kept], dtype=np.float64)
    who = np.array([name for name, _ in kept])
    first, second = np.triu_indices(len(kept), 1)
    apart = np.concatenate(
        [np.linalg.norm(table[i + 1 :] - table[i], axis=1) for i in range(len(kept) - 1)]
    )
    same = who[first] == who[second]
    wrong, lost = int((apart[~same] <= limit).sum()), int((apart[same] > limit).sum())
    genuine, impostor = int(same.sum()), int((~same).sum())
    print(f"  {what:<24} at {limit:.2f}: false match {wrong} of {impostor} "
          f"({wrong / max(impostor, 1):.1e}), false non-match {lost} of {genuine} "
          f"({lost / max(genuine, 1):.2%})")  # fmt: skip


if __name__ == "__main__":
    main()
