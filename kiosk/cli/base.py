"""What every command shares: configuration, language, the daemon or the office, exit codes.

Reaches the daemon only through kiosk.wire; without one, the same methods through kiosk.app.
"""

from __future__ import annotations

import json
import math
import os
import signal
import sys
import threading
from collections.abc import Iterable
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TextIO
from zoneinfo import ZoneInfo

import click
from rich.console import Console
from rich.table import Table

from kiosk import wire
from kiosk.told import in_language, os_reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from drivers.errors import DeviceFault
    from kiosk.config import Config

DEFAULT_CONFIG = Path("/etc/examgate/config.yaml")
OFFICE_TIMEOUT_S = 300.0  #: recomputing a long journal takes its time


class Exit(IntEnum):
    """Exit codes, as in docs/operations.md."""

    OK = 0
    DECLINED = 1
    USAGE = 2
    BAD_INPUT = 3
    NOT_RUNNING = 4
    DEVICE = 5
    INTERRUPTED = 130  #: as shells have it: 128 and the signal's number


def default_language() -> str:
    """Chinese where the terminal is."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(name):
            return "zh" if value.lower().startswith("zh") else "en"
    return "en"


@dataclass
class Context:
    """What `click` hands to each command."""

    config_path: Path
    language: str
    out: Console = field(default_factory=lambda: Console(soft_wrap=True))
    err: Console = field(default_factory=lambda: Console(stderr=True, soft_wrap=True))
    _config: Config | None = None

    @property
    def config(self) -> Config:
        """The lane's configuration; ends the command with every mistake when it is bad."""
        if self._config is None:
            from kiosk.config import load
            from kiosk.config.problems import ConfigError

            try:
                self._config = load(self.config_path)
            except ConfigError as error:
                found = (p.sentence(self.language) for p in error.problems)
                self.fail(Exit.BAD_INPUT, (f"{error.file}: {said}" for said in found))
        return self._config

    def say(self, zh: str, en: str) -> str:
        return zh if self.language == "zh" else en

    def device_name(self, role: str) -> str:
        from kiosk.texts import ROLES

        return ROLES.get(role, (role, role))[0 if self.language == "zh" else 1]

    def os_error(self, error: OSError) -> str:
        """Why the system would not, in words."""
        return in_language(os_reason(error) or str(error), self.language)

    def not_running(self, error: wire.NotRunning) -> str:
        """That no daemon answers, and at which socket."""
        said = str(error)
        if isinstance(error.__cause__, OSError):
            why = self.os_error(error.__cause__)
            said = self.say(f"没有服务在运行：{error.path}（{why}）", said)
        return said

    def fault_sentence(self, fault: DeviceFault) -> str:
        """Device, what is wrong, its code, where, and what to try."""
        from kiosk.cli.device_texts import FAULTS, in_words
        from kiosk.cli.doctor.devices import remedy

        said = f"{self.device_name(fault.device)}: {in_words(self, fault.code.value, FAULTS)}"
        detail = f" {fault.detail}" if fault.detail else ""
        port = fault.detail.split(":")[0] if fault.detail.startswith("/") else "/dev/…"
        return "; ".join(filter(None, (said + detail, remedy(self, fault.code.value, port))))

    def when(self, iso: str | None) -> str:
        """A time of the wire in the hall's time zone, to the second; "–" for none."""
        if not iso:
            return "–"
        zone = ZoneInfo(self.config.venue.timezone)
        return f"{datetime.fromisoformat(iso).astimezone(zone):%Y-%m-%d %H:%M:%S}"

    def fail(self, code: Exit, sentences: Iterable[str]) -> NoReturn:
        """Say each sentence on standard error and end with `code`."""
        for sentence in sentences:
            self.err.print(sentence, markup=False, highlight=False)
        sys.exit(code)

    def call(self, method: str, params: dict[str, Any] | None = None, **more: Any) -> Any:
        """Ask the daemon; while none runs, the office itself. Declined: ends the command."""
        with self.declined(), self.office() as ask:
            return ask(method, {**(params or {}), **more})

    @contextmanager
    def office(self) -> Iterator[Callable[[str, dict[str, Any]], Any]]:
        """A way to ask several things of one office: the daemon's, else our own."""
        from kiosk import app

        language = {"lang": self.language}
        try:
            client = wire.Client(app.socket_path(self.config), OFFICE_TIMEOUT_S)
        except wire.NotRunning as error:
            self.check_allowed(error)
            with app.offline(self.config) as office:
                yield lambda method, params: office.call(method, language | params)
            return
        with client:
            yield lambda method, params: client.call(method, language | params)

    def ask_daemon(self, method: str, params: dict[str, Any] | None = None) -> Any:
        """Ask the daemon; without one the command ends with NOT_RUNNING."""
        with self.declined(), self.daemon() as client:
            return client.call(method, params or {})

    def check_allowed(self, error: wire.NotRunning) -> None:
        """A daemon that we may not talk to is running: working beside it would be wrong."""
        if isinstance(error.__cause__, PermissionError):
            remedy = self.say(
                "请用 sudo，或加入 examgate 组", "use sudo, or join the group examgate"
            )
            self.fail(Exit.NOT_RUNNING, [f"{self.not_running(error)}; {remedy}"])

    @contextmanager
    def daemon(self, timeout_s: float = OFFICE_TIMEOUT_S) -> Iterator[wire.Client]:
        """A connection to the running daemon; without one the command ends."""
        from kiosk import app

        try:
            with wire.Client(app.socket_path(self.config), timeout_s) as client:
                yield client
        except wire.NotRunning as error:
            self.check_allowed(error)
            remedy = self.say("请先启动：examgate daemon", "start it: examgate daemon")
            self.fail(Exit.NOT_RUNNING, [f"{self.not_running(error)}; {remedy}"])

    @contextmanager
    def declined(self) -> Iterator[None]:
        """Refusals, store errors and device faults as plain sentences and exit codes."""
        from drivers.errors import DeviceFault
        from kiosk.store.errors import StoreError

        try:
            yield
        except wire.RpcError as error:
            faulty = error.data.get("code") == "DEVICE_FAULT"
            self.fail(Exit.DEVICE if faulty else Exit.DECLINED, error.problems)
        except StoreError as error:
            self.fail(Exit.DECLINED, (in_language(p, self.language) for p in error.problems))
        except DeviceFault as fault:
            self.fail(Exit.DEVICE, [self.fault_sentence(fault)])
        except TimeoutError:
            said = self.say("守护进程没有及时应答", "the daemon did not answer in time")
            self.fail(Exit.NOT_RUNNING, [said])
        except ConnectionError as error:
            said = self.say("守护进程断开了连接，可能已停止", f"{error}")
            self.fail(Exit.NOT_RUNNING, [said])

    @contextmanager
    def new_file(self, path: Path) -> Iterator[TextIO]:
        """A text file that is there whole or, when the command ends early, not at all."""
        try:
            with path.open("x", encoding="utf-8", newline="\n") as out:
                try:
                    yield out
                except BaseException:
                    path.unlink()
                    raise
        except FileExistsError:
            said = self.say("已存在，不会覆盖", "is there already and is not overwritten")
            self.fail(Exit.BAD_INPUT, [f"{path}: {said}"])
        except OSError as error:
            self.fail(Exit.BAD_INPUT, [f"{path}: {self.os_error(error)}"])

    def write_private(self, path: Path, data: bytes) -> None:
        """A new file that its owner alone reads, whole or not at all; never over another."""
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            said = self.say("已存在，不会覆盖", "is there already and is not overwritten")
            self.fail(Exit.BAD_INPUT, [f"{path}: {said}"])
        except OSError as error:
            self.fail(Exit.BAD_INPUT, [f"{path}: {self.os_error(error)}"])
        try:
            with os.fdopen(handle, "wb") as out:
                out.write(data)
        except OSError as error:
            path.unlink(missing_ok=True)
            self.fail(Exit.BAD_INPUT, [f"{path}: {self.os_error(error)}"])

    # --- output -----------------------------------------------------------------------------------

    def print_json(self, value: Any) -> None:
        click.echo(json.dumps(value, ensure_ascii=False, indent=2))

    def print_table(self, headings: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
        table = Table(box=None, pad_edge=False)
        for heading in headings:
            table.add_column(heading, overflow="fold")
        for row in rows:
            table.add_row(*("–" if cell is None else str(cell) for cell in row))
        Console(width=None if sys.stdout.isatty() else 160).print(table)


class GroupWithDefault(click.Group):
    """A group one of whose commands needs no name: its words may follow the group's at once.

    `bare`: also where nothing follows; else that shows the help.
    """

    def __init__(self, *arguments: Any, default: str, bare: bool = False, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._default, self._bare = default, bare

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        first = args[0] if args else None
        named = first in self.commands or first in self.get_help_option_names(context)
        if (first is not None and not named) or (first is None and self._bare):
            args = [self._default, *args]
        return super().parse_args(context, args)


@contextmanager
def bundle_errors(c: Context, path: Path | None = None) -> Iterator[None]:
    """What is wrong with a bundle or its keys as one sentence with the remedy."""
    from kiosk.centre.bundle.problems import BundleError

    try:
        yield
    except BundleError as error:
        where = f"{path}: " if path is not None else ""
        c.fail(Exit.BAD_INPUT, [where + error.sentence(c.language)])


@contextmanager
def ended_in_order() -> Iterator[None]:
    """A terminal that is closed and a `kill` do what Ctrl-C does: a relay that this program times
    would stay on, and the gate open, after a process that just ends."""

    def like_ctrl_c(*_: object) -> None:
        signal.raise_signal(signal.SIGINT)  # asyncio's own handler, where it runs, cancels in order

    before = {}
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup
                before[number] = signal.signal(number, like_ctrl_c)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class FloatRange(click.FloatRange):
    """click's own lets NaN through: it lies beyond neither bound."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        number = float(super().convert(value, param, ctx))
        if math.isnan(number):
            self.fail(f"{value} is not a number.", param, ctx)
        return number


pass_context = click.make_pass_decorator(Context)
as_json = click.option("--json", "json_", is_flag=True, help="Print the data as JSON.")


def _person(context: click.Context, _: click.Parameter, value: str) -> str:
    """A name for the journal: nobody can be taken for somebody who has logged in."""
    from kiosk.core.staff import looks_like_signature
    from kiosk.texts import Problem

    c = context.find_object(Context)
    if c is None:  # the line is only being read, nothing is done
        return value
    if looks_like_signature(value):
        c.fail(Exit.DECLINED, [Problem("person_form").sentence(c.language)])
    if not value.strip() or not value.isprintable() or len(value) > 64:
        said = c.say("姓名须为 1 至 64 个可见字符", "a name has 1 to 64 printable characters")
        c.fail(Exit.DECLINED, [f"--person: {said}"])
    return value


person_option = click.option(
    "--person", default=lambda: os.environ.get("SUDO_USER") or os.environ.get("USER") or "root",
    callback=_person,
    help="Who does this; it is journalled. Default: the login name.",
)  # fmt: skip
