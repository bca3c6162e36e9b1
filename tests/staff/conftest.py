"""A store with a chief and a proctor in it, PINs that are cheap to hash, and a clock to set."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from kiosk.clock import SystemClock
from kiosk.core.staff import Person, Role
from kiosk.staff import pins
from kiosk.store import Store
from kiosk.store.vault import make_key_file

CHIEF = Person("1001", "李敏", Role.CHIEF)
PROCTOR = Person("1002", "周静", Role.PROCTOR)
TECHNICIAN = Person("1003", "王工", Role.TECHNICIAN)
PINS = {"1001": "483917", "1002": "275064", "1003": "630958"}


class Clock(SystemClock):
    """The real one, some time on."""

    def __init__(self) -> None:
        self.on = timedelta()

    def now(self) -> datetime:
        return super().now() + self.on

    def monotonic(self) -> float:
        return super().monotonic() + self.on.total_seconds()


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pins, "hasher", PasswordHasher(1, 8, 1))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def lane(tmp_path: Path, clock: Clock) -> Iterator[Path]:
    make_key_file(tmp_path / "lane.key")
    yield tmp_path


@pytest.fixture
def store(lane: Path, clock: Clock) -> Iterator[Store]:
    made = open_store(lane, clock)
    for person in (CHIEF, PROCTOR, TECHNICIAN):
        made.add_staff(person, pins.hash_pin(PINS[person.staff_no]), "root")
    yield made
    made.close()


def open_store(lane: Path, clock: Clock) -> Store:
    return Store.open(lane / "data", lane / "lane.key", clock)


def kinds(store: Store) -> list[str]:
    return [entry.kind for entry in store.entries(0, 1000)]
