"""A lane's session on a real store, with vectors for faces and a worker that only writes down.

Nothing runs beside it: what the face worker would report is said by the test.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from drivers.contracts import IdCard
from kiosk.clock import SystemClock
from kiosk.core import flow
from kiosk.core.identity import Policy
from kiosk.face import events as face
from kiosk.latch import OpenLatch
from kiosk.session import LaneSession, Times
from kiosk.steps.seen_faces import SameFaceRule
from kiosk.store import Store
from kiosk.store.vault import make_key_file
from kiosk.supervisor import Supervisor
from tests.store.conftest import row

ENCODER = "dlib-resnet-v1"
POLICY = Policy(0.50, 0.45, 0.08, frames=3)
ZONE = ZoneInfo("Asia/Shanghai")


def person(n: int) -> np.ndarray:
    """Whoever has roster row n: somewhere on the unit sphere, far from everybody else."""
    vector = np.random.default_rng(1000 + n).normal(size=128)
    return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)


def like(vector: np.ndarray, distance: float, seed: int = 0) -> np.ndarray:
    """A vector at this distance from `vector`."""
    step = np.random.default_rng(seed).normal(size=vector.size)
    return np.asarray(vector + distance * step / np.linalg.norm(step), dtype=np.float32)


def booking(n: int, session_id: str = "S1", **change: object) -> Any:
    return row(n, session_id, **({"embedding": tuple(map(float, person(n)))} | change))


class Clock(SystemClock):
    """The real one, some time on."""

    def __init__(self) -> None:
        self.on = timedelta()

    def now(self) -> datetime:
        return super().now() + self.on


class Worker:
    """The face worker as the lane sees it."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.task: int | None = None

    def watch(self) -> None:
        self.asked.append("watch")

    def guard(self, task_id: int) -> None:
        self.asked.append("guard")

    def verify(self, task_id: int, liveness: bool) -> None:
        self.asked.append("verify")
        self.task = task_id


class Lane:
    """One lane; `again()` is the daemon after a restart."""

    def __init__(self, folder: Path, rules: flow.Rules, stop_same_face: bool = True) -> None:
        self.folder, self.rules, self.stop_same_face = folder, rules, stop_same_face
        self.clock = Clock()
        self.happened: list[dict[str, Any]] = []
        self.latch = OpenLatch([folder, folder / "data"])
        self._start()

    def _start(self) -> None:
        self.store = Store.open(self.folder / "data", self.folder / "lane.key", self.clock)
        self.worker = Worker()
        self.session = LaneSession(
            store=self.store,
            supervisor=Supervisor(self.clock, lambda status: None),
            face_worker=self.worker,
            rules=self.rules,
            policy=POLICY,
            times=Times(25, 60, 30, 90, 8, 10, 8),
            clock=self.clock,
            zone=ZONE,
            encoder=ENCODER,
            same_face=SameFaceRule(0.35, stop=self.stop_same_face),
            latch=self.latch,
            changed=lambda: None,
            happened=self.happened.append,
        )

    def open(self, rows: list[Any], session_id: str = "S1") -> None:
        starts = self.clock.now() + timedelta(minutes=10)
        self.store.create_session(session_id, "x", starts, ["1", "2", "3", "4"], person="t")
        self.store.apply_roster(rows, "test", "t")
        self.store.open_session(session_id, "t")
        self.session.session_changed()

    def close(self, session_id: str = "S1") -> None:
        self.store.close_session(session_id, "t")
        self.session.session_changed()

    async def stop(self) -> None:
        await asyncio.sleep(0)  # what was begun in this very moment may begin
        await self.session.stop()

    async def again(self) -> None:
        await self.stop()
        self.store.close()
        self._start()
        self.session.session_changed()
        self.session.gate.restore()

    # --- what a person does -----------------------------------------------------------------------

    def card(self, n: int, **change: str) -> None:
        r = row(n)
        whole = {"sex": "男", "nation": "汉", "birth_date": "19800101", "address": "",
                 "issuer": "", "valid_from": "20200101", "valid_to": "长期"}  # fmt: skip
        whole |= {"name": r.name, "number": r.identity_number} | change
        self.session.claims.on_card(IdCard(**whole))

    def step_up(self) -> None:
        """Before the camera of a 1:N lane."""
        self.session.faces.on_face(face.Presence(True, 0.0))

    def look(self, vector: np.ndarray, times: int = POLICY.frames, quality: float = 0.5) -> None:
        """Live, and seen so often."""
        task = self.worker.task
        assert task is not None
        self.session.faces.on_face(face.LivenessPassed(task, "turn_left"))
        self.glance(vector, times, quality)

    def glance(self, vector: np.ndarray, times: int = 1, quality: float = 0.5) -> None:
        for n in range(times):
            seen = tuple(map(float, like(vector, 0.02, seed=n)))
            self.session.faces.on_face(
                face.Observation(self.worker.task or 0, seen, quality, float(n), ENCODER)
            )

    def leave(self) -> None:
        """Out of the picture, and the screen has been read."""
        from kiosk.core import events as ev

        self.session.faces.on_face(face.Presence(False, 0.0))
        self.session.offer(ev.Cancelled())

    # --- what is seen of it -----------------------------------------------------------------------

    @property
    def state(self) -> str:
        return self.session.lane.state.value

    @property
    def visit(self) -> flow.Visit:
        return self.session.lane.visit

    def kinds(self) -> list[str]:
        return [e.kind for e in self.store.entries(0, 10_000)]

    def entries(self, kind: str) -> list[Any]:
        return [e for e in self.store.entries(0, 10_000) if e.kind == kind]

    @property
    def today(self) -> date:
        return self.clock.now().astimezone(ZONE).date()


Play = Callable[..., Any]


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Play]:
    """`play(story, rules, **more)` runs `story(lane)`, a coroutine, on a fresh lane."""
    make_key_file(tmp_path / "lane.key")
    made: list[Lane] = []

    def run(story: Callable[[Lane], Any], rules: flow.Rules | None = None, **more: Any) -> None:
        async def whole() -> None:
            lane = Lane(tmp_path, rules or flow.Rules(finger=False), **more)
            made.append(lane)
            try:
                await story(lane)
            finally:
                await lane.stop()

        asyncio.run(whole())

    yield run
    for lane in made:
        lane.store.close()
