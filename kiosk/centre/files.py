"""The files that a roster names: found inside its folder only, bounded, photographs made small.

Knows nothing of rows or candidates. A roster comes from outside: names in it are not trusted.
"""

from __future__ import annotations

import io
import stat
from pathlib import Path

from PIL import Image

from kiosk.core import fingers
from kiosk.photograph import turned_by_exif, upright_rgb
from kiosk.told import Told, os_reason

MAX_PHOTO_BYTES = 20 * 1024 * 1024
#: What is kept of a photograph: twenty of these and their templates fit one message of the wire.
MAX_STORED_BYTES = 256 * 1024
STORED_SIDE = 800
_QUALITIES = (90, 80, 65, 50, 35)


class FileProblem(Exception):
    """`code` as in problems.py; `detail` for the technician."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail


def find(folder: Path, name: str, max_bytes: int) -> Path:
    """The regular file called `name` below `folder` (resolved). Raises `FileProblem`."""
    try:
        path = (folder / name.replace("\\", "/")).resolve()
        if not path.is_relative_to(folder):
            raise FileProblem("file_outside")
        status = path.stat()
    except OSError as error:
        raise FileProblem("file_missing", os_reason(error)) from error
    except (ValueError, RuntimeError) as error:  # a NUL in the name; links in a circle
        raise FileProblem("file_missing") from error
    if not stat.S_ISREG(status.st_mode):
        raise FileProblem("not_a_file")
    if status.st_size > max_bytes:
        raise FileProblem("file_too_big", f"{status.st_size / 1e6:.1f} MB")
    return path


def read(path: Path, max_bytes: int) -> bytes:
    """Never more than `max_bytes`, even when the file has grown since. Raises `FileProblem`."""
    try:
        with path.open("rb") as file:
            data = file.read(max_bytes + 1)
    except OSError as error:
        raise FileProblem("file_missing", os_reason(error)) from error
    if len(data) > max_bytes:
        raise FileProblem("file_too_big")
    return data


def read_template(folder: Path, name: str, format_: str) -> bytes:
    """A template that looks like one of `format_` (kiosk.core.fingers). Raises `FileProblem`."""
    data = read(find(folder, name, MAX_PHOTO_BYTES), MAX_PHOTO_BYTES)
    found = fingers.format_of(data)
    if found == format_:
        return data
    if found is not None:
        detail = Told(f"{found}, not {format_}", f"{found}，应为 {format_}")
        raise FileProblem("other_format", detail)
    code = "template_size" if format_ == fingers.ZFM else "not_iso"
    raise FileProblem(code, Told(f"{len(data)} bytes", f"{len(data)} 字节"))


def as_stored(photo: bytes, quarter_turns: int = 0) -> bytes:
    """An upright JPEG of at most `MAX_STORED_BYTES`: the file itself, or a smaller picture of it.

    `quarter_turns`: clockwise, after its EXIF. Only for photographs that the face engine has
    accepted. Raises `FileProblem("unreadable")`.
    """
    small_jpeg = len(photo) <= MAX_STORED_BYTES and photo.startswith(b"\xff\xd8\xff")
    if small_jpeg and not quarter_turns and not _turned_by_exif(photo):
        return photo
    try:
        with Image.open(io.BytesIO(photo)) as picture:
            picture.draft("RGB", (STORED_SIDE, STORED_SIDE))
            upright = upright_rgb(picture, quarter_turns)
        upright.thumbnail((STORED_SIDE, STORED_SIDE))
        for quality in _QUALITIES:
            buffer = io.BytesIO()
            upright.save(buffer, "JPEG", quality=quality)
            if buffer.tell() <= MAX_STORED_BYTES:
                return buffer.getvalue()
    except Exception as error:  # a damaged file can raise nearly anything out of its decoder
        raise FileProblem("unreadable") from error
    raise FileProblem("file_too_big")


def _turned_by_exif(jpeg: bytes) -> bool:
    """The screens and papers that show it do not read EXIF."""
    try:
        with Image.open(io.BytesIO(jpeg)) as picture:
            return turned_by_exif(picture)
    except Exception:  # as above; what cannot be read has nothing that could be turned
        return False
