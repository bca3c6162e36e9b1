"""The stand-alone verifier: silent about an honest record, and not about any other."""

from __future__ import annotations

import ast
import copy
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.audit.cases import CASES, Case
from tests.audit.sessions import Made
from tests.audit.tamper import Lines, Venue, sign, text_of
from tools import verify_record as tool

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "tools" / "verify_record.py"
VECTORS = json.loads((ROOT / "docs" / "draw-vectors.json").read_text())

quick = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def check(made: Made, data: bytes, heads=(), proofs=(), receipts=()) -> list[tool.Finding]:
    given_receipts = [tool.read_receipt(text) for text in receipts]
    kept = tool.Kept(
        [(f"head {n}", tool.read_head(note)) for n, note in enumerate(heads)]
        + [("a receipt", receipt.head) for receipt in given_receipts],
        [tool.read_proof(text) for text in proofs],
        given_receipts,
    )
    return tool.verify(data, tool.read_key(made.vkey), kept).findings


def codes(findings: list[tool.Finding]) -> list[str]:
    return [found.code for found in findings]


# Honest


def test_an_honest_record_has_no_finding(made: Made):
    heads = (made.older, made.earlier, *made.within, made.later)
    proofs = (made.older_proof, made.later_proof)
    assert check(made, made.record, heads, proofs, made.receipts) == []


def test_the_session_has_all_that_verifiers_must_know(made: Made):
    """Or the honest record would say little."""
    entries = Venue(made).entries
    kinds = {e["kind"] for e in entries}
    assert kinds >= set(tool.PAYLOADS) | {"terminal_changed", "lane_started", "identity_verified"}
    assert {e["reason"] for e in entries} >= {*tool.PASSED, *tool.NOT_PASSED}
    voided = {e["payload"]["why"] for e in entries if e["kind"] == "seat_voided"}
    assert voided == {"terminal_broken", "second_attempt", "proctor_decision"}
    draws = [e["payload"] for e in entries if e["kind"] == "seat_drawn"]
    assert {d["spacing_gave_way"] for d in draws} == {True, False}
    assert {d["facts"]["accessible"] for d in draws} == {True, False}
    assert len({len(d["free"]) - len(d.get("pool", d["free"])) for d in draws}) > 2


# Tampered


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_tampering_is_named(made: Made, case: Case):
    data, seq = case.bend(made)
    assert data != made.record
    first, *_ = check(made, data, made.within if case.kept else ())
    assert (first.code, first.seq) == (case.code, seq), first.en
    if case.kept:
        assert check(made, data) == [], "without a kept head nobody could tell"


@quick
@given(place=st.integers(0), bit=st.integers(0, 7))
def test_one_flipped_bit_is_found(made: Made, place: int, bit: int):
    place %= len(made.record)
    assume(not _in_time_of_a_head(made.record, place))
    data = bytearray(made.record)
    data[place] ^= 1 << bit
    assert check(made, bytes(data))


def _in_time_of_a_head(data: bytes, place: int) -> bool:
    """What stands beside a head is signed by nobody (docs/journal.md, The record)."""
    start = data.rfind(b"\n", 0, place) + 1
    return data.startswith(b'{"at":"', start) and 7 <= place - start < 39 and b'"note"' in (
        data[start : start + 60]
    )  # fmt: skip


@quick
@given(what=st.sampled_from(["drop", "double", "swap"]), one=st.integers(0), two=st.integers(0))
def test_a_line_dropped_doubled_or_swapped_is_found(made: Made, what: str, one: int, two: int):
    lines = made.record.splitlines(keepends=True)
    one, two = one % len(lines), two % len(lines)
    if what == "drop":
        del lines[one]
    elif what == "double":
        lines.insert(one, lines[one])
    else:
        assume(lines[one] != lines[two])
        lines[one], lines[two] = lines[two], lines[one]
    assert check(made, b"".join(lines))


@quick
@given(size=st.integers(0))
def test_a_record_cut_off_anywhere_is_found(made: Made, size: int):
    assert check(made, made.record[: size % len(made.record)])


