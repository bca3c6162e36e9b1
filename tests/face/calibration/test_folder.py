"""Folders as people make them: what is read, what is left out, what is refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kiosk.face.calibration.folder import FolderCode, FolderProblem, SkipCode, scan


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


def test_only_files_are_read(tmp_path):
    """A pipe called like a picture was waited for, for good."""
    put(tmp_path, "a/1.jpg")
    os.mkfifo(tmp_path / "a" / "pipe.jpg")
    (tmp_path / "a" / "zero.jpg").symlink_to("/dev/zero")
    (tmp_path / "a" / "self.jpg").symlink_to("self.jpg")
    os.mkfifo(tmp_path / "loose.jpg")
    assert skipped(tmp_path) == {
        "a/pipe.jpg": SkipCode.NOT_A_FILE,
        "a/zero.jpg": SkipCode.NOT_A_FILE,
        "a/self.jpg": SkipCode.UNREADABLE,
        "loose.jpg": SkipCode.LOOSE_FILE,
    }


def test_a_file_larger_than_any_picture_is_not_read(tmp_path):
    put(tmp_path, "a/1.jpg")
    with put(tmp_path, "a/huge.jpg").open("ab") as file:
        file.truncate(1 << 42)  # takes no room
    (found,) = scan(tmp_path).skipped
    assert (found.path, found.code) == ("a/huge.jpg", SkipCode.UNREADABLE)
    assert "max 20971520" in found.detail
