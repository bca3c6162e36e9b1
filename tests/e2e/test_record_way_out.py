"""A real lane and a real centre: a signature, a picture and the closed session's report are there,
sealed, a moment later; and the logs say nothing about them."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from drivers.camera.virtual import VirtualCamera
from kiosk import app
from kiosk.centre import receiver
from kiosk.centre.bundle.seal import make_identity, read_identity
from kiosk.centre.evidence import Found, open_all
from kiosk.config import load
from kiosk.demo.people import WANG
from kiosk.demo.venue import Venue
from kiosk.report.pack_form import sha256_hex
from tests.centre.postgres import BINARIES, postgres
from tests.centre.web import NGINX, Authority, nginx
from tests.e2e.conftest import copy_of, options
from tests.e2e.walker import Walker, leaks

pytestmark = pytest.mark.skipif(
    NGINX is None or BINARIES is None, reason="nginx or PostgreSQL is not installed"
)


@pytest.fixture
def archive() -> Iterator[receiver.Archive]:
    with postgres() as database:
        yield receiver.Archive(database)


@pytest.fixture
def centre(tmp_path: Path, archive: receiver.Archive) -> Iterator[dict[str, Any]]:
    """What the lane's configuration says of it."""
    folder = tmp_path / "centre"
    folder.mkdir()
    Authority(folder)
    server = receiver.serve(archive, "127.0.0.1", 0)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        with nginx(folder, behind=server.server_address[1]) as port:
            yield {
                "centre.record_url": f"https://127.0.0.1:{port}",
                "centre.ca_file": str(folder / "ca.pem"),
                "centre.client_certificate": str(folder / "lane.pem"),
                "centre.client_key": str(folder / "lane.tls.key"),
                "centre.evidence": ["signatures", "reports", "captures"],
                "centre.evidence_recipients": [make_identity(folder / "evidence.key")],
            }
    finally:
        server.shutdown()
        thread.join(5)
        server.server_close()


@pytest.fixture
def quick_venue(
    tmp_path: Path,
    morning: Path,
    camera: VirtualCamera,
    centre: dict[str, Any],
    archive: receiver.Archive,
) -> Iterator[Venue]:
    folder = tmp_path / "venue"
    copy_of(morning, folder)
    camera.empty()
    plain = options(camera)
    with Venue(folder, replace(plain, changes=plain.changes | centre)) as venue:
        store = app.open_store(load(venue.config_path))
        archive.trust(store.vkey)
        store.close()
        venue.start_daemon()
        yield venue


def over(state: dict[str, Any]) -> bool:
    return state["state"] in ("welcome", "refused")


def test_from_the_pad_to_the_centre(
    quick_venue: Venue, walker: Walker, archive: receiver.Archive, tmp_path: Path
) -> None:
    venue, key = quick_venue, read_identity(tmp_path / "centre" / "evidence.key")
    seen = walker.walk(WANG, over)
    assert seen["state"] == "welcome", seen["reason"]
    walker.leave()
    venue.command("session", "close", "S1", "--person", "test")

    def arrived() -> dict[str, Any]:
        return {one.piece.kind: one for one in open_all(archive, key) if one.found is Found.OPENED}

    every = {"signature", "capture", "report", "report_table"}
    venue.wait(lambda: set(arrived()) == every, "the evidence to arrive")
    found = arrived()
    assert found["capture"].data.startswith(b"\xff\xd8")
    assert found["report"].data.startswith(b"%PDF") and b"S1" in found["report_table"].data
    assert found["signature"].session_id == "S1" and len(found["signature"].pseudonym) == 32
    status = json.loads(venue.command("outbox", "status", "--json").stdout)
    assert status["rejected"] == [] and {k["kind"] for k in status["kinds"]} >= every
    for one in found.values():
        assert sha256_hex(one.data) == one.sha256
    assert leaks(venue, WANG) == []
