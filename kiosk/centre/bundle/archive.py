"""The tar inside a bundle: written by the library, read strictly, as a stream.

A bundle comes from outside. The reader takes regular files with the names and sizes that it
expects, in that order, and nothing else: no links, no long-name or extended headers, nothing that
would have to be interpreted. Knows nothing of candidates.
"""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import IO

from kiosk.centre.bundle.manifest import Part
from kiosk.centre.bundle.problems import BundleError

BLOCK = 512
CHUNK = 256 * 1024
_NAME, _SIZE, _CHECKSUM, _TYPE = slice(0, 100), slice(124, 136), slice(148, 156), 156
_PREFIX, _MAGIC = slice(345, 500), slice(257, 263)
#: An end is two empty blocks, then whatever fills a record of 20; more than that is none.
MAX_END = (2 + 19) * BLOCK


class Writer:
    """Regular files of mode 0600 without owner or time, so that equal content is equal bytes."""

    def __init__(self, out: IO[bytes]) -> None:
        self._tar = tarfile.TarFile.open(fileobj=out, mode="w|", format=tarfile.USTAR_FORMAT)

    def add(self, name: str, data: bytes) -> None:
        info = tarfile.TarInfo(name)
        info.size, info.mode = len(data), 0o600
        self._tar.addfile(info, BytesIO(data))

    def close(self) -> None:
        self._tar.close()


class Reader:
    """Takes members one after the other from a stream that may end anywhere."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def small(self, name: str, most: int) -> bytes:
        """The next member, which must be called so. Raises `BundleError`."""
        size = self._header(name)
        if size > most:
            raise BundleError("too_big", f"{name}: {size} bytes, at most {most}")
        data = b"".join(self._data(size))
        return data

    def part(self, part: Part, into: Path) -> None:
        """The next member into a new file, if it is what was signed. Raises `BundleError`."""
        size = self._header(part.name)
        if size != part.size:
            raise BundleError("member", f"{part.name}: {size} bytes, not {part.size}")
        digest = hashlib.sha256()
        with into.open("xb") as file:
            for chunk in self._data(size):
                digest.update(chunk)
                file.write(chunk)
        if digest.hexdigest() != part.sha256:
            raise BundleError("hash", part.name)

    def end(self) -> None:
        """Nothing but zeros to the end of the stream. Raises `BundleError`."""
        rest = self._stream.read(MAX_END + 1)
        if len(rest) > MAX_END or rest.strip(b"\0"):
            raise BundleError("member", "after the last part")
        if len(rest) < 2 * BLOCK:
            raise BundleError("damaged", "the archive has no end")

    def _header(self, name: str) -> int:
        """Of a regular file called `name`; returns its size in bytes."""
        block = self._exactly(BLOCK)
        if not block.strip(b"\0"):
            raise BundleError("member", f"{name} is missing")
        found = block[_NAME].rstrip(b"\0")
        if block[_MAGIC] != b"ustar\0" or _octal(block[_CHECKSUM]) != _checksum(block):
            raise BundleError("damaged", f"no archive header before {name}")
        if block[_TYPE : _TYPE + 1] != b"0" or block[_PREFIX].strip(b"\0"):
            raise BundleError("member", f"no regular file where {name} is expected")
        if found != name.encode():
            raise BundleError("member", f"{ascii(found.decode('latin-1'))[:80]}, not {name}")
        size = _octal(block[_SIZE])
        if size is None:
            raise BundleError("damaged", f"{name}: its size")
        return size

    def _data(self, size: int) -> Iterator[bytes]:
        left = size
        while left:
            chunk = self._exactly(min(left, CHUNK))
            left -= len(chunk)
            yield chunk
        if self._exactly(-size % BLOCK).strip(b"\0"):
            raise BundleError("damaged", "between two parts")

    def _exactly(self, size: int) -> bytes:
        data = self._stream.read(size)
        if len(data) != size:
            raise BundleError("damaged", "it ends early")
        return data


def _octal(field: bytes) -> int | None:
    text = field.rstrip(b"\0 ").lstrip(b" ")
    if not text or any(digit not in b"01234567" for digit in text):
        return None
    return int(text, 8)


def _checksum(block: bytes) -> int:
    return sum(block) - sum(block[_CHECKSUM]) + 8 * ord(" ")
