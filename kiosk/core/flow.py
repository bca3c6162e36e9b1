"""A candidate's way as one table: which event, in which state, leads where.

Pure: `step(lane, event) -> lane, effects`. No I/O, clock or randomness; time comes in as
`TimedOut`, the roster as a `Lookup` inside the event. docs/states.md is generated from TABLE.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from kiosk.core import effects as do
from kiosk.core import events as ev
from kiosk.core.codes import ClaimBy, ExitCheck, JournalKind, Reason, State, Step
from kiosk.core.lane import Lane as Lane
from kiosk.core.lane import Rules as Rules
from kiosk.core.lane import Visit as Visit
from kiosk.core.leaving import WERE_IN, leaves, refusal_of
from kiosk.core.types import Lookup, Override, Standing

Effects = tuple[do.Effect, ...]


class IllegalEvent(Exception):
    """The event has no meaning in this state; nothing was changed."""

    def __init__(self, state: State, event: ev.Event) -> None:
        super().__init__(f"{type(event).__name__} in state {state}")
        self.state = state
        self.event = event


Handler = Callable[[Lane, ev.Event], tuple[Lane, Effects]]


@dataclass(frozen=True, slots=True)
class Rule:
    handler: Handler
    targets: tuple[State, ...]
    says: str


def step(lane: Lane, event: ev.Event) -> tuple[Lane, Effects]:
    """Apply one event. Raises `IllegalEvent`, leaving everything as it was."""
    if not accepts(lane, event):
        raise IllegalEvent(lane.state, event)
    rule = TABLE[lane.state, type(event)]
    after, effects = rule.handler(lane, event)
    if after.state not in rule.targets:
        raise AssertionError(f"{lane.state} + {type(event).__name__} led to {after.state}")
    return after, effects


# --- the pieces the handlers are made of ------------------------------------------------------


def _home(lane: Lane) -> tuple[Lane, Effects]:
    """Drop the person and go to where the lane waits."""
    if lane.failed is not None:
        state = State.OUT_OF_ORDER
    elif not lane.session_open:
        state = State.CLOSED
    elif lane.paused:
        state = State.PAUSED
    else:
        state = State.IDLE
    visit = Visit(number=lane.visit.number + 1)
    return replace(lane, state=state, visit=visit), (do.ForgetFinger(), do.WatchFace())


def _refuse(lane: Lane, reason: Reason) -> tuple[Lane, Effects]:
    """Show why and what to do; nothing half-done stays."""
    visit = replace(lane.visit, reason=reason)
    record = do.Record(JournalKind.REFUSED, reason, lane.visit.candidate)
    after = replace(lane, state=State.REFUSED, visit=visit)
    return after, (do.ForgetFinger(), do.WatchFace(), record)


def _end(lane: Lane, reason: Reason) -> tuple[Lane, Effects]:
    """Nobody is there to read a refusal: record it and go home."""
    record = do.Record(JournalKind.REFUSED, reason, lane.visit.candidate)
    after, effects = _home(lane)
    return after, (record, *effects)


def _take_claim(lane: Lane, lookup: Lookup) -> Lane:
    visit = replace(
        lane.visit,
        candidate=lookup.candidate,
        leaving=leaves(lane, lookup),
        seated=lookup.standing in (Standing.SEATED, *WERE_IN),
        signed=lookup.has_signature,
        attempts_left=lane.rules.finger_attempts,
        lookup=lookup,
        typed=None,
    )
    return replace(lane, visit=visit)


def _claimed_record(lane: Lane, by: ClaimBy) -> do.Record:
    return do.Record(JournalKind.CLAIMED, None, lane.visit.candidate, by=by)


def _ask_claim(lane: Lane) -> tuple[Lane, Effects]:
    """Wait for a card or a number; who types looks down, so they are guarded, not watched."""
    visit = replace(lane.visit, numbers_left=lane.rules.numbers)
    return replace(lane, state=State.CLAIM, visit=visit), (do.GuardFace(),)


def _number_failed(lane: Lane, reason: Reason) -> tuple[Lane, Effects]:
    """Number and face do not fit: another number, or a proctor.

    A number of nobody, one of somebody else, and one of a twin end alike, after as many looks:
    who types numbers learns nothing of the roster.
    """
    typed, left = lane.visit.typed, lane.visit.numbers_left - 1
    assert typed is not None
    record = do.Record(JournalKind.CLAIM_FAILED, reason, typed.candidate)
    visit = replace(lane.visit, typed=None, numbers_left=left, number_failed=True)
    lane = replace(lane, visit=visit)
    if left > 0:
        return replace(lane, state=State.CLAIM), (record, do.GuardFace())
    after, effects = _refuse(lane, Reason.FACE_NOT_SURE)
    return after, (record, *effects)


def _after_face(lane: Lane, *before: do.Effect) -> tuple[Lane, Effects]:
    visit = replace(lane.visit, done=lane.visit.done | {Step.FACE})
    lane = replace(lane, visit=visit)
    if visit.leaving:
        return _depart(lane, *before, do.GuardFace())
    if lane.asks_finger:
        after = replace(lane, state=State.FINGER)
        return after, (*before, do.GuardFace(), do.ReadFinger())
    return _after_finger(lane, *before, do.GuardFace())


def _depart(lane: Lane, *before: do.Effect) -> tuple[Lane, Effects]:
    """Who leaves has shown what is asked of them."""
    visit = lane.visit
    after = replace(lane, state=State.DRAWING)
    return after, (*before, do.CommitDeparture(visit.who, visit.overridden))


def _after_finger(lane: Lane, *before: do.Effect) -> tuple[Lane, Effects]:
    """To the pad; or, with a seat and a signature from an earlier try, straight to the gate."""
    if lane.visit.leaving:
        return _depart(lane, *before)
    if lane.visit.seated and lane.visit.signed:
        visit = replace(lane.visit, done=lane.visit.done | {Step.SIGN})
        after = replace(lane, state=State.DRAWING, visit=visit)
        return after, (*before, do.CommitAdmission(visit.who, visit.overridden))
    return replace(lane, state=State.SIGN), before


# --- one handler per kind of event ---------------------------------------------------------------


def _on_session_opened(lane: Lane, event: ev.Event) -> tuple[Lane, Effects]:
    lane = replace(lane, session_open=True)
    return _home(lane) if lane.state is State.CLOSED else (lane, ())


def _on_session_closed(lane: Lane, event: ev.Event) -> tuple[Lane, Effects]:
    lane = replace(lane, session_open=False, paused=False)
    if lane.state in (State.IDLE, State.PAUSED, State.CLOSED):
        return _home(lane)
    if lane.state in _UNDER_WAY and not lane.visit.leaving:
        return _refuse(lane, Reason.SESSION_NOT_OPEN)
    return lane, ()  # whoever is in the gate, leaves, or reads the screen, finishes


def _on_failed(lane: Lane, event: ev.Event) -> tuple[Lane, Effects]:
    assert isinstance(event, ev.LaneFailed)
    lane = replace(lane, failed=event.reason)
    if lane.state in _WAITING:
        return _home(lane)
    if lane.state in (*_UNDER_WAY, State.DRAWING):
        return _end(lane, event.reason)
    return lane, ()


def _on_recovered(lane: Lane, event: ev.Event) -> tuple[Lane, Effects]:
    lane = replace(lane, failed=None)
    return _home(lane) if lane.state is State.OUT_OF_ORDER else (lane, ())


def _on_paused(lane: Lane, event: ev.Event) -> tuple[Lane, Effects]:
    lane = replace(lane, paused=True)
    return _home(lane) if lane.state is State.IDLE else (lane, ())


def _on_resumed(lane: Lane, event: ev.Event) -> tuple[Lane, Effects]:
    lane = replace(lane, paused=False)
    return _home(lane) if lane.state is State.PAUSED else (lane, ())


def _on_card(lane: Lane, event: ev.Event) -> tuple[Lane, Effects]:
    """A claim. Refused before anyone looks into a camera when it cannot lead to a seat."""
    assert isinstance(event, ev.CardClaimed)
    if lane.state in (State.REFUSED, State.WELCOME):
        lane, _ = _home(lane)  # the next person is quicker than the screen
    if lane.state in _WAITING and not _may_begin(lane, leaves(lane, event.lookup)):
        return lane, (do.ForgetFinger(), do.WatchFace())
    refused = refusal_of(lane, event.lookup)
    lane = _take_claim(lane, event.lookup)
    noted = do.Record(JournalKind.CARD_NOTED, None, lane.visit.candidate, notes=event.notes)
    begin: list[do.Effect] = [noted] if event.notes else []
    reason = event.problem or refused
    if reason is not None:
        after, effects = _refuse(lane, reason)
        return after, (*begin, *effects)
    candidate = lane.visit.who
    begin.append(_claimed_record(lane, ClaimBy.CARD))
    if lane.visit.leaving and lane.rules.exit is not ExitCheck.FACE:
        return _leave_without_face(lane, *begin)
    if lane.by_eye:
        return _await_proctor(lane, *begin)
    if lane.asks_finger and not lane.visit.leaving:
        begin.append(do.LoadFinger(candidate))
    begin.append(do.VerifyFace(candidate))
    return replace(lane, state=State.FACE), tuple(begin)


def _may_begin(lane: Lane, leaving: bool) -> bool:
    """Nobody new is taken while closed or paused, but who is inside may go."""
    return lane.state is State.IDLE or (leaving and lane.state in (State.PAUSED, State.CLOSED))


def _await_proctor(lane: Lane, *begin: do.Effect) -> tuple[Lane, Effects]:
    """There is no camera: a person looks at whoever claims."""
    called = do.CallProctor(lane.visit.who, Reason.FACE_BY_EYE)
    return replace(lane, state=State.VERIFY), (*begin, called)


def _leave_without_face(lane: Lane, *begin: do.Effect) -> tuple[Lane, Effects]:
    """As the lane's rule for the way out says; a reader that is out of order makes it the face,
    or, without a camera either, a proctor."""
    candidate = lane.visit.who
    if lane.rules.exit is ExitCheck.CLAIM:
        return _depart(lane, *begin)
    if lane.asks_finger:
        after = replace(lane, state=State.FINGER)
        return after, (*begin, do.LoadFinger(candidate), do.ReadFinger())
    if lane.by_eye:
        return _await_proctor(lane, *begin)
    return replace(lane, state=State.FACE), (*begin, do.VerifyFace(candidate))


def _on_leaving_asked(lane: Lane, event: ev.Event) -> tuple[Lane, Effects]:
    """The next claim is one to go out. Also while no session takes anybody."""
    lane = replace(lane, visit=replace(lane.visit, leaving=True))
    if lane.rules.claim_by_card or lane.by_eye:
        return _ask_claim(lane)
    return replace(lane, state=State.FACE), (do.VerifyFace(None),)


def _on_number_asked(lane: Lane, event: ev.Event) -> tuple[Lane, Effects]:
    return _ask_claim(lane) if lane.asks_numbers else (lane, ())


def _on_number(lane: Lane, event: ev.Event) -> tuple[Lane, Effects]:
    """A claim that anybody could make: whose number it is stays in the journal until the face fits.

    Unlike a card it is not refused at once, not even when it is on no roster.
    """
    assert isinstance(event, ev.NumberClaimed)
    if not lane.rules.may_type or lane.by_eye:
        return lane, ()
    lookup = event.lookup
    record = do.Record(JournalKind.CLAIM_TYPED, refusal_of(lane, lookup), lookup.candidate)
    visit = replace(lane.visit, typed=lookup, number_failed=False)
    after = replace(lane, state=State.FACE, visit=visit)
    return after, (record, do.VerifyNumber(lookup.candidate))


def _on_face_appeared(lane: Lane, event: ev.Event) -> tuple[Lane, Effects]:
    if lane.rules.claim_by_card or lane.by_eye:
        return lane, ()
    return replace(lane, state=State.FACE), (do.VerifyFace(None),)


def _on_face_accepted(lane: Lane, event: ev.Event) -> tuple[Lane, Effects]:
    assert isinstance(event, ev.FaceAccepted)
    claimed_before = lane.visit.candidate is not None
    by = ClaimBy.FACE if lane.visit.typed is None else ClaimBy.NUMBER
    refused = refusal_of(lane, event.lookup)
    lane = _take_claim(lane, event.lookup)
    reason = event.problem or refused
    if reason is not None:
        return _refuse(lane, reason)
    effects: list[do.Effect] = [] if claimed_before else [_claimed_record(lane, by)]
    verified = do.Record(
        JournalKind.IDENTITY_VERIFIED, None, lane.visit.who, distance=event.distance
    )
    effects.append(verified)
    if lane.asks_finger and not claimed_before and not lane.visit.leaving:
        effects.append(do.LoadFinger(lane.visit.who))
    return _after_face(lane, *effects)


def _on_face_refused(lane: Lane, event: ev.Event) -> tuple[Lane, Effects]:
    assert isinstance(event, ev.FaceRefused)
    if lane.visit.typed is not None and event.reason is Reason.FACE_MISMATCH:
        return _number_failed(lane, event.reason)
    return _refuse(lane, event.reason)


def _on_face_not_sure(lane: Lane, event: ev.Event) -> tuple[Lane, Effects]:
    if lane.visit.typed is not None:
        return _number_failed(lane, Reason.FACE_NOT_SURE)
    if lane.visit.candidate is None and (lane.takes_cards or lane.rules.may_type):
        return _ask_claim(lane)
    return _refuse(lane, Reason.FACE_NOT_SURE)


def _on_factor_waived(lane: Lane, event: ev.Event) -> tuple[Lane, Effects]:
    """For whoever comes to it from now on; never in nobody's name."""
    assert isinstance(event, ev.FactorWaived)
    if not event.person.strip():
        return lane, ()
    return replace(lane, without=lane.without | {event.factor}), ()


