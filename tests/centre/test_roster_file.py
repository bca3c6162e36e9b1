"""Roster files as spreadsheets really export them, and every mistake in one pass."""

from __future__ import annotations

import io
import os
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from PIL import Image

from kiosk.centre import roster_file, table
from kiosk.centre.files import MAX_STORED_BYTES, FileProblem, as_stored
from kiosk.centre.likeness import alike, groups, links
from kiosk.centre.problems import TEXTS, Problem, measured
from kiosk.centre.roster_file import prepare
from kiosk.core.idnumber import check_character

JPEG = b"\xff\xd8\xff"
HEADER = "准考证明编号,身份证明号码,姓名,准考车型,考试场次,照片,指纹模板"


@dataclass
class Enrolled:
    embedding: tuple[float, ...]
    encoder: str = "dlib-resnet-v1"
    quarter_turns: int = 0


class Bad(Exception):
    def __init__(self, code):
        self.code, self.detail = code, {"face_px": 20.0}


def enrol_many(photos, workers, progress):
    """Stands for the face engine: the photo's bytes say what is in it."""
    results = []
    for n, photo in enumerate(photos):
        text = photo.removeprefix(JPEG).decode()
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
        (tmp_path / "photos" / f"{n}.jpg").write_bytes(JPEG + f"face {n}".encode())
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


ISO_RECORD = b"FMR\0 20\0" + (60).to_bytes(4, "big") + bytes(48)


def test_templates_in_another_format_are_taken_as_such_or_refused_by_name(folder):
    (folder / "iso.dat").write_bytes(ISO_RECORD)
    (folder / "odd.dat").write_bytes(ISO_RECORD[:-1])
    header = HEADER + ",指纹模板格式,指位"
    prepared = read(
        folder,
        line(0, templates="0.dat;1.dat", format="", fingers="右手拇指;left_index"),
        line(1, templates="iso.dat", format="ISO-19794-2", fingers="16"),
        line(2, templates="iso.dat", format="zfm", fingers=""),
        line(3, templates="odd.dat", format="iso-19794-2", fingers="1;2"),
        line(4, templates="4.dat", format="ansi-378", fingers="thumb"),
        header=header,
    )
    assert [(r["template_format"], r["fingers"]) for r in prepared.rows] == [
        ("zfm", [1, 7]), ("iso-19794-2", [6]),
    ]  # fmt: skip
    assert prepared.rows[1]["templates"] == [ISO_RECORD]
    assert codes(prepared) == {
        (4, "templates", "other_format"), (5, "templates", "not_iso"),
        (5, "fingers", "finger_count"), (6, "template_format", "template_format"),
    }  # fmt: skip
    (other,) = (p for p in prepared.problems if p.code == "other_format")
    assert other.detail == "iso-19794-2, not zfm"


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
    assert prepared.problems == [] and len(prepared.rows) == 3, "said, not refused: twins exist"
    assert [(w.line, w.field, w.code) for w in prepared.warnings] == [
        (2, "photo", "same_face"),
        (3, "photo", "same_face"),
    ]
    assert "line 3" in prepared.warnings[0].detail
    again = read(folder, line(0), line(0, session="S2"))
    assert again.problems == again.warnings == [], "one person booked twice is one person"


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


# --- what comes from outside ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("a\0b", "control"),
        ("circle", "file_missing"),
        ("out", "file_outside"),
        ("/etc/passwd", "file_outside"),
        ("..\\..\\x.jpg", "file_outside"),
        ("photos", "not_a_file"),
        ("pipe", "not_a_file"),
        ("x" * 3000, "file_missing"),
        ("big", "file_too_big"),
    ],
)
def test_no_name_leads_out_of_the_folder_or_hangs(folder, name, code):
    (folder / "circle").symlink_to(folder / "circle2")
    (folder / "circle2").symlink_to(folder / "circle")
    (folder / "out").symlink_to("/etc/passwd")
    os.mkfifo(folder / "pipe")
    with (folder / "big").open("wb") as file:
        file.truncate(21 * 1024 * 1024)
    assert codes(read(folder, line(0, photo=name, templates=""))) == {(2, "photo", code)}
    assert codes(read(folder, line(0, templates=name))) == {(2, "templates", code)}


def test_a_file_name_made_of_the_number_is_masked(folder):
    prepared = read(
        folder, line(0, photo=f"photos/{number(0)}.jpg", templates=f"{number(0)}_1.dat")
    )
    assert len(prepared.problems) == 2
    for found in prepared.problems:
        assert number(0) not in found.value and number(0)[:6] in found.value


