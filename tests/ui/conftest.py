"""A daemon made of one unix socket that speaks kiosk.wire, and the windows against it."""

from __future__ import annotations

import contextlib
import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kiosk import wire
from ui import qt, theme
from ui.candidate.window import CandidateWindow
from ui.client import Client
from ui.proctor.window import ProctorWindow
from ui.screenshots import NOWHERE, SESSION, STAFF, example

#: what Qt's own off-screen platform says about itself, whatever the program does
PLATFORM_NOISE = ("propagateSizeHints", "XDG_RUNTIME_DIR")


class Daemon:
    """Listens at `path`; answers as told and keeps every request it got."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.state: dict[str, Any] = example("idle")
        self.staff: dict[str, Any] = dict(STAFF)  #: who has logged in at a proctor's screen
        self.answers: dict[str, Any] = {}
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self._peers: list[socket.socket] = []
        self._lock = threading.Lock()
        self.start()

    def start(self) -> None:
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(self.path))
        self._listener.listen()
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def stop(self) -> None:
        """As a daemon that ends: the socket file goes, connections break."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)
        with self._lock:
            peers, self._peers = self._peers, []
        for peer in peers:
            with contextlib.suppress(OSError):  # the other end may have gone first
                peer.shutdown(socket.SHUT_RDWR)
        self.path.unlink()

    def tell(self, method: str, params: dict[str, Any]) -> None:
        self.send_raw(wire.encode(wire.notification(method, params)))

    def send_raw(self, data: bytes) -> None:
        with self._lock:
            for peer in self._peers:
                with contextlib.suppress(OSError):
                    peer.sendall(data)

    def show(self, name: str, **changes: Any) -> dict[str, Any]:
        self.state = example(name, **changes)
        self.tell("state", self.state)
        return self.state

    def called(self, method: str) -> list[dict[str, Any]]:
        return [params for name, params in self.requests if name == method]

    def _accept(self) -> None:
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer: socket.socket) -> None:
        # a screen may go away at any moment, in the middle of an answer too
        with contextlib.suppress(OSError), peer, peer.makefile("rb") as lines:
            for line in lines:
                message = wire.decode(line)
                method = message["method"]
                self.requests.append((method, message["params"]))
                answer = self.answers.get(method, {})
                if callable(answer):
                    answer = answer(message["params"])
                with self._lock:
                    if isinstance(answer, wire.RpcError):
                        peer.sendall(wire.encode(wire.error_answer(message["id"], answer)))
                        continue
                    peer.sendall(wire.encode(wire.answer(message["id"], answer)))
                    if method == "lane.subscribe":
                        self._peers.append(peer)
                        peer.sendall(wire.encode(wire.notification("state", self.state)))
                        if message["params"].get("screen") == "proctor":
                            peer.sendall(wire.encode(wire.notification("staff", self.staff)))


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    made = Daemon(tmp_path / "examgate.sock")
    yield made
    if made.path.exists():
        made.stop()


@pytest.fixture(autouse=True)
def no_qt_warnings(qtlog: Any) -> Iterator[None]:
    """Fail a test in whose course Qt complained."""
    yield
    said = [record.message for record in qtlog.records
            if not any(noise in record.message for noise in PLATFORM_NOISE)]
    assert not said


@pytest.fixture
def themed(qapp: qt.QApplication) -> qt.QApplication:
    if theme.set_up(qapp) is None:
        pytest.fail(theme.NO_FONT)
    return qapp


@pytest.fixture
def open_window(themed: qt.QApplication, daemon: Daemon, qtbot: Any
                ) -> Iterator[Callable[..., CandidateWindow]]:
    """Make a candidate's window, subscribed and showing the daemon's first state."""
    clients = []

    def make(language: str = "zh", size: tuple[int, int] = (1280, 720)) -> CandidateWindow:
        client = Client(daemon.path, preview=True)
        window = CandidateWindow(client, language)
        qtbot.addWidget(window)
        window.resize(*size)
        window.show()
        client.start()
        clients.append(client)
        qtbot.waitUntil(lambda: window.state_name == daemon.state["state"], timeout=5000)
        return window

    yield make
    for client in clients:
        client.stop()


@pytest.fixture
def window(open_window: Callable[..., CandidateWindow]) -> CandidateWindow:
    return open_window()


@pytest.fixture
def proctor(themed: Any, daemon: Any, qtbot: Any) -> Iterator[ProctorWindow]:
    created = SESSION | {"session_id": "KM1-1400", "state": "created", "seated": 0, "inside": 0}
    daemon.answers |= {
        "lane.info": {"version": "0.1.0", "lane": "entry-1", "venue": "YT-03"},
        "session.status": {"sessions": [SESSION, created]},
        "session.candidates": {"candidates": [
            {"name": "李*", "admission_no": "…0032", "standing": "seated", "terminal": "012",
             "last_reason": "GATE_TIMEOUT", "last_at": "2025-06-12T09:12:36+08:00"}]},
    }
    client = Client(daemon.path, preview=False, screen="proctor")
    window = ProctorWindow(client, "zh")
    qtbot.addWidget(window)
    window.show()
    client.start()
    qtbot.waitUntil(lambda: window.candidates.rowCount() == 1, timeout=5000)
    yield window
    client.stop()


@pytest.fixture
def make_proctor(themed: Any, qtbot: Any) -> Callable[[str], ProctorWindow]:
    """A proctor's window in a language, without a daemon."""

    def make(language: str) -> ProctorWindow:
        client = Client(NOWHERE, preview=False)
        client._up = True  # as far as the window can tell
        window = ProctorWindow(client, language)
        qtbot.addWidget(window)
        window.show()
        client.state.emit(example("idle"))
        client.staff.emit(STAFF)
        window._on_sessions({"sessions": [SESSION]})
        return window

    return make
