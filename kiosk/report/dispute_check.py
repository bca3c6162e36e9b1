"""Checks a dispute pack, offline: that it is whole, signed, and what the journal says.

Standard library and `cryptography` only. It must not know the store or how packs are made.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from kiosk.core.checkpoint import Head, key_id, parse_note, parse_signed, parse_vkey
from kiosk.core.draw import commitment, draw_terminal
from kiosk.core.merkle import inclusion_holds, leaf_hash
from kiosk.report.pack_form import (
    CAPTURE,
    CHECKPOINT,
    ENTRIES,
    FORMAT,
    KEY,
    MANIFEST,
    NOTE,
    PROOFS,
    TIMELINE,
    manifest_text,
    sha256_hex,
)

MAX_FILES = 300
MAX_BYTES = 100_000_000


class Code(StrEnum):
    """Closed; docs/report.md."""

    FORM = "FORM"
    FILE = "FILE"
    SIGNATURE = "SIGNATURE"
    PROOF = "PROOF"
    ENTRY = "ENTRY"
    TIMELINE = "TIMELINE"
    STROKES = "STROKES"
    CAPTURE = "CAPTURE"
    COMMITMENT = "COMMITMENT"
    DRAW = "DRAW"
    OPEN = "OPEN"


TEXTS: dict[str, tuple[str, str]] = {
    "form": ("不是可以核对的申诉文件包：{why}", "is not a dispute pack that can be checked: {why}"),
    "added": (
        "{name}：不在清单中，是后来加入的",
        "{name}: is not in the manifest, it was added later",
    ),
    "lost": ("{name}：清单中有，包内没有", "{name}: is in the manifest, but not here"),
    "changed": ("{name}：内容被改动过", "{name}: was changed"),
    "manifest": ("清单的签名无效：{why}", "the manifest's signature: {why}"),
    "head": ("日志树头无效：{why}", "the journal's head: {why}"),
    "proof": (
        "第 {seq} 条：证明不成立，不是该日志中的记录",
        "entry {seq}: its proof does not hold, it is not in this journal",
    ),
    "foreign": (
        "第 {seq} 条：与该考生或该场次无关",
        "entry {seq}: is not of this candidate or session",
    ),
    "entry": (
        "第 {line} 行不是日志记录：{why}",
        "line {line} is not an entry of the journal: {why}",
    ),
    "timeline": (
        "文字说明与原文不一致（第 {seq} 条）",
        "what is told does not fit the entries (entry {seq})",
    ),
    "strokes": ("{name}：不是日志所记的签名", "{name}: is not a signature that the journal has"),
    "capture": (
        "{name}：不是日志所记的现场照片",
        "{name}: is not a picture that the journal has",
    ),
    "commitment": (
        "公开的种子与开场时的承诺值不符",
        "the seed that was revealed is not the one that was committed to",
    ),
    "draw": (
        "第 {seq} 条：抽号结果不是种子和签名算出的结果",
        "entry {seq}: the terminal is not what seed and signature give",
    ),
    "open": (
        "场次尚未关闭，种子未公开：抽号还不能核对",
        "the session is not closed, its seed not revealed: the draw cannot be checked yet",
    ),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. `what` is a key of `TEXTS`; `args` fill its sentence."""

    code: Code
    what: str
    args: dict[str, Any] = field(default_factory=dict)

    def sentence(self, language: str) -> str:
        return TEXTS[self.what][0 if language == "zh" else 1].format(**self.args)

    def as_dict(self, language: str) -> dict[str, Any]:
        found = {"code": self.code.value, "sentence": self.sentence(language)}
        return found | ({"seq": self.args["seq"]} if "seq" in self.args else {})


@dataclass(frozen=True, slots=True)
class Checked:
    """`own_key`: checked with the key in the pack itself, for want of the published one."""

    findings: tuple[Finding, ...]
    entries: int = 0
    draws: int = 0
    signatures: int = 0
    own_key: bool = False


class _Bad(Exception):
    """The check cannot go on."""


def check_dispute(file: Path, vkey: str | None = None) -> Checked:
    """Everything that is wrong with a pack. `vkey`: the lane's published verifier key.

    Raises `OSError` when the file cannot be read and `ValueError` when `vkey` is no key.
    """
    published = parse_vkey(vkey) if vkey is not None else None
    try:
        files = _unzip(file)
        manifest = _manifest(files)
        origin, raw = published or _own_key(files)
    except _Bad as bad:
        return Checked((Finding(Code.FORM, "form", {"why": str(bad)}),))
    check = _Check(files, manifest, origin, raw)
    try:
        findings = tuple(check.run())
    except _Bad as bad:
        findings = (Finding(Code.FORM, "form", {"why": str(bad)}),)
    return Checked(findings, check.entries, check.draws, check.signatures, published is None)


# --- reading ------------------------------------------------------------------------------------


