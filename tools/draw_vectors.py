"""Writes docs/draw-vectors.json: inputs and results by which a verifier of the draw is checked.

Run: python tools/draw_vectors.py [FILE]. Everything in it is fixed: the same file each time.
Knows the pure draw and journal only; docs/draw.md says what the fields mean.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: E402

from kiosk.core import draw, hall  # noqa: E402 - the folder above must be known first
from kiosk.core.checkpoint import Head, origin_of, vkey, write_note  # noqa: E402
from kiosk.core.hall import Facts, Terminal  # noqa: E402
from kiosk.core.merkle import inclusion_proof, leaf_hash, root_of  # noqa: E402
from kiosk.core.receipt import Receipt, write_receipt  # noqa: E402

FILE = ROOT / "docs" / "draw-vectors.json"
SEED = bytes(range(32))
SESSION = "KM1-0900"


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def pseudonym(n: int) -> str:
    return digest(f"candidate {n}")[:32]


def school(n: int) -> str:
    return digest(f"school {n}")[:32]


SMALL = (
    Terminal("001", 0, 1, 1),
    Terminal("002", 1, 1, 2),
    Terminal("003", 2, 2, 1, accessible=True),
    Terminal("004", 3, 2, 2, classes=("D", "E")),
    Terminal("005", 4, 3, 1, in_service=False),
    Terminal("006", 5, 3, 2, reserved=True),
)
#: Names whose order by bytes is neither the hall's nor that of UTF-16.
NAMES = tuple(Terminal(name, n) for n, name in enumerate(["９", "b", "𝟙", "B", "10", "9", "考台1"]))


def commitments() -> list[dict[str, Any]]:
    found = []
    for session_id, seed, terminals, capacity, spacing in (
        (SESSION, SEED, SMALL, 6, True),
        (SESSION, bytes(32), SMALL, 4, False),
        ("科目一-上午", bytes([255]) * 32, NAMES, 7, False),
    ):
        rules = {"capacity": capacity, "spacing": spacing}
        text = hall.hall_json(terminals, **rules)  # type: ignore[arg-type]
        found.append(
            {
                "session_id": session_id,
                "seed": seed.hex(),
                "hall": json.loads(text),
                "hall_json": text,
                "hall_sha256": digest(text),
                "commitment": draw.commitment(seed, session_id, digest(text)),
            }
        )
    return found


def pools() -> list[dict[str, Any]]:
    a, b = school(1), school(2)
    cases: list[tuple[str, tuple[Terminal, ...], dict[str, str | None], Facts, int, bool]] = [
        ("plain", SMALL, {}, Facts("C1"), 6, False),
        ("a class that one more terminal serves", SMALL, {}, Facts("D"), 6, False),
        ("needs an accessible terminal", SMALL, {}, Facts("C1", True), 6, False),
        ("accessible when nothing else is free", SMALL, {"001": None, "002": a}, Facts("C1"), 6,
         False),
        ("class before accessible", SMALL, {"003": None}, Facts("D", True), 6, False),
        ("no terminal for the class", SMALL[3:], {}, Facts("C1"), 3, False),
        ("capacity reached", SMALL, {"001": None, "002": None}, Facts("C1"), 2, False),
        ("nothing free", SMALL[4:], {}, Facts("C1"), 2, False),
        ("another school beside", SMALL, {"001": b}, Facts("C1", False, a), 6, True),
        ("own school beside: the rule gives way", SMALL, {"001": a}, Facts("C1", False, a), 6,
         True),
        ("spacing by position", NAMES, {"b": a, "10": b}, Facts("C1", False, a), 7, True),
        ("no school: no spacing", NAMES, {"b": a}, Facts("C1"), 7, True),
        ("spacing is off", NAMES, {"b": a}, Facts("C1", False, a), 7, False),
    ]  # fmt: skip
    found = []
    for says, terminals, held, facts, capacity, spacing in cases:
        pool = hall.pool_of(terminals, held, facts, capacity=capacity, spacing=spacing)
        found.append(
            {
                "says": says,
                "hall": json.loads(hall.hall_json(terminals, capacity=capacity, spacing=spacing)),
                "held": held,
                "facts": facts.published(),
                "free": list(pool.free),
                "pool": list(pool.names),
                "spacing_gave_way": pool.spacing_gave_way,
                "refusal": pool.refusal,
            }
        )
    return found


def draws() -> list[dict[str, Any]]:
    hundred = [f"{n:03d}" for n in range(1, 101)]
    found = []
    for n, (free, pool) in enumerate(
        [
            (["001", "002", "003", "004"], ["001", "002"]),
            (hundred, hundred),
            (hundred, hundred[3:60]),
            ([t.name for t in NAMES], [t.name for t in NAMES]),
            (["7"], ["7"]),
        ],
        1,
    ):
        signature = digest(f"strokes {n}")
        free, pool = list(hall.sort_names(free)), list(hall.sort_names(pool))
        drawn = draw.draw_terminal(
            seed=SEED,
            session_id=SESSION,
            draw_no=n,
            pseudonym=pseudonym(n),
            signature_sha256=signature,
            free=free,
            pool=pool,
        )
        text = draw.message(
            session_id=SESSION,
            draw_no=n,
            pseudonym=pseudonym(n),
            signature_sha256=signature,
            free_hash=drawn.free_hash,
            pool_hash=drawn.pool_hash,
        )
        found.append(
            {
                "seed": SEED.hex(),
                "session_id": SESSION,
                "draw_no": n,
                "pseudonym": pseudonym(n),
                "signature_sha256": signature,
                "free": free,
                "pool": pool,
                "free_hash": drawn.free_hash,
                "pool_hash": drawn.pool_hash,
                "message": text,
                "block_0": next(draw.blocks(SEED, text)).hex(),
                "index": drawn.index,
                "rounds": drawn.rounds,
                "terminal": drawn.terminal,
            }
        )
    return found


def rejections() -> list[dict[str, Any]]:
    """No real draw will ever see a block rejected: 2^256 is too large. These blocks are made up."""
    top, low = "f" * 64, "0" * 63 + "7"
    cases = [(3, [top, low]), (3, ["f" * 63 + "e", low]), (7, [top, top, low]), (8, [top]),
             (1, [top]), (500, [top, "f" * 61 + "000"])]  # fmt: skip
    found = []
    for size, blocks in cases:
        index, rounds = draw.uniform([bytes.fromhex(b) for b in blocks], size)
        found.append({"size": size, "blocks": blocks, "index": index, "rounds": rounds})
    return found


class Record:
    """A small session played on the pure draw, written down as its journal would have it."""

    def __init__(self) -> None:
        self.terminals = {t.name: t for t in SMALL}
        self.capacity, self.spacing = 6, True
        self.held: dict[str, tuple[str, str | None]] = {}  # terminal → pseudonym, school
        self.voided: dict[str, int] = {}  # pseudonym → draw number
        self.draw_no = 0
        self.entries: list[dict[str, Any]] = []
        rules: dict[str, Any] = {"capacity": self.capacity, "spacing": self.spacing}
        opened = json.loads(hall.hall_json(SMALL, **rules))
        opened["hall_sha256"] = hall.hall_sha256(SMALL, **rules)
        opened["commitment"] = draw.commitment(SEED, SESSION, opened["hall_sha256"])
        self.note("session_opened", None, None, opened | {"person": "李老师"})

    def note(self, kind: str, who: str | None, terminal: str | None, payload: Any) -> None:
        self.entries.append(
            {"kind": kind, "pseudonym": who, "terminal": terminal, "payload": payload}
        )

    def seat(self, who: str, strokes: str, facts: Facts) -> str:
        signature = digest(strokes)
        self.note("signed", who, None, {"signature_sha256": signature, "purpose": "entry"})
        pool = hall.pool_of(
            list(self.terminals.values()),
            {name: mates for name, (_, mates) in self.held.items()},
            facts,
            capacity=self.capacity,
            spacing=self.spacing,
        )
        self.draw_no += 1
        drawn = draw.draw_terminal(
            seed=SEED,
            session_id=SESSION,
            draw_no=self.draw_no,
            pseudonym=who,
            signature_sha256=signature,
            free=pool.free,
            pool=pool.names,
        )
        payload = {
            "draw_no": self.draw_no,
            "signature_sha256": signature,
            "free": list(pool.free),
            "free_hash": drawn.free_hash,
            "pool_hash": drawn.pool_hash,
            "index": drawn.index,
            "rounds": drawn.rounds,
            "facts": facts.published(),
            "spacing_gave_way": pool.spacing_gave_way,
            "replaces": self.voided.pop(who, None),
        }
        if pool.names != pool.free:
            payload["pool"] = list(pool.names)
        self.held[drawn.terminal] = (who, facts.school)
        self.note("seat_drawn", who, drawn.terminal, payload)
        return drawn.terminal

    def score(self, name: str, score: int) -> None:
        """Signed for at the exit: not a signature for a draw."""
        who, _ = self.held[name]
        payload = {"signature_sha256": digest(f"{who} {score}"), "purpose": "exit", "score": score}
        self.note("signed", who, name, payload)

    def change(self, name: str, why: str, **change: Any) -> None:
        old = self.terminals[name].published() | change
        self.terminals[name] = Terminal(**(old | {"classes": tuple(old["classes"])}))
        self.note("terminal_changed", None, name, change | {"why": why, "person": "李老师"})

    def void(self, name: str, why: str, approved_by: str | None) -> None:
        who, _ = self.held.pop(name)
        drawn = [e for e in self.entries if e["kind"] == "seat_drawn" and e["pseudonym"] == who]
        self.voided[who] = drawn[-1]["payload"]["draw_no"]
        payload = {"draw_no": self.voided[who], "why": why, "note": "", "person": "李老师",
                   "approved_by": approved_by, "was_inside": True}  # fmt: skip
        self.note("seat_voided", who, name, payload)


def record() -> dict[str, Any]:
    played = Record()
    a, b = school(1), school(2)
    first = played.seat(pseudonym(1), "strokes of 1", Facts("C1", False, a))
    played.seat(pseudonym(2), "strokes of 2", Facts("C1", False, a))
    played.change("005", "已修好", in_service=True)
    played.seat(pseudonym(3), "strokes of 3", Facts("C1", True, b))
    played.change(first, "terminal_broken", in_service=False)
    played.void(first, "terminal_broken", None)
    first_again = played.seat(pseudonym(1), "strokes of 1, again", Facts("C1", False, a))
    played.change("006", "考试需要", reserved=False, classes=["C1", "C2"])
    played.score(first_again, 92)
    played.seat(pseudonym(4), "strokes of 4", Facts("E"))
    played.seat(pseudonym(5), "strokes of 5", Facts("C1"))
    played.note("session_closed", None, None, {"seed": SEED.hex(), "person": "李老师"})
    return {"session_id": SESSION, "entries": played.entries}


def receipts(played: dict[str, Any]) -> list[dict[str, Any]]:
    """Of the record's draws, as a journal that begins with the record's first entry has them."""
    texts = []
    for seq, entry in enumerate(played["entries"], 1):
        whole = {
            **entry,
            "seq": seq,
            "at": f"2026-11-24T01:{seq:02d}:00.000000+00:00",
            "monotonic": 100.5 + seq,
            "reason": None,
            "session_id": SESSION,
        }
        texts.append(
            json.dumps(whole, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        )
    leaves = [leaf_hash(text.encode()) for text in texts]
    key, name = Ed25519PrivateKey.from_private_bytes(SEED), origin_of("昆明一", "A")
    public = key.public_key().public_bytes_raw()
    found = []
    for seq, entry in enumerate(played["entries"], 1):
        if entry["kind"] != "seat_drawn":
            continue
        size = min(len(leaves), seq + 1)
        head = Head(name, size, root_of(leaves[:size]))
        note = write_note(head, name, public, key.sign(head.text().encode()))
        draw_no = entry["payload"]["draw_no"]
        receipt = Receipt(
            SESSION, entry["terminal"], draw_no, seq, leaves[seq - 1].hex(), note
        )
        found.append(
            {
                "receipt": write_receipt(receipt),
                "vkey": vkey(name, public),
                "entry": texts[seq - 1],
                "leaves": [leaf.hex() for leaf in leaves[:size]],
                "proof": [node.hex() for node in inclusion_proof(leaves[:size], seq - 1)],
            }
        )
    return found


def render() -> str:
    played = record()
    whole = {
        "about": "Test vectors of the draw, version 2; docs/draw.md explains every field.",
        "commitments": commitments(),
        "pools": pools(),
        "draws": draws(),
        "rejections": rejections(),
        "record": played,
        "receipts": receipts(played),
    }
    return json.dumps(whole, ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else FILE
    target.write_text(render(), encoding="utf-8")
    print(target)
