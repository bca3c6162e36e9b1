"""What a draw costs, against a bare fsync of the disk; and a million simulated draws, tested.

Run: python bench/bench_draw.py [--folder DIR] [--draws N] [--seed TEXT].
"""

from __future__ import annotations

import argparse
import hashlib
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from kiosk.core.draw import draw_terminal
from kiosk.core.hall import Facts, Terminal, pool_of
from kiosk.stats.simulate import VENUE, hall, simulate
from kiosk.stats.tests import run_tests

WIDTH = 46
ROUNDS = 2000


def each(works: dict[str, Callable[[int], object]], times: int) -> dict[str, float]:
    """Median milliseconds of each, in turn, so that all see the same machine."""
    spent: dict[str, list[float]] = {name: [] for name in works}
    for n in range(times):
        for name, work in works.items():
            begun = time.perf_counter()
            work(n)
            spent[name].append(1000 * (time.perf_counter() - begun))
    return {name: statistics.median(found) for name, found in spent.items()}


def cost(folder: Path) -> None:
    terminals: list[Terminal] = hall()
    held = {f"{n:03d}": "a" * 32 for n in range(1, 30, 3)}
    facts = Facts("C1", school="a" * 32)
    pool = pool_of(terminals, held, facts, capacity=100, spacing=True)

    def rules(n: int) -> object:
        return pool_of(terminals, held, facts, capacity=100, spacing=True)

    def draw(n: int) -> object:
        return draw_terminal(
            seed=bytes(32), session_id="KM1-0900", draw_no=n + 1, pseudonym="0" * 32,
            signature_sha256=hashlib.sha256(str(n).encode()).hexdigest(),
            free=pool.free, pool=pool.names,
        )  # fmt: skip

    block = os.urandom(4096)
    with open(folder / "bare", "ab", buffering=0) as file:

        def fsync(n: int) -> None:
            file.write(block)
            os.fsync(file.fileno())

        found = each({"rules": rules, "draw": draw, "fsync": fsync}, ROUNDS)
    names = {
        "fsync": "bare append and fsync of 4 KiB",
        "rules": f"rules of the hall, {len(terminals)} terminals",
        "draw": f"draw from a pool of {len(pool.names)}",
    }
    for name, said in names.items():
        print(f"{said:<{WIDTH}} {found[name]:8.3f} ms  {1000 / found[name]:8.0f} /s")
    both = found["rules"] + found["draw"]
    print(f"{'rules and draw / bare fsync':<{WIDTH}} {both / found['fsync']:8.2f} times")


def million(draws: int, seed: str) -> bool:
    begun = time.perf_counter()
    *_, tally = simulate(draws, seed)
    seconds = time.perf_counter() - begun
    print(f"{f'{tally.draws:,} simulated draws, {tally.sessions:,} sessions':<{WIDTH}} "
          f"{seconds:8.1f} s   {tally.draws / seconds:8.0f} /s  ({os.cpu_count()} processes, "
          f"seed {seed!r})")  # fmt: skip
    results = run_tests({VENUE: tally})
    for r in results:
        value = f"chi2({r.degrees}) = {r.value:.1f}" if r.degrees else f"z = {r.value:+.2f}"
        print(f"  {r.test:<{WIDTH - 2}} {value:<18} p {r.p:.3f}  after Holm {r.adjusted:.3f}")
    return not any(r.unusual for r in results)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--folder", type=Path, help="where to write; on the lane's disk")
    parser.add_argument("--draws", type=int, default=1_000_000)
    parser.add_argument("--seed", default="a million")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        cost(Path(name))
    if not million(options.draws, options.seed):
        sys.exit("unusual")


if __name__ == "__main__":
    main()