@pytest.mark.parametrize("text", ["王\u202e明", "王\u200b明", "王\x07明"])
def test_invisible_characters_in_names(folder, text):
    (found,) = read(folder, line(0, name=text)).problems
    assert (found.field, found.code) == ("name", "control")
    assert found.value.isprintable()


def test_too_many_templates_are_said(folder):
    prepared = read(folder, line(0, templates=";".join(["0.dat"] * 11)))
    assert codes(prepared) == {(2, "templates", "too_many_templates")}
    assert len(read(folder, line(0, templates="0.dat；1.dat;2.dat")).rows[0]["templates"]) == 3


def test_many_alike_are_one_warning_a_row(folder):
    lines = [line(n, photo="photos/0.jpg", no=f"B{n}", templates="") for n in range(40)]
    prepared = read(folder, *lines)
    assert len(prepared.warnings) == 40
    assert "and 38 more" in prepared.warnings[0].detail
    assert prepare(folder, enrol_many=enrol_many, same_face_max_distance=None).warnings == []


def test_all_that_is_told_in_chinese_is_chinese(folder):
    lines = [line(n, photo="photos/0.jpg", no=f"B{n}", templates="") for n in range(4)]
    wrong = line(5, photo="none.jpg", templates="")
    prepared = read(folder, *lines, line(4, no="C", templates=""), line(4, no="D"), wrong)
    told = [*prepared.problems, *prepared.warnings]
    assert {p.code for p in told} == {"same_face", "file_missing", "duplicate_number"}
    for found in told:
        said = f"{found.field_in('zh')} {found.message_in('zh')} {found.remedy_in('zh')}"
        assert not re.search("[A-Za-z]", said), said
        assert found.field_in("en") == found.field
    assert any("第 3 行，距离 0.00，另有 2 处" in p.message_in("zh") for p in told)
    assert any("没有这个文件或文件夹" in p.message_in("zh") for p in told)


def test_what_the_face_engine_measures_is_told_in_both_languages():
    numbers = {"face_px": 31, "min": 60}
    problem = Problem("r.csv", 2, "photo", "a.jpg", "too_small", measured(numbers))
    assert problem.message_in("en").endswith("(face_px 31, min 60)")
    assert problem.message_in("zh").endswith("(人脸宽度（像素） 31，最少 60)")


# --- the table ------------------------------------------------------------------------------------


def test_lines_are_counted_as_an_editor_counts_them(folder):
    text = line(0, name='"考\n生"') + "\n\n" + line(1, name="")
    prepared = read(folder, text, line(2, name=""))
    assert codes(prepared) == {(2, "name", "control"), (5, "name", "empty"), (6, "name", "empty")}


def test_what_else_spreadsheets_do(folder):
    assert len(read(folder, line(0), line(1), encoding="utf-16").rows) == 2
    (folder / "._名单.csv").write_bytes(b"x")
    (folder / "~$名单.csv").write_bytes(b"x")
    text = "sep=;\n" + "\n".join((HEADER, line(0), line(1, name=""))).replace(",", ";")
    (folder / "名单.csv").write_bytes(text.encode("gb18030"))
    prepared = prepare(folder, enrol_many=enrol_many)
    assert len(prepared.rows) == 1 and codes(prepared) == {(4, "name", "empty")}


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"PK\x03\x04" + bytes(50), "spreadsheet"),
        (b"\xd0\xcf\x11\xe0" + bytes(50), "spreadsheet"),
        (HEADER.encode() + b"\n", "empty_file"),
        (b"", "missing_column"),
        (HEADER.encode() + "，".encode(), "unknown_column"),
    ],
)
def test_other_files(folder, data, code):
    (folder / "名单.csv").write_bytes(data)
    assert code in {p.code for p in prepare(folder, enrol_many=enrol_many).problems}


def test_a_column_twice_is_said(folder):
    prepared = read(folder, line(0) + ",王", header=HEADER + ",姓 名")
    assert codes(prepared) == {(1, "姓 名", "duplicate_column")}


def test_a_table_is_bounded(folder, monkeypatch):
    monkeypatch.setattr(table, "MAX_ROWS", 2)
    prepared = read(folder, line(0), line(1), line(2))
    assert len(prepared.rows) == 2 and codes(prepared) == {(4, "", "too_many_rows")}
    monkeypatch.setattr(table, "MAX_BYTES", 100)
    assert {p.code for p in read(folder, line(0)).problems} == {"table_too_big"}


# --- photographs ----------------------------------------------------------------------------------


