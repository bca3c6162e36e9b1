"""A turnstile behind a Modbus RTU relay and input board, through the real pymodbus client.

One thread owns the bus: it polls the inputs, feeds the passage machine and sends pulses in
between. Each exchange is bounded (see bus.py). An unlock is sent once, whatever happens.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import asdict
from typing import Any, TypeVar

from drivers.contracts import DeviceInfo, GateCounters, GateEvent, GateInputs, Options
from drivers.errors import DeviceFault, FaultCode, UnlockUnknown
from drivers.turnstile.bus import Bus, NotSent
from drivers.turnstile.codec import FLASH_ON, FLASH_STEP_MS
from drivers.turnstile.passage import Passage

ROLE = "turnstile"
POLL_S = 0.03  #: between two looks at the inputs; with the exchange itself about 50 ms at 9600
FAILURES = 3  #: lost answers in a row that mean the bus is dead: within 1.5 s

T = TypeVar("T")
Job = tuple[Callable[[Bus], Any], "Future[Any]"]


class ModbusTurnstile:
    """`options` is the device's section of config.yaml, with `clear_s` added."""

    def __init__(self, options: Options) -> None:
        self._o = options
        self._port = str(options["port"])
        self._unlock_coil = int(options["unlock_coil"])
        self._pulse_ms = int(options["pulse_ms"])
        names = ("input_passage_a", "input_passage_b", "input_forced", "input_fire")
        self._numbers = [int(options[name]) for name in names]
        self._passage = Passage()
        self._jobs: queue.SimpleQueue[Job] = queue.SimpleQueue()
        self._taking_jobs = threading.Lock()  # held to put a job, and to end taking them
        self._fault: DeviceFault | None = self._closed()  #: why no jobs are taken
        self._events: asyncio.Queue[GateEvent | DeviceFault] = asyncio.Queue()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._stuck_on = False  #: the unlock coil may be on and must go off

    # --- the contract -------------------------------------------------------------------------

    async def open(self) -> DeviceInfo:
        await self.close()
        self._loop = asyncio.get_running_loop()
        self._events = asyncio.Queue()
        self._passage = Passage(clear_s=float(self._o.get("clear_s", 10.0)))
        self._stuck_on = False
        self._stop.clear()
        opened: Future[DeviceInfo] = Future()
        self._thread = threading.Thread(target=self._run, args=(opened,), name=ROLE, daemon=True)
        self._thread.start()
        return await asyncio.wrap_future(opened)

    async def close(self) -> None:
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._stop.set()
        await asyncio.to_thread(thread.join)
        self._events.put_nowait(self._closed())

    async def unlock(self, timeout_s: float) -> None:
        await self._ask(lambda bus: self._unlock(bus, timeout_s))

    async def release(self, on: bool) -> None:
        await self._ask(lambda bus: self._release(bus, on))

    async def inputs(self) -> GateInputs:
        return await self._ask(lambda bus: _patiently(lambda: self._read_inputs(bus)))

    async def counters(self) -> GateCounters | None:
        numbers = [self._o.get("counter_entry"), self._o.get("counter_exit")]
        if numbers == [None, None]:
            return None
        return await self._ask(
            lambda bus: GateCounters(*(_counter(bus, number) for number in numbers))
        )

    async def next_event(self) -> GateEvent:
        event = await self._events.get()
        if isinstance(event, DeviceFault):
            self._events.put_nowait(event)  # whoever asks again is told again
            raise _copy(event)
        return event

    async def _ask(self, job: Callable[[Bus], T]) -> T:
        """Run `job` in the bus's thread, between two polls."""
        future: Future[T] = Future()
        with self._taking_jobs:
            if self._fault is not None:
                raise _copy(self._fault)
            self._jobs.put((job, future))
        return await asyncio.wrap_future(future)

    def _closed(self) -> DeviceFault:
        return DeviceFault(ROLE, FaultCode.UNPLUGGED, f"{self._port}: not open")

    # --- the bus's thread -----------------------------------------------------------------------

    def _run(self, opened: Future[DeviceInfo]) -> None:
        if not opened.set_running_or_notify_cancel():
            return
        bus = None
        try:
            bus = Bus(ROLE, self._port, int(self._o["baud"]), int(self._o["unit"]))
            info = self._greet(bus)
            self._fault = None
            opened.set_result(info)
            self._poll(bus)
            self._end(self._closed())
        except DeviceFault as fault:
            if opened.done():
                self._end(fault)
                self._tell(fault)
            else:
                opened.set_exception(fault)
        finally:
            if bus is not None:
                bus.close()

    def _greet(self, bus: Bus) -> DeviceInfo:
        if self._o["pulse"] == "coil":  # a crash in the middle of a pulse left the gate open
            _patiently(lambda: bus.write_coil(self._unlock_coil, False))
        inputs = asdict(_patiently(lambda: self._read_inputs(bus)))
        active = " ".join(name for name, level in inputs.items() if level)
        model = f"Modbus RTU unit {self._o['unit']}"
        return DeviceInfo(ROLE, "modbus", self._port, model, {"active inputs": active or "none"})

    def _poll(self, bus: Bus) -> None:
        failures = 0
        while not self._stop.is_set():
            try:
                self._make_off(bus)
                inputs = self._read_inputs(bus)
            except DeviceFault as fault:
                failures += 1
                if fault.code is FaultCode.UNPLUGGED or failures >= FAILURES:
                    raise
            else:
                failures = 0
                for event in self._passage.look(time.monotonic(), inputs):
                    self._tell(event)
            self._do_jobs(bus)

    def _do_jobs(self, bus: Bus) -> None:
        """Everything that was asked for; waits a poll's pause for a first one."""
        with contextlib.suppress(queue.Empty):
            job, future = self._jobs.get(timeout=POLL_S)
            while True:
                if future.set_running_or_notify_cancel():
                    try:
                        future.set_result(job(bus))
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

    def _read_inputs(self, bus: Bus) -> GateInputs:
        first = min(self._numbers)
        levels = bus.read_inputs(first, max(self._numbers) - first + 1)
        return GateInputs(*(levels[number - first] for number in self._numbers))

    def _unlock(self, bus: Bus, timeout_s: float) -> None:
        """Exactly one pulse. Only what failed before the first byte, or a no, is a plain fault."""
        self._passage.unlocked(time.monotonic(), timeout_s)
        try:
            if self._o["pulse"] == "flash":
                steps = max(1, round(self._pulse_ms / FLASH_STEP_MS))
                bus.write_raw(FLASH_ON + self._unlock_coil, steps)
            else:
                self._host_timed_pulse(bus)
        except NotSent as fault:
            self._passage.not_unlocked()
            raise DeviceFault(ROLE, fault.code, fault.detail) from fault
        except DeviceFault as fault:
            if fault.code is FaultCode.REFUSED:
                self._passage.not_unlocked()
                raise
            raise UnlockUnknown(ROLE, f"{self._port}: {fault.code.value}") from fault

    def _host_timed_pulse(self, bus: Bus) -> None:
        """On, then off. The off may be repeated, and is until the board has confirmed it."""
        self._stuck_on = True  # even when the answer is lost: it may have heard us
        try:
            bus.write_coil(self._unlock_coil, True)
        except DeviceFault as fault:
            self._stuck_on = not (isinstance(fault, NotSent) or fault.code is FaultCode.REFUSED)
            raise
        time.sleep(self._pulse_ms / 1000)
        with contextlib.suppress(DeviceFault):  # the poll goes on trying, or sees the bus dead
            _patiently(lambda: self._make_off(bus))

    def _make_off(self, bus: Bus) -> None:
        if self._stuck_on:
            bus.write_coil(self._unlock_coil, False)
            self._stuck_on = False

    def _release(self, bus: Bus, on: bool) -> None:
        _patiently(lambda: bus.write_coil(int(self._o["release_coil"]), on))
        self._passage.released(on)


def _patiently(ask: Callable[[], T]) -> T:
    """Ask for something that may be repeated; one or two lost answers are no fault."""
    for _ in range(FAILURES - 1):
        with contextlib.suppress(DeviceFault):
            return ask()
    return ask()


def _counter(bus: Bus, register: int | None) -> int | None:
    """32 bits in two registers, the high one first."""
    if register is None:
        return None
    high, low = _patiently(lambda: bus.read_registers(register, 2))
    return high << 16 | low


def _copy(fault: DeviceFault) -> DeviceFault:
    """An exception that is raised again and again would drag all its tracebacks along."""
    return DeviceFault(fault.device, fault.code, fault.detail)
