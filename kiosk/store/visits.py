"""What happens to one candidate at the gate: seat with gate intent, pulse, outcome.

Each is one transaction together with its journal entries; the unique indexes of the schema
make a second seat impossible whatever this code does.
"""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.core.codes import JournalKind, Reason
from kiosk.core.hall import Facts
from kiosk.core.types import Admission, Candidate, SessionState
from kiosk.store.draws import Booking, Draws
from kiosk.store.errors import AlreadyInside, NotBooked, NotOpen, StoreRefused

#: Outcomes after which the candidate is inside: they passed, alone or followed by another.
#: UNSEEN: taken for passed, by a gate that has nothing to see with
PASSED = frozenset({Reason.ADMITTED, Reason.GATE_TAILGATED, Reason.GATE_UNSEEN})
#: Outcomes after which they are not: the seat is kept.
NOT_PASSED = frozenset(
    {Reason.GATE_TIMEOUT, Reason.GATE_TURNED_BACK, Reason.GATE_BLOCKED, Reason.GATE_UNKNOWN}
)


@dataclass(frozen=True, slots=True)
class OpenIntent:
    """A gate-open intent that has no outcome: the gate may or may not have opened."""

    intent_id: int
    session_id: str
    candidate_id: int
    terminal: str
    at: str


class Visits(Draws):
    def _booked(self, session_id: str, candidate: Candidate) -> Booking:
        """As the roster has it, whatever the caller holds in hand. Raises `NotBooked`."""
        row = self._row(
            "select pseudonym, licence_class, accessible, school from candidates"
            " where candidate_id = ? and session_id = ? and active",
            candidate.candidate_id,
            session_id,
        )
        if row is None:
            raise NotBooked(f"this candidate is not on the roster of session {session_id}")
        facts = Facts(row[1], accessible=bool(row[2]), school=row[3])
        return Booking(candidate.candidate_id, str(row[0]), facts)

    def admit(
        self, session_id: str, candidate: Candidate, authority: str = "verified"
    ) -> Admission:
        """Draw a seat, or keep the one drawn before, and write the gate intent: one transaction.

        `authority`: `verified`, or `override` where a person's word stands for a factor.

        Raises `HallFull`, `AlreadyInside`, `NotOpen`, `NotBooked` or `NoSignature`; then nothing
        was changed.
        """
        with self._transaction():
            session = self.session(session_id)
            if session is None or session.state is not SessionState.OPEN:
                raise NotOpen(f"session {session_id} is not open")
            who = self._booked(session_id, candidate)
            held = self._row(
                "select assignment_id, terminal, draw_no, inside_at from assignments"
                " where session_id = ? and candidate_id = ? and voided_at is null",
                session_id,
                candidate.candidate_id,
            )
            if held is not None and held[3] is not None:
                raise AlreadyInside("this candidate is inside already")
            assignment_id, terminal, draw_no = (
                held[:3] if held is not None else self._draw(session, who)
            )
            cursor = self._db.execute(
                "insert into gate_intents (assignment_id, at) values (?, ?)",
                [assignment_id, self._now()],
            )
            intent_id = int(cursor.lastrowid or 0)
            self._note(
                JournalKind.GATE_INTENT,
                session_id=session_id,
                pseudonym=who.pseudonym,
                terminal=terminal,
                payload={"intent": intent_id, "draw_no": draw_no, "authority": authority},
            )
        return Admission(terminal, draw_no, intent_id, held is None)

    def gate_pulse(self, intent_id: int, result: str) -> None:
        """What became of the pulse of an intent: sent, not_sent, or unknown (no answer came)."""
        session_id, terminal, pseudonym = self._intent(intent_id)
        with self._transaction():
            self._note(
                JournalKind.GATE_PULSE,
                session_id=session_id,
                pseudonym=pseudonym,
                terminal=terminal,
                payload={"intent": intent_id, "result": result},
            )

    def gate_pulse_seen(self, intent_id: int, opened: bool) -> None:
        """Of a pulse whose answer was lost: whether the sensors saw somebody go through after
        it. False proves nothing: an open gate that nobody used looks like a closed one."""
        session_id, terminal, pseudonym = self._intent(intent_id)
        with self._transaction():
            self._note(
                JournalKind.GATE_PULSE_SEEN,
                session_id=session_id,
                pseudonym=pseudonym,
                terminal=terminal,
                payload={"intent": intent_id, "opened": opened},
            )

    def _intent(self, intent_id: int) -> tuple[str, str, str]:
        """Session, terminal and pseudonym. Raises `StoreRefused` when there is no such intent."""
        row = self._row(
            "select session_id, terminal, pseudonym"
            " from gate_intents g join assignments a using (assignment_id)"
            " join candidates c using (candidate_id, session_id) where intent_id = ?",
            intent_id,
        )
        if row is None:
            raise StoreRefused(f"there is no gate intent {intent_id}")
        return row[0], row[1], row[2]

    def gate_outcome(self, intent_id: int, reason: Reason) -> None:
        """How the passage ended; once for each intent. Only who passed is inside.

        Raises `StoreRefused` for an unknown or ended intent, `ValueError` for a reason that is
        not the end of a passage.
        """
        if reason not in PASSED | NOT_PASSED:
            raise ValueError(f"{reason} is not how a passage ends")
        row = self._row(
            "select outcome, a.assignment_id, session_id, terminal, pseudonym, draw_no, inside_at"
            " from gate_intents join assignments a using (assignment_id)"
            " join candidates c using (candidate_id, session_id) where intent_id = ?",
            intent_id,
        )
        if row is None:
            raise StoreRefused(f"there is no gate intent {intent_id}")
        outcome, assignment_id, session_id, terminal, pseudonym, draw_no, inside_at = row
        if outcome is not None:
            raise StoreRefused(f"gate intent {intent_id} already ended with {outcome}")
        now = self._now()
        who = {"session_id": session_id, "pseudonym": pseudonym, "terminal": terminal}
        with self._transaction():
            self._db.execute(
                "update gate_intents set outcome = ?, outcome_at = ? where intent_id = ?",
                [reason.value, now, intent_id],
            )
            self._note(JournalKind.GATE_OUTCOME, reason, **who, payload={"intent": intent_id})
            if reason in PASSED and inside_at is None:
                self._db.execute(
                    "update assignments set inside_at = ? where assignment_id = ?",
                    [now, assignment_id],
                )
                self._note(
                    JournalKind.ADMITTED,
                    reason if reason is Reason.GATE_UNSEEN else Reason.ADMITTED,
                    **who,
                    payload={"intent": intent_id, "draw_no": draw_no},
                )

    def open_intents(self) -> list[OpenIntent]:
        """Intents whose outcome nobody has written: a crash came in between."""
        rows = self._rows(
            "select intent_id, session_id, candidate_id, terminal, g.at from gate_intents g"
            " join assignments using (assignment_id) where outcome is null order by intent_id"
        )
        return [OpenIntent(*row) for row in rows]
