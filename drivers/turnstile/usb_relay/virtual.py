"""The virtual turnstile behind a USB relay board: its four-byte frames, and no sensor's word.

Bodies walk in the gate as in every other; nothing of it is told to the host.
"""

from __future__ import annotations

import time
from pathlib import Path

from drivers.contracts import Way
from drivers.turnstile.gate import RELOCK_S, STRIDE_S, VirtualGate
from drivers.turnstile.usb_relay.codec import HostParser, Switch, states_answer

SILENCE_S = 0.05  #: half a frame is forgotten after this


class VirtualUsbRelay(VirtualGate):
    """`answers`: "" (says nothing), "bytes" or "text". `stuck`: the relay of the lock does not
    move, whatever it is told."""

    def __init__(
        self,
        link_path: Path | None = None,
        *,
        relays: int = 2,
        unlock_relay: int = 1,
        exit_relay: int | None = None,
        release_relay: int | None = 2,
        answers: str = "",
        stride_s: float = STRIDE_S,
        relock_s: float = RELOCK_S,
    ) -> None:
        apart = exit_relay is not None
        super().__init__(link_path, stride_s=stride_s, relock_s=relock_s, ways_apart=apart)
        self.answers = answers
        self.stuck = False
        self._unlock_relay, self._release_relay_no = unlock_relay, release_relay
        self._exit_relay = exit_relay
        self._relays = [False] * relays
        self._parser = HostParser()
        self._heard_s = 0.0

    def relay(self, number: int) -> bool:
        with self.lock:
            return self._relays[number - 1]

    def lost_power(self) -> None:
        super().lost_power()
        self._relays = [False] * len(self._relays)
        self._parser.silence()

    def feed(self, data: bytes) -> bytes:
        self._heard_s = time.monotonic()
        return b"".join(self._obey(asked) for asked in self._parser.feed(data))

    def tick(self) -> bytes:
        if self._parser.pending and time.monotonic() - self._heard_s > SILENCE_S:
            self._parser.silence()
        self.gate_tick()
        return b""

    def _obey(self, asked: Switch | None) -> bytes:
        if asked is None:
            return states_answer(self._relays, self.answers == "text") if self.answers else b""
        if asked.relay <= len(self._relays) and not self.stuck:
            self._relays[asked.relay - 1] = asked.on
            if asked.relay == self._unlock_relay:
                self.switch_lock(asked.on)
            elif asked.relay == self._exit_relay:
                self.switch_lock(asked.on, Way.EXIT)
            elif asked.relay == self._release_relay_no:
                self.switch_release(asked.on)
        return b""
