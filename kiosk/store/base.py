"""What every part of the store shares: the connection, the transaction, the journal's door.

Knows no table but the journal's.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlite_utils import Database

from kiosk.clock import Clock
from kiosk.core.codes import JournalKind, Reason
from kiosk.core.types import Standing
from kiosk.store.errors import StoreError
from kiosk.store.journal import Entry, Journal
from kiosk.store.vault import Vault
from kiosk.told import Told


def iso(moment: datetime) -> str:
    """UTC with microseconds: sorts as text."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def standing_of(terminal: str | None, inside_at: str | None, left_at: str | None) -> Standing:
    """Of somebody on the roster, by the seat that they hold, if they do."""
    if terminal is None:
        return Standing.BOOKED
    if left_at is not None:
        return Standing.LEFT
    return Standing.INSIDE if inside_at is not None else Standing.SEATED


class Base:
    _db: Database
    _vault: Vault
    _clock: Clock
    _journal: Journal

    def _now(self) -> str:
        return iso(self._clock.now())

    def _rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        try:
            return self._db.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise StoreError(
                Told(f"the database cannot be read: {error}", f"数据库无法读取：{error}")
            ) from error

    def _row(self, query: str, *values: Any) -> tuple[Any, ...] | None:
        rows = self._rows(query, *values)
        return rows[0] if rows else None

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """All or nothing, on disk when it returns. SQLite's own errors become `StoreError`."""
        try:
            self._db.execute("begin immediate")
            try:
                yield
                self._db.execute("commit")
            except BaseException:
                self._vault.forget()  # a key made in here is not on disk
                if self._db.conn.in_transaction:
                    self._db.execute("rollback")
                raise
        except sqlite3.Error as error:
            raise StoreError(
                Told(f"the database cannot be written: {error}", f"数据库无法写入：{error}")
            ) from error

    def _note(
        self,
        kind: JournalKind,
        reason: Reason | None = None,
        *,
        session_id: str | None = None,
        pseudonym: str | None = None,
        terminal: str | None = None,
        payload: dict[str, Any] | None = None,
    ) -> Entry:
        """A journal entry inside the running transaction."""
        return self._journal.append(
            kind,
            reason,
            session_id=session_id,
            pseudonym=pseudonym,
            terminal=terminal,
            payload=payload or {},
        )
