"""Receipts out of a real store: the entry is the draw's, the head is signed and covers it."""

from __future__ import annotations

import pytest

from kiosk.core.codes import Reason, VoidReason
from kiosk.core.merkle import inclusion_holds
from kiosk.core.receipt import Receipt, parse_receipt
from kiosk.store import Store
from kiosk.store.errors import StoreRefused
from tests.store.conftest import admit, candidate_of, row


def receipt(store: Store, n: int) -> Receipt:
    return parse_receipt(store.receipt("S1", candidate_of(store, n).candidate_id))


def check(store: Store, found: Receipt, terminal: str, draw_no: int) -> None:
    """As a stranger would who has the record and the verifier key."""
    assert (found.session_id, found.terminal, found.draw_no) == ("S1", terminal, draw_no)
    entry = store.entries(found.seq - 1, 1)[0]
    assert (entry.kind, entry.terminal) == ("seat_drawn", terminal)
    assert (entry.payload["draw_no"], entry.leaf_hash) == (draw_no, found.leaf_hash)
    head = store._signer.check(found.checkpoint)  # raises where it does not fit
    proof = store.inclusion_proof(found.seq, head.size)
    assert inclusion_holds(
        bytes.fromhex(found.leaf_hash), found.seq - 1, head.size, proof.path, head.root
    )


def test_each_has_their_draw_under_a_signed_head(store: Store) -> None:
    for n in range(3):
        seat = admit(store, n)
        check(store, receipt(store, n), seat.terminal, seat.draw_no)
        store.gate_outcome(seat.intent_id, Reason.ADMITTED)
        check(store, receipt(store, n), seat.terminal, seat.draw_no)


def test_a_head_is_signed_only_when_none_covers_the_draw(store: Store) -> None:
    seat = admit(store, 0)
    before = len(store.checkpoints(0, 10**6))
    first = receipt(store, 0)
    assert len(store.checkpoints(0, 10**6)) == before + 1
    store.gate_outcome(seat.intent_id, Reason.GATE_TIMEOUT)
    assert store.admit("S1", candidate_of(store, 0)).terminal == seat.terminal
    assert receipt(store, 0) == first, "a kept seat is the same draw"
    assert len(store.checkpoints(0, 10**6)) == before + 1


def test_nothing_in_it_tells_who_it_was(store: Store) -> None:
    admit(store, 1)
    who = candidate_of(store, 1)
    text = store.receipt("S1", who.candidate_id)
    for personal in (who.pseudonym, who.admission_no, who.masked_name, row(1).name,
                     row(1).identity_number):  # fmt: skip
        assert personal not in text


def test_after_a_voided_seat_it_is_the_new_draw(store: Store) -> None:
    seat = admit(store, 0)
    store.gate_outcome(seat.intent_id, Reason.ADMITTED)
    store.void_seat("S1", seat.terminal, VoidReason.TERMINAL_BROKEN, "李老师")
    with pytest.raises(StoreRefused):
        store.receipt("S1", candidate_of(store, 0).candidate_id)
    store.save_signature("S1", candidate_of(store, 0), b"signed again", "0" * 64)
    again = store.admit("S1", candidate_of(store, 0))
    assert again.terminal != seat.terminal
    check(store, receipt(store, 0), again.terminal, again.draw_no)


def test_who_has_no_seat_has_no_receipt(store: Store) -> None:
    with pytest.raises(StoreRefused, match="no terminal"):
        store.receipt("S1", candidate_of(store, 2).candidate_id)
