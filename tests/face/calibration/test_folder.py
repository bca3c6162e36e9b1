"""Folders as people make them: what is read, what is left out, what is refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kiosk.face.calibration.folder import FolderCode, FolderProblem, SkipCode, read_groups, scan


def put(root: Path, name: str, content: bytes | None = None) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(name.encode() if content is None else content)
    return path


def refused(root: Path) -> FolderProblem:
    with pytest.raises(FolderProblem) as problem:
        scan(root)
    return problem.value


def skipped(root: Path) -> dict[str, SkipCode]:
    return {s.path: s.code for s in scan(root).skipped}


def test_people_and_pictures_in_order(tmp_path):
    for name in ("b/2.jpg", "b/1.jpg", "a/x.png"):
        put(tmp_path, name)
    found = scan(tmp_path)
    assert found.people == ("a", "b")
    assert [p.name for p in found.pictures] == ["a/x.png", "b/1.jpg", "b/2.jpg"]
    assert found.skipped == ()


def test_no_folder_no_people(tmp_path):
    assert refused(tmp_path / "none").code is FolderCode.NO_FOLDER
    assert refused(put(tmp_path, "file")).code is FolderCode.NO_FOLDER
    (tmp_path / "file").unlink()
    assert refused(tmp_path).code is FolderCode.NO_PEOPLE
    (tmp_path / "empty").mkdir()
    assert refused(tmp_path).code is FolderCode.NO_PEOPLE


def test_hidden_files_and_notes_are_passed_over(tmp_path):
    for name in (".hidden/1.jpg", "a/.DS_Store", "a/1.jpg", "a/notes.txt", "SOURCES.md",
                 "groups.csv", "a/Thumbs.db"):  # fmt: skip
        put(tmp_path, name)
    found = scan(tmp_path)
    assert [p.name for p in found.pictures] == ["a/1.jpg"] and found.skipped == ()


def test_what_lies_about_is_named(tmp_path):
    put(tmp_path, "loose.jpg")
    put(tmp_path, "a/1.jpg")
    put(tmp_path, "a/more/2.jpg")
    (tmp_path / "b").mkdir()
    assert skipped(tmp_path) == {
        "loose.jpg": SkipCode.LOOSE_FILE,
        "a/more": SkipCode.INNER_FOLDER,
        "b": SkipCode.EMPTY_FOLDER,
    }


def test_the_folder_above_is_recognised(tmp_path):
    put(tmp_path, "people/a/1.jpg")
    put(tmp_path, "people/b/1.jpg")
    problem = refused(tmp_path)
    assert problem.code is FolderCode.NESTED
    assert problem.names == (str(tmp_path / "people"), "people/a")


def test_the_same_picture_of_two_people_names_every_pair(tmp_path):
    for name, content in (("a/1.jpg", b"x"), ("b/1.jpg", b"x"), ("a/2.jpg", b"y"),
                          ("c/9.jpg", b"y"), ("c/1.jpg", b"z")):  # fmt: skip
        put(tmp_path, name, content)
    problem = refused(tmp_path)
    assert problem.code is FolderCode.SAME_PICTURE
    assert problem.names == ("a/1.jpg = b/1.jpg", "a/2.jpg = c/9.jpg")


def test_the_same_picture_twice_of_one_person_counts_once(tmp_path):
    put(tmp_path, "a/1.jpg", b"x")
    put(tmp_path, "a/2.jpg", b"x")
    found = scan(tmp_path)
    assert len(found.pictures) == 1
    assert [(s.path, s.code, s.detail) for s in found.skipped] == [
        ("a/2.jpg", SkipCode.DUPLICATE, "a/1.jpg")
    ]


def test_links_are_followed_and_broken_ones_named(tmp_path):
    real = tmp_path / "elsewhere"
    put(real, "p/1.jpg")
    root = tmp_path / "root"
    root.mkdir()
    (root / "a").symlink_to(real / "p")
    put(root, "b/own.jpg")
    (root / "b" / "gone.jpg").symlink_to(tmp_path / "nowhere")
    (root / "loop").symlink_to(root)
    found = scan(root)
    assert [p.name for p in found.pictures] == ["a/1.jpg", "b/own.jpg"]
    codes = {s.path: s.code for s in found.skipped}
    assert codes["b/gone.jpg"] is SkipCode.UNREADABLE
    assert codes["loop/a"] is SkipCode.INNER_FOLDER, "a folder in a folder is not entered"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_named(tmp_path):
    put(tmp_path, "a/1.jpg")
    put(tmp_path, "a/2.jpg").chmod(0)
    assert skipped(tmp_path) == {"a/2.jpg": SkipCode.UNREADABLE}


# --- groups -------------------------------------------------------------------------------------


def test_groups_by_whatever_columns(tmp_path):
    path = tmp_path / "groups.csv"
    path.write_text("﻿人员,sex,origin\na, f ,east\nb,m,\nc\n\n", encoding="utf-8")
    groups = read_groups(path)
    assert groups.columns == {"sex": {"a": "f", "b": "m"}, "origin": {"a": "east"}}
    assert groups.values("sex", ("b", "z", "a")) == ["m", "", "f"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"folder\na\n", FolderCode.GROUPS_NO_COLUMN),
        (b"", FolderCode.GROUPS_NO_COLUMN),
        (b"folder,sex\na,f\na,m\n", FolderCode.GROUPS_TWICE),
        (b"folder,sex\n\xff\xfe,f\n", FolderCode.GROUPS_UNREADABLE),
    ],
)
def test_bad_group_files_are_refused(tmp_path, content, code):
    path = put(tmp_path, "groups.csv", content)
    with pytest.raises(FolderProblem) as problem:
        read_groups(path)
    assert problem.value.code is code
    with pytest.raises(FolderProblem) as problem:
        read_groups(tmp_path / "none.csv")
    assert problem.value.code is FolderCode.GROUPS_UNREADABLE
