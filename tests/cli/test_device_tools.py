"""A technician's commands at virtual devices: what they show, journal and refuse."""

from __future__ import annotations

import hashlib
import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from click.testing import CliRunner

from drivers import ports
from drivers.contracts import GateEventKind
from drivers.errors import DeviceFault, FaultCode, RetryReason
from drivers.fingerprint.libfprint.virtual import VirtualImageReader
from drivers.fingerprint.zfm.codec import Command, Confirm
from drivers.fingerprint.zfm.virtual import VirtualZfm
from drivers.idcard.virtual import VirtualSamReader
from drivers.turnstile.modbus.boardmap import BoardMap
from drivers.turnstile.modbus.virtual import VirtualTurnstile
from drivers.turnstile.osdp.virtual import VirtualOsdp
from kiosk import app, app_devices
from kiosk.audit.ledger import FORMAT
from kiosk.cli import device_texts as words
from kiosk.cli.main import main
from kiosk.config import load
from kiosk.core.checkpoint import parse_signed
from kiosk.demo.people import WANG
from kiosk.demo.sim import Sim, SimServer
from kiosk.demo.venue import Venue
from tests import prints
from tests.store.conftest import row


@pytest.fixture
def gate(config):
    port = Path(config.devices.turnstile.port)
    port.parent.mkdir(exist_ok=True)
    with VirtualTurnstile(port, stride_s=0.05) as twin:
        yield twin


@pytest.fixture
def reader(config):
    port = Path(config.devices.fingerprint.port)
    port.parent.mkdir(exist_ok=True)
    with VirtualZfm(port) as twin:
        yield twin


@pytest.fixture
def cards(config):
    port = Path(config.devices.id_card.port)
    port.parent.mkdir(exist_ok=True)
    with VirtualSamReader(port) as twin:
        yield twin


