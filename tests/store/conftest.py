"""Stores in temporary folders, and rows without anybody's face in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kiosk.clock import SystemClock
from kiosk.core.idnumber import check_character
from kiosk.store import RosterRow, Store
from kiosk.store.vault import make_key_file


def row(n: int, session_id: str = "S1", **change: object) -> RosterRow:
    first17 = f"37060219800101{n:03d}"
    values: dict[str, object] = {
        "session_id": session_id,
        "admission_no": f"A{n:05d}",
        "identity_number": first17 + check_character(first17),
        "name": f"考生{n}",
        "licence_class": "C1",
        "photo": f"photo {n}".encode(),
        "templates": (bytes([n % 256]) * 512,),
        "embedding": tuple((n % 7 + i) / 128 for i in range(128)),
        "encoder": "dlib-resnet-v1",
    }
    return RosterRow(**(values | change))  # type: ignore[arg-type]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_key_file(tmp_path / "lane.key")
    return tmp_path


@pytest.fixture
def open_store(folder: Path) -> Iterator[Callable[[], Store]]:
    opened: list[Store] = []

    def opener() -> Store:
        opened.append(Store.open(folder / "data", folder / "lane.key", SystemClock()))
        return opened[-1]

    yield opener
    for store in opened:
        store.close()


@pytest.fixture
def store(open_store: Callable[[], Store]) -> Store:
    """Session S1 is open with three terminals and four candidates."""
    store = open_store()
    store.create_session("S1", "科目一", datetime.now(UTC), ["001", "002", "003"], person="t")
    store.apply_roster([row(n) for n in range(4)], "test", "t")
    store.open_session("S1", "t")
    return store


def candidate_of(store: Store, n: int):
    lookup = store.lookup("S1", row(n).identity_number)
    assert lookup.candidate is not None
    return lookup.candidate


def admit(store: Store, n: int):
    who = candidate_of(store, n)
    store.save_signature("S1", who, f"strokes of {n}".encode(), "0" * 64)
    return store.admit("S1", who)
