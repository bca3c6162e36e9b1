"""The virtual turnstile's Modbus board: real bytes, wired to the gate as the map says.

Knows nothing of the driver or the lane.
"""

from __future__ import annotations

import time
from pathlib import Path

from drivers.contracts import Way
from drivers.turnstile.gate import RELOCK_S, STRIDE_S, VirtualGate
from drivers.turnstile.modbus import codec
from drivers.turnstile.modbus.boardmap import BoardMap
from drivers.turnstile.modbus.codec import Request, RequestParser
from drivers.turnstile.wiring import INPUTS

COILS = 8
INPUT_COUNT = 8
COUNTER_ENTRY, COUNTER_EXIT = 0, 2  #: input registers, two each, the high one first
SILENCE_S = 0.05  #: half a frame is forgotten after this


class VirtualTurnstile(VirtualGate):
    """`wiring`: which relay and contact is what, as the driver has it. A gate whose unlock is
    latched has no controller of its own: it is unlocked while its relay says so."""

    def __init__(
        self,
        link_path: Path | None = None,
        *,
        unit: int = 1,
        stride_s: float = STRIDE_S,
        relock_s: float = RELOCK_S,
        wiring: BoardMap | None = None,
    ) -> None:
        self.wiring = wiring or BoardMap()
        super().__init__(
            link_path,
            stride_s=stride_s,
            relock_s=relock_s,
            own_controller=self.wiring.pulse != "latch",
            ways_apart=self.wiring.exit_coil is not None,
        )
        self.unit = unit
        self.mute = False  #: hears and obeys but does not answer
        self.lost_answers = 0  #: the next so many answers are not given
        self.refuses = False  #: answers every write with an exception
        self._coils = [False] * COILS
        self._flash_until_s: dict[int, tuple[float, bool]] = {}  #: then it goes to this
        self._parser = RequestParser()
        self._heard_s = 0.0
        self._wake()

    def coil(self, number: int) -> bool:
        with self.lock:
            return self._coils[number]

    def inputs(self) -> list[bool]:
        """The board's inputs as they are now."""
        levels = [False] * INPUT_COUNT
        for name in INPUTS:
            if (number := getattr(self.wiring, name)) is not None:
                levels[number] = self.wiring.level(name, self.sees(name.removeprefix("input_")))
        return levels

    def _wake(self) -> None:
        """Relays without power are off, whatever that means to what is wired to them."""
        self._coils = [False] * COILS
        self._lock_relays = {w: self.wiring.level(self.wiring.unlocker(w), False) for w in Way}
        self._release_relay = self.wiring.level("release_coil", False)

    # --- the board ------------------------------------------------------------------------------

    def lost_power(self) -> None:
        super().lost_power()
        self._wake()
        self._flash_until_s.clear()
        self._parser.silence()

    def feed(self, data: bytes) -> bytes:
        self._heard_s = time.monotonic()
        return b"".join(self._spoken(self._answer(r)) for r in self._parser.feed(data))

    def _spoken(self, answer: bytes) -> bytes:
        if self.lost_answers:
            self.lost_answers -= 1
            return b""
        return b"" if self.mute else answer

    def tick(self) -> bytes:
        now = time.monotonic()
        if self._parser.pending and now - self._heard_s > SILENCE_S:
            self._parser.silence()
        self.gate_tick()
        for coil, (until_s, then) in list(self._flash_until_s.items()):
            if now >= until_s:
                self._switch(coil, then)
        return b""

    def _answer(self, request: Request) -> bytes:
        if request.unit != self.unit:
            return b""
        match request.function:
            case codec.READ_COILS:
                return self._read(request, self._coils)
            case codec.READ_INPUTS:
                return self._read(request, self.inputs())
            case codec.READ_REGISTERS:
                return self._read_registers(request)
            case codec.WRITE_COIL | codec.WRITE_COILS if self.refuses:
                return codec.exception_answer(request, codec.ILLEGAL_VALUE)
            case codec.WRITE_COIL:
                return self._write(request)
            case codec.WRITE_COILS:
                return self._write_many(request)
        return codec.exception_answer(request, codec.ILLEGAL_FUNCTION)

    @staticmethod
    def _read(request: Request, bits: list[bool]) -> bytes:
        end = request.address + request.value
        if request.value == 0 or end > len(bits):
            return codec.exception_answer(request, codec.ILLEGAL_ADDRESS)
        return codec.bits_answer(request, bits[request.address : end])

    def _read_registers(self, request: Request) -> bytes:
        registers = [half for n in self.counted for half in (n >> 16 & 0xFFFF, n & 0xFFFF)]
        end = request.address + request.value
        if request.value == 0 or end > len(registers):
            return codec.exception_answer(request, codec.ILLEGAL_ADDRESS)
        return codec.registers_answer(request, registers[request.address : end])

    def _write(self, request: Request) -> bytes:
        base = next((f for f in (codec.FLASH_OFF, codec.FLASH_ON) if request.address >= f), 0)
        coil = request.address - base
        if coil >= COILS:
            return codec.exception_answer(request, codec.ILLEGAL_ADDRESS)
        if base and request.value:
            length_s = request.value * codec.FLASH_STEP_MS / 1000
            self._switch(coil, base == codec.FLASH_ON)
            then = base == codec.FLASH_OFF
            self._flash_until_s[coil] = (time.monotonic() + length_s, then)
        elif not base and request.value in (codec.COIL_ON, codec.COIL_OFF):
            self._switch(coil, request.value == codec.COIL_ON)
        else:
            return codec.exception_answer(request, codec.ILLEGAL_VALUE)
        return codec.echo_answer(request)

    def _write_many(self, request: Request) -> bytes:
        if request.address + request.value > COILS or len(request.data) * 8 < request.value:
            return codec.exception_answer(request, codec.ILLEGAL_ADDRESS)
        for n, on in enumerate(codec.unpack_bits(request.data, request.value)):
            self._switch(request.address + n, on)
        return codec.echo_answer(request)

    def _switch(self, coil: int, on: bool) -> None:
        """Any write ends a timed pulse; a relay that is already on does not pull again."""
        self._flash_until_s.pop(coil, None)
        self._coils[coil] = on
        if coil == self.wiring.unlock_coil:
            self.switch_lock(self.wiring.level("unlock_coil", on))
        elif coil == self.wiring.exit_coil:
            self.switch_lock(self.wiring.level("exit_coil", on), Way.EXIT)
        elif coil == self.wiring.release_coil:
            self.switch_release(self.wiring.level("release_coil", on))
