"""Embeddings that are kept: theirs alone, whole, and nobody else's file is written over."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.face.calibration.folder import FolderCode, FolderProblem
from kiosk.face.calibration.kept import Kept

ROWS = {"aa": np.ones(4, np.float32), "bb": np.zeros(4, np.float32)}


def kept(path: Path, encoder: str = "made-up", detector: str = "yunet") -> Kept:
    return Kept(path, encoder, detector, 4)


def refused(file: Kept) -> FolderProblem:
    with pytest.raises(FolderProblem) as problem:
        file.read()
    assert problem.value.names[0] == str(file.path)
    return problem.value


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "kept.npz"


def test_what_was_kept_is_read_and_private(path):
    assert kept(path).read() == {}
    kept(path).write(ROWS)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    found = kept(path).read()
    assert {name: row.tolist() for name, row in found.items()} == {
        name: row.tolist() for name, row in ROWS.items()
    }
    assert [p.name for p in path.parent.iterdir()] == ["kept.npz"]


@pytest.mark.parametrize(
    "other", [{"encoder": "another"}, {"detector": "hog"}, {"encoder": "x", "detector": "y"}]
)
def test_of_another_encoder_or_detector_it_is_refused_not_written_over(path, other):
    kept(path, **other).write(ROWS)
    problem = refused(kept(path))
    assert problem.code is FolderCode.KEPT_OTHER
    assert problem.names[1:] == (
        other.get("encoder", "made-up"),
        other.get("detector", "yunet"),
    )


def one_array(path: Path) -> None:
    with path.open("wb") as file:
        np.save(file, np.zeros(3))


def others(path: Path, **arrays: object) -> None:
    whole = {"encoder": "made-up", "detector": "yunet", "sha256": ["aa"],
             "embeddings": np.zeros((1, 4), np.float32)}  # fmt: skip
    with path.open("wb") as file:
        np.savez(file, **(whole | arrays))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "make",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_text("a list of things to buy"),
        lambda path: path.write_bytes(b"PK\x03\x04 and no more"),
        one_array,
        lambda path: path.mkdir(),
        os.mkfifo,
        lambda path: others(path, sha256=["aa", "bb"]),
        lambda path: others(path, embeddings=np.zeros((1, 5), np.float32)),
        lambda path: others(path, embeddings=np.zeros((1, 4), np.int64)),
        lambda path: others(path, embeddings=np.full((1, 4), np.nan, np.float32)),
        lambda path: others(path, embeddings=np.array([{}], dtype=object)),
    ],
)
def test_a_damaged_or_foreign_file_is_refused_and_left(path, make):
    make(path)
    before = path.read_bytes() if path.is_file() else None
    assert refused(kept(path)).code is FolderCode.KEPT_FOREIGN
    assert before is None or path.read_bytes() == before


@given(st.data())
def test_bent_bytes_never_come_out_as_a_traceback(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("kept") / "kept.npz"
    kept(path).write(ROWS)
    content = bytearray(path.read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans()):
        content[at] ^= data.draw(st.integers(1, 255))
    else:
        del content[at:]
    path.write_bytes(content)
    try:
        found = kept(path).read()
    except FolderProblem as problem:
        assert problem.code in (FolderCode.KEPT_FOREIGN, FolderCode.KEPT_OTHER)
    else:
        assert all(row.shape == (4,) for row in found.values())


def test_where_nothing_can_be_written_is_told_before_the_work(path):
    missing = kept(path.parent / "none" / "kept.npz")
    problem = refused(missing)
    assert problem.code is FolderCode.KEPT_NO_ROOM
    assert isinstance(problem.__cause__, FileNotFoundError)
    assert not (path.parent / "none").exists(), "no folder is made unasked"
    path.write_text("")
    assert refused(kept(path / "below")).code is FolderCode.KEPT_NO_ROOM


def test_what_cannot_be_written_leaves_the_old_file_and_no_scraps(path, monkeypatch):
    kept(path).write(ROWS)
    before = path.read_bytes()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(FolderProblem):
        kept(path).write({**ROWS, "cc": np.ones(4, np.float32)})
    assert path.read_bytes() == before and len(list(path.parent.iterdir())) == 1
