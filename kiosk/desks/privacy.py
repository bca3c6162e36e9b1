"""The methods about what is held of candidates, and its end.

Part of the office. When a session is due the configuration says; a person may end it earlier.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from pydantic import Field

from kiosk.core.number import NumberProblem, read
from kiosk.desks.params import NoParams, Params
from kiosk.store import Store
from kiosk.store.retention import Held
from kiosk.texts import Problem

#: Shorter than an identity number with a digit or three left out: anything may be a roster's.
ADMISSION_LENGTHS = range(1, 15)
BY_TIME = "retention"  #: why, in the journal, when nobody asked for it


class Forget(Params):
    session_id: str = Field(min_length=1, max_length=64)
    why: str = Field(min_length=1, max_length=200)
    person: str = Field(min_length=1, max_length=64)


class About(Params):
    number: str = Field(min_length=1, max_length=64, repr=False)


class PrivacyDesk:
    """`days`: how long data are kept after a session; None: nobody has decided it."""

    def __init__(self, store: Store, days: int | None) -> None:
        self._store = store
        self._days = days
        self.methods: dict[str, tuple[type[Params], Callable[[Any], Any]]] = {
            "privacy.report": (NoParams, self._report),
            "privacy.purge": (Forget, self._purge),
            "privacy.about": (About, self._about),
        }

    def forget_due(self, person: str) -> list[str]:
        """One session that is past its retention, if there is one; never many at a time.

        None while the clock is in doubt: what is destroyed by a wrong year does not come back.
        """
        if self._store.clock_in_doubt():
            return []
        due = self._store.due(self._days) if self._days is not None else []
        for session_id in due[:1]:
            self._store.forget_session(session_id, person, BY_TIME)
        return due[:1]

    def _report(self, p: NoParams) -> Any:
        due = set(self._store.due(self._days)) if self._days is not None else set()
        return {
            "days": self._days,
            "sessions": [_row(held, held.session_id in due) for held in self._store.held()],
        }

    def _purge(self, p: Forget) -> Any:
        return _row(self._store.forget_session(p.session_id, p.person, p.why), True)

    def _about(self, p: About) -> Any:
        """`problem`: nothing is held, and the number cannot be right; else it would be taken as an
        answer about the person when a finger has slipped."""
        read_as = read(p.number, ADMISSION_LENGTHS)
        if not isinstance(read_as, NumberProblem):
            return {"held": self._store.about(read_as.value), "problem": None}
        held = self._store.about(p.number.strip())
        said = Problem(f"number_{read_as}").sentence(p.lang or "zh")
        return {"held": held, "problem": None if held else said}


def _row(held: Held, due: bool) -> dict[str, Any]:
    ended = held.ended.isoformat() if held.ended is not None else None
    return asdict(held) | {"ended": ended, "due": due}
