"""What must hold before a session opens: one list, every reason at once.

Asks store, devices and clock; changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo

from kiosk.clock import Clock
from kiosk.core.types import Session, SessionState
from kiosk.store import Store
from kiosk.store.errors import StoreError
from kiosk.supervisor import DeviceStatus
from kiosk.texts import Problem

#: No lane of this version ran before; an earlier clock has lost its battery.
EARLIEST = datetime(2026, 11, 1, tzinfo=UTC)


def problems_of(
    session_id: str,
    *,
    store: Store,
    devices: Mapping[str, DeviceStatus],
    clock: Clock,
    zone: tzinfo,
    encoder: str,
    min_free_mb: int,
) -> list[Problem]:
    """Why this session cannot be opened now; empty when it can."""
    found = _evidence(store, clock, min_free_mb)
    found += [
        Problem("device", {"role": s.role, "code": s.code or "no_answer"})
        for s in devices.values()
        if not s.ok
    ]
    session = store.session(session_id)
    if session is None:
        return [Problem("session_unknown", {"session_id": session_id}), *found]
    return _session(session, store, clock, zone) + _roster(session, store, encoder) + found


def _evidence(store: Store, clock: Clock, min_free_mb: int) -> list[Problem]:
    found = []
    now = clock.now()
    if now < EARLIEST:
        args = {"now": f"{now:%Y-%m-%d %H:%M}", "earliest": f"{EARLIEST:%Y-%m-%d}"}
        found.append(Problem("clock", args))
    if (last := store.last_entry_at()) is not None and now < last:
        args = {"now": f"{now:%Y-%m-%d %H:%M}", "earliest": f"{last:%Y-%m-%d %H:%M}"}
        found.append(Problem("clock", args))
    free = store.free_mb()
    if free < min_free_mb:
        found.append(Problem("disk", {"free": free, "need": min_free_mb}))
    try:
        store.writable_check()
    except StoreError as error:
        found.append(Problem("evidence", {"detail": "; ".join(error.problems)}))
    return found


def _session(session: Session, store: Store, clock: Clock, zone: tzinfo) -> list[Problem]:
    found = []
    name = {"session_id": session.session_id}
    if session.state is SessionState.CLOSED:
        found.append(Problem("session_closed_for_good", name))
    other = store.open_now()
    if other is not None and other.session_id != session.session_id:
        found.append(Problem("other_session_open", {"other": other.session_id}))
    now = clock.now()
    today = now.astimezone(zone).date()
    day = session.starts_at.astimezone(zone).date()
    if day != today:
        found.append(Problem("other_day", name | {"day": str(day), "today": str(today)}))
    elif now > session.checkin_until:
        until = f"{session.checkin_until.astimezone(zone):%H:%M}"
        found.append(Problem("window_over", name | {"until": until}))
    return found


def _roster(session: Session, store: Store, encoder: str) -> list[Problem]:
    found = []
    booked = store.counts(session.session_id).booked
    usable = min(len(session.usable_terminals), session.capacity)
    if booked == 0:
        found.append(Problem("roster_missing", {"session_id": session.session_id}))
    else:
        ids, _ = store.gallery(session.session_id, encoder)
        if len(ids) < booked:
            found.append(Problem("encoder_differs", {"count": booked - len(ids)}))
    if usable == 0:
        found.append(Problem("no_terminal"))
    elif booked > usable:
        found.append(Problem("too_few_terminals", {"booked": booked, "usable": usable}))
    return found
