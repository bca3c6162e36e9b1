"""The virtual gate: a lock, a release, sensors, and bodies that walk in it.

Test equipment; the board that switches its relays and reads its contacts is a subclass in the
board's folder. Knows nothing of any driver or the lane.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from drivers.link import VirtualDevice

STRIDE_S = 0.25  #: a brisk person from one barrier to the next
RELOCK_S = 15.0  #: the gate's own controller locks again when nobody came
FORCED_S = 0.5  #: how long the contact is made when the gate is pushed open
ONE_BODY = ((True, False), (True, True), (False, True))  #: A, both, B
SENSORS = ("passage_a", "passage_b", "forced", "fire", "open")


class VirtualGate(VirtualDevice):
    """`pulses` counts what the relay of the lock did, `unlock_writes` what it was told (a relay
    that is already on does not pull again); `passages` who went through; `closings` how often a
    gate that was latched open was locked again.

    A pulse unlocks for one passage, until somebody went through or turned back, or `relock_s`;
    with `own_controller` off the lock follows its relay and nothing else. Bodies walk in the
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
    ) -> None:
        super().__init__(link_path)
        self.pulses = 0
        self.unlock_writes = 0
        self.closings = 0
        self.passages = 0
        self.counted = [0, 0]  #: by the gate itself: in, out; kept without power
        self.on_unlock: Callable[[], None] | None = None
        self.sensors = dict.fromkeys(SENSORS, False)  #: what each sees now
        self.dirty = dict.fromkeys(SENSORS, False)  #: stuck active whatever is there
        self._stride_s = stride_s
        self._relock_s = relock_s
        self._own_controller = own_controller
        self._lock_relay = False  #: unlocks while on
        self._release_relay = False
        self._unlocked_until_s = 0.0
        self._forced_until_s = 0.0
        self._body = threading.Lock()  # one body in the gate at a time

    # --- bodies ---------------------------------------------------------------------------------

    @property
    def unlocked(self) -> bool:
        """The lock lets somebody through: pulsed, held open by its relay, or latched open."""
        with self.lock:
            held = self._lock_relay or self._release_relay
            return held or time.monotonic() < self._unlocked_until_s

    @property
    def released(self) -> bool:
        with self.lock:
            return self._release_relay

    def person_passes(self) -> bool:
        """Somebody walks through; False when the gate is locked and they cannot."""
        return self._walk_through(*ONE_BODY, people=1)

    def two_people(self, gap: bool = True) -> bool:
        """A second person behind the first; without `gap` so close that the gate is never empty."""
        between = ((False, False),) if gap else ((True, True),)
        return self._walk_through(*ONE_BODY, *between, *ONE_BODY, people=2)

    def person_turns_back(self) -> None:
        """Somebody steps in and out again; the gate's controller locks behind them."""
        with self._body:
            self._walk((True, False), (False, False))
            self._relock()

    def stand_in_gate(self, seconds: float) -> None:
        with self._body:
            self._set("passage_a", True)
            time.sleep(seconds)
            self._set("passage_a", False)

    def opposite(self) -> None:
        """Somebody comes out the wrong way."""
        with self._body:
            self._walk((False, True), (True, True), (True, False), (False, False))
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

    def _walk_through(self, *levels: tuple[bool, bool], people: int) -> bool:
        with self._body:
            if not self.unlocked:
                return False
            self._walk(*levels, (False, False))
            with self.lock:
                self.passages += people
                self.counted[0] += people
            self._relock()
            return True

    def _walk(self, *levels: tuple[bool, bool]) -> None:
        for a, b in levels:
            with self.lock:
                self.sensors["passage_a"], self.sensors["passage_b"] = a, b
            time.sleep(self._stride_s)

    def _set(self, sensor: str, on: bool) -> None:
        with self.lock:
            self.sensors[sensor] = on

    def _relock(self) -> None:
        with self.lock:
            self._unlocked_until_s = 0.0

    # --- for the board, with `lock` held ----------------------------------------------------------

    def sees(self, sensor: str) -> bool:
        return self.sensors[sensor] or self.dirty[sensor]

    def switch_lock(self, on: bool) -> None:
        """The relay of the lock was told so."""
        rises = on and not self._lock_relay
        self._lock_relay = on
        self.unlock_writes += on
        if rises:
            self.pulses += 1
            if self._own_controller:
                self._unlocked_until_s = time.monotonic() + self._relock_s
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
        self._lock_relay = self._release_relay = False
        self._unlocked_until_s = 0.0
