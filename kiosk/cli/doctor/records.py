"""What is on the lane's disk: its record, the roster, and the clock that dates both."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from kiosk import wire
from kiosk.cli.base import Context
from kiosk.cli.doctor.finding import GREEN, RED, YELLOW, Finding, output


def running(c: Context) -> bool:
    from kiosk import app

    try:
        with wire.Client(app.socket_path(c.config)):
            return True
    except wire.NotRunning:
        return False


def asked(c: Context, method: str, **params: Any) -> Any:
    """An office's answer, or the sentences with which it declined."""
    from kiosk.store.errors import StoreError

    try:
        with c.office() as ask:
            return ask(method, params)
    except StoreError as error:
        return error.problems
    except wire.RpcError as error:
        return error.problems
    except (ConnectionError, TimeoutError) as error:
        return [f"{method}: {error}"]


def database(c: Context) -> Iterator[Finding]:
    what = c.say("数据库", "database")
    if running(c):
        yield _quick_check(c, what)
        return
    result = asked(c, "journal.verify")
    if isinstance(result, list):
        yield Finding(what, RED, "; ".join(result))
    elif result["problems"]:
        yield Finding(what, RED, "; ".join(result["problems"][:3]), _keep_the_disk(c))
    else:
        said = c.say(
            f"{result['entries']} 条记录，未被改动", f"{result['entries']} entries, nothing bent"
        )
        yield Finding(what, GREEN, said)


def _keep_the_disk(c: Context) -> str:
    return c.say(
        "停用本通道并保留磁盘，通知中心", "stop this lane, keep the disk, tell the centre"
    )


def _quick_check(c: Context, what: str) -> Finding:
    """Reads beside the daemon: are the pages whole? The entries themselves are not recomputed."""
    file = c.config.paths.data / "lane.db"
    try:
        with contextlib.closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as db:
            found = [str(row[0]) for row in db.execute("PRAGMA quick_check(5)")]
    except sqlite3.Error as error:
        found = [str(error)]
    if found != ["ok"]:
        return Finding(what, RED, f"{file}: {'; '.join(found)[:300]}", _keep_the_disk(c))
    said = c.say(
        "完好（守护进程使用中；重算请用 examgate journal verify）",
        "whole (in use by the daemon; to recompute it: examgate journal verify)",
    )
    return Finding(what, GREEN, said)


def roster(c: Context) -> Iterator[Finding]:
    what = c.say("名单", "roster")
    result = asked(c, "roster.status")
    if isinstance(result, list):
        yield Finding(what, RED, "; ".join(result))
        return
    if not result["sessions"]:
        yield Finding(what, YELLOW, c.say("没有名单", "none"), "examgate roster import DIR")
        return
    newest = max(datetime.fromisoformat(s["imported_at"]) for s in result["sessions"])
    days = (datetime.now(UTC) - newest).days
    count = sum(s["candidates"] for s in result["sessions"])
    said = c.say(
        f"{count} 名考生，{days} 天前导入", f"{count} candidates, imported {days} days ago"
    )
    yield Finding(what, YELLOW if days > 1 else GREEN, said, "examgate roster import DIR")


def clock(c: Context) -> Iterator[Finding]:
    from kiosk.preconditions import EARLIEST

    now = datetime.now(UTC)
    what = c.say("时钟", "clock")
    remedy = "timedatectl set-ntp true"
    if now < EARLIEST:
        yield Finding(what, RED, f"{now:%Y-%m-%d %H:%M}", remedy)
        return
    if (last := last_entry(c)) is not None and now < last:
        said = c.say(f"早于最后一条日志 {last:%Y-%m-%d %H:%M}",
                     f"before the last journal entry, {last:%Y-%m-%d %H:%M}")  # fmt: skip
        yield Finding(what, RED, said, remedy)
        return
    synchronised = output(["timedatectl", "show", "-p", "NTPSynchronized", "--value"])
    colour = GREEN if synchronised == "yes" else YELLOW
    said = (
        c.say("已同步", "synchronised") if colour == GREEN else c.say("未确认同步", "not confirmed")
    )
    yield Finding(what, colour, f"{now.astimezone():%Y-%m-%d %H:%M:%S} {said}", remedy)


def last_entry(c: Context) -> datetime | None:
    """When the journal was last written; not asked of a running daemon, which checks it itself."""
    if running(c):
        return None
    verified = asked(c, "journal.verify")
    if isinstance(verified, list) or not verified["entries"]:
        return None
    last = asked(c, "journal.list", after=verified["entries"] - 1, limit=1)
    if isinstance(last, list) or not last["entries"]:
        return None
    return datetime.fromisoformat(last["entries"][-1]["at"])
