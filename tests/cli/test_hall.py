"""Halls as tables, terminals changed, seats given up: by the command."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kiosk import app
from kiosk.core.codes import Reason
from tests.store.conftest import admit, candidate_of, row

HALL = """考台,排,列,无障碍,保留,可用,准驾车型
001,1,1,是,,,
002,1,2,,,,C1，d
003,2,1,,是,,
004,2,2,,,否,
"""
EXAMPLE = Path(__file__).resolve().parents[2] / "docs/hall-example.csv"
CREATE = ("session", "create", "S1", "--subject", "科目一", "--starts-at", "2026-11-24T09:00")


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_a_hall_file_becomes_the_hall(run, key, tmp_path, encoding, separator):
    file = tmp_path / "hall.csv"
    file.write_bytes(HALL.replace(",", separator).encode(encoding))
    assert run(*CREATE, "--hall", str(file), "--spacing").exit_code == 0
    found = json.loads(run("terminal", "list", "S1", "--json").stdout)["terminals"]
    assert [(t["name"], t["row"], t["column"], t["position"]) for t in found] == [
        ("001", 1, 1, 0),
        ("002", 1, 2, 1),
        ("003", 2, 1, 2),
        ("004", 2, 2, 3),
    ]
    assert [t["accessible"] for t in found] == [True, False, False, False]
    assert [t["reserved"] for t in found] == [False, False, True, False]
    assert [t["in_service"] for t in found] == [True, True, True, False]
    assert found[1]["classes"] == ["C1", "D"]
    assert "无障碍" in run("terminal", "list", "S1", lang="zh").stdout


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name,row\n001,x\n002,1001\n", ["hall.csv 2: row 'x'", "hall.csv 3: row '1001'"]),
        ("name,reserved\n001,maybe\n", ["hall.csv 2: reserved 'maybe' is neither yes nor no"]),
        ("name\n001\n001\n", ["hall.csv 3: terminal 001 is there twice"]),
        ("name,rows\n001,1\n", ["unknown column 'rows'"]),
        ("row\n1\n", ["has no column name"]),
        ("name\n", ["has no terminal"]),
        ("name,row\n,1\n", ["hall.csv 2: names no terminal"]),
        ("name,classes\n001,C1,C2\n", ["hall.csv 2: has more cells", "put ; between classes"]),
        ('name,row\n"0\n1",1\n002,x\n', ["hall.csv 4: row 'x'"]),
        (f"name\n{'0' * 200_000}\n", ["hall.csv: is not a text table (field larger"]),
    ],
)
def test_each_mistake_is_told_with_its_line_and_nothing_is_created(run, key, tmp_path, text, said):
    file = tmp_path / "hall.csv"
    file.write_text(text)
    done = run(*CREATE, "--hall", str(file))
    assert done.exit_code == 3
    assert all(part in done.stderr for part in said), done.stderr
    assert json.loads(run("session", "list", "--json").stdout) in ([], {"sessions": []})


def test_a_pipe_is_no_hall_file(run, key, tmp_path):
    os.mkfifo(tmp_path / "hall.csv")
    done = run(*CREATE, "--hall", str(tmp_path / "hall.csv"))
    assert done.exit_code == 3 and "is not a file" in done.stderr


def test_what_only_the_store_knows_is_told_too(run, key, tmp_path):
    file = tmp_path / "hall.csv"
    file.write_text("name,row,column,classes\n001,1,1,C9\n002,1,1,\n")
    done = run(*CREATE, "--hall", str(file))
    assert done.exit_code == 1
    assert "no such licence class: C9" in done.stderr and "both in row 1, column 1" in done.stderr


def test_the_hall_in_the_documentation_is_taken(run, key):
    assert run(*CREATE, "--hall", str(EXAMPLE), "--spacing").exit_code == 0


def test_either_names_or_a_file(run, key, tmp_path):
    assert run(*CREATE).exit_code == 2
    assert run(*CREATE, "--hall", str(tmp_path / "none")).exit_code == 3


@pytest.fixture
def seated(config, key):
    """S1 is open; candidate 0 has drawn a terminal, which is returned."""
    store = app.open_store(config)
    try:
        store.create_session("S1", "科目一", datetime.now(UTC), ["001", "002", "003"], person="t")
        store.apply_roster([row(n) for n in range(2)], "test", "t")
        store.open_session("S1", "t", app.journalled_policy(config))
        return admit(store, 0).terminal
    finally:
        store.close()


def test_a_terminal_is_changed_and_the_reason_journalled(run, seated):
    change = ("terminal", "set", "S1", "002", "--reserved", "--classes", "C1,D", "--reason", "kept")
    assert run(*change).exit_code == 0
    entries = json.loads(run("journal", "list", "--json").stdout)["entries"]
    payload = entries[-1]["payload"]
    assert (payload["reserved"], payload["classes"], payload["why"]) == (True, ["C1", "D"], "kept")
    assert "in_service" not in payload, "what was not said stays as it is"
    assert run("terminal", "set", "S1", "002", "--reason", "nothing").exit_code == 1


def test_a_seat_is_given_up_with_its_reason(run, seated, config):
    decide = ("session", "void", "S1", seated, "--why", "proctor_decision", "--person", "Li")
    done = run(*decide)
    assert done.exit_code == 1 and "A second person must approve" in done.stderr
    done = run(*decide, "--approved-by", "li")
    assert done.exit_code == 1 and "Nobody approves their own" in done.stderr
    assert run(*decide, "--approved-by", "Wang").exit_code == 1, "without a note"
    store = app.open_store(config)  # the gate has closed behind nobody
    try:
        (intent,) = store.open_intents()
        store.gate_outcome(intent.intent_id, Reason.GATE_TIMEOUT)
    finally:
        store.close()
    done = run(*decide, "--approved-by", "Wang", "--note", "sits in a draught")
    assert done.exit_code == 0, done.stderr
    assert f"draw 1 of terminal {seated} is void" in done.stdout
    assert run(*decide, "--approved-by", "Wang", "--note", "again").exit_code == 1
    store = app.open_store(config)
    try:
        assert candidate_of(store, 0) is not None
        assert store.held_seats("S1") == {}
    finally:
        store.close()


def test_commitment_while_it_is_open_and_the_seed_once_it_is_closed(run, seated, config):
    shown = run("session", "status", "S1").stdout
    assert "commitment" in shown and "seed" not in shown
    store = app.open_store(config)
    try:
        store.close_session("S1", "t")
    finally:
        store.close()
    found = json.loads(run("session", "status", "S1", "--json").stdout)
    (session,) = found if isinstance(found, list) else found["sessions"]
    assert len(session["seed"]) == 64 and len(session["commitment"]) == 64
    assert session["seed"] in run("session", "status", "S1").stdout
