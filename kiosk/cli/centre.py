"""`examgate centre …`: what the office that issues rosters does; no lane is needed."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

from kiosk.cli.base import Context, Exit, bundle_errors, pass_context, person_option
from kiosk.cli.receiver import evidence, evidence_key, receive, trust
from kiosk.cli.roster import progress_bars, show_problems

if TYPE_CHECKING:
    from kiosk.centre.roster_file import Prepared

DEFAULT_ENCODER = "dlib+sface-v1"


@click.group()
def centre() -> None:
    """The centre: its key, and signed roster bundles for the lanes."""


@centre.command()
@click.argument("private", type=click.Path(path_type=Path, dir_okay=False))
@pass_context
def keygen(c: Context, private: Path) -> None:
    """Make the centre's key: PRIVATE, to be kept safe, and beside it PRIVATE.pub for the lanes.

    Example: examgate centre keygen centre.pem
    """
    from kiosk.centre.bundle.seal import make_centre_key

    public = private.with_name(private.name + ".pub")
    with bundle_errors(c):
        make_centre_key(private, public)
    click.echo(c.say(
        f"已生成 {private}（妥善保管，并备份）和 {public}（交给各通道：centre.public_key）",
        f"made {private} (keep it safe, and a copy) and {public} (for the lanes: "
        "centre.public_key)",
    ))  # fmt: skip


@centre.command()
@click.argument("roster", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False),
              help="The bundle to write.")  # fmt: skip
@click.option("--venue", required=True, help="The venue's code, as in the lane's venue.code.")
@click.option("--day", required=True, type=click.DateTime(["%Y-%m-%d"]),
              help="The day of the exams; the bundle is valid until it is over.")  # fmt: skip
@click.option("--key", required=True, type=click.Path(path_type=Path),
              help="The centre's private key (centre keygen).")  # fmt: skip
@click.option("--to", "recipients", required=True, multiple=True, metavar="AGE1…",
              help="What `examgate key recipient` prints; once for each lane.")  # fmt: skip
@click.option("--serial", type=click.IntRange(1), default=None,
              help="Number of this bundle, higher than that of the last one. "
                   "Default: the time in seconds since 1970.")  # fmt: skip
@click.option("--timezone", default="Asia/Shanghai", help="The venue's. Default: Asia/Shanghai.")
@click.option("--encoder", default=DEFAULT_ENCODER,
              help=f"The lanes' face.encoder. Default: {DEFAULT_ENCODER}.")  # fmt: skip
@click.option("--force", is_flag=True, help="Write over --out where it is a file already.")
@click.option("--without-embeddings", is_flag=True,
              help="Let each lane look at the photographs itself.")  # fmt: skip
@pass_context
def bundle(
    c: Context,
    roster: Path,
    out: Path,
    venue: str,
    day: datetime,
    key: Path,
    recipients: tuple[str, ...],
    serial: int | None,
    timezone: str,
    encoder: str,
    force: bool,
    without_embeddings: bool,
) -> None:
    """Check the folder or table ROSTER and make one signed, encrypted file of it.

    Example: examgate centre bundle 名单/ --out 1127.tar.age --venue YT-01 --day 2026-11-27 --key
    centre.pem --to age1…
    """
    from kiosk.centre.bundle.build import Label, write_bundle
    from kiosk.centre.bundle.seal import centre_key, recipient

    made = datetime.now(UTC).replace(microsecond=0)
    until = _end_of(c, day.date(), timezone)
    if until <= made:
        said = c.say(f"--day：{day:%Y-%m-%d} 已经过去", f"--day: {day:%Y-%m-%d} is over")
        c.fail(Exit.USAGE, [said])
    if out.exists() and not force:
        said = c.say("已存在；要覆盖请加 --force", "is there already; --force writes over it")
        c.fail(Exit.BAD_INPUT, [f"{out}: {said}"])
    with bundle_errors(c):
        signing, lanes = centre_key(key), [recipient(text) for text in recipients]
    prepared = _prepared(c, roster, encoder)
    label = Label(venue, serial or int(made.timestamp()), made, made, until)
    with bundle_errors(c, out):
        manifest = write_bundle(
            out, prepared.rows, label, signing, lanes, embeddings=not without_embeddings
        )
    size = out.stat().st_size / 1e6
    click.echo(c.say(
        f"{out}：{manifest.candidates} 名考生，{len(manifest.sessions)} 个场次，编号 "
        f"{manifest.serial}，有效至 {until:%Y-%m-%d %H:%M}，{size:.1f} MB",
        f"{out}: {manifest.candidates} candidates, {len(manifest.sessions)} sessions, serial "
        f"{manifest.serial}, valid until {until:%Y-%m-%d %H:%M}, {size:.1f} MB",
    ))  # fmt: skip


def _end_of(c: Context, day: date, timezone: str) -> datetime:
    try:
        zone = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError):
        said = c.say(f"--timezone：没有时区 {timezone}", f"--timezone: there is no {timezone}")
        c.fail(Exit.USAGE, [said])
    return datetime.combine(day + timedelta(days=1), time(), zone)


def _prepared(c: Context, roster: Path, encoder: str) -> Prepared:
    from kiosk import app_centre

    try:
        with progress_bars(c) as progress:
            prepared = app_centre.prepare_for_centre(roster, encoder, progress)
    except KeyError:
        said = c.say(f"--encoder：没有 {encoder}", f"--encoder: there is no {encoder}")
        c.fail(Exit.USAGE, [said])
    show_problems(c, prepared.problems)
    show_problems(c, prepared.warnings)
    if prepared.problems or not prepared.rows:
        said = c.say(
            f"{len(prepared.problems)} 处问题，没有生成名单包。",
            f"Problems: {len(prepared.problems)}; no bundle was made.",
        )
        c.fail(Exit.BAD_INPUT, [said])
    return prepared


for command in (trust, receive, evidence_key, evidence):
    centre.add_command(command)


@click.group("key")
def key_group() -> None:
    """The lane's keys."""


