"""Who comes to the gate, what they do there, and how each must end.

Only the script: who plays it is kiosk.demo.actor, where it is played is kiosk.demo.venue.
"""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.core.codes import Reason, State
from kiosk.demo.people import CHEN, LI, STRANGER, WANG, ZHOU, Person


@dataclass(frozen=True, slots=True)
class Part:
    """One person's way through one lane, with its expected end."""

    key: str
    title_zh: str
    title_en: str
    person: Person
    ends: Reason
    card: Person | None = None  #: whose card is laid on; None: the person's own
    face: str | None = None  #: whose live photograph; None: the person's own
    flat: bool = False  #: a photograph is held up instead of a head
    wrong_finger: bool = False
    leaves_at: State | None = None
    passes: bool = True  #: walks through when the gate opens
    keeps_seat_of: str | None = None  #: must get the terminal that this earlier part drew
    comes_to_camera: bool = True
    types: bool = False  #: when the face was not sure, the admission number on the keypad


BY_CARD = (
    Part("through", "顺利通过", "goes through", WANG, Reason.ADMITTED),
    Part(
        "not_on_roster",
        "不在名单",
        "not on the roster",
        STRANGER,
        Reason.NOT_ON_ROSTER,
        comes_to_camera=False,
    ),
    Part(
        "wrong_finger",
        "指纹三次不符",
        "finger does not match three times",
        LI,
        Reason.FINGER_NO_MATCH,
        wrong_finger=True,
    ),
    Part(
        "already_inside",
        "已经入场",
        "has already entered",
        WANG,
        Reason.ALREADY_INSIDE,
        comes_to_camera=False,
    ),
    Part(
        "other_session",
        "其他场次",
        "booked for another session",
        CHEN,
        Reason.OTHER_SESSION,
        comes_to_camera=False,
    ),
    Part(
        "face_differs",
        "人证不符",
        "face does not match the card",
        CHEN,
        Reason.FACE_MISMATCH,
        card=LI,
    ),
    Part("photograph", "举着照片", "holds up a photograph", LI, Reason.LIVENESS_FAILED, flat=True),
    Part(
        "walks_away",
        "中途离开",
        "walks away half-way",
        LI,
        Reason.WALKED_AWAY,
        leaves_at=State.FINGER,
    ),
    Part(
        "gate_timeout", "未通过闸机", "times out at the gate", LI, Reason.GATE_TIMEOUT, passes=False
    ),
    Part(
        "comes_back",
        "返回，考台不变",
        "comes back, keeps the seat",
        LI,
        Reason.ADMITTED,
        keeps_seat_of="gate_timeout",
    ),
    Part(
        "two_identities",
        "同一张脸，两个身份",
        "same face, two identities",
        ZHOU,
        Reason.FACE_SEEN_BEFORE,
    ),
)

BY_FACE = (
    Part("face_through", "刷脸通过", "goes through by face alone (1:N)", LI, Reason.ADMITTED),
    Part("face_unknown", "刷脸：不在名单", "1:N: not on the roster", CHEN, Reason.FACE_UNKNOWN),
    Part(
        "face_photograph",
        "刷脸：举着照片",
        "1:N: holds up a photograph",
        WANG,
        Reason.LIVENESS_FAILED,
        flat=True,
    ),
    Part(
        "face_not_sure",
        "刷脸不能确定，输入号码",
        "1:N: not sure, types the number",
        WANG,
        Reason.ADMITTED,
        types=True,
    ),
)
