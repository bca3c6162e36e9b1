"""`examgate device …`: what is configured, how it is, and the gate's safe state."""

from __future__ import annotations

import click

from kiosk.cli.base import Context, as_json, pass_context
from kiosk.cli.device_texts import FAULTS, in_words
from kiosk.logs import without_credentials


@click.group()
def device() -> None:
    """The lane's devices."""


@device.command("list")
@as_json
@pass_context
def list_(c: Context, json_: bool) -> None:
    """What is configured: role, driver, port.

    Example: examgate device list
    """
    from kiosk import app

    rows = [
        {"role": role, "driver": c.config.device_options(role)["driver"],
         "port": app.port_of(c.config, role)}
        for role in app.roles_of(c.config)
    ]  # fmt: skip
    if json_:
        c.print_json({"devices": rows})
        return
    c.print_table(
        c.say("设备,驱动,端口", "role,driver,port").split(","), (r.values() for r in rows)
    )


@device.command()
@as_json
@pass_context
def status(c: Context, json_: bool) -> None:
    """How each device is, as the running daemon sees it.

    Example: examgate device status
    """
    result = c.ask_daemon("device.status")
    if json_:
        c.print_json(result)
        return
    headings = c.say("设备,正常,故障,自,端口,说明", "role,well,fault,since,port,detail").split(",")
    c.print_table(
        headings,
        ((role, "✓" if d["ok"] else "✗", d["code"] and in_words(c, d["code"], FAULTS),
          c.when(d["since"]), without_credentials(d["port"]) or "–", d["detail"])
         for role, d in result.items()),
    )  # fmt: skip


@device.group()
def turnstile() -> None:
    """The turnstile."""


@turnstile.command("safe-state")
@pass_context
def safe_state(c: Context) -> None:
    """Put the gate into its configured safe state; for when the daemon is not running.

    A gate that a fire alarm has opened stays open until a person ends that in the lane.

    The service manager calls this whenever the daemon has ended.

    Example: examgate device turnstile safe-state
    """
    from kiosk import app_devices

    with c.declined():
        state = app_devices.safe_state(c.config)
    if state == "fire":
        click.echo(
            c.say(
                "消防联动尚未解除：闸机保持常开。请启动服务，由考试员在屏幕上解除。",
                "the fire release has not been ended: the gate stays open. Start the daemon and "
                "end the release on the proctor's screen.",
            )
        )
        return
    click.echo(c.say(f"闸机已置于：{state}", f"the gate is {state}"))
