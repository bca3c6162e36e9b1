"""config.yaml: its sections, the keys in them and the bounds of each.

Knows no device beyond the names and bounds of its options.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from kiosk.config.devices import Devices, Section
from kiosk.config.network import Network
from kiosk.config.problems import Wrong

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
