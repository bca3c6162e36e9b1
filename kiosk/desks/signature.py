"""The methods about signatures: a score signed for at the exit, and handing signatures out.

Part of the office (kiosk.office). It must not know who calls or over what.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from pydantic import Field

from kiosk.core.codes import Reason
from kiosk.core.signed_texts import HIGHEST, LOWEST, find_text, score_statement, text_sha256
from kiosk.core.types import Candidate
from kiosk.desks.params import Params
from kiosk.ink import write_ink
from kiosk.signature import Strokes, check_strokes
from kiosk.store import Store
from kiosk.store.errors import NotBooked, NotOpen, NotSignable
from kiosk.texts import Problem
from kiosk.wire import RpcError


class Statement(Params):
    score: int = Field(ge=LOWEST, le=HIGHEST)
    language: str = Field("zh", pattern="^(zh|en)$")


class ExitSign(Strokes):
    """Whose signature: by admission number, or by `ref` of the candidates' list."""

    session_id: str = Field(max_length=64)
    admission_no: str | None = Field(None, min_length=1, max_length=64)
    ref: str | None = Field(None, max_length=64)
    score: int = Field(ge=LOWEST, le=HIGHEST)
    note: str = Field("", max_length=300)
    person: str = Field(min_length=1, max_length=64)


class WhoseSignatures(Params):
    session_id: str = Field(max_length=64)
    admission_no: str = Field(min_length=1, max_length=64)
    person: str = Field(min_length=1, max_length=64)


class SignatureDesk:
    def __init__(self, store: Store, declined: Callable[..., RpcError]) -> None:
        self._store = store
        self._declined = declined
        self.methods: dict[str, tuple[type[Params], Callable[[Any], Any]]] = {
            "exit.statement": (Statement, self._statement),
            "exit.sign": (ExitSign, self._sign),
            "signature.list": (WhoseSignatures, self._list),
        }

    def _statement(self, p: Statement) -> Any:
        text = score_statement(p.score, p.language)
        return {"text": text, "text_sha256": text_sha256(text)}

    def _sign(self, p: ExitSign) -> Any:
        candidate = self._signer(p)
        shown = find_text(p.text_sha256)
        if shown is None or (shown.purpose, shown.score) != ("exit", p.score):
            raise self._refused("score_text", p.lang, score=p.score)
        if not check_strokes(p):
            code = Reason.SIGNATURE_EMPTY.value
            raise self._declined(code, [Problem("signature_empty")], p.lang)
        try:
            sha256 = self._store.sign_score(
                p.session_id,
                candidate.candidate_id,
                write_ink(p.ink("exit", p.score)),
                p.text_sha256,
                score=p.score,
                person=p.person,
                note=p.note,
            )
        except NotSignable as refused:
            raise self._refused(refused.code, p.lang) from refused
        except NotOpen as refused:
            raise self._refused("not_open", p.lang, session_id=p.session_id) from refused
        return {"signature_sha256": sha256}

    def _signer(self, p: ExitSign) -> Candidate:
        if p.ref is None:
            return self._candidate(p.session_id, p.admission_no or "", p.lang)
        try:
            number = self._store.person_of(p.session_id, p.ref).admission_no
        except NotBooked as refused:
            raise self._refused("candidate_unknown", p.lang) from refused
        return self._candidate(p.session_id, number, p.lang)

    def _list(self, p: WhoseSignatures) -> Any:
        candidate = self._candidate(p.session_id, p.admission_no, p.lang)
        found = self._store.signatures(p.session_id, candidate.candidate_id)
        self._store.note_signatures_shown(p.session_id, candidate.candidate_id, p.person)
        return {
            "signatures": [
                {
                    "purpose": s.purpose,
                    "at": s.at,
                    "seq": s.seq,
                    "leaf_hash": s.leaf_hash,
                    "sha256": s.sha256,
                    "text_sha256": s.text_sha256,
                    "score": s.score,
                    "draw_no": s.draw_no,
                    "document": base64.b64encode(s.document).decode(),
                }
                for s in found
            ]
        }

    def _candidate(self, session_id: str, admission_no: str, lang: str | None) -> Candidate:
        if self._store.session(session_id) is None:
            raise self._refused("session_unknown", lang, session_id=session_id)
        candidate = self._store.lookup_admission(session_id, admission_no).candidate
        if candidate is None:
            raise self._refused("not_booked", lang, admission_no=admission_no)
        return candidate

    def _refused(self, code: str, lang: str | None, **about: object) -> RpcError:
        return self._declined(code.upper(), [Problem(code, about)], lang)
