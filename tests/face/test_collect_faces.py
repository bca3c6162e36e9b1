"""bench/collect_faces.py: its list is in order, and an archive that differs is told. No network."""

from __future__ import annotations

import hashlib
import re
import sys
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

sys.path.append(str(Path(__file__).resolve().parents[2] / "bench"))

import collect_faces
from collect_faces import Archive, ListProblem, NotCollected

from kiosk.face.calibration.folder import scan
from kiosk.face.calibration.groups import read_groups

PICTURE = cv2.imencode(".png", np.arange(1200, dtype=np.uint8).reshape(20, 20, 3))[1].tobytes()


def packed(path: Path, *names: str) -> Path:
    with zipfile.ZipFile(path, "w") as wheel:
        for name in names:
            wheel.writestr(name, PICTURE)
    return path


def listed(folder: Path, sha256: str) -> Path:
    path = folder / "faces.toml"
    path.write_text(
        "[archive.small]\n"
        'kind = "wheel"\nname = "small"\nversion = "1.0"\nlicence = "MIT"\n'
        f'sha256 = "{sha256}"\n'
        "[person.one]\n"
        'pictures = ["small:s/a*.png"]\nglasses = "yes"\n'
        "[person.two]\n"
        'pictures = ["small:s/b.png#2,3,10,8"]\n'
    )
    return path


def fetched(archive: Archive, into: Path) -> Path:
    return packed(into / "small-1.0-py3-none-any.whl", "s/a1.png", "s/b.png")


def test_the_list_is_in_order() -> None:
    archives, people = collect_faces.read_list()
    assert all(re.fullmatch("[0-9a-f]{64}", archive.sha256) for archive in archives.values())
    assert all(archive.licence for archive in archives.values())
    pictures = [picture for person in people.values() for picture in person.pictures]
    assert {picture.archive for picture in pictures} == set(archives)
    assert len(pictures) == len(set(pictures))  # nobody's picture is another's too


def test_people_and_groups_are_written(tmp_path: Path) -> None:
    digest = hashlib.sha256(fetched(None, tmp_path).read_bytes()).hexdigest()  # type: ignore[arg-type]
    faces = tmp_path / "faces"
    assert collect_faces.main([str(faces), "--list", str(listed(tmp_path, digest))], fetched) == 0
    assert scan(faces).people == ("one", "two")
    cut = cv2.imread(str(faces / "two" / "1.png"))
    assert cut is not None and cut.shape[:2] == (5, 8)
    assert read_groups(faces / "groups.csv").columns["glasses"] == {"one": "yes"}


def test_another_archive_than_listed_is_told_and_nothing_of_it_is_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    faces = tmp_path / "faces"
    assert collect_faces.main([str(faces), "--list", str(listed(tmp_path, "0" * 64))], fetched) == 1
    file = next((tmp_path / "faces.archives").glob("*/*.whl"))
    told = capsys.readouterr().err
    for part in (str(file), "0" * 64, hashlib.sha256(file.read_bytes()).hexdigest()):
        assert part in told
    assert "Delete the file" in told and "one: left out" in told
    assert not (faces / "one").exists()


def test_what_cannot_be_fetched_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def offline(archive: Archive, into: Path) -> Path:
        raise NotCollected(f"{archive.name} was not fetched: no network.")

    faces = tmp_path / "faces"
    assert collect_faces.main([str(faces), "--list", str(listed(tmp_path, "0" * 64))], offline) == 1
    assert "small was not fetched" in capsys.readouterr().err


def test_people_who_are_not_of_the_list_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    digest = hashlib.sha256(fetched(None, tmp_path).read_bytes()).hexdigest()  # type: ignore[arg-type]
    (tmp_path / "faces" / "old").mkdir(parents=True)
    arguments = [str(tmp_path / "faces"), "--list", str(listed(tmp_path, digest))]
    assert collect_faces.main(arguments, fetched) == 1
    assert "old: not of the list" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("was", "now", "told"),
    [
        ("small:s/b", "other:s/b", ("person.two", "other")),
        ("2,3,10,8", "2,3,10", ("person.two.pictures.0", "small:s/b.png#2,3,10", "left,top")),
        ("2,3,10,8", "5,5,5,5", ("person.two.pictures.0", "right must exceed left")),
        ("2,3,10,8", "a,b,c,d", ("person.two.pictures.0", "left,top,right,bottom")),
        ('"wheel"', '"egg"', ("archive.small.kind", "egg", "'sdist'")),
        ("sha256", "sha1", ("archive.small.sha256", "required")),
        ("[person.one]", '[person."../evil"]', ("../evil",)),
        ("[person.one]", "[person.one", ("line 7",)),
        ("glasses", "hat", ("person.one.hat", "yes")),
        ('["small:s/a*.png"]', "[]", ("person.one.pictures", "at least 1")),
    ],
)
def test_a_list_that_is_not_in_order_is_refused_by_place_and_value(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], was: str, now: str, told: tuple[str, ...]
) -> None:
    path = listed(tmp_path, "0" * 64)
    path.write_text(path.read_text().replace(was, now, 1))
    with pytest.raises(ListProblem) as caught:
        collect_faces.read_list(path)
    assert all(part in str(caught.value) for part in (str(path), *told))
    assert collect_faces.main([str(tmp_path / "faces"), "--list", str(path)], fetched) == 2
    assert str(path) in capsys.readouterr().err
    assert not (tmp_path / "faces").exists() and not (tmp_path / "evil").exists()


def test_no_list_an_empty_one_and_no_folder_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty, file = tmp_path / "empty.toml", tmp_path / "file"
    empty.touch()
    file.touch()
    for folder, path in ((tmp_path / "a", tmp_path / "none"), (tmp_path / "a", empty)):
        assert collect_faces.main([str(folder), "--list", str(path)], fetched) == 2
        assert str(path) in capsys.readouterr().err
    assert collect_faces.main([str(file), "--list", str(listed(tmp_path, "0" * 64))], fetched) == 2
    assert f"{file}: cannot be written" in capsys.readouterr().err


def test_a_cut_outside_of_its_picture_is_told_and_the_others_are_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    digest = hashlib.sha256(fetched(None, tmp_path).read_bytes()).hexdigest()  # type: ignore[arg-type]
    path, faces = listed(tmp_path, digest), tmp_path / "faces"
    path.write_text(path.read_text().replace("2,3,10,8", "50,50,60,60"))
    assert collect_faces.main([str(faces), "--list", str(path)], fetched) == 1
    assert "two: s/b.png: (50, 50, 60, 60) lies outside" in capsys.readouterr().err
    assert scan(faces).people == ("one",) and (faces / "groups.csv").exists()
