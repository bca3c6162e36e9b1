"""What the store promises: one writer, one seat, two phases, nothing lost, nothing readable."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest
from sqlite_utils import Database

from kiosk.core.codes import JournalKind, Reason
from kiosk.core.draw import commitment, draw_terminal
from kiosk.core.fingers import Template
from kiosk.core.types import SessionState, Standing
from kiosk.store import Store
from kiosk.store.errors import (
    AlreadyInside,
    HallFull,
    KeyFileProblem,
    NewerSchema,
    NoSignature,
    NotOpen,
    StoreError,
    StoreLocked,
    StoreRefused,
)
from kiosk.store.migrations import STEPS, migrate, pending
from kiosk.store.vault import make_key_file, read_key_file
from tests.store.conftest import admit, candidate_of, row


def test_two_phases_of_admission(store):
    admission = admit(store, 0)
    assert admission.drawn_now
    assert store.lookup("S1", row(0).identity_number).standing is Standing.SEATED
    store.gate_outcome(admission.intent_id, Reason.GATE_TIMEOUT)
    assert store.lookup("S1", row(0).identity_number).standing is Standing.SEATED
    again = store.admit("S1", candidate_of(store, 0))
    assert (again.terminal, again.drawn_now) == (admission.terminal, False)
    store.gate_outcome(again.intent_id, Reason.ADMITTED)
    assert store.lookup("S1", row(0).identity_number).standing is Standing.INSIDE
    with pytest.raises(AlreadyInside):
        store.admit("S1", candidate_of(store, 0))
    with pytest.raises(StoreRefused, match="already ended"):
        store.gate_outcome(again.intent_id, Reason.ADMITTED)
    assert store.open_intents() == []


def test_a_full_hall_is_a_clear_refusal_that_changes_nothing(store):
    for n in range(3):
        admit(store, n)
    before = store.tree_head()[0]
    store.save_signature("S1", candidate_of(store, 3), b"strokes", "0" * 64)
    with pytest.raises(HallFull) as refused:
        store.admit("S1", candidate_of(store, 3))
    assert refused.value.reason is Reason.HALL_FULL
    assert store.tree_head()[0] == before + 1, "only the signature was written"
    assert store.counts("S1").free_terminals == 0


def test_no_seat_without_signature_or_session(store):
    with pytest.raises(NoSignature):
        store.admit("S1", candidate_of(store, 0))
    who = candidate_of(store, 0)
    store.save_signature("S1", who, b"strokes", "0" * 64)
    store.close_session("S1", "t")
    with pytest.raises(NotOpen):
        store.admit("S1", who)


def test_the_draw_can_be_recomputed_from_the_record(store):
    admission = admit(store, 1)
    store.close_session("S1", "t")
    entries = store.entries(0, 1000)
    by_kind = {e.kind: e for e in entries}
    seed = bytes.fromhex(by_kind["session_closed"].payload["seed"])
    opened = by_kind["session_opened"].payload
    assert commitment(seed, "S1", opened["hall_sha256"]) == opened["commitment"]
    drawn = by_kind["seat_drawn"]
    again = draw_terminal(
        seed=seed,
        session_id="S1",
        draw_no=drawn.payload["draw_no"],
        pseudonym=drawn.pseudonym,
        signature_sha256=by_kind["signed"].payload["signature_sha256"],
        free=drawn.payload["free"],
        pool=drawn.payload["free"],
    )
    assert again.terminal == admission.terminal == drawn.terminal
    assert by_kind["signed"].seq < drawn.seq < by_kind["gate_intent"].seq


def test_sessions_are_checked_and_one_is_open_at_a_time(store):
    now = datetime.now(UTC)
    with pytest.raises(StoreRefused) as refused:
        store.create_session("S1", "x", now, ["1", "1"], ["9"], capacity=5, person="t")
    assert len(refused.value.problems) == 4
    store.create_session("S2", "x", now, ["1", "2"], ["2"], person="t")
    with pytest.raises(StoreRefused, match="S1 is still open"):
        store.open_session("S2", "t")
    store.close_session("S1", "t")
    with pytest.raises(StoreRefused, match="cannot be opened again"):
        store.open_session("S1", "t")
    assert store.open_session("S2", "t").state is SessionState.OPEN
    assert store.counts("S2").free_terminals == 1
    store.set_terminal("S2", "2", True, "repaired", "t")
    assert store.counts("S2").free_terminals == 2


def test_roster_replaces_rows_and_keeps_seats(store):
    admission = admit(store, 0)
    summary = store.apply_roster([row(0, name="改名"), row(1), row(9)], "second", "t")
    assert (summary.added, summary.changed, summary.unchanged) == (1, 1, 1)
    lookup = store.lookup("S1", row(0).identity_number)
    assert (lookup.standing, lookup.terminal) == (Standing.SEATED, admission.terminal)
    assert lookup.candidate.name == "改名"
    with pytest.raises(StoreRefused, match="share one identity_number"):
        store.apply_roster([row(5), row(5, admission_no="other")], "x", "t")
    assert store.templates(lookup.candidate.candidate_id) == [Template(b"\0" * 512)]
    ids, vectors = store.gallery("S1", "dlib-resnet-v1")
    assert vectors.shape == (len(ids), 128) == (5, 128)
    assert len(store.gallery("S1", "another")[1]) == 0


def test_other_sessions_are_known_while_they_are_to_come(store):
    later = datetime.now(UTC) + timedelta(hours=2)
    store.create_session("S2", "x", later, ["1"], person="t")
    store.create_session("S0", "x", later - timedelta(days=2), ["1"], person="t")
    store.apply_roster([row(7, "S2"), row(8, "S0")], "x", "t")
    lookup = store.lookup("S1", row(7).identity_number)
    assert lookup.standing is Standing.OTHER_SESSION
    assert abs(lookup.other_session_starts_at - later) < timedelta(seconds=1)
    assert store.lookup("S1", row(8).identity_number).standing is Standing.UNKNOWN


def test_one_writer(store, folder, open_store):
    with pytest.raises(StoreLocked, match="in use by process"):
        open_store()
    store.close()
    open_store()


def test_nothing_biometric_lies_readable(store, folder):
    who = candidate_of(store, 2)
    secret = b"strokes-strokes-strokes"
    store.save_signature("S1", who, secret, "0" * 64)
    assert store.signature("S1", who.candidate_id) == secret
    store.close()
    everything = b"".join(p.read_bytes() for p in (folder / "data").iterdir() if p.is_file())
    for blob in (secret, b"photo 2", b"\2" * 64):
        assert blob not in everything


def test_key_files(tmp_path, folder):
    path = tmp_path / "k" / "lane.key"
    with pytest.raises(KeyFileProblem, match="--make-key"):
        read_key_file(path)
    make_key_file(path)
    assert len(read_key_file(path)) == 32
    with pytest.raises(KeyFileProblem, match="already"):
        make_key_file(path)
    path.chmod(0o644)
    with pytest.raises(KeyFileProblem, match="chmod 600"):
        read_key_file(path)
    path.chmod(0o600)
    path.write_text("short")
    with pytest.raises(KeyFileProblem, match="not a key"):
        read_key_file(path)


def test_another_lanes_key_is_said(store, folder, open_store):
    store.close()
    (folder / "lane.key").unlink()
    make_key_file(folder / "lane.key")
    with pytest.raises(KeyFileProblem, match="does not fit"):
        open_store()


# --- journal ----------------------------------------------------------------------------------


def test_every_entry_is_announced_to_the_outbox(store):
    admit(store, 0)
    entries = store.tree_head()[0]
    announced = entries + len(store.checkpoints(0, entries))
    assert store.outbox_size() == (announced, announced)
    first = store.outbox_pending(1)[0]
    store.outbox_acknowledge(first.outbox_id)
    assert store.outbox_pending(1)[0].ref == first.ref + 1


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("update journal set reason = 'X' where seq = 3", "entry 3: column reason"),
        ("update journal set entry = replace(entry, 'S1', 'S9') where seq = 3", "entry 3: its con"),
        ("delete from journal where seq = 3", "entry 3: missing"),
        ("delete from journal where seq = (select max(seq) from journal)", "the journal ends here"),
        ("update journal set seq = 99 where seq = 3", "entry 3: missing"),
    ],
)
def test_bending_the_journal_is_found_and_named(store, folder, open_store, statement, found):
    admit(store, 0)
    assert store.verify() == []
    store.close()
    raw = sqlite3.connect(folder / "data" / "lane.db")
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        raw.execute(statement)
    raw.executescript("drop trigger journal_keeps_what_it_has; drop trigger journal_loses_nothing;")
    raw.execute(statement)
    raw.commit()
    raw.close()
    problems = open_store().verify()
    assert any(found in p for p in problems), problems


def test_a_clock_set_back_is_said(store):
    class Earlier:
        def now(self):
            return datetime.now(UTC) - timedelta(hours=1)

        def monotonic(self):
            return time.monotonic()

    store._journal._clock = Earlier()
    store.journal(JournalKind.HELP)
    kinds = [e.kind for e in store.entries(0, 1000)]
    assert kinds[-2:] == ["clock_stepped_back", "help"]


# --- opening ----------------------------------------------------------------------------------


def test_newer_schema_is_refused(store, folder, open_store):
    store.close()
    raw = sqlite3.connect(folder / "data" / "lane.db")
    raw.execute("insert into migrations values ('9999_future', 'now')")
    raw.commit()
    raw.close()
    with pytest.raises(NewerSchema, match="9999_future"):
        open_store()


def test_a_copy_is_made_before_an_existing_database_is_migrated(
    store, folder, open_store, monkeypatch
):
    store.close()
    more = (*STEPS, ("9001_more", lambda db: db.execute("create table more (x)")))
    for function in (pending, migrate):
        monkeypatch.setattr(function, "__defaults__", (more,))
    assert "more" in open_store()._db.table_names()
    copies = list((folder / "data" / "backups").iterdir())
    assert len(copies) == 1
    copy = sqlite3.connect(copies[0])
    assert copy.execute("select count(*) from candidates").fetchone() == (4,)
    assert "more" not in Database(copy).table_names()


def test_a_failing_migration_changes_nothing():
    database = Database(sqlite3.connect(":memory:", isolation_level=None))

    def fails(db):
        db.execute("create table half (x)")
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        migrate(database, "now", (*STEPS, ("9001_bad", fails)))
    assert "half" not in database.table_names()
    assert "journal" in database.table_names(), "the step before it stays"


def test_a_damaged_file_is_said(store, folder, open_store):
    store.close()
    path = folder / "data" / "lane.db"
    path.write_bytes(b"this is not a database" * 500)
    with pytest.raises(StoreError, match="restore a copy"):
        open_store()


KILLED = """
import sys
from pathlib import Path
from kiosk.clock import SystemClock
from kiosk.store import Store
from tests.store.conftest import admit
store = Store.open(Path(sys.argv[1]) / "data", Path(sys.argv[1]) / "lane.key", SystemClock())
print("ready", flush=True)
for n in range(40):
    admission = admit(store, n)
    print(n, admission.terminal, flush=True)
"""


@pytest.mark.parametrize("lines", [1, 3, 7, 15])
def test_killed_in_the_middle(folder, open_store, lines):
    store: Store = open_store()
    store.create_session("S1", "x", datetime.now(UTC), [f"{n:03d}" for n in range(40)], person="t")
    store.apply_roster([row(n) for n in range(40)], "test", "t")
    store.open_session("S1", "t")
    store.close()
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(folder)], stdout=subprocess.PIPE, text=True
    ) as process:
        told = [process.stdout.readline().split() for _ in range(lines + 1)][1:]
        process.kill()
    store = open_store()
    assert store.verify() == []
    seated = store.counts("S1").seated
    assert seated >= len(told), "what was told to the caller is on disk"
    assert len(store.open_intents()) == seated
    for n, terminal in told:
        assert store.lookup("S1", row(int(n)).identity_number).terminal == terminal
    drawn = [e for e in store.entries(0, 10_000) if e.kind == "seat_drawn"]
    assert len(drawn) == seated == len({e.terminal for e in drawn})