@quick
@given(which=st.integers(0), key=st.integers(0), data=st.data())
def test_whatever_the_venue_writes_is_found_by_a_kept_head(made: Made, which, key, data):
    """And whatever type a field gets, the check ends with sentences and not with a traceback."""
    record = Venue(made)
    entry = record.entries[which % len(record.entries)]
    where = entry["payload"] if entry["payload"] and key % 3 else entry
    name = sorted(set(where) - {"seq"})[key % len(set(where) - {"seq"})]
    before = copy.deepcopy(where[name])
    where[name] = data.draw(
        st.sampled_from([None, True, 0, 1.5, "", "001", [], [[]], {}, {"a": 1}, 10**18, "5" * 64])
    )
    assume(text_of(where[name]) != text_of(before))
    assert check(made, record.data(), made.within)


@quick
@given(data=st.binary(max_size=300))
def test_any_bytes_are_answered(made: Made, data: bytes):
    assert codes(check(made, data)) == ["FORM"]


def _with_header(made: Made, **change: Any) -> bytes:
    lines = Lines(made)
    lines.header |= change
    return lines.data()


@pytest.mark.parametrize(
    "entry",
    [
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"seq":' + b"9" * 100_000 + b"}",
        b'{"seq":NaN}',
        b'{"seq":1e999}',
        b'{"seq":1,"seq":1}',
        b'{"kind":"\\ud800"}',
        b"\xff\xfe",
        b"null",
        b" {}",
        b"",
    ],
)
def test_hostile_json_is_a_finding(made: Made, entry: bytes):
    lines = Lines(made)
    lines.entries[5] = entry
    (found,) = check(made, lines.data())
    assert (found.code, found.seq) == ("FORM", lines.header["first"] + 5)
    assert len(found.en) < 250


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("seq", True),
        ("seq", 23.0),
        ("at", "2026-11-24T01:00:00+00:00"),
        ("at", "2026-13-24T01:00:00.000000+00:00"),
        ("monotonic", "1"),
        ("payload", []),
        ("payload", {"x": [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}),
        ("kind", None),
        ("terminal", 5),
    ],
)
def test_an_entry_of_another_form_ends_the_check(made: Made, name: str, value: Any):
    lines = Lines(made)
    lines.entries[5] = text_of(json.loads(lines.entries[5]) | {name: value})
    assert codes(check(made, lines.data())) == ["FORM"]


@pytest.mark.parametrize(
    "change",
    [
        {"format": "examgate-record/2"},
        {"entries": 10**12},
        {"entries": True},
        {"first": 0},
        {"first": 18.0},
        {"peaks": []},
        {"peaks": ["0" * 64] * 3},
        {"vkey": "a+b+c"},
        {"origin": "examgate/KM1/B"},
        {"earlier": {"note": "x", "proof": []}},
        {"more": 1},
        {"session_id": ""},
    ],
)
def test_a_header_of_another_form_ends_the_check(made: Made, change: dict[str, Any]):
    assert codes(check(made, _with_header(made, **change))) == ["FORM"]


def test_what_is_shown_is_harmless_on_a_terminal(made: Made):
    record = Venue(made)
    record.all("gate_intent")[0]["payload"]["authority"] = "\x1b[2J\u202e" + "x" * 5000
    (found,) = [f for f in check(made, record.data()) if f.code == "AUTHORITY"]
    assert found.en.isprintable() and len(found.en) < 200


# Kept heads, proofs, receipts


def test_a_head_of_another_time_needs_a_proof(made: Made):
    assert codes(check(made, made.record, [made.older, made.later])) == ["UNPROVEN"] * 2
    assert check(made, made.record, [made.older], [made.older_proof]) == []
    wrong = [made.later_proof]
    assert codes(check(made, made.record, [made.older], wrong)) == ["UNPROVEN"]


def test_a_proof_that_does_not_lead_there_proves_nothing(made: Made):
    bent = json.loads(made.older_proof)
    bent["proof"][1] = "0" * 64
    assert codes(check(made, made.record, [made.older], [json.dumps(bent)])) == ["UNPROVEN"]


