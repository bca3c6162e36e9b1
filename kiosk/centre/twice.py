"""After an import: whose photographs on the lane's rosters look like one person under two
identity numbers. The finding is kept and journalled; nothing is refused, because twins exist.

Compares embeddings; who is who a person decides.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kiosk.centre.likeness import alike
from kiosk.store import Store
from kiosk.store.faces import Alike

Booking = tuple[str, str]  #: session id, identity number


def note_twice(
    store: Store, encoder: str, max_distance: float, imported: Iterable[Booking], day: str
) -> list[dict[str, Any]]:
    """Hold the imported candidates against everybody of sessions not over yet.

    Returns the pairs that nobody has looked at, as `Store.open_alerts` has them. Raises
    `StoreError`.
    """
    everybody = store.comparable(encoder)
    wanted = set(imported)
    rows = [n for n, booking in enumerate(everybody.bookings) if booking in wanted]
    persons = [number for _, number in everybody.bookings]
    ids = everybody.candidate_ids
    found = {
        one.pair: one
        for one in (
            Alike(ids[a.index], ids[a.other], a.distance)
            for a in alike(everybody.embeddings, persons, max_distance, rows)
        )
    }
    open_ids = set(store.note_alike([ids[n] for n in rows], list(found.values()), day))
    return [alert for alert in store.open_alerts() if alert["alert_id"] in open_ids]
