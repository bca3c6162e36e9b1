"""Exporting, auditing and keeping heads, by the command."""

import json
from datetime import UTC, datetime

import pytest

from kiosk import app
from kiosk.core.codes import JournalKind, Reason
from tests.store.conftest import admit, candidate_of, row


@pytest.fixture
def lane(config, key):
    """A closed session S1: one inside, one who did not pass. Returns the receipt of the first."""
    store = app.open_store(config)
    try:
        store.create_session("S1", "科目一", datetime.now(UTC), ["001", "002", "003"], person="t")
        store.apply_roster([row(n) for n in range(2)], "test", "t")
        store.sign_head()
        store.journal(JournalKind.HELP)
        store.open_session("S1", "t", app.journalled_policy(config))
        for n, reason in enumerate((Reason.ADMITTED, Reason.GATE_TIMEOUT)):
            who = candidate_of(store, n).pseudonym
            for kind in (JournalKind.IDENTITY_VERIFIED, JournalKind.FINGER_VERIFIED):
                store.journal(kind, session_id="S1", pseudonym=who)
            admission = admit(store, n)
            store.gate_pulse(admission.intent_id, "sent")
            store.gate_outcome(admission.intent_id, reason)
        receipt = store.receipt("S1", candidate_of(store, 0).candidate_id)
        store.close_session("S1", "t")
        return receipt
    finally:
        store.close()


@pytest.fixture
def record(lane, run, tmp_path):
    file = tmp_path / "s1.record"
    assert run("session", "export", "S1", str(file)).exit_code == 0
    return file


def test_an_honest_record_has_no_findings(record, run, tmp_path):
    vkey = run("journal", "key").stdout
    (tmp_path / "vkey").write_text(vkey)
    (tmp_path / "kept").write_text(run("journal", "head").stdout)
    done = run("audit", str(record), "--key", str(tmp_path / "vkey"))
    assert done.exit_code == 0
    assert "2 draws, 2 gate intents, 1 inside" in done.stdout
    assert "own key" not in done.stdout
    assert "own key" in run("audit", str(record)).stdout, "who checks is told what it rests on"
    assert run("audit", str(record), "--key", vkey.strip(), lang="zh").exit_code == 0


def test_an_entry_that_was_changed_is_named(record, run):
    lines = record.read_text().split("\n")
    at = next(n for n, line in enumerate(lines) if '"kind":"seat_drawn"' in line)
    seq = json.loads(lines[at])["seq"]
    lines[at] = lines[at].replace('"index":', '"index":1')
    record.write_text("\n".join(lines))
    done = run("audit", str(record), lang="zh")
    assert done.exit_code == 1
    assert f"第 {seq} 条：内容与其散列值不符" in done.stdout
    found = json.loads(run("audit", str(record), "--json").stdout)["findings"]
    assert found[0] == {
        "code": "CHANGED",
        "seq": seq,
        "sentence": f"entry {seq}: was changed: its content does not fit its hash",
    }


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "line 1 is not what it should be"),
        (b"{}\n", "does not say examgate-record/1"),
        (b"\xff\n", "not UTF-8"),
        (b"[" * 100_000 + b"\n", "nested too deeply"),
    ],
)
def test_what_is_no_record_is_said(tmp_path, run, content, said):
    file = tmp_path / "x"
    file.write_bytes(content)
    done = run("audit", str(file))
    assert done.exit_code == 1
    assert said in done.stdout


def test_a_file_that_is_not_there(tmp_path, run):
    done = run("audit", str(tmp_path / "none"))
    assert done.exit_code == 3 and "No such file" in done.stderr


def test_a_receipt_is_held_against_the_record(lane, record, run, tmp_path):
    file = tmp_path / "receipt.txt"
    file.write_text(lane)
    assert run("audit", str(record), "--receipt", str(file)).exit_code == 0
    lines = lane.split("\n")
    lines[2] = "003" if lines[2] != "003" else "001"
    file.write_text("\n".join(lines))
    done = run("audit", str(record), "--receipt", str(file))
    assert done.exit_code == 1 and "the receipt says terminal" in done.stdout
    lines = lane.split("\n")
    lines[5] = "0" * 64
    file.write_text("\n".join(lines))
    assert "the receipt's hash is not" in run("audit", str(record), "--receipt", str(file)).stdout
    file.write_text("hello")
    assert "not a receipt" in run("audit", str(record), "--receipt", str(file)).stdout


def test_a_kept_head_needs_a_proof_only_when_it_is_older(lane, record, run, tmp_path, config):
    store = app.open_store(config)
    try:
        heads = store.checkpoints(0, 1000)
    finally:
        store.close()
    within = tmp_path / "within"
    within.write_text(heads[-1].note)
    assert run("audit", str(record), "--head", str(within)).exit_code == 0
    older = tmp_path / "older"
    older.write_text(heads[0].note)
    assert run("audit", str(record), "--head", str(older)).exit_code == 0, "the record's own"

    lines = record.read_text().split("\n")
    header = json.loads(lines[0])
    header["earlier"] = None
    lines[0] = json.dumps(header)
    record.write_text("\n".join(lines))
    done = run("audit", str(record), "--head", str(older))
    assert done.exit_code == 1 and "examgate journal prove" in done.stdout
    proof, size = tmp_path / "proof", str(heads[-1].size)
    assert run("journal", "prove", str(older), str(proof), "--size", size).exit_code == 0
    with_proof = ("audit", str(record), "--head", str(older), "--proof", str(proof))
    assert run(*with_proof).exit_code == 0
    bent = json.loads(proof.read_text())
    bent["proof"][0] = "0" * 64
    proof.write_text(json.dumps(bent))
    done = run(*with_proof)
    assert done.exit_code == 1 and "the past was exchanged" in done.stdout


def test_mistakes_at_the_command_line(record, run, tmp_path):
    again = run("session", "export", "S1", str(record))
    assert again.exit_code == 3 and "is there already" in again.stderr
    assert run("session", "export", "S9", str(tmp_path / "new")).exit_code == 1
    assert not (tmp_path / "new").exists(), "nothing half-written"
    assert run("audit", str(record), "--key", "a+b+c").exit_code == 3
    assert run("audit", str(record), "--key", str(tmp_path / "none")).exit_code == 3
    assert run("audit", str(record), "--proof", str(record)).exit_code == 3
    assert run("journal", "prove", str(record), str(tmp_path / "p")).exit_code == 3
