"""The stored roster for another encoder: embeddings made anew from the stored photographs.

Owns the order: everything is embedded before anything is replaced. Knows no encoder's inside.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kiosk.centre.roster_file import EnrolMany
from kiosk.store import Store

AT_ONCE = 128  #: photographs in memory


@dataclass(frozen=True, slots=True)
class Reembedded:
    replaced: int
    #: End of the admission number, and what is wrong with the photograph: nothing was replaced.
    unusable: tuple[tuple[str, str], ...]


def reembed(
    store: Store,
    enrol_many: EnrolMany,
    encoder: str,
    *,
    workers: int,
    person: str,
    progress: Callable[[int, int], None],
) -> Reembedded:
    """Embed whom another encoder embedded. `enrol_many` uses `encoder`. Raises `StoreError`."""
    stale = store.not_embedded_by(encoder)
    made: list[tuple[int, tuple[float, ...]]] = []
    unusable: list[tuple[str, str]] = []
    for at in range(0, len(stale), AT_ONCE):
        part = stale[at : at + AT_ONCE]
        photos = [store.photo(candidate_id) for candidate_id, _ in part]
        for (candidate_id, session_id), result in zip(
            part, enrol_many(photos, workers, lambda done: None), strict=True
        ):
            if isinstance(result, Exception):
                candidate = store.lookup_id(session_id, candidate_id).candidate
                number = "…" + candidate.admission_no[-4:] if candidate else "?"
                unusable.append((number, str(result)))
            else:
                made.append((candidate_id, result.embedding))
        progress(at + len(part), len(stale))
    if unusable or not made:
        return Reembedded(0, tuple(unusable))
    store.reembed(made, encoder, person)
    return Reembedded(len(made), ())
