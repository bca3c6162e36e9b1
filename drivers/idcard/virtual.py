"""The virtual identity-card reader: the SAM module's real bytes, and cards laid on it.

Knows nothing of the driver or the lane.
"""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

from drivers.contracts import IdCard
from drivers.idcard.codec import Command, Parser, answer
from drivers.idcard.status import Status
from drivers.idcard.text import KIND_AT, read_data
from drivers.link import VirtualDevice

SILENCE_S = 0.05  #: half a request is forgotten after this


class VirtualSamReader(VirtualDevice):
    """Commands to it may come from any thread while it runs. `reads`: contents handed out.

    With `finds_once` a card is found again only after it was lifted, as many modules do.
    """

    def __init__(self, link_path: Path | None = None, *, finds_once: bool = False) -> None:
        super().__init__(link_path)
        self.fails: dict[Command, Status] = {}  #: status words to give instead, until removed
        self.of_card: bytes | None = None  #: SW1 SW2 of these: the card's own answer
        self.letter: str | None = None  #: of the kind of card, instead of the right one
        self.silent = False  #: hears but does not answer
        self.late: Status | None = None  #: an earlier question's answer, before the next one's
        self.lift_at: Command | None = None  #: the card goes away when this command comes
        self.reads = 0
        self.heard: Counter[Command] = Counter()  #: how often each was asked
        self._finds_once = finds_once
        self._card: IdCard | None = None
        self._unreadable = False
        self._found = self._selected = self._used = False
        self._parser = Parser()
        self._heard_s = 0.0

    # --- the hand -------------------------------------------------------------------------------

    def lay_card(self, card: IdCard, *, unreadable: bool = False) -> None:
        """Lay a card on; an unreadable one is found and selected but its content is not right."""
        with self.lock:
            self._card, self._unreadable = card, unreadable
            self._found = self._selected = self._used = False

    def swap_card(self, card: IdCard) -> None:
        """Another card in its place, so quickly that no look falls between."""
        with self.lock:
            self._card = card

    def lift_card(self) -> None:
        with self.lock:
            self._card = None
            self._found = self._selected = self._used = False

    # --- the module -----------------------------------------------------------------------------

    def lost_power(self) -> None:
        self._found = self._selected = self._used = False
        self._parser.reset()

    def feed(self, data: bytes) -> bytes:
        self._heard_s = time.monotonic()
        out = b"".join(self._obey(content) for content in self._parser.feed(data))
        if out and self.late is not None:
            out, self.late = answer(self.late) + out, None
        return b"" if self.silent else out

    def tick(self) -> bytes:
        if self._parser.pending and time.monotonic() - self._heard_s > SILENCE_S:
            self._parser.reset()
        return b""

    def _obey(self, content: bytes) -> bytes:
        command = next((c for c in Command if c.value == content[:2]), None)
        if command is None:
            return answer(Status.BAD_COMMAND)
        self.heard[command] += 1
        if command is self.lift_at:
            self.lift_card()
        if command in self.fails:
            return answer(self.fails[command], of_card=self.of_card)
        match command:
            case Command.STATUS:
                return answer(Status.OK)
            case Command.FIND:
                self._found = self._card is not None and not (self._used and self._finds_once)
                return answer(Status.FOUND, bytes(4)) if self._found else answer(Status.NOT_FOUND)
            case Command.SELECT:
                return self._select()
            case Command.READ:
                return self._read()

    def _select(self) -> bytes:
        self._selected = self._used = self._found and self._card is not None
        return answer(Status.OK, bytes(8)) if self._selected else answer(Status.NOT_SELECTED)

    def _read(self) -> bytes:
        if self._card is None or not self._selected:
            return answer(Status.READ_FAILED)
        self._selected = False
        if self._unreadable:
            return answer(Status.INFO_CHECK_FAILED)
        self.reads += 1
        data = bytearray(read_data(self._card))
        if self.letter is not None:
            at = 4 + 2 * KIND_AT
            data[at : at + 2] = self.letter.encode("utf-16-le")
        return answer(Status.OK, bytes(data))
