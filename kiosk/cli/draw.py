"""`examgate draw …`: statistics of draws, over a session or a year, or of simulated ones."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kiosk.cli.base import Context, Exit, as_json, pass_context

if TYPE_CHECKING:
    from kiosk.stats.draws import SessionDraws
    from kiosk.stats.tally import Tally
    from kiosk.stats.tests import Result

PAGE = 2000
_EXTRA = ("scipy", "matplotlib")

TESTS = {
    "terminals": ("各考台次数", "counts of terminals"),
    "one_terminal": ("偏离最大的考台", "the terminal that differs most"),
    "places": ("考台池内的位置", "places in the pool"),
    "runs": ("游程", "runs"),
    "serial": ("与上一次抽号的相关", "correlation with the draw before"),
    "order": ("抽号先后", "early or late draws"),
    "position": ("考台顺序", "place in the hall's order"),
    "row": ("前排后排", "front or back"),
    "column": ("左侧右侧", "left or right"),
    "row_end": ("靠过道或墙", "at the end of a row"),
}


@click.group()
def draw() -> None:
    """The draw (抽号): statistics."""


@draw.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--session", "session_id", help="This session of the lane's own journal.")
@click.option("--all", "all_", is_flag=True, help="Every session of the lane's own journal.")
@click.option("--simulate", type=click.IntRange(100, 10_000_000), metavar="N",
              help="N draws with the real draw code in a made-up hall with all rules.")  # fmt: skip
@click.option("--seed", help="For --simulate: a text from which the same draws come again.")
@click.option("--map", "picture", type=click.Path(path_type=Path, dir_okay=False),
              help="Write the hall as a picture (PNG, SVG or PDF).")  # fmt: skip
@as_json
@pass_context
def stats(
    c: Context,
    files: tuple[Path, ...],
    session_id: str | None,
    all_: bool,
    simulate: int | None,
    seed: str | None,
    picture: Path | None,
    json_: bool,
) -> None:
    """Test whether draws are uniform: of records, journal exports, the lane, or simulated.

    Says in a sentence whether anything is unusual; exit code 1 when something is.

    Example: examgate draw stats records/*.record --map hall.png
    """
    asked = [bool(files), session_id is not None, all_, simulate is not None]
    if sum(asked) != 1:
        raise click.UsageError(c.say(
            "请给出记录文件，或 --session、--all、--simulate 之一",
            "give record files, or one of --session, --all, --simulate",
        ))  # fmt: skip
    if seed is not None and simulate is None:
        said = c.say("--seed 只用于 --simulate", "--seed is for --simulate")
        raise click.UsageError(said)
    try:
        from kiosk.stats.tally import tallies
        from kiosk.stats.tests import run_tests

        if simulate is not None:
            seed = seed or secrets.token_hex(8)
            found = _simulated(simulate, seed)
        else:
            found = tallies(_sessions(c, files, session_id))
        if not found:
            c.fail(Exit.DECLINED, [c.say("没有抽号记录", "there is no draw")])
        results = run_tests(found)
        if picture is not None:
            _draw(c, found, picture)
    except ModuleNotFoundError as error:
        _need(c, error)
    if json_:
        c.print_json(_as_json(found, results, seed))
    else:
        _tell(c, found, results, seed)
    if any(r.unusual for r in results):
        c.fail(Exit.DECLINED, [])


def _sessions(c: Context, files: Sequence[Path], session_id: str | None) -> list[SessionDraws]:
    from kiosk.stats.draws import Unreadable, from_entries, read_files

    try:
        if files:
            return read_files(files)
        return from_entries(_journal(c, session_id), c.config.venue.code)
    except Unreadable as error:
        c.fail(Exit.BAD_INPUT, [error.said[c.language]])


def _journal(c: Context, session_id: str | None) -> list[Mapping[str, Any]]:
    """The lane's own entries that have to do with draws."""
    found: list[Mapping[str, Any]] = []
    with c.declined(), c.office() as ask:  # one office for all pages
        if session_id is not None:
            ask("session.status", {"session_id": session_id})  # a session that is not there
        after = 0
        while True:
            asked = {"after": after, "limit": PAGE, "session_id": session_id}
            page = ask("journal.list", asked)
            found += [e for e in page["entries"] if e["kind"] in ("session_opened", "seat_drawn")]
            if not page["entries"]:
                return found
            after = page["last"]


def _simulated(draws: int, seed: str) -> dict[str, Tally]:
    from kiosk.stats.simulate import VENUE, simulate
    from kiosk.stats.tally import Tally

    whole = Tally()
    with click.progressbar(length=draws, file=sys.stderr) as bar:
        for whole in simulate(draws, seed):
            bar.update(min(draws, whole.draws) - bar.pos)  # it wants steps, not the sum
    return {VENUE: whole}


def _draw(c: Context, found: Mapping[str, Tally], path: Path) -> None:
    from kiosk.stats.seatmap import Words, chinese_font, draw_map

    zh = c.language == "zh" and chinese_font() is not None
    words = (
        Words("{venue}：{sessions} 场，抽号 {draws} 次（次数 / 期望）", "偏离期望（标准差）",
              "前", "按考台顺序排列")
        if zh
        else Words("{venue}: {sessions} sessions, {draws} draws (count / expected)",
                   "standard deviations from what is expected", "front",
                   "in the hall's order")
    )  # fmt: skip
    try:
        draw_map(found, path, words)
    except OSError as error:
        c.fail(Exit.BAD_INPUT, [f"{path}: {c.os_error(error)}"])
    except ValueError as error:
        c.fail(Exit.BAD_INPUT, [f"{path}: {error}"])


def _tell(
    c: Context, found: Mapping[str, Tally], results: Sequence[Result], seed: str | None
) -> None:
    for venue, tally in found.items():
        click.echo(c.say(
            f"{venue}：{tally.sessions} 场，{len(tally.seats)} 个考台，抽号 {tally.draws} 次",
            f"{venue}: {tally.sessions} sessions, {len(tally.seats)} terminals, "
            f"{tally.draws} draws",
        ))  # fmt: skip
        if not any(r.venue == venue for r in results):
            click.echo(c.say("  抽号太少，无法检验", "  too few draws to test anything"))
    if seed is not None:
        click.echo(c.say(f"随机种子：{seed}", f"seed: {seed}"))
    if results:
        click.echo()
        columns = c.say("考场,检验,统计量,p,校正后 p", "venue,test,statistic,p,adjusted p")
        c.print_table(columns.split(","), (_row(c, r) for r in results))
        click.echo()
    click.echo(_sentence(c, results))


def _name(c: Context, result: Result) -> str:
    name = c.say(*TESTS[result.test])
    return f"{name} {result.terminal}" if result.terminal else name


def _row(c: Context, r: Result) -> tuple[object, ...]:
    value = f"χ²({r.degrees}) = {r.value:.1f}" if r.degrees else f"z = {r.value:+.2f}"
    mark = " ←" if r.unusual else ""
    return r.venue, _name(c, r), value, f"{r.p:.3g}", f"{r.adjusted:.3g}{mark}"


def _sentence(c: Context, results: Sequence[Result]) -> str:
    """Whether anything is unusual, and how far to trust it."""
    from kiosk.stats.tests import ALPHA

    n = len(results)
    if not n:
        return c.say("没有足够的抽号可供检验。", "There are not enough draws to test anything.")
    strange = [r for r in results if r.unusual]
    if not strange:
        return c.say(
            f"没有发现异常：{n} 项检验都与均匀抽号相符（经 Holm 校正，最小 p = "
            f"{min(r.adjusted for r in results):.2g}）。",
            f"Nothing unusual: all {n} tests agree with uniform draws (smallest p after Holm's "
            f"correction: {min(r.adjusted for r in results):.2g}).",
        )
    which = c.say("、", ", ").join(f"{_name(c, r)} ({r.venue})" for r in strange)
    return c.say(
        f"发现异常：{which}。在均匀抽号下，{n} 项检验中出现任何一项这样的结果的机会低于 "
        f"{ALPHA:.0%}；请用 examgate audit 逐次核对。",
        f"Unusual: {which}. With uniform draws, the chance of any such result among {n} tests is "
        f"below {ALPHA:.0%}; check each draw with examgate audit.",
    )


def _as_json(
    found: Mapping[str, Tally], results: Sequence[Result], seed: str | None
) -> dict[str, Any]:
    return {
        "seed": seed,
        "venues": {
            venue: {
                "sessions": t.sessions,
                "draws": t.draws,
                "terminals": {
                    name: {"count": int(o), "expected": round(float(e), 4)}
                    for name, o, e in zip(t.seats, t.observed, t.expected, strict=True)
                },
            }
            for venue, t in found.items()
        },
        "tests": [
            {"venue": r.venue, "test": r.test, "terminal": r.terminal, "value": r.value,
             "degrees": r.degrees, "p": r.p, "adjusted_p": r.adjusted, "unusual": r.unusual}
            for r in results
        ],
        "unusual": any(r.unusual for r in results),
    }  # fmt: skip


def _need(c: Context, error: ModuleNotFoundError) -> None:
    if (error.name or "").split(".")[0] not in _EXTRA:
        raise error
    said = c.say(
        f"缺少 {error.name}：请安装分析组件 pip install -r requirements-analysis.txt",
        f"{error.name} is missing: pip install -r requirements-analysis.txt",
    )
    c.fail(Exit.BAD_INPUT, [said])
