"""Checks an exported session record of an examgate lane. One file, for anybody:

    pip install cryptography
    python3 verify_record.py record.txt --key 'examgate/KM1/A+…' --head kept.txt

FILE is a record as `examgate session export` writes it. --key is the verifier key that the hall
publishes (the line itself); without it the key in the record is used, and who made the record
can have made that as well. --head are signed heads that you kept from earlier, --proof what
`examgate journal prove` wrote for them, --receipt a candidate's receipt. --json is for programs,
--lang zh for Chinese.

It prints a sentence for each thing that is wrong, and where. Exit code: 0 nothing is wrong,
1 findings, 2 wrong usage, 3 a file could not be read. Python 3.9 or newer.

This is on purpose a second implementation, written from docs/journal.md and docs/draw.md alone.
It must share no code with the lane: what both got wrong in the same way would stay unseen
(docs/adr/0006-a-second-verifier.md). Read it from top to bottom; the sections follow "What a
verifier checks" on those pages.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import json
import re
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
except ImportError:
    print("this needs the Python package cryptography: python3 -m pip install cryptography")
    sys.exit(3)

MAX_FILE = 128 << 20  #: bytes; 100 000 entries have about 35 MB
MAX_LINE = 1 << 20  #: bytes of a line other than the leaves
MAX_DEPTH = 32  #: of arrays and objects inside each other
MIN_LINE = 100  #: bytes; no entry and no head is shorter
MAX_FINDINGS = 1000  #: the first ones are what matters

Hashes = list[bytes]


# --- Findings ------------------------------------------------------------------------------------


class Finding(NamedTuple):
    seq: int  #: of the entry; 0: the record as a whole
    code: str
    en: str
    zh: str


def finding(seq: int, name: str, *values: Any) -> Finding:
    """`name`: in SENTENCES, at the end of this file; `values` go into the sentence."""
    code, en, zh = SENTENCES[name]
    shown = [show(value) for value in values]
    return Finding(seq, code, en.format(*shown), zh.format(*shown))


class NotARecord(Exception):
    """The form is wrong: the check ends here."""

    def __init__(self, seq: int, name: str, *values: Any) -> None:
        super().__init__(name)
        self.finding = finding(seq, name, *values)


class Unreadable(Exception):
    """A file cannot be opened, or one beside the record is not what it was given as."""


def show(value: Any) -> str:
    """A value from the file, harmless on a terminal and not longer than a line."""
    text = value if type(value) is str else repr(value)
    shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text[:80])
    return shown + "…" if len(text) > 80 else shown


# --- JSON, strictly, and what fields must be -----------------------------------------------------


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a key is there twice")
    return made


def _whole(digits: str) -> int:
    if len(digits) > 20:
        raise ValueError("a number of more than 20 digits")
    return int(digits)


def _finite(digits: str) -> float:
    number = float(digits)
    if number - number != 0:
        raise ValueError("a number that is not finite")
    return number


def _refuse(word: str) -> None:
    raise ValueError(f"{word} is not JSON")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique, parse_int=_whole, parse_float=_finite, parse_constant=_refuse
)


def _depth_left(value: Any, left: int) -> bool:
    inside = value.values() if type(value) is dict else value if type(value) is list else ()
    return left > 0 and all(_depth_left(v, left - 1) for v in inside)


def strict(line: bytes) -> dict[str, Any]:
    """The object in a line. ValueError: none, or not one that every reader reads the same way."""
    text = line.decode("utf-8")
    if text[:1] != "{" or text[-1:] != "}":
        raise ValueError("not a JSON object")
    try:
        value = _DECODER.decode(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if text.count("[") + text.count("{") > MAX_DEPTH and not _depth_left(value, MAX_DEPTH):
        raise ValueError("nested too deeply")
    if "\\u" in text:  # half a surrogate pair has no UTF-8 form
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    assert type(value) is dict
    return value


def hashes(value: Any) -> Hashes:
    if not IS["hashes"](value):
        raise ValueError("not a list of hashes")
    return [bytes.fromhex(v) for v in value]


def is_hex(value: Any, digits: int) -> bool:
    return type(value) is str and re.fullmatch(f"[0-9a-f]{{{digits}}}", value) is not None


def is_whole(value: Any) -> bool:
    return type(value) is int and value >= 0  # True is an int to Python, but not a number


def is_list(value: Any, fits: Callable[[Any], bool]) -> bool:
    return type(value) is list and all(map(fits, value))


def is_time(value: Any) -> bool:
    try:
        return type(value) is str and bool(AT.fullmatch(value) and datetime.fromisoformat(value))
    except ValueError:
        return False


def is_name(value: Any) -> bool:
    """Of a terminal or session: docs/draw.md, Encodings."""
    return (
        type(value) is str
        and 1 <= len(value) <= 64
        and value == value.strip()
        and not any(c in '"\\' for c in value)
        and not any(unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp") for c in value)
    )


def is_facts(value: Any) -> bool:
    return (
        type(value) is dict
        and set(value) == {"licence_class", "accessible", "school"}
        and type(value["licence_class"]) is str
        and type(value["accessible"]) is bool
        and (value["school"] is None or is_hex(value["school"], 32))
    )


FLAGS = ("in_service", "reserved", "accessible")
CHANGEABLE = (*FLAGS, "classes")


def is_attribute(key: str, value: Any) -> bool:
    """Of a terminal; one of those that `terminal_changed` may change."""
    if key in FLAGS:
        return type(value) is bool
    return key == "classes" and IS["names"](value) and value == sorted(set(value))


IS: dict[str, Callable[[Any], bool]] = {
    "whole": is_whole,
    "number": lambda v: type(v) in (int, float),
    "bool": lambda v: type(v) is bool,
    "text": lambda v: type(v) is str,
    "object": lambda v: type(v) is dict,
    "time": is_time,
    "hash": lambda v: is_hex(v, 64),
    "hashes": lambda v: is_list(v, IS["hash"]),
    "names": lambda v: is_list(v, IS["text"]),
    "facts": is_facts,
    "hash?": lambda v: v is None or is_hex(v, 64),
    "text?": lambda v: v is None or type(v) is str,
    "whole?": lambda v: v is None or is_whole(v),
    "policy?": lambda v: v is None or (type(v) is dict and type(v.get("finger")) is bool),
}
ENTRY = (
    "seq:whole at:time monotonic:number kind:text reason:text? session_id:text? pseudonym:text? "
    "terminal:text? payload:object"
)
DRAWN_1 = "draw_no:whole signature_sha256:hash free:names free_hash:hash index:whole rounds:whole"
#: What the payload of a kind must have. Other kinds are not looked into.
PAYLOADS = {
    "session_opened": "commitment:hash",
    "session_closed": "seed:hash seated:whole inside:whole",
    "signed": "signature_sha256:hash",
    "seat_drawn": DRAWN_1 + " pool_hash:hash facts:facts spacing_gave_way:bool replaces:whole?",
    "seat_voided": "draw_no:whole why:text note:text person:text approved_by:text? was_inside:bool",
    "capture_kept": "sha256:hash outcome:text",
    "identity_overridden": "why:text note:text person:text approved_by:text? evidence_sha256:hash?",
    "factor_waived": "factor:text person:text",
    "factor_restored": "factor:text",
    "finger_overridden": "why:text note:text person:text approved_by:text?",
    "gate_intent": "intent:whole draw_no:whole authority:text",
    "gate_pulse": "intent:whole result:text",
    "device_tried": "device:text action:text result:text person:text",
    "gate_pulse_seen": "intent:whole opened:bool",
    "gate_outcome": "intent:whole",
    "admitted": "intent:whole draw_no:whole",
    "left": "intent:whole draw_no:whole",
    "return_allowed": "draw_no:whole why:text note:text person:text approved_by:text?",
}


def first_wrong(values: dict[str, Any], wanted: str) -> str:
    """The first of the wanted fields that is not there or not of its type; "": none."""
    for field in wanted.split():
        key, type_name = field.split(":")
        if key not in values or not IS[type_name](values[key]):
            return key
    return ""


def misfit(entry: dict[str, Any], version: int) -> str:
    """The first field of the payload that does not fit the kind; "": all do."""
    kind, payload = entry["kind"], entry["payload"]
    wanted = PAYLOADS.get(kind, "")
    if kind == "seat_drawn":
        if version == 1 and "pool_hash" not in payload:
            wanted = DRAWN_1
        if not is_hex(entry["pseudonym"], 32) or type(entry["terminal"]) is not str:
            return "pseudonym or terminal"
        if not IS["names"](payload.get("pool", [])):
            return "pool"
    if kind in ("session_opened", "lane_started") and not IS["policy?"](payload.get("policy")):
        return "policy"
    if kind == "terminal_changed":
        wrong = (k for k in CHANGEABLE if k in payload and not is_attribute(k, payload[k]))
        return next(wrong, "")
    return first_wrong(payload, wanted)


# --- The tree (RFC 6962, RFC 9162) ---------------------------------------------------------------


def leaf_hash(entry: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_of(peaks: list[bytes]) -> bytes:
    if not peaks:
        return hashlib.sha256(b"").digest()
    root = peaks[-1]
    for peak in reversed(peaks[:-1]):
        root = node_hash(peak, root)
    return root


def roots_at(
    sizes: set[int], before: int, peaks: list[bytes], leaves: list[bytes]
) -> dict[int, bytes]:
    """Roots at those of the sizes that peaks (of the tree of size `before`) and leaves reach."""
    stack = list(peaks)
    found = {before: root_of(stack)} if before in sizes else {}
    for size, leaf in enumerate(leaves, before + 1):
        stack.append(leaf)
        rest = size
        while rest % 2 == 0:  # each 0 at the end of the size is a subtree that this leaf completes
            right = stack.pop()
            stack.append(node_hash(stack.pop(), right))
            rest //= 2
        if size in sizes:
            found[size] = root_of(stack)
    return found


def consistent(old: Head, new: Head, proof: list[bytes]) -> bool:
    """RFC 9162 §2.1.4.2. A tree of nothing is the beginning of every tree."""
    if old.size > new.size or (old.size == new.size and old.root != new.root):
        return False
    if old.size in (0, new.size):
        return not proof and (old.size > 0 or old.root == root_of([]))
    path = list(proof) if old.size & (old.size - 1) else [old.root, *proof]
    if not path:
        return False
    fn, sn = old.size - 1, new.size - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    first = second = path[0]
    for step in path[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            first, second = node_hash(step, first), node_hash(step, second)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            second = node_hash(second, step)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and first == old.root and second == new.root


# --- Keys and signed heads -----------------------------------------------------------------------


class Key(NamedTuple):
    name: str
    key_id: bytes
    public: bytes


class Head(NamedTuple):
    origin: str
    size: int
    root: bytes
    signed: bytes  #: what the signatures are over
    signatures: list[Any]  #: of (name, text of the signature)


def unbase64(text: str) -> bytes:
    """ValueError also for text that another writer would not have written."""
    data = base64.b64decode(text, validate=True)
    if base64.b64encode(data).decode() != text:
        raise ValueError("not base64 in its one form")
    return data


def read_key(line: Any) -> Key:
    """A verifier key: name, +, key id, +, base64."""
    if type(line) is not str or not re.fullmatch(r"[^\s+]+\+[0-9a-f]{8}\+[0-9A-Za-z+/=]+", line):
        raise ValueError("not a verifier key")
    name, key_id, data = line.split("+", 2)
    key = unbase64(data)
    made = hashlib.sha256(name.encode() + b"\n" + key).digest()[:4]
    if len(key) != 33 or key[0] != 1 or made.hex() != key_id:
        raise ValueError("not a verifier key: its parts do not fit each other")
    return Key(name, made, key[1:])


def read_head(note: Any) -> Head:
    """A checkpoint in a signed note. ValueError: it is none. Nothing is verified here."""
    if type(note) is not str:
        raise ValueError("not a signed head")
    form = r"([^\s+]+)\n(0|[1-9][0-9]{0,17})\n([0-9A-Za-z+/]{43}=)\n\n((?:\u2014 [^\s]+ [^\s]+\n)*)"
    match = re.fullmatch(form, note)
    if match is None:
        raise ValueError("not a signed head")
    origin, size, root, lines = match.groups()
    signatures = [tuple(line.split(" ")[1:]) for line in lines.split("\n")[:-1]]
    signed = f"{origin}\n{size}\n{root}\n".encode()
    return Head(origin, int(size), unbase64(root), signed, signatures)


def is_signed(head: Head, key: Key) -> bool:
    """By this key, under its name; lines of other names are witnesses and passed over."""
    if head.origin != key.name:
        return False
    ours = [text for name, text in head.signatures if name == key.name]
    try:
        for text in ours:
            data = unbase64(text)
            if len(data) != 68 or data[:4] != key.key_id:
                return False
            Ed25519PublicKey.from_public_bytes(key.public).verify(data[4:], head.signed)
    except (InvalidSignature, ValueError):
        return False
    return bool(ours)


# --- Form ----------------------------------------------------------------------------------------

HEADER = (
    "format:text origin:text vkey:text session_id:text first:whole entries:whole "
    "checkpoints:whole peaks:hashes"
)  #: and `earlier`
AT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00", re.ASCII)


class Record(NamedTuple):
    session_id: str
    key: Key  #: the one in the header
    first: int  #: seq of the first entry
    peaks: Hashes  #: of the tree before it
    entries: Hashes  #: the bytes of each
    leaves: Hashes  #: as the file has them
    heads: list[Head]
    earlier: Any  #: (Head, proof), or None

    @property
    def last(self) -> int:
        return self.first + len(self.entries) - 1


def read_record(data: bytes) -> Record:
    """Everything but the entries, which `check_form` reads one by one."""
    if len(data) > MAX_FILE:
        raise NotARecord(0, "too large")
    header = read_header(data[: data.find(b"\n", 0, MAX_LINE) + 1][:-1])
    entries, heads = header["entries"], header["checkpoints"]
    lines, there = 2 + entries + heads, data.count(b"\n")
    if data[-1:] != b"\n" or lines != there or (entries + heads) * MIN_LINE > len(data):
        raise NotARecord(0, "lines", lines, there)
    rows = data.split(b"\n")[:-1]
    try:
        leaves = read_leaves(rows[1 + entries], entries)
        signed = [read_head_line(row) for row in rows[2 + entries :]]
    except ValueError as error:
        raise NotARecord(0, "end", str(error)) from None
    return Record(
        header["session_id"],
        header["vkey"],
        header["first"],
        header["peaks"],
        rows[1 : 1 + entries],
        leaves,
        signed,
        header["earlier"],
    )


def read_header(line: bytes) -> dict[str, Any]:
    try:
        header = strict(line)
        if header.get("format") != "examgate-record/1":
            raise ValueError("its format is not examgate-record/1")
        wrong = first_wrong(header, HEADER)
        if wrong or len(header) != 9 or "earlier" not in header:
            raise ValueError(f"{wrong or 'there are other keys'}")
        if not header["session_id"] or header["first"] < 1 or header["entries"] < 1:
            raise ValueError("session_id, first or entries")
        header["peaks"] = hashes(header["peaks"])
        if len(header["peaks"]) != bin(header["first"] - 1).count("1"):
            raise ValueError("not as many peaks as the size before the first entry has")
        header["vkey"] = read_key(header["vkey"])
        if header["vkey"].name != header["origin"]:
            raise ValueError("the key has another name than origin")
        header["earlier"] = read_earlier(header["earlier"])
        return header
    except ValueError as error:
        raise NotARecord(0, "header", str(error)) from None


def read_earlier(value: Any) -> Any:
    if value is None:
        return None
    if type(value) is not dict or set(value) != {"note", "proof"}:
        raise ValueError("earlier is neither null nor a head with a proof")
    return read_head(value["note"]), hashes(value["proof"])


def read_leaves(line: bytes, entries: int) -> Hashes:
    if len(line) > 80 * entries + 100:
        raise ValueError("the leaf hashes are too long")
    value = strict(line)
    if set(value) != {"leaves"}:
        raise ValueError("not the leaf hashes")
    leaves = hashes(value["leaves"])
    if len(leaves) != entries:
        raise ValueError("not as many leaf hashes as entries")
    return leaves


def read_head_line(line: bytes) -> Head:
    """Its `at` is signed by nobody and proves nothing."""
    value = strict(line[:MAX_LINE])
    if set(value) != {"at", "note"} or not is_time(value["at"]):
        raise ValueError("not a time and a signed head")
    return read_head(value["note"])


def read_entry(line: bytes, seq: int) -> dict[str, Any]:
    try:
        entry = strict(line[: MAX_LINE + 1])
        if len(entry) != 9:
            raise ValueError("not exactly the nine keys")
        if wrong := first_wrong(entry, ENTRY):
            raise ValueError(f"{wrong} is {show(entry.get(wrong))}")
        return entry
    except ValueError as error:
        raise NotARecord(seq, "entry", str(error)) from None


class Seen(NamedTuple):
    """What has to be known before the entries are replayed."""

    seed: Any  #: bytes; None: nobody has revealed it
    drawn: int  #: seq of the first seat_drawn, 0: none


def check_form(record: Record, found: list[Finding]) -> Seen:
    """Every entry, one after the other."""
    expected, before, seed, drawn = record.first, None, None, 0
    for place, line in enumerate(record.entries, record.first):
        entry = read_entry(line, place)
        seq, kind, at = entry["seq"], entry["kind"], datetime.fromisoformat(entry["at"])
        if seq != expected:
            found.append(finding(seq, "sequence", expected))
        if before and before - at > timedelta(seconds=1) and kind != "clock_stepped_back":
            found.append(finding(seq, "clock", str(at), str(before)))
        expected, before = seq + 1, at
        if entry["session_id"] == record.session_id:
            drawn = drawn or (seq if kind == "seat_drawn" else 0)
            if kind == "session_closed" and seed is None and not misfit(entry, 2):
                seed = bytes.fromhex(entry["payload"]["seed"])
    return Seen(seed, drawn)


# --- Tree ----------------------------------------------------------------------------------------


class Kept(NamedTuple):
    """What somebody has beside the record."""

    heads: list[tuple[str, Head]]  #: with the name of the file
    proofs: list[tuple[Head, Head, Hashes]]  #: older, newer, proof
    receipts: list[Receipt]


def check_tree(record: Record, key: Key, seen: Seen, kept: Kept) -> Iterator[Finding]:
    if record.key != key:
        yield finding(0, "other key")
    for place, leaf in enumerate(record.leaves):
        if leaf_hash(record.entries[place]) != leaf:
            yield finding(record.first + place, "changed")
    sizes = {head.size for head in record.heads} | {head.size for _, head in kept.heads}
    known = roots_at(sizes, record.first - 1, record.peaks, record.leaves)
    yield from check_heads(record, key, seen, known)
    known.setdefault(0, root_of([]))
    if record.earlier:
        head, proof = record.earlier
        if not (is_signed(head, key) and head.size < record.first and record.heads):
            yield finding(0, "earlier")
        elif not consistent(head, record.heads[-1], proof):
            yield finding(0, "earlier proof")
        known.setdefault(head.size, head.root)
    for name, head in kept.heads:
        yield from check_kept(name, head, key, known, kept.proofs)


def check_heads(record: Record, key: Key, seen: Seen, known: dict[int, bytes]) -> Iterator[Finding]:
    """Of several heads in a row that do not fit only the first is named: the rest follows."""
    fitting, size, fits = record.first - 1, 0, True
    for head in record.heads:
        if not is_signed(head, key):
            yield finding(0, "signature", head.size)
        if head.size <= size:
            yield finding(0, "head order", head.size)
        fitted, fits = fits, record.first <= head.size and known.get(head.size) == head.root
        if fitted and not fits:
            yield finding(fitting + 1, "head", head.size)
        fitting, size = head.size if fits else fitting, max(size, head.size)
    if size < record.last:
        yield finding(max(size + 1, record.first), "unsigned", record.last)
    if seen.drawn and not any(record.first <= head.size < seen.drawn for head in record.heads):
        yield finding(seen.drawn, "opening unsigned")


def check_kept(
    name: str, head: Head, key: Key, known: dict[int, bytes], proofs: list[Any]
) -> Iterator[Finding]:
    if not is_signed(head, key):
        yield finding(0, "kept signature", name)
    elif head.size in known:
        if known[head.size] != head.root:
            yield finding(0, "fork", name, head.size)
    elif not any(proves(head, proof, known) for proof in proofs):
        yield finding(0, "unproven", name, head.size)


def proves(head: Head, proof: Any, known: dict[int, bytes]) -> bool:
    """One end of the proof is the head, the other a tree that the record shows."""
    old, new, path = proof
    for end, other in ((old, new), (new, old)):
        same = (end.size, end.root) == (head.size, head.root)
        if same and known.get(other.size) == other.root and consistent(old, new, path):
            return True
    return False


# --- The hall and its rules (docs/draw.md) -------------------------------------------------------

ATTRIBUTES = {"name", "position", *CHANGEABLE}


class Terminal:
    def __init__(self, name: str, position: int) -> None:
        self.name, self.position = name, position
        self.row: Any = None
        self.column: Any = None
        self.in_service, self.reserved, self.accessible = True, False, False
        self.classes: list[str] = []

    @property
    def place(self) -> Any:
        return self.position if self.row is None else (self.row, self.column)

    @property
    def neighbours(self) -> tuple[Any, Any]:
        """Places: a terminal without row and column is never the neighbour of one with them."""
        if self.row is None:
            return self.position - 1, self.position + 1
        return (self.row, self.column - 1), (self.row, self.column + 1)


def read_terminal(value: Any) -> Terminal:
    if type(value) is not dict or set(value) - {"row", "column"} != ATTRIBUTES:
        raise ValueError("a terminal without its keys")
    if not is_name(value["name"]) or not is_whole(value["position"]):
        raise ValueError(f"name or position of terminal {show(value['name'])}")
    made = Terminal(value["name"], value["position"])
    for key in CHANGEABLE:
        if not is_attribute(key, value[key]):
            raise ValueError(f"{key} of terminal {made.name}")
        setattr(made, key, value[key])
    if "row" in value or "column" in value:
        made.row, made.column = value.get("row"), value.get("column")
        if not (is_whole(made.row) and is_whole(made.column)):
            raise ValueError(f"row or column of terminal {made.name}")
    return made


class Hall:
    """Terminals as the entries so far have them. ValueError: the opening has no proper hall."""

    def __init__(self, payload: dict[str, Any]) -> None:
        self.version = 2 if "hall_sha256" in payload else 1
        listed = payload.get("terminals")
        if type(listed) is not list:
            raise ValueError("terminals")
        if self.version == 1:
            self.capacity, self.spacing = len(listed), False
            out = payload.get("out_of_service", [])
            if not (IS["names"](listed) and IS["names"](out)):
                raise ValueError("terminals")
            terminals, broken = [Terminal(n, place) for place, n in enumerate(listed)], set(out)
            for terminal in terminals:
                terminal.in_service = terminal.name not in broken
        else:
            rules: Any = payload.get("rules")
            self.capacity = payload.get("capacity", -1)
            if not is_whole(self.capacity):
                raise ValueError("capacity")
            if json.dumps(rules) not in ('{"spacing": true}', '{"spacing": false}'):
                raise ValueError("rules")
            self.spacing = rules["spacing"]
            terminals = [read_terminal(value) for value in listed]
        self.terminals = {terminal.name: terminal for terminal in terminals}
        if len(self.terminals) != len(listed):
            raise ValueError("a terminal is there twice")

    def pool(
        self, held: dict[str, Seat], facts: Any
    ) -> tuple[list[Terminal], list[Terminal], bool, str]:
        """Free, pool, whether spacing gave way; and why there is no pool, "" when there is one."""
        free = [
            t
            for t in self.terminals.values()
            if t.in_service and not t.reserved and t.name not in held
        ]
        if not free or len(held) >= self.capacity:
            return free, [], False, "HALL_FULL"
        pool = [t for t in free if not t.classes or facts["licence_class"] in t.classes]
        if not pool:
            return free, [], False, "NO_TERMINAL_FOR_CLASS"
        if facts["accessible"]:
            pool = [t for t in pool if t.accessible]
            if not pool:
                return free, [], False, "NO_ACCESSIBLE_TERMINAL"
        else:
            pool = [t for t in pool if not t.accessible] or pool
        if not self.spacing or facts["school"] is None:
            return free, pool, False, ""
        beside = {
            place
            for name, seat in held.items()
            if seat.school == facts["school"] and name in self.terminals
            for place in self.terminals[name].neighbours
        }
        apart = [t for t in pool if t.place not in beside]
        return free, apart or pool, not apart, ""


# --- Hashes of the draw (docs/draw.md) -----------------------------------------------------------


def hall_hash(payload: dict[str, Any]) -> str:
    hall = {key: payload[key] for key in ("capacity", "rules", "terminals")}
    text = json.dumps(hall, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def commitment(payload: dict[str, Any], session_id: str, seed: bytes) -> str:
    if "hall_sha256" in payload:
        lines = ("examgate/seed/v2", session_id, str(payload["hall_sha256"]), seed.hex())
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()
    return hashlib.sha256(b"examgate/seed/v1\0" + session_id.encode() + b"\0" + seed).hexdigest()


def names_hash(names: list[str]) -> str:
    return hashlib.sha256("".join(name + "\n" for name in names).encode()).hexdigest()


def message(session_id: str, pseudonym: str, payload: dict[str, Any]) -> str:
    strokes, free_hash = payload["signature_sha256"], payload["free_hash"]
    common = [str(payload["draw_no"]), pseudonym, strokes, free_hash]
    if "pool_hash" not in payload:
        return "\n".join(["examgate/draw/v1", *common])
    return "\n".join(["examgate/draw/v2", session_id, *common, payload["pool_hash"]])


def blocks(seed: bytes, text: str) -> Iterator[int]:
    number = 0
    while True:
        made = hmac.new(seed, f"{text}\n{number}".encode(), hashlib.sha256).digest()
        yield int.from_bytes(made, "big")
        number += 1


def choose(numbers: Iterable[int], n: int) -> tuple[int, int]:
    """Index and rounds: the first number below the largest multiple of n, modulo n."""
    limit = 2**256 - 2**256 % n
    for rounds, number in enumerate(numbers, 1):
        if number < limit:
            return number % n, rounds
    raise ValueError("no number was below the limit")


# --- Session, draws and gate: the entries replayed -----------------------------------------------

PASSED = ("ADMITTED", "GATE_TAILGATED", "GATE_UNSEEN")
PASSED_OUT = ("LEFT", "GATE_TAILGATED", "GATE_UNSEEN")
NOT_PASSED = ("GATE_TIMEOUT", "GATE_TURNED_BACK", "GATE_BLOCKED", "GATE_UNKNOWN")
BEFORE_THE_CLOSING = ("seat_drawn", "seat_voided", "return_allowed", "gate_intent")
ENDS_OF_RELEASE = ("fire_release_ended", "drill_ended")
RETURN_REASONS = ("toilet", "unwell", "called", "other")


class Seat:
    """A draw whose terminal is held."""

    def __init__(self, draw_no: int, terminal: str, school: Any) -> None:
        self.draw_no, self.terminal, self.school, self.inside = draw_no, terminal, school, False
        self.admitted = False  #: at any time
        self.left = self.released = self.allowed = False

    def move(self, inside: bool) -> None:
        self.inside, self.left, self.admitted = inside, not inside, self.admitted or inside
        self.released = self.allowed = False

    def there(self, out: bool) -> bool:
        """Already where a passage out, or in, leads."""
        return self.left if out else self.inside and not self.released


class Candidate:
    """What the record has said so far of one pseudonym."""

    def __init__(self) -> None:
        self.seat: Any = None  #: Seat, or None
        self.given_up: dict[str, Seat] = {}  #: by terminal: voided while they were inside
        self.signature: Any = None  #: hash of the newest; None after a voided seat
        self.has_signed = self.second_attempt = False
        self.used: set[str] = set()  #: hashes that draws had
        self.voided: Any = None  #: draw_no voided last
        self.identity = self.finger = ""  #: since the last intent: "verified" or "override"
        self.excused = False  #: the lane went on without fingers when the identity was shown
        self.pictures: set[str] = set()  #: hashes of those that a person looked at
        self.at_gate = 0  #: intents without an outcome


FACE_REASONS = ("appearance", "photo", "movement", "covered", "alike", "camera", "other")
FINGER_REASONS = ("worn", "injured", "no_template", "reader", "other")


class Intent:
    def __init__(self, entry: dict[str, Any], policy_known: bool) -> None:
        self.seq, self.policy_known = entry["seq"], policy_known
        self.whom = (entry["pseudonym"], entry["terminal"])
        self.draw_no = entry["payload"]["draw_no"]
        self.kind: Any = entry["payload"].get("kind", "admission")
        self.seat: Any = None  #: Seat that it is for, or None
        self.pulse: Any = None
        self.outcome: Any = None
        self.owes = 0  #: seq of the outcome that has to be followed by an `admitted` or `left`

    @property
    def out(self) -> bool:
        return bool(self.kind == "exit")

    @property
    def passed(self) -> bool:
        return self.outcome in (PASSED_OUT if self.out else PASSED)


class Replay:
    """Goes through the entries once. After a finding it goes on with what the record says."""

    def __init__(self, record: Record, seen: Seen) -> None:
        self.record, self.seen, self.session_id = record, seen, record.session_id
        self.found: list[Finding] = []
        self.hall: Any = None
        self.opened = self.closed = self.other_opened = False
        self.draw_no = 0
        self.policy: Any = None
        self.waived: set[str] = set()  #: factors that the lane goes on without
        self.candidates: dict[Any, Candidate] = {}
        self.held: dict[str, Seat] = {}  #: by terminal
        self.intents: dict[int, Intent] = {}
        self.by_hand = 0  #: seq of a pulse by hand that was asked for and has no result yet

    def say(self, seq: int, name: str, *values: Any) -> None:
        self.found.append(finding(seq, name, *values))

    def run(self) -> None:
        for line in self.record.entries:
            entry = strict(line)
            seq, payload = entry["seq"], entry["payload"]
            ours = entry["session_id"] == self.session_id
            self.around(seq, entry, ours)
            wrong = misfit(entry, self.hall.version if self.hall else 2)
            if wrong and (ours or wrong == "policy" or entry["kind"].startswith("factor_")):
                self.say(seq, "payload", entry["kind"], wrong, payload.get(wrong))
                continue
            if entry["kind"] in ("lane_started", "session_opened") and "policy" in payload:
                self.policy = payload["policy"]
            if entry["kind"] == "lane_started":
                self.waived.clear()
            elif entry["kind"] == "factor_restored":
                self.waived.discard(payload["factor"])
            elif entry["kind"] == "factor_waived" and payload["person"].strip():
                self.waived.add(payload["factor"])
            handler = getattr(self, "on_" + entry["kind"], None)
            if ours and handler is not None:
                who = self.candidates.setdefault(entry["pseudonym"], Candidate())
                handler(seq, entry, payload, who)
            if len(self.found) >= MAX_FINDINGS:
                return
        self.at_end()

    def around(self, seq: int, entry: dict[str, Any], ours: bool) -> None:
        """What concerns any session, and the order of sessions."""
        kind = entry["kind"]
        if seq == self.record.first and not (ours and kind == "session_opened"):
            self.say(seq, "not opened")
        if kind in ("journal_restored", "anchor_lost"):
            self.say(seq, kind)
        if kind == "session_opened" and not ours and not self.closed:
            self.other_opened = True
        elif ours and self.other_opened:
            self.other_opened = False  # once is enough
            self.say(seq, "after another")
        leaves = kind == "gate_intent" and entry["payload"].get("kind") == "exit"
        if ours and self.closed and kind in BEFORE_THE_CLOSING and not leaves:
            self.say(seq, "after closing", kind)

    def at_end(self) -> None:
        if not self.closed:
            self.say(self.record.last, "open")
        for number, intent in self.intents.items():
            if self.closed and intent.outcome is None:
                self.say(intent.seq, "no outcome", number)
            if intent.owes:
                self.say(intent.owes, "not left" if intent.out else "not admitted")
        if self.closed and self.by_hand:
            self.say(self.by_hand, "by hand result")

    # Session

    def on_session_opened(self, seq: int, entry: Any, payload: Any, who: Candidate) -> None:
        if self.opened:
            self.say(seq, "opened again")
            return
        self.opened = True
        try:
            if "hall_sha256" in payload and not is_name(self.session_id):
                raise ValueError("session_id")
            self.hall = Hall(payload)
        except ValueError as error:
            self.say(seq, "payload", entry["kind"], str(error), payload.get("terminals"))
            return
        if self.hall.version == 2 and hall_hash(payload) != payload["hall_sha256"]:
            self.say(seq, "hall", hall_hash(payload))
        if self.seen.seed is not None:
            made = commitment(payload, self.session_id, self.seen.seed)
            if made != payload["commitment"]:
                self.say(seq, "commitment", made)

    def on_session_closed(self, seq: int, entry: Any, payload: Any, who: Candidate) -> None:
        if self.closed:
            self.say(seq, "closed again")
            return
        self.closed = True
        inside = sum(seat.inside for seat in self.held.values())
        left = sum(seat.left for seat in self.held.values())
        counts = {"seated": len(self.held) - inside - left, "inside": inside, "left": left}
        for key, count in counts.items():
            said = payload.get(key, 0)
            if said != count:
                self.say(seq, "counts", key, said, count)

    # Draws

    def on_terminal_changed(self, seq: int, entry: Any, payload: Any, who: Candidate) -> None:
        if self.hall is None:
            return
        terminal = self.hall.terminals.get(entry["terminal"])
        changes = {k: v for k, v in payload.items() if k not in ("why", "person")}
        others = sorted(set(changes) - set(CHANGEABLE))
        if terminal is None or others:
            self.say(seq, "terminal", entry["terminal"], others)
        for key in CHANGEABLE:
            if terminal is not None and key in changes:
                setattr(terminal, key, changes[key])

    def on_signed(self, seq: int, entry: Any, payload: Any, who: Candidate) -> None:
        if payload.get("purpose", "entry") == "entry":
            who.signature, who.has_signed = payload["signature_sha256"], True

    def on_seat_drawn(self, seq: int, entry: Any, payload: Any, who: Candidate) -> None:
        terminal, strokes = entry["terminal"], payload["signature_sha256"]
        self.draw_no += 1
        if payload["draw_no"] != self.draw_no:
            self.say(seq, "number", payload["draw_no"], self.draw_no)
            self.draw_no = payload["draw_no"]
        if strokes in who.used:
            self.say(seq, "strokes used")
        elif strokes != who.signature:
            self.say(seq, "strokes")
        if who.seat is not None:
            self.say(seq, "has a seat", who.seat.terminal)
        if terminal in self.held:
            self.say(seq, "seat taken", terminal)
        pool = payload.get("pool", payload["free"])
        self.check_rules(seq, payload, pool, who)
        if self.seen.seed is not None and pool:
            text = message(self.session_id, entry["pseudonym"], payload)
            index, rounds = choose(blocks(self.seen.seed, text), len(pool))
            right = (index, rounds, pool[index])
            if (payload["index"], payload["rounds"], terminal) != right:
                self.say(seq, "draw", *right, payload["index"], payload["rounds"], terminal)
        who.used.add(strokes)
        if who.seat is not None:
            self.held.pop(who.seat.terminal, None)
        school = payload["facts"]["school"] if "pool_hash" in payload else None
        who.seat = self.held[terminal] = Seat(self.draw_no, terminal, school)

    def check_rules(self, seq: int, payload: Any, pool: list[str], who: Candidate) -> None:
        """What the draw chose among, against what the rules give."""
        free, version_1 = payload["free"], "pool_hash" not in payload
        if names_hash(free) != payload["free_hash"]:
            self.say(seq, "free_hash")
        if not version_1 and names_hash(pool) != payload["pool_hash"]:
            self.say(seq, "pool_hash")
        if self.hall is None:
            return
        facts = {"licence_class": "", "accessible": False, "school": None}
        facts = facts if version_1 else payload["facts"]
        right_free, right_pool, gave_way, refusal = self.hall.pool(self.held, facts)
        if refusal:
            self.say(seq, "refusal", refusal)
        for name, said, right in (("free", free, right_free), ("pool", pool, right_pool)):
            names = [terminal.name for terminal in right]
            if not version_1:
                names.sort()  # by code points is by the bytes of UTF-8
            if said != names and not (refusal and name == "pool"):
                self.say(seq, "rules", name, sorted(set(said) ^ set(names)))
        if not version_1 and payload["spacing_gave_way"] != gave_way:
            self.say(seq, "should be", "spacing_gave_way", gave_way)
        if not version_1 and payload["replaces"] != who.voided:
            self.say(seq, "should be", "replaces", who.voided)

    def on_seat_voided(self, seq: int, entry: Any, payload: Any, who: Candidate) -> None:
        seat, why = who.seat, payload["why"]
        if not seat or (seat.terminal, seat.draw_no) != (entry["terminal"], payload["draw_no"]):
            self.say(seq, "void nothing")
            return
        second, note = payload["approved_by"], payload["note"]
        if payload["was_inside"] != seat.admitted:
            self.say(seq, "void inside", seat.admitted)
        if who.at_gate:
            self.say(seq, "void at gate")
        if why == "terminal_broken":
            terminal = self.hall.terminals.get(seat.terminal) if self.hall else None
            if terminal and terminal.in_service:
                self.say(seq, "void in service")
        elif why == "second_attempt":
            if not seat.admitted or who.second_attempt:
                self.say(seq, "void second")
            who.second_attempt = True
        elif why == "proctor_decision":
            if not (note.strip() and second and second.strip() and second != payload["person"]):
                self.say(seq, "void approval")
        else:
            self.say(seq, "void why", why)
        if seat.inside:
            who.given_up[seat.terminal] = seat
        who.seat, who.signature, who.voided = None, None, seat.draw_no
        self.held.pop(seat.terminal, None)

    # Gate

    def on_gate_event(self, seq: int, entry: Any, payload: Any, who: Candidate) -> None:
        by = payload.get("by")
        if payload.get("event") in ENDS_OF_RELEASE and type(by) is str and by.strip():
            for seat in self.held.values():
                seat.released = seat.released or seat.inside

    def on_return_allowed(self, seq: int, entry: Any, payload: Any, who: Candidate) -> None:
        seat, why = who.seat, payload["why"]
        person, second = payload["person"], payload["approved_by"]
        named = seat and (seat.terminal, seat.draw_no) == (entry["terminal"], payload["draw_no"])
        if not named or not seat.left:
            self.say(seq, "return nothing")
        if not named:
            return
        approved = bool(payload["note"].strip() and second and second.strip())
        if why not in RETURN_REASONS:
            self.say(seq, "return why", why)
        elif not person.strip() or second == person or (why == "other" and not approved):
            self.say(seq, "return words")
        seat.allowed = seat.left

    def on_identity_verified(self, seq: int, entry: Any, payload: Any, who: Candidate) -> None:
        who.identity, who.finger, who.excused = "verified", "", "finger" in self.waived

    def on_finger_verified(self, seq: int, entry: Any, payload: Any, who: Candidate) -> None:
        who.finger = "verified"

    def on_capture_kept(self, seq: int, entry: Any, payload: Any, who: Candidate) -> None:
        if payload["outcome"] == "by_hand":
            who.pictures.add(payload["sha256"])

    def on_identity_overridden(self, seq: int, entry: Any, payload: Any, who: Candidate) -> None:
        self.decision(seq, payload, FACE_REASONS)
        picture = payload["evidence_sha256"]
        no_camera = payload["why"] == "camera" and "face" in self.waived
        if picture not in who.pictures and (picture or not no_camera):
            self.say(seq, "override picture")
        who.identity, who.finger, who.excused = "override", "", "finger" in self.waived

    def on_finger_overridden(self, seq: int, entry: Any, payload: Any, who: Candidate) -> None:
        self.decision(seq, payload, FINGER_REASONS)
        who.finger = "override"

    def decision(self, seq: int, payload: Any, reasons: tuple[str, ...]) -> None:
        """Why, by whom, and by whom else."""
        why, second = payload["why"], payload["approved_by"]
        if why not in reasons:
            self.say(seq, "override why", why)
        if not payload["person"].strip() or (why == "other" and not payload["note"].strip()):
            self.say(seq, "override words")
        asked = self.policy is not None and self.policy.get("override_approval") is True
        if second == payload["person"] or (asked and not (second and second.strip())):
            self.say(seq, "override approval")

    def on_gate_intent(self, seq: int, entry: Any, payload: Any, who: Candidate) -> None:
        number, made = payload["intent"], Intent(entry, self.policy is not None)
        if self.by_hand:
            self.say(seq, "by hand under way")
        named = (entry["terminal"], made.draw_no)
        seats = [who.seat, who.given_up.get(entry["terminal"]) if made.out else None]
        found = [seat for seat in seats if seat and (seat.terminal, seat.draw_no) == named]
        if len(found) == 1 and found[0] is not who.seat and not found[0].inside:
            found = []
        made.seat = found[0] if found else None
        wrong = self.wrong_place(made, payload["authority"]) if made.seat else "intent"
        if wrong:
            self.say(seq, wrong)
        if number in self.intents:
            self.say(seq, "intent number", number)
        else:
            self.intents[number] = made
            who.at_gate += 1
        said, shown = payload["authority"], (who.identity, who.finger)
        if said not in ("verified", "override"):
            self.say(seq, "authority", said)
        elif said != ("override" if "override" in shown else "verified"):
            self.say(seq, "authority mixed", said)
        if made.out:
            asked = (self.policy or {}).get("exit", "face")
            shows = who.identity or (who.finger if asked == "finger" else "")
            if not shows and asked != "claim":
                self.say(seq, "no identity")
            who.identity = who.finger = ""
            return
        if not who.identity:
            self.say(seq, "no identity")
        elif self.policy and self.policy["finger"] and not (who.finger or who.excused):
            self.say(seq, "no finger")
        if not who.has_signed:
            self.say(seq, "not signed")
        who.identity = who.finger = ""

    def wrong_place(self, intent: Intent, authority: Any) -> str:
        """The sentence for somebody who cannot go that way from where they are; "": they can."""
        seat = intent.seat
        if intent.kind == "admission":
            return "intent inside" if seat.inside else "intent left" if seat.left else ""
        if any(i.outcome is None and i.whom == intent.whom for i in self.intents.values()):
            return "intent at gate"
        if intent.kind == "readmission":
            back = (seat.inside and seat.released) or (seat.left and seat.allowed)
            return "" if back else "intent return"
        if intent.kind == "exit":
            return "" if seat.inside or authority == "override" else "intent outside"
        return "intent kind"

    def intent_of(self, entry: Any, name: str) -> Any:
        """The intent that an entry names, when it names its candidate and terminal as well."""
        intent = self.intents.get(entry["payload"]["intent"])
        if intent is None or intent.whom != (entry["pseudonym"], entry["terminal"]):
            self.say(entry["seq"], name, entry["payload"]["intent"])
            return None
        return intent

    def on_gate_pulse(self, seq: int, entry: Any, payload: Any, who: Candidate) -> None:
        intent = self.intent_of(entry, "pulse")
        if intent is None:
            return
        if intent.pulse is not None:
            self.say(seq, "pulse again")
        if payload["result"] not in ("sent", "not_sent", "unknown"):
            self.say(seq, "pulse result", payload["result"])
        intent.pulse = payload["result"]

    def on_device_tried(self, seq: int, entry: Any, payload: Any, who: Candidate) -> None:
        if (payload["device"], payload["action"]) != ("turnstile", "pulse"):
            return
        person, second = payload["person"], payload.get("approved_by")
        if "approved_by" not in payload or not IS["text?"](second):
            self.say(seq, "payload", entry["kind"], "approved_by", second)
        elif payload["result"] == "asked":
            if self.by_hand:
                self.say(self.by_hand, "by hand result")
            self.by_hand = seq
            if not person.strip() or not (second or "").strip() or second == person:
                self.say(seq, "by hand approval")
        else:
            if payload["result"] not in ("sent", "not_sent", "unknown"):
                self.say(seq, "pulse result", payload["result"])
            if not self.by_hand:
                self.say(seq, "by hand asked")
            self.by_hand = 0

    def on_gate_pulse_seen(self, seq: int, entry: Any, payload: Any, who: Candidate) -> None:
        intent = self.intent_of(entry, "pulse")
        if intent is not None and intent.pulse != "unknown":
            self.say(seq, "pulse seen")

    def on_gate_outcome(self, seq: int, entry: Any, payload: Any, who: Candidate) -> None:
        intent, reason = self.intent_of(entry, "outcome"), entry["reason"]
        if intent is None:
            return
        if intent.outcome is not None:
            self.say(seq, "outcome again")
        else:
            who.at_gate -= 1
        intent.outcome = reason or "none"
        if reason not in (PASSED_OUT if intent.out else PASSED) + NOT_PASSED:
            self.say(seq, "outcome reason", reason)
        if intent.passed:
            if intent.policy_known and intent.pulse in (None, "not_sent"):
                self.say(seq, "no pulse")
            if not (intent.seat and intent.seat.there(intent.out)):
                intent.owes = seq

    def on_admitted(self, seq: int, entry: Any, payload: Any, who: Candidate) -> None:
        intent, draw_no = self.intent_of(entry, "admitted"), payload["draw_no"]
        if intent is None:
            return
        intent.owes = 0
        seat = who.seat if who.seat and who.seat.draw_no == draw_no else None
        if intent.out or not intent.passed or draw_no != intent.draw_no:
            self.say(seq, "admitted", payload["intent"])
        elif seat and seat.there(False):
            self.say(seq, "admitted again", draw_no)
        if seat:
            seat.move(True)

    def on_left(self, seq: int, entry: Any, payload: Any, who: Candidate) -> None:
        intent = self.intent_of(entry, "left")
        if intent is None:
            return
        intent.owes = 0
        if not (intent.out and intent.passed) or payload["draw_no"] != intent.draw_no:
            self.say(seq, "left", payload["intent"])
        elif intent.seat and intent.seat.left:
            self.say(seq, "left again")
        if intent.seat:
            intent.seat.move(False)


# --- A receipt (docs/draw.md) --------------------------------------------------------------------


class Receipt(NamedTuple):
    session_id: str
    terminal: str
    draw_no: int
    seq: int
    leaf: bytes
    head: Head


def read_receipt(text: str) -> Receipt:
    """Programs that read QR codes turn line ends to CRLF and drop the last one."""
    text = text.replace("\r\n", "\n").rstrip("\n") + "\n"
    number = "(0|[1-9][0-9]{0,17})"
    form = f"examgate/receipt/v1\n([^\n]+)\n([^\n]+)\n{number}\n{number}\n([0-9a-f]{{64}})\n\n"
    match = re.match(form, text)
    if match is None:
        raise ValueError("not a receipt")
    session_id, terminal, draw_no, seq, leaf = match.groups()
    head = read_head(text[match.end() :])
    return Receipt(session_id, terminal, int(draw_no), int(seq), bytes.fromhex(leaf), head)


def check_receipt(record: Record, receipt: Receipt) -> Iterator[Finding]:
    """Its head is checked with the others that somebody kept."""
    seq = receipt.seq
    if receipt.session_id != record.session_id or not record.first <= seq <= record.last:
        yield finding(0, "receipt elsewhere", seq, receipt.session_id)
        return
    line = record.entries[seq - record.first]
    entry = strict(line)
    if leaf_hash(line) != receipt.leaf:
        yield finding(seq, "receipt leaf")
    said = (entry["session_id"], entry["kind"], entry["terminal"], entry["payload"].get("draw_no"))
    if said != (record.session_id, "seat_drawn", receipt.terminal, receipt.draw_no):
        yield finding(seq, "receipt draw", receipt.draw_no, receipt.terminal)
    if receipt.head.size < seq:
        yield finding(seq, "receipt head", receipt.head.size)


# --- All of it -----------------------------------------------------------------------------------


class Result(NamedTuple):
    findings: list[Finding]
    about: dict[str, Any]  #: for the closing line; empty when the check ended early


def verify(data: bytes, key: Key | None, kept: Kept) -> Result:
    """Everything, in the order of the pages. With a key of None the record's own is used."""
    found: list[Finding] = []
    try:
        record = read_record(data)
        seen = check_form(record, found)
    except NotARecord as error:
        return Result([*found, error.finding], {})
    found += check_tree(record, key or record.key, seen, kept)
    replay = Replay(record, seen)
    replay.run()
    found += replay.found
    for receipt in kept.receipts:
        found += check_receipt(record, receipt)
    about = {
        "origin": show(record.key.name),
        "session_id": show(record.session_id),
        "entries": len(record.entries),
        "draws": replay.draw_no,
        "intents": len(replay.intents),
        "key_from_outside": key is not None,
        "policy_known": replay.policy is not None,
    }
    return Result(found[:MAX_FINDINGS], about)


