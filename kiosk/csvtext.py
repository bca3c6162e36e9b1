"""CSV as offices save it: in whatever encoding and with whatever separator was at hand.

Bytes to rows of cells with their lines; knows nothing of what is in them.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator

#: How files of spreadsheet programs begin: ZIP (.xlsx, .ods) and OLE (.xls).
SPREADSHEETS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")


def decoded(raw: bytes) -> str | None:
    """UTF-16 where a mark says so, else UTF-8 or GB 18030; None when it is none of these."""
    marked = raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    for encoding in ("utf-16",) if marked else ("utf-8-sig", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Each row with the line it begins in: a quoted field may go over several.

    Raises `csv.Error` on the way.
    """
    skipped, delimiter, text = _delimiter(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    number = skipped + 1
    for cells in reader:
        yield number, cells
        number = skipped + reader.line_num + 1


def _delimiter(text: str) -> tuple[int, str, str]:
    """Lines skipped, the delimiter, and the text from the header on.

    The delimiter is whichever of the usual ones the header has most of, or what a first line
    `sep=;` says, as spreadsheets write it.
    """
    first, _, rest = text.partition("\n")
    said = first.strip().lower()
    if said.startswith("sep=") and len(first.rstrip("\r\n")) == 5:
        return 1, first[4], rest
    return 0, max(",;\t", key=first.count), text
