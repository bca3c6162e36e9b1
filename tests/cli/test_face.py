"""`examgate face calibrate`: on real faces where there are some, and on every kind of bad input."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result
from PIL import Image

from kiosk.cli import face_texts
from kiosk.cli.base import Exit

ROOT = Path(__file__).resolve().parents[2]
FACES = Path(os.environ.get("EXAMGATE_FACES") or ROOT.parent / "shared" / "data" / "faces-dev")

Run = Callable[..., Result]
Report = tuple[Path, subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def faces() -> Path:
    """A folder of people. Nine are too few for thresholds, and enough for everything else."""
    if not FACES.is_dir():
        pytest.skip(f"no folder of people {FACES}; set EXAMGATE_FACES to one")
    return FACES


@pytest.fixture
def calibrate(run: Run, tmp_path: Path) -> Run:
    def command(*arguments: str | Path, lang: str = "en") -> Result:
        out = () if "--out" in arguments else ("--out", tmp_path / "out")
        return run("face", "calibrate", *map(str, (*arguments, *out)), lang=lang)

    return command


def folder(root: Path, **people: list[bytes]) -> Path:
    for person, pictures in people.items():
        for number, content in enumerate(pictures):
            (root / person).mkdir(parents=True, exist_ok=True)
            (root / person / f"{number}.jpg").write_bytes(content)
    return root


# --- real faces ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def report(faces: Path, tmp_path_factory: pytest.TempPathFactory) -> Report:
    """One run of the real command in its own process, for all tests of what it says."""
    out = tmp_path_factory.mktemp("calibration")
    encoders = ("--encoder", "dlib+sface-v1", "--encoder", "dlib-resnet-v1")
    argv = ["--config", str(out / "none.yaml"), "--lang", "en", "face", "calibrate", str(faces),
            "--out", str(out), "--keep-embeddings", str(out / "kept.npz"), *encoders]  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "kiosk.cli.main", *argv], cwd=ROOT, capture_output=True, text=True
    )
    return out, done


def test_nine_people_give_rates_but_no_thresholds(report: Report) -> None:
    out, result = report
    assert result.returncode == Exit.DECLINED, result.stderr
    assert "at least 36 (600 pairs)" in result.stderr
    data = json.loads((out / "report.json").read_text())
    assert [e["encoder"] for e in data["encoders"]] == ["dlib+sface-v1", "dlib-resnet-v1"]
    assert data["pictures"] == sum(1 for _ in FACES.glob("*/*.jpg"))
    for encoder in data["encoders"]:
        assert encoder["recommended"] is None and encoder["shortfalls"] == ["few_people"]
        assert 0 <= encoder["eer"] < 0.1
        assert encoder["impostor_pairs"] == encoder["people"] * (encoder["people"] - 1) // 2
        assert encoder["in_use"]["verify_fmr"]["errors"] == 0
        assert encoder["points"][-1]["threshold"] is None
    assert "not measurable with" in result.stdout and "EER" in result.stdout


def test_pictures_are_written_and_nothing_of_people(report: Report) -> None:
    out, _ = report
    names = sorted(p.name for p in out.iterdir())
    assert names == ["det.png", "distances-dlib+sface-v1.png", "distances-dlib-resnet-v1.png",
                     "kept.npz", "report.json"]  # fmt: skip
    for name in names[:3]:
        with Image.open(out / name) as picture:
            picture.verify()
    text = (out / "report.json").read_text()
    assert "embedding" not in text


def test_kept_embeddings_are_private_and_save_the_work(
    report: Report, calibrate: Run, faces: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kiosk.face.enrol import Enroller

    kept = report[0] / "kept.npz"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600

    def refuse(*_: object) -> None:
        raise AssertionError("a picture was embedded again")

    monkeypatch.setattr(Enroller, "enrol", refuse)
    arguments = ("--encoder", "dlib+sface-v1", "--encoder", "dlib-resnet-v1", "--json")
    result = calibrate(faces, *arguments, "--keep-embeddings", kept)
    before = json.loads((report[0] / "report.json").read_text())
    now = json.loads(result.stdout)
    assert [e["eer"] for e in now["encoders"]] == [e["eer"] for e in before["encoders"]]
    assert now["encoders"][0]["in_use"]["identify_max_distance"] > 0


def test_without_being_asked_nothing_is_kept(calibrate: Run, faces: Path, tmp_path: Path) -> None:
    two = tmp_path / "two"
    two.mkdir()
    for name in ("person01", "person02"):
        (two / name).symlink_to(faces / name)
    result = calibrate(two, lang="zh")
    assert result.exit_code == Exit.DECLINED
    assert "同一人比对" in result.stdout and "人太少" in result.stderr
    assert sorted(p.suffix for p in (tmp_path / "out").iterdir()) == [".json", ".png", ".png"]


def test_strict_refuses_one_person_with_two_folders(
    calibrate: Run, faces: Path, tmp_path: Path
) -> None:
    pictures = sorted((faces / "person01").glob("*.jpg"))
    halves = {"a": pictures[:4], "b": pictures[4:]}
    people = folder(tmp_path / "p", **{k: [p.read_bytes() for p in v] for k, v in halves.items()})
    loose = calibrate(people)
    assert "too alike" in loose.stdout and "a/" in loose.stdout
    assert "look first at the pictures above" in loose.stderr
    strict = calibrate(people, "--strict")
    assert strict.exit_code == Exit.DECLINED and "--strict" in strict.stderr


def test_unreadable_and_faceless_pictures_are_named_and_counted(
    calibrate: Run, faces: Path, tmp_path: Path
) -> None:
    people = tmp_path / "people"
    people.mkdir()
    for name in ("person01", "person02"):
        (people / name).symlink_to(faces / name)
    grey = tmp_path / "grey.jpg"
    Image.new("RGB", (300, 300), "grey").save(grey)
    folder(people, bad=[b"not a picture", grey.read_bytes()])
    data = json.loads(calibrate(people, "--json").stdout)
    codes = {s["path"]: s["code"] for s in data["skipped"]}
    assert codes == {"bad/0.jpg": "unreadable", "bad/1.jpg": "no_face"}
    assert data["failure_to_acquire"] == pytest.approx(2 / data["pictures"])
    assert data["people"] == 3 and data["people_used"] == 2


# --- bad input ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("people", "says"),
    [
        ({}, "no people"),
        ({"a": [b"x"], "b": [b"x"]}, "a/0.jpg = b/0.jpg"),
        ({"a": [b"x", b"y"], "b": [b"z"]}, "nothing to compare: 0 genuine"),
    ],
)
def test_useless_folders_end_with_a_sentence(
    calibrate: Run, tmp_path: Path, people: dict[str, list[bytes]], says: str
) -> None:
    root = folder(tmp_path / "p", **people)
    root.mkdir(exist_ok=True)
    result = calibrate(root)
    assert result.exit_code == Exit.BAD_INPUT and says in result.stderr
    assert calibrate(root, lang="zh").stderr != result.stderr


def test_unusable_pictures_are_named_when_nothing_is_left(calibrate: Run, tmp_path: Path) -> None:
    result = calibrate(folder(tmp_path / "p", a=[b"x", b"y"], b=[b"z"]))
    assert "cannot be read 3" in result.stderr and "a/1.jpg: cannot be read" in result.stderr


def test_no_folder_and_no_room_for_the_report(calibrate: Run, tmp_path: Path) -> None:
    (tmp_path / "circle").symlink_to("circle")
    for name in ("none", "circle"):
        missing = calibrate(tmp_path / name)
        assert missing.exit_code == Exit.BAD_INPUT and "no such folder" in missing.stderr
    file = tmp_path / "file"
    file.write_text("")
    people = folder(tmp_path / "p", a=[b"x"])
    blocked = calibrate(people, "--out", file / "below")
    assert blocked.exit_code == Exit.BAD_INPUT and str(file) in blocked.stderr
    assert "give a folder that can be written with --out" in blocked.stderr


def test_a_report_among_the_people_is_refused(calibrate: Run, tmp_path: Path) -> None:
    """Its pictures would be those of one more person the next time."""
    people = folder(tmp_path / "p", a=[b"x"])
    (tmp_path / "link").symlink_to(people)
    for out in (people, people / "out", people / "a" / "out", tmp_path / "link" / "out"):
        result = calibrate(people, "--out", out)
        assert result.exit_code == Exit.BAD_INPUT
        assert result.stderr.startswith(f"{out}: lies in the folder of the people")
        assert "--out" in calibrate(people, "--out", out, lang="zh").stderr
    assert sorted(p.name for p in people.rglob("*")) == ["0.jpg", "a"]


def test_folders_are_made_for_a_report_only_and_only_empty_ones_go(
    calibrate: Run, tmp_path: Path
) -> None:
    people = folder(tmp_path / "p", a=[b"x"])
    assert calibrate(people, "--out", tmp_path / "deep" / "er").exit_code == Exit.BAD_INPUT
    assert not (tmp_path / "deep").exists()
    (tmp_path / "there").mkdir()
    assert calibrate(people, "--out", tmp_path / "there").exit_code == Exit.BAD_INPUT
    assert (tmp_path / "there").is_dir(), "what was there stays"


def test_embeddings_that_cannot_be_kept_are_told_before_the_work(
    calibrate: Run, tmp_path: Path
) -> None:
    people = folder(tmp_path / "p", a=[b"x", b"y"], b=[b"z"])
    damaged = tmp_path / "kept.npz"
    damaged.write_bytes(b"PK\x03\x04 and no more")
    for path, says in ((damaged, "delete it"), (tmp_path / "none" / "kept.npz", "No such file")):
        result = calibrate(people, "--keep-embeddings", path)
        assert result.exit_code == Exit.BAD_INPUT
        assert result.stderr.startswith(f"{path}: ") and says in result.stderr
        assert str(path) in calibrate(people, "--keep-embeddings", path, lang="zh").stderr
    assert not (tmp_path / "none").exists() and damaged.read_bytes().startswith(b"PK")


def test_names_that_would_move_the_cursor_are_shown_and_written_as_text(
    calibrate: Run, tmp_path: Path
) -> None:
    people = tmp_path / "p"
    for name in ("with space", "李敏", "new\nline", "esc\x1b[31m", os.fsdecode(b"bytes\xff")):
        folder(people, **{name: [name.encode("utf-8", "surrogateescape")]})
    shown = calibrate(people).stderr
    for name in ("with space/0.jpg", "李敏/0.jpg", "new\\nline/0.jpg", "esc\\x1b[31m/0.jpg",
                 "bytes\\udcff/0.jpg"):  # fmt: skip
        assert f"  {name}: cannot be read" in shown


def test_what_may_not_be_read_is_told(
    calibrate: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = folder(tmp_path / "p", a=[b"x"], b=[b"y"])
    listed = Path.iterdir

    def refuse(path: Path) -> Iterator[Path]:
        if path.name in locked:
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(Path, "iterdir", refuse)
    locked = ["a"]
    result = calibrate(people)
    assert "a: cannot be read (Permission denied)" in result.stderr
    locked = ["p"]
    result = calibrate(people)
    assert result.exit_code == Exit.BAD_INPUT
    assert result.stderr == f"{people}: Permission denied\n"
    assert "没有权限" in calibrate(people, lang="zh").stderr


def test_another_model_file_is_named_with_the_remedy(
    calibrate: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    from kiosk.face import models

    people = folder(tmp_path / "p", a=[b"x"])
    for name in ("YUNET", "SFACE"):
        with monkeypatch.context() as changed:
            changed.setattr(models, name, replace(getattr(models, name), sha256="0" * 64))
            result = calibrate(people)
        assert result.exit_code == Exit.BAD_INPUT
        assert "another or damaged; install it again: pip install" in result.stderr


def test_frames_are_told_where_there_are_too_few_pictures(
    calibrate: Run, faces: Path, tmp_path: Path
) -> None:
    two = tmp_path / "two"
    two.mkdir()
    for name in ("person01", "person02"):
        (two / name).symlink_to(faces / name)
    result = calibrate(two, "--frames", "50")
    assert result.exit_code == Exit.BAD_INPUT
    assert "one of them with 51 usable pictures (--frames 50)" in result.stderr


def test_hog_says_which_encoder_it_goes_with(calibrate: Run, faces: Path) -> None:
    result = calibrate(faces, "--detector", "hog")
    assert result.exit_code == Exit.BAD_INPUT and "--encoder dlib-resnet-v1" in result.stderr
    assert calibrate(faces, "--detector", "hog", "--encoder", "dlib-resnet-v1").exit_code == 1


def test_a_cache_that_cannot_be_used_is_told(
    calibrate: Run, faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    two = tmp_path / "two"
    two.mkdir()
    for name in ("person01", "person02"):
        (two / name).symlink_to(faces / name)
    file = tmp_path / "file"
    file.write_text("")
    monkeypatch.setenv("CACHE_DIRECTORY", str(file / "below"))
    assert f"{file / 'below'}: Not a directory; converted models" in calibrate(two).stderr


def test_a_run_that_is_stopped_keeps_the_embeddings_and_ends_like_any_other_command(
    faces: Path, tmp_path: Path
) -> None:
    kept, out = tmp_path / "kept.npz", tmp_path / "deep" / "out"
    code = (
        "from kiosk.face.enrol import Enroller\n"
        "from kiosk.cli.main import main\n"
        "enrol, done = Enroller.enrol, []\n"
        "def stopped(self, photo):\n"
        "    if len(done) == 3: raise KeyboardInterrupt\n"
        "    done.append(photo)\n"
        "    return enrol(self, photo)\n"
        "Enroller.enrol = stopped\n"
        f"main(['--lang', 'en', 'face', 'calibrate', {str(faces)!r}, '--out', {str(out)!r},"
        f"      '--keep-embeddings', {str(kept)!r}])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == Exit.INTERRUPTED == 130 and done.stderr.endswith("interrupted\n")
    assert kept.exists() and not out.parent.exists()


def test_bad_groups_and_options(calibrate: Run, tmp_path: Path) -> None:
    groups = tmp_path / "g.csv"
    people = folder(tmp_path / "p", a=[b"x"])
    for table, says in (
        ("folder,sex\na,f\na,m\n", "line 3: 'a' is in line 2 already"),
        ("folder,sex\nb,f\n", "nobody in it has a folder (it has 'b'"),
        ("folder,sex,sex\na,f,m\n", "line 1: column 'sex' is there twice"),
        ("folder,sex\na,f,m\n", "line 2: 'm' is in a column that has no name"),
    ):
        groups.write_text(table)
        result = calibrate(people, "--groups", groups)
        assert result.exit_code == Exit.BAD_INPUT
        assert result.stderr.startswith(f"{groups}: {says}"), (
            "the first line, no progress before it"
        )
        assert not (tmp_path / "out").exists(), "nothing is left of a run that came to nothing"
        assert calibrate(people, "--groups", groups, lang="zh").stderr != result.stderr
    for wrong in (("--encoder", "arcface"), ("--target-fpir", "0"), ("--roster", "1")):
        assert calibrate(tmp_path / "p", *wrong).exit_code == Exit.USAGE


@pytest.mark.parametrize("package", ["scipy", "matplotlib"])
def test_a_missing_extra_says_how_to_install_it(tmp_path: Path, package: str) -> None:
    """In a process of its own: a package that was imported cannot be missing any more."""
    code = (
        f"import sys; sys.modules[{package!r}] = None; from kiosk.cli.main import main;"
        f"main(['--lang', 'en', 'face', 'calibrate', {str(tmp_path)!r}, '--out', "
        f"{str(tmp_path / 'out')!r}])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == Exit.BAD_INPUT, done.stderr
    assert "pip install -r requirements-analysis.txt" in done.stderr


def test_what_runs_at_the_gate_loads_neither() -> None:
    code = (
        "import sys, kiosk.app, kiosk.daemon, kiosk.session, kiosk.face.worker, kiosk.face.enrol,"
        "kiosk.cli.main; print([m for m in ('scipy', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_every_code_has_words() -> None:
    from kiosk.face.calibration.bootstrap import Method
    from kiosk.face.calibration.folder import FolderCode, SkipCode
    from kiosk.face.calibration.recommend import Shortfall

    assert set(face_texts.FOLDER) == set(FolderCode)
    assert set(face_texts.SKIPPED) == set(SkipCode)
    assert set(face_texts.METHODS) == set(Method)
    assert set(face_texts.SHORTFALLS) == set(Shortfall)
    from kiosk.face.enrol import PhotoCode

    assert set(PhotoCode) <= set(SkipCode), "every problem of a photograph can be told"
