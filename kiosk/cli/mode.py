"""In which mode the lane works, in words: what is missing, since when, who let it go on."""

from __future__ import annotations

from typing import Any

from kiosk import wire
from kiosk.cli.base import Context

RUNGS = {
    "full": ("通道：正常", "lane: nothing is gone without"),
    "reduced": ("通道：降级运行", "lane: goes on with something missing"),
    "by_eye": ("通道：降级运行，考试员逐人核对", "lane: a proctor looks at everybody"),
    "stopped": ("通道：停用", "lane: takes nobody"),
}
FACTORS = {
    "face": ("摄像头", "camera"),
    "finger": ("指纹仪", "fingerprint reader"),
    "card": ("身份证读卡器", "identity-card reader"),
    "gate": ("闸机", "turnstile"),
    "sensor": ("闸机传感器", "a sensor of the gate"),
    "screen": ("考生屏", "candidate's screen"),
    "roster": ("名单", "roster"),
    "centre": ("中心", "centre"),
}


def lane_mode(c: Context) -> dict[str, Any] | None:
    """`mode` of the running daemon's state; None: none runs, or it cannot be asked."""
    from kiosk import app

    try:
        with wire.Client(app.socket_path(c.config), 10.0) as client:
            mode: dict[str, Any] | None = client.call("lane.state").get("mode")
    except (wire.NotRunning, wire.RpcError, ConnectionError, TimeoutError):
        return None
    return mode


def mode_lines(c: Context, mode: dict[str, Any] | None) -> list[str]:
    if mode is None:
        return []
    lines = [c.say(*RUNGS.get(mode["rung"], (mode["rung"],) * 2))]
    for one in mode["missing"]:
        name = c.say(*FACTORS.get(one["factor"], (one["factor"],) * 2))
        line = f"  {name}: {one['code']}, " + c.say(
            f"{c.when(one['since'])} 起", f"since {c.when(one['since'])}"
        )
        if one["allowed_by"]:
            at = c.when(one["allowed_at"])
            line += c.say(f"；{one['allowed_by']} 于 {at} 允许继续",
                          f"; {one['allowed_by']} let it go on at {at}")  # fmt: skip
        lines.append(line)
    return lines
