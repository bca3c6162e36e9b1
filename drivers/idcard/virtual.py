"""The virtual identity-card reader: the SAM module's real bytes, and cards laid on it.

Knows nothing of the driver or the lane.
"""

from __future__ import annotations

from pathlib import Path

from drivers.contracts import IdCard
from drivers.idcard.codec import Command, Parser, Status, answer, read_data
from drivers.link import VirtualDevice


class VirtualSamReader(VirtualDevice):
    """`fails`: status words to give instead of the right answer, by command, until removed."""

    def __init__(self, link_path: Path | None = None) -> None:
        super().__init__(link_path)
        self.fails: dict[Command, Status] = {}
        self.silent = False
        self.reads = 0
        self._card: IdCard | None = None
        self._found = self._selected = False
        self._parser = Parser()

    # --- the hand -----------------------------------------------------------------------------------

    def lay_card(self, card: IdCard) -> None:
        with self.lock:
            self._card = card
            self._found = self._selected = False

    def lift_card(self) -> None:
        with self.lock:
            self._card = None
            self._found = self._selected = False

    # --- the module ---------------------------------------------------------------------------------

    def feed(self, data: bytes) -> bytes:
        out = b"".join(self._obey(content) for content in self._parser.feed(data))
        return b"" if self.silent else out

    def _obey(self, content: bytes) -> bytes:
        command = next((c for c in Command if c.value == content[:2]), None)
        if command is None:
            return answer(Status.BAD_COMMAND)
        if command in self.fails:
            return answer(self.fails[command])
        if command is Command.STATUS:
            return answer(Status.OK)
        if command is Command.FIND:
            self._found = self._card is not None
            return answer(Status.FOUND, bytes(4)) if self._found else answer(Status.NOT_FOUND)
        if command is Command.SELECT:
            self._selected = self._found and self._card is not None
            return answer(Status.OK, bytes(8)) if self._selected else answer(Status.NOT_SELECTED)
        if self._card is None or not self._selected:
            return answer(Status.READ_FAILED)
        self._selected = False
        self.reads += 1
        return answer(Status.OK, read_data(self._card))