def _on_factor_restored(lane: Lane, event: ev.Event) -> tuple[Lane, Effects]:
    assert isinstance(event, ev.FactorRestored)
    return replace(lane, without=lane.without - {event.factor}), ()


def _on_verification(lane: Lane, event: ev.Event) -> tuple[Lane, Effects]:
    """A proctor takes over, for whoever stands there or was just turned away."""
    assert isinstance(event, ev.VerificationBegun)
    if lane.state is State.REFUSED:
        lane, _ = _home(lane)
    if lane.state in _WAITING and not _may_begin(lane, event.leaving):
        return lane, (do.ForgetFinger(), do.WatchFace())
    lane = _take_claim(lane, event.lookup)
    lane = replace(lane, visit=replace(lane.visit, leaving=event.leaving))
    return replace(lane, state=State.VERIFY), (do.ForgetFinger(), do.WatchFace())


def _on_identity_overridden(lane: Lane, event: ev.Event) -> tuple[Lane, Effects]:
    """As after an accepted face, on a person's authority; the finger too, when they say so."""
    assert isinstance(event, ev.IdentityOverridden)
    who = lane.visit.who
    effects: list[do.Effect] = [
        do.RecordDecision(JournalKind.IDENTITY_OVERRIDDEN, who, event.decision)
    ]
    done = lane.visit.done | {Step.FACE}
    lane = replace(lane, visit=replace(lane.visit, overridden=True, done=done))
    if lane.visit.leaving:
        return _depart(lane, *effects, do.GuardFace())
    if lane.asks_finger and event.finger is not None:
        return _without_finger(lane, event.finger, *effects, do.GuardFace())
    if lane.asks_finger:
        effects.append(do.LoadFinger(who))
    return _after_face(lane, *effects)


