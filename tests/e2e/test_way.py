"""One lane, real processes: the ways that do not need the full demonstration."""

from __future__ import annotations

import base64
import subprocess
import time
import zipfile
from dataclasses import replace

from kiosk.demo.people import CHEN, LI, STRANGER, WANG
from tests.e2e.walker import audit, leaks


def over(state):
    return state["state"] in ("welcome", "refused")


def test_a_candidate_goes_through_once_and_the_record_says_so(quick_venue, walker):
    state = walker.walk(WANG, over)
    assert state["state"] == "welcome", state["reason"]
    assert state["terminal"] in {f"{n:03d}" for n in range(1, 6)}
    assert [s for s in walker.seen if s not in ("idle", "drawing")] == [
        "face",
        "finger",
        "sign",
        "gate",
        "welcome",
    ]
    walker.leave()
    state = walker.walk(WANG, over)
    assert (state["state"], state["reason"]) == ("refused", "ALREADY_INSIDE")
    entries = audit(quick_venue)
    kinds = [e["kind"] for e in entries]
    for earlier, later in (
        ("capture_kept", "identity_verified"),
        ("signed", "seat_drawn"),
        ("seat_drawn", "gate_intent"),
        ("gate_intent", "gate_outcome"),
        ("gate_outcome", "admitted"),
    ):
        assert kinds.index(earlier) < kinds.index(later)
    assert quick_venue.turnstile.pulses == 1
    status = quick_venue.call("session.status", {"session_id": "S1"})["sessions"][0]
    assert (status["inside"], status["booked"], status["free_terminals"]) == (1, 2, 4)
    (one,) = quick_venue.call("session.candidates", {"session_id": "S1", "query": "wxm"})[
        "candidates"
    ]
    asked = {"session_id": "S1", "ref": one["ref"], "person": "test"}
    (capture,) = quick_venue.call("candidate.show", asked)["captures"]
    assert base64.b64decode(capture["jpeg"])[:2] == b"\xff\xd8", "the picture as the camera saw it"
    record = quick_venue.folder / "s1.record"
    quick_venue.command("session", "close", "S1", "--person", "test")
    quick_venue.command("session", "export", "S1", str(record))
    checked = quick_venue.command("audit", str(record))
    assert "1 draws, 1 gate intents, 1 inside" in checked.stdout
    documents_of_a_running_lane(quick_venue)
    record.write_text(record.read_text().replace('"result":"sent"', '"result":"sent "'))
    checked = quick_venue.command("audit", str(record), check=False)
    assert checked.returncode == 1 and "was changed" in checked.stdout
    quick_venue.stop("daemon")  # everything that it logs is on disk then
    assert leaks(quick_venue, WANG) == []


def test_whose_terminal_broke_comes_again_and_the_gates_own_counters_agree(quick_venue, walker):
    first = walker.walk(WANG, over)
    assert first["state"] == "welcome", first["reason"]
    void = ("session", "void", "S1", first["terminal"], "--person", "test")
    quick_venue.command(*void, "--why", "terminal_broken", "--note", "its screen is dark")
    walker.leave()
    again = walker.walk(WANG, over)
    assert again["state"] == "welcome", again["reason"]
    assert again["terminal"] != first["terminal"]
    quick_venue.command("session", "open", "S1", "--person", "test")  # again: nothing is counted
    quick_venue.command("session", "close", "S1", "--person", "test")
    counted = [e["payload"]["entry"] for e in audit(quick_venue) if e["kind"] == "gate_counters"]
    assert counted == [0, 2]
    record = quick_venue.folder / "s1.record"
    quick_venue.command("session", "export", "S1", str(record))
    checked = quick_venue.command("audit", str(record))
    assert "2 draws, 2 gate intents, 1 inside" in checked.stdout


