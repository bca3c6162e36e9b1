"""How long an exchange on the turnstile's bus takes, beside the bare line measured in the same run.

Run: python bench/bench_turnstile.py [--rounds N]. Pseudo-terminals have no baud rate: at
9600 baud the wire adds what the last column says.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import given
import serial
from rich.console import Console
from rich.table import Table

from drivers.link import VirtualDevice, open_serial
from drivers.turnstile.modbus.bus import Bus
from drivers.turnstile.modbus.device import ROLE, ModbusTurnstile
from drivers.turnstile.modbus.virtual import VirtualTurnstile
from drivers.turnstile.osdp.panel import PERMANENT_OFF, Panel
from drivers.turnstile.osdp.virtual import VirtualOsdp
from drivers.turnstile.polled import patiently

BAUD = 9600
REQUEST, INPUTS_ANSWER, WRITE_ANSWER = 8, 6, 8  #: bytes
OPTIONS = {
    "baud": BAUD,
    "unit": 1,
    "pulse": "flash",
    "pulse_ms": 100,
    "unlock_coil": 0,
    "release_coil": 1,
    "input_passage_a": 0,
    "input_passage_b": 1,
    "input_forced": 2,
    "input_fire": 3,
}


class Echo(VirtualDevice):
    """The bare line: what goes in comes out."""

    def feed(self, data: bytes) -> bytes:
        return data


def bare_line(rounds: int) -> list[float]:
    """Seconds for eight bytes there and back."""
    took = []
    with Echo() as twin, open_serial(ROLE, twin.port, BAUD) as port:
        for _ in range(rounds):
            started = time.perf_counter()
            port.write(bytes(REQUEST))
            if len(port.read(REQUEST)) != REQUEST:
                raise SystemExit("the echo is incomplete")
            took.append(time.perf_counter() - started)
    return took


def bus_reads(rounds: int) -> list[float]:
    """Seconds to read the inputs through the library; includes the silence before a frame."""
    took = []
    with VirtualTurnstile() as twin:
        bus = Bus(ROLE, twin.port, BAUD, 1)
        for _ in range(rounds):
            started = time.perf_counter()
            bus.read_inputs(0, 4)
            took.append(time.perf_counter() - started)
        bus.close()
    return took


class CountedOsdp(VirtualOsdp):
    """Counts what goes over the line: a frame's length follows from keys and padding."""

    heard = told = 0

    def feed(self, data: bytes) -> bytes:
        self.heard += len(data)
        return self._counted(super().feed(data))

    def tick(self) -> bytes:
        return self._counted(super().tick())

    def _counted(self, answer: bytes) -> bytes:
        self.told += len(answer)
        return answer


@dataclass
class OsdpTook:
    """Seconds; and bytes there and back of one question for the inputs."""

    session: list[float] = field(default_factory=list)
    inputs: list[float] = field(default_factory=list)
    output: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    asked: int = 0
    answered: int = 0


def osdp_exchanges(rounds: int) -> OsdpTook:
    """Through libosdp's panel and its secure channel: a session begun, inputs asked for, an output
    set; and the bare line with as many bytes as the question and its answer have."""
    took = OsdpTook()
    key = bytes(range(16))
    with CountedOsdp(key=key) as twin:
        for n in range(rounds):
            board = Panel(ROLE, twin.port, open_serial(ROLE, twin.port, BAUD), 0, key)
            took.session.append(timed(partial(patiently, board.up)))
            if n == 0:
                before = twin.heard, twin.told
                board.ask_inputs()
                took.asked, took.answered = twin.heard - before[0], twin.told - before[1]
            for ask, into in (
                (board.ask_inputs, took.inputs),
                (partial(board.set_output, 3, PERMANENT_OFF), took.output),
            ):
                time.sleep(0.007 * (n % 9))
                into.append(timed(partial(patiently, ask)))
            board.close()
    with Answering(took.answered) as twin, open_serial(ROLE, twin.port, BAUD) as port:
        for _ in range(rounds):
            took.bare.append(timed(partial(exchange, port, took.asked, took.answered)))
    return took


