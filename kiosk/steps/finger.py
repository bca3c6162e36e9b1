"""The finger step: templates go to the reader ahead of the finger, then one finger at a time.

A session's go into the reader's own memory while it is open, as far as there is room.

Knows the reader's contract; what a match leads to is the flow's.
"""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING, Any

import structlog

from drivers.contracts import FingerprintReader
from drivers.errors import DeviceFault, Retry, RetryReason
from kiosk.core import events as ev
from kiosk.core.codes import Reason
from kiosk.core.fingers import NAMES, Template
from kiosk.core.types import Candidate

if TYPE_CHECKING:
    from kiosk.session import LaneSession

log = structlog.get_logger(__name__)


class FingerStep:
    """One a lane."""

    def __init__(self, lane: LaneSession) -> None:
        self._lane = lane
        self._reading: asyncio.Task[None] | None = None
        self._loading: asyncio.Task[None] | None = None
        self._holding: asyncio.Task[None] | None = None
        self._held = b""  # what the reader was last asked to hold
        self._unreadable = False  # the templates only look like ones in the reader's format
        self._fingers: list[str] = []  # of the loaded templates; "": not known
        self.compared: dict[str, Any] = {}  #: what the newest comparison went by, for the journal

    def hold(self, *, anew: bool = False) -> None:
        """Have the reader hold the templates of the session that is open now; of none: nothing.

        `anew`: the reader has been opened, so it holds nothing.
        """
        try:
            reader: FingerprintReader = self._lane.supervisor.device("fingerprint")
        except (DeviceFault, KeyError):
            self._held = b""  # asked anew when it is there
            return
        session, store = self._lane.session, self._lane.store
        name = session.session_id if session else ""
        of = store.session_templates(name, reader.template_format)
        wanted = hashlib.sha256(b"".join(of)).digest()
        if wanted == self._held and not anew:
            return
        if self._holding is not None:
            self._holding.cancel()
        self._held = wanted
        self._holding = self._lane.spawn(self._hold(reader, of))

    async def _hold(self, reader: FingerprintReader, templates: list[bytes]) -> None:
        held = await reader.keep(templates)
        log.info("templates_held", held=held, of=len(templates))

    def load(self, candidate: Candidate) -> None:
        """Send the templates while the person still looks into the camera."""
        self._unreadable = False
        self._loading = self._lane.spawn(self._load(candidate))

    def read(self) -> None:
        """Wait for one finger and compare it."""
        visit = self._lane.lane.visit.number
        self._reading = self._lane.spawn(self._read(visit, self._reading))

    async def _load(self, candidate: Candidate) -> None:
        reader: FingerprintReader = self._lane.supervisor.device("fingerprint")
        fitting = self._fitting(candidate, reader)
        if not fitting:
            return
        self._fingers = [NAMES[t.finger] for t in fitting]
        try:
            await reader.load([t.data for t in fitting])
        except ValueError:
            log.warning("template_unreadable", format=reader.template_format, of=len(fitting))
            self._unreadable = True

    def _fitting(self, candidate: Candidate, reader: FingerprintReader) -> list[Template]:
        """Those of the candidate's templates that this reader can compare."""
        found = self._lane.store.templates(candidate.candidate_id)
        return [t for t in found if t.format == reader.template_format]

    @property
    def named(self) -> list[str]:
        """The fingers that are asked for, each once; none where one of them has no name."""
        return list(dict.fromkeys(self._fingers)) if all(self._fingers) else []

    async def _read(self, visit: int, previous: asyncio.Task[None] | None) -> None:
        """One finger, after the one before has been lifted and the templates are in the reader."""
        candidate = self._lane.lane.visit.who
        found = self._lane.store.templates(candidate.candidate_id)
        if not found:
            self._lane.offer(ev.AdmissionRefused(Reason.NO_TEMPLATE))
            return
        reader: FingerprintReader = self._lane.supervisor.device("fingerprint")
        if not self._fitting(candidate, reader):
            formats = ",".join(sorted({t.format for t in found}))
            log.warning("template_format", there=formats, wanted=reader.template_format)
            self._lane.offer(ev.AdmissionRefused(Reason.TEMPLATE_FORMAT))
            return
        if self._loading is not None:
            await self._loading
        if self._unreadable:
            self._lane.offer(ev.AdmissionRefused(Reason.TEMPLATE_FORMAT))
            return
        if previous is not None:
            await reader.wait_lifted()
        try:
            result = await reader.verify()
        except Retry as retry:
            event: ev.Event = ev.FingerUnreadable(retry.reason.value)
            if retry.reason is RetryReason.NOT_COMPARED:
                event = ev.FingerNotCompared()
        else:
            self.compared = self._bar() | {"template": result.template_index}
            if name := dict(enumerate(self._fingers)).get(result.template_index):
                self.compared["finger"] = name
            self._lane.timings["image_ready"] = result.image_ready_s
            self._lane.timings["finger_decided"] = self._lane.clock.monotonic()
            made = ev.FingerMatched if result.matched else ev.FingerNotMatched
            event = made(result.score)
        if self._lane.lane.visit.number == visit:
            self._lane.offer(event)

    def _bar(self) -> dict[str, Any]:
        """Least score and security level that the reader says it goes by."""
        facts = self._lane.supervisor.statuses["fingerprint"].facts
        return {k: int(facts[k]) for k in ("min_score", "security_level") if k in facts}

    def forget(self) -> None:
        for task in (self._reading, self._loading):
            if task is not None and task is not asyncio.current_task():
                task.cancel()
        self._reading = self._loading = None
        self._fingers = []
        self._lane.spawn(self._clear())

    async def _clear(self) -> None:
        try:
            reader: FingerprintReader = self._lane.supervisor.device("fingerprint")
        except (DeviceFault, KeyError):
            return
        await reader.clear()