def test_a_kept_head_of_another_journal(made: Made):
    foreign = made.within[1].replace("KM1/A", "KM1/B")
    assert codes(check(made, made.record, [foreign])) == ["SIGNATURE"]


def test_another_past_before_the_record_is_a_fork(made: Made):
    """The earlier head in the header, signed anew by the venue over another journal."""
    size = int(made.earlier.split("\n")[1])
    other = sign(made, size, b"\x05" * 32)
    assert codes(check(made, made.record, [other])) == ["FORK"]


@pytest.mark.parametrize(
    ("line", "value"),
    [(1, "科目一-0800"), (2, "99"), (3, "77"), (4, "25"), (4, "999"), (5, "0" * 64)],
)
def test_a_receipt_that_does_not_fit(made: Made, line: int, value: str):
    lines = made.receipts[1].split("\n")
    lines[line] = value
    found = check(made, made.record, receipts=["\n".join(lines)])
    assert found and set(codes(found)) == {"RECEIPT"}


def test_line_ends_of_a_receipt_are_forgiven(made: Made):
    text = made.receipts[1].rstrip("\n").replace("\n", "\r\n")
    assert check(made, made.record, receipts=[text]) == []


def test_a_receipt_shows_a_record_made_anew(made: Made):
    """Changed before the draw and signed anew, true to itself: the receipt's head is another."""
    record = Venue(made)
    first = record.all("claimed")[0]
    first["at"] = record.all("session_opened")[0]["at"]
    assert check(made, record.data()) == []
    assert "FORK" in codes(check(made, record.data(), receipts=made.receipts[1:2]))


# The pages' own examples


def test_the_draw_vectors():
    for v in VECTORS["commitments"]:
        payload = v["hall"] | {"hall_sha256": v["hall_sha256"]}
        assert tool.hall_hash(payload) == v["hall_sha256"]
        seed = bytes.fromhex(v["seed"])
        assert tool.commitment(payload, v["session_id"], seed) == v["commitment"]
    for v in VECTORS["draws"]:
        assert tool.names_hash(v["free"]) == v["free_hash"]
        assert tool.names_hash(v["pool"]) == v["pool_hash"]
        text = tool.message(v["session_id"], v["pseudonym"], v)
        assert text == v["message"]
        index, rounds = tool.choose(tool.blocks(bytes.fromhex(v["seed"]), text), len(v["pool"]))
        assert (index, rounds, v["pool"][index]) == (v["index"], v["rounds"], v["terminal"])
    for v in VECTORS["rejections"]:
        numbers = (int(block, 16) for block in v["blocks"])
        assert tool.choose(numbers, v["size"]) == (v["index"], v["rounds"])


@pytest.mark.parametrize("v", VECTORS["pools"], ids=[v["says"] for v in VECTORS["pools"]])
def test_the_pool_vectors(v: dict[str, Any]):
    hall = tool.Hall(v["hall"] | {"hall_sha256": ""})
    held = {name: tool.Seat(0, name, school) for name, school in v["held"].items()}
    free, pool, gave_way, refusal = hall.pool(held, v["facts"])
    assert sorted(t.name for t in free) == v["free"]
    assert (refusal or None) == v["refusal"]
    if not refusal:
        assert sorted(t.name for t in pool) == v["pool"]
        assert gave_way == v["spacing_gave_way"]


def test_the_record_of_the_vectors_has_no_finding(made: Made):
    """It has only draws: replayed without gate, as entries of a journal."""
    vectors = VECTORS["record"]
    nine = dict.fromkeys(["seq", "at", "monotonic", "reason"])
    entries = [
        text_of(nine | {"seq": seq, "session_id": vectors["session_id"]} | entry)
        for seq, entry in enumerate(vectors["entries"], 1)
    ]
    closed = vectors["entries"][-1]["payload"]
    record = tool.Record(
        vectors["session_id"], tool.read_key(made.vkey), 1, [], entries, [], [], None
    )
    replay = tool.Replay(record, tool.Seen(bytes.fromhex(closed["seed"]), 0))
    replay.run()
    found = [f.en for f in replay.found if f.code in DRAWN]
    assert found == ["was_inside should be False"], "only because nobody passes a gate in it"
    assert replay.draw_no == sum(e["kind"] == "seat_drawn" for e in vectors["entries"]) > 3


