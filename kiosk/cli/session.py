"""`examgate session …`: create, open, close, look."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from kiosk.cli.base import Context, Exit, as_json, pass_context, person_option
from kiosk.cli.hall_file import read_hall
from kiosk.cli.mode import lane_mode, mode_lines
from kiosk.cli.staff import approval_of
from kiosk.core.codes import PauseReason, ReturnReason, VoidReason

PAGE = 1000


def terminal_names(text: str) -> list[str]:
    """001-020,031 → 001 … 020, 031. Raises `click.BadParameter` naming the piece."""
    names: list[str] = []
    for piece in filter(None, (p.strip() for p in text.split(","))):
        span = re.fullmatch(r"(\D*)(\d+)-(\d+)", piece)
        if span is None:
            names.append(piece)
            continue
        prefix, first, last = span.groups()
        if int(last) < int(first) or int(last) - int(first) >= 500:
            raise _mistyped(f"{piece}：范围须由小到大，最多 500 个",
                            f"{piece}: a range goes up, by at most 500")  # fmt: skip
        width = len(first)
        names += [f"{prefix}{n:0{width}d}" for n in range(int(first), int(last) + 1)]
    if len(set(names)) != len(names):
        twice = sorted({n for n in names if names.count(n) > 1})
        named = ", ".join(twice[:5])
        raise _mistyped(f"重复列出：{named}", f"listed twice: {named}")
    return names


def _mistyped(zh: str, en: str) -> click.BadParameter:
    """In the command's language; English outside of one."""
    context = click.get_current_context(silent=True)
    c = context.find_object(Context) if context is not None else None
    return click.BadParameter(c.say(zh, en) if c is not None else en)


def _terminals(_: Any, __: Any, value: str) -> list[str]:
    return terminal_names(value)


def _moment(_: Any, __: Any, value: str) -> str:
    try:
        return datetime.fromisoformat(value).isoformat()
    except ValueError:
        raise _mistyped(f"{value}：请写成 2026-11-24T09:00 的形式",
                        f"{value}: write it as 2026-11-24T09:00") from None  # fmt: skip


@click.group()
def session() -> None:
    """Sessions (场次): create, open, close, status."""


@session.command()
@click.argument("session_id", required=False)
@click.option("--drill", is_flag=True, help="An exercise: journalled as one.")
@person_option
@as_json
@pass_context
def rollcall(
    c: Context, session_id: str | None, drill: bool, person: str, json_: bool
) -> None:
    """Who is inside, by name and terminal: for the roll-call when the hall is left.

    Without SESSION_ID of the session that is open; where the gate is the way out as well, also of
    who came in with an earlier one and has not left. Who asked is journalled.

    Example: examgate session rollcall --person 李敏
    """
    about = {"session_id": session_id, "drill": drill, "person": person}
    found = c.call("session.rollcall", about)
    if json_:
        c.print_json(found)
        return
    headings = c.say("□,考台,姓名,准考证明编号,入场,需协助", "□,terminal,name,admission,since,help")
    c.print_table(
        headings.split(","),
        (("☑" if p["seen_at"] else "□", _seat(p, found["session_id"]), p["name"], p["admission_no"],
          p["since"][11:16], c.say("是", "yes") if p["accessible"] else "")
         for p in found["inside"]),
    )  # fmt: skip
    count, named = len(found["inside"]), found["session_id"] or c.say("各场次", "all sessions")
    seen = sum(bool(p["seen_at"]) for p in found["inside"])
    click.echo(c.say(f"{named}：场内 {count} 人，已在场外见到 {seen} 人",
                     f"{named}: {count} inside by the record, {seen} seen outside"))  # fmt: skip
    if not found["journalled"]:
        click.echo(c.say("无法写入日志", "it could not be journalled"), err=True)


def _seat(one: dict[str, Any], session_id: str | None) -> str:
    """The terminal, with its session where that is another than the open one."""
    own = one["session_id"] == session_id
    return str(one["terminal"] if own else f"{one['session_id']} {one['terminal']}")


@session.command()
@click.argument("session_id")
@click.argument("terminal")
@click.option("--mistake", is_flag=True, help="They were not: takes an earlier tick away.")
@person_option
@pass_context
def seen(c: Context, session_id: str, terminal: str, mistake: bool, person: str) -> None:
    """In a roll-call: you saw whoever has TERMINAL outside.

    Example: examgate session seen KM1-0900 017 --person 李敏
    """
    about = {"session_id": session_id, "terminal": terminal, "seen": not mistake}
    c.call("session.seen_outside", about | {"person": person})
    click.echo(c.say(f"考台 {terminal}：已取消" if mistake else f"考台 {terminal}：已在场外见到",
                     f"terminal {terminal}: taken back" if mistake
                     else f"terminal {terminal}: seen outside"))  # fmt: skip


