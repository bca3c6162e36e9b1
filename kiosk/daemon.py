"""The lane's daemon: joins store, supervisor, face worker, lane session and socket, and keeps
them running until it is told to stop.

Everything concrete is handed in by kiosk.app; the way itself is kiosk.core.flow's.
"""

from __future__ import annotations

import asyncio
import base64
import errno
import os
import signal
from collections.abc import Awaitable, Coroutine
from dataclasses import dataclass
from typing import Any, Literal

import sdnotify
import structlog
from pydantic import Field

from drivers.contracts import IdCardReader, Scanner, Turnstile
from drivers.errors import DeviceFault
from kiosk import wire
from kiosk.centre.upload import Uploader
from kiosk.clock import Clock
from kiosk.core import events as ev
from kiosk.core import flow
from kiosk.core.codes import JournalKind, Reason, State
from kiosk.desks.lane import LaneDesk
from kiosk.desks.params import Params, parse
from kiosk.desks.stick import StickDesk
from kiosk.desks.workshop import WorkshopDesk
from kiosk.face import events as face
from kiosk.mode import Lacks
from kiosk.office import Office
from kiosk.room import Room
from kiosk.server import Connection, Server
from kiosk.session import LaneSession
from kiosk.signature import Pad, check_strokes
from kiosk.staff.door import Door
from kiosk.store import Store
from kiosk.store.errors import StoreError
from kiosk.supervisor import DeviceStatus, Supervisor
from kiosk.texts import Problem
from kiosk.view import hall_of, state_of
from kiosk.watch import Watch

log = structlog.get_logger(__name__)

HEARTBEAT_S = 1.0
#: What a new connection can meet while too many are open; nothing of ours is wrong then.
NO_ROOM = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
REPORTS_EVERY = 5  #: heartbeats between two looks for a report that the centre expects
THIN_EVERY = 20  #: between two looks at how full the disk is
FORGET_EVERY = 300  #: heartbeats between two looks for what is past its retention
SIGN_EVERY = 60  #: heartbeats between two signed heads of the journal
EVIDENCE_EVERY = 5  #: heartbeats between two checks that evidence can be written
FINGER_CHECK_S = 2.0


@dataclass(frozen=True, slots=True)
class Identity:
    """What the daemon says of itself."""

    version: str
    lane: str
    venue: str
    claim_mode: str
    language: str
    free_when_stopped: bool  #: the gate's safe state is "free"
    entrance: str  #: where the hall's door is, for the map
    policy: dict[str, Any]  #: what is asked of a candidate (docs/journal.md)
    lock_after_s: float  #: a proctor's screen that nobody touches locks itself


class Subscribe(Params):
    preview: bool = False
    screen: Literal["candidate", "proctor", "technician"] | None = None


class Visit(Params):
    visit: int


class TypedNumber(Visit):
    number: str = Field(max_length=200, repr=False)


class Person(Params):
    person: str = Field(min_length=1, max_length=64)


class Resume(Person):
    drill: bool = False  #: a drill is meant: a release in a fire is not ended


class MaybePerson(Params):
    person: str | None = Field(None, max_length=64)


