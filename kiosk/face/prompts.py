"""Which prompt the person reads, from the prompts of single frames.

Owns the time a prompt takes to appear and the time it stays, so that it can be read and never
flickers. Knows no pictures and no limits; a challenge's prompts do not come this way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kiosk.core.codes import Prompt


def _slow() -> dict[Prompt, float]:
    return {
        Prompt.LOOK_HERE: 0.3,  # a frame in which the face was missed
        Prompt.OPEN_EYES: 0.4,  # longer than a blink
        Prompt.HOLD_STILL: 0.25,
        Prompt.BLURRED: 0.8,  # longer than a camera takes to focus
    }


@dataclass(frozen=True, slots=True)
class HoldTimes:
    begin_s: float = 0.12  #: a fault must last this long to be told
    slow_s: Mapping[Prompt, float] = field(default_factory=_slow)  #: and these longer
    stay_s: float = 0.7  #: told for so long at least, unless all is good
    good_frames: int = 3  #: in a row without a fault: nothing is left to be told


class PromptHold:
    """Feed it each frame's prompt and time (seconds, never going back); it says what to show."""

    def __init__(self, shown: Prompt = Prompt.NONE, times: HoldTimes | None = None) -> None:
        self._times = times or HoldTimes()
        self.show(shown, float("-inf"))

    def show(self, prompt: Prompt, at_s: float) -> Prompt:
        """This one at once, whatever came before; NONE begins anew."""
        self._shown, self._shown_at, self._true_at = prompt, at_s, at_s
        self._waiting, self._waiting_at = Prompt.NONE, at_s
        self._good = 0
        return prompt

    def update(self, prompt: Prompt, at_s: float) -> Prompt:
        """`prompt` is this frame's, NONE when it is good. Returns the one to show."""
        if prompt is Prompt.NONE:
            return self._all_good()
        self._good = 0
        if prompt is not self._waiting:
            self._waiting, self._waiting_at = prompt, at_s
        if prompt is self._shown:
            self._true_at = at_s
        elif self._may_begin(prompt, at_s):
            self._shown, self._shown_at, self._true_at = prompt, at_s, at_s
        return self._shown

    def _all_good(self) -> Prompt:
        self._good += 1
        self._waiting = Prompt.NONE
        if self._good >= self._times.good_frames:
            self._shown = Prompt.NONE
        return self._shown

    def _may_begin(self, prompt: Prompt, at_s: float) -> bool:
        """It has lasted; or the shown one has long been untrue, while others take turns."""
        times = self._times
        lasted = at_s - self._waiting_at >= times.slow_s.get(prompt, times.begin_s)
        if self._shown is Prompt.NONE:
            return lasted
        if at_s - self._shown_at < times.stay_s:
            return False
        return lasted or at_s - self._true_at >= times.stay_s
