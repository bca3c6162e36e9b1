"""The methods by which documents are made: a session's report, one candidate's record.

Part of the office (kiosk.office). Begins a document, says when it is ready, hands it out in
parts; pages are set in another process meanwhile (kiosk.report.press), so the lane goes on.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from pydantic import Field

from kiosk.clock import Clock
from kiosk.core.codes import JournalKind
from kiosk.desks.params import Params
from kiosk.report.dispute import collect, pack
from kiosk.report.gather import Place, gather
from kiosk.report.pack_form import sha256_hex
from kiosk.report.press import Job, Press, PressError
from kiosk.report.seal import DocumentKey, load_document_key
from kiosk.report.table import report_csv
from kiosk.store import Store
from kiosk.store.errors import StoreError
from kiosk.store.people import Person
from kiosk.texts import Problem
from kiosk.wire import RpcError

log = structlog.get_logger(__name__)

MAX_DOCUMENTS = 2  #: that somebody is waiting for or fetching; the oldest gives way
PART = 3 * 1024 * 1024  #: bytes handed out at once; base64 makes them a third longer


class ReportBegin(Params):
    session_id: str = Field(max_length=64)
    public: bool = False
    person: str = Field(min_length=1, max_length=64)


class DisputeBegin(Params):
    number: str = Field(min_length=1, max_length=64)  #: identity or admission number
    session_id: str | None = Field(None, max_length=64)
    person: str = Field(min_length=1, max_length=64)


class Document(Params):
    document_id: str


class DocumentPart(Document):
    name: str
    after: int = Field(0, ge=0)


Finish = Callable[[bytes], dict[str, bytes]]


@dataclass
class Pending:
    """A document on its way. `finish` makes its files of the signed PDF and journals them."""

    press: Press
    finish: Finish
    files: dict[str, bytes] | None = None


@dataclass(frozen=True, slots=True)
class Stationery:
    """Whose documents these are. `key_file`: the lane's own; `certificate`: docs/report.md."""

    place: Place
    key_file: Path
    certificate: Path


