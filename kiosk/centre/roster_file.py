"""A roster folder or table, checked row by row: every problem in one pass, by line and field.

Reads files and asks an injected function about faces; stores nothing.
"""

from __future__ import annotations

import base64
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from kiosk.centre import files
from kiosk.centre.files import MAX_PHOTO_BYTES, FileProblem
from kiosk.centre.likeness import alike
from kiosk.centre.problems import TEXTS, Problem, mask_digits, mask_number, measured
from kiosk.centre.table import OPTIONAL, Line, find_table, read_table
from kiosk.core import fingers, idnumber
from kiosk.core.hall import LICENCE_CLASSES
from kiosk.core.types import mask_name
from kiosk.told import Told

_YES = frozenset(["是", "需要", "yes", "y", "true", "1"])
_NO = frozenset(["", "否", "不需要", "no", "n", "false", "0"])
MAX_TEMPLATES = 10
MAX_TEXT = 64
#: Photographs held at a time while faces are looked for, in bytes.
CHUNK_BYTES = 64 * 1024 * 1024
#: Two pictures of one person are 0.3 to 0.5 apart, two people hardly ever nearer: docs/roster.md
SAME_FACE_MAX_DISTANCE = 0.35
_SESSION_ID = re.compile(r"[\w.\-]{1,64}")
_SEPARATORS = re.compile(r"[;；|]")
_INVISIBLE = {"Cc", "Cf", "Zl", "Zp"}  #: Unicode categories that no name is written with

Progress = Callable[[str, int, int], None]  #: stage ("files" or "faces"), done, of


class Enrolled(Protocol):
    """What the face engine makes of a photograph."""

    @property
    def embedding(self) -> tuple[float, ...]: ...

    @property
    def encoder(self) -> str: ...

    @property
    def quarter_turns(self) -> int:
        """Clockwise, after its EXIF: so the photograph is upright."""


class EnrolMany(Protocol):
    """The face engine: one result a photograph, in order; an exception has `code`, `detail`."""

    def __call__(
        self, photos: Sequence[bytes], workers: int, progress: Callable[[int], None], /
    ) -> Sequence[Enrolled | Exception]: ...


@dataclass(slots=True)
class Prepared:
    """Rows without any problem, as docs/wire.md has them (photo and templates as bytes).

    `warnings` are about rows that are taken nevertheless: a person should look at them.
    """

    rows: list[dict[str, Any]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)


@dataclass(slots=True)
class _Row:
    line: Line
    photo: Path | None = None
    stored: bytes = b""
    templates: list[bytes] = field(default_factory=list)
    template_format: str = fingers.ZFM
    fingers: list[int] = field(default_factory=list)
    enrolled: Enrolled | None = None
    ok: bool = True


def prepare(
    path: Path,
    *,
    enrol_many: EnrolMany,
    workers: int = 2,
    progress: Progress = lambda stage, done, of: None,
    same_face_max_distance: float | None = SAME_FACE_MAX_DISTANCE,
) -> Prepared:
    """Read and check everything. Problems name file, line, field, value; rows are those without.

    `same_face_max_distance`: the same face under two numbers is a warning at or below it; None
    looks for none. At most `CHUNK_BYTES` of photographs are in memory beside the small ones of
    the result.
    """
    table = find_table(path)
    if isinstance(table, Problem):
        return Prepared(problems=[table])
    lines, problems = read_table(table)
    check = _Check(table, lines)
    for n, row in enumerate(check.rows, 1):
        check.texts(row)
        check.files(row)
        progress("files", n, len(check.rows))
    check.duplicates()
    check.faces(enrol_many, workers, progress)
    if same_face_max_distance is not None:
        check.same_face(same_face_max_distance)
    found = sorted([*problems, *check.problems], key=lambda p: p.line)
    warnings = sorted(check.warnings, key=lambda p: p.line)
    return Prepared([_wire(row) for row in check.rows if row.ok], found, warnings)


