"""From config.yaml to a `Config`, or to every mistake in it, all at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from kiosk.config.camera import file_mistake, source_mistake
from kiosk.config.devices import AUTO, Devices, OsdpTurnstile, sections_of, tag_of
from kiosk.config.network import Network
from kiosk.config.problems import (
    NO_SECTIONS,
    NOT_TEXT,
    ConfigError,
    Problem,
    Said,
    explained,
    line_of,
    not_ours,
    not_yaml,
    unreadable,
)
from kiosk.config.schema import Config, IdentityRules, Paths
from kiosk.credentials import instead_of

MAX_DEPTH = 4


def load(path: Path) -> Config:
    """Read and check the file. Raises `ConfigError` with all problems at once.

    None of them shows what is in a file that is no configuration of ours: it may be a secret.
    """
    return read(path)[0]


def read(path: Path) -> tuple[Config, dict[str, int]]:
    """`load`, and the line of each key by its dotted path."""
    try:
        text = path.read_text(encoding="utf-8-sig")  # some editors put a mark in front
    except OSError as error:
        raise ConfigError(path, [unreadable(error)]) from error
    except UnicodeDecodeError as error:
        raise ConfigError(path, [NOT_TEXT]) from error
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(path, [not_yaml(error)]) from None  # its text shows the line
    except (ValueError, RecursionError):  # a date of month 13; brackets without end
        raise ConfigError(path, [not_yaml(None)]) from None
    if not isinstance(data, dict) or node is None:
        raise ConfigError(path, [NO_SECTIONS])
    if not set(Config.model_fields) & set(map(str, data)):
        raise ConfigError(path, [not_ours(Config.model_fields)])
    lines: dict[str, int] = {}
    problems = list(_walk(node, "", lines))
    problems += [Problem(key, line_of(key, lines), *said) for key, said in _clashes(data)]
    try:
        config = Config.model_validate(data)
    except ValidationError as error:
        problems += explained(error, lines, Config)
    if problems:
        raise ConfigError(path, sorted(problems, key=lambda p: p.line))
    return _absolute(config, path.resolve().parent), lines


def check(path: Path) -> tuple[Config, dict[str, int]]:
    """`read`, and what is seen of the machine: a camera's path that leads to something else.

    The lane does not ask for it to start: what is plugged in changes. Raises `ConfigError`.
    """
    config, lines = read(path)
    if said := file_mistake(config.devices.camera.source):
        key = "devices.camera.source"
        raise ConfigError(path, [Problem(key, line_of(key, lines), *said)])
    return config, lines


def _walk(node: yaml.Node, prefix: str, lines: dict[str, int]) -> Iterator[Problem]:
    """Remember each key's line; a key given twice is a mistake that YAML itself hides."""
    if not isinstance(node, yaml.MappingNode) or prefix.count(".") > MAX_DEPTH:
        return  # deeper than the schema: an alias that holds itself never ends
    seen: dict[str, int] = {}
    for key, value in node.value:
        name = str(key.value)
        path = f"{prefix}.{name}" if prefix else name
        line = key.start_mark.line + 1
        if name in seen:
            yield Problem(
                path, line, f"given twice (first in line {seen[name]}); keep one",
                f"写了两次（第一次在第 {seen[name]} 行）；请只留一个",
            )  # fmt: skip
        seen[name] = line
        lines[path] = line
        yield from _walk(value, path, lines)


def _clashes(data: dict[str, Any]) -> Iterator[tuple[str, Said]]:
    """What one section asks of another: path and sentence. On raw data, so that these mistakes
    are told together with all others."""
    devices = _mapping(data, "devices")
    identity = _mapping(data, "identity")
    for key, needs, role, instead in (
        ("claim", "id_card", "id_card", "face"),
        ("finger", True, "fingerprint", "false"),
    ):
        value = identity.get(key, IdentityRules.model_fields[key].default)
        if value == needs and devices.get(role) is None:
            shown = str(value).lower()
            yield (
                f"identity.{key}",
                (
                    f"is {shown}, but devices.{role} is missing; add it, or set this to {instead}",
                    f"是 {shown}，但没有 devices.{role}；请补上，或把它改为 {instead}",
                ),
            )
    yield from _unsearchable(devices)
    if said := source_mistake(_mapping(devices, "camera").get("source")):
        yield "devices.camera.source", said
    turnstile = _mapping(devices, "turnstile")
    yield from _clashes_of_exit(data, identity, turnstile)
    centre = _mapping(data, "centre")
    if centre.get("evidence_recipients") and not centre.get("record_url"):
        yield (
            "centre.evidence_recipients",
            (
                "is set, but centre.record_url is empty, so there is nowhere to send evidence; set "
                "it, or set this to []",
                "已设置，但 centre.record_url 为空，证据无处可送；请设置它，或把本项改为 []",
            ),
        )
    sections = sections_of(Devices.model_fields["turnstile"].annotation)
    chosen = [s for s in sections if tag_of(s) == turnstile.get("driver")]
    fields = chosen[0].model_fields if chosen else {}
    for kind in ("_coil", "input_", "_output", "_relay"):
        seen: dict[int, str] = {}
        for name, info in fields.items():
            number = turnstile.get(name, info.default)
            if kind not in name or not isinstance(number, int):
                continue
            if number in seen:
                what = kind.strip("_")
                yield (
                    f"devices.turnstile.{name}",
                    (
                        f"is the same {what} as {seen[number]}: {number}",
                        f"与 {seen[number]} 编号相同：{number}",
                    ),
                )
            seen.setdefault(number, name)