def beside_the_lane(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """A task whose death is the loop's exception handler's at once, not the watchdog's later."""

    def ended(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            about = {"message": "a task beside the lane ended", "exception": error}
            task.get_loop().call_exception_handler(about)

    task = asyncio.create_task(work)
    task.add_done_callback(ended)
    return task


class Daemon:
    """`run()` returns the exit code."""

    def __init__(
        self, *, store: Store, supervisor: Supervisor, clock: Clock, identity: Identity
    ) -> None:
        self.store = store
        self.supervisor = supervisor
        self._clock = clock
        self._identity = identity
        self._seq = 0
        self._started_s = clock.monotonic()
        self._stopping = asyncio.Event()
        self._exit_code = 0
        self._notifier = sdnotify.SystemdNotifier()
        self.session: LaneSession
        self.office: Office
        self.server: Server
        self.face_worker: Any
        self.uploader: Uploader | None = None
        self.watch: Watch
        self.lacks: Lacks
        self.room: Room
        self.desk: LaneDesk
        self.workshop: WorkshopDesk
        self.sticks: StickDesk
        self.door = Door(
            store,
            clock,
            lock_after_s=identity.lock_after_s,
            declined=self._declined,
            told=self._tell_staff,
        )

    def join(
        self, session: LaneSession, office: Office, server: Server, worker: Any, watch: Watch
    ) -> None:
        """The parts that need the daemon's own callbacks to be made."""
        self.watch = watch
        self.session, self.office, self.server, self.face_worker = session, office, server, worker
        me = self._identity
        self.desk = LaneDesk(session, me.lane, me.language, self._declined)
        self.workshop = WorkshopDesk(session, self._declined)

    # --- life -----------------------------------------------------------------------------------

    async def run(self) -> int:
        """Until SIGTERM or SIGINT."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        loop.set_exception_handler(self._on_bug)
        self._own_up_to_the_past()
        await self.server.start()
        await self.face_worker.start()
        self.session.session_changed()
        self.session.gate.restore()  # before the gate is told anything
        self.supervisor.start()
        self.face_worker.watch()
        self._notifier.notify("READY=1")
        log.info("started", lane=self._identity.lane, pid=os.getpid())
        beside = [beside_the_lane(self._heartbeat())]
        if self.uploader is not None:
            beside.append(beside_the_lane(self.uploader.run()))
        await self._stopping.wait()
        if self.uploader is not None:
            self.uploader.stop()
        for task in beside:
            task.cancel()
        await self._stop()
        return self._exit_code

    async def _stop(self) -> None:
        self._notifier.notify("STOPPING=1")
        if self.session.lane.state is State.GATE:
            # the pulse is out and we shall not see the passage
            self.session.offer(ev.PassageEnded(Reason.GATE_UNKNOWN))
        await self.sticks.stop()
        await self.session.stop()
        await self._leave_gate_safe()
        await self.supervisor.stop()
        await self.face_worker.stop()
        await self.server.stop()
        self.office.documents.stop()
        try:
            self.store.journal(JournalKind.LANE_STOPPED)
            self.store.sign_head()
        except StoreError:
            log.error("evidence_failed_at_stop")
        self.store.close()
        log.info("stopped")

    async def _leave_gate_safe(self) -> None:
        """The configured state for the time in which nobody drives the gate; in a fire, open."""
        try:
            turnstile: Turnstile = self.supervisor.device("turnstile")
            await turnstile.release(self._identity.free_when_stopped or self.session.gate.fire)
        except DeviceFault as fault:
            log.error("gate_not_left_safe", code=fault.code)

    def _own_up_to_the_past(self) -> None:
        """Say that the lane starts; name every intent whose outcome nobody saw."""
        me = self._identity
        self.store.journal(
            JournalKind.LANE_STARTED, payload={"version": me.version, "policy": me.policy}
        )
        for intent in self.store.open_intents():
            self.store.gate_outcome(intent.intent_id, Reason.GATE_UNKNOWN)
            log.warning("intent_without_outcome", intent=intent.intent_id)
        self.session.workshop.own_up()

    def _on_bug(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """The one top-level handler: say it and stop; the service manager starts us anew."""
        error = context.get("exception")
        if isinstance(error, OSError) and error.errno in NO_ROOM:
            log.error("no_room_for_a_client", error=error.strerror)  # asyncio tries again by itself
            return
        log.critical("bug", message=context.get("message"), exc_info=error)
        self._exit_code = 70
        self._stopping.set()

    async def _heartbeat(self) -> None:
        beats = 0
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            beats += 1
            self._notifier.notify("WATCHDOG=1")
            self.session.faces.look_for_person()
            self._watch()
            self.sticks.notice()
            self._lock_idle_screens()
            if beats % EVIDENCE_EVERY == 0:
                self.session.check_evidence()
            if beats % SIGN_EVERY == 0:
                self._sign_head()
            if beats % FORGET_EVERY == 0 and self.session.session is None:
                self._forget_due()
            if beats % REPORTS_EVERY == 0:
                self._make_reports()
            if beats % THIN_EVERY == 0:
                self._make_room()

    def _lock_idle_screens(self) -> None:
        try:
            self.door.lock_idle()
        except StoreError as error:
            self.session.evidence_failed(error)

    def _watch(self) -> None:
        """What a proctor has to hear of."""
        try:
            self.watch.look()
            if self.lacks.look():
                self.changed()
        except StoreError as error:
            self.session.evidence_failed(error)

    def _forget_due(self) -> None:
        """While no session is open: overwriting some hundred photographs takes a moment."""
        try:
            self.office.privacy.forget_due("daemon")
        except StoreError:
            log.exception("not_forgotten")

    def _make_reports(self) -> None:
        """Of closed sessions, for the centre. Its pages are set elsewhere, and by and by."""
        try:
            self.office.documents.make_owed("daemon")
        except StoreError:
            log.exception("reports_not_made")

    def _make_room(self) -> None:
        """The disk fills: the oldest evidence goes, as far as the configuration allows."""
        try:
            self.room.look()
        except StoreError as error:
            self.session.evidence_failed(error)

    def _sign_head(self) -> None:
        """A signed head of the journal, when it has grown."""
        try:
            self.store.sign_head()
        except StoreError as error:
            self.session.evidence_failed(error)

    # --- devices --------------------------------------------------------------------------------

    def device_changed(self, status: DeviceStatus) -> None:
        """Journal it, tell the flow."""
        kind = JournalKind.DEVICE_RECOVERED if status.ok else JournalKind.DEVICE_FAULT
        try:
            self.store.journal(
                kind,
                None if status.ok else Reason.DEVICE_FAULT,
                payload={"device": status.role, "code": status.code, "detail": status.detail},
            )
        except StoreError:
            log.error("evidence_failed")
        if not status.ok:
            self.session.device_lost(status.role)
        else:
            self.session.device_found(status.role)
        self.session.health_changed()

    async def serve_turnstile(self, turnstile: Turnstile) -> None:
        # it may still be latched open from the time in which nobody drove it
        await turnstile.release(self.session.gate.fire)
        self.session.gate.connected()
        while True:
            self.session.gate.saw(await turnstile.next_event())

    async def serve_cards(self, reader: IdCardReader) -> None:
        await self.session.cards.serve(reader)

    async def serve_scanner(self, scanner: Scanner) -> None:
        while True:
            self.session.claims.on_scan(await scanner.next_code())

    async def serve_fingerprint(self, reader: Any) -> None:
        while True:
            await asyncio.sleep(FINGER_CHECK_S)
            if self.session.lane.state is not State.FINGER:
                await reader.check()

    def on_face(self, event: face.FaceEvent) -> None:
        """From the face worker: previews go to the screens, the rest to the lane."""
        match event:
            case face.Preview():
                self.session.faces.saw(event)
                self.session.verify.saw(event)
                if self.server.wants_previews:
                    self.server.tell_preview(preview_of(event))
            case face.CameraCovered(covered=covered):
                self.watch.camera_covered = covered
            case face.CameraOk(info=info):
                self.supervisor.report("camera", True, detail=str(info.get("model", "")))
            case face.CameraFault(code=code, detail=detail):
                self.supervisor.report("camera", False, code, detail)
            case face.WorkerDied(exit_code=face.TOLD_WHY):
                pass
            case face.WorkerDied(exit_code=code):
                self.supervisor.report("camera", False, "no_answer", f"face worker ended ({code})")
            case _:
                self.session.faces.on_face(event)

    # --- out ------------------------------------------------------------------------------------

    def happened(self, event: dict[str, Any]) -> None:
        self.server.tell("event", {"at": self._clock.now().isoformat()} | event)

    def _tell_staff(self, connection: Connection, standing: dict[str, Any]) -> None:
        """Who stands before this screen now; nobody there, no pictures."""
        connection.previews = connection.previews and self.door.may_see_pictures(connection)
        connection.send(wire.encode(wire.notification("staff", standing)))

    def changed(self) -> None:
        self._seq += 1
        self.sticks.lane_moved()
        self.server.tell("state", self.state())

    def state(self) -> dict[str, Any]:
        session, lane = self.session, self.session.lane
        left = None
        if session.deadline_s is not None:
            left = max(0.0, round(session.deadline_s - self._clock.monotonic(), 2))
        open_now = session.session
        return state_of(
            lane,
            seq=self._seq,
            session=self.office.describe(open_now) if open_now else None,
            devices={r: s.as_dict() for r, s in self.supervisor.statuses.items()},
            deadline_in_s=left,
            deadline_total_s=session.deadline_total_s,
            help_waiting=session.help_waiting,
            alerts=session.alerts,
            warnings=session.warnings,
            help_open=session.help.open,
            sticks=self.sticks.revision,
            two_people=session.verify.two_people,
            mode=session.ladder.mode(),
            awaits_proctor=session.verify.awaited,
            card_hint=session.cards.hint,
            scan_problem=session.claims.scan_problem,
            receipt=session.receipt,
            fingers=session.fingers.named,
            hall=hall_of(open_now, self._identity.entrance) if open_now else None,
        )

    # --- methods --------------------------------------------------------------------------------

    def handle(self, method: str, params: dict[str, Any], connection: Connection) -> Any:
        """One request of the socket, as an awaitable where it takes a while.

        Raises `RpcError` to decline.
        """
        try:
            params = self.door.admit(method, params, connection)
            if "approval" in params:
                return self._in_time(self._approved(method, params, connection))
            params = self.door.approved_already(params)
            result = self._handle(method, params, connection)
        except StoreError as error:
            raise self._evidence_failed(error) from error
        return self._in_time(result) if asyncio.iscoroutine(result) else result

    async def _approved(self, method: str, params: dict[str, Any], connection: Connection) -> Any:
        approved = await self.door.approve(params, connection)
        self.door.admit(method, params, connection)  # still there, after the PIN was looked at
        result = self._handle(method, approved, connection)
        return await result if asyncio.iscoroutine(result) else result

    async def _in_time(self, answer: Awaitable[Any]) -> Any:
        try:
            return await answer
        except StoreError as error:
            raise self._evidence_failed(error) from error

    def _evidence_failed(self, error: StoreError) -> wire.RpcError:
        self.session.evidence_failed(error)
        problems = [Problem("evidence", {"detail": p}) for p in error.problems]
        return self.office.declined("EVIDENCE_FAILED", problems)

    def _declined(
        self, code: str, problems: list[Problem], lang: str | None = None
    ) -> wire.RpcError:
        return self.office.declined(code, problems, lang)

    def _handle(self, method: str, params: dict[str, Any], connection: Connection) -> Any:
        match method:
            case "lane.subscribe":
                return self._subscribe(parse(Subscribe, params), connection)
            case "lane.state":
                return self.state()
            case "lane.info":
                return self._info()
            case "staff.login":
                return self.door.login(params, connection)
            case "staff.logout":
                return self.door.logout(connection)
            case "staff.lock":
                return self.door.lock(connection)
            case "staff.touch":
                return self.door.touch(connection)
            case "staff.add" | "staff.set_pin" | "staff.disable":
                done = self.office.call(method, params)
                self.door.staff_changed()
                return done
            case "lane.release":
                return self._release(parse(MaybePerson, params), connection)
            case "lane.resume":
                return self._resume(parse(Resume, params))
            case "lane.drill":
                return self._drill(parse(Person, params).person)
            case "device.status":
                return {r: s.as_dict() for r, s in self.supervisor.statuses.items()}
            case "candidate.sign":
                return self._sign(parse(Pad, params))
            case "candidate.enter_number":
                self._same_visit(parse(Visit, params).visit)
                return self._enter_number()
            case "candidate.leave":
                self._same_visit(parse(Visit, params).visit)
                return self._offer(ev.LeavingAsked())
            case "candidate.claim":
                return self._claim(parse(TypedNumber, params))
            case "candidate.cancel":
                self._same_visit(parse(Visit, params).visit)
                return self._offer(ev.Cancelled())
            case "candidate.help":
                self._same_visit(parse(Visit, params).visit)
                self.session.ask_help()
                return {}
            case "proctor.cancel":
                parse(Person, params)
                return self._offer(ev.Cancelled(by_proctor=True))
            case "session.open":
                before = self.session.session_id
                opened = self.office.call(method, params)
                if self.session.session_id != before:  # again: no change, and nothing to count
                    self.session.gate.session_opened()
                    self.session.ladder.session_opened()
                return opened
            case "session.close":
                if params.get("session_id") == self.session.session_id:
                    self.session.gate.session_closes()
                return self.office.call(method, params)
            case "exit.sign":
                signed = self.office.call(method, params)
                self.changed()  # one more has left
                return signed
            case _ if method in self.sticks.methods:
                return self.sticks.call(method, params)
            case _ if method in self.desk.methods:
                return self.desk.call(method, params)
            case _ if method in self.workshop.methods:
                return self.workshop.call(method, params)
            case _:
                return self.office.call(method, params)

    def _subscribe(self, asked: Subscribe, connection: Connection) -> dict[str, Any]:
        if asked.screen is not None:
            self.door.is_screen(connection, asked.screen)
        if asked.screen == "technician":
            return {}  # a command: it logs in, asks and goes
        if asked.preview and not self.door.may_see_pictures(connection):
            raise self._declined("LOGIN_NEEDED", [Problem("login_needed")], asked.lang)
        connection.previews = asked.preview
        connection.subscribed = True
        connection.send(wire.encode(wire.notification("state", self.state())))
        if asked.screen == "proctor":
            self._tell_staff(connection, self.door.standing_of(connection))
        return {}

    def _info(self) -> dict[str, Any]:
        me = self._identity
        return {
            "version": me.version,
            "lane": me.lane,
            "venue": me.venue,
            "pid": os.getpid(),
            "uptime_s": round(self._clock.monotonic() - self._started_s, 1),
            "claim_mode": me.claim_mode,
            "language": me.language,
        }

    def _same_visit(self, visit: int) -> None:
        if visit != self.session.lane.visit.number:
            raise self.office.declined("STALE_VISIT", [Problem("stale_visit")])

    def _offer(self, event: ev.Event) -> dict[str, Any]:
        if not flow.accepts(self.session.lane, event):
            raise self.office.declined("NOT_NOW", [Problem("not_now")])
        self.session.post(event)
        return {}

    def _enter_number(self) -> dict[str, Any]:
        if not self.session.claims.may_ask():
            raise self.office.declined("NOT_NOW", [Problem("not_now")])
        return self._offer(ev.NumberAsked())

    def _claim(self, typed: TypedNumber) -> dict[str, Any]:
        """A number by which somebody claims to be a candidate. It is in no answer and no log."""
        self._same_visit(typed.visit)
        if not self.session.claims.awaits_number:
            raise self.office.declined("NOT_NOW", [Problem("not_now")])
        problem = self.session.claims.on_number(typed.number)
        if problem is not None:
            code = f"number_{problem}"
            raise self.office.declined(code.upper(), [Problem(code)])
        return {}

    def _release(self, asked: MaybePerson, connection: Connection) -> dict[str, Any]:
        """Everybody out, whoever presses it and whatever else has failed."""
        there = self.door.of(connection)
        by = there.person.signature if there.person and not there.locked else None
        self.session.gate.release(by or (asked.person if there.machine else None))
        return {}

    def _resume(self, asked: Resume) -> dict[str, Any]:
        """End a fire release: not while the panel still asks for it."""
        gate = self.session.gate
        if asked.drill and not gate.drill:
            raise self.office.declined("NO_DRILL", [Problem("no_drill")], asked.lang)
        if gate.fire_contact:
            raise self.office.declined("FIRE_CONTACT", [Problem("fire_contact")])
        if gate.fire:
            gate.resume(asked.person)
        return {}

    def _drill(self, person: str) -> dict[str, Any]:
        """Begin a fire drill: not in a fire, nor while somebody is in the gate."""
        gate = self.session.gate
        if gate.fire:
            raise self.office.declined("RELEASE_LASTS", [Problem("release_lasts")])
        if self.session.lane.state in (State.GATE, State.DRAWING):
            raise self.office.declined("GATE_IN_USE", [Problem("drill_gate_in_use")])
        gate.begin_drill(person)
        return {}

    def _sign(self, pad: Pad) -> dict[str, Any]:
        self._same_visit(pad.visit)
        if not check_strokes(pad):
            raise self.office.declined(Reason.SIGNATURE_EMPTY.value, [Problem("signature_empty")])
        if not flow.accepts(self.session.lane, ev.SignatureGiven()):
            raise self.office.declined("NOT_NOW", [Problem("not_now")])
        self.session.on_signature(pad)
        return {}


def preview_of(event: face.Preview) -> dict[str, Any]:
    """The `preview` notification."""
    return {
        "jpeg": base64.b64encode(event.jpeg).decode(),
        "width": event.width,
        "height": event.height,
        "box": event.box,
        "prompt": event.prompt,
        "progress": event.progress,
        "at_s": event.at_s,
    }
