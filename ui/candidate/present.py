"""What the candidate's screen says for a `state` of the daemon: page, picture, words, tone.

Pure: a state and a language in, words out. It draws nothing and decides nothing about anybody.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kiosk.core.codes import Reason, State
from ui.i18n import coded, has, text
from ui.times import local

KEEPS_SEAT = (Reason.GATE_TIMEOUT, Reason.GATE_TURNED_BACK)
PROCTOR = frozenset({
    Reason.FACE_MISMATCH, Reason.FACE_NOT_SURE, Reason.FACE_SEEN_BEFORE, Reason.FINGER_NO_MATCH,
    Reason.FINGER_NOT_COMPARED,
    Reason.NO_TEMPLATE, Reason.TEMPLATE_FORMAT, Reason.ALREADY_INSIDE, Reason.GATE_UNKNOWN,
    Reason.GATE_BLOCKED,
    Reason.GATE_TAILGATED, Reason.GATE_FORCED, Reason.CANCELLED_BY_PROCTOR, Reason.HELP_REQUESTED,
    Reason.NO_ACCESSIBLE_TERMINAL, Reason.MANUAL_REJECTED, Reason.MANUAL_TIMEOUT,
    Reason.ALREADY_LEFT, Reason.NOT_INSIDE, Reason.FACE_BY_EYE, Reason.CARD_NAME_SIMILAR,
})
DESK = frozenset({
    Reason.NOT_ON_ROSTER, Reason.FACE_UNKNOWN, Reason.TOO_LATE, Reason.CARD_NAME_DIFFERS,
})
WAIT = frozenset({
    Reason.OTHER_SESSION, Reason.TOO_EARLY, Reason.SESSION_NOT_OPEN, Reason.HALL_FULL,
    Reason.NO_TERMINAL_FOR_CLASS, Reason.WORKSHOP,
})
CARD = frozenset({Reason.CARD_EXPIRED, *KEEPS_SEAT})
NEXT_LANE = frozenset({Reason.DEVICE_FAULT, Reason.EVIDENCE_FAILED})
#: what to do after the reader's reason, as a picture
FINGERS = {
    "finger_lifted": "finger_hold", "too_dry": "finger_dry", "too_wet": "finger_wet",
    "too_few_features": "finger_press", "smeared": "finger_still", "no_match": "finger_other",
}
#: not even as a code: the candidate's screen accuses nobody before a person has looked
UNSAID = frozenset({Reason.FACE_SEEN_BEFORE})
LEAVE = frozenset({Reason.FIRE, Reason.DRILL, Reason.GATE_OPPOSITE, Reason.LEFT})


@dataclass(frozen=True, slots=True)
class Shown:
    """One thing on the screen. `page` is notice, face, number, sign or seat."""

    page: str
    picture: str
    title: str
    body: str = ""
    tone: str = "plain"
    code: str = ""  #: small, for whoever is asked for help
    note: str = ""  #: attempts left, or that the seat is the earlier one
    action: str = "cancel"  #: cancel, ok or none: what the button at the lower right does


def restarting(language: str) -> Shown:
    """There is no daemon to speak with."""
    return Shown("notice", "wait", text(language, "restarting.title"),
                 text(language, "restarting.body"), action="none")


def present(state: dict[str, Any], language: str, now: datetime | None = None) -> Shown:
    """What to show for `state`; `now` (aware) lets today's times be said as times."""

    def say(key: str, **args: object) -> str:
        return text(language, key, **args)

    if state.get("leaving") and (shown := _leaving(state, language)):
        return shown
    match state.get("state"):
        case State.CLOSED:
            return Shown("notice", "clock", say("closed.title"), say("closed.body"), action="none")
        case State.PAUSED:
            return Shown("notice", "clock", say("paused.title"), say("paused.body"), action="none")
        case State.OUT_OF_ORDER:
            return _out_of_order(state, language)
        case State.IDLE if state.get("claim_mode") == "face":
            return Shown("face", "face", say("idle.face.title"), say("idle.face.body"),
                         action="none", code=_commitment(state, language))
        case State.IDLE if state.get("claim_mode") == "number":
            return Shown("notice", "keypad", say("idle.number.title"), say("idle.number.body"),
                         action="none", code=_commitment(state, language))
        case State.IDLE if state.get("claim_mode") == "proctor":
            return Shown("notice", "proctor", say("idle.proctor.title"), say("idle.proctor.body"),
                         action="none", code=_commitment(state, language))
        case State.IDLE:
            body, tone = _card_words(state, language, "idle.id_card.body")
            return Shown("notice", "card", say("idle.id_card.title"), body, tone,
                         action="none", code=_commitment(state, language))
        case State.CLAIM if state.get("may_type"):
            title = "number.title_card" if state.get("may_lay_card") else "number.title"
            return Shown("number", "", say(title), say("number.body"))
        case State.CLAIM:
            body, tone = _card_words(state, language, "claim.body")
            return Shown("notice", "card", say("claim.title"), body, tone)
        case State.FACE:
            return Shown("face", "face", say("prompt.look_here"), say("face.body"))
        case State.VERIFY if state.get("awaits_proctor"):
            return Shown("notice", "proctor", say("verify.waiting.title"),
                         say("verify.waiting.body"))
        case State.VERIFY:
            return Shown("face", "face", say("verify.title"), say("verify.body"), action="none")
        case State.FINGER:
            return _finger(state, language)
        case State.SIGN:
            return Shown("sign", "", say("sign.title"), say("sign.place"))
        case State.DRAWING:
            return Shown("notice", "draw", say("drawing.title"), say("drawing.body"),
                         action="none")
        case State.GATE:
            note = say("gate.kept") if state.get("kept_seat") else ""
            return Shown("seat", "gate", say("gate.title"), say("gate.terminal"), "good",
                         note=note, action="none")
        case State.WELCOME:
            return Shown("seat", "seat", say("welcome.title"), say("gate.terminal"), "good",
                         note=say("welcome.body"), action="ok")
        case State.REFUSED:
            return _refused(state, language, now)
    return restarting(language)  # a state newer than this screen


