"""`examgate roster …`: import a roster folder, say what is there."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)  # fmt: skip

from kiosk.cli.base import (
    Context,
    Exit,
    as_json,
    bundle_errors,
    pass_context,
    person_option,
)  # fmt: skip
from kiosk.told import in_language

if TYPE_CHECKING:
    from kiosk.centre.bundle.accept import Opened
    from kiosk.centre.download import Failed, Fetched, Fetcher
    from kiosk.centre.roster_file import Prepared

AGE = b"age-encryption.org/v1"  #: how an encrypted bundle begins
MOST_NAMED = 12  #: candidates who look like one person
BATCH = 20  #: rows a message: a photograph each, well below the socket's limit


@click.group()
def roster() -> None:
    """The roster (名单): who is booked, with photograph and fingerprints."""


@roster.command("import")
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--accept-problems", is_flag=True, help="Import the rows without errors; the others are listed."
)
@person_option
@as_json
@pass_context
def import_(c: Context, path: Path, accept_problems: bool, person: str, json_: bool) -> None:
    """Check the folder, CSV file or bundle PATH and take it in, all or nothing.

    Columns: 准考证明编号 身份证明号码 姓名 准考车型 考试场次 照片 指纹模板, or their English
    names (docs/roster.md). A bundle (docs/bundle.md) replaces the roster of its sessions.

    Example: examgate roster import ./名单/
    """
    with ExitStack() as stack:
        bundle = stack.enter_context(_opened(c, path)) if is_bundle(path) else None
        if bundle is None and c.config.centre.public_key is not None:
            from kiosk.texts import Problem  # said before any photograph is looked at

            c.fail(Exit.DECLINED, [Problem("bundle_only").sentence(c.language)])
        if bundle is not None and accept_problems:
            said = c.say("名单包不能只导入一部分", "a bundle is taken whole or not at all")
            c.fail(Exit.USAGE, [f"--accept-problems: {said}"])
        prepared = _prepare(c, path, bundle)
        _import(c, path, prepared, bundle, accept_problems, person, json_)


@roster.command()
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), default=None,
              help="The day of the exams. Default: today.")  # fmt: skip
@click.option("--keep", is_flag=True, help="Fetch only; import it later with roster import.")
@person_option
@pass_context
def download(c: Context, day: datetime | None, keep: bool, person: str) -> None:
    """Fetch the centre's bundle of the day, if there is a new one, and take it in.

    A download that was cut goes on where it ended. Nothing new is no error.

    Example: examgate roster download --day 2026-11-27
    """
    from kiosk import app_centre

    config = c.config
    if not config.centre.urls or config.centre.public_key is None:
        said = c.say("请在 config.yaml 中设置 centre.urls 和 centre.public_key",
                     "set centre.urls and centre.public_key in config.yaml")  # fmt: skip
        c.fail(Exit.BAD_INPUT, [said])
    fetcher, urls = app_centre.fetcher_of(config, day.date() if day else app_centre.today(config))
    found = _fetch(c, fetcher, urls)
    if not found.new and not found.path.exists():
        click.echo(c.say("没有新的名单包", "there is no new bundle"))
        return
    if keep:
        click.echo(str(found.path))
        return
    try:
        take(c, found.path, person)
    except SystemExit as stopped:
        if stopped.code == Exit.BAD_INPUT:
            fetcher.forget()
        raise
    fetcher.taken()


def take(c: Context, path: Path, person: str) -> None:
    with _opened(c, path) as bundle:
        _import(c, path, _prepare(c, path, bundle), bundle, False, person, False)


def _fetch(c: Context, fetcher: Fetcher, urls: list[str]) -> Fetched:
    from kiosk.centre.download import DownloadError

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(),
               TransferSpeedColumn(), TimeRemainingColumn())  # fmt: skip
    with Progress(*columns, console=c.err) as bars:
        task = bars.add_task(c.say("下载", "download"), total=None)
        try:
            found = fetcher.fetch(
                urls, lambda done, of: bars.update(task, completed=done, total=of)
            )
        except DownloadError as error:
            bars.stop()
            said = c.say("下载失败；名单不变，稍后再试会从断点继续",
                         "nothing could be fetched; the roster stays as it is, and another try "
                         "goes on where this one ended")  # fmt: skip
            c.fail(Exit.DECLINED, [*_mirrors(c, error.failed), said])
        except (OSError, ValueError) as error:  # certificate files, the disk, an odd address
            bars.stop()
            c.fail(Exit.BAD_INPUT, [f"centre: {error}"])
    for line in _mirrors(c, found.failed):
        click.echo(line, err=True)
    return found


def _mirrors(c: Context, failed: Iterable[Failed]) -> list[str]:
    return [
        c.say(f"centre.urls 第 {f.number} 个（{f.host}）：{in_language(f.why, 'zh')}",
              f"centre.urls no. {f.number} ({f.host}): {f.why}")
        for f in failed
    ]  # fmt: skip


def _import(
    c: Context,
    path: Path,
    prepared: Prepared,
    bundle: Opened | None,
    accept_problems: bool,
    person: str,
    json_: bool,
) -> None:
    if not json_:
        show_problems(c, prepared.problems)
        if prepared.warnings:
            said = c.say("请核对（不妨碍导入）：", "Please look at these; they are no obstacle:")
            c.err.print(said)
            show_problems(c, prepared.warnings)
    if prepared.problems and not accept_problems:
        if json_:
            c.print_json({"added": 0} | _findings(c, prepared))
        said = c.say(
            f"{len(prepared.problems)} 处问题，没有导入任何考生。改正后重试，或用 --accept-problems"
            " 只导入无误的行。",
            f"Problems: {len(prepared.problems)}; nothing was imported. Correct them, or "
            "import the other rows alone with --accept-problems.",
        )
        c.fail(Exit.BAD_INPUT, [said])
    if not prepared.rows and bundle is None:
        c.fail(Exit.BAD_INPUT, [c.say("没有可导入的行。", "There is no row to import.")])
    result = _send(c, path, prepared.rows, person, bundle)
    if json_:
        c.print_json(result | _findings(c, prepared))
        return
    _show_alike(c, result["groups"])
    _show_changes(c, result["changes"])
    click.echo(c.say(
        f"新增 {result['added']}，更新 {result['changed']}，未变 {result['unchanged']}",
        f"added {result['added']}, changed {result['changed']}, unchanged {result['unchanged']}",
    ))  # fmt: skip


def is_bundle(path: Path) -> bool:
    """By its name, or by how an age file begins."""
    if path.suffix == ".age":
        return True
    try:
        with path.open("rb") as file:
            return file.read(len(AGE)) == AGE
    except OSError:
        return False


@contextmanager
def _opened(c: Context, path: Path) -> Iterator[Opened]:
    from kiosk import app_centre

    with bundle_errors(c, path), app_centre.open_bundle(c.config, path) as bundle:
        yield bundle


def _prepare(c: Context, path: Path, bundle: Opened | None) -> Prepared:
    from kiosk import app_centre

    config = c.config
    with progress_bars(c) as progress:
        if bundle is not None:
            return app_centre.prepare_bundle(config, bundle, progress)
        return app_centre.prepare_roster(config, path, progress)


@contextmanager
def progress_bars(c: Context) -> Iterator[Callable[[str, int, int], None]]:
    """One bar a stage, on standard error."""
    names = {"files": c.say("读取文件", "reading files"), "faces": c.say("检查照片", "faces")}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
               TimeElapsedColumn())  # fmt: skip
    with Progress(*columns, console=c.err) as bars:
        tasks = {stage: bars.add_task(name, total=None) for stage, name in names.items()}

        def progress(stage: str, done: int, of: int) -> None:
            bars.update(tasks[stage], completed=done, total=of)

        yield progress


def show_problems(c: Context, problems: list[Any]) -> None:
    if not problems:
        return
    headings = c.say("文件,行,列,内容,问题,处理", "file,line,field,value,problem,remedy").split(",")
    c.print_table(
        headings,
        (
            (p.file, p.line or None, p.field_in(c.language), p.value, p.message_in(c.language),
             p.remedy_in(c.language))
            for p in problems
        ),
    )  # fmt: skip


def _show_alike(c: Context, groups: list[dict[str, Any]]) -> None:
    """Who looks like one person, of this roster and of those before it; a person answers on the
    proctor's screen."""
    if not groups:
        return
    of = sum(len(group["people"]) for group in groups)
    c.err.print(c.say(
        f"{of} 名考生的照片像 {len(groups)} 个人，已记入日志，考试员屏幕会一直显示到有人核对：",
        f"Photographs of {of} candidates look like {len(groups)} person(s). It is journalled, and "
        "the proctor's screen shows it until somebody has looked:",
    ))  # fmt: skip
    for group in groups:
        people = [f"{p['name']} {p['admission_no']} ({p['session_id']})" for p in group["people"]]
        rest = len(people) - MOST_NAMED
        more = c.say(f" … 另有 {rest} 名", f" … and {rest} more") if rest > 0 else ""
        said = f"  {' = '.join(people[:MOST_NAMED])}{more}, {group['distance']:.2f}"
        c.err.print(said, markup=False, highlight=False)


