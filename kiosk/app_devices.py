"""The composition root's part for a technician: every configured device opened, tried and put into
its safe state while no daemon runs.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from drivers.errors import DeviceFault
from kiosk.app import device_of, latch_of, maker_of, open_store, port_of, roles_of, version
from kiosk.clock import SystemClock
from kiosk.config import Config

if TYPE_CHECKING:
    from kiosk.acceptance import Ledger
    from kiosk.face.models import ModelFile
    from kiosk.store import Store


@dataclass(frozen=True, slots=True)
class Probe:
    """What opening one device showed."""

    role: str
    driver: str
    port: str
    ok: bool
    summary: str
    code: str | None = None
    facts: dict[str, str] = field(default_factory=dict)


def probe_devices(config: Config) -> list[Probe]:
    """Open every configured device once. The daemon must not be running."""
    return [_probe(config, role) for role in roles_of(config)]


def _probe(config: Config, role: str) -> Probe:
    from kiosk import workshop

    driver, port = str(config.device_options(role)["driver"]), port_of(config, role)
    try:
        device = device_of(config, role)
        if role == "camera":
            info = device.open()
            seen = workshop.look_on(device, 1.0)
            device.close()
            facts = info.facts | {"frame": f"{seen.width}×{seen.height}", "fps": str(seen.fps)}
        else:
            info = asyncio.run(_open_and_close(device))
            facts = info.facts
    except DeviceFault as fault:
        return Probe(role, driver, port, False, fault.detail, fault.code.value)
    return Probe(role, driver, info.port or port, True, info.model, None, dict(facts))


def models_of(config: Config) -> tuple[ModelFile, ...]:
    """The files that the face worker reads."""
    from kiosk.face.encoders import MODELS
    from kiosk.face.models import ALWAYS

    return (*ALWAYS, *MODELS[config.face.encoder])


async def _open_and_close(device: Any) -> Any:
    try:
        return await device.open()
    finally:
        await device.close()


@dataclass(frozen=True, slots=True)
class ByHand:
    """What a technician's commands work with while no daemon runs."""

    store: Store
    journal: Callable[[str, str, dict[str, Any]], None]


@contextlib.contextmanager
def by_hand(config: Config, person: str) -> Iterator[ByHand]:
    """The record, so that what moves the gate is in it. Raises `StoreError` (locked: a daemon
    runs, and the lane is in service)."""
    from kiosk.core.codes import JournalKind

    store = open_store(config)

    def note(device: str, action: str, about: dict[str, Any]) -> None:
        pseudonym = about.pop("pseudonym", None)
        payload = {"device": device, "action": action, "person": person} | about
        store.journal(JournalKind.DEVICE_TRIED, pseudonym=pseudonym, payload=payload)

    try:
        yield ByHand(store, note)
    finally:
        store.close()


async def accept(
    config: Config,
    *,
    person: str,
    hands: bool,
    seconds: float,
    ask: Callable[[str], None],
    show: Callable[[dict[str, Any]], None],
    folder: Path | None,
) -> Ledger:
    """Check every device and write the signed equipment ledger. Raises `StoreError`."""
    from kiosk.acceptance import Hands, check_devices, ledger_text, write_ledger
    from kiosk.core.codes import JournalKind

    with by_hand(config, person) as hand:
        devices = [
            (role, str(config.device_options(role)["driver"]), port_of(config, role),
             maker_of(config, role))
            for role in roles_of(config)
        ]  # fmt: skip
        checks = []
        async for check in check_devices(devices, Hands(hands, seconds, ask), hand.journal):
            checks.append(check)
            show(asdict(check))
        at = SystemClock().now().astimezone(ZoneInfo(config.venue.timezone))
        about = {
            "origin": hand.store.origin, "at": at.isoformat(), "person": person,
            "version": version(), "venue": config.venue.name, "lane": config.lane.id,
            "hands": hands,
        }  # fmt: skip
        ledger = write_ledger(
            folder or config.paths.data / "ledgers",
            at,
            ledger_text(about, checks),
            hand.store.sign_text,
            checks,
        )
        said = {"sha256": ledger.sha256, "passed": list(ledger.passed),
                "failed": list(ledger.failed), "person": person}  # fmt: skip
        hand.store.journal(JournalKind.EQUIPMENT_CHECKED, payload=said)
        return ledger


def safe_state(config: Config) -> str:
    """Put the gate into its configured safe state; while a fire release lasts it stays open.

    Returns `locked`, `free` or `fire`. Raises `DeviceFault`.
    """
    state = "fire" if latch_of(config).is_set else config.lane.safe_state
    asyncio.run(_release(config, state != "locked"))
    return state


async def _release(config: Config, on: bool) -> None:
    turnstile = device_of(config, "turnstile")
    try:
        await turnstile.open()
        await turnstile.release(on)
    finally:
        await turnstile.close()
