"""Turns events, differences and reasons into sentences of one language."""

from __future__ import annotations

from typing import Any

from kiosk.core.balance import Code
from kiosk.reasons import reason_text
from kiosk.report.model import Difference, Event, Moment
from kiosk.report.words import (
    CHANGES,
    CLAIMS,
    DIFFERENCES,
    EVENTS,
    KINDS,
    PULSES,
    WHYS,
    label,
    pick,
)


class _Dashes(dict[str, Any]):
    """What an older entry does not say is a dash."""

    def __missing__(self, key: str) -> str:
        return "–"


def event_sentence(event: Event, lang: str) -> str:
    """What happened; of a kind that is newer than these words, its name."""
    if event.what not in EVENTS:
        return event.what
    return pick(EVENTS[event.what], lang).format_map(_args(event, lang))


def moment_sentence(moment: Moment, lang: str) -> str:
    """One entry of a candidate's record, in words."""
    what = moment.what
    if what == "finger_failed" and "score" not in moment.args:
        what = "finger_not_compared"
    words = KINDS.get(what) or EVENTS.get(what)
    if words is None:
        return moment.kind
    args = _args(moment, lang)
    args["claim"] = pick(CLAIMS.get(str(moment.args.get("by")), ("–", "–")), lang)
    result = str(moment.args.get("result"))
    args["result"] = pick(PULSES.get(result, (result, result)), lang)
    return pick(words, lang).format_map(args)


def _args(event: Event | Moment, lang: str) -> _Dashes:
    """What sentences may need, in words where it is a code."""
    args = _Dashes(event.args, seat=event.terminal or "–")
    args["why"] = _why(event.args.get("why"), lang)
    args["changes"] = _changes(event.args, lang)
    note, approved = event.args.get("note"), event.args.get("approved_by")
    args["note"] = label("note", lang, text=note) if note else ""
    args["approved"] = label("approved_by", lang, name=approved) if approved else ""
    args["same"] = label("same_yes" if event.args.get("same") else "same_no", lang)
    return args


def _why(why: Any, lang: str) -> str:
    return pick(WHYS[why], lang) if why in WHYS else str(why or "–")


def _changes(args: dict[str, Any], lang: str) -> str:
    found = []
    for name, words in CHANGES.items():
        if name in args:
            value = args[name]
            if isinstance(value, list):
                said = " ".join(value) or label("all_classes", lang)
            else:
                said = label("yes" if value else "no", lang)
            found.append(f"{pick(words, lang)} {said}")
    return "，".join(found) if lang == "zh" else ", ".join(found)


def difference_sentence(difference: Difference, lang: str) -> str:
    args = _Dashes(difference.args)
    args["back"] = label("back_yes" if difference.args.get("back") else "back_no", lang)
    return pick(DIFFERENCES[Code(difference.code)], lang).format_map(args)


def moment_reason(moment: Moment, lang: str) -> str:
    return reason_text(moment.reason, lang) if moment.reason else ""


def reason_of(event: Event, lang: str) -> str:
    """In words; where the reason adds nothing, nothing."""
    if event.reason is None or event.what.startswith("gate_"):
        return ""
    return reason_text(event.reason, lang)
