"""Why the store did not do something: plain sentences, and for refusals a reason code."""

from __future__ import annotations

from collections.abc import Sequence

from kiosk.core.codes import Reason
from kiosk.told import Told


class StoreError(Exception):
    """The store cannot be used or could not write. `problems`: one sentence each."""

    def __init__(self, problems: Sequence[str] | str) -> None:
        self.problems = [problems] if isinstance(problems, str) else list(problems)
        super().__init__("; ".join(self.problems))


class StoreLocked(StoreError):
    """Another process is the writer."""


class NewerSchema(StoreError):
    """A newer version of the program has written this database."""


class KeyFileProblem(StoreError):
    """The lane's key file is missing, readable by others, or not a key."""


class StoreRefused(StoreError):
    """Understood and declined; nothing was changed."""

    reason: Reason | None = None


class HallFull(StoreRefused):
    """No terminal for this candidate; `reason` says whether for none at all."""

    def __init__(self, problem: str, reason: Reason = Reason.HALL_FULL) -> None:
        super().__init__(problem)
        self.reason = reason


class NotVoidable(StoreRefused):
    """A seat that cannot be given up so. `code` and `args`: its sentence in kiosk.texts."""

    def __init__(self, code: str, problem: str, **args: object) -> None:
        super().__init__(problem)
        self.code = code
        self.about = args


class NotStaff(StoreRefused):
    """Something about the staff that cannot be. `code` and `args`: its sentence in kiosk.texts."""

    def __init__(self, code: str, problem: str, **args: object) -> None:
        super().__init__(problem)
        self.code = code
        self.about = args


class NotHelpable(StoreRefused):
    """A help request that is not there, or over."""


class NotSignable(StoreRefused):
    """A score that cannot be signed for now. `code`: its sentence in kiosk.texts."""

    def __init__(self, code: str, problem: str) -> None:
        super().__init__(problem)
        self.code = code


class AlreadyInside(StoreRefused):
    reason = Reason.ALREADY_INSIDE


class AlreadyLeft(StoreRefused):
    reason = Reason.ALREADY_LEFT


class NotInside(StoreRefused):
    reason = Reason.NOT_INSIDE


class AtTheGate(StoreRefused):
    """The gate is open for this candidate just now, or how that ended is not known yet."""

    reason = Reason.GATE_UNKNOWN


class NotReturnable(StoreRefused):
    """Who cannot be let in again so. `code` and `about`: its sentence in kiosk.texts."""

    def __init__(self, code: str, problem: str, **args: object) -> None:
        super().__init__(problem)
        self.code = code
        self.about = args


class NotOpen(StoreRefused):
    reason = Reason.SESSION_NOT_OPEN


class NotBooked(StoreRefused):
    """Not on this session's roster, whatever the caller holds in hand."""

    reason = Reason.NOT_ON_ROSTER


class NoSignature(StoreRefused):
    reason = Reason.SIGNATURE_EMPTY


def no_session(session_id: str) -> Told:
    return Told(f"there is no session {session_id}", f"没有场次 {session_id}")
