"""`examgate journal …`: read, follow, verify and export the lane's record."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from kiosk.cli.base import Context, Exit, as_json, pass_context
from kiosk.reasons import reason_text

PAGE = 1000
FOLLOW_TIMEOUT_S = 20 * 86_400.0  #: a quiet lane is no fault; more overflows poll(2)


@click.group()
def journal() -> None:
    """The journal (日志): what was decided and done, append-only."""


@journal.command("list")
@click.option("--after", type=click.IntRange(0), default=0, help="Only entries after this number.")
@click.option(
    "--limit",
    type=click.IntRange(1, 10_000),
    default=100,
    show_default=True,
    help="At most so many entries.",
)
@click.option("--session", "session_id", default=None, help="Only entries of this session.")
@as_json
@pass_context
def list_(c: Context, /, json_: bool, **params: Any) -> None:
    """Entries, oldest first.

    Example: examgate journal list --session KM1-0900
    """
    result = c.call("journal.list", params)
    if json_:
        c.print_json(result)
        return
    headings = c.say("序号,时间,类别,原因,化名,考台", "seq,at,kind,reason,pseudonym,terminal")
    c.print_table(headings.split(","), (_row(c, e) for e in result["entries"]))
    if len(result["entries"]) == params["limit"]:
        c.err.print(c.say(f"可能还有：--after {result['last']}",
                          f"there may be more: --after {result['last']}"))  # fmt: skip


def _row(c: Context, e: dict[str, Any]) -> tuple[object, ...]:
    reason = f"{e['reason']} {reason_text(e['reason'], c.language)}" if e["reason"] else None
    at = datetime.fromisoformat(e["at"]).astimezone(ZoneInfo(c.config.venue.timezone))
    return (e["seq"], f"{at:%m-%d %H:%M:%S}", e["kind"], reason, (e["pseudonym"] or "")[:8] or None,
            e["terminal"])  # fmt: skip


@journal.command()
@pass_context
def follow(c: Context) -> None:
    """What happens, as it happens, until Ctrl-C. Needs the daemon.

    Example: examgate journal follow
    """
    with c.declined(), c.daemon(FOLLOW_TIMEOUT_S) as client, contextlib.suppress(KeyboardInterrupt):
        client.call("lane.subscribe", {"preview": False})
        for message in client.notifications():
            if message.get("method") == "event":
                click.echo(json.dumps(message["params"], ensure_ascii=False))


@journal.command()
@as_json
@pass_context
def verify(c: Context, json_: bool) -> None:
    """Recompute every hash; exit code 1 when anything was bent.

    Example: examgate journal verify
    """
    result = c.call("journal.verify")
    if json_:
        c.print_json(result)
    if result["problems"]:
        c.fail(Exit.DECLINED, [] if json_ else result["problems"])
    if not json_:
        click.echo(c.say(
            f"{result['entries']} 条记录，没有发现改动；根 {result['root']}",
            f"{result['entries']} entries, nothing bent; root {result['root']}",
        ))  # fmt: skip


@journal.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--session", "session_id", default=None, help="Only entries of this session.")
@pass_context
def export(c: Context, file: Path, session_id: str | None) -> None:
    """Write the journal to FILE, one JSON entry a line. An existing file is not overwritten.

    Example: examgate journal export km1-0900.jsonl --session KM1-0900
    """
    count = 0
    with c.new_file(file) as out:
        for entry in _all(c, session_id):
            out.write(json.dumps(entry, ensure_ascii=False) + "\n")
            count += 1
    click.echo(c.say(f"{count} 条记录写入 {file}", f"{count} entries written to {file}"))


@journal.command()
@pass_context
def key(c: Context) -> None:
    """The public key of this lane's journal: publish it once, where everybody can see it.

    Example: examgate journal key > hall.vkey
    """
    click.echo(c.call("journal.head")["vkey"])


@journal.command()
@pass_context
def head(c: Context) -> None:
    """Sign the journal as it is now and print the signed head. Who keeps it can tell later
    whether the past was exchanged.

    Example: examgate journal head > kept.txt
    """
    found = c.call("journal.head")
    if not found["size"]:
        c.fail(Exit.DECLINED, [c.say("日志还是空的", "the journal is empty")])
    click.echo(found["note"], nl=False)


@journal.command()
@click.argument("kept", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--size", type=click.IntRange(1), help="Of the head to lead to. Default: a new one.")
@pass_context
def prove(c: Context, kept: Path, file: Path, size: int | None) -> None:
    """Write a proof to FILE that the signed head in KEPT is the beginning of a later one.

    To check a record against it, the later head must be one of the record's: give its size.

    Example: examgate journal prove kept.txt proof.json --size 1207
    """
    try:
        note = kept.read_text(encoding="utf-8")
        old = int(note.split("\n")[1])
    except OSError as error:
        c.fail(Exit.BAD_INPUT, [f"{kept}: {c.os_error(error)}"])
    except (IndexError, ValueError):
        said = c.say("不是签名树头", "is not a signed head")
        c.fail(Exit.BAD_INPUT, [f"{kept}: {said}"])
    found = c.call("journal.prove", {"old": old, "size": size})
    proof = {"format": "examgate-consistency/1", "old": note} | found
    with c.new_file(file) as out:
        out.write(json.dumps(proof, ensure_ascii=False, sort_keys=True) + "\n")
    click.echo(c.say(f"证明写入 {file}", f"proof written to {file}"))


def _all(c: Context, session_id: str | None) -> Iterator[dict[str, Any]]:
    after = 0
    while True:
        params = {"after": after, "limit": PAGE, "session_id": session_id}
        page = c.call("journal.list", params)
        yield from page["entries"]
        if len(page["entries"]) < PAGE:
            return
        after = page["last"]
