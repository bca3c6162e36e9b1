"""`examgate outbox …`: what has gone to the centre, and what has not."""

from __future__ import annotations

import click

from kiosk.cli.base import Context, Exit, as_json, pass_context, person_option
from kiosk.told import in_language

KINDS = {
    "journal": ("日志", "entries"),
    "checkpoint": ("树头", "signed heads"),
    "signature": ("签名", "signatures"),
    "capture": ("现场照片", "pictures"),
    "report": ("报告", "reports"),
    "report_table": ("报告数据表", "reports' tables"),
}


def _kind(c: Context, kind: str) -> str:
    """As it is where somebody has bent the database."""
    return c.say(*KINDS.get(kind, (kind, kind)))


@click.group()
def outbox() -> None:
    """The record's way to the centre: journal entries, signed heads, and evidence."""


@outbox.command()
@as_json
@pass_context
def status(c: Context, json_: bool) -> None:
    """Say how much waits, since when, and what the centre did not take.

    Exit code 1 when something was rejected.

    Example: examgate outbox status
    """
    found = c.call("outbox.status")
    if json_:
        c.print_json(found)
    else:
        since = c.when(found["oldest"])
        click.echo(c.say(
            f"等待上传 {found['waiting']} / {found['total']} 条，最早 {since}",
            f"waiting: {found['waiting']} of {found['total']} rows, since {since}",
        ))  # fmt: skip
        headings = c.say("种类,共,等待,未接受,腾出空间时删除,到期删除",
                         "kind,total,waiting,rejected,thinned,forgotten").split(",")  # fmt: skip
        c.print_table(headings, (
            (_kind(c, k["kind"]), k["total"], k["waiting"], k["rejected"], k["thinned"],
             k["forgotten"]) for k in found["kinds"]
        ))  # fmt: skip
        if found["rejected"]:
            headings = c.say("编号,种类,序号,产生,原因", "row,kind,number,made,why").split(",")
            c.print_table(headings, (
                (r["outbox_id"], _kind(c, r["kind"]), r["ref"], c.when(r["created_at"]),
                 r["why"]) for r in found["rejected"]
            ))  # fmt: skip
    if found["rejected"]:
        c.fail(Exit.DECLINED, [])


@outbox.command()
@pass_context
def send(c: Context) -> None:
    """Send what waits now; for when the daemon is stopped. A running daemon does it by itself.

    Example: examgate outbox send
    """
    from kiosk import app_centre
    from kiosk.centre.download import host_of
    from kiosk.centre.upload import UploadError

    if not c.config.centre.record_url:
        said = c.say("请在 config.yaml 中设置 centre.record_url",
                     "set centre.record_url in config.yaml")  # fmt: skip
        c.fail(Exit.BAD_INPUT, [said])
    with c.declined():
        try:
            sent, left = app_centre.send_outbox(c.config)
        except UploadError as error:
            said = c.say("上传失败，数据仍在本机", "nothing more could be sent; all of it is kept")
            where = f"centre.record_url ({host_of(c.config.centre.record_url)})"
            c.fail(Exit.DECLINED, [f"{where}: {in_language(error.why, c.language)}", said])
        except (OSError, ValueError) as error:
            c.fail(Exit.BAD_INPUT, [f"centre: {error}"])
    click.echo(c.say(f"已上传 {sent} 条，剩余 {left} 条", f"sent {sent} rows, {left} left"))


@outbox.command()
@click.option("--from", "since", type=click.IntRange(min=1),
              help="Also what the centre had from this entry on: it lost it.")  # fmt: skip
@person_option
@pass_context
def retry(c: Context, since: int | None, person: str) -> None:
    """Send again what the centre has rejected, after the reason is gone.

    With --from also everything since that entry: the centre's database is an older copy.

    Example: examgate outbox retry --from 1200
    """
    asked = {"person": person} if since is None else {"person": person, "since": since}
    rows = c.call("outbox.again", asked)["rows"]
    click.echo(c.say(f"{rows} 条将重新上传", f"{rows} rows will be sent again"))
