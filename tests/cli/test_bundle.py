"""`examgate centre …` and a lane that takes what its centre signed, and nothing else."""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kiosk import app, app_centre
from kiosk.centre.bundle import seal
from kiosk.centre.bundle.build import Label, write_bundle
from kiosk.config import load
from kiosk.face.models import SFACE
from tests.centre.bundle.conftest import row
from tests.centre.web import NGINX, Authority, nginx


@pytest.fixture
def lane(run, key, config_file, tmp_path):
    """Configured for the centre whose key is centre.pem."""
    assert run("centre", "keygen", str(tmp_path / "centre.pem")).exit_code == 0
    text = config_file.read_text().replace("public_key: null", "public_key: centre.pem.pub")
    config_file.write_text(text)
    return load(config_file)


@pytest.fixture
def make(lane, run, tmp_path):
    """`make(rows)`: a bundle for that lane; returns its path."""
    made = datetime.now(UTC)

    def bundle(rows, serial=7, venue=None, hours=1, name="b.tar.age"):
        rows = [r | {"encoder": lane.face.encoder} for r in rows]
        label = Label(venue or lane.venue.code, serial, made, made - timedelta(days=2),
                      made + timedelta(hours=hours))  # fmt: skip
        to = seal.recipient(run("key", "recipient").stdout)
        write_bundle(tmp_path / name, rows, label, seal.centre_key(tmp_path / "centre.pem"), [to])
        return str(tmp_path / name)

    return bundle


def test_a_bundle_is_taken_and_the_next_one_replaces_it(run, make):
    done = run("roster", "import", make([row(1), row(2), row(3)]))
    assert done.exit_code == 0, done.stderr
    assert "added 3" in done.stdout
    done = run("roster", "import", make([row(1), row(2, "S2")], serial=8))
    assert "added 1, changed 0, unchanged 1" in done.stdout
    assert "moved: 考*2 …0002 (S1 → S2)" in done.stdout, done.stdout
    assert "cancelled: 考*3 …0003 (S1)" in done.stdout
    done = run("roster", "import", make([row(1)], serial=7), lang="zh")
    assert done.exit_code == 1 and "比正在使用的名单旧" in done.stderr
    status = json.loads(run("roster", "status", "--json").stdout)
    assert {s["session_id"]: s["candidates"] for s in status["sessions"]} == {"S1": 1, "S2": 1}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [({"venue": "YT-99"}, "for another venue (YT-99"), ({"hours": -1}, "no longer valid")],
)
def test_another_venue_or_day_is_refused(run, make, wrong, said):
    done = run("roster", "import", make([row(1)], **wrong))
    assert done.exit_code == 3 and said in done.stderr and "b.tar.age: " in done.stderr
    assert json.loads(run("roster", "status", "--json").stdout)["sessions"] == []


def test_where_there_is_a_centre_no_folder_is_taken(run, lane, tmp_path):
    done = run("roster", "import", str(tmp_path))
    assert done.exit_code == 1 and "signed roster bundles only" in done.stderr
    with app.offline(lane) as office, pytest.raises(Exception, match="signed roster bundles only"):
        office.call("roster.begin", {"source": "x", "rows": 1, "lang": "en"})


def test_rows_that_the_centre_has_not_signed_are_refused(run, make, lane, tmp_path):
    """Whoever speaks to the socket instead of using the command gets no further."""
    import base64

    from kiosk.centre.roster_file import for_wire

    path = make([row(1)])
    opened = app_centre.open_bundle(lane, tmp_path / "b.tar.age")
    with opened as bundle, app.offline(lane) as office:
        assert path
        prepared = app_centre.prepare_bundle(lane, bundle, lambda *_: None)
        signed = {"manifest": base64.b64encode(bundle.raw).decode(),
                  "signature": base64.b64encode(bundle.signature).decode()}  # fmt: skip
        begin = {"source": "x", "rows": 1, "bundle": signed, "lang": "en"}
        begun = office.call("roster.begin", begin)
        stranger = for_wire(prepared.rows[0] | {"photo": b"\xff\xd8\xff somebody else"})
        with pytest.raises(Exception, match="not what the manifest says"):
            office.call("roster.add", begun | {"rows": [stranger], "lang": "en"})
        with pytest.raises(Exception, match="signature does not fit"):
            office.call("roster.begin", begin | {"bundle": signed | {"signature": "AAAA"}})
        assert office.call("roster.add", begun | {"rows": [for_wire(prepared.rows[0])]})
        assert office.call("roster.commit", begun | {"person": "t"})["added"] == 1


def test_a_bundle_is_whole_or_not(run, make):
    done = run("roster", "import", make([row(1)]), "--accept-problems")
    assert done.exit_code == 2 and "whole or not at all" in done.stderr


