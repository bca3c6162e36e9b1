"""config.yaml: its schema, its bounds, and every mistake in it said at once.

`python -m kiosk.config` prints docs/config.md from the same schema. Knows no device beyond the
names and bounds of its options.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Venue(_Section):
    """The exam hall."""

    code: str = Field(min_length=1, max_length=32, description="as in the roster")
    name: str = Field(min_length=1, max_length=64, description="shown on the screens")
    timezone: str = Field("Asia/Shanghai", description="IANA name of the hall's time zone")

    @field_validator("timezone")
    @classmethod
    def _exists(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError("not a known time zone, for example Asia/Shanghai") from error
        return value


class Lane(_Section):
    """One turnstile with its readers and screen."""

    id: str = Field(
        min_length=1,
        max_length=32,
        pattern=r"^[A-Za-z0-9_.-]+$",
        description="name of the lane, unique in the hall",
    )
    direction: Literal["entry"] = Field("entry", description="entry lanes only for now")
    safe_state: Literal["locked", "free"] = Field(
        description="what the gate does when this program is not running; no default: decide it "
        "with the hall's fire-safety officer"
    )


class Paths(_Section):
    """Folders; relative ones start at the configuration file's folder."""

    data: Path = Field(Path("/var/lib/examgate"), description="database, evidence, backups")
    runtime: Path = Field(Path("/run/examgate"), description="the unix socket")
    key_file: Path = Field(
        Path("/etc/examgate/lane.key"),
        description="the lane's key, mode 0600 (`examgate doctor --make-key`)",
    )


class IdentityRules(_Section):
    """How a candidate is identified."""

    claim: Literal["id_card", "face"] = Field(
        "id_card", description="id_card: 1:1 against the card laid on; face: 1:N over the roster"
    )
    finger: bool = Field(True, description="ask for a fingerprint after the face")
    finger_attempts: int = Field(3, ge=1, le=10, description="fingers that may not match")


class SessionRules(_Section):
    """Defaults of a session's check-in window."""

    early_s: int = Field(1800, ge=0, le=86_400, description="opens this long before the start")
    late_s: int = Field(0, ge=0, le=86_400, description="closes this long after the start")


class Face(_Section):
    """The face engine and what it takes to be sure (docs/face.md)."""

    encoder: Literal["dlib-resnet-v1"] = Field("dlib-resnet-v1", description="maker of embeddings")
    verify_max_distance: float = Field(0.50, gt=0, le=1.0, description="1:1: same at or below")
    identify_max_distance: float = Field(0.45, gt=0, le=1.0, description="1:N: same at or below")
    identify_margin: float = Field(0.08, ge=0, le=0.5, description="1:N: nearer than the second")
    frames: int = Field(5, ge=1, le=50, description="observations that a decision rests on")
    liveness: bool = Field(True, description="ask for a head movement, against photographs")


class Timeouts(_Section):
    """How long each step may take, in seconds."""

    face_s: float = Field(25, ge=3, le=300, description="the face step")
    liveness_s: float = Field(12, ge=3, le=120, description="the head movement, in the face step")
    finger_s: float = Field(30, ge=3, le=300, description="the finger step")
    sign_s: float = Field(90, ge=5, le=600, description="the signature")
    gate_s: float = Field(8, ge=1, le=60, description="unlocked and nobody came: locked again")
    gate_clear_s: float = Field(10, ge=1, le=120, description="in the gate: then it is blocked")
    result_s: float = Field(8, ge=1, le=60, description="how long seat or refusal are shown")
    absent_s: float = Field(4, ge=1, le=60, description="nobody before the camera: walked away")


Baud = Annotated[int, Field(ge=1200, le=921_600)]


class Turnstile(_Section):
    """Modbus RTU relay and input module."""

    driver: Literal["modbus"]
    port: str = Field(min_length=1, description="serial port")
    baud: Baud = Field(9600, description="line speed")
    unit: int = Field(1, ge=1, le=247, description="Modbus address of the board")
    pulse_ms: int = Field(500, ge=100, le=5000, description="length of the unlock pulse")
    pulse: Literal["flash", "coil"] = Field(
        "flash", description="flash: the board times the pulse; coil: this program does"
    )
    unlock_coil: int = Field(0, ge=0, le=255, description="coil that unlocks one passage")
    release_coil: int = Field(1, ge=0, le=255, description="coil that latches the gate open")
    input_passage_a: int = Field(0, ge=0, le=255, description="first sensor in entry direction")
    input_passage_b: int = Field(1, ge=0, le=255, description="second sensor")
    input_forced: int = Field(2, ge=0, le=255, description="forced-open contact")
    input_fire: int = Field(3, ge=0, le=255, description="fire contact")

    @model_validator(mode="after")
    def _distinct(self) -> Turnstile:
        if self.unlock_coil == self.release_coil:
            raise ValueError("unlock_coil and release_coil are the same coil")
        inputs = (self.input_passage_a, self.input_passage_b, self.input_forced, self.input_fire)
        if len(set(inputs)) < len(inputs):
            raise ValueError("two inputs share one number")
        return self


