"""How long the identity-card reader's exchanges take, beside the bare line in the same run.

Run: python bench/bench_idcard.py [--rounds N]. Pseudo-terminals have no baud rate and the twin
does no work: a real module adds its own (up to about a second a card) and the wire's time.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import given
from rich.console import Console
from rich.table import Table

from drivers.contracts import IdCard
from drivers.idcard.codec import Command, answer, request
from drivers.idcard.device import POLL_S, ROLE, SamReader
from drivers.idcard.status import Status
from drivers.idcard.text import read_data
from drivers.idcard.virtual import VirtualSamReader
from drivers.link import VirtualDevice, open_serial

BAUD = 115200
CARD = IdCard(
    name="示例甲",
    sex="女",
    nation="汉",
    birth_date="19900307",
    address="示范省示范市示范路一号",
    number="110101199003070134",
    issuer="示范市公安局",
    valid_from="20200229",
    valid_to="长期",
)
ASK = len(request(Command.FIND))
SHORT = len(answer(Status.OK))
FOUND, SELECTED = len(answer(Status.FOUND, bytes(4))), len(answer(Status.OK, bytes(8)))
CONTENT = len(answer(Status.OK, read_data(CARD)))


class Line(VirtualDevice):
    """The bare line: a request's bytes go in, a card's worth of bytes comes out."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self._size = size

    def feed(self, data: bytes) -> bytes:
        return bytes(self._size)


def bare_line(rounds: int, size: int) -> list[float]:
    """Seconds for a request there and `size` bytes back."""
    took = []
    with Line(size) as twin, open_serial(ROLE, twin.port, BAUD) as port:
        for _ in range(rounds):
            started = time.perf_counter()
            port.write(bytes(ASK))
            got = 0
            while got < size:
                got += len(port.read(size - got))
            took.append(time.perf_counter() - started)
    return took


async def reader(rounds: int) -> tuple[list[float], list[float]]:
    """Seconds of a status question, and from a card laid on to its text."""
    checks, cards = [], []
    with VirtualSamReader() as twin:
        device = SamReader({"port": twin.port, "baud": BAUD})
        await device.open()
        for n in range(rounds):
            started = time.perf_counter()
            await device.check()
            checks.append(time.perf_counter() - started)
            waiting = asyncio.create_task(device.next_card())
            await asyncio.sleep(2.5 * POLL_S + 0.02 * (n % 10))  # lifted; laid on at any moment
            started = time.perf_counter()
            twin.lay_card(CARD)
            await waiting
            cards.append(time.perf_counter() - started)
            twin.lift_card()
        await device.close()
    return checks, cards


def add(table: Table, name: str, seconds: list[float], wire_bytes: int) -> None:
    ms = sorted(1000 * s for s in seconds)
    p95 = ms[int(0.95 * (len(ms) - 1))]
    wire_ms = wire_bytes * 10 / BAUD * 1000
    row = (statistics.median(ms), p95, ms[-1], wire_ms)
    table.add_row(name, *(f"{value:.2f}" for value in row))


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=given.whole(1), default=20)
    rounds = arguments.parse_args().rounds
    table = Table(title=f"identity-card reader on a virtual cable, {rounds} rounds, ms")
    for column in ("step", "median", "p95", "max", f"wire at {BAUD}"):
        table.add_column(column, justify="left" if column == "step" else "right")
    checks, cards = asyncio.run(reader(rounds))
    add(table, "bare line: short answer", bare_line(rounds, SHORT), ASK + SHORT)
    add(table, "status question", checks, ASK + SHORT)
    add(table, "bare line: a card's content", bare_line(rounds, CONTENT), ASK + CONTENT)
    add(table, "card laid on → text", cards, 3 * ASK + FOUND + SELECTED + CONTENT)
    console = Console(width=100)
    console.print(table)
    wait_ms = POLL_S * 1000
    console.print(f"a look every {wait_ms:.0f} ms: {wait_ms / 2:.0f} ms of the last row on average")


if __name__ == "__main__":
    main()
