"""`examgate doctor`: looks at everything the lane needs and says what to try for each fault."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import click

from kiosk.cli.base import Context, Exit, as_json, pass_context
from kiosk.cli.doctor import devices, machine, records, trust
from kiosk.cli.doctor.finding import GREEN, MARKS, RED, YELLOW, Finding


@click.command()
@click.option("--make-key", is_flag=True, help="Create the lane's key file, then stop.")
@click.option("--bundle", type=click.Path(path_type=Path, dir_okay=False), default=None,
              help="Write an archive for support, without personal data.")
@as_json
@pass_context
def doctor(c: Context, make_key: bool, bundle: Path | None, json_: bool) -> None:
    """Look at configuration, face models, keys and certificates, permissions, devices,
    processor, heat, disk, clock, database, roster, fonts and voice.

    Opens every configured device, unless the daemon is running: then it is asked. Exit code 1
    when anything is red.

    Example: examgate doctor --bundle support.zip
    """
    if make_key:
        _make_key(c)
        return
    findings = list(_examine(c))
    if json_:
        c.print_json({"findings": [asdict(f) for f in findings]})
    else:
        for f in findings:
            click.echo(f"{MARKS[f.colour]} {f.what}: {f.says}")
            if f.remedy and f.colour != GREEN:
                click.echo(f"    → {f.remedy}")
    if bundle is not None:
        from kiosk.cli.doctor import support

        support.write(c, bundle, findings)
        click.echo(c.say(f"已生成支持包：{bundle}", f"for support: {bundle}"), err=json_)
    if any(f.colour == RED for f in findings):
        c.fail(Exit.DECLINED, [])


def _make_key(c: Context) -> None:
    from kiosk import app
    from kiosk.credentials import is_credential, kept_elsewhere

    if is_credential(c.config.paths.key_file) or kept_elsewhere(c.config.paths.key_file):
        c.fail(Exit.DECLINED, [c.say(
            "本通道的密钥是 systemd 凭据，不在此生成（docs/operations.md，Keys as systemd "
            "credentials）",
            "this lane's keys are systemd credentials and are not made here (docs/operations.md, "
            "Keys as systemd credentials)",
        )])  # fmt: skip
    with c.declined():
        path = app.make_key(c.config)
    click.echo(
        c.say(f"已生成密钥 {path}（请备份）", f"key created: {path} (keep a copy of it safe)")
    )


def _configuration(c: Context) -> Iterator[Finding]:
    from kiosk import app
    from kiosk.config.problems import ConfigError

    what = c.say("配置", "configuration")
    yield Finding(what, GREEN, f"{c.config_path}" if c.config else "")
    try:
        for doubt in app.config_doubts(c.config_path):
            yield Finding(what, YELLOW, doubt.sentence(c.language))
    except ConfigError as error:  # the machine's part of the check; the file's has ended this
        for problem in error.problems:
            yield Finding(what, RED, problem.sentence(c.language))


def _examine(c: Context) -> Iterator[Finding]:
    yield from _configuration(c)
    key = list(trust.key(c))
    yield from (*machine.packages(c), *machine.models(c), *key, *trust.certificates(c),
                *trust.permissions(c), *trust.users(c))  # fmt: skip
    yield from (*devices.devices(c), *machine.processor(c), *machine.heat(c), *machine.disk(c))
    if key[0].colour == GREEN:  # nothing of the record can be read without it
        yield from (*records.database(c), *records.roster(c))
    yield from (*records.clock(c), *machine.font(c), *machine.voice(c))
