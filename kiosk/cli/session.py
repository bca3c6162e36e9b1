"""`examgate session …`: create, open, close, look."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from kiosk.cli.base import Context, as_json, pass_context, person_option


def terminal_names(text: str) -> list[str]:
    """001-020,031 → 001 … 020, 031. Raises `click.BadParameter` naming the piece."""
    names: list[str] = []
    for piece in filter(None, (p.strip() for p in text.split(","))):
        span = re.fullmatch(r"(\D*)(\d+)-(\d+)", piece)
        if span is None:
            names.append(piece)
            continue
        prefix, first, last = span.groups()
        if int(last) < int(first) or int(last) - int(first) >= 500:
            raise click.BadParameter(f"{piece}: a range goes up, by at most 500")
        width = len(first)
        names += [f"{prefix}{n:0{width}d}" for n in range(int(first), int(last) + 1)]
    if len(set(names)) != len(names):
        twice = sorted({n for n in names if names.count(n) > 1})
        raise click.BadParameter(f"listed twice: {', '.join(twice[:5])}")
    return names


def _terminals(_: Any, __: Any, value: str) -> list[str]:
    return terminal_names(value)


def _moment(_: Any, __: Any, value: str) -> str:
    try:
        return datetime.fromisoformat(value).isoformat()
    except ValueError:
        raise click.BadParameter(f"{value}: write it as 2026-11-24T09:00") from None


@click.group()
def session() -> None:
    """Sessions (场次): create, open, close, status."""


@session.command()
@click.argument("session_id")
@click.option("--subject", required=True, help="Such as 科目一.")
@click.option(
    "--starts-at",
    required=True,
    callback=_moment,
    help="The venue's time, such as 2026-11-24T09:00.",
)
@click.option(
    "--terminals",
    required=True,
    callback=_terminals,
    help="Terminals in the hall's order, such as 001-040,051.",
)
@click.option("--out-of-service", default="", callback=_terminals, help="Terminals not to be used.")
@click.option("--capacity", type=click.IntRange(1), help="At most so many candidates.")
@click.option("--early-s", type=click.IntRange(0), help="Check-in opens so long before the start.")
@click.option("--late-s", type=click.IntRange(0), help="… and closes so long after it.")
@person_option
@as_json
@pass_context
def create(c: Context, /, json_: bool, **params: Any) -> None:
    """Add a session.

    Example: examgate session create KM1-0900 --subject 科目一 --starts-at 2026-11-24T09:00
    --terminals 001-040
    """
    _show(c, [c.call("session.create", params)], json_)


@session.command("open")
@click.argument("session_id")
@person_option
@as_json
@pass_context
def open_(c: Context, session_id: str, person: str, json_: bool) -> None:
    """Begin check-in. Declined with every reason at once when something is not ready.

    Example: examgate session open KM1-0900 --person 李老师
    """
    _show(c, [c.call("session.open", {"session_id": session_id, "person": person})], json_)


@session.command()
@click.argument("session_id")
@person_option
@as_json
@pass_context
def close(c: Context, session_id: str, person: str, json_: bool) -> None:
    """End a session for good and reveal the seed of its draw.

    Example: examgate session close KM1-0900 --person 李老师
    """
    _show(c, [c.call("session.close", {"session_id": session_id, "person": person})], json_)


@session.command()
@click.argument("session_id", required=False)
@as_json
@pass_context
def status(c: Context, session_id: str | None, json_: bool) -> None:
    """How one session stands, or all of them.

    Example: examgate session status KM1-0900
    """
    _show(c, c.call("session.status", {"session_id": session_id})["sessions"], json_)


@session.command("list")
@as_json
@pass_context
def list_(c: Context, json_: bool) -> None:
    """All sessions of this lane.

    Example: examgate session list
    """
    _show(c, c.call("session.status", {"session_id": None})["sessions"], json_)


def _show(c: Context, sessions: list[dict[str, Any]], json_: bool) -> None:
    if json_:
        c.print_json({"sessions": sessions})
        return
    headings = c.say(
        "场次,科目,状态,入场开始,入场结束,报名,已抽号,已入场,空闲考台,停用",
        "session,subject,state,check-in from,until,booked,seated,inside,free,out of service",
    ).split(",")
    c.print_table(headings, (_row(c, s) for s in sessions))


def _row(c: Context, s: dict[str, Any]) -> tuple[object, ...]:
    zone = ZoneInfo(c.config.venue.timezone)
    window = [
        datetime.fromisoformat(s[k]).astimezone(zone).strftime("%m-%d %H:%M")
        for k in ("checkin_from", "checkin_until")
    ]
    out = " ".join(s["out_of_service"]) or None
    return (s["session_id"], s["subject"], s["state"], *window, s["booked"], s["seated"],
            s["inside"], s["free_terminals"], out)  # fmt: skip


@session.command()
@click.argument("session_id")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@pass_context
def export(c: Context, session_id: str, file: Path) -> None:
    """Write a session's record to FILE: one file with which anybody can check it.

    It names nobody. An existing file is not overwritten. Check it with: examgate audit FILE

    Example: examgate session export KM1-0900 km1-0900.record
    """
    with c.declined(), c.office() as ask, c.new_file(file) as out:
        begun = ask("record.begin", {"session_id": session_id})
        written = 0
        while written < begun["lines"]:
            part = ask("record.lines", {"record_id": begun["record_id"], "after": written})
            out.writelines(f"{line}\n" for line in part["lines"])
            written += len(part["lines"])
    click.echo(
        c.say(f"记录写入 {file}（{written} 行）", f"record written to {file} ({written} lines)")
    )
