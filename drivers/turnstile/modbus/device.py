"""A turnstile behind a Modbus RTU relay and input board, through the real pymodbus client.

Which relay and contact is what, and how the unlock ends, comes from the map (boardmap.py). Each
exchange is bounded (see bus.py). Knows no passages.
"""

from __future__ import annotations

import contextlib
from functools import partial

from drivers.contracts import DeviceInfo, GateCounters, GateInputs, Options, Way
from drivers.errors import DeviceFault, FaultCode
from drivers.turnstile.board import ROLE, NotSent
from drivers.turnstile.modbus.boardmap import BoardMap
from drivers.turnstile.modbus.bus import Bus
from drivers.turnstile.modbus.codec import FLASH_OFF, FLASH_ON, FLASH_STEP_MS
from drivers.turnstile.polled import PolledTurnstile, patiently
from drivers.turnstile.relays import ToldRelays
from drivers.turnstile.wiring import INPUTS

LOOK_BACK_S = 2.0


class ModbusTurnstile(PolledTurnstile):
    """`options`: `port`, `baud`, `unit`, and the keys of `BoardMap`."""

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self._map = BoardMap.parse(options)

    def _connect(self) -> ModbusBoard:
        unit = int(self._o["unit"])
        return ModbusBoard(Bus(ROLE, self._port, int(self._o["baud"]), unit), self._map, self._port)


class ModbusBoard(ToldRelays):
    """`drivers.turnstile.board.Board`."""

    def __init__(self, bus: Bus, map_: BoardMap, port: str) -> None:
        super().__init__(map_, port, LOOK_BACK_S)
        self._bus, self._map = bus, map_

    def identify(self) -> None:
        self.inputs()

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
        self._no_look_during_pulse()
        if not self._timed_here:
            steps = max(1, round(self._map.pulse_ms / FLASH_STEP_MS))
            base = FLASH_OFF if coil in self._map.inverted else FLASH_ON
            self._bus.write_raw(base + getattr(self._map, coil), steps)
            return
        self._take(coil)
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

    def release(self, on: bool) -> None:
        self._write("release_coil", on)

    def close(self) -> None:
        if self._off_due_s is not None:
            with contextlib.suppress(DeviceFault):
                self._write(self._pulsed, False)
        self._bus.close()

    def _switch(self, relay: str, level: bool) -> None:
        self._bus.write_coil(getattr(self._map, relay), level)

    def _levels(self, first: int, count: int) -> list[bool]:
        return self._bus.read_coils(first, count)

    @property
    def _timed_here(self) -> bool:
        return self._map.pulse != "flash"

    def _counter(self, register: int | None) -> int | None:
        """32 bits in two registers, the high one first."""
        if register is None:
            return None
        high, low = self._bus.read_registers(register, 2)
        return high << 16 | low
