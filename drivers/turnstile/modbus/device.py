"""A turnstile behind a Modbus RTU relay and input board, through the real pymodbus client.

Which relay and contact is what, and how the unlock ends, comes from the map (boardmap.py). Each
exchange is bounded (see bus.py). Knows no passages.
"""

from __future__ import annotations

import contextlib
import time
from functools import partial

from drivers.contracts import DeviceInfo, GateCounters, GateInputs, Options, Way
from drivers.errors import DeviceFault, FaultCode
from drivers.turnstile.board import ROLE, NotSent
from drivers.turnstile.modbus.boardmap import INPUTS, BoardMap
from drivers.turnstile.modbus.bus import Bus
from drivers.turnstile.modbus.codec import FLASH_OFF, FLASH_ON, FLASH_STEP_MS
from drivers.turnstile.polled import PolledTurnstile, patiently

LOOK_BACK_S = 2.0  #: between two looks at whether the relays are as they were told
PULSE_SLACK_S = 0.5  #: how much later than asked a board may end its timed pulse


class ModbusTurnstile(PolledTurnstile):
    """`options`: `port`, `baud`, `unit`, and the keys of `BoardMap`."""

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self._map = BoardMap.parse(options)

    def _connect(self) -> ModbusBoard:
        unit = int(self._o["unit"])
        return ModbusBoard(Bus(ROLE, self._port, int(self._o["baud"]), unit), self._map, self._port)


class ModbusBoard:
    """`drivers.turnstile.board.Board`."""

    def __init__(self, bus: Bus, map_: BoardMap, port: str) -> None:
        self._bus, self._map, self._port = bus, map_, port
        self._off_due_s: float | None = None  #: the coil below may be on and must go off then
        self._pulsed = "unlock_coil"  #: which one
        self._told: dict[str, bool] = {}  #: coil → what it was last told for good
        self._looks_back = True
        self._look_back_s = 0.0

    def greet(self) -> DeviceInfo:
        for coil in self._map.unlockers:
            if self._timed_here or coil in self._map.inverted:
                # a crash in the middle of a pulse left the gate open; and a lock that is held by
                # its relay is open until the relay has been told
                patiently(partial(self._write, coil, False))
            self._told[coil] = False
        inputs = patiently(self.inputs)
        active = [n for n in INPUTS if getattr(inputs, n.removeprefix("input_"))]
        facts = {"active inputs": " ".join(n.removeprefix("input_") for n in active) or "none"}
        model = f"Modbus RTU unit {self._bus.unit}"
        return DeviceInfo(ROLE, "modbus", self._port, model, facts)

    def inputs(self) -> GateInputs:
        return self._map.gate_inputs(self._bus.read_inputs(*self._map.input_span))

    def counters(self) -> GateCounters | None:
        numbers = (self._map.counter_entry, self._map.counter_exit)
        if numbers == (None, None):
            return None
        return GateCounters(*(self._counter(number) for number in numbers))

    def pulse(self, way: Way = Way.ENTRY) -> None:
        coil = self._map.unlocker(way)
        self._look_back_s = self._pulse_end_s() + PULSE_SLACK_S
        if not self._timed_here:
            steps = max(1, round(self._map.pulse_ms / FLASH_STEP_MS))
            base = FLASH_OFF if coil in self._map.inverted else FLASH_ON
            self._bus.write_raw(base + getattr(self._map, coil), steps)
            return
        if self._off_due_s is not None and coil != self._pulsed:
            self._end_pulse_first()
        self._pulsed = coil
        latched = self._map.pulse == "latch"
        # even when the answer is lost: it may have heard us
        self._off_due_s = float("inf") if latched else self._pulse_end_s()
        try:
            self._write(coil, True)
        except DeviceFault as fault:
            if isinstance(fault, NotSent) or fault.code is FaultCode.REFUSED:
                self._off_due_s = None
            raise
        if not latched:
            self._off_due_s = self._pulse_end_s()

    def settle(self, now_s: float, owed: bool) -> None:
        if self._looks_back and self._off_due_s is None and now_s >= self._look_back_s:
            self._look_back_s = now_s + LOOK_BACK_S
            self._look_back()
        due_s = self._off_due_s
        if due_s is None or (now_s < due_s if self._map.pulse == "coil" else owed):
            return
        self._write(self._pulsed, False)
        self._off_due_s = None

    def _end_pulse_first(self) -> None:
        """The other way is unlocked still: one at a time. Raises `NotSent`."""
        try:
            self._write(self._pulsed, False)
        except DeviceFault as fault:
            raise NotSent(ROLE, fault.code, fault.detail) from fault
        self._off_due_s = None

    def release(self, on: bool) -> None:
        self._write("release_coil", on)

    def close(self) -> None:
        if self._off_due_s is not None:
            with contextlib.suppress(DeviceFault):
                self._write(self._pulsed, False)
        self._bus.close()

    def _look_back(self) -> None:
        """A board that was restarted has forgotten its relays: tell it again. One that still has
        them otherwise than told is half dead. Boards that cannot be asked are believed."""
        wrong = self._not_as_told()
        for coil in wrong:
            self._write(coil, self._told[coil])
        if wrong and (still := self._not_as_told()):
            self._look_back_s = 0.0  # at the next poll again
            detail = f"{self._port}: {', '.join(still)} not as told"
            raise DeviceFault(ROLE, FaultCode.MISBEHAVES, detail)

    def _not_as_told(self) -> list[str]:
        numbers = {coil: getattr(self._map, coil) for coil in self._told}
        if not numbers:
            return []
        first = min(numbers.values())
        try:
            levels = self._bus.read_coils(first, max(numbers.values()) - first + 1)
        except DeviceFault as fault:
            if fault.code is not FaultCode.REFUSED:
                raise
            self._looks_back = False
            return []
        return [
            coil
            for coil, number in numbers.items()
            if levels[number - first] != self._map.level(coil, self._told[coil])
        ]

    @property
    def _timed_here(self) -> bool:
        return self._map.pulse != "flash"

    def _pulse_end_s(self) -> float:
        return time.monotonic() + self._map.pulse_ms / 1000

    def _write(self, coil: str, active: bool) -> None:
        self._told[coil] = active
        self._bus.write_coil(getattr(self._map, coil), self._map.level(coil, active))

    def _counter(self, register: int | None) -> int | None:
        """32 bits in two registers, the high one first."""
        if register is None:
            return None
        high, low = self._bus.read_registers(register, 2)
        return high << 16 | low
