"""The virtual gate: a lock, a release, sensors, and bodies that walk in it.

Test equipment; the board that switches its relays and reads its contacts is a subclass in the
board's folder. Knows nothing of any driver or the lane.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from drivers.contracts import Way
from drivers.link import VirtualDevice

STRIDE_S = 0.25  #: a brisk person from one barrier to the next
RELOCK_S = 15.0  #: the gate's own controller locks again when nobody came
FORCED_S = 0.5  #: how long the contact is made when the gate is pushed open
ONE_BODY = ((True, False), (True, True), (False, True))  #: A, both, B
SENSORS = ("passage_a", "passage_b", "forced", "fire", "open")


class VirtualGate(VirtualDevice):
    """`pulses` counts what the relays of the lock did, `unlock_writes` what they were told (a
    relay that is already on does not pull again); `passages` who came in, `leavings` who went out
    by leave; `closings` how often a gate that was latched open was locked again.

    A pulse unlocks for one passage, until somebody went through or turned back, or `relock_s`;
    with `own_controller` off the lock follows its relay and nothing else. With `ways_apart` each
    way has a relay of its own, otherwise one unlocks both. Bodies walk in the
    caller's thread and take their time. `on_unlock` is called in the cable's thread when the
    lock's relay pulls; it must not wait for a body.
    """

    def __init__(
        self,
        link_path: Path | None = None,
        *,
        stride_s: float = STRIDE_S,
        relock_s: float = RELOCK_S,
        own_controller: bool = True,
        ways_apart: bool = False,
    ) -> None:
        super().__init__(link_path)
        self.pulses = 0
        self.unlock_writes = 0
        self.closings = 0
        self.passages = 0
        self.leavings = 0
        self.counted = [0, 0]  #: by the gate itself: in, out; kept without power
        self.on_unlock: Callable[[], None] | None = None
        self.sensors = dict.fromkeys(SENSORS, False)  #: what each sees now
        self.dirty = dict.fromkeys(SENSORS, False)  #: stuck active whatever is there
        self._stride_s = stride_s
        self._relock_s = relock_s
        self._own_controller = own_controller
        self._ways_apart = ways_apart
        self._lock_relays = dict.fromkeys(Way, False)  #: unlocks this way while on
        self._release_relay = False
        self._unlocked_until_s = dict.fromkeys(Way, 0.0)
        self._forced_until_s = 0.0
        self._body = threading.Lock()  # one body in the gate at a time

    # --- bodies ---------------------------------------------------------------------------------

    @property
    def unlocked(self) -> bool:
        """The lock lets somebody in: pulsed, held open by its relay, or latched open."""
        return self.unlocked_for(Way.ENTRY)

    def unlocked_for(self, way: Way) -> bool:
        with self.lock:
            held = self._lock_relays[way] or self._release_relay
            return held or time.monotonic() < self._unlocked_until_s[way]

    @property
    def released(self) -> bool:
        with self.lock:
            return self._release_relay

    def person_passes(self) -> bool:
        """Somebody walks through; False when the gate is locked and they cannot."""
        return self._walk_through(*ONE_BODY, people=1)

    def person_leaves(self) -> bool:
        """The same outwards."""
        return self._walk_through(*ONE_BODY, people=1, way=Way.EXIT)

    def two_people(self, gap: bool = True, way: Way = Way.ENTRY) -> bool:
        """A second person behind the first; without `gap` so close that the gate is never empty."""
        between = ((False, False),) if gap else ((True, True),)
        return self._walk_through(*ONE_BODY, *between, *ONE_BODY, people=2, way=way)

    def person_turns_back(self, way: Way = Way.ENTRY) -> None:
        """Somebody steps in and out again; the gate's controller locks behind them."""
        with self._body:
            self._walk((True, False), (False, False), way=way)
            self._relock()

    def stand_in_gate(self, seconds: float) -> None:
        with self._body:
            self._set("passage_a", True)
            time.sleep(seconds)
            self._set("passage_a", False)

    def opposite(self) -> None:
        """Somebody comes out the wrong way."""
        with self._body:
            self._walk(*ONE_BODY, (False, False), way=Way.EXIT)
            with self.lock:
                self.counted[1] += 1

    def climb_over(self) -> None:
        """Somebody comes through whether the gate is locked or not."""
        with self._body:
            self._walk(*ONE_BODY, (False, False))

    def force(self) -> None:
        """The gate is pushed open: its contact is made for a moment."""
        with self.lock:
            self.sensors["forced"] = True
            self._forced_until_s = time.monotonic() + FORCED_S

    def set_fire(self, on: bool) -> None:
        self._set("fire", on)

    def hold_open(self, on: bool) -> None:
        """Somebody props the wing open, or lets it go."""
        self._set("open", on)

    def make_dirty(self, sensor: str, on: bool = True) -> None:
        """A barrier that is broken for good: dust, sun, a bag. Raises `KeyError`."""
        with self.lock:
            if sensor not in self.dirty:
                raise KeyError(sensor)
            self.dirty[sensor] = on

    def nobody(self) -> None:
        """All barriers are clear."""
        with self._body, self.lock:
            self.sensors["passage_a"] = self.sensors["passage_b"] = False

    def _walk_through(
        self, *levels: tuple[bool, bool], people: int, way: Way = Way.ENTRY
    ) -> bool:
        with self._body:
            if not self.unlocked_for(way):
                return False
            self._walk(*levels, (False, False), way=way)
            with self.lock:
                if way is Way.ENTRY:
                    self.passages += people
                else:
                    self.leavings += people
                self.counted[way is Way.EXIT] += people
            self._relock()
            return True

    def _walk(self, *levels: tuple[bool, bool], way: Way = Way.ENTRY) -> None:
        """Levels of the barriers in the order in which this way meets them."""
        for first, second in levels:
            a, b = (first, second) if way is Way.ENTRY else (second, first)
            with self.lock:
                self.sensors["passage_a"], self.sensors["passage_b"] = a, b
            time.sleep(self._stride_s)

    def _set(self, sensor: str, on: bool) -> None:
        with self.lock:
            self.sensors[sensor] = on

    def _relock(self) -> None:
        with self.lock:
            self._unlocked_until_s = dict.fromkeys(Way, 0.0)

    # --- for the board, with `lock` held ----------------------------------------------------------

    def sees(self, sensor: str) -> bool:
        return self.sensors[sensor] or self.dirty[sensor]

    def switch_lock(self, on: bool, way: Way = Way.ENTRY) -> None:
        """The relay of the lock for this way was told so."""
        ways = (way,) if self._ways_apart else tuple(Way)
        rises = on and not self._lock_relays[way]
        self._lock_relays |= dict.fromkeys(ways, on)
        self.unlock_writes += on
        if rises:
            self.pulses += 1
            if self._own_controller:
                until_s = time.monotonic() + self._relock_s
                self._unlocked_until_s |= dict.fromkeys(ways, until_s)
            if self.on_unlock is not None:
                self.on_unlock()

    def switch_release(self, on: bool) -> None:
        self.closings += self._release_relay and not on
        self._release_relay = on

    def gate_tick(self) -> None:
        """The gate's own time goes on."""
        if self.sensors["forced"] and time.monotonic() >= self._forced_until_s:
            self.sensors["forced"] = False

    def lost_power(self) -> None:
        self._release_relay = False
        self._lock_relays = dict.fromkeys(Way, False)
        self._unlocked_until_s = dict.fromkeys(Way, 0.0)
