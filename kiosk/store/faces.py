"""Live faces of the day, encrypted, and the alerts that one of them came under two identities.

A face is kept for its day only; an alert until a person has answered it, and then for good.
Knows distances as numbers, not what they mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kiosk.core.codes import JournalKind, Reason
from kiosk.core.sameface import Pair, Seen, Suspicion
from kiosk.core.types import Candidate, SessionState, mask_name
from kiosk.store.base import Base, iso, standing_of
from kiosk.store.errors import StoreRefused
from kiosk.store.roster import STILL_KNOWN

_PURPOSE = "face of the day"


@dataclass(frozen=True, slots=True)
class Alike:
    """Two roster rows, by candidate id, whose photographs look like one person."""

    first: int
    second: int
    distance: float

    @property
    def pair(self) -> tuple[int, int]:
        return min(self.first, self.second), max(self.first, self.second)


@dataclass(frozen=True, slots=True)
class Comparable:
    """Roster rows of one encoder, place by place. `embeddings` is N × the encoder's size."""

    candidate_ids: list[int]
    bookings: list[tuple[str, str]]  #: session id, identity number
    embeddings: NDArray[np.float32]


class Faces(Base):
    # --- faces ------------------------------------------------------------------------------------

    def keep_face(
        self,
        session_id: str,
        candidate: Candidate,
        seen: Seen,
        embedding: NDArray[np.float32],
        found: Suspicion | None,
    ) -> tuple[int, int | None]:
        """Keep a live face that came as `candidate`, with the alert it gave rise to: one
        transaction. Returns its face id, and the alert's where there is one.

        `seen.face_id` is not used. A pair that is still to be looked at has one alert, however
        often they come; each time is journalled.
        """
        vector = np.asarray(embedding, dtype="<f4").tobytes()
        with self._transaction():
            cursor = self._db.execute(
                "insert into day_faces (session_id, candidate_id, day, encoder, embedding,"
                " verified, at) values (?, ?, ?, ?, ?, ?, ?)",
                [
                    session_id,
                    candidate.candidate_id,
                    seen.day,
                    seen.encoder,
                    self._vault.encrypt(session_id, _PURPOSE, vector),
                    int(seen.verified),
                    self._now(),
                ],
            )
            face_id = int(cursor.lastrowid or 0)
            if found is None:
                return face_id, None
            return face_id, self._alert_at_lane(session_id, candidate, seen, found)

    def _alert_at_lane(
        self, session_id: str, candidate: Candidate, seen: Seen, found: Suspicion
    ) -> int:
        row = self._row(
            "select f.candidate_id, f.session_id, pseudonym from day_faces f"
            " join candidates using (candidate_id) where face_id = ?",
            found.seen.face_id,
        )
        if row is None:
            raise StoreRefused(f"there is no face {found.seen.face_id}")
        other, other_session, other_pseudonym = row
        alert_id = self._open_alert("lane", seen.day, other, candidate.candidate_id, found)
        self._note(
            JournalKind.SAME_FACE,
            Reason.FACE_SEEN_BEFORE,
            session_id=session_id,
            pseudonym=candidate.pseudonym,
            payload={
                "alert": alert_id,
                "origin": "lane",
                "other_session": other_session,
                "other_pseudonym": other_pseudonym,
                "other_verified": found.seen.verified,
                "verified": seen.verified,
                "distance": round(found.distance, 4),
                "encoder": seen.encoder,
                "more": found.more,
            },
        )
        return alert_id

    def _open_alert(self, origin: str, day: str, first: int, second: int, found: Suspicion) -> int:
        """The unanswered alert of this pair, brought up to date, or a new one."""
        held = self._row(
            "select alert_id from face_alerts where origin = ? and day = ? and answer is null"
            " and ((first = ? and second = ?) or (second = ? and first = ?))",
            origin,
            day,
            *[first, second] * 2,
        )
        values = [second, found.distance, int(found.seen.verified), self._now()]
        if held is not None:
            self._db.execute(
                "update face_alerts set first = ?, second = ?, distance = ?, verified = ?, at = ?"
                " where alert_id = ?",
                [first, *values, held[0]],
            )
            return int(held[0])
        cursor = self._db.execute(
            "insert into face_alerts (origin, day, first, second, distance, verified, at)"
            " values (?, ?, ?, ?, ?, ?, ?)",
            [origin, day, first, *values],
        )
        return int(cursor.lastrowid or 0)

    def faces_of_day(self, day: str, encoder: str) -> tuple[list[Seen], list[NDArray[np.float32]]]:
        """Faces of this day and encoder with their embeddings. Those whose session's key has
        been destroyed are not among them."""
        rows = self._rows(
            "select face_id, identity_number, f.session_id, f.embedding, verified from day_faces f"
            " join candidates using (candidate_id) join keys k on k.scope = f.session_id"
            " where day = ? and f.encoder = ? order by face_id",
            day,
            encoder,
        )
        seen = [Seen(r[0], r[1], day, encoder, bool(r[4])) for r in rows]
        vectors = [
            np.frombuffer(self._vault.decrypt(r[2], _PURPOSE, r[3]), dtype="<f4").astype(np.float32)
            for r in rows
        ]
        return seen, vectors

    def forget_faces(self, but: str) -> int:
        """Delete every face that is not of day `but`. Returns how many there were."""
        (count,) = self._rows("select count(*) from day_faces where day <> ?", but)[0]
        if count:
            with self._transaction():
                self._db.execute("delete from day_faces where day <> ?", [but])
        return int(count)

    # --- alerts -----------------------------------------------------------------------------------

    def comparable(self, encoder: str) -> Comparable:
        """Everybody on a roster of this encoder whose session is not over."""
        rows = self._rows(
            "select candidate_id, c.session_id, identity_number, embedding from candidates c"
            " left join sessions s on s.session_id = c.session_id"
            " where active and encoder = ? and (s.session_id is null or"
            " (s.state <> 'closed' and s.starts_at >= ?)) order by candidate_id",
            encoder,
            iso(self._clock.now() - STILL_KNOWN),
        )
        vectors = [
            np.frombuffer(self._vault.decrypt(session_id, "embedding", blob), dtype="<f4")
            for _, session_id, _, blob in rows
        ]
        stacked = np.stack(vectors) if vectors else np.zeros((0, 0), dtype="<f4")
        bookings = [(session_id, number) for _, session_id, number, _ in rows]
        return Comparable([r[0] for r in rows], bookings, stacked.astype(np.float32))

    def told_alike(self) -> dict[int, tuple[int, int]]:
        """Of each alert of rosters, answered or not, the two candidate ids."""
        rows = self._rows("select alert_id, first, second from face_alerts where origin = 'roster'")
        return {alert_id: (first, second) for alert_id, first, second in rows}

    def note_alike(self, imported: Sequence[int], found: Sequence[Alike], day: str) -> list[int]:
        """What an import shows: alerts for the pairs, one journal entry each; for none twice.

        Unanswered ones of the imported candidates that no longer hold (another photograph) go.
        Returns the ids of the alerts of `found` that nobody has answered yet.
        """
        standing = {alike.pair: alike for alike in found}
        touched = set(imported)
        open_ids = []
        with self._transaction():
            known: dict[tuple[int, int], tuple[int, bool]] = {}
            for alert_id, first, second, answer in self._rows(
                "select alert_id, first, second, answer from face_alerts where origin = 'roster'"
            ):
                pair = (min(first, second), max(first, second))
                if answer is None and pair not in standing and touched & set(pair):
                    self._db.execute("delete from face_alerts where alert_id = ?", [alert_id])
                else:
                    known[pair] = (alert_id, answer is not None)
            for pair, alike in sorted(standing.items()):
                alert_id, answered = known.get(pair) or (self._roster_alert(alike, day), False)
                if not answered:
                    open_ids.append(alert_id)
        return open_ids

    def _roster_alert(self, alike: Alike, day: str) -> int:
        first, second = alike.pair
        rows = {
            candidate_id: (session_id, pseudonym)
            for candidate_id, session_id, pseudonym in self._rows(
                "select candidate_id, session_id, pseudonym from candidates"
                " where candidate_id in (?, ?)",
                first,
                second,
            )
        }
        cursor = self._db.execute(
            "insert into face_alerts (origin, day, first, second, distance, verified, at)"
            " values ('roster', ?, ?, ?, ?, 0, ?)",
            [day, first, second, alike.distance, self._now()],
        )
        alert_id = int(cursor.lastrowid or 0)
        self._note(
            JournalKind.SAME_FACE,
            None,
            session_id=rows[second][0],
            pseudonym=rows[second][1],
            payload={
                "alert": alert_id,
                "origin": "roster",
                "other_session": rows[first][0],
                "other_pseudonym": rows[first][1],
                "distance": round(alike.distance, 4),
            },
        )
        return alert_id

    def answer_alert(self, alert_id: int, same: bool, person: str) -> None:
        """A person has looked: one person, or two. Raises `StoreRefused` when there is no such
        alert, or somebody has answered it."""
        row = self._row(
            "select answer, session_id, pseudonym from face_alerts"
            " join candidates on candidate_id = second where alert_id = ?",
            alert_id,
        )
        if row is None:
            raise StoreRefused(f"there is no alert {alert_id}")
        if row[0] is not None:
            raise StoreRefused(f"alert {alert_id} has been answered already")
        with self._transaction():
            self._db.execute(
                "update face_alerts set answer = ?, answered_by = ?, answered_at = ?"
                " where alert_id = ?",
                ["same" if same else "different", person, self._now(), alert_id],
            )
            self._note(
                JournalKind.SAME_FACE_ANSWERED,
                session_id=row[1],
                pseudonym=row[2],
                payload={"alert": alert_id, "same": same, "person": person},
            )

    def cleared_pairs(self, day: str) -> frozenset[Pair]:
        """Identities that a person, having them at the lane that day, found to be two people."""
        rows = self._rows(
            "select a.identity_number, b.identity_number from face_alerts"
            " join candidates a on a.candidate_id = first"
            " join candidates b on b.candidate_id = second"
            " where origin = 'lane' and answer = 'different' and day = ?",
            day,
        )
        return frozenset(frozenset(row) for row in rows)

    def open_alerts(self) -> list[dict[str, Any]]:
        """What nobody has answered yet, newest first: masked, as the proctor's lists are. Of
        rosters only while a session of the two is still to come or open."""
        rows = self._rows(
            "select alert_id, origin, at, distance, verified, first, second from face_alerts"
            " where answer is null order by origin, at desc, alert_id desc"
        )
        found = []
        for alert_id, origin, at, distance, verified, first, second in rows:
            people = [self._in_alert(candidate_id) for candidate_id in (first, second)]
            if origin == "roster" and all(
                p["session_state"] == SessionState.CLOSED for p in people
            ):
                continue
            found.append(
                {
                    "alert_id": alert_id,
                    "origin": origin,
                    "at": at,
                    "distance": round(distance, 3),
                    "earlier_verified": bool(verified),
                    "earlier": people[0],
                    "now": people[1],
                }
            )
        return found

    def _in_alert(self, candidate_id: int) -> dict[str, Any]:
        """One side of an alert: enough to find the person by, no more."""
        name, admission_no, session_id, state, terminal, inside_at, left_at = self._rows(
            "select name, admission_no, c.session_id, s.state, terminal, inside_at, left_at"
            " from candidates c left join sessions s on s.session_id = c.session_id"
            " left join assignments a on a.candidate_id = c.candidate_id and voided_at is null"
            " where c.candidate_id = ?",
            candidate_id,
        )[0]
        standing = standing_of(terminal, inside_at, left_at)
        return {
            "name": mask_name(name),
            "admission_no": "…" + admission_no[-4:],
            "session_id": session_id,
            "session_state": state,
            "standing": standing.value,
            "terminal": terminal,
        }