@session.command("let-back")
@click.argument("session_id")
@click.argument("terminal")
@click.option(
    "--why",
    required=True,
    type=click.Choice([why.value for why in ReturnReason]),
    help="They were in the toilet, unwell, called out by the staff, or anything else.",
)
@click.option("--note", default="", help="In words; needed for other.")
@click.option(
    "--approved-by",
    help="The second person's staff number, whose PIN is asked for; a name where nobody has one "
    "yet. Needed for other.",
)
@click.option(
    "--pin-stdin", is_flag=True, help="Read that PIN from standard input instead of asking for it."
)
@person_option
@pass_context
def let_back(c: Context, /, pin_stdin: bool, approved_by: str | None, **params: Any) -> None:
    """Let whoever has TERMINAL and has left by the gate in again, once: through the whole
    verification, to the same seat.

    Example: examgate session let-back KM1-0900 017 --why toilet --person 李老师
    """
    if approved_by is not None:
        params |= approval_of(c, approved_by, pin_stdin)
    terminal = c.call("seat.let_back", params)["terminal"]
    click.echo(c.say(f"考台 {terminal} 的考生可以再次入场一次",
                     f"the candidate of terminal {terminal} may come in again, once"))  # fmt: skip


@session.command()
@click.argument("session_id")
@click.option("--subject", required=True, help="Such as 科目一.")
@click.option(
    "--starts-at",
    required=True,
    callback=_moment,
    help="The venue's time, such as 2026-11-24T09:00.",
)
@click.option(
    "--terminals",
    default="",
    callback=_terminals,
    help="Terminals in the hall's order, such as 001-040,051.",
)
@click.option(
    "--hall",
    "hall_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A table of the terminals with rows, columns and what they are for, instead.",
)
@click.option(
    "--spacing", is_flag=True, help="No neighbours from one driving school while others are free."
)
@click.option("--out-of-service", default="", callback=_terminals, help="Terminals not to be used.")
@click.option("--capacity", type=click.IntRange(1), help="At most so many candidates.")
@click.option("--early-s", type=click.IntRange(0), help="Check-in opens so long before the start.")
@click.option("--late-s", type=click.IntRange(0), help="… and closes so long after it.")
@person_option
@as_json
@pass_context
def create(
    c: Context, /, json_: bool, hall_file: Path | None, terminals: list[Any], **params: Any
) -> None:
    """Add a session.

    Example: examgate session create KM1-0900 --subject 科目一 --starts-at 2026-11-24T09:00
    --terminals 001-040
    """
    if bool(terminals) == (hall_file is not None):
        said = c.say("请给出 --terminals 或 --hall 之一", "give either --terminals or --hall")
        raise click.UsageError(said)
    if hall_file is not None:
        hall = read_hall(hall_file)
        if hall.problems:
            c.fail(Exit.BAD_INPUT, (c.say(zh, en) for zh, en in hall.problems))
        terminals = hall.terminals
    _show(c, [c.call("session.create", params | {"terminals": terminals})], json_)
    starts = datetime.fromisoformat(params["starts_at"])
    if starts.tzinfo is None:
        starts = starts.replace(tzinfo=ZoneInfo(c.config.venue.timezone))
    if starts < datetime.now(UTC):  # allowed: a late start is written down as it was planned
        click.echo(c.say(
            f"注意：开始时间 {starts:%Y-%m-%d %H:%M} 已过；签到时段一过，这一场就不能再打开",
            f"note: {starts:%Y-%m-%d %H:%M} is past; when its check-in is over this session "
            "cannot be opened",
        ), err=True)  # fmt: skip


@session.command("open")
@click.argument("session_id")
@person_option
@as_json
@pass_context
def open_(c: Context, session_id: str, person: str, json_: bool) -> None:
    """Begin check-in. Declined with every reason at once when something is not ready.

    Example: examgate session open KM1-0900 --person 李老师
    """
    _show(c, [c.call("session.open", {"session_id": session_id, "person": person})], json_)


@session.command()
@click.argument("session_id")
@person_option
@as_json
@pass_context
def close(c: Context, session_id: str, person: str, json_: bool) -> None:
    """End a session for good and reveal the seed of its draw.

    Example: examgate session close KM1-0900 --person 李老师
    """
    _show(c, [c.call("session.close", {"session_id": session_id, "person": person})], json_)


@session.command()
@click.argument("session_id")
@click.option(
    "--why",
    required=True,
    type=click.Choice([why.value for why in PauseReason]),
    help="The exam system, the hall, this lane, a break, or anything else.",
)
@click.option("--note", default="", help="In words; needed for other.")
@person_option
@pass_context
def pause(c: Context, session_id: str, why: str, note: str, person: str) -> None:
    """Let nobody new begin; who is at the lane finishes.

    Example: examgate session pause KM1-0900 --why exam_system --person 李老师
    """
    about = {"session_id": session_id, "why": why, "note": note, "person": person}
    c.call("session.pause", about)
    click.echo(c.say(f"场次 {session_id} 暂停入场", f"session {session_id} is paused"))


@session.command()
@click.argument("session_id")
@person_option
@pass_context
def resume(c: Context, session_id: str, person: str) -> None:
    """Take candidates again after a pause.

    Example: examgate session resume KM1-0900 --person 李老师
    """
    c.call("session.resume", {"session_id": session_id, "person": person})
    click.echo(c.say(f"场次 {session_id} 恢复入场", f"session {session_id} goes on"))


