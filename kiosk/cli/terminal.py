"""`examgate terminal …`: the exam terminals of a session, and what is changed about one."""

from __future__ import annotations

from typing import Any

import click

from kiosk.cli.base import Context, as_json, pass_context, person_option

_WORDS = {
    "free": ("空闲", "free"),
    "held": ("已抽出", "drawn"),
    "inside": ("已入场", "inside"),
}


@click.group()
def terminal() -> None:
    """Exam terminals (考台) of a session: list, set."""


@terminal.command("list")
@click.argument("session_id")
@as_json
@pass_context
def list_(c: Context, session_id: str, json_: bool) -> None:
    """Terminals in the hall's order, with what they are for and whether they are taken.

    Example: examgate terminal list KM1-0900
    """
    found = c.call("terminal.list", {"session_id": session_id})
    if json_:
        c.print_json(found)
        return
    headings = c.say("考台,排,列,状态,说明,准驾车型", "terminal,row,column,state,notes,classes")
    c.print_table(headings.split(","), (_row(c, t) for t in found["terminals"]))


def _row(c: Context, t: dict[str, Any]) -> tuple[object, ...]:
    notes = [
        c.say(zh, en)
        for wanted, zh, en in (
            (not t["in_service"], "停用", "out of service"),
            (t["reserved"], "保留", "reserved"),
            (t["accessible"], "无障碍", "accessible"),
        )
        if wanted
    ]
    state = c.say(*_WORDS[t["standing"]])
    classes = " ".join(t["classes"]) or None
    return (t["name"], t.get("row"), t.get("column"), state, " ".join(notes) or None, classes)


@terminal.command("set")
@click.argument("session_id")
@click.argument("terminal")
@click.option("--in-service/--out-of-service", default=None, help="Whether it may be drawn at all.")
@click.option("--reserved/--not-reserved", default=None, help="Kept back by the office.")
@click.option("--accessible/--not-accessible", default=None, help="For who needs such a one.")
@click.option("--classes", help="Licence classes it serves, such as C1,C2; '' for all.")
@click.option("--reason", required=True, help="Why; it is journalled.")
@person_option
@pass_context
def set_(c: Context, /, classes: str | None, **params: Any) -> None:
    """Change what a terminal is. A seat that was drawn stays drawn: see session void.

    Example: examgate terminal set KM1-0900 017 --out-of-service --reason "screen is dark"
    """
    listed = None if classes is None else [part for part in classes.upper().split(",") if part]
    c.call("terminal.set", params | {"classes": listed})
    click.echo(c.say(f"考台 {params['terminal']} 已更改", f"terminal {params['terminal']} changed"))
