"""The virtual scanner: sends a code when one is held before it, as it is set up to."""

from __future__ import annotations

from pathlib import Path

from drivers.link import VirtualDevice


class VirtualScanner(VirtualDevice):
    """`suffix`: what it is set to send after a code; `repeats`: how often it reads a slip that is
    held there, as scanners in continuous mode do."""

    def __init__(
        self, link_path: Path | None = None, *, suffix: bytes = b"\r\n", repeats: int = 1
    ) -> None:
        super().__init__(link_path)
        self.suffix, self.repeats = suffix, repeats
        self._due = bytearray()

    def hold(self, code: str) -> None:
        """A slip is held before it."""
        with self.lock:
            self._due += (code.encode() + self.suffix) * self.repeats

    def lost_power(self) -> None:
        self._due.clear()

    def tick(self) -> bytes:
        due, self._due = bytes(self._due), bytearray()
        return due
