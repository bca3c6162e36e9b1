"""A PostgreSQL of its own for tests: on a socket in a temporary folder, gone afterwards; and the
reference receiver on it, which knows the lane of the test's `store`."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest


def _binaries() -> Path | None:
    """Where initdb is: Debian keeps it out of the way, one folder a version."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return versions[-1].parent if versions else None


BINARIES = _binaries()


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    """Gives its connection string. PostgreSQL refuses to be root: then it is `postgres`."""
    assert BINARIES is not None
    folder = Path(tempfile.mkdtemp(prefix="examgate-pg-"))
    who: list[str] = []
    if os.geteuid() == 0:
        user = pwd.getpwnam("postgres")
        os.chown(folder, user.pw_uid, user.pw_gid)
        who = ["runuser", "-u", "postgres", "--"]
    data = str(folder / "data")

    def run(*words: str) -> None:
        done = subprocess.run([*who, *words], capture_output=True, text=True, cwd=folder,
                              timeout=60)  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr

    try:
        run(str(BINARIES / "initdb"), "-D", data, "-U", "examgate", "-A", "trust",
            "--no-sync", "-E", "UTF8", "--locale=C")  # fmt: skip
        options = f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off"
        run(str(BINARIES / "pg_ctl"), "-D", data, "-w", "-l", str(folder / "log"), "-o", options,
            "start")  # fmt: skip
        try:
            yield f"host={folder} user=examgate dbname=postgres"
        finally:
            run(str(BINARIES / "pg_ctl"), "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def database():
    with postgres() as address:
        yield address


@pytest.fixture
def archive(database, store):
    from kiosk.centre import receiver

    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("drop table if exists evidence, checkpoints, entries, logs")
    made = receiver.Archive(database)
    made.trust(store.vkey)
    return made


@pytest.fixture
def url(archive):
    from kiosk.centre import receiver

    server = receiver.serve(archive, "127.0.0.1", 0)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join(5)
    server.server_close()
