"""Another lane key, cut off at any step: afterwards one key opens everything."""

from __future__ import annotations

import contextlib
import os

import pytest

from kiosk.clock import SystemClock
from kiosk.store import Store, rotation, vault
from kiosk.store.errors import StoreError
from kiosk.store.vault import make_key_file, read_key_file
from tests.store.conftest import row


class PowerCut(BaseException):
    pass


def again(folder):
    return Store.open(folder / "data", folder / "lane.key", SystemClock())


def photo(store):
    return store.photo(store.lookup("S1", row(1).identity_number).candidate.candidate_id)


def keys(folder):
    return sorted(f.name for f in folder.glob("lane.key*"))


def test_everything_is_read_with_the_new_key_and_nothing_with_the_old(store, folder):
    old = read_key_file(folder / "lane.key")
    held = (folder / "lane.key").open("rb")
    store.apply_roster([row(1, "S2")], "t", "t")
    assert store.rotate_key(folder / "lane.key", "t") == 2
    store.close()
    assert not any(held.read()), "the old key is overwritten where it lay"
    held.close()
    new = read_key_file(folder / "lane.key")
    assert new != old and keys(folder) == ["lane.key"]
    store = again(folder)
    assert photo(store) == row(1).photo
    assert store.entries(0, 1000)[-1].payload == {"keys": 2, "person": "t"}
    store.close()
    (folder / "lane.key").unlink()
    make_key_file(folder / "lane.key")
    (folder / "lane.key").write_text(old.hex() + "\n")
    with pytest.raises(StoreError, match="does not fit"):
        again(folder)


STEPS = (
    (vault.os, "fsync"),
    (rotation, "sync_folder"),
    (rotation.os, "link"),
    (rotation.os, "replace"),
    (vault.os, "pwrite"),
    (rotation, "overwrite"),
)


@pytest.mark.parametrize("nth", range(4))
@pytest.mark.parametrize(("where", "name"), STEPS, ids=[name for _, name in STEPS])
@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
def test_cut_off_at_any_step(store, folder, monkeypatch, where, name, nth, before):
    calls = 0
    whole = getattr(where, name)

    def cut(*args, **more):
        nonlocal calls
        calls += 1
        if calls == nth + 1 and before:
            raise PowerCut
        result = whole(*args, **more)
        if calls == nth + 1:
            raise PowerCut
        return result

    with monkeypatch.context() as power:
        power.setattr(where, name, cut)
        with contextlib.suppress(PowerCut):
            store.rotate_key(folder / "lane.key", "t")
    store.close()
    for _ in range(2):
        store = again(folder)
        assert photo(store) == row(1).photo
        store.close()
    assert keys(folder) == ["lane.key"]
    assert os.stat(folder / "lane.key").st_mode & 0o777 == 0o600


def test_a_database_that_refuses_keeps_the_old_key(store, folder, monkeypatch):
    old = read_key_file(folder / "lane.key")

    def full(self, key):
        raise StoreError("disk full")

    with monkeypatch.context() as disk, pytest.raises(StoreError):
        disk.setattr(vault.Vault, "rewrap", full)
        store.rotate_key(folder / "lane.key", "t")
    store.close()
    store = again(folder)
    assert photo(store) == row(1).photo and keys(folder) == ["lane.key"]
    assert read_key_file(folder / "lane.key") == old
    store.close()
