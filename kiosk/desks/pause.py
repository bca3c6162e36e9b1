"""The methods by which a session is paused and goes on: nobody new begins meanwhile.

Part of the office (kiosk.office).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import Field

from kiosk.core.codes import PauseReason
from kiosk.core.types import Session
from kiosk.desks.params import Params
from kiosk.store import Store
from kiosk.store.errors import NotOpen
from kiosk.texts import Problem
from kiosk.wire import RpcError


class WhichSession(Params):
    session_id: str = Field(max_length=64)
    person: str = Field(min_length=1, max_length=64)


class WhyPaused(WhichSession):
    why: PauseReason
    note: str = Field("", max_length=200)


class PauseDesk:
    def __init__(
        self,
        store: Store,
        declined: Callable[..., RpcError],
        describe: Callable[[Session], dict[str, Any]],
        session_changed: Callable[[], None],
    ) -> None:
        self._store = store
        self._declined = declined
        self._describe = describe
        self._session_changed = session_changed
        self.methods: dict[str, tuple[type[Params], Callable[[Any], Any]]] = {
            "session.pause": (WhyPaused, self._pause),
            "session.resume": (WhichSession, self._resume),
        }

    def _pause(self, p: WhyPaused) -> Any:
        if p.why is PauseReason.OTHER and not p.note.strip():
            raise self._declined("NOTE_MISSING", [Problem("note_missing")], p.lang)
        return self._do(p, lambda: self._store.pause_session(
            p.session_id, p.why, p.note.strip(), p.person))  # fmt: skip

    def _resume(self, p: WhichSession) -> Any:
        return self._do(p, lambda: self._store.resume_session(p.session_id, p.person))

    def _do(self, p: WhichSession, act: Callable[[], Session]) -> Any:
        try:
            session = act()
        except NotOpen as refused:
            problem = Problem("not_open", {"session_id": p.session_id})
            raise self._declined("NOT_OPEN", [problem], p.lang) from refused
        self._session_changed()
        return self._describe(session)
