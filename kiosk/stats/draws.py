"""Draws out of records: each with the pool it was made from, by venue and session.

Reads; judges nothing. Whether a record is sound is `examgate audit`'s question.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from kiosk.audit.record import FORMAT, BadRecord, read_record

MAX_BYTES = 1 << 30


class Unreadable(Exception):
    """A file that has no draws to give; the sentences say why."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.said = {"en": en, "zh": zh}

    def of(self, path: Path) -> Unreadable:
        """The same with the file's name."""
        return Unreadable(f"{path}: {self.said['en']}", f"{path}：{self.said['zh']}")


@dataclass(frozen=True, slots=True)
class Seat:
    """Where a terminal stands."""

    position: int  #: in the hall's order, from 0
    row: int | None = None  #: row 1 is in front
    column: int | None = None


@dataclass(frozen=True, slots=True)
class Drawn:
    draw_no: int
    terminal: str
    index: int  #: place of the terminal in the pool, from 0
    pool: tuple[str, ...]


@dataclass(slots=True)
class SessionDraws:
    """One session's draws in their order, voided ones too: they were drawn all the same."""

    venue: str
    session_id: str
    seats: dict[str, Seat]
    draws: list[Drawn] = field(default_factory=list)


def from_entries(entries: Iterable[Mapping[str, Any]], venue: str) -> list[SessionDraws]:
    """Sessions in the order of their opening. Entries have at least `kind`, `session_id`,
    `terminal`, `payload`, `seq`. Raises `Unreadable`."""
    found: dict[str, SessionDraws] = {}
    for entry in entries:
        kind, session_id, p = entry.get("kind"), entry.get("session_id"), entry.get("payload")
        if kind not in ("session_opened", "seat_drawn"):
            continue
        try:
            if kind == "session_opened":
                found[str(session_id)] = SessionDraws(venue, str(session_id), _seats(p))
            elif session_id in found:
                found[session_id].draws.append(_drawn(entry["terminal"], p))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise Unreadable(
                f"entry {entry.get('seq')} ({kind}): {error}",
                f"第 {entry.get('seq')} 条（{kind}）：{error}",
            ) from error
    return [session for session in found.values() if session.draws]


def _seats(payload: Any) -> dict[str, Seat]:
    """From `session_opened`; version 1 has names alone, in the hall's order."""
    seats = {}
    for n, terminal in enumerate(payload["terminals"]):
        if isinstance(terminal, str):
            seats[terminal] = Seat(n)
        else:
            place = terminal.get("row"), terminal.get("column")
            seats[str(terminal["name"])] = Seat(int(terminal["position"]), *place)
    return seats


def _drawn(terminal: str, payload: Any) -> Drawn:
    pool = tuple(payload.get("pool") or payload["free"])
    index = int(payload["index"])
    if not 0 <= index < len(pool) or pool[index] != terminal:
        raise ValueError(f"terminal {terminal} is not number {index} of its pool")
    return Drawn(int(payload["draw_no"]), terminal, index, pool)


def read_files(paths: Iterable[Path]) -> list[SessionDraws]:
    """Records and journal exports. A session that several files have counts once.

    Raises `Unreadable` naming the file.
    """
    found: dict[tuple[str, str], SessionDraws] = {}
    for path in paths:
        try:
            for session in _read_file(path):
                known = found.get((session.venue, session.session_id))
                if known is None or len(known.draws) < len(session.draws):
                    found[session.venue, session.session_id] = session
        except Unreadable as error:
            raise error.of(path) from error
        except BadRecord as bad:
            en, zh = bad.finding.sentence("en"), bad.finding.sentence("zh")
            raise Unreadable(f"{path}: {en}", f"{path}：{zh}") from bad
    return list(found.values())


def _read_file(path: Path) -> list[SessionDraws]:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise Unreadable("larger than 1 GiB", "大于 1 GiB")
        with path.open(encoding="utf-8") as file:
            first = file.readline(10_000)
            if f'"{FORMAT}"' in first:
                record = read_record(path)
                entries = [
                    {"seq": e.seq, "kind": e.kind, "session_id": e.session_id,
                     "terminal": e.terminal, "payload": e.payload}
                    for e in record.entries
                ]  # fmt: skip
                return from_entries(entries, venue_of(record.origin))
            file.seek(0)
            return from_entries(_lines(file), path.stem)
    except (OSError, UnicodeDecodeError) as error:
        if isinstance(error, FileNotFoundError):
            raise Unreadable("there is no such file", "没有这个文件") from error
        why = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise Unreadable(f"cannot be read ({why})", f"读不出来（{why}）") from error


def _lines(file: Iterable[str]) -> Iterable[dict[str, Any]]:
    """A journal export: one entry a line."""
    for n, line in enumerate(file, 1):
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise _no_entry(n) from error
        if not isinstance(entry, dict) or "kind" not in entry:
            raise _no_entry(n)
        yield entry


def venue_of(origin: str) -> str:
    """examgate/KM1/A → KM1."""
    parts = origin.split("/")
    return unquote(parts[1]) if len(parts) == 3 else origin


def _no_entry(line: int) -> Unreadable:
    return Unreadable(
        f"line {line} is not an entry of a journal or record", f"第 {line} 行不是日志或记录的条目"
    )