def faults_of(fields: dict[str, str]) -> list[tuple[str, str, str, str]]:
    """What is wrong with a row's texts: (field, code, what is shown of the value, detail).

    Puts identity number and licence class into capitals.
    """
    found: list[tuple[str, str, str, str]] = []
    for name in ("identity_number", "licence_class"):
        fields[name] = fields[name].upper()
    for name, value in fields.items():
        if not value:
            if name not in OPTIONAL:
                found.append((name, "empty", "", ""))
        elif _has_invisible(value):
            found.append((name, "control", ascii(_shown(name, value)), ""))
        elif len(value) > MAX_TEXT and name not in ("photo", "templates", "fingers"):
            found.append((name, "too_long", _shown(name, value)[:20], f"{len(value)}"))
    number, licence = fields["identity_number"], fields["licence_class"]
    session_id, accessible = fields["session_id"], fields.get("accessible", "")
    if number and (code := idnumber.problem(number)):
        found.append(("identity_number", code, mask_number(number), ""))
    if licence and licence not in LICENCE_CLASSES:
        found.append(("licence_class", "licence_class", licence[:20], ""))
    if accessible.lower() not in _YES | _NO:
        found.append(("accessible", "yes_or_no", accessible[:20], ""))
    if session_id and not _SESSION_ID.fullmatch(session_id):
        found.append(("session_id", "session_id", session_id[:20], ""))
    return found


class _Check:
    def __init__(self, table: Path, lines: Sequence[Line]) -> None:
        self._file = table.name
        self._folder = table.parent.resolve()
        self.rows = [_Row(line) for line in lines]
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []

    def _report(self, row: _Row, name: str, code: str, value: str = "", detail: str = "") -> None:
        row.ok = False
        known = code if code in TEXTS else "unreadable"
        file = row.line.sheet or self._file
        self.problems.append(Problem(file, row.line.number, name, value, known, detail))

    # --- texts ----------------------------------------------------------------------------------

    def texts(self, row: _Row) -> None:
        for name, *about in faults_of(row.line.fields):
            self._report(row, name, *about)

    def duplicates(self) -> None:
        kinds = (("identity_number", "duplicate_number"), ("admission_no", "duplicate_admission"))
        for name, code in kinds:
            groups: dict[tuple[str, str], list[_Row]] = defaultdict(list)
            for row in self.rows:
                if value := row.line.fields[name]:
                    groups[row.line.fields["session_id"], value].append(row)
            for (_, value), rows in groups.items():
                first = rows[0].line.number
                for row in rows if len(rows) > 1 else ():
                    other = first if row is not rows[0] else rows[1].line.number
                    detail = _line(other, "", len(rows) - 2)
                    self._report(row, name, code, mask_number(value), detail)

    # --- files ----------------------------------------------------------------------------------

    def files(self, row: _Row) -> None:
        """Find the photograph, read the templates; a name with control characters is no file."""
        fields = row.line.fields
        photo, templates = fields["photo"], fields.get("templates", "")
        if photo and not _has_invisible(photo):
            try:
                row.photo = files.find(self._folder, photo, MAX_PHOTO_BYTES)
            except FileProblem as problem:
                self._report(row, "photo", problem.code, mask_digits(photo), problem.detail)
        if _has_invisible(templates):
            return
        names = _several(templates)
        row.template_format = fields.get("template_format", "").lower() or fingers.ZFM
        if row.template_format not in fingers.FORMATS:
            self._report(row, "template_format", "template_format", row.template_format[:20])
            return
        if len(names) > MAX_TEMPLATES:
            self._report(row, "templates", "too_many_templates", f"{len(names)}")
        for name in names[:MAX_TEMPLATES]:
            try:
                row.templates.append(
                    files.read_template(self._folder, name, row.template_format)
                )
            except FileProblem as problem:
                self._report(row, "templates", problem.code, mask_digits(name), problem.detail)

        self._fingers(row, len(names))

    def _fingers(self, row: _Row, templates: int) -> None:
        """Which finger each template is of, in the templates' order; or nothing at all."""
        words = _several(row.line.fields.get("fingers", ""))
        if words and len(words) != templates:
            said = f"{len(words)} ≠ {templates}"
            self._report(row, "fingers", "finger_count", said)
            return
        for word in words:
            number = fingers.number_of(word)
            if number is None:
                self._report(row, "fingers", "finger", word[:20])
            else:
                row.fingers.append(number)

    # --- faces ----------------------------------------------------------------------------------

    def faces(self, enrol_many: EnrolMany, workers: int, progress: Progress) -> None:
        of = sum(1 for row in self.rows if row.photo)
        done = 0
        progress("faces", done, of)
        for rows, photos in self._chunks():
            results = enrol_many(photos, workers, _from(done, of, progress))
            for row, photo, result in zip(rows, photos, results, strict=True):
                self._take(row, photo, result)
            done += len(rows)
        progress("faces", of, of)

    def _chunks(self) -> Iterator[tuple[list[_Row], list[bytes]]]:
        rows: list[_Row] = []
        photos: list[bytes] = []
        size = 0
        for row in self.rows:
            if row.photo is None:
                continue
            try:
                photo = files.read(row.photo, MAX_PHOTO_BYTES)
            except FileProblem as problem:
                shown = mask_digits(row.line.fields["photo"])
                self._report(row, "photo", problem.code, shown, problem.detail)
                continue
            if rows and size + len(photo) > CHUNK_BYTES:
                yield rows, photos
                rows, photos, size = [], [], 0
            rows.append(row)
            photos.append(photo)
            size += len(photo)
        if rows:
            yield rows, photos

    def _take(self, row: _Row, photo: bytes, result: Enrolled | Exception) -> None:
        shown = mask_digits(row.line.fields["photo"])
        if isinstance(result, Exception):
            numbers: dict[str, float] = getattr(result, "detail", {})
            code = str(getattr(result, "code", "unreadable"))
            self._report(row, "photo", code, shown, measured(numbers))
            return
        try:
            row.stored = files.as_stored(photo, result.quarter_turns)
        except FileProblem as problem:
            self._report(row, "photo", problem.code, shown, problem.detail)
        row.enrolled = result
        if result.quarter_turns:
            self._warn(row, "turned", f"{90 * result.quarter_turns}°")

    def same_face(self, max_distance: float) -> None:
        """The same face under two identity numbers is how a substitute would look, and how twins
        do: said, not refused. Rows that have a problem anyway are compared as well."""
        rows = [(row, row.enrolled) for row in self.rows if row.enrolled is not None]
        if len(rows) < 2:
            return
        vectors = np.array([enrolled.embedding for _, enrolled in rows], dtype=np.float32)
        numbers = [row.line.fields["identity_number"] for row, _ in rows]
        for found in alike(vectors, numbers, max_distance):
            row, other = rows[found.index][0], rows[found.other][0]
            detail = _line(other.line.number, f"{found.distance:.2f}", found.more)
            self._warn(row, "same_face", detail)

    def _warn(self, row: _Row, code: str, detail: str) -> None:
        shown = mask_digits(row.line.fields["photo"])
        file = row.line.sheet or self._file
        self.warnings.append(Problem(file, row.line.number, "photo", shown, code, detail))


