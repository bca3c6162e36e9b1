"""The lane's database: one file, one writer, WAL with synchronous=FULL.

Opens, locks, copies and migrates it; the tables are its parts' (sessions, roster, visits,
faces, staff, journal, outbox).
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import sqlite3
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from sqlite_utils import Database

from kiosk.clock import Clock
from kiosk.core.codes import JournalKind, Reason
from kiosk.core.types import Session
from kiosk.store.base import iso
from kiosk.store.booked import Booked
from kiosk.store.captures import Captures
from kiosk.store.departures import ENDS_OF_RELEASE, Departures
from kiosk.store.errors import StoreError, StoreLocked
from kiosk.store.faces import Faces
from kiosk.store.heads import ANCHOR
from kiosk.store.help import Help
from kiosk.store.journal import Entry, Journal
from kiosk.store.migrations import migrate, pending
from kiosk.store.outbox import Outbox
from kiosk.store.people import People
from kiosk.store.receipts import Receipts
from kiosk.store.record import Records
from kiosk.store.retention import Retention
from kiosk.store.roster import Roster
from kiosk.store.rotation import finish_rotation, rotated
from kiosk.store.signatures import Signatures
from kiosk.store.signer import Signer, signing_key_file
from kiosk.store.staff import Staff
from kiosk.store.vault import Vault, make_key_file, read_key_file
from kiosk.store.warnings import Warnings
from kiosk.told import Told

FILE = "lane.db"
KEYS = "keys"  #: the sessions' secrets
BACKUPS = "backups"  #: copies made before a migration
#: gate events after which it stands open, and in what
RELEASES = {"fire_on": "fire", "emergency_release": "fire", "drill_on": "drill"}


class Store(
    Retention, Departures, Signatures, Roster, People, Booked, Faces, Captures, Outbox, Receipts,
    Records, Staff, Warnings, Help,
):  # fmt: skip
    """Use `Store.open`. Not thread-safe: one owner, one thread."""

    def __init__(
        self,
        data_dir: Path,
        database: Database,
        vault: Vault,
        signer: Signer,
        clock: Clock,
        lock: IO[str],
    ) -> None:
        self._data_dir = data_dir
        self._db = database
        self._vault = vault
        self._signer = signer
        self._anchor = data_dir / ANCHOR
        self._backups = data_dir / BACKUPS
        self._clock = clock
        self._journal = Journal(database, clock)
        self._lock: IO[str] | None = lock

    @classmethod
    def open(cls, data_dir: Path, key_file: Path, clock: Clock, origin: str = "examgate") -> Store:
        """Lock, check, copy and migrate where needed. Raises `StoreError` with plain sentences.

        `origin`: the journal's name in its signed heads; it keeps the one it has. A database
        that was put back is found here and journalled (kiosk.store.heads).
        """
        read_key_file(key_file)
        try:
            data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise StoreError(f"{data_dir}: cannot be created ({error.strerror})") from error
        lock = _lock(data_dir / (FILE + ".lock"))
        try:
            database = _connect(data_dir / FILE)
            try:
                _bring_up_to_date(database, data_dir, clock)
                key = finish_rotation(database, data_dir / KEYS, key_file)
                vault = Vault(database, key, data_dir / KEYS)
                vault.check()
                _strengthen(database, vault)
                signer = _signer(database, signing_key_file(key_file), origin)
                store = cls(data_dir, database, vault, signer, clock, lock)
                store._compare_with_anchor()
                return store
            except BaseException:
                database.conn.close()
                raise
        except BaseException:
            lock.close()
            raise

    def close(self) -> None:
        """Give the writer's lock back. Twice is harmless."""
        if self._lock is not None:
            self._db.conn.close()
            self._lock.close()
            self._lock = None

    def journal(
        self,
        kind: JournalKind,
        reason: Reason | None = None,
        *,
        session_id: str | None = None,
        pseudonym: str | None = None,
        terminal: str | None = None,
        payload: dict[str, Any] | None = None,
    ) -> Entry:
        """One entry in a transaction of its own; on disk when it returns."""
        with self._transaction():
            return self._note(
                kind,
                reason,
                session_id=session_id,
                pseudonym=pseudonym,
                terminal=terminal,
                payload=payload,
            )

    def rotate_key(self, key_file: Path, person: str) -> int:
        """Another lane key: every session's key is wrapped anew. Returns how many.

        The old key is gone afterwards; what it had wrapped cannot be opened with it any more. This
        store must then be closed. Raises `StoreError`; then everything is as it was.
        """
        with rotated(key_file) as new_key, self._transaction():
            count = self._vault.rewrap(new_key)
            self._note(JournalKind.KEY_ROTATED, payload={"keys": count, "person": person})
        self._vault.forget()
        return count

    def unfinished_trial(self) -> tuple[str | None, dict[str, Any]] | None:
        """Session and payload of a pulse by hand that was asked for and never got its result."""
        last = self._journal.last_trial()
        return last if last is not None and last[1].get("result") == "asked" else None

    def release_that_lasts(self) -> str | None:
        """As journalled: what nobody has ended, `fire` or `drill`. Raises `StoreError` if
        damaged."""
        try:
            last = self._journal.last_gate_event((*RELEASES, *ENDS_OF_RELEASE.values()))
        except sqlite3.Error as error:
            raise StoreError("the journal cannot be searched for a release") from error
        return RELEASES.get(last or "")

    def entries(self, after: int, limit: int, session_id: str | None = None) -> list[Entry]:
        """Entries with seq > `after`, oldest first. Raises `StoreError` when one is damaged."""
        try:
            return self._journal.entries(after, limit, session_id)
        except (sqlite3.Error, ValueError, KeyError, TypeError) as error:
            raise StoreError(
                "the journal has an entry that cannot be read; examgate journal verify names it"
            ) from error

    def open_session(
        self, session_id: str, person: str, policy: dict[str, Any] | None = None
    ) -> Session:
        """As in `Sessions`, and signed."""
        session = super().open_session(session_id, person, policy)
        self.sign_head()
        return session

    def close_session(self, session_id: str, person: str) -> Session:
        """As in `Sessions`, and signed."""
        session = super().close_session(session_id, person)
        self.sign_head()
        return session

    def tree_head(self) -> tuple[int, str]:
        """Number of entries and the root over them, hex."""
        return self._journal.head()

    def last_entry_at(self) -> datetime | None:
        return self._journal.last_at()

    def writable_check(self) -> None:
        """Really write and sync something. Raises `StoreError` when evidence cannot be kept."""
        with self._transaction():
            self._db.execute("insert or replace into scratch values (1, ?)", [self._now()])

    def free_mb(self) -> int:
        return shutil.disk_usage(self._data_dir).free // (1024 * 1024)