def _on_finger_overridden(lane: Lane, event: ev.Event) -> tuple[Lane, Effects]:
    assert isinstance(event, ev.FingerOverridden)
    return _without_finger(lane, event.decision)


def _without_finger(
    lane: Lane, decision: Override, *before: do.Effect
) -> tuple[Lane, Effects]:
    record = do.RecordDecision(JournalKind.FINGER_OVERRIDDEN, lane.visit.who, decision)
    done = lane.visit.done | {Step.FINGER}
    visit = replace(lane.visit, overridden=True, done=done, finger_retry=None)
    return _after_finger(replace(lane, visit=visit), *before, do.ForgetFinger(), record)


def _on_identity_rejected(lane: Lane, event: ev.Event) -> tuple[Lane, Effects]:
    assert isinstance(event, ev.IdentityRejected)
    record = do.RecordDecision(JournalKind.IDENTITY_REJECTED, lane.visit.who, event.decision)
    after, effects = _refuse(lane, Reason.MANUAL_REJECTED)
    return after, (record, *effects)


def _on_finger_matched(lane: Lane, event: ev.Event) -> tuple[Lane, Effects]:
    assert isinstance(event, ev.FingerMatched)
    visit = replace(lane.visit, done=lane.visit.done | {Step.FINGER}, finger_retry=None)
    lane = replace(lane, visit=visit)
    record = do.Record(JournalKind.FINGER_VERIFIED, None, lane.visit.candidate, score=event.score)
    return _after_finger(lane, do.ForgetFinger(), record)