def documents_of_a_running_lane(venue):
    """A report and a dispute pack, made while the daemon goes on."""
    pdf, pack = venue.folder / "s1.pdf", venue.folder / "wang.zip"
    venue.command("session", "report", "S1", "--pdf", str(pdf), "--person", "test")
    signed = subprocess.run(["pdfsig", str(pdf)], capture_output=True, text=True)
    assert "Signature is Valid." in signed.stdout
    text = subprocess.run(["pdftotext", "-layout", str(pdf), "-"], capture_output=True, text=True)
    (line,) = (row for row in text.stdout.splitlines() if WANG.admission_no in row)
    assert WANG.name in line and "C1" in line
    venue.command("dispute", WANG.number, "--session", "S1", "--out", str(pack))
    checked = venue.command("audit", "--dispute", str(pack))
    assert "1 draws, 1 signatures" in checked.stdout
    assert venue.call("lane.state")["state"] == "closed"


def test_refusals_before_the_camera_are_data(quick_venue, walker):
    assert walker.walk(STRANGER, over)["reason"] == "NOT_ON_ROSTER"
    walker.leave()
    state = walker.walk(CHEN, over)
    assert state["reason"] == "OTHER_SESSION"
    assert state["other_session_at"]
    walker.leave()
    renamed = replace(LI, name="赵淑芬")
    assert walker.walk(renamed, over)["reason"] == "CARD_NAME_DIFFERS"
    reasons = [e["reason"] for e in audit(quick_venue) if e["kind"] == "refused"]
    assert reasons == ["NOT_ON_ROSTER", "OTHER_SESSION", "CARD_NAME_DIFFERS"]
    assert quick_venue.turnstile.pulses == 0


def test_a_lost_reader_is_said_and_recovered_from_without_a_restart(quick_venue):
    def state():
        return quick_venue.call("lane.state")

    quick_venue.fingerprint.unplug()
    quick_venue.wait(lambda: state()["state"] == "out_of_order", "the lane out of order", 10)
    assert not state()["devices"]["fingerprint"]["ok"]
    declined = quick_venue.command("session", "open", "S2", check=False)
    assert declined.returncode != 0
    quick_venue.fingerprint.replug()
    quick_venue.wait(lambda: state()["state"] == "idle", "the lane well again", 15)
    kinds = [e["kind"] for e in audit(quick_venue)]
    assert "device_fault" in kinds and "device_recovered" in kinds


def test_nothing_personal_is_logged(quick_venue, walker):
    walker.walk(WANG, over)
    walker.leave()
    journal = "".join(str(e) for e in audit(quick_venue))
    logs = "".join(p.read_text(errors="replace") for p in quick_venue.logs.iterdir())
    database = (quick_venue.folder / "data" / "lane.db").read_bytes()
    from drivers.fingerprint.zfm.virtual import make_template

    template = make_template(WANG.finger, seed=1)
    for secret in (WANG.name, WANG.number, WANG.admission_no):
        assert secret not in journal
        assert secret not in logs
    support = quick_venue.folder / "support.zip"
    quick_venue.command("doctor", "--bundle", str(support), check=False)
    with zipfile.ZipFile(support) as archive:
        given = "".join(archive.read(name).decode() for name in archive.namelist())
    for secret in (WANG.name, WANG.number, WANG.admission_no, template.hex()[:64]):
        assert secret not in given, "in the archive for support"
    for secret in (template.hex()[:64], str(list(template[:16]))[1:-1]):
        assert secret not in journal and secret not in logs
    assert template[:64] not in database, "the template lies unencrypted in the database"


def test_sigterm_stops_cleanly_and_a_second_daemon_is_refused(quick_venue):
    second = quick_venue.command("daemon", check=False)
    assert second.returncode != 0
    assert second.stderr.strip(), "it must say why"
    began = time.monotonic()
    assert quick_venue.stop("daemon") == 0
    assert time.monotonic() - began < 6
    done: subprocess.CompletedProcess[str] = quick_venue.command("journal", "verify")
    assert done.returncode == 0
