"""The daemon's unix socket, and what kiosk.tls lets in: connections, JSON-RPC, subscriptions.

Knows nothing of what the methods do; a slow or broken client never holds up the lane.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import os
import socket
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog

from kiosk import wire
from kiosk.staff.peers import Peer, Users
from kiosk.tls import BLOCK, Listener

log = structlog.get_logger(__name__)

MAX_BACKLOG = 2 * 1024 * 1024  #: bytes a subscriber may lag before it is dropped
PREVIEW_BACKLOG = 200 * 1024  #: above this a preview is skipped: the newest picture, not a queue
#: Screens and commands are a handful; whoever opens more takes nothing from the lane's devices.
MAX_CONNECTIONS = 100
#: One user's, or one certificate's: who takes all they can get leaves room for the other screen.
MAX_OF_ONE = 20
#: Bytes of a line from others than the machine's own users: the longest signature, and room. With
#: `MAX_CONNECTIONS` of them this is also what strangers can make the daemon hold.
MAX_STRANGERS_LINE = 2 * 1024 * 1024
GOODBYE_S = 1.0  #: for answers on their way when the daemon stops
SOCKET_MODE = 0o660


class Connection:
    """One client. `subscribed` and `previews` say what it wants to be told."""

    def __init__(self, writer: asyncio.StreamWriter, peer: Peer) -> None:
        self._writer = writer
        self.peer = peer
        self.max_line = wire.MAX_LINE if peer.machine else MAX_STRANGERS_LINE
        self.subscribed = False
        self.previews = False

    def send(self, line: bytes, *, skippable: bool = False) -> None:
        backlog = self._writer.transport.get_write_buffer_size()
        if skippable and backlog > PREVIEW_BACKLOG:
            return
        if backlog > MAX_BACKLOG:
            log.warning("client_too_slow", backlog=backlog)
            self._writer.transport.abort()
            return
        if not self._writer.is_closing():
            self._writer.write(line)

    def close(self) -> None:
        self._writer.close()

    def abort(self) -> None:
        self._writer.transport.abort()


Handler = Callable[[str, dict[str, Any], Connection], Any]


def peer_uid(writer: asyncio.StreamWriter) -> int | None:
    """The user at the other end, by the kernel's own word (SO_PEERCRED, unix(7))."""
    end = writer.get_extra_info("socket")
    if end is None or end.family != socket.AF_UNIX:  # of others it would tell nobody's
        return None
    try:
        found = end.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    except OSError:
        return None
    return int(struct.unpack("3i", found)[1])


class LineTooLong(Exception):
    """Whoever sends it is not one of ours; nothing of it was kept."""


async def whole_line(reader: asyncio.StreamReader, most: int) -> bytes:
    """The next line with its end; b"" when the connection is over. What comes before that without
    an end was cut off, and is nothing. Raises `LineTooLong`."""
    parts: list[bytes] = []
    size = 0
    while True:
        try:
            part = await reader.readuntil(b"\n")
        except asyncio.IncompleteReadError:
            return b""
        except asyncio.LimitOverrunError as over:
            part = await reader.readexactly(over.consumed)
        size += len(part)
        if size > most:
            raise LineTooLong
        parts.append(part)
        if part.endswith(b"\n"):
            return b"".join(parts)


class Server:
    """`handle(method, params, connection)` answers requests, at once or as an awaitable; it
    raises `RpcError` to decline. `came` and `gone` are told of each connection; `users` say who a
    user of the machine is, `far` listens on the network where that is configured."""

    def __init__(
        self,
        path: Path,
        handle: Handler,
        came: Callable[[Connection], None] = lambda connection: None,
        gone: Callable[[Connection], None] = lambda connection: None,
        users: Users | None = None,
        far: Listener | None = None,
    ) -> None:
        self._path = path
        self._handle = handle
        self._came, self._gone = came, gone
        self._users = users or Users()
        self._far = far
        self._connections: set[Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen. A socket file left by a dead daemon is replaced."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()
        self._server = await asyncio.start_unix_server(self._near, str(self._path), limit=BLOCK)
        os.chmod(self._path, SOCKET_MODE)
        if self._far is not None:
            await self._far.start(self._serve)

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
        for connection in list(self._connections):
            connection.close()
        if self._tasks:  # who does not read what is still to be told holds nobody up
            await asyncio.wait(self._tasks, timeout=GOODBYE_S)
        for connection in list(self._connections):
            connection.abort()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._far is not None:
            await self._far.stop()
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()

    def tell(self, method: str, params: dict[str, Any]) -> None:
        """Notify every subscriber."""
        line = wire.encode(wire.notification(method, params))
        for connection in list(self._connections):
            if connection.subscribed:
                connection.send(line)

    @property
    def wants_previews(self) -> bool:
        return any(c.previews for c in self._connections)

    def tell_preview(self, params: dict[str, Any]) -> None:
        line = wire.encode(wire.notification("preview", params))
        for connection in list(self._connections):
            if connection.previews:
                connection.send(line, skippable=True)

    async def _near(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._serve(reader, writer, self._users.peer(peer_uid(writer)))

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, peer: Peer
    ) -> None:
        alike = sum(other.peer.whose == peer.whose for other in self._connections)
        crowd = not peer.machine and alike >= MAX_OF_ONE
        if crowd or len(self._connections) >= MAX_CONNECTIONS:
            log.warning("too_many_clients", of_one=crowd)
            writer.close()
            return
        connection = Connection(writer, peer)
        self._connections.add(connection)
        self._came(connection)
        if (task := asyncio.current_task()) is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        try:
            while line := await whole_line(reader, connection.max_line):
                reply = await self._answer(line, connection)
                if reply is not None:
                    connection.send(reply)
                await writer.drain()
                await asyncio.sleep(0)  # the lane's own turn, also before the next of a thousand
        except OSError:  # ssl.SSLError is one
            log.info("client_dropped")
        except LineTooLong:
            log.warning("line_too_long", most=connection.max_line)
        except Exception:  # as in `_answer`
            log.critical("bug_in_connection", exc_info=True)
        finally:
            self._connections.discard(connection)
            self._gone(connection)
            with contextlib.suppress(OSError):
                writer.close()

    async def _answer(self, line: bytes, connection: Connection) -> bytes | None:
        request_id = None
        try:
            message = wire.decode(line)
            request_id = message.get("id")
            method, params = message.get("method"), message.get("params", {})
            if not isinstance(method, str) or not isinstance(params, dict):
                raise wire.RpcError(wire.INVALID_REQUEST, "method or params missing")
            result = self._handle(method, params, connection)
            if inspect.isawaitable(result):  # the next request of this connection waits for it
                result = await result
            return None if request_id is None else wire.encode(wire.answer(request_id, result))
        except wire.RpcError as error:
            return wire.encode(wire.error_answer(request_id, error))
        except Exception:
            # A mistake of ours; whoever found the words for it must not stop the gate with them.
            log.critical("bug_in_request", exc_info=True)
            bug = wire.RpcError(wire.INTERNAL_ERROR, "the lane has a fault; it is in its log")
            return wire.encode(wire.error_answer(request_id, bug))
