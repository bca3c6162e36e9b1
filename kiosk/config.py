"""config.yaml: its schema, its bounds, and every mistake in it said at once.

`python -m kiosk.config` prints docs/config.md from the same schema (config_doc.py). Knows no
device beyond the names and bounds of its options.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import yaml
from pydantic import Field, ValidationError, field_validator

from kiosk.config_camera import file_mistake, source_mistake
from kiosk.config_devices import AUTO, Devices, OsdpTurnstile, Section, sections_of, tag_of
from kiosk.config_network import Network
from kiosk.config_problems import (
    NO_SECTIONS,
    NOT_TEXT,
    ConfigError,
    Problem,
    Said,
    Wrong,
    explained,
    line_of,
    not_ours,
    not_yaml,
    unreadable,
)
from kiosk.credentials import instead_of

MAX_DEPTH = 4
#: Of a face: at it a third of all strangers pass with the encoder that tells them apart furthest.
MAX_DISTANCE = 1.2


Door = Literal[
    "unknown", "front_left", "front_middle", "front_right", "back_left", "back_middle", "back_right"
]


class Venue(Section):
    """The exam hall."""

    code: str = Field(min_length=1, max_length=32, description="as in the roster")
    name: str = Field(min_length=1, max_length=64, description="shown on the screens")
    timezone: str = Field(default="Asia/Shanghai", description="IANA name of the hall's time zone")
    entrance: Door = Field(
        default="unknown",
        description="the hall's door, for the way on the candidate's map: front is the side of row "
        "1; left and right as who comes in sees it; unknown: the map shows no way",
    )

    @field_validator("timezone")
    @classmethod
    def _exists(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError) as error:
            raise Wrong(
                "not a known time zone, for example Asia/Shanghai",
                "不是已知的时区，例如 Asia/Shanghai",
            ) from error
        return value


class Lane(Section):
    """One turnstile with its readers and screen."""

    id: str = Field(
        min_length=1,
        max_length=32,
        pattern=r"^[A-Za-z0-9_.-]+$",
        description="name of the lane, unique in the hall",
    )
    direction: Literal["entry", "both"] = Field(
        default="entry",
        description="both: this gate lets people out as well, after they have shown who they are "
        "(`identity.exit`), and the record says who is inside",
    )
    safe_state: Literal["locked", "free"] = Field(
        description="what the gate does when this program is not running; no default: decide it "
        "with the hall's fire-safety officer"
    )

    @field_validator("direction", mode="before")
    @classmethod
    def _not_out_alone(cls, value: object) -> object:
        if value == "exit":
            raise Wrong(
                "a gate that only lets people out cannot know who is inside: that stands in the "
                "entry gate's database; write both on the computer of the gate that they come in "
                "by, or entry and leave the way out to a gate of its own",
                "只出不进的闸机不知道谁在场内（记录在入口闸机的数据库里）："
                "在入口闸机的电脑上写 both，或写 entry，出口由另外的闸机负责",
            )
        return value


class Paths(Section):
    """Folders; relative ones start at the configuration file's folder."""

    data: Path = Field(
        default=Path("/var/lib/examgate"), strict=False, description="database, evidence, backups"
    )
    runtime: Path = Field(
        default=Path("/run/examgate"), strict=False, description="the unix socket"
    )
    key_file: Path = Field(
        default=Path("/etc/examgate/lane.key"),
        strict=False,
        description="the lane's key, mode 0600 (`examgate doctor --make-key`); a systemd "
        "credential of the same name takes its place",
    )


class IdentityRules(Section):
    """How a candidate is identified."""

    claim: Literal["id_card", "face"] = Field(
        default="id_card",
        description="id_card: 1:1 against the card laid on; face: 1:N over the roster",
    )
    typed_claim: Literal["not_sure", "always", "never"] = Field(
        default="not_sure",
        description="a typed or scanned number as the claim: when a face was not sure; also where "
        "a card cannot be read; never",
    )
    expired_card: Literal["refuse", "warn"] = Field(
        default="refuse",
        description="an identity card past its last day: refused, or taken and journalled",
    )
    finger: bool = Field(default=True, description="ask for a fingerprint after the face")
    finger_attempts: int = Field(default=3, ge=1, le=10, description="fingers that may not match")
    exit: Literal["face", "finger", "claim"] = Field(
        default="face",
        description="what who leaves shows besides card or number, where `lane.direction` is "
        "both; claim: nothing, only where the way out has an unlock of its own",
    )
    override_approval: bool = Field(
        default=True,
        description="a second person approves by their own PIN where a proctor's word stands for "
        "face or finger",
    )


class SessionRules(Section):
    """Defaults of a session's check-in window."""

    early_s: int = Field(
        default=1800, ge=0, le=86_400, description="opens this long before the start"
    )
    roster_days: float = Field(
        default=7, gt=0, le=365, description="an older roster is warned of while a session is open"
    )
    late_s: int = Field(default=0, ge=0, le=86_400, description="closes this long after the start")


