"""A lane in a temporary folder, the command on it, and a socket with a real office behind it."""

from __future__ import annotations

import contextlib
import socketserver
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from kiosk import app, wire
from kiosk.cli.main import main
from kiosk.config import Config, load

EXAMPLE = Path(__file__).resolve().parents[2] / "config.yaml"

Run = Callable[..., Result]


@pytest.fixture
def config_file(tmp_path: Path) -> Path:
    """The example configuration with everything below the temporary folder."""
    text = EXAMPLE.read_text()
    for there, here in (
        ("/var/lib/examgate", "data"),
        ("/run/examgate", "run"),
        ("/etc/examgate/lane.key", "lane.key"),
        ("/dev/", "dev/"),
    ):
        text = text.replace(there, str(tmp_path / here))
    file = tmp_path / "config.yaml"
    file.write_text(text)
    (tmp_path / "run").mkdir()
    return file


@pytest.fixture
def config(config_file: Path) -> Config:
    return load(config_file)


@pytest.fixture
def key(config: Config) -> Path:
    return app.make_key(config)


@pytest.fixture
def run(config_file: Path) -> Run:
    """`run("session", "list")` → result with exit_code, stdout, stderr; bugs are raised."""

    def command(*arguments: str, lang: str = "en") -> Result:
        whole = ["--config", str(config_file), "--lang", lang, *arguments]
        result = CliRunner().invoke(main, whole, prog_name="examgate")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return command


class Daemon:
    """Answers on the lane's socket: a real office, and what `answers` says besides."""

    def __init__(self, path: Path, office: Any) -> None:
        self.answers: dict[str, Any] = {}
        self.events: list[dict[str, Any]] = []
        self.ends_after_events = True  #: a subscriber's connection
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self._office = office
        daemon = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                for line in self.rfile:
                    message = wire.decode(line)
                    self.wfile.write(wire.encode(daemon.answer(message)))
                    method = message["method"]
                    if method == "lane.subscribe" and daemon.ends_after_events:
                        for event in daemon.events:
                            self.wfile.write(wire.encode(wire.notification("event", event)))
                        return

        self._server = socketserver.UnixStreamServer(str(path), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def answer(self, message: wire.Message) -> wire.Message:
        method, params = message["method"], message["params"]
        self.asked.append((method, params))
        try:
            if method in self.answers:
                return wire.answer(message["id"], self.answers[method])
            return wire.answer(message["id"], self._office.call(method, params))
        except wire.RpcError as error:
            return wire.error_answer(message["id"], error)

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join(5)
        self._server.server_close()


@pytest.fixture
def daemon(config: Config, key: Path) -> Iterator[Daemon]:
    # the office's database belongs to the thread that serves: opened there on first use
    office = _OfficeInServingThread(config)
    running = Daemon(app.socket_path(config), office)
    yield running
    running.stop()


class _OfficeInServingThread:
    def __init__(self, config: Config) -> None:
        self._config = config

    def call(self, method: str, params: dict[str, Any]) -> Any:
        with contextlib.ExitStack() as stack:
            office = stack.enter_context(app.offline(self._config))
            kept = self.__dict__.setdefault("imports", office.roster.imports)
            office.roster.imports = kept  # an import spans several calls
            return office.call(method, params)
