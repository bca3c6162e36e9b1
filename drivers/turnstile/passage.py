"""What the gate's sensors mean: one passage as a state machine over their levels.

Pure: times and levels come in, events go out. Two light barriers stand one behind the other,
A first in entry direction; one alone may be a hand, both in order are a person. A passage that
was asked for outwards is the same with A and B exchanged.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from drivers.contracts import GateEvent, GateEventKind, GateInputs, Way

K = GateEventKind

#: A level must hold this long to count: barriers flicker at trouser legs.
DEBOUNCE_S = 0.03
#: After somebody left the second barrier, who follows within this came on the same unlock.
FOLLOW_S = 0.6
#: A barrier broken for so long without a passage is dirty, blinded, or has a bag before it.
STUCK_S = 60.0
#: The gate's own contact says open for so long without a passage: held open.
HELD_S = 15.0


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
    BETWEEN = "between"  #: … and stands in both
    LEAVING = "leaving"  #: … and has left A behind
    AGAIN = "again"  #: A broken again and B free: gone back, or a second person close behind
    CLEAR = "clear"  #: has left B; waiting whether somebody follows
    AGAINST = "against"  #: unlocked, and somebody stands at B: comes the other way?
    MEETING = "meeting"  #: unlocked, and somebody did come the other way
    APPROACH = "approach"  #: somebody at A without an unlock: a queue, or an attempt
    INTRUDER = "intruder"  #: somebody is in the gate and has been reported
    BACKWARDS = "backwards"  #: locked, and somebody came in at B


P, Z = Phase, Zone

#: (phase, zone now) → (next phase, what it means). Missing: nothing changes.
TABLE: dict[tuple[Phase, Zone], tuple[Phase, GateEventKind | None]] = {
    # the passage that was asked for
    (P.UNLOCKED, Z.A): (P.INSIDE, K.ENTERED),
    (P.UNLOCKED, Z.BOTH): (P.BETWEEN, K.ENTERED),  # a quick person between two looks
    (P.INSIDE, Z.BOTH): (P.BETWEEN, None),
    (P.INSIDE, Z.B): (P.LEAVING, None),
    (P.INSIDE, Z.NONE): (P.LOCKED, K.TURNED_BACK),
    (P.BETWEEN, Z.A): (P.INSIDE, None),
    (P.BETWEEN, Z.B): (P.LEAVING, None),
    (P.BETWEEN, Z.NONE): (P.CLEAR, None),
    (P.LEAVING, Z.A): (P.AGAIN, None),  # both alone may be a swinging arm: nothing changes
    (P.LEAVING, Z.NONE): (P.CLEAR, None),
    # one who goes back and a second person look alike until they reach B or leave
    (P.AGAIN, Z.BOTH): (P.INTRUDER, K.TAILGATED),
    (P.AGAIN, Z.B): (P.INTRUDER, K.TAILGATED),
    (P.AGAIN, Z.NONE): (P.LOCKED, K.TURNED_BACK),
    (P.CLEAR, Z.A): (P.INTRUDER, K.TAILGATED),
    (P.CLEAR, Z.BOTH): (P.INTRUDER, K.TAILGATED),
    # somebody from the other side while it is unlocked: the passage stays owed
    (P.UNLOCKED, Z.B): (P.AGAINST, None),
    (P.AGAINST, Z.A): (P.MEETING, K.OPPOSITE),
    (P.AGAINST, Z.NONE): (P.UNLOCKED, None),
    (P.MEETING, Z.NONE): (P.UNLOCKED, None),
    # without an unlock
    (P.LOCKED, Z.A): (P.APPROACH, None),
    (P.LOCKED, Z.BOTH): (P.INTRUDER, K.FORCED),
    (P.LOCKED, Z.B): (P.BACKWARDS, None),
    (P.APPROACH, Z.BOTH): (P.INTRUDER, K.FORCED),
    (P.APPROACH, Z.B): (P.INTRUDER, K.FORCED),
    (P.APPROACH, Z.NONE): (P.LOCKED, None),
    (P.BACKWARDS, Z.A): (P.INTRUDER, K.OPPOSITE),
    (P.BACKWARDS, Z.NONE): (P.LOCKED, None),
    (P.INTRUDER, Z.NONE): (P.LOCKED, None),
}
MIRRORED = {Z.A: Z.B, Z.B: Z.A}
IN_THE_GATE = frozenset({P.INSIDE, P.BETWEEN, P.LEAVING, P.AGAIN})
WAITING = frozenset({P.UNLOCKED, P.AGAINST, P.MEETING})  #: nobody has entered yet
#: While the gate is latched open these mean nothing: everybody may walk.
WHILE_FREE = {
    K.TAILGATED: K.PASSED, K.FORCED: None, K.OPPOSITE: None, K.HELD: None, K.SENSOR_BLOCKED: None,
}  # fmt: skip


def zone_of(inputs: GateInputs) -> Zone:
    if inputs.passage_a and inputs.passage_b:
        return Zone.BOTH
    if inputs.passage_a:
        return Zone.A
    return Zone.B if inputs.passage_b else Zone.NONE


@dataclass(slots=True)
class Steady:
    """One input without its flicker: each is settled by itself, so that a chattering barrier
    cannot hide a fire."""

    level: bool
    debounce_s: float
    _seen: bool = False
    _since_s: float = 0.0

    def look(self, now_s: float, level: bool) -> bool:
        if level != self._seen:
            self._seen, self._since_s = level, now_s
        if level != self.level and now_s - self._since_s >= self.debounce_s:
            self.level = level
        return self.level


@dataclass(slots=True)
class Lasting:
    """Whether a level has held for too long: said once, until it ends."""

    since_s: float | None = None
    said: bool = False

    def look(self, now_s: float, level: bool, limit_s: float) -> bool:
        """True in the moment in which it becomes too long."""
        if not level:
            self.since_s, self.said = None, False
            return False
        if self.since_s is None:
            self.since_s = now_s
        if self.said or now_s - self.since_s < limit_s:
            return False
        self.said = True
        return True


@dataclass(slots=True)
class Passage:
    """Fed by `look` every few tens of milliseconds. Times in seconds, monotonic."""

    clear_s: float = 10.0  #: how long somebody may stay in the gate
    follow_s: float = FOLLOW_S
    debounce_s: float = DEBOUNCE_S
    stuck_s: float = STUCK_S
    held_s: float = HELD_S
    phase: Phase = Phase.LOCKED
    _way: Way = Way.ENTRY  #: of the passage that was asked for last
    _until_s: float = 0.0
    _entered_s: float = 0.0
    _cleared_s: float = 0.0
    _free: bool = False
    _levels: list[Steady] = field(default_factory=list)  #: A, B, forced, fire, open
    _zone: Zone = Zone.NONE  #: the last one that the table was asked about
    _forced: bool = False  #: active and reported
    _fire: bool = False
    _dark: tuple[Lasting, Lasting] = field(default_factory=lambda: (Lasting(), Lasting()))
    _open: Lasting = field(default_factory=Lasting)

    @property
    def owed(self) -> bool:
        """An unlock's passage has not ended, and nobody has left by both barriers."""
        return self.phase in WAITING or self.phase in IN_THE_GATE

    def unlocked(self, now_s: float, timeout_s: float, way: Way = Way.ENTRY) -> None:
        """One passage is allowed from now on; whoever already stands at its first barrier has
        entered it."""
        self.phase, self._zone, self._way = Phase.UNLOCKED, Zone.NONE, way
        self._until_s = now_s + timeout_s

    def not_unlocked(self) -> None:
        """The unlock just announced certainly did not happen."""
        if self.phase in WAITING:
            self.phase = Phase.LOCKED

    def released(self, on: bool) -> None:
        """Latched open for everybody, or no longer: who is inside then was let in."""
        self._free = on
        if not on and self.phase is Phase.LOCKED and self._zone is not Zone.NONE:
            self.phase = Phase.INTRUDER

    def look(self, now_s: float, inputs: GateInputs | None) -> list[GateEvent]:
        """Levels as they are now; returns what they mean, in order."""
        if inputs is None:
            return []
        steady = self._settled(now_s, inputs)
        asked = self._passing  # of which way, before this look ends it
        found: list[GateEventKind | None] = []
        if steady.fire != self._fire:
            found.append(K.FIRE_ON if steady.fire else K.FIRE_OFF)
        if steady.forced and not self._forced and not self._passing:
            found.append(K.FORCED)
        self._forced = steady.forced and (self._forced or not self._passing)
        self._fire = steady.fire
        zone = zone_of(steady)
        if zone is not self._zone:
            self._zone = zone
            found.append(self._moved(now_s, zone))
        found.append(self._waited(now_s))
        found += self._lasted(now_s, steady)
        meant = (WHILE_FREE.get(kind, kind) if self._free and kind else kind for kind in found)
        return [
            GateEvent(kind, now_s, self._way_of(kind, asked)) for kind in meant if kind is not None
        ]

    def _way_of(self, kind: GateEventKind, asked: bool) -> Way:
        """Which way a passage was asked for; who comes against it, or against the entry of a
        locked gate, goes the other."""
        way = self._way if asked else Way.ENTRY
        if kind is not K.OPPOSITE:
            return way
        return Way.ENTRY if way is Way.EXIT else Way.EXIT

    @property
    def _passing(self) -> bool:
        return self.owed or self.phase is Phase.CLEAR

    def _lasted(self, now_s: float, steady: GateInputs) -> list[GateEventKind | None]:
        """What should have ended long ago. A passage has its own limit, and a gate that is
        latched open may have a queue in it."""
        quiet = self._passing or self._free
        found: list[GateEventKind | None] = []
        for lasting, level in zip(self._dark, (steady.passage_a, steady.passage_b), strict=True):
            said = lasting.said
            if lasting.look(now_s, level and (said or not quiet), self.stuck_s):
                found.append(K.SENSOR_BLOCKED)
            elif said and not lasting.said:
                found.append(K.SENSOR_CLEAR)
        if self._open.look(now_s, steady.open and not quiet, self.held_s):
            found.append(K.HELD)
        return found

    def _settled(self, now_s: float, inputs: GateInputs) -> GateInputs:
        now = (inputs.passage_a, inputs.passage_b, inputs.forced, inputs.fire, inputs.open)
        if not self._levels:
            self._begin(now)
        settled = zip(self._levels, now, strict=True)
        return GateInputs(*[steady.look(now_s, level) for steady, level in settled])

    def _begin(self, now: tuple[bool, bool, bool, bool, bool]) -> None:
        """The first look: whoever stands in the gate came before us, unlocked or not."""
        a, b, *_ = now
        begin = (a, b, False, False, False)
        self._levels = [Steady(level, self.debounce_s, level) for level in begin]
        self._zone = zone_of(GateInputs(a, b, False, False))
        if self._zone is not Zone.NONE and self.phase is Phase.LOCKED:
            self.phase = Phase.INTRUDER

    def _moved(self, now_s: float, zone: Zone) -> GateEventKind | None:
        before = self.phase
        if self._way is Way.EXIT and self._passing:
            zone = MIRRORED.get(zone, zone)
        after = TABLE.get((before, zone))
        if after is None or (self._free and before is Phase.LOCKED):
            return None
        self.phase, meaning = after
        if meaning is K.ENTERED:
            self._entered_s = now_s
        if self.phase is Phase.CLEAR:
            self._cleared_s = now_s
        return meaning

    def _waited(self, now_s: float) -> GateEventKind | None:
        """Ends that are the passing of time."""
        if self.phase is Phase.UNLOCKED and now_s >= self._until_s:
            self.phase = Phase.LOCKED
            return K.TIMED_OUT
        if self.phase is Phase.CLEAR and now_s - self._cleared_s >= self.follow_s:
            self.phase = Phase.LOCKED
            return K.PASSED
        stuck = self.phase in IN_THE_GATE and now_s - self._entered_s >= self.clear_s
        if stuck or (self.phase in WAITING and now_s >= self._until_s + self.clear_s):
            self.phase = Phase.INTRUDER
            return K.BLOCKED
        return None
