"""What the journal costs as it grows, how large its proofs are, and how fast it is checked.

Run: python bench/bench_journal.py [--folder DIR] [--sizes N …] [--people N]. DIR should be on the
lane's disk. The peer of an append is a bare append with fsync, between the appends of the same
run; the peer of the audit is hashing and parsing the same lines and nothing else.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import given
from bench_store import WIDTH, bare_fsync, row, show, timed

from kiosk.audit.record import parse_record
from kiosk.audit.run import audit
from kiosk.clock import SystemClock
from kiosk.core.codes import JournalKind, Reason
from kiosk.core.merkle import inclusion_holds
from kiosk.store import Store
from kiosk.store.vault import make_key_file

APPENDS = 300
POLICY = {"claim": "id_card", "finger": True, "liveness": True}


def tell(what: str, value: str) -> None:
    print(f"{what:<{WIDTH}} {value}", flush=True)


def fill(store: Store, size: int) -> None:
    """Entries as refusals have them, many in a transaction: only to get there."""
    while (have := store.tree_head()[0]) < size:
        with store._transaction():
            for _ in range(min(5000, size - have)):
                store._note(JournalKind.REFUSED, Reason.NOT_ON_ROSTER, session_id="S0")


def appending(store: Store, folder: Path, sizes: list[int]) -> None:
    def append() -> None:
        store.journal(JournalKind.REFUSED, Reason.NOT_ON_ROSTER, session_id="S1")

    for size in sizes:
        fill(store, size)
        spent: dict[str, list[float]] = {"append": [], "bare": []}
        for _ in range(APPENDS):
            spent["bare"] += bare_fsync(folder, 1)
            spent["append"] += timed(append, 1)
        median = show(f"append one entry at {size:,}", spent["append"])
        bare = show("  bare append and fsync of 4 KiB", spent["bare"])
        tell("  append / bare fsync", f"{median / bare:8.2f} times")
        begun = time.perf_counter()
        store.sign_head()
        tell("  sign the tree", f"{1000 * (time.perf_counter() - begun):8.2f} ms")
        show("  the proctor's list", timed(lambda: store.candidates("S1"), 5))
    begun = time.perf_counter()
    assert store.verify() == []
    seconds = time.perf_counter() - begun
    size = store.tree_head()[0]
    tell(f"recompute all {size:,}", f"{seconds:8.2f} s, {size / seconds:.0f} entries/s")


def proofs(store: Store) -> None:
    size, root = store.tree_head()
    begun = time.perf_counter()
    proof = store.inclusion_proof(size // 3)
    seconds = time.perf_counter() - begun
    hashes = len(proof.path)
    tell(f"proof of one entry of {size:,}", f"{32 * hashes:8d} bytes in {hashes} hashes")
    tell("  made in", f"{seconds:8.2f} s")
    entry = store.entries(size // 3 - 1, 1)[0]
    leaf, at = bytes.fromhex(entry.leaf_hash), size // 3 - 1
    checked = timed(
        lambda: inclusion_holds(leaf, at, proof.head.size, proof.path, bytes.fromhex(root)), 1000
    )
    show("  checked", checked)
    assert inclusion_holds(leaf, at, proof.head.size, proof.path, bytes.fromhex(root))


def whole_session(store: Store, people: int) -> list[str]:
    """A session through the store, everything but devices; its record's lines."""
    terminals = [f"{n:03d}" for n in range(people)]
    store.create_session("S1", "科目一", datetime.now(UTC), terminals, person="bench")
    store.apply_roster([row(n) for n in range(people)], "bench", "bench")
    store.open_session("S1", "bench", POLICY)
    for n in range(people):
        who = store.lookup("S1", row(n).identity_number).candidate
        assert who is not None
        for kind in ("CLAIMED", "IDENTITY_VERIFIED", "FINGER_VERIFIED"):
            store.journal(JournalKind[kind], session_id="S1", pseudonym=who.pseudonym)
        store.save_signature("S1", who, f"strokes {n}".encode(), "0" * 64)
        admission = store.admit("S1", who)
        store.gate_pulse(admission.intent_id, "sent")
        store.gate_outcome(admission.intent_id, Reason.ADMITTED)
        store.receipt("S1", who.candidate_id)
    store.close_session("S1", "bench")
    return list(store.record("S1"))


def checking(lines: list[str], people: int) -> None:
    text = "".join(f"{line}\n" for line in lines)
    entries = json.loads(lines[0])["entries"]
    size = len(text.encode()) / 1e6
    tell(f"record of {people} candidates", f"{size:8.2f} MB, {entries:,} entries")
    tell("  of it a candidate", f"{1e6 * size / people:8.0f} bytes")

    def bare() -> None:
        for line in lines:
            hashlib.sha256(line.encode())
            json.loads(line)

    def full() -> None:
        assert audit(parse_record(text)).findings == ()

    spent: dict[str, float] = {}
    runs: list[tuple[str, Callable[[], None]]] = [("bare", bare), ("full", full)]
    for name, work in runs:
        work()
        spent[name] = min(timed(work, 5)) / 1000
    tell(
        "audited", f"{entries / spent['full']:8.0f} entries/s, {people / spent['full']:.0f} draws/s"
    )
    tell("  against hashing and parsing alone", f"{spent['full'] / spent['bare']:8.1f} times")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--folder", type=Path, help="where to make the databases")
    parser.add_argument("--people", type=given.whole(1), default=500)
    parser.add_argument("--sizes", type=int, nargs="*", default=[1_000, 10_000, 100_000, 1_000_000])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        make_key_file(folder / "lane.key")
        store = Store.open(folder / "session", folder / "lane.key", SystemClock())
        checking(whole_session(store, options.people), options.people)
        store.close()
        (folder / "lane-sign.key").unlink()
        store = Store.open(folder / "long", folder / "lane.key", SystemClock())
        appending(store, folder, options.sizes)
        proofs(store)
        store.close()
        begun = time.perf_counter()
        Store.open(folder / "long", folder / "lane.key", SystemClock()).close()
        tell("open again, with quick_check", f"{time.perf_counter() - begun:8.2f} s")


if __name__ == "__main__":
    main()
