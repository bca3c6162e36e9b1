"""The two ways a device can fail, kept apart: ask the person again, or call the technician.

Knows nothing of the lane, its language or its screens: fields, not prose.
"""

from __future__ import annotations

from enum import StrEnum


class RetryReason(StrEnum):
    """Why a reading did not work although the device is well: the person can try again."""

    NO_FINGER = "no_finger"
    FINGER_LIFTED = "finger_lifted"
    TOO_DRY = "too_dry"
    TOO_WET = "too_wet"
    TOO_FEW_FEATURES = "too_few_features"
    SMEARED = "smeared"
    NOT_COMPARED = "not_compared"  #: the comparison took too long and was given up
    CARD_UNREADABLE = "card_unreadable"
    CARD_REMOVED = "card_removed"
    CARD_NOT_TRUSTED = "card_not_trusted"  #: card and reader do not believe each other
    CARD_OTHER = "card_other"  #: no identity card, or a kind that is not known


class FaultCode(StrEnum):
    """What is wrong with a device. docs/faults.md explains each."""

    PORT_MISSING = "port_missing"
    PORT_BUSY = "port_busy"
    PORT_DENIED = "port_denied"
    UNPLUGGED = "unplugged"
    NO_ANSWER = "no_answer"
    GARBLED = "garbled"
    WRONG_DEVICE = "wrong_device"
    WRONG_SOURCE = "wrong_source"  #: what the camera's source names gives no pictures, ever
    WRONG_MODEL = "wrong_model"  #: a face model's file is missing or damaged, not the camera
    WRONG_PASSWORD = "wrong_password"
    WRONG_KEY = "wrong_key"  #: of an encrypted line
    REFUSED = "refused"
    UNLOCK_UNKNOWN = "unlock_unknown"
    NO_FRAMES = "no_frames"
    FROZEN = "frozen"
    MISBEHAVES = "misbehaves"  #: answers, but not as it must: half dead


class DriverError(Exception):
    """Base of everything a driver raises on purpose."""


class Retry(DriverError):
    """The device is well; the person should try again."""

    def __init__(self, reason: RetryReason) -> None:
        super().__init__(reason.value)
        self.reason = reason


class DeviceFault(DriverError):
    """The device is not well: degrade, reconnect, tell the technician.

    `device` is the role in the lane ("turnstile", "fingerprint", "camera", "id_card", "scanner"),
    `detail` is for the technician (port, numbers; never personal data).
    """

    def __init__(self, device: str, code: FaultCode, detail: str = "") -> None:
        super().__init__(": ".join(filter(None, (device, code.value, detail))))
        self.device = device
        self.code = code
        self.detail = detail


class UnlockUnknown(DeviceFault):
    """The unlock was sent but its answer was lost: the gate may or may not have opened.

    Never repeated by the driver; the gate's inputs tell what happened.
    """

    def __init__(self, device: str, detail: str = "") -> None:
        super().__init__(device, FaultCode.UNLOCK_UNKNOWN, detail)
