"""PINs: weak ones refused, wrong ones counted over a restart, nothing readable on the disk."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.core.staff import (
    FREE_TRIES,
    LONGEST_WAIT_S,
    Person,
    PinProblem,
    Role,
    left_to_wait_s,
    looks_like_signature,
    may_approve,
    pin_problem,
    wait_s,
)
from kiosk.staff.pins import MustWait, Pins, WrongPin, hash_pin
from kiosk.store import Store
from kiosk.store.errors import NotStaff
from tests.staff.conftest import CHIEF, PINS, PROCTOR, TECHNICIAN, Clock, kinds, open_store

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)


@pytest.mark.parametrize(("pin", "problem"), [
    ("12345", PinProblem.LENGTH), ("1234567890123", PinProblem.LENGTH), ("48a913", "digits"),
    ("４８０９１３", "digits"), ("111111", "easy"), ("121212", "easy"), ("123123", "easy"),
    ("123456", "easy"), ("987654", "easy"), ("890123", "easy"), ("112233", "easy"),
    ("19900412", "easy"), ("900412", "easy"), ("520520", "easy"), ("330030", "easy"),
    ("100148", "number"), ("771001", "number"), ("483917", None), ("27506481", None),
])  # fmt: skip
def test_a_pin_that_anybody_tries_first_is_refused(pin: str, problem: str | None) -> None:
    assert pin_problem(pin, "1001") == problem


@given(st.integers(0, 60), st.integers(-10_000, 10_000))
def test_waiting_grows_and_a_clock_set_back_never_makes_it_longer(failures: int, ago: int) -> None:
    assert 0 <= wait_s(failures) <= wait_s(failures + 1) <= LONGEST_WAIT_S
    assert (wait_s(failures) > 0) == (failures >= FREE_TRIES)
    left = left_to_wait_s(failures, NOW - timedelta(seconds=ago), NOW)
    assert 0 <= left <= wait_s(failures)


def test_who_may_approve() -> None:
    other = Person("1009", "赵", Role.PROCTOR)
    assert may_approve(PROCTOR, CHIEF) and may_approve(CHIEF, PROCTOR)
    assert may_approve(None, CHIEF)
    assert not may_approve(CHIEF, CHIEF), "nobody approves themselves"
    assert not may_approve(PROCTOR, other) and not may_approve(None, PROCTOR), "one is a chief"
    assert not may_approve(CHIEF, TECHNICIAN)


def test_who_has_logged_in_cannot_be_imitated_by_hand() -> None:
    assert looks_like_signature(CHIEF.signature) and looks_like_signature(" 1 x ")
    assert not looks_like_signature("李老师") and not looks_like_signature("1001")


def test_right_and_wrong(store: Store, clock: Clock) -> None:
    pins = Pins(store, clock)
    assert pins.check("1001", PINS["1001"], "login") == CHIEF
    for number, pin in (("1001", PINS["1002"]), ("9999", PINS["1001"])):
        with pytest.raises(WrongPin):
            pins.check(number, pin, "login")
    failed = [e.payload for e in store.entries(0, 100) if e.kind == "staff_login_failed"]
    assert [p["staff_no"] for p in failed] == ["1001", None], "an unknown number may be a PIN"
    assert "9999" not in str(failed)


def test_wrong_pins_make_wait_longer_each_time_also_over_a_restart(
    store: Store, lane: Path, clock: Clock
) -> None:
    def fail(seconds: float) -> None:
        clock.on += timedelta(seconds=seconds)
        with pytest.raises(WrongPin):
            Pins(store, clock).check("1001", "000000", "login")

    for _ in range(3):
        fail(0)
    with pytest.raises(MustWait) as wait:
        Pins(store, clock).check("1001", PINS["1001"], "login")
    assert 25 < wait.value.seconds <= 30
    store.close()
    store = open_store(lane, clock)
    with pytest.raises(MustWait):
        Pins(store, clock).check("1001", PINS["1001"], "login")
    fail(31)
    with pytest.raises(MustWait) as wait:
        Pins(store, clock).check("1001", PINS["1001"], "login")
    assert 55 < wait.value.seconds <= 60
    assert Pins(store, clock).check("1002", PINS["1002"], "login") == PROCTOR, "others may"
    clock.on += timedelta(seconds=61)
    assert Pins(store, clock).check("1001", PINS["1001"], "login") == CHIEF
    fail(0)
    out = [e.payload["wait_s"] for e in store.entries(0, 100) if e.kind == "staff_locked_out"]
    assert out == [30, 60], "after the right one it begins anew"
    store.close()


def test_a_try_that_was_cut_off_counts(store: Store, clock: Clock) -> None:
    pins = Pins(store, clock)
    for _ in range(3):
        pins.begin("1001")  # the daemon is killed before it knows
    with pytest.raises(MustWait):
        pins.begin("1001")


def test_a_new_pin_ends_the_wait_and_a_disabled_one_is_out(store: Store, clock: Clock) -> None:
    pins = Pins(store, clock)
    for _ in range(3):
        pins.begin("1002")
    store.set_staff_pin("1002", hash_pin("918273"), "1001 李敏")
    assert pins.check("1002", "918273", "login") == PROCTOR
    store.disable_staff("1002", "1001 李敏")
    with pytest.raises(WrongPin):
        pins.check("1002", "918273", "login")
    with pytest.raises(NotStaff) as refused:
        store.disable_staff("1001", "root")
    assert refused.value.code == "staff_last_chief"
    with pytest.raises(NotStaff):
        store.add_staff(Person("1002", "别人", Role.PROCTOR), "x", "root")
    store.add_staff(Person("1002", "周静", Role.CHIEF), hash_pin("564738"), "root")
    assert pins.check("1002", "564738", "login").role is Role.CHIEF
    assert kinds(store)[-3:] == ["staff_disabled", "staff_login_failed", "staff_added"]


def test_a_copy_of_the_database_has_no_hash(store: Store, lane: Path) -> None:
    assert store.staff_secret("1001") is not None
    store.close()
    data = b"".join(p.read_bytes() for p in (lane / "data").rglob("*") if p.is_file())
    assert b"argon2id" not in data and PINS["1001"].encode() not in data