def test_photographs_come_in_bounded_helpings(folder, monkeypatch):
    monkeypatch.setattr(roster_file, "CHUNK_BYTES", 20)
    asked, heard = [], []

    def counting(photos, workers, progress):
        asked.append(len(photos))
        return enrol_many(photos, workers, progress)

    read(folder, *(line(n) for n in range(5)))
    prepared = prepare(
        folder,
        enrol_many=counting,
        progress=lambda stage, done, of: heard.append((stage, done, of)),
    )
    assert asked == [2, 2, 1] and len(prepared.rows) == 5
    assert [h for h in heard if h[0] == "faces"][-1] == ("faces", 5, 5)
    counted = [done for stage, done, _ in heard if stage == "faces"]
    assert counted == sorted(counted)


def test_what_is_stored_is_a_small_jpeg():
    noise = np.random.default_rng(1).integers(0, 255, (3000, 2000, 3), dtype=np.uint8)
    small = as_stored(encoded(noise[:100, :100], "JPEG"))
    assert small == encoded(noise[:100, :100], "JPEG"), "kept as it is"
    for form in ("PNG", "JPEG"):
        stored = as_stored(encoded(noise, form))
        assert len(stored) <= MAX_STORED_BYTES
        with Image.open(io.BytesIO(stored)) as picture:
            assert picture.format == "JPEG" and max(picture.size) <= 800
    with pytest.raises(FileProblem):
        as_stored(b"\x89PNG not really")


@pytest.mark.parametrize("form", ["PNG", "JPEG"])
def test_what_is_stored_is_upright(form):
    """A bright upper half, lying: the person of the photograph stands for it."""
    upright = np.zeros((80, 60, 3), np.uint8)
    upright[:40] = 255
    for turns in (1, 2, 3):
        data = encoded(np.ascontiguousarray(np.rot90(upright, turns)), form)
        stored = np.asarray(Image.open(io.BytesIO(as_stored(data, turns))))
        assert stored.shape == upright.shape
        assert stored[:35].min() > 200 and stored[45:].max() < 55


def test_a_small_jpeg_that_its_exif_turns_is_stored_upright():
    lying = Image.fromarray(np.rot90(np.full((80, 60, 3), 128, np.uint8)))
    for orientation, size in ((6, (60, 80)), (1, (80, 60))):
        exif, buffer = Image.Exif(), io.BytesIO()
        exif[0x0112] = orientation
        lying.save(buffer, "JPEG", exif=exif)
        stored = as_stored(buffer.getvalue())
        assert Image.open(io.BytesIO(stored)).size == size
        assert (stored == buffer.getvalue()) == (orientation == 1)


def test_16_bits_are_stored_as_they_look():
    deep = Image.fromarray((np.linspace(0, 65_535, 90 * 90).reshape(90, 90)).astype(np.uint16))
    buffer = io.BytesIO()
    deep.save(buffer, "PNG")
    stored = np.asarray(Image.open(io.BytesIO(as_stored(buffer.getvalue()))).convert("L"))
    assert abs(float(stored.mean()) - 127.5) < 2 and stored.min() < 10 and stored.max() > 245


def encoded(array, form):
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, form)
    return buffer.getvalue()


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4)), min_size=1, max_size=30),
    st.floats(0.1, 0.9),
)
def test_alike_is_what_comparing_each_pair_would_say(pairs, limit):
    vectors = np.array([[0.3 * place + n * 1e-3] for n, (place, _) in enumerate(pairs)])
    persons = [str(person) for _, person in pairs]
    apart = np.abs(vectors - vectors.T)
    assume(not (np.abs(apart - limit) < 1e-4).any())  # on the very limit rounding decides
    expected = {}
    for i, a in enumerate(vectors):
        near = [
            abs(float(a[0] - b[0]))
            for j, b in enumerate(vectors)
            if persons[i] != persons[j] and abs(float(a[0] - b[0])) <= limit
        ]
        if near:
            expected[i] = (min(near), len(near) - 1)
    found = {a.index: a for a in alike(vectors, persons, limit)}
    assert set(found) == set(expected)
    for i, (distance, more) in expected.items():
        assert found[i].distance == pytest.approx(distance, abs=1e-6)
        assert found[i].more == more


