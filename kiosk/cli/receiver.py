"""`examgate centre trust|receive|evidence…`: the office to which the lanes' records come."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kiosk.cli.base import Context, Exit, as_json, bundle_errors, pass_context
from kiosk.cli.outbox import KINDS

if TYPE_CHECKING:
    from kiosk.centre.evidence import Opened
    from kiosk.centre.receiver import Archive

_database = click.option(
    "--database", required=True, help="PostgreSQL's connection string, such as dbname=examgate."
)


@contextmanager
def _archive(c: Context, database: str) -> Iterator[Archive]:
    """The receiver's database; without it, or without its library, the command ends."""
    try:
        import psycopg

        from kiosk.centre.receiver import Archive
    except ImportError:
        said = c.say("缺少 psycopg：pip install 'examgate[centre]'",
                     "psycopg is missing: pip install 'examgate[centre]'")  # fmt: skip
        c.fail(Exit.USAGE, [said])
    try:
        yield Archive(database)
    except psycopg.Error as error:
        why = " ".join(str(error).split())  # of several lines
        said = c.say(f"数据库用不了（{why}）", f"cannot be used ({why})")
        c.fail(Exit.BAD_INPUT, [f"--database: {said}"])


@click.command()
@click.argument("vkey")
@_database
@pass_context
def trust(c: Context, vkey: str, database: str) -> None:
    """Let the receiver take the record of the lane whose key VKEY is (examgate journal key).

    Example: examgate centre trust examgate/YT-01/entry-1+… --database dbname=examgate
    """
    with _archive(c, database) as archive:
        try:
            origin = archive.trust(vkey)
        except ValueError as error:
            c.fail(Exit.BAD_INPUT, [f"{vkey[:80]}: {error}"])
    click.echo(c.say(f"接收 {origin} 的记录", f"the record of {origin} is taken"))


@click.command()
@_database
@click.option("--host", default="127.0.0.1", help="Where to listen. Default: 127.0.0.1.")
@click.option("--port", default=8470, type=click.IntRange(0, 65535), help="Default: 8470.")
@click.option("--any-lane", is_flag=True,
              help="Any lane may write into any log: no certificate is asked for.")  # fmt: skip
@pass_context
def receive(c: Context, database: str, host: str, port: int, any_lane: bool) -> None:
    """Take the lanes' records into PostgreSQL: a reference, for pilots.

    Speaks plain HTTP on this machine; a web server before it does TLS, asks the lanes for their
    certificates and says in Examgate-Lane whose it is (docs/upload.md has one for nginx).

    Example: examgate centre receive --database dbname=examgate
    """
    with _archive(c, database) as archive:
        from kiosk.centre.receiver import serve

        try:
            server = serve(archive, host, port, any_lane=any_lane)
        except OSError as error:
            c.fail(Exit.BAD_INPUT, [f"{host}:{port}: {c.os_error(error)}"])
        at = f"{host}:{server.server_address[1]}"
        click.echo(c.say(f"监听 {at}", f"listening on {at}"))
        with suppress(KeyboardInterrupt):
            server.serve_forever()


@click.command("evidence-key")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@pass_context
def evidence_key(c: Context, file: Path) -> None:
    """Make the key that opens the lanes' evidence: FILE, to be kept where no lane and no receiver
    is. Its public key, which is printed, is for the lanes: centre.evidence_recipients.

    The same as `age-keygen -o FILE`.

    Example: examgate centre evidence-key evidence.key
    """
    from kiosk.centre.bundle.seal import make_identity

    with bundle_errors(c):
        recipient = make_identity(file)
    click.echo(recipient)
    said = c.say(
        f"已生成 {file}，请离线妥善保管并备份；上面的公钥填入各通道：centre.evidence_recipients",
        f"made {file}: keep it off line, and a copy; the public key above is for the lanes: "
        "centre.evidence_recipients",
    )
    c.err.print(said, markup=False, highlight=False)


@click.command()
@_database
@click.option("--key", required=True, type=click.Path(path_type=Path),
              help="The secret key (centre evidence-key).")  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path, file_okay=False),
              help="Write the signatures, pictures and reports into this folder.")  # fmt: skip
@click.option("--log", "origin", help="Only of this lane, such as examgate/YT-01/entry-1.")
@click.option("--session", "session_id", help="Only of this session.")
@as_json
@pass_context
def evidence(
    c: Context,
    database: str,
    key: Path,
    out: Path | None,
    origin: str | None,
    session_id: str | None,
    json_: bool,
) -> None:
    """Open the evidence that the receiver has, and hold it against the lanes' journals.

    Exit code 1 when a piece does not fit its entry or cannot be opened.

    Example: examgate centre evidence --database dbname=examgate --key evidence.key --out 1127
    """
    from kiosk.centre.bundle.seal import read_identity
    from kiosk.centre.evidence import BAD, open_all, write_out

    with bundle_errors(c):
        identity = read_identity(key)
    with _archive(c, database) as archive:
        if origin is not None and origin not in archive.logs():
            known = ", ".join(archive.logs()) or "–"
            said = c.say(f"没有这个通道；已有：{known}", f"there is no such lane; known: {known}")
            c.fail(Exit.BAD_INPUT, [f"--log: {origin[:80]}: {said}"])
        bad: list[Opened] = []
        counts: Counter[str] = Counter()

        def watched() -> Iterator[Opened]:
            for one in open_all(archive, identity, origin, session_id):
                counts[one.found] += 1
                if one.found in BAD:
                    bad.append(one)
                yield one

        try:
            if out is None:
                deque(watched(), maxlen=0)
            else:
                write_out(watched(), out)
        except OSError as error:
            c.fail(Exit.BAD_INPUT, [f"{error.filename or out}: {c.os_error(error)}"])
    if session_id is not None and not counts:
        said = c.say("没有这个场次的影像资料", "there is nothing of this session")
        c.fail(Exit.BAD_INPUT, [f"--session: {session_id[:64]}: {said}"])
    if json_:
        c.print_json({
            "counts": counts,
            "bad": [{"log": b.piece.origin, "entry": b.piece.seq, "kind": b.piece.kind,
                     "found": b.found} for b in bad],
        })  # fmt: skip
    else:
        rows = ((c.say(*_FOUND[name]), number) for name, number in counts.items())
        c.print_table(c.say("结果,件数", "result,pieces").split(","), rows)
    if bad:
        c.fail(Exit.DECLINED, (
            f"{b.piece.origin}, {c.say('条目', 'entry')} {b.piece.seq}, "
            f"{c.say(*KINDS[b.piece.kind])}: {c.say(*_FOUND[b.found])}" for b in bad
        ))  # fmt: skip


_FOUND = {
    "opened": ("已打开，与日志一致", "opened, fits the journal"),
    "altered": ("与日志中的散列值不符", "does not have the hash that the journal has"),
    "damaged": ("损坏，无法打开", "damaged, cannot be opened"),
    "other_key": ("不是用此密钥加密的", "encrypted to another key"),
    "thinned": ("上传前因磁盘空间不足被通道删除",
                "removed by the lane to make room before it was sent"),
    "forgotten": ("上传前已到保存期限", "its retention ended before it was sent"),
    "not_here": ("尚未上传，或未配置上传", "not sent yet, or not configured to be sent"),
}  # fmt: skip