def _on_finger_not_matched(lane: Lane, event: ev.Event) -> tuple[Lane, Effects]:
    assert isinstance(event, ev.FingerNotMatched)
    return _finger_failed(lane, Reason.FINGER_NO_MATCH, "no_match", score=event.score)


def _on_finger_not_compared(lane: Lane, event: ev.Event) -> tuple[Lane, Effects]:
    return _finger_failed(lane, Reason.FINGER_NOT_COMPARED, "not_compared")


def _finger_failed(
    lane: Lane, why: Reason, retry: str, score: int | None = None
) -> tuple[Lane, Effects]:
    """It costs an attempt; the last one ends the visit."""
    left = lane.visit.attempts_left - 1
    lane = replace(lane, visit=replace(lane.visit, attempts_left=left, finger_retry=retry))
    record = do.Record(JournalKind.FINGER_FAILED, why, lane.visit.candidate, score=score)
    if left > 0:
        return lane, (record, do.ReadFinger())
    after, effects = _refuse(lane, why)
    return after, (record, *effects)


def _on_finger_unreadable(lane: Lane, event: ev.Event) -> tuple[Lane, Effects]:
    assert isinstance(event, ev.FingerUnreadable)
    return replace(lane, visit=replace(lane.visit, finger_retry=event.why)), (do.ReadFinger(),)


