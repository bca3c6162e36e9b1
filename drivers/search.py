"""A device behind one of several adapters that are alike: each is opened, and the one whose device
answers as it must is taken, when it is the only one.

Knows no protocol and no lane. A port that another driver holds is passed over: it is locked.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

from drivers.contracts import DeviceInfo
from drivers.errors import DeviceFault, FaultCode


class AmongSeveral:
    """Any of the contracts' devices. `make(port)`: the device on that port, not yet opened."""

    def __init__(self, role: str, ports: Sequence[str], make: Callable[[str], Any]) -> None:
        self._role, self._ports, self._make = role, tuple(ports), make
        self._device: Any = make(ports[0])

    def __getattr__(self, name: str) -> Any:
        return getattr(self._device, name)

    async def open(self) -> DeviceInfo:
        """Raises `DeviceFault` WRONG_DEVICE when none or more than one answers."""
        await self.close()
        found: list[tuple[Any, DeviceInfo]] = []
        heard: list[str] = []
        try:
            for port in self._ports:
                device = self._make(port)
                try:
                    found.append((device, await device.open()))
                    heard.append(f"{port} answers")
                except DeviceFault as fault:
                    heard.append(f"{port} {fault.code.value}")
                    await _closed(device)
            if len(found) != 1:
                several = f"several like USB devices: {', '.join(heard)}"
                raise DeviceFault(self._role, FaultCode.WRONG_DEVICE, several)
        except BaseException:
            for device, _ in found:
                await _closed(device)
            raise
        self._device, info = found[0]
        return info

    async def close(self) -> None:
        await self._device.close()

    async def give_key(self) -> Any:
        """Never to one that was only guessed."""
        several = f"several like USB devices: {', '.join(self._ports)}; unplug the others"
        raise DeviceFault(self._role, FaultCode.WRONG_DEVICE, several)


async def _closed(device: Any) -> None:
    with contextlib.suppress(DeviceFault):
        await device.close()
