"""Readers that libfprint drives and that give images; comparing is done on this computer.

Two processes do the work, one that holds the reader and one that compares, so that whatever hangs
in either is killed in time. Must not know candidates, sessions or screens.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Sequence
from typing import Any

from drivers.contracts import DeviceInfo, FingerResult, Options
from drivers.errors import DeviceFault, FaultCode, Retry, RetryReason
from drivers.fingerprint.child import START_S, Child
from drivers.fingerprint.host.matcher import Matcher, Print

ROLE = "fingerprint"
#: python3-gi is compiled for Debian's own Python, not for ours
PYTHON = "/usr/bin/python3"
CANCEL_S = 1.0
PING_S = 1.0
MISSING = "apt-get install libfprint-2-2 gir1.2-fprint-2.0 python3-gi"
#: fp_device_retry in libfprint's reference: general, too short, not centred, lift and try again
_RETRIES = {
    1: RetryReason.FINGER_LIFTED,
    2: RetryReason.TOO_FEW_FEATURES,
    3: RetryReason.SMEARED,
}


class LibfprintReader:
    """`drivers.contracts.FingerprintReader` for readers that libfprint can take images from.

    Options: `device` (a libfprint driver's name or a device's id; "" takes the first),
    `min_score` (Bozorth3's, 40), `min_quality` (NFIQ 2; a poorer image that did not match is said
    to be too dry, too wet or too little, 0: never) and `python` (Debian's own).

    Bounds: opening 10 s, a question 1 s; after the image 3 s for its minutiae and 2 s for each
    template, then 4 s for its quality. Whatever takes longer is killed and told as a fault of the
    reader, or to the person as `NOT_COMPARED`.
    """

    template_format = "iso-19794-2"

    def __init__(self, options: Options) -> None:
        self._wanted = str(options.get("device", ""))
        self._min_score = int(options.get("min_score", 40))
        self._min_quality = int(options.get("min_quality", 20))
        python = str(options.get("python", PYTHON))
        self._child = Child(ROLE, [python, "-m", "drivers.fingerprint.libfprint.child"])
        self._matcher = Matcher(ROLE)
        self._loaded = False
        self._opened = False
        self._capturing: asyncio.Future[Any] | None = None

    async def open(self) -> DeviceInfo:
        await self.close()
        try:
            await self._matcher.start()
            found = await self._ask({"do": "open", "device": self._wanted}, START_S)
        except OSError as error:
            raise DeviceFault(ROLE, FaultCode.REFUSED, MISSING) from error
        if "missing" in found:
            raise DeviceFault(ROLE, FaultCode.REFUSED, MISSING)
        if "absent" in found:
            there = ", ".join(found["absent"]) or "none"
            detail = f"{self._wanted or 'any reader'}; libfprint sees: {there}"
            raise DeviceFault(ROLE, FaultCode.PORT_MISSING, detail)
        if "no_images" in found:
            detail = f"{found['no_images']} gives no images"
            raise DeviceFault(ROLE, FaultCode.WRONG_DEVICE, detail)
        self._opened = True
        facts = {"driver": found["driver"], "id": found["id"], "min_score": str(self._min_score),
                 "min_quality": str(self._min_quality)}  # fmt: skip
        return DeviceInfo(ROLE, "libfprint", found["driver"], found["name"], facts)

    async def close(self) -> None:
        self._opened = False
        await self._child.stop()
        await self._matcher.stop()

    async def check(self) -> None:
        """Does the reader's process answer? While it waits for a finger, it does by that."""
        if not self._opened:
            raise DeviceFault(ROLE, FaultCode.UNPLUGGED, "not open")
        if self._capturing is None:
            await self._ask({"do": "ping"}, PING_S)
        elif not self._child.running:
            raise DeviceFault(ROLE, FaultCode.UNPLUGGED, "its process ended")

    async def keep(self, templates: Sequence[bytes]) -> int:
        """These readers hold nothing: they only take images."""
        return 0

    async def load(self, templates: Sequence[bytes]) -> None:
        """Raises ValueError where none is a record of ISO/IEC 19794-2:2005."""
        self._loaded = False
        if not templates:
            raise ValueError("need a template")
        await self._matcher.load(templates)
        self._loaded = True

    async def verify(self) -> FingerResult:
        if not self._loaded:
            raise RuntimeError("verify before load")
        image = await self._image()
        ready_s = time.monotonic()
        score, index = await self._matcher.compare(image, self._min_score)
        if score >= self._min_score:
            return FingerResult(True, score, index, ready_s)
        await self._refuse_poor(image)
        return FingerResult(False, score, index, ready_s)

    async def capture(self) -> bytes:
        """A finger as a record of ISO/IEC 19794-2:2005. Raises `Retry` for a poor image, too."""
        image = await self._image()
        await self._matcher.extract(image)
        record = await self._matcher.record()
        await self._refuse_poor(image)
        return record

    async def wait_lifted(self) -> None:
        """libfprint ends a capture when the finger is off, so there is nothing to wait for."""

    async def clear(self) -> None:
        self._loaded = False
        await self._matcher.forget()

    # --- inside -------------------------------------------------------------------------------

    async def _refuse_poor(self, image: Print) -> None:
        """A poor image that did not match says nothing about whose finger it is."""
        if not self._min_quality:
            return
        quality, looks = await self._matcher.quality(image)
        if quality < self._min_quality:
            raise Retry(looks)

    async def _image(self) -> Print:
        """The next finger; as long as it takes. Cancelled, it lets the reader go at once."""
        if not self._opened or not self._child.running:
            raise DeviceFault(ROLE, FaultCode.UNPLUGGED, "not open")
        head, pixels = await self._captured()
        if "retry" in head:
            raise Retry(_RETRIES.get(head["retry"], RetryReason.FINGER_LIFTED))
        if "error" in head:
            raise DeviceFault(ROLE, FaultCode.UNPLUGGED, str(head["error"]))
        if len(pixels) != head.get("width", 0) * head.get("height", 0):
            raise DeviceFault(ROLE, FaultCode.GARBLED, f"image of {len(pixels)} bytes")
        return Print(head["width"], head["height"], head["ppmm"], pixels)

    async def _captured(self) -> tuple[dict[str, Any], bytes]:
        self._capturing = asyncio.ensure_future(self._child.ask({"do": "capture"}, bound_s=None))
        try:
            return await asyncio.shield(self._capturing)
        except asyncio.CancelledError:
            await asyncio.shield(self._let_go(self._capturing))
            raise
        finally:
            self._capturing = None

    async def _let_go(self, capturing: asyncio.Future[Any]) -> None:
        """Ask the capture to end; a reader that does not listen loses its process."""
        self._child.tell({"do": "cancel"})
        with contextlib.suppress(TimeoutError, DeviceFault, asyncio.CancelledError):
            await asyncio.wait_for(capturing, CANCEL_S)
        self._opened = self._child.running  # else the supervisor opens it anew

    async def _ask(self, head: dict[str, Any], bound_s: float) -> dict[str, Any]:
        return (await self._child.ask(head, bound_s=bound_s))[0]
