"""`examgate logs` and `examgate metrics`: what the lane says of itself, for people and for
monitoring. Neither has personal data: codes, counts and ids.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import click

from kiosk import wire
from kiosk.cli.base import Context, Exit, pass_context

UNITS = "examgate*"
LEVELS = ("debug", "info", "warning", "error", "critical")


@click.command()
@click.option("--since", default="-1h", show_default=True,
              help="From when on, as journalctl takes it.")
@click.option("--level", type=click.Choice(LEVELS), default="info", show_default=True,
              help="The least that is shown.")
@click.option("--follow", is_flag=True, help="Go on with what comes.")
@click.option("--raw", is_flag=True, help="The lines as they were written (JSON).")
@pass_context
def logs(c: Context, since: str, level: str, follow: bool, raw: bool) -> None:
    """The log of the daemon, its face worker and its screens, from the system's journal.

    Example: examgate logs --since today --level warning
    """
    if shutil.which("journalctl") is None:
        said = c.say("这台机器没有 journalctl；日志在守护进程的标准错误里",
                     "there is no journalctl here; the log is on the daemon's standard error")
        c.fail(Exit.NOT_RUNNING, [said])  # fmt: skip
    argv = ["journalctl", "-u", UNITS, "--since", since, "-o", "cat", "--no-pager"]
    process = subprocess.Popen([*argv, *(["-f"] if follow else [])], stdout=subprocess.PIPE,
                               text=True)  # fmt: skip
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if (shown := line.rstrip("\n") if raw else readable(line, level)) is not None:
                click.echo(shown)
    except KeyboardInterrupt:
        process.terminate()
    process.stdout.close()
    if process.wait() not in (0, -15):
        said = c.say("journalctl 没有给出日志：服务是否由 systemd 运行？",
                     "journalctl gave no log: does systemd run the service?")  # fmt: skip
        c.fail(Exit.DECLINED, [said])


def readable(line: str, least: str) -> str | None:
    """One line for people; None when it is below `least`. What is not ours stays as it is."""
    try:
        entry = json.loads(line)
    except ValueError:
        return line.rstrip("\n")
    if not isinstance(entry, dict) or "event" not in entry:
        return line.rstrip("\n")
    level = str(entry.pop("level", "info"))
    if level in LEVELS and LEVELS.index(level) < LEVELS.index(least):
        return None
    at = str(entry.pop("timestamp", ""))[:19]
    what = entry.pop("event")
    about = " ".join(f"{k}={v}" for k, v in entry.items())
    return f"{at} {level:<8} {what} {about}".rstrip()


@click.command()
@pass_context
def metrics(c: Context) -> None:
    """What monitoring wants, as Prometheus text on standard output.

    For the node exporter's textfile collector, from a timer. While the daemon does not run there
    is only `examgate_up 0`, and the exit code is 0: that is what monitoring must learn.

    Example: examgate metrics
    """
    click.echo(metrics_text(c), nl=False)


def metrics_text(c: Context) -> str:
    """Prometheus' text format."""
    from prometheus_client import CollectorRegistry, Gauge, generate_latest

    registry = CollectorRegistry()
    up = Gauge("examgate_up", "1 while the lane's daemon answers", ["lane"], registry=registry)
    lane = c.config.lane.id
    up.labels(lane).set(0)
    gauges: dict[str, Gauge] = {}
    for name, about, labels, value in _measured(c, lane, up):
        if name not in gauges:
            gauges[name] = Gauge(name, about, list(labels), registry=registry)
        gauges[name].labels(**labels).set(value)
    return generate_latest(registry).decode()


Measured = tuple[str, str, dict[str, str], float]


def _measured(c: Context, lane: str, up: Any) -> Iterator[Measured]:
    from kiosk import app

    folder = c.config.paths.data
    while not folder.exists():
        folder = folder.parent
    me = {"lane": lane}
    usage = shutil.disk_usage(folder)
    yield "examgate_disk_free_bytes", "Room where evidence is kept", me, usage.free
    least = c.config.disk.min_free_mb * 1024 * 1024
    yield "examgate_disk_needed_bytes", "Below it no session opens", me, least
    try:
        with wire.Client(app.socket_path(c.config), 10.0) as client:
            info, state = client.call("lane.info"), client.call("lane.state")
            head = client.call("journal.head")
    except (wire.NotRunning, wire.RpcError, ConnectionError, TimeoutError):
        return
    up.labels(lane).set(1)
    yield "examgate_uptime_seconds", "Since the daemon started", me, info["uptime_s"]
    yield "examgate_journal_entries", "Entries of the journal", me, head["size"]
    for name, device in state["devices"].items():
        labels = me | {"device": name}
        yield "examgate_device_ok", "1 while the device is well", labels, bool(device["ok"])
    yield ("examgate_lane_state", "1 for the state the lane is in",
           me | {"state": state["state"]}, 1)  # fmt: skip
    yield "examgate_help_waiting", "1 while a candidate waits for help", me, state["help_waiting"]
    yield "examgate_alerts", "Alerts that nobody has looked at", me, state["alerts"]
    session = state["session"] or {}
    for key, about in (("booked", "Candidates of the open session"),
                       ("seated", "… who have a terminal and are not inside"),
                       ("inside", "… who are inside"), ("free_terminals", "Terminals left")):
        if session.get(key) is not None:
            yield f"examgate_session_{key}", about, me, session[key]  # fmt: skip
