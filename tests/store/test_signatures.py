"""Signatures in the store: kept as they are, bound to the journal, of entry and exit."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from kiosk.core.codes import Reason, VoidReason
from kiosk.store import Store
from kiosk.store.errors import NoSignature, NotBooked, NotOpen, NotSignable
from tests.store.conftest import admit, candidate_of, row
from tests.store.replay import Replay


def inside(store: Store, n: int):
    seat = admit(store, n)
    store.gate_outcome(seat.intent_id, Reason.ADMITTED)
    return seat


def sign(store: Store, n: int, document: bytes = b"<ink/>", **change: object) -> str:
    values: dict[str, object] = {"score": 92, "person": "李老师"}
    who = candidate_of(store, n)
    return store.sign_score("S1", who.candidate_id, document, "1" * 64, **(values | change))  # type: ignore[arg-type]


def signed(store: Store) -> list[dict[str, object]]:
    return [e.payload for e in store.entries(0, 1000) if e.kind == "signed"]


def test_a_score_is_signed_for_by_who_is_inside(store: Store) -> None:
    seat = inside(store, 0)
    sha256 = sign(store, 0)
    assert sha256 == hashlib.sha256(b"<ink/>").hexdigest()
    assert signed(store)[-1] == {
        "signature_sha256": sha256, "text_sha256": "1" * 64, "bytes": 6, "purpose": "exit",
        "score": 92, "draw_no": seat.draw_no, "replaces": None, "note": "", "person": "李老师",
    }  # fmt: skip
    entry, leave = store.signatures("S1", candidate_of(store, 0).candidate_id)
    assert (entry.purpose, entry.score, entry.document) == ("entry", None, b"strokes of 0")
    assert (leave.purpose, leave.score, leave.document) == ("exit", 92, b"<ink/>")
    for one in (entry, leave):
        at = store.entries(one.seq - 1, 1)[0]
        assert at.payload["signature_sha256"] == one.sha256
        assert at.leaf_hash == one.leaf_hash
        assert hashlib.sha256(one.document).hexdigest() == one.sha256
    assert store.verify() == []


def test_who_is_not_inside_signs_for_nothing(store: Store) -> None:
    with pytest.raises(NotSignable):
        sign(store, 0)
    seat = admit(store, 0)
    with pytest.raises(NotSignable):
        sign(store, 0)
    store.gate_outcome(seat.intent_id, Reason.GATE_TIMEOUT)
    before = len(signed(store))
    with pytest.raises(NotSignable):
        sign(store, 0)
    assert len(signed(store)) == before
    with pytest.raises(NotBooked):
        store.sign_score("S1", 999, b"x", "1" * 64, score=1, person="p")
    store.close_session("S1", "t")
    with pytest.raises(NotOpen):
        sign(store, 0)


def test_a_second_one_wants_a_reason_and_both_stay(store: Store) -> None:
    inside(store, 0)
    first = sign(store, 0)
    assert sign(store, 0) == first, "the very same again is harmless"
    assert len(signed(store)) == 2
    with pytest.raises(NotSignable) as refused:
        sign(store, 0, b"<ink>again</ink>", score=29)
    assert refused.value.code == "score_signed"
    sign(store, 0, b"<ink>again</ink>", score=29, note="录入错误")
    last = signed(store)[-1]
    assert (last["replaces"], last["score"], last["note"]) == (first, 29, "录入错误")


def test_it_is_no_signature_for_a_draw(store: Store) -> None:
    """Signed at the exit between a voided seat and the next draw, were that possible."""
    seat = inside(store, 0)
    sign(store, 0)
    who = candidate_of(store, 0)
    store.void_seat("S1", seat.terminal, VoidReason.SECOND_ATTEMPT, "李老师")
    with pytest.raises(NotSignable):
        sign(store, 0, b"<ink>for a new draw</ink>")
    with pytest.raises(NoSignature):
        store.admit("S1", who)
    assert store.lookup_id("S1", who.candidate_id).has_signature
    store.save_signature("S1", who, b"commitment again", "0" * 64)
    again = store.admit("S1", who)
    store.gate_outcome(again.intent_id, Reason.ADMITTED)
    sign(store, 0, b"<ink>second attempt</ink>", score=97)
    assert signed(store)[-1]["replaces"] is None, "another draw, another score"
    store.close_session("S1", "t")
    entries = store.entries(0, 1000)
    Replay(entries, bytes.fromhex(entries[-1].payload["seed"]))


def test_only_a_score_signed_makes_no_candidate_of_the_draw(store: Store) -> None:
    """Even were the row there, the draw does not take it."""
    who = candidate_of(store, 1)
    with store._transaction():
        store._keep(1, "S1", who.candidate_id, b"x", "a" * 64, "1" * 64, "exit", 90, 1)
    assert not store.lookup_id("S1", who.candidate_id).has_signature
    with pytest.raises(NoSignature):
        store.admit("S1", who)


def test_who_looks_is_journalled_and_nothing_lies_readable(store: Store, folder: Path) -> None:
    inside(store, 0)
    sign(store, 0, b"<ink>a line that would be found</ink>")
    store.note_signatures_shown("S1", candidate_of(store, 0).candidate_id, "李敏")
    last = store.entries(0, 1000)[-1]
    assert (last.kind, last.payload) == ("signatures_shown", {"person": "李敏"})
    assert last.pseudonym == candidate_of(store, 0).pseudonym
    for file in (f for f in (folder / "data").rglob("*") if f.is_file()):
        assert b"a line that would be found" not in file.read_bytes()
    assert row(0).admission_no not in json.dumps([e.payload for e in store.entries(0, 1000)])


def test_nothing_signed_nothing_handed_out(store: Store) -> None:
    with pytest.raises(NoSignature):
        store.signatures("S1", candidate_of(store, 2).candidate_id)
