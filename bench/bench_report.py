"""What a session's report costs: gathering in the daemon, pages and signature beside it.

The peer is the same library writing a bare table of the same rows: one font, no wrapping cells, no
other sections. Run: python bench/bench_report.py [--people N] [--folder DIR]
"""

from __future__ import annotations

import argparse
import io
import json
import resource
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import given
from reportlab.lib.pagesizes import A4
from reportlab.platypus import LongTable, SimpleDocTemplate, TableStyle

from kiosk.clock import SystemClock
from kiosk.core.balance import balance
from kiosk.core.codes import JournalKind as K
from kiosk.core.codes import Reason
from kiosk.core.idnumber import check_character
from kiosk.report.dispute import collect, pack
from kiosk.report.dispute_check import check_dispute
from kiosk.report.gather import Place, gather
from kiosk.report.model import Report
from kiosk.report.page import report_pdf
from kiosk.report.paper import FONT, Paper
from kiosk.report.press import Job, Press
from kiosk.report.seal import CERTIFICATE, load_document_key
from kiosk.report.table import report_csv
from kiosk.report.timeline_page import timeline_pdf
from kiosk.store import RosterRow, Store
from kiosk.store.vault import make_key_file

PLACE = Place("KM1", "昆明一号考场", "A", "Asia/Shanghai", "bench")
STROKES = json.dumps({"strokes": [[[n, n, n, 0.5] for n in range(200)]]}).encode()
FAMILY, GIVEN = "赵钱孙李周吴郑王冯陈褚卫", "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平"
WIDTH = 58


