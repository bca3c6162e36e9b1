"""Documents by the command, with the daemon and without it."""

from __future__ import annotations

import base64
import contextlib
import json
import sqlite3
import subprocess
import time
import zipfile
from datetime import UTC, datetime

import pyrage
import pytest

from kiosk import app
from kiosk.config import load
from kiosk.core.codes import JournalKind as K
from kiosk.core.codes import Reason
from kiosk.report.pack_form import sha256_hex
from kiosk.store.evidence import EvidenceKind
from tests.store.conftest import admit, candidate_of, row

RECIPIENT = str(pyrage.x25519.Identity.generate().to_public())


@pytest.fixture
def lane(config, key):
    """A closed session S1: one inside, one who did not pass, two who did not come."""
    store = app.open_store(config)
    try:
        store.create_session("S1", "科目一", datetime.now(UTC), ["001", "002", "003"], person="t")
        store.apply_roster([row(n) for n in range(4)], "test", "t")
        store.open_session("S1", "t", app.journalled_policy(config))
        for n, reason in enumerate((Reason.ADMITTED, Reason.GATE_TIMEOUT)):
            who = candidate_of(store, n).pseudonym
            for kind in (K.CLAIMED, K.IDENTITY_VERIFIED, K.FINGER_VERIFIED):
                store.journal(kind, session_id="S1", pseudonym=who)
            admission = admit(store, n)
            store.gate_pulse(admission.intent_id, "sent")
            store.gate_outcome(admission.intent_id, reason)
        store.close_session("S1", "t")
    finally:
        store.close()


def entries(config, kind):
    store = app.open_store(config)
    try:
        return [e for e in store.entries(0, 1000) if e.kind == kind]
    finally:
        store.close()


def test_a_report_is_written_signed_and_journalled(lane, run, tmp_path, config):
    pdf, table = tmp_path / "r.pdf", tmp_path / "r.csv"
    command = ("session", "report", "S1", "--pdf", str(pdf), "--csv", str(table), "--person", "李")
    done = run(*command, lang="zh")
    assert done.exit_code == 0, done.stderr
    said = subprocess.run(["pdfsig", str(pdf)], capture_output=True, text=True).stdout
    assert "Signature is Valid." in said
    assert table.read_bytes().startswith("\ufeff场次".encode())
    (entry,) = entries(config, K.REPORT_SIGNED)
    assert entry.session_id == "S1"
    assert entry.payload["report_sha256"] == sha256_hex(pdf.read_bytes())
    assert entry.payload["csv_sha256"] == sha256_hex(table.read_bytes())
    assert entry.payload["person"] == "李" and entry.payload["public"] is False
    assert len(entry.payload["certificate_sha256"]) == 64

    again = run(*command)
    assert again.exit_code == 3 and "is there already" in again.stderr
    assert len(entries(config, K.REPORT_SIGNED)) == 1, "declined before anything was made"


def test_the_record_is_still_without_findings(lane, run, tmp_path):
    assert run("session", "report", "S1", "--csv", str(tmp_path / "r.csv")).exit_code == 0
    assert run("session", "export", "S1", str(tmp_path / "s1.record")).exit_code == 0
    assert run("audit", str(tmp_path / "s1.record")).exit_code == 0


def test_mistakes_are_said(lane, run, tmp_path, config):
    assert run("session", "report", "S1").exit_code == 2
    new = tmp_path / "new.pdf"
    done = run("session", "report", "S9", "--pdf", str(new))
    assert done.exit_code == 1 and "no session S9" in done.stderr
    done = run("session", "report", "S1", "--pdf", str(tmp_path / "no" / "r.pdf"))
    assert done.exit_code == 3 and "no such folder" in done.stderr
    (config.paths.data / "document.crt").write_text("x")
    done = run("session", "report", "S1", "--pdf", str(new))
    assert done.exit_code == 1 and "is not a certificate" in done.stderr
    assert not new.exists()


def test_without_a_font_it_says_what_to_install(lane, config, monkeypatch):
    from kiosk.report import paper

    paper._font.cache_clear()
    monkeypatch.setattr(paper, "FONT_FILES", (tmp := config.paths.data / "none.ttc",))
    assert not tmp.exists()
    with pytest.raises(paper.FontMissing, match="apt-get install fonts-wqy-zenhei"):
        paper.Paper("zh")


