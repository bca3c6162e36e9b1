"""A roster folder that grows by one candidate at a time: what `examgate enrol` writes, and what
`centre bundle` and `roster import` read. Knows files, no devices.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kiosk.centre.columns import HEADERS
from kiosk.centre.problems import mask_number
from kiosk.durable import write_whole

TABLE = "roster.csv"
COLUMNS = tuple(HEADERS)
_NAME = re.compile(r"[\w.\-]{1,64}")  #: of files, and so of admission numbers here


class CounterProblem(Exception):
    """Nothing was written; `code`, and what it is about."""

    def __init__(self, code: str, about: str) -> None:
        super().__init__(code, about)
        self.code, self.about = code, about


@dataclass(frozen=True, slots=True)
class Entry:
    """One candidate. Personal data: never log."""

    fields: Mapping[str, str]  #: by field of `HEADERS`, without photo, templates and fingers
    photo: bytes
    templates: Mapping[str, bytes]  #: by finger's name, in order
    template_format: str

    def __repr__(self) -> str:
        return f"Entry({len(self.templates)} templates)"


class RosterFolder:
    """Only its owner may look in. Raises `CounterProblem` for a table of somebody else's making."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._rows = self._read()

    def __len__(self) -> int:
        return len(self._rows)

    def check(self, fields: Mapping[str, str], replace: bool) -> None:
        """Whether there is room for this candidate. Raises `CounterProblem`."""
        if not _NAME.fullmatch(fields["admission_no"]) or fields["admission_no"].startswith("."):
            raise CounterProblem("admission_no", fields["admission_no"][:20])
        for row in self._rows:
            if row["session_id"] != fields["session_id"]:
                continue
            same_person = row["identity_number"] == fields["identity_number"]
            same_number = row["admission_no"] == fields["admission_no"]
            if same_number and not same_person:
                raise CounterProblem("admission_taken", mask_number(row["admission_no"]))
            if same_person and not replace:
                raise CounterProblem("there_already", mask_number(row["admission_no"]))

    def add(self, entry: Entry, *, replace: bool = False) -> None:
        """Files first, then the table in one step: a power cut leaves the old roster or the new.

        Raises `CounterProblem`, `OSError`.
        """
        fields = dict(entry.fields)
        self.check(fields, replace)
        name = fields["admission_no"]
        photo = f"photos/{name}.jpg"
        self._write(photo, entry.photo)
        files = {f: f"templates/{name}-{f}.dat" for f in entry.templates}
        for finger, file in files.items():
            self._write(file, entry.templates[finger])
        row = fields | {
            "photo": photo,
            "templates": ";".join(files.values()),
            "template_format": entry.template_format if files else "",
            "fingers": ";".join(files),
        }
        key = (fields["session_id"], fields["identity_number"])
        kept = [r for r in self._rows if (r["session_id"], r["identity_number"]) != key]
        rows = [*kept, {column: row.get(column, "") for column in COLUMNS}]
        out = io.StringIO(newline="")
        writer = csv.DictWriter(out, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
        self._write(TABLE, ("\ufeff" + out.getvalue()).encode())
        self._rows = rows

    def _read(self) -> list[dict[str, str]]:
        file = self.path / TABLE
        try:
            text = file.read_text(encoding="utf-8-sig")
        except FileNotFoundError:
            return []
        except (OSError, UnicodeDecodeError) as error:
            raise CounterProblem("table_unreadable", f"{file}: {error}") from error
        reader = csv.DictReader(io.StringIO(text, newline=""))
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise CounterProblem("other_table", str(file))
        rows = list(reader)
        if any(None in row or None in row.values() for row in rows):
            raise CounterProblem("other_table", str(file))
        return rows

    def _write(self, name: str, data: bytes) -> None:
        file = self.path / name
        for folder in (self.path, file.parent):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(file, data)