@pytest.fixture
def pictures(config_file, tmp_path):
    """The camera is a folder of sharp pictures."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    noise = np.random.default_rng(3).integers(0, 255, (2, 480, 640, 3), np.uint8)
    for n, picture in enumerate(noise):
        cv2.imwrite(str(folder / f"{n}.png"), picture)
    source = load(config_file).devices.camera.source
    config_file.write_text(config_file.read_text().replace(str(source), str(folder)))
    return folder


def tried(config) -> list[dict]:
    with app.offline(config) as office:
        entries = office.call("journal.list", {"after": 0, "limit": 1000})["entries"]
    return [e["payload"] for e in entries if e["kind"] == "device_tried"]


def later(act, seconds=0.3):
    threading.Timer(seconds, act).start()


def test_a_new_osdp_board_is_given_its_key(run, key, config, config_file):
    assert "modbus has no key" in run("device", "turnstile", "set-key").stderr
    port, file = Path(config.devices.turnstile.port), config_file.parent / "osdp.key"
    port.parent.mkdir(exist_ok=True)
    text = yaml.safe_load(config_file.read_text())
    text["devices"]["turnstile"] = {"driver": "osdp", "port": str(port), "key_file": "osdp.key"}
    config_file.write_text(yaml.safe_dump(text, allow_unicode=True))
    with VirtualOsdp(port, key=None) as board:
        done = run("device", "turnstile", "set-key", "--person", "李工")
        assert done.exit_code == 0 and str(file) in done.stdout
        assert board.given_key is not None and file.read_text().strip() == board.given_key.hex()
        assert board.given_key.hex() not in done.stdout
        assert json.loads(run("device", "turnstile", "inputs", "--json").stdout)["inputs"]
    with VirtualOsdp(port, key=bytes(16)):
        again = run("device", "turnstile", "set-key", "--person", "王工")
        assert again.exit_code == 5
    said = [(e["action"], e["result"], e["person"]) for e in tried(config)]
    assert said == [
        ("set_key", "asked", "李工"), ("set_key", "done", "李工"),
        ("set_key", "asked", "王工"), ("set_key", "wrong_key", "王工"),
    ]  # fmt: skip


def test_inputs_are_shown_after_inversion(run, key, gate):
    gate.set_fire(True)
    found = json.loads(run("device", "turnstile", "inputs", "--json").stdout)["inputs"]
    assert found == {
        "passage_a": False, "passage_b": False, "forced": False, "fire": True, "open": False,
    }  # fmt: skip


def test_a_pulse_by_hand_is_journalled_before_and_after(run, config, key, gate):
    gate.on_unlock = lambda: later(gate.person_passes, 0.05)
    done = run("device", "turnstile", "pulse", "--seconds", "5", "--person", "李工")
    assert done.exit_code == 0 and "→ somebody went through (passed)" in done.stdout
    assert gate.pulses == 1
    assert tried(config) == [
        {"device": "turnstile", "action": "pulse", "person": "李工", "result": "asked"},
        {"device": "turnstile", "action": "pulse", "person": "李工", "result": "sent",
         "end": "passed"},
    ]  # fmt: skip


@contextmanager
def interrupted(config_file, *arguments, lang="en", how=signal.SIGINT):
    """The command in a process of its own, which gets Ctrl-C when the block ends."""
    command = [sys.executable, "-m", "kiosk.cli.main", "--config", config_file, "--lang", lang]
    process = subprocess.Popen([*command, *arguments], text=True, stderr=subprocess.PIPE)
    try:
        yield process
        process.send_signal(how)
        process.said = process.communicate(timeout=20)[1]
    finally:
        process.kill()
        process.wait()


def test_a_pulse_that_is_interrupted_is_journalled_to_its_end(run, config, config_file, key, gate):
    pulsed = threading.Event()
    gate.on_unlock = pulsed.set
    ask = ("device", "turnstile", "pulse", "--seconds", "30", "--person", "李工")
    with interrupted(config_file, *ask, lang="zh") as process:
        assert pulsed.wait(20)
    assert process.returncode == 130 and process.said == "\n已中断\n"
    asked, ended = tried(config)
    assert asked["result"] == "asked" and ended["result"] in ("sent", "unknown")
    assert ended["end"] is None
    assert gate.pulses == 1


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("command", ["pulse", "acceptance"])
def test_a_closed_terminal_leaves_no_gate_open(config, config_file, key, command, how):
    text = config_file.read_text().replace("pulse: flash", "pulse: latch")
    config_file.write_text(text)
    ask = ["device", "turnstile", "pulse"] if command == "pulse" else ["acceptance", "run"]
    port, pulsed = Path(config.devices.turnstile.port), threading.Event()
    port.parent.mkdir(exist_ok=True)
    with VirtualTurnstile(port, wiring=BoardMap(pulse="latch")) as twin:
        twin.on_unlock = pulsed.set
        with interrupted(config_file, *ask, "--seconds", "30", how=how) as process:
            assert pulsed.wait(20)
        assert process.returncode == 130 and process.said == "\ninterrupted\n"
        assert twin.pulses == 1 and not twin.unlocked
    assert len(tried(config)) == 2


def test_a_gate_that_is_unplugged_in_a_pulse_is_no_success(run, config, key, gate):
    gate.on_unlock = lambda: later(gate.unplug)
    done = run("device", "turnstile", "cycle", "3", "--seconds", "10")
    assert done.exit_code == 5 and "0 of 3 confirmed" in done.stdout
    assert "turnstile: connection lost (unplugged)" in done.stderr
    assert [(t["result"], t.get("end")) for t in tried(config)] == [("asked", None), ("sent", None)]


def test_cycles_stop_at_one_that_is_not_confirmed(run, config, key, gate):
    def lose():
        if gate.pulses == 2:
            gate.lost_answers = 1

    gate.on_unlock = lose
    done = run("device", "turnstile", "cycle", "5", "--seconds", "0.2", "--person", "李工")
    assert done.exit_code == 5 and "1 of 5 confirmed" in done.stdout
    assert gate.pulses == 2
    assert [t["result"] for t in tried(config)] == ["asked", "sent", "asked", "unknown"]


def test_nothing_moves_while_the_lane_is_in_service(run, config, key, gate):
    with app.offline(config):  # somebody has the record: as the daemon does
        done = run("device", "turnstile", "pulse")
    assert done.exit_code == 1 and "is in use by process" in done.stderr
    assert gate.pulses == 0


def test_watch_shows_what_changes(run, key, gate):
    later(lambda: gate.set_fire(True))
    lines = run("device", "watch", "turnstile", "--seconds", "1", "--json").stdout.splitlines()
    shown = [json.loads(line) for line in lines]
    assert [s["what"] for s in shown][:2] == ["opened", "inputs"]
    assert {"fire": True}.items() <= shown[-1].items() or shown[-1].get("kind") == "fire_on"
    assert any(s.get("kind") == "fire_on" for s in shown)


def test_a_recording_is_played_to_the_driver(run, key, gate, tmp_path):
    file = tmp_path / "gate.rec"
    assert run("device", "record", "turnstile", str(file), "--seconds", "0.5").exit_code == 0
    text = file.read_text()
    assert text.startswith("examgate-recording/1 role=turnstile driver=modbus baud=9600\n")
    assert " > 010200000004" in text
    gate.stop()  # no hardware any more
    done = run("device", "replay", str(file), "--seconds", "0.5")
    assert done.exit_code == 0, done.stdout
    assert "0 that were not recorded" in done.stdout
    silent = [line for line in text.splitlines() if " < " not in line]
    file.write_text("\n".join(silent))
    done = run("device", "replay", str(file), "--seconds", "2")
    assert done.exit_code == 5 and "no_answer" in done.stdout


def test_a_recording_has_what_led_to_the_fault(run, key, config, gate, tmp_path):
    file = tmp_path / "fault.rec"
    later(gate.unplug, 1.0)
    done = run("device", "record", "turnstile", str(file), "--seconds", "20")
    assert done.exit_code == 5 and "(unplugged)" in done.stderr
    assert str(file) in done.stdout and " < 0102" in file.read_text()


def test_a_recording_is_kept_when_it_is_ended_by_hand(config_file, key, gate, tmp_path):
    file, asked, feed = tmp_path / "hand.rec", threading.Event(), gate.feed

    def heard(data):
        asked.set()
        return feed(data)

    gate.feed = heard
    with interrupted(config_file, "device", "record", "turnstile", str(file)) as process:
        assert asked.wait(20)
    assert process.returncode == 0 and " > 01" in file.read_text()


def test_a_file_that_is_no_recording_is_said(run, key, tmp_path):
    file = tmp_path / "x.rec"
    file.write_text("examgate-recording/1 role=turnstile\n0.1 > xy\n")
    done = run("device", "replay", str(file))
    assert done.exit_code == 3 and "line 2" in done.stderr


def test_probe_finds_another_password(run, key, reader):
    reader.chip.password = 0
    found = run("device", "fingerprint", "probe")
    assert found.exit_code == 0 and "as configured" in found.stdout
    reader.chip.password = 7
    none = run("device", "fingerprint", "probe")
    assert none.exit_code == 5 and "to no password" in none.stderr


@pytest.mark.parametrize(
    ("baud", "password"), [(57600, 0x1234), (115200, 0)]
)
def test_probe_finds_how_it_is_spoken_to(run, key, config, config_file, baud, password):
    """Configured with a wrong speed and a password that is right or was never set."""
    config_file.write_text(
        config_file.read_text()
        .replace("    password: 0x00000000", "    password: 0x1234")
        .replace("    baud: 57600", "    baud: 38400")
    )
    port = Path(config.devices.fingerprint.port)
    port.parent.mkdir(exist_ok=True)
    with VirtualZfm(port, baud=baud) as twin:
        twin.chip.password = password
        twin.chip.library[3] = twin.chip.library[9] = bytes(512)
        found = run("device", "fingerprint", "probe")
        assert found.exit_code == 0, found.stderr
        assert found.stdout.split() == [
            "change", "the", "configuration:", "baud:", str(baud), "address:", "0xFFFFFFFF",
            "password:", f"0x{password:08X}",
        ]  # fmt: skip
        assert sorted(twin.chip.library) == [3, 9], "whose it is, is not known: left alone"


@pytest.fixture
def anna(config, key):
    """One candidate of session S1, with two templates; and the record is let go again."""
    from datetime import UTC, datetime

    from drivers.fingerprint.zfm.virtual import make_template
    booked = row(1, templates=tuple(make_template(f"anna/{f}", 1) for f in ("thumb", "index")))
    with app_devices.by_hand(config, "t") as hand:
        hand.store.create_session("S1", "科目一", datetime.now(UTC), ["001"], person="t")
        hand.store.apply_roster([booked, row(2, templates=())], "test", "t")
    return booked


def test_a_finger_is_compared_with_a_candidates_templates(run, config, anna, reader):
    def match(number, finger=None):
        if finger:
            reader.put_finger(finger)
        done = run("device", "fingerprint", "match", "S1", number, "--seconds", "3",
                   "--person", "李工")  # fmt: skip
        reader.lift_finger()
        return done

    before = reader.commands(Command.UPLOAD_CHARACTERISTICS)
    good = match(anna.admission_no, "anna/thumb")
    assert good.exit_code == 0 and "the finger matches (matched) score=" in good.stdout
    assert good.stdout.split()[-1] == "template=0"
    assert reader.commands(Command.UPLOAD_CHARACTERISTICS) == before + 1
    other = match(anna.admission_no, "anna/index")
    assert other.exit_code == 0 and other.stdout.split()[-1] == "template=1"
    wrong = match(anna.admission_no, "bert/thumb")
    assert wrong.exit_code == 1 and "does not match (not_matched) score=0" in wrong.stdout
    reader.next_image(Confirm.TOO_DRY)
    dry = match(anna.admission_no, "anna/thumb")
    assert dry.exit_code == 1 and dry.stdout.splitlines()[-1] == "too dry (too_dry)"
    assert not reader.chip.library and reader.chip.finger is None
    with app.offline(config) as office:
        entries = office.call("journal.list", {"after": 0, "limit": 1000})["entries"]
    records = [e for e in entries if e["kind"] == "device_tried"]
    results = ["matched", "matched", "not_matched", "too_dry"]
    said = [r["payload"]["result"] for r in records]
    assert said == [each for result in results for each in ("asked", result)]
    assert records[1]["payload"]["score"] >= 50 and records[3]["payload"]["template"] == 1
    assert {r["payload"]["person"] for r in records} == {"李工"}
    assert len({r["pseudonym"] for r in records}) == 1 and anna.name not in str(records)


def test_match_says_who_is_not_there_or_has_no_template(run, config, anna, reader):
    for number, said in (("A99999", "not on the roster"), ("A00002", "no fingerprint template")):
        done = run("device", "fingerprint", "match", "S1", number)
        assert done.exit_code == 3 and said in done.stderr
    assert not reader.commands(Command.READ_IMAGE) and not tried(config)


def test_match_of_nobody_ends_with_its_time(run, anna, reader):
    done = run("device", "fingerprint", "match", "S1", anna.admission_no, "--seconds", "0.4")
    assert done.exit_code == 1
    assert done.stdout.splitlines()[-1] == "no finger came in time (no_finger)"
    assert reader.commands(Command.READ_IMAGE) > 1


def test_match_without_a_reader_says_so(run, anna):
    done = run("device", "fingerprint", "match", "S1", anna.admission_no)
    assert done.exit_code == 5 and "port_missing" in done.stderr + done.stdout


def test_the_same_finger_twice(run, key, reader):
    reader.put_finger("anna/thumb")
    later(reader.lift_finger, 0.6)
    later(lambda: reader.put_finger("anna/thumb"), 0.9)
    done = run("device", "fingerprint", "capture", "--seconds", "10")
    assert done.exit_code == 0 and done.stdout.splitlines()[-1].startswith("the finger matches")


@pytest.fixture
def images(config_file, tmp_path, monkeypatch):
    """The reader is one that gives images, libfprint's virtual one."""
    prints.need_libfprint()
    prints.be_patient(monkeypatch)
    twin = VirtualImageReader(tmp_path / "virtual")
    for name, value in twin.environment.items():
        monkeypatch.setenv(name, value)
    text = yaml.safe_load(config_file.read_text())
    text["devices"]["fingerprint"] = {"driver": "libfprint"}
    config_file.write_text(yaml.safe_dump(text, allow_unicode=True))
    yield twin
    twin.close()


