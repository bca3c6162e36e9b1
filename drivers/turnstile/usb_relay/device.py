"""A turnstile behind a USB relay: it can be opened, and nothing can be seen.

So a passage ends when its time is over (`GateEventKind.UNSEEN`), which is said wherever it is
counted. Knows no passages itself.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import TypeVar

import serial

from drivers import link
from drivers.contracts import DeviceInfo, GateCounters, Way
from drivers.errors import DeviceFault, FaultCode
from drivers.turnstile.board import ROLE, NotSent
from drivers.turnstile.polled import PolledTurnstile, patiently
from drivers.turnstile.usb_relay.codec import STATUS_QUERY, Switch, parse_states

ANSWER_S = 0.25  #: longest wait for the states
T = TypeVar("T")

QUIET_S = 0.03  #: silence that ends an answer
LOOK_S = 1.0  #: between two status queries


class UsbRelayTurnstile(PolledTurnstile):
    """`options`: `port`, `baud`, `pulse_ms`, `unlock_relay`, `exit_relay` (None: the same unlocks
    both ways), `release_relay` (None: there is none), `answers` (the board answers status
    queries)."""

    def _connect(self) -> UsbRelayBoard:
        port = link.open_serial(ROLE, self._port, int(self._o.get("baud", 9600)))
        release, out = self._o.get("release_relay"), self._o.get("exit_relay")
        return UsbRelayBoard(
            port,
            self._port,
            unlock_relay=int(self._o.get("unlock_relay", 1)),
            exit_relay=None if out is None else int(out),
            release_relay=None if release is None else int(release),
            pulse_s=int(self._o.get("pulse_ms", 500)) / 1000,
            answers=bool(self._o.get("answers", False)),
        )


class UsbRelayBoard:
    """`drivers.turnstile.board.Board`. The relay knows no pulse of its own: on and off are sent
    from here, and the off again until the port took it (where the board answers: until it says
    that the relay is off)."""

    def __init__(
        self,
        port: serial.Serial,
        name: str,
        *,
        unlock_relay: int,
        exit_relay: int | None = None,
        release_relay: int | None,
        pulse_s: float,
        answers: bool,
    ) -> None:
        self._serial, self._name = port, name
        self._unlock_relay, self._release_relay = unlock_relay, release_relay
        self._exit_relay = exit_relay
        self._pulsed = unlock_relay  #: which of the two was told last
        self._pulse_s = pulse_s
        self._answers = answers
        self._released = False  #: where the unlock's relay also holds the gate open
        self._off_due_s: float | None = None
        self._next_look_s = 0.0

    def identify(self) -> None:
        if not self._answers:  # all that it hears are orders
            raise DeviceFault(ROLE, FaultCode.NO_ANSWER, f"{self._name}: never answers")
        self._states()

    def greet(self) -> DeviceInfo:
        """A relay that a crash left on would be an open gate: off first."""
        for relay in self._unlockers:
            self._switch(relay, False)
        facts = {"sensors": "none: a passage ends by time", "board answers": "no"}
        if self._answers:
            facts["board answers"] = "yes"
            facts["relays"] = str(len(patiently(self._states)))
        return DeviceInfo(ROLE, "usb_relay", self._name, "USB relay (A0 …)", facts)

    def inputs(self) -> None:
        return None

    def counters(self) -> GateCounters | None:
        return None

    def pulse(self, way: Way = Way.ENTRY) -> None:
        """On; `settle` sends the off."""
        if self._released:
            return  # it stands open for everybody: the relay is on, and stays
        relay = self._unlock_relay
        if way is Way.EXIT and self._exit_relay is not None:
            relay = self._exit_relay
        if self._off_due_s is not None and relay != self._pulsed:
            self._end_pulse_first()
        self._pulsed = relay
        try:
            self._switch(relay, True)
        except NotSent:
            raise
        except DeviceFault:
            self._off_due_s = 0.0
            raise
        self._off_due_s = time.monotonic() + self._pulse_s
        if self._answers and self._state_of(relay) is False:
            # it heard us and its relay does not move, or it did not hear us: nobody can tell
            raise DeviceFault(ROLE, FaultCode.MISBEHAVES, f"{self._name}: relay stays off")

    def settle(self, now_s: float, owed: bool) -> None:
        self._still_there()
        if self._off_due_s is not None and now_s >= self._off_due_s:
            self._switch(self._pulsed, self._stays_on(self._pulsed))
            self._off_due_s = None
            self._next_look_s = now_s
        if self._answers and now_s >= self._next_look_s and self._off_due_s is None:
            self._next_look_s = now_s + LOOK_S
            for relay in self._unlockers:
                if self._state_of(relay) is self._stays_on(relay):
                    continue
                self._pulsed, self._off_due_s = relay, now_s  # again
                raise DeviceFault(ROLE, FaultCode.MISBEHAVES, f"{self._name}: relay not as told")

    def _end_pulse_first(self) -> None:
        """The other way is unlocked still: one at a time. Raises `NotSent`."""
        try:
            self._switch(self._pulsed, self._stays_on(self._pulsed))
        except DeviceFault as fault:
            raise NotSent(ROLE, fault.code, fault.detail) from fault
        self._off_due_s = None

    def release(self, on: bool) -> None:
        """By its own relay, or, where there is none, by the unlock's."""
        if self._release_relay is not None:
            self._switch(self._release_relay, on)
            return
        self._switch(self._unlock_relay, on)
        self._released = on
        if self._pulsed == self._unlock_relay:
            self._off_due_s = None

    def close(self) -> None:
        with contextlib.suppress(DeviceFault):
            if self._off_due_s is not None:
                self._switch(self._pulsed, self._stays_on(self._pulsed))
        with contextlib.suppress(*link.PORT_ERRORS):
            self._serial.close()

    # --- the line ---------------------------------------------------------------------------------

    @property
    def _unlockers(self) -> tuple[int, ...]:
        out = self._exit_relay
        return (self._unlock_relay,) if out is None else (self._unlock_relay, out)

    def _stays_on(self, relay: int) -> bool:
        """Whether this unlock relay also holds the gate open now."""
        holds = self._release_relay is None and relay == self._unlock_relay
        return holds and self._released

    def _state_of(self, relay: int) -> bool | None:
        """None: the board has no such relay, by its own answer."""
        states = patiently(self._states)
        return states[relay - 1] if relay <= len(states) else None

    def _states(self) -> list[bool]:
        """What the board says of its relays. Raises NO_ANSWER, GARBLED, UNPLUGGED."""
        self._io(self._serial.reset_input_buffer)
        self._send(STATUS_QUERY)
        heard, end_s, quiet_s = b"", time.monotonic() + ANSWER_S, None
        while (now_s := time.monotonic()) < end_s and (quiet_s is None or now_s < quiet_s):
            data = self._io(lambda: self._serial.read(max(1, self._serial.in_waiting)))
            if data:
                heard += data
                quiet_s = time.monotonic() + QUIET_S
        states = parse_states(heard)
        if states is None:
            code = FaultCode.GARBLED if heard else FaultCode.NO_ANSWER
            raise DeviceFault(ROLE, code, f"{self._name}: {len(heard)} bytes for a status query")
        return states

    def _still_there(self) -> None:
        """A board that never answers is only known by its port."""
        self._io(lambda: self._serial.in_waiting)

    def _switch(self, relay: int, on: bool) -> None:
        self._still_there()
        self._send(Switch(relay, on).to_bytes())

    def _send(self, data: bytes) -> None:
        try:
            self._serial.write(data)
        except serial.SerialTimeoutException as error:
            raise DeviceFault(ROLE, FaultCode.NO_ANSWER, f"{self._name}: cannot write") from error
        except link.PORT_ERRORS as error:
            raise DeviceFault(ROLE, FaultCode.UNPLUGGED, self._name) from error

    def _io(self, ask: Callable[[], T]) -> T:
        try:
            return ask()
        except link.PORT_ERRORS as error:
            raise NotSent(ROLE, FaultCode.UNPLUGGED, self._name) from error
