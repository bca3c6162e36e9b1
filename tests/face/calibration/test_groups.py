"""Tables of groups as people make them: encodings, separators, and every mistake with its line."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.face.calibration.folder import FolderCode, FolderProblem
from kiosk.face.calibration.groups import Groups, check, read_groups


def table(folder: Path, content: bytes) -> Path:
    path = folder / "groups.csv"
    path.write_bytes(content)
    return path


def refused(path: Path) -> FolderProblem:
    with pytest.raises(FolderProblem) as problem:
        read_groups(path)
    assert problem.value.names[0] == str(path), "the file is named"
    return problem.value


def test_groups_by_whatever_columns(tmp_path):
    text = "\ufeff人员,sex,origin\na, f ,east\nb,m,\nc\n\n"
    groups = read_groups(table(tmp_path, text.encode()))
    assert groups.columns == {"sex": {"a": "f", "b": "m"}, "origin": {"a": "east"}}
    assert groups.values("sex", ("b", "z", "a")) == ["m", "", "f"]
    assert groups.known(["a", "b", "c", "z"]) == 2
    assert groups.known_by_column(["a", "b", "c", "z"]) == {"sex": 2, "origin": 1}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_whatever_a_spreadsheet_saves_is_read(tmp_path, encoding, separator):
    """As of the roster's table."""
    text = "人员,性别,年龄\r\n李敏,女,青年\r\n王强,男,老年\r\n".replace(",", separator)
    groups = read_groups(table(tmp_path, text.encode(encoding)))
    assert groups.columns == {
        "性别": {"李敏": "女", "王强": "男"},
        "年龄": {"李敏": "青年", "王强": "老年"},
    }


@pytest.mark.parametrize(
    ("content", "code", "names"),
    [
        (b"folder\na\n", FolderCode.GROUPS_NO_COLUMN, ()),
        (b"folder,,\na,f,\n", FolderCode.GROUPS_NO_COLUMN, ()),
        (b"", FolderCode.GROUPS_NO_COLUMN, ()),
        (b"folder,sex\na,f\n\na,m\n", FolderCode.GROUPS_TWICE, ("4", "a", "2")),
        (b"folder,sex\n\xff\xfe,f\n", FolderCode.GROUPS_NO_TEXT, ()),
        (b"PK\x03\x04,sex\na,f\n", FolderCode.GROUPS_NO_TEXT, ()),
        (b"folder,sex\na\0,f\n", FolderCode.GROUPS_NO_TEXT, ()),
        (b"folder,sex,sex\na,f,m\n", FolderCode.GROUPS_COLUMN_TWICE, ("1", "sex")),
        (b"\nfolder,sex\n,f\n", FolderCode.GROUPS_NO_PERSON, ("3",)),
        (b"folder,sex\na,f\nb,m,old\n", FolderCode.GROUPS_EXCESS, ("3", "old")),
        (b"folder,sex,,age\na,f,?,old\n", FolderCode.GROUPS_EXCESS, ("2", "?")),
    ],
)
def test_bad_tables_are_refused_with_the_line(tmp_path, content, code, names):
    problem = refused(table(tmp_path, content))
    assert (problem.code, problem.names[1:]) == (code, names)


def test_what_is_no_file_is_refused(tmp_path):
    assert refused(tmp_path / "none.csv").code is FolderCode.GROUPS_UNREADABLE
    os.mkfifo(tmp_path / "pipe.csv")
    assert refused(tmp_path / "pipe.csv").code is FolderCode.GROUPS_NO_FILE
    assert refused(tmp_path).code is FolderCode.GROUPS_NO_FILE


def test_a_table_of_nobody_who_is_there_is_refused(tmp_path):
    path = table(tmp_path, b"folder,sex\n1,f\n2,m\n")
    groups = read_groups(path)
    check(groups, path, ["2", "3"])
    with pytest.raises(FolderProblem) as problem:
        check(groups, path, ["01", "02"])
    assert problem.value.code is FolderCode.GROUPS_NOBODY
    assert problem.value.names == (str(path), "1", "01")


def test_accents_that_a_file_system_took_apart_are_the_same_name(tmp_path):
    apart = unicodedata.normalize("NFD", "Žofie")
    groups = read_groups(table(tmp_path, "folder,sex\nŽofie,f\n".encode()))
    assert groups.values("sex", [apart]) == ["f"] and groups.known([apart]) == 1


names = st.text("abÄ李 ", min_size=1, max_size=4).filter(lambda name: name == name.strip())


@given(st.dictionaries(names, st.tuples(names | st.just(""), names | st.just("")), min_size=1))
def test_what_is_written_is_read(tmp_path_factory, people):
    rows = [f"{person};{sex};{age}" for person, (sex, age) in people.items()]
    text = "\n".join(["folder;sex;age", *rows])
    groups = read_groups(table(tmp_path_factory.mktemp("groups"), text.encode("utf-16")))
    assert groups.values("sex", list(people)) == [sex for sex, _ in people.values()]
    assert groups.values("age", list(people)) == [age for _, age in people.values()]
    assert isinstance(groups, Groups)
