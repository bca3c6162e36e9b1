"""`examgate audit` on the cases that the stand-alone verifier is held to: two programs, written
apart, that must name the same entry first."""

from __future__ import annotations

import copy

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from kiosk.audit.findings import Finding
from kiosk.audit.record import BadRecord, parse_record
from kiosk.audit.run import audit
from kiosk.audit.tree import Kept, read_consistency
from tests.audit.cases import CASES, Case
from tests.audit.sessions import Made
from tests.audit.tamper import Venue, text_of
from tests.audit.test_verify_record import check as alone

quick = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def check(made: Made, data: bytes, heads=(), proofs=(), receipts=()) -> list[Finding]:
    try:
        record = parse_record(data.decode())
    except BadRecord as bad:
        return [bad.finding]
    kept = [Kept(f"head {n}", note) for n, note in enumerate(heads)]
    given_proofs = [read_consistency(text) for text in proofs]
    return list(audit(record, made.vkey, kept, given_proofs, receipts).findings)


def test_an_honest_record_has_no_finding(made: Made):
    heads = (made.older, made.earlier, *made.within, made.later)
    proofs = (made.older_proof, made.later_proof)
    assert check(made, made.record, heads, proofs, made.receipts) == []


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_tampering_is_named(made: Made, case: Case):
    data, seq = case.bend(made)
    first, *_ = check(made, data, made.within if case.kept else ())
    assert (first.code, first.seq) == (case.code, seq), first.sentence("en")
    if case.kept:
        assert check(made, data) == [], "without a kept head nobody could tell"


@quick
@given(place=st.integers(0), bit=st.integers(0, 7))
def test_both_programs_find_or_find_not_what_one_bit_does(made: Made, place: int, bit: int):
    bent = bytearray(made.record)
    bent[place % len(bent)] ^= 1 << bit
    data = bytes(bent)
    try:
        data.decode()
    except UnicodeDecodeError:
        assume(False)
    ours, theirs = bool(check(made, data)), bool(alone(made, data))
    assert ours == theirs


@quick
@given(which=st.integers(0), key=st.integers(0), data=st.data())
def test_whatever_type_a_field_gets_there_are_sentences(made: Made, which, key, data):
    """As the venue could write it: re-hashed and signed. Words in both languages, no traceback."""
    record = Venue(made)
    entry = record.entries[which % len(record.entries)]
    where = entry["payload"] if entry["payload"] and key % 3 else entry
    name = sorted(set(where) - {"seq"})[key % len(set(where) - {"seq"})]
    before = copy.deepcopy(where[name])
    where[name] = data.draw(
        st.sampled_from([None, True, 0, 1.5, "", "001", [], [[]], {}, {"a": 1}, 10**18, "5" * 64])
    )
    assume(text_of(where[name]) != text_of(before))
    found = check(made, record.data(), made.within)
    assert found
    assert all(f.sentence(language) for f in found for language in ("zh", "en"))


BENT_VOIDS = [("approved_by", ["01"]), ("note", 7), ("person", None), ("was_inside", 1)]


@pytest.mark.parametrize(("name", "value"), BENT_VOIDS)
def test_a_voided_seat_says_what_it_must_in_the_right_form(made: Made, name, value):
    record = Venue(made)
    voided = record.all("seat_voided")[0]
    voided["payload"][name] = value
    first, *_ = check(made, record.data())
    other, *_ = alone(made, record.data())
    assert (first.code, first.seq) == (other.code, other.seq) == ("FORM", voided["seq"])


BENT_OVERRIDES = [
    ("identity_overridden", "approved_by", 1), ("identity_overridden", "evidence_sha256", "x"),
    ("finger_overridden", "why", None), ("finger_overridden", "note", []),
    ("factor_waived", "factor", None), ("factor_waived", "person", 0),
    ("capture_kept", "sha256", "x"), ("capture_kept", "outcome", 0),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "name", "value"), BENT_OVERRIDES)
def test_an_override_says_what_it_must_in_the_right_form(made: Made, kind, name, value):
    record = Venue(made)
    decision = record.all(kind)[0]
    decision["payload"][name] = value
    first, *_ = check(made, record.data())
    other, *_ = alone(made, record.data())
    assert (first.code, first.seq) == (other.code, other.seq) == ("FORM", decision["seq"])


def test_who_has_not_to_be_asked_need_not_approve(made: Made):
    """Where the policy does not ask for two people, one is enough."""
    record = Venue(made)
    for entry in record.all("session_opened") + record.all("lane_started"):
        del entry["payload"]["policy"]["override_approval"]
    for kind in ("identity_overridden", "finger_overridden"):
        for entry in record.all(kind):
            entry["payload"]["approved_by"] = None
    assert check(made, record.data()) == alone(made, record.data()) == []


def test_a_policy_is_an_object(made: Made):
    record = Venue(made)
    opened = record.all("session_opened")[0]
    opened["payload"]["policy"] = ["finger"]
    first, *_ = check(made, record.data())
    other, *_ = alone(made, record.data())
    assert (first.code, first.seq) == (other.code, other.seq) == ("FORM", opened["seq"])
