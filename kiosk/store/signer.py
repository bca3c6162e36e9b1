"""The lane's signing key (Ed25519) and the checkpoints that it makes and recognises.

The key lies beside the lane's own key, so both are backed up, or handed over as systemd
credentials, together. Knows nothing of the journal but size and root.
"""

from __future__ import annotations

from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk.core.checkpoint import Head, key_id, parse_note, vkey, write_note, write_signed
from kiosk.store.vault import read_key_file


def signing_key_file(key_file: Path) -> Path:
    """lane.key → lane-sign.key, in the same folder."""
    return key_file.with_name(f"{key_file.stem}-sign{key_file.suffix}")


class Signer:
    """Signs and checks the heads of one log. `origin` is also the key's name."""

    def __init__(self, seed: bytes, origin: str) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.origin = origin
        self.public_key = self._key.public_key().public_bytes_raw()

    @classmethod
    def load(cls, path: Path, origin: str) -> Signer:
        """Raises `KeyFileProblem` with what to do."""
        return cls(read_key_file(path), origin)

    @property
    def vkey(self) -> str:
        """The public key in one line (c2sp.org/signed-note)."""
        return vkey(self.origin, self.public_key)

    def sign(self, size: int, root: bytes) -> str:
        """A whole checkpoint."""
        head = Head(self.origin, size, root)
        signature = self._key.sign(head.text().encode())
        return write_note(head, self.origin, self.public_key, signature)

    def sign_text(self, text: str) -> str:
        """A signed note of another text than a head: its first line must not be the origin."""
        if text.startswith(self.origin + "\n"):
            raise ValueError("this could be taken for a head")
        signature = self._key.sign(text.encode())
        return write_signed(text, self.origin, self.public_key, signature)

    def check(self, note: str) -> Head:
        """The head in a checkpoint of this lane. Raises `ValueError` with what is wrong."""
        found = parse_note(note, self.origin)
        if found.key_id != key_id(self.origin, self.public_key):
            raise ValueError("signed with another key")
        try:
            self._key.public_key().verify(found.signature, found.text.encode())
        except InvalidSignature:
            raise ValueError("the signature does not fit") from None
        if found.head.origin != self.origin:
            raise ValueError(f"is of another journal, {found.head.origin}")
        return found.head
