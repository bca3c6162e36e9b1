"""What a technician does with one device by hand while no daemon runs: look, try, measure.

Whatever moves the gate is journalled before it is sent and again with its result. Knows the
devices' contracts; who asked and how it is shown is the command's.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from drivers.contracts import DeviceInfo, GateEventKind, GateInputs, Turnstile
from drivers.errors import DeviceFault, FaultCode, Retry

Journal = Callable[[str, str, dict[str, Any]], None]  #: (device, action, what of it)

LOOK_S = 0.1
CHECK_S = 1.0
BAUDS = (57600, 115200, 38400, 19200, 9600)


@dataclass(frozen=True, slots=True)
class Seen:
    """One thing that a device showed. `at_s`: since the command began."""

    at_s: float
    what: str
    about: dict[str, Any] = field(default_factory=dict)


@asynccontextmanager
async def opened(device: Any) -> AsyncIterator[DeviceInfo]:
    """The device, open, and closed again whatever happens. Raises `DeviceFault`."""
    try:
        yield await device.open()
    finally:
        await device.close()


def levels(inputs: GateInputs | None) -> dict[str, bool] | None:
    return asdict(inputs) if inputs is not None else None


async def read_inputs(turnstile: Turnstile) -> dict[str, bool] | None:
    """None: this gate has no inputs."""
    async with opened(turnstile):
        return levels(await turnstile.inputs())


async def watch(
    role: str, device: Any, seconds: float, clock: Callable[[], float] = time.monotonic
) -> AsyncIterator[Seen]:
    """What the device shows until the time is over: the gate's inputs and events as they change,
    the round trip of a question for the others."""
    begun_s = clock()
    async with opened(device) as info:
        yield Seen(0.0, "opened", {"model": info.model, "port": info.port, **info.facts})
        look = _watch_gate if role == "turnstile" else _watch_checks
        async for what, about in look(device, begun_s + seconds, clock):
            yield Seen(round(clock() - begun_s, 3), what, about)


async def _watch_gate(
    gate: Turnstile, end_s: float, clock: Callable[[], float]
) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    before: dict[str, bool] | None = None
    waiting = asyncio.ensure_future(gate.next_event())
    try:
        while clock() < end_s:
            now = levels(await gate.inputs())
            if now is not None and now != before:
                changed = {k: v for k, v in now.items() if before is None or before[k] != v}
                yield "inputs", changed
                before = now
            if waiting.done():
                yield "event", {"kind": waiting.result().kind.value}
                waiting = asyncio.ensure_future(gate.next_event())
            await asyncio.sleep(LOOK_S)
    finally:
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)


async def _watch_checks(
    device: Any, end_s: float, clock: Callable[[], float]
) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    while clock() < end_s:
        asked_s = time.perf_counter()
        await device.check()
        yield "answered", {"ms": round(1000 * (time.perf_counter() - asked_s), 1)}
        await asyncio.sleep(min(CHECK_S, max(0.0, end_s - clock())))


# --- what moves the gate ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pulse:
    """One unlock by hand. `result`: as in a gate_pulse of the journal; `end`: what the sensors
    saw of it; `fault`: of a gate that was lost before they could."""

    result: str
    end: str | None
    ms: float
    fault: DeviceFault | None = None


async def pulse(turnstile: Turnstile, seconds: float, journal: Journal) -> Pulse:
    """Unlock once and wait how it ends. Raises `DeviceFault` when the gate cannot be had."""
    async with opened(turnstile):
        return await pulse_open(turnstile, seconds, journal)


async def cycle(
    turnstile: Turnstile, times: int, seconds: float, journal: Journal
) -> AsyncIterator[Pulse]:
    """So many unlocks one after the other; stops at one that was not confirmed."""
    async with opened(turnstile):
        for _ in range(times):
            done = await pulse_open(turnstile, seconds, journal)
            yield done
            if done.result != "sent" or done.fault is not None:
                return


async def pulse_open(turnstile: Turnstile, seconds: float, journal: Journal) -> Pulse:
    """The same at a gate that is open already."""
    journal("turnstile", "pulse", {"result": "asked"})
    asked_s = time.perf_counter()
    result, end, lost = "unknown", None, None
    try:
        result = await _send(turnstile, seconds)
        ms = round(1000 * (time.perf_counter() - asked_s), 1)
        if result != "not_sent":
            end = await _end_of(turnstile, seconds)
    except DeviceFault as fault:
        lost = fault
    finally:  # also when the technician has had enough: Ctrl-C
        journal("turnstile", "pulse", {"result": result, "end": end})
    return Pulse(result, end, ms, lost)


async def _send(turnstile: Turnstile, seconds: float) -> str:
    try:
        await turnstile.unlock(seconds)
    except DeviceFault as fault:
        return "unknown" if fault.code is FaultCode.UNLOCK_UNKNOWN else "not_sent"
    return "sent"


async def _end_of(turnstile: Turnstile, seconds: float) -> str | None:
    """None: not in time. Raises `DeviceFault`: the gate is lost."""
    try:
        async with asyncio.timeout(seconds + 30.0):
            while True:
                kind: GateEventKind = (await turnstile.next_event()).kind
                if kind.ends_passage:
                    return kind.value
    except TimeoutError:
        return None


async def give_key(turnstile: Any, journal: Journal) -> Any:
    """Give the turnstile's board the key of the configuration; what the board says of itself.
    Raises `DeviceFault`."""
    journal("turnstile", "set_key", {"result": "asked"})
    try:
        about = await turnstile.give_key()
    except DeviceFault as fault:
        journal("turnstile", "set_key", {"result": fault.code.value})
        raise
    journal("turnstile", "set_key", {"result": "done"})
    return about


# --- fingerprint reader -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Found:
    """A reader that answered. `code`: None when it also let us in."""

    options: dict[str, int]
    code: str | None
    facts: dict[str, str]


async def probe_fingerprint(
    make: Callable[[dict[str, int]], Any], own: dict[str, int]
) -> AsyncIterator[tuple[dict[str, int], Found | None]]:
    """Every try with what it found, the configured settings first. A wrong password or address
    is an answer, too: then baud is right, and no other is tried. Where nothing answers, another
    password would not help. Raises `DeviceFault` when the port cannot be had."""
    heard, silent = 0, set()
    for options in _settings(own):
        baud, line = options["baud"], (options["baud"], options["address"])
        if line in silent or heard not in (0, baud):
            continue
        device = make(options)
        try:
            async with opened(device) as info:
                yield options, Found(options, None, info.facts)
                return
        except DeviceFault as fault:
            if fault.code in (FaultCode.WRONG_PASSWORD, FaultCode.WRONG_DEVICE):
                heard = baud
                yield options, Found(options, fault.code.value, {})
                continue
            if fault.code not in (FaultCode.NO_ANSWER, FaultCode.GARBLED):
                raise
            silent.add(line)
            yield options, None


def _settings(own: dict[str, int]) -> Iterator[dict[str, int]]:
    """Bauds times passwords and addresses worth trying; each once."""
    tried: list[dict[str, int]] = []
    for baud in (own["baud"], *BAUDS):
        for address in (own["address"], 0xFFFFFFFF):
            for password in (own["password"], 0):
                options = {"baud": baud, "address": address, "password": password}
                if options not in tried:
                    tried.append(options)
                    yield options


async def match_finger(
    reader: Any, templates: list[bytes], seconds: float
) -> tuple[str, dict[str, Any]]:
    """(outcome, what of it): "matched", "not_matched", a retry reason, "no_finger" in time, or
    "unreadable_template" where there is none in the reader's format."""
    async with opened(reader):
        try:
            await reader.load(templates)
        except ValueError:
            return "unreadable_template", {}
        try:
            async with asyncio.timeout(seconds):
                found = await reader.verify()
        except TimeoutError:
            return "no_finger", {}
        except Retry as retry:
            return retry.reason.value, {}
        finally:
            await reader.clear()
        about = {"score": found.score, "template": found.template_index}
        return ("matched" if found.matched else "not_matched"), about


