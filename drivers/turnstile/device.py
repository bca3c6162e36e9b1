"""A turnstile behind a Modbus RTU relay and input board, through the real pymodbus client.

One thread owns the bus: it polls the inputs, feeds the passage machine and sends pulses in
between. Each exchange is bounded by `ANSWER_S`. An unlock is sent once, whatever happens.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from pymodbus.client import ModbusSerialClient
from pymodbus.exceptions import ModbusException
from pymodbus.pdu import ModbusPDU

from drivers import link
from drivers.contracts import DeviceInfo, GateEvent, GateInputs, Options
from drivers.errors import DeviceFault, FaultCode, UnlockUnknown
from drivers.turnstile.codec import FLASH_ON, FLASH_STEP_MS, WRITE_COIL
from drivers.turnstile.passage import Passage

ROLE = "turnstile"
ANSWER_S = 0.35  #: longest wait for one answer; a board answers in a few milliseconds
POLL_S = 0.03
FAILURES = 3  #: lost polls in a row that mean the bus is dead: within 1.5 s


class _RawCoilWrite(ModbusPDU):
    """Function 05 with a value of our own: the library's knows only on and off."""

    function_code = WRITE_COIL
    rtu_frame_size = 8

    def __init__(self, unit: int, address: int, value: int) -> None:
        super().__init__(dev_id=unit, address=address)
        self._value = value

    def encode(self) -> bytes:
        return self.address.to_bytes(2, "big") + self._value.to_bytes(2, "big")


