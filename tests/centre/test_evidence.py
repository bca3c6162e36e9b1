"""Evidence at the centre: sealed on the lane, opened with the key, held against the journal."""

from __future__ import annotations

import csv
import hashlib
import json
import stat
import subprocess

import psycopg
import pyrage
import pytest

from kiosk.centre import receiver as r
from kiosk.centre.download import Access
from kiosk.centre.evidence import INDEX, Found, _open, open_all, write_out
from kiosk.centre.upload import MOST_EVIDENCE_BYTES, Sender
from kiosk.store.evidence import EvidenceKind as Kind
from tests.centre.postgres import BINARIES, archive, database, url  # noqa: F401
from tests.centre.test_upload import Unreliable, upload
from tests.store.conftest import admit, candidate_of, folder, open_store, store  # noqa: F401

pytestmark = pytest.mark.skipif(BINARIES is None, reason="PostgreSQL is not installed")

ALL = list(Kind)
JPEG = b"\xff\xd8 a picture of somebody"


@pytest.fixture(scope="module")
def key():
    return pyrage.x25519.Identity.generate()


@pytest.fixture
def sender(store, url, key):  # noqa: F811
    return Sender(url, store.origin, Access(), [str(key.to_public())])


@pytest.fixture
def filled(store):  # noqa: F811
    store.send_evidence(ALL)
    for n in range(3):
        admit(store, n)
        store.keep_capture("S1", candidate_of(store, n), JPEG + b"%d" % n, "verified")
    store.close_session("S1", "t")
    made = {"report_sha256": hashlib.sha256(b"%PDF").hexdigest(),
            "csv_sha256": hashlib.sha256(b"a,b").hexdigest()}  # fmt: skip
    store.note_report("S1", made, b"%PDF", b"a,b")
    store.sign_head()
    return store


def found(archive, key, **only):  # noqa: F811
    return [(o.piece.kind, o.found) for o in open_all(archive, key, **only)]


@pytest.mark.parametrize("seed", range(3))
def test_each_piece_arrives_whole_whatever_the_way_does(
    filled, archive, sender, key, tmp_path, seed, monkeypatch  # noqa: F811
):  # fmt: skip
    from kiosk.centre import upload as module

    monkeypatch.setattr(module, "MOST_ITEMS", 5)
    upload(filled, Unreliable(sender, seed), 200)
    assert filled.outbox_size()[0] == 0 and filled.outbox_rejected() == []
    counts = write_out(open_all(archive, key), tmp_path / "out")
    assert counts == {Found.OPENED: 3 + 3 + 2}
    index = (tmp_path / "out" / INDEX).read_text(encoding="utf-8")
    rows = list(csv.DictReader(index.splitlines()))
    assert {row["signed_head"] for row in rows} == {"1"}
    for row in rows:
        file = tmp_path / "out" / row["file"]
        assert hashlib.sha256(file.read_bytes()).hexdigest() == row["sha256"]
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    named = {row["kind"]: (tmp_path / "out" / row["file"]).read_bytes() for row in rows}
    assert named["capture"] == JPEG + b"2" and named["report"] == b"%PDF"


def test_nobody_without_the_key_reads_it(filled, archive, sender, database, tmp_path):  # noqa: F811
    upload(filled, sender, 9)
    with psycopg.connect(database) as connection:
        sealed = [bytes(b) for (b,) in connection.execute("select age from evidence")]
    assert len(sealed) == 8 and not any(b"somebody" in s or b"strokes" in s for s in sealed)
    other = pyrage.x25519.Identity.generate()
    assert {f for _, f in found(archive, other)} == {Found.OTHER_KEY}
    assert not any((tmp_path / "lane").glob("*"))


def test_the_ordinary_tool_opens_it(filled, archive, sender, key, database, tmp_path):  # noqa: F811
    """`age -d`, where it is installed."""
    upload(filled, sender, 9)
    with psycopg.connect(database) as connection:
        query = "select age from evidence where kind = 'report'"
        sealed = bytes(connection.execute(query).fetchone()[0])
    (tmp_path / "key").write_text(f"{key}\n")
    (tmp_path / "report.age").write_bytes(sealed)
    command = ["age", "-d", "-i", str(tmp_path / "key"), str(tmp_path / "report.age")]
    try:
        done = subprocess.run(command, capture_output=True, check=True, timeout=20)
    except FileNotFoundError:
        pytest.skip("age is not installed")
    assert done.stdout == b"%PDF"


def test_what_was_bent_on_the_way_or_at_the_centre_is_found(
    filled, archive, sender, key, database  # noqa: F811
):  # fmt: skip
    upload(filled, sender, 9)
    swapped = pyrage.encrypt(b"another signature", [key.to_public()])
    with psycopg.connect(database) as connection:
        first = "(select min(seq) from evidence where kind = %s)"
        for kind, change in (("signature", swapped), ("capture", swapped[:-1])):
            connection.execute(
                f"update evidence set age = %s where kind = %s and seq = {first}",
                [change, kind, kind],
            )
    seen = found(archive, key)
    assert seen.count(("signature", Found.ALTERED)) == 1
    assert seen.count(("capture", Found.DAMAGED)) == 1
    assert [f for _, f in seen].count(Found.OPENED) == 6


