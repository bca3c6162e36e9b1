"""A roster folder or table, checked row by row: every problem in one pass, by line and field.

Reads files and asks an injected function about faces; stores nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from kiosk.centre.problems import Problem, mask_number
from kiosk.centre.table import Line, find_csv, read_table
from kiosk.core import idnumber

LICENCE_CLASSES = frozenset(
    ["A1", "A2", "A3", "B1", "B2", "C1", "C2", "C3", "C4", "C5", "C6", "D", "E", "F", "M", "N", "P"]
)
TEMPLATE_BYTES = 512
MAX_TEMPLATES = 10
MAX_PHOTO_BYTES = 20 * 1024 * 1024
MAX_TEXT = 64
#: Two pictures of one person are usually nearer than this, two people hardly ever: docs/face.md
SAME_FACE_MAX_DISTANCE = 0.35
_SESSION_ID = re.compile(r"[\w.\-]{1,64}")

Progress = Callable[[str, int, int], None]  #: stage, done, of


class _Enrolled(Protocol):
    """What the face engine makes of a photograph."""

    @property
    def embedding(self) -> tuple[float, ...]: ...

    @property
    def encoder(self) -> str: ...


EnrolMany = Callable[[Sequence[bytes], int, Callable[[int], None]], Sequence[Any]]


@dataclass(slots=True)
class Prepared:
    """Rows without any problem, as docs/wire.md has them (photo and templates as bytes)."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


@dataclass(slots=True)
class _Row:
    line: Line
    photo: bytes = b""
    templates: list[bytes] = field(default_factory=list)
    enrolled: _Enrolled | None = None
    ok: bool = True


def prepare(
    path: Path,
    *,
    enrol_many: EnrolMany,
    workers: int = 2,
    progress: Progress = lambda stage, done, of: None,
    same_face_max_distance: float = SAME_FACE_MAX_DISTANCE,
) -> Prepared:
    """Read and check everything. Problems name file, line, field, value; rows are those without."""
    return _Check(path, enrol_many, workers, progress, same_face_max_distance).run()


