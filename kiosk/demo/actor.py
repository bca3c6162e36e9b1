"""A virtual person at the gate: sees what the screen asks and does it, or something else.

Acts only through what a person has: the card, the face before the camera, the finger, the pad
of the real screen process, the feet. Learns only what the screen shows (docs/wire.md).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from drivers.camera.virtual import Direction
from kiosk import wire
from kiosk.core.codes import Prompt, State
from kiosk.demo.cast import Part
from kiosk.demo.venue import Venue

PART_TIMEOUT_S = 120.0
SETTLE_TIMEOUT_S = 30.0
ASKED_AGAIN_S = 3.5  #: a prompt that stays this long was not satisfied: a person tries again
MOVEMENTS: dict[str, Direction] = {
    Prompt.TURN_LEFT: "left",
    Prompt.TURN_RIGHT: "right",
    Prompt.LOOK_UP: "up",
    Prompt.LOOK_DOWN: "down",
}
WAITING = (State.CLOSED.value, State.OUT_OF_ORDER.value, State.IDLE.value)


@dataclass(slots=True)
class Result:
    """What became of a part: for the table."""

    part: Part
    name: str = ""
    reason: str | None = None
    terminal: str | None = None
    steps: dict[str, float] = field(default_factory=dict)  #: state → seconds in it
    timing_ms: dict[str, float] = field(default_factory=dict)  #: the system's own time
    screenshots: list[Path] = field(default_factory=list)
    problem: str | None = None

    @property
    def as_expected(self) -> bool:
        return self.reason == self.part.ends.value and self.problem is None


class Robot:
    """The hand at the real screen: signs, touches, takes pictures of it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def do(self, **command: Any) -> dict[str, Any]:
        """One command. Raises `RuntimeError` with the screen's own reason."""
        reader, writer = await asyncio.open_unix_connection(str(self._path), limit=wire.MAX_LINE)
        try:
            writer.write(json.dumps(command).encode() + b"\n")
            answer: dict[str, Any] = json.loads(await asyncio.wait_for(reader.readline(), 30))
        finally:
            writer.close()
        if not answer.get("ok"):
            raise RuntimeError(f"{command['do']}: {answer.get('error')}")
        return answer


def signature_strokes(seed: int = 0) -> list[list[tuple[float, float]]]:
    """A scrawl of three strokes, in fractions of the pad."""
    strokes = []
    for n in range(3):
        points = []
        for i in range(40):
            t = i / 39
            x = 0.2 + 0.2 * n + 0.15 * t
            y = 0.5 + 0.25 * math.sin(2 * math.pi * (t * (1 + n) + 0.13 * seed))
            points.append((round(x, 4), round(y, 4)))
        strokes.append(points)
    return strokes


