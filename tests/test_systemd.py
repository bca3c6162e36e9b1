"""The units are clean, and the stable device names are the ones that config.yaml uses."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from kiosk.store.signer import signing_key_file

ROOT = Path(__file__).resolve().parents[1]
UNITS = ROOT / "systemd"
PROGRAM = "/opt/examgate/.venv/bin/examgate"


SERVICES = (
    "examgate.service", "examgate-ui@.service", "examgate-roster.service",
    "examgate-stick@.service", "examgate-reports@.service",
)  # fmt: skip


@pytest.mark.parametrize("name", SERVICES)
def test_unit_is_clean(name: str, tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not on this machine")
    text = (UNITS / name).read_text()
    if "User=" in text:
        assert PROGRAM in text
    unit = tmp_path / name.replace("@", "@candidate")
    # the program is not installed where tests run; any other executable stands in for it
    unit.write_text(text.replace(PROGRAM, "/bin/true").replace("/opt/examgate/docs", "/usr"))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(unit)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_daemon_unit_keeps_the_gate_safe() -> None:
    text = (UNITS / "examgate.service").read_text()
    for line in ("Type=notify", "NotifyAccess=main", "WatchdogSec=10", "Restart=always"):
        assert f"\n{line}\n" in text
    assert f"\nExecStopPost={PROGRAM} device turnstile safe-state\n" in text


def test_the_credentials_are_the_lanes_keys(tmp_path: Path) -> None:
    text = (UNITS / "examgate-credentials.conf").read_text()
    line = r"^LoadCredentialEncrypted=(\S+):/etc/credstore\.encrypted/(\S+)$"
    given = re.findall(line, text, re.M)
    key = Path(yaml.safe_load((ROOT / "config.yaml").read_text())["paths"]["key_file"])
    names = [key.name, signing_key_file(key).name, f"{key.stem}-age{key.suffix}"]
    assert given == [(name, f"examgate-{name}") for name in names]
    if shutil.which("systemd-analyze") is not None:  # as the drop-in of the daemon's unit
        daemon = (UNITS / "examgate.service").read_text().replace(PROGRAM, "/bin/true")
        whole = daemon.replace("/opt/examgate/docs", "/usr").replace("[Service]", text, 1)
        (tmp_path / "examgate.service").write_text(whole)
        verify = ["systemd-analyze", "verify", "--man=no", str(tmp_path / "examgate.service")]
        done = subprocess.run(verify, capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode, done.stdout + done.stderr) == (0, "")
    script = UNITS / "with-credentials.sh"
    assert subprocess.run(["sh", "-n", str(script)], check=False).returncode == 0
    refused = subprocess.run([str(script)], capture_output=True, check=False)
    assert refused.returncode == 2


def test_udev_names_are_those_of_the_example_configuration() -> None:
    rules = (UNITS / "60-examgate.rules").read_text()
    named = {f"/dev/{name}" for name in re.findall(r'SYMLINK\+="([^"]+)"', rules)}
    devices = yaml.safe_load((ROOT / "config.yaml").read_text())["devices"]
    ports = {d["port"] for d in devices.values() if "port" in d}
    assert ports <= named
    assert set(re.findall(r'GOTO="(\w+)"', rules)) == set(re.findall(r'LABEL="(\w+)"', rules))


def test_every_user_of_a_unit_is_made() -> None:
    made = re.findall(r"^u (\S+)", (UNITS / "examgate.sysusers.conf").read_text(), re.M)
    for unit in UNITS.glob("*.service"):
        text = unit.read_text()
        users = re.findall(r"^User=(\S+)", text, re.M) or re.findall(r"\bgid=(\w+)", text)
        for screen in ("candidate", "proctor"):
            assert users[0].replace("%i", screen) in made


def test_the_user_of_the_candidates_screen_is_the_one_that_the_daemon_knows() -> None:
    """And it reads no keyboard: a PIN may be typed on the same computer."""
    unit = (UNITS / "examgate-ui@.service").read_text()
    (user,) = re.findall(r"^User=(\S+)", unit, re.M)
    ui = yaml.safe_load((ROOT / "config.yaml").read_text())["ui"]
    assert user.replace("%i", "candidate") == ui["candidate_user"]
    (groups,) = re.findall(r"^SupplementaryGroups=(.*)", unit, re.M)
    assert "examgate" in groups.split() and "input" not in groups.split()


def test_a_stick_is_mounted_where_the_daemon_looks_and_cannot_be_written_or_run() -> None:
    unit = (UNITS / "examgate-stick@.service").read_text()
    (mount,) = re.findall(r"^ExecStart=/usr/bin/mount -o (\S+) /dev/%i (\S+)/%i$", unit, re.M)
    assert {"ro", "noexec", "nosuid", "nodev"} <= set(mount[0].split(","))
    centre = yaml.safe_load((ROOT / "config.yaml").read_text())["centre"]
    assert mount[1] in centre["usb_folders"]
    rules = (UNITS / "61-examgate-stick.rules").read_text()
    assert 'ENV{ID_FS_TYPE}=="vfat|exfat"' in rules and 'SUBSYSTEMS=="usb"' in rules
    wanted = re.findall(r'SYSTEMD_WANTS\}\+="([\w-]+@)%k\.service"', rules)
    assert sorted(wanted) == ["examgate-reports@", "examgate-stick@"]
    assert all((UNITS / f"{name}.service").exists() for name in wanted)
    assert set(re.findall(r'GOTO="(\w+)"', rules)) == set(re.findall(r'LABEL="(\w+)"', rules))