def _unzip(file: Path) -> dict[str, bytes]:
    """Into memory only; what is too large or there twice is refused before it is unpacked."""
    try:
        with zipfile.ZipFile(file) as archive:
            listed = archive.infolist()
            names = [about.filename for about in listed]
            if len(set(names)) != len(names):
                raise _Bad("a file is there twice")
            if len(names) > MAX_FILES or sum(about.file_size for about in listed) > MAX_BYTES:
                raise _Bad("too large")
            return {name: archive.read(name) for name in names}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise _Bad(f"{error}" or type(error).__name__) from error
    except Exception as error:
        if type(error).__module__ == "zlib":
            raise _Bad(f"damaged ({error})") from error
        raise


def _json(files: Mapping[str, bytes], name: str) -> Any:
    if name not in files:
        raise _Bad(f"{name} is missing")
    try:
        return json.loads(files[name].decode())
    except (ValueError, RecursionError) as error:
        raise _Bad(f"{name}: {type(error).__name__}") from error


def _manifest(files: Mapping[str, bytes]) -> dict[str, Any]:
    found = _json(files, MANIFEST)
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise _Bad(f"{MANIFEST} does not say {FORMAT}")
    listed = found.get("files")
    texts = all(isinstance(found.get(k), str) for k in ("origin", "session_id", "pseudonym"))
    if not texts or not isinstance(listed, dict):
        raise _Bad(f"{MANIFEST} lacks something")
    if not all(isinstance(v, dict) and isinstance(v.get("sha256"), str) for v in listed.values()):
        raise _Bad(f"{MANIFEST} has a file without its hash")
    return found


def _own_key(files: Mapping[str, bytes]) -> tuple[str, bytes]:
    try:
        return parse_vkey(files.get(KEY, b"").decode())
    except ValueError as error:
        raise _Bad(f"{KEY}: {error}") from error


# --- checking -----------------------------------------------------------------------------------


