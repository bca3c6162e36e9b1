"""What the lane asks of each kind of device; every driver and nothing else implements these.

Calls are bounded in time by the driver itself. They raise `Retry` or `DeviceFault` (see
errors.py), never a third-party exception. Drivers know nothing of the lane.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class DeviceInfo:
    """What answered at the port: for `doctor`, the journal and the proctor's screen."""

    role: str  #: "turnstile", "fingerprint", "camera", "id_card" or "scanner"
    driver: str  #: name in the registry
    port: str
    model: str = ""
    facts: dict[str, str] = field(default_factory=dict)  #: e.g. {"capacity": "1000"}


class Identifiable(Protocol):
    """A device that a search may ask on ports where it may not be."""

    async def identify(self) -> None:
        """Raises `DeviceFault` unless the device as configured answers at its port. Only a
        question goes out: nothing moves, nothing is stored or erased. Opened for the while."""


# --- turnstile ---------------------------------------------------------------------------


class Way(StrEnum):
    """Through a gate that is used both ways."""

    ENTRY = "entry"  #: the first barrier is A
    EXIT = "exit"  #: … B


class GateEventKind(StrEnum):
    """What the gate's sensors saw. The first six end a passage that `unlock` began."""

    PASSED = "passed"
    TIMED_OUT = "timed_out"  #: unlocked, nobody came; locked again
    TURNED_BACK = "turned_back"  #: entered the gate and went back out
    TAILGATED = "tailgated"  #: a second person came through on the same unlock
    BLOCKED = "blocked"  #: somebody or something stood in the gate until the limit
    UNSEEN = "unseen"  #: the unlock's time is over, and this gate has nothing to see with
    ENTERED = "entered"  #: in between: somebody is in the gate
    OPPOSITE = "opposite"  #: somebody came through the other way
    FORCED = "forced"  #: passage or forced-contact without an unlock
    HELD = "held"  #: the gate has stood open too long without a passage
    SENSOR_BLOCKED = "sensor_blocked"  #: a barrier has been broken too long without a passage
    SENSOR_CLEAR = "sensor_clear"  #: … and is free again
    FIRE_ON = "fire_on"
    FIRE_OFF = "fire_off"

    @property
    def ends_passage(self) -> bool:
        return self in _ENDS


_ENDS = {
    GateEventKind.PASSED,
    GateEventKind.TIMED_OUT,
    GateEventKind.TURNED_BACK,
    GateEventKind.TAILGATED,
    GateEventKind.BLOCKED,
    GateEventKind.UNSEEN,
}


@dataclass(frozen=True, slots=True)
class GateEvent:
    kind: GateEventKind
    at_s: float  #: time.monotonic()
    way: Way = Way.ENTRY  #: of the passage that it is about; of OPPOSITE and FORCED: as they went


@dataclass(frozen=True, slots=True)
class GateInputs:
    """Levels of the gate's inputs, after inversion: True = active."""

    passage_a: bool
    passage_b: bool
    forced: bool
    fire: bool
    open: bool = False  #: the gate's wing or door stands open, where a contact tells


@dataclass(frozen=True, slots=True)
class GateCounters:
    """How many people the gate itself has counted since it was built; None: it does not."""

    entry: int | None
    exit: int | None


class Turnstile(Protocol):
    async def open(self) -> DeviceInfo: ...

    async def close(self) -> None: ...

    async def unlock(self, timeout_s: float, way: Way = Way.ENTRY) -> None:
        """Send exactly one unlock pulse for one passage this way; never retried.

        The passage's end then arrives from `next_event` within `timeout_s` plus the time
        somebody already in the gate may take. Raises `UnlockUnknown` when the answer was
        lost, `DeviceFault` when the pulse was certainly not sent.
        """

    async def release(self, on: bool) -> None:
        """Latch the gate open for everybody (fire, emergency), or end that. May be repeated."""

    async def inputs(self) -> GateInputs | None:
        """None: this gate has no inputs, and passages end as `UNSEEN`."""

    async def counters(self) -> GateCounters | None:
        """The gate's own passage counters; None where it has none. Raises `DeviceFault`."""

    async def next_event(self) -> GateEvent:
        """Wait for the next thing the sensors saw. Raises `DeviceFault` when the bus dies."""


# --- fingerprint -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FingerResult:
    matched: bool
    score: int  #: the reader's own score, 0 when it says no match
    template_index: int  #: which of the loaded templates matched best
    image_ready_s: float  #: time.monotonic() when the reader had the image


