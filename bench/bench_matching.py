"""Comparing fingers on this computer: image → template → Bozorth3's decision, and NFIQ 2, beside
nbis-py called straight in this process and beside the ZFM module's own comparison on its timed
twin, all in one run.

Run: python bench/bench_matching.py [--rounds N] [--prints DIR]. DIR has images of 500 dpi named
FINGER_PRESS.png (tools/fetch_prints.py); three public images are a smoke figure, not an accuracy.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import itertools
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import given
from PIL import Image
from rich.console import Console
from rich.table import Table

from bench.bench_fingerprint import measure
from drivers.errors import Retry
from drivers.fingerprint.host.matcher import Matcher, Print
from drivers.fingerprint.host.worker import PPMM_500
from drivers.fingerprint.zfm.chip import WorkTimes

MIN_SCORE = 40  #: the driver's default
Prints = dict[str, Print]


def read(folder: Path) -> Prints:
    found = {}
    for file in sorted(folder.glob("*_*.png")):
        image = Image.open(file).convert("L")
        found[file.stem] = Print(image.width, image.height, PPMM_500, image.tobytes())
    return found


async def ours(prints: Prints, rounds: int) -> tuple[dict[str, list[float]], list[str]]:
    """Seconds of each step through the driver's process, and what pairs scored."""
    took: dict[str, list[float]] = {"template": [], "decision": [], "quality": []}
    said = []
    matcher = Matcher("fingerprint")
    await matcher.start()
    try:
        records = {}
        for name, image in prints.items():
            for _ in range(rounds):
                begun = time.perf_counter()
                await matcher.extract(image)
                records[name] = await matcher.record()
                took["template"].append(time.perf_counter() - begun)
        for one, other in itertools.permutations(prints, 2):
            await matcher.load([records[one]])
            for n in range(rounds):
                begun = time.perf_counter()
                try:
                    score, _ = await matcher.compare(prints[other], MIN_SCORE)
                except Retry as late:
                    said.append(f"{one} against {other}: {late.reason}")
                    continue
                took["decision"].append(time.perf_counter() - begun)
                if not n:
                    same = "same finger" if finger(one) == finger(other) else "other finger"
                    said.append(f"{one} against {other} ({same}): {score}")
        for image in prints.values():
            for _ in range(rounds):
                begun = time.perf_counter()
                await matcher.quality(image)
                took["quality"].append(time.perf_counter() - begun)
    finally:
        await matcher.stop()
    return took, said


def bare(prints: Prints, rounds: int) -> dict[str, list[float]]:
    """The same steps by nbis-py itself: no process, no bound, nothing forgotten."""
    import nbis

    def extractor(nfiq2: bool) -> object:
        return nbis.new_nbis_extractor(nbis.NbisExtractorSettings(
            min_quality=0.0, get_center=False, check_fingerprint=False, compute_nfiq2=nfiq2,
            ppi=500.0,
        ))  # fmt: skip

    plain, judging = extractor(nfiq2=False), extractor(nfiq2=True)
    coded = {name: png(image) for name, image in prints.items()}
    took: dict[str, list[float]] = {"template": [], "decision": [], "quality": []}
    records = {}
    for name, data in coded.items():
        for _ in range(rounds):
            begun = time.perf_counter()
            records[name] = bytes(plain.extract_minutiae(data).to_iso_19794_2_2005())
            took["template"].append(time.perf_counter() - begun)
            begun = time.perf_counter()
            judging.extract_minutiae(data).quality()
            took["quality"].append(time.perf_counter() - begun)
    for one, other in itertools.permutations(prints, 2):
        template = plain.load_iso_19794_2_2005(records[one])
        for _ in range(rounds):
            begun = time.perf_counter()
            plain.extract_minutiae(coded[other]).compare(template)
            took["decision"].append(time.perf_counter() - begun)
    return took


def png(image: Print) -> bytes:
    out = io.BytesIO()
    Image.frombytes("L", (image.width, image.height), image.pixels).save(out, "PNG")
    return out.getvalue()


def finger(name: str) -> str:
    return name.partition("_")[0]


def add(table: Table, name: str, seconds: list[float]) -> None:
    ms = sorted(1000 * s for s in seconds)
    p95 = ms[int(0.95 * (len(ms) - 1))]
    table.add_row(name, str(len(ms)), f"{statistics.median(ms):.0f}", f"{p95:.0f}", f"{ms[-1]:.0f}")


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=given.whole(1), default=20)
    folder = Path(__file__).resolve().parents[1] / ".cache" / "prints"
    arguments.add_argument("--prints", type=Path, default=folder)
    chosen = arguments.parse_args()
    prints = read(chosen.prints)
    if len(prints) < 2:
        said = f"{chosen.prints}: fewer than two images; python tools/fetch_prints.py"
        print(said, file=sys.stderr)
        return 3
    mine, said = asyncio.run(ours(prints, chosen.rounds))
    theirs = bare(prints, chosen.rounds)
    _, module, _ = asyncio.run(measure(WorkTimes(), chosen.rounds))
    fingers = len({finger(name) for name in prints})
    title = f"{len(prints)} images of {fingers} fingers, {chosen.rounds} rounds, ms"
    table = Table(title=title)
    for column in ("step", "count", "median", "p95", "max"):
        table.add_column(column, justify="left" if column == "step" else "right")
    for key, step in (
        ("template", "image → template (mindtct)"),
        ("decision", "image → decision (mindtct, Bozorth3)"),
        ("quality", "image → NFIQ 2"),
    ):
        add(table, f"{step}: the driver's process", mine[key])
        add(table, f"{step}: nbis-py called straight", theirs[key])
    add(table, "image → decision by a ZFM module (timed twin, assumed work)", module)
    console = Console(width=110)
    console.print(table)
    for line in said:
        console.print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
