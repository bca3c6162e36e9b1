"""What may not lie readable on the disk: AES-256-GCM with one data key a session, wrapped by the
lane's key together with a secret of the session's own, in a small file that is never copied.

Destroying a session overwrites that file where it lies: then no copy of the database, of its log
or of a page in it gives anything back, whoever has the lane's key.

Knows keys and blobs, not what is in them.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlite_utils import Database

from kiosk.credentials import is_credential, is_private, kept_elsewhere
from kiosk.durable import sync_folder
from kiosk.store.errors import KeyFileProblem, StoreError
from kiosk.told import Told

KEY_BYTES = 32
NONCE_BYTES = 12  #: NIST SP 800-38D §8.2
TAG_BYTES = 16
HOW_TO = "see docs/operations.md, Keys as systemd credentials"
MARK = b"\x02"  #: before a wrapped key that needs its session's secret


_NOT_OURS = (
    "a credential is readable by its service alone: leave owner and mode to systemd "
    "(LoadCredentialEncrypted=, User=)"
)


def make_key_file(path: Path) -> None:
    """Create a fresh lane key, readable by its owner only. Never overwrites one."""
    check_may_be_made(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise KeyFileProblem(Told(
            f"{path}: there is a key already; it is kept, because data encrypted with it "
            "could not be read with another",
            f"{path}：已有密钥，予以保留：换了密钥就读不出用它加密的数据",
        )) from None  # fmt: skip
    except OSError as error:
        raise KeyFileProblem(f"{path}: cannot be created ({error.strerror})") from error
    with os.fdopen(handle, "w") as file:
        file.write(secrets.token_hex(KEY_BYTES) + "\n")
        file.flush()
        os.fsync(file.fileno())  # before anything is encrypted with it


def check_may_be_made(path: Path) -> None:
    """Not where the keys are credentials: the new one would be forgotten, or never be used."""
    if is_credential(path) or kept_elsewhere(path):
        raise KeyFileProblem(
            f"{path.name} is a systemd credential on this lane and cannot be written; {HOW_TO}"
        )


def read_key_file(path: Path) -> bytes:
    """The lane's key, a file or a credential. Raises `KeyFileProblem` with what to do."""
    try:
        status = path.stat()
        text = path.read_text().strip()
    except FileNotFoundError:
        if is_credential(path):
            raise KeyFileProblem(
                f"{path}: the unit has no LoadCredentialEncrypted={path.name}; all of the lane's "
                f"keys are credentials or none; {HOW_TO}"
            ) from None
        if kept_elsewhere(path):
            raise KeyFileProblem(
                f"{path}: the lane's key is a systemd credential, and this command was not given "
                "it: run it with /opt/examgate/systemd/with-credentials.sh, or while the daemon "
                f"runs; {HOW_TO}"
            ) from None
        raise KeyFileProblem(Told(
            f"{path}: the lane's key file is missing; restore your copy, or on a new lane make "
            "one: examgate doctor --make-key",
            f"{path}：没有通道密钥文件；请恢复备份，新通道请运行 examgate doctor --make-key",
        )) from None  # fmt: skip
    except PermissionError:
        if is_credential(path):
            raise KeyFileProblem(f"{path}: {_NOT_OURS}") from None
        raise KeyFileProblem(Told(
            f"{path}: user {os.geteuid()} may not read it; run this as its owner, or: "
            f"chown {os.geteuid()} {path}",
            f"{path}：用户 {os.geteuid()} 无权读取；请以文件所有者运行，"
            f"或 chown {os.geteuid()} {path}",
        )) from None  # fmt: skip
    except OSError as error:
        raise KeyFileProblem(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError:
        text = ""
    if is_credential(path):
        if not is_private(path):
            raise KeyFileProblem(
                f"{path}: others than root and user {os.geteuid()} may read it; {_NOT_OURS}"
            )
        return _key(path, text)
    if status.st_uid != os.geteuid():
        raise KeyFileProblem(Told(
            f"{path}: belongs to user {status.st_uid}, but this runs as user {os.geteuid()}; run "
            f"this as its owner, or: chown {os.geteuid()} {path}",
            f"{path}：属于用户 {status.st_uid}，而现在以用户 {os.geteuid()} 运行；"
            f"请以文件所有者运行，或 chown {os.geteuid()} {path}",
        ))  # fmt: skip
    mode = stat.S_IMODE(status.st_mode)
    if mode & 0o077:
        raise KeyFileProblem(Told(
            f"{path}: mode is {mode:04o}, others can read it; run: chmod 600 {path}",
            f"{path}：权限为 {mode:04o}，别人也能读；请运行 chmod 600 {path}",
        ))  # fmt: skip
    return _key(path, text)


def _key(path: Path, text: str) -> bytes:
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise KeyFileProblem(Told(
            f"{path}: is not a key ({KEY_BYTES} bytes as hex are needed)",
            f"{path}：不是密钥（须为 {KEY_BYTES} 字节的十六进制）",
        ))  # fmt: skip
    return key


class Vault:
    """Encrypts and decrypts; keeps the sessions' wrapped keys in the table `keys`."""

    def __init__(self, database: Database, lane_key: bytes, secrets_dir: Path) -> None:
        self._db = database
        self._lane_key = lane_key
        self._secrets = secrets_dir
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
        except (InvalidTag, ValueError, TypeError):  # too short, or no bytes at all
            raise StoreError(
                f"encrypted {purpose} of {scope} was altered or belongs to another key"
            ) from None

    def _key(self, scope: str, make: bool = True) -> AESGCM:
        if scope in self._open:
            return self._open[scope]
        row = self._db.execute("select wrapped from keys where scope = ?", [scope]).fetchone()
        if row is not None:
            key = self._unwrap(scope, row[0])
        elif make:
            self._remove_destroyed(scope)
            key = secrets.token_bytes(KEY_BYTES)
            wrapped = self._wrapped(scope, key)
            self._db.execute("insert into keys (scope, wrapped) values (?, ?)", [scope, wrapped])
        else:
            raise StoreError(f"the key of {scope} has been destroyed")
        self._open[scope] = AESGCM(key)
        return self._open[scope]

    def _wrapped(self, scope: str, key: bytes) -> bytes:
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = self._wrap(self._make_secret(scope)).encrypt(nonce, key, _label(scope))
        return MARK + nonce + sealed

    def _unwrap(self, scope: str, wrapped: bytes) -> bytes:
        secret = None
        if not _first_version(wrapped):
            wrapped = wrapped[len(MARK) :]
            if (secret := self._secret(scope)) is None:
                raise KeyFileProblem(
                    f"{self._secrets} lacks the secret of {scope}: restore the folder as it was "
                    "with this database"
                )
        try:
            return self._wrap(secret).decrypt(
                wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], _label(scope)
            )
        except (InvalidTag, ValueError, TypeError):
            raise KeyFileProblem(
                "the lane's key does not fit this database: restore the key file it was made with"
            ) from None

    def _wrap(self, secret: bytes | None) -> AESGCM:
        """None: as the first versions wrapped, with the lane's key alone."""
        if secret is None:
            return AESGCM(self._lane_key)
        derived = HKDF(hashes.SHA256(), KEY_BYTES, salt=secret, info=b"examgate session key")
        return AESGCM(derived.derive(self._lane_key))

    # --- the sessions' secrets --------------------------------------------------------------------

    def _file(self, scope: str) -> Path:
        return self._secrets / hashlib.sha256(scope.encode()).hexdigest()[:32]

    def _secret(self, scope: str) -> bytes | None:
        try:
            secret = self._file(scope).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreError(f"{self._file(scope)}: {error.strerror}") from error
        if len(secret) != KEY_BYTES or not any(secret):
            raise StoreError(f"the key of {scope} has been destroyed")
        return secret

    def _make_secret(self, scope: str) -> bytes:
        """On disk before anything is encrypted with it. One that is there already is kept: it was
        made in a transaction that was rolled back."""
        if (there := self._secret(scope)) is not None:
            return there
        secret = secrets.token_bytes(KEY_BYTES)
        try:
            self._secrets.mkdir(mode=0o700, exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            _write_through(self._file(scope), flags, secret)
            sync_folder(self._secrets)
        except OSError as error:
            raise StoreError(f"{self._secrets}: {error.strerror}") from error
        return secret

    def strengthen(self) -> int:
        """Give keys of the first versions a secret of their own. Returns how many; one
        transaction of the caller's."""
        rows = self._db.execute("select scope, wrapped from keys").fetchall()
        old = [(scope, wrapped) for scope, wrapped in rows if _first_version(wrapped)]
        old = [(scope, wrapped) for scope, wrapped in old if not self._destroyed(scope)]
        for scope, wrapped in old:
            again = self._wrapped(scope, self._unwrap(scope, wrapped))
            self._db.execute("update keys set wrapped = ? where scope = ?", [again, scope])
        return len(old)

    def rewrap(self, lane_key: bytes) -> int:
        """Every wrapped key again with another lane's key. Returns how many; one transaction of
        the caller's, who then makes a new `Vault`."""
        rows = self._db.execute("select scope, wrapped from keys").fetchall()
        other = Vault(self._db, lane_key, self._secrets)
        for scope, wrapped in rows:
            if self._destroyed(scope):
                continue
            again = other._wrapped(scope, self._unwrap(scope, wrapped))
            self._db.execute("update keys set wrapped = ? where scope = ?", [again, scope])
        return len(rows)

    def destroy(self, scope: str) -> None:
        """Overwrite the secret where it lies; then the wrapped key and the file go. For good.

        The file goes last: whoever is cut off in between finds its zeros, and knows that nothing
        is missing.
        """
        file = self._file(scope)
        self._open.pop(scope, None)
        try:
            if file.exists():
                _write_through(file, os.O_WRONLY | os.O_CLOEXEC, bytes(file.stat().st_size))
        except OSError as error:
            raise StoreError(f"{file}: {error.strerror}") from error
        self._db.execute("delete from keys where scope = ?", [scope])
        self._remove_destroyed(scope)

    def _destroyed(self, scope: str) -> bool:
        """Cut off while it was destroyed."""
        try:
            return not any(self._file(scope).read_bytes())
        except FileNotFoundError:
            return False
        except OSError as error:
            raise StoreError(f"{self._file(scope)}: {error.strerror}") from error

    def _remove_destroyed(self, scope: str) -> None:
        """What is left of its secret."""
        if self._destroyed(scope):
            try:
                self._file(scope).unlink()
                sync_folder(self._secrets)
            except OSError as error:
                raise StoreError(f"{self._secrets}: {error.strerror}") from error

    def forget(self) -> None:
        """Drop the opened keys, as after a rollback: what was made in it is not on disk."""
        self._open.clear()

    def check(self) -> None:
        """Raise `KeyFileProblem` when the database was made with another lane key."""
        for (scope,) in self._db.execute("select scope from keys").fetchall():
            if not self._destroyed(scope):
                self._key(scope, make=False)
                return


def _first_version(wrapped: bytes) -> bool:
    """Wrapped with the lane's key alone."""
    return len(wrapped) == NONCE_BYTES + KEY_BYTES + TAG_BYTES


def _label(scope: str) -> bytes:
    return f"key\0{scope}".encode()


def _write_through(file: Path, flags: int, data: bytes) -> None:
    """In place, and on the disk when it returns: no new file, no truncation."""
    handle = os.open(file, flags, 0o600)
    try:
        if os.pwrite(handle, data, 0) != len(data):
            raise OSError(28, "the disk is full")
        os.fsync(handle)
    finally:
        os.close(handle)


def overwrite(file: Path) -> None:
    """Zeros where its bytes lie, then it goes."""
    _write_through(file, os.O_WRONLY | os.O_CLOEXEC, bytes(file.stat().st_size))
    file.unlink()
    sync_folder(file.parent)