class Fingerprint(_Section):
    """ZFM-20 family sensor."""

    driver: Literal["zfm"]
    port: str = Field(min_length=1, description="serial port")
    baud: Baud = Field(57_600, description="line speed, a multiple of 9600")
    address: int = Field(0xFFFFFFFF, ge=0, le=0xFFFFFFFF, description="module address")
    password: int = Field(0, ge=0, le=0xFFFFFFFF, description="module password")
    min_score: int = Field(50, ge=1, le=1000, description="least score that is a match")


class Camera(_Section):
    """OpenCV video source."""

    driver: Literal["opencv"]
    source: str | int = Field(
        description="V4L2 device or number, rtsp:// or http:// address, video file or folder"
    )
    width: int = Field(640, ge=320, le=3840, description="asked of a V4L2 device")
    height: int = Field(480, ge=240, le=2160, description="asked of a V4L2 device")


class IdCard(_Section):
    """Identity-card reader with a SAM module."""

    driver: Literal["sam"]
    port: str = Field(min_length=1, description="serial port")
    baud: Baud = Field(115_200, description="line speed")


class Devices(_Section):
    """The lane's hardware."""

    turnstile: Turnstile
    fingerprint: Fingerprint | None = None
    camera: Camera
    id_card: IdCard | None = None


class Ui(_Section):
    """The screens."""

    language: Literal["zh", "en"] = Field("zh", description="goes back to this after each person")
    fullscreen: bool = Field(True, description="candidate screen fills the display")


class Disk(_Section):
    """Room for evidence."""

    min_free_mb: int = Field(500, ge=10, le=1_000_000, description="below it no session opens")


class Config(_Section):
    """The whole file."""

    venue: Venue
    lane: Lane
    paths: Paths = Paths()
    identity: IdentityRules = IdentityRules()
    session: SessionRules = SessionRules()
    face: Face = Face()
    timeouts: Timeouts = Timeouts()
    devices: Devices
    ui: Ui = Ui()
    disk: Disk = Disk()

    @model_validator(mode="after")
    def _devices_for_the_rules(self) -> Config:
        if self.identity.claim == "id_card" and self.devices.id_card is None:
            raise ValueError("identity.claim is id_card, but devices.id_card is missing")
        if self.identity.finger and self.devices.fingerprint is None:
            raise ValueError("identity.finger is true, but devices.fingerprint is missing")
        return self

    def device_options(self, role: str) -> dict[str, Any]:
        """The device's section as a plain dict, as its driver takes it."""
        section = getattr(self.devices, role)
        return dict(section.model_dump()) if section is not None else {}


# --- loading ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake. `path` is dotted, `line` counts from 1 (0: not known)."""

    path: str
    line: int
    message: str

    def __str__(self) -> str:
        where = f"line {self.line}: " if self.line else ""
        return f"{where}{self.path}: {self.message}" if self.path else where + self.message


class ConfigError(Exception):
    """Every mistake found in the file."""

    def __init__(self, file: Path, problems: list[Problem]) -> None:
        self.file = file
        self.problems = problems
        super().__init__("\n".join(f"{file}: {p}" for p in problems))


