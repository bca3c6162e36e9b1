"""A hall file: the terminals of a hall as a table, read and checked whole.

Owns the table's form (docs/operations.md, Hall files); creates nothing.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kiosk import csvtext

#: field → header names; compared without case and blanks
HEADERS: dict[str, tuple[str, ...]] = {
    "name": ("考台", "name", "terminal"),
    "row": ("排", "row"),
    "column": ("列", "column"),
    "accessible": ("无障碍", "accessible"),
    "reserved": ("保留", "reserved"),
    "in_service": ("可用", "in_service"),
    "classes": ("准驾车型", "classes"),
}
_KNOWN = {alias: name for name, aliases in HEADERS.items() for alias in aliases}
_YES = frozenset(["是", "yes", "y", "true", "1"])
_NO = frozenset(["否", "no", "n", "false", "0"])
_SEPARATORS = ";；|，、 "
MAX_BYTES = 1024 * 1024


@dataclass(slots=True)
class HallFile:
    """`terminals`: as `session.create` takes them; `problems`: (zh, en), each with its place."""

    terminals: list[dict[str, Any]] = field(default_factory=list)
    problems: list[tuple[str, str]] = field(default_factory=list)

    def wrong(self, where: str, zh: str, en: str) -> None:
        self.problems.append((f"{where}：{zh}", f"{where}: {en}"))


def read_hall(path: Path) -> HallFile:
    """Every problem in one pass; the store checks names, places and classes once more."""
    hall = HallFile()
    try:
        if path.exists() and not path.is_file():  # a pipe would be waited for
            hall.wrong(str(path), "不是文件", "is not a file")
            return hall
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
        if len(raw) > MAX_BYTES:
            raise ValueError("larger than 1 MiB")
        if (text := csvtext.decoded(raw)) is None:
            raise ValueError("neither UTF-8 nor UTF-16 nor GB 18030")
        rows = list(csvtext.rows(text))
    except OSError as error:
        hall.wrong(str(path), f"读不出来（{error.strerror}）", f"cannot be read ({error.strerror})")
        return hall
    except (ValueError, csv.Error) as error:
        hall.wrong(str(path), f"不是文本表格（{error}）", f"is not a text table ({error})")
        return hall
    names = _names(path.name, rows[0][1] if rows else [], hall)
    if "name" not in names:
        hall.wrong(f"{path.name} 1", "缺少“考台”一列", "has no column name")
        return hall
    for line, cells in rows[1:]:
        where = f"{path.name} {line}"
        if any(cell.strip() for cell in cells[len(names) :]):
            hall.wrong(where, f"比表头多出单元格（表头 {len(names)} 列）；准驾车型之间用分号",
                       f"has more cells than the header's {len(names)}; put ; between classes"
                       )  # fmt: skip
        elif any(cell.strip() for cell in cells):
            _row(where, dict(zip(names, cells, strict=False)), hall)
    if not hall.terminals and not hall.problems:
        hall.wrong(path.name, "一个考台也没有", "has no terminal")
    return hall


def _names(file: str, header: list[str], hall: HallFile) -> list[str]:
    names = []
    for cell in header:
        shown = cell.strip()
        name = _KNOWN.get(shown.lower().replace(" ", "_"), "")
        if shown and not name:
            known = ", ".join(aliases[1] for aliases in HEADERS.values())
            hall.wrong(f"{file} 1", f"不认识的列“{shown}”（可用：{known}）",
                       f"unknown column {shown!r}; there are: {known}")  # fmt: skip
        elif name and name in names:
            hall.wrong(f"{file} 1", f"“{shown}”出现两次", f"column {shown!r} is there twice")
        names.append(name)
    return names


def _row(where: str, cells: dict[str, str], hall: HallFile) -> None:
    """A terminal, unless something in its line is wrong; then every such thing is told."""
    found: dict[str, Any] = {}
    before = len(hall.problems)
    for name, cell in cells.items():
        text = cell.strip()
        if name in ("row", "column") and text:
            if text.isascii() and text.isdigit() and 0 < int(text) <= 1000:
                found[name] = int(text)
            else:
                hall.wrong(where, f"{name} “{text}”应是 1 到 1000 的整数",
                           f"{name} {text!r} is not a number from 1 to 1000")  # fmt: skip
        elif name in ("accessible", "reserved", "in_service") and text:
            if text.lower() in _YES | _NO:
                found[name] = text.lower() in _YES
            else:
                hall.wrong(where, f"{name} “{text}”应写“是”或“否”",
                           f"{name} {text!r} is neither yes nor no")  # fmt: skip
        elif name == "classes":
            for separator in _SEPARATORS:
                text = text.replace(separator, ",")
            found[name] = [part for part in text.upper().split(",") if part]
        elif name == "name":
            found[name] = text
    if not found.get("name"):
        hall.wrong(where, "没有写考台", "names no terminal")
    elif any(t["name"] == found["name"] for t in hall.terminals):
        hall.wrong(where, f"考台 {found['name']} 出现两次",
                   f"terminal {found['name']} is there twice")  # fmt: skip
    if len(hall.problems) == before:
        hall.terminals.append(found)
