"""The methods about warnings: what there is to hear of, and that somebody has.

Part of the office (kiosk.office). What raises them is kiosk.watch's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import Field

from kiosk.desks.params import NoParams, Params
from kiosk.store import Store


class Acknowledge(Params):
    warning_id: int
    note: str = Field("", max_length=200)
    person: str = Field(min_length=1, max_length=64)


class WarningDesk:
    """`changed` tells the lane's screens that there is one less."""

    def __init__(self, store: Store, changed: Callable[[], None]) -> None:
        self._store = store
        self._changed = changed
        self.methods: dict[str, tuple[type[Params], Callable[[Any], Any]]] = {
            "warning.list": (NoParams, self._list),
            "warning.acknowledge": (Acknowledge, self._acknowledge),
        }

    def _list(self, p: NoParams) -> Any:
        return {"warnings": self._store.open_warnings()}

    def _acknowledge(self, p: Acknowledge) -> Any:
        self._store.acknowledge_warning(p.warning_id, p.person, p.note)
        self._changed()
        return {}