class FingerprintReader(Protocol):
    template_format: str  #: in which it wants templates: "zfm" or "iso-19794-2"

    async def open(self) -> DeviceInfo: ...

    async def close(self) -> None: ...

    async def check(self) -> None:
        """A cheap question the reader must answer. Raises `DeviceFault`."""

    async def keep(self, templates: Sequence[bytes]) -> int:
        """Hold these in the reader's own memory, instead of what it holds, as far as there is
        room, so that `load` of one of them sends next to nothing. How many are held.

        Waits while templates are loaded: who stands there comes first. `keep(())` empties the
        memory; so do `open` and `close`. A reader without memory holds none.
        """

    async def load(self, templates: Sequence[bytes]) -> None:
        """Send the claimed candidate's templates ahead of the finger. Raises ValueError when none
        of them is one in the reader's format."""

    async def verify(self) -> FingerResult:
        """Wait for a finger, capture it, compare it with the loaded templates.

        Waits as long as it takes (cancel the task to stop: the reader is usable again
        within a second). Raises `Retry` for a bad image, `DeviceFault` when the reader dies.
        """

    async def capture(self) -> bytes:
        """Wait for a finger and give its template as the reader makes it; as `verify` otherwise."""

    async def wait_lifted(self) -> None:
        """Return when no finger is on the glass."""

    async def clear(self) -> None:
        """Forget the loaded templates."""


# --- identity card -----------------------------------------------------------------------


class CardKind(StrEnum):
    """The cards that a reader of resident identity cards reads."""

    RESIDENT = "resident"  #: 居民身份证
    HMT_PERMIT = "hmt_permit"  #: 港澳台居民居住证
    FOREIGN_2017 = "foreign_2017"  #: 外国人永久居留身份证, 15 characters of number
    FOREIGN_2023 = "foreign_2023"  #: the same of December 2023 and later, 18 characters


@dataclass(frozen=True, slots=True)
class IdCard:
    """Text fields of an identity card (GA 467 order). Personal data: never log."""

    name: str
    sex: str
    nation: str  #: a foreigner's: three letters of the country
    birth_date: str  #: YYYYMMDD
    address: str
    number: str  #: 18 characters, X a capital; of FOREIGN_2017 15
    issuer: str
    valid_from: str  #: YYYYMMDD
    valid_to: str  #: YYYYMMDD or 长期
    kind: CardKind = CardKind.RESIDENT
    other_name: str = ""  #: a foreigner's in Latin letters, as in the passport
    pass_number: str = ""  #: of HMT_PERMIT: the travel permit's

    def __repr__(self) -> str:
        return "IdCard(…)"  # keeps personal data out of logs and tracebacks


class IdCardReader(Protocol):
    async def open(self) -> DeviceInfo: ...

    async def close(self) -> None: ...

    async def check(self) -> None: ...

    async def next_card(self) -> IdCard:
        """Wait until a card is laid on and read. The same card is reported once until lifted.

        Raises `Retry` (CARD_…) or `DeviceFault`.
        """

    @property
    def lying_s(self) -> float | None:
        """How long the card reported last has been lying there; None: it does not, or this
        reader cannot tell."""

    def look_again(self) -> None:
        """Read what lies there once more: another card laid in its place is then reported."""


# --- code scanner ---------------------------------------------------------------------------


class Scanner(Protocol):
    async def open(self) -> DeviceInfo: ...

    async def close(self) -> None: ...

    async def check(self) -> None: ...

    async def next_code(self) -> str:
        """Wait until a bar or QR code is held before it: its text, once. Raises `DeviceFault`."""


# --- camera (used synchronously, inside the face worker) -----------------------------------


@dataclass(frozen=True, slots=True)
class Frame:
    image: NDArray[np.uint8]  #: H×W×3, BGR
    seq: int  #: counts frames the camera delivered; gaps are frames that were skipped
    at_s: float  #: time.monotonic() of arrival


class Camera(Protocol):
    def open(self) -> DeviceInfo: ...

    def close(self) -> None: ...

    def newest(self, after_seq: int, timeout_s: float) -> Frame:
        """The newest frame with `seq > after_seq`, never a queued old one. Several threads may
        wait for one at a time.

        Raises `DeviceFault("camera", NO_FRAMES | UNPLUGGED)` when none came in time.
        """


Options = dict[str, Any]
