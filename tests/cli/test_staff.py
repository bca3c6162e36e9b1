"""People at the lane by the command: made, listed, given another PIN, disabled; a PIN in no
argument, and a chief's own where two decide."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from click.testing import CliRunner, Result

from kiosk import app
from kiosk.cli.base import Exit
from kiosk.cli.main import main
from kiosk.staff import pins

PIN = "483917"


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pins, "hasher", PasswordHasher(1, 8, 1))


@pytest.fixture
def say(config_file: Path, key: Path) -> Callable[..., Result]:
    """`say("1\\n", "staff", …)`: the first is typed, or comes through standard input."""

    def command(typed: str, *arguments: str, lang: str = "en") -> Result:
        whole = ["--config", str(config_file), "--lang", lang, *arguments]
        return CliRunner().invoke(main, whole, input=typed, prog_name="examgate")

    return command


def add(say: Callable[..., Result], no: str, role: str, pin: str = PIN, **more: str) -> Result:
    options = [word for name, value in more.items() for word in (f"--{name}", value)]
    return say(f"{pin}\n", "staff", "add", no, "--name", f"考试员{no}", "--role", role,
               "--pin-stdin", *options)


def staff(say: Callable[..., Result]) -> list[dict[str, Any]]:
    return list(json.loads(say("", "staff", "list", "--json").stdout)["staff"])


def test_made_listed_and_disabled(say: Callable[..., Result]) -> None:
    assert staff(say) == []
    done = say(f"{PIN}\n{PIN}\n", "staff", "add", "1001", "--name", "李敏", "--role", "chief")
    assert done.exit_code == Exit.OK and PIN not in done.output, "typed twice, never shown"
    assert add(say, "1002", "proctor").exit_code == Exit.OK
    assert [(s["staff_no"], s["role"]) for s in staff(say)] == [
        ("1001", "chief"), ("1002", "proctor")]  # fmt: skip
    assert "主考" in say("", "staff", "list", lang="zh").stdout
    done = say("", "staff", "disable", "1001")
    assert done.exit_code == Exit.DECLINED and "only chief" in done.stderr
    assert say("", "staff", "disable", "1002").exit_code == Exit.OK
    assert staff(say)[1]["disabled_at"] is not None
    assert say("", "staff", "disable", "1002").exit_code == Exit.DECLINED


@pytest.mark.parametrize(("no", "pin", "says"), [
    ("1001", "123456", "too easy"), ("1001", "12345", "6 to 12"), ("1001", "12a456", "digits only"),
    ("1001", "771001", "staff number"), ("A1", PIN, "1 to 12 digits"), ("1001", "", "6 to 12"),
])  # fmt: skip
def test_what_is_not_taken_is_said_and_nothing_is_made(
    say: Callable[..., Result], no: str, pin: str, says: str
) -> None:
    done = add(say, no, "chief", pin)
    assert done.exit_code == Exit.DECLINED and says in done.stderr
    assert staff(say) == []


def test_nobody_is_called_like_somebody_who_may_log_in(say: Callable[..., Result]) -> None:
    def named(no: str, name: str) -> Result:
        about = ("--name", name, "--role", "chief", "--pin-stdin")
        return say(f"{PIN}\n", "staff", "add", no, *about)

    assert named("1001", "李敏").exit_code == Exit.OK
    for name in ("李敏", "李 敏"):
        done = named("1002", name)
        assert done.exit_code == Exit.DECLINED and "1001 is called" in done.stderr
    assert named("1002", "李敏（二）").exit_code == Exit.OK
    assert say("", "staff", "disable", "1001").exit_code == Exit.OK
    assert named("1003", "李敏").exit_code == Exit.OK, "the other one is gone"
    assert named("1001", "李敏").exit_code == Exit.DECLINED, "and does not come back beside them"


def test_two_that_differ_change_nothing(say: Callable[..., Result]) -> None:
    done = say(f"{PIN}\n{PIN}1\n", "staff", "add", "1001", "--name", "李敏", "--role", "chief")
    assert done.exit_code == Exit.BAD_INPUT and "differ" in done.stderr
    assert staff(say) == []


def test_a_new_pin_ends_a_wait(say: Callable[..., Result], config: Any) -> None:
    add(say, "1001", "chief")
    store = app.open_store(config)
    for _ in range(3):
        store.count_wrong_pin("1001")
    store.close()
    assert staff(say)[0]["wait_s"] > 0
    assert say("918273\n", "staff", "set-pin", "1001", "--pin-stdin").exit_code == Exit.OK
    assert staff(say)[0]["wait_s"] == 0
    assert say("918273\n", "staff", "set-pin", "7", "--pin-stdin").exit_code == Exit.DECLINED


def test_the_same_through_a_running_daemon(say: Callable[..., Result], daemon: Any) -> None:
    assert add(say, "1001", "chief").exit_code == Exit.OK
    assert [name for name, _ in daemon.asked] == ["staff.add"]
    assert staff(say)[0]["name"] == "考试员1001"


def test_nobody_at_the_command_line_takes_the_place_of_who_has_logged_in(
    say: Callable[..., Result],
) -> None:
    done = add(say, "1001", "chief", person="1002 周静")
    assert done.exit_code == Exit.DECLINED and "--person" in done.stderr
    assert add(say, "1001", "chief", person="周静").exit_code == Exit.OK


def test_where_people_have_pins_a_name_approves_nothing(say: Callable[..., Result]) -> None:
    add(say, "1001", "chief")
    void = ("session", "void", "S1", "001", "--why", "proctor_decision", "--note", "x",
            "--person", "周静")  # fmt: skip
    done = say("", *void, "--approved-by", "王主任")
    assert done.exit_code == Exit.DECLINED and "their own number and PIN" in done.stderr
    done = say("000000\n", *void, "--approved-by", "1001", "--pin-stdin")
    assert done.exit_code == Exit.DECLINED and "do not fit" in done.stderr
    done = say(f"{PIN}\n", *void, "--approved-by", "1001", "--pin-stdin")
    assert "no session S1" in done.stderr, "approved; only the seat is not there"
