"""What a proctor decides at the lane: whom a person's eyes let in, a finger set aside, help.

Part of the daemon: each needs the lane as it is now. It must not know who calls or over what.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from pydantic import Field

from kiosk.core import events as ev
from kiosk.core import flow
from kiosk.core.codes import FaceOverride, Factor, FingerOverride, Reason, Rejection
from kiosk.core.number import Number, read
from kiosk.core.types import Lookup, Override, Standing
from kiosk.desks.params import NoParams, Params, parse
from kiosk.reasons import reason_text
from kiosk.session import LaneSession
from kiosk.steps.ladder import DEVICES
from kiosk.store.errors import NotBooked, NotHelpable, StoreError
from kiosk.store.help import ENDS, HelpRequest
from kiosk.texts import Problem
from kiosk.wire import RpcError


class WhomToVerify(Params):
    """One of these says who: a request, a candidate of the list, or the number on their card."""

    help_id: int | None = None
    ref: str | None = Field(None, max_length=64)
    number: str | None = Field(None, max_length=64, repr=False)
    visit: int | None = None  #: whoever is at the lane now
    leaving: bool = False  #: to let them out
    person: str = Field(min_length=1, max_length=64)


class Decision(Params):
    visit: int
    note: str = Field("", max_length=200)
    approved_by: str | None = Field(None, max_length=64)
    person: str = Field(min_length=1, max_length=64)


class Accept(Decision):
    why: FaceOverride
    finger_why: FingerOverride | None = None  #: also without a fingerprint, because


class Reject(Decision):
    why: Rejection


class Waive(Decision):
    why: FingerOverride


class WhichFactor(Params):
    factor: Factor
    person: str = Field(min_length=1, max_length=64)


class WhichHelp(Params):
    help_id: int
    person: str = Field(min_length=1, max_length=64)


class EndHelp(WhichHelp):
    how: str = Field("helped", pattern=f"^({'|'.join(ENDS)})$")


_NOT_TO_COME = {Standing.INSIDE: "ALREADY_INSIDE", Standing.LEFT: "ALREADY_LEFT"}


class LaneDesk:
    def __init__(
        self, session: LaneSession, lane_id: str, language: str, declined: Callable[..., RpcError]
    ) -> None:
        self._session = session
        self._lane_id = lane_id
        self._language = language
        self._declined = declined
        self.methods: dict[str, tuple[type[Params], Callable[[Any], Any]]] = {
            "verify.begin": (WhomToVerify, self._begin),
            "verify.look": (NoParams, self._look),
            "verify.capture": (NoParams, self._capture),
            "verify.accept": (Accept, self._accept),
            "verify.reject": (Reject, self._reject),
            "finger.waive": (Waive, self._waive),
            "lane.waive": (WhichFactor, self._waive_factor),
            "help.list": (NoParams, self._help),
            "help.take": (WhichHelp, self._take),
            "help.done": (EndHelp, self._done),
        }

    def call(self, method: str, params: dict[str, Any]) -> Any:
        """Raises `RpcError`, or `StoreError` when nothing can be recorded."""
        schema, handler = self.methods[method]
        return handler(parse(schema, params))

    # --- a person looks -------------------------------------------------------------------------

    def _begin(self, p: WhomToVerify) -> Any:
        step = self._session.verify
        if p.leaving and self._session.lane.rules.exit is None:
            raise self._refused("no_way_out", p)
        if not (step.may_begin() or step.may_begin(leaving=True)):
            raise self._refused("not_now", p)
        lookup = self._whom(p)
        leaving = p.leaving or self._goes_out(p, lookup)
        if not step.may_begin(leaving):
            raise self._refused("not_now", p)
        if lookup.candidate is None or lookup.standing is Standing.UNKNOWN:
            raise self._refused("candidate_unknown", p)
        problem = self._cannot_leave(lookup) if leaving else self._cannot_come(lookup)
        if problem is not None:
            words = reason_text(problem, p.lang or self._language)
            raise self._refused("verify_not_booked", p, reason=words)
        if step.is_another(lookup):
            raise self._refused("lane_busy", p)
        step.begin(lookup, p.person, leaving)
        return {"visit": self._session.lane.visit.number}

    def _cannot_come(self, lookup: Lookup) -> str | None:
        if lookup.standing not in (Standing.BOOKED, Standing.SEATED) and not lookup.may_return:
            return _NOT_TO_COME.get(lookup.standing, "OTHER_SESSION")
        return self._session.window_problem(lookup)

    def _cannot_leave(self, lookup: Lookup) -> str | None:
        """A body overrules the record: who has a seat may be inside whatever it says."""
        return None if lookup.terminal is not None else "NOT_INSIDE"

    def _whom(self, p: WhomToVerify) -> Lookup:
        store, claims = self._session.store, self._session.claims
        if p.number is not None:
            number = read(p.number, store.admission_lengths(self._session.session_id))
            if not isinstance(number, Number):
                raise self._refused(f"number_{number}", p)
            return claims.of_number(number)
        if p.ref is not None:
            return self._of_ref(p, p.ref)
        if p.visit is not None:
            here = self._session.lane.visit
            if here.number != p.visit or here.candidate is None:
                raise self._refused("stale_visit", p)
            return claims.of_candidate(here.candidate.candidate_id)
        asked = self._request(p)
        if asked is None or asked.candidate_id is None:
            raise self._refused("candidate_unknown", p)
        return claims.of_candidate(asked.candidate_id)

    def _of_ref(self, p: WhomToVerify, ref: str) -> Lookup:
        """Of the open session; at a gate that lets people out also of an earlier one."""
        store, session = self._session.store, self._session.session
        leaver = store.lookup_leaving_ref(ref) if self._session.lane.rules.exit else None
        try:
            if session is not None:
                found = store.person_of(session.session_id, ref).candidate_id
                return self._session.claims.of_candidate(found)
        except NotBooked as refused:
            if leaver is None:
                raise self._refused("candidate_unknown", p) from refused
        if leaver is None:
            raise self._refused("candidate_unknown", p)
        return leaver

    def _request(self, p: WhomToVerify) -> HelpRequest | None:
        open_ones = self._session.store.open_help()
        return next((h for h in open_ones if h.help_id == p.help_id), None)

    def _goes_out(self, p: WhomToVerify, lookup: Lookup) -> bool:
        """Whether they want out, though nobody says so: by where they stand, or what they asked."""
        lane, asked = self._session.lane, self._request(p)
        if lane.rules.exit is None:
            return False
        if asked is not None and asked.reason == Reason.NOT_INSIDE:
            return True
        here = lane.visit.leaving and lane.visit.candidate == lookup.candidate
        return here or (lookup.standing is Standing.INSIDE and not lookup.may_return)

    def _look(self, p: NoParams) -> Any:
        """Photograph, the picture held, card and numbers, side by side, in full."""
        step, who = self._session.verify, self._session.lane.visit.candidate
        if not step.under_way or who is None:
            raise self._refused("not_now", p)
        try:
            photo = base64.b64encode(self._session.store.photo(who.candidate_id)).decode()
        except StoreError:
            photo = None
        card = step.card
        return {
            "visit": self._session.lane.visit.number,
            "name": who.name,
            "admission_no": who.admission_no,
            "identity_number": who.identity_number,
            "licence_class": who.licence_class,
            "photo": photo,
            "captured": _base64(step.captured),
            "card": card
            and {
                "name": card.name,
                "number": card.number,
                "valid_to": card.valid_to,
                "fits": step.card_fits(),
            },
            "finger": self._session.lane.asks_finger,
            "two_people": step.two_people,
        }

    def _capture(self, p: NoParams) -> Any:
        step = self._session.verify
        if not step.under_way:
            raise self._refused("not_now", p)
        return {"captured": _base64(step.capture())}

    def _accept(self, p: Accept) -> Any:
        step = self._session.verify
        self._check(p, step.under_way)
        if step.captured is None and p.why is not FaceOverride.CAMERA:
            raise self._refused("evidence_picture", p)
        if p.why is FaceOverride.CAMERA and self._camera_works():
            raise self._refused("camera_works", p)
        self._check_words(p, FaceOverride.OTHER)
        finger = None
        if p.finger_why is not None:
            self._check_note(p, p.finger_why is FingerOverride.OTHER)
            finger = Override(p.finger_why, p.note.strip(), p.person, p.approved_by)
        step.accept(Override(p.why, p.note.strip(), p.person, p.approved_by), finger)
        return {}

    def _reject(self, p: Reject) -> Any:
        self._check(p, self._session.verify.under_way)
        self._check_note(p, p.why is Rejection.OTHER)
        who = self._session.lane.visit.who
        self._session.verify.reject(Override(p.why, p.note.strip(), p.person))
        asked = self._session.store.help_of(who)
        if asked is not None:  # that was the answer
            self._session.store.end_help(asked, p.person, "sent_away")
            self._session.help_changed()
        return {}

    def _waive(self, p: Waive) -> Any:
        decision = Override(p.why, p.note.strip(), p.person, p.approved_by)
        event = ev.FingerOverridden(decision)
        self._check(p, flow.accepts(self._session.lane, event))
        self._check_words(p, FingerOverride.OTHER)
        self._session.post(event)
        return {}

    def _waive_factor(self, p: WhichFactor) -> Any:
        """Only for a device that is out of order, and only until it is back."""
        ladder = self._session.ladder
        if not ladder.may_waive(p.factor):
            raise self._refused("device_works", p, role=DEVICES[p.factor])
        ladder.waive(p.factor, p.person)
        return {}

    def _camera_works(self) -> bool:
        status = self._session.supervisor.statuses.get("camera")
        return status is not None and status.ok

    def _check(self, p: Decision, now: bool) -> None:
        if p.visit != self._session.lane.visit.number:
            raise self._refused("stale_visit", p)
        if not now:
            raise self._refused("not_now", p)

    def _check_words(self, p: Accept | Waive, other: str) -> None:
        self._check_note(p, p.why == other)
        if self._session.verify.two_people and not (p.approved_by or "").strip():
            raise self._refused("approval_missing", p)
        if (p.approved_by or "").strip().casefold() == p.person.strip().casefold():
            raise self._refused("approval_own", p)

    def _check_note(self, p: Decision, needed: bool) -> None:
        if needed and not p.note.strip():
            raise self._refused("note_missing", p)

    # --- help -----------------------------------------------------------------------------------

    def _help(self, p: NoParams) -> Any:
        return {"requests": [self._shown(one) for one in self._session.store.open_help()]}

    def _shown(self, h: HelpRequest) -> dict[str, Any]:
        ours = self._session.session_id is not None and h.session_id == self._session.session_id
        ours = ours or self._session.lane.rules.exit is not None
        done_elsewhere = h.reason == Reason.ALREADY_LEFT  # let in again, in the candidates' list
        return {
            "help_id": h.help_id,
            "at": h.at,
            "lane": self._lane_id,
            "reason": h.reason,
            "times": h.times,
            "ref": h.ref,
            "candidate": h.name,
            "admission_no": h.admission_no,
            "taken_by": h.taken_by,
            "taken_at": h.taken_at,
            "may_verify": ours and h.candidate_id is not None and not done_elsewhere,
        }

    def _take(self, p: WhichHelp) -> Any:
        return self._answer(p, lambda: self._session.store.take_help(p.help_id, p.person))

    def _done(self, p: EndHelp) -> Any:
        return self._answer(p, lambda: self._session.store.end_help(p.help_id, p.person, p.how))

    def _answer(self, p: WhichHelp, act: Callable[[], None]) -> Any:
        try:
            act()
        except NotHelpable as refused:
            raise self._refused("help_unknown", p) from refused
        self._session.help_changed()
        return {}

    def _refused(self, code: str, p: Params, **about: object) -> RpcError:
        return self._declined(code.upper(), [Problem(code, about)], p.lang)


def _base64(picture: bytes | None) -> str | None:
    return None if picture is None else base64.b64encode(picture).decode()
