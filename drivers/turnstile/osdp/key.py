"""The key of the secure channel (SCBK): 16 bytes, as 32 hexadecimal digits in a file of its own.

Who can read it can open the gate from the wire, so the file is this user's alone. Never logged.
"""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

KEY_BYTES = 16
#: SCBK-D, the key every board has before it is given one; published in the standard
DEFAULT_KEY = bytes(range(0x30, 0x40))


class KeyProblem(Exception):
    """The file cannot be used; says file, what is wrong, and what to do."""


def read_key(path: Path) -> bytes:
    """Raises `KeyProblem`."""
    try:
        status = path.stat()
        text = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        raise KeyProblem(
            f"{path}: is missing; restore your copy, or give the board a new one: "
            "examgate device turnstile set-key"
        ) from None
    except UnicodeDecodeError:
        text = ""
    except OSError as error:
        raise KeyProblem(f"{path}: cannot be read ({error.strerror})") from error
    mode = stat.S_IMODE(status.st_mode)
    if mode & 0o077:
        raise KeyProblem(f"{path}: mode {mode:04o} lets others read the key: chmod 600 {path}")
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise KeyProblem(f"{path}: must hold {2 * KEY_BYTES} hexadecimal digits")
    if key == DEFAULT_KEY:
        raise KeyProblem(f"{path}: is the key that every board has from the shelf, no secret")
    return key


def make_key(path: Path) -> bytes:
    """A fresh key in a new file, on the disk before it returns. Raises `KeyProblem` where there
    is one already."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise KeyProblem(f"{path}: there is a key already; it is kept") from None
    except OSError as error:
        raise KeyProblem(f"{path}: cannot be created ({error.strerror})") from error
    key = secrets.token_bytes(KEY_BYTES)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(key.hex() + "\n")
        file.flush()
        os.fsync(file.fileno())
    return key
