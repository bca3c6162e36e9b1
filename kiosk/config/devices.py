"""The devices' sections of config.yaml: one class for each driver, chosen by its `driver` key.

Names and bounds of options only; what they do is the driver's. A new driver adds a class and its
name in `Devices`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field


class Section(BaseModel):
    """A section of the file."""

    # strict: `finger: "no"` or `frames: true` is a mistake, not a value to be guessed
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


Baud = Annotated[int, Field(ge=1200, le=921_600)]


def usb_identity() -> Any:
    return Field(
        default=None,
        min_length=1,
        max_length=128,
        pattern=r"^\S+$",
        description="identity of the USB adapter, `vendor:product`, `vendor:product:serial` or the "
        "serial number (`examgate device ports`): it is found in whatever socket, and `port` is "
        "not used; of several alike it is the one whose device answers; empty: `port` is opened",
    )


AUTO = "auto"


def searched_port() -> Any:
    return Field(
        default=AUTO,
        min_length=1,
        description="serial port; auto: every serial port that no other device here has is asked, "
        "and it is the one whose device answers",
    )


def named_port(when: str = "") -> Any:
    """Of a device that cannot be asked who it is."""
    return Field(
        default=AUTO,
        min_length=1,
        description=f"serial port; needed{when}, unless `usb` is given: nothing answers that could "
        "be searched for",
    )


_Inputs = Literal[
    "input_passage_a", "input_passage_b", "input_forced", "input_fire", "input_open"
]  # fmt: skip
INVERTED = (
    "the other way round: a relay that is off when it acts, a contact that is open when it means "
    "something"
)


class _SensedTurnstile(Section):
    """What all boards with inputs have in common."""

    driver: str
    port: str = searched_port()
    usb: str | None = usb_identity()
    baud: Baud = Field(default=9600, description="line speed")
    pulse_ms: int = Field(default=500, ge=100, le=5000, description="length of the unlock pulse")
    input_passage_a: int = Field(
        default=0, ge=0, le=255, description="first sensor in entry direction"
    )
    input_passage_b: int = Field(default=1, ge=0, le=255, description="second sensor")
    input_forced: int = Field(default=2, ge=0, le=255, description="forced-open contact")
    input_fire: int = Field(default=3, ge=0, le=255, description="fire contact")
    input_open: int | None = Field(
        default=None, ge=0, le=255, description="contact: wing or door stands open; empty: none"
    )
    debounce_s: float = Field(
        default=0.03, ge=0, le=0.5, description="a level counts when it has held for so long"
    )
    follow_s: float = Field(
        default=0.6, ge=0.1, le=5, description="who follows within this is a second person"
    )
    sensor_stuck_s: float = Field(
        default=60, ge=5, le=3600, description="a barrier broken for so long is told as blocked"
    )
    held_s: float = Field(
        default=15, ge=1, le=600, description="open for so long without a passage: held open"
    )


class ModbusTurnstile(_SensedTurnstile):
    """Modbus RTU relay and input module. Coils and inputs each have a number of their own."""

    driver: Literal["modbus"]
    unit: int = Field(default=1, ge=1, le=247, description="Modbus address of the board")
    pulse: Literal["flash", "coil", "latch"] = Field(
        default="flash",
        description="flash: the board times the pulse; coil: this program does; latch: on until "
        "the person is through or the time is over, for gates without a controller of their own",
    )
    unlock_coil: int = Field(default=0, ge=0, le=255, description="coil that unlocks one passage")
    exit_coil: int | None = Field(
        default=None,
        ge=0,
        le=255,
        description="coil that unlocks one passage outwards; empty: the other one unlocks both "
        "ways",
    )
    release_coil: int = Field(
        default=1, ge=0, le=255, description="coil that latches the gate open"
    )
    inverted: list[Literal["unlock_coil", "exit_coil", "release_coil", _Inputs]] = Field(
        default=[], max_length=8, description=f"coils and inputs that are wired {INVERTED}"
    )
    counter_entry: int | None = Field(
        default=None,
        ge=0,
        le=65_534,
        description="input register of the gate's own counter of people going in: 32 bits in two "
        "registers, the high one first; empty: it has none",
    )
    counter_exit: int | None = Field(
        default=None, ge=0, le=65_534, description="… of people coming out; likewise"
    )


class OsdpTurnstile(_SensedTurnstile):
    """OSDP v2 board (IEC 60839-11-5), always with a secure channel. Outputs and inputs each have a
    number of their own; on a board without inputs a passage ends by time."""

    driver: Literal["osdp"]
    address: int = Field(default=0, ge=0, le=126, description="OSDP address of the board")
    key_file: Path = Field(
        strict=False,
        description="key of the secure channel (SCBK), 32 hexadecimal digits, mode 0600 "
        "(`examgate device turnstile set-key`)",
    )
    pulse: Literal["timed", "latch"] = Field(
        default="timed",
        description="timed: the board ends the pulse; latch: on until the person is through or "
        "the time is over, for gates without a controller of their own",
    )
    unlock_output: int = Field(
        default=0, ge=0, le=127, description="output that unlocks one passage"
    )
    exit_output: int | None = Field(
        default=None,
        ge=0,
        le=127,
        description="output that unlocks one passage outwards; empty: the other one unlocks both "
        "ways",
    )
    release_output: int = Field(
        default=1, ge=0, le=127, description="output that holds the gate open"
    )
    inverted: list[Literal["unlock_output", "exit_output", "release_output", _Inputs]] = Field(
        default=[], max_length=8, description=f"outputs and inputs that are wired {INVERTED}"
    )


class UsbRelayTurnstile(Section):
    """USB relay board (frames A0 …). It has no inputs: a passage ends by time and is seen by
    nobody, which the journal and the report say."""

    driver: Literal["usb_relay"]
    port: str = named_port(" where `answers` is false")
    usb: str | None = usb_identity()
    baud: Baud = Field(default=9600, description="line speed")
    pulse_ms: int = Field(default=500, ge=100, le=5000, description="length of the unlock pulse")
    unlock_relay: int = Field(default=1, ge=1, le=8, description="relay that unlocks one passage")
    exit_relay: int | None = Field(
        default=None,
        ge=1,
        le=8,
        description="relay that unlocks one passage outwards; empty: the other one does both",
    )
    release_relay: int | None = Field(
        default=None,
        ge=1,
        le=8,
        description="relay that holds the gate open; empty: the unlock's does both",
    )
    answers: bool = Field(
        default=False, description="the board answers the status query FF, so it can be watched"
    )


class ZfmFingerprint(Section):
    """ZFM-20 family sensor."""

    driver: Literal["zfm"]
    port: str = searched_port()
    usb: str | None = usb_identity()
    baud: int = Field(
        default=57_600, ge=9600, le=115_200, multiple_of=9600, description="line speed"
    )
    address: int = Field(default=0xFFFFFFFF, ge=0, le=0xFFFFFFFF, description="module address")
    password: int = Field(default=0, ge=0, le=0xFFFFFFFF, description="module password")
    min_score: int = Field(
        default=50,
        ge=1,
        le=1000,
        description="least score that is a match, when the module calls it one",
    )
    security: Literal["as_found", "lowest", "low", "normal", "high", "highest"] = Field(
        default="as_found",
        description="the module's own security level, 1 to 5, which is set when it is opened "
        "(docs/protocol-fingerprint.md)",
    )
    preload: bool = Field(
        default=True,
        description="a session's templates lie in the module's own memory while it is open; that "
        "memory is the lane's then, and emptied whenever the module is opened",
    )


class LibfprintFingerprint(Section):
    """A USB reader that libfprint takes images from; they are compared on this computer."""

    driver: Literal["libfprint"]
    device: str = Field(
        default="",
        max_length=64,
        description="libfprint's driver or the device's id; empty: the first that it finds",
    )
    min_score: int = Field(
        default=40, ge=1, le=1000, description="least score of Bozorth3 that is a match"
    )
    min_quality: int = Field(
        default=20,
        ge=0,
        le=100,
        description="an image that did not match and is poorer (NFIQ 2) costs no attempt: the "
        "person is told what to do; 0: every image counts",
    )


class Camera(Section):
    """OpenCV video source."""

    driver: Literal["opencv"]
    source: str | int = Field(
        description="V4L2 device or number, rtsp:// or http:// address, video file or folder; "
        "a relative path starts at the configuration file's folder"
    )
    width: int = Field(default=640, ge=320, le=3840, description="asked of a V4L2 device")
    height: int = Field(default=480, ge=240, le=2160, description="asked of a V4L2 device")


class IdCard(Section):
    """Identity-card reader with a SAM module."""

    driver: Literal["sam"]
    port: str = searched_port()
    usb: str | None = usb_identity()
    baud: Baud = Field(default=115_200, description="line speed")


class Scanner(Section):
    """Barcode or QR scanner for admission slips on a serial line. One that acts as a keyboard needs
    no section."""

    driver: Literal["serial"]
    port: str = named_port()
    usb: str | None = usb_identity()
    baud: Baud = Field(default=9600, description="line speed")


class Devices(Section):
    """The lane's hardware."""

    turnstile: ModbusTurnstile | OsdpTurnstile | UsbRelayTurnstile = Field(discriminator="driver")
    fingerprint: ZfmFingerprint | LibfprintFingerprint | None = Field(
        default=None, discriminator="driver"
    )
    camera: Camera
    id_card: IdCard | None = None
    scanner: Scanner | None = None


def sections_of(annotation: Any) -> list[type[BaseModel]]:
    """The sections behind an annotation such as `Fingerprint | None`."""
    found = (annotation, *get_args(annotation))
    return [c for c in found if isinstance(c, type) and issubclass(c, BaseModel)]


def tag_of(section: type[BaseModel]) -> str | None:
    """The driver that a device's section is for."""
    info = section.model_fields.get("driver")
    return str(get_args(info.annotation)[0]) if info else None
