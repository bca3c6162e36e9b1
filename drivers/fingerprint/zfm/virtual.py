"""The virtual fingerprint reader: the module's real bytes on a pseudo-terminal, and a hand
that lays fingers on it while it runs. Knows nothing of the driver or the lane.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from pathlib import Path

from drivers.fingerprint.zfm.chip import NO_WORK, Answer, Chip, WorkTimes
from drivers.fingerprint.zfm.codec import Command, Confirm, Packet, PacketType, Parser, wire_seconds
from drivers.fingerprint.zfm.fingers import make_template
from drivers.link import VirtualDevice

__all__ = ["VirtualZfm", "WorkTimes", "make_template"]

_FASTEST = 115_200  #: of a real module; at a pace beyond it any host is understood
_PARTIAL_S = 0.25  #: silence after which the module gives up an unfinished packet


class VirtualZfm(VirtualDevice):
    """One ZFM-20 on a virtual cable. All commands to it may come from any thread. A host that has
    opened the port at another speed than `baud` is not understood.

    With `timed`, bytes take their time at `baud` in both directions and the module's work
    takes `work`; otherwise it answers at once.
    """

    def __init__(
        self,
        link_path: Path | None = None,
        *,
        timed: bool = False,
        baud: int = 57600,
        work: WorkTimes | None = None,
    ) -> None:
        super().__init__(link_path)
        self._timed = timed
        self._baud = baud
        self.chip = Chip(work=(work or WorkTimes()) if timed else NO_WORK, baud_code=baud // 9600)
        self._outgoing: deque[tuple[float, bytes]] = deque()  # (when it has left, bytes)
        self._host_line_free_s = 0.0
        self._line_free_s = 0.0
        self._heard_s = 0.0
        self._mute_after: int | None = None
        self._counting = Parser()
        self._commands: Counter[int] = Counter()

    # --- the hand -----------------------------------------------------------------------------

    def put_finger(self, name: str) -> None:
        with self.lock:
            self.chip.finger = name

    def lift_finger(self) -> None:
        with self.lock:
            self.chip.finger = None

    def next_image(self, fault: Confirm | None) -> None:
        """The next image is bad in this way: TOO_DRY, TOO_WET, SMEARED, TOO_FEW_FEATURES, …"""
        with self.lock:
            self.chip.image_fault = fault

    def set_password(self, password: int) -> None:
        with self.lock:
            self.chip.password = password

    def sleep(self, after_bytes: int = 0) -> None:
        """Fall silent, once `after_bytes` more bytes have gone out."""
        with self.lock:
            self._mute_after = after_bytes

    def wake(self) -> None:
        with self.lock:
            self._mute_after = None

    def power_cycle(self) -> None:
        """The module's own supply failed for a moment; the port stays."""
        with self.lock:
            self.lost_power()

    def commands(self, command: Command) -> int:
        """How many of these commands have arrived whole."""
        with self.lock:
            return self._commands[command]

    # --- the cable ----------------------------------------------------------------------------

    def lost_power(self) -> None:
        self._outgoing.clear()
        self.chip.power_cycle()

    def feed(self, data: bytes) -> bytes:
        if self.host_baud not in (None, self._baud) and self._baud <= _FASTEST:
            return b""  # at another speed it hears nothing that makes sense
        now = time.monotonic()
        self._heard_s = now
        for packet in self._counting.feed(data):
            if isinstance(packet, Packet) and packet.type is PacketType.COMMAND:
                self._commands[packet.payload[0]] += 1
        if self._muted:
            return b""
        self._host_line_free_s = max(now, self._host_line_free_s) + self._wire_s(data)
        for answer in self.chip.feed(data):
            self._queue(answer)
        return self.tick()

    def tick(self) -> bytes:
        now = time.monotonic()
        if self.chip.partial and now - self._heard_s > _PARTIAL_S:
            self.chip.forget_partial()
        out = b""
        while self._outgoing and self._outgoing[0][0] <= now:
            out += self._outgoing.popleft()[1]
        return self._muffled(out)

    def _queue(self, answer: Answer) -> None:
        work_s, data = answer
        start = max(self._host_line_free_s, self._line_free_s) + work_s
        self._line_free_s = start + self._wire_s(data)
        self._outgoing.append((self._line_free_s, data))

    def _wire_s(self, data: bytes) -> float:
        return wire_seconds(len(data), self._baud) if self._timed else 0.0

    @property
    def _muted(self) -> bool:
        return self._mute_after == 0

    def _muffled(self, out: bytes) -> bytes:
        if self._mute_after is None or not out:
            return out
        out = out[: self._mute_after]
        self._mute_after -= len(out)
        return out
