"""Migrations against a real kill: whatever moment the power goes, the old schema or the new."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from sqlite_utils import Database

from kiosk.clock import SystemClock
from kiosk.core.codes import Reason, VoidReason
from kiosk.core.types import Standing
from kiosk.store import Store, migrations
from kiosk.store.migrations import STEPS, pending
from tests.store.conftest import admit, candidate_of, row

KILLED = """
import os, signal, sys
from pathlib import Path
from kiosk.clock import SystemClock
from kiosk.store import Store, migrations

def more(db):
    db.execute("create table more (x)")
    db.execute("insert into more values (1)")
    if sys.argv[2] == "inside":
        os.kill(os.getpid(), signal.SIGKILL)

def most(db):
    db.execute("create table most (x)")
    os.kill(os.getpid(), signal.SIGKILL)

steps = (*migrations.STEPS, ("9001_more", more), ("9002_most", most))
for function in (migrations.pending, migrations.migrate):
    function.__defaults__ = (steps,)
Store.open(Path(sys.argv[1]) / "data", Path(sys.argv[1]) / "lane.key", SystemClock())
"""


@pytest.mark.parametrize(("moment", "tables"), [("inside", set()), ("between", {"more"})])
def test_killed_inside_a_migration(store, folder, moment, tables):
    store.close()
    done = subprocess.run([sys.executable, "-c", KILLED, str(folder), moment], check=False)
    assert done.returncode == -9
    database = Database(folder / "data" / "lane.db")
    assert {"more", "most"} & set(database.table_names()) == tables
    names = {name for (name,) in database.execute("select name from migrations")}
    assert names - {name for name, _ in STEPS} == {f"9001_{name}" for name in tables}
    (copy,) = (folder / "data" / "backups").iterdir()
    assert copy.stat().st_mode & 0o777 == 0o600
    assert sqlite3.connect(copy).execute("select count(*) from journal").fetchone() == (3,)


def test_nothing_is_copied_when_nothing_is_pending(store, folder, open_store):
    store.close()
    open_store()
    assert not (folder / "data" / "backups").exists()


def test_steps_have_names_in_order_and_none_twice():
    names = [name for name, _ in STEPS]
    assert names == sorted(set(names))
    assert pending(Database(memory=True)) == list(STEPS)
    assert migrations.migrate.__defaults__ == (STEPS,)


# --- a lane that ran on the version before ------------------------------------------------------


@pytest.fixture
def old_lane(tmp_path):
    """lane.db of examgate 0.1.0, session S1 open in it: before/0002.sql."""
    script = (Path(__file__).parent / "before" / "0002.sql").read_text()
    data = tmp_path / "old" / "data"
    data.mkdir(parents=True)
    key = data.parent / "lane.key"
    key.touch(mode=0o600)
    key.write_text(re.search(r"Key: (\w+)", script)[1] + "\n")
    with contextlib.closing(sqlite3.connect(data / "lane.db")) as database:
        database.executescript(script)
    return data.parent


@pytest.fixture
def migrated(old_lane):
    store = Store.open(old_lane / "data", old_lane / "lane.key", SystemClock())
    yield store
    store.close()


def test_it_gets_the_faces_of_the_day(migrated, old_lane):
    assert migrated.open_alerts() == [] and migrated.cleared_pairs("2026-11-23") == frozenset()
    assert migrated.verify() == []
    assert len(list((old_lane / "data" / "backups").iterdir())) == 1


def test_bent_entries_and_equal_signatures_do_not_keep_it_from_starting(old_lane):
    with contextlib.closing(sqlite3.connect(old_lane / "data" / "lane.db")) as database:
        database.execute("drop trigger journal_keeps_what_it_has")
        database.execute("update journal set entry = '{\"payload\": bent' where seq ="
                         " (select max(seq) from journal where kind = 'signed')")  # fmt: skip
        database.execute("insert into signatures (session_id, candidate_id, sha256, text_sha256,"
                         " strokes, at) select session_id, 4, sha256, text_sha256, strokes, at"
                         " from signatures order by rowid limit 1")  # fmt: skip
        database.commit()
        (one, first), (two, _) = database.execute(
            "select candidate_id, seq from signatures join (select min(seq) as seq from journal"
            " where kind = 'signed') where candidate_id <> 4 order by candidate_id"
        )
    store = Store.open(old_lane / "data", old_lane / "lane.key", SystemClock())
    query = "select candidate_id, seq from signatures order by candidate_id"
    assert store._rows(query) == [(one, first), (two, None), (4, None)]
    assert store.verify() != []
    store.close()


def test_its_open_session_goes_on_and_keeps_every_seat(migrated):
    assert migrated.lookup("S1", row(0).identity_number).standing is Standing.INSIDE
    seated = migrated.lookup("S1", row(1).identity_number)
    again = migrated.admit("S1", seated.candidate)
    assert (again.terminal, again.drawn_now) == (seated.terminal, False)
    migrated.gate_outcome(again.intent_id, Reason.ADMITTED)
    third = admit(migrated, 2)
    assert third.draw_no == 3
    session = migrated.session("S1")
    assert session.out_of_service == {"005"} and len(session.usable_terminals) == 4
    assert not session.spacing and session.commitment and session.hall_sha256 is None
    held = {migrated.lookup("S1", row(n).identity_number).terminal for n in range(3)}
    assert len(held) == 3 and "005" not in held


def test_in_its_record_both_versions_of_the_draw_can_be_checked(migrated):
    """As docs/draw.md has it under Version 1, without any code of ours."""
    admit(migrated, 2)
    migrated.close_session("S1", "t")
    entries = migrated.entries(0, 1000)
    by_kind = {e.kind: e.payload for e in entries}
    seed = bytes.fromhex(by_kind["session_closed"]["seed"])
    tagged = b"examgate/seed/v1\x00S1\x00" + seed
    assert hashlib.sha256(tagged).hexdigest() == by_kind["session_opened"]["commitment"]
    drawn = [e for e in entries if e.kind == "seat_drawn"]
    assert ["pool_hash" in e.payload for e in drawn] == [False, False, True]
    for entry in drawn:
        p = entry.payload
        lines = ["examgate/draw/v1", str(p["draw_no"]), entry.pseudonym, p["signature_sha256"],
                 p["free_hash"]]  # fmt: skip
        if "pool_hash" in p:
            lines[:1] = ["examgate/draw/v2", "S1"]
            lines.append(p["pool_hash"])
        block = hmac.digest(seed, "\n".join([*lines, "0"]).encode(), "sha256")
        assert p["free"][int.from_bytes(block, "big") % len(p["free"])] == entry.terminal
    assert migrated.verify() == []


def test_a_seat_of_its_session_can_be_given_up_and_drawn_anew(migrated):
    terminal = migrated.lookup("S1", row(0).identity_number).terminal
    voided = migrated.void_seat("S1", terminal, VoidReason.TERMINAL_BROKEN, "t")
    assert (voided.draw_no, voided.was_inside) == (1, True)
    migrated.save_signature("S1", candidate_of(migrated, 0), b"once more", "0" * 64)
    assert migrated.admit("S1", candidate_of(migrated, 0)).terminal != terminal


def test_the_store_is_durable_by_pragma(store):
    found = {
        name: store._db.execute(f"pragma {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "foreign_keys")
    }
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    assert (store._data_dir / "lane.db").stat().st_mode & 0o777 == 0o600
    assert store._data_dir.stat().st_mode & 0o077 == 0
