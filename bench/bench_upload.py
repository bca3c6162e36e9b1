"""100,000 outbox rows through a way that loses, repeats and reorders: each is stored once.

A real lane's journal and pictures, the real sender, the reference receiver on a PostgreSQL of its
own; at the end every piece of evidence is opened and held against its entry. The peer, in this
run: the same rows inserted by the same client, 500 a transaction, nothing hashed or encrypted.

    python bench/bench_upload.py [--rows N] [--pictures N] [--picture-bytes N]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import given
import psycopg
import pyrage

from kiosk.centre import receiver
from kiosk.centre.download import Access
from kiosk.centre.evidence import open_all
from kiosk.centre.upload import Answer, Sender, Uploader, UploadError
from kiosk.clock import SystemClock
from kiosk.core.codes import JournalKind
from kiosk.store import Store
from kiosk.store.evidence import EvidenceKind
from kiosk.store.outbox import Item
from kiosk.store.signer import signing_key_file
from kiosk.store.vault import make_key_file
from tests.centre.postgres import postgres
from tests.store.conftest import row

HEAD_EVERY = 100


class BadWay:
    """Loses one batch in twenty, and one answer in twenty; repeats and shuffles."""

    def __init__(self, sender: Sender) -> None:
        self._sender, self._chance, self._kept = sender, random.Random(7), list[Item]()
        self.batches = 0

    def send(self, items: list[Item]) -> Answer:
        luck = self._chance.random()
        self.batches += 1
        if luck < 0.05:
            raise UploadError("lost")
        if self._kept and luck < 0.1:
            self._sender.send(self._kept)
        batch = list(items)
        self._chance.shuffle(batch)
        self._kept = batch
        answer = self._sender.send(batch)
        if luck > 0.95:
            raise UploadError("answer lost")
        return answer


def filled(folder: Path, rows: int, pictures: int, size: int) -> Store:
    """So many rows, so many of them pictures of that size."""
    make_key_file(folder / "lane.key")
    make_key_file(signing_key_file(folder / "lane.key"))
    store = Store.open(folder / "data", folder / "lane.key", SystemClock(), "examgate/bench/1")
    store.send_evidence([EvidenceKind.CAPTURE])
    store.create_session("S1", "x", datetime.now(UTC), ["001"], person="bench")
    store.apply_roster([row(1)], "bench", "bench")
    who = store.find_people(row(1).admission_no, "S1")[0]
    made, left = 0, rows
    while left > 0:
        for n in range(HEAD_EVERY):
            if made * rows < pictures * (rows - left + n):
                store.keep_capture("S1", who, os.urandom(size), "verified")
                made += 1
            else:
                store.journal(JournalKind.HELP, payload={"n": n})
        store.sign_head()
        left = rows - store.outbox_size()[1]
    return store


async def upload(store: Store, way: BadWay) -> int:
    uploader, failed = Uploader(store, way), 0
    while store.outbox_size()[0]:
        try:
            await uploader.once()
        except UploadError:
            failed += 1
    return failed


def bare(database: str, rows: int, pictures: int, size: int) -> float:
    begun = time.perf_counter()
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("create table bare (seq bigint primary key, entry text not null)")
        for first in range(0, rows, 500):
            with connection.transaction(), connection.cursor() as cursor:
                many = [(seq, "x" * 300) for seq in range(first, min(first + 500, rows))]
                cursor.executemany("insert into bare values (%s, %s)", many)
        connection.execute("create table bare_pictures (seq bigint primary key, jpeg bytea)")
        for first in range(0, pictures, 50):
            with connection.transaction(), connection.cursor() as cursor:
                blobs = [(n, os.urandom(size)) for n in range(first, min(first + 50, pictures))]
                cursor.executemany("insert into bare_pictures values (%s, %s)", blobs)
    return time.perf_counter() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=given.whole(1), default=100_000)
    parser.add_argument("--pictures", type=given.whole(0), default=10_000, help="of the rows")
    parser.add_argument("--picture-bytes", type=given.whole(1), default=20_000)
    options = parser.parse_args()
    rows, size = options.rows, options.picture_bytes
    key = pyrage.x25519.Identity.generate()
    with tempfile.TemporaryDirectory() as name, postgres() as database:
        begun = time.perf_counter()
        store = filled(Path(name), rows, options.pictures, size)
        waiting = store.outbox_size()[0]
        print(f"{waiting} rows written by the lane in {time.perf_counter() - begun:.1f} s")
        archive = receiver.Archive(database)
        archive.trust(store.vkey)
        server = receiver.serve(archive, "127.0.0.1", 0)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        way = BadWay(Sender(url, store.origin, Access(), [str(key.to_public())]))
        begun = time.perf_counter()
        failed = asyncio.run(upload(store, way))
        took = time.perf_counter() - begun
        pictures = {k.kind: k.total for k in store.outbox_kinds()}.get("capture", 0)
        peer = bare(database, waiting - pictures, pictures, size)
        begun = time.perf_counter()
        opened = Counter(one.found for one in open_all(archive, key))
        opening = time.perf_counter() - begun
        with psycopg.connect(database) as connection:
            entries, heads = (connection.execute(f"select count(*) from {t}").fetchone()[0]
                              for t in ("entries", "checkpoints"))  # fmt: skip
            root = connection.execute("select root from entries order by seq desc limit 1")
            same = root.fetchone()[0].hex() == store.tree_head()[1]
        print(f"uploaded in {took:.1f} s, {waiting / took:.0f} rows/s; {way.batches} batches, "
              f"{failed} of them lost on the way there or back")  # fmt: skip
        print(f"stored: {entries} entries of {store.tree_head()[0]}, {heads} heads of "
              f"{waiting - pictures - store.tree_head()[0]}; "
              f"rejected {len(store.outbox_rejected())}; roots equal: {same}")  # fmt: skip
        told = ", ".join(f"{count} {found}" for found, count in opened.items())
        print(f"evidence: {pictures} pictures of {size} bytes")
        print(f"at the centre, each decrypted and hashed in {opening:.1f} s: {told}")
        print(f"peer, bare inserts: {peer:.1f} s, {took / peer:.1f} times quicker")
        server.shutdown()
        store.close()


if __name__ == "__main__":
    main()