def read_file(name: str) -> bytes:
    try:
        with open(name, "rb") as file:
            return file.read(MAX_FILE + 1)
    except (OSError, ValueError) as error:
        raise Unreadable(f"{show(name)}: {error}") from None


def read_beside(names: list[str], reader: Callable[[str], Any]) -> list[tuple[str, Any]]:
    """Heads, proofs or receipts, each with its file's name."""
    made = []
    for name in names:
        try:
            made.append((show(name), reader(read_file(name).decode("utf-8"))))
        except ValueError as error:
            raise Unreadable(f"{show(name)}: {error}") from None
    return made


def read_proof(text: str) -> tuple[Head, Head, Hashes]:
    value = strict(text.strip().encode())
    if set(value) != {"format", "old", "new", "proof"}:
        raise ValueError("not a consistency proof")
    if value["format"] != "examgate-consistency/1":
        raise ValueError("not an examgate-consistency/1")
    return read_head(value["old"]), read_head(value["new"]), hashes(value["proof"])


def read_kept(args: argparse.Namespace) -> Kept:
    """The ends of proofs and the heads of receipts are heads that somebody has kept, too."""
    heads = read_beside(args.head, read_head)
    proofs = read_beside(args.proof, read_proof)
    receipts = read_beside(args.receipt, read_receipt)
    heads += [(name, end) for name, proof in proofs for end in proof[:2]]
    heads += [(name, receipt.head) for name, receipt in receipts]
    return Kept(heads, [proof for _, proof in proofs], [receipt for _, receipt in receipts])


