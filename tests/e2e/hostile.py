"""Peers that send a daemon's socket what no screen would, and watch that nothing comes of it.

Messages are made from a seeded `random.Random`; `Stranger` sends them as one of several kinds of
peer and holds each answer against what was written to the database meanwhile.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import random
import socket
import sqlite3
import struct
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kiosk import wire
from kiosk.daemon import MaybePerson, Person, Resume, Subscribe, TypedNumber, Visit
from kiosk.signature import Pad
from kiosk.staff import roles
from kiosk.staff.door import Login
from tests.test_wire import desk_methods, office

TIMEOUT_S = 60.0  #: an answer that takes longer: the daemon hangs
STRANGER_UID = 64999  #: nobody's

_OWN = {
    "lane.subscribe": Subscribe, "lane.release": MaybePerson, "lane.resume": Resume,
    "lane.drill": Person, "proctor.cancel": Person, "staff.login": Login, "candidate.sign": Pad,
    "candidate.claim": TypedNumber, "candidate.enter_number": Visit, "candidate.leave": Visit,
    "candidate.cancel": Visit, "candidate.help": Visit,
}  # fmt: skip
FIELDS: dict[str, list[str]] = {
    method: sorted(schema.model_fields)
    for method, schema in (
        {m: s for m, (s, _) in (office()._methods | desk_methods()).items()} | _OWN
    ).items()
}
METHODS = sorted(roles.TABLE)

ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 7, 2**31, 2**63, 2**80, -(2**63), 1.5, 1e308, float("nan"),
    float("inf"), "", " ", "S1", "S2", "001", "x" * 65, "x" * 100_000, "\0", "a\0b", "\ud800",
    "王小明", "\u202e\u200b", "2026-11-27T09:00", "2026-13-45", "370602198001010019", [], {}, [[]],
    [None] * 300, ["001"], {"a": {"b": []}}, "AAAA", "not base64!", "../../etc/passwd", "'; --",
    {"staff_no": "9", "pin": "000000"}, {"staff_no": 9}, [[[0, 0, 0, 0]]], [[["x"]]],
)  # fmt: skip
LIKELY: dict[str, tuple[Any, ...]] = {
    "person": ("fuzz",), "lang": ("zh", "en", None), "session_id": ("S1",), "visit": (0, 1, 2),
    "screen": ("candidate", "proctor", "technician"), "terminal": ("001", "002"),
    "seconds": (0.1, 1), "number": ("370602198001010019",), "pin": ("271828",),
    "staff_no": ("77", "78"), "role": ("proctor",), "width": (800,), "height": (300,),
}  # fmt: skip


def parameters(method: str, chance: random.Random) -> Any:
    """Nearly right, wrong in kind, missing, more than asked, or no object at all."""
    if chance.random() < 0.05:
        return chance.choice(ODD)
    likely = chance.choice((0.0, 0.5, 0.9))
    found = {
        name: chance.choice(LIKELY.get(name, ODD) if chance.random() < likely else ODD)
        for name in FIELDS.get(method, ["person"])
        if chance.random() < 0.85
    }
    if chance.random() < 0.1:
        found[chance.choice(["more", "", "__class__", "approval", "approved_by", "person"])] = (
            chance.choice(ODD)
        )
    return found


def envelope(chance: random.Random) -> Any:
    """A request, or what is nearly one."""
    method: Any = chance.choice(METHODS)
    message: dict[str, Any] = {
        "jsonrpc": "2.0", "id": chance.randrange(1000), "method": method,
        "params": parameters(method, chance),
    }  # fmt: skip
    match chance.randrange(20):
        case 0:
            message["id"] = chance.choice(ODD)
        case 1:
            message["jsonrpc"] = chance.choice([*ODD, "1.0", 2.0, "2.0 "])
        case 2:
            message["method"] = chance.choice(
                [*ODD, "lane", "lane.", "no.such", "LANE.STATE", "__init__", "lane.state\n"]
            )
        case 3:
            del message[chance.choice(sorted(message))]  # without an id: a notification
        case 4:
            message |= {"result": {}, "error": 1, "extra": chance.choice(ODD)}
        case 5:
            return [message] * chance.randrange(4)  # a batch
        case 6:
            return chance.choice(ODD)
    return message


def line(chance: random.Random) -> bytes:
    """One line of bytes with its end: a message, or one that was damaged."""
    text = json.dumps(envelope(chance), ensure_ascii=chance.random() < 0.5)
    data = bytearray(text.encode("utf-8", "surrogatepass"))
    match chance.randrange(16):
        case 0:
            for _ in range(chance.randint(1, 4)):
                data[chance.randrange(len(data))] = chance.randrange(256)
        case 1:
            del data[chance.randrange(len(data)) :]
        case 2:
            data = bytearray(chance.randbytes(chance.randrange(200)))
        case 3:
            deep = chance.choice((10, 900, 100_000))
            opened, closed = chance.choice((("[", "]"), ('{"a":', "}")))
            inner = opened * deep + "1" + closed * deep
            head = '{"jsonrpc":"2.0","id":1,"method":"session.create","params":{"terminals":'
            data = bytearray(f"{head}{inner}}}}}".encode())
        case 4:
            data = bytearray(chance.choice((
                b"", b" ", b"\0" * 50, b"\xff\xfe{\0}\0", b"\xef\xbb\xbf{}", b"9" * 5000, b"-",
                b'{"jsonrpc":"2.0","jsonrpc":"2.0","id":1,"id":2,"method":"lane.info"}', b"NaN",
                b'{"jsonrpc":"2.0","id":1e999,"method":"lane.info"}', b"GET / HTTP/1.1\r",
                b'{"jsonrpc":"2.0","id":1,"method":"\\ud800"}', b"\x16\x03\x01\x02\0\x01\0",
                b'{"jsonrpc":"2.0","id":' + b"7" * 6000 + b',"method":"lane.info"}',
            )))  # fmt: skip
    return bytes(data).replace(b"\n", b" ") + b"\n"


# --- what is on the disk ------------------------------------------------------------------------

#: What a message that is declined, or time itself, may leave in the journal.
NOTED = frozenset({
    "session_open_refused", "staff_login_failed", "staff_locked_out", "staff_logged_out",
    "staff_screen_locked", "staff_logged_in", "warning_raised", "device_fault", "device_recovered",
    "help", "gate_event", "gate_counters",
})  # fmt: skip
#: Tables that follow the journal by themselves, or are about who tries.
FOLLOW = frozenset({"journal", "tree", "outbox", "checkpoints", "staff", "warnings", "scratch"})


class Record:
    """The daemon's database as another process sees it; reads only."""

    def __init__(self, data: Path) -> None:
        self._db = sqlite3.connect(f"file:{data / 'lane.db'}?mode=ro", uri=True, timeout=30)
        names = "select name from sqlite_master where type = 'table' order by name"
        self._tables = [name for (name,) in self._db.execute(names)]
        self._version, self._seen, self._last = -1, dict[str, str](), 0
        self.changes()

    def close(self) -> None:
        self._db.close()

    def changes(self) -> tuple[set[str], set[str]]:
        """Tables that differ from what the last call saw, and kinds journalled since."""
        (version,) = self._db.execute("pragma data_version").fetchone()
        if version == self._version and self._seen:
            return set(), set()
        self._version = version
        self._db.execute("begin")  # all tables of one moment
        now = {t: self._digest(t) for t in self._tables}
        kinds = self._db.execute("select seq, kind from journal where seq > ?", [self._last])
        new = kinds.fetchall()
        self._db.execute("rollback")
        different = {t for t in now if now[t] != self._seen.get(t)}
        self._seen, self._last = now, max([self._last, *(seq for seq, _ in new)])
        return different, {kind for _, kind in new}

    def _digest(self, table: str) -> str:
        if table in ("journal", "tree", "outbox"):  # they only grow, and the journal is verified
            return str(self._db.execute(f"select count(*), max(rowid) from {table}").fetchone())
        found = hashlib.sha256()
        for row in self._db.execute(f"select * from {table}"):
            found.update(repr(row).encode("utf-8", "surrogatepass"))
        return found.hexdigest()