def load(path: Path) -> Config:
    """Read and check the file. Raises `ConfigError` with all problems at once."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(path, [Problem("", 0, f"cannot be read ({error.strerror})")]) from error
    except UnicodeDecodeError as error:
        raise ConfigError(path, [Problem("", 0, "is not UTF-8 text")]) from error
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        message = f"is not YAML: {getattr(error, 'problem', None) or error}"
        raise ConfigError(path, [Problem("", mark.line + 1 if mark else 0, message)]) from error
    if not isinstance(data, dict) or node is None:
        raise ConfigError(path, [Problem("", 1, "must be a mapping of sections")])
    lines: dict[str, int] = {}
    problems = list(_walk(node, "", lines))
    try:
        config = Config.model_validate(data)
    except ValidationError as error:
        problems += [_problem(detail, lines) for detail in error.errors()]
    if problems:
        raise ConfigError(path, sorted(problems, key=lambda p: p.line))
    return _absolute(config, path.resolve().parent)


def _walk(node: yaml.Node, prefix: str, lines: dict[str, int]) -> Iterator[Problem]:
    """Remember each key's line; a key given twice is a mistake that YAML itself hides."""
    if not isinstance(node, yaml.MappingNode):
        return
    seen: dict[str, int] = {}
    for key, value in node.value:
        name = str(key.value)
        path = f"{prefix}.{name}" if prefix else name
        line = key.start_mark.line + 1
        if name in seen:
            yield Problem(path, line, f"given twice (first in line {seen[name]}); keep one")
        seen[name] = line
        lines[path] = line
        yield from _walk(value, path, lines)


def _problem(detail: Any, lines: dict[str, int]) -> Problem:
    location = [str(part) for part in detail["loc"]]
    path = ".".join(location)
    line = next(
        (
            lines[".".join(location[:n])]
            for n in range(len(location), 0, -1)
            if ".".join(location[:n]) in lines
        ),
        0,
    )
    value = detail.get("input")
    match detail["type"]:
        case "extra_forbidden":
            near = difflib.get_close_matches(location[-1], _keys_at(location[:-1]), 1, 0.5)
            hint = f"; did you mean {near[0]}?" if near else ""
            message = f"unknown key{hint}"
        case "missing":
            message = "is missing and has no default"
            if path == "lane.safe_state":
                message += ": write locked or free, as agreed with the fire-safety officer"
        case "value_error":
            message = str(detail["msg"]).removeprefix("Value error, ")
        case _:
            shown = "" if isinstance(value, dict | list) else f" (it is {value!r})"
            message = f"{_lower(detail['msg'])}{shown}"
    return Problem(path, line, message)


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _keys_at(location: list[str]) -> list[str]:
    model: type[BaseModel] | None = Config
    for part in location:
        model = _model_of(model.model_fields[part].annotation) if model else None
    return list(model.model_fields) if model else []


def _model_of(annotation: Any) -> type[BaseModel] | None:
    """The section behind an annotation such as `Turnstile | None`."""
    for candidate in (annotation, *getattr(annotation, "__args__", ())):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate
    return None


def _absolute(config: Config, folder: Path) -> Config:
    paths = {name: folder / value for name, value in config.paths.model_dump().items()}
    return config.model_copy(update={"paths": Paths(**paths)})


# --- the page of docs/config.md -------------------------------------------------------------------

_HEADER = """# Configuration: every key

Generated from the schema by `python -m kiosk.config`; a test fails when it is stale. The
commented example is `config.yaml`; `examgate config check FILE` explains every mistake in a
file, all at once. An unknown key refuses to start.
"""


def render() -> str:
    """docs/config.md."""
    return "\n".join([_HEADER, *_tables(Config, "")])


def _tables(model: type[BaseModel], prefix: str) -> Iterator[str]:
    plain, nested = [], []
    for name, info in model.model_fields.items():
        section = _model_of(info.annotation)
        (nested.append((name, section)) if section else plain.append((name, info)))
    if plain:
        yield f"## {prefix}\n\n{(model.__doc__ or '').strip()}\n"
        yield "| key | default | bounds | meaning |\n|---|---|---|---|"
        for name, info in plain:
            default = "**required**" if info.is_required() else f"`{info.default}`"
            yield f"| `{name}` | {default} | {_bounds(info)} | {info.description or ''} |"
        yield ""
    for name, section in nested:
        yield from _tables(section, f"{prefix}.{name}" if prefix else name)


def _bounds(info: Any) -> str:
    args = getattr(info.annotation, "__args__", ())
    if args and all(isinstance(a, str) for a in args):
        return " or ".join(f"`{a}`" for a in args)
    found = []
    for entry in info.metadata:
        for sign, attribute in (("≥", "ge"), (">", "gt"), ("≤", "le"), ("<", "lt")):
            value = getattr(entry, attribute, None)
            if value is not None:
                found.append(f"{sign} {value}")
    return ", ".join(found)


if __name__ == "__main__":
    print(render())