@settings(max_examples=150)
@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 8)), max_size=25),
    st.integers(1, 4),
    st.data(),
)
def test_the_fewest_links_connect_who_all_near_pairs_connect(rows, limit, data):
    """Points on a line, whole numbers: ties and chains are frequent."""
    vectors = np.array([[place] for place, _ in rows], dtype=np.float32).reshape(-1, 1)
    persons = [str(person) for _, person in rows]
    near = [
        (i, j)
        for i, (place, person) in enumerate(rows)
        for j, (other, someone) in enumerate(rows[:i])
        if person != someone and abs(place - other) <= limit
    ]
    some = data.draw(st.lists(st.sampled_from(near), max_size=5, unique=True)) if near else []
    stale = [(0, len(rows) - 1)] if rows and (len(rows) - 1, 0) not in near else []
    stand, more = links(vectors, persons, limit, [*some, *stale])
    assert {(s.one, s.other) for s in stand} == set(some)
    pairs = [(link.one, link.other) for link in [*stand, *more]]
    assert {frozenset(p) for p in pairs} <= {frozenset(p) for p in near}
    assert groups(pairs) == groups(near)
    rank = sum(len(group) - 1 for group in groups(near))
    known = sum(len(group) - 1 for group in groups(some))
    assert len(more) == rank - known, "none that is not needed"
    for link in [*stand, *more]:
        assert link.distance == abs(rows[link.one][0] - rows[link.other][0])
    if not some:
        nearest = {a.index: a.distance for a in alike(vectors, persons, limit)}
        for index, distance in nearest.items():
            mine = [m.distance for m in more if index in (m.one, m.other)]
            assert min(mine) == pytest.approx(distance, abs=1e-5)


def test_ten_copies_have_nine_links():
    vectors = np.zeros((14, 3), dtype=np.float32)
    vectors[10:] = np.arange(1, 5)[:, None] * 10
    vectors[12] = vectors[13]
    _, more = links(vectors, [str(n) for n in range(14)], 0.3)
    assert len(more) == 10
    assert groups((link.one, link.other) for link in more) == [list(range(10)), [12, 13]]


def test_real_photographs_through_the_real_engine(tmp_path):
    folder = Path(os.environ.get("EXAMGATE_PHOTOS", Path(__file__).parents[2] / ".cache/photos"))
    if not (folder / "obama.jpg").exists():
        pytest.skip(f"no photographs in {folder}")
    from kiosk.face.enrol import enrol_many as real

    names = ("obama.jpg", "biden.jpg", "astronaut.png", "obama.jpg")
    for name in set(names):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    blank = np.full((400, 300, 3), 128, dtype=np.uint8)
    (tmp_path / "blank.jpg").write_bytes(encoded(blank, "JPEG"))
    with Image.open(folder / "biden.jpg") as biden:
        biden.rotate(90, expand=True).save(tmp_path / "lying.jpg")
    names = (*names, "blank.jpg", "lying.jpg")
    lines = [line(n, photo=name, templates="") for n, name in enumerate(names)]
    (tmp_path / "r.csv").write_text("\n".join((HEADER, *lines)))
    prepared = prepare(tmp_path, enrol_many=real, workers=1)
    assert codes(prepared) == {(6, "photo", "no_face")}
    assert [(w.line, w.code) for w in prepared.warnings] == [
        (2, "same_face"), (3, "same_face"), (5, "same_face"), (7, "turned"), (7, "same_face"),
    ]  # fmt: skip
    assert prepared.warnings[3].detail == "90°"
    upright = Image.open(io.BytesIO(prepared.rows[-1]["photo"]))
    assert upright.height > upright.width, "stored as it was turned"
    for row in prepared.rows:
        assert row["photo"].startswith(JPEG) and len(row["photo"]) <= MAX_STORED_BYTES
        assert len(row["embedding"]) == 256 and row["encoder"] == "dlib+sface-v1"


def test_the_page_has_every_problem_and_no_other():
    page = (Path(__file__).parents[2] / "docs" / "roster.md").read_text()
    table_of_codes = page[page.index("| code | says |") : page.index("### The same face")]
    rows = [line.split("|")[1:4] for line in table_of_codes.splitlines()[2:] if line]
    told = {code.strip(" `"): (says.strip(), remedy.strip()) for code, says, remedy in rows}
    assert set(told) == set(TEXTS)
    for code, (says, remedy) in told.items():
        assert says.startswith(TEXTS[code][2]) and remedy == TEXTS[code][3]


@pytest.mark.parametrize(
    ("word", "needs"), [("是", True), ("YES", True), ("", False), ("否", False)]
)
def test_school_and_need_of_an_accessible_terminal(folder, word, needs):
    found = read(folder, f"{line(0)},一帆驾校,{word}", header=f"{HEADER},驾校,无障碍考台")
    assert not found.problems
    assert found.rows[0]["driving_school"] == "一帆驾校"
    assert found.rows[0]["accessible"] is needs


def test_a_need_that_is_neither_yes_nor_no(folder):
    found = read(folder, f"{line(0)},,也许", header=f"{HEADER},驾校,无障碍考台")
    assert [(p.line, p.code, p.value) for p in found.problems] == [(2, "yes_or_no", "也许")]


def test_without_these_columns_nothing_is_assumed(folder):
    (row,) = read(folder, line(0)).rows
    assert (row["driving_school"], row["accessible"]) == ("", False)
