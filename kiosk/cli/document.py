"""`examgate session report` and `examgate dispute`: signed documents of the lane."""

from __future__ import annotations

import base64
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from kiosk.cli.base import Context, Exit, pass_context, person_option

PAUSE_S = 0.1
PATIENCE_S = 180.0

_file = click.Path(path_type=Path, dir_okay=False)
Ask = Callable[[str, dict[str, Any]], Any]


@click.command()
@click.argument("session_id")
@click.option("--pdf", type=_file, help="The signed report, A4.")
@click.option("--csv", "table", type=_file, help="One candidate a line, for spreadsheets.")
@click.option("--public", is_flag=True, help="Pseudonyms only, no staff: for publication.")
@person_option
@pass_context
def report(
    c: Context, session_id: str, pdf: Path | None, table: Path | None, public: bool, person: str
) -> None:
    """Write a session's report: who entered when and how, what went wrong, whether it balances.

    The PDF is signed by the lane and its hash is journalled. The language is that of --lang. An
    existing file is not overwritten.

    Example: examgate session report KM1-0900 --pdf km1-0900.pdf --csv km1-0900.csv
    """
    wanted = {name: path for name, path in (("pdf", pdf), ("csv", table)) if path is not None}
    if not wanted:
        raise click.UsageError(c.say("请给出 --pdf 或 --csv", "give --pdf, --csv, or both"))
    _not_there_yet(c, wanted.values())
    params = {"session_id": session_id, "public": public, "person": person}
    _fetch(c, "report.begin", params, wanted)


@click.command()
@click.argument("candidate", metavar="NUMBER")
@click.option("--session", "session_id", help="Where the candidate is booked in several.")
@click.option("--out", type=_file, required=True, help="The zip file to write.")
@person_option
@pass_context
def dispute(c: Context, candidate: str, session_id: str | None, out: Path, person: str) -> None:
    """Write everything that the lane has of one candidate into one signed file.

    NUMBER is the identity or admission number. The file has the candidate's record in words, the
    journal's entries with proofs, their signatures and the roster's photograph, and says how to
    check it. Who asked is journalled. An existing file is not overwritten.

    Example: examgate dispute 3706261100001 --session KM1-0900 --out dispute.zip --person 李敏
    """
    _not_there_yet(c, [out])
    params = {"number": candidate, "session_id": session_id, "person": person}
    _fetch(c, "dispute.begin", params, {"zip": out})


def _fetch(c: Context, method: str, params: dict[str, Any], wanted: dict[str, Path]) -> None:
    """Begin a document, wait for it and write its files."""
    with c.declined(), c.office() as ask:
        document = ask(method, params)
        sizes = _sizes(c, ask, document)
        files = {name: _whole(ask, document | {"name": name}, sizes[name]) for name in wanted}
    for name, path in wanted.items():
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640)
            with os.fdopen(handle, "wb") as out:
                out.write(files[name])
        except OSError as error:
            c.fail(Exit.BAD_INPUT, [f"{path}: {c.os_error(error)}"])
        click.echo(c.say(f"已写入 {path}", f"{path} written"))


def _not_there_yet(c: Context, paths: Any) -> None:
    """Said before the lane makes and journals anything."""
    for path in paths:
        if path.exists():
            said = c.say("已存在，不会覆盖", "is there already and is not overwritten")
            c.fail(Exit.BAD_INPUT, [f"{path}: {said}"])
        if not path.parent.is_dir():
            said = c.say("文件夹不存在", "there is no such folder")
            c.fail(Exit.BAD_INPUT, [f"{path.parent}: {said}"])


def _sizes(c: Context, ask: Ask, document: dict[str, Any]) -> dict[str, int]:
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        found = ask("document.wait", document)
        if found["ready"]:
            sizes: dict[str, int] = found["sizes"]
            return sizes
        time.sleep(PAUSE_S)
    c.fail(Exit.DECLINED, [c.say("文件没有及时完成", "the document was not ready in time")])


def _whole(ask: Ask, part: dict[str, Any], size: int) -> bytes:
    data = b""
    while len(data) < size:
        data += base64.b64decode(ask("document.part", part | {"after": len(data)})["data"])
    return data
