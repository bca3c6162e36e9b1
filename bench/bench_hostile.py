"""Every serial driver over hostile links: does it hang, crash, unlock unasked, and recover?

Run: python bench/bench_hostile.py [--count N] [--driver NAME] [--jobs N]. Each driver, on each
link, does N transactions with its virtual twin: mostly a short question, every tenth (cards:
twentieth) an unlock, a template sent and compared, a card read. Answers are waited for a fraction
of the time in service, so that thousands of lost ones can be tried; with --jobs several processes
share them. Exit code 1: an invariant broke (docs/hostile-links.md).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import multiprocessing
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import given
from rich.console import Console
from rich.table import Table

from drivers.contracts import IdCard
from drivers.errors import DeviceFault, Retry
from drivers.fingerprint.zfm import channel
from drivers.fingerprint.zfm.channel import Limits
from drivers.fingerprint.zfm.device import ZfmReader
from drivers.fingerprint.zfm.virtual import VirtualZfm, make_template
from drivers.idcard import device as idcard
from drivers.idcard.virtual import VirtualSamReader
from drivers.link import Link, VirtualDevice
from drivers.scanner.device import SerialScanner
from drivers.scanner.virtual import VirtualScanner
from drivers.turnstile.modbus import bus
from drivers.turnstile.modbus.device import ModbusTurnstile
from drivers.turnstile.modbus.virtual import VirtualTurnstile
from drivers.turnstile.osdp import panel
from drivers.turnstile.osdp.device import OsdpTurnstile
from drivers.turnstile.osdp.virtual import VirtualOsdp
from drivers.turnstile.usb_relay.device import UsbRelayTurnstile
from drivers.turnstile.usb_relay.virtual import VirtualUsbRelay
from kiosk.core.idnumber import check_character
from kiosk.core.number import NumberProblem, read

LINKS: dict[str, dict[str, Any]] = {
    "perfect": {},
    "one byte at a time": {"chunk": 1},
    "1 % lost": {"loss": 0.01},
    "10 % lost": {"loss": 0.1},
    "1 % duplicated": {"duplicate": 0.01},
    "1 % flipped": {"flip": 0.01},
    "delay near the limit": {"delay_s": 0.9},  # of the answer's time
    "unplugged in mid-frame": {"chunk": 1},
    "babbling": {"babble": 0.2},
}
DECIDES = ("number", "birth_date", "sex", "valid_from", "valid_to")  #: of a card
UNPLUG_EVERY = 25  #: transactions
SHARE = 500  #: transactions of one process
RECOVERY_S = 5.0  #: after the link is good again
WANG = IdCard("王小明", "男", "汉", "19610804", "烟台", "37060219610804301X", "烟台市公安局",
              "20200101", "长期")  # fmt: skip


@dataclass
class Result:
    """What happened on one link."""

    done: int = 0
    faults: int = 0
    asked: int = 0  #: unlocks
    worst_s: float = 0.0
    recovered_s: float = 0.0
    altered: int = 0  #: cards read with another name, address or issuer; codes that are others
    plausible: int = 0  #: of these codes, those that have the form of a number
    missed: int = 0  #: codes that did not come
    broken: list[str] = field(default_factory=list)


class Subject:
    """One driver with its twin. `answer_s`: how long it waits for an answer here; `bound_s`: no
    transaction, with opening anew, may take longer."""

    answer_s = 0.025
    bound_s = 3.0
    twin: VirtualDevice
    device: Any

    async def transact(self, n: int, result: Result) -> None:
        raise NotImplementedError

    def check(self, result: Result) -> None:
        """What must hold at any moment."""


class Modbus(Subject):
    def __init__(self, folder: Path) -> None:
        bus.ANSWER_S = self.answer_s
        self.twin = VirtualTurnstile(folder / "modbus")
        self.device = ModbusTurnstile(
            {"port": self.twin.port, "baud": 115200, "unit": 1, "pulse_ms": 100, "clear_s": 1.0}
        )

    async def transact(self, n: int, result: Result) -> None:
        if n % 10:
            await self.device.inputs()
        else:
            result.asked += 1
            await self.device.unlock(0.05)

    def check(self, result: Result) -> None:
        assert isinstance(self.twin, VirtualTurnstile)
        told, pulled = self.twin.unlock_writes, self.twin.pulses
        if not pulled <= told <= result.asked:
            result.broken.append(f"{told} unlocks heard, {pulled} pulls, {result.asked} asked")


class Osdp(Subject):
    answer_s = 0.06

    def __init__(self, folder: Path) -> None:
        panel.ANSWER_S = self.answer_s
        self.twin = VirtualOsdp.keyed(folder / "osdp", folder / "key")
        self.device = OsdpTurnstile(
            {"port": self.twin.port, "baud": 115200, "key_file": folder / "key",
             "pulse_ms": 100, "clear_s": 1.0}
        )  # fmt: skip

    async def transact(self, n: int, result: Result) -> None:
        if n % 10:
            await self.device.inputs()
        else:
            result.asked += 1
            await self.device.unlock(0.05)

    def check(self, result: Result) -> None:
        assert isinstance(self.twin, VirtualOsdp)
        told, pulled = self.twin.unlock_writes, self.twin.pulses
        if not pulled <= told <= result.asked:
            result.broken.append(f"{told} unlocks heard, {pulled} pulls, {result.asked} asked")


class Relay(Subject):
    def __init__(self, folder: Path) -> None:
        self.twin = VirtualUsbRelay(folder / "relay")
        self.device = UsbRelayTurnstile({"port": self.twin.port, "pulse_ms": 10})

    async def transact(self, n: int, result: Result) -> None:
        if n % 10:
            await self.device.release(False)
        else:
            result.asked += 1
            await self.device.unlock(0.02)

    def check(self, result: Result) -> None:
        assert isinstance(self.twin, VirtualUsbRelay)
        told, pulled = self.twin.unlock_writes, self.twin.pulses
        # a duplicated frame is heard twice and pulls once
        if pulled > result.asked:
            result.broken.append(f"{told} unlocks heard, {pulled} pulls, {result.asked} asked")


class Finger(Subject):
    """Every tenth transaction compares a finger, with a template that the module's memory holds or
    that is sent; every hundredth fills that memory (before it was opened anew, it was empty)."""

    answer_s = 0.05
    #: two templates kept, three tries each: 6 x (2 x 1.2 + 3 x 0.12 + 0.24); with opening anew
    bound_s = 21.0

    def __init__(self, folder: Path) -> None:
        self.twin = VirtualZfm(folder / "finger")
        # a template a byte at a time takes a third of a second: its bound is not cut as much
        limits = Limits(call_s=0.12, upload_s=1.2, gap_s=0.03, drain_s=0.06, fence_s=0.06)
        channel._SLICE_S = 0.005
        self.device = ZfmReader({"port": self.twin.port}, limits=limits, poll_s=0.001)
        self._templates = [make_template("anna/thumb", 1), make_template("bert/thumb", 1)]

    async def transact(self, n: int, result: Result) -> None:
        assert isinstance(self.twin, VirtualZfm)
        if n % 100 == 0:
            await self.device.clear()
            await self.device.keep(self._templates)
        elif n % 10:
            await self.device.check()
        else:
            await self._compare(n % 20 == 0, result)

    async def _compare(self, anna: bool, result: Result) -> None:
        self.twin.put_finger("anna/thumb")
        await self.device.load([self._templates[0 if anna else 1]])
        found = await self.device.verify()
        if found.matched and not anna:
            result.broken.append("a finger matched another's template")


class Card(Subject):
    def __init__(self, folder: Path) -> None:
        self.twin = VirtualSamReader(folder / "card")
        idcard.ANSWER_S = self.answer_s
        idcard.READ_S = 1.0  # a card a byte at a time takes most of a second
        self.device = idcard.SamReader({"port": self.twin.port, "baud": 115200})

    async def transact(self, n: int, result: Result) -> None:
        await self.device.check()
        if n % 20 == 0:
            assert isinstance(self.twin, VirtualSamReader)
            self.twin.lay_card(WANG)
            try:
                async with asyncio.timeout(1.5):
                    card = await self.device.next_card()
                # the line's XOR misses errors that cancel out; what decides about somebody is
                # held to its own check, a name is compared with the roster's
                if any(getattr(card, part) != getattr(WANG, part) for part in DECIDES):
                    result.broken.append("a card was read with another number, day or sex")
                elif card != WANG:
                    result.altered += 1
            except TimeoutError:
                pass
            finally:
                self.twin.lift_card()


class Scan(Subject):
    """Each transaction holds another identity number before the scanner. Its line has no check of
    its own, so what comes out altered is counted, and how much of it looks like a number: a claim
    is never trusted alone."""

    def __init__(self, folder: Path) -> None:
        self._held: deque[str] = deque(maxlen=5)
        self.twin = VirtualScanner(folder / "scanner")
        self.device = SerialScanner({"port": self.twin.port, "baud": 115200})

    async def transact(self, n: int, result: Result) -> None:
        assert isinstance(self.twin, VirtualScanner)
        first17 = f"370602{19500101 + n % 28}{n % 1000:03d}"
        number = first17 + check_character(first17)
        self._held.append(number)
        self.twin.hold(number)
        try:
            async with asyncio.timeout(0.4):
                while (code := await self.device.next_code()) != number:
                    if code in self._held:
                        continue  # the slip before, late: here they change every few milliseconds
                    result.altered += 1
                    result.plausible += not isinstance(read(code, {13}), NumberProblem)
        except TimeoutError:
            result.missed += 1


SUBJECTS: dict[str, Callable[[Path], Subject]] = {
    "modbus": Modbus, "osdp": Osdp, "usb_relay": Relay, "zfm": Finger, "sam": Card,
    "scanner": Scan,
}  # fmt: skip


async def ensure_open(device: Any) -> None:
    with contextlib.suppress(DeviceFault):
        await device.open()


async def play(subject: Subject, link: str, first: int, count: int) -> Result:
    result = Result()
    options = dict(LINKS[link])
    if "delay_s" in options:
        options["delay_s"] *= subject.answer_s
    await ensure_open(subject.device)
    subject.twin.link = Link(seed=7 + first, **options)
    for n in range(first, first + count):
        if link == "unplugged in mid-frame" and n % UNPLUG_EVERY == UNPLUG_EVERY - 1:
            asyncio.get_running_loop().call_later(0.002, _pull, subject.twin)
        await transaction(subject, n, result)
        subject.check(result)
    subject.twin.replug()
    subject.twin.link = Link()
    result.recovered_s = await recovery(subject, result)
    await subject.device.close()
    return result


def _pull(twin: VirtualDevice) -> None:
    twin.unplug()
    asyncio.get_running_loop().call_later(0.01, twin.replug)


async def transaction(subject: Subject, n: int, result: Result) -> None:
    begun_s = time.monotonic()
    try:
        async with asyncio.timeout(1.5 * subject.bound_s):
            await subject.transact(n, result)
        result.done += 1
    except Retry:
        result.done += 1
    except DeviceFault:
        result.faults += 1
        await ensure_open(subject.device)
    except TimeoutError:
        result.broken.append(f"transaction {n} hung")
        await ensure_open(subject.device)
    took_s = time.monotonic() - begun_s
    result.worst_s = max(result.worst_s, took_s)
    if took_s > subject.bound_s:
        result.broken.append(f"transaction {n} took {took_s:.1f} s")


async def recovery(subject: Subject, result: Result) -> float:
    """Seconds until five transactions in a row go well, on a good link."""
    begun_s, good, n = time.monotonic(), 0, 1
    while good < 5:
        if time.monotonic() - begun_s > RECOVERY_S:
            result.broken.append("did not recover")
            break
        try:
            missed = result.missed
            await subject.transact(n, result)
            good = good + 1 if result.missed == missed else 0
        except (DeviceFault, Retry):
            good = 0
            await ensure_open(subject.device)
        n += 2
    return time.monotonic() - begun_s


def run(name: str, link: str, first: int, count: int) -> Result:
    """Transactions `first` … of one driver on one link; in a process of its own or not."""
    with tempfile.TemporaryDirectory() as folder:
        subject = SUBJECTS[name](Path(folder))
        with subject.twin:
            return asyncio.run(play(subject, link, first, count))


def together(parts: list[Result]) -> Result:
    """The sum of what the processes saw, and the worst of it."""
    return Result(
        done=sum(p.done for p in parts),
        faults=sum(p.faults for p in parts),
        asked=sum(p.asked for p in parts),
        worst_s=max(p.worst_s for p in parts),
        recovered_s=max(p.recovered_s for p in parts),
        altered=sum(p.altered for p in parts),
        plausible=sum(p.plausible for p in parts),
        missed=sum(p.missed for p in parts),
        broken=[said for p in parts for said in p.broken],
    )


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument(
        "--count", type=given.whole(1), default=50, help="transactions on each link"
    )
    arguments.add_argument("--driver", choices=SUBJECTS, default=None)
    arguments.add_argument("--jobs", type=given.whole(1), default=1, help="processes at a time")
    chosen = arguments.parse_args()
    share = chosen.count if chosen.jobs == 1 else min(chosen.count, SHARE)
    firsts = range(0, chosen.count, share)
    table = Table(title=f"{chosen.count} transactions a link")
    for column in ("driver", "link", "done", "faults", "unlocks", "worst s", "recovered s", ""):
        table.add_column(column, justify="left" if column in ("driver", "link", "") else "right")
    broken = False
    names = [chosen.driver] if chosen.driver else list(SUBJECTS)
    with ProcessPoolExecutor(chosen.jobs, multiprocessing.get_context("spawn")) as pool:
        begun = {
            (name, link): [
                pool.submit(run, name, link, first, min(share, chosen.count - first))
                for first in firsts
            ]
            for name in names
            for link in LINKS
        }
        for (name, link), parts in begun.items():
            r = together([part.result() for part in parts])
            broken |= bool(r.broken)
            counts = ((r.altered, "altered"), (r.plausible, "like numbers"), (r.missed, "missed"))
            well = ", ".join(["✓", *(f"{n} {what}" for n, what in counts if n)])
            table.add_row(
                name, link, str(r.done), str(r.faults), str(r.asked or "–"), f"{r.worst_s:.2f}",
                f"{r.recovered_s:.2f}", "; ".join(r.broken[:2]) or well,
            )  # fmt: skip
            said = f"{r.worst_s:.2f} {r.recovered_s:.2f} {r.broken[:2]}"
            print(name, link, r.done, r.faults, said, file=sys.stderr, flush=True)
    Console(width=140).print(table)
    return int(broken)


if __name__ == "__main__":
    sys.exit(main())
