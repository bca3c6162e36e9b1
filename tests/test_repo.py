"""What the repository must not hold: photographs, somebody's machine, a registry's address."""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PICTURES = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".heic", ".tif", ".tiff", ".mp4", ".avi"}
#: Pictures the program itself draws: screens of virtual people. Never a camera's picture.
DRAWN = ("docs/screens/",)
MAX_BYTES = 600_000

HOME = re.compile(r"(?<![\w.])/(?:home|Users|work|mnt|root)/[\w.-]")
REGISTRY = re.compile(
    r"(?:index|extra-index|find-links)-url|find-links|(?:files\.pythonhosted|pypi|npmjs)\.org"
    r"|deb\.debian\.org|registry\.[\w-]+\.(?:com|org|cn)|mirrors?\.[\w-]+\.(?:com|edu|org|cn)"
)


@cache
def tracked() -> tuple[Path, ...]:
    """Files of the repository; outside a clone, the files that are there."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a git clone: what is tracked cannot be told")
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "-C", str(ROOT), "ls-files", "-z"],
        capture_output=True,
        check=True,
    ).stdout.decode()
    paths = (ROOT / name for name in listed.split("\0") if name)
    return tuple(path for path in paths if path.is_file())


def texts() -> list[tuple[str, str]]:
    found = []
    for path in tracked():
        data = path.read_bytes()
        if b"\0" not in data[:8192] and path.name not in ("LICENSE", Path(__file__).name):
            found.append((str(path.relative_to(ROOT)), data.decode()))
    return found


def hits(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{name}:{number}: {line.strip()[:100]}"
        for name, text in texts()
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


def test_no_photograph_is_tracked() -> None:
    names = [str(p.relative_to(ROOT)) for p in tracked() if p.suffix.lower() in PICTURES]
    assert [name for name in names if not name.startswith(DRAWN)] == []


def test_no_model_or_large_file_is_tracked() -> None:
    large = [str(p.relative_to(ROOT)) for p in tracked() if p.stat().st_size > MAX_BYTES]
    assert large == []
    models = {".dat", ".onnx", ".db", ".key", ".pem"}
    assert [str(p) for p in tracked() if p.suffix in models] == []


def test_no_path_of_a_developers_machine() -> None:
    assert hits(HOME) == []


def test_no_registry_is_named() -> None:
    assert hits(REGISTRY) == []


def test_every_module_says_what_it_owns() -> None:
    empty = []
    for path in tracked():
        text = path.read_text() if path.suffix == ".py" else ""
        if text.strip() and not text.startswith('"""'):
            empty.append(str(path.relative_to(ROOT)))
    assert empty == []
