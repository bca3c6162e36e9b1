"""Rosters as .xlsx workbooks, made by the library's own writer: what is read, refused, bounded."""

from __future__ import annotations

import io
import random
import zipfile
from datetime import date

import openpyxl
import pytest

from kiosk.centre import spreadsheet
from kiosk.centre.problems import Problem
from kiosk.centre.table import find_table, read_table

HEADER = ["准考证明编号", "身份证明号码", "姓名", "准考车型", "考试场次", "照片", "指纹模板"]


def row(n, **change):
    values = {"no": f"00{n}", "number": "370602199001010018", "name": f"考生{n}", "class": "C1",
              "session": "S1", "photo": f"{n}.jpg", "templates": ""}  # fmt: skip
    return list((values | change).values())


def book(*rows, header=HEADER):
    made = openpyxl.Workbook()
    made.active.title = "名单"
    for cells in (header, *rows):
        made.active.append(cells)
    return made


def read(tmp_path, made):
    path = tmp_path / "r.xlsx"
    if isinstance(made, bytes):
        path.write_bytes(made)
    else:
        made.save(path)
    assert find_table(tmp_path) == path
    return read_table(path)


def told(problems: list[Problem]):
    return [(p.file, p.line, p.field, p.code) for p in problems]


@pytest.mark.parametrize("value", ["370602", 7])
def test_a_row_after_very_many_empty_ones_is_not_passed_over(tmp_path, value):
    made = book(row(1))
    made.active["B5000"] = value
    made.active["A6000"].number_format = "0.00"  # touched, and empty
    lines, problems = read(tmp_path, made)
    assert len(lines) == 1 and told(problems) == [("r.xlsx [名单]", 5000, "", "rows_after_empty")]


def test_texts_come_as_they_stand(tmp_path):
    made = book(row(1), [None] * 7, row(2, name="王 晓明"))
    made.active["J3"].number_format = "0.00"  # touched, and empty
    lines, problems = read(tmp_path, made)
    assert problems == []
    assert [(line.number, line.sheet) for line in lines] == [(2, "r.xlsx [名单]"),
                                                             (4, "r.xlsx [名单]")]  # fmt: skip
    assert lines[0].fields["admission_no"] == "001"
    assert lines[0].fields["identity_number"] == "370602199001010018"
    assert lines[1].fields["name"] == "王 晓明"
    assert lines[1].fields["templates"] == ""


def test_numbers_are_never_floats(tmp_path):
    made = book(row(1, no=42), row(2, no=370612345678), row(3, no=4.0))
    made.active["A2"].number_format = "000000"
    lines, problems = read(tmp_path, made)
    assert problems == []
    assert [x.fields["admission_no"] for x in lines] == ["000042", "370612345678", "4"]


@pytest.mark.parametrize(
    ("change", "column", "code"),
    [
        ({"number": 370602199001010018}, "B 身份证明号码", "cell_number"),
        ({"number": 3.70602199001010e17}, "B 身份证明号码", "cell_number"),
        ({"no": 1.5}, "A 准考证明编号", "cell_number"),
        ({"session": date(2026, 11, 27)}, "E 考试场次", "cell_date"),
        ({"name": "#REF!"}, "C 姓名", "cell_error"),
    ],
)
def test_a_cell_that_is_no_text_is_named(tmp_path, change, column, code):
    lines, problems = read(tmp_path, book(row(1), row(2, **change), row(3)))
    assert told(problems) == [("r.xlsx [名单]", 3, column, code)]
    assert [line.number for line in lines] == [2, 4]
    assert "19900101" not in problems[0].value


def test_a_column_that_is_not_read_may_hold_anything(tmp_path):
    made = book([*row(1), date(2026, 1, 1)], header=[*HEADER, "报名日期"])
    lines, problems = read(tmp_path, made)
    assert [p.code for p in problems] == ["unknown_column"]
    assert len(lines) == 1


def test_the_sheet_with_the_header(tmp_path):
    made = book(row(1))
    made.create_sheet("说明", 0).append(["请先阅读"])
    lines, problems = read(tmp_path, made)
    assert problems == [] and len(lines) == 1
    made.create_sheet("二").append(HEADER)
    assert [p.code for p in read(tmp_path, made)[1]] == ["several_sheets"]
    made["二"].sheet_state = "hidden"
    assert read(tmp_path, made)[1] == []


def test_a_wrong_header_is_named_in_its_sheet(tmp_path):
    problems = read(tmp_path, book(row(1)[1:], header=HEADER[1:]))[1]
    assert ("r.xlsx [名单]", 1, "准考证明编号", "missing_column") in told(problems)
    assert [p.code for p in read(tmp_path, openpyxl.Workbook())[1]] == ["empty_file"]
    assert [p.code for p in read(tmp_path, book())[1]] == ["empty_file"]


def raw(made) -> bytes:
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def with_part(made, name: str, data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw(made))) as old, \
            zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:  # fmt: skip
        for part in old.namelist():
            if part != name:
                new.writestr(part, old.read(part))
        new.writestr(name, data)
    return out.getvalue()


def test_what_is_no_workbook(tmp_path):
    for data, code in (
        (b"PK\x03\x04" + bytes(50), "spreadsheet_damaged"),
        ("准考证明编号,姓名".encode(), "spreadsheet_damaged"),
        (b"", "spreadsheet_damaged"),
        (b"\xd0\xcf\x11\xe0" + bytes(50), "spreadsheet_locked"),
    ):
        assert [p.code for p in read(tmp_path, data)[1]] == [code]


def test_bombs_are_not_unpacked(tmp_path):
    big = with_part(book(row(1)), "xl/more.xml", bytes(spreadsheet.MAX_UNPACKED))
    assert len(big) < 200_000
    assert [p.code for p in read(tmp_path, big)[1]] == ["table_too_big"]
    entity = (b'<?xml version="1.0"?><!DOCTYPE s [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;">]>'
              b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
              b"<sheetData><row><c t='inlineStr'><is><t>&b;</t></is></c></row></sheetData>"
              b"</worksheet>")  # fmt: skip
    problems = read(tmp_path, with_part(book(row(1)), "xl/worksheets/sheet1.xml", entity))[1]
    assert [(p.code, p.detail) for p in problems] == [("spreadsheet_damaged", "EntitiesForbidden")]


def test_rows_are_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr("kiosk.centre.table.MAX_ROWS", 3)
    lines, problems = read(tmp_path, book(*(row(n) for n in range(9))))
    assert len(lines) == 3
    assert told(problems) == [("r.xlsx [名单]", 5, "", "too_many_rows")]


def test_damage_is_a_problem_never_an_exception(tmp_path):
    chance, good = random.Random(7), raw(book(row(1), row(2)))
    for _ in range(150):
        bent = bytearray(good)
        for _ in range(chance.randint(1, 6)):
            bent[chance.randrange(len(bent))] ^= chance.randint(1, 255)
        lines, problems = read(tmp_path, bytes(bent[: chance.choice([len(bent), 900])]))
        assert lines or problems
