"""Changes a record: as anybody can with an editor, and as the venue itself can with its key.

Written from docs/journal.md; `cases.py` has the changes that tests try.
"""

from __future__ import annotations

import base64
import copy
import hashlib
import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk.core.merkle import consistency_proof
from tests.audit.sessions import Made


def text_of(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def leaf_of(line: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + line).digest()


def root_of(leaves: list[bytes]) -> bytes:
    """RFC 6962 §2.1, level by level."""
    level = list(leaves)
    while len(level) > 1:
        pairs = [
            hashlib.sha256(b"\x01" + level[i] + level[i + 1]).digest()
            for i in range(0, len(level) - 1, 2)
        ]
        level = pairs + ([level[-1]] if len(level) % 2 else [])
    return level[0] if level else hashlib.sha256(b"").digest()


class Lines:
    """A record as lines that anybody can edit: nothing is computed anew but counts, if asked."""

    def __init__(self, made: Made) -> None:
        self.header: dict[str, Any]
        rows = made.record.split(b"\n")[:-1]
        self.header = json.loads(rows[0])
        entries = self.header["entries"]
        self.entries = rows[1 : 1 + entries]
        self.leaves = json.loads(rows[1 + entries])["leaves"]
        self.heads = rows[2 + entries :]

    def find(self, kind: str, which: int = 0) -> int:
        """Place of the entry of this kind, from 0; `which` as a list's index."""
        return [n for n, line in enumerate(self.entries) if json.loads(line)["kind"] == kind][which]

    def data(self, counts: bool = False) -> bytes:
        header = dict(self.header)
        if counts:
            header |= {"entries": len(self.entries), "checkpoints": len(self.heads)}
        rows = [text_of(header), *self.entries, text_of({"leaves": self.leaves}), *self.heads]
        return b"".join(row + b"\n" for row in rows)


class Venue:
    """A record as the one who has the lane's key can make it: all hashes and signatures fit.

    Heads stay behind the same entries. `entries` are dicts to be edited in place; a head that
    others have kept is the only thing that the venue cannot change.
    """

    def __init__(self, made: Made) -> None:
        lines = Lines(made)
        self.made, self.header = made, lines.header
        self.first: int = lines.header["first"]
        self.items: list[dict[str, Any]] = []
        heads = [json.loads(line) for line in lines.heads]
        sizes = [int(head["note"].split("\n")[1]) for head in heads]
        for seq, line in enumerate(lines.entries, self.first):
            self.items.append(json.loads(line))
            self.items += [h for h, size in zip(heads, sizes, strict=True) if size == seq]

    @property
    def entries(self) -> list[dict[str, Any]]:
        return [item for item in self.items if "note" not in item]

    def all(self, kind: str, **more: object) -> list[dict[str, Any]]:
        """Entries of a kind that have these values, in the entry or its payload."""
        return [
            e
            for e in self.entries
            if e["kind"] == kind
            and all((e[k] if k in e else e["payload"].get(k)) == v for k, v in more.items())
        ]

    def place(self, entry: dict[str, Any]) -> int:
        return next(n for n, item in enumerate(self.items) if item is entry)

    def seq(self, entry: dict[str, Any]) -> int:
        """Its number when everything is numbered anew."""
        return self.first + next(n for n, item in enumerate(self.entries) if item is entry)

    def drop(self, *entries: dict[str, Any]) -> None:
        for entry in entries:
            del self.items[self.place(entry)]

    def repeat(self, entry: dict[str, Any]) -> dict[str, Any]:
        again = copy.deepcopy(entry)
        self.items.insert(self.place(entry) + 1, again)
        return again

    def move(self, entry: dict[str, Any], before: dict[str, Any]) -> None:
        del self.items[self.place(entry)]
        self.items.insert(self.place(before), entry)

    def data(self) -> bytes:
        """Numbered, hashed and signed anew."""
        seq = signed = self.first - 1
        leaves = list(self.made.leaves_before)
        lines, heads = [], []
        for item in self.items:
            if "note" in item and seq > signed:
                signed = seq
                note = sign(self.made, seq, root_of(leaves))
                heads.append(text_of({"at": item["at"], "note": note}))
            if "note" in item:
                continue
            seq += 1
            item["seq"] = seq
            lines.append(text_of(item))
            leaves.append(leaf_of(lines[-1]))
        header = dict(self.header) | {"entries": len(lines), "checkpoints": len(heads)}
        if header["earlier"] is not None:
            size = int(header["earlier"]["note"].split("\n")[1])
            proof = [node.hex() for node in consistency_proof(leaves, size)]
            header["earlier"] = header["earlier"] | {"proof": proof}
        hashes = [leaf.hex() for leaf in leaves[self.first - 1 :]]
        rows = [text_of(header), *lines, text_of({"leaves": hashes}), *heads]
        return b"".join(row + b"\n" for row in rows)


def sign(made: Made, size: int, root: bytes) -> str:
    """A signed head of the lane, as docs/journal.md has it."""
    name, key_id, _ = made.vkey.split("+", 2)
    text = f"{name}\n{size}\n{base64.b64encode(root).decode()}\n"
    signature = Ed25519PrivateKey.from_private_bytes(made.signing_key).sign(text.encode())
    data = base64.b64encode(bytes.fromhex(key_id) + signature).decode()
    return f"{text}\n— {name} {data}\n"
