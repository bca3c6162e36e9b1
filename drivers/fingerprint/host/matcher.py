"""Comparing on this computer what a reader only photographs: bounded in time, in a process.

Templates are records of ISO/IEC 19794-2:2005, images 8-bit grey with dark ridges. Knows no reader.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from drivers.errors import DeviceFault, FaultCode, Retry, RetryReason
from drivers.fingerprint.child import START_S, Child

EXTRACT_S = 3.0  #: an image; a good one takes a tenth of a second
COMPARE_S = 2.0  #: one pair; most take some milliseconds, odd ones were seen to take 0.65 s
QUALITY_S = 4.0
MISSING = "nbis-py is not installed: pip install -r requirements-minutiae.txt"
_LOOKS = {
    "blank": RetryReason.FINGER_LIFTED,
    "dry": RetryReason.TOO_DRY,
    "wet": RetryReason.TOO_WET,
}


@dataclass(frozen=True, slots=True)
class Print:
    """One image of a finger. `ppmm`: pixels a millimetre; 0: not known, taken as 500 dpi."""

    width: int
    height: int
    ppmm: float
    pixels: bytes

    def __repr__(self) -> str:
        return f"Print({self.width}×{self.height})"  # keeps fingerprints out of logs

    def head(self, do: str) -> dict[str, Any]:
        return {"do": do, "width": self.width, "height": self.height, "ppmm": self.ppmm}


class Matcher:
    """`role` is in the faults: NO_ANSWER or UNPLUGGED of the process, REFUSED without nbis-py."""

    def __init__(self, role: str) -> None:
        self._role = role
        self._child = Child(role, [sys.executable, "-m", "drivers.fingerprint.host.worker"])
        self._templates: tuple[bytes, ...] = ()
        self._sent: tuple[bytes, ...] | None = None
        self._readable: tuple[int, ...] = ()

    async def start(self) -> None:
        from importlib.util import find_spec

        if find_spec("nbis") is None:
            raise DeviceFault(self._role, FaultCode.REFUSED, MISSING)
        self._sent = None
        await self._child.ask({"do": "ready"}, bound_s=START_S)

    async def stop(self) -> None:
        await self._child.stop()

    async def load(self, templates: Sequence[bytes]) -> None:
        """Raises ValueError where none is a record of ISO/IEC 19794-2:2005; one among others that
        is none is never compared."""
        self._templates = tuple(bytes(t) for t in templates)
        await self._send()
        if not self._readable:
            await self.forget()
            raise ValueError("no record of ISO/IEC 19794-2:2005 that can be read")

    async def forget(self) -> None:
        """Nothing of anybody stays in the process; one that does not listen is killed by that."""
        self._templates = ()
        if self._child.running:
            with contextlib.suppress(DeviceFault):
                await self._send()

    async def compare(self, image: Print, min_score: int) -> tuple[int, int]:
        """(best score, whose): the first that reaches `min_score` ends it.

        Raises `Retry(NOT_COMPARED)` when the process had to be killed for its time: the person
        presses again; and whatever `extract` raises.
        """
        await self._send()
        await self.extract(image)
        best, best_index = 0, 0
        for index in self._readable:
            score = int((await self._ask({"do": "compare", "index": index}, COMPARE_S))["score"])
            if score > best:
                best, best_index = score, index
            if best >= min_score:
                break
        return best, best_index

    async def extract(self, image: Print) -> int:
        """How many minutiae it has. Raises `Retry` when none can be found."""
        answer = await self._ask(image.head("image"), EXTRACT_S, image.pixels)
        if "error" in answer:
            raise Retry(RetryReason.TOO_FEW_FEATURES)
        return int(answer["minutiae"])

    async def record(self) -> bytes:
        """The last extracted image as a template."""
        _, record = await self._child.ask({"do": "record"}, bound_s=EXTRACT_S)
        return record

    async def quality(self, image: Print) -> tuple[int, RetryReason]:
        """(NFIQ 2, 0 to 100; what to tell the person when that is too little)."""
        answer = await self._ask(image.head("quality"), QUALITY_S, image.pixels)
        looks = _LOOKS.get(answer["looks"], RetryReason.TOO_FEW_FEATURES)
        return int(answer["nfiq2"]), looks

    async def _send(self) -> None:
        """The templates, unless the process has them; after it was killed it has none."""
        if self._sent == self._templates and self._child.running:
            return
        head = {"do": "load", "sizes": [len(t) for t in self._templates]}
        answer, _ = await self._child.ask(head, b"".join(self._templates), bound_s=START_S)
        self._readable = tuple(i for i, n in enumerate(answer["minutiae"]) if n)
        self._sent = self._templates

    async def _ask(self, head: dict[str, Any], bound_s: float, body: bytes = b"") -> Any:
        try:
            return (await self._child.ask(head, body, bound_s=bound_s))[0]
        except DeviceFault as fault:
            if fault.code in (FaultCode.NO_ANSWER, FaultCode.UNPLUGGED):
                raise Retry(RetryReason.NOT_COMPARED) from fault
            raise
