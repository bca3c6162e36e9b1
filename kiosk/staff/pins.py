"""PINs: hashed with argon2id, and held against the hash while wrong ones are counted.

Knows the store's staff; not screens, connections or what a PIN is used for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from kiosk.clock import Clock
from kiosk.core.codes import JournalKind
from kiosk.core.staff import Person, left_to_wait_s, wait_s
from kiosk.store import Store
from kiosk.store.staff import Secret

#: RFC 9106 §4, second recommended choice: 64 MiB, 3 passes, 4 lanes.
hasher = PasswordHasher()


class WrongPin(Exception):
    """Number and PIN do not fit; which of the two is wrong is not said."""


class MustWait(Exception):
    """Too many wrong PINs in a row."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"{seconds:.0f} s")
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class Attempt:
    """One PIN to be tried. `fits` may run in any thread; all else is the caller's."""

    staff_no: str
    secret: Secret | None  #: None: nobody has this number
    failures: int  #: with this one, until it is known to be right

    def fits(self, pin: str) -> bool:
        """Some 150 ms, as long for a number that nobody has."""
        if self.secret is None:
            hasher.hash(pin)
            return False
        try:
            return hasher.verify(self.secret.pin_hash, pin)
        except (VerificationError, InvalidHashError):
            return False


def hash_pin(pin: str) -> str:
    """As argon2's encoded string, with its parameters and salt."""
    return hasher.hash(pin)


class Pins:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def begin(self, staff_no: str) -> Attempt:
        """Count the try, on disk, before it is made. Raises `MustWait`."""
        secret = self._store.staff_secret(staff_no)
        if secret is None:
            return Attempt(staff_no, None, 0)
        left = left_to_wait_s(secret.failures, secret.failed_at, self._clock.now())
        if left > 0:
            raise MustWait(left)
        return Attempt(staff_no, secret, self._store.count_wrong_pin(staff_no))

    def end(
        self, attempt: Attempt, fits: bool, purpose: str, kind: JournalKind | None, **about: Any
    ) -> Person:
        """Journal how it went: a right one as `kind`, where given. Raises `WrongPin`.

        A number that nobody has is not journalled: it may be a PIN in the wrong field.
        """
        person = attempt.secret.person if attempt.secret else None
        if fits and person is not None:
            self._store.note_right_pin(person, kind, **about)
            return person
        failed = {"failures": attempt.failures, "purpose": purpose}
        self._store.note_staff(JournalKind.STAFF_LOGIN_FAILED, person, **failed)
        if (seconds := wait_s(attempt.failures)) > 0:
            out = {"failures": attempt.failures, "wait_s": round(seconds)}
            self._store.note_staff(JournalKind.STAFF_LOCKED_OUT, person, **out)
        raise WrongPin

    def check(self, staff_no: str, pin: str, purpose: str) -> Person:
        """All at once, where nothing else waits. Raises `MustWait` or `WrongPin`."""
        attempt = self.begin(staff_no)
        return self.end(attempt, attempt.fits(pin), purpose, None)
