"""The screens' line to the daemon: QLocalSocket, JSON-RPC of kiosk.wire, reconnecting.

Keeps nothing about a person and decides nothing: what comes is handed on as Qt signals.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kiosk import wire
from ui import qt

FIRST_WAIT_MS = 200
LONGEST_WAIT_MS = 2000
LOST = 0  #: `RpcError.code` of calls whose connection went away

OnResult = Callable[[Any], None]
OnError = Callable[[wire.RpcError], None]


class Client(qt.QObject):
    """`start()` once; it stays subscribed through every restart of the daemon."""

    state = qt.pyqtSignal(dict)
    preview = qt.pyqtSignal(dict)
    happened = qt.pyqtSignal(dict)  #: `event` notifications (QObject.event is Qt's own)
    staff = qt.pyqtSignal(dict)  #: who stands before a proctor's screen
    connected = qt.pyqtSignal(bool)

    def __init__(
        self,
        path: Path,
        *,
        preview: bool,
        screen: str = "candidate",
        parent: qt.QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._path = path
        self._screen = screen
        self._preview = preview
        self._ids = itertools.count(1)
        self._waiting: dict[int, tuple[OnResult | None, OnError | None]] = {}
        self._buffer = bytearray()
        self._wait_ms = FIRST_WAIT_MS
        self._up = False
        self._socket = qt.QLocalSocket(self)
        self._socket.connected.connect(self._on_connected)
        self._socket.disconnected.connect(self._on_lost)
        self._socket.errorOccurred.connect(self._on_lost)
        self._socket.readyRead.connect(self._on_bytes)
        self._again = qt.QTimer(self)
        self._again.setSingleShot(True)
        self._again.timeout.connect(self._connect)

    @property
    def is_connected(self) -> bool:
        return self._up

    def start(self) -> None:
        self._connect()

    def stop(self) -> None:
        """End the connection for good."""
        self._again.stop()
        self._socket.blockSignals(True)
        self._socket.abort()

    def call(
        self,
        method: str,
        params: dict[str, Any] | None = None,
        on_result: OnResult | None = None,
        on_error: OnError | None = None,
    ) -> None:
        """Send one request. Without a connection `on_error` is called with code `LOST`."""
        if self._socket.state() != qt.QLocalSocket.ConnectedState:
            if on_error is not None:
                on_error(wire.RpcError(LOST, "not connected"))
            return
        number = next(self._ids)
        self._waiting[number] = (on_result, on_error)
        self._socket.write(wire.encode(wire.request(method, params, number)))

    def _connect(self) -> None:
        self._socket.connectToServer(str(self._path))

    def _on_connected(self) -> None:
        self._buffer.clear()
        self._subscribe()

    def _subscribe(self) -> None:
        asked = {"preview": self._preview, "screen": self._screen}
        self.call("lane.subscribe", asked, self._on_subscribed)

    def want_pictures(self, wanted: bool) -> None:
        """Live pictures from now on, or none any more; a new connection begins without."""
        if self.is_connected:
            asked = {"preview": wanted, "screen": self._screen}
            self.call("lane.subscribe", asked)

    def _on_subscribed(self, _result: Any) -> None:
        self._wait_ms = FIRST_WAIT_MS

    def _on_lost(self, *_args: object) -> None:
        waiting, self._waiting = self._waiting, {}
        self._buffer.clear()
        if self._up:
            self._up = False
            self.connected.emit(False)
        for _, on_error in waiting.values():
            if on_error is not None:
                on_error(wire.RpcError(LOST, "connection lost"))
        if not self._again.isActive():
            self._again.start(self._wait_ms)
            self._wait_ms = min(LONGEST_WAIT_MS, self._wait_ms * 2)

    def _on_bytes(self) -> None:
        self._buffer += bytes(self._socket.readAll())
        *lines, rest = bytes(self._buffer).split(b"\n")
        self._buffer = bytearray(rest)
        if len(rest) > wire.MAX_LINE:
            self._socket.abort()
            return
        newest = None
        for line in lines:
            try:
                message = wire.decode(line)
            except wire.RpcError:
                self._socket.abort()  # not our daemon, or out of step: begin anew
                return
            if message.get("method") == "preview":
                newest = message  # an older picture in the same read is already past
                continue
            if message.get("method") == "state":
                newest = None  # a picture from before it may be of the person before
            self._take(message)
        if newest is not None:
            self.preview.emit(newest.get("params") or {})

    def _take(self, message: wire.Message) -> None:
        match message.get("method"):
            case "state":
                if not self._up:
                    self._up = True
                    self.connected.emit(True)
                self.state.emit(message.get("params") or {})
            case "staff":
                self.staff.emit(message.get("params") or {})
            case "event":
                self.happened.emit(message.get("params") or {})
            case None:
                self._answer(message)

    def _answer(self, message: wire.Message) -> None:
        on_result, on_error = self._waiting.pop(message.get("id", -1), (None, None))
        try:
            result = wire.result_of(message)
        except wire.RpcError as error:
            if on_error is not None:
                on_error(error)
            return
        if on_result is not None:
            on_result(result)
