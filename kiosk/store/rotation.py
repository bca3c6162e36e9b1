"""Another lane key, without a moment in which a crash would leave data that no key opens.

The new key lies beside the old one before the database is changed, and takes its name after. Who
opens the database meanwhile looks which of the two it was wrapped with. Knows files and the vault.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlite_utils import Database

from kiosk.credentials import is_credential
from kiosk.durable import sync_folder
from kiosk.store.errors import KeyFileProblem, StoreError
from kiosk.store.vault import HOW_TO, Vault, make_key_file, overwrite, read_key_file

NEXT = ".next"


def next_file(key_file: Path) -> Path:
    return key_file.with_name(key_file.name + NEXT)


def check_may_rotate(key_file: Path) -> None:
    """Raise `KeyFileProblem` when the new key could not take the old one's place."""
    if is_credential(key_file):
        raise KeyFileProblem(
            f"{key_file.name} is a systemd credential, and nothing can be written in its place: "
            f"make files of the keys, rotate, and encrypt them again; {HOW_TO}"
        )


@contextmanager
def rotated(key_file: Path) -> Iterator[bytes]:
    """A new key to wrap everything with; it is the lane's when this context ends well."""
    check_may_rotate(key_file)
    new = next_file(key_file)
    make_key_file(new)
    sync_folder(new.parent)
    # When this fails the new key stays beside the old one: only who reads the database knows
    # which of them it needs, and whoever opens it next does (`finish_rotation`).
    yield read_key_file(new)
    _take_over(key_file)


def finish_rotation(database: Database, secrets_dir: Path, key_file: Path) -> bytes:
    """The lane's key; a rotation that was cut off is brought to its end, or undone."""
    if is_credential(key_file):  # never rotated in its place
        return read_key_file(key_file)
    _remove_old(key_file)
    key, new = read_key_file(key_file), next_file(key_file)
    if not new.exists():
        return key
    if _opens(database, key, secrets_dir):
        overwrite(new)  # the database was not changed
        return key
    replacement = read_key_file(new)
    if not _opens(database, replacement, secrets_dir):
        raise KeyFileProblem(
            f"neither {key_file} nor {new} fits this database: restore the key file it was made "
            "with, and remove the other"
        )
    _take_over(key_file)
    return replacement


def _opens(database: Database, key: bytes, secrets_dir: Path) -> bool:
    try:
        Vault(database, key, secrets_dir).check()
    except KeyFileProblem:
        return False
    return True


def _take_over(key_file: Path) -> None:
    """The old key is overwritten where it lies, then the new one takes its name."""
    try:
        os.link(key_file, _old_file(key_file))
        os.replace(next_file(key_file), key_file)
        sync_folder(key_file.parent)
        _remove_old(key_file)
    except OSError as error:
        raise StoreError(f"{key_file}: {error.strerror}") from error


def _old_file(key_file: Path) -> Path:
    return key_file.with_name(key_file.name + ".old")


def _remove_old(key_file: Path) -> None:
    old = _old_file(key_file)
    if not old.exists():
        return
    if old.samefile(key_file):  # cut off before the new key took the name
        old.unlink()
    else:
        overwrite(old)