def _line(number: int, distance: str, more: int) -> Told:
    """Where the other row is, how far away its face is, and how many more there are."""
    en, zh = [f"line {number}"], [f"第 {number} 行"]
    if distance:
        en, zh = [*en, f"distance {distance}"], [*zh, f"距离 {distance}"]
    if more > 0:
        en, zh = [*en, f"and {more} more"], [*zh, f"另有 {more} 处"]
    return Told(", ".join(en), "，".join(zh))


def _from(before: int, of: int, progress: Progress) -> Callable[[int], None]:
    return lambda done: progress("faces", before + done, of)


def _several(value: str) -> list[str]:
    return [each.strip() for each in _SEPARATORS.split(value) if each.strip()]


def _has_invisible(text: str) -> bool:
    return any(unicodedata.category(c) in _INVISIBLE for c in text)


def _shown(name: str, value: str) -> str:
    """Enough to find the row by, no more of the person than that needs."""
    if name == "name":
        return mask_name(value)
    return mask_number(value) if name.endswith(("number", "_no")) else mask_digits(value)


def _wire(row: _Row) -> dict[str, Any]:
    assert row.enrolled is not None
    names = ("session_id", "admission_no", "identity_number", "name", "licence_class")
    fields = row.line.fields
    return {name: fields[name] for name in names} | {
        "driving_school": fields.get("driving_school", ""),
        "accessible": fields.get("accessible", "").lower() in _YES,
        "photo": row.stored,
        "templates": row.templates,
        "template_format": row.template_format,
        "fingers": row.fingers,
        "embedding": [float(x) for x in row.enrolled.embedding],
        "encoder": row.enrolled.encoder,
    }


def for_wire(row: dict[str, Any]) -> dict[str, Any]:
    """A prepared row with its bytes as base64 (docs/wire.md, roster rows)."""
    return row | {
        "photo": base64.b64encode(row["photo"]).decode(),
        "templates": [base64.b64encode(t).decode() for t in row["templates"]],
    }