def _unsearchable(devices: dict[str, Any]) -> Iterator[tuple[str, Said]]:
    """A device that never answers cannot be found by asking every port."""
    for role, driver in (("turnstile", "usb_relay"), ("scanner", "serial")):
        section = _mapping(devices, role)
        if section.get("driver") != driver or section.get("answers") is True:
            continue
        if section.get("port", AUTO) == AUTO and not section.get("usb"):
            yield (
                f"devices.{role}.port",
                (
                    "is auto, but this device never answers, so no search finds it; write its port "
                    "(ls /dev/serial/by-path), or usb (examgate device ports)",
                    "是 auto，但这种设备从不应答，无法自动查找；"
                    "请写明端口（ls /dev/serial/by-path）或 usb（examgate device ports）",
                ),
            )


def _clashes_of_exit(
    data: dict[str, Any], identity: dict[str, Any], turnstile: dict[str, Any]
) -> Iterator[tuple[str, Said]]:
    """What the check of who leaves needs."""
    if _mapping(data, "lane").get("direction") != "both":
        return
    relays = ("exit_coil", "exit_output", "exit_relay")
    apart = any(turnstile.get(key) is not None for key in relays)
    if identity.get("exit") == "claim" and not apart:
        yield (
            "identity.exit",
            (
                "is claim, but one coil unlocks both ways: a lent card would open the gate inwards;"
                " add devices.turnstile.exit_coil (exit_output, exit_relay), or set this to face",
                "是 claim，但两个方向共用一个线圈：借来的证件也能从外面打开闸机；请增加 "
                "devices.turnstile.exit_coil（exit_output、exit_relay），或改为 face",
            ),
        )
    if identity.get("exit") == "finger" and identity.get("finger", True) is False:
        yield (
            "identity.exit",
            (
                "is finger, but identity.finger is false; set this to face",
                "是 finger，但 identity.finger 为 false；请改为 face",
            ),
        )


def _mapping(data: dict[str, Any], key: str) -> dict[str, Any]:
    value = data.get(key)
    return value if isinstance(value, dict) else {}


def _absolute(config: Config, folder: Path) -> Config:
    """Relative paths start at the file, `~` at the user's home; other sources stay as they are."""
    paths = {k: folder / v.expanduser() for k, v in config.paths.model_dump().items()}
    paths["key_file"] = instead_of(paths["key_file"])
    camera = config.devices.camera
    source = camera.source
    if isinstance(source, str) and "://" not in source and not source.isdigit():
        camera = camera.model_copy(update={"source": str(folder / Path(source).expanduser())})
    gate = config.devices.turnstile
    if isinstance(gate, OsdpTurnstile):
        gate = gate.model_copy(update={"key_file": folder / gate.key_file.expanduser()})
    devices = config.devices.model_copy(update={"camera": camera, "turnstile": gate})
    names = ("public_key", "ca_file", "client_certificate", "client_key")
    given = ((name, getattr(config.centre, name)) for name in names)
    files: dict[str, Any] = {n: folder / file.expanduser() for n, file in given if file is not None}
    sticks = tuple(folder / f.expanduser() for f in config.centre.usb_folders)
    centre = config.centre.model_copy(update=files | {"usb_folders": sticks})
    tls = config.network.tls
    network = config.network if tls is None else Network(tls=tls.from_folder(folder))
    changed = {"paths": Paths(**paths), "devices": devices, "centre": centre, "network": network}
    return config.model_copy(update=changed)
