"""How long the fingerprint reader takes on a timed virtual module, beside the bare wire time.

Run: python bench/bench_fingerprint.py [--rounds N]. The module's own work is an assumption
(see WorkTimes); with it set to nothing, what is left over the wire time is ours.
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

from drivers.fingerprint.zfm.chip import NO_WORK, WorkTimes
from drivers.fingerprint.zfm.codec import TEMPLATE_BYTES, wire_bytes, wire_seconds
from drivers.fingerprint.zfm.device import ZfmReader
from drivers.fingerprint.zfm.virtual import VirtualZfm, make_template

BAUD = 57600
BLOCK = 128
ACK, ASK, ASK_BUFFER = wire_bytes(1), wire_bytes(1), wire_bytes(2)
TEMPLATE = TEMPLATE_BYTES // BLOCK * wire_bytes(BLOCK)
PARAMETERS = ASK + wire_bytes(17)
#: what pyfingerprint does: ask for the packet size, announce, send, read back
UPLOAD = PARAMETERS + (ASK_BUFFER + ACK) + TEMPLATE + (ASK_BUFFER + ACK) + TEMPLATE
PAGE = wire_bytes(4) + ACK  #: recall one page
#: into the flash: sent and read back as before, stored, recalled, read back from there
KEEP = UPLOAD + 2 * PAGE + (ASK_BUFFER + ACK) + TEMPLATE
DECISION = (ASK_BUFFER + ACK) + (ASK + wire_bytes(3))  #: convert, compare


async def remember(work: WorkTimes, rounds: int) -> tuple[list[float], list[float]]:
    """Seconds to (keep one template, recall it) per round."""
    keeps, recalls = [], []
    with VirtualZfm(timed=True, baud=BAUD, work=work) as twin:
        reader = ZfmReader({"port": twin.port, "baud": BAUD})
        await reader.open()
        try:
            for n in range(rounds):
                template = make_template("alice", n)
                await reader.keep([])
                started = time.monotonic()
                await reader.keep([template])
                kept = time.monotonic()
                await reader.load([make_template("bob", n)])
                sent = time.monotonic()
                await reader.load([template])
                recalls.append(time.monotonic() - sent)
                keeps.append(kept - started)
                await reader.clear()
        finally:
            await reader.close()
    return keeps, recalls


async def measure(work: WorkTimes, rounds: int) -> tuple[list[float], list[float], list[float]]:
    """Seconds of (upload, image ready → decision, finger laid → decision) per round."""
    uploads, decisions, whole = [], [], []
    with VirtualZfm(timed=True, baud=BAUD, work=work) as twin:
        reader = ZfmReader({"port": twin.port, "baud": BAUD})
        await reader.open()
        try:
            for n in range(rounds):
                started = time.monotonic()
                await reader.load([make_template("alice", n)])
                uploads.append(time.monotonic() - started)
                waiting = asyncio.create_task(reader.verify())
                await asyncio.sleep(0.05 + 0.013 * (n % 8))  # a finger comes at any moment
                laid = time.monotonic()
                twin.put_finger("alice")
                result = await waiting
                decided = time.monotonic()
                if not result.matched:
                    raise SystemExit("the twin did not match its own finger")
                decisions.append(decided - result.image_ready_s)
                whole.append(decided - laid)
                twin.lift_finger()
                await reader.wait_lifted()
        finally:
            await reader.close()
    return uploads, decisions, whole


def ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f}"


def add(table: Table, name: str, count: int, work_s: float, seconds: list[float]) -> None:
    wire_s = wire_seconds(count, BAUD)
    median = statistics.median(seconds)
    over = ms(median - wire_s - work_s)
    table.add_row(name, str(count), ms(wire_s), ms(work_s), ms(median), ms(max(seconds)), over)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=given.whole(1), default=20)
    rounds = arguments.parse_args().rounds
    table = Table(title=f"fingerprint reader, timed twin, {BAUD} baud, {rounds} rounds, ms")
    for column in ("step", "bytes", "wire", "module's work", "median", "max", "over"):
        table.add_column(column, justify="left" if column == "step" else "right")
    for label, work in (("no module work", NO_WORK), ("assumed module work", WorkTimes())):
        uploads, decisions, whole = asyncio.run(measure(work, rounds))
        work_s = work.convert_s + work.compare_s
        add(table, f"template sent and read back, {label}", UPLOAD, 0.0, uploads)
        keeps, recalls = asyncio.run(remember(work, rounds))
        add(table, f"template into the module's flash, {label}", KEEP, work.flash_s, keeps)
        add(table, f"template recalled from there, {label}", PAGE, 0.0, recalls)
        add(table, f"image ready → decision, {label}", DECISION, work_s, decisions)
        capture = DECISION + ASK + ACK
        add(table, f"finger laid → decision, {label}", capture, work_s + work.capture_s, whole)
    console = Console(width=110)
    console.print(table)
    bare = ms(wire_seconds(TEMPLATE, BAUD))
    console.print(f"bare wire time of a {TEMPLATE_BYTES}-byte template, one way: {bare} ms")


if __name__ == "__main__":
    main()
