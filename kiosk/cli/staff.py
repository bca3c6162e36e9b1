"""`examgate staff …`: who may log in at the proctor's screen, and with which PIN.

A PIN is typed twice without being shown, or read from standard input; it is never an argument.
"""

from __future__ import annotations

import sys
from typing import Any

import click

from kiosk.cli.base import Context, Exit, as_json, pass_context, person_option

ROLES = {
    "proctor": ("考试员", "proctor"),
    "chief": ("主考", "chief"),
    "technician": ("运维", "technician"),
}

pin_stdin = click.option(
    "--pin-stdin", is_flag=True, help="Read the PIN from standard input instead of asking for it."
)


@click.group()
def staff() -> None:
    """People at the lane: add, list, set-pin, disable."""


@staff.command("add")
@click.argument("staff_no")
@click.option("--name", required=True, help="As it is journalled and shown.")
@click.option("--role", type=click.Choice(list(ROLES)), required=True, help="What they may do.")
@pin_stdin
@person_option
@pass_context
def add(c: Context, staff_no: str, name: str, role: str, pin_stdin: bool, person: str) -> None:
    """Let somebody log in with STAFF_NO (digits) and a PIN of 6 to 12 digits.

    The lane's first chief is made so, as root or the user examgate on the machine.

    Example: examgate staff add 1001 --name 李敏 --role chief
    """
    pin = read_pin(c, pin_stdin)
    about = {"staff_no": staff_no, "name": name, "role": role, "pin": pin, "person": person}
    c.call("staff.add", about)
    words = c.say(*ROLES[role])
    click.echo(c.say(f"已建立{words} {staff_no} {name}", f"added {words} {staff_no} {name}"))


@staff.command("list")
@person_option
@as_json
@pass_context
def list_(c: Context, person: str, json_: bool) -> None:
    """Everybody with a number at this lane.

    Example: examgate staff list
    """
    found = c.call("staff.list", {"person": person})
    if json_:
        c.print_json(found)
        return
    headings = c.say("工号,姓名,岗位,状态", "number,name,role,state").split(",")
    rows = []
    for one in found["staff"]:
        state = c.say("可登录", "may log in")
        if one["wait_s"]:
            seconds = one["wait_s"]
            state = c.say(f"密码错误，{seconds} 秒后可再试", f"wrong PINs: waits {seconds} s")
        if one["disabled_at"]:
            state = c.say("已停用", "disabled")
        rows.append((one["staff_no"], one["name"], c.say(*ROLES[one["role"]]), state))
    c.print_table(headings, rows)


@staff.command("set-pin")
@click.argument("staff_no")
@pin_stdin
@person_option
@pass_context
def set_pin(c: Context, staff_no: str, pin_stdin: bool, person: str) -> None:
    """Give STAFF_NO a new PIN; a wait after wrong PINs ends.

    Example: examgate staff set-pin 1001
    """
    pin = read_pin(c, pin_stdin)
    c.call("staff.set_pin", {"staff_no": staff_no, "pin": pin, "person": person})
    click.echo(c.say(f"工号 {staff_no} 的密码已更换", f"{staff_no} has a new PIN"))


@staff.command("disable")
@click.argument("staff_no")
@person_option
@pass_context
def disable(c: Context, staff_no: str, person: str) -> None:
    """STAFF_NO may no longer log in; what they did stays in the record under their name.

    Example: examgate staff disable 1003
    """
    c.call("staff.disable", {"staff_no": staff_no, "person": person})
    click.echo(c.say(f"工号 {staff_no} 已停用", f"{staff_no} is disabled"))


def read_pin(c: Context, from_stdin: bool) -> str:
    """Twice the same by hand, or one line of standard input."""
    if from_stdin:
        return sys.stdin.readline().strip()
    first: str = click.prompt(c.say("密码", "PIN"), hide_input=True)
    again: str = click.prompt(c.say("再输入一次", "again"), hide_input=True)
    if first != again:
        said = c.say("两次输入不同，什么也没有改变。", "the two PINs differ; nothing changed.")
        c.fail(Exit.BAD_INPUT, [said])
    return first.strip()


def approval_of(c: Context, who: str, from_stdin: bool) -> dict[str, Any]:
    """`--approved-by` as the method takes it: a number with its PIN, or a name."""
    if not who.isdigit():
        return {"approved_by": who}
    if from_stdin:
        pin = sys.stdin.readline().strip()
    else:
        words = c.say(f"{who} 的密码（批准）", f"PIN of {who} (approves)")
        pin = click.prompt(words, hide_input=True).strip()
    return {"approval": {"staff_no": who, "pin": pin}}