def test_what_was_thinned_or_forgotten_is_told_from_what_has_not_come(
    filled, archive, sender, key  # noqa: F811
):  # fmt: skip
    assert found(archive, key) == []
    filled.thin([Kind.CAPTURE], 1, "disk")
    filled.forget_session("S1", "t", "x")
    upload(filled, sender, 9)
    seen = found(archive, key)
    assert seen.count(("capture", Found.THINNED)) == 1
    assert seen.count(("capture", Found.FORGOTTEN)) == 2
    assert seen.count(("signature", Found.FORGOTTEN)) == 3
    assert found(archive, key, session_id="S9") == []
    assert len(found(archive, key, origin=filled.origin, session_id="S1")) == 8


def test_evidence_without_its_entry_waits_and_that_of_another_kind_is_refused(
    filled, archive, key  # noqa: F811
):  # fmt: skip
    age = pyrage.encrypt(b"x", [key.to_public()])
    opened = next(e for e in filled.entries(0, 100) if e.kind == "session_opened")
    signed = next(e for e in filled.entries(0, 100) if e.kind == "signed")

    def take(*items):
        return archive.take(filled.origin, [r.Item(n, *i) for n, i in enumerate(items, 1)])

    assert take(("signature", signed.seq, "", age)) == r.Answer()
    entries = [i for i in filled.outbox_batch(500, 10**7) if i.kind == "journal"]
    archive.take(filled.origin, [r.Item(i.outbox_id, i.kind, i.ref, i.text) for i in entries])
    answer = take(
        ("signature", signed.seq, "", age),
        ("signature", opened.seq, "", age),
        ("signature", signed.seq, "", b"strokes in the clear"),
        ("poem", 1, "roses"),
        ("signature", signed.seq, "", age + b"x"),
    )
    assert answer.stored == [1, 5], "the first one stays, and the repeat is told as stored"
    assert {x["id"]: x["code"] for x in answer.rejected} == {2: "entry", 3: "age", 4: "kind"}
    sealed = [p.age for p in archive.pieces() if p.age is not None]
    assert sealed == [age]


def test_one_that_is_too_large_is_kept_and_told_and_the_rest_goes_on(filled, sender, archive):  # noqa: F811
    big = bytes(MOST_EVIDENCE_BYTES + 1)
    filled.note_report("S1", {}, big, b"a")
    upload(filled, sender, 30)
    (rejected,) = filled.outbox_rejected()
    assert rejected["kind"] == "report" and "too large" in rejected["why"]
    assert filled._rows("select count(*) from reports") == [(1,)]


def test_a_file_name_of_the_lanes_cannot_lead_out(tmp_path, key):
    from kiosk.centre.evidence import Opened

    piece = r.Piece("../../etc", 1, "report", "{}", b"", True)
    one = Opened(piece, Found.OPENED, "../..", "", "", "", b"%PDF")
    write_out([one], tmp_path / "deep" / "out")
    files = [f for f in tmp_path.rglob("*") if f.is_file()]
    assert len(files) == 2 and all((tmp_path / "deep" / "out") in f.parents for f in files)


def test_names_that_are_alike_long_or_half_a_character_harm_nothing(tmp_path, key):
    names = ["a/b", "a_b", "a//b", "考" * 300, "", "half \udcff", "=1+1", "none"]
    sealed = pyrage.encrypt(b"%PDF", [key.to_public()])
    opened = []
    for n, name in enumerate(names):
        entry = json.dumps(
            {
                "session_id": names[-1 - n],
                "pseudonym": "@x",
                "at": "\ud800",
                "payload": {"report_sha256": hashlib.sha256(b"%PDF").hexdigest()},
            }
        )
        entry = entry.replace("udcff", "ud800")
        origin = name.encode(errors="replace").decode()
        opened.append(_open(r.Piece(origin, 1, "report", entry, sealed, True), key, set(), {}))
    deep = "[" * 100_000
    opened.append(_open(r.Piece("o", 2, "report", deep, sealed, True), key, set(), {}))
    assert write_out(opened, tmp_path) == {Found.OPENED: len(names), Found.ALTERED: 1}
    rows = list(csv.DictReader((tmp_path / INDEX).read_text(encoding="utf-8").splitlines()))
    assert len({row["file"] for row in rows} - {""}) == len(names)
    assert all((tmp_path / row["file"]).is_file() for row in rows if row["file"])
    assert not any(cell.startswith(("=", "@")) for row in rows for cell in row.values())


def test_who_may_only_read_the_database_opens_it_and_waits_for_nobody(
    filled, archive, sender, key, database  # noqa: F811
):  # fmt: skip
    upload(filled, sender, 9)
    with psycopg.connect(database) as connection:
        connection.execute("drop role if exists reader")
        connection.execute("create role reader login; grant select on all tables in schema public"
                           " to reader")  # fmt: skip
    reader = r.Archive(database.replace("user=examgate", "user=reader"))
    opening = open_all(reader, key)
    assert next(opening).found is Found.OPENED
    other = r.Archive(database + " options='-c lock_timeout=2s'")  # as `receive` begins
    assert other.trust(filled.vkey) == filled.origin
    opening.close()
    with psycopg.connect(database) as connection:
        connection.execute("drop owned by reader; drop role reader")
