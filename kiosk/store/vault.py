"""What may not lie readable on the disk: AES-256-GCM with one data key a session, each wrapped
by the lane's key. Destroying a session's wrapped key makes its data unrecoverable.

Knows keys and blobs, not what is in them.
"""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlite_utils import Database

from kiosk.store.errors import KeyFileProblem, StoreError

KEY_BYTES = 32
NONCE_BYTES = 12  #: NIST SP 800-38D §8.2


def make_key_file(path: Path) -> None:
    """Create a fresh lane key, readable by its owner only. Never overwrites one."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise KeyFileProblem(
            f"{path}: there is a key already; it is kept, because data encrypted with it "
            "could not be read with another"
        ) from None
    except OSError as error:
        raise KeyFileProblem(f"{path}: cannot be created ({error.strerror})") from error
    with os.fdopen(handle, "w") as file:
        file.write(secrets.token_hex(KEY_BYTES) + "\n")
        file.flush()
        os.fsync(file.fileno())  # before anything is encrypted with it


def read_key_file(path: Path) -> bytes:
    """The lane's key. Raises `KeyFileProblem` with what to do."""
    try:
        status = path.stat()
        text = path.read_text().strip()
    except FileNotFoundError:
        raise KeyFileProblem(
            f"{path}: the lane's key file is missing; make one with: examgate doctor --make-key"
        ) from None
    except PermissionError:
        raise KeyFileProblem(
            f"{path}: user {os.geteuid()} may not read it; run this as its owner, or: "
            f"chown {os.geteuid()} {path}"
        ) from None
    except OSError as error:
        raise KeyFileProblem(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError:
        text = ""
    if status.st_uid != os.geteuid():
        raise KeyFileProblem(
            f"{path}: belongs to user {status.st_uid}, but this runs as user {os.geteuid()}; run "
            f"this as its owner, or: chown {os.geteuid()} {path}"
        )
    mode = stat.S_IMODE(status.st_mode)
    if mode & 0o077:
        raise KeyFileProblem(
            f"{path}: mode is {mode:04o}, others can read it; run: chmod 600 {path}"
        )
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise KeyFileProblem(f"{path}: is not a key ({KEY_BYTES} bytes as hex are needed)")
    return key


class Vault:
    """Encrypts and decrypts; keeps the sessions' wrapped keys in the table `keys`."""

    def __init__(self, database: Database, lane_key: bytes) -> None:
        self._db = database
        self._wrap = AESGCM(lane_key)
        self._open: dict[str, AESGCM] = {}

    def encrypt(self, scope: str, purpose: str, blob: bytes) -> bytes:
        """Nonce and ciphertext. `scope` is a session id, `purpose` binds what it may be used as."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._key(scope).encrypt(nonce, blob, f"{scope}\0{purpose}".encode())

    def decrypt(self, scope: str, purpose: str, blob: bytes) -> bytes:
        """Raises `StoreError` when it was altered, or belongs elsewhere, or its key is gone."""
        try:
            return self._key(scope, make=False).decrypt(
                blob[:NONCE_BYTES], blob[NONCE_BYTES:], f"{scope}\0{purpose}".encode()
            )
        except InvalidTag:
            raise StoreError(
                f"encrypted {purpose} of {scope} was altered or belongs to another key"
            ) from None

    def _key(self, scope: str, make: bool = True) -> AESGCM:
        if scope in self._open:
            return self._open[scope]
        row = self._db.execute("select wrapped from keys where scope = ?", [scope]).fetchone()
        label = f"key\0{scope}".encode()
        if row is not None:
            try:
                key = self._wrap.decrypt(row[0][:NONCE_BYTES], row[0][NONCE_BYTES:], label)
            except InvalidTag:
                raise KeyFileProblem(
                    "the lane's key does not fit this database: restore the key file it was "
                    "made with"
                ) from None
        elif make:
            key = secrets.token_bytes(KEY_BYTES)
            nonce = secrets.token_bytes(NONCE_BYTES)
            wrapped = nonce + self._wrap.encrypt(nonce, key, label)
            self._db.execute("insert into keys (scope, wrapped) values (?, ?)", [scope, wrapped])
        else:
            raise StoreError(f"the key of {scope} has been destroyed")
        self._open[scope] = AESGCM(key)
        return self._open[scope]

    def forget(self) -> None:
        """Drop the opened keys, as after a rollback: what was made in it is not on disk."""
        self._open.clear()

    def check(self) -> None:
        """Raise `KeyFileProblem` when the database was made with another lane key."""
        row = self._db.execute("select scope from keys limit 1").fetchone()
        if row is not None:
            self._key(row[0], make=False)
