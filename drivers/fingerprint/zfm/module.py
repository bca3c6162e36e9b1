"""The module behind the reader: pyfingerprint's calls, and what lies in buffers and library.

For one thread. Knows packets' meanings, retries and the module's memory; must not know asyncio,
candidates or sessions. No template, image or frame ever reaches a log or an exception.
"""

from __future__ import annotations

import contextlib
import hashlib
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from pyfingerprint.pyfingerprint import PyFingerprint

from drivers import link
from drivers.contracts import DeviceInfo, FingerResult, Options
from drivers.errors import DeviceFault, FaultCode, Retry, RetryReason
from drivers.fingerprint.zfm.channel import ROLE, Aborted, Channel, Limits
from drivers.fingerprint.zfm.codec import BROADCAST, PACKET_SIZES, TEMPLATE_BYTES, Confirm

T = TypeVar("T")

LIVE_BUFFER, ROSTER_BUFFER = 1, 2  #: the module's two character buffers
#: The makers' own five levels; they state a false accept rate for 3 alone (docs).
SECURITY_LEVELS = {"lowest": 1, "low": 2, "normal": 3, "high": 4, "highest": 5}
_SECURITY_REGISTER = 5

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
        self.capacity = 0

    def getStorageCapacity(self) -> int:
        """As read when it was opened: the library would ask again before every page."""
        return self.capacity


class _LoginNeeded(DeviceFault):
    """The module asks for its password again: it was restarted and its buffers are empty."""

    def __init__(self) -> None:
        super().__init__(ROLE, FaultCode.WRONG_PASSWORD, "password asked for again")


