"""The turnstile's driver, whatever the board: one thread owns it, polls its inputs, feeds the
passage machine and sends pulses in between. An unlock is sent once, whatever happens.

A new board is a `Board` in a folder of its own and a subclass with `_connect`.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from drivers.contracts import DeviceInfo, GateCounters, GateEvent, GateInputs, Options, Way
from drivers.errors import DeviceFault, FaultCode, UnlockUnknown
from drivers.turnstile.board import ROLE, Board, NotSent
from drivers.turnstile.passage import Passage
from drivers.turnstile.unseen import Unseen

POLL_S = 0.03  #: between two looks at the inputs; with the exchange itself about 50 ms at 9600
FAILURES = 3  #: lost answers in a row that mean the bus is dead: within 1.5 s

T = TypeVar("T")
Job = tuple[Callable[[Board], Any], "Future[Any]"]
#: options of the passage machine and the fields they set
TIMES = {
    "clear_s": "clear_s",
    "follow_s": "follow_s",
    "debounce_s": "debounce_s",
    "sensor_stuck_s": "stuck_s",
    "held_s": "held_s",
}


class PolledTurnstile(ABC):
    """`drivers.contracts.Turnstile`. `options` is the device's section of config.yaml, with
    `clear_s` added; the board's folder says which keys it reads."""

    pause_s = POLL_S  #: between two looks; an order that comes in it goes out at once

    def __init__(self, options: Options) -> None:
        self._o = options
        self._port = str(options["port"])
        self._passage: Passage | Unseen = Unseen()
        self._jobs: queue.SimpleQueue[Job] = queue.SimpleQueue()
        self._taking_jobs = threading.Lock()  # held to put a job, and to end taking them
        self._fault: DeviceFault | None = self._closed()  #: why no jobs are taken
        self._events: asyncio.Queue[GateEvent | DeviceFault] = asyncio.Queue()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()

    @abstractmethod
    def _connect(self) -> Board:
        """The board, its port opened."""

    # --- the contract -------------------------------------------------------------------------

    async def open(self) -> DeviceInfo:
        await self.close()
        self._loop = asyncio.get_running_loop()
        self._events = asyncio.Queue()
        self._stop.clear()
        opened: Future[DeviceInfo] = Future()
        self._thread = threading.Thread(target=self._run, args=(opened,), name=ROLE, daemon=True)
        self._thread.start()
        return await asyncio.wrap_future(opened)

    async def identify(self) -> None:
        await asyncio.to_thread(self._identify)

    async def close(self) -> None:
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._stop.set()
        await asyncio.to_thread(thread.join)
        self._events.put_nowait(self._closed())

    async def unlock(self, timeout_s: float, way: Way = Way.ENTRY) -> None:
        await self._ask(lambda board: self._unlock(board, timeout_s, way))

    async def release(self, on: bool) -> None:
        await self._ask(lambda board: self._release(board, on))

    async def inputs(self) -> GateInputs | None:
        return await self._ask(lambda board: patiently(board.inputs))

    async def counters(self) -> GateCounters | None:
        return await self._ask(lambda board: patiently(board.counters))

    async def next_event(self) -> GateEvent:
        event = await self._events.get()
        if isinstance(event, DeviceFault):
            self._events.put_nowait(event)  # whoever asks again is told again
            raise _copy(event)
        return event

    async def _ask(self, job: Callable[[Board], T]) -> T:
        """Run `job` in the board's thread, between two polls."""
        future: Future[T] = Future()
        with self._taking_jobs:
            if self._fault is not None:
                raise _copy(self._fault)
            self._jobs.put((job, future))
        return await asyncio.wrap_future(future)

    def _closed(self) -> DeviceFault:
        return DeviceFault(ROLE, FaultCode.UNPLUGGED, f"{self._port}: not open")

    def _identify(self) -> None:
        board = self._connect()
        try:
            patiently(board.identify)
        finally:
            board.close()

    # --- the board's thread ---------------------------------------------------------------------

    def _run(self, opened: Future[DeviceInfo]) -> None:
        if not opened.set_running_or_notify_cancel():
            return
        board = None
        try:
            board = self._connect()
            info = board.greet()
            self._passage = self._machine(patiently(board.inputs))
            self._fault = None
            opened.set_result(info)
            self._poll(board)
            self._end(self._closed())
        except DeviceFault as fault:
            if opened.done():
                self._end(fault)
                self._tell(fault)
            else:
                opened.set_exception(fault)
        finally:
            if board is not None:
                board.close()

    def _machine(self, inputs: GateInputs | None) -> Passage | Unseen:
        """Sensors tell how a passage ends; without any, only time does."""
        if inputs is None:
            return Unseen()
        machine = Passage()
        for key, field in TIMES.items():
            if key in self._o:
                setattr(machine, field, float(self._o[key]))
        return machine

    def _poll(self, board: Board) -> None:
        failures = 0
        while not self._stop.is_set():
            try:
                board.settle(time.monotonic(), self._passage.owed)
                inputs = board.inputs()
            except DeviceFault as fault:
                failures += 1
                if fault.code is FaultCode.UNPLUGGED or failures >= FAILURES:
                    raise
            else:
                failures = 0
                for event in self._passage.look(time.monotonic(), inputs):
                    self._tell(event)
            self._do_jobs(board)

    def _do_jobs(self, board: Board) -> None:
        """Everything that was asked for; waits a poll's pause for a first one."""
        with contextlib.suppress(queue.Empty):
            job, future = self._jobs.get(timeout=self.pause_s)
            while True:
                if future.set_running_or_notify_cancel():
                    try:
                        future.set_result(job(board))
                    except DeviceFault as fault:
                        future.set_exception(fault)
                job, future = self._jobs.get_nowait()

    def _end(self, fault: DeviceFault) -> None:
        """Take no more jobs; those that were not begun certainly sent nothing."""
        with self._taking_jobs:
            self._fault = fault
        with contextlib.suppress(queue.Empty):
            while True:
                _, future = self._jobs.get_nowait()
                if future.set_running_or_notify_cancel():
                    future.set_exception(_copy(fault))

    def _tell(self, event: GateEvent | DeviceFault) -> None:
        loop = self._loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody listens
                loop.call_soon_threadsafe(self._events.put_nowait, event)

    # --- jobs -------------------------------------------------------------------------------------

    def _unlock(self, board: Board, timeout_s: float, way: Way) -> None:
        """Exactly one pulse. Only what failed before the first byte, or a no, is a plain fault."""
        self._passage.unlocked(time.monotonic(), timeout_s, way)
        try:
            board.pulse(way)
        except NotSent as fault:
            self._passage.not_unlocked()
            raise DeviceFault(ROLE, fault.code, fault.detail) from fault
        except DeviceFault as fault:
            if fault.code is FaultCode.REFUSED:
                self._passage.not_unlocked()
                raise
            raise UnlockUnknown(ROLE, f"{self._port}: {fault.code.value}") from fault

    def _release(self, board: Board, on: bool) -> None:
        patiently(lambda: board.release(on))
        self._passage.released(on)


def patiently(ask: Callable[[], T]) -> T:
    """Ask for something that may be repeated; one or two lost answers are no fault."""
    for _ in range(FAILURES - 1):
        with contextlib.suppress(DeviceFault):
            return ask()
    return ask()


def _copy(fault: DeviceFault) -> DeviceFault:
    """An exception that is raised again and again would drag all its tracebacks along."""
    return DeviceFault(fault.device, fault.code, fault.detail)
