"""The gate step: one pulse for each intent, and what the turnstile's sensors saw.

Knows the turnstile's contract; what a passage means for the candidate is the flow's.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING

import structlog

from drivers.contracts import GateCounters, GateEvent, GateEventKind, Turnstile, Way
from drivers.errors import DeviceFault, UnlockUnknown
from kiosk.core import effects as do
from kiosk.core import events as ev
from kiosk.core.codes import JournalKind, Reason, State
from kiosk.store.errors import StoreError

if TYPE_CHECKING:
    from kiosk.latch import OpenLatch
    from kiosk.session import LaneSession

DRILL_ON = "drill_on"

log = structlog.get_logger(__name__)

PASSAGE = {
    GateEventKind.PASSED: Reason.ADMITTED,
    GateEventKind.TIMED_OUT: Reason.GATE_TIMEOUT,
    GateEventKind.TURNED_BACK: Reason.GATE_TURNED_BACK,
    GateEventKind.TAILGATED: Reason.GATE_TAILGATED,
    GateEventKind.BLOCKED: Reason.GATE_BLOCKED,
    GateEventKind.UNSEEN: Reason.GATE_UNSEEN,
}
#: of a passage outwards
PASSAGE_OUT = PASSAGE | {GateEventKind.PASSED: Reason.LEFT}
UNASKED = {
    GateEventKind.FORCED: Reason.GATE_FORCED,
    GateEventKind.OPPOSITE: Reason.GATE_OPPOSITE,
    GateEventKind.HELD: Reason.GATE_HELD,
    GateEventKind.SENSOR_BLOCKED: Reason.GATE_SENSOR,
    GateEventKind.FIRE_ON: Reason.FIRE,
    GateEventKind.FIRE_OFF: Reason.FIRE,
}


class GateStep:
    """One a lane. `fire`: latched open until a person says that it is over, also by a restart;
    `drill`: the same for practice only."""

    def __init__(self, lane: LaneSession, gate_s: float, latch: OpenLatch) -> None:
        self._lane = lane
        self._gate_s = gate_s
        self._latch = latch
        self.fire = False
        self.drill = False
        self.fire_contact = False  #: the panel itself, as last seen
        self.sensor_since: datetime | None = None  #: a barrier has been broken too long
        self._counters: GateCounters | None = None  #: as last read
        self._unanswered: int | None = None  #: intent whose pulse is unknown, and not yet ended

    def session_opened(self) -> None:
        """Journal what the gate itself has counted so far; the balance begins there."""
        self._lane.spawn(self._count(self._lane.session_id))

    def session_closes(self) -> None:
        """The same before the session is closed, as read after the last thing it saw.

        What a gate that has failed since then would say is not known; closing waits for nobody.
        """
        try:
            self._lane.supervisor.device("turnstile")
        except DeviceFault:
            if self._counters is not None:
                self._counters = GateCounters(None, None)
        self._record_counters(self._lane.session_id)

    def restore(self) -> None:
        """At the start, before anything is told to the gate: a release that nobody has ended.

        The marker remembers what could not be journalled, the journal what a lost marker would;
        a release that only the marker knows is journalled now.
        """
        try:
            journalled = self._lane.store.release_that_lasts()
        except StoreError as error:
            self._lane.evidence_failed(error)
            journalled = None
        self.fire = journalled is not None or self._latch.is_set
        self.drill = journalled == "drill"
        if not self.fire:
            return
        log.warning("release_goes_on", journalled=journalled)
        self._latch.set()
        if journalled is None:
            self._record_event(Reason.FIRE, GateEventKind.FIRE_ON)
        self._lane.health_changed()

    def connected(self) -> None:
        """The turnstile is there, at the start or again; a closed contact is told anew."""
        self.fire_contact = False
        self.sensor_since = None
        self._lane.spawn(self._count())

    async def _count(self, session_id: str | None = None) -> None:
        """Read the counters; for `session_id` journal them, also that they cannot be read."""
        try:
            turnstile: Turnstile = self._lane.supervisor.device("turnstile")
            found = await turnstile.counters()
        except (DeviceFault, KeyError):
            found = GateCounters(None, None)
        self._counters = found
        if session_id is not None:
            self._record_counters(session_id)

    def _record_counters(self, session_id: str | None) -> None:
        if session_id is None or self._counters is None:
            return  # this gate does not count
        payload = {"entry": self._counters.entry, "exit": self._counters.exit}
        self._lane.store.journal(
            JournalKind.GATE_COUNTERS, session_id=session_id, payload=payload
        )

    def unlock(self, intent_id: int, way: Way) -> None:
        """Send the pulse for the intent that has just been committed."""
        self._lane.spawn(self._unlock(self._lane.lane.visit.number, intent_id, way))

    def saw(self, event: GateEvent) -> None:
        """What the turnstile's sensors saw."""
        kind = event.kind
        if self._counters is not None:
            self._lane.spawn(self._count())
        if kind.ends_passage and self._unanswered is not None:
            self._resolve(kind in (GateEventKind.PASSED, GateEventKind.TAILGATED))
        if kind.ends_passage and self._lane.workshop.saw(kind):
            return  # a technician's, which is journalled as such
        ends = PASSAGE_OUT if event.way is Way.EXIT else PASSAGE
        if kind.ends_passage and self._lane.lane.state is State.GATE:
            self._lane.post(ev.PassageEnded(ends[kind]))
            return
        if kind is GateEventKind.SENSOR_BLOCKED:
            self.sensor_since = self.sensor_since or self._lane.clock.now()
        if kind is GateEventKind.SENSOR_CLEAR:
            self.sensor_since = None
            self._record_event(None, kind)
            return
        reason = UNASKED.get(kind) or (ends[kind] if kind.ends_passage else None)
        if reason is None:
            return
        if kind in (GateEventKind.FIRE_ON, GateEventKind.FIRE_OFF):
            self.fire_contact = kind is GateEventKind.FIRE_ON
        if kind is not GateEventKind.FIRE_ON:
            went = kind.ends_passage or kind in (GateEventKind.FORCED, GateEventKind.OPPOSITE)
            self._record_event(reason, kind, event.way if went else None)
            self._lane.health_changed()
            return
        # People first: the gate is told to open before anything waits for a disk.
        self.fire, self.drill = True, False
        self._lane.spawn(self._release(True))
        asyncio.get_running_loop().call_soon(self._keep_fire)

    def _resolve(self, opened: bool) -> None:
        """What the sensors say of the pulse whose answer was lost, for record and proctor."""
        intent_id, self._unanswered = self._unanswered, None
        assert intent_id is not None
        try:
            self._lane.store.gate_pulse_seen(intent_id, opened)
        except StoreError as error:
            self._lane.evidence_failed(error)
        self._lane.tell(JournalKind.GATE_PULSE_SEEN.value, None, extra={"opened": opened})

    def release(self, by: str | None) -> None:
        """A person lets everybody out; `by`: who has logged in there, None: nobody had.

        Never refuses and waits for no disk. It has the latch of a fire release and ends as one.
        """
        self.fire, self.drill = True, False
        self._lane.spawn(self._release(True))
        asyncio.get_running_loop().call_soon(self._keep_release, by)

    def _keep_release(self, by: str | None) -> None:
        self._latch.set()
        try:
            record = do.Record(JournalKind.GATE_EVENT, Reason.FIRE)
            self._lane.record(record, event="emergency_release", person=by)
        except StoreError as error:
            self._lane.evidence_failed(error)
        self._lane.health_changed()

    def begin_drill(self, person: str) -> None:
        """Open for everybody as in a fire, for practice. Raises `StoreError` when it cannot be
        journalled first; then the gate stays as it is: nobody is in danger."""
        self._lane.store.journal(
            JournalKind.GATE_EVENT,
            Reason.DRILL,
            session_id=self._lane.session_id,
            payload={"event": DRILL_ON, "person": person},
        )
        self._latch.set()
        self.fire = self.drill = True
        self._lane.spawn(self._release(True))
        self._lane.tell(DRILL_ON, Reason.DRILL)
        self._lane.health_changed()

    def _keep_fire(self) -> None:
        self._latch.set()
        self._record_event(Reason.FIRE, GateEventKind.FIRE_ON)
        self._lane.health_changed()

    def _record_event(
        self, reason: Reason | None, kind: GateEventKind, way: Way | None = None
    ) -> None:
        about = {"event": kind.value} | ({"way": way.value} if way is not None else {})
        try:
            self._lane.record(do.Record(JournalKind.GATE_EVENT, reason), **about)
        except StoreError as error:
            self._lane.evidence_failed(error)

    async def _release(self, on: bool) -> None:
        try:
            turnstile: Turnstile = self._lane.supervisor.device("turnstile")
            await turnstile.release(on)
        except DeviceFault as fault:
            self._lane.supervisor.fault(fault)

    async def _unlock(self, visit: int, intent_id: int, way: Way) -> None:
        """The one pulse. Its intent is on disk; whatever happens here it is not repeated."""
        self._unanswered = None  # of the one before: its passage has ended, seen or not
        self._lane.timings["unlock_asked"] = self._lane.clock.monotonic()
        try:
            turnstile: Turnstile = self._lane.supervisor.device("turnstile")
            await turnstile.unlock(self._gate_s, way)
        except UnlockUnknown as fault:
            log.error("unlock_unknown", detail=fault.detail)  # the inputs will tell, or the timer
            self._unanswered = intent_id
            self._record_pulse(intent_id, "unknown")
            self._lane.tell("unlock_unknown", None, terminal=self._lane.lane.visit.terminal)
            self._lane.make_receipt(visit)
            return
        except DeviceFault as fault:
            self._record_pulse(intent_id, "not_sent")
            self._lane.supervisor.fault(fault)
            if self._lane.lane.visit.number == visit:
                self._lane.offer(ev.PassageEnded(Reason.GATE_UNKNOWN))
            return
        self._lane.timings["unlocked"] = self._lane.clock.monotonic()
        self._record_pulse(intent_id, "sent")
        self._report_timings()
        self._lane.make_receipt(visit)  # it signs a head: not before the gate is open

    def _record_pulse(self, intent_id: int, result: str) -> None:
        try:
            self._lane.store.gate_pulse(intent_id, result)
        except StoreError as error:
            self._lane.evidence_failed(error)

    def _report_timings(self) -> None:
        """How long the system itself took, people's time left out (docs/operations.md)."""
        t = self._lane.timings
        spans = {
            "finger": ("image_ready", "finger_decided"),
            "signature_stored": ("signed", "signature_stored"),
            "seat_committed": ("signature_stored", "committed"),
            "unlock": ("committed", "unlocked"),
        }
        found = {
            k: round(1000 * (t[b] - t[a]), 1) for k, (a, b) in spans.items() if a in t and b in t
        }
        self._lane.tell(
            "timing", None, extra={"ms": found | {"total": round(sum(found.values()), 1)}}
        )

    def resume(self, person: str) -> None:
        """A person declares the release, or the drill, over; only then the gate locks again.

        The caller has seen that `fire_contact` is open. Raises `StoreError` when it cannot be
        journalled; the gate then stays open.
        """
        self._lane.store.end_release("drill" if self.drill else "fire", person)
        self._latch.clear()
        self.fire = self.drill = False
        self._lane.spawn(self._release(False))
        self._lane.health_changed()
