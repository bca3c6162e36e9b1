"""What went wrong, or nearly did: each of these once lost data, seated a stranger or lied."""

from __future__ import annotations

import os
import sqlite3
import time
from datetime import UTC, datetime, timedelta

import pytest

from kiosk.core.codes import JournalKind, Reason
from kiosk.core.types import Standing
from kiosk.store.errors import KeyFileProblem, NotBooked, StoreError, StoreRefused
from kiosk.store.vault import make_key_file, read_key_file
from tests.store.conftest import admit, candidate_of, row

HOUR = timedelta(hours=1)


class SetClock:
    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return time.monotonic()


def set_clock(store, moment):
    store._clock = store._journal._clock = SetClock(moment)


def test_a_failed_import_does_not_leave_a_key_that_is_not_on_disk(open_store):
    store = open_store()
    broken = row(3, name=None)
    with pytest.raises(AttributeError):
        store.apply_roster([row(1), row(2), broken], "x", "t")
    store.apply_roster([row(1), row(2)], "x", "t")
    store.close()
    assert open_store().gallery("S1", "dlib-resnet-v1")[1].shape == (2, 128)


def test_admission_numbers_may_be_swapped_but_not_taken(store):
    swapped = [row(0, admission_no="A00001"), row(1, admission_no="A00000")]
    assert store.apply_roster(swapped, "x", "t").changed == 2
    assert candidate_of(store, 0).admission_no == "A00001"
    before = store.tree_head()
    with pytest.raises(StoreRefused, match="belongs to another candidate"):
        store.apply_roster([row(8, admission_no="A00003"), row(9)], "x", "t")
    assert store.tree_head() == before
    assert candidate_of(store, 3).admission_no == "A00003"
    assert store.lookup("S1", row(9).identity_number).standing is Standing.UNKNOWN


def test_nobody_is_seated_in_a_session_that_they_are_not_booked_for(store):
    store.create_session("S2", "x", datetime.now(UTC) + HOUR, ["1"], person="t")
    store.apply_roster([row(7, "S2")], "x", "t")
    stranger = store.lookup("S1", row(7).identity_number)
    assert stranger.standing is Standing.OTHER_SESSION
    before = store.tree_head()
    with pytest.raises(NotBooked) as refused:
        store.save_signature("S1", stranger.candidate, b"strokes", "0" * 64)
    assert refused.value.reason is Reason.NOT_ON_ROSTER
    with pytest.raises(NotBooked):
        store.admit("S1", stranger.candidate)
    assert store.tree_head() == before


def test_an_old_intent_that_turns_out_to_have_passed_admits_once(store):
    first = admit(store, 0)
    second = store.admit("S1", candidate_of(store, 0))
    store.gate_outcome(second.intent_id, Reason.ADMITTED)
    store.gate_outcome(first.intent_id, Reason.ADMITTED)
    kinds = [e.kind for e in store.entries(0, 1000)]
    assert kinds.count("admitted") == 1
    assert kinds.count("gate_outcome") == 2


@pytest.mark.parametrize("reason", [Reason.FACE_MISMATCH, Reason.HALL_FULL, Reason.RESTARTED])
def test_only_the_end_of_a_passage_ends_an_intent(store, reason):
    admission = admit(store, 0)
    with pytest.raises(ValueError, match="not how a passage ends"):
        store.gate_outcome(admission.intent_id, reason)
    assert [i.intent_id for i in store.open_intents()] == [admission.intent_id]


def test_the_signature_given_last_counts_even_when_the_clock_was_set_back(store):
    who = candidate_of(store, 0)
    now = datetime.now(UTC)
    store.save_signature("S1", who, b"first", "0" * 64)
    set_clock(store, now - HOUR)
    last = store.save_signature("S1", who, b"second", "0" * 64)
    assert store.signature("S1", who.candidate_id) == b"second"
    store.admit("S1", who)
    drawn = next(e for e in store.entries(0, 1000) if e.kind == "seat_drawn")
    assert drawn.payload["signature_sha256"] == last


def test_who_missed_the_morning_is_told_so_and_the_next_booking_goes_first(store):
    now = datetime.now(UTC)
    number = row(7).identity_number
    store.create_session("missed", "x", now - 4 * HOUR, ["1"], person="t")
    store.apply_roster([row(7, "missed")], "x", "t")
    lookup = store.lookup("S1", number)
    assert lookup.standing is Standing.OTHER_SESSION
    assert abs(lookup.other_session_starts_at - (now - 4 * HOUR)) < timedelta(seconds=1)
    for name, hours in (("far", 50), ("near", 20)):
        store.create_session(name, "x", now + hours * HOUR, ["1"], person="t")
        store.apply_roster([row(7, name)], "x", "t")
    lookup = store.lookup("S1", number)
    assert abs(lookup.other_session_starts_at - (now + 20 * HOUR)) < timedelta(seconds=1)


def test_the_roster_status_names_the_latest_source(store):
    store.apply_roster([row(8)], "b.csv", "t")
    set_clock(store, datetime.now(UTC) + HOUR)
    store.apply_roster([row(9)], "a.csv", "t")
    assert store.roster_status()[0]["source"] == "a.csv"


def test_a_roster_may_come_before_its_session(store):
    store.apply_roster([row(5, "S7"), row(6, "S7")], "x", "t")
    store.close_session("S1", "t")
    store.create_session("S7", "x", datetime.now(UTC), ["1"], person="t")
    store.open_session("S7", "t")
    assert store.counts("S7").booked == 2
    assert store.lookup("S7", row(5).identity_number).standing is Standing.BOOKED