class DocumentDesk:
    def __init__(
        self,
        store: Store,
        clock: Clock,
        stationery: Stationery | None,
        language: str,
        declined: Callable[..., RpcError],
    ) -> None:
        self._store = store
        self._clock = clock
        self._stationery = stationery
        self._language = language
        self._declined = declined
        self._pending: dict[str, Pending] = {}
        self._owed: tuple[str, Pending] | None = None  #: a report for the centre, by session
        self._tried: set[str] = set()
        self.methods: dict[str, tuple[type[Params], Callable[[Any], Any]]] = {
            "report.begin": (ReportBegin, self._report),
            "dispute.begin": (DisputeBegin, self._dispute),
            "document.wait": (Document, self._wait),
            "document.part": (DocumentPart, self._part),
        }

    # --- a session's report ---------------------------------------------------------------------

    def _report(self, p: ReportBegin) -> Any:
        return self._begin(*self._report_job(p))

    def _report_job(self, p: ReportBegin) -> tuple[Job, Finish]:
        lang = p.lang or self._language
        report = gather(self._store, p.session_id, self._place, p.public)
        table = report_csv(report, lang)
        job, key = self._job(lang, "examgate session report", report=report)

        def finish(pdf: bytes) -> dict[str, bytes]:
            payload = {
                "report_sha256": sha256_hex(pdf),
                "csv_sha256": sha256_hex(table),
                "certificate_sha256": key.fingerprint,
                "public": p.public,
                "size": report.last_head.size if report.last_head else 0,
                "person": p.person,
            }
            self._store.note_report(p.session_id, payload, pdf, table)
            self._store.sign_head()
            return {"pdf": pdf, "csv": table}

        return job, finish

    def make_owed(self, person: str) -> None:
        """Reports that the centre expects, one at a time, each tried once in a daemon's life.

        Called again and again; never waits. Whatever goes wrong with one, such as a journal that
        somebody has bent, is logged: the lane does not end by a report that nobody asked for.
        """
        if self._owed is not None:
            session_id, pending = self._owed
            if not pending.press.ready:
                return
            self._owed = None
            try:
                pending.finish(pending.press.result())
                log.info("report_made", session=session_id)
            except Exception as error:
                self._not_made(session_id, error)
            finally:
                pending.press.stop()
        for session_id in self._store.reports_owed():
            if session_id not in self._tried:
                self._tried.add(session_id)
                asked = ReportBegin(session_id=session_id, person=person, lang=None)
                try:
                    job, finish = self._report_job(asked)
                    self._owed = session_id, Pending(Press(job), finish)
                except Exception as error:
                    self._not_made(session_id, error)
                    continue
                return

    def _not_made(self, session_id: str, error: Exception) -> None:
        told = isinstance(error, PressError | StoreError | OSError)
        log.error("report_not_made", session=session_id, why=str(error) if told else "",
                  exc_info=None if told else error)  # fmt: skip

    # --- one candidate's record -----------------------------------------------------------------

    def _dispute(self, p: DisputeBegin) -> Any:
        lang = p.lang or self._language
        person = self._whom(p)
        collected = collect(self._store, person, self._place, lang)
        timeline = collected.timeline
        job, key = self._job(lang, "examgate dispute", timeline=timeline)

        def finish(pdf: bytes) -> dict[str, bytes]:
            whole = pack(self._store, collected, pdf, key.pem)
            self._store.journal(
                JournalKind.DISPUTE_MADE,
                session_id=person.session_id,
                pseudonym=person.pseudonym,
                payload={
                    "sha256": sha256_hex(whole),
                    "certificate_sha256": key.fingerprint,
                    "size": timeline.head.size,
                    "person": p.person,
                },
            )
            self._store.sign_head()
            return {"zip": whole}

        return self._begin(job, finish)

    def _whom(self, p: DisputeBegin) -> Person:
        """The one booking that is meant. What was typed is not repeated: it is personal."""
        found = self._store.find_people(p.number.strip(), p.session_id)
        if not found:
            problem = Problem("dispute_unknown")
        elif len(found) > 1:
            sessions = ", ".join(dict.fromkeys(one.session_id for one in found))
            problem = Problem("dispute_several", {"sessions": sessions})
        else:
            return found[0]
        raise self._declined(problem.code.upper(), [problem], p.lang)

    # --- what both share ------------------------------------------------------------------------

    @property
    def _place(self) -> Place:
        assert self._stationery is not None, "an office without a lane makes no documents"
        return self._stationery.place

    def _job(self, lang: str, reason: str, **what: Any) -> tuple[Job, DocumentKey]:
        """What the press needs, and the key with which it will sign."""
        mine = self._stationery
        assert mine is not None, "an office without a lane makes no documents"
        now = self._clock.now()
        key = load_document_key(mine.key_file, mine.certificate, self._store.origin, now)
        job = Job(
            lang=lang,
            key_file=str(mine.key_file),
            certificate=str(mine.certificate),
            key_name=self._store.origin,
            now=now.isoformat(),
            reason=reason,
            place=self._place.venue_name,
            **what,
        )
        return job, key

    def _begin(self, job: Job, finish: Finish) -> Any:
        while len(self._pending) >= MAX_DOCUMENTS:
            self._pending.pop(next(iter(self._pending))).press.stop()
        document_id = secrets.token_hex(8)
        self._pending[document_id] = Pending(Press(job), finish)
        return {"document_id": document_id}

    def _wait(self, p: Document) -> Any:
        """Whether it is ready. What is handed out is journalled before anybody can fetch it."""
        pending = self._known(p)
        if pending.files is None:
            if not pending.press.ready:
                return {"ready": False}
            try:
                pending.files = pending.finish(pending.press.result())
            except PressError as error:
                del self._pending[p.document_id]
                found = [Problem("store", {"detail": str(error)})]
                raise self._declined("DOCUMENT_FAILED", found, p.lang) from error
            finally:
                pending.press.stop()
        return {"ready": True, "sizes": {name: len(f) for name, f in pending.files.items()}}

    def _part(self, p: DocumentPart) -> Any:
        files = self._known(p).files or {}
        if p.name not in files:
            raise self._unknown(p)
        part = files[p.name][p.after : p.after + PART]
        return {"data": base64.b64encode(part).decode()}

    def _known(self, p: Document) -> Pending:
        if p.document_id not in self._pending:
            raise self._unknown(p)
        return self._pending[p.document_id]

    def _unknown(self, p: Document) -> RpcError:
        found = [Problem("document_unknown", {"document_id": p.document_id})]
        return self._declined("DOCUMENT_UNKNOWN", found, p.lang)

    def stop(self) -> None:
        """The office closes: nobody fetches anything any more."""
        for pending in self._pending.values():
            pending.press.stop()
        self._pending.clear()
        if self._owed is not None:
            self._owed[1].press.stop()
            self._owed = None
