"""A roster's table as exam offices export it: CSV in whatever encoding a spreadsheet chose.

Bytes to rows of named texts; knows nothing of what the texts mean.
"""

from __future__ import annotations

import csv
import difflib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kiosk.centre.problems import Problem

#: field → header names, Chinese first; compared without case, spaces and underscores
HEADERS: dict[str, tuple[str, ...]] = {
    "admission_no": ("准考证明编号", "准考证号", "admission_no"),
    "identity_number": ("身份证明号码", "身份证号", "identity_number"),
    "name": ("姓名", "name"),
    "licence_class": ("准考车型", "licence_class", "license_class"),
    "session_id": ("考试场次", "session_id", "session"),
    "photo": ("照片", "photo"),
    "templates": ("指纹模板", "fingerprint_templates", "templates"),
}
OPTIONAL = {"templates"}
MAX_BYTES = 64 * 1024 * 1024
_KNOWN = {alias.replace("_", ""): name for name, aliases in HEADERS.items() for alias in aliases}


@dataclass(frozen=True, slots=True)
class Line:
    """One row: its line in the file (the header is line 1) and its fields by name."""

    number: int
    fields: dict[str, str]


def find_csv(path: Path) -> Path | Problem:
    """The table: `path` itself, or the only .csv of the folder."""
    if path.is_file():
        return path
    if not path.is_dir():
        return Problem(str(path), 0, "", "", "not_found")
    found = sorted(p for p in path.iterdir() if p.suffix.lower() == ".csv")
    if not found:
        return Problem(str(path), 0, "", "", "no_csv")
    if len(found) > 1:
        return Problem(str(path), 0, "", ", ".join(p.name for p in found), "several_csv")
    return found[0]


def read_table(path: Path) -> tuple[list[Line], list[Problem]]:
    """All rows that have the header's shape, and what is wrong with the others."""
    if path.stat().st_size > MAX_BYTES:
        return [], [Problem(path.name, 0, "", "", "file_too_big")]
    raw = path.read_bytes()
    text = _decoded(raw)
    if text is None:
        return [], [Problem(path.name, 0, "", "", "encoding")]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    try:
        header = next(reader, [])
        names, problems = _names(header, path.name)
        if any(p.code == "missing_column" for p in problems):
            return [], problems
        lines = []
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(header):
                problems.append(
                    Problem(
                        path.name, reader.line_num, "", f"{len(cells)} ≠ {len(header)}", "columns"
                    )
                )
                continue
            lines.append(Line(reader.line_num, dict(_pairs(names, cells))))
    except csv.Error as error:
        return [], [Problem(path.name, reader.line_num, "", "", "columns", str(error))]
    if not lines and not problems:
        problems.append(Problem(path.name, 0, "", "", "empty_file"))
    return lines, problems


def _decoded(raw: bytes) -> str | None:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def _delimiter(text: str) -> str:
    """Whichever of the usual ones the header has most of."""
    header = text.partition("\n")[0]
    return max(",;\t", key=header.count)


def _names(header: list[str], file: str) -> tuple[list[str | None], list[Problem]]:
    problems, names = [], []
    for cell in header:
        plain = _clean(cell).lower().replace(" ", "").replace("_", "")
        name = _KNOWN.get(plain)
        if name is None and plain:
            near = difflib.get_close_matches(plain, _KNOWN, 1, 0.5)
            hint = f"{HEADERS[_KNOWN[near[0]]][0]}?" if near else ""
            problems.append(Problem(file, 1, _clean(cell), _clean(cell), "unknown_column", hint))
        names.append(name)
    for name, aliases in HEADERS.items():
        if name not in names and name not in OPTIONAL:
            problems.append(Problem(file, 1, aliases[0], "", "missing_column", name))
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
