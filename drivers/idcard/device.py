"""An identity-card reader with a SAM module on a serial line.

One thread owns the port; each exchange is bounded. A card is reported once until it is lifted.
Personal data pass through and are neither kept nor logged.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import serial

from drivers import link
from drivers.contracts import DeviceInfo, IdCard, Options
from drivers.errors import DeviceFault, FaultCode, Retry, RetryReason
from drivers.idcard.codec import Answer, Command, Parser, Status, card_from_read, parse_answer
from drivers.idcard.codec import request as encode

ROLE = "id_card"
ANSWER_S = 0.8  #: longest wait for a short answer
READ_S = 2.0  #: longest wait for the card's content (1.3 kB take 0.12 s at 115200 baud)
POLL_S = 0.2
LIFTED_AFTER = 2  #: polls without a card that mean it was lifted, not just moved
SILENT_AFTER = 2  #: lost answers in a row that are a fault

T = TypeVar("T")


class SamReader:
    """`options` is the device's section of config.yaml."""

    def __init__(self, options: Options) -> None:
        self._port = str(options["port"])
        self._baud = int(options["baud"])
        self._serial: serial.Serial | None = None
        self._thread: ThreadPoolExecutor | None = None
        self._parser = Parser()
        self._held = False  #: a card that was already reported lies on the reader
        self._missed = 0

    async def open(self) -> DeviceInfo:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=ROLE)
        self._held, self._missed = False, 0
        return await self._run(self._open)

    async def close(self) -> None:
        thread, self._thread = self._thread, None
        if thread is None:
            return
        port, self._serial = self._serial, None
        if port is not None:
            port.close()
        await asyncio.to_thread(thread.shutdown)

    async def check(self) -> None:
        await self._run(lambda: self._ask(Command.STATUS))

    async def next_card(self) -> IdCard:
        while True:
            card = await self._run(self._look)
            if card is not None:
                return card
            await asyncio.sleep(POLL_S)

    async def _run(self, work: Callable[[], T]) -> T:
        if self._thread is None:
            raise DeviceFault(ROLE, FaultCode.UNPLUGGED, self._port)
        return await asyncio.wrap_future(self._thread.submit(work))

    # --- in the thread ------------------------------------------------------------------------------

    def _open(self) -> DeviceInfo:
        self._serial = link.open_serial(ROLE, self._port, self._baud)
        answer = self._patiently(lambda: self._ask(Command.STATUS))
        if answer.status is not Status.OK:
            raise DeviceFault(ROLE, FaultCode.WRONG_DEVICE, f"status {answer.sw.hex()}")
        return DeviceInfo(ROLE, "sam", self._port, "SAM identity-card reader")

    def _look(self) -> IdCard | None:
        """One look: a newly laid card, read; or None."""
        answer = self._patiently(lambda: self._ask(Command.FIND))
        if answer.status is not Status.FOUND:
            self._missed += 1
            if self._missed >= LIFTED_AFTER:
                self._held = False
            return None
        self._missed = 0
        if self._held:
            return None
        if self._ask(Command.SELECT).status is not Status.OK:
            raise Retry(RetryReason.CARD_REMOVED)
        answer = self._ask(Command.READ, READ_S)
        if answer.status is not Status.OK:
            removed = answer.status in (Status.NOT_FOUND, Status.NOT_SELECTED, Status.READ_FAILED)
            reason = RetryReason.CARD_REMOVED if removed else RetryReason.CARD_UNREADABLE
            raise Retry(reason)
        try:
            card = card_from_read(answer.data)
        except ValueError as error:
            raise Retry(RetryReason.CARD_UNREADABLE) from error
        self._held = True
        return card

    def _patiently(self, ask: Callable[[], Answer]) -> Answer:
        """A harmless question may be asked again: one lost byte is not a dead reader."""
        for attempt in range(SILENT_AFTER):
            try:
                return ask()
            except DeviceFault as fault:
                if fault.code is not FaultCode.NO_ANSWER or attempt == SILENT_AFTER - 1:
                    raise
        raise AssertionError("unreachable")

    def _ask(self, command: Command, timeout_s: float = ANSWER_S) -> Answer:
        """One exchange. Raises `DeviceFault` NO_ANSWER or UNPLUGGED."""
        port = self._serial
        if port is None:
            raise DeviceFault(ROLE, FaultCode.UNPLUGGED, self._port)
        self._parser.reset()
        end = time.monotonic() + timeout_s
        try:
            port.reset_input_buffer()  # a late answer to an earlier question is not ours
            port.write(encode(command))
            while time.monotonic() < end:
                for content in self._parser.feed(_available(port)):
                    return parse_answer(content)
        except ValueError as error:
            raise DeviceFault(ROLE, FaultCode.GARBLED, str(error)) from error
        except (OSError, TypeError, AttributeError) as error:  # the port vanished
            raise link.serial_fault(ROLE, self._port, error) from error
        raise DeviceFault(ROLE, FaultCode.NO_ANSWER, f"{self._port}: {command.name}")


def _available(port: Any) -> bytes:
    """What has come; waits for a first byte as long as the port's own timeout."""
    data: bytes = port.read(max(1, port.in_waiting))
    return data