# --- peers --------------------------------------------------------------------------------------


def connect_as(path: Path, uid: int, groups: tuple[int, ...] | None = None) -> socket.socket:
    """A connection that another user of the machine has made; the caller is root. `groups`: None:
    the socket's, as the screens have it. Raises `PermissionError`.

    A process of that user's own makes it (the kernel remembers who connected) and hands it over.
    The folder is entered first: where tests run, that user may not walk there.
    """
    ours, theirs = socket.socketpair()
    path.parent.chmod(0o755)  # as the unit has it for its group
    with ours, theirs:
        child = os.fork()
        if child == 0:  # nothing but system calls: this process has threads
            with contextlib.suppress(OSError):
                os.chdir(path.parent)
                os.setgroups([path.stat().st_gid] if groups is None else groups)
                os.setresgid(uid, uid, uid)
                os.setresuid(uid, uid, uid)
                with socket.socket(socket.AF_UNIX) as end:
                    end.connect(path.name)
                    socket.send_fds(theirs, [b"x"], [end.fileno()])
                    os._exit(0)
            os._exit(1)
        _, status = os.waitpid(child, 0)
        if status != 0:
            raise PermissionError(f"user {uid} may not connect to {path}")
        _, handed, _, _ = socket.recv_fds(ours, 1, 1)
    return socket.socket(fileno=handed[0])


