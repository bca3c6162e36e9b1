"""What the store costs: admissions against the disk's own fsync (bench_journal.py: the journal).

Run: python bench/bench_store.py [--folder DIR] [--admits N]. DIR should be on the lane's disk.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import given

from kiosk.clock import SystemClock
from kiosk.core.codes import Reason
from kiosk.core.idnumber import check_character
from kiosk.store import RosterRow, Store
from kiosk.store.vault import make_key_file

STROKES = os.urandom(4000)  #: about what a signature of two seconds takes
PHOTO = os.urandom(40_000)
WIDTH = 46


def row(n: int) -> RosterRow:
    first17 = f"3706021980{1 + n // 10000 % 9:02d}01{n % 1000:03d}"
    return RosterRow(
        session_id="S1",
        admission_no=f"A{n:06d}",
        identity_number=first17 + check_character(first17),
        name="考生",
        licence_class="C1",
        photo=PHOTO,
        templates=(os.urandom(512), os.urandom(512)),
        embedding=tuple(i / 128 for i in range(128)),
        encoder="dlib-resnet-v1",
    )


def timed(work: Callable[[], object], times: int) -> list[float]:
    """Milliseconds of each call."""
    found = []
    for _ in range(times):
        begun = time.perf_counter()
        work()
        found.append(1000 * (time.perf_counter() - begun))
    return found


def show(what: str, found: list[float]) -> float:
    """One line; returns the median in milliseconds."""
    ranked = sorted(found)
    median = statistics.median(ranked)
    p99 = ranked[int(0.99 * (len(ranked) - 1))]
    print(f"{what:<{WIDTH}} {median:8.2f} ms  p99 {p99:8.2f} ms  {1000 / median:8.0f} /s")
    return median


def bare_fsync(folder: Path, times: int) -> list[float]:
    """Append 4 KiB to a file and fsync it: what any durable commit costs at least."""
    block = os.urandom(4096)
    with open(folder / "bare", "ab", buffering=0) as file:

        def write() -> None:
            file.write(block)
            os.fsync(file.fileno())

        return timed(write, times)


def admissions(store: Store, folder: Path, people: int) -> None:
    candidates = [store.lookup("S1", row(n).identity_number).candidate for n in range(people)]
    spent: dict[str, list[float]] = {
        name: [] for name in ("sign", "admit", "receipt", "outcome", "fsync")
    }
    for candidate in candidates:
        assert candidate is not None
        strokes = STROKES + candidate.admission_no.encode()
        spent["fsync"] += bare_fsync(folder, 1)  # in between, so that both see the same disk
        begun = time.perf_counter()
        store.save_signature("S1", candidate, strokes, "0" * 64)
        signed = time.perf_counter()
        admission = store.admit("S1", candidate)
        seated = time.perf_counter()
        store.receipt("S1", candidate.candidate_id)
        noted = time.perf_counter()
        store.gate_outcome(admission.intent_id, Reason.ADMITTED)
        ended = time.perf_counter()
        for name, a, b in (("sign", begun, signed), ("admit", signed, seated)):
            spent[name].append(1000 * (b - a))
        spent["receipt"].append(1000 * (noted - seated))
        spent["outcome"].append(1000 * (ended - noted))
    bare = show("bare append and fsync of 4 KiB", spent["fsync"])
    show("save_signature (4 kB of strokes)", spent["sign"])
    admit = show("admit (draw, seat, gate intent)", spent["admit"])
    show("receipt (signs a head, writes the anchor)", spent["receipt"])
    show("gate_outcome", spent["outcome"])
    print(f"{'admit / bare fsync':<{WIDTH}} {admit / bare:8.2f} times")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--folder", type=Path, help="where to make the database")
    parser.add_argument("--admits", type=given.whole(1), default=300)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        make_key_file(folder / "lane.key")
        store = Store.open(folder / "data", folder / "lane.key", SystemClock())
        terminals = [f"{n:03d}" for n in range(options.admits)]
        store.create_session("S1", "科目一", datetime.now(UTC), terminals, person="bench")
        rows = [row(n) for n in range(options.admits)]
        begun = time.perf_counter()
        store.apply_roster(rows, "bench", "bench")
        seconds = time.perf_counter() - begun
        print(f"{f'roster of {len(rows)} taken in':<{WIDTH}} {seconds:8.2f} s")
        store.open_session("S1", "bench")
        show(f"gallery of {len(rows)}", timed(lambda: store.gallery("S1", "dlib-resnet-v1"), 5))
        admissions(store, folder, options.admits)
        size = (folder / "data" / "lane.db").stat().st_size / 1e6
        print(f"{'database':<{WIDTH}} {size:8.1f} MB")
        store.close()
        begun = time.perf_counter()
        Store.open(folder / "data", folder / "lane.key", SystemClock()).close()
        print(f"{'open again, with quick_check':<{WIDTH}} {time.perf_counter() - begun:8.2f} s")


if __name__ == "__main__":
    main()
