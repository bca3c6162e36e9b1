"""Draws out of records and journals, and `examgate draw stats` on them."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime

import numpy as np
import pytest
from PIL import Image

from kiosk import app
from kiosk.cli.base import Exit
from kiosk.core.codes import Reason, VoidReason
from kiosk.core.hall import Terminal
from kiosk.stats.draws import Unreadable, from_entries, read_files, venue_of
from kiosk.stats.seatmap import Words, draw_map
from tests.cli.conftest import config, config_file, key, run  # noqa: F401 - fixtures
from tests.stats.conftest import play
from tests.store.conftest import admit, candidate_of, row

PEOPLE = 36


@pytest.fixture
def lane(config, key):  # noqa: F811
    """S1 in a hall with rows, closed, one seat drawn anew; S2 in one without, still open."""
    store = app.open_store(config)
    hall = [Terminal(f"{n + 1:02d}", n, n // 8 + 1, n % 8 + 1) for n in range(40)]
    for session_id, terminals in (("S1", hall), ("S2", [t.name for t in hall])):
        store.create_session(session_id, "科目一", datetime.now(UTC), terminals, person="t")
    store.apply_roster([row(n, s) for n in range(PEOPLE) for s in ("S1", "S2")], "test", "t")
    store.open_session("S1", "t")
    for n in range(PEOPLE):
        seat = admit(store, n)
        store.gate_outcome(seat.intent_id, Reason.ADMITTED)
    store.void_seat("S1", seat.terminal, VoidReason.TERMINAL_BROKEN, "李老师")
    store.save_signature("S1", candidate_of(store, n), b"again", "0" * 64)
    store.admit("S1", candidate_of(store, n))
    store.close_session("S1", "t")
    store.open_session("S2", "t")
    who = store.lookup("S2", row(0).identity_number).candidate
    store.save_signature("S2", who, b"strokes", "0" * 64)
    store.admit("S2", who)
    store.close()
    return config


def test_a_record_and_the_journal_give_the_same_draws(lane, run, tmp_path):  # noqa: F811
    record, journal = tmp_path / "s1.record", tmp_path / "journal.jsonl"
    assert run("session", "export", "S1", str(record)).exit_code == Exit.OK
    assert run("journal", "export", str(journal)).exit_code == Exit.OK
    (from_record,) = read_files([record])
    first, second = read_files([journal])
    assert from_record.venue == lane.venue.code
    assert first.venue == "journal"
    assert (first.seats, first.draws) == (from_record.seats, from_record.draws)
    assert len(first.draws) == PEOPLE + 1, "the voided one was drawn too"
    assert [d.draw_no for d in first.draws] == list(range(1, PEOPLE + 2))
    assert first.seats["09"].row == 2 and second.seats["09"].row is None
    assert len(second.draws) == 1
    assert read_files([record, record]) == [from_record], "given twice, counted once"


def test_of_the_lane_and_of_a_file(lane, run, tmp_path):  # noqa: F811
    record = tmp_path / "s1.record"
    run("session", "export", "S1", str(record))
    whole = json.loads(run("draw", "stats", str(record), "--json").stdout)
    unusual = whole["unusual"]  # one lane in a hundred is, by chance
    for arguments in (("--session", "S1"), ("--all",), (str(record),)):
        done = run("draw", "stats", *arguments)
        assert done.exit_code == (Exit.DECLINED if unusual else Exit.OK), done.stdout
        assert "front or back" in done.stdout
        assert ("Unusual: " if unusual else "Nothing unusual: ") in done.stdout
    (venue,) = whole["venues"].values()
    assert venue["draws"] == PEOPLE + 1
    assert sum(t["count"] for t in venue["terminals"].values()) == PEOPLE + 1
    expected = sum(t["expected"] for t in venue["terminals"].values())
    assert expected == pytest.approx(PEOPLE + 1, 1e-3)
    assert {t["test"] for t in whole["tests"]} >= {"runs", "row"}
    said = run("draw", "stats", str(record), lang="zh").stdout
    assert ("发现异常：" if unusual else "没有发现异常：") in said
    few = run("draw", "stats", "--session", "S2")
    assert few.exit_code == Exit.OK and "too few draws" in few.stdout


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_map(lane, run, tmp_path, lang):  # noqa: F811
    done = run("draw", "stats", "--session", "S1", "--map", str(tmp_path / "m.png"), lang=lang)
    assert not done.stderr
    picture = np.asarray(Image.open(tmp_path / "m.png").convert("RGB"))
    assert picture.shape[0] > 400 and picture.shape[1] > 600
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 50
    for wrong in (tmp_path / "none" / "m.png", tmp_path / "m.xyz"):
        done = run("draw", "stats", "--session", "S1", "--map", str(wrong), lang=lang)
        assert done.exit_code == Exit.BAD_INPUT and str(wrong) in done.stderr


def test_maps_of_several_venues_and_of_halls_without_rows(tmp_path):
    words = Words("{venue} {draws} {sessions}", "scale", "front", "order")
    halls = {"KM1": play(sessions=3), "KM2": play(sessions=3, columns=None, seats=23)}
    draw_map(halls, tmp_path / "m.svg", words)
    assert (tmp_path / "m.svg").read_text().count("order") >= 1


def test_unusual_draws_are_said_and_end_with_1(run, tmp_path):  # noqa: F811
    """A record that nobody drew: the first of the pool each time."""
    lines = [{"seq": 1, "kind": "session_opened", "session_id": "S", "terminal": None,
              "payload": {"terminals": [f"{n:02d}" for n in range(60)]}}]  # fmt: skip
    for n in range(50):
        free = [f"{m:02d}" for m in range(n, 60)]
        lines.append({"seq": n + 2, "kind": "seat_drawn", "session_id": "S", "terminal": free[0],
                      "payload": {"draw_no": n + 1, "index": 0, "free": free}})  # fmt: skip
    file = tmp_path / "bent.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    done = run("draw", "stats", str(file))
    assert done.exit_code == Exit.DECLINED
    assert "Unusual: " in done.stdout and "←" in done.stdout and "examgate audit" in done.stdout
    assert "发现异常：" in run("draw", "stats", str(file), lang="zh").stdout


@pytest.mark.parametrize(
    ("text", "says"),
    [("", "there is no draw"), ("{}\n", "line 1 is not an entry"), ("x\n", "line 1"),
     ('{"kind":"session_opened","session_id":"S","seq":7,"payload":{}}\n', "entry 7"),
     ('{"format":"examgate-record/1"}\n', "line 1")],
)  # fmt: skip
def test_what_cannot_be_read_is_said(run, tmp_path, text, says):  # noqa: F811
    file = tmp_path / "x"
    file.write_text(text)
    done = run("draw", "stats", str(file))
    assert done.exit_code in (Exit.BAD_INPUT, Exit.DECLINED) and says in done.stderr
    assert run("draw", "stats", str(tmp_path / "none")).exit_code == Exit.BAD_INPUT


def test_a_draw_that_is_not_in_its_pool():
    opened = {"kind": "session_opened", "session_id": "S", "payload": {"terminals": ["1", "2"]}}
    drawn = {"kind": "seat_drawn", "session_id": "S", "seq": 9, "terminal": "2",
             "payload": {"draw_no": 1, "index": 0, "free": ["1", "2"]}}  # fmt: skip
    with pytest.raises(Unreadable, match="entry 9"):
        from_entries([opened, drawn], "v")
    assert venue_of("examgate/%E6%98%86%E6%98%8E/A") == "昆明"


def test_wrong_usage_and_simulation(run):  # noqa: F811
    assert run("draw", "stats").exit_code == Exit.USAGE
    assert run("draw", "stats", "--all", "--simulate", "100").exit_code == Exit.USAGE
    assert run("draw", "stats", "--all", "--seed", "x").exit_code == Exit.USAGE
    done = run("draw", "stats", "--simulate", "900", "--seed", "x", "--json")
    assert done.exit_code == Exit.OK and json.loads(done.stdout)["seed"] == "x"
    assert "seed: x" in run("draw", "stats", "--simulate", "900", "--seed", "x").stdout


def test_without_the_extra_the_way_out_is_said(lane, run, monkeypatch):  # noqa: F811
    monkeypatch.setitem(sys.modules, "scipy", None)
    monkeypatch.delitem(sys.modules, "kiosk.stats.tests", raising=False)
    done = run("draw", "stats", "--all")
    assert done.exit_code == Exit.BAD_INPUT
    assert "requirements-analysis.txt" in done.stderr