def _on_signature(lane: Lane, event: ev.Event) -> tuple[Lane, Effects]:
    return replace(lane, state=State.DRAWING), (do.StoreSignature(lane.visit.who),)


def _on_signature_stored(lane: Lane, event: ev.Event) -> tuple[Lane, Effects]:
    if lane.visit.leaving:
        return lane, ()  # who goes out does not sign
    visit = replace(lane.visit, signed=True, done=lane.visit.done | {Step.SIGN})
    return replace(lane, visit=visit), (do.CommitAdmission(visit.who, visit.overridden),)


def _on_admission(lane: Lane, event: ev.Event) -> tuple[Lane, Effects]:
    assert isinstance(event, ev.AdmissionCommitted)
    admission = event.admission
    visit = replace(
        lane.visit,
        terminal=admission.terminal,
        draw_no=admission.draw_no,
        kept_seat=not admission.drawn_now,
        intent_id=admission.intent_id,
    )
    after = replace(lane, state=State.GATE, visit=visit)
    return after, (do.UnlockGate(admission.intent_id, lane.visit.leaving), do.WatchFace())


def _on_admission_refused(lane: Lane, event: ev.Event) -> tuple[Lane, Effects]:
    assert isinstance(event, ev.AdmissionRefused)
    return _refuse(lane, event.reason)


def _on_passage(lane: Lane, event: ev.Event) -> tuple[Lane, Effects]:
    """Admission's second phase: only who passed is inside. A gate without sensors cannot tell:
    who was let in there is taken for passed, under a reason of its own."""
    assert isinstance(event, ev.PassageEnded)
    assert lane.visit.intent_id is not None
    record = do.RecordPassage(lane.visit.intent_id, event.reason)
    through = Reason.LEFT if lane.visit.leaving else Reason.ADMITTED
    passed = event.reason in (through, Reason.GATE_TAILGATED, Reason.GATE_UNSEEN)
    done = lane.visit.done | ({Step.SEAT} if passed else frozenset())
    visit = replace(lane.visit, reason=event.reason, done=done)
    state = State.WELCOME if passed else State.REFUSED
    return replace(lane, state=state, visit=visit), (record,)