def _signer(database: Database, path: Path, origin: str) -> Signer:
    """The lane's signing key; made where nothing has been signed yet.

    A lane or hall that is renamed later goes on with the journal's first name: it is one journal.
    """
    query = "select note from checkpoints order by size limit 1"
    first = database.execute(query).fetchone()
    if first is not None:
        return Signer.load(path, str(first[0]).partition("\n")[0])
    if not path.exists():
        make_key_file(path)
    return Signer.load(path, origin)


def _lock(path: Path) -> IO[str]:
    try:
        handle = open(path, "a+")  # noqa: SIM115 - held as long as the store is open
    except OSError as error:
        raise StoreError(f"{path}: cannot be written ({error.strerror})") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        handle.seek(0)
        owner = handle.read().strip() or "unknown"
        handle.close()
        raise StoreLocked(Told(
            f"{path.parent / FILE} is in use by process {owner}: the daemon is running, or a "
            "command that writes; stop it first (sudo systemctl stop examgate)",
            f"{path.parent / FILE} 正被进程 {owner} 使用：服务或另一个写入命令在运行；"
            "请先停止（sudo systemctl stop examgate）",
        )) from None  # fmt: skip
    handle.truncate(0)
    handle.write(str(os.getpid()))
    handle.flush()
    return handle


def _connect(path: Path) -> Database:
    try:
        # isolation_level None: transactions are begun and ended by us alone
        connection = sqlite3.connect(path, isolation_level=None)
    except sqlite3.Error as error:
        raise _unusable(path, str(error)) from error
    try:
        os.chmod(path, 0o600)
        for pragma in (
            "journal_mode = wal",
            "synchronous = full",
            "foreign_keys = on",
            "secure_delete = on",
            "busy_timeout = 2000",
        ):
            connection.execute(f"pragma {pragma}")
        broken = [row[0] for row in connection.execute("pragma quick_check(3)")]
    except (sqlite3.Error, OSError) as error:
        connection.close()
        raise _unusable(path, str(error)) from error
    if broken != ["ok"]:
        connection.close()
        raise _unusable(path, "; ".join(broken))
    return Database(connection)


def _strengthen(database: Database, vault: Vault) -> None:
    """Keys of an earlier version: afterwards no page has them as they were."""
    database.execute("begin immediate")
    try:
        changed = vault.strengthen()
        database.execute("commit")
    except BaseException:
        database.execute("rollback")
        raise
    if changed:
        database.execute("pragma wal_checkpoint(truncate)")


def _unusable(path: Path, why: str) -> StoreError:
    return StoreError(Told(
        f"{path}: is not a usable database, or is damaged ({why}); keep the file for the centre "
        f"and restore a copy from {path.parent / BACKUPS}",
        f"{path}：不是可用的数据库，或已损坏（{why}）；请把文件留给中心，"
        f"并从 {path.parent / BACKUPS} 恢复备份",
    ))  # fmt: skip


def _bring_up_to_date(database: Database, data_dir: Path, clock: Clock) -> None:
    """Copy an existing database aside, then migrate it."""
    try:
        todo = pending(database)
        if todo and database.table_names():
            backups = data_dir / BACKUPS
            backups.mkdir(exist_ok=True, mode=0o700)
            name = f"before-{todo[0][0]}-{clock.now():%Y%m%dT%H%M%S}.db"
            (backups / name).touch(mode=0o600)
            with contextlib.closing(sqlite3.connect(backups / name)) as copy:
                database.conn.backup(copy)
        migrate(database, iso(clock.now()))
    except (sqlite3.Error, OSError) as error:
        raise StoreError(f"the database cannot be migrated: {error}") from error
