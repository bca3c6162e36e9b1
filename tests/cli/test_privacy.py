"""`examgate privacy …`: what is held, and its end."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest

from kiosk import app
from kiosk.cli.base import Exit
from tests.store.conftest import row


@pytest.fixture
def held(config, key):
    """A session that was over 40 days ago, and a roster for one that has not been created."""
    store = app.open_store(config)
    starts = datetime.now().astimezone() - timedelta(days=40)
    store.create_session("S1", "x", starts, ["1", "2"], person="t")
    store.apply_roster([row(1), row(2), row(3, "S2")], "list.csv", "t")
    store.close()


def report(run):
    return {s["session_id"]: s for s in json.loads(run("privacy", "report", "--json").stdout)
            ["sessions"]}  # fmt: skip


def test_what_is_held(run, held):
    found = report(run)
    assert (found["S1"]["candidates"], found["S1"]["templates"]) == (2, 2)
    assert not found["S1"]["due"], "nobody has decided how long it is kept"
    assert "not decided (retention.days)" in run("privacy", "report").stdout
    number = row(3).identity_number
    assert "list.csv" in run("privacy", "report", "--number", number).stdout
    assert "没有保存" in run("privacy", "report", "--number", "370602", lang="zh").stdout
    blanks = f" {number[:6]} {number[6:]}"
    assert "list.csv" in run("privacy", "report", "--number", blanks).stdout


@pytest.mark.parametrize(("number", "says"), [
    ("37060219610804301X", "compare each one"), ("3706021961080430", "as many characters"),
    ("370602610804301", "old number"), ("37060219611304301X", "birth date"),
])  # fmt: skip
def test_a_slip_of_the_finger_is_not_answered_with_nothing_is_held(run, held, number, says):
    done = run("privacy", "report", "--number", number)
    assert done.exit_code == Exit.BAD_INPUT and says in done.stderr
    assert number not in done.output and not done.stdout
    assert run("privacy", "report", "--number", "  ").exit_code == Exit.BAD_INPUT


def test_what_is_due_is_destroyed(run, held, config_file):
    config_file.write_text(config_file.read_text().replace("  days: null", "  days: 30"))
    assert {k: s["due"] for k, s in report(run).items()} == {"S1": True, "S2": False}
    done = run("privacy", "purge", "--due", "--yes")
    assert done.exit_code == 0 and "S1: the data of 2 candidates are destroyed" in done.stdout
    assert list(report(run)) == ["S2"]
    assert "no session is due" in run("privacy", "purge", "--due", "--yes").stdout


def test_it_asks_first_and_only_for_what_is_over(run, held):
    done = run("privacy", "purge", "--session", "S1")
    assert done.exit_code == 1, "nobody answered"
    assert "S1" in report(run)
    done = run("privacy", "purge", "--session", "S2", "--yes")
    assert done.exit_code == 1 and "not over" in done.stderr
    assert run("privacy", "purge", "--session", "S1", "--due").exit_code == 2
    assert run("privacy", "purge").exit_code == 2


def test_the_daemon_forgets_by_itself(held, config_file):
    from kiosk.config import load

    config_file.write_text(config_file.read_text().replace("  days: null", "  days: 30"))
    with app.offline(load(config_file)) as office:
        assert office.privacy.forget_due("daemon") == ["S1"]
        assert office.privacy.forget_due("daemon") == []
        last = office.call("journal.list", {"after": 0, "limit": 1000})["entries"][-1]
        assert last["kind"] == "session_forgotten" and last["payload"]["why"] == "retention"