def test_the_same_finger_twice_on_a_reader_that_gives_images(run, key, images):
    with prints.laid_on(images, "p1_1"):
        done = run("device", "fingerprint", "capture", "--seconds", "60")
    assert done.exit_code == 0 and done.stdout.splitlines()[-1].startswith("the finger matches")
    for command in (("device", "fingerprint", "probe"),
                    ("device", "record", "fingerprint", "no.rec")):  # fmt: skip
        refused = run(*command)
        assert refused.exit_code == 3 and "not on a serial line (libfprint)" in refused.stderr


def test_a_candidates_finger_on_a_reader_that_gives_images(run, config, anna, images):
    mine, empty = prints.iso_records("p1_1")[0], b"FMR\0 20\0\0\0\0\x3c" + bytes(48)
    iso = {"template_format": "iso-19794-2"}
    more = [row(3, templates=(mine,), **iso), row(4, templates=(empty,), **iso)]
    with app_devices.by_hand(config, "t") as hand:
        hand.store.apply_roster([anna, row(2, templates=()), *more], "test", "t")
    match = ("device", "fingerprint", "match", "S1")
    for name, number in (("p1_2", more[0].admission_no), ("p2_1", more[0].admission_no)):
        with prints.laid_on(images, name):
            done = run(*match, number, "--seconds", "60")
        images.close()
        wanted = (0, "(matched) score=") if name == "p1_2" else (1, "(not_matched) score=")
        assert done.exit_code == wanted[0] and wanted[1] in done.stdout.splitlines()[-1]
    other = run(*match, anna.admission_no)
    assert other.exit_code == 3 and "are zfm, the reader compares iso-19794-2" in other.stderr
    broken = run(*match, more[1].admission_no)
    assert broken.exit_code == 3 and "cannot be read: have the centre" in broken.stderr
    results = ["asked", "matched", "asked", "not_matched", "asked", "unreadable_template"]
    assert [e["result"] for e in tried(config)] == results


