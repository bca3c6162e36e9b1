"""The live picture's whole way: camera, face worker, daemon's socket, screen, while the engine
verifies a face. How many pictures a second are painted, and how old they are then.

Run: python bench/bench_preview.py [--seconds N] [--camera-fps N] [--size 1920x1080]. The virtual
camera draws on the same processor, which a real one does not. Needs the demo's photographs.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import given  # noqa: E402
import psutil  # noqa: E402
import yaml  # noqa: E402

from drivers.camera.virtual import VirtualCamera  # noqa: E402
from kiosk import wire  # noqa: E402
from kiosk.daemon import preview_of  # noqa: E402
from kiosk.face import events  # noqa: E402
from kiosk.face.client import FaceWorker  # noqa: E402
from kiosk.server import Connection, Server  # noqa: E402
from ui import qt, theme  # noqa: E402
from ui.candidate.window import CandidateWindow  # noqa: E402
from ui.client import Client  # noqa: E402
from ui.screenshots import example  # noqa: E402

WARM_S = 4.0


async def serve(config: Path, path: Path) -> None:
    """The daemon's part in it: the real worker's pictures go to the real socket."""
    ready = asyncio.Event()

    def handle(method: str, params: dict[str, Any], connection: Connection) -> Any:
        connection.previews = connection.subscribed = True
        connection.send(wire.encode(wire.notification("state", example("face", visit=1))))
        return {}

    def hear(event: events.FaceEvent) -> None:
        if isinstance(event, events.Preview):
            server.tell_preview(preview_of(event))
        elif isinstance(event, events.CameraOk):
            ready.set()

    server = Server(path, handle)
    worker = FaceWorker(
        [sys.executable, "-m", "kiosk.app", "face-worker", "--config", str(config)], hear)
    await worker.start()
    worker.watch()
    await ready.wait()
    await server.start()
    worker.verify(1, False)
    await asyncio.to_thread(sys.stdin.read)
    await worker.stop()
    await server.stop()


class Painted(qt.QObject):
    """Counts what the preview paints: when, and how old the picture was."""

    def __init__(self, window: CandidateWindow) -> None:
        super().__init__()
        self.at: list[float] = []
        self.age_ms: list[float] = []
        self._widget = window.face_page.preview
        self._newest: float | None = None
        window._client.preview.connect(self._came)
        self._widget.installEventFilter(self)

    def _came(self, preview: dict[str, Any]) -> None:
        self._newest = float(preview["at_s"])

    def eventFilter(self, watched: qt.QObject, event: qt.QEvent) -> bool:
        if event.type() == qt.QEvent.Paint and self._newest is not None:
            taken, self._newest = self._newest, None
            self._widget.removeEventFilter(self)
            qt.QApplication.sendEvent(self._widget, event)  # painted here, so that it is timed
            self._widget.installEventFilter(self)
            self.at.append(time.monotonic())
            self.age_ms.append((self.at[-1] - taken) * 1000)
            return True
        return False


def at(times: list[float], part: float) -> float:
    return sorted(times)[int(part * (len(times) - 1))]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=given.seconds, default=15.0)
    parser.add_argument("--camera-fps", type=given.seconds, default=30.0)
    parser.add_argument("--size", default="1920x1080")
    parser.add_argument("--serve", nargs=2, metavar=("CONFIG", "SOCKET"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        asyncio.run(serve(*map(Path, arguments.serve)))
        return 0
    folder = Path(os.environ.get("EXAMGATE_PHOTOS") or ROOT / ".cache" / "photos")
    photos = sorted(path for path in folder.glob("*") if path.suffix in (".jpg", ".png"))
    if not photos:
        sys.exit("no photographs: run make, or set EXAMGATE_PHOTOS")
    with tempfile.TemporaryDirectory() as temporary, \
            VirtualCamera(fps=arguments.camera_fps) as camera:
        camera.person(photos[0])
        place = Path(temporary)
        config = yaml.safe_load((ROOT / "config.yaml").read_text())
        config["devices"]["camera"] = {"driver": "opencv", "source": camera.url}
        config["paths"]["data"] = temporary
        (place / "config.yaml").write_text(yaml.safe_dump(config))
        command = [sys.executable, __file__, "--serve", str(place / "config.yaml"),
                   str(place / "s")]
        with subprocess.Popen(command, stdin=subprocess.PIPE,
                              env={**os.environ, "PYTHONPATH": str(ROOT)}) as daemon:
            measure(daemon, place / "s", arguments.seconds, arguments.size)
            assert daemon.stdin is not None
            daemon.stdin.close()
    return 0


def measure(daemon: subprocess.Popen[bytes], path: Path, seconds: float, size: str) -> None:
    wide, _, high = size.partition("x")
    app = qt.QApplication(["bench"])
    theme.set_up(app)
    client = Client(path, preview=True)
    window = CandidateWindow(client, "zh")
    window.resize(int(wide), int(high))
    window.show()
    painted = Painted(window)
    client.start()
    loop = qt.QEventLoop()
    while len(painted.at) < 5:
        loop.processEvents(qt.QEventLoop.AllEvents, 50)
    qt.QTimer.singleShot(round(WARM_S * 1000), loop.quit)
    loop.exec_()
    painted.at.clear()
    painted.age_ms.clear()
    processes = {"screen": psutil.Process(), "daemon": psutil.Process(daemon.pid)}
    processes["face worker"] = processes["daemon"].children()[0]
    for process in processes.values():
        process.cpu_percent()
    qt.QTimer.singleShot(round(seconds * 1000), loop.quit)
    loop.exec_()
    shares = {name: process.cpu_percent() for name, process in processes.items()}
    client.stop()
    gaps = [(b - a) * 1000 for a, b in zip(painted.at, painted.at[1:], strict=False)]
    print(f"{size}: {len(painted.at) / seconds:.1f} pictures/s painted; between two "
          f"{at(gaps, 0.5):.0f} ms (95 %: {at(gaps, 0.95):.0f}, most {max(gaps):.0f}); "
          f"from camera to screen {at(painted.age_ms, 0.5):.0f} ms "
          f"(95 %: {at(painted.age_ms, 0.95):.0f})")
    print("of one core: " + ", ".join(f"{name} {share:.0f} %" for name, share in shares.items()))


if __name__ == "__main__":
    raise SystemExit(main())
