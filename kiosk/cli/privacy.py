"""`examgate privacy …`: what the lane holds about people, and its end."""

from __future__ import annotations

from typing import Any

import click

from kiosk.cli.base import Context, Exit, as_json, pass_context, person_option
from kiosk.cli.document import dispute

KINDS = ("candidates", "templates", "captures", "signatures", "faces", "reports")


@click.group()
def privacy() -> None:
    """What is held about candidates: say it, hand it out, end it."""


@privacy.command("report")
@click.option("--number", help="Only about who has this identity or admission number.")
@as_json
@pass_context
def report(c: Context, number: str | None, json_: bool) -> None:
    """Say what is held, by session, and what is past its retention.

    Example: examgate privacy report
    """
    if number is not None:
        _about(c, number, json_)
        return
    found = c.call("privacy.report")
    if json_:
        c.print_json(found)
        return
    days = found["days"]
    click.echo(c.say(
        f"保存期限：{f'{days} 天' if days is not None else '未设定（retention.days）'}",
        f"kept for: {f'{days} days' if days is not None else 'not decided (retention.days)'}",
    ))  # fmt: skip
    headings = c.say(
        "场次,结束,考生,指纹模板,抓拍,签名,人脸,报告,到期",
        "session,ended,candidates,templates,captures,signatures,faces,reports,due",
    )
    due = c.say("是", "yes")
    c.print_table(
        headings.split(","),
        ((s["session_id"], c.when(s["ended"]), *(s[k] for k in KINDS),
          due if s["due"] else None) for s in found["sessions"]),
    )  # fmt: skip


def _about(c: Context, number: str, json_: bool) -> None:
    found = c.call("privacy.about", {"number": number})
    held: list[dict[str, Any]] = found["held"]
    if found["problem"] is not None:
        c.fail(Exit.BAD_INPUT, [f"--number: {found['problem']}"])
    if json_:
        c.print_json({"held": held})
        return
    if not held:
        click.echo(c.say("没有保存此人的任何资料", "nothing is held about this person"))
        return
    headings = c.say("场次,导入,来源,指纹模板,抓拍,签名,人脸",
                     "session,imported,source,templates,captures,signatures,faces")  # fmt: skip
    c.print_table(
        headings.split(","),
        ((h["session_id"], c.when(h["imported_at"]), h["source"], h["templates"], h["captures"],
          h["signatures"], h["day_faces"]) for h in held),
    )  # fmt: skip


@privacy.command("purge")
@click.option("--session", "session_id", help="This session, whether it is due or not.")
@click.option("--due", is_flag=True, help="Every session that is past its retention.")
@click.option("--why", default="by hand", help="The reason, for the journal. Default: by hand.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@person_option
@pass_context
def purge(c: Context, session_id: str | None, due: bool, why: str, yes: bool, person: str) -> None:
    """Destroy what is held about a session's candidates. It cannot be undone.

    Photographs, templates, live pictures, signatures, names and numbers; the journal stays, and
    names nobody.

    Example: examgate privacy purge --due
    """
    if (session_id is None) == (not due):
        raise click.UsageError(c.say("请给出 --session 或 --due", "give --session or --due"))
    sessions = [session_id] if session_id else [
        s["session_id"] for s in c.call("privacy.report")["sessions"] if s["due"]
    ]  # fmt: skip
    if not sessions:
        click.echo(c.say("没有到期的场次", "no session is due"))
        return
    asked = c.say(f"永久销毁 {', '.join(sessions)} 的考生资料？",
                  f"Destroy the candidates' data of {', '.join(sessions)} for good?")  # fmt: skip
    if not yes and not click.confirm(asked):
        c.fail(Exit.DECLINED, [c.say("未作更改", "nothing was changed")])
    for name in sessions:
        done = c.call("privacy.purge", {"session_id": name, "why": why, "person": person})
        click.echo(c.say(
            f"{name}：已销毁 {done['candidates']} 名考生的资料",
            f"{name}: the data of {done['candidates']} candidates are destroyed",
        ))  # fmt: skip


privacy.add_command(dispute, "export-subject")