DRAWN = {"HALL", "COMMITMENT", "NUMBER", "STROKES", "SEAT", "RULES", "DRAW", "TERMINAL", "VOID"}


def test_the_receipts_of_the_vectors():
    for v in VECTORS["receipts"]:
        receipt = tool.read_receipt(v["receipt"])
        assert tool.is_signed(receipt.head, tool.read_key(v["vkey"]))
        assert tool.leaf_hash(v["entry"].encode()) == receipt.leaf
        leaves = [bytes.fromhex(leaf) for leaf in v["leaves"]]
        assert leaves[receipt.seq - 1] == receipt.leaf
        assert tool.roots_at({len(leaves)}, 0, [], leaves) == {receipt.head.size: receipt.head.root}


# The program


def run(*args: object, file: Path = FILE) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", "-X", "utf8", str(file), *map(str, args)],
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_it_runs_alone_in_an_empty_folder(made: Made, tmp_path: Path):
    alone = Path(shutil.copy(FILE, tmp_path))
    record, receipt = tmp_path / "record.txt", tmp_path / "receipt.txt"
    record.write_bytes(made.record)
    receipt.write_text(made.receipts[0])
    done = run(record, "--key", made.vkey, "--receipt", receipt, file=alone)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("no finding: session 科目一-0900 of examgate/KM1/A: ")
    record.write_bytes(made.record.replace(b'"rounds":1', b'"rounds":2', 1))
    done = run(record, "--key", made.vkey, file=alone)
    assert done.returncode == 1
    assert re.match(r"entry \d+: CHANGED: its bytes", done.stdout)


def test_exit_codes_and_languages(made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    record, head = tmp_path / "record.txt", tmp_path / "head.txt"
    record.write_bytes(made.record)
    head.write_text(made.older)
    assert tool.main([str(record)]) == 0
    assert "take" not in capsys.readouterr().err
    assert tool.main([str(record), "--head", str(head), "--lang", "zh"]) == 1
    said = capsys.readouterr().out
    assert said.startswith("记录: UNPROVEN: ") and "1 处不对" in said and "--key" in said
    assert tool.main([str(record), "--head", str(head), "--json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert [(f["seq"], f["code"]) for f in answer["findings"]] == [(0, "UNPROVEN")]
    assert answer["key_from_outside"] is False
    for wrong in (
        [str(tmp_path / "none")],
        [str(record), "--head", str(record)],
        [str(record), "--proof", str(head)],
        [str(record), "--receipt", str(head)],
    ):
        assert tool.main(wrong) == 3
        assert "cannot read" in capsys.readouterr().err
    for wrong in ([], [str(record), "--key", "x"], [str(record), "--what"]):
        with pytest.raises(SystemExit) as ended:
            tool.main(wrong)
        assert ended.value.code == 2


def test_every_code_is_documented_and_every_sentence_has_both_languages():
    page = (ROOT / "docs" / "journal.md").read_text()
    documented = set(re.findall(r"^\| `([A-Z]+)` \|", page, re.MULTILINE))
    assert {code for code, _, _ in tool.SENTENCES.values()} == documented
    for name, (_, en, zh) in tool.SENTENCES.items():
        assert en.count("{}") == zh.count("{}"), name
        assert re.search("[\u4e00-\u9fff]", zh), name


def test_every_sentence_is_used():
    source = FILE.read_text()
    body = source[: source.index("SENTENCES = {")]
    by_kind = {"journal_restored", "anchor_lost"}
    assert [n for n in tool.SENTENCES if f'"{n}"' not in body and n not in by_kind] == []


def test_it_shares_nothing_with_the_lane():
    """docs/adr/0006: and it is read by Python 3.9."""
    tree = ast.parse(FILE.read_text(), feature_version=(3, 9))
    modules = {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    modules |= {str(n.module) for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    outside = {name.split(".")[0] for name in modules} - sys.stdlib_module_names
    assert outside == {"cryptography"}
