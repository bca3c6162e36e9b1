"""Seats: drawn by the rules of the hall, and given up by a proctor's decision.

Each draw and each voided seat is written with all that a stranger needs to check it
(docs/draw.md). Knows of the gate only whether it is open for somebody.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kiosk.core.codes import JournalKind, Reason, VoidReason
from kiosk.core.draw import Draw, draw_terminal
from kiosk.core.hall import Facts, Pool, pool_of
from kiosk.core.types import Session, SessionState
from kiosk.store.errors import HallFull, NoSignature, NotOpen, NotVoidable
from kiosk.store.sessions import Sessions

_REFUSALS = {
    Reason.HALL_FULL: "no terminal of session {} is free",
    Reason.NO_TERMINAL_FOR_CLASS: "no free terminal of session {} serves licence class {}",
    Reason.NO_ACCESSIBLE_TERMINAL: "no accessible terminal of session {} is free",
}


@dataclass(frozen=True, slots=True)
class Booking:
    """What the roster says of a candidate, as far as seats go."""

    candidate_id: int
    pseudonym: str
    facts: Facts


@dataclass(frozen=True, slots=True)
class Voided:
    """A seat that was given up."""

    candidate_id: int
    terminal: str
    draw_no: int
    was_inside: bool


class Draws(Sessions):
    def _draw(self, session: Session, who: Booking) -> tuple[int, str, int]:
        """Assignment id, terminal and draw number, inside the running transaction.

        Raises `HallFull` (with its reason) or `NoSignature`.
        """
        replaces = self._last_voided(session.session_id, who.candidate_id)
        signature = self._fresh_signature(session.session_id, who, replaces is not None)
        pool = self._pool(session, who.facts)
        draw_no = 1 + int(
            self._rows("select draws from sessions where session_id = ?", session.session_id)[0][0]
        )
        drawn = draw_terminal(
            seed=self._seed(session.session_id),
            session_id=session.session_id,
            draw_no=draw_no,
            pseudonym=who.pseudonym,
            signature_sha256=signature,
            free=pool.free,
            pool=pool.names,
        )
        self._db.execute(
            "update sessions set draws = ? where session_id = ?", [draw_no, session.session_id]
        )
        cursor = self._db.execute(
            "insert into assignments (session_id, candidate_id, terminal, draw_no,"
            " signature_sha256, school, at) values (?, ?, ?, ?, ?, ?, ?)",
            [
                session.session_id,
                who.candidate_id,
                drawn.terminal,
                draw_no,
                signature,
                who.facts.school,
                self._now(),
            ],
        )
        self._note(
            JournalKind.SEAT_DRAWN,
            session_id=session.session_id,
            pseudonym=who.pseudonym,
            terminal=drawn.terminal,
            payload=_record(draw_no, signature, who.facts, pool, drawn) | {"replaces": replaces},
        )
        return int(cursor.lastrowid or 0), drawn.terminal, draw_no

    def _pool(self, session: Session, facts: Facts) -> Pool:
        held = {name: seat.school for name, seat in self.held_seats(session.session_id).items()}
        pool = pool_of(
            session.hall, held, facts, capacity=session.capacity, spacing=session.spacing
        )
        if pool.refusal is not None:
            said = _REFUSALS[pool.refusal].format(session.session_id, facts.licence_class)
            raise HallFull(said, pool.refusal)
        return pool

    def _last_voided(self, session_id: str, candidate_id: int) -> int | None:
        row = self._row(
            "select max(draw_no) from assignments where session_id = ? and candidate_id = ?"
            " and voided_at is not null",
            session_id,
            candidate_id,
        )
        return None if row is None else row[0]

    def _fresh_signature(self, session_id: str, who: Booking, again: bool) -> str:
        """The candidate's newest; after a voided seat, one that was given since."""
        signed = self._row(
            "select sha256 from signatures where session_id = ? and candidate_id = ?"
            " and purpose = 'entry'"
            " order by rowid desc limit 1",  # not by time: the clock may have been set back
            session_id,
            who.candidate_id,
        )
        if signed is None:
            raise NoSignature("nothing has been signed")
        if again:
            last = {
                kind: self._row(
                    "select max(seq) from journal where session_id = ? and pseudonym = ?"
                    " and kind = ? and coalesce(json_extract(entry, '$.payload.purpose'), 'entry')"
                    " = 'entry'",  # signing for a score is not signing for a draw
                    session_id,
                    who.pseudonym,
                    kind.value,
                )
                for kind in (JournalKind.SIGNED, JournalKind.SEAT_VOIDED)
            }
            given, voided = (row[0] or 0 if row else 0 for row in last.values())
            if given < voided:
                raise NoSignature("nothing has been signed since the seat was given up")
        return str(signed[0])

    # --- given up -------------------------------------------------------------------------------

    def void_seat(
        self,
        session_id: str,
        terminal: str,
        why: VoidReason,
        person: str,
        *,
        note: str = "",
        approved_by: str | None = None,
        draw_no: int | None = None,
    ) -> Voided:
        """Release the seat drawn at this terminal; its candidate comes through the lane again.

        `draw_no`: the draw that is meant, where it might be somebody else's by now. A broken
        terminal goes out of service in the same transaction. Raises `NotOpen` or `NotVoidable`;
        then nothing was changed.
        """
        note, person, approved_by = (
            note.strip(),
            person.strip(),
            (approved_by or "").strip() or None,
        )
        with self._transaction():
            if self._known(session_id).state is not SessionState.OPEN:
                raise NotOpen(f"session {session_id} is not open")
            _check_approval(why, note, person, approved_by)
            assignment_id, voided, pseudonym = self._voidable(session_id, terminal, why, draw_no)
            in_service = self._row(
                "select in_service from terminals where session_id = ? and terminal = ?",
                session_id,
                terminal,
            )
            if why is VoidReason.TERMINAL_BROKEN and in_service == (1,):
                self._change_terminal(session_id, terminal, {"in_service": False}, why, person)
            self._db.execute(
                "update assignments set voided_at = ?, voided_why = ? where assignment_id = ?",
                [self._now(), why.value, assignment_id],
            )
            self._note(
                JournalKind.SEAT_VOIDED,
                session_id=session_id,
                pseudonym=pseudonym,
                terminal=terminal,
                payload={
                    "draw_no": voided.draw_no,
                    "why": why.value,
                    "note": note,
                    "person": person,
                    "approved_by": approved_by,
                    "was_inside": voided.was_inside,
                },
            )
        return voided

    def _voidable(
        self, session_id: str, terminal: str, why: VoidReason, draw_no: int | None
    ) -> tuple[int, Voided, str]:
        """The seat that is meant, unless it cannot be given up now."""
        row = self._row(
            "select assignment_id, a.candidate_id, draw_no, inside_at, pseudonym,"
            " (select count(*) from gate_intents g where g.assignment_id = a.assignment_id"
            "  and outcome is null)"
            " from assignments a join candidates using (candidate_id)"
            " where a.session_id = ? and terminal = ? and voided_at is null",
            session_id,
            terminal,
        )
        if row is None:
            raise NotVoidable(
                "seat_not_held", f"nobody holds terminal {terminal}", terminal=terminal
            )
        assignment_id, candidate_id, drawn, inside_at, pseudonym, open_intents = row
        if draw_no not in (None, drawn):
            raise NotVoidable(
                "seat_changed", f"terminal {terminal} is somebody else's by now", terminal=terminal
            )
        if open_intents:
            raise NotVoidable("seat_at_gate", "the gate is open for this candidate")
        if why is VoidReason.SECOND_ATTEMPT:
            if inside_at is None:
                raise NotVoidable("second_not_inside", "this candidate has not been inside")
            if self._row(
                "select 1 from assignments where session_id = ? and candidate_id = ?"
                " and voided_why = ?",
                session_id,
                candidate_id,
                why.value,
            ):
                raise NotVoidable("second_used", "this candidate has had the second attempt")
        voided = Voided(candidate_id, terminal, drawn, inside_at is not None)
        return assignment_id, voided, pseudonym


def _check_approval(why: VoidReason, note: str, person: str, approved_by: str | None) -> None:
    if approved_by is not None and approved_by.casefold() == person.casefold():
        raise NotVoidable("approval_own", "nobody approves their own decision")
    if why is VoidReason.PROCTOR_DECISION and approved_by is None:
        raise NotVoidable("approval_missing", "a second person must approve this")
    if why is VoidReason.PROCTOR_DECISION and not note:
        raise NotVoidable("note_missing", "the reason must be written down")


def _record(draw_no: int, signature: str, facts: Facts, pool: Pool, drawn: Draw) -> dict[str, Any]:
    """The payload of docs/draw.md."""
    found: dict[str, Any] = {
        "draw_no": draw_no,
        "signature_sha256": signature,
        "free": list(pool.free),
        "free_hash": drawn.free_hash,
        "pool_hash": drawn.pool_hash,
        "index": drawn.index,
        "rounds": drawn.rounds,
        "facts": facts.published(),
        "spacing_gave_way": pool.spacing_gave_way,
    }
    if pool.names != pool.free:
        found["pool"] = list(pool.names)
    return found
