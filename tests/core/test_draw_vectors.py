"""docs/draw.md and its vectors: up to date, and enough for a verifier in another language."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from kiosk.core import draw, hall
from kiosk.core.checkpoint import parse_note, parse_vkey
from kiosk.core.merkle import inclusion_holds, leaf_hash
from kiosk.core.receipt import TAG, parse_receipt

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/draw.md").read_text()
VECTORS = ROOT / "docs/draw-vectors.json"
VERIFIER = Path(__file__).with_name("draw_verifier.pl")


def perl(vectors: str) -> subprocess.CompletedProcess[str]:
    if shutil.which("perl") is None:
        pytest.skip("perl is not on this machine")
    asked = subprocess.run(
        ["perl", "-MDigest::SHA", "-MJSON::PP", "-MMath::BigInt", "-e", "1"], capture_output=True
    )
    if asked.returncode:
        pytest.skip("perl is here without its own core modules (Debian: apt-get install perl)")
    return subprocess.run(
        ["perl", str(VERIFIER)], input=vectors, capture_output=True, text=True, check=False
    )


def test_the_vectors_are_up_to_date(tmp_path: Path) -> None:
    made = tmp_path / "vectors.json"
    subprocess.run([sys.executable, str(ROOT / "tools/draw_vectors.py"), str(made)], check=True)
    assert made.read_text() == VECTORS.read_text()


def test_a_verifier_in_another_language_agrees() -> None:
    done = perl(VECTORS.read_text())
    assert done.returncode == 0, done.stdout + done.stderr
    right = re.fullmatch(r"(\d+) right, 0 wrong\n", done.stdout)
    assert right, done.stdout
    assert int(right[1]) > 150


def bent(change: str) -> str:
    """The vectors with one thing in the small record changed."""
    whole = json.loads(VECTORS.read_text())
    entries = whole["record"]["entries"]
    first = next(e for e in entries if e["kind"] == "seat_drawn")
    match change:
        case "seed":
            entries[-1]["payload"]["seed"] = "00" * 32
        case "signature":
            first["payload"]["signature_sha256"] = "0" * 64
        case "terminal":
            first["terminal"] = "001"
        case "free":
            first["payload"]["free"].remove("004")
        case "capacity":
            entries[0]["payload"]["capacity"] = 5
        case "accessible":
            entries[0]["payload"]["terminals"][2]["accessible"] = False
        case "void dropped":
            entries[:] = [e for e in entries if e["kind"] != "seat_voided"]
        case "draw dropped":
            entries.remove(first)
        case "facts":
            first["payload"]["facts"]["licence_class"] = "D"
        case "receipt":
            text = whole["receipts"][0]["receipt"]
            whole["receipts"][0]["receipt"] = text.replace("\n002\n", "\n001\n")
        case "receipt's entry":
            whole["receipts"][0]["entry"] = whole["receipts"][0]["entry"].replace("C1", "C2")
        case "receipt's head":
            whole["receipts"][0]["leaves"][0] = "00" * 32
    return json.dumps(whole)


@pytest.mark.parametrize(
    "change",
    ["seed", "signature", "terminal", "free", "capacity", "accessible", "void dropped",
     "draw dropped", "facts", "receipt", "receipt's entry", "receipt's head"],
)  # fmt: skip
def test_the_other_verifier_sees_a_bent_record(change: str) -> None:
    done = perl(bent(change))
    assert done.returncode == 1
    assert "WRONG" in done.stdout, done.stderr


def test_the_worked_example_is_the_one_of_the_vectors() -> None:
    vectors = json.loads(VECTORS.read_text())
    first, committed = vectors["draws"][0], vectors["commitments"][0]
    for text in (
        first["message"],
        first["block_0"],
        first["free_hash"],
        first["pool_hash"],
        committed["hall_sha256"],
        committed["commitment"],
    ):
        assert text in PAGE
    assert f"index {first['index']}, terminal {first['terminal']}" in PAGE


def test_receipts_are_what_the_program_reads_and_signs() -> None:
    for vector in json.loads(VECTORS.read_text())["receipts"]:
        found = parse_receipt(vector["receipt"])
        name, public = parse_vkey(vector["vkey"])
        note = parse_note(found.checkpoint, name)
        Ed25519PublicKey.from_public_bytes(public).verify(note.signature, note.text.encode())
        path = [bytes.fromhex(node) for node in vector["proof"]]
        leaf, head = bytes.fromhex(found.leaf_hash), found.head
        assert leaf == leaf_hash(vector["entry"].encode())
        assert inclusion_holds(leaf, found.seq - 1, head.size, path, head.root)


def test_the_receipt_on_the_page_is_the_first_one() -> None:
    assert json.loads(VECTORS.read_text())["receipts"][0]["receipt"] in PAGE


def test_the_page_names_what_the_code_uses() -> None:
    for said in (draw.DRAW_TAG, draw.SEED_TAG, TAG, "HALL_FULL", "NO_TERMINAL_FOR_CLASS"):
        assert said in PAGE
    for key in (*hall.Terminal("1", 0, 1, 1).published(), *hall.Facts("C1").published()):
        assert f"`{key}`" in PAGE
