"""What the benches of faces are given: folders, names and numbers that are of no use are told at
once, in one sentence, and without a folder the installed pictures do. Nothing is measured here."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

sys.path.append(str(Path(__file__).resolve().parents[2] / "bench"))

import given

from kiosk.demo import photos

ROOT = Path(__file__).resolve().parents[2]
FACES = ("detect", "face", "liveness", "quality", "recapture")


def told(bench: str, *words: str | Path) -> str:
    """The last line of a run that is refused."""
    command = [sys.executable, ROOT / "bench" / f"bench_{bench}.py", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2 and "Traceback" not in done.stderr, done.stderr
    return done.stderr.splitlines()[-1]


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A folder of one person, with a picture of nobody."""
    place = tmp_path / "people" / "somebody"
    place.mkdir(parents=True)
    (place / "grey.jpg").write_bytes(b"no picture")
    return place.parent


@pytest.mark.parametrize("bench", FACES)
def test_a_folder_of_no_use(bench: str, tmp_path: Path, picture: Path) -> None:
    absent = tmp_path / "absent"
    said = told(bench, "--faces", absent)
    assert f"argument --faces: '{absent}': is not there; it takes a folder" in said
    (tmp_path / "empty" / "person").mkdir(parents=True)
    said = told(bench, "--faces", tmp_path / "empty")
    assert "argument --faces" in said and "none of 1 folders has a picture in it" in said
    said = told(bench, "--faces", picture)
    assert re.search(f"argument --faces: '{picture}': (no |of 1 people fewer than two)", said)


@pytest.mark.parametrize(
    ("bench", "option", "value", "there_is"),
    [
        ("liveness", "--species", "nope", "'still picture'"),
        ("liveness", "--groups", "nope.csv", "is not there"),
        ("liveness", "--people", "1", "from 2 up"),
        ("quality", "--ways", "nope", "'turned 30°'"),
        ("quality", "--spoil-each", "0", "from 1 up"),
        ("worker", "--seconds", "-1", "more than 0"),
        ("worker", "--seconds", "nan", "more than 0"),
        ("worker", "--soak", "-1", "0 or more"),
        ("face", "--roster", "0", "from 1 up"),
        ("face", "--roster", "-1", "from 1 up"),
        ("detect", "--empty", "nope", "is not there"),
        ("recapture", "--recordings", "nope", "is not there"),
        ("preview", "--seconds", "-1", "more than 0"),
        ("hostile", "--count", "0", "from 1 up"),
        ("matching", "--rounds", "0", "from 1 up"),
        ("roster", "--workers", "0", "from 1 up"),
        ("turnstile", "--rounds", "0", "from 1 up"),
    ],
)
def test_a_value_of_no_use(bench: str, option: str, value: str, there_is: str) -> None:
    said = told(bench, f"{option}={value}")
    assert f"argument {option}: " in said and f"'{value}'" in said and there_is in said


def test_a_table_of_groups_that_is_none(tmp_path: Path) -> None:
    table = tmp_path / "groups.csv"
    table.write_text("person,sex\na,f\na,m\n")
    assert f"argument --groups: {table}: line 3" in told("liveness", "--groups", table)


def test_without_a_folder_the_installed_pictures_do_and_are_told_to_be_few(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("obama.jpg", "obama2.jpg", "biden.jpg", "list.txt"):
        (tmp_path / name).write_bytes(name.encode())
    monkeypatch.setenv(photos.ENV, str(tmp_path))
    parser = argparse.ArgumentParser()
    installed = given.faces(parser, None)
    assert {name: len(paths) for name, paths in installed.people.items()} == {
        "biden": 1,
        "obama": 2,
    }
    assert installed.largest()["obama"].name == "obama2.jpg"
    installed.tell(2, 2)
    assert "SMOKE FIGURE, not an accuracy" in capsys.readouterr().out
    monkeypatch.setenv(photos.ENV, str(tmp_path / "absent"))
    with pytest.raises(SystemExit) as ended:
        given.faces(parser, None)
    assert ended.value.code == 2 and "give --faces DIR, or run make" in capsys.readouterr().err


def test_a_folder_given_is_no_smoke(picture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    faces = given.faces(argparse.ArgumentParser(), picture)
    faces.tell(1, 1)
    said = capsys.readouterr().out
    assert said == f"{picture}: people used 1 of 1, pictures 1 of 1\n"


@drawn(st.integers(-5, 5), st.integers(-100, 100))
def test_whole_numbers_in_bounds(least: int, value: int) -> None:
    if value >= least:
        assert given.whole(least)(str(value)) == value
    else:
        with pytest.raises(argparse.ArgumentTypeError, match=f"'{value}'.* from {least} up"):
            given.whole(least)(str(value))


@pytest.mark.parametrize("bench", sorted((ROOT / "bench").glob("bench_*.py")), ids=lambda p: p.stem)
def test_make_bench_runs_each_without_arguments(bench: Path) -> None:
    """So none may need one."""
    assert "required=True" not in bench.read_text()
