"""How large an admitted candidate is: bytes in the journal, in the record, in the database.

Run: python bench/bench_record.py [--people N]. Nobody's photograph or finger is counted: those
come with the roster. A signature is three strokes of 80 points, two seconds at 120 a second.
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import given

from bench.bench_store import row
from kiosk.clock import SystemClock
from kiosk.core.codes import JournalKind, Reason
from kiosk.ink import make_ink, write_ink
from kiosk.store import Store
from kiosk.store.vault import make_key_file

WIDTH = 46


def signature(n: int) -> bytes:
    strokes = [
        [
            (60 + 250 * s + 2.2 * i + 40 * math.sin(i / 6 + n), 200 + 90 * math.cos(i / 5 + s + n),
             8.3 * (80 * s + i), 0.3 + 0.4 * abs(math.sin(i / 15)))
            for i in range(80)
        ]
        for s in range(3)
    ]  # fmt: skip
    return write_ink(make_ink(strokes, 1000, 400, "touch", "0" * 64))


def pages(store: Store) -> int:
    """Bytes that the database really uses."""
    size, count, free = (
        store._db.execute(f"pragma {name}").fetchone()[0]
        for name in ("page_size", "page_count", "freelist_count")
    )
    return int(size * (count - free))


def one(store: Store, n: int) -> int:
    """A candidate's whole way as the lane writes it; returns the signature's bytes."""
    candidate = store.lookup("S1", row(n).identity_number).candidate
    assert candidate is not None
    who = {"session_id": "S1", "pseudonym": candidate.pseudonym}
    for kind in (JournalKind.CLAIMED, JournalKind.IDENTITY_VERIFIED):
        store.journal(kind, **who)
    store.journal(JournalKind.FINGER_VERIFIED, **who, payload={"score": 141})
    document = signature(n)
    store.save_signature("S1", candidate, document, "0" * 64)
    seat = store.admit("S1", candidate)
    store.gate_pulse(seat.intent_id, "sent")
    store.receipt("S1", candidate.candidate_id)
    store.gate_outcome(seat.intent_id, Reason.ADMITTED)
    return len(document)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--people", type=given.whole(1), default=100)
    people = parser.parse_args().people
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_key_file(folder / "lane.key")
        store = Store.open(folder / "data", folder / "lane.key", SystemClock())
        terminals = [f"{n:03d}" for n in range(people)]
        store.create_session("S1", "科目一", datetime.now(UTC), terminals, person="bench")
        store.apply_roster([row(n) for n in range(people)], "bench", "bench")
        store.open_session("S1", "bench")
        before, first = pages(store), store.tree_head()[0]
        ink = sum(one(store, n) for n in range(people))
        grown, last = pages(store) - before, store.tree_head()[0]
        texts = [len(text.encode()) for text, _ in store._journal.texts(first + 1, last)]
        store.close_session("S1", "bench")
        record = sum(len(line.encode()) + 1 for line in store.record("S1"))
        store.close()
    figures = {
        "entries": (last - first) / people,
        "entries' bytes": sum(texts) / people,
        "signature (InkML), bytes": ink / people,
        "database grows by, bytes": grown / people,
        "session's record, bytes": record / people,
    }
    print(f"for each of {people} candidates in a hall of {people} terminals")
    for said, value in figures.items():
        print(f"{said:<{WIDTH}} {value:10,.0f}")


if __name__ == "__main__":
    main()
