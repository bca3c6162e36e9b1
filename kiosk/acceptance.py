"""A shift's start: each device tried once, and the equipment ledger that says how it went.

Knows the devices' contracts and the ledger's form; asking people and signing are handed in.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from drivers.contracts import GateEventKind
from drivers.errors import DeviceFault, Retry
from kiosk import workshop
from kiosk.audit.ledger import FORMAT

LEAST_SHARPNESS = 20.0  #: variance of the Laplacian, 8 bit: a lens that is covered or far off
Outcome = Literal["passed", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class Check:
    """How one device did."""

    device: str
    driver: str
    port: str
    outcome: Outcome
    code: str | None = None  #: a fault's or a refusal's
    says: str = ""
    facts: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Hands:
    """Who is there to lay fingers and walk. `ask(device)`: say what to do now."""

    there: bool
    seconds: float
    ask: Callable[[str], None]


async def check_devices(
    devices: list[tuple[str, str, str, Callable[[], Any]]], hands: Hands, journal: workshop.Journal
) -> AsyncIterator[Check]:
    """One check a device: (role, driver, port, maker), in order."""
    for role, driver, port, make in devices:
        begun_s = time.monotonic()
        try:
            outcome, code, says, facts = await _TRIES[role](make, hands, journal)
        except DeviceFault as fault:
            outcome, code, says, facts = "failed", fault.code.value, fault.detail, {}
        took_s = round(time.monotonic() - begun_s, 2)
        yield Check(role, driver, port, outcome, code, says, facts, took_s)


Tried = tuple[Outcome, str | None, str, dict[str, str]]
Make = Callable[[], Any]


async def _turnstile(make: Make, hands: Hands, journal: workshop.Journal) -> Tried:
    gate = make()
    async with workshop.opened(gate) as info:
        inputs = await gate.inputs()
        if inputs is not None and (inputs.fire or inputs.forced):
            return "failed", "inputs_active", info.facts["active inputs"], dict(info.facts)
        if not hands.there:
            return "passed", None, info.model, dict(info.facts)
        hands.ask("turnstile")
        done = await workshop.pulse_open(gate, hands.seconds, journal)
    facts = info.facts | {"pulse": done.result, "end": done.end or "none"}
    if done.fault is not None:
        raise done.fault
    good = done.result == "sent" and done.end in (GateEventKind.PASSED, GateEventKind.UNSEEN)
    return ("passed", None, info.model, facts) if good else (
        "failed", done.end or done.result, info.model, facts,
    )  # fmt: skip


async def _fingerprint(make: Make, hands: Hands, journal: workshop.Journal) -> Tried:
    """The same finger twice: the reader sees, converts, gives and compares."""
    reader = make()
    async with workshop.opened(reader) as info:
        await reader.check()
        if not hands.there:
            return "passed", None, info.model, dict(info.facts)
        hands.ask("fingerprint")
        outcome, score = await workshop.same_finger_twice(reader, hands.seconds)
    facts = info.facts | {"score": str(score)}
    if outcome == "matched":
        return "passed", None, info.model, facts
    return "failed", outcome, info.model, facts


async def _id_card(make: Make, hands: Hands, journal: workshop.Journal) -> Tried:
    return await _one_reading(make(), hands, "id_card", "next_card", "no_card")


async def _scanner(make: Make, hands: Hands, journal: workshop.Journal) -> Tried:
    return await _one_reading(make(), hands, "scanner", "next_code", "no_code")


async def _one_reading(device: Any, hands: Hands, role: str, read: str, nothing: str) -> Tried:
    """That it can read one; what it reads, and whose that is, does not matter."""
    async with workshop.opened(device) as info:
        await device.check()
        if not hands.there:
            return "passed", None, info.model, dict(info.facts)
        hands.ask(role)
        try:
            async with asyncio.timeout(hands.seconds):
                await getattr(device, read)()
        except TimeoutError:
            return "failed", nothing, info.model, dict(info.facts)
        except Retry as retry:
            return "failed", retry.reason.value, info.model, dict(info.facts)
    return "passed", None, info.model, dict(info.facts)


async def _camera(make: Make, hands: Hands, journal: workshop.Journal) -> Tried:
    if hands.there:
        hands.ask("camera")
    seen = await asyncio.to_thread(workshop.look_through, make(), 2.0)
    facts = {k: str(v) for k, v in asdict(seen).items()}
    if seen.sharpness < LEAST_SHARPNESS:
        return "failed", "not_sharp", f"sharpness {seen.sharpness}", facts
    return "passed", None, f"{seen.width}×{seen.height}, {seen.fps}/s", facts


_TRIES: dict[str, Callable[[Make, Hands, workshop.Journal], Any]] = {
    "turnstile": _turnstile,
    "fingerprint": _fingerprint,
    "id_card": _id_card,
    "scanner": _scanner,
    "camera": _camera,
}


@dataclass(frozen=True, slots=True)
class Ledger:
    """The signed file. `failed`: devices that did not pass."""

    file: Path
    sha256: str
    passed: tuple[str, ...]
    failed: tuple[str, ...]


def ledger_text(about: dict[str, Any], checks: list[Check]) -> str:
    """What is signed: the form's name, one line about the lane, one line a device (JSON)."""
    lines = [FORMAT, _json(about), *(_json(asdict(check)) for check in checks)]
    return "\n".join(lines) + "\n"


def write_ledger(
    folder: Path, at: datetime, text: str, sign: Callable[[str], str], checks: list[Check]
) -> Ledger:
    """A new file, never over an older one. Raises `OSError`."""
    note = sign(text).encode()
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"equipment-{at:%Y%m%d-%H%M%S}.txt"
    with file.open("xb") as out:
        out.write(note)
    passed = tuple(c.device for c in checks if c.outcome == "passed")
    failed = tuple(c.device for c in checks if c.outcome == "failed")
    return Ledger(file, hashlib.sha256(note).hexdigest(), passed, failed)


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
