"""Another encoder: the stored roster is embedded anew, all of it or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from kiosk.centre.reembed import reembed
from kiosk.clock import SystemClock
from kiosk.core.idnumber import check_character
from kiosk.store import RosterRow, Store
from kiosk.store.errors import StoreRefused
from kiosk.store.vault import make_key_file

OLD, NEW = "old-v1", "new-v2"


def _row(n: int, encoder: str = OLD) -> RosterRow:
    first17 = f"37060219800101{n:03d}"
    return RosterRow(
        "S1", f"A{n:05d}", first17 + check_character(first17), f"考生{n}", "C1",
        f"photo {n}".encode(), (), tuple([float(n)] * 128), encoder,
    )  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    make_key_file(tmp_path / "lane.key")
    store = Store.open(tmp_path / "data", tmp_path / "lane.key", SystemClock())
    store.create_session("S1", "科目一", datetime.now(UTC), ["1", "2", "3", "4"], person="t")
    store.apply_roster([_row(0), _row(1), _row(2, NEW), _row(3)], "test", "t")
    yield store
    store.close()


def _engine(spoiled: bytes = b"") -> Callable[..., list[Any]]:
    def enrol_many(
        photos: Sequence[bytes], workers: int, progress: Callable[[int], None]
    ) -> list[Any]:
        return [
            ValueError("blurred")
            if photo == spoiled
            else SimpleNamespace(embedding=(float(photo[-1]),) * 256, encoder=NEW)
            for photo in photos
        ]

    return enrol_many


def _again(store: Store, spoiled: bytes = b"") -> Any:
    heard: list[tuple[int, int]] = []
    done = reembed(store, _engine(spoiled), NEW, workers=1, person="t",
                   progress=lambda at, of: heard.append((at, of)))  # fmt: skip
    return done, heard


def test_only_the_others_are_embedded_anew(store: Store) -> None:
    before = dict(zip(*store.gallery("S1", NEW), strict=True))
    done, heard = _again(store)
    assert (done.replaced, done.unusable, heard) == (3, (), [(3, 3)])
    assert store.not_embedded_by(NEW) == []
    ids, vectors = [], []
    for candidate_id, session_id in store.not_embedded_by("any"):
        assert session_id == "S1"
        photo = store.photo(candidate_id)
        ids.append(candidate_id)
        vectors.append(float(photo[-1]))
    untouched = next(iter(before))
    rows = store._rows("select candidate_id, encoder from candidates order by 1")
    assert {encoder for _, encoder in rows} == {NEW}
    store._db.execute("update candidates set active = 0 where candidate_id = ?", [untouched])
    got_ids, got = store.gallery("S1", NEW)
    assert got.shape == (3, 256)
    for candidate_id, vector in zip(got_ids, got, strict=True):
        assert np.allclose(vector, vectors[ids.index(candidate_id)])
    last = store.entries(0, 100, None)[-1]
    assert last.kind == "roster_reembedded"
    assert last.payload == {"rows": 3, "encoder": NEW, "person": "t"}


def test_again_changes_nothing(store: Store) -> None:
    _again(store)
    size = store.entries(0, 100, None)[-1].seq
    assert _again(store)[0].replaced == 0
    assert store.entries(0, 100, None)[-1].seq == size


def test_one_unusable_photograph_and_nothing_is_replaced(store: Store) -> None:
    done, _ = _again(store, spoiled=b"photo 1")
    assert done.replaced == 0
    assert done.unusable == (("…0001", "blurred"),)
    assert len(store.not_embedded_by(NEW)) == 3


def test_an_unknown_candidate_undoes_the_whole(store: Store) -> None:
    (first, _), *_rest = store.not_embedded_by(NEW)
    with pytest.raises(StoreRefused):
        store.reembed([(first, (1.0,)), (999, (1.0,))], NEW, "t")
    assert len(store.not_embedded_by(NEW)) == 3


def test_the_next_import_writes_the_row_whole(store: Store) -> None:
    _again(store)
    summary = store.apply_roster([_row(0, NEW)], "test", "t")
    assert (summary.changed, summary.unchanged) == (1, 0)
