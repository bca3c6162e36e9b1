"""The methods about what goes to the centre: what waits, what was rejected, and once more.

Part of the office. Sending is kiosk.centre.upload's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from pydantic import Field

from kiosk.desks.params import NoParams, Params
from kiosk.store import Store


class Again(Params):
    person: str = Field(min_length=1, max_length=64)
    since: int | None = Field(None, ge=1)  #: entry from which the centre has lost what it had


class OutboxDesk:
    def __init__(self, store: Store) -> None:
        self._store = store
        self.methods: dict[str, tuple[type[Params], Callable[[Any], Any]]] = {
            "outbox.status": (NoParams, self._status),
            "outbox.again": (Again, self._again),
        }

    def _status(self, p: NoParams) -> Any:
        kinds = self._store.outbox_kinds()
        return {
            "waiting": sum(kind.waiting for kind in kinds),
            "total": sum(kind.total for kind in kinds),
            "oldest": self._store.outbox_oldest(),
            "kinds": [asdict(kind) for kind in kinds],
            "rejected": self._store.outbox_rejected(),
        }

    def _again(self, p: Again) -> Any:
        return {"rows": self._store.outbox_again(p.since)}
