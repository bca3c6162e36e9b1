"""A passage at a gate without sensors: only time ends it, and nobody saw how.

Pure, in the place of passage.py where a board has no inputs.
"""

from __future__ import annotations

from drivers.contracts import GateEvent, GateEventKind, GateInputs, Way


class Unseen:
    """Every unlock ends as `UNSEEN` when its time is over; nothing else is ever seen."""

    def __init__(self) -> None:
        self._until_s: float | None = None
        self._way = Way.ENTRY

    @property
    def owed(self) -> bool:
        return self._until_s is not None

    def unlocked(self, now_s: float, timeout_s: float, way: Way = Way.ENTRY) -> None:
        self._until_s, self._way = now_s + timeout_s, way

    def not_unlocked(self) -> None:
        self._until_s = None

    def released(self, on: bool) -> None:
        """Open for everybody or not: there is nothing to see either way."""

    def look(self, now_s: float, inputs: GateInputs | None = None) -> list[GateEvent]:
        if self._until_s is None or now_s < self._until_s:
            return []
        self._until_s = None
        return [GateEvent(GateEventKind.UNSEEN, now_s, self._way)]