class Face(Section):
    """The face engine and what it takes to be sure (docs/face.md)."""

    encoder: Literal["dlib+sface-v1", "dlib-resnet-v1", "sface-2021dec-v1"] = Field(
        default="dlib+sface-v1", description="maker of embeddings"
    )
    verify_max_distance: float | None = Field(
        default=None,
        gt=0,
        le=MAX_DISTANCE,
        description="1:1: same at or below; empty: the encoder's own",
    )
    identify_max_distance: float | None = Field(
        default=None,
        gt=0,
        le=MAX_DISTANCE,
        description="1:N: same at or below; empty: the encoder's own",
    )
    identify_margin: float | None = Field(
        default=None, ge=0, le=1.0, description="1:N: nearer than the second; likewise"
    )
    same_person_distance: float | None = Field(
        default=None,
        gt=0,
        le=MAX_DISTANCE,
        description="two identities at or below look like one person; likewise",
    )
    same_face: Literal["stop", "alert"] = Field(
        default="stop",
        description="a live face seen that day under another identity: to the proctor, or goes on "
        "while the proctor is told",
    )
    frames: int = Field(default=5, ge=1, le=50, description="observations that a decision rests on")
    liveness: bool = Field(default=True, description="ask for a head movement, against photographs")


class Timeouts(Section):
    """How long each step may take, in seconds."""

    face_s: float = Field(default=25, ge=3, le=300, description="the face step")
    liveness_s: float = Field(
        default=12, ge=3, le=120, description="the head movement, in the face step"
    )
    claim_s: float = Field(
        default=60, ge=5, le=300, description="card or number, when a face was not sure"
    )
    verify_s: float = Field(
        default=300, ge=30, le=1800, description="a proctor compares photograph, person and card"
    )
    finger_s: float = Field(default=30, ge=3, le=300, description="the finger step")
    sign_s: float = Field(default=90, ge=5, le=600, description="the signature")
    gate_s: float = Field(
        default=8, ge=1, le=60, description="unlocked and nobody came: locked again"
    )
    gate_clear_s: float = Field(
        default=10, ge=1, le=120, description="in the gate: then it is blocked"
    )
    result_s: float = Field(
        default=8, ge=1, le=60, description="how long seat or refusal are shown"
    )
    absent_s: float = Field(
        default=4, ge=1, le=60, description="nobody before the camera: walked away"
    )


class Ui(Section):
    """The screens."""

    language: Literal["zh", "en"] = Field(
        default="zh", description="goes back to this after each person"
    )
    fullscreen: bool = Field(default=True, description="candidate screen fills the display")
    text_scale: float = Field(
        default=1.0, ge=1, le=2, description="larger words for the candidate, where there is room"
    )
    lower_edge_cm: float | None = Field(
        default=None,
        ge=0,
        le=200,
        description="of the candidate's tall screen, above the floor; empty: its controls are "
        "wherever they look best",
    )
    display_cm: float = Field(
        default=48, ge=10, le=200, description="height of the display area of a tall screen"
    )
    reach_cm: float = Field(
        default=120, ge=80, le=180, description="no control of a tall screen is higher than this"
    )
    voice: bool = Field(default=True, description="prompts are spoken to the candidate")
    volume: int = Field(default=80, ge=0, le=100, description="of the spoken prompts, in per cent")
    candidate_user: str = Field(
        default="",
        max_length=32,
        pattern=r"^([a-z_][a-z0-9_-]*)?$",
        description="system user of the candidate's screen: what it sends counts as a candidate's, "
        "whatever it says it is, and nobody else's does; empty: every user of the daemon's group "
        "says itself which screen it is",
    )


class StaffRules(Section):
    """The people at the lane (docs/staff.md)."""

    lock_after_s: float = Field(
        default=300,
        ge=30,
        le=3600,
        description="a proctor's screen that nobody touches for so long wants the PIN again",
    )


