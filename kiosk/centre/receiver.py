"""A reference receiver of the lanes' records: HTTP behind a TLS server, PostgreSQL underneath.

For pilots and tests; a centre with a system of its own implements docs/record-api.yaml instead.
Stores each item once, checks every hash, and every signed head against the entries it has. Evidence
it cannot open (kiosk.centre.evidence does, where the key is), only tie to its entry.
"""

from __future__ import annotations

import base64
import json
import re
import sys
from collections.abc import Iterable, Iterator
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
MAX_AGE = 6 * 1024 * 1024
#: Which kind of entry announces a piece of evidence of this kind, and as what its SHA-256.
ANNOUNCED = {
    "signature": ("signed", "signature_sha256"),
    "capture": ("capture_kept", "sha256"),
    "report": ("report_signed", "report_sha256"),
    "report_table": ("report_signed", "csv_sha256"),
}
READ_TIMEOUT_S = 30.0
LANE_HEADER = "Examgate-Lane"  #: in which the web server says whose client certificate it saw
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
alter table entries add column if not exists kind text;
create index if not exists entries_of_kind on entries (origin, kind, seq);
create table if not exists checkpoints (
    origin text not null references logs, size bigint not null, note text not null,
    received_at timestamptz not null default now(), primary key (origin, size)
);
create table if not exists evidence (
    origin text not null, seq bigint not null, kind text not null, age bytea not null,
    received_at timestamptz not null default now(), primary key (origin, seq, kind),
    foreign key (origin, seq) references entries
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
    text: str = ""
    age: bytes = b""


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of evidence that an entry announces. `age`: encrypted; None: it has not come."""

    origin: str
    seq: int
    kind: str
    entry: str
    age: bytes | None
    covered: bool  #: a signed head covers its entry

    def __repr__(self) -> str:
        return f"Piece({self.origin}, {self.seq}, {self.kind})"


def parse_items(body: bytes) -> list[Item]:
    """Raises `BadRequest`."""
    try:
        rows = json.loads(body)["items"]
        items = [_item(row) for row in rows]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadRequest(400, "not a batch of items") from error
    if len(items) > MAX_ITEMS:
        raise BadRequest(413, f"more than {MAX_ITEMS} items")
    return items


def _item(row: Any) -> Item:
    """Raises `ValueError`, `KeyError`, `TypeError` or `BadRequest`. An unknown kind is an item,
    too: it is answered by itself, so that a newer lane's record does not stand still."""
    number, kind, ref = row["id"], row["kind"], row["ref"]
    numbers = all(type(n) is int and 0 < n < 2**53 for n in (number, ref))
    if not numbers or not _is_text(kind) or len(kind) > 40:
        raise BadRequest(400, "an item has not the right form")
    if kind in ANNOUNCED:
        if type(row["age"]) is not str or len(row["age"]) > MAX_AGE * 4 // 3 + 4:
            raise BadRequest(400, "an item has not the right form")
        return Item(number, kind, ref, age=base64.b64decode(row["age"], validate=True))
    text = row.get("text", "")
    if not _is_text(text):
        raise BadRequest(400, "an item has not the right form")
    return Item(number, kind, ref, text)


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
            made = connection.execute("select to_regclass('evidence') is not null").fetchone()
            if made == (True,):
                return  # SCHEMA would wait for whoever reads, and wants more than a reader's rights
            connection.execute(SCHEMA)
            old = connection.execute("select origin, seq, entry from entries where kind is null")
            for origin, seq, text in old.fetchall():  # of a version that did not keep it
                connection.execute(
                    "update entries set kind = %s where origin = %s and seq = %s",
                    [_parts(text)[1], origin, seq],
                )

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
            later = []
            for item in items:
                if item.kind == "journal":
                    self._entry(connection, origin, item, answer)
                else:
                    later.append(item)
            size = _grow(connection, origin, int(row[1]), bytes(row[2]))
            for item in later:
                if item.kind == "checkpoint":
                    self._head(connection, origin, str(row[0]), size, item, answer)
                elif item.kind in ANNOUNCED:
                    self._evidence(connection, origin, item, answer)
                else:
                    answer.reject(item.id, "kind", "an item of a kind that is not known here")
        return answer

    def _evidence(self, connection: Any, origin: str, item: Item, answer: Answer) -> None:
        """It cannot be opened here. What is stored first stays: encrypted anew, the same bytes are
        other ones every time."""
        row = connection.execute(
            "select kind from entries where origin = %s and seq = %s", [origin, item.ref]
        ).fetchone()
        if row is None:
            return  # its entry is still to come: neither stored nor rejected
        if not item.age.startswith(b"age-encryption.org/v1\n"):
            answer.reject(item.id, "age", "it is not encrypted with age")
            return
        if row[0] != ANNOUNCED[item.kind][0]:
            answer.reject(item.id, "entry", "the entry of this number announces no such thing")
            return
        connection.execute(
            "insert into evidence (origin, seq, kind, age) values (%s, %s, %s, %s)"
            " on conflict do nothing",
            [origin, item.ref, item.kind, item.age],
        )
        answer.stored.append(item.id)

    def logs(self) -> list[str]:
        """Whose records are taken."""
        with psycopg.connect(self._database) as connection:
            rows = connection.execute("select origin from logs order by origin").fetchall()
        return [str(origin) for (origin,) in rows]

    def pieces(self, origin: str | None = None) -> Iterator[Piece]:
        """Whatever evidence was announced, in the logs' order. One database cursor."""
        with psycopg.connect(self._database) as connection:
            heads: dict[str, int] = dict(
                connection.execute(
                    "select origin, max(size) from checkpoints group by origin"
                ).fetchall()
            )
            with connection.cursor("pieces") as cursor:
                cursor.itersize = 100
                cursor.execute(
                    "select j.origin, j.seq, k.kind, j.entry, e.age from entries j"
                    " join (values ('signed', 'signature'), ('capture_kept', 'capture'),"
                    " ('report_signed', 'report'), ('report_signed', 'report_table'))"
                    " as k (announced, kind) on j.kind = k.announced"
                    " left join evidence e on e.origin = j.origin and e.seq = j.seq"
                    " and e.kind = k.kind where %(origin)s::text is null or j.origin = %(origin)s"
                    " order by j.origin, j.seq, k.kind",
                    {"origin": origin},
                )
                for log, seq, kind, entry, age in cursor:
                    sealed = None if age is None else bytes(age)
                    yield Piece(log, seq, kind, entry, sealed, seq <= heads.get(log, 0))

    def gone(self, origin: str) -> tuple[set[tuple[str, int]], dict[str, int]]:
        """What the lane says is gone: (kind, seq) thinned, and session → seq of its end of
        retention."""
        with psycopg.connect(self._database) as connection:
            rows = connection.execute(
                "select seq, kind, entry from entries where origin = %s and kind in"
                " ('evidence_thinned', 'session_forgotten') order by seq",
                [origin],
            ).fetchall()
        thinned: set[tuple[str, int]] = set()
        forgotten: dict[str, int] = {}
        for seq, kind, text in rows:
            payload = payload_of(body_of(text))
            if kind == "session_forgotten":
                forgotten[str(payload.get("session_id"))] = seq
            elif isinstance(payload.get("entries"), list):
                what = str(payload.get("what"))
                thinned |= {(what, n) for n in payload["entries"] if type(n) is int}
        return thinned, forgotten

    def _entry(self, connection: Any, origin: str, item: Item, answer: Answer) -> None:
        seq, kind = _parts(item.text)
        if seq != item.ref:
            answer.reject(item.id, "seq", "the entry says another number, or is none")
            return
        done = connection.execute(
            "insert into entries (origin, seq, kind, entry, leaf) values (%s, %s, %s, %s, %s)"
            " on conflict do nothing",
            [origin, item.ref, kind, item.text, leaf_hash(item.text.encode())],
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


def body_of(entry: str) -> dict[str, Any]:
    """An entry's fields; of what is no JSON object, or too deep to be read here, none."""
    try:
        body = json.loads(entry)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def payload_of(body: dict[str, Any]) -> dict[str, Any]:
    payload = body.get("payload")
    return payload if isinstance(payload, dict) else {}


def _parts(text: str) -> tuple[int | None, str]:
    """Number and kind that an entry says; none and "" for what is not one."""
    body = body_of(text)
    seq, kind = body.get("seq"), body.get("kind", "")
    fits = type(seq) is int and _is_text(kind) and len(kind) <= 40
    return (seq, kind) if fits else (None, "")


def _grow(connection: Any, origin: str, size: int, peaks: bytes) -> int:
    """Extend the tree by the entries that follow without a gap; returns its size."""
    tree = Frontier(size, [peaks[n : n + 32] for n in range(0, len(peaks), 32)])
    roots = []
    while rows := connection.execute(
        # so many at a time: behind a gap there may be very many
        "select seq, leaf from entries where origin = %s and seq > %s and seq <= %s order by seq",
        [origin, tree.size, tree.size + MAX_ITEMS],
    ).fetchall():
        for seq, leaf in rows:
            if seq != tree.size + 1:
                break
            tree.append(bytes(leaf))
            roots.append((tree.root(), origin, seq))
        if tree.size != rows[-1][0]:
            break
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
    any_lane: bool

    def do_POST(self) -> None:
        try:
            status, body = 200, self._post()
        except BadRequest as error:
            status, body = error.status, {"why": str(error)}
            self.close_connection = True  # what was sent may not have been read to its end
        except psycopg.Error:  # unreachable, full, being moved: the lane keeps it and comes again
            status, body = 503, {"why": "the database cannot take it now"}
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
        if not re.fullmatch("[0-9]{1,18}", length):
            raise BadRequest(411, "no Content-Length")
        if int(length) > MAX_BODY:
            raise BadRequest(413, f"more than {MAX_BODY} bytes")
        body = self.rfile.read(int(length))
        if len(body) != int(length):
            raise BadRequest(400, "the body ends early")
        origin = unquote(found[1])
        if not self.any_lane and self.headers.get(LANE_HEADER) != origin:
            raise BadRequest(403, "this is not the log of whose certificate it is")
        if "\0" in origin:
            raise BadRequest(404, "this log is not known here")
        answer = self.archive.take(origin, parse_items(body))
        return {"stored": answer.stored, "rejected": answer.rejected}

    def log_message(self, format: str, *args: Any) -> None:
        """Not every batch; what goes wrong is in the answers."""


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no fault of this program."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def serve(
    archive: Archive, host: str, port: int, *, any_lane: bool = True
) -> ThreadingHTTPServer:
    """A server that listens; `serve_forever` runs it.

    Not `any_lane`: only for the log whose name the web server puts into `LANE_HEADER`. A lane could
    otherwise write into another's log, whose own entries would then be refused for ever.
    """
    handler = type("Handler", (_Handler,), {"archive": archive, "any_lane": any_lane})
    return _Server((host, port), handler)
