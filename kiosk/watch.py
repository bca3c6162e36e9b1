"""Looks after what a proctor has to hear of: reads the journal as it grows, and looks at clock,
disk, roster and camera.

One a daemon, called every second. What a warning means is said elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo

import structlog

from kiosk.clock import Clock
from kiosk.core.codes import WarningCode
from kiosk.core.warnings import Reader
from kiosk.store import Entry, Store

log = structlog.get_logger(__name__)

PAGE = 500
PAST = 5000  #: entries before the newest that are read at a start; of earlier days none counts
STEP_S = 2.0  #: by which the wall clock may leave the monotonic one between two looks
#: Since the last entry before a start: a lane that was off so long, or one whose clock is wrong.
OFF = timedelta(days=60)
SLOW_EVERY = 10  #: looks between two at disk and roster
LOW_DISK = 2.0  #: times the room below which no session opens


class Watch:
    """`changed()` is called when there is something new to hear of."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        zone: tzinfo,
        *,
        min_free_mb: int,
        roster_days: float,
        changed: Callable[[], None],
    ) -> None:
        self._store = store
        self._clock = clock
        self._zone = zone
        self._min_free_mb = min_free_mb
        self._roster_days = roster_days
        self._changed = changed
        self._reader = Reader()
        self._after: int | None = None
        self._looks = 0
        self._before = store.last_entry_at()  #: this start
        self._apart_s: float | None = None  #: of wall clock and monotonic clock
        self.camera_covered = False

    def look(self) -> None:
        """Raises `StoreError` when the store cannot be used."""
        raised = self._read_journal()
        raised |= self._look_at_clock()
        if self.camera_covered:
            raised |= self._standing(WarningCode.CAMERA_COVERED)
        if self._looks % SLOW_EVERY == 0:
            raised |= self._look_at_disk() | self._look_at_roster()
        self._looks += 1
        if raised:
            self._changed()

    def _today(self) -> str:
        return self._clock.now().astimezone(self._zone).date().isoformat()

    def _read_journal(self) -> bool:
        if self._after is None:
            self._after = max(0, self._store.tree_head()[0] - PAST)
        raised, today = False, self._today()
        while entries := self._store.entries(self._after, PAGE):
            for entry in entries:
                self._after = entry.seq
                if entry.at.astimezone(self._zone).date().isoformat() == today:
                    raised |= self._read(entry)
        return raised

    def _read(self, entry: Entry) -> bool:
        meant = self._reader.read({
            "kind": entry.kind, "reason": entry.reason, "session_id": entry.session_id,
            "pseudonym": entry.pseudonym,
        })  # fmt: skip
        if meant is None:
            return False
        what, args = meant
        raised = self._store.raise_warning(
            what,
            str(entry.seq),
            session_id=entry.session_id,
            pseudonym=entry.pseudonym,
            terminal=entry.terminal,
            args=args,
        )
        return raised is not None

    def _look_at_clock(self) -> bool:
        """Somebody has set it: the journal notices a step back of itself, this both ways."""
        now = self._clock.now()
        apart_s = now.timestamp() - self._clock.monotonic()
        before_s, self._apart_s = self._apart_s, apart_s
        if before_s is None and self._before is not None and now - self._before > OFF:
            step_s = round((now - self._before).total_seconds())
        elif before_s is None or abs(apart_s - before_s) <= STEP_S:
            return False
        else:
            step_s = round(apart_s - before_s)
        if step_s < 0:
            return False  # the journal's next entry says it
        args = {"seconds": step_s}
        raised = self._store.raise_warning(WarningCode.CLOCK_STEPPED, now.isoformat(), args=args)
        return raised is not None

    def _standing(self, what: WarningCode, about: str = "", **args: object) -> bool:
        """A condition, while a session is open: at most once a day and thing."""
        session = self._store.open_now()
        if session is None:
            return False
        key = f"{self._today()} {about or session.session_id}"
        found = self._store.raise_warning(
            what, key, session_id=session.session_id, args=dict(args)
        )
        return found is not None

    def _look_at_disk(self) -> bool:
        free = self._store.free_mb()
        if free >= LOW_DISK * self._min_free_mb:
            return False
        return self._standing(WarningCode.DISK_LOW, "disk", free=free, need=self._min_free_mb)

    def _look_at_roster(self) -> bool:
        session = self._store.open_now()
        imported = session and self._store.roster_imported_at(session.session_id)
        if not imported:
            return False
        age = self._clock.now() - datetime.fromisoformat(imported)
        if age < timedelta(days=self._roster_days):
            return False
        return self._standing(WarningCode.ROSTER_OLD, days=age.days)
