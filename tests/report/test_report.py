"""A session's report: what is in it, that nothing is cut off, and that it is always the same."""

from __future__ import annotations

import csv
import io
import re
import subprocess
from pathlib import Path

import pytest

from kiosk.core.balance import Code
from kiosk.core.codes import (
    FaceOverride,
    FingerOverride,
    JournalKind,
    PauseReason,
    Rejection,
    ReturnReason,
    VoidReason,
)
from kiosk.report import words
from kiosk.report.gather import gather
from kiosk.report.model import Report, Status
from kiosk.report.page import report_pdf
from kiosk.report.table import report_csv, safe_cell
from kiosk.store.errors import StoreRefused
from tests.report.conftest import NAMES, PLACE
from tests.store.conftest import row


def text_of(pdf: bytes, folder: Path) -> str:
    """All text, in reading order, by a program that is not ours."""
    file = folder / "x.pdf"
    file.write_bytes(pdf)
    run = subprocess.run(
        ["pdftotext", "-layout", str(file), "-"], capture_output=True, text=True, check=True
    )
    return run.stdout


@pytest.fixture
def full(halls):
    hall = halls(12)
    hall.everything()
    hall.close()
    return hall


def test_it_says_what_happened(full):
    report = gather(full.store, "S1", PLACE)
    rows = {r.name: r for r in report.rows}
    assert [rows[n].status for n in NAMES] == [
        Status.CAME_OUT, Status.INSIDE, Status.INSIDE, Status.INSIDE, Status.SEATED,
        Status.SEATED, Status.INSIDE, Status.TURNED_AWAY,
    ]  # fmt: skip
    assert [r.name for r in report.rows if r.status is Status.ABSENT] == [
        f"考生{n}" for n in range(8, 12)
    ]
    assert (rows[NAMES[2]].claim, rows[NAMES[3]].claim) == ("card", "number")
    assert (rows[NAMES[2]].face_distance, rows[NAMES[2]].finger_score) == (0.3127, 112)
    assert rows[NAMES[0]].terminal is None
    assert rows[NAMES[2]].terminal == full.store.lookup("S1", row(2).identity_number).terminal
    n = report.numbers
    assert (n.booked, n.inside, n.seated, n.absent, n.turned_away) == (12, 4, 2, 4, 1)
    assert {d.code for d in report.differences} == {
        Code.CAME_OUT, Code.SEAT_NOT_USED, Code.OUTCOME_UNKNOWN, Code.TWO_ON_ONE, Code.FORCED,
        Code.OPPOSITE, Code.FIRE_OPEN, Code.NOT_BACK, Code.PASSED_UNASKED,
    }  # fmt: skip
    assert [e.what for e in report.overrides] == [
        "claim_typed", "cancelled_by_proctor", "help_asked", "help_done", "same_face",
        "same_face_answered", "terminal_changed", "seat_voided", "seat_voided",
        "fire_release_ended",
    ]  # fmt: skip
    assert [e.reason for e in report.refusals] == [
        "GATE_TIMEOUT", "GATE_UNKNOWN", "FACE_MISMATCH", "NOT_ON_ROSTER", "FACE_NOT_SURE",
        "CANCELLED_BY_PROCTOR",
    ]  # fmt: skip
    assert [(f.device, f.seconds) for f in report.faults] == [
        ("fingerprint", 76.0),
        ("camera", 4001.0),
    ]
    assert report.seed and len(report.seed) == 64 and report.commitment
    assert report.first_head and report.last_head
    assert report.first_head.size < report.last_head.size


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_nothing_is_cut_off(full, lang, tmp_path):
    report = gather(full.store, "S1", PLACE)
    flat = re.sub(r"\s", "", text_of(report_pdf(report, lang), tmp_path))
    for r in report.rows:
        assert re.sub(r"\s", "", r.admission_no or "?") in flat
    for name in (NAMES[0], NAMES[1], NAMES[4], "考生11"):
        assert name in flat
    assert "[U+2CC56]一" in flat, "a character that no font has is printed by its number"
    for whole in (report.commitment, report.seed, report.hall_sha256, report.vkey):
        assert whole in flat
    assert report.last_head and re.sub(r"\s", "", report.last_head.note) in flat
    expected = {"zh": ("赵主任", "有10处差异"), "en": ("approvedby赵主任", "10difference(s)")}
    for said in ("座位太暗", "屏幕坏了", *expected[lang]):
        assert said in flat


