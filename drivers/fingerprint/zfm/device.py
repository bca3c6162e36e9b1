"""The fingerprint reader of the lane: pyfingerprint in one thread, behind an asyncio face.

Owns the thread, the port and what lies in the module's buffers; must not know candidates,
sessions or screens. No template, image or frame ever reaches a log or an exception.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from pyfingerprint.pyfingerprint import PyFingerprint

from drivers import link
from drivers.contracts import DeviceInfo, FingerResult, Options
from drivers.errors import DeviceFault, FaultCode, Retry, RetryReason
from drivers.fingerprint.zfm.channel import ROLE, Aborted, Channel, Limits
from drivers.fingerprint.zfm.codec import BROADCAST, PACKET_SIZES, TEMPLATE_BYTES, Confirm

T = TypeVar("T")

LIVE_BUFFER, ROSTER_BUFFER = 1, 2  #: the module's two character buffers
_TRIES = 3
_TRANSIENT = {FaultCode.NO_ANSWER, FaultCode.GARBLED}

_RETRIES: dict[int, RetryReason] = {
    Confirm.NO_FINGER: RetryReason.FINGER_LIFTED,
    Confirm.IMAGE_FAILED: RetryReason.FINGER_LIFTED,
    Confirm.NO_IMAGE: RetryReason.FINGER_LIFTED,
    Confirm.TOO_DRY: RetryReason.TOO_DRY,
    Confirm.TOO_WET: RetryReason.TOO_WET,
    Confirm.SMEARED: RetryReason.SMEARED,
    Confirm.TOO_FEW_FEATURES: RetryReason.TOO_FEW_FEATURES,
}
_FAULTS: dict[int, FaultCode] = {
    Confirm.OK: FaultCode.GARBLED,
    Confirm.PACKET_ERROR: FaultCode.GARBLED,
    Confirm.UPLOAD_FAILED: FaultCode.GARBLED,
    Confirm.DOWNLOAD_FAILED: FaultCode.GARBLED,
    Confirm.WRONG_PASSWORD: FaultCode.WRONG_PASSWORD,
    Confirm.WRONG_ADDRESS: FaultCode.WRONG_DEVICE,
}


class _Library(PyFingerprint):  # type: ignore[misc]
    """pyfingerprint on our bounded channel; its own constructor would open an unbounded port."""

    def __init__(self, channel: Channel, address: int, password: int) -> None:
        self._PyFingerprint__address = address
        self._PyFingerprint__password = password
        self._PyFingerprint__serial = channel


class _LoginNeeded(DeviceFault):
    """The module asks for its password again: it was restarted and its buffers are empty."""

    def __init__(self) -> None:
        super().__init__(ROLE, FaultCode.WRONG_PASSWORD, "password asked for again")


class ZfmReader:
    """`drivers.contracts.FingerprintReader` for ZFM-20, R30x and AS608 modules.

    Options: `port`; `baud` (57600), `address` (0xFFFFFFFF), `password` (0) and `min_score`
    (50: a lower score is no match).

    Bounds: one library call takes at most 1.5 s (`Limits.call_s`), a template sent and read
    back 2.5 s (`Limits.upload_s`); a call that follows a fault or a cancelled one first takes
    at most 1.3 s to resynchronise. A call that met noise or silence is repeated, twice at
    most, while the module still answers the resync; so a module that falls silent is a
    `DeviceFault` after at most 2.8 s. All calls run one after another in one thread.
    """

    def __init__(
        self, options: Options, *, limits: Limits | None = None, poll_s: float = 0.07
    ) -> None:
        self._port = str(options["port"])
        self._baud = int(options.get("baud", 57600))
        self._address = int(options.get("address", BROADCAST))
        self._password = int(options.get("password", 0))
        self._min_score = int(options.get("min_score", 50))
        self._limits = limits or Limits()
        self._poll_s = poll_s
        self._thread: ThreadPoolExecutor | None = None
        self._channel: Channel | None = None
        self._library: _Library | None = None
        self._templates: tuple[bytes, ...] = ()
        self._in_buffer: bytes | None = None  # what ROSTER_BUFFER is known to hold

    # --- the contract -----------------------------------------------------------------------

    async def open(self) -> DeviceInfo:
        """Open the port, log in, read the module's parameters (which are left as they are).

        Templates loaded before a reconnect are sent again by the next `verify`.
        """
        await self.close()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="fingerprint")
        try:
            return await self._run(self._open)
        except BaseException:
            await asyncio.shield(self.close())
            raise

    async def close(self) -> None:
        thread, self._thread = self._thread, None
        if thread is None:
            return
        await asyncio.wrap_future(thread.submit(self._close))
        thread.shutdown(cancel_futures=True)

    async def check(self) -> None:
        """Ask for the module's parameters (40 bytes on the wire)."""
        await self._run(lambda: self._surely(lambda: self._ask("getSystemParameters")))

    async def load(self, templates: Sequence[bytes]) -> None:
        """Keep the templates and send the first ahead of the finger, unless it is there already.

        Raises ValueError unless there is at least one and each has 512 bytes.
        """
        wanted = tuple(bytes(t) for t in templates)
        if not wanted or any(len(t) != TEMPLATE_BYTES for t in wanted):
            raise ValueError(f"need one or more templates of {TEMPLATE_BYTES} bytes")
        await self._run(lambda: self._load(wanted))

    async def verify(self) -> FingerResult:
        """As in the contract. Between two polls other calls (`check`) get their turn.

        Capture, conversion and comparison are one unit: when noise hits one of them all are
        done again from a new capture. Raises RuntimeError when nothing was loaded.
        """
        while True:
            result = await self._run(lambda: self._surely(self._attempt))
            if result is not None:
                return result
            await asyncio.sleep(self._poll_s)

    async def capture(self) -> bytes:
        """Wait for a finger and give its template (512 bytes), as the module makes it from one
        image. Raises `Retry` and `DeviceFault` as `verify` does. Personal data: never log."""
        while True:
            template = await self._run(lambda: self._surely(self._capture))
            if template is not None:
                return template
            await asyncio.sleep(self._poll_s)

    async def wait_lifted(self) -> None:
        while True:
            if not await self._run(lambda: self._surely(self._finger_present)):
                return
            await asyncio.sleep(self._poll_s)

    async def clear(self) -> None:
        await self._run(self._forget)

    # --- from the event loop into the thread --------------------------------------------------

    async def _run(self, work: Callable[[], T]) -> T:
        """Run `work` in the reader's thread; a cancelled caller frees the thread at once."""
        if self._thread is None:
            raise DeviceFault(ROLE, FaultCode.UNPLUGGED, "not open")
        abort = threading.Event()

        def job() -> T:
            if self._channel is not None:
                self._channel.abort = abort
            return work()

        try:
            return await asyncio.wrap_future(self._thread.submit(job))
        except asyncio.CancelledError:
            abort.set()
            raise

    # --- in the thread --------------------------------------------------------------------------

    def _open(self) -> DeviceInfo:
        self._in_buffer = None
        port = link.open_serial(ROLE, self._port, self._baud)
        self._channel = Channel(port, self._address, self._limits)
        self._library = _Library(self._channel, self._address, self._password)
        self._channel.distrust()  # an earlier user may have left half an exchange behind
        self._surely(self._login)
        parameters = self._surely(lambda: self._ask("getSystemParameters"))
        _, system_id, capacity, security, address, size_code, baud_code = parameters
        if size_code >= len(PACKET_SIZES):
            raise DeviceFault(ROLE, FaultCode.WRONG_DEVICE, f"packet size code {size_code}")
        facts = {
            "capacity": str(capacity),
            "security_level": str(security),
            "packet_bytes": str(PACKET_SIZES[size_code]),
            "baud": str(baud_code * 9600),
            "address": f"0x{address:08X}",
            "system_id": f"0x{system_id:04X}",
        }
        return DeviceInfo(ROLE, "zfm", self._port, "ZFM-20 family", facts)

    def _close(self) -> None:
        channel, self._channel, self._library = self._channel, None, None
        self._in_buffer = None
        if channel is not None:
            channel.close()

    def _login(self) -> None:
        if not self._ask("verifyPassword"):
            raise DeviceFault(ROLE, FaultCode.WRONG_PASSWORD)

    def _load(self, wanted: tuple[bytes, ...]) -> None:
        self._templates = wanted
        self._surely(lambda: self._send(wanted[0]))

    def _forget(self) -> None:
        self._templates = ()
        self._in_buffer = None

    def _send(self, template: bytes) -> None:
        """Make ROSTER_BUFFER hold `template`; the library reads it back and compares."""
        if self._in_buffer == template:
            return
        self._in_buffer = None
        sent = self._ask(
            "uploadCharacteristics", ROSTER_BUFFER, list(template), bound_s=self._limits.upload_s
        )
        if not sent:
            raise self._distrusted("template read back differs")
        self._in_buffer = template

    def _finger_present(self) -> bool:
        try:
            return bool(self._ask("readImage"))
        except Retry:
            return True  # an image that failed is still of something on the glass

    def _attempt(self) -> FingerResult | None:
        """One poll; None while there is no finger."""
        if not self._templates:
            raise RuntimeError("verify before load")
        self._send(self._templates[0])
        if not self._ask("readImage"):
            return None
        image_ready_s = time.monotonic()
        self._ask("convertImage", LIVE_BUFFER)
        best, best_index = 0, 0
        for index, template in enumerate(self._templates):
            self._send(template)
            score = self._ask("compareCharacteristics")
            if score > best:
                best, best_index = score, index
            if best >= self._min_score:
                return FingerResult(True, best, best_index, image_ready_s)
        self._in_buffer = None  # sent anew next time: a module that lost its memory recovers
        return FingerResult(False, best, best_index, image_ready_s)

    def _capture(self) -> bytes | None:
        if not self._ask("readImage"):
            return None
        self._ask("convertImage", LIVE_BUFFER)
        template = self._ask(
            "downloadCharacteristics", LIVE_BUFFER, bound_s=self._limits.upload_s
        )
        if len(template) != TEMPLATE_BYTES:
            raise self._distrusted(f"template of {len(template)} bytes")
        return bytes(template)

    def _surely(self, step: Callable[[], T]) -> T:
        """Do `step` again after noise or silence, while the module still answers a resync."""
        for left in reversed(range(_TRIES)):
            try:
                return step()
            except _LoginNeeded:
                self._in_buffer = None
                if not left:
                    raise
                self._login()
            except DeviceFault as fault:
                self._in_buffer = None
                lost = self._channel is None or self._channel.lost
                if fault.code not in _TRANSIENT or lost or not left:
                    raise
        raise AssertionError("unreachable")

    def _ask(self, method: str, *arguments: object, bound_s: float | None = None) -> Any:
        """One library call; its bare exceptions become `Retry` or `DeviceFault` here."""
        if self._channel is None:
            raise DeviceFault(ROLE, FaultCode.UNPLUGGED, "not open")
        self._channel.begin(self._limits.call_s if bound_s is None else bound_s)
        try:
            return getattr(self._library, method)(*arguments)
        except (DeviceFault, Aborted):
            raise
        except Exception as error:  # the library raises nothing more precise
            raise self._meaning(self._channel.confirmation) from error

    def _meaning(self, confirmation: int | None) -> Exception:
        if confirmation in _RETRIES:
            return Retry(_RETRIES[confirmation])
        if confirmation == Confirm.PASSWORD_NEEDED:
            return _LoginNeeded()
        code = FaultCode.GARBLED if confirmation is None else _FAULTS.get(confirmation)
        if code is FaultCode.GARBLED:
            return self._distrusted(f"confirmation {confirmation}")
        return DeviceFault(ROLE, code or FaultCode.REFUSED, f"confirmation {confirmation}")

    def _distrusted(self, detail: str) -> DeviceFault:
        if self._channel is not None:
            self._channel.distrust()
        return DeviceFault(ROLE, FaultCode.GARBLED, detail)
