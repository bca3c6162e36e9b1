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
SILENCE_S = 0.05  #: half a frame is forgotten after this
STRIDE_S = 0.25  #: a brisk person from one barrier to the next


class VirtualTurnstile(VirtualDevice):
    """`pulses` counts what the relay of the lock did; `passages` who went through.

    `on_unlock` is called (in the cable's thread) when the lock's relay pulls.
    """

    def __init__(
        self, link_path: Path | None = None, *, unit: int = 1, stride_s: float = STRIDE_S
    ) -> None:
        super().__init__(link_path)
        self.unit = unit
        self.pulses = 0
        self.passages = 0
        self.on_unlock: Callable[[], None] | None = None
        self.mute = False  #: hears and obeys but does not answer
        self.refuses = False  #: answers every write with an exception
        self._stride_s = stride_s
        self._coils = [False] * COILS
        self._inputs = [False] * INPUTS
        self._flash_until_s: dict[int, float] = {}
        self._unlocked = False
        self._parser = RequestParser()
        self._heard_s = 0.0
        self._body = threading.Lock()  # one body in the gate at a time

    # --- bodies -----------------------------------------------------------------------------------

    @property
    def unlocked(self) -> bool:
        """The lock lets somebody through: pulsed, or latched open."""
        with self.lock:
            return self._unlocked or self._coils[RELEASE_COIL]

    @property
    def released(self) -> bool:
        with self.lock:
            return self._coils[RELEASE_COIL]

    def person_passes(self) -> bool:
        """Somebody walks through; False when the gate is locked and they cannot."""
        with self._body:
            if not self.unlocked:
                return False
            self._walk((True, False), (True, True), (False, True), (False, False))
            self._went_through()
            return True

    def two_people(self) -> None:
        """A second person close behind the first."""
        with self._body:
            self._walk((True, False), (True, True), (False, True), (False, False), (True, False),
                       (True, True), (False, True), (False, False))
            self._went_through()

    def person_turns_back(self) -> None:
        with self._body:
            self._walk((True, False), (False, False))

    def stand_in_gate(self, seconds: float) -> None:
        with self._body:
            self._set(PASSAGE_A, True)
            time.sleep(seconds)
            self._set(PASSAGE_A, False)

    def opposite(self) -> None:
        """Somebody comes out the wrong way."""
        with self._body:
            self._walk((False, True), (True, True), (True, False), (False, False))

    def force(self) -> None:
        """The gate is pushed open without an unlock."""
        self._set(FORCED, True)
        self.force_ended = threading.Timer(0.5, self._set, (FORCED, False))
        self.force_ended.daemon = True
        self.force_ended.start()

    def set_fire(self, on: bool) -> None:
        self._set(FIRE, on)

    def _walk(self, *levels: tuple[bool, bool]) -> None:
        for a, b in levels:
            with self.lock:
                self._inputs[PASSAGE_A], self._inputs[PASSAGE_B] = a, b
            time.sleep(self._stride_s)

    def _set(self, number: int, on: bool) -> None:
        with self.lock:
            self._inputs[number] = on

    def _went_through(self) -> None:
        with self.lock:
            self.passages += 1
            self._unlocked = False

    def lost_power(self) -> None:
        self._coils = [False] * COILS
        self._flash_until_s.clear()
        self._unlocked = False

    # --- the board ----------------------------------------------------------------------------------

    def feed(self, data: bytes) -> bytes:
        self._heard_s = time.monotonic()
        out = b"".join(self._answer(request) for request in self._parser.feed(data))
        return b"" if self.mute else out

    def tick(self) -> bytes:
        now = time.monotonic()
        if self._parser.pending and now - self._heard_s > SILENCE_S:
            self._parser.silence()
        for coil, until in list(self._flash_until_s.items()):
            if now >= until:
                del self._flash_until_s[coil]
                self._coils[coil] = False
        return b""

    def _answer(self, request: Request) -> bytes:
        if request.unit != self.unit:
            return b""
        if request.function in (codec.READ_COILS, codec.READ_INPUTS):
            bits = self._coils if request.function == codec.READ_COILS else self._inputs
            end = request.address + request.value
            if request.value == 0 or end > len(bits):
                return codec.exception_answer(request, codec.ILLEGAL_ADDRESS)
            return codec.bits_answer(request, bits[request.address : end])
        if self.refuses:
            return codec.exception_answer(request, codec.ILLEGAL_VALUE)
        if request.function == codec.WRITE_COIL:
            return self._write(request)
        return codec.exception_answer(request, codec.ILLEGAL_FUNCTION)

    def _write(self, request: Request) -> bytes:
        flash = request.address >= codec.FLASH_ON
        coil = request.address - codec.FLASH_ON if flash else request.address
        if coil >= COILS:
            return codec.exception_answer(request, codec.ILLEGAL_ADDRESS)
        if flash:
            length_s = request.value * codec.FLASH_STEP_MS / 1000
            self._flash_until_s[coil] = time.monotonic() + length_s
            self._switch(coil, True)
        elif request.value in (codec.COIL_ON, codec.COIL_OFF):
            self._switch(coil, request.value == codec.COIL_ON)
        else:
            return codec.exception_answer(request, codec.ILLEGAL_VALUE)
        return codec.echo_answer(request)

    def _switch(self, coil: int, on: bool) -> None:
        rises = on and not self._coils[coil]
        self._coils[coil] = on
        if coil == UNLOCK_COIL and rises:
            self.pulses += 1
            self._unlocked = True
            if self.on_unlock is not None:
                self.on_unlock()
