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
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from rich.console import Console
from rich.table import Table

from drivers.link import VirtualDevice, open_serial
from drivers.turnstile.modbus.bus import Bus
from drivers.turnstile.modbus.device import ROLE, ModbusTurnstile
from drivers.turnstile.modbus.virtual import VirtualTurnstile

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
    arguments.add_argument("--rounds", type=int, default=40)
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
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
