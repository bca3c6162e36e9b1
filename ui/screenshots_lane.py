"""Pictures of what a proctor decides at the lane, with invented people. Nothing here speaks with
a daemon."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from kiosk.core.codes import FingerOverride, PauseReason

CHIEF = {"set_up": True, "locked": False, "lock_after_s": 300,
         "person": {"staff_no": "1001", "name": "李敏", "role": "chief"}}
AT = "2025-06-12T09:{minute:02d}:05+08:00"


def requests() -> list[dict[str, Any]]:
    """The `requests` of `help.list`."""
    kinds = (
        ("FACE_MISMATCH", "李*明", "1234", 1, "1002 周静"),
        ("LIVENESS_TIMEOUT", "王*", "0915", 3, None),
        ("GATE_FORCED", None, None, 1, None),
        ("HELP_REQUESTED", "赵*", "0311", 1, None),
    )
    return [
        {"help_id": n, "at": AT.format(minute=10 + n), "lane": "entry-1", "reason": reason,
         "times": times, "ref": "0" * 32 if name else None, "candidate": name,
         "admission_no": number and f"…{number}", "taken_by": taken,
         "taken_at": AT.format(minute=12) if taken else None, "may_verify": name is not None}
        for n, (reason, name, number, times, taken) in enumerate(kinds, 1)
    ]


def look(picture: str, **change: Any) -> dict[str, Any]:
    """The result of `verify.look`."""
    return {
        "visit": 7, "name": "王小明", "admission_no": "20250612001234",
        "identity_number": "37060219610804301X", "licence_class": "C1", "photo": picture,
        "captured": None, "card": None, "finger": True, "two_people": True,
    } | change


def pages(
    client: Any, window: Any, example: Callable[..., dict[str, Any]], picture: str
) -> Iterator[str]:
    """Puts the window before each, naming it."""
    language = window._language
    window.message.hide()
    client.staff.emit(CHIEF)
    client.state.emit(example("idle", help_open=4))
    window._on_helps({"requests": requests()})
    yield "help_queue"
    window._on_helps({"requests": requests()[:1]})
    client.state.emit(example("verify", help_open=1))
    window.by_hand.show_look(look(picture))
    window.by_hand.show_live(picture)
    yield "verify"
    card = {"name": "王小明", "number": "37060219610804301X", "valid_to": "20301231", "fits": True}
    window.by_hand.show_look(look(picture, card=card))
    window.by_hand.show_captured({"captured": picture})
    window.by_hand.why.setCurrentIndex(1)
    window.by_hand.finger.setCurrentIndex(1)
    yield "verify_decided"
    params = {"why": "appearance", "finger_why": "worn"}
    window.approval.ask(window.by_hand.approval_words(params))
    yield "verify_approval"
    window.approval.forget()
    window._on_helps({"requests": []})
    client.state.emit(example("finger", finger_retry="no_match", help_open=0))
    window.waiving.ask("waive.heading", "waive", FingerOverride)
    window.waiving.why.setCurrentIndex(1)
    yield "waive"
    window.waiving.hide()
    client.state.emit(example("idle"))
    window.pausing.ask("pause.heading", "pause", PauseReason)
    yield "pause"
    window.pausing.hide()
    paused = example("paused")
    note = {"zh": "服务器重启", "en": "the server restarts"}[language]
    paused["session"] |= {"paused": {"since": AT.format(minute=20), "why": "exam_system",
                                     "note": note, "person": "1001 李敏"}}
    client.state.emit(paused)
    yield "paused"
    down = example("idle", claim_mode="number")
    ill = {"ok": False, "since": AT.format(minute=31), "detail": ""}
    down["devices"] = down["devices"] | {"id_card": ill | {"code": "unplugged"},
                                         "camera": ill | {"code": "no_frames"}}
    lack = {"since": AT.format(minute=31), "may_waive": False, "allowed_by": None,
            "allowed_at": None}  # fmt: skip
    allowed = {"allowed_by": "1001 李敏", "allowed_at": AT.format(minute=32)}
    down["mode"] = {"rung": "stopped", "missing": [
        lack | allowed | {"factor": "card", "code": "unplugged"},
        lack | {"factor": "face", "code": "no_frames", "may_waive": True},
        lack | {"factor": "screen", "code": "no_screen"},
    ]}  # fmt: skip
    client.state.emit(down)
    yield "degraded"


def save_lane(
    client: Any, window: Any, example: Callable[..., dict[str, Any]], picture: str, folder: Path,
    settle: Callable[[], None],
) -> None:
    """Each page wide and tall."""
    for size, ending in (((1440, 900), ""), ((1080, 1920), "_tall")):
        for _ in range(2):  # the first time it still has the least size of the other shape
            window.resize(*size)
            settle()
        for name in pages(client, window, example, picture):
            settle()
            window.grab().save(str(folder / f"{name}{ending}.png"))
    window.resize(1440, 900)
