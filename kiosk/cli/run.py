"""Commands that run something (daemon, screens, demonstration) and the configuration check."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kiosk.cli.base import Context, Exit, as_json, pass_context

if TYPE_CHECKING:
    from kiosk.app import Elsewhere

_FILE = click.Path(path_type=Path, dir_okay=False)


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
@click.option(
    "--connect",
    metavar="HOST:PORT",
    envvar="EXAMGATE_CONNECT",
    default=None,
    help="Of a lane on another computer, over TLS; with --cert, --key and --ca.",
)
@click.option("--cert", type=_FILE, envvar="EXAMGATE_CERT", help="This screen's certificate, PEM.")
@click.option("--key", type=_FILE, envvar="EXAMGATE_KEY", help="Its key, PEM, not encrypted.")
@click.option("--ca", type=_FILE, envvar="EXAMGATE_CA", help="Who vouches for the lane, PEM.")
@pass_context
def ui(
    c: Context,
    role: str,
    windowed: bool,
    robot: Path | None,
    connect: str | None,
    cert: Path | None,
    key: Path | None,
    ca: Path | None,
) -> None:
    """Show the candidate's or the proctor's screen.

    Who stands before the proctor's screen logs in there: examgate staff add. With --connect the
    lane is on another computer, whose network.tls.clients lists this one's certificate.

    Example: examgate ui --role proctor --windowed
    """
    from kiosk import app
    from kiosk.tls import TlsProblem

    lane = None
    if connect is not None:
        if role != "proctor":
            said = c.say("--connect 只用于考试员屏", "--connect is for a proctor's screen")
            c.fail(Exit.USAGE, [said])
        lane = _elsewhere(c, connect, (cert, key, ca))
    try:
        code = app.run_ui(role, c.config, robot=robot, windowed=windowed, lane=lane)
    except TlsProblem as problem:
        c.fail(Exit.BAD_INPUT, [str(problem)])
    sys.exit(code)


def _elsewhere(c: Context, connect: str, files: tuple[Path | None, ...]) -> Elsewhere:
    from kiosk import app

    host, _, port = connect.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65_536:
        example = "192.0.2.10:7443"
        said = c.say(f"应为 主机:端口，例如 {example}", f"must be HOST:PORT, as {example}")
        c.fail(Exit.USAGE, [f"--connect {connect}: {said}"])
    given = [file for file in files if file is not None]
    if len(given) < len(files):
        c.fail(Exit.USAGE, [c.say("--connect 还需要 --cert、--key 和 --ca",
                                  "--connect needs --cert, --key and --ca as well")])  # fmt: skip
    return app.Elsewhere(host.strip("[]"), int(port), *given)


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
    """Say everything that is wrong with FILE (default: the lane's), by line, and what is hardly
    meant so: that alone leaves the exit code at 0.

    Example: examgate config check config.yaml
    """
    from kiosk import app
    from kiosk.config.problems import ConfigError, Problem

    path = file or c.config_path
    problems: list[Problem] = []
    doubts: list[Problem] = []
    try:
        doubts = app.config_doubts(path)
    except ConfigError as error:
        problems = error.problems
    if json_:
        found = {
            name: [
                {"path": p.place, "line": p.line, "message": c.say(p.zh, p.message)} for p in some
            ]
            for name, some in (("problems", problems), ("warnings", doubts))
        }
        c.print_json({"file": str(path)} | found)
    if not json_:
        warning = c.say("警告：", "warning: ")
        for p in doubts:
            c.err.print(f"{warning}{path}: {p.sentence(c.language)}", markup=False, highlight=False)
    if problems:
        said = (f"{path}: {p.sentence(c.language)}" for p in problems)
        c.fail(Exit.BAD_INPUT, () if json_ else said)
    if not json_:
        click.echo(c.say(f"{path}：没有错误", f"{path}: no mistake found") if doubts else
                   c.say(f"{path}：没有问题", f"{path}: no problem found"))  # fmt: skip