def _on_timeout(lane: Lane, event: ev.Event) -> tuple[Lane, Effects]:
    reasons = {
        State.FACE: Reason.FACE_TIMEOUT,
        State.CLAIM: Reason.FACE_NOT_SURE,
        State.VERIFY: Reason.MANUAL_TIMEOUT,
        State.FINGER: Reason.FINGER_TIMEOUT,
        State.SIGN: Reason.SIGNATURE_TIMEOUT,
    }
    if lane.state in reasons and not _only_asked(lane):
        return _refuse(lane, reasons[lane.state])
    return _home(lane)


def _only_asked(lane: Lane) -> bool:
    """A card lane whose button was touched, and no number given: nothing was claimed."""
    visit = lane.visit
    asked = lane.state is State.CLAIM and lane.rules.claim_by_card
    return asked and visit.numbers_left == lane.rules.numbers


def _on_gate_timeout(lane: Lane, event: ev.Event) -> tuple[Lane, Effects]:
    """The turnstile should have said how the passage ended and did not."""
    return _on_passage(lane, ev.PassageEnded(Reason.GATE_UNKNOWN))


def _on_left(lane: Lane, event: ev.Event) -> tuple[Lane, Effects]:
    visit = lane.visit
    if visit.leaving and lane.rules.exit is not ExitCheck.FACE and lane.state is not State.FACE:
        return lane, ()  # their face is not asked for
    nothing = lane.state is State.FACE and visit.candidate is None and visit.typed is None
    if nothing or _only_asked(lane):
        return _home(lane)  # somebody walked past the camera: nothing was claimed
    return _end(lane, Reason.WALKED_AWAY)


def _on_cancelled(lane: Lane, event: ev.Event) -> tuple[Lane, Effects]:
    assert isinstance(event, ev.Cancelled)
    return _end(lane, Reason.CANCELLED_BY_PROCTOR if event.by_proctor else Reason.CANCELLED)


# --- the table ----------------------------------------------------------------------------------

S = State
_WAITING = (S.IDLE, S.PAUSED, S.CLOSED, S.OUT_OF_ORDER)
_ACTIVE = (S.CLAIM, S.FACE, S.FINGER, S.SIGN)
_UNDER_WAY = (*_ACTIVE, S.VERIFY)
_TO_FACE = (S.FACE, S.VERIFY, S.FINGER, S.DRAWING, S.REFUSED)  #: VERIFY: while there is no camera
_PAST_FACE = (S.FINGER, S.SIGN, S.DRAWING, S.REFUSED)

