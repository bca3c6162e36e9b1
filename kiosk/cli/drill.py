"""`examgate drill`: a fire drill begun and ended from the command line, as on the proctor's screen.

The daemon does it and journals it under the name of whoever logged in. Knows no gate.
"""

from __future__ import annotations

import click

from kiosk.cli.base import Context, pass_context
from kiosk.cli.gate_tools import log_in, pin_stdin_option, staff_no_option


@click.group()
def drill() -> None:
    """Fire drills: the gate stands open for everybody until the drill is ended.

    In a fire nobody needs this: the fire contact or the proctor's emergency release opens the gate.
    """


@drill.command()
@staff_no_option
@pin_stdin_option
@pass_context
def begin(c: Context, staff_no: str | None, pin_stdin: bool) -> None:
    """Open the gate for everybody, for practice; a chief's number and PIN are asked for.

    Nobody is admitted meanwhile. It is journalled as a drill before the gate opens. Declined while
    somebody is in the gate or the gate stands open already.

    Example: examgate drill begin --staff-no 1001
    """
    with c.declined(), c.daemon() as client:
        log_in(c, client, staff_no, pin_stdin, c.say("主考", "chief proctor"))
        client.call("lane.drill", {"lang": c.language})
    click.echo(c.say(
        "消防演练开始：闸机常开。点名：examgate session rollcall --drill；结束：examgate drill end",
        "the drill has begun: the gate stands open. Roll-call: examgate session rollcall --drill; "
        "end it: examgate drill end",
    ))  # fmt: skip


@drill.command()
@staff_no_option
@pin_stdin_option
@pass_context
def end(c: Context, staff_no: str | None, pin_stdin: bool) -> None:
    """Lock the gate again after a drill; a proctor's or chief's number and PIN are asked for.

    Ends a drill and nothing else: a release in a fire is ended on the proctor's screen. Whoever was
    inside may come in again, after a fresh verification.

    Example: examgate drill end --staff-no 1001
    """
    with c.declined(), c.daemon() as client:
        log_in(c, client, staff_no, pin_stdin, c.say("考试员或主考", "proctor or chief"))
        client.call("lane.resume", {"drill": True, "lang": c.language})
    click.echo(c.say("演练结束，闸机恢复。", "the drill is over and the gate locks again."))
