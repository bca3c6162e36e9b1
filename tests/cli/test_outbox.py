"""The record on its way: the lane's commands, a web server with TLS, the receiver, PostgreSQL."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest
import yaml

from kiosk import app
from kiosk.config import load
from tests.centre.postgres import BINARIES, postgres
from tests.centre.web import NGINX, Authority, nginx
from tests.store.conftest import admit, row

API = yaml.safe_load((Path(__file__).resolve().parents[2] / "docs/record-api.yaml").read_text())
needs_both = pytest.mark.skipif(
    NGINX is None or BINARIES is None, reason="nginx or PostgreSQL is not installed"
)


def validate(name: str, data: object) -> None:
    """Against a schema of the OpenAPI document."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": API["components"]}
    jsonschema.Draft202012Validator(schema).validate(data)


@needs_both
def test_the_record_arrives_and_the_interface_is_the_documented_one(
    run, key, config_file, tmp_path, monkeypatch
):
    from kiosk.centre import receiver

    Authority(tmp_path)
    vkey = run("journal", "key").stdout.strip()
    with postgres() as database:
        archive = receiver.Archive(database)
        seen = []
        take, parse = archive.take, receiver.parse_items

        def watched(origin, items):
            answer = take(origin, items)
            validate("Answer", {"stored": answer.stored, "rejected": answer.rejected})
            return answer

        def watched_parse(body):
            validate("Batch", json.loads(body))
            seen.append(len(body))
            return parse(body)

        monkeypatch.setattr(archive, "take", watched)
        monkeypatch.setattr(receiver, "parse_items", watched_parse)
        server = receiver.serve(archive, "127.0.0.1", 0)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            with nginx(tmp_path, behind=server.server_address[1]) as port:
                settings = f'record_url: "https://127.0.0.1:{port}"\n  ca_file: ca.pem\n'
                settings += "  client_certificate: lane.pem\n  client_key: lane.tls.key\n"
                secret = tmp_path / "evidence.key"
                public = run("centre", "evidence-key", str(secret)).stdout.strip()
                settings += f"  evidence_recipients: [{public}]\n"
                text = config_file.read_text().replace('record_url: ""', settings)
                text = text.replace("  evidence_recipients: [] ", "  #")
                config_file.write_text(text)
                store = app.open_store(load(config_file))
                store.create_session("S1", "x", datetime.now(UTC), ["001"], person="t")
                store.apply_roster([row(1)], "x", "t")
                store.open_session("S1", "t")
                admit(store, 1)
                store.close_session("S1", "t")
                store.close()
                refused = run("outbox", "send")
                assert refused.exit_code == 1 and "HTTP 404" in refused.stderr
                done = run("centre", "trust", vkey, "--database", database)
                assert done.exit_code == 0, done.stderr
                done = run("outbox", "send")
                assert done.exit_code == 0 and ", 0 left" in done.stdout, done.stderr
                assert seen
                out = tmp_path / "out"
                opened = ["centre", "evidence", "--database", database, "--key"]
                done = run(*opened, str(secret), "--out", str(out))
                assert done.exit_code == 0 and "opened, fits" in done.stdout, done.stderr
                (file,) = out.glob("examgate/YT-03/*/S1/*-signature.json")
                assert file.read_bytes() == b"strokes of 1"
                run("centre", "evidence-key", str(tmp_path / "other.key"))
                done = run(*opened, str(tmp_path / "other.key"), lang="zh")
                assert done.exit_code == 1 and "不是用此密钥加密的" in done.stderr
                done = run(*opened, str(secret), "--session", "S9")
                assert done.exit_code == 3 and "--session: S9" in done.stderr
                done = run(*opened, str(secret), "--log", "nobody")
                assert done.exit_code == 3 and "known: examgate/YT-03/" in done.stderr
                done = run(*opened, str(tmp_path / "none.key"))
                assert done.exit_code == 3 and "none.key" in done.stderr
        finally:
            server.shutdown()
            thread.join(5)
            server.server_close()
    status = json.loads(run("outbox", "status", "--json").stdout)
    assert status["waiting"] == 0 and status["total"] >= 2 and status["rejected"] == []
    assert {"kind": "signature", "total": 1, "waiting": 0, "rejected": 0, "thinned": 0,
            "forgotten": 0} in status["kinds"]  # fmt: skip


def test_what_was_rejected_is_shown_and_sent_again(run, key, config):
    store = app.open_store(config)
    store.apply_roster([row(1)], "x", "t")
    store.outbox_answered([], {store.outbox_pending()[0].outbox_id: "conflict: another"})
    store.close()
    done = run("outbox", "status")
    assert done.exit_code == 1 and "conflict: another" in done.stdout
    assert "1 rows will be sent again" in run("outbox", "retry").stdout
    assert run("outbox", "status").exit_code == 0


@pytest.mark.parametrize(
    ("url", "en", "zh"),
    [
        ("https://nowhere.invalid", "there is no host of this name", "找不到该主机"),
        ("https://127.0.0.1:9", "connection refused", "连接被拒绝"),
    ],
)
def test_why_nothing_can_be_sent_is_said_plainly(run, key, config_file, config, url, en, zh):
    text = config_file.read_text()
    config_file.write_text(text.replace('record_url: ""', f'record_url: "{url}"'))
    store = app.open_store(config)
    store.apply_roster([row(1)], "x", "t")
    store.close()
    for language, said in (("en", en), ("zh", zh)):
        done = run("outbox", "send", lang=language)
        assert done.exit_code == 1 and said in done.stderr and "Errno" not in done.stderr


def test_without_an_address_there_is_nowhere_to_send(run, key):
    done = run("outbox", "send")
    assert done.exit_code == 3 and "centre.record_url" in done.stderr


def test_the_key_of_evidence_is_never_written_over(run, tmp_path):
    file = tmp_path / "evidence.key"
    assert run("centre", "evidence-key", str(file)).stdout.startswith("age1")
    before = file.read_bytes()
    again = run("centre", "evidence-key", str(file), lang="zh")
    assert again.exit_code == 3 and "evidence.key" in again.stderr and not again.stdout
    assert file.read_bytes() == before and file.stat().st_mode & 0o777 == 0o600


def test_a_wrong_key_or_database_is_said(run, key):
    done = run("centre", "trust", "x", "--database", "host=/nowhere dbname=x")
    assert done.exit_code == 3 and "--database" in done.stderr
