"""A reference receiver of the lanes' records: HTTP behind a TLS server, PostgreSQL underneath.

For pilots and tests; a centre with a system of its own implements docs/record-api.yaml instead.
Stores each item once, checks every hash, and every signed head against the entries it has.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

import psycopg
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from kiosk.core.checkpoint import key_id, parse_note, parse_vkey
from kiosk.core.merkle import Frontier, leaf_hash

MAX_BODY = 8 * 1024 * 1024
MAX_ITEMS = 2000
MAX_TEXT = 1024 * 1024
READ_TIMEOUT_S = 30.0
_PATH = re.compile(r"/v1/logs/([^/]{1,300})/items")

SCHEMA = """
create table if not exists logs (
    origin text primary key, vkey text not null, size bigint not null default 0,
    peaks bytea not null default '', added_at timestamptz not null default now()
);
create table if not exists entries (
    origin text not null references logs, seq bigint not null, entry text not null,
    leaf bytea not null, root bytea, received_at timestamptz not null default now(),
    primary key (origin, seq)
);
create table if not exists checkpoints (
    origin text not null references logs, size bigint not null, note text not null,
    received_at timestamptz not null default now(), primary key (origin, size)
);
"""


@dataclass(slots=True)
class Answer:
    """Ids; what is in neither list may come again later."""

    stored: list[int] = field(default_factory=list)
    rejected: list[dict[str, Any]] = field(default_factory=list)

    def reject(self, number: int, code: str, why: str) -> None:
        self.rejected.append({"id": number, "code": code, "why": why})


class BadRequest(Exception):
    """`status` and what is wrong."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


@dataclass(frozen=True, slots=True)
class Item:
    id: int
    kind: str
    ref: int
    text: str


def parse_items(body: bytes) -> list[Item]:
    """Raises `BadRequest`."""
    try:
        rows = json.loads(body)["items"]
        items = [Item(row["id"], row["kind"], row["ref"], row["text"]) for row in rows]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadRequest(400, "not a batch of items") from error
    for item in items:
        numbers = all(type(n) is int and 0 < n < 2**53 for n in (item.id, item.ref))
        if not numbers or not _is_text(item.text):
            raise BadRequest(400, "an item has not the right form")
        if item.kind not in ("journal", "checkpoint"):
            raise BadRequest(400, "an item of an unknown kind")
    if len(items) > MAX_ITEMS:
        raise BadRequest(413, f"more than {MAX_ITEMS} items")
    return items


def _is_text(value: object) -> bool:
    """What PostgreSQL and UTF-8 can hold."""
    if type(value) is not str or len(value) > MAX_TEXT or "\0" in value:
        return False
    return not any("\ud800" <= character <= "\udfff" for character in value)


class Archive:
    """The database. One connection a request; what belongs together is one transaction."""

    def __init__(self, database: str) -> None:
        self._database = database
        with psycopg.connect(database) as connection:
            connection.execute(SCHEMA)

    def trust(self, vkey: str) -> str:
        """Take the records of the lane whose key this is. Returns its log's name."""
        origin, _ = parse_vkey(vkey)
        with psycopg.connect(self._database) as connection:
            there = connection.execute(
                "insert into logs (origin, vkey) values (%s, %s) on conflict (origin)"
                " do update set origin = excluded.origin returning vkey",
                [origin, vkey],
            ).fetchone()
            if there is None or there[0] != vkey:
                raise ValueError(f"{origin} has another key already")
        return origin

    def take(self, origin: str, items: Iterable[Item]) -> Answer:
        """Raises `BadRequest(404)` for a log that nobody has made known."""
        answer = Answer()
        with psycopg.connect(self._database) as connection:
            row = connection.execute(
                "select vkey, size, peaks from logs where origin = %s for update", [origin]
            ).fetchone()
            if row is None:
                raise BadRequest(404, "this log is not known here")
            heads = []
            for item in items:
                if item.kind == "journal":
                    self._entry(connection, origin, item, answer)
                else:
                    heads.append(item)
            size = _grow(connection, origin, int(row[1]), bytes(row[2]))
            for item in heads:
                self._head(connection, origin, str(row[0]), size, item, answer)
        return answer

    def _entry(self, connection: Any, origin: str, item: Item, answer: Answer) -> None:
        try:
            seq = json.loads(item.text)["seq"]
        except (ValueError, KeyError, TypeError, RecursionError):
            seq = None
        if seq != item.ref:
            answer.reject(item.id, "seq", "the entry says another number, or is none")
            return
        done = connection.execute(
            "insert into entries (origin, seq, entry, leaf) values (%s, %s, %s, %s)"
            " on conflict do nothing",
            [origin, item.ref, item.text, leaf_hash(item.text.encode())],
        )
        if done.rowcount == 0 and self._other(connection, "entry", "entries", "seq", origin, item):
            answer.reject(item.id, "conflict", "another entry of this number is stored")
            return
        answer.stored.append(item.id)

    def _other(
        self, connection: Any, what: str, table: str, key: str, origin: str, item: Item
    ) -> bool:
        row = connection.execute(
            f"select {what} from {table} where origin = %s and {key} = %s", [origin, item.ref]
        ).fetchone()
        return row is not None and row[0] != item.text

    def _head(
        self, connection: Any, origin: str, vkey: str, size: int, item: Item, answer: Answer
    ) -> None:
        try:
            root = _checked(origin, vkey, item)
        except ValueError as error:
            answer.reject(item.id, "checkpoint", str(error))
            return
        if item.ref > size:
            return  # what it is about is still to come: neither stored nor rejected
        row = connection.execute(
            "select root from entries where origin = %s and seq = %s", [origin, item.ref]
        ).fetchone()
        if row is None or bytes(row[0]) != root:
            answer.reject(item.id, "root", "the entries stored here have another root")
            return
        connection.execute(
            "insert into checkpoints (origin, size, note) values (%s, %s, %s)"
            " on conflict do nothing",
            [origin, item.ref, item.text],
        )
        if self._other(connection, "note", "checkpoints", "size", origin, item):
            answer.reject(item.id, "conflict", "another head of this size is stored")
            return
        answer.stored.append(item.id)


