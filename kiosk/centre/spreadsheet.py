"""A roster's table as an .xlsx workbook: the sheet with the roster's header, as rows of texts.

Numbers of people are text: a cell that may have lost digits is a problem, never a guess.
Everything is bounded before it is unpacked. Knows nothing of what the texts mean.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from typing import Any

import openpyxl
from openpyxl.utils import get_column_letter

from kiosk.centre.problems import Problem, mask_number

MAX_UNPACKED = 64 * 1024 * 1024  #: bytes of all parts together, by the archive's own directory
MAX_PARTS = 1_000
MAX_COLUMNS = 100
MAX_EMPTY_ROWS = 1_000  #: a sheet formatted to its end has a million of them
#: A spreadsheet program keeps a number's first 15 digits and writes 0 for the others.
MAX_DIGITS = 15
_OLE = b"\xd0\xcf\x11\xe0"
#: A cell's value or text that is not empty, and a row's number, in the sheet's XML.
_VALUE = re.compile(rb"<(?:\w+:)?[vt](?: [^>]*)?>\s*[^<\s]")
_ROW = re.compile(rb"<(?:\w+:)?row [^>]*?\br=\"(\d{1,7})\"")
_ZEROS = re.compile(r"0+")


@dataclass(slots=True)
class Sheet:
    """`rows`: each row's number as the program shows it, and its cells; the header first."""

    file: str  #: file and sheet, as problems name them
    rows: list[tuple[int, list[str]]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def read_sheet(
    file: str, raw: bytes, field_of: Callable[[str], str | None], max_rows: int
) -> Sheet | Problem:
    """The workbook's one sheet with a column of admission numbers in its first row that is not
    empty. `field_of`: the field a header names; cells of columns that name none may hold anything.

    Where no sheet has it, the first one that is not empty, for its header to be told wrong.
    At most `max_rows` rows after the header and one more, by which the caller sees that it is cut.
    """
    if (code := _unfit(raw)) is not None:
        return Problem(file, 0, "", "", code)
    try:
        book = openpyxl.load_workbook(
            io.BytesIO(raw), read_only=True, data_only=True, keep_links=False
        )
        return _choose(file, book, field_of, max_rows)
    except Exception as error:
        # The library trusts the file's form: a damaged one raises whatever it stumbles on.
        named = type(error.__cause__ or error).__name__
        return Problem(file, 0, "", "", "spreadsheet_damaged", named)


def _unfit(raw: bytes) -> str | None:
    """Why it is not unpacked. zipfile never reads more of a part than the directory says."""
    if raw.startswith(_OLE):  # with a password, the whole workbook lies in one of these
        return "spreadsheet_locked"
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return "spreadsheet_damaged"
    if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED:
        return "table_too_big"
    return None


def _choose(
    file: str, book: Any, field_of: Callable[[str], str | None], max_rows: int
) -> Sheet | Problem:
    sheets = [s for s in book.worksheets if s.sheet_state == "visible"]
    headers = {s.title: next(_rows(s), (0, []))[1] for s in sheets}
    filled = [s for s in sheets if headers[s.title]]
    fitting = [
        s
        for s in filled
        if any(field_of(_text(c, "")[0]) == "admission_no" for c in headers[s.title])
    ]
    if len(fitting) > 1:
        return Problem(file, 0, "", ", ".join(s.title for s in fitting)[:80], "several_sheets")
    if not filled:
        return Problem(file, 0, "", "", "empty_file")
    chosen = (fitting or filled)[0]
    return _read(Sheet(f"{file} [{chosen.title}]"), chosen, field_of, max_rows)


def _read(
    sheet: Sheet, source: Any, field_of: Callable[[str], str | None], max_rows: int
) -> Sheet:
    number, width, known = 0, 0, []
    for number, cells in _rows(source):
        if not sheet.rows:
            names = [_text(cell, "")[0] for cell in cells]
            while names and not names[-1]:
                names.pop()
            width, known = len(names), [name if field_of(name) else "" for name in names]
            sheet.rows.append((number, names))
            continue
        texts, faults = _row(sheet.file, number, cells, known)
        if faults:
            sheet.problems += faults
        else:  # cells beyond the header that are merely coloured are none
            texts += [""] * (width - len(texts))
            sheet.rows.append((number, texts))
        if len(sheet.rows) + len(sheet.problems) > max_rows + 1:
            return sheet
    if (stray := _beyond(source, number)) is not None:
        sheet.problems.append(Problem(sheet.file, stray, "", "", "rows_after_empty"))
    return sheet


def _beyond(source: Any, last: int) -> int | None:
    """The last row with a value, when it is after `last`: rows after very many empty ones are not
    read, since a sheet formatted to its end takes half a minute, and not passed over either."""
    raw = source.parent._archive.read(source._worksheet_path)  # a second look, without its cells
    at = max((found.start() for found in _VALUE.finditer(raw)), default=0)
    rows = _ROW.findall(raw, 0, at)
    return int(rows[-1]) if rows and int(rows[-1]) > last else None


def _rows(source: Any) -> Iterator[tuple[int, list[Any]]]:
    """Rows that have anything in them; ends after many empty ones. The sheet's own dimensions
    are not believed: some programs write them wrong."""
    source.reset_dimensions()
    empty = 0
    for number, cells in enumerate(source.iter_rows(max_col=MAX_COLUMNS), 1):
        if any(c.value is not None and str(c.value).strip() for c in cells):
            empty = 0
            yield number, list(cells)
        elif (empty := empty + 1) > MAX_EMPTY_ROWS:
            return


def _row(
    file: str, number: int, cells: list[Any], names: list[str]
) -> tuple[list[str], list[Problem]]:
    texts: list[str] = []
    faults: list[Problem] = []
    for n, cell in enumerate(cells):
        name = names[n] if n < len(names) else ""
        text, code = _text(cell, name)
        texts.append(text)
        if code is not None:
            where = f"{get_column_letter(n + 1)} {name[:40]}".rstrip()
            faults.append(Problem(file, number, where, mask_number(text[:40]), code))
    while len(texts) > len(names) and not texts[-1]:
        texts.pop()
    return texts, faults


def _text(cell: Any, name: str) -> tuple[str, str | None]:
    """What the cell says, and the code of what is wrong with it. `name` is its column's: one
    that is not read may hold anything."""
    value = cell.value
    if value is None:
        return "", None
    if isinstance(value, str):
        return value, "cell_error" if cell.data_type == "e" and name else None
    if isinstance(value, bool):
        return ("yes" if value else "no"), None
    if isinstance(value, date | time | timedelta):
        return str(value), "cell_date" if name else None
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        digits = str(int(value))
        if len(digits.lstrip("-")) > MAX_DIGITS:
            return digits, "cell_number" if name else None
        shown = cell.number_format or ""  # 000000 shows 42 as 000042, which is what it means
        return (digits.zfill(len(shown)) if _ZEROS.fullmatch(shown) else digits), None
    return str(value), "cell_number" if name else None
