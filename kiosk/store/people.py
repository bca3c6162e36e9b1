"""Who somebody is, in full: for the session's report and for handing one candidate's record over.

The only readers that give names and numbers out unmasked; who asks is journalled by the caller.
"""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.store.base import Base


@dataclass(frozen=True, slots=True)
class Person:
    """One booking."""

    candidate_id: int
    session_id: str
    pseudonym: str
    name: str
    admission_no: str
    licence_class: str

    def __repr__(self) -> str:
        return f"Person({self.candidate_id})"  # keeps personal data out of logs


_FIELDS = "candidate_id, session_id, pseudonym, name, admission_no, licence_class"


class People(Base):
    def people(self, session_id: str) -> list[Person]:
        """Everybody booked, by admission number."""
        rows = self._rows(
            f"select {_FIELDS} from candidates where session_id = ? and active"
            " order by admission_no",
            session_id,
        )
        return [Person(*row) for row in rows]

    def find_people(self, number: str, session_id: str | None = None) -> list[Person]:
        """Bookings with this identity or admission number, the newest session first."""
        fields = ", ".join(f"c.{name}" for name in _FIELDS.split(", "))
        rows = self._rows(
            f"select {fields} from candidates c left join sessions s using (session_id)"
            " where active and (identity_number = ?1 collate nocase"
            " or admission_no = ?1 collate nocase) and c.session_id = coalesce(?2, c.session_id)"
            " order by s.starts_at desc, c.session_id",
            number,
            session_id,
        )
        return [Person(*row) for row in rows]

    def candidate_entries(self, person: Person) -> list[tuple[int, str]]:
        """Number and exact text of all that the journal has of them in this session: their own,
        the session's opening and closing, and alerts of other identities that name them."""
        rows = self._rows(
            "select seq, entry from journal where session_id = ?1 and (pseudonym = ?2"
            " or kind in ('session_opened', 'session_closed'))"
            " union select seq, entry from journal where seq > (select min(seq) from journal"
            "  where session_id = ?1) and kind = 'same_face'"
            "  and json_extract(entry, '$.payload.other_pseudonym') = ?2 order by seq",
            person.session_id,
            person.pseudonym,
        )
        return [(int(seq), str(text)) for seq, text in rows]
