"""A document on its way to the proctor's screen: made by the daemon, fetched, shown as pages,
printed, put on a stick.

Files with names of people lie in one private folder and go with it. It must not know any page.
"""

from __future__ import annotations

import base64
import os
import re
import shutil
import tempfile
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ui import qt
from ui.proctor.page import Line

PAUSE_MS = 400
MOST_PAGES = 60
DPI = 96
MEDIA = (Path("/media"), Path("/run/media"), Path("/mnt"))
LOCALE = {"LC_ALL": "C.UTF-8"}


class Fetcher(qt.QObject):
    """`ready` carries name → bytes of the wanted files; `failed` that it came to nothing."""

    ready = qt.pyqtSignal(dict)
    failed = qt.pyqtSignal()

    def __init__(self, line: Line, parent: qt.QObject) -> None:
        super().__init__(parent)
        self._line = line
        self._turn = 0  #: answers to an earlier document are not taken
        self._document: dict[str, Any] = {}
        self._wanted: list[str] = []
        self._sizes: dict[str, int] = {}
        self._files: dict[str, bytes] = {}
        self._pause = qt.QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(PAUSE_MS)
        self._pause.timeout.connect(self._wait)

    def begin(self, method: str, params: dict[str, Any], wanted: list[str]) -> None:
        self.stop()
        self._wanted = wanted
        self._ask(method, params, self._on_begun)

    def stop(self) -> None:
        self._turn += 1
        self._pause.stop()
        self._files, self._document = {}, {}

    def _ask(self, method: str, params: dict[str, Any], then: Callable[[Any], None]) -> None:
        turn = self._turn

        def answered(result: Any) -> None:
            if turn == self._turn:
                then(result)

        def declined(_error: Any) -> None:
            if turn == self._turn:
                self.stop()
                self.failed.emit()

        self._line.ask(method, params, answered, declined)

    def _on_begun(self, result: dict[str, Any]) -> None:
        self._document = {"document_id": result.get("document_id")}
        self._wait()

    def _wait(self) -> None:
        self._ask("document.wait", self._document, self._on_wait)

    def _on_wait(self, result: dict[str, Any]) -> None:
        if not result.get("ready"):
            self._pause.start()
            return
        self._sizes = {name: int(result["sizes"][name]) for name in self._wanted}
        self._files = dict.fromkeys(self._wanted, b"")
        self._next_part()

    def _next_part(self) -> None:
        name = next((n for n in self._wanted if len(self._files[n]) < self._sizes[n]), None)
        if name is None:
            files, self._files = self._files, {}
            self.ready.emit(files)
            return
        params = self._document | {"name": name, "after": len(self._files[name])}
        self._ask("document.part", params, lambda result: self._on_part(name, result))

    def _on_part(self, name: str, result: dict[str, Any]) -> None:
        self._files[name] += base64.b64decode(result["data"])
        self._next_part()


class Program(qt.QObject):
    """One run of another program. `ended` carries its exit code, or None when there is none to
    start, and what it said."""

    ended = qt.pyqtSignal(object, str)

    def run(self, program: str, arguments: list[str]) -> None:
        self._process = qt.QProcess(self)
        environment = qt.QProcessEnvironment.systemEnvironment()
        for key, value in LOCALE.items():
            environment.insert(key, value)
        self._process.setProcessEnvironment(environment)
        self._process.finished.connect(lambda code, _status: self._end(int(code)))
        self._process.errorOccurred.connect(self._on_error)
        self._process.start(program, arguments)

    def _on_error(self, error: int) -> None:
        if error == qt.QProcess.FailedToStart:
            self.ended.emit(None, "")

    def _end(self, code: int) -> None:
        said = bytes(self._process.readAllStandardOutput()) + bytes(
            self._process.readAllStandardError())
        self.ended.emit(code, said.decode(errors="replace").strip())


class Folder:
    """A private folder in memory where there is one; `forget` leaves nothing."""

    def __init__(self) -> None:
        self._path: Path | None = None
        self._gone: Callable[[], object] = lambda: None

    @property
    def path(self) -> Path:
        if self._path is None:
            runtime = os.environ.get("XDG_RUNTIME_DIR") or "/dev/shm"
            place = runtime if os.access(runtime, os.W_OK) else None
            self._path = Path(tempfile.mkdtemp(prefix="examgate-", dir=place))  # mode 0700
            # it goes with the process, too
            self._gone = weakref.finalize(self, shutil.rmtree, self._path, ignore_errors=True)
        return self._path

    def forget(self) -> None:
        self._gone()
        self._path = None

    @property
    def pages(self) -> list[Path]:
        """What pdftoppm wrote, in their order."""
        found = self.path.glob("page-*.png")
        return sorted(found, key=lambda file: int(re.sub(r"\D", "", file.stem)))


def sticks() -> list[Path]:
    """Mounted media that can be written to."""
    found = []
    for root in MEDIA:
        outer = _inside(root)
        for place in (*outer, *(inner for folder in outer for inner in _inside(folder))):
            if os.path.ismount(place) and os.access(place, os.W_OK):
                found.append(place)
    return found


def _inside(folder: Path) -> list[Path]:
    try:
        return sorted(place for place in folder.iterdir() if place.is_dir())
    except OSError:
        return []


def put(folder: Path, name: str, ending: str, data: bytes) -> Path:
    """Write a new file, to the medium itself; one that is there is kept. Raises `OSError`."""
    for n in range(1, 100):
        target = folder / f"{name}{'' if n == 1 else f'-{n}'}.{ending}"
        try:
            handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640)
        except FileExistsError:
            continue
        try:
            with os.fdopen(handle, "wb") as out:
                out.write(data)
                out.flush()
                os.fsync(out.fileno())
        except OSError:
            target.unlink(missing_ok=True)  # half a report is none
            raise
        return target
    raise FileExistsError(17, os.strerror(17), str(folder / name))
