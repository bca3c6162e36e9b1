"""Commands that run something (daemon, screens, demonstration) and the configuration check."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from kiosk.cli.base import Context, Exit, as_json, pass_context


@click.command()
@pass_context
def daemon(c: Context) -> None:
    """Run the lane's daemon in the foreground until SIGTERM.

    Normally the service manager does this: systemctl start examgate.

    Example: examgate --config lane.yaml daemon
    """
    from kiosk import app

    with c.declined():
        sys.exit(app.run_daemon(c.config, c.config_path.resolve()))


@click.command()
@click.option(
    "--role", type=click.Choice(["candidate", "proctor"]), required=True, help="Whose screen."
)
@click.option("--windowed", is_flag=True, help="In a window instead of the whole screen.")
@click.option(
    "--robot",
    type=click.Path(path_type=Path),
    default=None,
    help="Let a robot's hand use this screen through a socket (tests, demonstration).",
)
@pass_context
def ui(c: Context, role: str, windowed: bool, robot: Path | None) -> None:
    """Show the candidate's or the proctor's screen.

    Who stands before the proctor's screen logs in there: examgate staff add.

    Example: examgate ui --role proctor --windowed
    """
    from kiosk import app

    sys.exit(app.run_ui(role, c.config, robot=robot, windowed=windowed))


@click.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("demo-out"),
    show_default=True,
    help="Where screenshots, journals, reports and logs go.",
)
@click.option(
    "--camera",
    type=int,
    default=None,
    metavar="N",
    help="Enrol and admit the person before webcam N instead of playing the cast.",
)
@click.option(
    "--windows/--no-windows",
    default=None,
    help="Open real windows. Default: where there is a display.",
)
@click.option("--fast", is_flag=True, help="The virtual people hurry.")
@click.option(
    "--play/--no-play",
    default=True,
    help="With windows: keep them open afterwards, to play by hand.",
)
@pass_context
def demo(
    c: Context, out: Path, camera: int | None, windows: bool | None, fast: bool, play: bool
) -> None:
    """Play a whole venue on virtual hardware. Exit code 0: everyone ended as they should.

    Example: examgate demo --out /tmp/demo --fast
    """
    from kiosk.demo.main import DemoOptions, run

    sys.exit(run(DemoOptions(out, camera, windows, c.language, fast, play)))


@click.group("config")
def config_group() -> None:
    """Look after the configuration file."""


@config_group.command("check")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), required=False)
@as_json
@pass_context
def check(c: Context, file: Path | None, json_: bool) -> None:
    """Say everything that is wrong with FILE (default: the lane's), by line.

    Example: examgate config check config.yaml
    """
    from kiosk.config import load
    from kiosk.config_problems import ConfigError

    path, problems = file or c.config_path, []
    try:
        load(path)
    except ConfigError as error:
        problems = error.problems
    if json_:
        found = [
            {"path": p.place, "line": p.line, "message": c.say(p.zh, p.message)} for p in problems
        ]
        c.print_json({"file": str(path), "problems": found})
    if problems:
        said = (f"{path}: {p.sentence(c.language)}" for p in problems)
        c.fail(Exit.BAD_INPUT, () if json_ else said)
    if not json_:
        click.echo(c.say(f"{path}：没有问题", f"{path}: no problem found"))
