"""The fingerprint reader of the lane: the module in one thread, behind an asyncio face.

Owns the thread and who gets a turn in it; must not know candidates, sessions or screens.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from drivers.contracts import DeviceInfo, FingerResult, Options
from drivers.errors import DeviceFault, FaultCode
from drivers.fingerprint.zfm.channel import ROLE, Limits
from drivers.fingerprint.zfm.codec import TEMPLATE_BYTES
from drivers.fingerprint.zfm.module import Module

T = TypeVar("T")


class ZfmReader:
    """`drivers.contracts.FingerprintReader` for ZFM-20, R30x and AS608 modules.

    Options: `port`; `baud` (57600), `address` (0xFFFFFFFF), `password` (0), `min_score`
    (50: a lower score is no match), `security` ("lowest", "low", "normal", "high", "highest":
    the module's own level 1 to 5, set at `open`; "as_found": left alone) and `preload` (true: the
    module's library is the lane's, and emptied at `open`).

    Bounds: one library call takes at most 1.5 s (`Limits.call_s`), a template sent and read
    back 2.5 s (`Limits.upload_s`); a call that follows a fault or a cancelled one first takes
    at most 1.3 s to resynchronise. A call that met noise or silence is repeated, twice at
    most, while the module still answers the resync; so a module that falls silent is a
    `DeviceFault` after at most 2.8 s. All calls run one after another in one thread.
    """

    template_format = "zfm"

    def __init__(
        self, options: Options, *, limits: Limits | None = None, poll_s: float = 0.07
    ) -> None:
        self._module = Module(options, limits or Limits())
        self._poll_s = poll_s
        self._thread: ThreadPoolExecutor | None = None
        self._nobody_served = asyncio.Event()
        self._nobody_served.set()

    # --- the contract -----------------------------------------------------------------------

    async def identify(self) -> None:
        await self._begin(self._module.identify)
        await self.close()

    async def open(self) -> DeviceInfo:
        """Open the port, log in, set the security level, empty the library (docs: what stays).

        Templates loaded before a reconnect are sent again by the next `verify`; those kept are
        gone.
        """
        return await self._begin(self._module.open)

    async def _begin(self, first: Callable[[], T]) -> T:
        await self.close()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="fingerprint")
        try:
            return await self._run(first)
        except BaseException:
            await asyncio.shield(self.close())
            raise

    async def close(self) -> None:
        """Empty the library of what `keep` put there, as far as the module still answers."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        await asyncio.wrap_future(thread.submit(self._close))
        thread.shutdown(cancel_futures=True)

    async def check(self) -> None:
        """Ask for the module's parameters (40 bytes on the wire), or how many templates it holds
        when it holds any (26): another number is another module, `MISBEHAVES`."""
        await self._run(lambda: self._module.surely(self._module.check))

    async def keep(self, templates: Sequence[bytes]) -> int:
        """As in the contract: into the library, each read back from there, about 0.4 s each."""
        wanted = tuple(dict.fromkeys(_checked(templates)))
        await self._run(self._module.forget_pages)
        for count, template in enumerate(wanted):
            await self._nobody_served.wait()
            if not await self._run(lambda t=template: self._module.store(t)):  # type: ignore[misc]
                return count
        return len(wanted)

    async def load(self, templates: Sequence[bytes]) -> None:
        """Keep the templates and put the first into the module's buffer ahead of the finger,
        unless it is there already: from the library where `keep` put it, else over the wire.

        Raises ValueError unless there is at least one and each has 512 bytes.
        """
        wanted = _checked(templates)
        if not wanted:
            raise ValueError(f"need one or more templates of {TEMPLATE_BYTES} bytes")
        self._nobody_served.clear()
        await self._run(lambda: self._module.load(wanted))

    async def verify(self) -> FingerResult:
        """As in the contract. Between two polls other calls (`check`) get their turn.

        Capture, conversion and comparison are one unit: when noise hits one of them all are
        done again from a new capture. Raises RuntimeError when nothing was loaded.
        """
        return await self._until(self._module.attempt)

    async def capture(self) -> bytes:
        """Wait for a finger and give its template (512 bytes), as the module makes it from one
        image. Raises `Retry` and `DeviceFault` as `verify` does. Personal data: never log."""
        return await self._until(self._module.capture)

    async def wait_lifted(self) -> None:
        await self._until(lambda: None if self._module.finger_present() else True)

    async def clear(self) -> None:
        self._nobody_served.set()
        await self._run(self._module.forget)

    # --- from the event loop into the thread --------------------------------------------------

    async def _until(self, poll: Callable[[], T | None]) -> T:
        """Ask until there is an answer; a cancelled caller is heard between and during polls."""
        while True:
            found = await self._run(lambda: self._module.surely(poll))
            if found is not None:
                return found
            await asyncio.sleep(self._poll_s)

    async def _run(self, work: Callable[[], T]) -> T:
        """Run `work` in the reader's thread; a cancelled caller frees the thread at once."""
        if self._thread is None:
            raise DeviceFault(ROLE, FaultCode.UNPLUGGED, "not open")
        abort = threading.Event()

        def job() -> T:
            self._module.begin(abort)
            return work()

        try:
            return await asyncio.wrap_future(self._thread.submit(job))
        except asyncio.CancelledError:
            abort.set()
            raise

    def _close(self) -> None:
        self._module.begin(threading.Event())
        self._module.close()


def _checked(templates: Sequence[bytes]) -> tuple[bytes, ...]:
    wanted = tuple(bytes(t) for t in templates)
    if any(len(t) != TEMPLATE_BYTES for t in wanted):
        raise ValueError(f"templates have {TEMPLATE_BYTES} bytes")
    return wanted