def test_documents_are_handed_out_in_parts_and_the_oldest_gives_way(lane, config, monkeypatch):
    from kiosk.desks import document as document_desk
    from kiosk.wire import RpcError

    monkeypatch.setattr(document_desk, "PART", 1000)
    with app.offline(config) as office:
        begin = {"session_id": "S1", "person": "t"}
        first = office.call("report.begin", begin)
        second = office.call("report.begin", begin)
        with pytest.raises(RpcError):
            office.call("document.part", second | {"name": "pdf"})
        while not (state := office.call("document.wait", second))["ready"]:
            time.sleep(0.05)
        data = b""
        while len(data) < state["sizes"]["csv"]:
            part = office.call("document.part", second | {"name": "csv", "after": len(data)})
            got = base64.b64decode(part["data"])
            assert 0 < len(got) <= 1000
            data += got
        assert data.startswith("\ufeff".encode())
        office.call("report.begin", begin)
        with pytest.raises(RpcError, match=r"重新开始"):
            office.call("document.wait", first)


def with_a_centre(config_file):
    """The configuration, that of a lane whose centre expects evidence."""
    text = config_file.read_text().replace('record_url: ""', 'record_url: "https://centre"')
    config_file.write_text(
        text.replace("evidence_recipients: []", f"evidence_recipients: [{RECIPIENT}]")
    )
    return load(config_file)


def owed(office):
    """Asks again and again, as the daemon does, until no report is on its way."""
    end_s = time.monotonic() + 120  # another process sets the pages, on a busy machine by and by
    while time.monotonic() < end_s:
        office.documents.make_owed("daemon")
        if office.documents._owed is None:
            return
        time.sleep(0.05)
    raise AssertionError("the report is not made")


def test_the_centre_gets_a_report_of_each_closed_session_once(lane, config_file, monkeypatch):
    config = with_a_centre(config_file)
    with app.offline(config) as office:
        owed(office)
        owed(office)
    (entry,) = entries(config, K.REPORT_SIGNED)
    assert (entry.session_id, entry.payload["person"]) == ("S1", "daemon")
    store = app.open_store(config)
    waits = {i.kind: i.plain for i in store.outbox_batch(10_000, 10**8) if i.plain is not None}
    store.close()
    assert sha256_hex(waits["report"]) == entry.payload["report_sha256"]
    assert sha256_hex(waits["report_table"]) == entry.payload["csv_sha256"]


def test_a_report_that_cannot_be_made_is_tried_once_and_said(lane, config_file, capsys):
    config = with_a_centre(config_file)
    (config.paths.data / "document.crt").write_text("x")
    with app.offline(config) as office:
        owed(office)
        owed(office)
    assert entries(config, K.REPORT_SIGNED) == []
    assert capsys.readouterr().out.count("report_not_made") == 1


@pytest.mark.parametrize("bent", [
    "update journal set entry = replace(entry, '\"payload\":{', '\"payload\":{},\"x\":{')",
    "update journal set entry = replace(entry, '\"at\":\"', '\"at\":\"x') where seq > 3",
    "update sessions set starts_at = 'x'",
    "update candidates set pseudonym = x'00'",
    "update assignments set at = 'x', inside_at = 'x'",
    "update sessions set seed = 'x', commitment = 7",
])  # fmt: skip
def test_a_session_that_was_bent_does_not_end_the_daemon(lane, config_file, bent):
    config = with_a_centre(config_file)
    with contextlib.closing(sqlite3.connect(config.paths.data / "lane.db")) as database:
        database.execute("drop trigger journal_keeps_what_it_has")
        database.execute(bent)
        database.commit()
    with app.offline(config) as office:
        owed(office)
        owed(office)


def test_pictures_that_were_thinned_are_said_to_be(lane, run, tmp_path, config):
    store = app.open_store(config)
    person = store.find_people(row(0).admission_no, "S1")[0]
    store.keep_capture("S1", person, b"\xff\xd8 first", "verified")
    store.thin([EvidenceKind.CAPTURE], 1, "disk")
    store.keep_capture("S1", person, b"\xff\xd8 second", "verified")
    store.close()
    file = tmp_path / "d.zip"
    assert run("dispute", row(0).identity_number, "--out", str(file)).exit_code == 0
    with zipfile.ZipFile(file) as pack:
        assert sum(name.startswith("capture-") for name in pack.namelist()) == 1
        assert "evidence_thinned" in pack.read("README.txt").decode()
    vkey = run("journal", "key").stdout.strip()
    assert run("audit", "--dispute", str(file), "--key", vkey).exit_code == 0


