"""`examgate device turnstile …`: the gate's inputs, and opening it by hand.

While the daemon runs it does the work, for a technician who has logged in with number and PIN;
while it does not, the lane is out of service and the command has the gate to itself.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from kiosk import wire
from kiosk.cli.base import Context, Exit, FloatRange, as_json, pass_context, person_option
from kiosk.cli.device_texts import ENDS, PULSES, in_words
from kiosk.cli.device_tools import by_hand, make_device, seconds_option
from kiosk.cli.devices import turnstile

if TYPE_CHECKING:
    from drivers.errors import DeviceFault

MOST_S = 60.0  #: that the daemon keeps the gate unlocked for a technician
staff_no_option = click.option(
    "--staff-no", help="Your staff number, while the daemon runs. Asked for if it is missing."
)
approved_by_option = click.option(
    "--approved-by", help="While a session is open: the staff number of the chief who approves."
)
pin_stdin_option = click.option(
    "--pin-stdin", is_flag=True,
    help="Read the PINs from standard input, yours first, instead of asking for them.",
)  # fmt: skip


@turnstile.command()
@as_json
@pass_context
def inputs(c: Context, json_: bool) -> None:
    """The levels of the gate's inputs, after inversion. Asks the daemon while it runs.

    Example: examgate device turnstile inputs
    """
    from kiosk import workshop

    with _daemon(c) as client:
        if client is not None:
            found = client.call("device.inputs", {"lang": c.language})["inputs"]
        else:
            with by_hand(c):
                found = asyncio.run(workshop.read_inputs(make_device(c, "turnstile")))
    if json_:
        c.print_json({"inputs": found})
    elif found is None:
        click.echo(c.say("这种闸机没有输入", "this gate has no inputs"))
    else:
        for name, level in found.items():
            click.echo(f"{'●' if level else '○'} {name}")


@turnstile.command()
@seconds_option
@staff_no_option
@approved_by_option
@pin_stdin_option
@person_option
@pass_context
def pulse(
    c: Context, seconds: float, staff_no: str | None, approved_by: str | None, pin_stdin: bool,
    person: str,
) -> None:
    """Unlock once, and say what the sensors saw; it is journalled as opened by hand.

    While the daemon runs it asks for a technician's number and PIN, and while a session is open
    for a chief's as well; nobody may be at the lane. While it does not run, --person is journalled.
    Exit code 5 when the gate did not confirm it.

    Example: examgate device turnstile pulse --seconds 10 --staff-no 1003
    """
    from kiosk import workshop

    with _daemon(c) as client:
        if client is not None:
            ask = _opener(c, client, staff_no, approved_by, pin_stdin, seconds)
            done = ask()
        else:
            with by_hand(c, person) as hand:
                done = asyncio.run(
                    workshop.pulse(make_device(c, "turnstile"), seconds, hand.journal)
                )
    _say_pulse(c, done)
    if not _is_good(done):
        sys.exit(Exit.DEVICE)


@turnstile.command()
@click.argument("times", type=click.IntRange(1, 1000))
@click.option("--seconds", type=FloatRange(0.1, MOST_S), default=1, show_default=True,
              help="How long each unlock lasts; at least its pulse and a little.")
@staff_no_option
@approved_by_option
@pin_stdin_option
@person_option
@pass_context
def cycle(
    c: Context, times: int, seconds: float, staff_no: str | None, approved_by: str | None,
    pin_stdin: bool, person: str,
) -> None:
    """Unlock TIMES times, one after the other; each is journalled. Who may: as for pulse.

    Stops at the first that the gate did not confirm: exit code 5.

    Example: examgate device turnstile cycle 20 --staff-no 1003
    """
    # a relay that is still on from the last time does not pull again
    seconds = max(seconds, c.config.device_options("turnstile")["pulse_ms"] / 1000 + 0.3)
    with _daemon(c) as client:
        if client is not None:
            ask = _opener(c, client, staff_no, approved_by, pin_stdin, seconds)
            results = _cycle(c, ask, times)
        else:
            with by_hand(c, person) as hand:
                results = asyncio.run(_cycle_alone(c, hand, times, seconds))
    good = sum(results)
    click.echo(c.say(f"{good}/{times} 次成功", f"{good} of {times} confirmed"))
    if good != times:
        sys.exit(Exit.DEVICE)


def _cycle(c: Context, ask: Callable[[], Any], times: int) -> list[bool]:
    results: list[bool] = []
    while len(results) < times and all(results):
        done = ask()
        _say_pulse(c, done)
        results.append(_is_good(done))
    return results


async def _cycle_alone(c: Context, hand: Any, times: int, seconds: float) -> list[bool]:
    from kiosk import workshop

    results = []
    async for done in workshop.cycle(make_device(c, "turnstile"), times, seconds, hand.journal):
        _say_pulse(c, done)
        results.append(_is_good(done))
    return results


@turnstile.command("set-key")
@person_option
@pass_context
def set_key(c: Context, person: str) -> None:
    """Give an OSDP board, fresh from the shelf, the key of `key_file`, and check it.

    Where the file does not exist a new key is made; keep a copy of it in a safe place. The board
    must be in its installation mode (its manual says how). The daemon must not run; it is
    journalled. Exit code 5 when the board has another key already.

    Example: examgate device turnstile set-key --person 李工
    """
    from kiosk import workshop

    settings = c.config.device_options("turnstile")
    driver = settings["driver"]
    if driver != "osdp":
        said = c.say(f"驱动 {driver} 没有密钥", f"driver {driver} has no key")
        c.fail(Exit.BAD_INPUT, [f"devices.turnstile.driver: {said}"])
    with by_hand(c, person) as hand:
        about = asyncio.run(workshop.give_key(make_device(c, "turnstile"), hand.journal))
    click.echo(c.say(f"控制板 {about.serial_number:08X} 已使用 {settings['key_file']}",
                     f"board {about.serial_number:08X} uses {settings['key_file']}"))  # fmt: skip


def _say_pulse(c: Context, done: Any) -> None:
    end = in_words(c, done.end or "none", ENDS)
    click.echo(f"{in_words(c, done.result, PULSES)}, {done.ms} ms → {end}")
    if done.fault is not None:
        click.echo(c.fault_sentence(done.fault), err=True)


def _is_good(done: Any) -> bool:
    """Confirmed, and the gate was there to say how it ended: it does, also of a gate that sees
    nothing (`unseen`), unless it is lost."""
    return done.result == "sent" and done.end is not None


# --- through the daemon ---------------------------------------------------------------------------


@contextmanager
def _daemon(c: Context) -> Iterator[wire.Client | None]:
    """The running daemon; None: none runs, and the lane is out of service."""
    from kiosk import app

    with c.declined():
        try:
            client = wire.Client(app.socket_path(c.config), 2 * MOST_S)
        except wire.NotRunning as error:
            c.check_allowed(error)
            yield None
            return
        with client:
            yield client


def _opener(
    c: Context, client: wire.Client, staff_no: str | None, approved_by: str | None,
    pin_stdin: bool, seconds: float,
) -> Callable[[], Any]:
    """Log in; what is returned opens the gate once. Ends the command when declined."""
    from kiosk.workshop import Pulse

    if seconds > MOST_S:
        said = c.say(f"服务运行时最多 {MOST_S:g} 秒", f"at most {MOST_S:g} while the daemon runs")
        c.fail(Exit.BAD_INPUT, [f"--seconds {seconds:g}: {said}"])
    if approved_by is not None and not approved_by.isdigit():
        said = c.say("须为主考的工号", "has to be a chief's staff number")
        c.fail(Exit.BAD_INPUT, [f"--approved-by {approved_by}: {said}"])
    lang = {"lang": c.language}
    log_in(c, client, staff_no, pin_stdin, c.say("运维", "technician"))
    params: dict[str, Any] = {"seconds": seconds} | lang
    if approved_by is not None:
        approval = _pin(c, approved_by, pin_stdin, c.say("（批准）", " (approves)"))
        params["approval"] = {"staff_no": approved_by, "pin": approval}

    def ask() -> Pulse:
        done = client.call("device.pulse", params)
        return Pulse(done["result"], done["end"], done["ms"], _lost(done.get("fault")))

    return ask


def _lost(code: str | None) -> DeviceFault | None:
    """The gate's, by which the daemon lost it in a pulse."""
    from drivers.errors import DeviceFault, FaultCode

    if code is None or code not in set(FaultCode):
        return None
    return DeviceFault("turnstile", FaultCode(code))


def log_in(
    c: Context, client: wire.Client, staff_no: str | None, pin_stdin: bool, role: str
) -> None:
    """This connection is a person's from now on. Raises `wire.RpcError` (number and PIN)."""
    lang = {"lang": c.language}
    client.call("lane.subscribe", {"screen": "technician"} | lang)
    number = staff_no or click.prompt(c.say(f"工号（{role}）", f"your staff number ({role})"))
    pin = _pin(c, number, pin_stdin, "")
    client.call("staff.login", {"staff_no": number, "pin": pin} | lang)


def _pin(c: Context, number: str, from_stdin: bool, what: str) -> str:
    if from_stdin:
        return sys.stdin.readline().strip()
    words = c.say(f"{number} 的密码{what}", f"PIN of {number}{what}")
    asked: str = click.prompt(words, hide_input=True)
    return asked.strip()
