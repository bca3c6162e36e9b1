"""The record's way out, against the reference receiver on a real PostgreSQL: each row once."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import random
import re
import socket
import ssl
import threading
import time

import psycopg
import pytest

from kiosk.centre import download
from kiosk.centre import receiver as r
from kiosk.centre.download import Access
from kiosk.centre.upload import Answer, Sender, Uploader, UploadError
from kiosk.core.codes import JournalKind
from kiosk.store.outbox import Item
from tests.centre.postgres import BINARIES, archive, database, url  # noqa: F401
from tests.store.conftest import folder, open_store, row, store  # noqa: F401

pytestmark = pytest.mark.skipif(BINARIES is None, reason="PostgreSQL is not installed")


def grow(store, entries):  # noqa: F811
    """That many more entries, with signed heads among them."""
    for n in range(entries):
        store.journal(JournalKind.HELP, payload={"n": n, "name": "王"})
        if n % 7 == 0:
            store.sign_head()
    store.sign_head()


def stored(database, what="entries"):  # noqa: F811
    with psycopg.connect(database) as connection:
        key = "seq" if what == "entries" else "size"
        return [n for (n,) in connection.execute(f"select {key} from {what} order by {key}")]


def sizes(store):  # noqa: F811
    return [c.size for c in store.checkpoints(1, 10**9)]


def upload(store, sender, rounds):  # noqa: F811
    """Until nothing waits, at most so many batches. Returns how many failed."""

    async def run():
        uploader, failed = Uploader(store, sender), 0
        for _ in range(rounds):
            try:
                await uploader.once()
            except UploadError:
                failed += 1
            if store.outbox_size()[0] == 0:
                return failed
        raise AssertionError(f"{store.outbox_size()} after {rounds} batches")

    return asyncio.run(run())


def test_everything_arrives_once_and_the_trees_agree(store, url, database):  # noqa: F811
    grow(store, 40)
    assert upload(store, Sender(url, store.origin, Access()), 9) == 0
    assert stored(database) == list(range(1, store.tree_head()[0] + 1))
    assert stored(database, "checkpoints") == sizes(store)
    with psycopg.connect(database) as connection:
        last = connection.execute("select root from entries order by seq desc limit 1").fetchone()
    assert last[0].hex() == store.tree_head()[1]
    assert store.outbox_rejected() == []


BENT = {
    "no entry": ("insert into outbox (kind, ref, created_at) values ('journal', 9999, '')", 0),
    "no head": ("insert into outbox (kind, ref, created_at) values ('checkpoint', 9999, '')", 0),
    "record of no kind": ("insert into outbox (kind, ref, created_at) values ('x', 1, '')", 0),
    "evidence of no kind": ("insert into outbox values (9999, 'x', 1, '', null, null, 1, null)", 0),
    "no UTF-8": ("update journal set entry = cast(x'ff' as text) where seq = 9", 1),
    "bytes": ("update journal set entry = x'00ff' where seq = 9", 1),
    "very long": ("update journal set entry = printf('%.*c', 1100000, 'x') where seq = 9", 1),
}


@pytest.mark.parametrize("bent", BENT)
def test_a_bent_row_is_told_and_the_rest_goes_on(store, url, database, bent):  # noqa: F811
    change, lost = BENT[bent]
    grow(store, 20)
    store._db.execute("drop trigger journal_keeps_what_it_has")
    store._db.execute(change)
    with contextlib.suppress(AssertionError):  # heads behind a gap wait
        upload(store, Sender(url, store.origin, Access()), 9)
    (rejected,) = (r for r in store.outbox_rejected() if not r["why"].startswith("root"))
    assert rejected["why"].startswith(("damaged", "too large"))
    assert len(stored(database)) == store.tree_head()[0] - lost


def test_be_they_ever_so_many_heads_behind_a_gap_hold_nothing_up(
    store, url, database, monkeypatch  # noqa: F811
):  # fmt: skip
    from kiosk.centre import upload as module

    monkeypatch.setattr(module, "MOST_ITEMS", 3)
    store._db.execute("update outbox set rejected = 'x' where kind = 'journal' and ref = 2")
    for _ in range(9):
        grow(store, 1)
    with contextlib.suppress(AssertionError):
        upload(store, Sender(url, store.origin, Access()), 20)
    assert len(stored(database)) == store.tree_head()[0] - 1
    store.outbox_again()
    upload(store, Sender(url, store.origin, Access()), 20)
    assert stored(database, "checkpoints") == sizes(store)


def test_a_centre_put_back_to_an_older_copy_gets_what_it_lacks(store, url, database):  # noqa: F811
    grow(store, 9)
    sender = Sender(url, store.origin, Access())
    upload(store, sender, 9)
    with psycopg.connect(database) as connection:  # as it was when trust was all it had
        connection.execute("delete from checkpoints; delete from entries;"
                           " update logs set size = 0, peaks = ''")  # fmt: skip
    grow(store, 1)
    with contextlib.suppress(AssertionError):
        upload(store, sender, 9)
    assert 1 not in stored(database)
    assert store.outbox_again(1) > 9
    upload(store, sender, 9)
    assert stored(database) == list(range(1, store.tree_head()[0] + 1))
    assert stored(database, "checkpoints") == sizes(store)


def test_a_fault_of_the_program_is_told_and_tried_again():
    class Broken:
        def outbox_batch(self, most, most_bytes, without):
            raise ZeroDivisionError

    class Enough(Exception):
        pass

    async def sleep(seconds):
        if len(pauses) == 2:
            raise Enough
        pauses.append(seconds)

    pauses: list[float] = []
    uploader = Uploader(Broken(), None, sleep=sleep)
    with pytest.raises(Enough):
        asyncio.run(uploader.run())
    assert pauses == [300.0, 300.0] and "program" in uploader.failing


class Unreliable:
    """A way on which batches are lost before or after, cut, repeated and overtaken."""

    def __init__(self, sender, seed):
        self._sender, self._chance, self._kept = sender, random.Random(seed), []

    def send(self, items):
        luck = self._chance.random()
        if luck < 0.15:
            raise UploadError("lost on the way there")
        if self._kept and luck < 0.3:
            self._sender.send(self._kept)  # an old batch arrives again
        batch = list(items)
        self._chance.shuffle(batch)
        if luck > 0.7:
            batch = batch[: self._chance.randrange(len(batch)) + 1]
        self._kept = batch
        answer = self._sender.send(batch)
        if luck > 0.85:
            raise UploadError("the answer was lost on the way back")
        return answer


@pytest.mark.parametrize("seed", range(3))
def test_whatever_the_way_does_each_is_stored_once(store, url, database, seed, monkeypatch):  # noqa: F811
    from kiosk.centre import upload as module

    monkeypatch.setattr(module, "MOST_ITEMS", 23)
    grow(store, 150)
    failed = upload(store, Unreliable(Sender(url, store.origin, Access()), seed), 200)
    assert failed > 0
    assert stored(database) == list(range(1, store.tree_head()[0] + 1))
    assert stored(database, "checkpoints") == sizes(store)
    assert store.outbox_rejected() == []


class SlowLine:
    """A TLS server that takes so many bytes a second, and knows how long it took."""

    def __init__(self, folder, bytes_s):  # noqa: F811
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "server.pem", folder / "server.tls.key")
        self._listening = socket.socket()
        self._listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._listening.bind(("127.0.0.1", 0))
        self._listening.listen()
        self._server = context.wrap_socket(self._listening, server_side=True)
        self.url = f"https://127.0.0.1:{self._server.getsockname()[1]}"
        self._bytes_s, self.got = bytes_s, 0
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self):
        with contextlib.suppress(OSError), self._server.accept()[0] as client:
            head = b""
            while b"\r\n\r\n" not in head and (more := client.recv(1)):
                head += more
            total = int(re.search(rb"(?i)content-length: (\d+)", head)[1])
            while self.got < total and (block := client.recv(4096)):
                self.got += len(block)
                time.sleep(len(block) / self._bytes_s)
            body = b'{"stored": [1], "rejected": []}'
            client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))

    def close(self):
        self._server.close()
        self._thread.join(5)


@pytest.fixture
def slow(tmp_path):
    from tests.centre.web import Authority

    Authority(tmp_path)
    line = SlowLine(tmp_path, 400_000)
    yield line, Access(tmp_path / "ca.pem", tmp_path / "lane.pem", tmp_path / "lane.tls.key")
    line.close()


ITEMS = [Item(1, "journal", 1, "x" * 1_000_000)]


def test_a_slow_line_delays_a_batch_and_does_not_fail_it(slow, monkeypatch):
    """The whole of it takes longer than the line may stand still."""
    line, access = slow
    monkeypatch.setattr(download, "CONNECT_S", 1.0)
    assert Sender(line.url, "lane", access).send(ITEMS).stored == (1,)
    assert line.got > 1_000_000


def test_a_sender_that_is_stopped_does_not_keep_its_daemon(slow):
    line, access = slow
    sender = Sender(line.url, "lane", dataclasses.replace(access, limit_kbit_s=80))
    failed = []

    def send():
        try:
            sender.send(ITEMS)
        except UploadError as error:
            failed.append(str(error))

    thread = threading.Thread(target=send)
    thread.start()
    while line.got == 0 and thread.is_alive():
        time.sleep(0.01)
    sender.stop()
    thread.join(5)
    assert not thread.is_alive() and failed == ["the daemon stops"] and line.got < 500_000


def test_what_does_not_fit_is_rejected_kept_and_told(store, archive):  # noqa: F811
    grow(store, 3)
    items = store.outbox_batch(500, 10**6)
    origin = store.origin

    def answer(*found):
        return archive.take(origin, found)

    entry = next(i for i in items if i.kind == "journal" and i.ref == 2)
    head = next(i for i in reversed(items) if i.kind == "checkpoint")

    def bent(item, **change):
        return r.Item(**{"id": item.outbox_id, "kind": item.kind, "ref": item.ref,
                         "text": item.text} | change)  # fmt: skip

    assert answer(bent(entry, ref=9)).rejected[0]["code"] == "seq"
    assert answer(bent(entry)).stored == [entry.outbox_id]
    changed = bent(entry, text=entry.text.replace('"seq":2', '"seq":2,"x":1'))
    assert answer(changed).rejected[0]["code"] == "conflict"
    assert answer(bent(head)) == r.Answer(), "its entries are still to come"
    others = [bent(i) for i in items if i.kind == "journal" and i is not entry]
    assert len(answer(*others).stored) == len(others)
    forged = bent(head, text=head.text.replace("\n\n", "\n\n— x AAAA\n", 1)[:-9] + "AAAAAAA=\n")
    assert answer(forged).rejected[0]["code"] == "checkpoint"
    assert answer(bent(head)).stored == [head.outbox_id]
    store.outbox_answered([], {entry.outbox_id: "conflict: another"})
    assert [w["why"] for w in store.outbox_rejected()] == ["conflict: another"]
    assert store.outbox_again() == 1 and store.outbox_rejected() == []


def test_a_tree_that_was_bent_is_seen(store, archive):  # noqa: F811
    """The venue rewrites an entry before it is sent: the signed head does not fit any more."""
    grow(store, 3)
    items = [r.Item(i.outbox_id, i.kind, i.ref, i.text) for i in store.outbox_batch(500, 10**6)]
    second = next(i for i in items if i.kind == "journal" and i.ref == 2)
    other = second.text.replace('"seq":2', '"seq":2,"x":1')
    bent = [i if i is not second else r.Item(i.id, i.kind, i.ref, other) for i in items]
    assert {x["code"] for x in archive.take(store.origin, bent).rejected} == {"root"}


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/", b"{}", 404),
        ("/v1/logs/nobody/items", b'{"items": []}', 404),
        ("/v1/logs/no%00body/items", b'{"items": []}', 404),
        ("LOG", b"not json", 400),
        ("LOG", b"[" * 100_000, 400),
        ("LOG", b'{"items": [{"id": 1}]}', 400),
        ("LOG", b'{"items": [{"id": 1, "kind": "x\\u0000", "ref": 1, "text": ""}]}', 400),
        ("LOG", b'{"items": [{"id": 1, "kind": "signature", "ref": 1, "age": "="}]}', 400),
        ("LOG", b'{"items": [{"id": 1, "kind": "signature", "ref": 1, "age": 7}]}', 400),
        ("LOG", b'{"items": [{"id": 1, "kind": "signature", "ref": 1, "text": ""}]}', 400),
        ("LOG", b'{"items": [{"id": true, "kind": "journal", "ref": 1, "text": ""}]}', 400),
        ("LOG", b'{"items": [{"id": 1, "kind": "journal", "ref": 1, "text": "\\u0000"}]}', 400),
        ("LOG", b'{"items": [{"id": 1, "kind": "journal", "ref": 1, "text": "\\ud800"}]}', 400),
    ],
)  # fmt: skip
def test_nonsense_is_answered_and_nothing_is_stored(store, url, database, path, body, status):  # noqa: F811
    import urllib3

    path = path.replace("LOG", f"/v1/logs/{store.origin.replace('/', '%2F')}/items")
    answer = urllib3.request("POST", url + path, body=body, retries=False)
    assert answer.status == status, answer.data
    assert stored(database) == []


@pytest.mark.parametrize("length", [b"\xb2", b"9" * 5000, b"-1", b"+5", b""])
def test_a_length_that_is_none_is_answered(store, url, length):  # noqa: F811
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), 5) as line:
        line.sendall(b"POST /v1/logs/x/items HTTP/1.1\r\nContent-Length: %s\r\n\r\n" % length)
        assert line.recv(100).startswith(b"HTTP/1.1 411 ")


def test_a_database_that_takes_nothing_is_not_now(store, url, database):  # noqa: F811
    grow(store, 1)
    with psycopg.connect(database) as connection:
        connection.execute("alter role examgate set default_transaction_read_only = on")
    try:
        with pytest.raises(UploadError, match="503") as error:
            Sender(url, store.origin, Access()).send(store.outbox_batch(9, 9999))
        assert error.value.retry_after_s == 10
    finally:
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute("set default_transaction_read_only = off")
            connection.execute("alter role examgate reset default_transaction_read_only")


def test_a_gap_before_very_many_entries_is_closed_whatever_comes_first(
    store, archive, database, monkeypatch  # noqa: F811
):  # fmt: skip
    monkeypatch.setattr(r, "MAX_ITEMS", 4)
    grow(store, 20)
    entries = [i for i in store.outbox_batch(500, 10**6) if i.kind == "journal"]
    items = [r.Item(i.outbox_id, i.kind, i.ref, i.text) for i in entries]
    archive.take(store.origin, items[9:])
    archive.take(store.origin, items[1:9])
    with psycopg.connect(database) as connection:
        assert connection.execute("select size from logs").fetchone() == (0,)
    archive.take(store.origin, items[:1])
    with psycopg.connect(database) as connection:
        assert connection.execute("select size from logs").fetchone() == (len(items),)


def test_a_lane_writes_into_its_own_log_only(store, archive, database, tmp_path):  # noqa: F811
    from tests.centre import web

    if web.NGINX is None:
        pytest.skip("nginx is not installed")
    web.Authority(tmp_path, lane=store.origin, other=f"{store.origin}-2")
    server = r.serve(archive, "127.0.0.1", 0, any_lane=False)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        with web.nginx(tmp_path, behind=server.server_address[1]) as port:

            def sender(who):
                files = [tmp_path / name for name in ("ca.pem", f"{who}.pem", f"{who}.tls.key")]
                return Sender(f"https://127.0.0.1:{port}", store.origin, Access(*files))

            with pytest.raises(UploadError, match="403"):
                sender("other").send(store.outbox_batch(9, 9999))
            assert stored(database) == []
            upload(store, sender("lane"), 9)
            with pytest.raises(UploadError, match="403"):
                plain = f"http://127.0.0.1:{server.server_address[1]}"
                Sender(plain, store.origin, Access()).send([Item(1, "journal", 1, "{}")])
    finally:
        server.shutdown()
        thread.join(5)
        server.server_close()


def test_two_keys_for_one_log_are_refused(store, archive):  # noqa: F811
    assert archive.trust(store.vkey) == store.origin
    from kiosk.core.checkpoint import vkey

    with pytest.raises(ValueError, match="another key"):
        archive.trust(vkey(store.origin, bytes(32)))


class Script:
    """Answers one after the other; an exception is raised."""

    def __init__(self, *answers):
        self._answers = list(answers)

    def send(self, items):
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer(items)


def test_the_pauses_grow_and_the_centres_word_counts(store):  # noqa: F811
    waited = []

    async def sleep(seconds):
        waited.append(seconds)
        if len(waited) == 8:
            raise asyncio.CancelledError

    failures = [UploadError("no network")] * 6 + [UploadError("HTTP 503", 77.0)]
    script = Script(*failures, lambda items: Answer(tuple(i.outbox_id for i in items), {}))
    uploader = Uploader(store, script, sleep=sleep)
    with contextlib.suppress(asyncio.CancelledError):
        asyncio.run(uploader.run())
    assert all(2**n <= w <= 2 ** (n + 1) for n, w in enumerate(waited[:6])), waited
    assert waited[6:] == [77.0, 0.0] and uploader.failing is None


NO_ANSWERS = [b"", b"[]", b'{"stored": [1]}', b'{"stored": [99999], "rejected": []}']


@pytest.mark.parametrize("said", NO_ANSWERS)
def test_an_answer_that_is_none_marks_nothing(said):
    from kiosk.centre.upload import _answer

    with pytest.raises(UploadError):
        _answer(said, {1})