def test_a_dispute_pack_is_written_journalled_and_checked(lane, run, tmp_path, config):
    file, vkey = tmp_path / "d.zip", run("journal", "key").stdout.strip()
    number = row(0).identity_number
    done = run("dispute", number, "--out", str(file), "--person", "李", lang="zh")
    assert done.exit_code == 0, done.stderr
    assert file.stat().st_mode & 0o007 == 0, "it holds personal data"
    (entry,) = entries(config, K.DISPUTE_MADE)
    assert entry.payload["person"] == "李"
    assert entry.payload["sha256"] == sha256_hex(file.read_bytes())
    assert entry.session_id == "S1" and entry.pseudonym is not None

    good = run("audit", "--dispute", str(file), "--key", vkey)
    assert good.exit_code == 0 and "nothing wrong was found" in good.stdout
    assert "own key" not in good.stdout
    assert "own key" in run("audit", "--dispute", str(file)).stdout
    counts = json.loads(run("audit", "--dispute", str(file), "--json").stdout)["counts"]
    assert counts["draws"] == 1 and counts["signatures"] == 1

    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    bent = run("audit", "--dispute", str(file), lang="zh")
    assert bent.exit_code == 1 and "处问题" in bent.stdout


def test_a_dispute_never_repeats_the_number(lane, run, tmp_path, config):
    unknown = "370602198001010999"
    done = run("dispute", unknown, "--out", str(tmp_path / "d.zip"))
    assert done.exit_code == 1 and "Nobody on the rosters" in done.stderr
    assert unknown not in done.stderr + done.stdout
    store = app.open_store(config)
    try:
        store.create_session("S2", "科目一", datetime.now(UTC), ["001"], person="t")
        store.apply_roster([row(0, session_id="S2")], "test", "t")
    finally:
        store.close()
    number = row(0).identity_number
    done = run("dispute", number, "--out", str(tmp_path / "d.zip"))
    assert done.exit_code == 1 and "--session" in done.stderr and "S2" in done.stderr
    assert number not in done.stderr
    by_admission = ("dispute", "a00000", "--session", "S1", "--out", str(tmp_path / "d.zip"))
    assert run(*by_admission).exit_code == 0
    assert run(*by_admission).exit_code == 3, "not overwritten"


def test_audit_wants_a_record_or_a_pack(lane, run, tmp_path):
    assert run("audit").exit_code == 2
    assert run("audit", "a", "--dispute", "b").exit_code == 2
    assert run("audit", "--dispute", "b", "--head", "c").exit_code == 2
    assert run("audit", "--dispute", str(tmp_path / "none")).exit_code == 3
    (tmp_path / "x.zip").write_bytes(b"hello")
    done = run("audit", "--dispute", str(tmp_path / "x.zip"))
    assert done.exit_code == 1 and "not a dispute pack" in done.stdout


def test_a_roll_call_names_who_is_inside_and_who_asked(lane, run, config):
    done = run("session", "rollcall", "S1", "--drill", "--person", "李敏", "--json")
    assert done.exit_code == 0, done.stderr
    found = json.loads(done.stdout)
    (inside,) = found["inside"]
    assert (inside["name"], inside["admission_no"]) == ("考生0", "A00000")
    assert found["journalled"] is True
    (entry,) = entries(config, K.ROLL_CALLED)
    assert entry.payload == {"person": "李敏", "inside": 1, "drill": True}
    table = run("session", "rollcall", "S1", lang="zh").stdout
    assert "考生0" in table and "S1：场内 1 人" in table
    nobody = run("session", "rollcall")  # the session is closed
    assert nobody.exit_code == 1 and nobody.stderr.strip()


def test_a_roll_call_is_given_although_nothing_can_be_journalled(lane, run, config, monkeypatch):
    from kiosk.store import Store
    from kiosk.store.errors import StoreError

    def full(*_: object, **__: object) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(Store, "journal", full)
    done = run("session", "rollcall", "S1")
    assert done.exit_code == 0 and "考生0" in done.stdout
    assert "could not be journalled" in done.stderr
