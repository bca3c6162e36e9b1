"""An identity-card reader with a SAM module on a serial line.

One thread owns the port; each exchange is bounded. A card is reported once until it is lifted,
and so is the news that it cannot be read. Personal data pass through, neither kept nor logged;
what stays is a keyed hash that tells whether another card lies there now.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import secrets
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import serial

from drivers import link
from drivers.contracts import DeviceInfo, IdCard, Options
from drivers.errors import DeviceFault, FaultCode, Retry, RetryReason
from drivers.idcard.codec import Answer, Command, Parser, parse_answer
from drivers.idcard.codec import request as encode
from drivers.idcard.status import Means, Status, explain
from drivers.idcard.text import UnknownKind, card_from_read

ROLE = "id_card"
ANSWER_S = 0.5  #: longest wait for a short answer
READ_S = 2.0  #: longest wait for the card's content: modules take up to about a second
POLL_S = 0.2
LIFTED_AFTER = 2  #: looks without a card that mean it was lifted, not just moved
ATTEMPTS = 2  #: lost answers in a row that are a fault: silence is reported within about 1 s

T = TypeVar("T")

#: What a status of SELECT or READ means for the person. The rest is a fault of the reader.
_RETRIES = {
    Means.NO_CARD: RetryReason.CARD_REMOVED,
    Means.UNREADABLE: RetryReason.CARD_UNREADABLE,
    Means.NOT_TRUSTED: RetryReason.CARD_NOT_TRUSTED,
    Means.OTHER_CARD: RetryReason.CARD_OTHER,
    Means.LINE: RetryReason.CARD_UNREADABLE,
}


class SamReader:
    """`options` is the device's section of config.yaml."""

    def __init__(self, options: Options) -> None:
        self._port = str(options["port"])
        self._baud = int(options["baud"])
        self._serial: serial.Serial | None = None
        self._thread: ThreadPoolExecutor | None = None
        self._stop = threading.Event()
        self._parser = Parser()
        self._hash_key = secrets.token_bytes(16)
        self._reported: bytes | None = None  #: the card that lies there: its hash
        self._reported_s = 0.0
        self._again = False  #: it is to be read once more
        self._complained = False  #: that the card that lies there cannot be read
        self._missed = 0  #: looks in a row without a card

    # --- the contract -------------------------------------------------------------------------

    async def open(self) -> DeviceInfo:
        await self.close()
        self._stop.clear()
        self._forget_card()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=ROLE)
        try:
            return await self._run(self._open)
        except BaseException:
            await self.close()
            raise

    async def identify(self) -> None:
        await self.open()  # which asks for the module's state and no more
        await self.close()

    async def close(self) -> None:
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._stop.set()
        thread.submit(self._close)
        await asyncio.to_thread(thread.shutdown)

    async def check(self) -> None:
        await self._run(lambda: self._ask(Command.STATUS))

    async def next_card(self) -> IdCard:
        while True:
            card = await self._run(self._look)
            if card is not None:
                # only now: a cancelled call has not reported anything
                self._reported, self._reported_s = self._hash(card), time.monotonic()
                return card
            await asyncio.sleep(POLL_S)

    @property
    def lying_s(self) -> float | None:
        return None if self._reported is None else time.monotonic() - self._reported_s

    def look_again(self) -> None:
        self._again = self._reported is not None

    def _hash(self, card: IdCard) -> bytes:
        return hashlib.blake2b(card.number.encode(), key=self._hash_key, digest_size=16).digest()

    async def _run(self, work: Callable[[], T]) -> T:
        if self._thread is None:
            raise DeviceFault(ROLE, FaultCode.UNPLUGGED, f"{self._port}: not open")
        return await asyncio.wrap_future(self._thread.submit(work))

    # --- in the thread --------------------------------------------------------------------------

    def _open(self) -> DeviceInfo:
        self._serial = link.open_serial(ROLE, self._port, self._baud)
        try:
            answer = self._ask(Command.STATUS)
            if not _of_module(answer):  # a late answer to what was asked before it was closed?
                answer = self._ask(Command.STATUS)
            if answer.status is not Status.OK:
                code = FaultCode.REFUSED if _of_module(answer) else FaultCode.WRONG_DEVICE
                raise DeviceFault(ROLE, code, explain(answer.sw))
        except DeviceFault:
            self._close()
            raise
        return DeviceInfo(ROLE, "sam", self._port, "SAM identity-card reader")

    def _close(self) -> None:
        port, self._serial = self._serial, None
        if port is not None:
            with contextlib.suppress(*link.PORT_ERRORS):
                port.close()

    def _look(self) -> IdCard | None:
        """One look: a card not yet reported, read; or None."""
        answer = self._ask(Command.FIND)
        if answer.status is Status.NOT_FOUND:
            self._missed += 1
            if self._missed >= LIFTED_AFTER:
                self._forget_card()
            return None
        if answer.status is not Status.FOUND:
            self._missed = 0
            self._complain(answer)
            return None
        self._missed = 0
        if self._reported is not None and not self._again:
            return None
        try:
            card = self._read()
        except Retry as retry:
            if self._reported is None:  # who was read already need not be asked again
                self._tell_once(retry)
            return None
        self._again = False
        return None if self._hash(card) == self._reported else card

    def _complain(self, answer: Answer) -> None:
        """FIND failed otherwise than by finding nothing: a card of another type lies there, or
        the module is not well."""
        if answer.status is not None and answer.status.means is Means.OTHER_CARD:
            self._tell_once(Retry(RetryReason.CARD_OTHER))
            return
        raise DeviceFault(ROLE, FaultCode.REFUSED, explain(answer.sw))

    def _tell_once(self, retry: Retry) -> None:
        if self._complained:
            return  # it may still be readable at a later look
        self._complained = True
        raise retry

    def _forget_card(self) -> None:
        self._reported = None
        self._again = self._complained = False
        self._missed = 0

    def _read(self) -> IdCard:
        """The card just found. A content damaged on its way is asked for again."""
        for attempt in range(ATTEMPTS):
            if attempt and self._ask(Command.FIND).status is not Status.FOUND:
                break  # some modules find a card once: it must be laid on anew
            _expect_ok(self._ask(Command.SELECT))
            try:
                answer = self._ask_once(Command.READ, READ_S)
            except DeviceFault as fault:
                if fault.code is not FaultCode.NO_ANSWER:
                    raise
                self._ask(Command.STATUS)  # lost on the line, or is the reader itself gone?
                continue
            if answer.status is not None and answer.status.means is Means.LINE:
                continue
            _expect_ok(answer)
            try:
                return card_from_read(answer.data)
            except UnknownKind:
                unknown = True  # or damaged just there: the second reading tells
            except ValueError:
                unknown = False
            if attempt == ATTEMPTS - 1 and unknown:
                raise Retry(RetryReason.CARD_OTHER)
        raise Retry(RetryReason.CARD_UNREADABLE)

    # --- exchanges ------------------------------------------------------------------------------

    def _ask(self, command: Command) -> Answer:
        """A short question, asked again when it or its answer was lost or damaged on the line.

        Raises `DeviceFault` NO_ANSWER, GARBLED or UNPLUGGED.
        """
        code = FaultCode.NO_ANSWER
        for _ in range(ATTEMPTS):
            try:
                answer = self._ask_once(command, ANSWER_S)
            except DeviceFault as fault:
                if fault.code is not FaultCode.NO_ANSWER:
                    raise
                continue
            if answer.status is None or answer.status.means is not Means.LINE:
                return answer
            code = FaultCode.GARBLED
        raise DeviceFault(ROLE, code, f"{self._port}: {command.name}")

    def _ask_once(self, command: Command, timeout_s: float) -> Answer:
        """One exchange. Raises `DeviceFault` NO_ANSWER or UNPLUGGED."""
        port = self._serial
        if port is None:
            raise DeviceFault(ROLE, FaultCode.UNPLUGGED, f"{self._port}: not open")
        self._parser.reset()
        end_s = time.monotonic() + timeout_s
        try:
            port.reset_input_buffer()  # a late answer to an earlier question is not ours
            port.write(encode(command))
            while time.monotonic() < end_s and not self._stop.is_set():
                for content in self._parser.feed(_available(port)):
                    if (answer := parse_answer(content)) is not None:
                        return answer
        except link.PORT_ERRORS as error:  # the port vanished under the library
            raise DeviceFault(ROLE, FaultCode.UNPLUGGED, self._port) from error
        raise DeviceFault(ROLE, FaultCode.NO_ANSWER, f"{self._port}: {command.name}")


def _of_module(answer: Answer) -> bool:
    """Whether it says how the module is, and nothing of a card."""
    status = answer.status
    return status is Status.OK or (status is not None and status.means is Means.MODULE)


def _available(port: serial.Serial) -> bytes:
    """What has come; waits for a first byte as long as the port's own timeout."""
    data: bytes = port.read(max(1, port.in_waiting))
    return data


def _expect_ok(answer: Answer) -> None:
    """Of SELECT and READ: what else is the person's to mend is a `Retry`, the rest a fault."""
    status = answer.status
    if status is Status.OK:
        return
    if status is not None and status.means in _RETRIES:
        raise Retry(_RETRIES[status.means])
    raise DeviceFault(ROLE, FaultCode.REFUSED, explain(answer.sw))
