"""Which sentence is spoken for what the candidate's screen shows.

Pure: a state, what is shown and a language in, words out; "" is silence. It makes no sound.
"""

from __future__ import annotations

from typing import Any

from kiosk.core.codes import Prompt, Reason, State
from ui.candidate.present import Shown
from ui.i18n import text

DIGITS = dict(zip("0123456789", "零一二三四五六七八九", strict=True))
#: waiting for nobody in particular, or over before a sentence could be
SILENT = (State.CLOSED, State.IDLE, State.PAUSED, State.DRAWING)

LEFT = "card_left"  #: nobody is there to hear it


def asked(prompt: str, then: bool, language: str) -> str:
    """What the live picture asks for, in words; `then`: after the movement before it."""
    return text(language, f"{'then' if then else 'prompt'}.{prompt}")


def spoken(state: dict[str, Any] | None, shown: Shown, prompt: str | None, language: str,
           then: bool = False) -> str:
    """What to say; `prompt` and `then`: what the live picture asks for now, as in `asked`."""
    if state is None:
        return ""
    if state.get("card_hint") and shown.tone == "warn" and shown.picture == "card":
        return "" if state["card_hint"] == LEFT else shown.body
    if state.get("state") in SILENT:
        return ""
    if state.get("help_waiting"):
        return text(language, "button.help_coming")
    words: tuple[str, ...]
    match state.get("state"):
        case State.OUT_OF_ORDER:
            open_for_all = state.get("reason") in (Reason.FIRE, Reason.DRILL)
            words = (shown.title, shown.body) if open_for_all else ()
        case State.FACE:
            told = prompt if prompt not in (None, Prompt.NONE) else Prompt.LOOK_HERE
            words = () if prompt == Prompt.NONE else (asked(str(told), then, language),)
        case State.FINGER if state.get("finger_retry"):
            words = (shown.body,)
        case State.GATE if state.get("leaving"):
            words = (shown.title,)
        case State.GATE:
            seat = spelled(str(state.get("terminal") or ""), language)
            words = (text(language, "speech.terminal", terminal=seat), shown.title)
        case State.FINGER | State.REFUSED:
            words = (shown.title, shown.body)
        case _:
            words = (shown.title,)
    return _joined([one for one in words if one], language)


def spelled(terminal: str, language: str) -> str:
    """A terminal's name digit by digit, as it is written on the desk.

    >>> spelled("B-047", "zh"), spelled("B-047", "en")
    ('B 零 四 七', 'B 0 4 7')
    """
    signs = [sign for sign in terminal if sign.isalnum()]
    return " ".join(DIGITS.get(sign, sign) if language == "zh" else sign for sign in signs)


def _joined(sentences: list[str], language: str) -> str:
    stop, gap = ("。", "") if language == "zh" else (". ", " ")
    return stop.join(one.replace("\n", gap).rstrip("。.") for one in sentences)