def _leaving(state: dict[str, Any], language: str) -> Shown | None:
    """What is other for who goes out; None: what everybody is shown."""

    def say(key: str) -> str:
        return text(language, key)

    match state.get("state"):
        case State.CLAIM if state.get("may_type"):
            title = "out.claim.title_number" if state.get("may_lay_card") else "number.title"
            return Shown("number", "", say(title), say("number.body"))
        case State.CLAIM:
            body, tone = _card_words(state, language, "out.claim.body")
            return Shown("notice", "card", say("out.claim.title"), body, tone)
        case State.FACE:
            return Shown("face", "face", say("prompt.look_here"), say("out.face.body"))
        case State.DRAWING:
            return Shown("notice", "wait", say("out.opening.title"), action="none")
        case State.GATE:
            return Shown("notice", "leave", say("out.gate.title"), say("out.gate.body"), "good",
                         action="none")
        case State.WELCOME:
            return Shown("notice", "leave", say("next.LEFT.title"), say("next.LEFT.body"), "good",
                         action="ok")
        case State.REFUSED if state.get("reason") in KEEPS_SEAT:
            return Shown("notice", "card", say("out.again.title"), say("out.again.body"), "warn",
                         _code(state, language), action="ok")
        case State.REFUSED if state.get("reason") == Reason.GATE_UNKNOWN:
            return Shown("notice", "proctor", say("out.unknown.title"), say("out.unknown.body"),
                         "warn", _code(state, language), action="ok")
    return None


def _card_words(state: dict[str, Any], language: str, usual: str) -> tuple[str, str]:
    """Body and tone while a card is waited for: what went wrong with it stands there first."""
    hint = state.get("card_hint")
    if hint is None:
        return text(language, usual), "plain"
    return coded(language, "card", hint), "warn"


