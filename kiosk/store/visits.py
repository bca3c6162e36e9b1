"""What happens to one candidate at the gate: seat with gate intent, pulse, outcome; in and out.

Each is one transaction together with its journal entries; the unique indexes of the schema
make a second seat impossible whatever this code does.
"""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.core.codes import IntentKind, JournalKind, Reason
from kiosk.core.hall import Facts
from kiosk.core.types import Admission, Candidate, SessionState
from kiosk.store.draws import Booking, Draws
from kiosk.store.errors import (
    AlreadyInside,
    AlreadyLeft,
    AtTheGate,
    NotBooked,
    NotOpen,
    StoreRefused,
)

#: Outcomes that say passed, alone or followed by another; in, and out.
#: UNSEEN: taken for passed, by a gate that has nothing to see with
PASSED = frozenset({Reason.ADMITTED, Reason.GATE_TAILGATED, Reason.GATE_UNSEEN})
PASSED_OUT = PASSED - {Reason.ADMITTED} | {Reason.LEFT}
#: Outcomes after which they are where they were: the seat is kept.
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

        `authority`: `verified`, or `override` where a person's word stands for a factor. Who may
        return gets an intent of kind re-admission, to the seat they have.

        Raises `HallFull`, `AlreadyInside`, `AlreadyLeft`, `AtTheGate`, `NotOpen`, `NotBooked` or
        `NoSignature`; then nothing was changed.
        """
        with self._transaction():
            session = self.session(session_id)
            if session is None or session.state is not SessionState.OPEN:
                raise NotOpen(f"session {session_id} is not open")
            who = self._booked(session_id, candidate)
            held = self._row(
                "select assignment_id, terminal, draw_no, inside_at, left_at, released_at,"
                " return_by from assignments"
                " where session_id = ? and candidate_id = ? and voided_at is null",
                session_id,
                candidate.candidate_id,
            )
            kind = IntentKind.ADMISSION
            if held is not None and (held[3] or held[4]):
                kind = IntentKind.READMISSION
                self._check_return(*held[4:])
                self._check_no_open_intent(held[0])
            assignment_id, terminal, draw_no = (
                held[:3] if held is not None else self._draw(session, who)
            )
            about = {"session_id": session_id, "pseudonym": who.pseudonym, "terminal": terminal}
            intent_id = self._intend(assignment_id, draw_no, kind, authority, about)
        return Admission(terminal, draw_no, intent_id, held is None)

    @staticmethod
    def _check_return(
        left_at: str | None, released_at: str | None, return_by: str | None
    ) -> None:
        """Who was in may come in again after a release, or, having left, on a proctor's word."""
        if left_at is not None and return_by is None:
            raise AlreadyLeft("this candidate has left")
        if left_at is None and released_at is None:
            raise AlreadyInside("this candidate is inside already")

    def _check_no_open_intent(self, assignment_id: int) -> None:
        """Two at once could cross: in by one and out by the other."""
        if self._row(
            "select 1 from gate_intents where assignment_id = ? and outcome is null",
            assignment_id,
        ):
            raise AtTheGate("the gate is open for this candidate")

    def _intend(
        self,
        assignment_id: int,
        draw_no: int,
        kind: IntentKind,
        authority: str,
        about: dict[str, str],
    ) -> int:
        """The intent's number, inside the running transaction."""
        cursor = self._db.execute(
            "insert into gate_intents (assignment_id, at, kind) values (?, ?, ?)",
            [assignment_id, self._now(), kind.value],
        )
        intent_id = int(cursor.lastrowid or 0)
        payload = {"intent": intent_id, "draw_no": draw_no, "authority": authority}
        if kind is not IntentKind.ADMISSION:
            payload["kind"] = kind.value
        self._note(JournalKind.GATE_INTENT, None, **about, payload=payload)
        return intent_id

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
        """How the passage ended; once for each intent. Only who passed is inside, or out.

        Raises `StoreRefused` for an unknown or ended intent, `ValueError` for a reason that is
        not the end of such a passage.
        """
        row = self._row(
            "select outcome, kind, a.assignment_id, session_id, terminal, pseudonym, draw_no,"
            " inside_at, left_at, released_at"
            " from gate_intents join assignments a using (assignment_id)"
            " join candidates c using (candidate_id, session_id) where intent_id = ?",
            intent_id,
        )
        if row is None:
            raise StoreRefused(f"there is no gate intent {intent_id}")
        outcome, kind, assignment_id, session_id, terminal, pseudonym, draw_no, *stands = row
        passes = PASSED_OUT if kind == IntentKind.EXIT else PASSED
        if reason not in passes | NOT_PASSED:
            raise ValueError(f"{reason} is not how a passage ends")
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
            if reason in passes and _moves(kind, *stands):
                self._move(kind, assignment_id, now)
                out = kind == IntentKind.EXIT
                usual = Reason.LEFT if out else Reason.ADMITTED
                self._note(
                    JournalKind.LEFT if out else JournalKind.ADMITTED,
                    reason if reason is Reason.GATE_UNSEEN else usual,
                    **who,
                    payload={"intent": intent_id, "draw_no": draw_no},
                )

    def _move(self, kind: str, assignment_id: int, now: str) -> None:
        """Where they are now; whatever let them return is used up."""
        column = "left_at = ?1" if kind == IntentKind.EXIT else (
            "inside_at = coalesce(inside_at, ?1), left_at = null"
        )  # fmt: skip
        self._db.execute(
            f"update assignments set {column}, released_at = null, return_by = null,"
            " seen_outside_at = null, seen_outside_by = null where assignment_id = ?2",
            [now, assignment_id],
        )

    def open_intents(self) -> list[OpenIntent]:
        """Intents whose outcome nobody has written: a crash came in between."""
        rows = self._rows(
            "select intent_id, session_id, candidate_id, terminal, g.at from gate_intents g"
            " join assignments using (assignment_id) where outcome is null order by intent_id"
        )
        return [OpenIntent(*row) for row in rows]


def _moves(kind: str, inside_at: str | None, left_at: str | None, released_at: str | None) -> bool:
    """Whether a passage of this kind changes where they are: they may be there already, when the
    end of an earlier one was written late."""
    if kind == IntentKind.EXIT:
        return left_at is None
    return inside_at is None or left_at is not None or released_at is not None