class Module:
    """One module on its port. Options as of `ZfmReader`; every call is bounded by `limits`."""

    def __init__(self, options: Options, limits: Limits) -> None:
        self._port = str(options["port"])
        self._baud = int(options.get("baud", 57600))
        self._address = int(options.get("address", BROADCAST))
        self._password = int(options.get("password", 0))
        self._min_score = int(options.get("min_score", 50))
        self._security = SECURITY_LEVELS.get(str(options.get("security")))
        self._preload = bool(options.get("preload", True))
        self._limits = limits
        self._channel: Channel | None = None
        self._library: _Library | None = None
        self._pages: dict[bytes, int] = {}  # SHA-256 of a template → its page in the flash
        self._writing = False  # a page was begun: it may be in the flash or not
        self._room = 0  # pages that may be used
        self._line_hurt = False  # something was damaged or lost since it was opened
        self._in_buffer: bytes | None = None  # what ROSTER_BUFFER is known to hold
        self.templates: tuple[bytes, ...] = ()  #: of the person being served

    # --- its life ---------------------------------------------------------------------------

    def identify(self) -> None:
        """Only ask who is there, change nothing: this may be another's module, or another device.
        To be closed afterwards."""
        self._log_in()
        self.surely(lambda: self.ask("getSystemParameters"))

    def open(self) -> DeviceInfo:
        library = self._log_in()
        parameters = self.surely(self._secured)
        _, system_id, capacity, security, address, size_code, baud_code = parameters
        if size_code >= len(PACKET_SIZES):
            raise DeviceFault(ROLE, FaultCode.WRONG_DEVICE, f"packet size code {size_code}")
        library.capacity = capacity
        facts = {
            "capacity": str(capacity),
            "library": self._take_library(capacity) if self._preload else "not used",
            "security_level": str(security),
            "min_score": str(self._min_score),
            "packet_bytes": str(PACKET_SIZES[size_code]),
            "baud": str(baud_code * 9600),
            "address": f"0x{address:08X}",
            "system_id": f"0x{system_id:04X}",
        }
        return DeviceInfo(ROLE, "zfm", self._port, "ZFM-20 family", facts)

    def close(self) -> None:
        channel = self._channel
        if channel is None:
            return
        try:
            if self._holds_pages and not channel.lost:
                with contextlib.suppress(DeviceFault, Retry, Aborted):
                    self.erase()  # else the next open does
        finally:
            self._channel = self._library = self._in_buffer = None
            self._pages.clear()
            channel.close()

    def check(self) -> None:
        """Is it there, and is it the one that holds our pages?"""
        if not self._holds_pages:
            self.ask("getSystemParameters")
            return
        found, known = self.ask("getTemplateCount"), len(self._pages)
        if not known <= found <= known + self._writing:
            detail = f"{found} templates in its memory instead of {len(self._pages)}"
            raise DeviceFault(ROLE, FaultCode.MISBEHAVES, detail)

    def _log_in(self) -> _Library:
        self._in_buffer, self._line_hurt, self._writing = None, False, False
        self._pages.clear()
        port = link.open_serial(ROLE, self._port, self._baud)
        self._channel = Channel(port, self._address, self._limits)
        self._library = _Library(self._channel, self._address, self._password)
        self._channel.distrust()  # an earlier user may have left half an exchange behind
        self.surely(self._login)
        return self._library

    def _login(self) -> None:
        if not self.ask("verifyPassword"):
            raise DeviceFault(ROLE, FaultCode.WRONG_PASSWORD)

    def _secured(self) -> Any:
        """The module's parameters, once its security level is the wanted one."""
        found = self.ask("getSystemParameters")
        if self._security in (None, found[3]):
            return found
        self.ask("setSystemParameter", _SECURITY_REGISTER, self._security)
        found = self.ask("getSystemParameters")
        if found[3] != self._security:
            detail = f"its security level stays {found[3]} instead of {self._security}"
            raise DeviceFault(ROLE, FaultCode.REFUSED, detail)
        return found

    # --- its library, in the flash ------------------------------------------------------------

    def _take_library(self, capacity: int) -> str:
        """Empty what an earlier run left there; what came of it. One without is served anyhow."""
        self._room = 0
        try:
            left = self.surely(lambda: self.ask("getTemplateCount"))
            if left:
                self.surely(self.erase)
        except DeviceFault as fault:
            if self._channel is None or self._channel.lost:
                raise
            return f"cannot be used ({fault.detail})"
        self._room = capacity
        return f"emptied of {left}" if left else "empty"

    def erase(self) -> None:
        """Empty the library and see that it is empty."""
        self._in_buffer = None
        emptied = self.ask("clearDatabase")
        if not emptied or self.ask("getTemplateCount"):
            raise DeviceFault(ROLE, FaultCode.REFUSED, "its memory cannot be emptied")
        self._pages.clear()
        self._writing = False

    @property
    def _holds_pages(self) -> bool:
        return bool(self._pages) or self._writing

    def forget_pages(self) -> None:
        if self._holds_pages:
            self.surely(self.erase)

    def store(self, template: bytes) -> bool:
        """Put `template` into the library, and read it back from there; False: no room."""
        if _digest(template) in self._pages:
            return True
        page = len(self._pages)
        if page >= self._room:
            return False
        self._writing = True
        try:
            self.surely(lambda: self._write_page(template, page))
        except DeviceFault as fault:
            if fault.code is not FaultCode.REFUSED:
                raise
            self._room = page  # a worn flash: the rest goes over the wire
            return False
        self._pages[_digest(template)], self._writing = page, False
        return True

    def _write_page(self, template: bytes, page: int) -> None:
        self._upload(template)
        self._in_buffer = None
        self.ask("storeTemplate", page, ROSTER_BUFFER)
        self.ask("loadTemplate", page, ROSTER_BUFFER)
        self._read_back(template)
        self._in_buffer = template

    def _recall(self, template: bytes) -> bool:
        """From the library into ROSTER_BUFFER: only its page goes over the wire.

        On a line that has damaged something since it was opened, it is read back as well: two
        errors that cancel in the sum would make another page of it.
        """
        page = self._pages.get(_digest(template))
        if page is None:
            return False
        self.ask("loadTemplate", page, ROSTER_BUFFER)
        if self._line_hurt:
            self._read_back(template)
        return True

    def _read_back(self, template: bytes) -> None:
        bound_s = self._limits.upload_s
        if bytes(self.ask("downloadCharacteristics", ROSTER_BUFFER, bound_s=bound_s)) != template:
            raise self._distrusted("template read back differs")

    # --- one person ---------------------------------------------------------------------------

    def load(self, wanted: tuple[bytes, ...]) -> None:
        self.templates = wanted
        self.surely(lambda: self._send(wanted[0]))

    def forget(self) -> None:
        self.templates = ()
        self._in_buffer = None

    def _send(self, template: bytes) -> None:
        """Make ROSTER_BUFFER hold `template`, from the library where it is there."""
        if self._in_buffer == template:
            return
        self._in_buffer = None
        if not self._recall(template):
            self._upload(template)
        self._in_buffer = template

    def _upload(self, template: bytes) -> None:
        """pyfingerprint reads it back and compares."""
        self._in_buffer = None
        sent = self.ask(
            "uploadCharacteristics", ROSTER_BUFFER, list(template), bound_s=self._limits.upload_s
        )
        if not sent:
            raise self._distrusted("template read back differs")

    def finger_present(self) -> bool:
        try:
            return bool(self.ask("readImage"))
        except Retry:
            return True  # an image that failed is still of something on the glass

    def attempt(self) -> FingerResult | None:
        """One poll; None while there is no finger."""
        if not self.templates:
            raise RuntimeError("verify before load")
        self._send(self.templates[0])
        if not self.ask("readImage"):
            return None
        image_ready_s = time.monotonic()
        self.ask("convertImage", LIVE_BUFFER)
        best, best_index = 0, 0
        for index, template in enumerate(self.templates):
            self._send(template)
            score = self.ask("compareCharacteristics")
            if score > best:
                best, best_index = score, index
            if best >= self._min_score:
                return FingerResult(True, best, best_index, image_ready_s)
        self._in_buffer = None  # sent anew next time: a module that lost its memory recovers
        return FingerResult(False, best, best_index, image_ready_s)

    def capture(self) -> bytes | None:
        if not self.ask("readImage"):
            return None
        self.ask("convertImage", LIVE_BUFFER)
        template = self.ask("downloadCharacteristics", LIVE_BUFFER, bound_s=self._limits.upload_s)
        if len(template) != TEMPLATE_BYTES:
            raise self._distrusted(f"template of {len(template)} bytes")
        return bytes(template)

    # --- one call -----------------------------------------------------------------------------

    def surely(self, step: Callable[[], T]) -> T:
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
                self._line_hurt |= fault.code in _TRANSIENT
                lost = self._channel is None or self._channel.lost
                if fault.code not in _TRANSIENT or lost or not left:
                    raise
        raise AssertionError("unreachable")

    def begin(self, abort: threading.Event) -> None:
        """The calls that follow end when `abort` is set."""
        if self._channel is not None:
            self._channel.abort = abort

    def ask(self, method: str, *arguments: object, bound_s: float | None = None) -> Any:
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
        if confirmation in (Confirm.LOAD_FAILED, Confirm.BAD_POSITION):
            # a page that we wrote: another module, or one that lost its memory
            return DeviceFault(ROLE, FaultCode.MISBEHAVES, f"confirmation {confirmation}")
        code = FaultCode.GARBLED if confirmation is None else _FAULTS.get(confirmation)
        if code is FaultCode.GARBLED:
            return self._distrusted(f"confirmation {confirmation}")
        return DeviceFault(ROLE, code or FaultCode.REFUSED, f"confirmation {confirmation}")

    def _distrusted(self, detail: str) -> DeviceFault:
        if self._channel is not None:
            self._channel.distrust()
        return DeviceFault(ROLE, FaultCode.GARBLED, detail)


def _digest(template: bytes) -> bytes:
    return hashlib.sha256(template).digest()
