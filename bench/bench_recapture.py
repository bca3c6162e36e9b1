"""Screens, prints and hands: what the cues of recapture say, on simulations or on recordings.

    python bench/bench_recapture.py [--faces DIR] [--people 24] [--width 1280]
    python bench/bench_recapture.py --recordings DIR

`--faces`: a folder per person; without it the photographs that `make` fetched are used, at one
size: a smoke figure, not an accuracy. Each person is laid before a simulated camera as themselves
and on every medium of tests/face/recapture.py, lens, size and angle drawn anew each time. Every
second person is for choosing the limits (A), the others for reporting (B). `--hold-out`: the limit
is the highest peak that half of the people had themselves in single looks, tried on the other half,
then the other way round; on monitors only, the others show no grid.

`--recordings`: films of the lane's own camera, in folders: `live/` and one for each kind of
attack. Tells for each folder what the cues measure and how often they would refuse, which is what
the limits of a site must be checked with.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "face")]

import given  # noqa: E402
from recapture import DISPLAYS, LENSES, PAPERS, Medium, Paper, Recapture  # noqa: E402
from streams import Pose, Scene  # noqa: E402

from kiosk.face import raster  # noqa: E402
from kiosk.face.calibration.rates import clopper_pearson  # noqa: E402
from kiosk.face.follower import Follower  # noqa: E402
from kiosk.face.parts import Image  # noqa: E402
from kiosk.face.quality import assess  # noqa: E402
from kiosk.face.surroundings import Surroundings  # noqa: E402
from kiosk.face.verification import MOST_PEAK  # noqa: E402
from kiosk.face.yunet import YuNetDetector  # noqa: E402

FILMS = (".mp4", ".avi", ".mkv", ".mov", ".mjpeg")
SIZES = ((640, 480, 95.0), (1280, 960, 190.0))  #: a face half a metre away
SCALES = (1.0, 0.6, 0.35)  #: of the face shown: the nearer the medium, the smaller
LEAST_PX = 60.0
_DRAWS = 4  #: of lens and noise, of each person by themselves
_MONITORS = [display.name for display in DISPLAYS[:2]]
LOOK_S = 3.0  #: of a film, from the first good look


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    source = parser.add_mutually_exclusive_group()
    given.add_faces(source)
    source.add_argument("--recordings", type=given.folder, metavar="DIR")
    parser.add_argument("--people", type=given.whole(2), default=24)
    parser.add_argument("--hold-out", action="store_true")
    parser.add_argument("--width", type=int, choices=[size[0] for size in SIZES], help="this only")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    if arguments.recordings:
        _recordings(arguments.recordings)
    else:
        how = _held_out if arguments.hold_out else _as_shipped
        faces = given.faces(parser, arguments.faces)
        detector = YuNetDetector()
        photos = list(_photos(faces, detector))
        if len(photos) < 2:
            there_is = (
                f"of {len(faces.people)} people fewer than two have eyes {LEAST_PX:.0f} px apart"
            )
            given.useless(parser, faces.folder, there_is)
        photos = photos[:: max(len(photos) // arguments.people, 1)][: arguments.people]
        faces.tell(len(photos), len(photos))
        _simulated(photos, detector, arguments.width or (SIZES[0][0] if faces.smoke else None), how)


# --- simulated ----------------------------------------------------------------------------------


def _simulated(
    photos: list[Image],
    detector: YuNetDetector,
    only: int | None,
    how: Callable[[list[Scene]], None],
) -> None:
    print(f"{len(photos)} people, half A, half B; refused for a grid in both of two looks")
    for width, height, eye_px in (size for size in SIZES if only in (None, size[0])):
        print(f"\n{width}×{height}, eyes {eye_px:.0f} px apart")
        how([Scene.of(photo, detector, eye_px, (width, height)) for photo in photos])


def _as_shipped(scenes: list[Scene]) -> None:
    print(f"share of presentations refused at {MOST_PEAK}; 95 % interval of B")
    for medium, scale in _media():
        peaks = [_two_looks(scene, medium, index) for index, scene in enumerate(scenes)]
        _tell(medium.name if medium else "people themselves", scale, peaks)


def _held_out(scenes: list[Scene]) -> None:
    looks = [
        [_two_looks(scene, None, index + 1000 * draw, looks=1) for draw in range(_DRAWS)]
        for index, scene in enumerate(scenes)
    ]
    limits = [max(max(own) for own in looks[half::2]) for half in (0, 1)]
    print(f"highest peak of {_DRAWS} single looks each: A {limits[0]:.2f}, B {limits[1]:.2f}")
    for medium, scale in _media():
        if medium is not None and medium.name not in _MONITORS:
            continue
        peaks = [_two_looks(scene, medium, index) for index, scene in enumerate(scenes)]
        refused = sum(sum(p >= limits[1 - half] for p in peaks[half::2]) for half in (0, 1))
        low, high = clopper_pearson(refused, len(peaks))
        name = medium.name if medium else "people themselves"
        told = (
            f"{refused}/{len(peaks)} by the other half's limit ({100 * low:.0f}–{100 * high:.0f} %)"
        )
        print(f"  {name:<32} face ×{scale:<5} {told}, most {max(peaks):.2f}", flush=True)


def _photos(faces: given.Faces, detector: YuNetDetector) -> Iterator[Image]:
    for path in faces.largest().values():
        photo = cv2.imread(str(path))
        found = detector.detect(np.asarray(photo, np.uint8), 640) if photo is not None else []
        if photo is not None and found and found[0].eye_width >= LEAST_PX:
            yield np.asarray(photo, np.uint8)


def _media() -> Iterator[tuple[Medium | None, float]]:
    yield None, 1.0
    for medium in (*DISPLAYS, *PAPERS):
        for scale in SCALES:
            if isinstance(medium, Paper) and not medium.lines_mm and scale < 1:
                continue  # no grid at any size
            yield replace(medium, scale=scale), scale


def _two_looks(scene: Scene, medium: Medium | None, seed: int, looks: int = 2) -> float:
    """The smaller peak of two looks, as a verification takes it."""
    rng = np.random.default_rng([seed, 7])
    camera = Recapture(medium, LENSES[int(rng.integers(len(LENSES)))], rng)
    tilt, roll = rng.normal(0, 6, 2), float(rng.normal(0, 3))
    peaks = []
    for at_s in (0.0, 0.1)[:looks]:
        unrest = rng.normal(0, 0.3, 3)
        pose = Pose(tilt[0] + unrest[0], tilt[1] + unrest[1], roll + unrest[2])
        taken = camera.look(scene, pose if medium else Pose(), at_s)
        peaks.append(raster.peak(taken, scene.face))
    return min(peaks)


def _tell(name: str, scale: float, peaks: list[float]) -> None:
    halves = [np.array(peaks[half::2]) for half in (0, 1)]
    refused = [int((half >= MOST_PEAK).sum()) for half in halves]
    low, high = clopper_pearson(refused[1], len(halves[1]))
    told = f"A {refused[0]:3d}/{len(halves[0])}  B {refused[1]:3d}/{len(halves[1])}"
    spread = f"B ({100 * low:.0f}–{100 * high:.0f} %)  peaks p50 {np.median(peaks):.1f}"
    print(f"  {name:<32} face ×{scale:<5} {told}  {spread}, most {max(peaks):.2f}", flush=True)


# --- recordings ---------------------------------------------------------------------------------


def _recordings(folder: Path) -> None:
    kinds = sorted(path for path in folder.iterdir() if path.is_dir())
    if not kinds:
        sys.exit(f"{folder}: no folders; put films into live/ and one folder for each attack")
    print("film: peaks of the two first looks; pixels moved (65th percentile) by what is around")
    for kind in kinds:
        films = sorted(path for path in kind.iterdir() if path.suffix.lower() in FILMS)
        refused = sum(_film(film) for film in films)
        low, high = clopper_pearson(refused, len(films)) if films else (0.0, 1.0)
        interval = f"{100 * low:.1f}–{100 * high:.1f} %"
        print(f"{kind.name}: {refused} of {len(films)} refused ({interval})")


def _film(path: Path) -> bool:
    """Whether a verification would refuse it for what it is shown on."""
    film, follower = cv2.VideoCapture(str(path)), Follower(YuNetDetector())
    fps = film.get(cv2.CAP_PROP_FPS) or 25.0
    peaks: list[float] = []
    moved: dict[str, list[float]] = {"background": [], "frame": []}
    surroundings, began, index = None, 0.0, 0
    while True:
        good, read = film.read()
        at_s, index = index / fps, index + 1
        if not good or (surroundings is not None and at_s - began > LOOK_S):
            break
        image = np.asarray(read, np.uint8)
        tracked = follower.update(image, at_s)
        if tracked is None:
            continue
        if surroundings is not None:
            for what, by in surroundings.feed(image).items():
                if by is not None:
                    moved[what].append(by)
        elif assess(image, tracked.faces, speed=tracked.speed).good:
            peaks.append(raster.peak(image, tracked.face))
            if len(peaks) == 2:
                surroundings, began = Surroundings(image, tracked.face), at_s
    film.release()
    if surroundings is None:
        print(f"  {path.name}: no two good looks in it")
        return False
    far = {what: f"{np.percentile(by, 65):.2f}" for what, by in moved.items() if by}
    followed, shown = far or "nothing to follow", surroundings.held or "nothing"
    print(f"  {path.name}: {peaks[0]:.2f} {peaks[1]:.2f}; {followed}; told: {shown}")
    return min(peaks) >= MOST_PEAK or surroundings.held is not None


if __name__ == "__main__":
    main()