TABLE: dict[tuple[State, type], Rule] = {
    # waiting for a person
    (S.IDLE, ev.CardClaimed): Rule(_on_card, _TO_FACE, "card laid on: claim, or refusal at once"),
    (S.IDLE, ev.FaceAppeared): Rule(_on_face_appeared, (S.FACE, S.IDLE), "1:N lanes begin"),
    (S.IDLE, ev.NumberAsked): Rule(_on_number_asked, (S.CLAIM, S.IDLE), "card cannot be read"),
    (S.IDLE, ev.LeavingAsked): Rule(_on_leaving_asked, (S.CLAIM, S.FACE), "wants out"),
    # 1:N was not sure, or a card cannot be read
    (S.CLAIM, ev.CardClaimed): Rule(_on_card, _TO_FACE, "a claim makes it 1:1"),
    (S.CLAIM, ev.NumberClaimed): Rule(_on_number, (S.FACE, S.CLAIM), "typed or scanned: 1:1"),
    (S.CLAIM, ev.TimedOut): Rule(_on_timeout, (S.REFUSED, *_WAITING), "no claim: to the proctor"),
    # face
    (S.FACE, ev.FaceAccepted): Rule(_on_face_accepted, _PAST_FACE, "live and the right person"),
    (S.FACE, ev.FaceRefused): Rule(
        _on_face_refused, (S.REFUSED, S.CLAIM), "not live, or another face; another number"
    ),
    (S.FACE, ev.FaceNotSure): Rule(_on_face_not_sure, (S.CLAIM, S.REFUSED), "never a guess"),
    (S.FACE, ev.TimedOut): Rule(_on_timeout, (S.REFUSED,), "no usable face in time"),
    # a proctor compares photograph, person and card
    (S.VERIFY, ev.IdentityOverridden): Rule(
        _on_identity_overridden, (S.FINGER, S.SIGN, S.DRAWING), "it is them: goes on as for all"
    ),
    (S.VERIFY, ev.IdentityRejected): Rule(_on_identity_rejected, (S.REFUSED,), "it is not"),
    (S.VERIFY, ev.TimedOut): Rule(_on_timeout, (S.REFUSED,), "nothing was decided in time"),
    # finger
    (S.FINGER, ev.FingerOverridden): Rule(
        _on_finger_overridden, (S.SIGN, S.DRAWING), "a proctor: on without it"
    ),
    (S.FINGER, ev.FingerMatched): Rule(
        _on_finger_matched, (S.SIGN, S.DRAWING), "to the pad; who has a seat, to the gate"
    ),
    (S.FINGER, ev.FingerNotMatched): Rule(
        _on_finger_not_matched, (S.FINGER, S.REFUSED), "try again while attempts are left"
    ),
    (S.FINGER, ev.FingerNotCompared): Rule(
        _on_finger_not_compared, (S.FINGER, S.REFUSED), "it took too long: likewise"
    ),
    (S.FINGER, ev.FingerUnreadable): Rule(_on_finger_unreadable, (S.FINGER,), "costs no attempt"),
    (S.FINGER, ev.AdmissionRefused): Rule(_on_admission_refused, (S.REFUSED,), "no template"),
    (S.FINGER, ev.TimedOut): Rule(_on_timeout, (S.REFUSED,), "no finger in time"),
    # sign
    (S.SIGN, ev.SignatureGiven): Rule(_on_signature, (S.DRAWING,), "confirmed on the pad"),
    (S.SIGN, ev.TimedOut): Rule(_on_timeout, (S.REFUSED,), "not signed in time"),
    # draw: signature on disk, then seat + proof + gate intent in one transaction
    (S.DRAWING, ev.SignatureStored): Rule(_on_signature_stored, (S.DRAWING,), "then the draw"),
    (S.DRAWING, ev.AdmissionCommitted): Rule(_on_admission, (S.GATE,), "intent on disk: unlock"),
    (S.DRAWING, ev.AdmissionRefused): Rule(_on_admission_refused, (S.REFUSED,), "hall full, …"),
    # gate
    (S.GATE, ev.PassageEnded): Rule(_on_passage, (S.WELCOME, S.REFUSED), "as the sensors saw it"),
    (S.GATE, ev.TimedOut): Rule(_on_gate_timeout, (S.REFUSED,), "sensors said nothing: unknown"),
    # the screen stays a while; the next card may come before
    (S.WELCOME, ev.TimedOut): Rule(_on_timeout, _WAITING, "next please"),
    (S.WELCOME, ev.CardClaimed): Rule(_on_card, (*_TO_FACE, *_WAITING), "the next is quick"),
    (S.REFUSED, ev.TimedOut): Rule(_on_timeout, _WAITING, "next please"),
    (S.REFUSED, ev.CardClaimed): Rule(_on_card, (*_TO_FACE, *_WAITING), "the next is quick"),
    (S.REFUSED, ev.Cancelled): Rule(_on_timeout, _WAITING, "read and done"),
    (S.WELCOME, ev.Cancelled): Rule(_on_timeout, _WAITING, "read and done"),
    # session
    (S.CLOSED, ev.SessionOpened): Rule(_on_session_opened, (S.IDLE, S.OUT_OF_ORDER), "opens"),
    (S.OUT_OF_ORDER, ev.SessionOpened): Rule(_on_session_opened, (S.OUT_OF_ORDER,), "noted"),
    (S.OUT_OF_ORDER, ev.SessionClosed): Rule(_on_session_closed, (S.OUT_OF_ORDER,), "noted"),
    (S.OUT_OF_ORDER, ev.LaneRecovered): Rule(
        _on_recovered, (S.IDLE, S.PAUSED, S.CLOSED), "well again"
    ),
    (S.IDLE, ev.SessionPaused): Rule(_on_paused, (S.PAUSED,), "nobody new begins"),
    (S.PAUSED, ev.SessionResumed): Rule(_on_resumed, (S.IDLE,), "goes on"),
    (S.PAUSED, ev.SessionClosed): Rule(_on_session_closed, (S.CLOSED,), "closes"),
}

