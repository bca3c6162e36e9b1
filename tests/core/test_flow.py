"""The candidate's way: each story by name, then anything that can happen in any order."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.core import effects as do
from kiosk.core import events as ev
from kiosk.core import flow, states_doc
from kiosk.core.codes import ClaimBy, ExitCheck, Factor, JournalKind, Reason, State, Step
from kiosk.core.types import Admission, Candidate, Lookup, Override, Standing

WHO = Candidate(7, "王小明", "3706261100001", "37060219610804301X", "C1", "p" * 32)
BOOKED = Lookup(Standing.BOOKED, WHO)
SEATED = Lookup(Standing.SEATED, WHO, terminal="012", has_signature=True)
INSIDE = Lookup(Standing.INSIDE, WHO, terminal="012")
BACK = Lookup(Standing.INSIDE, WHO, terminal="012", has_signature=True, may_return=True)
LEFT = Lookup(Standing.LEFT, WHO, terminal="012", has_signature=True)
OTHER = Lookup(
    Standing.OTHER_SESSION, WHO, other_session_starts_at=datetime(2026, 1, 1, tzinfo=UTC)
)
ADMISSION = Admission("012", 1, 99, True)
DECISION = Override("appearance", "", "1002 周静", "1001 李敏")
CHIEF = "1001 李敏"


def walk(*events, rules=None):
    """Apply events to a lane with an open session; returns the lane and all effects."""
    lane, done = flow.Lane(rules=rules or flow.Rules()), []
    for event in (ev.SessionOpened(), *events):
        lane, effects = flow.step(lane, event)
        done += effects
    return lane, done


def kinds(effects):
    return [type(e).__name__ for e in effects]


def refusals(effects):
    return [e.reason for e in effects if isinstance(e, do.Record) and e.kind is JournalKind.REFUSED]


CARD, FACE = ev.CardClaimed(BOOKED), ev.FaceAccepted(BOOKED)
TO_GATE = (
    CARD,
    FACE,
    ev.FingerMatched(90),
    ev.SignatureGiven(),
    ev.SignatureStored("ab"),
    ev.AdmissionCommitted(ADMISSION),
)


def test_the_usual_way():
    lane, done = walk(*TO_GATE, ev.PassageEnded(Reason.ADMITTED))
    assert lane.state is State.WELCOME
    assert lane.visit.terminal == "012"
    assert lane.visit.done == set(Step)
    order = kinds(done)
    assert (
        order.index("StoreSignature") < order.index("CommitAdmission") < order.index("UnlockGate")
    )
    assert order.count("UnlockGate") == 1
    assert order.index("LoadFinger") < order.index("VerifyFace"), "template goes ahead of the face"
    lane, _ = flow.step(lane, ev.TimedOut())
    assert lane.state is State.IDLE
    assert lane.visit == flow.Visit(number=lane.visit.number), "nothing of the person stays"


@pytest.mark.parametrize(
    ("lookup", "reason"),
    [
        (Lookup(Standing.UNKNOWN), Reason.NOT_ON_ROSTER),
        (OTHER, Reason.OTHER_SESSION),
        (INSIDE, Reason.ALREADY_INSIDE),
    ],
)
def test_refused_before_anyone_looks_into_a_camera(lookup, reason):
    lane, done = walk(ev.CardClaimed(lookup))
    assert (lane.state, refusals(done)) == (State.REFUSED, [reason])
    assert "VerifyFace" not in kinds(done)


@pytest.mark.parametrize("problem", [Reason.TOO_EARLY, Reason.TOO_LATE, Reason.CARD_EXPIRED])
def test_window_and_card_problems_refuse(problem):
    lane, done = walk(ev.CardClaimed(BOOKED, problem))
    assert (lane.state, refusals(done)) == (State.REFUSED, [problem])


def test_three_wrong_fingers():
    wrong = ev.FingerNotMatched(3)
    lane, done = walk(CARD, FACE, wrong, ev.FingerUnreadable("too_dry"), wrong, wrong)
    assert (lane.state, refusals(done)) == (State.REFUSED, [Reason.FINGER_NO_MATCH])
    assert kinds(done).count("ReadFinger") == 4, "a dry finger costs no attempt"


def test_a_comparison_that_takes_too_long_each_time_ends_like_a_wrong_finger():
    late = ev.FingerNotCompared()
    lane, done = walk(CARD, FACE, late, ev.FingerNotMatched(3), ev.FingerUnreadable("too_dry"))
    assert lane.state is State.FINGER
    lane, done = walk(CARD, FACE, late, ev.FingerNotMatched(3), late)
    assert (lane.state, refusals(done)) == (State.REFUSED, [Reason.FINGER_NOT_COMPARED])
    assert kinds(done).count("ReadFinger") == 3


def test_who_did_not_pass_keeps_the_seat_and_needs_no_second_signature():
    lane, done = walk(*TO_GATE, ev.PassageEnded(Reason.GATE_TIMEOUT))
    assert lane.state is State.REFUSED
    assert do.RecordPassage(99, Reason.GATE_TIMEOUT) in done
    lane, done = walk(ev.CardClaimed(SEATED), ev.FaceAccepted(SEATED), ev.FingerMatched(90))
    assert lane.state is State.DRAWING
    assert "StoreSignature" not in kinds(done) and "CommitAdmission" in kinds(done)
    assert {"VerifyFace", "ReadFinger"} <= set(kinds(done)), "verified afresh"


def test_walking_away_keeps_nothing_half_done():
    lane, done = walk(CARD, FACE, ev.PersonLeft())
    assert (lane.state, refusals(done)) == (State.IDLE, [Reason.WALKED_AWAY])
    assert lane.visit.candidate is None
    lane, done = walk(ev.FaceAppeared(), ev.PersonLeft(), rules=flow.Rules(claim_by_card=False))
    assert (lane.state, refusals(done)) == (State.IDLE, []), "walked past the camera"


BY_FACE = flow.Rules(claim_by_card=False)
NOT_SURE = (ev.FaceAppeared(), ev.FaceNotSure())
TYPED = ev.NumberClaimed(BOOKED)
MISMATCH = ev.FaceRefused(Reason.FACE_MISMATCH)
OF_NOBODY = ev.NumberClaimed(Lookup(Standing.UNKNOWN))


def test_not_sure_asks_for_a_claim_and_goes_one_to_one():
    lane, done = walk(*NOT_SURE, rules=BY_FACE)
    assert lane.state is State.CLAIM
    assert done[-1] == do.GuardFace(), "who looks down to type has not left"
    lane, done = walk(*NOT_SURE, ev.CardClaimed(BOOKED), rules=BY_FACE)
    assert lane.state is State.FACE
    assert done[-1] == do.VerifyFace(WHO)
    neither = flow.Rules(claim_by_card=False, has_card_reader=False, may_type=False)
    lane, done = walk(*NOT_SURE, rules=neither)
    assert refusals(done) == [Reason.FACE_NOT_SURE]
    lane, done = walk(CARD, ev.FaceNotSure())
    assert refusals(done) == [Reason.FACE_NOT_SURE], "a card and somebody else's face"


def test_a_typed_number_names_nobody_before_the_face_fits():
    lane, done = walk(*NOT_SURE, TYPED, rules=BY_FACE)
    assert (lane.state, lane.visit.candidate) == (State.FACE, None)
    assert done[-1] == do.VerifyNumber(WHO)
    typed = [e for e in done if isinstance(e, do.Record)]
    assert typed == [do.Record(JournalKind.CLAIM_TYPED, None, WHO)]
    lane, done = flow.step(lane, FACE)
    assert (lane.state, lane.visit.candidate) == (State.FINGER, WHO)
    assert do.LoadFinger(WHO) in done
    assert do.Record(JournalKind.CLAIMED, None, WHO, by=ClaimBy.NUMBER) in done


@pytest.mark.parametrize("number", [TYPED, OF_NOBODY, ev.NumberClaimed(OTHER)])
@pytest.mark.parametrize("end", [MISMATCH, ev.FaceNotSure()])
def test_whosever_number_it_was_three_tries_end_alike(number, end):
    lane, _ = walk(*NOT_SURE, rules=BY_FACE)
    for left in (2, 1):
        lane, _ = flow.step(lane, number)
        assert lane.state is State.FACE
        lane, done = flow.step(lane, end)
        assert (lane.state, lane.visit.numbers_left) == (State.CLAIM, left)
        assert lane.visit.number_failed and lane.visit.candidate is None
        assert done[0].kind is JournalKind.CLAIM_FAILED
    lane, _ = flow.step(lane, number)
    lane, done = flow.step(lane, end)
    assert (lane.state, refusals(done)) == (State.REFUSED, [Reason.FACE_NOT_SURE])
    assert lane.visit.candidate is None and lane.visit.typed is None


def test_who_is_inside_already_is_told_so_only_after_the_face():
    lane, done = walk(*NOT_SURE, ev.NumberClaimed(INSIDE), rules=BY_FACE)
    assert (lane.state, refusals(done)) == (State.FACE, [])
    lane, done = flow.step(lane, ev.FaceAccepted(INSIDE))
    assert refusals(done) == [Reason.ALREADY_INSIDE]


def test_not_live_is_no_matter_of_the_number():
    _, done = walk(*NOT_SURE, TYPED, ev.FaceRefused(Reason.LIVENESS_FAILED), rules=BY_FACE)
    assert refusals(done) == [Reason.LIVENESS_FAILED]


def test_a_card_lane_takes_numbers_only_where_it_is_set_to():
    lane, _ = walk(ev.NumberAsked())
    assert lane.state is State.IDLE
    rules = flow.Rules(may_type_at_once=True)
    lane, _ = walk(ev.NumberAsked(), TYPED, FACE, rules=rules)
    assert lane.state is State.FINGER
    for gone in (ev.TimedOut(), ev.PersonLeft()):
        lane, done = walk(ev.NumberAsked(), gone, rules=rules)
        assert (lane.state, refusals(done)) == (State.IDLE, []), "touched in passing"
    lane, done = walk(ev.NumberAsked(), TYPED, ev.PersonLeft(), rules=rules)
    assert refusals(done) == [Reason.WALKED_AWAY]


def test_a_lost_device_ends_the_try_and_says_so_but_lets_the_gate_finish():
    lane, done = walk(CARD, FACE, ev.LaneFailed(Reason.DEVICE_FAULT))
    assert (lane.state, refusals(done)) == (State.OUT_OF_ORDER, [Reason.DEVICE_FAULT])
    lane, _ = flow.step(lane, ev.LaneRecovered())
    assert lane.state is State.IDLE
    lane, _ = walk(*TO_GATE, ev.LaneFailed(Reason.DEVICE_FAULT))
    assert lane.state is State.GATE
    lane, _ = flow.step(lane, ev.PassageEnded(Reason.ADMITTED))
    lane, _ = flow.step(lane, ev.TimedOut())
    assert lane.state is State.OUT_OF_ORDER


def test_the_next_card_does_not_wait_for_the_screen():
    lane, _ = walk(ev.CardClaimed(INSIDE), CARD)
    assert lane.state is State.FACE
    assert lane.visit.reason is None


def test_silence_of_the_sensors_is_unknown():
    _, done = walk(*TO_GATE, ev.TimedOut())
    assert do.RecordPassage(99, Reason.GATE_UNKNOWN) in done


def test_illegal_events_change_nothing():
    lane, _ = walk()
    with pytest.raises(flow.IllegalEvent, match="FingerMatched in state idle"):
        flow.step(lane, ev.FingerMatched(90))


# --- a proctor looks, and a session that is paused ---------------------------------------------

NOT_LIVE = (CARD, ev.FaceRefused(Reason.LIVENESS_FAILED))
LOOKS = ev.VerificationBegun(BOOKED)


def decisions(effects):
    return [e.kind for e in effects if isinstance(e, do.RecordDecision)]


@pytest.mark.parametrize(
    ("before", "rules"),
    [((), None), ((CARD,), None), (NOT_LIVE, None), (NOT_SURE, BY_FACE)],
)
def test_a_proctor_takes_over_from_wherever_it_stuck(before, rules):
    lane, _ = walk(*before, LOOKS, rules=rules)
    assert (lane.state, lane.visit.candidate) == (State.VERIFY, WHO)
    lane, done = flow.step(lane, ev.IdentityOverridden(DECISION))
    assert lane.state is State.FINGER and decisions(done) == [JournalKind.IDENTITY_OVERRIDDEN]
    order = kinds(done)
    assert order.index("RecordDecision") < order.index("LoadFinger") < order.index("ReadFinger")


def test_who_was_let_in_by_hand_signs_and_draws_as_everybody():
    way = (ev.FingerMatched(90), ev.SignatureGiven(), ev.SignatureStored("ab"))
    _, done = walk(LOOKS, ev.IdentityOverridden(DECISION), *way)
    assert "StoreSignature" in kinds(done)
    assert done[-1] == do.CommitAdmission(WHO, overridden=True)
    _, done = walk(CARD, FACE, *way)
    assert done[-1] == do.CommitAdmission(WHO, overridden=False)


def test_the_finger_is_set_aside_at_once_or_later():
    lane, done = walk(LOOKS, ev.IdentityOverridden(DECISION, DECISION))
    assert lane.state is State.SIGN
    assert decisions(done) == [JournalKind.IDENTITY_OVERRIDDEN, JournalKind.FINGER_OVERRIDDEN]
    lane, done = walk(CARD, FACE, ev.FingerOverridden(DECISION))
    assert lane.state is State.SIGN and decisions(done) == [JournalKind.FINGER_OVERRIDDEN]
    assert lane.visit.overridden and "ForgetFinger" in kinds(done)
    both = ev.IdentityOverridden(DECISION, DECISION)
    lane, done = walk(LOOKS, both, rules=flow.Rules(finger=False))
    assert decisions(done) == [JournalKind.IDENTITY_OVERRIDDEN], "nothing was to be set aside"


def test_who_has_a_seat_goes_straight_to_the_gate():
    lane, done = walk(ev.VerificationBegun(SEATED), ev.IdentityOverridden(DECISION, DECISION))
    assert lane.state is State.DRAWING and done[-1] == do.CommitAdmission(WHO, overridden=True)


def test_a_proctor_turns_somebody_away_or_decides_nothing():
    lane, done = walk(LOOKS, ev.IdentityRejected(DECISION))
    assert (lane.state, refusals(done)) == (State.REFUSED, [Reason.MANUAL_REJECTED])
    assert decisions(done) == [JournalKind.IDENTITY_REJECTED]
    lane, done = walk(LOOKS, ev.TimedOut())
    assert (lane.state, refusals(done)) == (State.REFUSED, [Reason.MANUAL_TIMEOUT])


def test_who_talks_with_a_proctor_need_not_look_into_the_camera():
    lane, _ = walk(LOOKS)
    assert not flow.accepts(lane, ev.PersonLeft())


def test_without_its_reader_the_lane_asks_for_no_finger_until_it_is_back():
    lane, done = walk(ev.FactorWaived(Factor.FINGER, CHIEF), CARD, FACE)
    assert lane.state is State.SIGN
    assert not {"LoadFinger", "ReadFinger"} & set(kinds(done))
    lane, _ = walk(NO_FINGER, ev.FactorRestored(Factor.FINGER), CARD, FACE)
    assert lane.state is State.FINGER
    lane, _ = walk(NO_FINGER, LOOKS, ev.IdentityOverridden(DECISION))
    assert lane.state is State.SIGN


def test_while_paused_nobody_begins_and_who_is_here_finishes():
    lane, _ = walk(ev.SessionPaused())
    assert lane.state is State.PAUSED
    for event in (CARD, ev.FaceAppeared(), ev.NumberAsked(), LOOKS):
        assert not flow.accepts(lane, event)
    lane, _ = flow.step(lane, ev.SessionResumed())
    assert lane.state is State.IDLE
    lane, _ = walk(*TO_GATE, ev.SessionPaused(), ev.PassageEnded(Reason.ADMITTED))
    assert lane.state is State.WELCOME
    for last in (ev.TimedOut(), CARD):
        after, _ = flow.step(lane, last)
        assert after.state is State.PAUSED
    lane, _ = walk(ev.SessionPaused(), ev.LaneFailed(Reason.DEVICE_FAULT), ev.LaneRecovered())
    assert lane.state is State.PAUSED
    lane, _ = walk(ev.SessionPaused(), ev.SessionClosed(), ev.SessionOpened())
    assert lane.state is State.IDLE, "another session is not paused"


# --- anything, in any order --------------------------------------------------------------------

EVENTS = st.sampled_from(
    [
        ev.SessionOpened(),
        ev.SessionClosed(),
        ev.LaneFailed(Reason.DEVICE_FAULT),
        ev.LaneRecovered(),
        CARD,
        ev.CardClaimed(SEATED),
        ev.CardClaimed(INSIDE),
        ev.CardClaimed(BACK),
        ev.CardClaimed(LEFT),
        ev.LeavingAsked(),
        ev.VerificationBegun(INSIDE, leaving=True),
        ev.NumberClaimed(INSIDE),
        ev.FaceAccepted(BACK),
        ev.PassageEnded(Reason.LEFT),
        ev.CardClaimed(OTHER),
        ev.CardClaimed(Lookup(Standing.UNKNOWN)),
        ev.NumberAsked(),
        TYPED,
        OF_NOBODY,
        ev.FaceAppeared(),
        FACE,
        ev.FaceAccepted(BOOKED, Reason.FACE_SEEN_BEFORE),
        ev.FaceAccepted(SEATED),
        ev.FaceAccepted(INSIDE),
        MISMATCH,
        ev.FaceRefused(Reason.LIVENESS_FAILED),
        ev.FaceNotSure(),
        *[ev.FactorWaived(f, CHIEF) for f in Factor],
        *[ev.FactorWaived(f, " ") for f in Factor],
        *[ev.FactorRestored(f) for f in Factor],
        ev.SessionPaused(),
        ev.SessionResumed(),
        ev.VerificationBegun(BOOKED),
        ev.VerificationBegun(SEATED),
        ev.IdentityOverridden(DECISION),
        ev.IdentityOverridden(DECISION, DECISION),
        ev.IdentityRejected(DECISION),
        ev.FingerOverridden(DECISION),
        ev.FingerMatched(80),
        ev.FingerNotMatched(0),
        ev.FingerNotCompared(),
        ev.FingerUnreadable("x"),
        ev.SignatureGiven(),
        ev.SignatureStored("ab"),
        ev.AdmissionCommitted(ADMISSION),
        ev.AdmissionRefused(Reason.HALL_FULL),
        ev.PassageEnded(Reason.ADMITTED),
        ev.PassageEnded(Reason.GATE_TIMEOUT),
        ev.TimedOut(),
        ev.PersonLeft(),
        ev.Cancelled(),
        ev.Cancelled(by_proctor=True),
    ]
)


def what_was_shown(event) -> set[object]:
    match event:
        case ev.FaceAccepted():
            return {Factor.FACE}
        case ev.FingerMatched():
            return {Factor.FINGER}
        case ev.IdentityOverridden(decision=decision) | ev.FingerOverridden(decision=decision):
            return {decision.person}
    return set()


@settings(max_examples=400)
@given(
    st.lists(EVENTS, max_size=60),
    st.builds(
        flow.Rules,
        *[st.booleans()] * 3,
        st.integers(1, 4),
        *[st.booleans()] * 2,
        numbers=st.integers(1, 3),
        exit=st.none() | st.sampled_from(ExitCheck),
    ),
)
def test_invariants_hold_whatever_happens(events, rules):
    lane = flow.Lane(rules=rules)
    committed = unlocked = recorded = 0
    named: set[Factor] = set()  #: waived in somebody's name at any time
    shown: set[object] = set()  #: by the person now at the lane: factors, or a person's word
    for event in events:
        before = lane
        try:
            lane, effects = flow.step(lane, event)
        except flow.IllegalEvent:
            assert lane == before
            continue
        if isinstance(event, ev.FactorWaived) and event.person.strip():
            named.add(event.factor)
        assert lane.without <= named, "a step down in nobody's name"
        if lane.visit.number != before.visit.number:
            shown.clear()
        shown |= what_was_shown(event)
        committed += isinstance(event, ev.AdmissionCommitted)
        unlocked += kinds(effects).count("UnlockGate")
        recorded += kinds(effects).count("RecordPassage")
        assert unlocked == committed, "a pulse without its intent, or an intent without its pulse"
        assert recorded <= unlocked <= recorded + 1, "an outcome is recorded once"
        if lane.state is State.REFUSED and before.state is not State.REFUSED:
            assert lane.visit.reason is not None
            assert any(isinstance(e, do.Record | do.RecordPassage) for e in effects)
        for unlock in effects:
            if isinstance(unlock, do.UnlockGate) and unlock.out:
                assert left_by_the_rule(lane)
        if "UnlockGate" in kinds(effects) and not lane.visit.leaving:
            assert Step.FACE in lane.visit.done
            assert Step.FINGER in lane.visit.done or not rules.finger or Factor.FINGER in named
            assert Step.SIGN in lane.visit.done
        for effect in effects:
            if isinstance(effect, do.CommitAdmission):
                assert effect.overridden == lane.visit.overridden
                # on every rung: a verified factor, or a named person who looked, and for what is
                # missing somebody who allowed it
                assert shown & {Factor.FACE, DECISION.person}, "by a claim or a finger alone"
                lacks = {Factor.FINGER} if rules.finger else set()
                assert lacks - shown <= named or lane.visit.overridden
        decided = [e for e in effects if isinstance(e, do.RecordDecision)]
        if isinstance(event, ev.IdentityOverridden | ev.FingerOverridden):
            assert decided and lane.visit.overridden, "set aside and not written"
        if before.state in (State.PAUSED, State.CLOSED, State.OUT_OF_ORDER):
            begun = lane.visit.candidate is not None and not lane.visit.leaving
            assert not begun, "somebody begins while nobody may"
        if lane.state is State.PAUSED:
            assert lane.paused and lane.session_open and lane.failed is None
        if lane.visit.typed is not None:
            assert lane.state in (State.FACE, State.REFUSED), "a number outlives its try"
            assert lane.visit.candidate is None, "shown before the face fits"
        if lane.state is State.CLAIM:
            assert lane.visit.numbers_left > 0
        if lane.state in (State.IDLE, State.PAUSED, State.CLOSED, State.OUT_OF_ORDER):
            assert lane.visit == flow.Visit(number=lane.visit.number), "a trace of somebody stays"
        if lane.state is State.IDLE:
            assert lane.session_open and lane.failed is None and not lane.paused


def left_by_the_rule(lane):
    """Whoever is let out has shown what the lane asks for, or a proctor has looked."""
    assert lane.visit.leaving and lane.rules.exit is not None
    shown = {ExitCheck.FACE: Step.FACE, ExitCheck.FINGER: Step.FINGER}.get(lane.rules.exit)
    return shown is None or bool(lane.visit.done & {shown, Step.FACE})


NO_CAMERA = ev.FactorWaived(Factor.FACE, CHIEF)
NO_READER = ev.FactorWaived(Factor.CARD, CHIEF)
NO_FINGER = ev.FactorWaived(Factor.FINGER, CHIEF)


def test_without_a_camera_a_card_calls_a_proctor():
    lane, done = walk(NO_CAMERA, CARD)
    assert lane.state is State.VERIFY and kinds(done).count("CallProctor") == 1
    assert not {"VerifyFace", "ReadFinger"} & set(kinds(done))
    decided = (CARD, ev.VerificationBegun(BOOKED), ev.IdentityOverridden(DECISION))
    lane, _ = walk(NO_CAMERA, *decided)
    assert lane.state is State.FINGER and lane.visit.overridden
    lane, _ = walk(NO_CAMERA, NO_FINGER, *decided)
    assert lane.state is State.SIGN and lane.visit.overridden, "a person's word alone"
    lane, done = walk(NO_CAMERA, CARD, ev.TimedOut())
    assert refusals(done) == [Reason.MANUAL_TIMEOUT]
    lane, done = walk(NO_CAMERA, ev.CardClaimed(INSIDE))
    assert refusals(done) == [Reason.ALREADY_INSIDE] and "CallProctor" not in kinds(done)


def test_without_a_card_reader_a_number_and_the_face():
    lane, _ = walk(NO_READER, ev.NumberAsked(), ev.NumberClaimed(BOOKED), FACE)
    assert lane.state is State.FINGER
    lane, _ = walk(NO_READER, ev.FactorRestored(Factor.CARD), ev.NumberAsked())
    assert lane.state is State.IDLE
    lane, _ = walk(NO_READER, ev.NumberAsked(), rules=flow.Rules(may_type=False))
    assert lane.state is State.IDLE, "the venue takes no typed numbers: a proctor begins"
    lane, _ = walk(NO_READER, NO_CAMERA, ev.NumberAsked())
    assert lane.state is State.IDLE, "nothing would stand behind a number"
    by_face = flow.Rules(claim_by_card=False, may_type=False)
    lane, done = walk(NO_READER, ev.FaceAppeared(), ev.FaceNotSure(), rules=by_face)
    assert refusals(done) == [Reason.FACE_NOT_SURE], "there is no card to ask for"


def test_every_state_can_be_left_and_reached():
    targets = {t for rule in flow.TABLE.values() for t in rule.targets}
    assert targets == set(State)
    assert {state for state, _ in flow.TABLE} == set(State)


def test_the_page_of_states_is_fresh():
    page = Path(__file__).parents[2] / "docs/states.md"
    assert page.read_text() == states_doc.render(), (
        "python -m kiosk.core.states_doc > docs/states.md"
    )


def test_a_gate_without_sensors_lets_in_under_a_reason_of_its_own():
    lane, done = walk(*TO_GATE, ev.PassageEnded(Reason.GATE_UNSEEN))
    assert (lane.state, lane.visit.reason) == (State.WELCOME, Reason.GATE_UNSEEN)
    assert done[-1] == do.RecordPassage(ADMISSION.intent_id, Reason.GATE_UNSEEN)