def print_text(result: Result, zh: bool) -> None:
    for found in result.findings:
        entry = f"第 {found.seq} 条" if zh else f"entry {found.seq}"
        where = entry if found.seq else ("记录" if zh else "record")
        print(f"{where}: {found.code}: {found.zh if zh else found.en}")
    about, count = result.about, len(result.findings)
    for note in ("key_from_outside", "policy_known"):
        if about and not about[note]:
            print(NOTES[note][zh])
    print(NOTES["findings" if count else "none"][zh].format(count=count, **about))


def print_json(result: Result) -> None:
    rows = [{"seq": f.seq, "code": f.code, "text": f.en, "text_zh": f.zh} for f in result.findings]
    print(json.dumps({"format": "examgate-findings/1", "findings": rows, **result.about}))


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="checks an exported examgate session record")
    add = parser.add_argument
    add("file", metavar="FILE", help="the record")
    add("--key", metavar="VKEY", help="the hall's published verifier key")
    files: Any = {"nargs": "+", "action": "extend", "default": [], "metavar": "FILE"}
    add("--head", help="signed heads that you kept", **files)
    add("--proof", help="consistency proofs for them", **files)
    add("--receipt", help="candidates' receipts", **files)
    add("--json", action="store_true", help="print one JSON object")
    add("--lang", choices=("en", "zh"), default="en", help="language of the sentences")
    return parser


