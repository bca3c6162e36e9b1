"""Carries out a candidate's way: turns what devices, face and screen report into events for
kiosk.core.flow, and its effects into action. Decides nothing itself.

One instance a lane, on the daemon's event loop. It must not know sockets, Qt or which
drivers are configured.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, tzinfo
from typing import Any

import structlog

from drivers.contracts import FingerprintReader, GateEvent, GateEventKind, IdCard, Turnstile
from drivers.errors import DeviceFault, Retry, UnlockUnknown
from kiosk.clock import Clock
from kiosk.core import effects as do
from kiosk.core import events as ev
from kiosk.core import flow
from kiosk.core.codes import JournalKind, Reason, State
from kiosk.core.identity import Accept, Evidence, NotSure, Policy, Reject, Scores, decide
from kiosk.core.types import Candidate, Lookup, Session, Standing
from kiosk.face import events as face
from kiosk.face.matcher import Matcher
from kiosk.signature import Pad
from kiosk.store import Store
from kiosk.store.errors import StoreError, StoreRefused
from kiosk.supervisor import Supervisor

log = structlog.get_logger(__name__)

NEAREST = 5  #: how many of the roster an observation is ranked against in 1:N
FRESH_FACE_AFTER_S = 6.0  #: 1:N: who stays before the camera may try again after this
GATE_SLACK_S = 3.0  #: how much later than the gate's own limits its silence is a fault

_PASSAGE = {
    GateEventKind.PASSED: Reason.ADMITTED,
    GateEventKind.TIMED_OUT: Reason.GATE_TIMEOUT,
    GateEventKind.TURNED_BACK: Reason.GATE_TURNED_BACK,
    GateEventKind.TAILGATED: Reason.GATE_TAILGATED,
    GateEventKind.BLOCKED: Reason.GATE_BLOCKED,
}
_UNASKED = {
    GateEventKind.FORCED: Reason.GATE_FORCED,
    GateEventKind.OPPOSITE: Reason.GATE_OPPOSITE,
    GateEventKind.FIRE_ON: Reason.FIRE,
    GateEventKind.FIRE_OFF: Reason.FIRE,
}


@dataclass(frozen=True, slots=True)
class Times:
    """How long each state may last, in seconds."""

    face_s: float
    finger_s: float
    sign_s: float
    gate_s: float
    gate_clear_s: float
    result_s: float

    def of(self, state: State) -> float | None:
        return {
            State.CLAIM: self.face_s,
            State.FACE: self.face_s,
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
        changed: Callable[[], None],
        happened: Callable[[dict[str, Any]], None],
    ) -> None:
        self._store = store
        self._supervisor = supervisor
        self._face = face_worker
        self._policy = policy
        self._times = times
        self._clock = clock
        self._zone = zone
        self._encoder = encoder
        self._changed = changed
        self._happened = happened
        self.lane = flow.Lane(rules=rules)
        self.session: Session | None = None
        self.help_waiting = False
        self.timings: dict[str, float] = {}
        self.deadline_s: float | None = None
        self.deadline_total_s: float | None = None
        self._queue: deque[ev.Event] = deque()
        self._stepping = False
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._finger: asyncio.Task[None] | None = None
        self._loading: asyncio.Task[None] | None = None
        self._matcher: Matcher | None = None
        self._evidence: Evidence | None = None
        self._present = False
        self._seen_since_s: float | None = None
        self._home_at_s = 0.0
        self._pad: Pad | None = None
        self._unrecorded: list[do.RecordPassage] = []
        self.fire = False
        self._evidence_ok = True

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
                self._evidence_failed(error)
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
        self.deadline_s = self._clock.monotonic() + shown_s
        self._timer = asyncio.get_running_loop().call_later(seconds, self._on_timer)

    def _on_timer(self) -> None:
        if self.lane.state is State.FACE and not self._present:
            # nobody ever stood there, or they are gone: that is walking away, not a bad face
            self.offer(ev.PersonLeft())
            return
        self.offer(ev.TimedOut())

    def _forget_person(self) -> None:
        self._pad = None
        self._evidence = None
        self.help_waiting = False
        self.timings = {}
        self._home_at_s = self._clock.monotonic()
        self._seen_since_s = None

    # --- session and health ----------------------------------------------------------------------

    def session_changed(self) -> None:
        """The store's open session changed: load its gallery, tell the flow."""
        self.session = self._store.open_now()
        if self.session is None:
            self._matcher = None
            self.offer(ev.SessionClosed())
            return
        ids, embeddings = self._store.gallery(self.session.session_id, self._encoder)
        self._matcher = Matcher(ids, embeddings)
        self.offer(ev.SessionOpened())
        self._changed()

    def health_changed(self) -> None:
        """Something about devices or evidence changed: the flow learns the sum."""
        reason: Reason | None = None
        if not self._evidence_ok:
            reason = Reason.EVIDENCE_FAILED
        elif self.fire:
            reason = Reason.FIRE
        elif not self._supervisor.all_well:
            reason = Reason.DEVICE_FAULT
        if reason is not None and self.lane.failed is not reason:
            self.offer(ev.LaneFailed(reason))
        elif reason is None and self.lane.failed is not None:
            self.offer(ev.LaneRecovered())
        self._changed()

    def device_lost(self, role: str) -> None:
        """The turnstile died while somebody is in it: how they went is not known."""
        if role == "turnstile" and self.lane.state is State.GATE:
            self.offer(ev.PassageEnded(Reason.GATE_UNKNOWN))

    def _evidence_failed(self, error: StoreError) -> None:
        log.error("evidence_failed", error=type(error).__name__)
        self._evidence_ok = False
        self.health_changed()

    def check_evidence(self) -> None:
        """Called every few seconds: nobody is admitted where nothing can be recorded."""
        try:
            self._store.writable_check()
            for effect in list(self._unrecorded):
                self._store.gate_outcome(effect.intent_id, effect.reason)
                self._unrecorded.remove(effect)
        except StoreError as error:
            if self._evidence_ok:
                self._evidence_failed(error)
            return
        if not self._evidence_ok:
            self._evidence_ok = True
            self.health_changed()

    # --- card -------------------------------------------------------------------------------------

    def on_card(self, card: IdCard) -> None:
        """A card was read: look it up and claim. Ignored while somebody else is on their way."""
        if self.session is None or not flow.accepts(self.lane, ev.CardClaimed(_NOBODY)):
            return
        try:
            lookup = self._store.lookup(self.session.session_id, card.number)
        except StoreError as error:
            self._evidence_failed(error)
            return
        self.post(ev.CardClaimed(lookup, self._card_problem(card, lookup) or self._window_problem()))

    def _card_problem(self, card: IdCard, lookup: Lookup) -> Reason | None:
        if card.valid_to.isdigit() and card.valid_to < self._today().strftime("%Y%m%d"):
            return Reason.CARD_EXPIRED
        candidate = lookup.candidate
        if candidate is not None and candidate.name.split() != card.name.split():
            return Reason.CARD_NAME_DIFFERS
        return None

    def _today(self) -> date:
        return self._clock.now().astimezone(self._zone).date()

    def _window_problem(self) -> Reason | None:
        session, now = self.session, self._clock.now()
        if session is None:
            return Reason.SESSION_NOT_OPEN
        if now < session.checkin_from:
            return Reason.TOO_EARLY
        return Reason.TOO_LATE if now > session.checkin_until else None

    # --- face -------------------------------------------------------------------------------------

    def on_face(self, event: face.FaceEvent) -> None:
        """Whatever the face worker reports, except previews and its own health."""
        match event:
            case face.Presence(present=present):
                self._on_presence(present)
            case face.Observation(task_id=task):
                if self._is_current(task):
                    self._on_observation(event)
            case face.LivenessPassed(task_id=task):
                if self._is_current(task) and self._evidence is not None:
                    self._evidence = self._evidence.with_liveness()
                    self._decide()
            case face.LivenessFailed(task_id=task, why=why):
                if self._is_current(task):
                    timed_out = why in ("timeout", "no_response")
                    reason = Reason.LIVENESS_TIMEOUT if timed_out else Reason.LIVENESS_FAILED
                    self.offer(ev.FaceRefused(reason))
            case _:
                pass

    def _is_current(self, task_id: int) -> bool:
        return task_id == self.lane.visit.number and self.lane.state is State.FACE

    def _on_presence(self, present: bool) -> None:
        self._present = present
        if not present:
            self._seen_since_s = None
            self.offer(ev.PersonLeft())
        elif self._seen_since_s is None:
            self._seen_since_s = self._clock.monotonic()
        self.look_for_person()

    def look_for_person(self) -> None:
        """1:N lanes begin when somebody new stands there; called on presence and every second."""
        if self.lane.rules.claim_by_card or self.lane.state is not State.IDLE or not self._present:
            return
        stayed_s = self._clock.monotonic() - self._home_at_s
        if self._seen_since_s is not None or stayed_s > FRESH_FACE_AFTER_S:
            self.post(ev.FaceAppeared())

    def _on_observation(self, seen: face.Observation) -> None:
        if self._evidence is None or self._matcher is None:
            return
        claimed = self._evidence.claimed
        if claimed is not None:
            nearest = ((claimed, self._matcher.distance(claimed, seen.embedding)),)
        else:
            nearest = tuple(self._matcher.nearest(seen.embedding, NEAREST))
        self._evidence = self._evidence.with_scores(Scores(nearest))
        self._decide()

    def _decide(self) -> None:
        assert self._evidence is not None
        verdict = decide(self._policy, self._evidence)
        match verdict:
            case Accept(candidate_id=candidate_id, distance=distance):
                assert self.session is not None
                log.info("face_accepted", distance=round(distance, 3))
                lookup = self._store.lookup_id(self.session.session_id, candidate_id)
                self.offer(ev.FaceAccepted(lookup, self._window_problem()))
            case NotSure():
                self.offer(ev.FaceNotSure())
            case Reject(reason=reason):
                self.offer(ev.FaceRefused(reason))
            case None:
                pass

    # --- screen -----------------------------------------------------------------------------------

    def on_signature(self, pad: Pad) -> None:
        """Strokes from the pad, already found to be a signature."""
        self._pad = pad
        self.timings["signed"] = self._clock.monotonic()
        self.post(ev.SignatureGiven())

    def ask_help(self) -> None:
        if not self.help_waiting:
            self.help_waiting = True
            self._record(do.Record(JournalKind.HELP, Reason.HELP_REQUESTED,
                                   self.lane.visit.candidate))
            self._changed()

    def help_done(self, person: str) -> None:
        if self.help_waiting:
            self.help_waiting = False
            self._store.journal(JournalKind.HELP, None, session_id=self._session_id,
                                payload={"done_by": person})
            self._changed()

    def resume(self, person: str) -> None:
        """A person declares the fire release over; only then the gate locks again."""
        self.fire = False
        self._store.journal(JournalKind.GATE_EVENT, None, session_id=self._session_id,
                            payload={"event": "fire_release_ended", "by": person})
        self._spawn(self._release(False))
        self.health_changed()

    # --- gate -------------------------------------------------------------------------------------

    def on_gate(self, event: GateEvent) -> None:
        """What the turnstile's sensors saw."""
        kind = event.kind
        if kind.ends_passage and self.lane.state is State.GATE:
            self.post(ev.PassageEnded(_PASSAGE[kind]))
            return
        reason = _UNASKED.get(kind) or (_PASSAGE[kind] if kind.ends_passage else None)
        if reason is None:
            return
        self._record(do.Record(JournalKind.GATE_EVENT, reason), event=kind.value)
        if kind is GateEventKind.FIRE_ON:
            self.fire = True
            self._spawn(self._release(True))
            self.health_changed()

    async def _release(self, on: bool) -> None:
        try:
            turnstile: Turnstile = self._supervisor.device("turnstile")
            await turnstile.release(on)
        except DeviceFault as fault:
            self._supervisor.fault(fault)

    async def _unlock(self, visit: int) -> None:
        """The one pulse. Its intent is on disk; whatever happens here it is not repeated."""
        self.timings["unlock_asked"] = self._clock.monotonic()
        try:
            turnstile: Turnstile = self._supervisor.device("turnstile")
            await turnstile.unlock(self._times.gate_s)
        except UnlockUnknown as fault:
            log.error("unlock_unknown", detail=fault.detail)  # the inputs will tell, or the timer
            return
        except DeviceFault as fault:
            self._supervisor.fault(fault)
            if self.lane.visit.number == visit:
                self.offer(ev.PassageEnded(Reason.GATE_UNKNOWN))
            return
        self.timings["unlocked"] = self._clock.monotonic()
        self._report_timings()

    def _report_timings(self) -> None:
        """How long the system itself took, people's time left out (docs/operations.md)."""
        t = self.timings
        spans = {
            "finger": ("image_ready", "finger_decided"),
            "signature_stored": ("signed", "signature_stored"),
            "seat_committed": ("signature_stored", "committed"),
            "unlock": ("committed", "unlocked"),
        }
        found = {k: round(1000 * (t[b] - t[a]), 1) for k, (a, b) in spans.items()
                 if a in t and b in t}
        self._tell("timing", None, extra={"ms": found | {"total": round(sum(found.values()), 1)}})

    # --- effects out --------------------------------------------------------------------------------

    def _carry_out(self, effect: do.Effect) -> None:
        match effect:
            case do.WatchFace():
                self._face.watch()
            case do.GuardFace():
                self._face.guard(self.lane.visit.number)
            case do.VerifyFace(candidate=candidate):
                self._evidence = Evidence(candidate.candidate_id if candidate else None,
                                          live=not self._policy.liveness)
                self._face.verify(self.lane.visit.number, self._policy.liveness)
            case do.LoadFinger(candidate=candidate):
                self._loading = self._spawn(self._load_finger(candidate))
            case do.ReadFinger():
                self._finger = self._spawn(self._read_finger(self.lane.visit.number, self._finger))
            case do.ForgetFinger():
                self._forget_finger()
            case do.StoreSignature(candidate=candidate):
                self._store_signature(candidate)
            case do.CommitAdmission(candidate=candidate):
                self._commit(candidate)
            case do.UnlockGate():
                self._spawn(self._unlock(self.lane.visit.number))
            case do.RecordPassage():
                self._record_passage(effect)
            case do.Record():
                self._record(effect)

    def _store_signature(self, candidate: Candidate) -> None:
        assert self._pad is not None and self.session is not None
        sha256 = self._store.save_signature(
            self.session.session_id, candidate, self._pad.canonical(), self._pad.text_sha256
        )
        self.timings["signature_stored"] = self._clock.monotonic()
        self._queue.append(ev.SignatureStored(sha256))

    def _commit(self, candidate: Candidate) -> None:
        assert self.session is not None
        self.timings.setdefault("signature_stored", self._clock.monotonic())
        try:
            admission = self._store.admit(self.session.session_id, candidate)
        except StoreRefused as refused:
            self._queue.append(ev.AdmissionRefused(refused.reason or Reason.EVIDENCE_FAILED))
            return
        self.timings["committed"] = self._clock.monotonic()
        self._queue.append(ev.AdmissionCommitted(admission))
        self._tell("seat_drawn" if admission.drawn_now else "seat_kept", None,
                   candidate=candidate, terminal=admission.terminal)

    def _record_passage(self, effect: do.RecordPassage) -> None:
        visit = self.lane.visit
        kind = "admitted" if self.lane.state is State.WELCOME else "refused"
        try:
            self._store.gate_outcome(effect.intent_id, effect.reason)
        except StoreError:
            self._unrecorded.append(effect)  # the intent stays open until this is written
            raise
        self._tell(kind, effect.reason, candidate=visit.candidate, terminal=visit.terminal)

    def _record(self, record: do.Record, **payload: Any) -> None:
        if record.score is not None:
            payload["score"] = record.score
        candidate = record.candidate
        self._store.journal(
            record.kind,
            record.reason,
            session_id=self._session_id,
            pseudonym=candidate.pseudonym if candidate else None,
            terminal=record.terminal,
            payload=payload or None,
        )
        self._tell(record.kind.value, record.reason, candidate=candidate, terminal=record.terminal)

    @property
    def _session_id(self) -> str | None:
        return self.session.session_id if self.session else None

    def _tell(
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
                "at": self._clock.now().isoformat(),
                "kind": kind,
                "reason": reason.value if reason else None,
                "candidate": candidate.masked_name if candidate else None,
                "terminal": terminal,
                "visit": self.lane.visit.number,
                "text_args": extra or {},
            }
        )

    # --- finger -------------------------------------------------------------------------------------

    async def _load_finger(self, candidate: Candidate) -> None:
        templates = self._store.templates(candidate.candidate_id)
        if not templates:
            return
        reader: FingerprintReader = self._supervisor.device("fingerprint")
        await reader.load(templates)

    async def _read_finger(self, visit: int, previous: asyncio.Task[None] | None) -> None:
        """One finger, after the one before has been lifted and the templates are in the reader."""
        candidate = self.lane.visit.who
        if not self._store.templates(candidate.candidate_id):
            self.offer(ev.AdmissionRefused(Reason.NO_TEMPLATE))
            return
        if self._loading is not None:
            await self._loading
        reader: FingerprintReader = self._supervisor.device("fingerprint")
        if previous is not None:
            await reader.wait_lifted()
        try:
            result = await reader.verify()
        except Retry as retry:
            event: ev.Event = ev.FingerUnreadable(retry.reason.value)
        else:
            self.timings["image_ready"] = result.image_ready_s
            self.timings["finger_decided"] = self._clock.monotonic()
            made = ev.FingerMatched if result.matched else ev.FingerNotMatched
            event = made(result.score)
        if self.lane.visit.number == visit:
            self.offer(event)

    def _forget_finger(self) -> None:
        for task in (self._finger, self._loading):
            if task is not None and task is not asyncio.current_task():
                task.cancel()
        self._finger = self._loading = None
        self._spawn(self._clear_finger())

    async def _clear_finger(self) -> None:
        try:
            reader: FingerprintReader = self._supervisor.device("fingerprint")
        except (DeviceFault, KeyError):
            return
        await reader.clear()

    # --- tasks --------------------------------------------------------------------------------------

    def _spawn(self, work: Awaitable[None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(self._guarded(work))
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
            self._supervisor.fault(fault)
        except StoreError as error:
            self._evidence_failed(error)

    async def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


_NOBODY = Lookup(Standing.UNKNOWN)