class _Check:
    def __init__(
        self, path: Path, enrol_many: EnrolMany, workers: int, progress: Progress, same_face: float
    ) -> None:
        self._path = path
        self._enrol_many = enrol_many
        self._workers = workers
        self._progress = progress
        self._same_face = same_face
        self._problems: list[Problem] = []
        self._rows: list[_Row] = []
        self._file = ""
        self._folder = path

    def run(self) -> Prepared:
        table = find_csv(self._path)
        if isinstance(table, Problem):
            return Prepared(problems=[table])
        self._file, self._folder = table.name, table.parent.resolve()
        lines, self._problems = read_table(table)
        self._rows = [_Row(line) for line in lines]
        for n, row in enumerate(self._rows, 1):
            self._check_texts(row)
            self._read_files(row)
            self._progress("files", n, len(self._rows))
        self._check_duplicates()
        self._check_faces()
        self._check_same_face()
        self._problems.sort(key=lambda p: p.line)
        return Prepared([_wire(row) for row in self._rows if row.ok], self._problems)

    def _report(self, row: _Row, name: str, code: str, value: str = "", detail: str = "") -> None:
        row.ok = False
        self._problems.append(Problem(self._file, row.line.number, name, value, code, detail))

    # --- texts --------------------------------------------------------------------------------------

    def _check_texts(self, row: _Row) -> None:
        fields = row.line.fields
        for name, value in fields.items():
            shown = mask_number(value) if name in ("identity_number", "admission_no") else value
            if not value:
                if name != "templates":
                    self._report(row, name, "empty")
            elif any(unicodedata.category(c) == "Cc" for c in value):
                self._report(row, name, "control", ascii(shown))
            elif len(value) > MAX_TEXT and name not in ("photo", "templates"):
                self._report(row, name, "too_long", shown[:20] + "…")
        number = fields["identity_number"] = fields["identity_number"].upper()
        if number and (code := idnumber.problem(number)):
            self._report(row, "identity_number", code, mask_number(number))
        licence = fields["licence_class"] = fields["licence_class"].upper()
        if licence and licence not in LICENCE_CLASSES:
            self._report(row, "licence_class", "licence_class", licence)
        if fields["session_id"] and not _SESSION_ID.fullmatch(fields["session_id"]):
            self._report(row, "session_id", "session_id", fields["session_id"])

    def _check_duplicates(self) -> None:
        kinds = (("identity_number", "duplicate_number"), ("admission_no", "duplicate_admission"))
        for name, code in kinds:
            groups: dict[tuple[str, str], list[_Row]] = defaultdict(list)
            for row in self._rows:
                if value := row.line.fields[name]:
                    groups[row.line.fields["session_id"], value].append(row)
            for (_, value), rows in groups.items():
                for row in rows if len(rows) > 1 else ():
                    others = ", ".join(str(r.line.number) for r in rows if r is not row)
                    self._report(row, name, code, mask_number(value), f"line {others}")

    # --- files --------------------------------------------------------------------------------------

    def _read_files(self, row: _Row) -> None:
        fields = row.line.fields
        if fields["photo"]:
            row.photo = self._read(row, "photo", fields["photo"], MAX_PHOTO_BYTES) or b""
        names = [n.strip() for n in re.split(r"[;；|]", fields.get("templates", "")) if n.strip()]
        for name in names[:MAX_TEMPLATES]:
            data = self._read(row, "templates", name, MAX_PHOTO_BYTES)
            if data is None:
                continue
            if len(data) != TEMPLATE_BYTES:
                self._report(row, "templates", "template_size", name, f"{len(data)} bytes")
            row.templates.append(data)

    def _read(self, row: _Row, field_name: str, name: str, limit: int) -> bytes | None:
        path = (self._folder / name.replace("\\", "/")).resolve()
        if not path.is_relative_to(self._folder):
            self._report(row, field_name, "file_outside", name)
            return None
        try:
            if path.stat().st_size > limit:
                self._report(row, field_name, "file_too_big", name)
                return None
            return path.read_bytes()
        except OSError as error:
            self._report(row, field_name, "file_missing", name, error.strerror or "")
            return None

    # --- faces --------------------------------------------------------------------------------------

    def _check_faces(self) -> None:
        with_photo = [row for row in self._rows if row.photo]
        self._progress("faces", 0, len(with_photo))
        results = self._enrol_many(
            [row.photo for row in with_photo],
            self._workers,
            lambda done: self._progress("faces", done, len(with_photo)),
        )
        for row, result in zip(with_photo, results, strict=True):
            if isinstance(result, Exception):
                code = str(getattr(result, "code", "unreadable"))
                numbers = getattr(result, "detail", {})
                detail = ", ".join(f"{k} {v:g}" for k, v in numbers.items())
                self._report(row, "photo", code, row.line.fields["photo"], detail)
            else:
                row.enrolled = result

    def _check_same_face(self) -> None:
        """The same face under two identities is how a substitute would look."""
        rows = [row for row in self._rows if row.enrolled is not None]
        if len(rows) < 2:
            return
        vectors = np.array([r.enrolled.embedding for r in rows if r.enrolled], dtype=np.float32)
        squares = (vectors**2).sum(axis=1)
        for n, row in enumerate(rows):
            rest = vectors[n + 1 :]
            d2 = squares[n] + squares[n + 1 :] - 2 * rest @ vectors[n]
            for k in np.flatnonzero(d2 < self._same_face**2):
                other = rows[n + 1 + int(k)]
                if row.line.fields["identity_number"] != other.line.fields["identity_number"]:
                    distance = f"{float(np.sqrt(max(d2[k], 0))):.2f}"
                    for one, two in ((row, other), (other, row)):
                        self._report(
                            one,
                            "photo",
                            "same_face",
                            one.line.fields["photo"],
                            f"line {two.line.number}, distance {distance}",
                        )


def _wire(row: _Row) -> dict[str, Any]:
    assert row.enrolled is not None
    fields = row.line.fields
    return {
        "session_id": fields["session_id"],
        "admission_no": fields["admission_no"],
        "identity_number": fields["identity_number"],
        "name": fields["name"],
        "licence_class": fields["licence_class"],
        "photo": row.photo,
        "templates": row.templates,
        "embedding": [float(x) for x in row.enrolled.embedding],
        "encoder": row.enrolled.encoder,
    }
