"""Keeps the disk from filling with evidence: removes the oldest that the configuration lets go.

One a daemon, called now and then; each call removes a little, so that the lane goes on meanwhile.
The journal never goes. What is evidence, and how it is removed, the store knows.
"""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from kiosk.store import Store
from kiosk.store.evidence import EvidenceKind, Thinned
from kiosk.watch import LOW_DISK

log = structlog.get_logger(__name__)

AT_ONCE = 200  #: pieces removed in one call: some tens of milliseconds
#: Kept free inside the database while the disk is nearly full, so that its file need not grow.
RESERVE_MB = 64


class Room:
    """`above_mb`: of the database; None: nothing is ever removed. `kinds`: in this order."""

    def __init__(
        self,
        store: Store,
        *,
        above_mb: int | None,
        min_free_mb: int,
        kinds: Sequence[EvidenceKind],
    ) -> None:
        self._store = store
        self._above_mb = above_mb
        self._min_free_mb = min_free_mb
        self._kinds = kinds

    def look(self) -> Thinned | None:
        """Remove a little where that is needed. Raises `StoreError`."""
        why = self._why()
        if why is None:
            return None
        thinned = self._store.thin(self._kinds, AT_ONCE, why)
        if thinned is not None:
            log.warning(
                "evidence_thinned",
                what=thinned.what,
                count=thinned.count,
                unsent=thinned.unsent,
                why=why,
            )
        return thinned

    def _why(self) -> str | None:
        """`database` or `disk`, in the journal; None: there is room."""
        if self._above_mb is None:
            return None
        if self._store.used_mb() > self._above_mb:
            return "database"
        low = self._store.free_mb() < LOW_DISK * self._min_free_mb
        return "disk" if low and self._store.reusable_mb() < RESERVE_MB else None