def test_long_names_wrap_and_stay_whole(full, tmp_path):
    """Every character of every name is inside the page."""
    file = tmp_path / "x.pdf"
    file.write_bytes(report_pdf(gather(full.store, "S1", PLACE), "zh"))
    words_ = subprocess.run(
        ["pdftotext", "-bbox", str(file), "-"], capture_output=True, text=True, check=True
    ).stdout
    boxes = re.findall(r'xMin="([\d.]+)" yMin="([\d.]+)" xMax="([\d.]+)" yMax="([\d.]+)"', words_)
    assert len(boxes) > 200
    for left, top, right, bottom in (map(float, box) for box in boxes):
        assert left >= 42 and right <= 596 - 42 + 1 and top >= 30 and bottom <= 842 - 10
    seen = "".join(re.findall(r">([^<]+)</word>", words_))
    for name in (NAMES[2], NAMES[3]):
        parts = ((name[:n], name[n:]) for n in range(4, len(name)))
        assert any(first in seen and rest in seen for first, rest in parts), name


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_whatever_is_long_wraps_or_goes_on_the_next_page(full, lang, tmp_path):
    """A name of 60 characters, a terminal of 64 characters, a note that is longer than a page."""
    report = gather(full.store, "S1", PLACE)
    rows = list(report.rows)
    long = {"admission_no": "37062611" * 8, "terminal": "东区二楼" * 16, "name": "麟" * 60}
    rows[3] = rows[3].model_copy(update=long)
    listed = list(report.overrides)
    at = next(n for n, e in enumerate(listed) if e.what == "seat_voided")
    note = listed[at].args | {"note": "灯管损坏，" * 800}
    listed[at] = listed[at].model_copy(update={"args": note, "person": "马合木提江·" * 8})
    more = {"rows": tuple(rows), "overrides": tuple(listed), "venue_name": "考场大厅" * 16,
            "session_id": "KM1-" * 16, "subject": "科目一" * 21, "lane": "A" * 32}  # fmt: skip
    text = text_of(report_pdf(report.model_copy(update=more), lang), tmp_path)
    assert text.count("灯") == 800
    assert text.count("麟") == 60
    assert text.count("楼") == 16
    first = text.split("\f")[0]
    assert first.count("厅") >= 16, "the whole name is in the head"
    feet = re.findall(r"第 \d+ 页，共 \d+ 页|page \d+ of \d+", text)
    assert len(feet) == text.count("\f"), "and no foot runs into its number"


def test_the_public_version_names_nobody(full, tmp_path):
    report = gather(full.store, "S1", PLACE, public=True)
    dump = report.model_dump_json()
    pages = text_of(report_pdf(report, "zh"), tmp_path) + report_csv(report, "zh").decode()
    for text in (dump, pages):
        for personal in (*NAMES, "考生8", "A00001", "李老师", "赵主任", "张工", "座位太暗"):
            assert personal not in text
    assert "0.3127" not in dump
    assert full.who(2).pseudonym in pages


def test_the_same_session_gives_the_same_report(full):
    first = gather(full.store, "S1", PLACE)
    before = report_pdf(first, "zh")
    full.store.journal(JournalKind.HELP)
    full.store.sign_head()
    again = gather(full.store, "S1", PLACE)
    assert again == first
    assert report_pdf(again, "zh") == before
    assert Report.model_validate_json(first.model_dump_json()) == first


def test_a_large_session_has_heads_on_every_page(halls, tmp_path):
    hall = halls(120)
    for n in range(20):
        hall.enter(n)
    hall.close()
    report = gather(hall.store, "S1", PLACE)
    assert report.differences == ()
    pdf = report_pdf(report, "zh")
    pages = text_of(pdf, tmp_path).split("\f")[:-1]
    with_rows = [p for p in pages if re.search(r"\bA00\d{3}\b.*\bC1\b", p)]
    assert len(with_rows) >= 3
    assert all("准考证号" in p for p in with_rows)
    assert all(f"第 {n} 页，共 {len(pages)} 页" in p for n, p in enumerate(pages, 1))
    assert len(set(re.findall(r"\bA00\d{3}\b", "".join(pages)))) == 120
    assert "没有差异" in "".join(pages)
    assert len(pdf) < 200_000, "the font is embedded by the characters used"


def test_a_session_with_nobody_and_one_that_is_open(halls, tmp_path):
    hall = halls(0, 3)
    report = gather(hall.store, "S1", PLACE)
    flat = text_of(report_pdf(report, "zh"), tmp_path)
    assert "场次尚未关闭" in flat and "关场后公开" in flat and "名单上没有考生" in flat
    hall.close()
    flat = text_of(report_pdf(gather(hall.store, "S1", PLACE), "en"), tmp_path)
    assert "provisional" not in flat and "Nobody was on the roster" in flat


def test_a_session_that_has_no_record(halls):
    hall = halls(1)
    with pytest.raises(StoreRefused, match="there is no session S9"):
        gather(hall.store, "S9", PLACE)


def test_csv_is_for_spreadsheets_and_carries_no_formula(full):
    data = report_csv(gather(full.store, "S1", PLACE), "zh")
    assert data.startswith("\ufeff场次".encode())
    rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))
    assert len(rows) == 12
    assert [r["姓名"] for r in rows[:8]] == [
        "'=cmd()" if name.startswith("=") else name for name in NAMES
    ]
    assert rows[2]["结果"] == "已入场" and rows[2]["人脸"] == "0.3127"
    assert rows[2]["入场时间"].startswith("2026-11-24 08:3")
    for text in ("=1+1", "+1", "-1", "@x", "\tx", "\r=1"):
        assert safe_cell(text) == f"'{text}"
    assert safe_cell("王明") == "王明" and safe_cell(None) == ""


def test_every_code_has_words():
    assert set(words.DIFFERENCES) == set(Code)
    assert set(words.STATUS) == set(Status)
    enums = (VoidReason, FaceOverride, FingerOverride, Rejection, PauseReason, ReturnReason)
    assert set(words.WHYS) == {code.value for one in enums for code in one}
    for table in (words.EVENTS, words.KINDS, words.LABELS, words.DIFFERENCES):
        for zh, en in table.values():
            assert re.findall(r"\{(\w+)", zh).sort() == re.findall(r"\{(\w+)", en).sort()
            assert set(re.findall(r"\{\w+\}", zh)) == set(re.findall(r"\{\w+\}", en)), zh