class Answering(VirtualDevice):
    """The bare line: so many bytes come back for whatever went in."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self._count = count

    def feed(self, data: bytes) -> bytes:
        return bytes(self._count)


def exchange(port: serial.Serial, asked: int, answered: int) -> None:
    port.write(bytes(asked))
    if len(port.read(answered)) != answered:
        raise SystemExit("the answer is incomplete")


def timed(ask: Callable[[], object]) -> float:
    started = time.perf_counter()
    ask()
    return time.perf_counter() - started


async def unlocks(rounds: int) -> tuple[list[float], list[float]]:
    """Seconds from `unlock` to the relay, and to the confirmed return; polls go on meanwhile."""
    to_relay, to_return = [], []
    pulled: list[float] = []
    with VirtualTurnstile() as twin:
        twin.on_unlock = lambda: pulled.append(time.perf_counter())
        gate = ModbusTurnstile(OPTIONS | {"port": twin.port})
        await gate.open()
        for n in range(rounds):
            await asyncio.sleep(0.12 + 0.007 * (n % 9))  # the last pulse is over; any moment
            started = time.perf_counter()
            await gate.unlock(1.0)
            to_return.append(time.perf_counter() - started)
            to_relay.append(pulled[-1] - started)
        if twin.pulses != rounds:
            raise SystemExit(f"{twin.pulses} pulses for {rounds} unlocks")
        await gate.close()
    return to_relay, to_return


async def passage_latency(rounds: int) -> list[float]:
    """Seconds from a broken barrier to the event, debouncing included."""
    took = []
    with VirtualTurnstile() as twin:
        gate = ModbusTurnstile(OPTIONS | {"port": twin.port})
        await gate.open()
        for n in range(rounds):
            await asyncio.sleep(0.1 + 0.007 * (n % 9))
            started = time.perf_counter()
            twin.set_fire(n % 2 == 0)
            await gate.next_event()
            took.append(time.perf_counter() - started)
        await gate.close()
    return took


def add(table: Table, name: str, seconds: list[float], wire_bytes: int) -> None:
    wire_ms = f"{wire_bytes * 10 / BAUD * 1000:.1f}" if wire_bytes else ""
    ms = sorted(1000 * s for s in seconds)
    p95 = ms[int(0.95 * (len(ms) - 1))]
    table.add_row(name, f"{statistics.median(ms):.2f}", f"{p95:.2f}", f"{ms[-1]:.2f}", wire_ms)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=given.whole(1), default=40)
    rounds = arguments.parse_args().rounds
    table = Table(title=f"turnstile on a virtual cable, {rounds} rounds, ms")
    for column in ("step", "median", "p95", "max", f"wire at {BAUD}"):
        table.add_column(column, justify="left" if column == "step" else "right")
    add(table, "bare line: 8 bytes there and back", bare_line(rounds), 2 * REQUEST)
    add(table, "read inputs, silence before included", bus_reads(rounds), REQUEST + INPUTS_ANSWER)
    to_relay, to_return = asyncio.run(unlocks(rounds))
    add(table, "unlock → relay pulls", to_relay, REQUEST)
    add(table, "unlock → confirmed", to_return, REQUEST + WRITE_ANSWER)
    add(table, "level changes → event", asyncio.run(passage_latency(rounds)), 0)
    osdp = osdp_exchanges(rounds)
    both = osdp.asked + osdp.answered
    add(table, f"bare line: {osdp.asked} bytes there, {osdp.answered} back", osdp.bare, both)
    add(table, "OSDP, secure channel: inputs asked for", osdp.inputs, both)
    add(table, "OSDP: an output set and confirmed", osdp.output, 0)
    add(table, "OSDP: a session begun (identity, keys)", osdp.session, 0)
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