def test_the_camera_by_hand(run, key, pictures, tmp_path):
    seen = run("device", "camera", "view", "--seconds", "0.4")
    assert seen.exit_code == 0 and "640×480" in seen.stdout
    assert "under 25/s" in seen.stdout  # a folder gives five
    found = json.loads(run("doctor", "--json").stdout)["findings"]
    rate = next(f for f in found if f["what"] == "camera's rate")
    assert rate["colour"] == "yellow" and "more light" in rate["remedy"]
    assert "█" in run("device", "camera", "focus", "--seconds", "0.3").stdout
    file = tmp_path / "lens.png"
    assert run("device", "camera", "snapshot", str(file)).exit_code == 0
    assert cv2.imread(str(file)).shape == (480, 640, 3)
    assert file.stat().st_mode & 0o777 == 0o600
    assert run("device", "camera", "snapshot", str(file)).exit_code == 3  # never over another


def test_acceptance_writes_a_signed_ledger(run, config, key, gate, reader, cards, pictures):
    gate.on_unlock = lambda: later(gate.person_passes, 0.05)
    cards.lay_card(WANG.card())
    reader.put_finger("anna/thumb")

    def lift():
        while reader.chip.captures < 1:
            time.sleep(0.05)
        reader.lift_finger()
        time.sleep(0.3)
        reader.put_finger("anna/thumb")

    threading.Thread(target=lift, daemon=True).start()
    done = run("acceptance", "--person", "李工", "--seconds", "8")
    assert done.exit_code == 0, done.stdout + done.stderr
    (file,) = (config.paths.data / "ledgers").iterdir()
    with app_devices.by_hand(config, "x") as hand:
        origin = hand.store.origin
    text, _, _ = parse_signed(file.read_text(), origin)
    head, about, *checks = text.splitlines()
    assert head == "examgate-equipment/1" and json.loads(about)["person"] == "李工"
    found = {c["device"]: c["outcome"] for c in map(json.loads, checks)}
    assert found == dict.fromkeys(("turnstile", "fingerprint", "camera", "id_card"), "passed")


