"""The virtual turnstile: a relay-and-input board's real bytes, a gate, and bodies in it.

Knows nothing of the driver or the lane.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from drivers.link import VirtualDevice
from drivers.turnstile import codec
from drivers.turnstile.codec import Request, RequestParser

COILS = 8
INPUTS = 8
PASSAGE_A, PASSAGE_B, FORCED, FIRE = range(4)
UNLOCK_COIL, RELEASE_COIL = 0, 1
COUNTER_ENTRY, COUNTER_EXIT = 0, 2  #: input registers, two each, the high one first
SILENCE_S = 0.05  #: half a frame is forgotten after this
STRIDE_S = 0.25  #: a brisk person from one barrier to the next
RELOCK_S = 15.0  #: the gate's own controller locks again when nobody came
FORCED_S = 0.5  #: how long the contact is made when the gate is pushed open
ONE_BODY = ((True, False), (True, True), (False, True))  #: A, both, B


class VirtualTurnstile(VirtualDevice):
    """`pulses` counts what the relay of the lock did, `unlock_writes` what it was told (a relay
    that is already on does not pull again); `passages` who went through; `closings` how often
    a gate that was latched open was locked again.

    A pulse unlocks for one passage, until somebody went through or turned back, or `relock_s`.
    Bodies walk in the caller's thread and take their time. `on_unlock` is called in the cable's
    thread when the lock's relay pulls; it must not wait for a body.
    """

    def __init__(
        self,
        link_path: Path | None = None,
        *,
        unit: int = 1,
        stride_s: float = STRIDE_S,
        relock_s: float = RELOCK_S,
    ) -> None:
        super().__init__(link_path)
        self.unit = unit
        self.pulses = 0
        self.unlock_writes = 0
        self.closings = 0  #: so often it was latched open and locked again
        self.passages = 0
        self.counted = [0, 0]  #: by the gate itself: in, out; kept without power
        self.on_unlock: Callable[[], None] | None = None
        self.mute = False  #: hears and obeys but does not answer
        self.lost_answers = 0  #: the next so many answers are not given
        self.refuses = False  #: answers every write with an exception
        self._stride_s = stride_s
        self._relock_s = relock_s
        self._coils = [False] * COILS
        self._inputs = [False] * INPUTS
        self._flash_until_s: dict[int, float] = {}
        self._unlocked_until_s = 0.0
        self._forced_until_s = 0.0
        self._parser = RequestParser()
        self._heard_s = 0.0
        self._body = threading.Lock()  # one body in the gate at a time

    # --- bodies ---------------------------------------------------------------------------------

    @property
    def unlocked(self) -> bool:
        """The lock lets somebody through: pulsed, held open by its coil, or latched open."""
        with self.lock:
            held = self._coils[UNLOCK_COIL] or self._coils[RELEASE_COIL]
            return held or time.monotonic() < self._unlocked_until_s

    @property
    def released(self) -> bool:
        with self.lock:
            return self._coils[RELEASE_COIL]

    def coil(self, number: int) -> bool:
        with self.lock:
            return self._coils[number]

    def person_passes(self) -> bool:
        """Somebody walks through; False when the gate is locked and they cannot."""
        return self._walk_through(*ONE_BODY, people=1)

    def two_people(self, gap: bool = True) -> bool:
        """A second person behind the first; without `gap` so close that the gate is never empty."""
        between = ((False, False),) if gap else ((True, True),)
        return self._walk_through(*ONE_BODY, *between, *ONE_BODY, people=2)

    def person_turns_back(self) -> None:
        """Somebody steps in and out again; the gate's controller locks behind them."""
        with self._body:
            self._walk((True, False), (False, False))
            self._relock()

    def stand_in_gate(self, seconds: float) -> None:
        with self._body:
            self._set(PASSAGE_A, True)
            time.sleep(seconds)
            self._set(PASSAGE_A, False)

    def opposite(self) -> None:
        """Somebody comes out the wrong way."""
        with self._body:
            self._walk((False, True), (True, True), (True, False), (False, False))
            with self.lock:
                self.counted[1] += 1

    def climb_over(self) -> None:
        """Somebody comes through whether the gate is locked or not."""
        with self._body:
            self._walk(*ONE_BODY, (False, False))

    def force(self) -> None:
        """The gate is pushed open: its contact is made for a moment."""
        with self.lock:
            self._inputs[FORCED] = True
            self._forced_until_s = time.monotonic() + FORCED_S

    def set_fire(self, on: bool) -> None:
        self._set(FIRE, on)

    def nobody(self) -> None:
        """All barriers are clear."""
        with self._body, self.lock:
            self._inputs[PASSAGE_A] = self._inputs[PASSAGE_B] = False

    def _walk_through(self, *levels: tuple[bool, bool], people: int) -> bool:
        with self._body:
            if not self.unlocked:
                return False
            self._walk(*levels, (False, False))
            with self.lock:
                self.passages += people
                self.counted[0] += people
            self._relock()
            return True

    def _walk(self, *levels: tuple[bool, bool]) -> None:
        for a, b in levels:
            with self.lock:
                self._inputs[PASSAGE_A], self._inputs[PASSAGE_B] = a, b
            time.sleep(self._stride_s)

    def _set(self, number: int, on: bool) -> None:
        with self.lock:
            self._inputs[number] = on

    def _relock(self) -> None:
        with self.lock:
            self._unlocked_until_s = 0.0

    # --- the board ------------------------------------------------------------------------------

    def lost_power(self) -> None:
        self._coils = [False] * COILS
        self._flash_until_s.clear()
        self._unlocked_until_s = 0.0
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
        if self._inputs[FORCED] and now >= self._forced_until_s:
            self._inputs[FORCED] = False
        for coil, until in list(self._flash_until_s.items()):
            if now >= until:
                del self._flash_until_s[coil]
                self._coils[coil] = False
        return b""

    def _answer(self, request: Request) -> bytes:
        if request.unit != self.unit:
            return b""
        match request.function:
            case codec.READ_COILS:
                return self._read(request, self._coils)
            case codec.READ_INPUTS:
                return self._read(request, self._inputs)
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
        flash = request.address >= codec.FLASH_ON
        coil = request.address - codec.FLASH_ON if flash else request.address
        if coil >= COILS:
            return codec.exception_answer(request, codec.ILLEGAL_ADDRESS)
        if flash and request.value:
            length_s = request.value * codec.FLASH_STEP_MS / 1000
            self._switch(coil, True)
            self._flash_until_s[coil] = time.monotonic() + length_s
        elif not flash and request.value in (codec.COIL_ON, codec.COIL_OFF):
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
        rises = on and not self._coils[coil]
        self.closings += coil == RELEASE_COIL and self._coils[coil] and not on
        self._coils[coil] = on
        if coil != UNLOCK_COIL:
            return
        self.unlock_writes += on
        if rises:
            self.pulses += 1
            self._unlocked_until_s = time.monotonic() + self._relock_s
            if self.on_unlock is not None:
                self.on_unlock()
