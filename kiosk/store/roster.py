"""The roster: who is booked for what, with photo, templates and embedding, encrypted.

Replaced in one transaction; who already has a seat keeps it. Knows nothing of files.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kiosk.core import fingers
from kiosk.core.codes import JournalKind
from kiosk.core.types import Candidate, Lookup, Standing
from kiosk.store.base import Base, iso, standing_of
from kiosk.store.errors import StoreRefused

SALT_BYTES = 32
#: Who missed a session of the same day is sent to the proctor with its time, not as a stranger.
STILL_KNOWN = timedelta(hours=18)
FIELDS = "candidate_id, name, admission_no, identity_number, licence_class, pseudonym"


@dataclass(frozen=True, slots=True)
class RosterRow:
    """One booking. `embedding`: what `encoder` made of `photo` (a JPEG)."""

    session_id: str
    admission_no: str
    identity_number: str
    name: str
    licence_class: str
    photo: bytes
    templates: tuple[bytes, ...]
    embedding: tuple[float, ...]
    encoder: str
    accessible: bool = False  #: needs an accessible terminal
    driving_school: str = ""  #: "": not known; kept as a salted hash only
    template_format: str = fingers.ZFM
    fingers: tuple[int, ...] = ()  #: which each template is of; none: nobody said

    def __repr__(self) -> str:
        return f"RosterRow({self.session_id})"  # keeps personal data out of logs

    def digest(self) -> str:
        """Of everything in it: tells whether a row has changed."""
        h = hashlib.sha256()
        texts = (
            self.session_id,
            self.admission_no,
            self.identity_number,
            self.name,
            self.licence_class,
            self.encoder,
        )
        for part in (
            *(t.encode() for t in texts),
            self.photo,
            *self.templates,
            np.asarray(self.embedding, dtype="<f4").tobytes(),
            *((b"accessible",) if self.accessible else ()),
            *((school_key(self.driving_school),) if self.driving_school else ()),
            *((self.template_format.encode(),) if self.template_format != fingers.ZFM else ()),
            *((b"fingers" + bytes(self.fingers),) if any(self.fingers) else ()),
        ):
            h.update(len(part).to_bytes(8, "big") + part)
        return h.hexdigest()


def school_key(name: str) -> bytes:
    """A driving school's name without what only its writers see: width, case, blanks."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    return b"school\n" + "".join(plain.split()).encode()


@dataclass(frozen=True, slots=True)
class BundleMark:
    """Which bundle rows come from. It is complete: who is not in it is not booked any more."""

    serial: int
    sha256: str  #: hex, of its signed manifest
    made_at: datetime
    sessions: tuple[str, ...]  #: that it speaks for


@dataclass(frozen=True, slots=True)
class Change:
    """A booking that a bundle has ended, or left although it does not have it."""

    kind: str  #: cancelled; moved (to `to_session`); kept: has a seat already
    candidate: Candidate
    session_id: str
    to_session: str | None = None


@dataclass(frozen=True, slots=True)
class RosterSummary:
    added: int
    changed: int
    unchanged: int
    sessions: dict[str, int]
    changes: tuple[Change, ...] = ()


def _bundle_payload(bundle: BundleMark | None, changes: Sequence[Change]) -> dict[str, Any]:
    if bundle is None:
        return {}
    counts = Counter(change.kind for change in changes)
    return {
        "bundle": bundle.serial,
        "bundle_sha256": bundle.sha256,
        "cancelled": counts["cancelled"],
        "moved": counts["moved"],
        "kept": counts["kept"],
    }


