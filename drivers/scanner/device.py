"""A barcode or QR scanner on a serial line (also USB in its virtual COM port mode).

It only ever speaks when a code is held before it: there is no question that every make answers,
so it is taken on trust to be a scanner, and found dead only when its port goes or it babbles.
Codes are personal data: they pass through, neither kept nor logged.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import secrets
import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor

import serial

from drivers import link
from drivers.contracts import DeviceInfo, Options
from drivers.errors import DeviceFault, FaultCode
from drivers.scanner.codec import BadCode, Parser

ROLE = "scanner"
SILENCE_S = 0.1  #: ends a code that has no suffix; between two bytes of one there is much less
SAME_S = 2.0  #: the same code again within this is the same slip, still held there
MOST_BAD = 5  #: in a row: not a slip that is held badly, but a line that is not well
_READ_BYTES = 256


class SerialScanner:
    """`drivers.contracts.Scanner`. `options` is the device's section of config.yaml."""

    def __init__(self, options: Options) -> None:
        self._port = str(options["port"])
        self._baud = int(options["baud"])
        self._serial: serial.Serial | None = None
        self._thread: ThreadPoolExecutor | None = None
        self._stop = threading.Event()
        self._parser = Parser()
        self._found: deque[str] = deque()
        self._heard_s = 0.0
        self._bad = 0
        self._hash_key = secrets.token_bytes(16)
        self._last: tuple[bytes, float] = (b"", float("-inf"))

    # --- the contract -------------------------------------------------------------------------

    async def open(self) -> DeviceInfo:
        await self.close()
        self._stop.clear()
        self._parser.reset()
        self._found.clear()
        self._bad = 0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=ROLE)
        try:
            return await asyncio.wrap_future(self._thread.submit(self._open))
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._stop.set()
        thread.submit(self._close)
        await asyncio.to_thread(thread.shutdown)

    async def check(self) -> None:
        """Is its port there? More cannot be asked of it."""
        if self._serial is None:
            raise DeviceFault(ROLE, FaultCode.UNPLUGGED, f"{self._port}: not open")
        try:
            _ = self._serial.in_waiting
        except link.PORT_ERRORS as error:
            raise link.serial_fault(ROLE, self._port, error) from error

    async def next_code(self) -> str:
        """Wait for a code. The same one, held there still, is told once in two seconds."""
        while True:
            if self._thread is None:
                raise DeviceFault(ROLE, FaultCode.UNPLUGGED, f"{self._port}: not open")
            if not self._found:
                await asyncio.wrap_future(self._thread.submit(self._listen))
            # only now: a cancelled call has taken nothing
            while self._found:
                if not self._is_same(code := self._found.popleft()):
                    return code

    def _is_same(self, code: str) -> bool:
        mark = hashlib.blake2b(code.encode(), key=self._hash_key, digest_size=16).digest()
        now_s = time.monotonic()
        same = mark == self._last[0] and now_s - self._last[1] < SAME_S
        self._last = (mark, now_s)
        return same

    # --- in the thread --------------------------------------------------------------------------

    def _open(self) -> DeviceInfo:
        self._serial = link.open_serial(ROLE, self._port, self._baud)
        self._serial.reset_input_buffer()  # what was held there before anybody listened
        return DeviceInfo(ROLE, "serial", self._port, "serial code scanner")

    def _close(self) -> None:
        port, self._serial = self._serial, None
        if port is not None:
            with contextlib.suppress(*link.PORT_ERRORS):
                port.close()

    def _listen(self) -> None:
        """One read; what it was goes to `_found`."""
        port = self._serial
        if port is None or self._stop.is_set():
            return
        try:
            data = port.read(max(1, min(port.in_waiting, _READ_BYTES)))
        except link.PORT_ERRORS as error:
            raise link.serial_fault(ROLE, self._port, error) from error
        now_s = time.monotonic()
        if data:
            self._heard_s = now_s
            self._take(self._parser.feed(data))
        elif self._parser.pending and now_s - self._heard_s > SILENCE_S:
            self._take(self._parser.flush())

    def _take(self, found: list[str | BadCode]) -> None:
        for one in found:
            if isinstance(one, str):
                self._bad = 0
                self._found.append(one)
                continue
            self._bad += 1
            if self._bad >= MOST_BAD:
                detail = f"{self._bad} in a row that are no code: {one.why}; is the baud right?"
                raise DeviceFault(ROLE, FaultCode.GARBLED, detail)
