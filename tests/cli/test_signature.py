"""A score signed for over the office; `examgate signature export`: files that fit the journal."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

import pytest

from kiosk import app
from kiosk.cli.base import Exit
from kiosk.core.codes import Reason
from kiosk.core.signed_texts import COMMITMENTS, text_sha256
from kiosk.ink import make_ink, read_ink, write_ink
from kiosk.wire import RpcError
from tests.store.conftest import candidate_of, row

LINE = [(10.0 * n, 100.0 + n, 8.0 * n, 0.5) for n in range(60)]
COMMITMENT = text_sha256(COMMITMENTS["zh"][0])


def entry(n: int) -> bytes:
    return write_ink(make_ink([LINE, [(5.0, n, 0.0, 0.1)]], 800, 300, "pen", COMMITMENT))


@pytest.fixture
def hall(config, key):
    """Session S1: candidate 0 is inside, 1 has a seat, 2 signed as examgate 0.1.0 kept it."""
    store = app.open_store(config)
    store.create_session("S1", "科目一", datetime.now(UTC), ["1", "2", "3", "4"], person="t")
    store.apply_roster([row(n) for n in range(4)], "test", "t")
    store.open_session("S1", "t")
    for n in range(2):
        store.save_signature("S1", candidate_of(store, n), entry(n), COMMITMENT)
        seat = store.admit("S1", candidate_of(store, n))
        store.gate_outcome(seat.intent_id, Reason.ADMITTED if n == 0 else Reason.GATE_TIMEOUT)
    old = {"strokes": [LINE], "width": 800.0, "height": 300.0, "pointer": "touch",
           "text_sha256": "ab" * 32}  # fmt: skip
    data = json.dumps(old, sort_keys=True, separators=(",", ":")).encode()
    store.save_signature("S1", candidate_of(store, 2), data, "ab" * 32)
    store.close()
    return config


def sign(config, n=0, score=88, shown=None, language="zh", **change):
    with app.offline(config) as office:
        params = {"score": score if shown is None else shown, "language": language}
        statement = office.call("exit.statement", params)
        values = {"session_id": "S1", "admission_no": row(n).admission_no, "score": score,
                  "strokes": [LINE], "width": 800, "height": 300, "pointer": "pen",
                  "text_sha256": statement["text_sha256"], "person": "李老师"}  # fmt: skip
        return office.call("exit.sign", values | change)


def test_a_signed_score_is_kept_as_it_was_signed(hall):
    done = sign(hall, language="en")
    store = app.open_store(hall)
    last = store.signatures("S1", candidate_of(store, 0).candidate_id)[-1]
    store.close()
    assert done == {"signature_sha256": last.sha256}
    ink = read_ink(last.document)
    assert (ink.purpose, ink.score, ink.text_sha256) == ("exit", 88, last.text_sha256)
    assert ink.strokes == (tuple(LINE),)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"n": 1}, "SCORE_NOT_INSIDE"),
        ({"n": 3}, "SCORE_NOT_INSIDE"),
        ({"admission_no": "A99999"}, "NOT_BOOKED"),
        ({"session_id": "S2"}, "SESSION_UNKNOWN"),
        ({"shown": 98}, "SCORE_TEXT"),
        ({"text_sha256": COMMITMENT}, "SCORE_TEXT"),
        ({"strokes": [LINE[:7]]}, "SIGNATURE_EMPTY"),
        ({"strokes": []}, "SIGNATURE_EMPTY"),
        ({"score": 101, "shown": 100}, "PARAMS"),
        ({"strokes": [[*LINE, (-1, 0, 0, 0)]]}, "PARAMS"),
        ({"person": ""}, "PARAMS"),
    ],
)
def test_what_is_declined_changes_nothing(hall, change, code):
    with app.offline(hall) as office:
        before = office.call("journal.list", {})["last"]
    with pytest.raises(RpcError) as declined:
        sign(hall, **change)
    assert declined.value.data["code"] == code
    assert declined.value.problems[0]
    with app.offline(hall) as office:
        assert office.call("journal.list", {})["last"] == before


def test_twice_only_with_a_note_and_not_after_the_end(hall):
    sign(hall)
    with pytest.raises(RpcError) as declined:
        sign(hall, score=99)
    assert declined.value.data["code"] == "SCORE_SIGNED"
    sign(hall, score=99, note="录入错误")
    with app.offline(hall) as office:
        office.call("session.close", {"session_id": "S1"})
    with pytest.raises(RpcError) as declined:
        sign(hall, score=98, note="x")
    assert declined.value.data["code"] == "NOT_OPEN"


def test_export(run, hall, tmp_path):
    sign(hall)
    out = tmp_path / "out"
    done = run("signature", "export", "S1", row(0).admission_no, "--out", str(out),
               "--person", "李敏", lang="zh")  # fmt: skip
    assert done.exit_code == Exit.OK, done.stderr
    files = sorted(out.iterdir())
    assert [str(f) for f in files] == sorted(done.stdout.split())
    assert [f.suffix for f in files] == [".inkml", ".png", ".svg", ".txt"] * 2
    assert all(f.stat().st_mode & 0o777 == 0o600 for f in files)
    entries = json.loads(run("journal", "list", "--session", "S1", "--json").stdout)["entries"]
    assert (entries[-1]["kind"], entries[-1]["payload"]) == ("signatures_shown", {"person": "李敏"})
    hashes = {e["payload"]["signature_sha256"]: e for e in entries if e["kind"] == "signed"}
    for file in out.glob("*.inkml"):
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        said = file.with_suffix(".txt").read_text()
        assert digest in hashes and digest in said and hashes[digest]["leaf_hash"] in said
        ElementTree.parse(file.with_suffix(".svg"))
    assert any(COMMITMENTS["zh"][0] in f.read_text() for f in out.glob("*.txt"))
    assert any("88 分" in f.read_text() for f in out.glob("*.txt"))
    again = run("signature", "export", "S1", row(0).admission_no, "--out", str(out))
    assert again.exit_code == Exit.BAD_INPUT and "not overwritten" in again.stderr
    assert sorted(out.iterdir()) == files


def test_export_of_what_the_first_release_kept(run, hall, tmp_path: Path):
    number = row(2).admission_no.lower()
    done = run("signature", "export", "S1", number, "--out", str(tmp_path / "o"))
    assert done.exit_code == Exit.OK, done.stderr
    (kept,) = (tmp_path / "o").glob("*.json")
    assert read_ink(kept.read_bytes()).strokes == (tuple(LINE),)
    assert "does not have the text" in kept.with_suffix(".txt").read_text()


def test_nobody_and_nothing_signed(run, hall, tmp_path):
    for number, says in (("A99999", "admission number A99999"), (row(3).admission_no, "signature")):
        done = run("signature", "export", "S1", number, "--out", str(tmp_path / "none"))
        assert done.exit_code == Exit.DECLINED and says in done.stderr
    assert not (tmp_path / "none").exists()
    assert run("signature", "export", "S1", "x", "--out", str(tmp_path / "o")).exit_code == 1
