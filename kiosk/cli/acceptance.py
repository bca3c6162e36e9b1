"""`examgate acceptance`: a shift's start, device by device, and the signed equipment ledger."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import click

from kiosk.cli.base import Context, Exit, pass_context, person_option

MARKS = {"passed": "✓", "failed": "✗", "skipped": "–"}


@click.command()
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=None,
              help="Folder of the ledgers. Default: `ledgers` in the lane's data folder.")
@click.option("--no-hands", is_flag=True,
              help="Only what needs nobody: no finger, card or passage is asked for.")
@click.option("--seconds", type=click.FloatRange(1, 300), default=20, show_default=True,
              help="How long each finger, card or passage is waited for.")
@person_option
@pass_context
def acceptance(
    c: Context, out: Path | None, no_hands: bool, seconds: float, person: str
) -> None:
    """Go through every device at a shift's start and sign what was found.

    The daemon must not run. It asks for a finger, a card and one walk through the gate, then
    writes the ledger of the day, signed with the lane's key, and journals its hash. Exit code 5
    when a device failed.

    Example: examgate acceptance --person 李工
    """
    from kiosk import app

    def ask(role: str) -> None:
        words = {
            "turnstile": c.say("闸机将打开一次：请走过去", "the gate opens once: walk through"),
            "fingerprint": c.say("请把手指放在指纹仪上", "lay a finger on the reader"),
            "id_card": c.say("请放上任意一张身份证", "lay any identity card on the reader"),
            "camera": c.say("请站到摄像头前", "stand before the camera"),
        }
        click.echo(f"  {words[role]} …")

    def show(check: dict[str, Any]) -> None:
        name = c.device_name(check["device"])
        click.echo(f"{MARKS[check['outcome']]} {name}: {check['says'] or check['code'] or ''}")

    with c.declined():
        done = asyncio.run(
            app.accept(
                c.config, person=person, hands=not no_hands, seconds=seconds, ask=ask, show=show,
                folder=out,
            )
        )
    click.echo(c.say(f"设备台账已签名：{done.file}", f"equipment ledger, signed: {done.file}"))
    if done.failed:
        sys.exit(Exit.DEVICE)