def row(n: int) -> RosterRow:
    first17 = f"3706021980{1 + n // 10000 % 9:02d}01{n % 1000:03d}"
    name = FAMILY[n % 12] + GIVEN[n % 20] + GIVEN[n // 20 % 20]
    return RosterRow(
        session_id="S1",
        admission_no=f"37062611{n:05d}",
        identity_number=first17 + check_character(first17),
        name="阿卜杜热西提·阿卜杜拉艾合买提" if n % 50 == 7 else name,
        licence_class="C1",
        photo=bytes(40_000),
        templates=(),
        embedding=tuple(i / 128 for i in range(128)),
        encoder="dlib-resnet-v1",
    )


def session(folder: Path, people: int) -> Store:
    """One in ten does not come, one in twenty is turned away once before it works."""
    store = Store.open(folder / "data", folder / "lane.key", SystemClock(), "examgate/KM1/A")
    hall = [f"{n:03d}" for n in range(1, people + 1)]
    store.create_session("S1", "科目一", datetime.now(UTC), hall, person="bench")
    store.apply_roster([row(n) for n in range(people)], "bench", "bench")
    store.open_session("S1", "李老师", {"claim": "id_card", "finger": True, "liveness": True})
    for n in range(people):
        if n % 10 == 9:
            continue
        who = store.lookup("S1", row(n).identity_number).candidate
        assert who is not None
        about: dict[str, Any] = {"session_id": "S1", "pseudonym": who.pseudonym}
        if n % 20 == 0:
            store.journal(K.REFUSED, Reason.FACE_NOT_SURE, **about)
        store.journal(K.CLAIMED, payload={"by": "card"}, **about)
        store.journal(K.IDENTITY_VERIFIED, payload={"distance": 0.3127}, **about)
        store.journal(K.FINGER_VERIFIED, payload={"score": 100 + n % 90}, **about)
        store.save_signature("S1", who, STROKES + str(n).encode(), "0" * 64)
        admission = store.admit("S1", who)
        store.gate_pulse(admission.intent_id, "sent")
        store.gate_outcome(admission.intent_id, Reason.ADMITTED)
    store.close_session("S1", "李老师")
    return store


def bare(report: Report) -> bytes:
    """The same rows in one table, by the same library with the same font."""
    Paper("zh")  # registers it
    out = io.BytesIO()
    rows = [
        [n, r.admission_no, r.name, r.licence_class, r.entered_at and r.entered_at[11:19],
         r.terminal, r.draw_no]
        for n, r in enumerate(report.rows, 1)
    ]  # fmt: skip
    table = LongTable(rows, repeatRows=1, style=TableStyle([("FONT", (0, 0), (-1, -1), FONT, 8)]))
    SimpleDocTemplate(out, pagesize=A4, invariant=1).build([table])
    return out.getvalue()


def timed(what: str, work: Callable[[], Any], times: int = 3) -> Any:
    """Says the median of some runs and returns the last result."""
    found, result = [], None
    for _ in range(times):
        begun = time.perf_counter()
        result = work()
        found.append(time.perf_counter() - begun)
    size = f"{len(result) / 1000:8.1f} kB" if isinstance(result, bytes) else ""
    print(f"{what:<{WIDTH}} {1000 * statistics.median(found):9.1f} ms {size}")
    return result


def stalls(press: Callable[[], Any]) -> tuple[Any, float]:
    """Runs the press and says by how much a beat of 5 ms in this process was late at most."""
    worst, running = 0.0, True

    def beat() -> None:
        nonlocal worst
        while running:
            begun = time.perf_counter()
            time.sleep(0.005)
            worst = max(worst, time.perf_counter() - begun - 0.005)

    thread = threading.Thread(target=beat)
    thread.start()
    result = press()
    running = False
    thread.join()
    return result, worst


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--folder", type=Path, help="where to make the database")
    parser.add_argument("--people", type=given.whole(1), default=500)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        make_key_file(folder / "lane.key")
        store = session(folder, options.people)
        print(f"{options.people} candidates, {store.tree_head()[0]} entries")
        report = timed("gather (in the daemon)", lambda: gather(store, "S1", PLACE))
        assert not report.differences, "a clean session must balance"
        plain = [
            {"seq": e.seq, "kind": e.kind, "reason": e.reason, "pseudonym": e.pseudonym,
             "terminal": e.terminal, "payload": e.payload}
            for e in store.entries(0, 100_000, "S1")
        ]  # fmt: skip
        timed("  of that, the balance", lambda: balance(plain))
        pdf = timed("pages (zh)", lambda: report_pdf(report, "zh"))
        timed("pages (en)", lambda: report_pdf(report, "en"))
        timed("peer: bare table by the same library", lambda: bare(report))
        timed("csv", lambda: report_csv(report, "zh"))
        key = load_document_key(
            folder / "lane.key", folder / CERTIFICATE, store.origin, datetime.now(UTC)
        )
        key.sign_pdf(pdf, "warm", "up")
        timed("signature", lambda: key.sign_pdf(pdf, "bench", "bench"))
        job = Job(
            lang="zh",
            key_file=str(folder / "lane.key"),
            certificate=str(folder / CERTIFICATE),
            key_name=store.origin,
            now=datetime.now(UTC).isoformat(),
            reason="bench",
            place="bench",
            report=report,
        )

        def whole() -> bytes:
            press = Press(job)
            try:
                return press.result()
            finally:
                press.stop()

        _, late = stalls(lambda: timed("whole, in a process of its own", whole))
        print(f"{'latest beat of 5 ms in the daemon meanwhile':<{WIDTH}} {1000 * late:9.1f} ms")
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000
        print(f"{'memory of that process at its largest':<{WIDTH}} {peak:9.1f} MB")
        (person,) = store.find_people(row(0).identity_number)
        got = timed("dispute: collect (in the daemon)", lambda: collect(store, person, PLACE, "zh"))
        pages = key.sign_pdf(timeline_pdf(got.timeline, "zh"), "bench", "bench")
        data = timed("dispute: pack", lambda: pack(store, got, pages, key.pem))
        (folder / "d.zip").write_bytes(data)
        checked = timed("dispute: check", lambda: check_dispute(folder / "d.zip", store.vkey))
        assert not checked.findings
        store.close()


if __name__ == "__main__":
    main()
