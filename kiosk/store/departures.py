"""Who leaves by the gate, who may come back, and who was seen outside when everybody had to leave.

A seat is kept whoever goes out and in; that somebody is let in again is a release of the gate
since they came in, or a proctor's word.
"""

from __future__ import annotations

from typing import Any

from kiosk.core.codes import IntentKind, JournalKind, Reason, ReturnReason
from kiosk.core.types import Admission, Candidate, Lookup, Standing
from kiosk.store.base import iso
from kiosk.store.errors import NotBooked, NotInside, NotReturnable
from kiosk.store.roster import FIELDS, STILL_KNOWN
from kiosk.store.visits import Visits

#: gate events with which a person locks the gate again that stood open for everybody
ENDS_OF_RELEASE = {"fire": "fire_release_ended", "drill": "drill_ended"}


class Departures(Visits):
    # --- out --------------------------------------------------------------------------------------

    def depart(
        self, session_id: str, candidate: Candidate, authority: str = "verified"
    ) -> Admission:
        """Write the gate intent for going out, also when the session is closed.

        Who holds a seat and by the record is not inside goes out on a person's word only
        (`override`): the record may be wrong, a body cannot. A voided seat lets them out too.

        Raises `NotInside`, `AtTheGate` or `NotBooked`; then nothing was changed.
        """
        with self._transaction():
            row = self._row(
                "select assignment_id, terminal, draw_no, inside_at is not null and left_at is null"
                " as inside, pseudonym from assignments a"
                " join candidates c using (session_id, candidate_id)"
                " where session_id = ? and candidate_id = ?"
                " and (voided_at is null or (inside_at is not null and left_at is null))"
                " order by voided_at is not null, draw_no desc limit 1",
                session_id,
                candidate.candidate_id,
            )
            if row is None or not (row[3] or authority == "override"):
                raise NotInside("this candidate is not inside")
            assignment_id, terminal, draw_no, _, pseudonym = row
            self._check_no_open_intent(assignment_id)
            about = {"session_id": session_id, "pseudonym": pseudonym, "terminal": terminal}
            kind = IntentKind.EXIT
            intent_id = self._intend(assignment_id, draw_no, kind, authority, about)
        return Admission(terminal, draw_no, intent_id, False)

    def lookup_leaving(self, identity_number: str) -> Lookup | None:
        """Who with this number is inside, of whatever session of these hours; None: nobody."""
        return self._leaving("c.identity_number = ?", identity_number)

    def lookup_leaving_id(self, candidate_id: int) -> Lookup | None:
        return self._leaving("c.candidate_id = ?", candidate_id)

    def lookup_leaving_admission(self, admission_no: str) -> Lookup | None:
        return self._leaving("c.admission_no = ? collate nocase", admission_no)

    def lookup_leaving_ref(self, pseudonym: str) -> Lookup | None:
        return self._leaving("c.pseudonym = ?", pseudonym)

    def _leaving(self, who: str, value: Any) -> Lookup | None:
        fields = ", ".join(f"c.{name.strip()}" for name in FIELDS.split(","))
        row = self._row(
            f"select {fields}, session_id, terminal from assignments a"
            f" join candidates c using (session_id, candidate_id) where {who}"
            " and inside_at is not null and left_at is null and inside_at >= ?"
            " order by voided_at is not null, inside_at desc limit 1",
            value,
            iso(self._clock.now() - STILL_KNOWN),
        )
        if row is None:
            return None
        *candidate, session_id, terminal = row
        return Lookup(
            Standing.INSIDE, Candidate(*candidate), terminal=terminal, session_id=session_id
        )

    # --- back -------------------------------------------------------------------------------------

    def let_back(
        self,
        session_id: str,
        terminal: str,
        why: ReturnReason,
        person: str,
        *,
        note: str = "",
        approved_by: str | None = None,
    ) -> str:
        """Who has left the seat at this terminal may come in again, once. Returns the pseudonym.

        Raises `NotOpen` or `NotReturnable`; then nothing was changed.
        """
        note, approved_by = note.strip(), (approved_by or "").strip() or None
        with self._transaction():
            self._open_only(session_id)
            row = self._row(
                "select assignment_id, draw_no, left_at, pseudonym from assignments"
                " join candidates using (session_id, candidate_id)"
                " where session_id = ? and terminal = ? and voided_at is null",
                session_id,
                terminal,
            )
            if row is None or row[2] is None:
                problem = f"who has terminal {terminal} has not left"
                raise NotReturnable("return_not_left", problem, terminal=terminal)
            if approved_by is not None and approved_by.casefold() == person.casefold():
                raise NotReturnable("approval_own", "nobody approves their own decision")
            if why is ReturnReason.OTHER and not note:
                raise NotReturnable("note_missing", "the reason must be written down")
            if why is ReturnReason.OTHER and approved_by is None:
                raise NotReturnable("approval_missing", "a second person must approve this")
            assignment_id, draw_no, _, pseudonym = row
            self._db.execute(
                "update assignments set return_by = ? where assignment_id = ?",
                [person, assignment_id],
            )
            self._note(
                JournalKind.RETURN_ALLOWED,
                session_id=session_id,
                pseudonym=pseudonym,
                terminal=terminal,
                payload={
                    "draw_no": draw_no,
                    "why": why.value,
                    "note": note,
                    "person": person,
                    "approved_by": approved_by,
                },
            )
        return str(pseudonym)

    def end_release(self, what: str, person: str) -> None:
        """A person ends a release (`fire` or `drill`): whoever was inside may come in again.

        Nobody saw who went out, so nobody is taken for gone; a fresh verification at the gate
        tells. Raises `StoreError`; then the release lasts.
        """
        session = self.open_now()
        session_id = session.session_id if session else None
        with self._transaction():
            self._db.execute(
                "update assignments set released_at = ? where session_id = ? and voided_at is null"
                " and inside_at is not null and left_at is null",
                [self._now(), session_id],
            )
            self._note(
                JournalKind.GATE_EVENT,
                Reason.DRILL if what == "drill" else None,
                session_id=session_id,
                payload={"event": ENDS_OF_RELEASE[what], "by": person},
            )

    # --- the roll-call --------------------------------------------------------------------------

    def tick_outside(self, session_id: str, terminal: str, person: str, seen: bool) -> None:
        """Somebody of the roll was seen outside by this person, or the tick was a mistake; also of
        a session that is closed. Raises `NotBooked` when nobody on the roll has this terminal.
        """
        row = self._row(
            "select assignment_id, pseudonym from assignments"
            " join candidates using (session_id, candidate_id)"
            " where session_id = ? and terminal = ? and voided_at is null"
            " and inside_at is not null and left_at is null",
            session_id,
            terminal,
        )
        if row is None:
            raise NotBooked(f"nobody at terminal {terminal} is on the roll")
        assignment_id, pseudonym = row
        with self._transaction():
            self._db.execute(
                "update assignments set seen_outside_at = ?, seen_outside_by = ?"
                " where assignment_id = ?",
                [self._now() if seen else None, person if seen else None, assignment_id],
            )
            self._note(
                JournalKind.SEEN_OUTSIDE,
                session_id=session_id,
                pseudonym=pseudonym,
                terminal=terminal,
                payload={"person": person, "seen": seen},
            )

