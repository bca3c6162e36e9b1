"""Warnings to the proctor: each raised once, kept until a person has acknowledged it, both
journalled.

Knows what they are called, not when they are due.
"""

from __future__ import annotations

import json
from typing import Any

from kiosk.core.codes import JournalKind, WarningCode
from kiosk.core.types import mask_name
from kiosk.store.base import Base
from kiosk.store.errors import StoreRefused


class Warnings(Base):
    def raise_warning(
        self,
        what: WarningCode,
        key: str,
        *,
        session_id: str | None = None,
        pseudonym: str | None = None,
        terminal: str | None = None,
        args: dict[str, Any] | None = None,
    ) -> int | None:
        """One transaction with its entry. `key`: what it is about; the same once more is none."""
        if self._row("select 1 from warnings where what = ? and key = ?", what.value, key):
            return None
        about = args or {}
        with self._transaction():
            cursor = self._db.execute(
                "insert into warnings (what, key, at, session_id, pseudonym, terminal, args)"
                " values (?, ?, ?, ?, ?, ?, ?)",
                [what.value, key, self._now(), session_id, pseudonym, terminal, json.dumps(about)],
            )
            warning_id = int(cursor.lastrowid or 0)
            self._note(
                JournalKind.WARNING_RAISED,
                session_id=session_id,
                pseudonym=pseudonym,
                terminal=terminal,
                payload={"warning": warning_id, "what": what.value, "about": key} | about,
            )
        return warning_id

    def acknowledge_warning(self, warning_id: int, person: str, note: str = "") -> None:
        """Somebody has seen it. Raises `StoreRefused` for an unknown one, or the second time."""
        row = self._row(
            "select acknowledged_by, session_id, pseudonym, what from warnings"
            " where warning_id = ?",
            warning_id,
        )
        if row is None:
            raise StoreRefused(f"there is no warning {warning_id}")
        if row[0] is not None:
            raise StoreRefused(f"warning {warning_id} has been acknowledged already")
        with self._transaction():
            self._db.execute(
                "update warnings set acknowledged_by = ?, acknowledged_at = ?"
                " where warning_id = ?",
                [person, self._now(), warning_id],
            )
            self._note(
                JournalKind.WARNING_ACKNOWLEDGED,
                session_id=row[1],
                pseudonym=row[2],
                payload={"warning": warning_id, "what": row[3], "note": note, "person": person},
            )

    def open_warnings(self) -> list[dict[str, Any]]:
        """What nobody has acknowledged, newest first; whom it is about is masked."""
        rows = self._rows(
            "select warning_id, what, w.at, w.session_id, terminal, args, name, admission_no"
            " from warnings w left join candidates c on c.session_id = w.session_id"
            " and c.pseudonym = w.pseudonym and c.active"
            " where acknowledged_by is null order by warning_id desc"
        )
        return [
            {
                "warning_id": warning_id,
                "what": what,
                "at": at,
                "session_id": session_id,
                "terminal": terminal,
                "args": json.loads(args),
                "name": mask_name(name) if name else None,
                "admission_no": "…" + number[-4:] if number else None,
            }
            for warning_id, what, at, session_id, terminal, args, name, number in rows
        ]

    def clock_in_doubt(self) -> bool:
        """It was set forward by a day or more, and nobody has acknowledged that."""
        row = self._row(
            "select 1 from warnings where what = ? and acknowledged_by is null"
            " and json_valid(args) and json_extract(args, '$.seconds') >= 86400 limit 1",
            WarningCode.CLOCK_STEPPED.value,
        )
        return row is not None

    def roster_imported_at(self, session_id: str) -> str | None:
        """When the newest row of this session's roster came, ISO."""
        row = self._row(
            "select max(imported_at) from candidates where session_id = ? and active", session_id
        )
        return str(row[0]) if row and row[0] else None
