"""Pictures of what the proctor is asked about a stick. Nothing here speaks with a daemon."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def bundle(**change: Any) -> dict[str, Any]:
    """One of `stick.list`."""
    sessions = [{"session_id": f"KM1-{hour:02}{minute}", "candidates": 162 + hour % 3}
                for hour, minute in ((8, 30), (10, "00"), (13, 30), (15, "00"), (16, 30))]
    return {
        "file": "1127.tar.age", "sha256": "ab" * 32, "serial": 1764151200, "day": "2026-11-27",
        "made_at": "2026-11-26T17:03:00+08:00",
        "candidates": sum(int(str(s["candidates"])) for s in sessions), "sessions": sessions,
        "sessions_in_all": len(sessions), "code": None, "why": None,
    } | change


def stick(state: str, **change: Any) -> dict[str, Any]:
    """One stick of `stick.list`."""
    return {"stick_id": "5f0c", "name": "sda1", "state": state, "there": state != "failed",
            "bundles": [bundle()], "refused": [], "more": False, "problems": [],
            "taking": None, "rows": 0, "result": None} | change


def states(language: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each thing that a stick can come to, by the picture's name."""
    zh = language == "zh"
    yield "stick_offer", stick("looked")
    why = ("比正在使用的名单旧 (1764064800 < 1764151200)：使用较新的名单包" if zh else
           "is older than the roster in use (1764064800 < 1764151200): use the newer bundle")
    other = ("是另一个考场的名单 (YT-09, not YT-01)：向中心索取本考场的名单包" if zh else
             "is for another venue (YT-09, not YT-01): ask the centre for this venue's bundle")
    refused = [{"file": "YT-09-1127.tar.age", "code": "other_venue", "why": other}]
    yield "stick_older", stick("looked", bundles=[bundle(code="older", why=why)], refused=refused,
                               more=True)
    yield "stick_none", stick("looked", bundles=[], refused=refused)
    yield "stick_reading", stick("reading", taking=bundle(), rows=300)
    changes = [{"kind": "cancelled", "name": "王*明", "admission_no": "…1234",
                "session_id": "KM1-0830", "to_session": None},
               {"kind": "moved", "name": "李*", "admission_no": "…0032",
                "session_id": "KM1-0830", "to_session": "KM1-1330"},
               {"kind": "kept", "name": "孙*", "admission_no": "…0915",
                "session_id": "KM1-1000", "to_session": None}]
    yield "stick_taken", stick("taken", taking=bundle(), rows=812, result={
        "added": 3, "changed": 1, "unchanged": 806, "changes": changes, "alike": [], "groups": []})
    gone = ("U 盘已拔出，没有改动名单。请重新插入。" if zh else
            "The stick was pulled out; the roster is as it was. Plug it in again.")
    yield "stick_failed", stick("failed", taking=bundle(), problems=[gone])


def shown(window: Any) -> Iterator[str]:
    """Puts each onto the window, naming it."""
    for name, found in states(window._language):
        window.stick.fill([found])
        yield name
    window.stick.fill([])