class ModbusTurnstile:
    """`options` is the device's section of config.yaml, with `clear_s` added."""

    def __init__(self, options: Options) -> None:
        self._o = options
        self._port = str(options["port"])
        self._unit = int(options["unit"])
        self._passage = Passage(clear_s=float(options.get("clear_s", 10.0)))
        self._client: ModbusSerialClient | None = None
        self._jobs: queue.SimpleQueue[tuple[Callable[[], Any], Future[Any]]] = queue.SimpleQueue()
        self._events: asyncio.Queue[GateEvent | DeviceFault] = asyncio.Queue()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._inputs = GateInputs(False, False, False, False)

    # --- the contract -------------------------------------------------------------------------

    async def open(self) -> DeviceInfo:
        self._loop = asyncio.get_running_loop()
        self._events = asyncio.Queue()
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

    async def unlock(self, timeout_s: float) -> None:
        await self._ask(lambda: self._unlock(timeout_s))

    async def release(self, on: bool) -> None:
        await self._ask(lambda: self._release(on))

    async def inputs(self) -> GateInputs:
        inputs: GateInputs = await self._ask(self._read_inputs)
        return inputs

    async def next_event(self) -> GateEvent:
        event = await self._events.get()
        if isinstance(event, DeviceFault):
            self._events.put_nowait(event)  # whoever asks again is told again
            raise event
        return event

    async def _ask(self, job: Callable[[], Any]) -> Any:
        """Run `job` in the bus's thread, between two polls."""
        if self._thread is None or not self._thread.is_alive():
            raise DeviceFault(ROLE, FaultCode.UNPLUGGED, self._port)
        future: Future[Any] = Future()
        self._jobs.put((job, future))
        return await asyncio.wrap_future(future)

    # --- the bus's thread -------------------------------------------------------------------------

    def _run(self, opened: Future[DeviceInfo]) -> None:
        try:
            opened.set_result(self._connect())
        except DeviceFault as fault:
            self._disconnect()
            opened.set_exception(fault)
            return
        try:
            self._poll()
        except DeviceFault as fault:
            self._tell(fault)
        finally:
            self._disconnect()
            self._drop_jobs()

    def _connect(self) -> DeviceInfo:
        link.open_serial(ROLE, self._port, int(self._o["baud"])).close()  # says why it cannot be
        client = ModbusSerialClient(
            self._port, baudrate=int(self._o["baud"]), timeout=ANSWER_S, retries=0
        )
        self._client = client
        if not client.connect():
            raise DeviceFault(ROLE, FaultCode.PORT_MISSING, self._port)
        for attempt in range(FAILURES):
            try:
                self._read_inputs()
                break
            except DeviceFault:
                if attempt == FAILURES - 1:
                    raise
        return DeviceInfo(ROLE, "modbus", self._port, f"Modbus RTU unit {self._unit}",
                          {"inputs": str(self._inputs)})

    def _disconnect(self) -> None:
        if self._client is not None:
            with contextlib.suppress(OSError, ModbusException):
                self._client.close()
            self._client = None

    def _poll(self) -> None:
        failures = 0
        while not self._stop.is_set():
            self._do_jobs()
            try:
                inputs = self._read_inputs()
                failures = 0
            except DeviceFault as fault:
                failures += 1
                if fault.code is FaultCode.UNPLUGGED or failures >= FAILURES:
                    raise
            else:
                for event in self._passage.look(time.monotonic(), inputs):
                    self._tell(event)
            self._do_jobs(wait_s=POLL_S)

    def _do_jobs(self, wait_s: float = 0.0) -> None:
        """Everything that was asked for; waits for a first one up to `wait_s`."""
        with contextlib.suppress(queue.Empty):
            job, future = self._jobs.get(timeout=wait_s) if wait_s else self._jobs.get_nowait()
            while True:
                self._do(job, future)
                job, future = self._jobs.get_nowait()

    @staticmethod
    def _do(job: Callable[[], Any], future: Future[Any]) -> None:
        if not future.set_running_or_notify_cancel():
            return
        try:
            future.set_result(job())
        except DeviceFault as fault:
            future.set_exception(fault)

    def _drop_jobs(self) -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                _, future = self._jobs.get_nowait()
                if future.set_running_or_notify_cancel():
                    future.set_exception(DeviceFault(ROLE, FaultCode.UNPLUGGED, self._port))

    def _tell(self, event: GateEvent | DeviceFault) -> None:
        loop = self._loop
        if loop is not None and not loop.is_closed():
            with contextlib.suppress(RuntimeError):  # the loop is ending: nobody listens
                loop.call_soon_threadsafe(self._events.put_nowait, event)

    # --- exchanges ----------------------------------------------------------------------------------

    def _exchange(self, send: Callable[[ModbusSerialClient], Any]) -> Any:
        client = self._client
        if client is None:
            raise DeviceFault(ROLE, FaultCode.UNPLUGGED, self._port)
        try:
            answer = send(client)
        except ModbusException as error:
            code = FaultCode.NO_ANSWER if client.connected else FaultCode.UNPLUGGED
            raise DeviceFault(ROLE, code, self._port) from error
        except (OSError, TypeError, ValueError) as error:  # the port vanished under the library
            raise link.serial_fault(ROLE, self._port, error) from error
        if answer.isError():
            raise DeviceFault(ROLE, FaultCode.REFUSED, f"exception {answer.exception_code}")
        return answer

    def _read_inputs(self) -> GateInputs:
        o = self._o
        numbers = [int(o[f"input_{name}"]) for name in ("passage_a", "passage_b", "forced", "fire")]
        first, count = min(numbers), max(numbers) - min(numbers) + 1
        answer = self._exchange(
            lambda c: c.read_discrete_inputs(first, count=count, device_id=self._unit)
        )
        if len(answer.bits) < count:
            raise DeviceFault(ROLE, FaultCode.GARBLED, "too few inputs in the answer")
        self._inputs = GateInputs(*(bool(answer.bits[n - first]) for n in numbers))
        return self._inputs

    def _unlock(self, timeout_s: float) -> None:
        """Exactly one pulse. Only a failure before the first byte is a plain fault."""
        if self._client is None or not self._client.connected:
            raise DeviceFault(ROLE, FaultCode.UNPLUGGED, self._port)
        self._passage.unlocked(time.monotonic(), timeout_s)
        try:
            if self._o["pulse"] == "flash":
                self._flash()
            else:
                self._host_timed_pulse()
        except DeviceFault as fault:
            if fault.code is FaultCode.REFUSED:  # the board said no: nothing moved
                raise
            raise UnlockUnknown(ROLE, f"{self._port}: {fault.code.value}") from fault

    def _flash(self) -> None:
        steps = max(1, round(int(self._o["pulse_ms"]) / FLASH_STEP_MS))
        request = _RawCoilWrite(self._unit, FLASH_ON + int(self._o["unlock_coil"]), steps)
        self._exchange(lambda c: c.execute(False, request))

    def _host_timed_pulse(self) -> None:
        coil = int(self._o["unlock_coil"])
        try:
            self._write_coil(coil, True)
            time.sleep(int(self._o["pulse_ms"]) / 1000)
        finally:
            self._surely_off(coil)

    def _surely_off(self, coil: int) -> None:
        """Switching off may be repeated; a coil that stays on would leave the gate open."""
        for attempt in range(FAILURES):
            try:
                self._write_coil(coil, False)
                return
            except DeviceFault:
                if attempt == FAILURES - 1:
                    raise

    def _release(self, on: bool) -> None:
        coil = int(self._o["release_coil"])
        for attempt in range(FAILURES):
            try:
                self._write_coil(coil, on)
                break
            except DeviceFault:
                if attempt == FAILURES - 1:
                    raise
        self._passage.released(on)

    def _write_coil(self, coil: int, on: bool) -> None:
        self._exchange(lambda c: c.write_coil(coil, on, device_id=self._unit))
