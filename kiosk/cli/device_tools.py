"""`examgate device …` by hand, while no daemon runs: watch, record, replay, ports, and what each
device can be asked to do. The gate's own commands are in gate_tools.py.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from kiosk.cli.base import (
    Context,
    Exit,
    FloatRange,
    as_json,
    ended_in_order,
    pass_context,
    person_option,
)  # fmt: skip
from kiosk.cli.device_texts import FAULTS, OUTCOMES, in_words
from kiosk.cli.devices import device

SERIAL_ROLES = ("turnstile", "fingerprint", "id_card", "scanner")
role_argument = click.argument("role", type=click.Choice(SERIAL_ROLES))
seconds_option = click.option(
    "--seconds", type=FloatRange(0.1, 3600), default=20, show_default=True,
    help="How long.",
)  # fmt: skip


@contextmanager
def by_hand(c: Context, person: str = "technician") -> Iterator[Any]:
    """The record, which only one process may have: so the lane is out of service meanwhile."""
    from kiosk import app_devices

    with ended_in_order(), c.declined(), app_devices.by_hand(c.config, person) as hand:
        yield hand


def make_device(c: Context, role: str, **changes: Any) -> Any:
    from kiosk import app

    return app.device_of(c.config, role, **changes)


def _settings(c: Context, role: str) -> dict[str, Any]:
    options = c.config.device_options(role)
    if not options:
        said = c.say(f"没有配置 devices.{role}", f"devices.{role} is not configured")
        c.fail(Exit.BAD_INPUT, [said])
    return options


def _serial(c: Context, role: str) -> dict[str, Any]:
    """As `_settings`, of a device on a serial line."""
    options = _settings(c, role)
    if "baud" not in options:
        driver = options["driver"]
        said = c.say(f"devices.{role} 不是串口设备（{driver}）",
                     f"devices.{role} is not on a serial line ({driver})")  # fmt: skip
        c.fail(Exit.BAD_INPUT, [said])
    return options


# --- any serial device ---------------------------------------------------------------------------


@device.command()
@as_json
@pass_context
def ports(c: Context, json_: bool) -> None:
    """USB serial ports with the identity that `usb` in the configuration may name.

    Example: examgate device ports
    """
    from drivers.ports import usb_ports

    found = usb_ports()
    if json_:
        c.print_json({"ports": [{"port": p.port, "usb": p.identity, "socket": p.location,
                                 "what": p.what} for p in found]})  # fmt: skip
        return
    headings = c.say("端口,usb,插口,名称", "port,usb,socket,what").split(",")
    c.print_table(headings, ((p.port, p.identity, p.location, p.what) for p in found))


@device.command()
@role_argument
@seconds_option
@as_json
@pass_context
def watch(c: Context, role: str, seconds: float, json_: bool) -> None:
    """What ROLE shows as it happens: the gate's inputs and events, else the time of an answer.

    The daemon must not run: it has the device. No finger and no card is read.

    Example: examgate device watch turnstile --seconds 60
    """
    _settings(c, role)
    with by_hand(c):
        asyncio.run(_watch(c, role, seconds, json_))


async def _watch(c: Context, role: str, seconds: float, json_: bool) -> None:
    from kiosk import workshop

    async for seen in workshop.watch(role, make_device(c, role), seconds):
        if json_:
            click.echo(json.dumps({"at_s": seen.at_s, "what": seen.what} | seen.about))
        else:
            about = " ".join(f"{k}={v}" for k, v in seen.about.items())
            click.echo(f"{seen.at_s:8.3f} {seen.what} {about}")


@device.command()
@role_argument
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@seconds_option
@pass_context
def record(c: Context, role: str, file: Path, seconds: float) -> None:
    """Write every byte between the driver and ROLE into FILE, which `replay` and tests can play.

    The driver opens the device and asks it its usual questions; no finger and no card is read,
    so that nobody's data are in the file. The daemon must not run.

    Stopped with Ctrl-C or by a fault it keeps what it has.

    Example: examgate device record turnstile turnstile.rec --seconds 5
    """
    from drivers.errors import DeviceFault
    from drivers.recording import Tap, write_head
    from kiosk import app, workshop

    options = _serial(c, role)
    with by_hand(c), c.new_file(file) as out:
        real = app.find_port(c.config, role)
        write_head(out, {"role": role, "driver": options["driver"], "baud": str(options["baud"])})
        fault = None
        with Tap(role, real, int(options["baud"]), out) as tap:
            tapped = make_device(c, role, port=tap.port, usb=None)
            try:
                asyncio.run(_drain(workshop.watch(role, tapped, seconds)))
            except KeyboardInterrupt:
                pass  # enough is recorded
            except DeviceFault as seen:  # what a recording is made for
                detail = seen.detail.replace(tap.port, real)
                fault = DeviceFault(seen.device, seen.code, detail)
    click.echo(c.say(f"已录制：{file}", f"recorded: {file}"))
    if fault is not None:
        c.fail(Exit.DEVICE, [c.fault_sentence(fault)])


async def _drain(seen: AsyncIterator[Any]) -> int:
    count = 0
    async for _ in seen:
        count += 1
    return count


@device.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--seconds", type=FloatRange(0.1, 3600), default=3, show_default=True,
              help="How long the driver works on it.")
@pass_context
def replay(c: Context, file: Path, seconds: float) -> None:
    """Let this lane's driver work on a recording instead of the device, and say how it does.

    Exit code 5 when the driver finds a fault, as it would at the device. Needs no hardware and
    stops no daemon.

    Example: examgate device replay turnstile.rec
    """
    from drivers.errors import DeviceFault
    from drivers.recording import BadRecording, Replay, read_recording
    from kiosk import workshop

    try:
        recording = read_recording(file.read_text(encoding="ascii").splitlines())
    except OSError as error:
        c.fail(Exit.BAD_INPUT, [f"{file}: {c.os_error(error)}"])
    except (BadRecording, UnicodeDecodeError) as error:
        why = error if isinstance(error, BadRecording) else "not ASCII text"
        said = c.say(f"不是 device record 录制的文件（{why}）",
                     f"is nothing that device record wrote ({why})")  # fmt: skip
        c.fail(Exit.BAD_INPUT, [f"{file}: {said}"])
    role = recording.about.get("role", "")
    if role not in SERIAL_ROLES:
        c.fail(Exit.BAD_INPUT, [f"{file}: line 1: role is {role!r}"])
    with Replay(recording) as twin:
        made = make_device(c, role, port=twin.port, usb=None)
        try:
            asyncio.run(_drain(workshop.watch(role, made, seconds)))
            said = c.say("驱动没有发现故障", "the driver found no fault")
            fault = None
        except DeviceFault as found:
            said, fault = c.fault_sentence(found), found
        click.echo(said)
        click.echo(c.say(f"应答 {twin.answered} 次，没有录到的请求 {len(twin.unknown)} 次",
                         f"{twin.answered} requests answered, {len(twin.unknown)} that were not "
                         "recorded"))  # fmt: skip
    if fault is not None:
        sys.exit(Exit.DEVICE)


# --- the fingerprint reader -----------------------------------------------------------------------


@device.group()
def fingerprint() -> None:
    """The fingerprint reader."""


@fingerprint.command("probe")
@pass_context
def probe(c: Context) -> None:
    """Find the reader's baud rate, address and password by trying. The daemon must not run.

    The configured ones first; then the usual rates, the broadcast address and password 0.

    Example: examgate device fingerprint probe
    """
    own = {k: int(v) for k, v in _serial(c, "fingerprint").items()
           if k in ("baud", "address", "password")}  # fmt: skip
    with by_hand(c):
        found = asyncio.run(_probe(c, own))
    if found is None:
        said = c.say("没有应答：检查供电和接线（TX/RX 是否接反）",
                     "no answer: check power and wiring (TX and RX swapped?)")
        c.fail(Exit.DEVICE, [said])
    if found.code is not None:
        said = c.say("有应答，但口令或地址都不对",
                     "it answers, but to no password or address that was tried")
        c.fail(Exit.DEVICE, [said])
    same = found.options == own
    click.echo(c.say("与配置一致" if same else "请改配置：",
                     "as configured" if same else "change the configuration:"))  # fmt: skip
    for key, value in found.options.items():
        click.echo(f"    {key}: {value if key == 'baud' else f'0x{value:08X}'}")


async def _probe(c: Context, own: dict[str, int]) -> Any:
    from kiosk import workshop

    def make(options: dict[str, int]) -> Any:
        # whose module it is, is not known yet: nothing in it is touched
        return make_device(c, "fingerprint", **options, preload=False, security="as_found")

    best = None
    tries = workshop.probe_fingerprint(make, own)
    async for options, found in tries:
        shown = in_words(c, found.code, FAULTS) if found and found.code else "ok"
        if found is None:
            shown = c.say("没有应答", "no answer")
        where = f"{options['baud']} 0x{options['address']:08X}"
        click.echo(f"  {where}: {shown}", err=True)
        best = found or best
    return best


@fingerprint.command("capture")
@seconds_option
@pass_context
def capture(c: Context, seconds: float) -> None:
    """Capture a finger, then the same one again, and compare: does the reader see well?

    Nothing is kept. The daemon must not run.

    Example: examgate device fingerprint capture
    """
    with by_hand(c):
        click.echo(c.say("请放上手指，抬起，再放上同一手指 …",
                         "lay a finger on, lift it, lay the same one on again …"))  # fmt: skip
        outcome, score = asyncio.run(_twice(c, seconds))
    score_words = c.say(f"得分 {score}", f"score {score}")
    click.echo(f"{in_words(c, outcome, OUTCOMES)}, {score_words}")
    if outcome == "no_finger":
        sys.exit(Exit.DECLINED)
    if outcome != "matched":
        sys.exit(Exit.DEVICE)


async def _twice(c: Context, seconds: float) -> tuple[str, int]:
    from kiosk import workshop

    reader = make_device(c, "fingerprint")
    async with workshop.opened(reader):
        return await workshop.same_finger_twice(reader, seconds)


@fingerprint.command("match")
@click.argument("session_id")
@click.argument("admission_no")
@seconds_option
@person_option
@pass_context
def match(c: Context, session_id: str, admission_no: str, seconds: float, person: str) -> None:
    """Compare a finger with the templates that a candidate has on the roster.

    The daemon must not run. For whom it was done is journalled before, and what came of it after.

    Example: examgate device fingerprint match KM1-0900 3706261100001 --person 李工
    """
    from kiosk import workshop

    with by_hand(c, person) as hand:
        pseudonym, templates = _templates(c, hand, session_id, admission_no)
        hand.journal("fingerprint", "match", {"result": "asked", "pseudonym": pseudonym})
        click.echo(c.say("请放上手指 …", "lay the finger on …"))
        outcome, about = asyncio.run(
            workshop.match_finger(make_device(c, "fingerprint"), templates, seconds)
        )
        found = {"result": outcome, "pseudonym": pseudonym} | about
        hand.journal("fingerprint", "match", found)
    words = in_words(c, outcome, OUTCOMES)
    click.echo(" ".join([words, *(f"{k}={v}" for k, v in about.items())]))
    if outcome == "unreadable_template":
        said = c.say("名单里的指纹模板无法读取：请中心重新导出",
                     "templates that cannot be read: have the centre export them again")
        c.fail(Exit.BAD_INPUT, [f"{session_id} {admission_no}: {said}"])
    if outcome != "matched":
        sys.exit(Exit.DECLINED)


def _templates(
    c: Context, hand: Any, session_id: str, admission_no: str
) -> tuple[str, list[bytes]]:
    """(pseudonym, templates) of a candidate."""
    candidate = hand.store.lookup_admission(session_id, admission_no).candidate
    if candidate is None:
        said = c.say("名单里没有这名考生", "this candidate is not on the roster")
        c.fail(Exit.BAD_INPUT, [f"{session_id} {admission_no}: {said}"])
    found = hand.store.templates(candidate.candidate_id)
    if not found:
        c.fail(Exit.BAD_INPUT, [c.say("没有指纹模板", "no fingerprint template")])
    wanted = make_device(c, "fingerprint").template_format
    fitting = [t.data for t in found if t.format == wanted]
    if not fitting:
        formats = ", ".join(sorted({t.format for t in found}))
        said = c.say(f"指纹模板格式为 {formats}，指纹仪只能比对 {wanted}",
                     f"the templates are {formats}, the reader compares {wanted}")  # fmt: skip
        c.fail(Exit.BAD_INPUT, [said])
    return candidate.pseudonym, fitting


# --- the camera -----------------------------------------------------------------------------------


@device.group()
def camera() -> None:
    """The camera."""


@camera.command("view")
@seconds_option
@pass_context
def view(c: Context, seconds: float) -> None:
    """Once a second: size, pictures a second, brightness, sharpness. The daemon must not run.

    Example: examgate device camera view --seconds 10
    """
    _look(c, seconds, bar=False)


@camera.command("focus")
@seconds_option
@pass_context
def focus(c: Context, seconds: float) -> None:
    """A bar that grows as the picture gets sharper: turn the lens until it is longest.

    The daemon must not run.

    Example: examgate device camera focus --seconds 60
    """
    _look(c, seconds, bar=True)


def _look(c: Context, seconds: float, bar: bool) -> None:
    from kiosk import workshop

    with by_hand(c):
        eye = make_device(c, "camera")
        eye.open()
        best, end_s = 1.0, time.monotonic() + seconds
        try:
            while time.monotonic() < end_s:
                left_s = end_s - time.monotonic()
                seen = workshop.look_on(eye, min(left_s, 0.25 if bar else 1.0))
                best = max(best, seen.sharpness)
                share = round(40 * seen.sharpness / best)
                click.echo(
                    f"{'█' * share:<40} {seen.sharpness:8.1f} / {best:.1f}" if bar else
                    f"{seen.width}×{seen.height}  {seen.fps}/s  "
                    + c.say(f"亮度 {seen.brightness}  清晰度 {seen.sharpness}",
                            f"brightness {seen.brightness}  sharpness {seen.sharpness}")
                    + _rate_note(c, seen.fps)
                )  # fmt: skip
        finally:
            eye.close()


def _rate_note(c: Context, fps: float) -> str:
    from kiosk.workshop import LEAST_FPS

    if fps >= LEAST_FPS:
        return ""
    return c.say(f"  ! 少于每秒 {LEAST_FPS:.0f} 幅：光线不足或 USB 太慢",
                 f"  ! under {LEAST_FPS:.0f}/s: too little light, or a slow USB port")  # fmt: skip


@camera.command("snapshot")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@pass_context
def snapshot(c: Context, file: Path) -> None:
    """Write one picture into FILE (.png or .jpg), for yourself alone to read.

    Delete it when nobody needs it: whoever stands there is on it. The daemon must not run.

    Example: examgate device camera snapshot lens.png
    """
    import cv2

    if file.suffix.lower() not in (".png", ".jpg", ".jpeg"):
        said = c.say("必须是 .png 或 .jpg", "must end with .png or .jpg")
        c.fail(Exit.BAD_INPUT, [f"{file}: {said}"])
    with by_hand(c):
        eye = make_device(c, "camera")
        eye.open()
        try:
            frame = eye.newest(-1, 5.0)
        finally:
            eye.close()
    _, coded = cv2.imencode(file.suffix.lower(), frame.image)
    c.write_private(file, coded.tobytes())
    height, width = frame.image.shape[:2]
    click.echo(f"{file} {width}×{height}")
