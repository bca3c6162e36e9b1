"""The proctor's list of a session's candidates: masked, with where each one is.

Looks at names and numbers in full to find somebody; gives them out for a roll-call only.
"""

from __future__ import annotations

from typing import Any

from kiosk import names
from kiosk.core.types import mask_name
from kiosk.store.base import Base, iso, standing_of
from kiosk.store.roster import STILL_KNOWN


class Booked(Base):
    def roll(self, session_id: str) -> list[dict[str, Any]]:
        """Everybody who is inside, in full, by terminal, and who was seen outside meanwhile: for a
        roll-call after an alarm."""
        return self._roll("session_id = ?", session_id)

    def roll_now(self, session_id: str | None) -> list[dict[str, Any]]:
        """The same of the open session, if one is, and of who came in with an earlier one these
        hours and has not left: where the gate lets people out, that is known."""
        since = iso(self._clock.now() - STILL_KNOWN)
        return self._roll(
            "(session_id = ? or (exit_gate and inside_at >= ?))", session_id, since
        )

    def _roll(self, of: str, *about: Any) -> list[dict[str, Any]]:
        rows = self._rows(
            "select session_id, terminal, name, admission_no, inside_at, accessible,"
            " seen_outside_at, seen_outside_by from candidates c"
            " join assignments a using (session_id, candidate_id)"
            f" join sessions s using (session_id) where {of}"
            " and voided_at is null and inside_at is not null and left_at is null"
            " order by starts_at desc, length(terminal), terminal",
            *about,
        )
        return [
            {
                "session_id": own,
                "terminal": terminal,
                "name": name,
                "admission_no": admission_no,
                "since": since,
                "accessible": bool(accessible),
                "seen_at": seen_at,
                "seen_by": seen_by,
            }
            for own, terminal, name, admission_no, since, accessible, seen_at, seen_by in rows
        ]

    def candidates(self, session_id: str, query: str = "") -> list[dict[str, Any]]:
        """For the proctor's list: masked, with where each one is and what happened last.

        `query`: only those whom it means (kiosk.names); it looks at names and numbers in full.
        """
        rows = self._rows(
            "select name, admission_no, identity_number, pseudonym, terminal, draw_no, inside_at,"
            " left_at, coalesce(inside_at > starts_at, 0), accessible, left_at is not null"
            " or (not coalesce(exit_gate, 0) and exists (select 1 from signatures g"
            " where g.session_id = c.session_id and g.candidate_id = c.candidate_id"
            " and purpose = 'exit' and g.draw_no = a.draw_no)),"
            " released_at is not null and left_at is null, return_by is not null"
            " from candidates c left join sessions s on s.session_id = c.session_id"
            " left join assignments a on a.session_id = c.session_id"
            " and a.candidate_id = c.candidate_id and voided_at is null"
            " where c.session_id = ? and active order by admission_no",
            session_id,
        )
        last = {
            pseudonym: (reason, at)
            for pseudonym, reason, at in self._rows(
                "select pseudonym, reason, at from journal where session_id = ?"
                " and pseudonym is not null and reason is not null order by seq",
                session_id,
            )
        }
        found = []
        for name, admission_no, number, pseudonym, terminal, draw_no, *more in rows:
            if not names.found(query, name, (admission_no, number)):
                continue
            standing = standing_of(terminal, *more[:2])
            late, accessible, left, released, returns = map(bool, more[2:])
            reason, at = last.get(pseudonym, (None, None))
            found.append(
                {
                    "ref": pseudonym,
                    "name": mask_name(name),
                    "admission_no": "…" + admission_no[-4:],
                    "standing": standing.value,
                    "terminal": terminal,
                    "draw_no": draw_no,
                    "late": late,
                    "left": left,
                    "released": released,
                    "returns": returns,
                    "accessible": accessible,
                    "last_reason": reason,
                    "last_at": at,
                }
            )
        return found
