"""Evidence in the outbox: announced with its entry, sent from where it is kept, gone with it."""

from __future__ import annotations

import hashlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.room import AT_ONCE, RESERVE_MB, Room
from kiosk.store.errors import StoreError
from kiosk.store.evidence import EvidenceKind as Kind
from kiosk.store.outbox import Item, _Batch
from tests.store.conftest import admit, candidate_of

SENT = [Kind.SIGNATURE, Kind.REPORT, Kind.REPORT_TABLE]
BIG = 10**9


def waiting(store):
    """What would be sent, by kind: (entry, bytes) in the order of sending."""
    found: dict[str, list[tuple[int, bytes]]] = {}
    for item in store.outbox_batch(BIG, BIG):
        if item.plain is not None:
            found.setdefault(item.kind, []).append((item.ref, item.plain))
    return found


def kinds(store):
    return {k.kind: k for k in store.outbox_kinds()}


def acknowledge(store, kind):
    store.outbox_answered(
        [i.outbox_id for i in store.outbox_batch(BIG, BIG) if i.kind == kind], {}
    )


def picture(store, n, data=b"\xff\xd8 somebody"):
    return store.keep_capture("S1", candidate_of(store, n), data, "verified")


def test_each_piece_goes_with_the_entry_that_has_its_hash(store):
    store.send_evidence([*SENT, Kind.CAPTURE])
    admit(store, 1)
    picture(store, 1)
    store.note_report("S1", {"report_sha256": "x"}, b"%PDF", b"a,b")
    found = waiting(store)
    entries = {e.seq: e for e in store.entries(0, 100)}
    (seq, signed), (at, jpeg) = found["signature"][0], found["capture"][0]
    assert entries[seq].payload["signature_sha256"] == hashlib.sha256(signed).hexdigest()
    assert entries[at].payload["sha256"] == hashlib.sha256(jpeg).hexdigest()
    assert found["report"][0][0] == found["report_table"][0][0]
    assert entries[found["report"][0][0]].kind == "report_signed"
    assert [found[k][0][1] for k in ("report", "report_table")] == [b"%PDF", b"a,b"]
    order = [i.kind for i in store.outbox_batch(BIG, BIG)]
    first = next(n for n, kind in enumerate(order) if kind in set(Kind))
    assert not {"journal", "checkpoint"} & set(order[first:]), "the record goes before"


def test_only_what_is_configured_goes(store):
    admit(store, 1)
    picture(store, 1)
    assert waiting(store) == {} and set(kinds(store)) == {"journal", "checkpoint"}
    store.send_evidence(SENT)
    assert set(waiting(store)) == {"signature"}, "and what is held already"
    store.send_evidence(SENT)
    assert len(waiting(store)["signature"]) == 1
    admit(store, 2)
    store.send_evidence([Kind.CAPTURE])
    assert set(waiting(store)) == {"capture"}
    assert kinds(store)["signature"].waiting == 0
    store.send_evidence(SENT)
    assert len(waiting(store)["signature"]) == 2


def test_a_report_is_kept_until_the_centre_has_both_its_parts(store, folder):
    store.note_report("S1", {}, b"%PDF 1", b"a")
    assert store._rows("select count(*) from reports") == [(0,)], "nobody would fetch it"
    store.send_evidence(SENT)
    store.note_report("S1", {}, b"%PDF somebody's report", b"a")
    on_disk = b"".join(f.read_bytes() for f in (folder / "data").glob("lane.db*"))
    assert b"somebody's report" not in on_disk
    acknowledge(store, "report")
    assert set(waiting(store)) == {"report_table"}
    acknowledge(store, "report_table")
    assert store._rows("select count(*) from reports") == [(0,)]


def test_reports_are_owed_of_closed_sessions_once(store):
    store.send_evidence(SENT)
    assert store.reports_owed() == []
    store.close_session("S1", "t")
    assert store.reports_owed() == ["S1"]
    store.send_evidence([Kind.SIGNATURE])
    assert store.reports_owed() == []
    store.send_evidence(SENT)
    store.note_report("S1", {}, b"%PDF", b"a")
    assert store.reports_owed() == []


def test_what_cannot_be_decrypted_does_not_stop_the_rest(store):
    store.send_evidence([*SENT, Kind.CAPTURE])
    admit(store, 1)
    admit(store, 2)
    picture(store, 2)
    bent = "update signatures set strokes = strokes || x'00' where seq = (select min(seq) from"
    store._db.execute(f"{bent} signatures)")
    found = waiting(store)
    assert len(found["signature"]) == 1 and len(found["capture"]) == 1
    (rejected,) = store.outbox_rejected()
    assert rejected["kind"] == "signature" and "cannot be decrypted" in rejected["why"]


def test_the_end_of_retention_ends_what_waits(store):
    store.send_evidence([*SENT, Kind.CAPTURE])
    admit(store, 1)
    picture(store, 1)
    store.close_session("S1", "t")
    store.note_report("S1", {}, b"%PDF", b"a")
    assert store.forget_session("S1", "t", "x").reports == 1
    assert waiting(store) == {}
    assert {k.kind: k.forgotten for k in store.outbox_kinds() if k.forgotten} == {
        "signature": 1, "capture": 1, "report": 1, "report_table": 1,
    }  # fmt: skip
    assert store.verify() == []


def test_what_is_asked_of_the_outbox_looks_at_no_row_that_was_acknowledged(store):
    """The lane stands still meanwhile, and there are millions of them."""
    asked = []
    store._db.conn.set_trace_callback(asked.append)
    store.outbox_kinds(), store.outbox_rejected(), store.outbox_oldest()
    store._db.conn.set_trace_callback(None)
    for query in asked:
        for *_, step in store._rows(f"explain query plan {query}"):
            assert not step.startswith("SCAN outbox") or "USING" in step, query


