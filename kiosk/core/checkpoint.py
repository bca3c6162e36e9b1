"""Signed tree heads in text form: C2SP tlog-checkpoint inside a C2SP signed note.

Pure text and hashes; the signature's 64 bytes come in and go out, made and checked elsewhere.

    <origin>
    <size>
    <root, base64>
                            ← an empty line
    — <key name> <base64 of 4 bytes of key id and 64 bytes of signature>

What is signed are the first three lines with their line ends (c2sp.org/signed-note).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from urllib.parse import quote

ED25519 = b"\x01"  #: signature type of c2sp.org/signed-note
SIGNATURE_BYTES = 64
KEY_BYTES = 32
_SIZE = re.compile(r"0|[1-9][0-9]{0,15}")
_SIGNATURE = re.compile(r"— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})")


@dataclass(frozen=True, slots=True)
class Head:
    """A tree's size and root, and the log that it belongs to."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """The bytes that are signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A head with the one signature that was found under the expected key name."""

    head: Head
    text: str  #: what was signed
    key_id: bytes
    signature: bytes


def origin_of(venue: str, lane: str) -> str:
    """The log's name, which is also the key's: neither blanks nor plus signs (signed-note)."""
    return f"examgate/{quote(venue, safe='')}/{quote(lane, safe='')}"


def key_id(name: str, public_key: bytes) -> bytes:
    """The first four bytes of SHA-256 over name, LF, type and key."""
    return hashlib.sha256(name.encode() + b"\n" + ED25519 + public_key).digest()[:4]


def vkey(name: str, public_key: bytes) -> str:
    """The public key in one line, as verifiers take it."""
    coded = base64.b64encode(ED25519 + public_key).decode()
    return f"{name}+{key_id(name, public_key).hex()}+{coded}"


def parse_vkey(text: str) -> tuple[str, bytes]:
    """Name and the 32 bytes of the key. Raises `ValueError`."""
    name, _, rest = text.strip().partition("+")
    identity, _, coded = rest.partition("+")
    raw = _unbase64(coded)
    if raw[:1] != ED25519 or len(raw) != 1 + KEY_BYTES:
        raise ValueError("not an Ed25519 key")
    if not name or key_id(name, raw[1:]).hex() != identity:
        raise ValueError("the key's name and number do not fit it")
    return name, raw[1:]


def write_note(head: Head, name: str, public_key: bytes, signature: bytes) -> str:
    """The whole checkpoint. `signature`: Ed25519 over `head.text()` in UTF-8."""
    return write_signed(head.text(), name, public_key, signature)


def parse_note(note: str, name: str) -> Note:
    """A checkpoint and its signature under the key `name`. Raises `ValueError`.

    Signatures of others (witnesses) are passed over, as signed-note asks.
    """
    text = note.partition("\n\n")[0] + "\n"
    lines = text.split("\n")
    if "\n\n" not in note or len(lines) < 4 or not _SIZE.fullmatch(lines[1]) or not lines[0]:
        raise ValueError("not a checkpoint")
    head = Head(lines[0], int(lines[1]), _unbase64(lines[2]))
    if len(head.root) != hashlib.sha256().digest_size:
        raise ValueError("the root is not a SHA-256")
    return Note(head, *parse_signed(note, name))


def write_signed(text: str, name: str, public_key: bytes, signature: bytes) -> str:
    """Any text, ended by an LF and without an empty line, as a signed note."""
    if not text.endswith("\n") or "\n\n" in text or text.startswith("\n"):
        raise ValueError("not a text that can be signed as a note")
    coded = base64.b64encode(key_id(name, public_key) + signature).decode()
    return f"{text}\n— {name} {coded}\n"


def parse_signed(note: str, name: str) -> tuple[str, bytes, bytes]:
    """What was signed, and key id and signature under the key `name`. Raises `ValueError`."""
    text, found, signatures = note.partition("\n\n")
    if not found:
        raise ValueError("not a signed note")
    if not signatures.endswith("\n"):
        raise ValueError("the last line has no end")
    for line in signatures[:-1].split("\n"):
        match = _SIGNATURE.fullmatch(line)
        if match is None:
            raise ValueError("a line below the checkpoint is not a signature")
        raw = _unbase64(match[2])
        if match[1] == name and len(raw) == 4 + SIGNATURE_BYTES:
            return text + "\n", raw[:4], raw[4:]
    raise ValueError(f"no signature of {name}")


def _unbase64(text: str) -> bytes:
    """In its one canonical form: no other text stands for the same bytes."""
    try:
        found = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("not base64") from error
    if base64.b64encode(found).decode() != text:
        raise ValueError("not base64 in its canonical form")
    return found
