"""The lane's staff: who they are, their PIN's hash (encrypted), and wrong PINs in a row.

Each change is one transaction together with its journal entry. It must not know how a PIN is
hashed, nor who is logged in where.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kiosk.core.codes import JournalKind
from kiosk.core.staff import Person, Role, is_staff_name, is_staff_no, plain_name
from kiosk.store.base import Base
from kiosk.store.errors import NotStaff

#: Of the vault; no session can be called so, because a backslash is in no name.
SCOPE = "\\staff"
_FIELDS = "staff_no, name, role"


@dataclass(frozen=True, slots=True)
class StaffRow:
    """One of the staff as a list shows them."""

    person: Person
    created_at: str
    disabled_at: str | None
    failures: int
    failed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Secret:
    """What a PIN is held against."""

    person: Person
    pin_hash: str
    failures: int
    failed_at: datetime | None

    def __repr__(self) -> str:
        return f"Secret({self.person.staff_no})"


class Staff(Base):
    def staff(self) -> list[StaffRow]:
        """Everybody, also who may no longer log in, by number."""
        rows = self._rows(
            f"select {_FIELDS}, created_at, disabled_at, failures, failed_at from staff"
            " order by length(staff_no), staff_no"
        )
        return [StaffRow(_person(row), row[3], row[4], row[5], _moment(row[6])) for row in rows]

    def has_staff(self) -> bool:
        """Whether anybody can log in at all."""
        return self._row("select 1 from staff where disabled_at is null limit 1") is not None

    def staff_person(self, staff_no: str) -> Person | None:
        """None: nobody has this number, or they may no longer log in."""
        row = self._row(
            f"select {_FIELDS} from staff where staff_no = ? and disabled_at is null", staff_no
        )
        return _person(row) if row else None

    def staff_secret(self, staff_no: str) -> Secret | None:
        row = self._row(
            f"select {_FIELDS}, pin, failures, failed_at from staff"
            " where staff_no = ? and disabled_at is null",
            staff_no,
        )
        if row is None:
            return None
        pin = self._vault.decrypt(SCOPE, f"pin {staff_no}", row[3]).decode()
        return Secret(_person(row), pin, row[4], _moment(row[5]))

    def add_staff(self, person: Person, pin_hash: str, by: str) -> None:
        """Raises `NotStaff`. Who was disabled comes back under the same name only."""
        if not is_staff_no(person.staff_no):
            raise NotStaff("staff_no_form", f"{person.staff_no!r} is not 1 to 12 digits")
        if not is_staff_name(person.name):
            raise NotStaff("staff_name_form", "a name has 1 to 32 printable characters")
        before = self._row(
            "select name, disabled_at from staff where staff_no = ?", person.staff_no
        )
        if before is not None and (before[1] is None or before[0] != person.name):
            raise NotStaff("staff_exists", "the number is taken", staff_no=person.staff_no)
        for other in self.staff():
            same = plain_name(other.person.name) == plain_name(person.name)
            if same and other.disabled_at is None:
                about = {"name": person.name, "staff_no": other.person.staff_no}
                raise NotStaff("staff_same_name", "somebody has this name", **about)
        with self._transaction():
            self._db.execute(
                "insert into staff (staff_no, name, role, pin, created_at) values (?, ?, ?, ?, ?)"
                " on conflict (staff_no) do update set role = excluded.role, pin = excluded.pin,"
                " created_at = excluded.created_at, disabled_at = null, failures = 0,"
                " failed_at = null",
                [person.staff_no, person.name, person.role.value,
                 self._sealed(person.staff_no, pin_hash), self._now()],
            )  # fmt: skip
            self._note_staff(JournalKind.STAFF_ADDED, person, by=by)

    def set_staff_pin(self, staff_no: str, pin_hash: str, by: str) -> None:
        """A new PIN; who had to wait no longer does. Raises `NotStaff`."""
        person = self._known_staff(staff_no)
        with self._transaction():
            self._db.execute(
                "update staff set pin = ?, failures = 0, failed_at = null where staff_no = ?",
                [self._sealed(staff_no, pin_hash), staff_no],
            )
            self._note_staff(JournalKind.STAFF_PIN_SET, person, by=by)

    def disable_staff(self, staff_no: str, by: str) -> None:
        """They may no longer log in; what they did stays theirs. Raises `NotStaff`."""
        person = self._known_staff(staff_no)
        others = self._row(
            "select 1 from staff where role = 'chief' and disabled_at is null and staff_no <> ?",
            staff_no,
        )
        if person.role is Role.CHIEF and others is None:
            raise NotStaff("staff_last_chief", "the last chief stays")
        with self._transaction():
            self._db.execute(
                "update staff set disabled_at = ? where staff_no = ?", [self._now(), staff_no]
            )
            self._note_staff(JournalKind.STAFF_DISABLED, person, by=by)

    # --- PINs -----------------------------------------------------------------------------------

    def count_wrong_pin(self, staff_no: str) -> int:
        """Count a try as wrong, before it is known: so none is free, whatever is cut off.

        Returns how many in a row that makes.
        """
        with self._transaction():
            self._db.execute(
                "update staff set failures = failures + 1, failed_at = ? where staff_no = ?",
                [self._now(), staff_no],
            )
        row = self._row("select failures from staff where staff_no = ?", staff_no)
        return int(row[0]) if row else 0

    def note_right_pin(self, person: Person, kind: JournalKind | None, **about: Any) -> None:
        """It was right after all; `kind` is what it was used for, where that is journalled here."""
        with self._transaction():
            self._db.execute(
                "update staff set failures = 0, failed_at = null where staff_no = ?",
                [person.staff_no],
            )
            if kind is not None:
                self._note_staff(kind, person, **about)

    def note_staff(self, kind: JournalKind, person: Person | None, **about: Any) -> None:
        """Something that one of the staff did, or somebody who is none."""
        with self._transaction():
            self._note_staff(kind, person, **about)

    def _note_staff(self, kind: JournalKind, person: Person | None, **about: Any) -> None:
        by = about.pop("by", None)
        who = {"staff_no": person.staff_no if person else None}
        if person is not None:
            who |= {"name": person.name, "role": person.role.value}
        if by is not None:
            about["person"] = by
        self._note(kind, payload=who | about)

    def _sealed(self, staff_no: str, pin_hash: str) -> bytes:
        """A copy of the database alone is not enough to try PINs against."""
        return self._vault.encrypt(SCOPE, f"pin {staff_no}", pin_hash.encode())

    def _known_staff(self, staff_no: str) -> Person:
        person = self.staff_person(staff_no)
        if person is None:
            raise NotStaff("staff_unknown", f"nobody has number {staff_no}", staff_no=staff_no)
        return person


def _person(row: tuple[Any, ...]) -> Person:
    return Person(row[0], row[1], Role(row[2]))


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
