"""What a lane lacks beside its devices: a candidate's screen, a roster of today, the way to the
centre, a gate's sensor. Nobody can waive these; the proctor's screen says them (docs/degraded.md).

Asked every second by the daemon; decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from kiosk.clock import Clock
from kiosk.steps.ladder import missing
from kiosk.store import Store

SCREEN_GONE_S = 5.0  #: a screen that restarts is back by then
CENTRE_LATE = timedelta(minutes=15)  #: what waits longer for the centre is said
SLOW_EVERY = 10  #: looks between two at the store


class Lacks:
    """`screen_there()`: a candidate's screen is connected. `sensor_since()`: of the gate's barrier
    that has been broken too long. `has_centre`: records are sent somewhere."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        screen_there: Callable[[], bool],
        sensor_since: Callable[[], datetime | None],
        has_centre: Callable[[], bool],
        roster_days: float,
    ) -> None:
        self._store = store
        self._clock = clock
        self._screen_there = screen_there
        self._sensor_since = sensor_since
        self._has_centre = has_centre
        self._roster_days = roster_days
        self._looks = 0
        self._gone_s: float | None = None  #: monotonic; None: the screen is there
        self._gone_at: datetime | None = None
        self._slow: list[dict[str, Any]] = []
        self.found: list[dict[str, Any]] = []

    def look(self) -> bool:
        """Whether something came or went. Raises `StoreError`."""
        if self._looks % SLOW_EVERY == 0:
            self._slow = [*self._roster(), *self._centre()]
        self._looks += 1
        before, self.found = self.found, [*self._screen(), *self._sensor(), *self._slow]
        return before != self.found

    def _screen(self) -> list[dict[str, Any]]:
        if self._screen_there():
            self._gone_s = self._gone_at = None
            return []
        now_s = self._clock.monotonic()
        if self._gone_s is None:
            self._gone_s, self._gone_at = now_s, self._clock.now()
        if now_s - self._gone_s < SCREEN_GONE_S:
            return []
        return [missing("screen", "no_screen", self._gone_at)]

    def _sensor(self) -> list[dict[str, Any]]:
        since = self._sensor_since()
        return [missing("sensor", "sensor_blocked", since)] if since is not None else []

    def _roster(self) -> list[dict[str, Any]]:
        session = self._store.open_now()
        imported = session and self._store.roster_imported_at(session.session_id)
        if not imported:
            return []
        at = datetime.fromisoformat(imported)
        if self._clock.now() - at < timedelta(days=self._roster_days):
            return []
        return [missing("roster", "roster_old", at)]

    def _centre(self) -> list[dict[str, Any]]:
        if not self._has_centre():
            return []
        waiting = self._store.outbox_pending(1)
        if not waiting:
            return []
        at = datetime.fromisoformat(waiting[0].created_at)
        if self._clock.now() - at < CENTRE_LATE:
            return []
        return [missing("centre", "centre_unreachable", at)]
