"""How long a roster takes to check and to take in, with the real face engine.

Run: python bench/bench_roster.py [--candidates N] [--workers N]. The photographs are a few
public ones (EXAMGATE_PHOTOS or .cache/photos), each time cut, lit and compressed a little
differently; so many faces are the same person's, and the same-face check runs apart, on
embeddings made by chance.
"""

from __future__ import annotations

import argparse
import io
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import given
import numpy as np
from PIL import Image, ImageEnhance

from kiosk.centre.likeness import alike
from kiosk.centre.roster_file import prepare
from kiosk.clock import SystemClock
from kiosk.core.idnumber import check_character
from kiosk.face.enrol import enrol_many
from kiosk.store import RosterRow, Store
from kiosk.store.vault import make_key_file

PHOTOS = Path(os.environ.get("EXAMGATE_PHOTOS", Path(__file__).parents[1] / ".cache" / "photos"))
NAMES = ("obama.jpg", "obama2.jpg", "biden.jpg")
SIDE = 720  #: about what exam offices export
HEADER = "准考证明编号,身份证明号码,姓名,准考车型,考试场次,照片,指纹模板"


def variation(picture: Image.Image, random: np.random.Generator) -> bytes:
    """The picture as another export would have it: cut, lit, compressed a little differently."""
    width, height = picture.size
    left, top = (int(random.integers(0, max(side // 40, 1))) for side in picture.size)
    cut = picture.crop((left, top, width - left, height - top))
    lit = ImageEnhance.Brightness(cut).enhance(float(random.uniform(0.9, 1.1)))
    buffer = io.BytesIO()
    lit.save(buffer, "JPEG", quality=int(random.integers(80, 95)))
    return buffer.getvalue()


def write_roster(folder: Path, candidates: int) -> int:
    """A roster folder; returns the bytes of its photographs."""
    random = np.random.default_rng(7)
    pictures = []
    for name in NAMES:
        with Image.open(PHOTOS / name) as picture:
            small = picture.convert("RGB")
        small.thumbnail((SIDE, SIDE))
        pictures.append(small)
    (folder / "photos").mkdir()
    (folder / "templates").mkdir()
    lines, size = [HEADER], 0
    for n in range(candidates):
        photo = variation(pictures[n % len(pictures)], random)
        size += len(photo)
        (folder / "photos" / f"{n}.jpg").write_bytes(photo)
        for k in (1, 2):
            (folder / "templates" / f"{n}-{k}.dat").write_bytes(random.bytes(512))
        first17 = f"370602{1970 + n // 1000 % 30}0101{n % 1000:03d}"
        number = first17 + check_character(first17)
        files = f"photos/{n}.jpg,templates/{n}-1.dat;templates/{n}-2.dat"
        lines.append(f"A{n:06d},{number},考生{n},C1,S1,{files}")
    (folder / "名单.csv").write_text("\n".join(lines) + "\n", encoding="gb18030")
    return size


def show(what: str, seconds: float, count: int) -> None:
    print(f"{what:<52} {seconds:8.2f} s {1000 * seconds / count:8.2f} ms each")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--candidates", type=given.whole(1), default=500)
    parser.add_argument("--workers", type=given.whole(1), default=2)
    options = parser.parse_args()
    n = options.candidates
    if not all((PHOTOS / name).exists() for name in NAMES):
        sys.exit(f"the photographs are not in {PHOTOS}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "roster").mkdir()
        size = write_roster(folder / "roster", n)
        print(f"{n} candidates, {size / n / 1000:.0f} kB a photograph, {options.workers} workers")
        begun = time.perf_counter()
        prepared = prepare(
            folder / "roster",
            enrol_many=enrol_many,
            workers=options.workers,
            same_face_max_distance=None,
        )
        show("read and check, faces included", time.perf_counter() - begun, n)
        if prepared.problems or len(prepared.rows) != n:
            sys.exit(f"{len(prepared.problems)} problems, first: {prepared.problems[0]}")
        stored = sum(len(row["photo"]) for row in prepared.rows)
        take_in(folder, [RosterRow(**row) for row in map(_as_row, prepared.rows)])
        print(f"{'photographs as stored':<52} {stored / n / 1000:8.0f} kB each")
    for many in (n, 20_000):
        random = np.random.default_rng(3).normal(0, 0.125, (many, 128)).astype(np.float32)
        begun = time.perf_counter()
        found = sum(1 for _ in alike(random, [str(k) for k in range(many)], 0.35))
        show(f"same-face check of {many:,} ({found} found)", time.perf_counter() - begun, many)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{'peak memory of this process':<52} {peak:8.0f} MB")


def _as_row(row: dict[str, object]) -> dict[str, object]:
    return row | {"templates": tuple(row["templates"]), "embedding": tuple(row["embedding"])}  # type: ignore[call-overload]


def take_in(folder: Path, rows: list[RosterRow]) -> None:
    make_key_file(folder / "lane.key")
    store = Store.open(folder / "data", folder / "lane.key", SystemClock())
    for what in ("taken in, encrypted, one transaction", "taken in again, nothing changed"):
        begun = time.perf_counter()
        store.apply_roster(rows, "bench", "bench")
        show(what, time.perf_counter() - begun, len(rows))
    store.close()


if __name__ == "__main__":
    main()