class _Check:
    def __init__(
        self, files: dict[str, bytes], manifest: dict[str, Any], origin: str, key: bytes
    ) -> None:
        self._files = files
        self._manifest = manifest
        self._origin = origin
        self._raw = key
        self._key = Ed25519PublicKey.from_public_bytes(key)
        self._bodies: list[dict[str, Any]] = []
        self.entries = self.draws = self.signatures = 0

    def run(self) -> Iterator[Finding]:
        yield from self._all_there()
        yield from self._signed()
        yield from self._in_the_journal()
        yield from self._whose()
        yield from self._told()
        yield from self._strokes()
        yield from self._captured()
        yield from self._drawn()

    def _all_there(self) -> Iterator[Finding]:
        listed = self._manifest["files"]
        for name in sorted(set(self._files) - set(listed) - {MANIFEST, NOTE}):
            yield Finding(Code.FILE, "added", {"name": name})
        for name, about in sorted(listed.items()):
            if name not in self._files:
                yield Finding(Code.FILE, "lost", {"name": name})
            elif sha256_hex(self._files[name]) != about["sha256"]:
                yield Finding(Code.FILE, "changed", {"name": name})

    def _signed(self) -> Iterator[Finding]:
        try:
            note = self._files.get(NOTE, b"").decode()
            text, identity, signature = parse_signed(note, self._origin)
            self._verify(text, identity, signature)
            if text != manifest_text(self._origin, self._files[MANIFEST]):
                raise ValueError("it is of another manifest")
        except ValueError as error:
            yield Finding(Code.SIGNATURE, "manifest", {"why": str(error)})

    def _verify(self, text: str, identity: bytes, signature: bytes) -> None:
        if identity != key_id(self._origin, self._raw):
            raise ValueError("signed with another key")
        try:
            self._key.verify(signature, text.encode())
        except InvalidSignature:
            raise ValueError("the signature does not fit") from None

    def _head(self) -> Head:
        """Raises `ValueError`."""
        note = parse_note(self._files.get(CHECKPOINT, b"").decode(), self._origin)
        self._verify(note.text, note.key_id, note.signature)
        if note.head.origin != self._origin:
            raise ValueError(f"is of another journal, {note.head.origin}")
        return note.head

    def _in_the_journal(self) -> Iterator[Finding]:
        """Each entry is a leaf under the signed head."""
        head: Head | None = None
        try:
            head = self._head()
        except ValueError as error:
            yield Finding(Code.SIGNATURE, "head", {"why": str(error)})
        proofs = _json(self._files, PROOFS)
        paths = proofs.get("proofs") if isinstance(proofs, dict) else None
        if not isinstance(paths, dict):
            raise _Bad(f"{PROOFS} lacks its proofs")
        for line, data in enumerate(self._files.get(ENTRIES, b"").split(b"\n")[:-1], 1):
            try:
                body = json.loads(data.decode())
                seq = body["seq"]
                if not isinstance(seq, int) or not isinstance(body["payload"], dict):
                    raise ValueError("seq or payload")
                body["kind"], body["pseudonym"], body["session_id"], body["terminal"]
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                args = {"line": line, "why": type(error).__name__}
                yield Finding(Code.ENTRY, "entry", args)
                continue
            self._bodies.append(body)
            if head is not None and not _holds(data, seq, paths.get(str(seq)), head):
                yield Finding(Code.PROOF, "proof", {"seq": seq})
        self.entries = len(self._bodies)

    def _whose(self) -> Iterator[Finding]:
        """Nothing of others, and what belongs to every pack."""
        session_id, who = self._manifest["session_id"], self._manifest["pseudonym"]
        common = ("session_opened", "session_closed")
        for body in self._bodies:
            own = body["session_id"] == session_id and (
                body["pseudonym"] == who or body["kind"] in common
            )
            if not own and body["payload"].get("other_pseudonym") != who:
                yield Finding(Code.ENTRY, "foreign", {"seq": body["seq"]})

    def _told(self) -> Iterator[Finding]:
        told = _json(self._files, TIMELINE)
        if not isinstance(told, list) or not all(isinstance(one, dict) for one in told):
            raise _Bad(f"{TIMELINE} is not a list")
        keys = ("seq", "at", "kind", "reason", "terminal")
        said = [tuple(one.get(k) for k in keys) for one in told]
        are = [tuple(body.get(k) for k in keys) for body in self._bodies]
        for n in range(max(len(said), len(are))):
            if said[n : n + 1] != are[n : n + 1]:
                seq = (are[n : n + 1] or said[n : n + 1])[0][0]
                yield Finding(Code.TIMELINE, "timeline", {"seq": seq})
                return

    def _strokes(self) -> Iterator[Finding]:
        """Each kept signature is one that was journalled."""
        journalled = {
            body["payload"].get("signature_sha256")
            for body in self._bodies
            if body["kind"] == "signed"
        }
        for name in sorted(self._files):
            if name.startswith("signature-") and name.endswith((".inkml", ".json")):
                self.signatures += 1
                if sha256_hex(self._files[name]) not in journalled:
                    yield Finding(Code.STROKES, "strokes", {"name": name})

    def _captured(self) -> Iterator[Finding]:
        """Each picture is the one of its entry."""
        kept = {
            f"{CAPTURE}{body['seq']}.jpg": body["payload"].get("sha256")
            for body in self._bodies
            if body["kind"] == "capture_kept"
        }
        for name in sorted(n for n in self._files if n.startswith(CAPTURE)):
            if name not in kept or sha256_hex(self._files[name]) != kept[name]:
                yield Finding(Code.CAPTURE, "capture", {"name": name})

    def _drawn(self) -> Iterator[Finding]:
        """The terminals follow from the seed, and the seed is the one that was committed to."""
        draws = [b for b in self._bodies if b["kind"] == "seat_drawn"]
        payloads = {b["kind"]: b["payload"] for b in self._bodies}
        opened, closed = payloads.get("session_opened"), payloads.get("session_closed")
        if not draws or opened is None or "hall_sha256" not in opened:
            return  # records of version 1 are checked as a whole, by examgate audit
        if closed is None:
            yield Finding(Code.OPEN, "open")
            return
        session_id = self._manifest["session_id"]
        try:
            seed = bytes.fromhex(closed["seed"])
            kept = commitment(seed, session_id, opened["hall_sha256"]) == opened["commitment"]
        except (KeyError, TypeError, ValueError):
            seed, kept = b"", False
        if not kept:
            yield Finding(Code.COMMITMENT, "commitment")
            return
        for body in draws:
            self.draws += 1
            if not _follows(seed, session_id, body):
                yield Finding(Code.DRAW, "draw", {"seq": body["seq"]})


def _holds(data: bytes, seq: int, path: Any, head: Head) -> bool:
    try:
        nodes = [bytes.fromhex(node) for node in path]
    except (TypeError, ValueError):
        return False
    return inclusion_holds(leaf_hash(data), seq - 1, head.size, nodes, head.root)


def _follows(seed: bytes, session_id: str, body: Mapping[str, Any]) -> bool:
    p = body["payload"]
    try:
        if "pool_hash" not in p:
            return True  # drawn by version 1, before the lane was brought up to date
        drawn = draw_terminal(
            seed=seed,
            session_id=session_id,
            draw_no=p["draw_no"],
            pseudonym=body["pseudonym"],
            signature_sha256=p["signature_sha256"],
            free=p["free"],
            pool=p.get("pool", p["free"]),
        )
    except (KeyError, TypeError, ValueError):
        return False
    return (drawn.terminal, drawn.index, drawn.free_hash, drawn.pool_hash) == (
        body["terminal"],
        p.get("index"),
        p.get("free_hash"),
        p.get("pool_hash"),
    )
