"""Checks that each opening of the gate had its intent, each intent its authority, and each its
end (docs/journal.md, What a verifier checks, Gate).

Asks `Seats` who holds what; must be told of each entry after `Seats` has seen it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from kiosk.audit.findings import Code, Finding
from kiosk.audit.record import Entry, read_hashes
from kiosk.audit.seats import Seat, Seats
from kiosk.core.codes import ExitCheck, FaceOverride, FingerOverride, IntentKind, Reason

PASSED = frozenset(
    {Reason.ADMITTED.value, Reason.GATE_TAILGATED.value, Reason.GATE_UNSEEN.value}
)
PASSED_OUT = PASSED - {Reason.ADMITTED.value} | {Reason.LEFT.value}
NOT_PASSED = frozenset(
    r.value
    for r in (
        Reason.GATE_TIMEOUT, Reason.GATE_TURNED_BACK, Reason.GATE_BLOCKED, Reason.GATE_UNKNOWN,
    )
)  # fmt: skip
RESULTS = frozenset({"sent", "not_sent", "unknown"})


@dataclass(slots=True)
class _Intent:
    entry: Entry
    draw_no: int
    pulse: str | None = None
    outcome: Entry | None = None
    kind: str = IntentKind.ADMISSION
    seat: Seat | None = None  #: that it was for
    moved: bool = False  #: `admitted` or `left` has followed
    there_before: bool = False  #: they were already where it led to

    @property
    def out(self) -> bool:
        return self.kind == IntentKind.EXIT

    @property
    def passed(self) -> bool:
        ends = PASSED_OUT if self.out else PASSED
        return self.outcome is not None and self.outcome.reason in ends

    def is_of(self, entry: Entry) -> bool:
        mine = (self.entry.pseudonym, self.entry.terminal)
        return mine == (entry.pseudonym, entry.terminal)


@dataclass(slots=True)
class _Shown:
    """What a candidate has shown since their last intent."""

    face: str | None = None  #: `verified` by the lane, or `override`: by a person's word
    finger: str | None = None  #: after the face; likewise
    waived: bool = False  #: the lane went on without fingers when the face was shown

    @property
    def authority(self) -> str:
        return "override" if "override" in (self.face, self.finger) else "verified"


@dataclass(slots=True)
class Gate:
    seats: Seats
    policy: dict[str, Any] | None = None  #: None: of a lane that did not say it
    waived: set[str] = field(default_factory=set)  #: what a chief lets the lane go on without
    intents: dict[int, _Intent] = field(default_factory=dict)
    _shown: dict[str, _Shown] = field(default_factory=dict)
    _signed: set[str] = field(default_factory=set)
    _trial: Entry | None = None  #: a pulse by hand that was asked for and has no result yet
    _looked_at: set[tuple[str, str]] = field(default_factory=set)  #: whose picture, by a person

    def shows(self, entry: Entry) -> None:
        """identity_verified, finger_verified or signed."""
        who = entry.pseudonym or ""
        match entry.kind:
            case "identity_verified":
                self._shown[who] = _Shown(face="verified", waived="finger" in self.waived)
            case "finger_verified":
                self._shown.setdefault(who, _Shown()).finger = "verified"
            case "signed":
                self._signed.add(who)

    def captured(self, entry: Entry) -> Iterator[Finding]:
        """capture_kept: the picture that a person looked at."""
        sha256, outcome = entry.payload["sha256"], entry.payload["outcome"]
        if not (isinstance(outcome, str) and read_hashes([sha256])):
            raise TypeError("outcome")
        if outcome == "by_hand":
            self._looked_at.add((entry.pseudonym or "", sha256))
        return iter(())

    def overridden(self, entry: Entry) -> Iterator[Finding]:
        """identity_overridden or finger_overridden: whether it may stand for the machine."""
        p, face = entry.payload, entry.kind == "identity_overridden"
        for name in ("why", "note", "person", "approved_by"):
            allowed = str | None if name == "approved_by" else str
            if not isinstance(p[name], allowed):
                raise TypeError(name)
        if face and p["evidence_sha256"] is not None:
            read_hashes([p["evidence_sha256"]])
        yield from self._decision(entry, FaceOverride if face else FingerOverride)
        if face:
            yield from self._picture(entry)
        who = entry.pseudonym or ""
        if face:
            self._shown[who] = _Shown(face="override", waived="finger" in self.waived)
        else:
            self._shown.setdefault(who, _Shown()).finger = "override"

    def _decision(self, entry: Entry, reasons: type[StrEnum]) -> Iterator[Finding]:
        p = entry.payload
        if p["why"] not in {reason.value for reason in reasons}:
            yield Finding(Code.OVERRIDE, entry.seq, "override_why", {"why": p["why"]})
        if not p["person"].strip() or (p["why"] == "other" and not p["note"].strip()):
            yield Finding(Code.OVERRIDE, entry.seq, "override_words")
        second, wanted = p["approved_by"], (self.policy or {}).get("override_approval") is True
        if second == p["person"] or (wanted and not (second or "").strip()):
            yield Finding(Code.OVERRIDE, entry.seq, "override_approval")

    def _picture(self, entry: Entry) -> Iterator[Finding]:
        sha256 = entry.payload["evidence_sha256"]
        if sha256 is None:
            if entry.payload["why"] != FaceOverride.CAMERA or "face" not in self.waived:
                yield Finding(Code.OVERRIDE, entry.seq, "override_picture")
        elif (entry.pseudonym or "", sha256) not in self._looked_at:
            yield Finding(Code.OVERRIDE, entry.seq, "override_picture")

    def is_open_for(self, entry: Entry) -> bool:
        """Whether an intent of this candidate has no outcome yet."""
        return any(i.outcome is None and i.is_of(entry) for i in self.intents.values())

    def tried(self, entry: Entry) -> Iterator[Finding]:
        """device_tried of the gate: asked, then what became of it; by two people."""
        p = entry.payload
        for name in ("device", "action", "result", "person"):
            if not isinstance(p[name], str):
                raise TypeError(name)
        if (p["device"], p["action"]) != ("turnstile", "pulse"):
            return
        result, person, second = p["result"], p["person"], p["approved_by"]
        if not isinstance(second, str | None):
            raise TypeError("approved_by")
        if result == "asked":
            if self._trial is not None:
                yield Finding(Code.PULSE, self._trial.seq, "trial_result")
            self._trial = entry
            if not person.strip() or not (second or "").strip() or second == person:
                yield Finding(Code.OVERRIDE, entry.seq, "trial_approval")
            return
        if result not in RESULTS:
            yield Finding(Code.PULSE, entry.seq, "pulse_result", {"result": result})
        if self._trial is None:
            yield Finding(Code.PULSE, entry.seq, "trial_asked")
        self._trial = None

    def intent(self, entry: Entry) -> Iterator[Finding]:
        if self._trial is not None:
            yield Finding(Code.INTENT, entry.seq, "trial_under_way")
        p = entry.payload
        number = int(p["intent"])
        if number in self.intents:
            yield Finding(Code.INTENT, entry.seq, "intent_twice", {"intent": number})
            return
        kind = p.get("kind", IntentKind.ADMISSION)
        seat = self._seat_of(entry, kind)
        if seat is None:
            yield Finding(Code.INTENT, entry.seq, "intent_seat", {"terminal": entry.terminal})
        elif (what := self._cannot(entry, seat, kind)) is not None:
            yield Finding(Code.INTENT, entry.seq, what)
        missing = self._missing(entry, kind)
        if missing is not None:
            yield Finding(Code.AUTHORITY, entry.seq, f"authority_{missing}")
        self.intents[number] = _Intent(entry, int(p["draw_no"]), kind=str(kind), seat=seat)
        self._shown.pop(entry.pseudonym or "", None)

    def _seat_of(self, entry: Entry, kind: str) -> Seat | None:
        """The seat that the entry names: held by them; or, for going out, given up inside."""
        wanted = (entry.pseudonym, entry.payload["draw_no"])
        seat = self.seats.held.get(entry.terminal or "")
        if seat is not None and (seat.pseudonym, seat.draw_no) == wanted:
            return seat
        gone = self.seats.given_up.get((entry.pseudonym or "", entry.terminal or ""))
        if kind == IntentKind.EXIT and gone is not None and gone.inside:
            return gone if (gone.pseudonym, gone.draw_no) == wanted else None
        return None

    def _cannot(self, entry: Entry, seat: Seat, kind: str) -> str | None:
        """Why an intent of this kind is not for somebody who is where they are."""
        if kind == IntentKind.ADMISSION:
            return "intent_inside" if seat.inside else "intent_left" if seat.left else None
        if self.is_open_for(entry):
            return "intent_at_gate"
        match kind:
            case IntentKind.READMISSION:
                may = (seat.inside and seat.released) or (seat.left and seat.returns)
                return None if may else "intent_return"
            case IntentKind.EXIT:
                by_hand = entry.payload["authority"] == "override"
                return None if seat.inside or by_hand else "intent_outside"
        return "intent_kind"

    def _missing(self, entry: Entry, kind: str) -> str | None:
        if entry.payload["authority"] not in ("verified", "override"):
            return "unknown"
        who = entry.pseudonym or ""
        shown = self._shown.get(who, _Shown())
        if kind == IntentKind.EXIT:
            return self._missing_to_leave(entry, shown)
        if not shown.face:
            return "face"
        asked = self.policy is not None and self.policy.get("finger") and not shown.waived
        if asked and not shown.finger:
            return "finger"
        if who not in self._signed:
            return "signed"
        return None if entry.payload["authority"] == shown.authority else "mixed"

    def _missing_to_leave(self, entry: Entry, shown: _Shown) -> str | None:
        asked = (self.policy or {}).get("exit", ExitCheck.FACE)
        enough = shown.face or (asked == ExitCheck.FINGER and shown.finger)
        if not enough and asked != ExitCheck.CLAIM:
            return "face"
        return None if entry.payload["authority"] == shown.authority else "mixed"

    def pulse(self, entry: Entry) -> Iterator[Finding]:
        intent = self.intents.get(entry.payload["intent"])
        result = str(entry.payload["result"])
        if result not in RESULTS:
            yield Finding(Code.PULSE, entry.seq, "pulse_result", {"result": result})
        if intent is None:
            yield Finding(Code.PULSE, entry.seq, "pulse_no_intent")
        elif intent.pulse is not None:
            yield Finding(Code.PULSE, entry.seq, "pulse_twice")
        elif not intent.is_of(entry):
            yield Finding(Code.PULSE, entry.seq, "pulse_other")
        else:
            intent.pulse = result

    def pulse_seen(self, entry: Entry) -> Iterator[Finding]:
        """The sensors' word stands only where the pulse's own answer was lost."""
        intent = self.intents.get(entry.payload["intent"])
        if not isinstance(entry.payload["opened"], bool):
            raise TypeError("opened")
        if intent is None or not intent.is_of(entry) or intent.pulse != "unknown":
            yield Finding(Code.PULSE, entry.seq, "pulse_seen")

    def outcome(self, entry: Entry) -> Iterator[Finding]:
        intent = self.intents.get(entry.payload["intent"])
        if intent is None:
            yield Finding(Code.OUTCOME, entry.seq, "outcome_no_intent")
            return
        if intent.outcome is not None:
            yield Finding(Code.OUTCOME, entry.seq, "outcome_twice")
            return
        if not intent.is_of(entry):
            yield Finding(Code.OUTCOME, entry.seq, "outcome_other")
        if entry.reason not in (PASSED_OUT if intent.out else PASSED) | NOT_PASSED:
            yield Finding(Code.OUTCOME, entry.seq, "outcome_reason", {"reason": entry.reason})
        intent.outcome = entry
        if intent.passed and intent.pulse in (None, "not_sent") and self.policy is not None:
            yield Finding(Code.PULSE, entry.seq, "pulse_missing")
        intent.there_before = intent.seat is not None and _is_there(intent.seat, intent.out)

    def admitted(self, entry: Entry) -> Iterator[Finding]:
        yield from self._moved(entry, Code.ADMITTED, out=False)

    def left(self, entry: Entry) -> Iterator[Finding]:
        yield from self._moved(entry, Code.LEFT, out=True)

    def _moved(self, entry: Entry, code: Code, out: bool) -> Iterator[Finding]:
        """Inside, or outside again, by an intent of that kind whose outcome says passed."""
        what = code.value.lower()
        intent = self.intents.get(entry.payload["intent"])
        if intent is None or intent.outcome is None:
            yield Finding(code, entry.seq, f"{what}_not_passed")
            return
        if not intent.passed or not intent.is_of(entry) or intent.out is not out:
            yield Finding(code, entry.seq, f"{what}_not_passed")
        if intent.draw_no != entry.payload["draw_no"]:
            yield Finding(code, entry.seq, f"{what}_draw")
        intent.moved = True
        seat = intent.seat if out else self.seats.held.get(entry.terminal or "")
        if seat is None or seat.pseudonym != entry.pseudonym:
            yield Finding(code, entry.seq, f"{what}_not_passed")
        elif _is_there(seat, out):
            yield Finding(code, entry.seq, f"{what}_twice")
        else:
            seat.move(inside=not out)

    def end(self, closed: bool) -> Iterator[Finding]:
        """What never got its end."""
        if closed and self._trial is not None:
            yield Finding(Code.PULSE, self._trial.seq, "trial_result")
        for number, intent in self.intents.items():
            if intent.outcome is None:
                if closed:
                    args = {"intent": number}
                    yield Finding(Code.OUTCOME, intent.entry.seq, "outcome_missing", args)
            elif intent.passed and not intent.moved and not intent.there_before:
                code = Code.LEFT if intent.out else Code.ADMITTED
                yield Finding(code, intent.outcome.seq, f"{code.value.lower()}_missing")


def _is_there(seat: Seat, out: bool) -> bool:
    """Already where such a passage leads to; who was released may be anywhere."""
    return seat.left if out else seat.inside and not seat.released