_HOME = (S.IDLE, S.PAUSED, S.CLOSED)  # CLOSED: who wanted to leave
for _state in _ACTIVE:
    # who talks with a proctor need not look into the camera: not so in VERIFY
    TABLE[_state, ev.PersonLeft] = Rule(
        _on_left, (*_HOME, _state), "walked away: nothing half-done"
    )
for _state in (S.IDLE, S.CLAIM, S.FACE, S.VERIFY, S.REFUSED):
    TABLE[_state, ev.VerificationBegun] = Rule(
        _on_verification, (S.VERIFY, S.PAUSED, S.CLOSED, S.OUT_OF_ORDER)
        if _state is S.REFUSED else (S.VERIFY,), "a proctor looks",
    )  # fmt: skip
for _state in (S.PAUSED, S.CLOSED):
    # nobody new begins, but who is inside may go
    TABLE[_state, ev.LeavingAsked] = Rule(_on_leaving_asked, (S.CLAIM, S.FACE), "wants out")
    TABLE[_state, ev.CardClaimed] = Rule(_on_card, _TO_FACE, "only of who goes out")
    TABLE[_state, ev.VerificationBegun] = Rule(_on_verification, (S.VERIFY,), "to let them out")
for _state in _UNDER_WAY:
    TABLE[_state, ev.Cancelled] = Rule(_on_cancelled, _HOME, "stopped by hand")
    TABLE[_state, ev.SessionClosed] = Rule(
        _on_session_closed, (S.REFUSED, _state), "session ended; who leaves goes on"
    )
    TABLE[_state, ev.SessionOpened] = Rule(_on_session_opened, (_state,), "noted: they leave")
    TABLE[_state, ev.LaneFailed] = Rule(_on_failed, (S.OUT_OF_ORDER,), "try ended, said so")
TABLE[S.DRAWING, ev.LaneFailed] = Rule(_on_failed, (S.OUT_OF_ORDER,), "try ended, said so")
for _state in (S.GATE, S.WELCOME, S.REFUSED, S.DRAWING):
    TABLE[_state, ev.SessionClosed] = Rule(_on_session_closed, (_state,), "finishes first")
TABLE[S.DRAWING, ev.SessionOpened] = Rule(_on_session_opened, (S.DRAWING,), "noted: they leave")
for _state in (S.GATE, S.WELCOME, S.REFUSED):
    TABLE[_state, ev.LaneFailed] = Rule(_on_failed, (_state,), "finishes first")
    TABLE[_state, ev.LaneRecovered] = Rule(_on_recovered, (_state,), "noted")
    TABLE[_state, ev.SessionOpened] = Rule(_on_session_opened, (_state,), "noted")
for _state in (*_UNDER_WAY, S.DRAWING, S.GATE, S.WELCOME, S.REFUSED, S.OUT_OF_ORDER):
    TABLE[_state, ev.SessionPaused] = Rule(_on_paused, (_state,), "noted; who is here finishes")
    TABLE[_state, ev.SessionResumed] = Rule(_on_resumed, (_state,), "noted")
for _state in S:
    TABLE[_state, ev.FactorWaived] = Rule(_on_factor_waived, (_state,), "noted")
    TABLE[_state, ev.FactorRestored] = Rule(_on_factor_restored, (_state,), "noted")
for _state in _WAITING:
    TABLE[_state, ev.LaneFailed] = Rule(_on_failed, (S.OUT_OF_ORDER,), "a device is missing")
TABLE[S.IDLE, ev.SessionClosed] = Rule(_on_session_closed, (S.CLOSED,), "closes")


def accepts(lane: Lane, event: ev.Event) -> bool:
    """Whether `step` would take it: for happenings that may come too late, such as absence."""
    if (lane.state, type(event)) not in TABLE:
        return False
    if isinstance(event, ev.LeavingAsked):
        return lane.rules.exit is not None and (lane.takes_cards or not lane.by_eye)
    if isinstance(event, ev.VerificationBegun) and event.leaving:
        return lane.rules.exit is not None
    if lane.state not in (State.PAUSED, State.CLOSED):
        return True
    if isinstance(event, ev.CardClaimed):
        return leaves(lane, event.lookup)  # nobody new begins
    return not isinstance(event, ev.VerificationBegun)