class Roster(Base):
    def apply_roster(
        self,
        rows: Sequence[RosterRow],
        source: str,
        person: str,
        bundle: BundleMark | None = None,
    ) -> RosterSummary:
        """Take the rows in, all or none. A row replaces the one of the same session and number.

        With `bundle` the roster of its sessions is replaced: who is not in it is cancelled, or
        moved when they are booked for another of its sessions; who has a seat keeps it and their
        booking. Raises `StoreRefused` when a later bundle is in use.
        """
        done: Counter[str] = Counter()
        sessions = Counter(row.session_id for row in rows)
        self._refuse_duplicates(rows)
        changes: tuple[Change, ...] = ()
        with self._transaction():
            if bundle is not None:
                self._take_bundle(bundle, rows, source, person)
                changes = self._end_bookings(bundle, rows)
            self._release_admission_numbers(rows)
            for row in rows:
                done[self._apply(row, source)] += 1
            self._note(
                JournalKind.ROSTER_IMPORTED,
                payload={
                    "rows": len(rows),
                    "sessions": dict(sessions),
                    "person": person,
                    "added": done["added"],
                    "changed": done["changed"],
                }
                | _bundle_payload(bundle, changes),
            )
        return RosterSummary(
            done["added"], done["changed"], done["unchanged"], dict(sessions), changes
        )

    def last_bundle(self) -> tuple[int, str, datetime] | None:
        """Serial number, hash and making of the newest bundle that was taken in."""
        row = self._row("select serial, sha256, made_at from bundles order by serial desc limit 1")
        return (int(row[0]), str(row[1]), datetime.fromisoformat(row[2])) if row else None

    def _take_bundle(
        self, bundle: BundleMark, rows: Sequence[RosterRow], source: str, person: str
    ) -> None:
        last = self.last_bundle()
        if last is not None and bundle.serial < last[0]:
            raise StoreRefused(
                f"bundle {bundle.serial} is older than {last[0]}, which is in use; use that one"
            )
        if last is not None and bundle.serial == last[0] and bundle.sha256 != last[1]:
            raise StoreRefused(
                f"another bundle with the serial number {bundle.serial} is in use; tell the centre"
            )
        if strangers := {row.session_id for row in rows} - set(bundle.sessions):
            raise StoreRefused(f"the bundle does not speak for session {min(strangers)}")
        self._db.execute(
            "insert or ignore into bundles values (?, ?, ?, ?, ?, ?)",
            [bundle.serial, bundle.sha256, iso(bundle.made_at), source, self._now(), person],
        )

    def _end_bookings(self, bundle: BundleMark, rows: Sequence[RosterRow]) -> tuple[Change, ...]:
        coming = {(row.session_id, row.identity_number) for row in rows}
        now_in = {row.identity_number: row.session_id for row in rows}
        changes: list[Change] = []
        for session_id in bundle.sessions:
            booked = self._rows(
                f"select {FIELDS} from candidates where session_id = ? and active"
                " order by candidate_id",
                session_id,
            )
            for candidate in (Candidate(*row) for row in booked):
                if (session_id, candidate.identity_number) in coming:
                    continue
                to = now_in.get(candidate.identity_number)
                kind = "kept" if self._has_seat(candidate) else "moved" if to else "cancelled"
                changes.append(Change(kind, candidate, session_id, to))
                if kind != "kept":
                    self._db.execute(
                        "update candidates set active = 0 where candidate_id = ?",
                        [candidate.candidate_id],
                    )
        return tuple(changes)

    def _has_seat(self, candidate: Candidate) -> bool:
        return (
            self._row(
                "select 1 from assignments where candidate_id = ? and voided_at is null",
                candidate.candidate_id,
            )
            is not None
        )

    def _refuse_duplicates(self, rows: Sequence[RosterRow]) -> None:
        problems = []
        for field in ("identity_number", "admission_no"):
            seen = Counter((row.session_id, getattr(row, field)) for row in rows)
            for (session_id, _), count in seen.items():
                if count > 1:
                    problems.append(f"{count} rows of session {session_id} share one {field}")
        if problems:
            raise StoreRefused(problems)

    def _release_admission_numbers(self, rows: Sequence[RosterRow]) -> None:
        """Let candidates of this import swap admission numbers; others keep theirs.

        Raises `StoreRefused` when a number belongs to somebody who is not in this import.
        """
        coming = {(row.session_id, row.identity_number) for row in rows}
        problems = []
        for row in rows:
            held = self._row(
                "select candidate_id, identity_number from candidates"
                " where session_id = ? and admission_no = ? and active",
                row.session_id,
                row.admission_no,
            )
            if held is None or held[1] == row.identity_number:
                continue
            if (row.session_id, held[1]) not in coming:
                problems.append(
                    f"admission number …{row.admission_no[-4:]} of session {row.session_id} "
                    "belongs to another candidate of the roster in use"
                )
            self._db.execute(
                "update candidates set admission_no = ?, digest = '' where candidate_id = ?",
                [f"\0{held[0]}", held[0]],
            )
        if problems:
            raise StoreRefused(problems)

    def _apply(self, row: RosterRow, source: str) -> str:
        held = self._row(
            "select candidate_id, digest from candidates"
            " where session_id = ? and identity_number = ? and active",
            row.session_id,
            row.identity_number,
        )
        if held is not None and held[1] == row.digest():
            return "unchanged"
        scope = row.session_id
        vector = np.asarray(row.embedding, dtype="<f4").tobytes()
        values = {
            "session_id": row.session_id,
            "admission_no": row.admission_no,
            "identity_number": row.identity_number,
            "name": row.name,
            "licence_class": row.licence_class,
            "pseudonym": self._pseudonym(row.session_id, row.identity_number),
            "photo": self._vault.encrypt(scope, "photo", row.photo),
            "embedding": self._vault.encrypt(scope, "embedding", vector),
            "encoder": row.encoder,
            "accessible": int(row.accessible),
            "school": self._school(row.session_id, row.driving_school),
            "digest": row.digest(),
            "imported_at": self._now(),
            "source": source,
        }
        if held is None:
            marks = ", ".join("?" * len(values))
            cursor = self._db.execute(
                f"insert into candidates ({', '.join(values)}) values ({marks})",
                list(values.values()),
            )
            candidate_id = cursor.lastrowid
        else:
            candidate_id = held[0]
            sets = ", ".join(f"{name} = ?" for name in values)
            self._db.execute(
                f"update candidates set {sets} where candidate_id = ?",
                [*values.values(), candidate_id],
            )
            self._db.execute("delete from templates where candidate_id = ?", [candidate_id])
        named = (*row.fingers, *(0 for _ in row.templates))  # the table may say nothing of it
        for position, (template, finger) in enumerate(zip(row.templates, named, strict=False)):
            sealed = self._vault.encrypt(scope, "template", template)
            self._db.execute(
                "insert into templates (candidate_id, position, template, format, finger)"
                " values (?, ?, ?, ?, ?)",
                [candidate_id, position, sealed, row.template_format, finger],
            )
        return "added" if held is None else "changed"

    def _pseudonym(self, session_id: str, identity_number: str) -> str:
        return self._salted(session_id, identity_number.encode())

    def _school(self, session_id: str, name: str) -> str | None:
        return self._salted(session_id, school_key(name)) if name.strip() else None

    def _salted(self, session_id: str, text: bytes) -> str:
        """So that the journal can be published: HMAC-SHA256 with the session's salt, 32 digits."""
        row = self._row("select salt from salts where session_id = ?", session_id)
        if row is not None:
            salt = self._vault.decrypt(session_id, "salt", row[0])
        else:
            salt = secrets.token_bytes(SALT_BYTES)
            self._db.execute(
                "insert into salts values (?, ?)",
                [session_id, self._vault.encrypt(session_id, "salt", salt)],
            )
        return hmac.digest(salt, text, "sha256").hex()[:32]

    # --- another encoder ----------------------------------------------------------------------

    def not_embedded_by(self, encoder: str) -> list[tuple[int, str]]:
        """Candidate id and session of all whose embedding is another encoder's."""
        rows = self._rows(
            "select candidate_id, session_id from candidates where active and encoder <> ?"
            " order by candidate_id",
            encoder,
        )
        return [(int(candidate_id), str(session_id)) for candidate_id, session_id in rows]

    def reembed(
        self, embeddings: Sequence[tuple[int, Sequence[float]]], encoder: str, person: str
    ) -> None:
        """Replace the embeddings of these candidate ids, all or none, and say so."""
        with self._transaction():
            for candidate_id, embedding in embeddings:
                row = self._row(
                    "select session_id from candidates where candidate_id = ?", candidate_id
                )
                if row is None:
                    raise StoreRefused(f"there is no candidate {candidate_id}")
                vector = np.asarray(embedding, dtype="<f4").tobytes()
                self._db.execute(
                    # without a digest the next import writes the row whole again
                    "update candidates set embedding = ?, encoder = ?, digest = ''"
                    " where candidate_id = ?",
                    [self._vault.encrypt(row[0], "embedding", vector), encoder, candidate_id],
                )
            self._note(
                JournalKind.ROSTER_REEMBEDDED,
                payload={"rows": len(embeddings), "encoder": encoder, "person": person},
            )

    # --- looking up -------------------------------------------------------------------------------

    def lookup(self, session_id: str, identity_number: str) -> Lookup:
        """How this number stands with the session.

        Who is booked elsewhere is told so while that session is to come or was not long ago; the
        nearest one still to come goes before one that was missed.
        """
        row = self._row(
            f"select {FIELDS} from candidates"
            " where session_id = ? and identity_number = ? and active",
            session_id,
            identity_number,
        )
        if row is not None:
            return self._standing(session_id, Candidate(*row))
        other = self._row(
            f"select {FIELDS}, starts_at from candidates join sessions using (session_id)"
            " where identity_number = ? and active and session_id <> ? and starts_at >= ?"
            " order by checkin_until < ?, abs(julianday(starts_at) - julianday(?)) limit 1",
            identity_number,
            session_id,
            iso(self._clock.now() - STILL_KNOWN),
            *[self._now()] * 2,
        )
        if other is None:
            return Lookup(Standing.UNKNOWN)
        starts = datetime.fromisoformat(other[-1])
        return Lookup(
            Standing.OTHER_SESSION, Candidate(*other[:-1]), other_session_starts_at=starts
        )

    def lookup_id(self, session_id: str, candidate_id: int) -> Lookup:
        row = self._row(
            f"select {FIELDS} from candidates"
            " where candidate_id = ? and session_id = ? and active",
            candidate_id,
            session_id,
        )
        return self._standing(session_id, Candidate(*row)) if row else Lookup(Standing.UNKNOWN)

    def lookup_admission(self, session_id: str, admission_no: str) -> Lookup:
        """The same by admission number; in this session only, which such a number belongs to."""
        row = self._row(
            f"select {FIELDS} from candidates"
            " where session_id = ? and admission_no = ? collate nocase and active",
            session_id,
            admission_no,
        )
        return self._standing(session_id, Candidate(*row)) if row else Lookup(Standing.UNKNOWN)

    def admission_lengths(self, session_id: str | None) -> frozenset[int]:
        """How many characters this session's admission numbers have; None: those of any."""
        rows = self._rows(
            "select distinct length(admission_no) from candidates"
            " where session_id = coalesce(?, session_id) and active",
            session_id,
        )
        return frozenset(length for (length,) in rows)

    def _standing(self, session_id: str, candidate: Candidate) -> Lookup:
        signed = self._row(
            "select 1 from signatures where session_id = ? and candidate_id = ?"
            " and purpose = 'entry'",
            session_id,
            candidate.candidate_id,
        )
        seat = self._row(
            "select terminal, inside_at, left_at, released_at, return_by from assignments"
            " where session_id = ? and candidate_id = ? and voided_at is null",
            session_id,
            candidate.candidate_id,
        )
        voided = self._row(
            "select 1 from assignments where session_id = ? and candidate_id = ?"
            " and voided_at is not null",
            session_id,
            candidate.candidate_id,
        )
        terminal, inside_at, left_at, released_at, return_by = seat or (None,) * 5
        may_return = bool(return_by) or (released_at is not None and left_at is None)
        return Lookup(
            standing_of(terminal, inside_at, left_at),
            candidate,
            terminal=terminal,
            has_signature=signed is not None,
            comes_again=voided is not None,
            may_return=may_return,
            session_id=session_id,
        )

    def templates(self, candidate_id: int) -> list[fingers.Template]:
        rows = self._rows(
            "select session_id, template, format, finger"
            " from templates join candidates using (candidate_id)"
            " where candidate_id = ? order by position",
            candidate_id,
        )
        return [
            fingers.Template(self._vault.decrypt(session_id, "template", blob), format_, finger)
            for session_id, blob, format_, finger in rows
        ]

    def session_templates(self, session_id: str, format_: str) -> list[bytes]:
        """Of everybody booked in the session; everybody's first before anybody's second."""
        rows = self._rows(
            "select template from templates join candidates using (candidate_id)"
            " where session_id = ? and format = ? order by position, candidate_id",
            session_id,
            format_,
        )
        return [self._vault.decrypt(session_id, "template", blob) for (blob,) in rows]

    def photo(self, candidate_id: int) -> bytes:
        row = self._row(
            "select session_id, photo from candidates where candidate_id = ?", candidate_id
        )
        if row is None:
            raise StoreRefused(f"there is no candidate {candidate_id}")
        return self._vault.decrypt(row[0], "photo", row[1])

    def gallery(self, session_id: str, encoder: str) -> tuple[list[int], NDArray[np.float32]]:
        """Candidate ids and their embeddings (N × size), of this encoder only."""
        rows = self._rows(
            "select candidate_id, session_id, embedding from candidates"
            " where session_id = ? and encoder = ? and active order by candidate_id",
            session_id,
            encoder,
        )
        return self._vectors(rows)

    def _vectors(self, rows: list[tuple[Any, ...]]) -> tuple[list[int], NDArray[np.float32]]:
        vectors = [
            np.frombuffer(self._vault.decrypt(session_id, "embedding", blob), dtype="<f4")
            for _, session_id, blob in rows
        ]
        stacked = np.stack(vectors) if vectors else np.zeros((0, 0), dtype="<f4")
        return [candidate_id for candidate_id, *_ in rows], stacked.astype(np.float32)

    def gallery_inside(
        self, encoder: str, but: str | None
    ) -> tuple[list[int], NDArray[np.float32]]:
        """The same of who came in with an earlier session and has not left by the gate."""
        rows = self._rows(
            "select c.candidate_id, session_id, embedding from candidates c"
            " join assignments a using (session_id, candidate_id)"
            " where session_id is not ? and encoder = ? and active and inside_at >= ?"
            " and left_at is null group by c.candidate_id",
            but,
            encoder,
            iso(self._clock.now() - STILL_KNOWN),
        )
        return self._vectors(rows)

    # --- lists ------------------------------------------------------------------------------------

    def roster_status(self) -> list[dict[str, Any]]:
        rows = self._rows(
            # SQLite takes the bare column from the row that has the maximum
            "select session_id, count(*), max(imported_at), source from candidates"
            " where active group by session_id order by session_id"
        )
        keys = ("session_id", "candidates", "imported_at", "source")
        return [dict(zip(keys, row, strict=True)) for row in rows]
