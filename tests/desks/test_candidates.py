"""One candidate whole: asked for under a name, journalled before anything is given out."""

from __future__ import annotations

import base64

import pytest

from kiosk.core.codes import Reason
from kiosk.desks.candidates import CandidateDesk
from kiosk.desks.params import parse
from kiosk.texts import Problem
from kiosk.wire import REFUSED, RpcError
from tests.store.conftest import admit, candidate_of, folder, open_store, row, store

__all__ = ["folder", "open_store", "store"]


def declined(code: str, problems: list[Problem], lang: str | None = None) -> RpcError:
    return RpcError(REFUSED, problems[0].sentence(lang or "zh"), {"code": code})


def call(store, method, **params):
    schema, handler = CandidateDesk(store, declined).methods[method]
    return handler(parse(schema, params))


def test_a_candidate_is_shown_to_a_named_person_and_that_is_journalled(store):
    who = candidate_of(store, 1)
    store.keep_capture("S1", who, b"face", "verified")
    store.gate_outcome(admit(store, 1).intent_id, Reason.ADMITTED)
    before = store.entries(0, 1000)[-1].seq
    shown = call(store, "candidate.show", session_id="S1", ref=who.pseudonym, person="李老师")
    assert (shown["name"], shown["admission_no"]) == ("考生1", "A00001")
    assert base64.b64decode(shown["photo"]) == row(1).photo
    assert base64.b64decode(shown["captures"][0]["jpeg"]) == b"face"
    kinds = [h["kind"] for h in shown["history"]]
    assert kinds[0] == "candidate_shown" and "admitted" in kinds and "session_opened" not in kinds
    assert shown["history"][0]["person"] == "李老师"
    (entry,) = store.entries(before, 10)
    assert (entry.kind, entry.pseudonym) == ("candidate_shown", who.pseudonym)
    assert row(1).identity_number not in str(shown)


def test_nobody_is_shown_to_nobody(store):
    who = candidate_of(store, 1)
    before = store.tree_head()
    with pytest.raises(RpcError):
        call(store, "candidate.show", session_id="S1", ref=who.pseudonym, person="")
    with pytest.raises(RpcError) as refused:
        call(store, "candidate.show", session_id="S1", ref="0" * 16, person="李老师")
    assert refused.value.data["code"] == "CANDIDATE_UNKNOWN" and store.tree_head() == before


def test_who_came_late_and_who_has_signed_and_left_are_counted(store):
    store.gate_outcome(admit(store, 1).intent_id, Reason.ADMITTED)  # the session began before that
    found = {c["admission_no"]: (c["standing"], c["late"], c["left"])
             for c in call(store, "session.candidates", session_id="S1")["candidates"]}  # fmt: skip
    assert found["…0001"] == ("inside", True, False) and found["…0002"] == ("booked", False, False)
    counts = store.counts("S1")
    assert (counts.inside, counts.late, counts.left) == (1, 1, 0)
    who = candidate_of(store, 1)
    store.sign_score("S1", who.candidate_id, b"<ink/>", "0" * 64, score=90, person="t", note="")
    assert store.counts("S1").left == 1
    (one,) = call(store, "session.candidates", session_id="S1", query="00001")["candidates"]
    assert one["left"]


def test_a_score_is_signed_by_ref_or_number_of_somebody_inside(store):
    from kiosk.core.signed_texts import score_statement, text_sha256
    from kiosk.desks.signature import SignatureDesk

    who = candidate_of(store, 1)
    store.gate_outcome(admit(store, 1).intent_id, Reason.ADMITTED)
    schema, handler = SignatureDesk(store, declined).methods["exit.sign"]
    line = [[10.0 * i, 100.0, 5.0 * i, 0.5] for i in range(60)]
    whole = {"session_id": "S1", "score": 96, "strokes": [line], "width": 800, "height": 300,
             "text_sha256": text_sha256(score_statement(96, "zh")), "pointer": "touch",
             "person": "李老师"}  # fmt: skip
    with pytest.raises(RpcError) as refused:
        handler(parse(schema, whole | {"ref": "nobody"}))
    assert refused.value.data["code"] == "CANDIDATE_UNKNOWN"
    with pytest.raises(RpcError):
        handler(parse(schema, whole))
    assert handler(parse(schema, whole | {"ref": who.pseudonym}))["signature_sha256"]
    again = whole | {"admission_no": "A00001", "note": "手抖", "score": 96}
    assert handler(parse(schema, again))["signature_sha256"]


def test_a_name_of_the_roll_is_ticked_by_somebody_and_taken_back(store):
    store.gate_outcome(admit(store, 1).intent_id, Reason.ADMITTED)
    (one,) = call(store, "session.rollcall", person="李老师")["inside"]
    assert one["seen_at"] is None
    about = {"session_id": "S1", "terminal": one["terminal"], "person": "李老师"}
    call(store, "session.seen_outside", **about)
    (one,) = call(store, "session.rollcall", person="李老师")["inside"]
    assert one["seen_at"] and one["seen_by"] == "李老师"
    call(store, "session.seen_outside", **about | {"seen": False})
    (one,) = call(store, "session.rollcall", person="李老师")["inside"]
    assert one["seen_at"] is None
    ticks = [e.payload["seen"] for e in store.entries(0, 1000) if e.kind == "seen_outside"]
    assert ticks == [True, False]
    with pytest.raises(RpcError) as refused:
        call(store, "session.seen_outside", **about | {"terminal": "none"})
    assert refused.value.data["code"] == "NOT_ON_ROLL"
