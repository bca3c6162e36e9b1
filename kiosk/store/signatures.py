"""Signatures as they were given: at entry, before the draw, and at the exit, for the score.

Keeps the document's bytes encrypted and journals their SHA-256 in the same transaction. It must
not know what a document looks like (kiosk.ink).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from kiosk.core.codes import JournalKind
from kiosk.core.types import Candidate, SessionState
from kiosk.store.errors import NoSignature, NotBooked, NotOpen, NotSignable, StoreError
from kiosk.store.evidence import Evidence, EvidenceKind

ENTRY, EXIT = "entry", "exit"


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature with its place in the journal. `document`: see docs/signature.md."""

    purpose: str
    document: bytes
    sha256: str
    text_sha256: str
    at: str
    seq: int  #: of the `signed` entry
    leaf_hash: str
    score: int | None = None
    draw_no: int | None = None  #: of the seat whose score it is


class Signatures(Evidence):
    def save_signature(
        self, session_id: str, candidate: Candidate, document: bytes, text_sha256: str
    ) -> str:
        """Keep the entry's signature (encrypted) and journal its hash, which is returned.

        A repeat of the very same bytes is harmless. Raises `NotBooked`.
        """
        pseudonym = self._signs_as(session_id, candidate.candidate_id)
        sha256 = hashlib.sha256(document).hexdigest()
        if not self._is_kept(session_id, candidate.candidate_id, sha256):
            with self._transaction():
                entry = self._note(
                    JournalKind.SIGNED,
                    session_id=session_id,
                    pseudonym=pseudonym,
                    payload=_payload(document, sha256, text_sha256, ENTRY),
                )
                who = candidate.candidate_id
                self._keep(entry.seq, session_id, who, document, sha256, text_sha256)
        return sha256

    def sign_score(
        self,
        session_id: str,
        candidate_id: int,
        document: bytes,
        text_sha256: str,
        *,
        score: int,
        person: str,
        note: str = "",
    ) -> str:
        """Keep the signature under a score and journal it; returns its hash.

        Once for each draw. A second one, for a score that was wrong, wants a `note` that says
        why; both stay in the record and the last one counts. The very same bytes again are
        harmless. Raises `NotOpen`, `NotBooked` or `NotSignable`; then nothing was changed.
        """
        pseudonym = self._signs_as(session_id, candidate_id)
        state = self._row("select state from sessions where session_id = ?", session_id)
        if state is None or state[0] != SessionState.OPEN:
            raise NotOpen(f"session {session_id} is not open")
        seat = self._row(
            "select terminal, draw_no from assignments where session_id = ? and candidate_id = ?"
            " and voided_at is null and inside_at is not null",
            session_id,
            candidate_id,
        )
        if seat is None:
            raise NotSignable("score_not_inside", "this candidate is not inside")
        terminal, draw_no = seat
        sha256 = hashlib.sha256(document).hexdigest()
        if self._is_kept(session_id, candidate_id, sha256):
            return sha256
        before = self._row(
            "select sha256 from signatures where session_id = ? and candidate_id = ?"
            " and purpose = 'exit' and draw_no = ? order by rowid desc limit 1",
            session_id,
            candidate_id,
            draw_no,
        )
        if before is not None and not note.strip():
            raise NotSignable("score_signed", "this score has been signed for already")
        with self._transaction():
            entry = self._note(
                JournalKind.SIGNED,
                session_id=session_id,
                pseudonym=pseudonym,
                terminal=terminal,
                payload=_payload(document, sha256, text_sha256, EXIT)
                | {
                    "score": score,
                    "draw_no": draw_no,
                    "replaces": before[0] if before else None,
                    "note": note.strip(),
                    "person": person,
                },
            )
            self._keep(
                entry.seq, session_id, candidate_id, document, sha256, text_sha256, EXIT, score,
                draw_no,
            )  # fmt: skip
        return sha256

    def _signs_as(self, session_id: str, candidate_id: int) -> str:
        """The pseudonym. Raises `NotBooked`."""
        row = self._row(
            "select pseudonym from candidates where candidate_id = ? and session_id = ? and active",
            candidate_id,
            session_id,
        )
        if row is None:
            raise NotBooked(f"this candidate is not on the roster of session {session_id}")
        return str(row[0])

    def _is_kept(self, session_id: str, candidate_id: int, sha256: str) -> bool:
        query = "select 1 from signatures where session_id = ? and candidate_id = ? and sha256 = ?"
        return self._row(query, session_id, candidate_id, sha256) is not None

    def _keep(
        self,
        seq: int,
        session_id: str,
        candidate_id: int,
        document: bytes,
        sha256: str,
        text_sha256: str,
        purpose: str = ENTRY,
        score: int | None = None,
        draw_no: int | None = None,
    ) -> None:
        """Inside the caller's transaction."""
        blob = self._vault.encrypt(session_id, "strokes", document)
        self._db.execute(
            "insert into signatures (seq, session_id, candidate_id, sha256, text_sha256, strokes,"
            " at, purpose, score, draw_no) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [seq, session_id, candidate_id, sha256, text_sha256, blob, self._now(), purpose,
             score, draw_no],
        )  # fmt: skip
        self._queue(EvidenceKind.SIGNATURE, seq)

    # --- handed out -----------------------------------------------------------------------------

    def signature(self, session_id: str, candidate_id: int) -> bytes:
        """The document that was signed last. Raises `NoSignature`."""
        return self.signatures(session_id, candidate_id)[-1].document

    def signatures(self, session_id: str, candidate_id: int) -> list[Signature]:
        """All of one candidate, in the order in which they were given.

        Raises `NoSignature` when there is none, `StoreError` when one cannot be decrypted or was
        thinned.
        """
        rows = self._rows(
            "select s.purpose, s.strokes, s.sha256, s.text_sha256, s.at, j.seq, j.leaf_hash,"
            " s.score, s.draw_no from signatures s join journal j on j.seq = s.seq"
            " where s.session_id = ? and s.candidate_id = ? order by j.seq",
            session_id,
            candidate_id,
        )
        if not rows:
            raise NoSignature("there is no signature of this candidate")
        if not all(blob for _, blob, *_ in rows):
            raise StoreError("a signature was removed to make room; its hash is in the journal")
        return [
            Signature(purpose, self._vault.decrypt(session_id, "strokes", blob), *more)
            for purpose, blob, *more in rows
        ]

    def note_signatures_shown(self, session_id: str, candidate_id: int, person: str) -> None:
        """Who asked to see them is part of the record, before they see them."""
        with self._transaction():
            self._note(
                JournalKind.SIGNATURES_SHOWN,
                session_id=session_id,
                pseudonym=self._signs_as(session_id, candidate_id),
                payload={"person": person},
            )


def _payload(document: bytes, sha256: str, text_sha256: str, purpose: str) -> dict[str, Any]:
    return {
        "signature_sha256": sha256,
        "text_sha256": text_sha256,
        "bytes": len(document),
        "purpose": purpose,
    }