@pytest.mark.parametrize("name", ["", " 1", "a\nb", "\x00", "x" * 65])
def test_names_that_would_blur_a_hash_are_refused(store, name):
    now = datetime.now(UTC)
    with pytest.raises(StoreRefused, match="is not a name"):
        store.create_session("S9", "x", now, ["1", name], person="t")
    with pytest.raises(StoreRefused, match="is not a name"):
        store.create_session(name, "x", now, ["1"], person="t")
    assert store.session("S9") is None


def test_a_session_needs_a_usable_terminal_and_a_zone(store):
    with pytest.raises(StoreRefused) as refused:
        store.create_session("S9", "x", datetime(2026, 1, 5, 9), ["1"], ["1"], 1, person="t")
    assert len(refused.value.problems) == 2


# --- the journal bent by hand -------------------------------------------------------------------


def bend(store, folder, *statements):
    store.close()
    raw = sqlite3.connect(folder / "data" / "lane.db")
    raw.executescript("drop trigger journal_keeps_what_it_has; drop trigger journal_loses_nothing;")
    for statement in statements:
        raw.execute(statement)
    raw.commit()
    raw.close()


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("update journal set entry = '[]' where seq = 2", "entry 2: its text is not an entry"),
        ("update journal set entry = x'ff00' where seq = 2", "entry 2: its text is not an entry"),
        ("update journal set entry = cast(x'ff' as text) where seq = 2", "the journal cannot be"),
        ("update journal set monotonic = 1 where seq = 2", "entry 2: column monotonic"),
        ("update journal set leaf_hash = 'x' where seq = 2", "entry 2: its content does not fit"),
        ("update journal set root = 'x' where seq = 2", "entry 2: the tree's root"),
        ("update tree set peaks = '[]'", "the tree kept for appending"),
        ("delete from tree", "entry 4: the tree has 0 leaves"),
        ("delete from outbox where ref = 2", "entry 2: is not in the outbox"),
    ],
)
def test_verify_names_what_was_bent_and_never_falls_over(
    store, folder, open_store, statement, found
):
    bend(store, folder, statement)
    store = open_store()
    problems = store.verify()
    assert any(p.startswith(found) for p in problems), problems


def test_a_damaged_entry_is_not_shown(store, folder, open_store):
    bend(store, folder, "update journal set entry = '[]' where seq = 2")
    with pytest.raises(StoreError, match="cannot be read"):
        open_store().entries(0, 10)


def test_two_entries_that_changed_places_are_found(store, folder, open_store):
    bend(
        store,
        folder,
        "update journal set seq = -1 where seq = 2",
        "update journal set seq = 2 where seq = 3",
        "update journal set seq = 3 where seq = -1",
    )
    assert any(p.startswith("entry 2:") for p in open_store().verify())


def test_a_damaged_tree_stops_the_lane_instead_of_going_on(store, folder, open_store):
    bend(store, folder, "update tree set peaks = 'x'")
    with pytest.raises(StoreError, match="tree is damaged"):
        open_store().journal(JournalKind.HELP)


def test_the_journal_names_nobody(store):
    admission = admit(store, 0)
    store.gate_outcome(admission.intent_id, Reason.ADMITTED)
    who = candidate_of(store, 0)
    store.journal(JournalKind.REFUSED, Reason.NOT_ON_ROSTER, pseudonym=who.pseudonym)
    store.close_session("S1", "t")
    text = repr(store.entries(0, 1000))
    for personal in (who.name, who.identity_number, who.admission_no, "strokes of 0"):
        assert personal not in text
    assert who.identity_number not in repr(who) + repr(row(0))


# --- keys ---------------------------------------------------------------------------------------


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_key_of_somebody_else_is_refused(tmp_path):
    path = tmp_path / "lane.key"
    make_key_file(path)
    os.chown(path, 12345, 12345)
    with pytest.raises(KeyFileProblem, match="chown"):
        read_key_file(path)


def test_a_key_that_is_no_text_or_no_file(tmp_path):
    path = tmp_path / "lane.key"
    path.write_bytes(b"\xff" * 32)
    path.chmod(0o400)
    with pytest.raises(KeyFileProblem, match="not a key"):
        read_key_file(path)
    with pytest.raises(KeyFileProblem, match="cannot be read"):
        read_key_file(tmp_path)
    with pytest.raises(KeyFileProblem, match="cannot be created"):
        make_key_file(path / "below" / "lane.key")


def test_a_copied_blob_does_not_open_elsewhere(store):
    """Associated data: a photograph moved to another session or purpose is not a photograph."""
    who = candidate_of(store, 0)
    assert store.photo(who.candidate_id) == b"photo 0"
    (blob,) = store._row("select photo from candidates where candidate_id = ?", who.candidate_id)
    with pytest.raises(StoreError, match="altered"):
        store._vault.decrypt("S1", "template", blob)
    with pytest.raises(StoreError, match="altered"):
        store._vault.decrypt("S1", "photo", blob[:-1] + bytes([blob[-1] ^ 1]))


def test_a_destroyed_session_key_gives_nothing_back(store, open_store):
    who = candidate_of(store, 0)
    store._db.execute("delete from keys where scope = 'S1'")
    store.close()
    with pytest.raises(StoreError, match="destroyed"):
        open_store().photo(who.candidate_id)