def main(argv: list[str] | None = None) -> int:
    parser = arguments()
    args = parser.parse_args(argv)
    try:
        key = None if args.key is None else read_key(args.key.strip())
    except ValueError as error:
        parser.error(f"--key: {error}")
    try:
        kept, data = read_kept(args), read_file(args.file)
    except Unreadable as error:
        print(f"cannot read {error}", file=sys.stderr)
        return 3
    result = verify(data, key, kept)
    if args.json:
        print_json(result)
    else:
        print_text(result, args.lang == "zh")
    return 1 if result.findings else 0


# --- What is said --------------------------------------------------------------------------------

NOTES = {
    "key_from_outside": (
        "note: checked with the record's own key; give the one that the hall publishes: --key",
        "注意：用的是记录自带的公钥；请用 --key 给出考场公布的公钥",
    ),
    "policy_known": (
        "note: the record does not say whether fingers and pulses had to be there",
        "注意：记录没有说明是否要求指纹和开闸脉冲",
    ),
    "findings": ("{count} finding(s)", "{count} 处不对"),
    "none": (
        "no finding: session {session_id} of {origin}: {entries} entries, {draws} draws, "
        "{intents} gate intents",
        "没有不对之处：{origin} 场次 {session_id}："
        "{entries} 条，抽号 {draws} 次，开闸 {intents} 次",
    ),
}