class Actor:
    """Plays one part at a venue. `pace` scales human reaction times; 1 is a brisk person."""

    def __init__(
        self,
        venue: Venue,
        part: Part,
        photos: Path,
        shots: Path | None,
        *,
        pace: float = 1.0,
        live: Callable[[Result, str], None] = lambda result, state: None,
    ) -> None:
        self._venue, self._part, self._photos, self._shots = venue, part, photos, shots
        self._pace = pace
        self._live = live
        self._robot = Robot(venue.robot)
        self._result = Result(part)
        self._state: str = ""
        self._since = 0.0
        self._doing: set[asyncio.Task[None]] = set()
        self._prompt: str | None = None
        self._turning: asyncio.Task[None] | None = None
        self._acted_s = 0.0
        self._idle = asyncio.Event()
        self._tries = 0
        self._visit: int | None = None
        self._over = asyncio.Event()

    async def play(self) -> Result:
        """From stepping up to being gone; the lane is idle again afterwards."""
        reader, writer = await wire.open_connection(self._venue.socket)
        try:
            writer.write(wire.encode(wire.request("lane.subscribe", {"preview": True}, 1)))
            listening = asyncio.create_task(self._listen(reader))
            try:
                await self._perform(listening)
            finally:
                listening.cancel()
                await self._drop_everything()
        finally:
            writer.close()
        return self._result

    async def _perform(self, listening: asyncio.Task[None]) -> None:
        await asyncio.wait_for(self._idle.wait(), SETTLE_TIMEOUT_S)
        self._step_up()
        over = asyncio.create_task(self._over.wait())
        done, _ = await asyncio.wait(
            {over, listening}, timeout=PART_TIMEOUT_S, return_when=asyncio.FIRST_COMPLETED
        )
        if listening in done:
            listening.result()
            self._result.problem = "the daemon closed the connection"
        elif not done:
            self._result.problem = f"not over after {PART_TIMEOUT_S:.0f} s in {self._state}"
        over.cancel()
        self._leave()
        await self._until_idle()

    def _step_up(self) -> None:
        part, camera = self._part, self._venue.camera
        if camera is not None and part.comes_to_camera:
            photo = self._photos / (part.face or part.person.live_photo)
            (camera.flat_photo if part.flat else camera.person)(photo)
        if self._venue.options.claim == "id_card":
            self._after(
                0.5, lambda: self._venue.id_card.lay_card((part.card or part.person).card())
            )

    def _leave(self) -> None:
        self._venue.fingerprint.lift_finger()
        self._venue.id_card.lift_card()
        if self._venue.camera is not None:
            self._venue.camera.leave()

    async def _until_idle(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(asyncio.get_running_loop().time() + SETTLE_TIMEOUT_S):
                await self._idle.wait()
        if self._state != State.IDLE.value and self._result.problem is None:
            self._result.problem = f"the lane did not become idle again: {self._state}"

    # --- what the person sees -------------------------------------------------------------------

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        while line := await reader.readline():
            message = wire.decode(line)
            params = message.get("params", {})
            match message.get("method"):
                case "state":
                    self._on_state(params)
                case "preview":
                    self._on_prompt(params["prompt"])
                case "event":
                    self._on_event(params)

    def _on_state(self, state: dict[str, Any]) -> None:
        now, name = time.monotonic(), state["state"]
        if name == State.IDLE.value:
            self._idle.set()
        else:
            self._idle.clear()
        if self._visit is None and name not in WAITING:
            self._visit = state["visit"]
        if state["candidate"]:
            self._result.name = state["candidate"]["name"]
        if state["terminal"]:
            self._result.terminal = state["terminal"]
        fresh = name != self._state
        retry = name == State.FINGER.value and state["finger_attempts_left"] != self._attempts
        self._attempts = state["finger_attempts_left"]
        if fresh:
            if self._state not in ("", State.IDLE.value):
                steps = self._result.steps
                steps[self._state] = round(steps.get(self._state, 0.0) + now - self._since, 2)
            self._state, self._since = name, now
            self._live(self._result, name)
            self._shoot(name)
        if fresh or retry:
            self._react(name, state)

    _attempts = -1

    def _on_prompt(self, prompt: str) -> None:
        """Turns the head as asked last. Who holds a photograph turns the photograph."""
        camera = self._venue.camera
        if self._state != State.FACE.value or camera is None:
            return
        side = MOVEMENTS.get(prompt)
        now = time.monotonic()
        again = side is not None and now - self._acted_s > ASKED_AGAIN_S
        if prompt == self._prompt and not again:
            return
        if prompt != self._prompt and side is not None:
            self._shoot(f"face-{side}")
        self._prompt, self._acted_s = prompt, now
        if self._turning is not None:
            self._turning.cancel()
        if side is not None:
            if again:  # it was not seen: back, and once more
                camera.turn("center")
            wait_s = 1.0 / self._pace if again else 0.35
            self._turning = self._after(wait_s, partial(camera.turn, side))
        elif prompt == Prompt.BLINK:
            self._turning = self._after(0.3, camera.blink)
        else:
            self._turning = self._after(0.2, lambda: camera.turn("center"))

    def _on_event(self, event: dict[str, Any]) -> None:
        if event["kind"] == "timing":
            self._result.timing_ms = event["text_args"]["ms"]
        if event["kind"] in ("refused", "admitted") and event["reason"]:
            self._result.reason = event["reason"]
            self._after(1.2, self._over.set)

    # --- what the person does -------------------------------------------------------------------

    def _react(self, name: str, state: dict[str, Any]) -> None:
        part = self._part
        if part.leaves_at is not None and name == part.leaves_at.value:
            self._after(1.0, self._leave)
            return
        if name == State.CLAIM.value and part.types:
            self._begin(self._type_number())
        elif name == State.FINGER.value:
            self._begin(self._give_finger())
        elif name == State.SIGN.value:
            self._begin(self._sign())
        elif name == State.GATE.value and part.passes:
            self._after(1.0, self._venue.turnstile.person_passes)
        elif name == State.IDLE.value and self._visit is not None:
            self._over.set()

    async def _type_number(self) -> None:
        """The admission number, read off the slip and touched key by key."""
        await self._pause(1.0)
        for digit in self._part.person.admission_no:
            await self._robot.do(do="click", name=f"key_{digit}")
            await self._pause(0.25)
        self._shoot("claim-typed")
        await self._pause(0.5)
        await self._robot.do(do="click", name="key_confirm")

    async def _give_finger(self) -> None:
        reader = self._venue.fingerprint
        reader.lift_finger()
        await self._pause(0.8)
        self._tries += 1
        wrong = self._part.wrong_finger
        reader.put_finger("somebody/else" if wrong else self._part.person.finger)

    async def _sign(self) -> None:
        self._venue.fingerprint.lift_finger()
        await self._pause(0.8)
        await self._robot.do(do="sign", strokes=signature_strokes(), speed=1.0 / self._pace)

    def _shoot(self, name: str) -> None:
        if self._shots is not None and name != State.IDLE.value:
            self._begin(self._screenshot(name))

    async def _screenshot(self, name: str) -> None:
        assert self._shots is not None
        await asyncio.sleep(0.25)  # let the screen paint what it was just told
        path = self._shots / f"{self._part.key}-{len(self._result.screenshots) + 1:02d}-{name}.png"
        self._result.screenshots.append(path)
        await self._robot.do(do="screenshot", path=str(path))

    # --- time -----------------------------------------------------------------------------------

    async def _pause(self, seconds: float) -> None:
        await asyncio.sleep(seconds * self._pace)

    def _after(self, seconds: float, act: Callable[[], Any]) -> asyncio.Task[None]:
        async def later() -> None:
            await self._pause(seconds)
            act()

        return self._begin(later())

    def _begin(self, work: Any) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._doing.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._doing.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._result.problem = f"{type(error).__name__}: {error}"

    async def _drop_everything(self) -> None:
        for task in list(self._doing):
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*self._doing, return_exceptions=True)
