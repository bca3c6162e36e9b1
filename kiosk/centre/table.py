"""A roster's table as exam offices export it: .xlsx, or CSV in whatever encoding was chosen.

Bytes to rows of named texts; knows nothing of what the texts mean.
"""

from __future__ import annotations

import csv
import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from kiosk import csvtext
from kiosk.centre.columns import HEADERS
from kiosk.centre.problems import Problem
from kiosk.told import os_reason

OPTIONAL = {"templates", "template_format", "fingers", "driving_school", "accessible"}
MAX_BYTES = 16 * 1024 * 1024
MAX_ROWS = 20_000
_KNOWN = {alias.replace("_", ""): name for name, aliases in HEADERS.items() for alias in aliases}


@dataclass(frozen=True, slots=True)
class Line:
    """One row: its line in the file (the header is line 1) and its fields by name. `sheet`: file
    and sheet, where it comes from a workbook."""

    number: int
    fields: dict[str, str]
    sheet: str = ""


def find_table(path: Path) -> Path | Problem:
    """The table: `path` itself, or the only .csv or .xlsx of the folder."""
    if path.is_file():
        return path
    if not path.is_dir():
        return Problem(str(path), 0, "", "", "not_found")
    names = (p for p in path.iterdir() if not p.name.startswith((".", "~$")))
    found = sorted(p for p in names if p.suffix.lower() in (".csv", ".xlsx"))
    if not found:
        return Problem(str(path), 0, "", "", "no_csv")
    if len(found) > 1:
        return Problem(str(path), 0, "", ", ".join(p.name for p in found), "several_csv")
    return found[0]


def read_table(path: Path) -> tuple[list[Line], list[Problem]]:
    """All rows that have the header's shape, and what is wrong with the others."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        return [], [Problem(path.name, 0, "", "", "not_found", os_reason(error))]
    if len(raw) > MAX_BYTES:
        return [], [Problem(path.name, 0, "", "", "table_too_big")]
    # only what is called so: a lane never unpacks the `candidates.csv` of a bundle
    if path.suffix.lower() == ".xlsx":
        return _workbook(path.name, raw)
    if raw.startswith(csvtext.SPREADSHEETS):
        return [], [Problem(path.name, 0, "", "", "spreadsheet")]
    text = csvtext.decoded(raw)
    if text is None:
        return [], [Problem(path.name, 0, "", "", "encoding")]
    return _lines(path.name, csvtext.rows(text))


def _workbook(file: str, raw: bytes) -> tuple[list[Line], list[Problem]]:
    # Here, not above: only the office's commands read workbooks, and the library is slow to load.
    from kiosk.centre.spreadsheet import read_sheet

    sheet = read_sheet(file, raw, _field_of, MAX_ROWS + 1)
    if isinstance(sheet, Problem):
        return [], [sheet]
    lines, problems = _lines(sheet.file, sheet.rows)
    if sheet.problems:
        problems = [p for p in problems if p.code != "empty_file"]
    return [replace(line, sheet=sheet.file) for line in lines], [*problems, *sheet.problems]


def _field_of(header: str) -> str | None:
    return _KNOWN.get(_clean(header).lower().replace(" ", "").replace("_", ""))


def _lines(file: str, rows: Iterable[tuple[int, list[str]]]) -> tuple[list[Line], list[Problem]]:
    lines: list[Line] = []
    problems: list[Problem] = []
    number, left = 0, iter(rows)
    try:
        number, header = next(left, (1, []))
        names, problems = _names(header, file, number)
        if any(p.code in ("missing_column", "duplicate_column") for p in problems):
            return [], problems
        for number, cells in left:
            if not any(cell.strip() for cell in cells):
                continue
            if len(lines) >= MAX_ROWS:
                problems.append(Problem(file, number, "", f"> {MAX_ROWS}", "too_many_rows"))
                break
            if len(cells) == len(header):
                lines.append(Line(number, dict(_pairs(names, cells))))
            else:
                differ = f"{len(cells)} ≠ {len(header)}"
                problems.append(Problem(file, number, "", differ, "columns"))
    except csv.Error as error:
        problems.append(Problem(file, number + 1, "", "", "columns", str(error)))
    if not lines and not problems:
        problems.append(Problem(file, 0, "", "", "empty_file"))
    return lines, problems


def _names(header: list[str], file: str, line: int) -> tuple[list[str | None], list[Problem]]:
    problems: list[Problem] = []
    names: list[str | None] = []
    for cell in header:
        shown = _clean(cell)
        plain = shown.lower().replace(" ", "").replace("_", "")
        name = _field_of(cell)
        if name is None and plain:
            near = difflib.get_close_matches(plain, _KNOWN, 1, 0.5)
            hint = f"{HEADERS[_KNOWN[near[0]]][0]}?" if near else ""
            problems.append(Problem(file, line, shown[:40], shown[:40], "unknown_column", hint))
        elif name is not None and name in names:
            problems.append(Problem(file, line, shown, shown, "duplicate_column", name))
        names.append(name)
    for name, aliases in HEADERS.items():
        if name not in names and name not in OPTIONAL:
            problems.append(Problem(file, line, aliases[0], "", "missing_column", name))
    return names, problems


def _pairs(names: list[str | None], cells: list[str]) -> Iterator[tuple[str, str]]:
    for name, cell in zip(names, cells, strict=True):
        if name is not None:
            yield name, _clean(cell)


def _clean(cell: str) -> str:
    """Without the tricks spreadsheets use to keep long numbers: ="…" and a leading apostrophe."""
    cell = cell.strip().strip("\ufeff")
    if cell.startswith('="') and cell.endswith('"'):
        cell = cell[2:-1]
    return cell.removeprefix("'").strip()
