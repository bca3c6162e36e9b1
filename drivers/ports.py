"""Which serial ports there are, and where a USB serial device is now, whatever socket it was put
into: by its identity (vendor:product, serial number) as the system lists it. Opens nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from serial.tools import list_ports

from drivers.errors import DeviceFault, FaultCode

IDENTITY = re.compile(r"(?:[0-9a-f]{4}:[0-9a-f]{4})?(?::?[^\s:]+)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class UsbPort:
    """A serial port on USB. `identity` is what the configuration's `usb` may say of it."""

    port: str
    vendor_product: str  #: 1a86:7523
    serial_number: str  #: empty: this one has none
    location: str  #: the socket
    what: str  #: as its maker calls it

    @property
    def identity(self) -> str:
        return ":".join(filter(None, (self.vendor_product, self.serial_number)))

    def is_meant(self, usb: str) -> bool:
        """`usb`: vendor:product, with or without `:serial`, or the serial number alone."""
        wanted = usb.lower()
        known = (self.vendor_product, self.identity.lower(), self.serial_number.lower())
        return bool(wanted) and wanted in known


def usb_ports() -> list[UsbPort]:
    """Every serial port on USB, by name."""
    found = [
        UsbPort(
            p.device,
            f"{p.vid:04x}:{p.pid:04x}",
            p.serial_number or "",
            p.location or "",
            p.product or p.description or "",
        )
        for p in list_ports.comports()
        if p.vid is not None and p.pid is not None
    ]
    return sorted(found, key=lambda p: p.port)


def serial_ports() -> list[str]:
    """Every serial port, on USB or not, by name. Not what leads to a radio: opening it would call
    somebody."""
    names = (p.device for p in list_ports.comports())
    return sorted(name for name in names if not name.startswith("/dev/rfcomm"))


def find(role: str, port: str, usb: str | None) -> str:
    """The port to open: the one with this identity, wherever it is; without one, `port`.

    Raises `DeviceFault`: PORT_MISSING when nothing has the identity, WRONG_DEVICE when several
    have it (adapters without a serial number).
    """
    meant = find_all(role, port, usb)
    if len(meant) == 1:
        return meant[0]
    detail = f"several USB devices {usb}: {', '.join(meant)}"
    raise DeviceFault(role, FaultCode.WRONG_DEVICE, detail)


def find_all(role: str, port: str, usb: str | None) -> list[str]:
    """Every port with this identity; without one, `port`. Raises `DeviceFault(PORT_MISSING)`."""
    if not usb:
        return [port]
    meant = [p.port for p in usb_ports() if p.is_meant(usb)]
    if not meant:
        raise DeviceFault(role, FaultCode.PORT_MISSING, f"no USB device {usb}")
    return meant