# fmt: off
#: Name: code of docs/journal.md, sentence in English and in Chinese
SENTENCES = {
    "too large": ("FORM", "the file is larger than 128 MiB", "文件超过 128 MiB"),
    "header": ("FORM", "the first line is not a header: {}", "第一行不是记录头：{}"),
    "lines": ("FORM",
        "by the header there are {} lines, each ended by a line feed; the file has {}",
        "按记录头应有 {} 行，每行以换行结束；文件有 {} 行"),
    "entry": ("FORM", "this line is not an entry: {}", "此行不是日志条目：{}"),
    "end": ("FORM",
        "leaf hashes and signed heads after the entries are not what they should be: {}",
        "条目之后的叶哈希与签名树头不成形式：{}"),
    "payload": ("FORM", "passed over: the payload of {} has not what it should have: {} is {}",
        "略过此条：{} 的内容不成形式：{} 是 {}"),
    "sequence": ("SEQUENCE", "{} should come here: entries are missing, swapped or there twice",
        "此处应为第 {} 条：有条目缺失、调换或重复"),
    "clock": ("CLOCK", "its time {} is before that of the entry above, {}, and nothing says why",
        "时间 {} 早于上一条的 {}，且没有时钟回拨的记录"),
    "other key": ("SIGNATURE", "the record names another key than you were given",
        "记录里的公钥不是考场公布的"),
    "changed": ("CHANGED", "its bytes do not have the leaf hash that is written for it",
        "内容与所记的叶哈希不符"),
    "signature": ("SIGNATURE", "the head of size {} is not signed with this key for this journal",
        "大小为 {} 的树头没有本日志的有效签名"),
    "head order": ("HEAD", "the signed head of size {} is there twice or not in order",
        "大小为 {} 的签名树头重复或次序不对"),
    "head": ("HEAD",
        "the signed head of size {} does not fit the entries; before this entry all is "
        "as it was signed",
        "大小为 {} 的签名树头与条目不符；此条之前与签名一致"),
    "unsigned": ("UNSIGNED", "from here to the last entry, {}, no signed head covers the entries",
        "从此条到最后一条 {} 没有签名树头"),
    "opening unsigned": ("UNSIGNED",
        "no head was signed between the opening and this first draw: the commitment "
        "could be younger than the draw",
        "开场与此第一次抽号之间没有签名树头：承诺可能晚于抽号"),
    "earlier": ("EARLIER", "the earlier head is not signed, or not from before the record",
        "更早的树头签名无效，或不早于本记录"),
    "earlier proof": ("EARLIER", "no proof leads from the earlier head to the last one",
        "更早的树头没有通到最后树头的证明"),
    "kept signature": ("SIGNATURE", "the head in {} is not signed with this key for this journal",
        "{} 中的树头没有本日志的有效签名"),
    "fork": ("FORK",
        "the head in {}, of size {}, is signed and shows another journal: the lane has "
        "signed two histories",
        "{} 中大小为 {} 的签名树头是另一份日志：通道签过两份历史"),
    "unproven": ("UNPROVEN",
        "the head in {}, of size {}, is of another time than the record and no --proof "
        "links them; ask the hall for `examgate journal prove`",
        "{} 中大小为 {} 的树头不在本记录范围内，也没有 --proof 连接；"
        "请向考场索取 examgate journal prove 的结果"),
    "not opened": ("SESSION", "the first entry is not this session's opening",
        "第一条不是本场的开场"),
    "opened again": ("SESSION", "the session is opened again", "场次再次开场"),
    "closed again": ("SESSION", "the session is closed again", "场次再次收场"),
    "after another": ("SESSION", "an entry of this session after the opening of another one",
        "另一场次开场之后又有本场的条目"),
    "after closing": ("SESSION", "{} after the closing, when everybody knows the seed",
        "收场公布种子之后又有 {}"),
    "open": ("OPEN", "up to here the session is not closed: its draws cannot be checked yet",
        "到此场次未收场：抽号还不能核对"),
    "hall": ("HALL", "hall_sha256 does not fit terminals, rules and capacity, which give {}",
        "hall_sha256 与考台、规则和容量不符，应为 {}"),
    "commitment": ("COMMITMENT", "the revealed seed leads to {}, which is not this commitment",
        "公布的种子得出 {}，不是这里的承诺"),
    "counts": ("COUNTS", "it says {} {}; by the record it is {}", "{} 写的是 {}，按记录应为 {}"),
    "terminal": ("TERMINAL", "there is no terminal {}, or this of it cannot be changed so: {}",
        "没有考台 {}，或不能这样改：{}"),
    "number": ("NUMBER", "draw {} where {} comes next", "写的是第 {} 次抽号，应为第 {} 次"),
    "strokes": ("STROKES", "its signature is not the candidate's newest since their last seat",
        "签名不是该考生最新的，或在座位作废之前"),
    "strokes used": ("STROKES", "its signature was used in an earlier draw",
        "签名在之前的抽号中用过"),
    "has a seat": ("SEAT", "this candidate holds terminal {} already", "该考生已有考台 {}"),
    "seat taken": ("SEAT", "terminal {} is held by somebody", "考台 {} 已有人"),
    "free_hash": ("RULES", "free_hash is not the hash of free", "free_hash 与 free 不符"),
    "pool_hash": ("RULES", "pool_hash is not the hash of the pool", "pool_hash 与 pool 不符"),
    "refusal": ("RULES", "by the rules this draw had to be refused: {}", "按规则应拒绝抽号：{}"),
    "rules": ("RULES", "{} is not what the rules give; these differ, or the order: {}",
        "{} 与规则不符；差别（或次序）：{}"),
    "should be": ("RULES", "{} should be {}", "{} 应为 {}"),
    "draw": ("DRAW", "the seed gives index {}, rounds {}, terminal {}; it says {}, {}, {}",
        "按种子应为 index {}、rounds {}、考台 {}；写的是 {}、{}、{}"),
    "void nothing": ("VOID", "this candidate does not hold that terminal by that draw",
        "该考生并未以此抽号占用此考台"),
    "void inside": ("VOID", "was_inside should be {}", "was_inside 应为 {}"),
    "void at gate": ("VOID", "the gate was open for this candidate", "当时闸机正为该考生开放"),
    "void in service": ("VOID", "the broken terminal is still in service", "坏掉的考台仍在使用"),
    "void second": ("VOID", "a second attempt of somebody not inside, or the third",
        "未入场，或已有过第二次考试"),
    "void approval": ("VOID", "a proctor's decision without a note or another person's approval",
        "考试员的决定没有说明或没有另一人批准"),
    "void why": ("VOID", "{} is not a reason to void a seat", "{} 不是作废座位的理由"),
    "intent": ("INTENT", "this candidate does not hold that terminal by that draw",
        "该考生并未以此抽号占用此考台"),
    "intent inside": ("INTENT", "this candidate is inside already", "该考生已入场"),
    "intent left": ("INTENT", "this candidate has left: this is no admission any more",
        "该考生已离场，不能再按首次入场放行"),
    "intent return": ("INTENT",
        "nothing lets this candidate in again: no release for everybody, no proctor's word",
        "该考生重新入场没有依据：没有全员放行，也没有考试员允许"),
    "intent outside": ("INTENT", "opened outwards for somebody who is not inside",
        "向外开闸，但该考生不在场内"),
    "intent at gate": ("INTENT", "an earlier intent of this candidate has no outcome yet",
        "该考生的上一次开闸还没有结果"),
    "intent kind": ("INTENT", "its kind is neither readmission nor exit",
        "开闸的种类既不是 readmission 也不是 exit"),
    "return nothing": ("RETURN", "this candidate has not left that terminal by that draw",
        "该考生并未从此抽号的考台离场"),
    "return why": ("RETURN", "{} is not a reason to let somebody in again",
        "{} 不是允许返回的理由"),
    "return words": ("RETURN", "it does not say by whom or why, or nobody else approved",
        "没有写明何人、为何，或没有另一人批准"),
    "left": ("LEFT",
        "intent {} is not this candidate's way out, has not passed or is of another draw",
        "开闸 {} 不是该考生的离场、没有通过或抽号不同"),
    "left again": ("LEFT", "left a second time", "重复离场"),
    "not left": ("LEFT", "passed out, but has never left", "向外通过了却没有离场记录"),
    "intent number": ("INTENT", "the intent number {} was used before", "开闸序号 {} 已用过"),
    "authority": ("AUTHORITY", "its authority is {}, neither verified nor override",
                  "放行依据是 {}，不是 verified 或 override"),
    "authority mixed": ("AUTHORITY", "its authority is {}, but other things were shown",
                        "放行依据是 {}，与此前的核验不符"),
    "override why": ("OVERRIDE", "{} is not a reason for an override", "{} 不是人工放行的理由"),
    "override words": ("OVERRIDE", "an override that does not say by whom or why",
                       "人工放行没有写明何人或为何"),
    "override approval": ("OVERRIDE", "an override without another person's approval",
                          "人工放行没有另一人批准"),
    "override picture": ("OVERRIDE", "an override without the picture that was looked at",
                         "人工放行没有留下当时的照片"),
    "no identity": ("AUTHORITY", "no identity was verified since their last intent or the opening",
        "上次开闸或开场以来没有身份核验"),
    "no finger": ("AUTHORITY", "no finger was verified after the identity",
        "身份核验之后没有指纹核验"),
    "not signed": ("AUTHORITY", "the candidate has signed nothing", "该考生没有签名"),
    "pulse": ("PULSE", "there is no intent {} of this candidate and terminal before",
        "之前没有该考生在此考台的开闸 {}"),
    "pulse again": ("PULSE", "a second pulse for one intent", "一次开闸有两个脉冲"),
    "pulse result": ("PULSE", "{} is not what can become of a pulse", "{} 不是脉冲的结果"),
    "pulse seen": ("PULSE", "the sensors' word on a pulse whose answer was not lost",
        "传感器对一个并非无应答的脉冲作了结论"),
    "by hand asked": ("PULSE", "the result of a pulse by hand that nothing says was asked for",
        "手动开闸的结果之前没有请求记录"),
    "by hand result": ("PULSE", "a pulse by hand that never got its result",
        "手动开闸没有结果记录"),
    "by hand approval": ("OVERRIDE", "a pulse by hand without another person's approval",
        "手动开闸没有另一人批准"),
    "by hand under way": ("INTENT", "an intent while a pulse by hand was under way",
        "手动开闸未结束就为考生开闸"),
    "no pulse": ("PULSE", "somebody passed without a pulse having been sent",
        "没有开闸脉冲却有人通过"),
    "outcome": ("OUTCOME", "there is no intent {} of this candidate and terminal before",
        "之前没有该考生在此考台的开闸 {}"),
    "outcome again": ("OUTCOME", "a second outcome of one intent", "一次开闸有两个结果"),
    "outcome reason": ("OUTCOME", "{} is not how a passage ends", "{} 不是通行的结果"),
    "no outcome": ("OUTCOME", "intent {} has no outcome", "开闸 {} 没有结果"),
    "admitted": ("ADMITTED",
        "intent {} is not this candidate's, has not passed or is of another draw",
        "开闸 {} 不是该考生的、没有通过或抽号不同"),
    "admitted again": ("ADMITTED", "admitted twice by draw {}", "第 {} 次抽号入场两次"),
    "not admitted": ("ADMITTED", "passed, but was never admitted", "通过了却没有入场记录"),
    "journal_restored": ("RESTORED",
        "an older copy of the lane's database was put back here: entries are lost",
        "此处放回过旧的数据库：有条目丢失"),
    "anchor_lost": ("ANCHOR",
        "the lane had lost its anchor: an older copy could have been put back",
        "通道丢失了锚：可能放回过旧的数据而看不出"),
    "receipt elsewhere": ("RECEIPT", "the receipt is for entry {} of session {}, which is not here",
        "回执属于场次第 {} 条（{}），不在本记录中"),
    "receipt leaf": ("RECEIPT", "this is not the entry that the receipt was given for",
        "此条不是回执所记的内容"),
    "receipt draw": ("RECEIPT", "by the receipt this is draw {} with terminal {}",
        "按回执此条为第 {} 次抽号，考台 {}"),
    "receipt head": ("RECEIPT", "the receipt's head, of size {}, does not cover this entry",
        "回执的树头大小为 {}，不包含此条"),
}
# fmt: on


if __name__ == "__main__":
    sys.exit(main())
