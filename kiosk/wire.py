"""The daemon's language on its unix socket: JSON-RPC 2.0, one message a line, UTF-8.

Owns method names, limits, encoding and a small client. Knows nothing of the lane's logic;
docs/wire.md lists each method with its parameters, and a test keeps the two in step.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MAX_LINE = 8 * 1024 * 1024  #: bytes; a longer line ends the connection
CONNECT_TIMEOUT_S = 3.0

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
REFUSED = -32000  #: understood and declined; `data` has {"code": …, "problems": [...]}

Message = dict[str, Any]


class RpcError(Exception):
    """An error answer. `code` as in JSON-RPC; `problems` are plain sentences, one each."""

    def __init__(self, code: int, message: str, data: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data or {}

    @property
    def problems(self) -> list[str]:
        return [str(p) for p in self.data.get("problems", [])] or [self.message]


class NotRunning(Exception):
    """Nobody listens at the socket."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"no examgate daemon at {path} ({reason})")
        self.path = path


def encode(message: Message) -> bytes:
    """One line, newline included."""
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def decode(line: bytes) -> Message:
    """One line back into a message. Raises `RpcError(PARSE_ERROR | INVALID_REQUEST)`."""
    try:
        message = json.loads(line.decode())
    except (ValueError, UnicodeDecodeError, RecursionError) as error:
        raise RpcError(PARSE_ERROR, "not a JSON message") from error
    if b"\\u" in line and not is_text(message):
        raise RpcError(PARSE_ERROR, "half a character (a lone surrogate) in the message")
    if not isinstance(message, dict) or message.get("jsonrpc") != "2.0":
        raise RpcError(INVALID_REQUEST, "not a JSON-RPC 2.0 message")
    return message


def is_text(value: Any) -> bool:
    """Whether all strings in it can be written as UTF-8: JSON can escape what no file can hold."""
    try:
        json.dumps(value, ensure_ascii=False, default=str).encode()
    except (UnicodeEncodeError, ValueError, RecursionError):
        return False
    return True


def request(method: str, params: dict[str, Any] | None, request_id: int) -> Message:
    return {"jsonrpc": "2.0", "id": request_id, "method": method, "params": params or {}}


def notification(method: str, params: dict[str, Any]) -> Message:
    return {"jsonrpc": "2.0", "method": method, "params": params}


def answer(request_id: Any, result: Any) -> Message:
    return {"jsonrpc": "2.0", "id": request_id, "result": result}


def error_answer(request_id: Any, error: RpcError) -> Message:
    body: dict[str, Any] = {"code": error.code, "message": error.message}
    if error.data:
        body["data"] = error.data
    return {"jsonrpc": "2.0", "id": request_id, "error": body}


def result_of(message: Message) -> Any:
    """The result of an answer. Raises `RpcError` for an error answer."""
    if "error" in message:
        error = message["error"]
        raise RpcError(error.get("code", 0), error.get("message", ""), error.get("data"))
    return message.get("result")


class Client:
    """A blocking client for commands and tests: `call`, and `notifications` to follow."""

    def __init__(self, path: Path, timeout_s: float = 30.0) -> None:
        self._ids = itertools.count(1)
        self._waiting: list[Message] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._socket.settimeout(CONNECT_TIMEOUT_S)
            self._socket.connect(str(path))
        except OSError as error:
            self._socket.close()
            raise NotRunning(path, error.strerror or str(error)) from error
        self._socket.settimeout(timeout_s)
        self._file = self._socket.makefile("rb")

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._file.close()
        self._socket.close()

    def call(self, method: str, params: dict[str, Any] | None = None) -> Any:
        """Send one request and wait for its answer; notifications meanwhile are kept."""
        request_id = next(self._ids)
        self._socket.sendall(encode(request(method, params, request_id)))
        while True:
            message = self._read()
            if message.get("id") == request_id and "method" not in message:
                return result_of(message)
            self._waiting.append(message)

    def notifications(self) -> Iterator[Message]:
        """Notifications as they come; ends when the daemon closes the connection."""
        while True:
            if self._waiting:
                yield self._waiting.pop(0)
                continue
            try:
                yield self._read()
            except ConnectionError:
                return

    def _read(self) -> Message:
        line = self._file.readline(MAX_LINE)
        if not line:
            raise ConnectionResetError("the daemon closed the connection")
        return decode(line)


async def open_connection(path: Path) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """The same for asyncio. Raises `NotRunning`."""
    try:
        return await asyncio.open_unix_connection(str(path), limit=MAX_LINE)
    except OSError as error:
        raise NotRunning(path, error.strerror or str(error)) from error
