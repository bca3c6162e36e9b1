"""What the gate's sensors mean: one passage as a state machine over their levels.

Pure: times and levels come in, events go out. Two light barriers stand one behind the other,
A first in entry direction; one alone may be a hand, both in order are a person.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from drivers.contracts import GateEvent, GateEventKind, GateInputs

K = GateEventKind

#: Levels must hold this long to count: barriers flicker at trouser legs.
DEBOUNCE_S = 0.03
#: After somebody left the second barrier, who follows within this came on the same unlock.
FOLLOW_S = 0.6


class Zone(StrEnum):
    """Which barriers are broken."""

    NONE = "none"
    A = "a"
    BOTH = "both"
    B = "b"


class Phase(StrEnum):
    LOCKED = "locked"
    UNLOCKED = "unlocked"  #: pulse sent, nobody in the gate yet
    INSIDE = "inside"  #: somebody broke A
    LEAVING = "leaving"  #: … and has reached B
    CLEAR = "clear"  #: has left B; waiting whether somebody follows
    INTRUDER = "intruder"  #: somebody is in the gate without an unlock
    BACKWARDS = "backwards"  #: somebody came in at B


def zone_of(inputs: GateInputs) -> Zone:
    if inputs.passage_a and inputs.passage_b:
        return Zone.BOTH
    if inputs.passage_a:
        return Zone.A
    return Zone.B if inputs.passage_b else Zone.NONE


#: (phase, zone now) → (next phase, what it means). Missing: nothing changes.
TABLE: dict[tuple[Phase, Zone], tuple[Phase, GateEventKind | None]] = {
    (Phase.UNLOCKED, Zone.A): (Phase.INSIDE, K.ENTERED),
    (Phase.UNLOCKED, Zone.BOTH): (Phase.LEAVING, K.ENTERED),  # a quick person between two looks
    (Phase.UNLOCKED, Zone.B): (Phase.BACKWARDS, None),
    (Phase.INSIDE, Zone.BOTH): (Phase.LEAVING, None),
    (Phase.INSIDE, Zone.B): (Phase.LEAVING, None),
    (Phase.INSIDE, Zone.NONE): (Phase.LOCKED, K.TURNED_BACK),
    (Phase.LEAVING, Zone.A): (Phase.INSIDE, None),
    (Phase.LEAVING, Zone.NONE): (Phase.CLEAR, None),
    (Phase.CLEAR, Zone.A): (Phase.INTRUDER, K.TAILGATED),
    (Phase.CLEAR, Zone.BOTH): (Phase.INTRUDER, K.TAILGATED),
    (Phase.LOCKED, Zone.A): (Phase.INTRUDER, None),
    (Phase.LOCKED, Zone.BOTH): (Phase.INTRUDER, K.FORCED),
    (Phase.LOCKED, Zone.B): (Phase.BACKWARDS, None),
    (Phase.INTRUDER, Zone.NONE): (Phase.LOCKED, None),
    (Phase.BACKWARDS, Zone.A): (Phase.INTRUDER, K.OPPOSITE),
    (Phase.BACKWARDS, Zone.NONE): (Phase.LOCKED, None),
}


@dataclass(slots=True)
class Passage:
    """Fed by `look` every few tens of milliseconds. Times in seconds, monotonic."""

    clear_s: float = 10.0  #: how long somebody may stay in the gate
    phase: Phase = Phase.LOCKED
    _until_s: float = 0.0
    _entered_s: float = 0.0
    _cleared_s: float = 0.0
    _seen: GateInputs | None = None  #: levels of the last look
    _since_s: float = 0.0
    _steady: GateInputs = GateInputs(False, False, False, False)
    _free: bool = False

    def unlocked(self, now_s: float, timeout_s: float) -> None:
        """One passage is allowed from now on."""
        self.phase = Phase.UNLOCKED
        self._until_s = now_s + timeout_s

    def released(self, on: bool) -> None:
        """Latched open for everybody: nobody who walks through forces anything."""
        self._free = on
        self.phase = Phase.LOCKED

    def look(self, now_s: float, inputs: GateInputs) -> list[GateEvent]:
        """Levels as they are now; returns what they mean, in order."""
        found: list[GateEventKind] = []
        if inputs != self._seen:
            self._seen, self._since_s = inputs, now_s
        if inputs != self._steady and now_s - self._since_s >= DEBOUNCE_S:
            found += self._changed(now_s, self._steady, inputs)
            self._steady = inputs
        found += self._waited(now_s)
        return [GateEvent(kind, now_s) for kind in found]

    def _changed(self, now_s: float, was: GateInputs, now: GateInputs) -> list[GateEventKind]:
        found = []
        if now.fire != was.fire:
            found.append(K.FIRE_ON if now.fire else K.FIRE_OFF)
        if now.forced and not was.forced and self.phase in (Phase.LOCKED, Phase.INTRUDER):
            found.append(K.FORCED)
        zone = zone_of(now)
        after = TABLE.get((self.phase, zone))
        if zone is zone_of(was) or after is None or (self._free and self.phase is Phase.LOCKED):
            return found
        before, (self.phase, meaning) = self.phase, after
        if before is Phase.UNLOCKED and self.phase is not Phase.BACKWARDS:
            self._entered_s = now_s
        if self.phase is Phase.CLEAR:
            self._cleared_s = now_s
        if meaning is not None:
            found.append(meaning)
        return found

    def _waited(self, now_s: float) -> list[GateEventKind]:
        """Ends that are the passing of time."""
        if self.phase is Phase.UNLOCKED and now_s >= self._until_s:
            self.phase = Phase.LOCKED
            return [K.TIMED_OUT]
        if self.phase is Phase.CLEAR and now_s - self._cleared_s >= FOLLOW_S:
            self.phase = Phase.LOCKED
            return [K.PASSED]
        if self.phase in (Phase.INSIDE, Phase.LEAVING) and now_s - self._entered_s >= self.clear_s:
            self.phase = Phase.INTRUDER
            return [K.BLOCKED]
        return []
