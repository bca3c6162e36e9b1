"""The methods by which the record is handed out: signed heads, proofs, a session's record.

Part of the office (kiosk.office); changes nothing but that the tree is signed.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from pydantic import Field

from kiosk.desks.params import NoParams, Params
from kiosk.store import Store
from kiosk.texts import Problem
from kiosk.wire import RpcError

MAX_RECORDS = 2  #: records that somebody is fetching; the oldest gives way


class Proving(Params):
    old: int = Field(ge=0)  #: size of the head that somebody has kept
    size: int | None = Field(None, ge=1)  #: of the head to lead to; None: a new one


class RecordBegin(Params):
    session_id: str


class RecordLines(Params):
    record_id: str
    after: int = Field(0, ge=0)
    limit: int = Field(500, ge=1, le=2000)


class RecordDesk:
    def __init__(self, store: Store, declined: Callable[..., RpcError]) -> None:
        self._store = store
        self._declined = declined
        self._records: dict[str, list[str]] = {}
        self.methods: dict[str, tuple[type[Params], Callable[[Any], Any]]] = {
            "journal.head": (NoParams, self._head),
            "journal.prove": (Proving, self._prove),
            "record.begin": (RecordBegin, self._begin),
            "record.lines": (RecordLines, self._lines),
        }

    def _head(self, p: NoParams) -> Any:
        head = self._store.sign_head()
        found = {"size": head.size, "at": head.at, "note": head.note} if head else {"size": 0}
        return found | {"vkey": self._store.vkey}

    def _prove(self, p: Proving) -> Any:
        proof = self._store.consistency_proof(p.old, p.size)
        return {"new": proof.head.note, "proof": [node.hex() for node in proof.path]}

    def _begin(self, p: RecordBegin) -> Any:
        lines = list(self._store.record(p.session_id))
        while len(self._records) >= MAX_RECORDS:
            self._records.pop(next(iter(self._records)))
        record_id = secrets.token_hex(8)
        self._records[record_id] = lines
        return {"record_id": record_id, "lines": len(lines)}

    def _lines(self, p: RecordLines) -> Any:
        lines = self._records.get(p.record_id)
        if lines is None:
            found = [Problem("record_unknown", {"record_id": p.record_id})]
            raise self._declined("RECORD_UNKNOWN", found, p.lang)
        if p.after + p.limit >= len(lines):
            del self._records[p.record_id]
        return {"lines": lines[p.after : p.after + p.limit]}