def test_acceptance_without_hands_names_what_is_missing(run, config, key, gate, pictures):
    done = run("acceptance", "--no-hands", "--person", "李工")
    assert done.exit_code == 5
    assert gate.pulses == 0
    assert "✗ fingerprint reader" in done.stdout and "✓ turnstile" in done.stdout


def test_a_ledger_is_checked_at_the_lane_and_anywhere(run, config, key, tmp_path):
    run("acceptance", "--no-hands", "--person", "李工")  # whatever is there: nothing is
    (file,) = (config.paths.data / "ledgers").iterdir()
    done = run("acceptance", "verify", str(file))
    assert done.exit_code == 0 and "李工" in done.stdout and "✗ turnstile" in done.stdout
    assert re.search(r"entry \d+ of the journal", done.stdout)

    vkey = tmp_path / "hall.vkey"
    vkey.write_text(run("journal", "key").stdout)
    elsewhere = ["--config", str(tmp_path / "none.yaml"), "--lang", "en", "acceptance", "verify"]

    def check(file, *more):
        return CliRunner().invoke(main, [*elsewhere, str(file), *more])

    done = check(file, "--key", str(vkey), "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert {c["outcome"] for c in found["checks"]} == {"failed"} and found["entry"] is None
    bent = tmp_path / "bent.txt"
    bent.write_text(file.read_text().replace('"failed"', '"passed"', 1))
    done = check(bent, "--key", str(vkey))
    assert done.exit_code == 1 and "the signature does not fit" in done.stderr
    assert check(bent, "--key", "x+y").exit_code == 3
    assert check(tmp_path / "none.txt", "--key", str(vkey)).exit_code == 3
    head = tmp_path / "head.txt"
    head.write_text(run("journal", "head").stdout)
    done = check(head, "--key", str(vkey))
    assert done.exit_code == 1 and "not an equipment ledger" in done.stderr


def test_a_ledger_that_the_journal_does_not_have(run, config, key, tmp_path):
    with app_devices.by_hand(config, "x") as hand:
        about = json.dumps({"origin": hand.store.origin, "person": "李工"})
        note = hand.store.sign_text(f"{FORMAT}\n{about}\n")
        foreign = hand.store.sign_text(f'{FORMAT}\n{{"origin": "examgate/KM9/Z"}}\n')
    file = tmp_path / "late.txt"
    file.write_text(note)
    done = run("acceptance", "verify", str(file))
    assert done.exit_code == 1 and "the journal does not have this ledger" in done.stderr
    file.write_text(foreign)
    assert "of another lane, examgate/KM9/Z" in run("acceptance", "verify", str(file)).stderr


def test_metrics_are_prometheus_text(run, config, key):
    done = run("metrics")
    assert done.exit_code == 0 and 'examgate_up{lane="entry-1"} 0.0' in done.stdout
    assert "examgate_disk_free_bytes" in done.stdout


def test_metrics_of_a_running_lane(run, daemon):
    daemon.answers |= {
        "lane.info": {"uptime_s": 12.5},
        "lane.state": {"state": "idle", "devices": {"camera": {"ok": False}},
                       "help_waiting": False, "alerts": 2,
                       "session": {"booked": 40, "seated": 1, "inside": 7, "free_terminals": 92}},
    }  # fmt: skip
    text = run("metrics").stdout
    for line in ('examgate_up{lane="entry-1"} 1.0', 'device="camera",lane="entry-1"} 0.0',
                 'examgate_session_inside{lane="entry-1"} 7.0', 'state="idle"} 1.0'):  # fmt: skip
        assert line in text, text


def test_log_lines_for_people():
    from kiosk.cli.observe import readable

    line = '{"event": "device", "level": "info", "timestamp": "2026-01-01T00:00:00Z", "ok": true}'
    assert readable(line, "info") == "2026-01-01T00:00:00 info     device ok=True"
    assert readable(line, "warning") is None
    assert readable("Started examgate.", "error") == "Started examgate."


def test_virtual_devices_take_commands_while_they_run(run, config, gate, reader, cards, tmp_path):
    server = SimServer(Sim(gate, reader, cards), tmp_path)
    try:
        def do(*words):
            return run("sim", "do", "--folder", str(tmp_path), *words)

        assert do("finger", WANG.key).exit_code == 0 and reader.chip.finger == WANG.finger
        do("fire", "on")
        do("garble", "fingerprint", "0.01")
        assert gate.sensors["fire"] and reader.link.flip == 0.01
        do("unplug", "turnstile")
        assert not gate.plugged
        do("plug", "turnstile")
        assert do("second-person").stdout.strip() == "the gate is locked"
        assert json.loads(do("status").stdout)["gate"] == "locked"
        for words in (("smoke",), ("fire", "maybe"), ("garble", "moon", "1"), ("stand", "soon")):
            wrong = do(*words)
            assert wrong.exit_code == 3 and wrong.stderr.strip()
    finally:
        server.close()
    assert run("sim", "do", "--folder", str(tmp_path), "status").exit_code == 4


def test_the_devices_of_a_virtual_venue_are_found_by_its_configuration(tmp_path):
    with Venue(tmp_path) as venue:
        def sim(*words):
            return CliRunner().invoke(main, ["--config", str(venue.config_path), "sim", *words])

        assert sim("finger", WANG.key).exit_code == 0
        assert venue.fingerprint.chip.finger == WANG.finger
        assert sim("do", "unplug", "fingerprint").exit_code == 0 and not venue.fingerprint.plugged
        assert sim("fire", "on").exit_code == 0 and venue.turnstile.sensors["fire"]
        assert sim("camera", "freeze").exit_code == 0
        wrong = sim("camera", "explode")
        assert wrong.exit_code == 3 and "freeze" in wrong.stderr
        assert sim("face", "nobody").exit_code == 3
        assert sim("unplug", "camera").exit_code == 0
        with pytest.raises(OSError):
            socket.create_connection(("127.0.0.1", venue.camera.port), 1)
        assert sim("plug", "camera").exit_code == 0
        socket.create_connection(("127.0.0.1", venue.camera.port), 1).close()
        venue.camera.close()
        ended = sim("camera", "blink")
        assert ended.exit_code == 3 and "closed" in ended.stderr
    assert sim("status").exit_code == 4, "it was played"


def test_a_device_is_found_by_its_identity_in_another_socket(config_file, config, monkeypatch):
    here = ports.UsbPort("/dev/ttyUSB7", "1a86:7523", "A50285BI", "1-2", "USB serial")
    twin = ports.UsbPort("/dev/ttyUSB8", "1a86:7523", "", "1-3", "USB serial")
    monkeypatch.setattr(ports, "usb_ports", lambda: [here, twin])
    assert ports.find("turnstile", "/dev/x", None) == "/dev/x"
    for usb in ("A50285BI", "1a86:7523:a50285bi"):
        assert ports.find("turnstile", "/dev/x", usb) == "/dev/ttyUSB7"
    with pytest.raises(DeviceFault) as several:
        ports.find("turnstile", "/dev/x", "1a86:7523")
    assert several.value.code == "wrong_device"
    with pytest.raises(DeviceFault) as none:
        ports.find("turnstile", "/dev/x", "0403:6001")
    assert none.value.code == "port_missing"
    text = config_file.read_text().replace("    unit: 1\n", "    unit: 1\n    usb: A50285BI\n")
    config_file.write_text(text)
    assert app.device_of(load(config_file), "turnstile")._port == "/dev/ttyUSB7"


def test_device_answers_have_words_for_every_code() -> None:
    assert set(words.FAULTS) == {code.value for code in FaultCode}
    assert {reason.value for reason in RetryReason} <= set(words.OUTCOMES)
    assert {kind.value for kind in GateEventKind if kind.ends_passage} <= set(words.ENDS)


def test_answers_are_in_chinese_too(run, config, key, gate, reader):
    gate.on_unlock = lambda: later(gate.person_passes, 0.05)
    assert "已发出并确认 (sent)" in run("device", "turnstile", "pulse", lang="zh").stdout
    gate.unplug()
    said = run("device", "turnstile", "inputs", lang="zh")
    assert said.exit_code == 5 and said.stderr.startswith("闸机: 没有接上 (port_missing)")


def test_a_lost_answer_is_told_once(run, config, key, gate, capfd):
    gate.mute = True
    said = run("device", "turnstile", "inputs")
    assert said.exit_code == 5 and "no answer (no_answer)" in said.stderr
    assert capfd.readouterr().err == "", "the library's own words"
