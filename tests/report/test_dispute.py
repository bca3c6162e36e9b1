"""A candidate's record in one file: whole, provable, and bent in no way that is not found."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import UTC, datetime

import pytest

from kiosk.ink import make_ink, write_ink
from kiosk.report.dispute import collect, pack
from kiosk.report.dispute_check import TEXTS, Code, check_dispute
from kiosk.report.gather import gather
from kiosk.report.pack_form import ENTRIES, MANIFEST, NOTE, PROOFS, TIMELINE, sha256_hex
from kiosk.report.seal import load_document_key
from kiosk.report.sentences import event_sentence
from kiosk.report.timeline_page import timeline_pdf
from kiosk.store.errors import StoreRefused
from tests.report.conftest import NAMES, PLACE
from tests.report.test_report import text_of
from tests.store.conftest import row

LINE = [(10.0 * n, 50.0 + n % 5, 8.0 * n, 0.5) for n in range(40)]
INK = write_ink(make_ink([LINE], 800, 300, "pen", "0" * 64))


@pytest.fixture
def hall(halls):
    hall = halls(12)
    who = hall.who(1)
    hall.store.save_signature("S1", who, INK, "0" * 64)
    hall.store.keep_capture("S1", who, b"face of 1", "verified")
    hall.everything()
    hall.close()
    return hall


def person(hall, n):
    (found,) = hall.store.find_people(row(n).identity_number)
    return found


def make(hall, folder, n=1, lang="zh"):
    collected = collect(hall.store, person(hall, n), PLACE, lang)
    key = load_document_key(folder / "lane.key", folder / "d.crt", "x", datetime.now(UTC))
    pdf = key.sign_pdf(timeline_pdf(collected.timeline, lang), "r", "p")
    file = folder / "d.zip"
    file.write_bytes(pack(hall.store, collected, pdf, key.pem))
    return file


def unzipped(file):
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rezipped(file, files):
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return file


def test_a_pack_is_whole_and_checks(hall, tmp_path):
    file = make(hall, tmp_path)
    found = check_dispute(file, hall.store.vkey)
    assert found.findings == () and not found.own_key
    assert found.draws == 2, "the voided draw and the second one"
    assert found.signatures == 3
    assert check_dispute(file).own_key
    files = unzipped(file)
    assert next(iter(files)) == "README.txt"
    assert files["roster-photo.jpg"] == row(1).photo
    (capture,) = [n for n in files if n.startswith("capture-")]
    assert files[capture] == b"face of 1"
    inkml = [n for n in files if n.endswith(".inkml")]
    assert len(inkml) == 1 and files[inkml[0]] == INK
    assert files[inkml[0].replace("inkml", "svg")].startswith(b"<?xml")
    assert files[inkml[0].replace("inkml", "png")].startswith(b"\x89PNG")
    told = json.loads(files[TIMELINE])
    exact = [json.loads(line) for line in files[ENTRIES].decode().splitlines()]
    assert [t["seq"] for t in told] == [e["seq"] for e in exact]
    assert {"session_opened", "seat_drawn", "seat_voided", "session_closed"} <= {
        t["kind"] for t in told
    }
    assert any("考试员决定" in t["text"] for t in told)
    whole = b"".join(v for k, v in files.items() if not k.endswith(".pdf")).decode(errors="replace")
    assert row(1).identity_number not in whole
    for other in (NAMES[0], NAMES[2], hall.who(0).pseudonym, hall.who(2).pseudonym):
        assert other not in whole


@pytest.mark.parametrize(("lang", "said"), [("zh", "身份"), ("en", "claimed an identity by card")])
def test_the_timeline_tells_it_in_words(hall, tmp_path, lang, said):
    make(hall, tmp_path, lang=lang)
    text = text_of(unzipped(tmp_path / "d.zip")["timeline.pdf"], tmp_path)
    assert said in text and NAMES[1] in text and "0.3127" in text


def test_a_score_that_was_signed_for_twice_is_told(halls, tmp_path):
    hall = halls(2)
    hall.enter(0)
    sign = {"score": 91, "person": "李老师"}
    who = hall.who(0).candidate_id
    hall.store.sign_score("S1", who, INK, "0" * 64, **sign)
    again = sign | {"score": 92, "note": "漏判一题"}
    hall.store.sign_score("S1", who, INK + b"\n", "0" * 64, **again)
    hall.close()
    file = make(hall, tmp_path, 0)
    assert check_dispute(file, hall.store.vkey).findings == ()
    told = [one["text"] for one in json.loads(unzipped(file)[TIMELINE])]
    assert any("成绩 91 分" in text for text in told)
    assert any("成绩 92 分" in text and "漏判一题" in text for text in told)
    (event,) = gather(hall.store, "S1", PLACE).overrides
    said = event_sentence(event, "en")
    assert said.endswith("score corrected to 92 and signed for again, note: 漏判一题")
    (event,) = gather(hall.store, "S1", PLACE, public=True).overrides
    assert "漏判一题" not in event_sentence(event, "zh")


def test_each_way_of_bending_it_is_found(hall, tmp_path):
    original = unzipped(make(hall, tmp_path))
    lines = original[ENTRIES].decode().splitlines(keepends=True)
    drawn = next(n for n, line in enumerate(lines) if '"kind":"seat_drawn"' in line)

    def codes(change, resign=False):
        files = dict(original)
        change(files)
        if resign:  # by whoever has no key: at least the list fits
            manifest = json.loads(files[MANIFEST])
            manifest["files"] = {
                name: {"sha256": sha256_hex(data), "bytes": len(data)}
                for name, data in files.items()
                if name not in (MANIFEST, NOTE)
            }
            files[MANIFEST] = json.dumps(manifest).encode()
        file = rezipped(tmp_path / "bent.zip", files)
        return {f.code for f in check_dispute(file, hall.store.vkey).findings}

    def entries(files, new):
        files[ENTRIES] = "".join(new).encode()

    other_seat = lines[drawn].replace('"index":', '"index":1')
    assert codes(lambda f: None) == set()
    bent = codes(lambda f: entries(f, [*lines[:drawn], other_seat, *lines[drawn + 1 :]]))
    assert {Code.FILE, Code.PROOF, Code.DRAW} <= bent
    bent = codes(lambda f: entries(f, [*lines[:drawn], *lines[drawn + 1 :]]), resign=True)
    assert bent == {Code.SIGNATURE, Code.TIMELINE}
    assert codes(lambda f: f.pop("roster-photo.jpg")) == {Code.FILE}
    assert codes(lambda f: f.update({"more.txt": b"x"})) == {Code.FILE}
    assert codes(lambda f: f.update({NOTE: b"x"})) == {Code.SIGNATURE}
    assert codes(lambda f: f.update({"checkpoint.txt": b"x"}), True) == {Code.SIGNATURE}
    ink = next(n for n in original if n.endswith(".inkml"))
    assert codes(lambda f: f.update({ink: INK + b"\n"}), True) == {Code.SIGNATURE, Code.STROKES}
    told = json.loads(original[TIMELINE])
    told[1]["terminal"] = "099"
    bent = codes(lambda f: f.update({TIMELINE: json.dumps(told).encode()}), True)
    assert bent == {Code.SIGNATURE, Code.TIMELINE}
    closed = next(n for n, line in enumerate(lines) if '"kind":"session_closed"' in line)
    body = json.loads(lines[closed])
    body["payload"]["seed"] = "00" * 32
    bent = codes(lambda f: entries(f, [*lines[:closed], json.dumps(body) + "\n"]))
    assert {Code.COMMITMENT, Code.PROOF} <= bent


@pytest.mark.parametrize(
    "change",
    [
        {MANIFEST: b"{}"},
        {MANIFEST: b"\xff"},
        {MANIFEST: b"[" * 100_000},
        {PROOFS: b"[]"},
        {PROOFS: b'{"proofs": {"1": [7]}}'},
        {TIMELINE: b"7"},
        {ENTRIES: b"\xff\nnull\n{}\n[1]\n"},
        {"lane.vkey": b"a+b+c"},
    ],
)
def test_what_is_no_pack_is_a_finding_not_a_crash(hall, tmp_path, change):
    files = unzipped(make(hall, tmp_path)) | change
    assert check_dispute(rezipped(tmp_path / "bent.zip", files)).findings


def test_damaged_zips(hall, tmp_path):
    data = make(hall, tmp_path).read_bytes()
    for bent in (b"", b"PK", data[: len(data) // 2], data[:200] + b"\0" * 40 + data[240:]):
        (tmp_path / "bent.zip").write_bytes(bent)
        found = check_dispute(tmp_path / "bent.zip").findings
        assert found[0].code in (Code.FORM, Code.FILE)
    twice = io.BytesIO()
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(twice, "w") as archive:
        archive.writestr("a", "1")
        archive.writestr("a", "2")
    (tmp_path / "bent.zip").write_bytes(twice.getvalue())
    assert "twice" in check_dispute(tmp_path / "bent.zip").findings[0].sentence("en")


def test_a_pack_signed_by_another_lane(hall, halls, tmp_path):
    other = halls(1)
    file = make(hall, tmp_path)
    codes = [f.code for f in check_dispute(file, other.store.vkey).findings]
    assert codes == [Code.SIGNATURE, Code.SIGNATURE]


def test_a_candidate_who_never_came(hall, tmp_path):
    found = check_dispute(make(hall, tmp_path, 11), hall.store.vkey)
    assert found.findings == () and (found.entries, found.draws) == (2, 0)
    assert "没有签名" in unzipped(tmp_path / "d.zip")["README.txt"].decode()


def test_while_the_session_is_open_the_draw_is_not_checked(halls, tmp_path):
    hall = halls(2)
    hall.enter(0)
    findings = check_dispute(make(hall, tmp_path, 0), hall.store.vkey).findings
    assert [f.code for f in findings] == [Code.OPEN]


def test_a_session_that_was_never_opened(halls):
    hall = halls(1)
    hall.store.create_session("S2", "科目一", datetime.now(UTC), ["001"], person="t")
    hall.store.apply_roster([row(1, session_id="S2")], "test", "t")
    with pytest.raises(StoreRefused, match="never been opened"):
        collect(hall.store, person(hall, 1), PLACE, "zh")


def test_every_finding_has_words():
    import re

    for zh, en in TEXTS.values():
        assert set(re.findall(r"\{\w+\}", zh)) == set(re.findall(r"\{\w+\}", en)), zh
