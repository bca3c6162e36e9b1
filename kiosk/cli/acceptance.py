"""`examgate acceptance`: a shift's start, device by device, and the signed equipment ledger; and
the check of a ledger, anywhere."""

from __future__ import annotations

import asyncio
import sys
from functools import partial
from pathlib import Path
from typing import Any

import click

from kiosk.cli.audit import key_text, read_text
from kiosk.cli.base import (
    Context,
    Exit,
    FloatRange,
    GroupWithDefault,
    as_json,
    ended_in_order,
    pass_context,
    person_option,
)  # fmt: skip
from kiosk.cli.device_texts import ENDS, FAULTS, OUTCOMES, PULSES, in_words

PAGE = 1000
MARKS = {"passed": "✓", "failed": "✗", "skipped": "–"}


@click.group(cls=GroupWithDefault, default="run", bare=True)
def acceptance() -> None:
    """A shift's start: every device once, and the equipment ledger of the day.

    `examgate acceptance` alone is `acceptance run`.
    """


@acceptance.command("run")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=None,
              help="Folder of the ledgers. Default: `ledgers` in the lane's data folder.")
@click.option("--no-hands", is_flag=True,
              help="Only what needs nobody: no finger, card or passage is asked for.")
@click.option("--seconds", type=FloatRange(1, 300), default=20, show_default=True,
              help="How long each finger, card or passage is waited for.")
@person_option
@pass_context
def run(c: Context, out: Path | None, no_hands: bool, seconds: float, person: str) -> None:
    """Go through every device at a shift's start and sign what was found.

    The daemon must not run. It asks for a finger, a card and one walk through the gate, then
    writes the ledger of the day, signed with the lane's key, and journals its hash. Exit code 5
    when a device failed.

    Example: examgate acceptance run --person 李工
    """
    from kiosk import app_devices

    def ask(role: str) -> None:
        words = {
            "turnstile": c.say("闸机将打开一次：请走过去", "the gate opens once: walk through"),
            "fingerprint": c.say("请把手指放在指纹仪上", "lay a finger on the reader"),
            "id_card": c.say("请放上任意一张身份证", "lay any identity card on the reader"),
            "scanner": c.say("请把任意一张准考证的码对准扫码器",
                             "hold any slip's code to the scanner"),
            "camera": c.say("请站到摄像头前", "stand before the camera"),
        }
        click.echo(f"  {words[role]} …")

    with ended_in_order(), c.declined():
        done = asyncio.run(
            app_devices.accept(
                c.config, person=person, hands=not no_hands, seconds=seconds, ask=ask,
                show=partial(_show, c), folder=out,
            )
        )
    click.echo(c.say(f"设备台账已签名：{done.file}", f"equipment ledger, signed: {done.file}"))
    if done.failed:
        sys.exit(Exit.DEVICE)


@acceptance.command("verify")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--key", "vkey",
              help="The hall's published verifier key, or a file with it; then no lane is needed. "
                   "Default: this lane's, whose journal is searched for the ledger as well.")
@as_json
@pass_context
def verify(c: Context, file: Path, vkey: str | None, json_: bool) -> None:
    """Check a ledger: signed by the lane, unchanged, and (at the lane) in its journal.

    Exit code 1 when it is not what was signed; which devices failed on the day is only said.

    Example: examgate acceptance verify equipment-20261124-073000.txt --key hall.vkey
    """
    from kiosk.audit.ledger import read_ledger
    from kiosk.audit.tree import Key

    note = read_text(c, file)
    own = vkey is None
    text = key_text(c, vkey) or c.call("journal.head")["vkey"]
    try:
        key = Key(text)
    except ValueError as error:
        c.fail(Exit.BAD_INPUT, [f"--key: {error}"])
    try:
        found = read_ledger(note, key)
    except ValueError as error:
        said = c.say("不是本通道签名的台账，或已被改动", "is not what the lane signed")
        c.fail(Exit.DECLINED, [f"{file}: {said} ({error})"])
    entry = _entry_of(c, found.sha256) if own else None
    if json_:
        c.print_json({"about": found.about, "checks": found.checks, "sha256": found.sha256,
                      "entry": entry})  # fmt: skip
    else:
        about = found.about
        click.echo(f"{about.get('venue')} · {about.get('lane')} · {about.get('at')} · "
                   f"{about.get('person')}")  # fmt: skip
        for check in found.checks:
            _show(c, check)
        click.echo(c.say(f"签名无误；SHA-256 {found.sha256}",
                         f"signed by the lane; SHA-256 {found.sha256}"))  # fmt: skip
        if entry is not None:
            click.echo(c.say(f"日志第 {entry} 条", f"entry {entry} of the journal"))
    if own and entry is None:
        said = c.say("日志中没有这份台账", "the journal does not have this ledger")
        c.fail(Exit.DECLINED, [f"{file}: {said}"])


def _show(c: Context, check: dict[str, Any]) -> None:
    mark = MARKS.get(str(check.get("outcome")), "?")
    name = c.device_name(str(check.get("device")))
    code = check.get("code")
    wrong = in_words(c, str(code), OUTCOMES, FAULTS, ENDS, PULSES) if code else ""
    click.echo(f"{mark} {name}: {' '.join(filter(None, (wrong, str(check.get('says') or ''))))}")


def _entry_of(c: Context, sha256: str) -> int | None:
    """The journal entry that has the ledger's hash."""
    with c.declined(), c.office() as ask:
        after = 0
        while entries := ask("journal.list", {"after": after, "limit": PAGE})["entries"]:
            for entry in entries:
                if entry["kind"] == "equipment_checked" and entry["payload"]["sha256"] == sha256:
                    return int(entry["seq"])
            after = entries[-1]["seq"]
    return None
