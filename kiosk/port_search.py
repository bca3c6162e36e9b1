"""At which serial ports a configured device may be: the one that is named, those with its USB
identity, or every one that no other device of the file has.

Opens nothing; asking them is drivers/search.py's.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drivers import ports
from drivers.errors import DeviceFault, FaultCode
from kiosk.config import Config
from kiosk.config.devices import AUTO, Devices


@dataclass(frozen=True, slots=True)
class Where:
    """`ports`: one or more. `to_ask`: why its answer has to tell which; empty: it is the one."""

    ports: list[str]
    to_ask: str = ""


def where_is(config: Config, role: str, options: dict[str, Any]) -> Where:
    """Raises `DeviceFault`: PORT_MISSING when there is none, WRONG_DEVICE when a device that never
    answers (a USB relay without `answers`, a scanner) cannot be told apart from others."""
    port, usb = options["port"], options.get("usb")
    if port == AUTO and not usb:
        return Where(_unnamed(config, role), "every serial port was asked")
    if role == "scanner" or (options["driver"] == "usb_relay" and not options.get("answers")):
        return Where([ports.find(role, port, usb)])
    found = ports.find_all(role, port, usb)
    return Where(found, "several like USB devices" if len(found) > 1 else "")


def _unnamed(config: Config, role: str) -> list[str]:
    """The serial ports but for those that other devices of the file have by their names."""
    named: set[Path] = set()
    for other in set(Devices.model_fields) - {role}:
        options = config.device_options(other)
        usb = options.get("usb")
        if usb:
            meant = [p.port for p in ports.usb_ports() if p.is_meant(usb)]
            named |= {Path(p).resolve() for p in meant[: len(meant) == 1]}
        elif options.get("port", AUTO) != AUTO:
            named.add(Path(options["port"]).resolve())
    found = [port for port in ports.serial_ports() if Path(port).resolve() not in named]
    if not found:
        raise DeviceFault(role, FaultCode.PORT_MISSING, "there is no serial port to be asked")
    return found
