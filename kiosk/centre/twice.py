"""After an import: whose photographs on the lane's rosters look like one person under two
identity numbers. The finding is kept and journalled; nothing is refused, because twins exist.

Compares embeddings; who is who a person decides.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from kiosk.centre.likeness import Link, groups, links
from kiosk.store import Store
from kiosk.store.faces import Alike

Booking = tuple[str, str]  #: session id, identity number


@dataclass(frozen=True, slots=True)
class Twice:
    """What of an import nobody has looked at."""

    alerts: list[dict[str, Any]]  #: as `Store.open_alerts` has them
    groups: list[dict[str, Any]]  #: `{"people": [one side of an alert, …], "distance": nearest}`


def note_twice(
    store: Store, encoder: str, max_distance: float, imported: Iterable[Booking], day: str
) -> Twice:
    """Hold the imported candidates against everybody of sessions not over yet.

    Pairs are told until they connect all who look like one person: of ten copies of a photograph
    nine, not forty-five. Who was told stays told. Raises `StoreError`.
    """
    everybody = store.comparable(encoder)
    ids = everybody.candidate_ids
    row_of = {candidate_id: row for row, candidate_id in enumerate(ids)}
    known = [
        (row_of[one], row_of[other])
        for one, other in store.told_alike().values()
        if one in row_of and other in row_of
    ]
    persons = [number for _, number in everybody.bookings]
    stand, more = links(everybody.embeddings, persons, max_distance, known)
    wanted = set(imported)
    rows = {n for n, booking in enumerate(everybody.bookings) if booking in wanted}
    touched = _touched([*stand, *more], rows)
    found = [Alike(ids[link.one], ids[link.other], link.distance) for link in [*stand, *more]]
    open_ids = set(store.note_alike([ids[n] for n in sorted(rows)], found, day))
    people = {ids[n] for n in touched}
    pairs = {
        alert_id: pair
        for alert_id, pair in store.told_alike().items()
        if alert_id in open_ids and people & set(pair)
    }
    alerts = [alert for alert in store.open_alerts() if alert["alert_id"] in pairs]
    return Twice(alerts, _groups(alerts, pairs))


def _groups(
    alerts: list[dict[str, Any]], pairs: dict[int, tuple[int, int]]
) -> list[dict[str, Any]]:
    """Each of them named once."""
    people: dict[int, dict[str, Any]] = {}
    for alert in alerts:
        people.update(zip(pairs[alert["alert_id"]], (alert["earlier"], alert["now"]), strict=True))
    shown = [pairs[alert["alert_id"]] for alert in alerts]
    return [
        {
            "people": [people[one] for one in group],
            "distance": min(
                alert["distance"] for alert in alerts if pairs[alert["alert_id"]][0] in group
            ),
        }
        for group in groups(shown)
    ]


def _touched(all_links: list[Link], rows: set[int]) -> set[int]:
    """Everybody in a group with one of `rows`."""
    connected = groups((link.one, link.other) for link in all_links)
    return {row for group in connected if rows & set(group) for row in group}