def _show_changes(c: Context, changes: list[dict[str, Any]]) -> None:
    """Whose booking the bundle has ended, and who keeps theirs because they have a seat."""
    words = {
        "cancelled": c.say("取消", "cancelled"),
        "moved": c.say("改场次", "moved"),
        "kept": c.say("名单已无此人，但已有考台，保留", "not in the bundle, but has a seat: kept"),
    }
    for change in changes:
        to = f" → {change['to_session']}" if change["to_session"] else ""
        click.echo(
            f"{words[change['kind']]}: {change['name']} {change['admission_no']} "
            f"({change['session_id']}{to})"
        )


def _findings(c: Context, prepared: Prepared) -> dict[str, Any]:
    return {
        "problems": [_problem(c, p) for p in prepared.problems],
        "warnings": [_problem(c, p) for p in prepared.warnings],
    }


def _problem(c: Context, p: Any) -> dict[str, Any]:
    return {"file": p.file, "line": p.line, "field": p.field, "value": p.value, "code": p.code,
            "message": p.message_in(c.language), "remedy": p.remedy_in(c.language)}  # fmt: skip


def _send(
    c: Context, path: Path, rows: list[dict[str, Any]], person: str, bundle: Opened | None
) -> Any:
    """In batches to one office: staged there, then applied in one transaction."""
    from kiosk.centre.roster_file import for_wire

    announced: dict[str, Any] = {"source": path.name, "rows": len(rows)}
    if bundle is not None:
        announced["bundle"] = {
            "manifest": base64.b64encode(bundle.raw).decode(),
            "signature": base64.b64encode(bundle.signature).decode(),
        }
    with c.declined(), c.office() as ask:
        begun = ask("roster.begin", announced)
        for at in range(0, len(rows), BATCH):
            batch = [for_wire(row) for row in rows[at : at + BATCH]]
            ask("roster.add", begun | {"rows": batch})
        return ask("roster.commit", begun | {"person": person})


