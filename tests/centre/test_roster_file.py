"""Roster files as spreadsheets really export them, and every mistake in one pass."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.centre.problems import TEXTS
from kiosk.centre.roster_file import prepare
from kiosk.core.idnumber import check_character, problem

HEADER = "准考证明编号,身份证明号码,姓名,准考车型,考试场次,照片,指纹模板"


@dataclass
class Enrolled:
    embedding: tuple[float, ...]
    encoder: str = "dlib-resnet-v1"


class Bad(Exception):
    def __init__(self, code):
        self.code, self.detail = code, {"face_px": 20.0}


def enrol_many(photos, workers, progress):
    """Stands for the face engine: the photo's bytes say what is in it."""
    results = []
    for n, photo in enumerate(photos):
        text = photo.decode()
        if text.startswith("face "):
            seat = int(text.split()[1])
            results.append(Enrolled(tuple(float(i == seat) for i in range(128))))
        else:
            results.append(Bad(text))
        progress(n + 1)
    return results


def number(n):
    first17 = f"37060219900101{n:03d}"
    return first17 + check_character(first17)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "photos").mkdir()
    for n in range(5):
        (tmp_path / "photos" / f"{n}.jpg").write_text(f"face {n}")
        (tmp_path / f"{n}.dat").write_bytes(bytes(512))
    return tmp_path


def line(n, **change):
    values = {
        "no": f"A{n}",
        "number": number(n),
        "name": f"考生{n}",
        "class": "C1",
        "session": "S1",
        "photo": f"photos/{n}.jpg",
        "templates": f"{n}.dat",
    } | change
    return ",".join(values.values())


def read(folder, *lines, header=HEADER, encoding="utf-8", separator=","):
    text = "\n".join((header, *lines)).replace(",", separator) + "\n"
    (folder / "名单.csv").write_bytes(text.encode(encoding))
    return prepare(folder, enrol_many=enrol_many)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_whatever_the_spreadsheet_chose(folder, encoding, separator):
    prepared = read(folder, line(0), line(1), encoding=encoding, separator=separator)
    assert prepared.problems == []
    assert [r["name"] for r in prepared.rows] == ["考生0", "考生1"]
    assert prepared.rows[0]["templates"] == [bytes(512)]


def test_english_headers_in_any_order_and_spreadsheet_tricks(folder):
    header = "Name,photo,Identity Number,session_id,licence_class,admission_no"
    prepared = read(folder, f'考生0,photos/0.jpg,"=""{number(0)}""",S1,c1,\'0001', header=header)
    assert prepared.problems == []
    assert prepared.rows[0]["identity_number"] == number(0)
    assert prepared.rows[0]["admission_no"] == "0001"
    assert prepared.rows[0]["templates"] == []


def codes(prepared):
    return {(p.line, p.field, p.code) for p in prepared.problems}


def test_every_problem_in_one_pass_by_line_and_field(folder):
    wrong = number(3)[:-1] + ("0" if number(3)[-1] != "0" else "1")
    (folder / "short.dat").write_bytes(b"x")
    (folder / "photos" / "none.jpg").write_text("no_face")
    prepared = read(
        folder,
        line(0),
        line(1, **{"no": "A0"}),
        line(2, **{"class": "Z9", "name": ""}),
        line(3, number=wrong, photo="photos/gone.jpg"),
        line(4, templates="short.dat", photo="photos/none.jpg"),
        line(4, no="B4", photo="../../etc/passwd", session="a b"),
        "too,few",
    )
    assert codes(prepared) == {
        (2, "admission_no", "duplicate_admission"),
        (3, "admission_no", "duplicate_admission"),
        (4, "name", "empty"),
        (4, "licence_class", "licence_class"),
        (5, "identity_number", "checksum"),
        (5, "photo", "file_missing"),
        (6, "templates", "template_size"),
        (6, "photo", "no_face"),
        (7, "photo", "file_outside"),
        (7, "session_id", "session_id"),
        (8, "", "columns"),
    }
    assert prepared.rows == []
    for found in prepared.problems:
        assert found.message and found.remedy and found.message_in("zh")
        assert wrong not in found.value, "numbers are masked"


def test_rows_without_errors_remain_for_accept_problems(folder):
    prepared = read(folder, line(0), line(1, name=""), line(2))
    assert [r["admission_no"] for r in prepared.rows] == ["A0", "A2"]


def test_the_same_face_under_two_names(folder):
    prepared = read(folder, line(0), line(1, photo="photos/0.jpg"), line(2))
    assert codes(prepared) == {(2, "photo", "same_face"), (3, "photo", "same_face")}
    assert "line 3" in prepared.problems[0].detail
    again = read(folder, line(0), line(0, session="S2"))
    assert again.problems == [], "one person booked twice is one person"


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (HEADER.replace("姓名,", ""), "missing_column"),
        (HEADER.replace("照片", "相片x"), "missing_column"),
        (HEADER + ",备注", "unknown_column"),
    ],
)
def test_headers(folder, header, code):
    assert code in {p.code for p in read(folder, header=header).problems}


def test_files_that_are_not_rosters(folder, tmp_path):
    assert prepare(tmp_path / "nowhere", enrol_many=enrol_many).problems[0].code == "not_found"
    (folder / "名单.csv").write_bytes(b"\xff\xff\xff\x81")
    assert prepare(folder, enrol_many=enrol_many).problems[0].code == "encoding"
    (folder / "second.csv").write_text("x")
    assert prepare(folder, enrol_many=enrol_many).problems[0].code == "several_csv"


def test_texts_are_whole():
    for code, texts in TEXTS.items():
        assert len(texts) == 4 and all(texts), code


@settings(max_examples=60)
@given(st.binary(max_size=400))
def test_no_bytes_make_it_crash(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("r")
    (folder / "r.csv").write_bytes(HEADER.encode() + b"\n" + data)
    prepared = prepare(folder, enrol_many=enrol_many)
    assert prepared.rows == []


@given(st.from_regex(r"[0-9]{17}[0-9X]", fullmatch=True))
def test_one_wrong_character_is_always_found(text):
    if problem(text) is None:
        for position in (0, 5, 16):
            changed = str((int(text[position]) + 1) % 10)
            assert problem(text[:position] + changed + text[position + 1 :]) is not None


def test_numbers():
    assert problem("11010519491231002X") is None  # the standard's own example
    assert problem("110105194912310021") == "checksum"
    assert problem("11010519491331002X") == "birth_date"
    assert problem("1101051949123100") == "length"
    assert problem("1101051949123100２X"[:18]) == "characters"
