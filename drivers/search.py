"""A device whose port is not known: each of the ports that it may have is asked, and the one whose
device answers as it must is taken, when it is the only one.

Asks by `identify` alone, so that nothing moves and nothing is erased behind a port that is
another's. Knows no protocol and no lane. A port that another driver holds is passed over: it is
locked.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from drivers.contracts import DeviceInfo
from drivers.errors import DeviceFault, FaultCode

MOST_PORTS = 16  #: asked at the same time, each for at most three seconds
#: What only the device that is looked for, or one of its kind, says.
_TELLING = (FaultCode.WRONG_KEY, FaultCode.WRONG_PASSWORD, FaultCode.REFUSED)
_searching: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()


class AmongSeveral:
    """Any of the contracts' devices. `make(port)`: the device on that port, not yet opened.
    `why` these ports, for the technician: "several like USB devices"."""

    def __init__(
        self, role: str, ports: Sequence[str], make: Callable[[str], Any], why: str
    ) -> None:
        self._role, self._ports, self._make, self._why = role, tuple(ports), make, why
        self._device: Any = make(ports[0])

    def __getattr__(self, name: str) -> Any:
        return getattr(self._device, name)

    async def open(self) -> DeviceInfo:
        """Raises `DeviceFault`, also as `find` does."""
        await self.close()
        async with _one_at_a_time():  # or two would meet each other at a port that is neither's
            self._device = self._make(await self._find())
            info: DeviceInfo = await self._device.open()
            return info

    async def close(self) -> None:
        await self._device.close()

    async def find(self) -> str:
        """The port. Raises `DeviceFault`: WRONG_DEVICE when more than one answers; when none
        does, what the most telling of them said, NO_ANSWER when none said anything."""
        async with _one_at_a_time():
            return await self._find()

    async def _find(self) -> str:
        if len(self._ports) > MOST_PORTS:
            detail = f"{len(self._ports)} ports, at most {MOST_PORTS} are asked: name its own"
            raise DeviceFault(self._role, FaultCode.WRONG_DEVICE, detail)
        codes = await asyncio.gather(*(self._ask(port) for port in self._ports))
        heard = dict(zip(self._ports, codes, strict=True))
        answered = [port for port, code in heard.items() if code is None]
        if len(answered) == 1:
            return answered[0]
        said = ", ".join(f"{p} {'answers' if c is None else c.value}" for p, c in heard.items())
        code = FaultCode.WRONG_DEVICE if answered else _most_telling(heard.values())
        raise DeviceFault(self._role, code, f"{self._why}: {said}")

    async def _ask(self, port: str) -> FaultCode | None:
        try:
            await self._make(port).identify()
        except DeviceFault as fault:
            return fault.code
        return None

    async def give_key(self) -> Any:
        """Never to one that was only guessed."""
        detail = f"{self._why}: {', '.join(self._ports)}; name its port, or unplug the others"
        raise DeviceFault(self._role, FaultCode.WRONG_DEVICE, detail)


def _most_telling(codes: Iterable[FaultCode | None]) -> FaultCode:
    said = {code for code in codes if code is not None}
    telling = [code for code in _TELLING if code in said]
    if len(telling) == 1:
        return telling[0]
    return next(iter(said)) if len(said) == 1 else FaultCode.NO_ANSWER


@contextlib.asynccontextmanager
async def _one_at_a_time() -> AsyncIterator[None]:
    async with _searching.setdefault(asyncio.get_running_loop(), asyncio.Lock()):
        yield
