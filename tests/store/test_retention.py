"""What is past its retention cannot be read again, in no copy and with no key of the lane."""

from __future__ import annotations

import itertools
import shutil
import sqlite3
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kiosk.clock import SystemClock
from kiosk.store import Store
from kiosk.store.errors import StoreError, StoreRefused
from kiosk.store.evidence import EvidenceKind
from kiosk.store.vault import KEY_BYTES, Vault, read_key_file
from tests.store.conftest import admit, candidate_of, row

#: As what the store encrypts with a session's key.
PURPOSES = (b"photo", b"template", b"strokes", b"salt", b"capture", b"report", b"embedding",
            b"face of the day")  # fmt: skip


class Later(SystemClock):
    def __init__(self, days: float) -> None:
        self._by = timedelta(days=days)

    def now(self):
        return super().now() + self._by


def everything(folder: Path) -> dict[str, bytes]:
    return {str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file()}


def blobs(database: Path) -> list[bytes]:
    """Every binary cell of every table."""
    with sqlite3.connect(database) as connection:
        names = [
            n for (n,) in connection.execute("select name from sqlite_master where type='table'")
        ]
        cells = (
            cell for n in names for r in connection.execute(f"select * from {n}") for cell in r
        )
        found = [cell for cell in cells if isinstance(cell, bytes) and len(cell) > 28]
    connection.close()
    return found


@pytest.fixture
def used(store, folder):
    """A closed session in which somebody was admitted, its evidence still waiting to be sent; and a
    copy of the database from then."""
    store.send_evidence(EvidenceKind)
    store.apply_roster([row(7, "S2")], "other", "t")
    admit(store, 1)
    store.keep_capture("S1", candidate_of(store, 1), b"\xff\xd8 picture of 1", "verified")
    store.close_session("S1", "t")
    store.note_report("S1", {}, b"%PDF report of 1", b"table of 1")
    (folder / "data" / "backups").mkdir(exist_ok=True)
    shutil.copy(folder / "data" / "lane.db", folder / "early.db")
    shutil.copy(folder / "data" / "lane.db-wal", folder / "early.db-wal")
    shutil.copy(folder / "early.db", folder / "data" / "backups" / "before-x.db")
    return store


def test_a_copy_of_everything_taken_afterwards_gives_nothing_back(used, folder):
    """The thief has the whole disk, the lane's key, and a copy of the database from before."""
    signed = used.signatures("S1", used.lookup("S1", row(1).identity_number).candidate.candidate_id)
    assert signed, "before, it is there"
    used.forget_session("S1", "t", "test")
    used.close()
    disk = everything(folder)
    lane_key = read_key_file(folder / "lane.key")

    shown = ("strokes of 1", "picture of 1", "report of 1", "table of 1")
    for data in (row(1).identity_number, row(1).name, *shown):
        assert [n for n, raw in disk.items() if data.encode() in raw and "early" not in n] == []
    # every key that can be made of what is there, on every blob that there is or was
    seen = [*blobs(folder / "early.db"), *blobs(folder / "data" / "lane.db")]
    pieces = [lane_key, *(raw for n, raw in disk.items() if "/keys/" in n)]
    with sqlite3.connect(folder / "early.db") as old:
        scopes = dict(old.execute("select scope, wrapped from keys").fetchall())
    old.close()
    assert {"S1", "S2"} <= set(scopes)
    vault = Vault(None, lane_key, folder / "data" / "keys")  # type: ignore[arg-type]
    with pytest.raises(StoreError):
        vault._unwrap("S1", scopes["S1"])
    assert len(vault._unwrap("S2", scopes["S2"])) == KEY_BYTES, "the other session lives"
    for piece, blob in itertools.product(pieces, seen):
        for label in (b"key\0S1", *(b"S1\0" + name for name in PURPOSES)):
            for at in (0, 1):
                with pytest.raises(InvalidTag):
                    AESGCM(piece[:KEY_BYTES]).decrypt(blob[at : at + 12], blob[at + 12 :], label)


def test_the_secret_is_overwritten_where_it_lies(used, folder, monkeypatch):
    """No second file, no truncation: the very blocks hold zeros before the name goes."""
    file = used._vault._file("S1")
    held = file.open("rb")
    before = held.read()
    used.forget_session("S1", "t", "test")
    held.seek(0)
    assert any(before) and held.read() == bytes(KEY_BYTES)
    held.close()
    assert not file.exists()