async def same_finger_twice(reader: Any, seconds: float) -> tuple[str, int]:
    """(outcome, score): a finger is captured, lifted, laid on again and compared with itself.
    "matched", "not_matched", a retry reason, or "no_finger" in time. Nothing is kept."""
    try:
        async with asyncio.timeout(seconds):
            template: bytes = await reader.capture()
            await reader.wait_lifted()
            await reader.load([template])
            found = await reader.verify()
    except TimeoutError:
        return "no_finger", 0
    except Retry as retry:
        return retry.reason.value, 0
    finally:
        await reader.clear()
    return ("matched" if found.matched else "not_matched"), found.score


# --- camera -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Look:
    """What a camera gave in a while. `brightness`: mean, 0 to 255; `sharpness`: variance of the
    Laplacian of the grey picture, the larger the sharper."""

    width: int
    height: int
    fps: float
    brightness: float
    sharpness: float


#: Pictures a second below which a quick head shows nothing of its way and is asked to be slower
LEAST_FPS = 25.0


def look_through(camera: Any, seconds: float) -> Look:
    """Open, look for so long, close. Raises `DeviceFault`."""
    camera.open()
    try:
        return look_on(camera, seconds)
    finally:
        camera.close()


def look_on(camera: Any, seconds: float) -> Look:
    """The same with a camera that is open."""
    begun_s = time.monotonic()
    frame = first = camera.newest(-1, 5.0)
    while time.monotonic() - begun_s < seconds:
        frame = camera.newest(frame.seq, 2.0)
    passed_s = frame.at_s - first.at_s
    fps = (frame.seq - first.seq) / passed_s if passed_s > 0 else 0.0
    height, width = frame.image.shape[:2]
    bright, sharp = measure(frame.image)
    return Look(width, height, round(fps, 1), bright, sharp)


def measure(image: Any) -> tuple[float, float]:
    """(brightness, sharpness) of a BGR picture, as in `Look`."""
    import cv2

    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    sharpness = cv2.Laplacian(grey, cv2.CV_64F).var()
    return round(float(grey.mean()), 1), round(float(sharpness), 1)
