"""The methods that read and change the record: sessions, roster, terminals, journal.

One implementation for the running daemon's socket and for commands while it is down. It must
not know who calls or over what.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import tzinfo
from typing import Any

from pydantic import Field

from kiosk.clock import Clock
from kiosk.core.codes import JournalKind, Reason
from kiosk.core.types import Session
from kiosk.desks.candidates import CandidateDesk
from kiosk.desks.document import DocumentDesk, Stationery
from kiosk.desks.hall import HallDesk
from kiosk.desks.outbox import OutboxDesk
from kiosk.desks.params import NoParams, Params, parse
from kiosk.desks.pause import PauseDesk
from kiosk.desks.privacy import PrivacyDesk
from kiosk.desks.record import RecordDesk
from kiosk.desks.roster import RosterDesk, Trust
from kiosk.desks.signature import SignatureDesk
from kiosk.desks.staff import StaffDesk
from kiosk.desks.warnings import WarningDesk
from kiosk.preconditions import problems_of
from kiosk.store import Entry, Store
from kiosk.store.errors import StoreError
from kiosk.supervisor import DeviceStatus
from kiosk.texts import Problem
from kiosk.view import session_of
from kiosk.wire import METHOD_NOT_FOUND, REFUSED, RpcError


class SessionName(Params):
    session_id: str
    person: str = "technician"


class MaybeSession(Params):
    session_id: str | None = None


class AlertAnswer(Params):
    alert_id: int
    same: bool  #: one person under two identities; else two people
    person: str = Field(min_length=1, max_length=64)


class JournalRange(Params):
    after: int = Field(0, ge=0)
    limit: int = Field(500, ge=1, le=10_000)
    session_id: str | None = None


class Office:
    """`devices()` gives the present statuses, or None while no daemon watches them."""

    def __init__(
        self,
        store: Store,
        *,
        clock: Clock,
        zone: tzinfo,
        encoder: str,
        min_free_mb: int,
        early_s: int,
        late_s: int,
        language: str,
        same_person_distance: float | None = None,
        policy: dict[str, Any] | None = None,
        stationery: Stationery | None = None,
        trust: Trust | None = None,
        retention_days: int | None = None,
        devices: Callable[[], Mapping[str, DeviceStatus]] | None = None,
        session_changed: Callable[[], None] = lambda: None,
        warnings_changed: Callable[[], None] = lambda: None,
        happened: Callable[[dict[str, Any]], None] = lambda event: None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._zone = zone
        self._encoder = encoder
        self._min_free_mb = min_free_mb
        self._language = language
        self._policy = policy  #: what the lane asks of a candidate, as it is journalled
        self._devices = devices
        self._session_changed = session_changed
        self._methods: dict[str, tuple[type[Params], Callable[[Any], Any]]] = {
            "session.open": (SessionName, self._open),
            "session.close": (SessionName, self._close),
            "session.status": (MaybeSession, self._status),
            "alert.list": (NoParams, self._alerts),
            "alert.answer": (AlertAnswer, self._answer_alert),
            "journal.list": (JournalRange, self._journal),
            "journal.verify": (NoParams, self._verify),
        }
        self._methods |= HallDesk(
            store,
            self.declined,
            self.describe,
            zone=zone,
            early_s=early_s,
            late_s=late_s,
            session_changed=session_changed,
            happened=happened,
        ).methods
        self.roster = RosterDesk(
            store,
            self.declined,
            clock=clock,
            zone=zone,
            encoder=encoder,
            same_person_distance=same_person_distance,
            trust=trust or Trust("", None),
            session_changed=session_changed,
        )
        self._methods |= self.roster.methods
        self._methods |= OutboxDesk(store).methods
        self.privacy = PrivacyDesk(store, retention_days)
        self._methods |= self.privacy.methods
        self._methods |= CandidateDesk(store, self.declined).methods
        self._methods |= WarningDesk(store, warnings_changed).methods
        self._methods |= RecordDesk(store, self.declined).methods
        self._methods |= SignatureDesk(store, self.declined).methods
        self._methods |= PauseDesk(store, self.declined, self.describe, session_changed).methods
        self._methods |= StaffDesk(store, clock, self.declined).methods
        self.documents = DocumentDesk(store, clock, stationery, language, self.declined)
        self._methods |= self.documents.methods

        #: looks at parameters before they are checked, where no daemon has
        self.door: Callable[[dict[str, Any]], dict[str, Any]] | None = None

    @property
    def methods(self) -> list[str]:
        return list(self._methods)

    def fields(self, method: str) -> set[str]:
        """Names of a method's parameters."""
        return set(self._methods[method][0].model_fields)

    def call(self, method: str, params: dict[str, Any]) -> Any:
        """Carry out one method. Raises `RpcError`; then nothing was changed."""
        if method not in self._methods:
            raise RpcError(METHOD_NOT_FOUND, f"unknown method {method}")
        schema, handler = self._methods[method]
        checked = parse(schema, params if self.door is None else self.door(params))
        try:
            return handler(checked)
        except StoreError as error:
            found = [Problem("store", {"detail": p}) for p in error.problems]
            raise self.declined(type(error).__name__, found, checked.lang) from error

    def declined(self, code: str, problems: list[Problem], lang: str | None = None) -> RpcError:
        """An error answer with one plain sentence a problem."""
        language = lang or self._language
        sentences = [p.sentence(language) for p in problems]
        data = {"code": code, "problems": sentences, "codes": [p.code for p in problems]}
        return RpcError(REFUSED, sentences[0], data)

    # --- sessions -------------------------------------------------------------------------------

    def describe(self, session: Session) -> dict[str, Any]:
        return session_of(session, self._store.counts(session.session_id))

    def _open(self, p: SessionName) -> Any:
        if self._devices is None:
            raise self.declined("DAEMON_NEEDED", [Problem("daemon_needed")], p.lang)
        found = problems_of(
            p.session_id,
            store=self._store,
            devices=self._devices(),
            clock=self._clock,
            zone=self._zone,
            encoder=self._encoder,
            min_free_mb=self._min_free_mb,
        )
        if found:
            self._record_declined(p, found)
            raise self.declined("NOT_READY", found, p.lang)
        session = self._store.open_session(p.session_id, p.person, self._policy)
        self._session_changed()
        return self.describe(session)

    def _record_declined(self, p: SessionName, found: list[Problem]) -> None:
        """A declined opening is itself part of the record, unless nothing can be recorded."""
        codes = [q.code for q in found]
        if "evidence" not in codes and self._store.session(p.session_id) is not None:
            self._store.journal(
                JournalKind.SESSION_OPEN_REFUSED,
                Reason.DEVICE_FAULT if "device" in codes else Reason.SESSION_NOT_OPEN,
                session_id=p.session_id,
                payload={"problems": codes, "person": p.person},
            )

    def _close(self, p: SessionName) -> Any:
        session = self._store.close_session(p.session_id, p.person)
        self._session_changed()
        return self.describe(session)

    def _status(self, p: MaybeSession) -> Any:
        if p.session_id is not None:
            return {"sessions": [self.describe(self._known(p.session_id, p.lang))]}
        return {"sessions": [self.describe(s) for s in self._store.sessions()]}

    def _known(self, session_id: str, lang: str | None) -> Session:
        session = self._store.session(session_id)
        if session is None:
            found = [Problem("session_unknown", {"session_id": session_id})]
            raise self.declined("SESSION_UNKNOWN", found, lang)
        return session

    # --- one face, two identities ---------------------------------------------------------------

    def _alerts(self, p: NoParams) -> Any:
        return {"alerts": self._store.open_alerts()}

    def _answer_alert(self, p: AlertAnswer) -> Any:
        self._store.answer_alert(p.alert_id, p.same, p.person)
        self._session_changed()
        return {}

    # --- journal --------------------------------------------------------------------------------

    def _journal(self, p: JournalRange) -> Any:
        entries = self._store.entries(p.after, p.limit, p.session_id)
        return {
            "entries": [entry_of(e) for e in entries],
            "last": entries[-1].seq if entries else p.after,
        }

    def _verify(self, p: NoParams) -> Any:
        size, root = self._store.tree_head()
        return {"entries": size, "root": root, "problems": self._store.verify()}


def entry_of(entry: Entry) -> dict[str, Any]:
    """A journal entry as the wire shows it."""
    return {
        "seq": entry.seq,
        "at": entry.at.isoformat(),
        "kind": entry.kind,
        "reason": entry.reason,
        "session_id": entry.session_id,
        "pseudonym": entry.pseudonym,
        "terminal": entry.terminal,
        "payload": entry.payload,
        "leaf_hash": entry.leaf_hash,
    }