def test_what_is_left_names_nobody_and_the_journal_holds(used):
    before = {h.session_id: h for h in used.held()}["S1"]
    assert (before.candidates, before.templates, before.signatures, before.reports) == (4, 4, 1, 1)
    used.forget_session("S1", "周静", "retention")
    assert [h.session_id for h in used.held()] == ["S2"]
    entry = used.entries(0, 1000)[-1]
    assert entry.kind == "session_forgotten" and entry.session_id is None
    assert entry.payload == {"session_id": "S1", "why": "retention", "person": "周静",
                             **before.counts()}  # fmt: skip
    assert used.verify() == []
    assert used.about(row(1).identity_number) == []
    assert used.about(row(7, "S2").identity_number)[0]["templates"] == 1


def test_only_what_is_over_is_forgotten(store):
    with pytest.raises(StoreRefused, match="not over"):
        store.forget_session("S1", "t", "test")
    with pytest.raises(StoreRefused, match="nothing personal"):
        store.forget_session("S9", "t", "test")
    store.close_session("S1", "t")
    store.forget_session("S1", "t", "test")
    with pytest.raises(StoreRefused, match="nothing personal"):
        store.forget_session("S1", "t", "again")


@pytest.mark.parametrize(("days", "due"), [(29, []), (31, ["S1", "S2"])])
def test_when_it_is_due(folder, used, days, due):
    """S2 has a roster and was never created: it counts from its roster."""
    used.close()
    later = Store.open(folder / "data", folder / "lane.key", Later(days))
    assert sorted(later.due(30)) == due
    later.close()


def test_interrupted_after_the_secret_it_is_finished_the_next_time(used, folder, monkeypatch):
    def power_cut(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as m, pytest.raises(KeyboardInterrupt):
        m.setattr(Store, "_empty", power_cut)
        used.forget_session("S1", "t", "test")
    used.close()
    again = Store.open(folder / "data", folder / "lane.key", SystemClock())
    assert again.forget_session("S1", "t", "test").candidates == 4
    again.close()


KILLED = """
import os, signal, sys
from pathlib import Path
from kiosk.clock import SystemClock
from kiosk.store import Store

def watch(statement):
    if statement.lower().startswith(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)

folder = Path(sys.argv[1])
store = Store.open(folder / "data", folder / "lane.key", SystemClock())
store._db.conn.set_trace_callback(watch)
store.forget_session("S1", "t", "x")
"""


@pytest.mark.parametrize("before", ["delete from keys", "begin", "update candidates", "commit"])
def test_killed_while_it_forgets_it_starts_and_the_rest_goes(used, folder, open_store, before):
    used.close()
    done = subprocess.run([sys.executable, "-c", KILLED, str(folder), before], check=False)
    assert done.returncode == -9
    store = open_store()
    assert store.rotate_key(folder / "lane.key", "t") >= 1
    store.close()
    store = open_store()
    store.apply_roster([row(8, "S2")], "other", "t")
    assert store.due(0) == ["S1"]
    store.forget_session("S1", "t", "x")
    assert store.verify() == [] and store.due(0) == []


def test_a_secret_that_was_cut_off_while_it_was_made_is_made_again(store, folder):
    file = store._vault._file("S3")
    file.touch(mode=0o600)
    store.apply_roster([row(3, "S3")], "x", "t")
    assert len(file.read_bytes()) == KEY_BYTES


def test_keys_of_the_first_version_get_a_secret(folder, open_store):
    """As 0.1.0 wrapped them: with the lane's key alone."""
    store = open_store()
    store.apply_roster([row(1)], "t", "t")
    photo = store._vault._key("S1")
    del photo
    vault = store._vault
    wrapped = store._db.execute("select wrapped from keys where scope = 'S1'").fetchone()[0]
    key, nonce = vault._unwrap("S1", wrapped), bytes(12)
    old = nonce + AESGCM(read_key_file(folder / "lane.key")).encrypt(nonce, key, b"key\0S1")
    store._db.execute("update keys set wrapped = ? where scope = 'S1'", [old])
    vault._file("S1").unlink()
    store.close()
    again = open_store()
    assert again.lookup("S1", row(1).identity_number).candidate is not None
    now = again._db.execute("select wrapped from keys where scope = 'S1'").fetchone()[0]
    assert now != old and again._vault._file("S1").exists()
    assert again._vault._unwrap("S1", now) == key
    raw = b"".join(everything(folder / "data").values())
    assert old not in raw, "no page has it as it was"


def test_without_its_secrets_a_database_says_what_is_missing(store, folder):
    store.close()
    shutil.rmtree(folder / "data" / "keys")
    with pytest.raises(StoreError, match="restore the folder"):
        Store.open(folder / "data", folder / "lane.key", SystemClock())