@key_group.command("rotate")
@person_option
@pass_context
def key_rotate(c: Context, person: str) -> None:
    """Give the lane another key, and wrap every session's key with it. Stop the daemon first.

    The old key is overwritten. Keep a copy of the new one. A signed report's certificate depends on
    the key: the next report makes a new one, whose fingerprint has to be published.

    Example: examgate key rotate
    """
    from kiosk import app
    from kiosk.credentials import is_credential, kept_elsewhere

    key = c.config.paths.key_file
    if is_credential(key) or kept_elsewhere(key):
        c.fail(Exit.DECLINED, [c.say(
            f"{key.name} 是 systemd 凭据，不能就地更换；请先还原为密钥文件，更换后再加密"
            "（docs/operations.md，Keys as systemd credentials）",
            f"{key.name} is a systemd credential and cannot be replaced where it is: make files of "
            "the keys, rotate, and encrypt them again (docs/operations.md, Keys as systemd "
            "credentials)",
        )])  # fmt: skip
    with c.declined():
        count = app.rotate_key(c.config, person)
    click.echo(c.say(
        f"密钥 {c.config.paths.key_file} 已更换（{count} 个数据密钥）；请备份新密钥",
        f"{c.config.paths.key_file} is another key now ({count} data keys); keep a copy of it",
    ))  # fmt: skip


@key_group.command("recipient")
@pass_context
def key_recipient(c: Context) -> None:
    """What the centre encrypts this lane's bundles to (an age recipient; not a secret).

    Example: examgate key recipient
    """
    from kiosk import app
    from kiosk.centre.bundle.seal import read_identity

    with bundle_errors(c):
        click.echo(str(read_identity(app.age_key_file(c.config)).to_public()))
