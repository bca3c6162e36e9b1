"""Pictures of who stood there: readable by nobody without the key, provable, gone with it."""

from __future__ import annotations

import hashlib

import pytest

from kiosk.store.errors import NotBooked, StoreError
from tests.store.conftest import candidate_of, row

FACE = b"\xff\xd8 a picture of somebody \xff\xd9"


def test_a_picture_is_kept_with_its_entry_and_not_in_the_clear(store, folder):
    who = candidate_of(store, 0)
    sha256 = store.keep_capture("S1", who, FACE, "verified")
    assert sha256 == hashlib.sha256(FACE).hexdigest()
    (kept,) = store.captures("S1", who.candidate_id)
    (entry,) = [e for e in store.entries(0, 100) if e.kind == "capture_kept"]
    assert (kept.jpeg, kept.seq, kept.sha256) == (FACE, entry.seq, sha256)
    assert entry.payload == {"sha256": sha256, "bytes": len(FACE), "outcome": "verified"}
    assert entry.pseudonym == who.pseudonym and "somebody" not in repr(kept)
    assert store.captures("S1", candidate_of(store, 1).candidate_id) == []
    store.close()
    on_disk = b"".join(file.read_bytes() for file in (folder / "data").glob("lane.db*"))
    assert FACE not in on_disk and b"a picture of somebody" not in on_disk


def test_after_its_retention_nobody_reads_it(store):
    who = candidate_of(store, 0)
    store.keep_capture("S1", who, FACE, "turned_away")
    with store._transaction():
        store._db.execute("delete from keys where scope = 'S1'")
    store._vault.forget()
    with pytest.raises(StoreError, match="destroyed"):
        store.captures("S1", who.candidate_id)


def test_whom_a_pseudonym_means_is_found_in_its_session_only(store):
    who = candidate_of(store, 2)
    assert store.person_of("S1", who.pseudonym).name == "考生2"
    for session_id, ref in (("S2", who.pseudonym), ("S1", "nobody")):
        with pytest.raises(NotBooked):
            store.person_of(session_id, ref)


def test_a_candidate_is_found_by_name_initials_or_last_digits(store):
    store.apply_roster([row(2, name="单晓明"), row(3, name="欧阳 小重")], "test", "t")
    found = {q: [c["admission_no"] for c in store.candidates("S1", q)]
             for q in ("晓明", "sxm", "dxm", "OYXC", "oyxz", "00001", row(0).identity_number[-4:],
                       "xm", "零")}  # fmt: skip
    assert found == {"晓明": ["…0002"], "sxm": ["…0002"], "dxm": ["…0002"], "OYXC": ["…0003"],
                     "oyxz": ["…0003"], "00001": ["…0001"],
                     row(0).identity_number[-4:]: ["…0000"], "xm": [], "零": []}  # fmt: skip
    (one,) = store.candidates("S1", "sxm")
    assert one["name"] == "单*明" and one["ref"] == candidate_of(store, 2).pseudonym
    assert len(store.candidates("S1", " ")) == 4
