"""A turnstile behind an OSDP board, through libosdp with a secure channel.

Which output and input is what comes from the map (outputmap.py); each exchange is bounded
(panel.py). Knows no passages.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from drivers import link
from drivers.contracts import DeviceInfo, GateCounters, GateInputs, Options, Way
from drivers.errors import DeviceFault, FaultCode
from drivers.turnstile.board import ROLE, NotSent
from drivers.turnstile.osdp import panel
from drivers.turnstile.osdp.key import KeyProblem, make_key, read_key
from drivers.turnstile.osdp.outputmap import OutputMap
from drivers.turnstile.osdp.panel import About, Panel
from drivers.turnstile.polled import PolledTurnstile, patiently
from drivers.turnstile.relays import ToldRelays
from drivers.turnstile.wiring import INPUTS

LOOK_BACK_S = 5.0
ASK_S = 5.0  #: between two looks at whether the reported inputs are the true ones
REPORT_S = 0.3  #: a change of an input is reported within this


class OsdpTurnstile(PolledTurnstile):
    """`options`: `port`, `baud`, `address`, `key_file`, and the keys of `OutputMap`."""

    pause_s = panel.POLL_S  # the library would wait for the rest of it, deaf to an unlock

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self._map = OutputMap.parse(options)

    async def give_key(self) -> About:
        """Give a board that still has the key from the shelf the one of `key_file`, a fresh one
        where there is no file. A board that has this key already keeps it. Not while it is open.
        Raises `DeviceFault`; WRONG_KEY: the board has another key already."""
        return await asyncio.to_thread(self._give_key)

    def _give_key(self) -> About:
        path = self._key_file
        try:
            # on the disk before the board has it, or nobody could open the board again
            key = read_key(path) if path.exists() else make_key(path)
        except KeyProblem as problem:
            raise DeviceFault(ROLE, FaultCode.WRONG_KEY, str(problem)) from problem
        board = self._panel(key, install=True)
        try:
            return patiently(board.up)
        finally:
            board.close()

    def _connect(self) -> OsdpBoard:
        try:
            key = read_key(self._key_file)
        except KeyProblem as problem:
            raise DeviceFault(ROLE, FaultCode.WRONG_KEY, str(problem)) from problem
        return OsdpBoard(self._panel(key), self._map, self._port)

    def _panel(self, key: bytes, install: bool = False) -> Panel:
        port = link.open_serial(ROLE, self._port, int(self._o.get("baud", 9600)))
        address = int(self._o.get("address", 0))
        return Panel(ROLE, self._port, port, address, key, install=install)

    @property
    def _key_file(self) -> Path:
        return Path(self._o["key_file"])


class OsdpBoard(ToldRelays):
    """`drivers.turnstile.board.Board`. The board reports its inputs by itself, in its answers to
    polls; now and then it is asked for them, and always in a new session."""

    def __init__(self, board: Panel, map_: OutputMap, port: str) -> None:
        super().__init__(map_, port, LOOK_BACK_S)
        self._panel, self._map = board, map_
        self._about: About | None = None
        self._session = 0  #: whose outputs and inputs are known
        self._ask_s = 0.0
        self._unreported: _Unreported | None = None

    def identify(self) -> None:
        self._panel.up()

    def greet(self) -> DeviceInfo:
        about = self._about = patiently(self._panel.up)
        self._check(about)
        # whatever an earlier life left on; and a lock held by its relay is open until it is told
        for output in self._map.unlockers:
            patiently(partial(self._write, output, False))
        inputs = patiently(self.inputs)
        facts = {"secure channel": "yes", "outputs": str(about.outputs)}
        facts["serial number"] = f"{about.serial_number:08X}"
        facts["firmware"] = f"{about.firmware:06X}"
        if inputs is None:
            facts["sensors"] = "none: a passage ends by time"
        else:
            active = [n for n in INPUTS if getattr(inputs, n.removeprefix("input_"))]
            names = " ".join(n.removeprefix("input_") for n in active)
            facts |= {"inputs": str(about.inputs), "active inputs": names or "none"}
        model = f"OSDP {about.vendor:06X} model {about.model}.{about.version}"
        return DeviceInfo(ROLE, "osdp", self._port, model, facts)

    def inputs(self) -> GateInputs | None:
        if self._about is not None and not self._about.inputs:
            self._panel.poll()
            return None
        now_s = time.monotonic()
        due = now_s >= self._ask_s and self._unreported is None
        if self._panel.inputs is None or due:
            self._ask_s = now_s + ASK_S
            self._compare()
        else:
            self._panel.poll()
            self._expect_report(now_s)
        if self._panel.sessions != self._session:
            self._session = self._panel.sessions
            self._look_back_s = 0.0  # a board that was restarted has forgotten its outputs
            self._unreported = None
        first, count = self._map.input_span
        levels = self._panel.inputs or []
        if len(levels) < first + count:
            detail = f"{self._port}: {len(levels)} inputs reported"
            raise DeviceFault(ROLE, FaultCode.GARBLED, detail)
        return self._map.gate_inputs(levels[first : first + count])

    def counters(self) -> GateCounters | None:
        return None

    def pulse(self, way: Way = Way.ENTRY) -> None:
        output = self._map.unlocker(way)
        self._no_look_during_pulse()
        try:
            self._panel.up()
        except DeviceFault as fault:
            raise NotSent(ROLE, fault.code, fault.detail) from fault
        self._take(output)
        before = self._panel.outputs_sent
        latched = self._map.pulse == "latch"
        try:
            if latched:
                self._off_due_s = float("inf")
                self._write(output, True)
            else:
                on = self._map.level(output, True)
                code = panel.TEMPORARY_ON if on else panel.TEMPORARY_OFF
                steps = max(1, round(self._map.pulse_ms / panel.TIMER_STEP_MS))
                self._panel.set_output(getattr(self._map, output), code, steps)
        except DeviceFault as fault:
            unsent = self._panel.outputs_sent == before
            if unsent or fault.code is FaultCode.REFUSED:
                self._off_due_s = None
                self._told[output] = False
            if unsent:
                raise NotSent(ROLE, fault.code, fault.detail) from fault
            raise

    def release(self, on: bool) -> None:
        self._write("release_output", on)

    def close(self) -> None:
        if self._off_due_s is not None:
            with contextlib.suppress(DeviceFault):
                self._write(self._pulsed, False)
        self._panel.close()

    # --- the board --------------------------------------------------------------------------------

    def _switch(self, relay: str, level: bool) -> None:
        code = panel.PERMANENT_ON if level else panel.PERMANENT_OFF
        self._panel.set_output(getattr(self._map, relay), code)

    def _levels(self, first: int, count: int) -> list[bool]:
        self._panel.ask_outputs()
        return (self._panel.outputs or [])[first : first + count]

    def _check(self, about: About) -> None:
        """A number in the file that the board does not have would be found at the first unlock."""
        numbers = {n: v for n in self._map.RELAYS if (v := getattr(self._map, n)) is not None}
        limits = dict.fromkeys(numbers, about.outputs)
        if about.inputs:
            numbers |= {n: v for n in INPUTS if (v := getattr(self._map, n)) is not None}
        for name, number in numbers.items():
            limit = limits.get(name, about.inputs)
            if number >= limit:
                kind = "outputs" if name in limits else "inputs"
                detail = f"{self._port}: {name} is {number}, the board has {limit} {kind}"
                raise DeviceFault(ROLE, FaultCode.REFUSED, detail)

    def _compare(self) -> None:
        """Ask for the inputs; a level that was not reported must be within a moment."""
        known = self._panel.inputs
        self._panel.ask_inputs()
        if known is not None and self._panel.inputs != known:
            self._unreported = _Unreported(time.monotonic(), self._panel.reports, known)

    def _expect_report(self, now_s: float) -> None:
        expected = self._unreported
        if expected is None or now_s < expected.since_s + REPORT_S:
            return
        if self._panel.reports == expected.reports:
            self._panel.ask_inputs()  # it may be as it was: then there was nothing to report
            if self._panel.inputs != expected.known:
                expected.reports = self._panel.reports
                detail = f"{self._port}: does not report its inputs by itself"
                raise DeviceFault(ROLE, FaultCode.MISBEHAVES, detail)
        self._unreported = None


@dataclass(slots=True)
class _Unreported:
    """A change of the inputs that was found by asking. `reports`: how many had come until then;
    `known`: the levels before."""

    since_s: float
    reports: int
    known: list[bool]
