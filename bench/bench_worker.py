"""What the face worker's process costs: processor and memory, idle, at work and over an hour.

    python bench/bench_worker.py [--seconds 20] [--soak MINUTES]

The real worker process reads the virtual camera (MJPEG over HTTP, decoded by OpenCV) at
640x480 and 15 frames a second. `--soak` lets one simulated person after another come, be
verified and leave, and tells as it goes the memory, why who was not verified was not, and how
loaded the machine was.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import given  # noqa: E402

from drivers.camera.virtual import Direction, VirtualCamera  # noqa: E402
from kiosk.core.codes import Prompt  # noqa: E402
from kiosk.face import events  # noqa: E402
from kiosk.face.client import FaceWorker  # noqa: E402
from kiosk.face.events import FaceEvent  # noqa: E402

MOVEMENTS: dict[Prompt, Direction] = {
    Prompt.TURN_LEFT: "left",
    Prompt.TURN_RIGHT: "right",
    Prompt.LOOK_UP: "up",
    Prompt.LOOK_DOWN: "down",
}
PATIENCE_S = 30.0
MB = 1 << 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument(
        "--seconds", type=given.seconds, default=20.0, help="of each measurement"
    )
    parser.add_argument("--soak", type=given.minutes, default=0.0, metavar="MINUTES")
    arguments = parser.parse_args()
    folder = Path(os.environ.get("EXAMGATE_PHOTOS") or ROOT / ".cache" / "photos")
    photos = sorted(path for path in folder.glob("*") if path.suffix in (".jpg", ".png"))
    if not photos:
        sys.exit("no photographs: run make, or set EXAMGATE_PHOTOS")
    with tempfile.TemporaryDirectory() as temporary, VirtualCamera() as camera:
        stage = Stage(camera, Path(temporary))
        asyncio.run(stage.play(photos, arguments.seconds, arguments.soak))


class Stage:
    """One worker, one camera, and who stands before it."""

    def __init__(self, camera: VirtualCamera, folder: Path) -> None:
        self.camera = camera
        example = (ROOT / "config.yaml").read_text()
        self._config = folder / "config.yaml"
        self._config.write_text(_with_camera(example, camera.url, folder))
        self.heard: list[FaceEvent] = []
        self._prompt = Prompt.NONE
        self._task = 0

    def hear(self, event: FaceEvent) -> None:
        if isinstance(event, events.Preview):
            prompt, self._prompt = self._prompt, event.prompt
            if event.prompt is not prompt:
                asyncio.get_running_loop().call_later(0.35, self._answer, event.prompt)
            return
        self.heard.append(event)

    def _answer(self, prompt: Prompt) -> None:
        if prompt is not self._prompt:
            return
        if prompt in MOVEMENTS:
            self.camera.turn(MOVEMENTS[prompt])
        elif prompt is Prompt.BLINK:
            self.camera.blink()
        else:
            self.camera.turn("center")

    async def until(self, kind: type[FaceEvent], since: int = 0) -> FaceEvent:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                for event in self.heard[since:]:
                    if isinstance(event, kind):
                        return event
                await asyncio.sleep(0.005)

    async def play(self, photos: list[Path], seconds: float, soak: float) -> None:
        argv = [sys.executable, "-m", "kiosk.app", "face-worker", "--config", str(self._config)]
        os.environ["PYTHONPATH"] = str(ROOT)
        worker = FaceWorker(argv, self.hear)
        for photo in photos:
            self.camera.prepare(photo)
        await worker.start()
        try:
            ready = await self.until(events.WorkerReady)
            assert isinstance(ready, events.WorkerReady)
            process = psutil.Process(ready.pid)
            await self.figures(worker, process, photos, seconds)
            if soak:
                await self.soak(worker, process, photos, soak * 60)
        finally:
            await worker.stop()

    async def figures(
        self, worker: FaceWorker, process: psutil.Process, photos: list[Path], seconds: float
    ) -> None:
        self.camera.empty()
        worker.watch()
        await self.until(events.CameraOk)
        print(f"ready: resident memory {process.memory_info().rss // MB} MB")
        await self.cost("nobody in view", process, seconds)
        began = time.monotonic()
        self.camera.person(photos[0])
        await self.until(events.Presence)
        print(
            f"somebody comes into view: told after {time.monotonic() - began:.2f} s (walks 0.6 s)"
        )
        print(f"verified: {await self.verify(worker):.2f} s from the command to the fifth look")
        self._task += 1
        worker.verify(self._task, False)
        await self.cost("a face followed and embedded", process, seconds)
        worker.guard(self._task)
        await self.cost("guarding who signs", process, seconds)
        await self.lose_the_camera()

    async def cost(self, what: str, process: psutil.Process, seconds: float) -> None:
        await asyncio.sleep(2.0)
        process.cpu_percent()
        await asyncio.sleep(seconds)
        share, rss = process.cpu_percent(), process.memory_info().rss // MB
        print(f"{what:<30} {share:5.1f} % of one core, resident {rss} MB")

    async def verify(self, worker: FaceWorker) -> float:
        """Liveness and five looks; raises TimeoutError when that does not come about."""
        self._task += 1
        since, began = len(self.heard), time.monotonic()
        worker.verify(self._task, True)
        await self._all(lambda: self._looks(since) >= 5 or self._failed(since))
        return time.monotonic() - began

    def _looks(self, since: int) -> int:
        return sum(isinstance(event, events.Observation) for event in self.heard[since:])

    def _failed(self, since: int) -> bool:
        return any(isinstance(event, events.LivenessFailed) for event in self.heard[since:])

    async def _all(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not true():  # noqa: ASYNC110  (events come many a second anyway)
                await asyncio.sleep(0.01)

    async def lose_the_camera(self) -> None:
        since, began = len(self.heard), time.monotonic()
        self.camera.unplug()
        await self.until(events.CameraFault, since)
        lost = time.monotonic() - began
        began = time.monotonic()
        self.camera.replug()
        await self.until(events.CameraOk, since)
        back = time.monotonic() - began
        print(f"camera unplugged: told after {lost:.2f} s; plugged in: back after {back:.2f} s")

    async def soak(
        self, worker: FaceWorker, process: psutil.Process, photos: list[Path], seconds: float
    ) -> None:
        began, people = time.monotonic(), 0
        failed: Counter[str] = Counter()
        shown = -300.0
        while (passed := time.monotonic() - began) < seconds:
            if passed - shown >= 300:
                shown = passed
                self._tell(process, passed, people, failed)
            since = len(self.heard)
            self.camera.person(photo := photos[people % len(photos)])
            if why := await self._not_verified(worker, since):
                failed[why] += 1
                load = os.getloadavg()[0]
                print(f"{passed / 60:5.1f} min: {photo.stem} {why}, load {load:.1f}", flush=True)
            self.camera.leave()
            worker.watch()
            await asyncio.sleep(2.0)
            del self.heard[:]
            people += 1
        self._tell(process, time.monotonic() - began, people, failed)

    async def _not_verified(self, worker: FaceWorker, since: int) -> str:
        """Why this person was not: a LivenessFailed.why, or what was last asked for; "" if they
        were."""
        try:
            await self.verify(worker)
        except TimeoutError:
            looks = self._looks(since)
            return f"no end in {PATIENCE_S:.0f} s, {looks} looks, told {self._prompt.value}"
        whys = [e.why for e in self.heard[since:] if isinstance(e, events.LivenessFailed)]
        return str(whys[0]) if whys else ""

    def _tell(
        self, process: psutil.Process, passed: float, people: int, failed: Counter[str]
    ) -> None:
        rss = process.memory_info().rss / MB
        whys = "".join(f", {why} {count}" for why, count in failed.most_common())
        load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
        print(f"{passed / 60:5.1f} min: {people} people ({failed.total()} not verified{whys}), "
              f"{rss:.1f} MB; load {load}", flush=True)  # fmt: skip


def _with_camera(example: str, url: str, folder: Path) -> str:
    import yaml

    config = yaml.safe_load(example)
    config["devices"]["camera"] = {"driver": "opencv", "source": url}
    config["paths"]["data"] = str(folder)
    return yaml.safe_dump(config)


if __name__ == "__main__":
    main()
