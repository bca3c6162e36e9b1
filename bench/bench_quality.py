"""Which prompts good pictures get, which spoiled ones get, and what judging costs.

    python bench/bench_quality.py [--faces DIR] [--spoil-each 2]

`--faces`: a folder per person; without it the photographs that `make` fetched are used, a smoke
figure, not an accuracy. Every picture is laid into camera frames at three distances (never enlarged
by more than a third) and judged; up to `--spoil-each` pictures of a person are
then spoiled in each way. A picture that is not fit by itself counts in the first table, not in
the second. Judged as in the lane, with the closer look. `--halves`: each of its limits (and the
turn's) is chosen on every second person, so that 2.5 % of their fit pictures would be told, and
tried on the others; then the other way round.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "face")]

import given  # noqa: E402
import spoiled  # noqa: E402
from streams import Scene, head  # noqa: E402

from kiosk.core.codes import Prompt  # noqa: E402
from kiosk.face.appearance import appearance_of  # noqa: E402
from kiosk.face.closer import CloserLook  # noqa: E402
from kiosk.face.parts import Face, Image  # noqa: E402
from kiosk.face.quality import Limits, Quality, _shut, _turn, assess  # noqa: E402
from kiosk.face.upright import pose_of  # noqa: E402
from kiosk.face.yunet import YuNetDetector  # noqa: E402

CLOSER = CloserLook()
VGA, HD = (640, 480), (1280, 720)
EYES = (100, 60, 40)  #: pixels at 640×480: about 0.5, 0.8 and 1.2 m
Way = Callable[[Image, Face], Image]

WAYS: dict[Prompt, dict[str, Way]] = {
    Prompt.TOO_DARK: {
        "1/10 of the light": lambda p, f: spoiled.dimmed(p, 1 / 10),
        "1/20 of the light": lambda p, f: spoiled.dimmed(p, 1 / 20),
    },
    Prompt.TOO_BRIGHT: {
        "3 times the light": lambda p, f: spoiled.burnt(p, 3),
        "5 times the light": lambda p, f: spoiled.burnt(p, 5),
    },
    Prompt.FACE_FORWARD: {
        "turned 30°": lambda p, f: head(Scene(p, f), 30),
        "looking down 30°": lambda p, f: head(Scene(p, f), 0, 30),
        "head on one side 30°": lambda p, f: _rolled(p, 30),
    },
    Prompt.UNEVEN_LIGHT: {
        "from one side 12:1": lambda p, f: spoiled.side_lit(p, f, 12),
        "from one side 25:1": lambda p, f: spoiled.side_lit(p, f, 25),
        "from one side 60:1": lambda p, f: spoiled.side_lit(p, f, 1 / 60),
    },
    Prompt.TAKE_OFF_MASK: {
        "mask, blue": lambda p, f: spoiled.masked(p, f),
        "mask, white": lambda p, f: spoiled.masked(p, f, spoiled.WHITE),
        "mask, black": lambda p, f: spoiled.masked(p, f, spoiled.BLACK),
        "mask under the nose, blue": lambda p, f: spoiled.masked(p, f, drop=0.3),
        "mask under the nose, black": lambda p, f: spoiled.masked(p, f, spoiled.BLACK, 0.3),
        "hand over the mouth": lambda p, f: spoiled.handed(p, f),
        "hand over the nose": lambda p, f: spoiled.handed(p, f, 0.45),
    },
    Prompt.BLURRED: {
        "out of focus, 1/20 of the eyes": lambda p, f: spoiled.blurred(p, f.eye_width / 20),
        "out of focus, 1/12 of the eyes": lambda p, f: spoiled.blurred(p, f.eye_width / 12),
    },
    Prompt.HOLD_STILL: {
        "smeared 1/6 of the eyes": lambda p, f: spoiled.smeared(p, f.eye_width / 6),
        "smeared 1/3 of the eyes": lambda p, f: spoiled.smeared(p, f.eye_width / 3),
    },
    Prompt.SHOW_EYES: {
        "sunglasses": lambda p, f: spoiled.sunglassed(p, f),
        "hand over the eyes": lambda p, f: spoiled.handed(p, f, 0.0),
    },
    Prompt.OPEN_EYES: {"eyes shut": lambda p, f: spoiled.shut(p, f)},
    Prompt.NONE: {"glasses put on": lambda p, f: spoiled.spectacled(p, f)},
}
#: What the follower would say of the lesser smear, in an exposure of 1/15 s.
SPEEDS = {Prompt.HOLD_STILL: 15 / 6}


def _rolled(picture: Image, angle_deg: float) -> Image:
    turn = cv2.getRotationMatrix2D((VGA[0] / 2, VGA[1] / 2), angle_deg, 1.0)
    out = cv2.warpAffine(picture, turn, VGA, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(out, dtype=np.uint8)


UNTURNED = Limits(max_turn=np.inf)
LOOSE = Limits(max_turn=np.inf, min_eye_opening=1e-6)


@dataclass(frozen=True)
class Laid:
    name: str
    person: str
    eyes: int
    picture: Image
    face: Face


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    given.add_faces(parser)
    parser.add_argument("--spoil-each", type=given.whole(1), default=2)
    parser.add_argument(
        "--ways",
        nargs="+",
        choices=[name for ways in WAYS.values() for name in ways],
        metavar="WAY",
        help="to spoil; all unless given",
    )
    parser.add_argument("--halves", action="store_true", help="limits held out by person")
    arguments = parser.parse_args()
    faces = given.faces(parser, arguments.faces)
    detector = YuNetDetector()
    used = [(one.person, one.name) for one in _laid(faces, detector, min(EYES))]
    if not used:
        there_is = f"no picture of {len(faces.pictures)} shows a face large enough"
        given.useless(parser, faces.folder, there_is)
    faces.tell(len({person for person, _ in used}), len(used))
    for eyes in EYES:
        laid = list(_laid(faces, detector, eyes))
        people = len({one.person for one in laid})
        print(f"\neyes {eyes} px: {len(laid)} pictures of {people} people, 640x480")
        fit = _clean(laid)
        some = _some(fit, arguments.spoil_each)
        if arguments.halves:
            _halves(detector, laid, some)
        else:
            _spoil(detector, some, arguments.ways)
    _times(faces, detector)


def _laid(faces: given.Faces, detector: YuNetDetector, eyes: int) -> Iterator[Laid]:
    for person, path in ((name, path) for name, paths in faces.people.items() for path in paths):
        image = cv2.imread(str(path))
        if image is None:
            continue
        edge = max(image.shape[:2]) // 4
        photo = cv2.copyMakeBorder(image, edge, edge, edge, edge, cv2.BORDER_REPLICATE)
        found = detector.detect(np.asarray(photo, dtype=np.uint8), 320)
        if not found or found[0].eye_width < 0.75 * eyes:
            continue
        picture = spoiled.laid(np.asarray(photo, dtype=np.uint8), found[0], eyes, VGA)
        if face := _middle(detector, picture, eyes):
            yield Laid(f"{person}/{path.name}", person, eyes, picture, face)


def _middle(detector: YuNetDetector, picture: Image, eyes: float) -> Face | None:
    """The face that was laid into the middle, if it is found."""
    centre = np.array([picture.shape[1], picture.shape[0]]) / 2
    for face in detector.detect(picture, 320):
        middle = (face.eye_middle + face.points[4]) / 2
        if float(np.hypot(*(middle - centre))) < 0.6 * eyes:
            return face
    return None


def _judge(picture: Image, face: Face, speed: float = 0.0) -> Quality:
    return assess(picture, [face], speed=speed, closer=CLOSER)


def _clean(laid: list[Laid]) -> list[Laid]:
    """Prints the prompts of untouched pictures; returns those that got none."""
    told = {one.name: _judge(one.picture, one.face).prompt for one in laid}
    plain = [assess(one.picture, [one.face], limits=UNTURNED).good for one in laid]
    print(f"  without the closer look and the turn {plain.count(False)}/{len(laid)} get a prompt")
    counts = Counter(prompt for prompt in told.values() if prompt is not Prompt.NONE)
    print(f"  untouched: {sum(counts.values())}/{len(laid)} got a prompt")
    for prompt, count in counts.most_common():
        names = " ".join(name for name, which in told.items() if which is prompt)
        print(f"    {prompt.value:<14} {count}/{len(laid)}  {names[:300]}")
    return [one for one in laid if told[one.name] is Prompt.NONE]


def _some(laid: list[Laid], each: int) -> list[Laid]:
    taken: Counter[str] = Counter()
    some = []
    for one in laid:
        taken[one.person] += 1
        if taken[one.person] <= each:
            some.append(one)
    return some


def _spoil(detector: YuNetDetector, laid: list[Laid], only: list[str] | None) -> None:
    print(
        f"  spoiled, {len(laid)} fit pictures: its own prompt / that without the closer look and "
        "the turn / any prompt / not found"
    )
    for prompt, ways in WAYS.items():
        for name, way in ways.items():
            if only and name not in only:
                continue
            told: Counter[Prompt | None] = Counter()
            plainly = 0
            for one in laid:
                picture = way(one.picture, one.face)
                face = _middle(detector, picture, one.eyes)
                speed = SPEEDS.get(prompt, 0.0)
                told[_judge(picture, face, speed).prompt if face else None] += 1
                if face:
                    plain = assess(picture, [face], speed=speed, limits=UNTURNED)
                    plainly += plain.prompt is prompt
            any_prompt = len(laid) - told[None] - told[Prompt.NONE]
            print(f"    {prompt.value:<14} {name:<32}", end="")
            print(
                f"{told[prompt]:4d} / {plainly:4d} / {any_prompt:4d} / {told[None]:3d}   ", end=""
            )
            others = (f"{p.value} {n}" for p, n in told.most_common() if p and p is not prompt)
            print(", ".join(others), flush=True)


def _measures(picture: Image, face: Face) -> dict[str, float]:
    """What each limit is set on; greater is worse."""
    shape, opening = CLOSER.shape(picture, face), appearance_of(picture, face).eye_opening
    return {
        "turn": abs(_turn(pose_of(face))),
        "chin": shape.chin_deg,
        "seen": -shape.seen,
        "shut": -_shut(CLOSER.lids(picture, face), opening),
        "shut, without the lids": -opening,
    }


_OF = {
    "turned 30°": "turn",
    "looking down 30°": "chin",
    "hand over the mouth": "seen",
    "hand over the nose": "seen",
    "eyes shut": "shut",
}


def _halves(detector: YuNetDetector, laid: list[Laid], some: list[Laid]) -> None:
    """Fit but for what the measures themselves tell, so that they are not judged by themselves."""
    fit = [one for one in laid if assess(one.picture, [one.face], limits=LOOSE).good]
    clean = [(one.person, _measures(one.picture, one.face)) for one in fit]
    half = set(sorted({person for person, _ in clean})[::2])
    if not half or all(person in half for person, _ in clean):
        print("    fewer than two people fit: no halves")
        return
    for prompt, ways in WAYS.items():
        for name in (name for name in ways if name in _OF):
            spoilt = list(_spoilt(detector, some, ways[name]))
            for measure in (m for m in _measures_of(clean) if m.startswith(_OF[name])):
                counts = np.zeros(4, int)
                for own in (True, False):
                    chosen = [m[measure] for person, m in clean if (person in half) is own]
                    limit = np.quantile(chosen, 0.975)
                    for at, them in ((0, clean), (2, spoilt)):
                        others = [m[measure] for person, m in them if (person in half) is not own]
                        counts[at : at + 2] += sum(v > limit for v in others), len(others)
                wrong, of, hit, tried = (int(count) for count in counts)
                print(f"    {prompt.value:<14} {name:<20} by {measure:<24}"
                      f"{hit:4d} / {tried:<4d} wrong {wrong} / {of}", flush=True)  # fmt: skip


def _spoilt(
    detector: YuNetDetector, some: list[Laid], way: Way
) -> Iterator[tuple[str, dict[str, float]]]:
    for one in some:
        picture = way(one.picture, one.face)
        if face := _middle(detector, picture, one.eyes):
            yield one.person, _measures(picture, face)


def _measures_of(clean: list[tuple[str, dict[str, float]]]) -> list[str]:
    return list(clean[0][1]) if clean else []


def _times(faces: given.Faces, detector: YuNetDetector) -> None:
    print("\nmilliseconds of processor time for one judgement")
    some = list(islice(_laid(faces, detector, EYES[0]), 40))
    for size, eyes in ((VGA, 40), (VGA, 100), (HD, 60), (HD, 220)):
        times = []
        for one in some:
            picture = spoiled.laid(one.picture, one.face, eyes, size)
            face = _middle(detector, picture, eyes)
            for _ in range(10 if face else 0):
                began = time.process_time()
                if face:
                    _judge(picture, face)
                times.append((time.process_time() - began) * 1e3)
        if not times:
            print(f"  {size[0]}x{size[1]}, eyes {eyes:3d} px: no picture large enough")
            continue
        p50, p95 = statistics.median(times), float(np.percentile(times, 95))
        print(f"  {size[0]}x{size[1]}, eyes {eyes:3d} px: p50 {p50:.2f}, p95 {p95:.2f}")


if __name__ == "__main__":
    main()
