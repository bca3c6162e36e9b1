"""A camera that is not there: a live MJPEG stream over HTTP, as network cameras send it.

Test equipment. The parent's `VirtualCamera` commands a process of its own, so that
drawing never takes time from the lane; knows nothing of who watches.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Literal, Self

import cv2

from drivers.camera.codec import encode_part, response_head

Direction = Literal["left", "right", "up", "down", "center"]
JPEG_QUALITY = 85
_ANSWER_S = 30.0  # the first photograph loads the landmark model


class VirtualCamera:
    """The twin's handle: `with VirtualCamera() as camera: camera.person(photo)`.

    Commands are safe from any thread, return once they are in force, and raise
    `ValueError` when the process says no (a photograph with no face). 'left' is the
    person's own left: the nose moves to the right in the picture.
    """

    def __init__(self, fps: float = 15.0, port: int = 0) -> None:
        """`port` 0 takes a free one. The scene begins empty."""
        root = Path(__file__).resolve().parents[2]
        paths = [str(root), os.environ.get("PYTHONPATH", "")]
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "drivers.camera.virtual", str(fps), str(port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C is for the parent; this ends with its stdin
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
        )
        self.port: int = self._answer()["port"]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/video"

    def empty(self) -> None:
        """Nobody there: the entrance hall."""
        self._do("empty")

    def person(self, photo: Path | str, distance: float = 1.0) -> None:
        """A live-looking person walks in and stands before the camera (0.6 s)."""
        self._do("person", photo=str(photo), distance=distance)

    def flat_photo(self, photo: Path | str, distance: float = 1.0) -> None:
        """The attack: the photograph as a print, held up by hand."""
        self._do("flat_photo", photo=str(photo), distance=distance)

    def prepare(self, photo: Path | str) -> None:
        """Make a photograph ready, so that `person` and `flat_photo` answer at once."""
        self._do("prepare", photo=str(photo))

    def turn(self, direction: Direction, degrees: float | None = None) -> None:
        """Head (or print) turns within 0.5 s: 24 degrees aside, 16 up or down, a print 28."""
        self._do("turn", direction=direction, degrees=degrees)

    def blink(self) -> None:
        """Both eyes shut and open within 0.2 s. A print does nothing."""
        self._do("blink")

    def leave(self) -> None:
        """Out of the picture within 0.7 s."""
        self._do("leave")

    def cover(self) -> None:
        """A hand over the lens."""
        self._do("cover")

    def pattern(self) -> None:
        """A test picture that carries its own time: `scene.read_pattern`."""
        self._do("pattern")

    def freeze(self) -> None:
        """The same picture again and again, as a hung encoder sends; ended by `resume`."""
        self._do("freeze")

    def stall(self) -> None:
        """Connected, but silent; ended by `resume`."""
        self._do("stall")

    def resume(self) -> None:
        """End `freeze` and `stall`."""
        self._do("resume")

    def unplug(self) -> None:
        """Connections drop, new ones are refused."""
        self._do("unplug")

    def replug(self) -> None:
        """The same port answers again."""
        self._do("replug")

    def close(self) -> None:
        """End the process; harmless when repeated."""
        with self._lock:
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    pipe.close()
            try:
                self._process.wait(2)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _do(self, command: str, **arguments: Any) -> None:
        with self._lock:
            pipe = self._process.stdin
            if pipe is None or pipe.closed:
                raise RuntimeError("the virtual camera is closed")
            try:
                pipe.write(json.dumps({"do": command, **arguments}) + "\n")
                pipe.flush()
            except BrokenPipeError as error:
                raise RuntimeError("the virtual camera's process ended") from error
            answer = self._answer()
        if "error" in answer:
            raise ValueError(answer["error"])

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        timer = threading.Timer(_ANSWER_S, self._process.kill)
        timer.start()
        try:
            line = self._process.stdout.readline()
        finally:
            timer.cancel()
        if not line:
            raise RuntimeError("the virtual camera's process ended")
        answer: dict[str, Any] = json.loads(line)
        return answer


# --- in the process of its own -------------------------------------------------------------


class _Server:
    """HTTP on 127.0.0.1; each client gets the newest picture, never a backlog."""

    def __init__(self, port: int) -> None:
        self._news = threading.Condition()
        self._part, self._count = b"", 0
        self._clients: set[socket.socket] = set()
        self._listener: socket.socket | None = None
        self.port = port
        self.up()

    @property
    def watched(self) -> bool:
        return bool(self._clients)

    def up(self) -> None:
        if self._listener is None:
            self._listener = socket.create_server(("127.0.0.1", self.port), backlog=8)
            self.port = self._listener.getsockname()[1]
            threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def down(self) -> None:
        if self._listener is not None:
            # shutdown wakes accept(); close alone would leave it, and the port, alive
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        for client in list(self._clients):
            _shut(client)

    def publish(self, jpeg: bytes) -> None:
        with self._news:
            self._part, self._count = encode_part(jpeg), self._count + 1
            self._news.notify_all()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # a slow watcher must lose pictures, not collect old ones in the kernel's buffer
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 96 * 1024)
        client.settimeout(5)
        self._clients.add(client)
        try:
            request = b""
            while b"\r\n\r\n" not in request and len(request) < 8192:
                piece = client.recv(4096)
                if not piece:
                    return
                request += piece
            client.sendall(response_head())
            seen = 0
            while True:
                with self._news:
                    if self._count == seen:
                        self._news.wait(1)
                    part, fresh, seen = self._part, self._count > seen, self._count
                if client not in self._clients:
                    return
                if fresh and part:
                    client.sendall(part)
        except OSError:
            return
        finally:
            self._clients.discard(client)
            _shut(client)
            client.close()


def _shut(client: socket.socket) -> None:
    try:
        client.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # already gone, which is what was wanted


class _Director:
    """Takes commands (one JSON object a line) while the stream runs."""

    def __init__(self, server: _Server) -> None:
        from drivers.camera.scene import Scene

        self.scene = Scene()
        self.lock = threading.Lock()
        self.mode: Literal["live", "freeze", "stall"] = "live"
        self._server = server
        self._renderers: dict[str, Any] = {}

    def obey(self, order: dict[str, Any]) -> None:
        """Raises `ValueError` for what it cannot do."""
        command = order["do"]
        if command in ("unplug", "replug"):
            (self._server.down if command == "unplug" else self._server.up)()
        elif command in ("freeze", "stall", "resume"):
            self.mode = "live" if command == "resume" else command
        elif command in ("prepare", "person", "flat_photo"):
            renderer = self._renderer(order["photo"])
            if command != "prepare":
                with self.lock:
                    stage = getattr(self.scene, command)
                    stage(renderer, float(order["distance"]), time.monotonic())
        elif command == "turn":
            with self.lock:
                self.scene.turn(order["direction"], time.monotonic(), order.get("degrees"))
        elif command in ("empty", "blink", "leave", "cover", "pattern"):
            with self.lock:
                getattr(self.scene, command)(time.monotonic())
        else:
            raise ValueError(f"unknown command {command!r}")

    def _renderer(self, photo: str) -> Any:
        from drivers.camera.render import Renderer

        if photo not in self._renderers:
            if len(self._renderers) >= 8:
                self._renderers.pop(next(iter(self._renderers)))
            self._renderers[photo] = Renderer(photo)
        return self._renderers[photo]


def _film(director: _Director, server: _Server, fps: float) -> None:
    jpeg = b""
    due = time.monotonic()
    while True:
        due = max(due + 1 / fps, time.monotonic() - 1 / fps)
        if server.watched and director.mode != "stall":
            if director.mode == "live" or not jpeg:
                with director.lock:
                    picture = director.scene.frame(time.monotonic())
                coded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1]
                jpeg = coded.tobytes()
            server.publish(jpeg)
        time.sleep(max(0.0, due - time.monotonic()))


def _serve_commands(director: _Director, orders: IO[str], answers: IO[str]) -> None:
    for line in orders:
        try:
            director.obey(json.loads(line))
            answer: dict[str, Any] = {"ok": True}
        except (ValueError, KeyError) as error:
            answer = {"error": str(error)}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def main() -> None:
    """`python -m drivers.camera.virtual FPS PORT`: commands on stdin; ends with its parent."""
    fps, port = float(sys.argv[1]), int(sys.argv[2])
    cv2.setNumThreads(1)
    server = _Server(port)
    director = _Director(server)
    threading.Thread(target=_film, args=(director, server, fps), daemon=True).start()
    sys.stdout.write(json.dumps({"port": server.port}) + "\n")
    sys.stdout.flush()
    _serve_commands(director, sys.stdin, sys.stdout)


if __name__ == "__main__":
    main()
