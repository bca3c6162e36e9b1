"""The `examgate` command: options common to all, and the groups. Each group is its own file."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from typing import Any

import click

import kiosk.cli.device_tools
import kiosk.cli.gate_tools  # noqa: F401 - both add to the group device
from kiosk.cli.acceptance import acceptance
from kiosk.cli.audit import audit
from kiosk.cli.base import DEFAULT_CONFIG, Context, Exit, default_language
from kiosk.cli.centre import centre, key_group
from kiosk.cli.devices import device
from kiosk.cli.doctor.command import doctor
from kiosk.cli.document import dispute, report
from kiosk.cli.draw import draw
from kiosk.cli.drill import drill
from kiosk.cli.enrol import enrol
from kiosk.cli.face import face
from kiosk.cli.journal import journal
from kiosk.cli.observe import logs, metrics
from kiosk.cli.outbox import outbox
from kiosk.cli.privacy import privacy
from kiosk.cli.roster import roster
from kiosk.cli.run import config_group, daemon, demo, ui
from kiosk.cli.session import session
from kiosk.cli.signature import signature
from kiosk.cli.sim import sim
from kiosk.cli.staff import staff
from kiosk.cli.terminal import terminal
from kiosk.cli.usb import usb

EPILOG = (
    "Exit codes: 0 done; 1 declined or a check failed; 2 wrong usage; 3 bad configuration or "
    "input; 4 the daemon is not running; 5 a device does not work; 130 interrupted. Start with: "
    "examgate doctor"
)


def _show_version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        from kiosk import app

        click.echo(f"examgate {app.version()}")
        context.exit()


class Main(click.Group):
    """Says in words when a command was stopped (Ctrl-C), or a question could not be answered:
    there is nobody at the keyboard."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except KeyboardInterrupt:
            c = context.obj
            click.echo(err=True)  # not behind the terminal's ^C
            c.fail(Exit.INTERRUPTED, [c.say("已中断", "interrupted")])
        except OSError as error:
            if error.errno != errno.ENOSPC or error.filename is not None:
                raise
            sys.stdout = open(os.devnull, "w")  # noqa: SIM115, what is left has nowhere to go
            c = context.obj
            said = c.say("无法输出", "the output cannot be written")
            c.fail(Exit.BAD_INPUT, [f"{said}: {c.os_error(error)}"])
        except click.Abort as error:  # of a question: Ctrl-C, or nobody to answer it
            c = context.obj
            if isinstance(error.__context__, KeyboardInterrupt):
                c.fail(Exit.INTERRUPTED, [c.say("已中断", "interrupted")])
            said = c.say("已中断：没有输入", "interrupted: nothing was entered")
            c.fail(Exit.DECLINED, [said])
        except Exception as error:
            from kiosk.face.models import WrongModel

            if not isinstance(error, WrongModel):  # of whichever command needs faces
                raise
            context.obj.fail(Exit.BAD_INPUT, [error.sentence(context.obj.language)])


@click.group(cls=Main, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path, dir_okay=False),
    default=lambda: Path(os.environ.get("EXAMGATE_CONFIG", DEFAULT_CONFIG)),
    help=f"The lane's configuration. Default: $EXAMGATE_CONFIG, else {DEFAULT_CONFIG}.",
)
@click.option(
    "--lang",
    "language",
    type=click.Choice(["zh", "en"]),
    default=default_language,
    help="Language of messages. Default: the terminal's.",
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version.",
)
@click.pass_context
def main(context: click.Context, config_path: Path, language: str) -> None:
    """Drive and look after one lane of a driving-theory exam hall.

    A day begins with `examgate doctor`, `examgate roster import DIR`, `examgate session create`
    and `examgate session open`.
    """
    context.obj = Context(config_path, language)


COMMANDS = (
    daemon, ui, demo, doctor, config_group, roster, enrol, session, terminal, face, draw, journal,
    audit, dispute, signature, device, drill, acceptance, sim, logs, metrics, centre, key_group,
    privacy, outbox, staff,
)  # fmt: skip
session.add_command(report)
roster.add_command(usb)
for command in COMMANDS:
    main.add_command(command)

if __name__ == "__main__":
    main(prog_name="examgate")