def test_without_a_centre_configured_it_is_said(run, key, tmp_path):
    (tmp_path / "x.tar.age").write_bytes(b"age-encryption.org/v1\n")
    done = run("roster", "import", str(tmp_path / "x.tar.age"))
    assert done.exit_code == 3 and "set centre.public_key" in done.stderr


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"--day": "2020-01-01"}, "--day: 2020-01-01 is over"),
        ({"--timezone": "Mars"}, "--timezone: there is no Mars"),
        ({"--to": "age1nobody"}, "age1nobody"),
        ({"--key": "none.pem"}, "none.pem: No such file"),
        ({"--encoder": "none"}, "--encoder: there is no none"),
    ],
)
def test_what_the_office_mistypes(run, lane, tmp_path, change, said):
    recipient = run("key", "recipient").stdout.strip()
    day = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    options = {"--out": str(tmp_path / "o.age"), "--venue": "YT-01", "--day": day,
               "--key": str(tmp_path / "centre.pem"), "--to": recipient} | change  # fmt: skip
    words = [word for pair in options.items() for word in pair]
    (tmp_path / "r").mkdir()
    done = run("centre", "bundle", str(tmp_path / "r"), *words)
    assert done.exit_code in (2, 3) and said in done.stderr, done.stderr
    assert not (tmp_path / "o.age").exists()


def test_a_bundle_is_written_over_only_when_told(run, lane, tmp_path):
    day = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    out, table = tmp_path / "o.age", tmp_path / "r"
    out.write_bytes(b"yesterday's")
    table.mkdir()
    words = ["centre", "bundle", str(table), "--out", str(out), "--venue", "YT-01", "--day", day,
             "--key", str(tmp_path / "centre.pem"), "--to", run("key", "recipient").stdout.strip()]
    done = run(*words)
    assert done.exit_code == 3 and "--force writes over it" in done.stderr
    assert "--force" not in run(*words, "--force").stderr, "goes on to the roster"
    assert out.read_bytes() == b"yesterday's", "which is empty"


def test_a_roster_with_mistakes_makes_no_bundle(run, lane, tmp_path):
    recipient = run("key", "recipient").stdout.strip()
    day = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    table = tmp_path / "r.csv"
    table.write_text("admission_no,identity_number,name,licence_class,session_id,photo\n"
                     "A1,123,王明,C1,S1,none.jpg\n")  # fmt: skip
    done = run("centre", "bundle", str(table), "--out", str(tmp_path / "o.age"), "--venue", "YT-01",
               "--day", day, "--key", str(tmp_path / "centre.pem"), "--to", recipient)  # fmt: skip
    assert done.exit_code == 3 and "no bundle was made" in done.stderr
    assert not (tmp_path / "o.age").exists()


@pytest.mark.skipif(NGINX is None, reason="nginx is not installed")
def test_the_days_bundle_is_fetched_and_taken_once(run, make, config_file, tmp_path):
    Authority(tmp_path)
    (tmp_path / "www").mkdir()
    with nginx(tmp_path) as port:
        served = f'urls: ["https://127.0.0.1:{port}/none", "https://127.0.0.1:{port}/{{day}}.tar.age"]'
        served += "\n  ca_file: ca.pem\n"
        served += "  client_certificate: lane.pem\n  client_key: lane.tls.key\n"
        text = config_file.read_text().replace("urls: []", served)
        config_file.write_text(text)
        download = ("roster", "download", "--day", "2026-11-27")
        done = run(*download)
        assert done.exit_code == 1 and "HTTP 404" in done.stderr, done.stderr
        make([row(1), row(2)], name="www/2026-11-27.tar.age")
        done = run(*download)
        assert done.exit_code == 0 and "added 2" in done.stdout, done.stderr
        assert f"centre.urls no. 1 (127.0.0.1:{port}): HTTP 404" in done.stderr
        assert not list((tmp_path / "data" / "downloads").glob("*.age")), "kept no longer than used"
        assert "no new bundle" in run(*download).stdout
        damaged = (tmp_path / "www/2026-11-27.tar.age").read_bytes()[:-100]
        (tmp_path / "www/2026-11-27.tar.age").write_bytes(damaged)
        done = run(*download)
        assert done.exit_code == 3 and "damaged" in done.stderr, done.stderr
        assert list((tmp_path / "data" / "downloads").iterdir()) == [], "fetched whole next time"
        make([row(1)], serial=8, name="www/2026-11-27.tar.age")
        assert "cancelled: " in run(*download).stdout


def test_without_an_address_there_is_nothing_to_fetch(run, lane):
    done = run("roster", "download")
    assert done.exit_code == 3 and "centre.urls" in done.stderr


def test_a_damaged_model_is_told_to_who_put_in_the_stick(config, damaged_model, monkeypatch, capfd):
    @contextmanager
    def opened(*_):
        SFACE.read()
        yield

    monkeypatch.syspath_prepend(str(damaged_model))
    monkeypatch.setattr(app_centre.os, "nice", lambda step: step)
    monkeypatch.setattr(app_centre, "open_bundle", opened)
    assert app_centre.run_stick_reader(config, "take", Path("x.age")) == 0
    (failed,) = json.loads(capfd.readouterr().out)["failed"]
    assert "重新安装" in failed["zh"] and "install it again" in failed["en"]
