"""Migrations against a real kill: whatever moment the power goes, the old schema or the new."""

from __future__ import annotations

import sqlite3
import subprocess
import sys

import pytest
from sqlite_utils import Database

from kiosk.store import migrations
from kiosk.store.migrations import STEPS, pending
from tests.store.conftest import row

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


def test_a_lanes_database_of_before_gets_the_faces_of_the_day(folder, open_store, monkeypatch):
    before = STEPS[:2]
    for function in (pending, migrations.migrate):
        monkeypatch.setattr(function, "__defaults__", (before,))
    old = open_store()
    old.apply_roster([row(n) for n in range(4)], "test", "t")
    assert "day_faces" not in old._db.table_names()
    old.close()
    monkeypatch.undo()
    new = open_store()
    assert new.open_alerts() == [] and new.cleared_pairs("2026-11-23") == frozenset()
    assert new.lookup("S1", row(0).identity_number).candidate is not None
    assert new.verify() == []
    assert len(list((folder / "data" / "backups").iterdir())) == 1


def test_the_store_is_durable_by_pragma(store):
    found = {
        name: store._db.execute(f"pragma {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "foreign_keys")
    }
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    assert (store._data_dir / "lane.db").stat().st_mode & 0o777 == 0o600
    assert store._data_dir.stat().st_mode & 0o077 == 0
