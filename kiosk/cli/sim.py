"""`examgate sim …`: virtual devices on pseudo-terminals, and commands to them while they run."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
from pathlib import Path

import click

from kiosk.cli.base import Context, Exit, GroupWithDefault, pass_context

DEFAULT_FOLDER = Path("sim")
SOCKET = "sim.sock"
ANSWER_S = 60.0

SAID = {
    "ok": ("好", "ok"),
    "through": ("已走过", "through"),
    "locked": ("闸机锁着", "the gate is locked"),
}

folder_option = click.option(
    "--folder", type=click.Path(path_type=Path, file_okay=False),
    default=None,
    help="Where the ports and the socket are. Default: $EXAMGATE_SIM, else for `do` where the "
         "configuration's turnstile is, else ./sim.",
)  # fmt: skip


def _folder(c: Context, given: Path | None, *, running: bool) -> Path:
    """`running`: also where a lane's ports have virtual devices behind them."""
    if given is not None:
        return given
    if named := os.environ.get("EXAMGATE_SIM"):
        return Path(named)
    if running and c.config_path.is_file():
        ports = Path(c.config.devices.turnstile.port).parent
        if (ports / SOCKET).exists():
            return ports
    return DEFAULT_FOLDER


@click.group(cls=GroupWithDefault, default="do")
def sim() -> None:
    """Virtual devices: for training, with a real daemon and no hardware."""


@sim.command("run")
@folder_option
@click.option("--turnstile", type=click.Choice(["modbus", "osdp", "usb_relay"]), default="modbus",
              show_default=True, help="Which board the turnstile has, by its driver.")
@pass_context
def run(c: Context, folder: Path | None, turnstile: str) -> None:
    """Run a turnstile, fingerprint and card readers and a scanner until stopped (Ctrl-C).

    Prints the ports for the `devices` section of a configuration. With --turnstile osdp its key
    (`key_file`) is turnstile.key in the folder.

    Example: examgate sim run --folder /tmp/sim
    """
    from kiosk.demo.sim import Stage

    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    with Stage(_folder(c, folder, running=False), turnstile) as stage:
        for role in ("turnstile", "fingerprint", "id_card", "scanner"):
            click.echo(f"{role}: {getattr(stage, role).port}")
        click.echo(c.say("运行中；另开终端：examgate sim do status",
                         "running; in another terminal: examgate sim do status"))  # fmt: skip
        stopped.wait()


@sim.command("do", context_settings={"ignore_unknown_options": True})
@folder_option
@click.argument("words", nargs=-1, required=True)
@pass_context
def do(c: Context, folder: Path | None, words: tuple[str, ...]) -> None:
    """Tell the running virtual devices what to do.

    Bodies: pass, second-person, turn-back, opposite, climb, stand SECONDS, force, prop on|off;
    outwards: leave, second-leaves, leave-turn-back.
    Hands: finger NAME, bad-finger dry|wet|smeared|few, card NAME, lift, scan CODE.
    Alarm: fire on|off.
    Cables: unplug|plug|heal DEVICE, garble|lose|babble DEVICE RATE, delay DEVICE SECONDS.
    Before the camera: face NAME, photo NAME (held up), camera leave|left|right|centre|blink|
    cover|uncover|freeze|stall|resume.
    Also: dirty SENSOR on|off, status. `sim garble …` is short for `sim do garble …`. With the
    --config of a demonstration's lane its own devices are meant, while it is played.

    Example: examgate sim do garble fingerprint 0.01
    """
    path = _folder(c, folder, running=True) / SOCKET
    try:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(ANSWER_S)
            line.connect(str(path))
            line.sendall(json.dumps(list(words)).encode() + b"\n")
            answer = json.loads(line.makefile("rb").readline())
    except (OSError, ValueError) as error:
        why = c.os_error(error) if isinstance(error, OSError) else error
        said = c.say("没有运行中的虚拟设备", "no virtual devices run here")
        c.fail(Exit.NOT_RUNNING, [f"{path}: {said} ({why}); examgate sim run"])
    if "error" in answer:
        c.fail(Exit.BAD_INPUT, [answer["error"][c.language]])
    said = answer.get("said", "")
    click.echo(c.say(*SAID[said]) if said in SAID else said)