def _grow(connection: Any, origin: str, size: int, peaks: bytes) -> int:
    """Extend the tree by the entries that follow without a gap; returns its size."""
    tree = Frontier(size, [peaks[n : n + 32] for n in range(0, len(peaks), 32)])
    rows = connection.execute(
        "select seq, leaf from entries where origin = %s and seq > %s order by seq", [origin, size]
    ).fetchall()
    roots = []
    for seq, leaf in rows:
        if seq != tree.size + 1:
            break
        tree.append(bytes(leaf))
        roots.append((tree.root(), origin, seq))
    if roots:
        with connection.cursor() as cursor:
            cursor.executemany("update entries set root = %s where origin = %s and seq = %s", roots)
        connection.execute(
            "update logs set size = %s, peaks = %s where origin = %s",
            [tree.size, b"".join(tree.peaks), origin],
        )
    return tree.size


def _checked(origin: str, vkey: str, item: Item) -> bytes:
    """The head's root, if the lane has signed it. Raises `ValueError`."""
    name, public_key = parse_vkey(vkey)
    note = parse_note(item.text, name)
    if note.key_id != key_id(name, public_key):
        raise ValueError("signed with another key")
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(note.signature, note.text.encode())
    except InvalidSignature:
        raise ValueError("the signature does not fit") from None
    if note.head.origin != origin or note.head.size != item.ref:
        raise ValueError("a head of another log or size")
    return note.head.root


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "examgate-receiver"
    timeout = READ_TIMEOUT_S
    archive: Archive

    def do_POST(self) -> None:
        try:
            status, body = 200, self._post()
        except BadRequest as error:
            status, body = error.status, {"why": str(error)}
            self.close_connection = True  # what was sent may not have been read to its end
        except psycopg.OperationalError:
            status, body = 503, {"why": "the database cannot be reached"}
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        if status == 503:
            self.send_header("Retry-After", "10")
        self.end_headers()
        self.wfile.write(data)

    def _post(self) -> dict[str, Any]:
        found = _PATH.fullmatch(self.path)
        if found is None:
            raise BadRequest(404, "there is nothing here")
        length = self.headers.get("Content-Length", "")
        if not length.isdigit():
            raise BadRequest(411, "no Content-Length")
        if int(length) > MAX_BODY:
            raise BadRequest(413, f"more than {MAX_BODY} bytes")
        body = self.rfile.read(int(length))
        if len(body) != int(length):
            raise BadRequest(400, "the body ends early")
        answer = self.archive.take(unquote(found[1]), parse_items(body))
        return {"stored": answer.stored, "rejected": answer.rejected}

    def log_message(self, format: str, *args: Any) -> None:
        """Not every batch; what goes wrong is in the answers."""


def serve(archive: Archive, host: str, port: int) -> ThreadingHTTPServer:
    """A server that listens; `serve_forever` runs it."""
    handler = type("Handler", (_Handler,), {"archive": archive})
    return ThreadingHTTPServer((host, port), handler)