# --- thinning -------------------------------------------------------------------------------------


@pytest.fixture
def closed(store):
    """Three pictures and a signature of a session that is over; the second picture was sent."""
    store.send_evidence([*SENT, Kind.CAPTURE])
    admit(store, 1)
    for n in range(3):
        picture(store, n, b"picture %d" % n)
    captures = [i for i in store.outbox_batch(BIG, BIG) if i.kind == "capture"]
    store.outbox_answered([captures[1].outbox_id], {})
    store.close_session("S1", "t")
    return store


def thinned(store):
    return [e.payload for e in store.entries(0, 1000) if e.kind == "evidence_thinned"]


def test_what_the_centre_has_goes_first_then_the_oldest(closed):
    seqs = [seq for (seq,) in closed._rows("select seq from captures order by seq")]
    assert closed.thin([Kind.CAPTURE], 1, "disk").unsent == 0
    assert closed.thin([Kind.CAPTURE], 1, "disk").unsent == 1
    assert [p["entries"] for p in thinned(closed)] == [[seqs[1]], [seqs[0]]]
    assert thinned(closed)[1] == {"what": "capture", "entries": [seqs[0]], "unsent": 1,
                                  "why": "disk"}  # fmt: skip
    assert [r for r, _ in waiting(closed)["capture"]] == [seqs[2]]
    who = [candidate_of_closed(closed, n) for n in range(3)]
    assert [len(closed.captures("S1", c)) for c in who] == [0, 0, 1]
    assert kinds(closed)["capture"].thinned == 1
    assert closed.verify() == []


def candidate_of_closed(store, n):
    return store._rows("select candidate_id from candidates where name = ?", f"考生{n}")[0][0]


def test_a_signature_that_was_thinned_still_counts_as_given(closed):
    assert closed.thin([Kind.CAPTURE, Kind.SIGNATURE], 99, "disk").what == "capture"
    assert closed.thin([Kind.CAPTURE, Kind.SIGNATURE], 99, "disk").count == 2, "the unsent ones"
    assert closed.thin([Kind.CAPTURE, Kind.SIGNATURE], 99, "disk").what == "signature"
    assert closed.thin([Kind.CAPTURE, Kind.SIGNATURE], 99, "disk") is None
    who = candidate_of_closed(closed, 1)
    with pytest.raises(StoreError, match="to make room"):
        closed.signatures("S1", who)
    assert closed._rows("select count(*) from signatures") == [(1,)]
    assert len(thinned(closed)) == 3


def test_of_an_open_session_nothing_goes(store):
    picture(store, 1)
    assert store.thin([Kind.CAPTURE], 99, "disk") is None and thinned(store) == []


class Disk:
    """A store that says how full it is; what it is asked to remove is real."""

    def __init__(self, store, used, free, reusable):
        self._store, self._numbers = store, (used, free, reusable)

    def used_mb(self):
        return self._numbers[0]

    def free_mb(self):
        return self._numbers[1]

    def reusable_mb(self):
        return self._numbers[2]

    def thin(self, *args):
        return self._store.thin(*args)


@pytest.mark.parametrize(
    ("used", "free", "reusable", "why"),
    [
        (100, 5000, 0, None),
        (1001, 5000, 0, "database"),
        (100, 900, 0, "disk"),
        (100, 900, RESERVE_MB, None),
    ],
)
def test_when_room_is_made(closed, used, free, reusable, why):
    disk = Disk(closed, used, free, reusable)
    Room(disk, above_mb=1000, min_free_mb=500, kinds=[Kind.CAPTURE]).look()
    assert [p["why"] for p in thinned(closed)] == ([why] if why else [])
    Room(disk, above_mb=None, min_free_mb=500, kinds=[Kind.CAPTURE]).look()
    assert len(thinned(closed)) == (1 if why else 0)


def test_pictures_that_go_on_coming_do_not_fill_the_disk(closed):
    """A lane without network: its database stops growing, and every removal is journalled."""
    room = Room(closed, above_mb=3, min_free_mb=1, kinds=[Kind.CAPTURE])
    who = closed.person_of("S1", closed._rows("select pseudonym from candidates")[0][0])
    sizes = []
    for n in range(240):
        closed.keep_capture("S1", who, b"%08d" % n + bytes(50_000), "verified")
        if n % 4 == 3:
            room.look()
            sizes.append(closed.used_mb())
    assert max(sizes) <= 3 + AT_ONCE * 50_000 // 2**20 and sizes[-1] <= 4
    removed = [n for p in thinned(closed) for n in p["entries"]]
    held = [seq for (seq,) in closed._rows("select seq from captures where length(jpeg) > 0")]
    assert len(removed) == len(set(removed)) > 100 and not set(removed) & set(held)
    assert closed.verify() == []


# --- the batch ------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 50)), st.integers(1, 9), st.integers(1, 100))
def test_a_batch_has_one_at_least_and_never_more_than_it_may(sizes, most, most_bytes):
    batch = _Batch(most, most_bytes)
    for n, size in enumerate(sizes):
        if not batch.add(Item(n, "capture", n, plain=bytes(size))):
            break
    taken = [item.size for item in batch.items]
    assert taken == sizes[: len(taken)] and len(taken) <= most
    assert bool(taken) == bool(sizes) and (sum(taken) <= most_bytes or len(taken) == 1)


def test_no_repr_has_what_is_in_it(store):
    item = Item(1, "signature", 2, plain=b"strokes of somebody")
    assert "somebody" not in repr(item) and json.dumps(repr(item))