@session.command()
@click.argument("session_id", required=False)
@as_json
@pass_context
def status(c: Context, session_id: str | None, json_: bool) -> None:
    """How one session stands, or all of them; of one also the commitment to its seed, and the
    seed once it is closed.

    Example: examgate session status KM1-0900
    """
    with c.declined(), c.office() as ask:
        sessions = ask("session.status", {"session_id": session_id})["sessions"]
        seed = _seed(ask, sessions[0]) if session_id else None
    if session_id and seed:
        sessions[0]["seed"] = seed
    mode = lane_mode(c)
    if json_:
        c.print_json({"sessions": sessions, "mode": mode})
        return
    _show(c, sessions, json_)
    for line in mode_lines(c, mode):
        click.echo(line)
    if session_id and sessions[0]["commitment"]:
        click.echo(f"{c.say('抽号承诺', 'commitment')} {sessions[0]['commitment']}")
        if seed:
            click.echo(f"{c.say('种子', 'seed')} {seed}")


def _seed(ask: Callable[[str, dict[str, Any]], Any], session: dict[str, Any]) -> str | None:
    """As revealed in the journal when the session was closed."""
    if session["state"] != "closed":
        return None
    after = 0
    while True:
        params = {"session_id": session["session_id"], "after": after, "limit": PAGE}
        page = ask("journal.list", params)
        for entry in page["entries"]:
            if entry["kind"] == "session_closed":
                return str(entry["payload"]["seed"])
        if len(page["entries"]) < PAGE:
            return None
        after = page["last"]


@session.command()
@click.argument("session_id")
@click.argument("terminal")
@click.option(
    "--why",
    required=True,
    type=click.Choice([why.value for why in VoidReason]),
    help="The terminal does not work; second attempt of the exam; anything else.",
)
@click.option("--note", default="", help="The reason in words; needed for proctor_decision.")
@click.option(
    "--approved-by",
    help="The second person's staff number, whose PIN is asked for; a name where nobody has one "
    "yet. Needed for proctor_decision.",
)
@click.option(
    "--pin-stdin", is_flag=True, help="Read that PIN from standard input instead of asking for it."
)
@click.option("--draw-no", type=click.IntRange(1), help="Only if it is still this draw.")
@person_option
@pass_context
def void(c: Context, /, pin_stdin: bool, approved_by: str | None, **params: Any) -> None:
    """Give up the seat drawn at TERMINAL: its candidate comes through the lane again, signs and
    draws again. The old draw stays in the record.

    Example: examgate session void KM1-0900 017 --why terminal_broken --person 李老师
    """
    if approved_by is not None:
        params |= approval_of(c, approved_by, pin_stdin)
    done = c.call("seat.void", params)
    click.echo(c.say(
        f"考台 {done['terminal']} 的第 {done['draw_no']} 号抽号已作废；请考生重新走一次通道。",
        f"draw {done['draw_no']} of terminal {done['terminal']} is void; the candidate goes "
        "through the lane again.",
    ))  # fmt: skip


@session.command("list")
@as_json
@pass_context
def list_(c: Context, json_: bool) -> None:
    """All sessions of this lane.

    Example: examgate session list
    """
    _show(c, c.call("session.status", {"session_id": None})["sessions"], json_)


def _show(c: Context, sessions: list[dict[str, Any]], json_: bool) -> None:
    if json_:
        c.print_json({"sessions": sessions})
        return
    headings = c.say(
        "场次,科目,状态,入场开始,入场结束,报名,已抽号,已入场,空闲考台,停用",
        "session,subject,state,check-in from,until,booked,seated,inside,free,out of service",
    ).split(",")
    c.print_table(headings, (_row(c, s) for s in sessions))


def _row(c: Context, s: dict[str, Any]) -> tuple[object, ...]:
    zone = ZoneInfo(c.config.venue.timezone)
    window = [
        datetime.fromisoformat(s[k]).astimezone(zone).strftime("%m-%d %H:%M")
        for k in ("checkin_from", "checkin_until")
    ]
    out = " ".join(s["out_of_service"]) or None
    return (s["session_id"], s["subject"], s["state"], *window, s["booked"], s["seated"],
            s["inside"], s["free_terminals"], out)  # fmt: skip


@session.command()
@click.argument("session_id")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@pass_context
def export(c: Context, session_id: str, file: Path) -> None:
    """Write a session's record to FILE: one file with which anybody can check it.

    It names nobody. An existing file is not overwritten. Check it with: examgate audit FILE

    Example: examgate session export KM1-0900 km1-0900.record
    """
    with c.declined(), c.office() as ask, c.new_file(file) as out:
        begun = ask("record.begin", {"session_id": session_id})
        written = 0
        while written < begun["lines"]:
            part = ask("record.lines", {"record_id": begun["record_id"], "after": written})
            out.writelines(f"{line}\n" for line in part["lines"])
            written += len(part["lines"])
    click.echo(
        c.say(f"记录写入 {file}（{written} 行）", f"record written to {file} ({written} lines)")
    )