def _out_of_order(state: dict[str, Any], language: str) -> Shown:
    if state.get("reason") == Reason.WORKSHOP:
        return Shown("notice", "clock", text(language, "next.WORKSHOP.title"),
                     text(language, "next.WORKSHOP.body"), action="none")
    if state.get("reason") == Reason.DRILL:
        return Shown("notice", "leave", text(language, "next.DRILL.title"),
                     text(language, "next.DRILL.body"), "warn", _code(state, language),
                     action="none")
    fire = state.get("reason") == Reason.FIRE
    title, body = ("out_of_order.fire", "out_of_order.fire_body") if fire else (
        "out_of_order.title", "out_of_order.body")
    return Shown("notice", "leave" if fire else "next_lane", text(language, title),
                 text(language, body), "warn", _code(state, language), action="none")


def _finger(state: dict[str, Any], language: str) -> Shown:
    retry = state.get("finger_retry")
    left = int(state.get("finger_attempts_left") or 0)
    note = ""
    if left:
        note = text(language, "finger.last") if left == 1 else text(language, "finger.left", n=left)
    if retry is None:
        body, tone = text(language, "finger.body"), "plain"
    else:
        body, tone = coded(language, "retry", retry), "warn"
    picture = FINGERS.get(str(retry), "finger")
    return Shown("notice", picture, _which(state, language), body, tone, note=note)


def _which(state: dict[str, Any], language: str) -> str:
    """The finger or the two fingers that were registered; more would be no help."""
    names = [coded(language, "finger_name", name) for name in state.get("fingers") or ()]
    if not 1 <= len(names) <= 2:
        return text(language, "finger.title")
    return text(language, "finger.named", which=text(language, "finger.or").join(names))


def _refused(state: dict[str, Any], language: str, now: datetime | None) -> Shown:
    code = str(state.get("reason") or "")
    prefix = f"next.{code}"
    if not has(f"{prefix}.title"):
        prefix = f"next.{Reason.CANCELLED_BY_PROCTOR}"  # newer than this screen: ask a person
    title, body = text(language, f"{prefix}.title"), text(language, f"{prefix}.body")
    if code == Reason.OTHER_SESSION:
        when = when_text(state.get("other_session_at"), language, now)
        title = (text(language, f"{prefix}.title", when=when) if when
                 else text(language, f"{prefix}.title_no_time"))
    if code in KEEPS_SEAT and state.get("claim_mode") == "face":
        body = text(language, f"{prefix}.body_face")
    return Shown("notice", picture_of(code), title, body, "warn", _code(state, language),
                 action="ok")


def picture_of(code: str) -> str:
    """Where a refused person goes next, as a picture."""
    for reasons, picture in (
        (PROCTOR, "proctor"), (DESK, "desk"), (WAIT, "clock"), (CARD, "card"),
        (NEXT_LANE, "next_lane"), (LEAVE, "leave"),
    ):
        if code in reasons:
            return picture
    return "again"


def when_text(iso: str | None, language: str, now: datetime | None = None) -> str:
    """A session's start in few words: the time alone when it is today, in the lane's zone."""
    at = local(iso)
    if at is None:
        return ""
    clock = f"{at:%H:%M}"
    today = (now or datetime.now(at.tzinfo)).astimezone(at.tzinfo).date()
    if at.date() == today:
        return f"今天 {clock}" if language == "zh" else f"today at {clock}"
    return f"{at.month}月{at.day}日 {clock}" if language == "zh" else f"on {at:%d %b} at {clock}"


def _code(state: dict[str, Any], language: str) -> str:
    code = state.get("reason")
    return text(language, "code", code=code) if code and code not in UNSAID else ""


def _commitment(state: dict[str, Any], language: str) -> str:
    """The beginning of what the lane is bound to: whoever waits can note it down."""
    digits = str((state.get("session") or {}).get("commitment") or "")[:16]
    shown = " ".join(digits[at : at + 4] for at in range(0, len(digits), 4))
    return text(language, "idle.commitment", digits=f"{shown} …") if digits else ""
