"""Reads a record file (docs/journal.md, The record) strictly, whatever bytes it has.

Owns the form; what the entries mean is checked elsewhere.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from kiosk.audit.findings import Code, Finding
from kiosk.core.merkle import leaf_hash

FORMAT = "examgate-record/1"
MAX_BYTES = 1 << 30
_HEX = re.compile(r"[0-9a-f]{64}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00", re.ASCII)
_ENTRY_KEYS = {
    "seq", "at", "monotonic", "kind", "reason", "session_id", "pseudonym", "terminal", "payload",
}  # fmt: skip
_HEADER_KEYS = {
    "format", "origin", "vkey", "session_id", "first", "entries", "checkpoints", "peaks", "earlier",
}  # fmt: skip
_TEXTS = ("reason", "session_id", "pseudonym", "terminal")


class BadRecord(Exception):
    """The file is not a record; `finding` says where and why."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.sentence("en"))
        self.finding = finding


@dataclass(frozen=True, slots=True)
class Entry:
    seq: int
    at: str
    kind: str
    reason: str | None
    session_id: str | None
    pseudonym: str | None
    terminal: str | None
    payload: dict[str, Any]
    leaf: bytes  #: of the bytes in the file


@dataclass(frozen=True, slots=True)
class SignedHead:
    line: int
    note: str


@dataclass(frozen=True, slots=True)
class Earlier:
    note: str
    proof: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Record:
    origin: str
    vkey: str
    session_id: str
    first: int  #: `seq` that the first entry should have
    peaks: tuple[bytes, ...]
    earlier: Earlier | None
    entries: tuple[Entry, ...]
    leaves: tuple[bytes, ...]  #: as the file says; not those of `entries` when one was changed
    heads: tuple[SignedHead, ...]

    @property
    def last(self) -> int:
        return self.first + len(self.entries) - 1


def read_record(path: Path) -> Record:
    """Raises `BadRecord`."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise BadRecord(_bad("not_a_record", why="larger than 1 GiB"))
        text = path.read_bytes().decode()
    except OSError as error:
        raise BadRecord(_bad("unreadable", why=str(error.strerror))) from error
    except UnicodeDecodeError as error:
        raise BadRecord(_bad("not_a_record", why=f"byte {error.start} is not UTF-8")) from error
    return parse_record(text)


def parse_record(text: str) -> Record:
    """Raises `BadRecord`."""
    lines = text.split("\n")
    if lines.pop() != "":
        raise BadRecord(_bad("line_form", line=len(lines) + 1, why="has no end"))
    header = _object(lines[0] if lines else "", 1)
    if header.get("format") != FORMAT:
        raise BadRecord(_bad("not_a_record", why=f"its first line does not say {FORMAT}"))
    with _Line(1):
        _exactly(header, _HEADER_KEYS)
        count, head_count = _count(header, "entries"), _count(header, "checkpoints")
        first = _count(header, "first")
        origin, vkey = _text(header, "origin"), _text(header, "vkey")
        session_id = _text(header, "session_id")
        peaks = read_hashes(header.get("peaks"))
        earlier = _earlier(header.get("earlier"))
    if len(lines) != 2 + count + head_count or count < 1:
        expected = 2 + count + head_count
        raise BadRecord(_bad("line_counts", expected=expected, found=len(lines)))
    entries = tuple(_entry(line, n) for n, line in enumerate(lines[1 : 1 + count], 2))
    with _Line(2 + count):
        hashes = _object(lines[1 + count], 2 + count)
        _exactly(hashes, {"leaves"})
        leaves = read_hashes(hashes["leaves"])
        if len(leaves) != count:
            raise ValueError(f"{len(leaves)} leaves for {count} entries")
    heads = tuple(_heads(lines[2 + count :], 3 + count))
    return Record(origin, vkey, session_id, first, peaks, earlier, entries, leaves, heads)


def parse_json(text: str) -> Any:
    """JSON as the record has it: no key twice, no NaN. Raises `ValueError`."""
    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def moment(text: str) -> datetime:
    """A time in the one form that the journal has. Raises `ValueError`."""
    if not _TIME.fullmatch(text):
        raise ValueError("at is not a time in UTC")
    return datetime.fromisoformat(text)


def _bad(what: str, **args: Any) -> Finding:
    return Finding(Code.FORM, 0, what, args)


class _Line:
    """Turns what is wrong inside into a `BadRecord` that names the line."""

    def __init__(self, line: int) -> None:
        self._line = line

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, ValueError):
            raise BadRecord(_bad("line_form", line=self._line, why=str(error))) from error


def _object(text: str, line: int) -> dict[str, Any]:
    with _Line(line):
        found = parse_json(text)
        if not isinstance(found, dict):
            raise ValueError("is not a JSON object")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("has a key twice")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number")


def _exactly(values: dict[str, Any], keys: set[str]) -> None:
    if set(values) != keys:
        wrong = ", ".join(sorted(set(values) ^ keys))[:80]
        raise ValueError(f"keys are missing or too many: {wrong}")


def _count(values: dict[str, Any], key: str) -> int:
    value = values.get(key)
    if type(value) is not int or value < 0:
        raise ValueError(f"{key} is not a number from 0")
    return value


def _text(values: dict[str, Any], key: str) -> str:
    value = values.get(key)
    if not isinstance(value, str):
        raise ValueError(f"{key} is not a text")
    return value


def read_hashes(value: Any) -> tuple[bytes, ...]:
    """A JSON list of hashes in hex. Raises `ValueError`."""
    if not isinstance(value, list) or not all(
        isinstance(v, str) and _HEX.fullmatch(v) for v in value
    ):
        raise ValueError("hashes are not lists of 64 hexadecimal digits")
    return tuple(bytes.fromhex(v) for v in value)


def _earlier(value: Any) -> Earlier | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise ValueError("earlier is neither null nor an object")
    _exactly(value, {"note", "proof"})
    return Earlier(_text(value, "note"), read_hashes(value.get("proof")))


def _entry(text: str, line: int) -> Entry:
    body = _object(text, line)
    with _Line(line):
        _exactly(body, _ENTRY_KEYS)
        seq, monotonic = _count(body, "seq"), body["monotonic"]
        if type(monotonic) not in (int, float):
            raise ValueError("monotonic is not a number")
        for key in _TEXTS:
            if body[key] is not None and not isinstance(body[key], str):
                raise ValueError(f"{key} is neither text nor null")
        if not isinstance(body["payload"], dict):
            raise ValueError("payload is not an object")
        at, kind = _text(body, "at"), _text(body, "kind")
    return Entry(
        seq=seq,
        at=at,
        kind=kind,
        reason=body["reason"],
        session_id=body["session_id"],
        pseudonym=body["pseudonym"],
        terminal=body["terminal"],
        payload=body["payload"],
        leaf=leaf_hash(text.encode()),
    )


def _heads(lines: list[str], line: int) -> Iterator[SignedHead]:
    for number, text in enumerate(lines, line):
        with _Line(number):
            head = _object(text, number)
            _exactly(head, {"at", "note"})
            moment(_text(head, "at"))
            yield SignedHead(number, _text(head, "note"))
