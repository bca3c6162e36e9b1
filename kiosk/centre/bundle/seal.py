"""Keys of a bundle: the centre signs with Ed25519 (PEM, RFC 8410), the lane opens with age.

Both in the forms that `openssl` and `age` read, so that anybody can check and open a bundle
without this program (docs/bundle.md). Knows nothing of what is signed.
"""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import pyrage
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from kiosk.centre.bundle.problems import BundleError
from kiosk.credentials import is_credential, is_private

SIGNATURE_BYTES = 64
MAX_KEY_BYTES = 64 * 1024
_AGE = b"age-encryption.org/v1\n"
_ARMOURED = b"-----BEGIN AGE ENCRYPTED FILE-----"


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_KEY_BYTES)
    except OSError as error:
        raise BundleError("bad_key", f"{path}: {error.strerror}") from error


def _secret(path: Path) -> bytes:
    """A file that only its owner may read."""
    raw = _read(path)
    mode = stat.S_IMODE(path.stat().st_mode)
    if not is_private(path) if is_credential(path) else mode & 0o077:
        raise BundleError("bad_key", f"{path}: mode {mode:04o}, should be 0600")
    return raw


def _write_secret(path: Path, data: bytes) -> None:
    """A new file of mode 0600. Raises `BundleError` when there is one already."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise BundleError("bad_key", f"{path}: {error.strerror}") from error
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


# --- the centre's -------------------------------------------------------------------------------


def make_centre_key(private: Path, public: Path) -> None:
    """Two PEM files (PKCS #8, SubjectPublicKeyInfo). Raises `BundleError`; then none is new."""
    if public.exists():
        raise BundleError("bad_key", f"{public}: is there already")
    key = Ed25519PrivateKey.generate()
    pem = serialization.Encoding.PEM
    _write_secret(private, key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ))  # fmt: skip
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    public.write_bytes(key.public_key().public_bytes(pem, form))


def centre_key(path: Path) -> Ed25519PrivateKey:
    """Raises `BundleError("bad_key")`."""
    try:
        key = serialization.load_pem_private_key(_secret(path), None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise BundleError("bad_key", f"{path}: not an Ed25519 key in PEM") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise BundleError("bad_key", f"{path}: not an Ed25519 key")
    return key


def centre_public_key(path: Path) -> Ed25519PublicKey:
    """Raises `BundleError("bad_key")`."""
    try:
        key = serialization.load_pem_public_key(_read(path))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BundleError("bad_key", f"{path}: not an Ed25519 public key in PEM") from error
    if not isinstance(key, Ed25519PublicKey):
        raise BundleError("bad_key", f"{path}: not an Ed25519 public key")
    return key


def check_signature(key: Ed25519PublicKey, data: bytes, signature: bytes) -> None:
    """Raises `BundleError("bad_signature")`."""
    try:
        key.verify(signature, data)
    except InvalidSignature:
        raise BundleError("bad_signature") from None


# --- age's: a lane's, for its bundles; the centre's, for evidence ---------------------------------


def make_identity(path: Path) -> str:
    """An age identity file; returns its recipient (`age1…`). Raises `BundleError`."""
    identity = pyrage.x25519.Identity.generate()
    recipient = str(identity.to_public())
    _write_secret(path, f"# public key: {recipient}\n{identity}\n".encode())
    return recipient


def read_identity(path: Path) -> pyrage.x25519.Identity:
    """The first identity of the file. Raises `BundleError("bad_key")`."""
    for line in _secret(path).decode("ascii", "replace").splitlines():
        if line.startswith("AGE-SECRET-KEY-1"):
            try:
                return pyrage.x25519.Identity.from_str(line.strip())
            except pyrage.IdentityError as error:
                raise BundleError("bad_key", f"{path}: {error}") from error
    raise BundleError("bad_key", f"{path}: has no AGE-SECRET-KEY")


def recipient(text: str) -> pyrage.x25519.Recipient:
    """Raises `BundleError("bad_key")`."""
    try:
        return pyrage.x25519.Recipient.from_str(text.strip())
    except pyrage.RecipientError as error:
        raise BundleError("bad_key", f"{text[:80]}: {error}") from error


def decrypted(data: bytes, identity: pyrage.x25519.Identity) -> bytes:
    """Of a whole age file in memory. Raises `BundleError`: other_recipient or damaged."""
    try:
        plain: bytes = pyrage.decrypt(data, [identity])
    except pyrage.DecryptError as error:
        raise _told(error) from error
    return plain


# --- streams ------------------------------------------------------------------------------------


@contextmanager
def encrypting(
    out: IO[bytes], recipients: Sequence[pyrage.x25519.Recipient]
) -> Iterator[IO[bytes]]:
    """A file to write to; what is written comes out of it encrypted, never whole in memory."""
    with _piped(lambda pipe: pyrage.encrypt_io(pipe, out, recipients), "w") as writer:
        yield writer


@contextmanager
def decrypting(source: IO[bytes], identity: pyrage.x25519.Identity) -> Iterator[IO[bytes]]:
    """The plain bytes of an age file as a stream.

    What has been read is authentic, block by block; that nothing is missing at the end is known
    only when this context ends without `BundleError`.
    """
    head = source.read(len(_ARMOURED))
    source.seek(0)
    if not head.startswith(_AGE) and head != _ARMOURED:
        raise BundleError("not_a_bundle")
    with _piped(lambda pipe: pyrage.decrypt_io(source, pipe, [identity]), "r") as reader:
        yield reader


@contextmanager
def _piped(work: Callable[[IO[bytes]], None], mode: str) -> Iterator[IO[bytes]]:
    """Run `work(other end)` in a thread; its end of the pipe is closed when it returns."""
    read, write = os.pipe()
    ours, theirs = (read, write) if mode == "r" else (write, read)
    failed: list[Exception] = []

    def run() -> None:
        try:
            with os.fdopen(theirs, "wb" if mode == "r" else "rb") as pipe:
                work(pipe)
        except Exception as error:  # told by the other end
            failed.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    stopped = False
    try:
        with os.fdopen(ours, mode + "b") as stream:
            yield stream
    except BrokenPipeError:
        stopped = True  # the thread has failed and says why
    except BaseException:
        thread.join()
        with suppress(IndexError):
            error = failed[0]
            if not isinstance(error, BrokenPipeError) and "Broken pipe" not in str(error):
                raise _told(error) from error
        raise
    thread.join()
    if failed:
        raise _told(failed[0]) from failed[0]
    if stopped:
        raise BundleError("damaged")


def _told(error: Exception) -> BundleError:
    text = str(error)
    if "No matching keys" in text:
        return BundleError("other_recipient")
    if isinstance(error, OSError) and error.errno:
        return BundleError("unreadable", error.strerror or text)
    # its first line: more of it advises the library's user, not the lane's
    return BundleError("damaged", text.partition("\n")[0].rstrip(".")[:120])