class Centre(Section):
    """Whose rosters are taken."""

    public_key: Path | None = Field(
        default=None,
        strict=False,
        description="the centre's Ed25519 key in PEM: then only bundles that it signed are taken; "
        "empty: folders and tables are imported",
    )
    record_url: str = Field(
        default="",
        pattern="^(https://.+)?$",
        description="where the journal and its signed heads are sent (docs/record-api.yaml): "
        "https://…; empty: nowhere",
    )
    evidence_recipients: tuple[str, ...] = Field(
        default=(),
        strict=False,
        max_length=4,
        description="age1…, from `examgate centre evidence-key`: evidence is sent to the record's "
        "address, encrypted to them; []: it stays on the lane",
    )
    evidence: list[Literal["signatures", "captures", "reports"]] = Field(
        default=["signatures", "reports"],
        max_length=3,
        description="which evidence is sent: signatures, reports (one is made of each session that "
        "is closed), captures (live pictures)",
    )
    urls: tuple[str, ...] = Field(
        default=(),
        strict=False,
        max_length=8,
        description="where bundles are, the first that answers: https://…; {venue} and {day} "
        "(2026-11-27) are filled in",
    )
    ca_file: Path | None = Field(
        default=None, strict=False, description="who vouches for the servers; empty: the system's"
    )
    client_certificate: Path | None = Field(
        default=None, strict=False, description="PEM, that the lane shows to the servers"
    )
    client_key: Path | None = Field(default=None, strict=False, description="its key, PEM")
    usb_folders: tuple[Path, ...] = Field(
        default=(Path("/run/examgate-stick"), Path("/media"), Path("/run/media")),
        strict=False,
        max_length=8,
        description="a stick that is mounted below one of them is looked at for this venue's "
        "bundles, and the proctor is asked; []: sticks are not looked at",
    )
    proxy: str = Field(
        default="",
        pattern=r"^(http://\S+)?$",
        description="http://host:port, where there is one; empty: none",
    )
    limit_kbit_s: int = Field(
        default=0,
        ge=0,
        le=10_000_000,
        description="most kbit/s of a download, and of what is sent; 0: no limit",
    )

    @field_validator("usb_folders", mode="before")
    @classmethod
    def _folders(cls, value: Any) -> Any:
        if not isinstance(value, list):
            return value
        return tuple(Path(v) if isinstance(v, str) else v for v in value)

    @field_validator("evidence_recipients")
    @classmethod
    def _age(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for n, text in enumerate(value, 1):
            if not re.fullmatch("age1[02-9ac-hj-np-z]{58}", text):
                raise Wrong(
                    f"entry {n}: must be a public key as examgate centre evidence-key prints it, "
                    "age1 and 58 characters",
                    f"第 {n} 项：须为 examgate centre evidence-key 打印的公钥：age1 加 58 个字符",
                )
            if not _is_recipient(text):
                raise Wrong(
                    f"entry {n}: its check characters do not fit: copy it once more, whole, as "
                    "examgate centre evidence-key prints it",
                    f"第 {n} 项：校验字符不符，请完整地重新复制 "
                    "examgate centre evidence-key 打印的公钥",
                )
        return value

    @field_validator("record_url")
    @classmethod
    def _server(cls, value: str) -> str:
        if value and not _is_server(value):
            raise Wrong(
                "must be https://host, with :port and /path where needed, without a login, ? or #",
                "须为 https://主机，需要时可加 :端口 和 /路径，不带登录名、? 和 #",
            )
        return value

    @field_validator("urls")
    @classmethod
    def _https(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for n, url in enumerate(value, 1):
            if not url.startswith("https://"):
                said = f"entry {n}: must begin with https://", f"第 {n} 项：须以 https:// 开头"
                raise Wrong(*said)
            try:
                url.format(venue="", day="")
            except (KeyError, ValueError, IndexError):
                raise Wrong(
                    f"entry {n}: only {{venue}} and {{day}} are filled in",
                    f"第 {n} 项：只能填 {{venue}} 和 {{day}}",
                ) from None
        return value


class Retention(Section):
    """How long what is held about candidates is kept; the journal, which names nobody, stays."""

    days: int | None = Field(
        default=None,
        ge=1,
        le=36_500,
        description="after a session photographs, templates, live pictures, signatures, names and "
        "numbers are destroyed, as agreed with the centre; empty: nobody has decided it",
    )


class Disk(Section):
    """Room for evidence."""

    min_free_mb: int = Field(
        default=500, ge=10, le=1_000_000, description="below it no session opens"
    )
    evidence_above_mb: int | None = Field(
        default=16_384,
        ge=100,
        le=10_000_000,
        description="when the database holds more than this, or the disk is nearly full, the "
        "oldest evidence of `thin` is removed, what the centre has first; the journal never; "
        "empty: nothing is removed",
    )
    thin: list[Literal["captures", "signatures"]] = Field(
        default=["captures"],
        max_length=2,
        description="what may be removed, in this order: captures (live pictures), signatures",
    )


class Config(Section):
    """The whole file. Made by `load`, which also checks what sections ask of each other."""

    venue: Venue
    lane: Lane
    paths: Paths = Field(default_factory=Paths)
    identity: IdentityRules = Field(default_factory=IdentityRules)
    session: SessionRules = Field(default_factory=SessionRules)
    face: Face = Field(default_factory=Face)
    timeouts: Timeouts = Field(default_factory=Timeouts)
    devices: Devices
    ui: Ui = Field(default_factory=Ui)
    network: Network = Field(default_factory=Network)
    staff: StaffRules = Field(default_factory=StaffRules)
    centre: Centre = Field(default_factory=Centre)
    retention: Retention = Field(default_factory=Retention)
    disk: Disk = Field(default_factory=Disk)

    def device_options(self, role: str) -> dict[str, Any]:
        """The device's section as a plain dict, as its driver takes it."""
        section = getattr(self.devices, role)
        return dict(section.model_dump()) if section is not None else {}


# --- loading ------------------------------------------------------------------------------------


def _is_server(url: str) -> bool:
    """An address to which a path can be added; a login in it would not be sent."""
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.port != 0 and not re.search(r"[\s?#@]", url)
    except ValueError:
        return False


def _is_recipient(text: str) -> bool:
    import pyrage  # not for every reader of a configuration

    try:
        pyrage.x25519.Recipient.from_str(text)
    except pyrage.RecipientError:
        return False
    return True


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


if __name__ == "__main__":
    from kiosk.config_doc import render

    print(render(), end="")