@roster.command()
@person_option
@pass_context
def reembed(c: Context, person: str) -> None:
    """Make the face data anew from the stored photographs, for another encoder.

    Needed after `face.encoder` was changed in the configuration. Stop the daemon first.

    Example: examgate roster reembed
    """
    from kiosk import app_centre

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
               TimeElapsedColumn())  # fmt: skip
    with c.declined(), Progress(*columns, console=c.err) as bars:
        task = bars.add_task(c.say("重新计算", "embedding"), total=None)
        done = app_centre.reembed_roster(
            c.config, person, lambda at, of: bars.update(task, completed=at, total=of)
        )
    if done.unusable:
        said = [
            c.say(
                f"准考证号 {number}：照片不可用（{why}）", f"{number}: unusable photograph ({why})"
            )
            for number, why in done.unusable
        ]
        more = c.say(
            "没有改动任何数据。请更换这些照片，重新导入名单。",
            "Nothing was changed. Replace these photographs and import the roster again.",
        )
        c.fail(Exit.BAD_INPUT, [*said, more])
    encoder = c.config.face.encoder
    click.echo(c.say(f"{done.replaced} 名考生的人脸特征已由 {encoder} 重新生成",
                     f"{encoder}: face data of {done.replaced} candidates made anew"))  # fmt: skip


@roster.command()
@as_json
@pass_context
def status(c: Context, json_: bool) -> None:
    """How many candidates are on the roster of each session, and since when.

    Example: examgate roster status
    """
    result = c.call("roster.status")
    if json_:
        c.print_json(result)
        return
    headings = c.say("场次,考生,导入时间,来源", "session,candidates,imported,source").split(",")
    keys = ("session_id", "candidates", "imported_at", "source")
    c.print_table(headings, ([s[k] for k in keys] for s in result["sessions"]))
