"""Carries out a candidate's way: turns what devices, face and screen report into events for
kiosk.core.flow, and its effects into action. Decides nothing itself.

One instance a lane, on the daemon's event loop. It must not know sockets, Qt or which
drivers are configured.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, tzinfo
from typing import Any

import structlog

from drivers.contracts import Way
from drivers.errors import DeviceFault
from kiosk.clock import Clock
from kiosk.core import effects as do
from kiosk.core import events as ev
from kiosk.core import flow
from kiosk.core.codes import JournalKind, Reason, State
from kiosk.core.identity import Policy
from kiosk.core.leaving import WERE_IN, leaves
from kiosk.core.types import Candidate, Lookup, Session
from kiosk.latch import OpenLatch
from kiosk.signature import Pad
from kiosk.steps.cards import CardStep
from kiosk.steps.claim import ClaimStep
from kiosk.steps.face import FaceStep
from kiosk.steps.finger import FingerStep
from kiosk.steps.gate import GateStep
from kiosk.steps.help import HelpStep
from kiosk.steps.ladder import Ladder
from kiosk.steps.seen_faces import SameFaceRule
from kiosk.steps.verify import VerifyStep
from kiosk.steps.workshop import WorkshopStep
from kiosk.store import Store
from kiosk.store.errors import StoreError, StoreRefused
from kiosk.supervisor import Supervisor

log = structlog.get_logger(__name__)

GATE_SLACK_S = 3.0  #: how much later than the gate's own limits its silence is a fault


@dataclass(frozen=True, slots=True)
class Times:
    """How long each state may last, in seconds."""

    face_s: float
    claim_s: float
    finger_s: float
    sign_s: float
    gate_s: float
    gate_clear_s: float
    result_s: float
    verify_s: float = 300.0

    def of(self, state: State) -> float | None:
        return {
            State.CLAIM: self.claim_s,
            State.FACE: self.face_s,
            State.VERIFY: self.verify_s,
            State.FINGER: self.finger_s,
            State.SIGN: self.sign_s,
            State.GATE: self.gate_s + self.gate_clear_s + GATE_SLACK_S,
            State.WELCOME: self.result_s,
            State.REFUSED: self.result_s,
        }.get(state)

    def shown(self, state: State) -> float | None:
        """What the countdown says: at the gate, the time to step in."""
        return self.gate_s if state is State.GATE else self.of(state)


class LaneSession:
    """The lane's one running way. `changed()` is called after each step; `happened` per fact."""

    def __init__(
        self,
        *,
        store: Store,
        supervisor: Supervisor,
        face_worker: Any,
        rules: flow.Rules,
        policy: Policy,
        times: Times,
        clock: Clock,
        zone: tzinfo,
        encoder: str,
        same_face: SameFaceRule,
        latch: OpenLatch,
        changed: Callable[[], None],
        happened: Callable[[dict[str, Any]], None],
        two_people: bool = True,
    ) -> None:
        self.store = store
        self.supervisor = supervisor
        self._times = times
        self.clock = clock
        self._zone = zone
        self._changed = changed
        self._happened = happened
        self.lane = flow.Lane(rules=rules)
        self.session: Session | None = None
        self.help_waiting = False
        self.warnings = 0  #: that nobody has acknowledged
        self.alerts = 0  #: faces under two identities that nobody has looked at yet
        self.timings: dict[str, float] = {}
        self.receipt: str | None = None  #: of whom the gate was opened for
        self._admitted_to: str | None = None
        self._stands_in: dict[int, str] = {}  #: the last candidate claimed, and of which session
        self.deadline_s: float | None = None
        self.deadline_total_s: float | None = None
        self._queue: deque[ev.Event] = deque()
        self._stepping = False
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._pad: Pad | None = None
        self._unrecorded: list[do.RecordPassage] = []
        self._evidence_ok = True
        self.faces = FaceStep(self, face_worker, policy, encoder, same_face)
        self.claims = ClaimStep(self)
        self.cards = CardStep(self)
        self.fingers = FingerStep(self)
        self._asked: int | None = None  #: the request of who is at the lane
        self.ladder = Ladder(self)
        self.verify = VerifyStep(self, two_people)
        self.help = HelpStep(self)
        self.gate = GateStep(self, times.gate_s, latch)
        self.workshop = WorkshopStep(self, times.gate_clear_s + GATE_SLACK_S)

    # --- events in ------------------------------------------------------------------------------

    def post(self, event: ev.Event) -> None:
        """Apply an event and everything that follows from it. Too late or illegal: logged."""
        self._queue.append(event)
        if self._stepping:
            return
        self._stepping = True
        try:
            while self._queue:
                self._step(self._queue.popleft())
        finally:
            self._stepping = False
        self._changed()

    def _step(self, event: ev.Event) -> None:
        before = self.lane
        try:
            self.lane, effects = flow.step(before, event)
        except flow.IllegalEvent as error:
            log.warning("illegal_event", state=error.state, happened=type(event).__name__)
            return
        for lookup in (self.lane.visit.lookup, self.lane.visit.typed):
            self.note_session(lookup)
        entered = (before.state, before.visit.number) != (self.lane.state, self.lane.visit.number)
        if entered:
            log.info("state", state=self.lane.state, visit=self.lane.visit.number)
            self._restart_timer()
            if self.lane.visit.number != before.visit.number:
                self._forget_person()
        for effect in effects:
            try:
                self._carry_out(effect)
            except StoreError as error:
                self.evidence_failed(error)
                break

    def offer(self, event: ev.Event) -> None:
        """Post an event only if the present state knows it: absence, late answers."""
        if flow.accepts(self.lane, event):
            self.post(event)

    def _restart_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self.deadline_s = None, None
        seconds = self._times.of(self.lane.state)
        self.deadline_total_s = shown_s = self._times.shown(self.lane.state)
        if seconds is None or shown_s is None:
            return
        self.deadline_s = self.clock.monotonic() + shown_s
        self._timer = asyncio.get_running_loop().call_later(seconds, self._on_timer)

    def _on_timer(self) -> None:
        if self.lane.state is State.FACE and not self.faces.present:
            # nobody ever stood there, or they are gone: that is walking away, not a bad face
            self.offer(ev.PersonLeft())
            return
        self.offer(ev.TimedOut())

    def _forget_person(self) -> None:
        self._pad = None
        self.help_waiting = False
        self.timings = {}
        self.receipt = self._admitted_to = None
        self.faces.forget()
        self.verify.forget()

    # --- session and health ---------------------------------------------------------------------

    def session_changed(self) -> None:
        """The store's open session changed: load its gallery, tell the flow."""
        self.session = self.store.open_now()
        self.faces.load_gallery(self.session)
        self.fingers.hold()
        self.alerts_changed()
        self.warnings_changed()
        self.offer(ev.SessionClosed() if self.session is None else ev.SessionOpened())
        paused = self.session is not None and self.session.paused is not None
        if paused is not self.lane.paused:
            self.offer(ev.SessionPaused() if paused else ev.SessionResumed())
        self.help.count()
        self._changed()

    def alerts_changed(self) -> None:
        """An alert was raised, or a person has answered one."""
        self.faces.seen.begin_day(self.today().isoformat())
        self.faces.seen.look_again()
        self.alerts = len(self.store.open_alerts())
        self._changed()

    def warnings_changed(self) -> None:
        """A warning was raised or acknowledged."""
        self.warnings = len(self.store.open_warnings())
        self._changed()

    def alerted(self, candidate: Candidate) -> None:
        """This candidate's face came under another identity today; it is journalled already."""
        self.alerts = len(self.store.open_alerts())
        self.tell(JournalKind.SAME_FACE.value, Reason.FACE_SEEN_BEFORE, candidate=candidate)

    def health_changed(self) -> None:
        """Something about devices or evidence changed: the flow learns the sum."""
        reason: Reason | None = None
        if not self._evidence_ok:
            reason = Reason.EVIDENCE_FAILED
        elif self.gate.fire:
            reason = Reason.DRILL if self.gate.drill else Reason.FIRE
        elif not all(status.ok for status in self.ladder.needed.values()):
            reason = Reason.DEVICE_FAULT
        elif self.workshop.busy:
            reason = Reason.WORKSHOP
        if reason is not None and self.lane.failed is not reason:
            self.offer(ev.LaneFailed(reason))
        elif reason is None and self.lane.failed is not None:
            self.offer(ev.LaneRecovered())
        self._changed()

    def device_found(self, role: str) -> None:
        """It is back: its memory is filled again, and what was waived for it is asked again."""
        if role == "fingerprint":
            self.fingers.hold(anew=True)
        self.ladder.found(role)

    def device_lost(self, role: str) -> None:
        """The turnstile died while somebody is in it: how they went is not known."""
        if role == "turnstile" and self.lane.state is State.GATE:
            self.offer(ev.PassageEnded(Reason.GATE_UNKNOWN))

    def evidence_failed(self, error: StoreError) -> None:
        log.error("evidence_failed", error=type(error).__name__)
        self._evidence_ok = False
        self.health_changed()

    def check_evidence(self) -> None:
        """Called every few seconds: nobody is admitted where nothing can be recorded."""
        try:
            self.store.writable_check()
            self.faces.seen.begin_day(self.today().isoformat())
            for effect in list(self._unrecorded):
                with contextlib.suppress(StoreRefused):  # it did reach the disk before the error
                    self.store.gate_outcome(effect.intent_id, effect.reason)
                self._unrecorded.remove(effect)
        except StoreError as error:
            if self._evidence_ok:
                self.evidence_failed(error)
            return
        if not self._evidence_ok:
            self._evidence_ok = True
            self.health_changed()

    # --- time -----------------------------------------------------------------------------------

    def today(self) -> date:
        """In the hall's time zone."""
        return self.clock.now().astimezone(self._zone).date()

    def window_problem(self, lookup: Lookup) -> Reason | None:
        """Who comes a second time because a proctor voided their seat may be late; who was
        inside already is not asked, whichever way they go."""
        if leaves(self.lane, lookup):
            return None
        session, now = self.session, self.clock.now()
        if session is None:
            return Reason.SESSION_NOT_OPEN
        if lookup.standing in WERE_IN:
            return None
        if now < session.checkin_from:
            return Reason.TOO_EARLY
        late = now > session.checkin_until and not lookup.comes_again
        return Reason.TOO_LATE if late else None

    # --- screen ---------------------------------------------------------------------------------

    def on_signature(self, pad: Pad) -> None:
        """Strokes from the pad, already found to be a signature."""
        self._pad = pad
        self.timings["signed"] = self.clock.monotonic()
        self.post(ev.SignatureGiven())

    def ask_help(self) -> None:
        """The candidate pressed the button."""
        if not self.help_waiting:
            self._asked = self.help.ask(self.lane.visit.candidate, Reason.HELP_REQUESTED)
            self.help_waiting = True
            self._changed()

    def show_again(self) -> None:
        """Something that screens ask for has changed."""
        self._changed()

    def help_changed(self) -> None:
        """Somebody takes a request or has answered it."""
        self.help.count()
        self.help_waiting = self.help_waiting and self.help.is_open(self._asked)
        self._changed()

    # --- effects out ----------------------------------------------------------------------------

    def _carry_out(self, effect: do.Effect) -> None:
        match effect:
            case do.WatchFace():
                self.faces.watch()
            case do.GuardFace():
                self.faces.guard()
            case do.VerifyFace(candidate=claimed):
                self.faces.verify(claimed)
            case do.VerifyNumber(candidate=claimed):
                self.faces.verify_number(claimed)
            case do.LoadFinger(candidate=candidate):
                self.fingers.load(candidate)
            case do.ReadFinger():
                self.fingers.read()
            case do.ForgetFinger():
                self.fingers.forget()
            case do.StoreSignature(candidate=candidate):
                self._store_signature(candidate)
            case do.CommitAdmission():
                self._commit(effect)
            case do.CommitDeparture():
                self._commit_departure(effect)
            case do.UnlockGate(intent_id=intent_id, out=out):
                self.gate.unlock(intent_id, Way.EXIT if out else Way.ENTRY)
            case do.RecordPassage():
                self._record_passage(effect)
            case do.RecordDecision():
                self._record_decision(effect)
            case do.CallProctor(candidate=candidate, reason=reason):
                self._asked = self.help.ask(candidate, reason)
                self.help_waiting = True
            case do.Record():
                self.record(effect)

    def _store_signature(self, candidate: Candidate) -> None:
        assert self._pad is not None and self.session is not None
        sha256 = self.store.save_signature(
            self.session.session_id, candidate, self._pad.document(), self._pad.text_sha256
        )
        self.timings["signature_stored"] = self.clock.monotonic()
        self._queue.append(ev.SignatureStored(sha256))

    def _commit(self, effect: do.CommitAdmission) -> None:
        assert self.session is not None
        candidate = effect.candidate
        authority = "override" if effect.overridden else "verified"
        self.timings.setdefault("signature_stored", self.clock.monotonic())
        try:
            admission = self.store.admit(self.session.session_id, candidate, authority)
        except StoreRefused as refused:
            self._queue.append(ev.AdmissionRefused(refused.reason or Reason.EVIDENCE_FAILED))
            return
        self.timings["committed"] = self.clock.monotonic()
        self._admitted_to = self.session.session_id  # it may be closed before they have passed
        self._queue.append(ev.AdmissionCommitted(admission))
        self.tell(
            "seat_drawn" if admission.drawn_now else "seat_kept",
            None,
            candidate=candidate,
            terminal=admission.terminal,
        )

    def _commit_departure(self, effect: do.CommitDeparture) -> None:
        candidate = effect.candidate
        session_id = self.session_of(candidate)
        if session_id is None:  # by no record of these hours; a proctor's word needs a seat
            self._queue.append(ev.AdmissionRefused(Reason.NOT_INSIDE))
            return
        authority = "override" if effect.overridden else "verified"
        try:
            departure = self.store.depart(session_id, candidate, authority)
        except StoreRefused as refused:
            self._queue.append(ev.AdmissionRefused(refused.reason or Reason.EVIDENCE_FAILED))
            return
        self.timings["committed"] = self.clock.monotonic()
        self._queue.append(ev.AdmissionCommitted(departure))

    def session_of(self, candidate: Candidate | None) -> str | None:
        """Whose entries these are: who leaves may have come in with a session that is closed."""
        if candidate is None:
            return self.session_id
        return self._stands_in.get(candidate.candidate_id, self.session_id)

    def note_session(self, lookup: Lookup | None) -> None:
        """Of whom entries and pictures are about to be kept."""
        if lookup and lookup.candidate and lookup.session_id:
            self._stands_in = {lookup.candidate.candidate_id: lookup.session_id}

    def make_receipt(self, visit: int) -> None:
        """For the screen, when the person of this visit is still the one before it."""
        candidate = self.lane.visit.candidate
        if self.lane.visit.number != visit or candidate is None or self._admitted_to is None:
            return
        try:
            self.receipt = self.store.receipt(self._admitted_to, candidate.candidate_id)
        except StoreError as error:
            self.evidence_failed(error)
            return
        self._changed()

    def _record_passage(self, effect: do.RecordPassage) -> None:
        visit = self.lane.visit
        kind = "admitted" if self.lane.state is State.WELCOME else "refused"
        through = kind == "admitted"
        if visit.leaving and through:
            kind = JournalKind.LEFT.value
        try:
            self.store.gate_outcome(effect.intent_id, effect.reason)
        except StoreError:
            self._unrecorded.append(effect)  # the intent stays open until this is written
            raise
        self.tell(kind, effect.reason, candidate=visit.candidate, terminal=visit.terminal)
        if through:
            self.help.passed(visit.candidate)
        self.help.ended(visit.candidate, effect.reason)

    def _record_decision(self, effect: do.RecordDecision) -> None:
        """What a person decided, before anything follows from it."""
        decision = effect.decision
        payload: dict[str, Any] = dict(decision.payload())
        if effect.kind is not JournalKind.FINGER_OVERRIDDEN:
            payload["evidence_sha256"] = decision.evidence_sha256
        self.store.journal(
            effect.kind,
            session_id=self.session_of(effect.candidate),
            pseudonym=effect.candidate.pseudonym,
            payload=payload,
        )
        self.tell(effect.kind.value, None, candidate=effect.candidate)

    def record(self, record: do.Record, **payload: Any) -> None:
        if record.score is not None:
            payload |= {"score": record.score} | self.fingers.compared
        if record.distance is not None:
            payload["distance"] = round(record.distance, 4)
        if record.by is not None:
            payload["by"] = record.by.value
        if record.notes:
            payload["notes"] = [note.value for note in record.notes]
        candidate = record.candidate
        self.store.journal(
            record.kind,
            record.reason,
            session_id=self.session_of(candidate),
            pseudonym=candidate.pseudonym if candidate else None,
            terminal=record.terminal,
            payload=payload or None,
        )
        notes = {"notes": payload["notes"]} if record.notes else None
        self.tell(record.kind.value, record.reason, candidate=candidate, terminal=record.terminal,
                  extra=notes)  # fmt: skip
        if record.kind in (JournalKind.REFUSED, JournalKind.GATE_EVENT):
            self.help.ended(candidate, record.reason)

    @property
    def session_id(self) -> str | None:
        return self.session.session_id if self.session else None

    def tell(
        self,
        kind: str,
        reason: Reason | None,
        *,
        candidate: Candidate | None = None,
        terminal: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self._happened(
            {
                "at": self.clock.now().isoformat(),
                "kind": kind,
                "reason": reason.value if reason else None,
                "candidate": candidate.masked_name if candidate else None,
                "terminal": terminal,
                "visit": self.lane.visit.number,
                "text_args": extra or {},
            }
        )

    # --- tasks ----------------------------------------------------------------------------------

    def spawn(self, work: Awaitable[None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(self._guarded(work))
        if asyncio.iscoroutine(work):  # one that was cancelled before it began was never awaited
            task.add_done_callback(lambda _: work.close())
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            context = {"message": "a task of the lane failed", "exception": error, "task": task}
            asyncio.get_running_loop().call_exception_handler(context)

    async def _guarded(self, work: Awaitable[None]) -> None:
        """A device that fails in a task is the supervisor's business; a bug is nobody's."""
        try:
            await work
        except DeviceFault as fault:
            self.supervisor.fault(fault)
        except StoreError as error:
            self.evidence_failed(error)

    async def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self.workshop.stop()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
