"""Which driver names exist for each role, and how to make one. One line a driver.

Imports a driver only when it is asked for. Knows nothing of the lane.
"""

from __future__ import annotations

import difflib
from importlib import import_module
from typing import Any

from drivers.contracts import Options

DRIVERS: dict[tuple[str, str], str] = {
    ("turnstile", "modbus"): "drivers.turnstile.modbus.device:ModbusTurnstile",
    ("turnstile", "osdp"): "drivers.turnstile.osdp.device:OsdpTurnstile",
    ("turnstile", "usb_relay"): "drivers.turnstile.usb_relay.device:UsbRelayTurnstile",
    ("fingerprint", "zfm"): "drivers.fingerprint.zfm.device:ZfmReader",
    ("fingerprint", "libfprint"): "drivers.fingerprint.libfprint.device:LibfprintReader",
    ("camera", "opencv"): "drivers.camera.device:OpenCvCamera",
    ("id_card", "sam"): "drivers.idcard.device:SamReader",
    ("scanner", "serial"): "drivers.scanner.device:SerialScanner",
}


class UnknownDriver(Exception):
    """No driver of that name for the role; names the closest one."""


def names(role: str) -> list[str]:
    """Driver names of a role."""
    return [name for known_role, name in DRIVERS if known_role == role]


def make_device(role: str, driver: str, options: Options) -> Any:
    """A device, not yet opened. Raises `UnknownDriver`."""
    target = DRIVERS.get((role, driver))
    if target is None:
        near = difflib.get_close_matches(driver, names(role), 1)
        hint = f"; did you mean {near[0]}?" if near else f"; there are: {', '.join(names(role))}"
        raise UnknownDriver(f"{role} has no driver {driver!r}{hint}")
    module, _, name = target.partition(":")
    return getattr(import_module(module), name)(options)