PEERS = ("machine", "stranger", "candidate", "proctor", "chief", "technician")


#: Each try counts as a wrong one until it is known to be right: eight at once have to wait.
_one_at_a_time = threading.Lock()


class Broken(AssertionError):
    """The daemon did what it must not; the message says after what."""


class Stranger:
    """Sends as one of `PEERS` to the daemon at `path`.

    `pins`: number and PIN for `chief` and `technician`. `record`: None where others send at the
    same time, and nobody can tell who changed what. Without root all peers are the same user.
    """

    def __init__(
        self, path: Path, record: Record | None, pins: dict[str, tuple[str, str]], kind: str
    ) -> None:
        self._path, self._record, self._pins, self.kind = path, record, pins, kind
        self.ended: Counter[str] = Counter()
        self._connect()

    def _connect(self) -> None:
        other = self.kind != "machine" and os.geteuid() == 0
        if other:
            self._socket = connect_as(self._path, STRANGER_UID)
        else:
            self._socket = socket.socket(socket.AF_UNIX)
            self._socket.connect(str(self._path))
        self._socket.settimeout(TIMEOUT_S)
        self._file = self._socket.makefile("rb")
        self._pings = 0
        screen = {"chief": "proctor", "stranger": None, "machine": None}.get(self.kind, self.kind)
        if screen is not None:
            self._must("lane.subscribe", {"screen": screen})
        if self.kind in self._pins:
            number, pin = self._pins[self.kind]
            with _one_at_a_time:
                self._must("staff.login", {"staff_no": number, "pin": pin})
        if self._record is not None:
            self._record.changes()

    def _must(self, method: str, params: dict[str, Any]) -> None:
        self._socket.sendall(wire.encode(wire.request(method, params, -1)))
        for message in self._messages():
            if message.get("id") == -1:
                wire.result_of(message)
                return

    def close(self) -> None:
        self._file.close()
        self._socket.close()

    def _messages(self) -> Iterator[wire.Message]:
        while data := self._file.readline(wire.MAX_LINE):
            yield json.loads(data)
        raise ConnectionResetError("the daemon closed the connection")

    def send(self, lines: list[bytes]) -> None:
        """All at once, then read until a question behind them is answered. Raises `Broken`."""
        self._pings += 1
        ping = f"ping {self._pings}"
        ask = wire.encode({"jsonrpc": "2.0", "id": ping, "method": "lane.state"})
        data = b"".join(lines) + ask
        shown = data[:2000]
        errors = results = 0
        # while we read: whoever sends without reading waits for itself
        sending = threading.Thread(target=self._send, args=(data,), daemon=True)
        try:
            sending.start()
            for message in self._messages():
                if message.get("id") == ping:
                    break
                if "error" in message:
                    errors += 1
                    if message["error"]["code"] == wire.INTERNAL_ERROR:
                        raise Broken(f"a bug of the daemon's own after {shown!r}")
                    self.ended[_name(message["error"])] += 1
                elif "result" in message:
                    results += 1
                    self.ended["done"] += 1
        except TimeoutError:
            raise Broken(f"{self.kind}: no answer after {shown[:300]!r}, {len(lines)} lines, "
                         f"{errors + results} answered") from None  # fmt: skip
        sending.join()
        if errors + results > len(lines):
            raise Broken(f"more answers than questions after {shown!r}")
        # what has no id and was not declined is done without an answer
        silent = len(lines) - errors - results
        self.ended["done without an answer"] += silent
        self.check(declined=results + silent == 0, after=shown)

    def _send(self, data: bytes) -> None:
        with contextlib.suppress(OSError):
            self._socket.sendall(data)

    def check(self, *, declined: bool, after: bytes) -> None:
        """What was declined has changed nothing."""
        if self._record is None:
            return
        tables, kinds = self._record.changes()
        if declined and (not tables <= FOLLOW or not kinds <= NOTED):
            raise Broken(f"{self.kind}: {tables - FOLLOW} {kinds - NOTED} changed by {after!r}")

    def cut(self, data: bytes, *, hard: bool) -> None:
        """Half a message, and the connection is gone; `hard`: reset, answers unread."""
        self._socket.sendall(data)
        if hard:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()
        self._connect()
        self.check(declined=True, after=data[:2000])
        self.ended["cut"] += 1

    def endless(self) -> None:
        """A line beyond the limit: the connection ends, and nothing is kept of it."""
        try:
            for _ in range(wire.MAX_LINE // 65_536 + 4):
                self._socket.sendall(b"x" * 65_536)
            while self._file.readline(wire.MAX_LINE):
                pass
        except ConnectionError:
            pass
        except TimeoutError:
            raise Broken("a line without end kept the connection") from None
        self.close()
        self._connect()
        self.ended["endless"] += 1

    def reconnect(self) -> None:
        self.close()
        self._connect()


def turn(peer: Stranger, chance: random.Random) -> int:
    """One thing that such a peer does, mostly a message or a few. Returns how many messages."""
    match chance.randrange(400):
        case 0:
            peer.endless()
        case 1:
            peer.send([b'{"jsonrpc":"2.0","id":1,"method":"' + b"x" * 1_500_000 + b'"}\n'])
        case n if n < 12:
            whole = line(chance)
            cut_at = chance.randrange(len(whole))  # never with its end: it was never asked
            peer.cut(whole[:cut_at], hard=chance.random() < 0.5)
        case n if n < 15:
            peer.reconnect()
        case n if n < 20:
            many = [line(chance) for _ in range(chance.randint(50, 200))]
            peer.send(many)
            return len(many)
        case _:
            peer.send([line(chance)])
    return 1


def _name(error: dict[str, Any]) -> str:
    names = {
        wire.PARSE_ERROR: "no message", wire.INVALID_REQUEST: "no request",
        wire.METHOD_NOT_FOUND: "no method", wire.INVALID_PARAMS: "wrong parameters",
    }  # fmt: skip
    return names.get(error["code"], "declined")
