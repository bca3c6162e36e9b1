"""Every command with bad input, a missing file, no daemon: an exit code that is not 0 and a plain
sentence in the asked language on standard error; never a traceback."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import Result

from kiosk import app
from kiosk.cli.base import Exit
from kiosk.cli.main import main
from tests.cli.conftest import Run


def walk(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    for name, command in sorted(group.commands.items()):
        if isinstance(command, click.Group):
            yield from walk(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


COMMANDS = dict(walk(main))
#: They need no file, no daemon and no record, and end well.
WELL = {
    "device list", "device ports", "journal key", "journal list", "journal verify",
    "key recipient", "key rotate", "metrics", "outbox retry", "outbox status", "privacy report",
    "roster reembed", "roster status", "session list", "staff list",
}  # fmt: skip
#: Their findings are what was asked for, so they stand on standard output.
FINDINGS = {"acceptance run", "doctor"}
#: Run until they are stopped; or need no file that could be missing.
ENDLESS = {"demo", "sim run", "ui", "centre receive"}
CHINESE = re.compile("[\u4e00-\u9fff]")


def word_for(parameter: click.Parameter, folder: Path) -> str:
    """Of the right form, but of nothing that there is."""
    kind = parameter.type
    if isinstance(kind, click.Choice):
        return str(kind.choices[0])
    if isinstance(kind, click.Path):
        return str(folder / "absent" / "thing.png")
    if isinstance(kind, click.IntRange):
        return str(kind.min)
    given = {"starts_at": "2030-01-01T09:00", "day": "2030-01-01"}
    return given.get(str(parameter.name), "NOPE")


def line_of(name: str, folder: Path) -> list[str]:
    """The command with an argument for each of its places and required options."""
    words, behind = name.split(), []
    for parameter in COMMANDS[name].params:
        if isinstance(parameter, click.Argument):
            behind.append(word_for(parameter, folder))
        elif parameter.required:
            words += [max(parameter.opts, key=len), word_for(parameter, folder)]
    return words + behind


def check_said(name: str, done: Result) -> None:
    told = done.stderr + (done.stdout if name in FINDINGS else "")
    assert done.exit_code in set(Exit) - {Exit.OK}, done.output
    assert CHINESE.search(told), told
    assert "Traceback" not in done.output and "PORT" not in told
    assert "Errno" not in told, "the system's numbers are for programmers"


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - ENDLESS - {"daemon"}))
def test_without_daemon_or_files(name: str, run: Run, key: Path, tmp_path: Path) -> None:
    done = run(*line_of(name, tmp_path), lang="zh")
    if name in WELL:
        assert done.exit_code == 0, done.stderr
    else:
        check_said(name, done)


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - ENDLESS))
def test_without_the_lanes_key_or_configuration(
    name: str, run: Run, config_file: Path, tmp_path: Path
) -> None:
    """The key is what a new lane lacks; a configuration that cannot be read is named by path."""
    done = run(*line_of(name, tmp_path), lang="zh")
    if name not in {"device list", "device ports", "metrics"}:
        check_said(name, done)
    config_file.write_text("lane: [\n")
    done = run(*line_of(name, tmp_path), lang="zh")
    if name != "device ports":
        check_said(name, done)
    if done.exit_code == Exit.BAD_INPUT and "YAML" in done.stderr:
        assert str(config_file) in done.stderr and "第 2 行" in done.stderr


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_a_mistyped_option_is_wrong_usage(name: str, run: Run, tmp_path: Path) -> None:
    done = run(*name.split(), "--nope", "x")
    assert done.exit_code == Exit.USAGE or name == "sim do", done.output
    assert "Traceback" not in done.output


def test_what_is_no_number_is_wrong_usage_wherever_a_number_is_asked_for(
    run: Run, tmp_path: Path
) -> None:
    """NaN lies beyond neither bound, and would be told after the work, or never."""
    asked = [
        (name, parameter)
        for name, command in COMMANDS.items()
        for parameter in command.params
        if isinstance(parameter.type, click.types.FloatParamType)
    ]
    assert len(asked) > 5
    for name, parameter in asked:
        option = max(parameter.opts, key=len)
        done = run(*line_of(name, tmp_path), option, "nan")
        assert done.exit_code == Exit.USAGE, f"{name} {option}: {done.output}"
        assert option in done.stderr and "nan is not a number" in done.stderr


NUMBERS = [
    (name, max(option.opts, key=len))
    for name, command in sorted(COMMANDS.items())
    if name not in {"demo", "sim do"}
    for option in command.params
    if isinstance(option, click.Option)
    and isinstance(option.type, click.types.IntParamType | click.types.FloatParamType
                   | click.Choice)
]  # fmt: skip


@pytest.mark.parametrize(("name", "option"), NUMBERS)
@pytest.mark.parametrize("value", ["many", "-99999999999"])
def test_a_value_of_another_kind_names_the_option(
    name: str, option: str, value: str, run: Run, tmp_path: Path
) -> None:
    words = line_of(name, tmp_path)
    done = run(*words, f"{option}={value}")
    assert done.exit_code in (Exit.USAGE, Exit.BAD_INPUT), done.output
    assert option in done.stderr


def test_nobody_at_the_keyboard_is_told(run: Run, key: Path) -> None:
    done = run("staff", "add", "1001", "--name", "李敏", "--role", "chief", lang="zh")
    assert done.exit_code == Exit.DECLINED and done.stderr.strip().endswith("没有输入")


def test_ctrl_c_ends_with_130(run: Run, key: Path, config_file: Path, monkeypatch) -> None:
    """At a question and in the work; as of any program, and unlike every answer of a command."""
    code = (  # in a process of its own: click's runner asks in a way of its own
        "import click.termui\n"
        "from kiosk.cli.main import main\n"
        "def stopped(*_, **__): raise KeyboardInterrupt\n"
        "click.termui.visible_prompt_func = click.termui.hidden_prompt_func = stopped\n"
        f"main(['--config', {str(config_file)!r}, '--lang', 'zh', 'staff', 'add', '1001', "
        "'--name', '李敏', '--role', 'chief'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == Exit.INTERRUPTED == 130
    assert done.stderr.strip().endswith("已中断")

    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("kiosk.cli.base.Context.call", stopped)
    told = run("session", "list")
    assert told.exit_code == 130 and told.stderr.strip().endswith("interrupted")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full device here")
def test_an_output_that_is_full_is_told(config_file: Path, key: Path) -> None:
    argv = ["--config", str(config_file), "--lang", "en", "session", "list", "--json"]
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "kiosk.cli.main", *argv], stdout=full, stderr=subprocess.PIPE,
            text=True, check=False,
        )  # fmt: skip
    assert done.returncode == Exit.BAD_INPUT
    assert done.stderr == "the output cannot be written: No space left on device\n"


def test_a_daemon_that_dies_in_the_middle_is_told_in_either_language(run, config, key):
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(app.socket_path(config)))
        listening.listen()

        def die_twice():
            for _ in range(2):
                there, _ = listening.accept()
                there.recv(1)
                there.close()

        dying = threading.Thread(target=die_twice)
        dying.start()
        told = [run("device", "turnstile", "inputs", lang=lang) for lang in ("zh", "en")]
        dying.join()
    assert [r.exit_code for r in told] == [4, 4]
    assert "守护进程断开了连接" in told[0].stderr and "daemon" not in told[0].stderr


def test_a_gate_that_the_daemon_lost_in_a_pulse_is_no_success(run, daemon):
    daemon.ends_after_events = False
    daemon.answers |= {
        "lane.subscribe": {}, "staff.login": {},
        "device.pulse": {"result": "sent", "end": None, "ms": 1.0, "fault": "unplugged"},
    }  # fmt: skip
    for command in (("pulse",), ("cycle", "3")):
        done = run("device", "turnstile", *command, "--staff-no", "1003", "--pin-stdin")
        assert done.exit_code == 5 and "no end seen (none)" in done.stdout
        assert "connection lost" in done.stderr
    assert "0 of 3 confirmed" in done.stdout
