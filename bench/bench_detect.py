"""How surely and how fast faces are found: YuNet beside dlib's HOG detector, in the same run.

    python bench/bench_detect.py [--faces DIR] [--empty DIR]

`--faces`: a folder per person; one picture of each is laid into camera frames. Without it the
photographs that `make` fetched are used: a smoke figure, not an accuracy. `--empty`: pictures with
no face in them, for false detections.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "face")]

import given  # noqa: E402
import spoiled  # noqa: E402
from streams import Scene, head  # noqa: E402

from kiosk.face.detector import make_detector  # noqa: E402
from kiosk.face.parts import Detector, Face, Image  # noqa: E402

NAMES = ("yunet", "hog")
WIDTH_OF_EYES = 1.72  #: width of the network's box over the distance of the outer eye corners
VGA, HD = (640, 480), (1280, 720)
Frames = Iterator[Image]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    given.add_faces(parser)
    parser.add_argument("--empty", type=given.folder, metavar="DIR")
    arguments = parser.parse_args()
    faces = given.faces(parser, arguments.faces)
    detectors = {name: make_detector(name) for name in NAMES}
    people = list(_people(faces, detectors))
    if not people:
        there_is = f"no picture of {len(faces.pictures)} shows one large face"
        given.useless(parser, faces.folder, there_is)
    faces.tell(len(people), len(people))
    print()
    _sizes(people, detectors)
    _conditions(people, detectors)
    if arguments.empty:
        _empty(arguments.empty, detectors)
    _times(people, detectors)


def _people(faces: given.Faces, detectors: dict[str, Detector]) -> Iterator[tuple[Image, Face]]:
    """The first picture of each person in which exactly one large face is found by either."""
    for paths in faces.people.values():
        for path in paths:
            image = cv2.imread(str(path))
            if image is None or min(image.shape[:2]) < 90:
                continue
            if face := _plain(np.asarray(image, dtype=np.uint8), detectors):
                yield np.asarray(image, dtype=np.uint8), face
                break


def _plain(image: Image, detectors: dict[str, Detector]) -> Face | None:
    for name in NAMES:
        faces = detectors[name].detect(image, 320)
        large = [face for face in faces if face.box[2] > 0.3 * faces[0].box[2]]
        if len(large) == 1 and large[0].eye_width > 25:
            return large[0]
    return None


def _hit(faces: list[Face], size: tuple[int, int], face_px: float) -> bool:
    """The middle between eyes and nose was laid into the middle of the frame."""
    for face in faces:
        middle = (face.eye_middle + face.points[4]) / 2
        off = float(np.hypot(*(middle - np.array(size) / 2)))
        ratio = face.eye_width * WIDTH_OF_EYES / face_px
        if off < 0.35 * face_px and 0.6 < ratio < 1.6:
            return True
    return False


def _rate(
    detector: Detector, frames: Frames, size: tuple[int, int], face_px: float, across: int
) -> str:
    hits = [_hit(detector.detect(frame, across), size, face_px) for frame in frames]
    return f"{sum(hits):4d}/{len(hits)}"


def _sizes(people: list[tuple[Image, Face]], detectors: dict[str, Detector]) -> None:
    print("found, frontal, searched at 320 pixels across (HOG also at 640)")
    for size in (VGA, HD):
        for face_px in (45, 60, 90, 130, 180, 260, 380):
            if face_px > 0.62 * size[1]:
                continue
            eye_px = face_px / WIDTH_OF_EYES
            row = [
                _rate(
                    detectors[name],
                    (spoiled.laid(image, face, eye_px, size) for image, face in people),
                    size,
                    face_px,
                    across,
                )
                for name, across in (("yunet", 320), ("hog", 320), ("hog", 640))
            ]
            print(f"  {size[0]}x{size[1]} face {face_px:3d} px   yunet {row[0]}", end="")
            print(f"   hog {row[1]}   hog at 640 {row[2]}", flush=True)


def _conditions(people: list[tuple[Image, Face]], detectors: dict[str, Detector]) -> None:
    print("\nfound, 640x480, face 130 px, searched at 320")
    eye_px = 130 / WIDTH_OF_EYES
    scenes = []
    for image, face in people:
        frame = spoiled.laid(image, face, eye_px, VGA)
        found = detectors["yunet"].detect(frame, 320) or detectors["hog"].detect(frame, 320)
        if found:
            scenes.append(Scene(frame, found[0]))
    ways: dict[str, Callable[[Scene], Image]] = {
        "as it is": lambda s: s.picture,
        "turned 20°": lambda s: head(s, 20),
        "turned 30°": lambda s: head(s, -30),
        "looking down 20°": lambda s: head(s, 0, 20),
        "head on one side 20°": lambda s: _rolled(s, 20),
        "head on one side 35°": lambda s: _rolled(s, -35),
        "1/20 of the light": lambda s: spoiled.dimmed(s.picture, 1 / 20),
        "1/50 of the light": lambda s: spoiled.dimmed(s.picture, 1 / 50),
        "light from one side 12:1": lambda s: spoiled.side_lit(s.picture, s.face, 12),
        "mask, light": lambda s: spoiled.masked(s.picture, s.face),
        "mask, black": lambda s: spoiled.masked(s.picture, s.face, spoiled.BLACK),
        "hand over mouth": lambda s: spoiled.handed(s.picture, s.face),
        "sunglasses": lambda s: spoiled.sunglassed(s.picture, s.face),
        "glasses": lambda s: spoiled.spectacled(s.picture, s.face),
        "blurred, 4 px": lambda s: spoiled.blurred(s.picture, 4),
    }
    for name, way in ways.items():
        row = [_rate(detectors[d], (way(s) for s in scenes), VGA, 130, 320) for d in NAMES]
        print(f"  {name:<26} yunet {row[0]}   hog {row[1]}", flush=True)


def _rolled(scene: Scene, angle: float) -> Image:
    turn = cv2.getRotationMatrix2D((VGA[0] / 2, VGA[1] / 2), angle, 1.0)
    out = cv2.warpAffine(scene.picture, turn, VGA, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(out, dtype=np.uint8)


def _empty(folder: Path, detectors: dict[str, Detector]) -> None:
    """False detections at all, and of a size that would count before the lane (40 px eyes)."""
    pictures = [cv2.imread(str(path)) for path in sorted(folder.rglob("*"))]
    frames = [cv2.resize(image, VGA) for image in pictures if image is not None]
    frames += [np.ascontiguousarray(frame[::-1]) for frame in frames]
    print(f"\nfalse detections on {len(frames)} pictures without faces, 320 across")
    for name, detector in detectors.items():
        found = [face for frame in frames for face in detector.detect(frame, 320)]
        near = [face for face in found if face.eye_width >= 40]
        print(f"  {name:<6} {len(found)} in all, {len(near)} as large as somebody at the lane")


def _times(people: list[tuple[Image, Face]], detectors: dict[str, Detector]) -> None:
    print("\nmilliseconds of processor time, in turns, p50 / p95 (landmarks included)")
    for size in (VGA, HD):
        frames = [spoiled.laid(image, face, 90, size) for image, face in people[:40]]
        times: dict[str, list[float]] = {name: [] for name in NAMES}
        for frame in frames * 2:
            for name in NAMES:
                began = time.process_time()
                detectors[name].detect(frame, 320)
                times[name].append((time.process_time() - began) * 1e3)
        for name, values in times.items():
            p95 = float(np.percentile(values, 95))
            print(f"  {size[0]}x{size[1]} {name:<6} {statistics.median(values):5.1f} / {p95:.1f}")


if __name__ == "__main__":
    main()
