"""Every command and option is documented with an example, every fault and dependency explained."""

from __future__ import annotations

import configparser
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from drivers.errors import FaultCode
from kiosk.cli.base import Exit
from kiosk.cli.main import main
from kiosk.core.codes import Reason
from kiosk.reasons import REASONS

DOCS = Path(__file__).resolve().parents[2] / "docs"
OPERATIONS = (DOCS / "operations.md").read_text()


def commands(group: click.Group, path: str = "examgate") -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


COMMANDS = dict(commands(main))


def section(path: str) -> str:
    found = re.search(rf"^### {re.escape(path)}\n(.*?)(?=^##|\Z)", OPERATIONS, re.M | re.S)
    assert found, f"docs/operations.md has no section {path}"
    return found.group(1)


@pytest.mark.parametrize("path", COMMANDS)
def test_command_and_its_options_are_documented(path: str) -> None:
    text = section(path)
    options = [p for p in COMMANDS[path].params if isinstance(p, click.Option)]
    names = [name for option in options for name in (*option.opts, *option.secondary_opts)]
    missing = [name for name in names if not re.search(rf"{name}(?![\w-])", text)]
    assert missing == []
    assert f"`{path}" in text or "`examgate --config lane.yaml daemon`" in text, "no example"


@pytest.mark.parametrize("path", COMMANDS)
def test_help_has_an_example_and_every_option_a_text(path: str) -> None:
    command = COMMANDS[path]
    assert "Example: examgate" in (command.help or "")
    for option in command.params:
        if isinstance(option, click.Option):
            assert option.help, f"{path} {option.opts}"


def test_nothing_is_documented_that_is_not_there() -> None:
    assert set(re.findall(r"^### (examgate .*)$", OPERATIONS, re.M)) == set(COMMANDS)


def documented_lines() -> list[str]:
    inline = re.findall(r"^`(examgate [^`]*)`$", OPERATIONS, re.M)
    blocks = re.findall(r"^(?:sudo -u examgate )?(examgate .*)$", OPERATIONS, re.M)
    return inline + blocks


@pytest.mark.parametrize("line", documented_lines())
def test_documented_lines_are_understood(line: str) -> None:
    """Every example parses: commands, options and values exist."""
    arguments = shlex.split(line)[1:]
    command: click.Command = main
    context = None
    while True:
        context = command.make_context(command.name or "examgate", arguments, parent=context)
        if not isinstance(command, click.Group):
            return
        arguments = [*context._protected_args, *context.args]
        name, command, arguments = command.resolve_command(context, arguments)
        assert command is not None, name


def test_exit_codes_are_documented() -> None:
    rows = OPERATIONS.split("| exit code | meaning |\n", 1)[1].split("\n\n", 1)[0]
    table = dict(re.findall(r"^\| (\d+) \| (.*?) \|$", rows, re.M))
    assert set(table) == {str(code.value) for code in Exit}


def test_every_fault_has_its_entry_and_steps() -> None:
    text = (DOCS / "faults.md").read_text()
    entries = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", text, re.M | re.S))
    assert set(FaultCode) <= set(entries)
    from ui.i18n import en, zh

    for code in FaultCode:
        for words in (zh.TEXTS, en.TEXTS):
            assert words[f"fault.{code}"] in entries[code], "the proctor's screen says otherwise"
        assert re.search(r"^1\. ", entries[code], re.M), f"{code} has no procedure"


def test_every_dependency_is_explained() -> None:
    setup = configparser.ConfigParser()
    setup.read(DOCS.parent / "setup.cfg")
    names = re.findall(r"^([\w-]+)", setup["options"]["install_requires"].strip(), re.M)
    text = (DOCS / "dependencies.md").read_text()
    assert len(names) > 10
    assert [n for n in names if not re.search(rf"\b{n}\b", text)] == []
    pinned = re.findall(r"^([\w-]+)==", (DOCS.parent / "requirements.txt").read_text(), re.M)
    normal = {n.lower().replace("_", "-") for n in pinned}
    assert [n for n in names if n.lower() not in normal] == []


def test_every_reason_has_words() -> None:
    assert set(REASONS) == set(Reason)
