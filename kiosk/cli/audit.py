"""`examgate audit`: checks a session's record, offline, on any machine, without configuration."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from kiosk.cli.base import Context, Exit, as_json, pass_context

if TYPE_CHECKING:
    from kiosk.audit.run import Audit
    from kiosk.audit.tree import Consistency, Kept

_file = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("file", type=_file, required=False)
@click.option(
    "--key", "vkey", help="The hall's published verifier key, or a file with it; else the record's."
)
@click.option("--head", "heads", type=_file, multiple=True, help="A signed head you have kept.")
@click.option(
    "--proof", "proofs", type=_file, multiple=True, help="From examgate journal prove, for --head."
)
@click.option(
    "--receipt", "receipts", type=_file, multiple=True, help="The text of a candidate's QR code."
)
@click.option(
    "--dispute", type=_file, help="Check this dispute pack of one candidate instead of a record."
)
@as_json
@pass_context
def audit(
    c: Context,
    file: Path | None,
    vkey: str | None,
    heads: tuple[Path, ...],
    proofs: tuple[Path, ...],
    receipts: tuple[Path, ...],
    dispute: Path | None,
    json_: bool,
) -> None:
    """Check the record of a session: signatures, hashes, draws, rules, gate.

    Says in one sentence per finding what is wrong and at which entry; exit code 1 on any.

    Example: examgate audit km1-0900.record --key hall.vkey --head kept.txt
    """
    if (file is None) == (dispute is None):
        said = c.say(
            "请给出一个记录文件或 --dispute 文件包", "give a record, or a pack with --dispute"
        )
        raise click.UsageError(said)
    if dispute is not None:
        if heads or proofs or receipts:
            raise click.UsageError(c.say("这些选项不用于 --dispute", "not together with --dispute"))
        return _dispute(c, dispute, vkey, json_)
    assert file is not None
    from kiosk.audit.record import BadRecord, read_record
    from kiosk.audit.run import Audit
    from kiosk.audit.run import audit as check

    try:
        with file.open("rb"):
            pass  # a file that is not there is no record that failed
    except OSError as error:
        c.fail(Exit.BAD_INPUT, [f"{file}: {c.os_error(error)}"])
    try:
        record = read_record(file)
    except BadRecord as bad:
        _tell(c, file, Audit((bad.finding,)), json_)
        c.fail(Exit.DECLINED, [])
    kept = [_kept(c, path) for path in heads]
    given = [_consistency(c, path) for path in proofs]
    shown = [read_text(c, path) for path in receipts]
    try:
        found = check(record, key_text(c, vkey), kept, given, shown)
    except ValueError as error:
        c.fail(Exit.BAD_INPUT, [f"--key: {error}"])
    _tell(c, file, found, json_)
    if found.findings:
        c.fail(Exit.DECLINED, [])


def _dispute(c: Context, file: Path, vkey: str | None, json_: bool) -> None:
    from kiosk.report.dispute_check import check_dispute

    key = key_text(c, vkey)
    try:
        found = check_dispute(file, key)
    except OSError as error:
        c.fail(Exit.BAD_INPUT, [f"{file}: {c.os_error(error)}"])
    except ValueError as error:
        c.fail(Exit.BAD_INPUT, [f"--key: {error}"])
    if json_:
        c.print_json({
            "findings": [f.as_dict(c.language) for f in found.findings],
            "counts": {k: getattr(found, k) for k in ("entries", "draws", "signatures")},
            "own_key": found.own_key,
        })  # fmt: skip
    else:
        for finding in found.findings:
            click.echo(finding.sentence(c.language))
        click.echo(c.say(
            f"{found.entries} 条记录，{found.draws} 次抽号，{found.signatures} 份签名",
            f"{found.entries} entries, {found.draws} draws, {found.signatures} signatures",
        ))  # fmt: skip
        if found.own_key:
            click.echo(c.say(
                "用的是文件包自带的公钥：请用 --key 给出考场公布的公钥再核对一次",
                "checked with the pack's own key: give the hall's published one with --key",
            ))  # fmt: skip
        click.echo(_verdict(c, file, len(found.findings)))
    if found.findings:
        c.fail(Exit.DECLINED, [])


def _tell(c: Context, file: Path, found: Audit, json_: bool) -> None:
    if json_:
        findings = [f.as_dict(c.language) for f in found.findings]
        c.print_json({"findings": findings, "counts": found.counts, "own_key": found.own_key})
        return
    for finding in found.findings:
        click.echo(finding.sentence(c.language))
    n = found.counts
    if n:
        click.echo(c.say(
            f"{n['entries']} 条记录，{n['heads']} 个签名树头，{n['draws']} 次抽号，"
            f"{n['intents']} 次开闸，{n['inside']} 人入场",
            f"{n['entries']} entries, {n['heads']} signed heads, {n['draws']} draws, "
            f"{n['intents']} gate intents, {n['inside']} inside",
        ))  # fmt: skip
    if found.own_key:
        click.echo(c.say(
            "用的是记录自带的公钥：请用 --key 给出考场公布的公钥再核对一次",
            "checked with the record's own key: give the hall's published one with --key",
        ))  # fmt: skip
    click.echo(_verdict(c, file, len(found.findings)))


def _verdict(c: Context, file: Path, count: int) -> str:
    if count:
        return c.say(f"{file}：发现 {count} 处问题", f"{file}: {count} finding(s)")
    return c.say(f"{file}：没有发现问题", f"{file}: nothing wrong was found")


def key_text(c: Context, text: str | None) -> str | None:
    """The key itself or a file that has it."""
    if text is None or "+" in text:
        return text
    return read_text(c, Path(text)).strip()


def _kept(c: Context, path: Path) -> Kept:
    from kiosk.audit.tree import Kept

    return Kept(path.name, read_text(c, path))


def _consistency(c: Context, path: Path) -> Consistency:
    from kiosk.audit.tree import read_consistency

    try:
        return read_consistency(read_text(c, path))
    except ValueError as error:
        c.fail(Exit.BAD_INPUT, [f"{path}: {error}"])


def read_text(c: Context, path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        c.fail(Exit.BAD_INPUT, [f"{path}: {c.os_error(error)}"])
    except UnicodeDecodeError:
        c.fail(Exit.BAD_INPUT, [f"{path}: {c.say('不是文本文件', 'is not a text file')}"])
