"""Pictures of who stood before the camera when a face was judged, encrypted with the session's key.

Their SHA-256 is in the journal. Knows bytes, not what is in them; whoever looks is journalled.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

from kiosk.core.codes import JournalKind
from kiosk.core.types import Candidate
from kiosk.store.errors import NotBooked
from kiosk.store.evidence import Evidence, EvidenceKind
from kiosk.store.people import Person

_PURPOSE = "capture"

#: verified: the face was the claimed one's; turned_away: it was not, or not surely; by_hand: a
#: person looked
Outcome = Literal["verified", "turned_away", "by_hand"]


@dataclass(frozen=True, slots=True)
class Capture:
    """One picture as it was kept. `seq`: its entry in the journal."""

    at: str
    outcome: str
    sha256: str
    seq: int
    jpeg: bytes

    def __repr__(self) -> str:
        return f"Capture({self.seq})"  # keeps pictures out of logs


class Captures(Evidence):
    def keep_capture(
        self, session_id: str, candidate: Candidate, jpeg: bytes, outcome: Outcome
    ) -> str:
        """Keep a picture for as long as the session's other biometric data; one transaction with
        its entry. Returns its SHA-256, hex."""
        sha256 = hashlib.sha256(jpeg).hexdigest()
        with self._transaction():
            entry = self._note(
                JournalKind.CAPTURE_KEPT,
                session_id=session_id,
                pseudonym=candidate.pseudonym,
                payload={"sha256": sha256, "bytes": len(jpeg), "outcome": outcome},
            )
            self._db.execute(
                "insert into captures (seq, session_id, candidate_id, at, outcome, sha256, jpeg)"
                " values (?, ?, ?, ?, ?, ?, ?)",
                [
                    entry.seq,
                    session_id,
                    candidate.candidate_id,
                    self._now(),
                    outcome,
                    sha256,
                    self._vault.encrypt(session_id, _PURPOSE, jpeg),
                ],
            )
            self._queue(EvidenceKind.CAPTURE, entry.seq)
        return sha256

    def captures(self, session_id: str, candidate_id: int) -> list[Capture]:
        """Of one booking, oldest first, without what was thinned. Raises `StoreError` when one
        cannot be decrypted."""
        rows = self._rows(
            "select at, outcome, sha256, seq, jpeg from captures"
            " where session_id = ? and candidate_id = ? and length(jpeg) > 0 order by seq",
            session_id,
            candidate_id,
        )
        return [
            Capture(at, outcome, sha256, seq, self._vault.decrypt(session_id, _PURPOSE, blob))
            for at, outcome, sha256, seq, blob in rows
        ]

    def note_shown(self, person: Person, by: str) -> None:
        """Who looked at a candidate's data, before they see it."""
        with self._transaction():
            self._note(
                JournalKind.CANDIDATE_SHOWN,
                session_id=person.session_id,
                pseudonym=person.pseudonym,
                payload={"person": by},
            )

    def person_of(self, session_id: str, pseudonym: str) -> Person:
        """The booking behind a pseudonym of this session. Raises `NotBooked`."""
        row = self._row(
            "select candidate_id, session_id, pseudonym, name, admission_no, licence_class"
            " from candidates where session_id = ? and pseudonym = ? and active",
            session_id,
            pseudonym,
        )
        if row is None:
            raise NotBooked(f"nobody of session {session_id} is meant by that")
        return Person(*row)
