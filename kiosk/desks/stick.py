"""Sticks with rosters: noticed, looked into, and taken in when somebody says so.

The daemon's side. What reads a stick is a process of its own (kiosk.centre.stick); rows that it
brings go the way of every import (kiosk.desks.roster), which believes nobody. A stick that hangs,
lies or is pulled out costs that process and nothing else.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import signal
import subprocess
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

import structlog
from pydantic import Field

from kiosk import wire
from kiosk.centre.bundle.problems import TEXTS, BundleError, older
from kiosk.centre.mounts import Mount
from kiosk.desks.params import NoParams, Params, parse
from kiosk.store import Store
from kiosk.texts import Problem
from kiosk.wire import RpcError

log = structlog.get_logger(__name__)

LOOK_S = 60.0  #: a stick that has not said by then what is on it is not waited for
TAKE_S = 1800.0  #: likewise for a whole bundle, its photographs looked at included
TELL_EVERY = 100  #: rows between two words to the screens
ROOT = Path(__file__).parents[2]  #: where the reading process finds this very program
Said = dict[str, Any]


class StickName(Params):
    stick_id: str = Field(max_length=64)


class StickTake(StickName):
    sha256: str = Field(max_length=64)
    person: str = Field(min_length=1, max_length=64)


@dataclass(slots=True)
class Stick:
    """One stick, from the moment it is noticed until somebody has put it aside."""

    stick_id: str
    mount: Mount
    state: str = "looking"  #: looking looked reading waiting taken failed
    there: bool = True
    offers: list[Said] = field(default_factory=list)
    refused: list[Said] = field(default_factory=list)
    cut: bool = False
    problems: list[dict[str, str]] = field(default_factory=list)  #: sentences by language
    taking: Said | None = None  #: the offer that is or was taken
    rows: int = 0
    result: Said | None = None
    work: asyncio.Task[None] | None = None


class StickDesk:
    """`mounts()` says what is plugged in, None: nothing is watched. `reader(*words)` is the command
    line of the reading process; `ask` carries out a method of the office; `quiet()` is whether
    nobody is at the lane; `changed` tells the screens."""

    def __init__(
        self,
        store: Store,
        declined: Callable[..., RpcError],
        *,
        zone: tzinfo,
        language: str,
        mounts: Callable[[], list[Mount]] | None,
        reader: Callable[..., list[str]],
        ask: Callable[[str, Said], Any],
        quiet: Callable[[], bool],
        changed: Callable[[], None],
    ) -> None:
        self._store, self._declined = store, declined
        self._zone, self._language = zone, language
        self._mounts, self._reader = mounts, reader
        self._ask, self._quiet, self._changed = ask, quiet, changed
        self._sticks: dict[Mount, Stick] = {}
        self._moved = asyncio.Event()  #: somebody came to the lane, or went
        self.revision = 0  #: grows whenever `stick.list` would answer otherwise
        self.methods: dict[str, tuple[type[Params], Callable[[Any], Any]]] = {
            "stick.list": (NoParams, self._list),
            "stick.take": (StickTake, self._take),
            "stick.dismiss": (StickName, self._dismiss),
        }

    def call(self, method: str, params: Said) -> Any:
        """Carry out one method. Raises `RpcError`."""
        schema, handler = self.methods[method]
        return handler(parse(schema, params))

    def lane_moved(self) -> None:
        """Called with every change at the lane."""
        self._moved.set()

    # --- plugged in, pulled out -----------------------------------------------------------------

    def notice(self) -> None:
        """Called every second: reads the kernel's table, never a stick."""
        if self._mounts is None:
            return
        try:
            now = set(self._mounts())
        except OSError as error:
            log.error("mounts_unreadable", why=error.strerror)
            return
        for mount in sorted(now - set(self._sticks), key=lambda m: m.number):
            stick = Stick(secrets.token_hex(4), mount)
            self._sticks[mount] = stick
            self._begin(stick, self._look(stick))
        for mount in set(self._sticks) - now:
            if self._sticks[mount].there:
                self._pulled_out(self._sticks[mount])

    def _pulled_out(self, stick: Stick) -> None:
        """Without work on it there is nothing to say; else why nothing came of it."""
        stick.there = False
        if stick.state == "reading" and stick.work is not None:
            stick.work.cancel()
            self._failed(stick, [_sentences("stick_gone")])
        elif stick.state not in ("waiting", "taken", "failed"):
            self._forget(stick)

    def _forget(self, stick: Stick) -> None:
        if stick.work is not None:
            stick.work.cancel()
        del self._sticks[stick.mount]
        self._tell()

    def _begin(self, stick: Stick, work: Any) -> None:
        stick.work = asyncio.create_task(work)
        self._tell()

    def _tell(self) -> None:
        self.revision += 1
        self._changed()

    def _failed(self, stick: Stick, problems: list[dict[str, str]]) -> None:
        stick.state, stick.problems = "failed", problems
        log.info("stick_failed", stick=stick.stick_id)
        self._tell()

    async def stop(self) -> None:
        """Whatever is being read is let go; nothing is half applied."""
        works = [stick.work for stick in self._sticks.values() if stick.work is not None]
        for work in works:
            work.cancel()
        await asyncio.gather(*works, return_exceptions=True)

    # --- looked into ----------------------------------------------------------------------------

    async def _look(self, stick: Stick) -> None:
        whole = False
        try:
            folder = str(stick.mount.folder)
            async with asyncio.timeout(LOOK_S), aclosing(self._read("look", folder)) as lines:
                async for said in lines:
                    match said:
                        case {"bundle": offer}:
                            stick.offers.append(offer)
                        case {"refused": refused}:
                            stick.refused.append(refused)
                        case {"end": end}:
                            stick.cut, whole = bool(end["cut"]), True
                        case {"failed": problems}:
                            stick.problems = problems
        except TimeoutError:
            stick.problems = [_sentences("stick_slow")]
        stick.offers.sort(key=lambda offer: -int(offer["serial"]))
        if not whole:
            self._failed(stick, stick.problems or [_sentences("stick_unreadable")])
            return
        stick.state = "looked"
        log.info("stick_looked", bundles=len(stick.offers), refused=len(stick.refused))
        self._tell()

    # --- taken in -------------------------------------------------------------------------------

    def _take(self, p: StickTake) -> Any:
        stick = self._known(p)
        offer = next((o for o in stick.offers if o["sha256"] == p.sha256), None)
        if offer is None or not stick.there:
            raise self._declined("STICK_GONE", [Problem("stick_gone")], p.lang)
        if any(s.state in ("reading", "waiting") for s in self._sticks.values()):
            raise self._declined("STICK_BUSY", [Problem("stick_busy")], p.lang)
        stick.state, stick.taking, stick.rows = "reading", offer, 0
        stick.problems, stick.result = [], None
        self._begin(stick, self._taken(stick, offer, p))
        return {}

    async def _taken(self, stick: Stick, offer: Said, p: StickTake) -> None:
        lang = {"lang": p.lang or self._language}
        begun: Said = {}
        complete = False
        try:
            path = offer["path"]
            async with asyncio.timeout(TAKE_S), aclosing(self._read("take", path)) as lines:
                async for said in lines:
                    match said:
                        case {"begin": begin, "sha256": sha256}:
                            if sha256 != offer["sha256"]:  # another file under that name
                                raise _Problems([_sentences("stick_changed")])
                            source = f"usb: {offer['file']}"
                            begun = self._ask("roster.begin", begin | {"source": source} | lang)
                        case {"rows": rows}:
                            self._ask("roster.add", begun | {"rows": rows} | lang)
                            before, stick.rows = stick.rows, stick.rows + len(rows)
                            if stick.rows // TELL_EVERY > before // TELL_EVERY:
                                self._tell()
                        case {"end": _}:
                            complete = True
                        case {"failed": problems}:
                            raise _Problems(problems)
            if not complete:
                raise _Problems([_sentences("stick_unreadable")])
            await self._until_quiet(stick)
            stick.result = self._ask("roster.commit", begun | {"person": p.person} | lang)
        except TimeoutError:
            self._failed(stick, [_sentences("stick_slow")])
        except _Problems as error:
            self._failed(stick, error.problems)
        except RpcError as error:
            self._failed(stick, [{"zh": said, "en": said} for said in error.problems])
        else:
            stick.state = "taken"
            log.info("stick_taken", serial=offer["serial"], rows=stick.rows)
            self._tell()

    async def _until_quiet(self, stick: Stick) -> None:
        """One transaction over thousands of rows takes a second or two: between two people."""
        if not self._quiet():
            stick.state = "waiting"
            self._tell()
            while not self._quiet():
                self._moved.clear()
                await self._moved.wait()

    async def _read(self, *words: str) -> AsyncGenerator[Said, None]:
        """What the reading process says, a line each; it ends with this iteration."""
        process = _begun(self._reader(*words))
        reader = asyncio.StreamReader(limit=wire.MAX_LINE)
        pipe, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), process.stdout
        )
        try:
            while (line := await reader.readline()).endswith(b"\n"):
                yield json.loads(line)
        finally:
            pipe.close()
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # and who looks at photographs for it
            await _ended(process)

    # --- said -----------------------------------------------------------------------------------

    def _known(self, p: StickName) -> Stick:
        for stick in self._sticks.values():
            if stick.stick_id == p.stick_id:
                return stick
        raise self._declined("STICK_GONE", [Problem("stick_gone")], p.lang)

    def _dismiss(self, p: StickName) -> Any:
        """Not now: nobody is asked about it again until it is plugged in anew."""
        stick = self._known(p)
        if stick.state in ("reading", "waiting"):
            raise self._declined("STICK_BUSY", [Problem("stick_busy")], p.lang)
        if stick.there:
            stick.offers, stick.refused, stick.state = [], [], "dismissed"
            self._tell()
        else:
            self._forget(stick)
        return {}

    def _list(self, p: NoParams) -> Any:
        lang = p.lang or self._language
        return {"sticks": [
            self._describe(stick, lang)
            for stick in self._sticks.values()
            if stick.state != "dismissed"
        ]}  # fmt: skip

    def _describe(self, stick: Stick, lang: str) -> Said:
        return {
            "stick_id": stick.stick_id,
            "name": stick.mount.name,
            "state": stick.state,
            "there": stick.there,
            "bundles": [self._offer(offer, lang) for offer in stick.offers],
            "refused": [
                {"file": r["file"], "code": r["code"], "why": _why(r, lang)} for r in stick.refused
            ],
            "more": stick.cut,
            "problems": [sentences[lang] for sentences in stick.problems],
            "taking": stick.taking and self._offer(stick.taking, lang),
            "rows": stick.rows,
            "result": stick.result,
        }

    def _offer(self, offer: Said, lang: str) -> Said:
        """`why`: it would be refused, as things stand now."""
        refusal = self._against_the_one_in_use(offer)
        until = datetime.fromisoformat(offer["valid_until"]) - timedelta(seconds=1)
        made = datetime.fromisoformat(offer["made_at"])
        kept = ("file", "sha256", "serial", "candidates", "sessions", "sessions_in_all")
        return {name: offer[name] for name in kept} | {
            "day": until.astimezone(self._zone).date().isoformat(),
            "made_at": made.astimezone(self._zone).isoformat(),
            "code": refusal and refusal.code,
            "why": refusal and refusal.sentence(lang),
        }

    def _against_the_one_in_use(self, offer: Said) -> BundleError | None:
        last = self._store.last_bundle()
        if last is None or offer["serial"] > last[0]:
            return None
        if offer["serial"] < last[0]:
            made = datetime.fromisoformat(offer["made_at"])
            return older((offer["serial"], made), (last[0], last[2]), self._zone)
        code = "in_use" if offer["sha256"] == last[1] else "same_serial"
        return BundleError(code, str(offer["serial"]))


def _begun(argv: list[str]) -> subprocess.Popen[bytes]:
    """In a group of its own, so that it can be ended with its children."""
    return subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        start_new_session=True,
    )


async def _ended(process: subprocess.Popen[bytes]) -> None:
    """Waits a moment for a process that was killed; one that hangs in the kernel on a dead stick
    ends when the kernel lets it."""
    for _ in range(100):
        if process.poll() is not None:
            return
        await asyncio.sleep(0.02)
    log.warning("stick_reader_hangs", pid=process.pid)


class _Problems(Exception):
    def __init__(self, problems: list[dict[str, str]]) -> None:
        self.problems = problems


def _sentences(code: str) -> dict[str, str]:
    problem = Problem(code)
    return {lang: problem.sentence(lang) for lang in ("zh", "en")}


def _why(refused: Said, lang: str) -> str:
    code = refused["code"] if refused["code"] in TEXTS else "damaged"
    return BundleError(code, refused["detail"]).sentence(lang)
