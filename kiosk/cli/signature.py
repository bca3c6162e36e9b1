"""`examgate signature …`: a candidate's signatures as files that others can check."""

from __future__ import annotations

import base64
import hashlib
import os
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import click

from kiosk.cli.base import Context, Exit, pass_context, person_option


@click.group()
def signature() -> None:
    """Signatures (签名): what candidates signed, and where the journal says so."""


@signature.command()
@click.argument("session_id")
@click.argument("candidate", metavar="ADMISSION_NO")
@click.option(
    "--out",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder for the files; made if it is not there. Nothing in it is overwritten.",
)
@person_option
@pass_context
def export(c: Context, session_id: str, candidate: str, folder: Path, person: str) -> None:
    """Write each signature of a candidate as InkML, SVG, PNG and a text with the hashes.

    Example: examgate signature export KM1-0900 3706261100001 --out signatures --person 李敏
    """
    params = {"session_id": session_id, "admission_no": candidate, "person": person}
    found = c.call("signature.list", params)["signatures"]
    files: dict[str, bytes] = {}
    for one in found:
        stem = quote(f"{session_id}-{candidate}-{one['purpose']}-{one['seq']}", safe="")
        try:
            files |= _files(c, stem, session_id, candidate, one)
        except ValueError as error:
            said = c.say(f"记录 {one['seq']} 的签名", f"the signature of entry {one['seq']}")
            c.fail(Exit.DECLINED, [f"{said}: {error}"])
    _write(c, folder, files)
    for name in files:
        click.echo(str(folder / name))


def _files(
    c: Context, stem: str, session_id: str, candidate: str, one: dict[str, Any]
) -> dict[str, bytes]:
    """Names and contents. Raises `ValueError` when the document is not what was journalled."""
    from kiosk.ink import read_ink
    from kiosk.ink_picture import to_png, to_svg

    document = base64.b64decode(one["document"])
    if hashlib.sha256(document).hexdigest() != one["sha256"]:
        raise ValueError(c.say("与日志中的哈希不符", "does not fit the hash in the journal"))
    ink = read_ink(document)
    kind = "json" if document.startswith(b"{") else "inkml"
    return {
        f"{stem}.{kind}": document,
        f"{stem}.svg": to_svg(ink).encode(),
        f"{stem}.png": to_png(ink),
        f"{stem}.txt": _text(c, f"{stem}.{kind}", session_id, candidate, one).encode(),
    }


def _text(c: Context, document: str, session_id: str, candidate: str, one: dict[str, Any]) -> str:
    """What was signed, when, and what to compare with the journal."""
    from kiosk.core.signed_texts import find_text

    at = datetime.fromisoformat(one["at"]).astimezone(ZoneInfo(c.config.venue.timezone))
    purposes = {"entry": ("考试承诺（入场）", "exam commitment (entry)"),
                "exit": ("成绩确认（离场）", "score (exit)")}  # fmt: skip
    shown = find_text(one["text_sha256"])
    unknown = c.say("本版本没有此文字", "this version does not have the text")
    lines = [
        (c.say("场次", "session"), session_id),
        (c.say("准考证号", "admission number"), candidate),
        (c.say("时间", "time"), at.isoformat(timespec="seconds")),
        (c.say("签署", "signed"), c.say(*purposes.get(one["purpose"], (one["purpose"],) * 2))),
        (c.say("成绩", "score"), one["score"]),
        (c.say("文件", "document"), document),
        (c.say("文件 SHA-256", "its SHA-256"), one["sha256"]),
        (c.say("文字 SHA-256", "SHA-256 of the text"), one["text_sha256"]),
        (c.say("日志记录", "journal entry"), one["seq"]),
        (c.say("记录哈希", "its leaf hash"), one["leaf_hash"]),
    ]
    body = "".join(f"{name}: {value}\n" for name, value in lines if value is not None)
    return f"{body}\n{shown.text if shown else unknown}\n"


def _write(c: Context, folder: Path, files: dict[str, bytes]) -> None:
    """All of them or none; readable by their owner alone."""
    made: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name, content in files.items():
            handle = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            made.append(folder / name)
            with os.fdopen(handle, "wb") as file:
                file.write(content)
    except OSError as error:
        for path in made:
            path.unlink(missing_ok=True)
        said = error.strerror
        if isinstance(error, FileExistsError):
            said = c.say("已存在，不会覆盖", "is there already and is not overwritten")
        c.fail(Exit.BAD_INPUT, [f"{error.filename}: {said}"])
