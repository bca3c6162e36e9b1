"""Words for reason codes on the command line and in reports, in both languages."""

from __future__ import annotations

from kiosk.core.codes import Reason

R = Reason
REASONS: dict[Reason, tuple[str, str]] = {
    R.ADMITTED: ("放行", "admitted"),
    R.LEFT: ("已离场", "left by the gate"),
    R.NOT_ON_ROSTER: ("不在名单", "not on the roster"),
    R.OTHER_SESSION: ("其他场次", "booked for another session"),
    R.ALREADY_INSIDE: ("已经入场", "already inside"),
    R.ALREADY_LEFT: ("已经离场", "has left already"),
    R.NOT_INSIDE: ("记录中不在场内", "not inside by the record"),
    R.CARD_EXPIRED: ("身份证过期", "card has expired"),
    R.CARD_NAME_DIFFERS: ("姓名与名单不符", "card and roster differ in the name"),
    R.CARD_NAME_SIMILAR: ("姓名与名单略有不同", "card and roster differ a little in the name"),
    R.SESSION_NOT_OPEN: ("场次未开放", "session is not open"),
    R.TOO_EARLY: ("未到入场时间", "too early"),
    R.TOO_LATE: ("入场已结束", "too late"),
    R.FACE_MISMATCH: ("人证不符", "face differs from the claim"),
    R.FACE_NOT_SURE: ("人脸无法确定", "face not sure"),
    R.FACE_UNKNOWN: ("人脸不在名单", "face not on the roster"),
    R.FACE_SEEN_BEFORE: ("人脸以另一身份出现过", "face seen under another identity"),
    R.FACE_TIMEOUT: ("人脸超时", "no usable face in time"),
    R.LIVENESS_FAILED: ("活体检测未通过", "not a live face"),
    R.LIVENESS_TIMEOUT: ("未按提示动作", "did not move as asked"),
    R.FINGER_NO_MATCH: ("指纹不符", "finger does not match"),
    R.FINGER_NOT_COMPARED: ("指纹无法比对", "finger could not be compared"),
    R.FINGER_TIMEOUT: ("指纹超时", "no finger in time"),
    R.NO_TEMPLATE: ("没有指纹模板", "no fingerprint template"),
    R.TEMPLATE_FORMAT: (
        "指纹模板格式与指纹仪不符",
        "fingerprint template in a format that the reader cannot compare",
    ),
    R.SIGNATURE_TIMEOUT: ("签名超时", "not signed in time"),
    R.SIGNATURE_EMPTY: ("签名为空", "signature is empty"),
    R.HALL_FULL: ("考台已满", "hall is full"),
    R.NO_TERMINAL_FOR_CLASS: ("没有该车型的空考台", "no free terminal for this licence class"),
    R.NO_ACCESSIBLE_TERMINAL: ("没有空的无障碍考台", "no accessible terminal is free"),
    R.GATE_TIMEOUT: ("未通过闸机", "nobody went through"),
    R.GATE_TURNED_BACK: ("进闸后退回", "turned back in the gate"),
    R.GATE_TAILGATED: ("尾随", "followed by a second person"),
    R.GATE_BLOCKED: ("滞留闸机", "gate blocked"),
    R.GATE_UNSEEN: ("已开闸，按已通过处理（闸机无传感器）",
                    "let in and taken for passed (the gate has no sensors)"),
    R.GATE_UNKNOWN: ("通行结果未知", "passage unknown"),
    R.GATE_FORCED: ("强行闯入", "gate forced"),
    R.GATE_OPPOSITE: ("反向通行", "wrong direction"),
    R.GATE_HELD: ("闸机被撑开", "gate held open"),
    R.GATE_SENSOR: ("闸机传感器被挡", "a sensor of the gate is blocked"),
    R.FIRE: ("消防或紧急放行", "fire or emergency release"),
    R.DRILL: ("消防演练", "fire drill"),
    R.WALKED_AWAY: ("中途离开", "walked away"),
    R.CANCELLED: ("考生取消", "cancelled"),
    R.CANCELLED_BY_PROCTOR: ("考试员取消", "cancelled by the proctor"),
    R.HELP_REQUESTED: ("请求帮助", "asked for help"),
    R.MANUAL_REJECTED: ("考试员核对未通过", "turned away by a proctor who looked"),
    R.MANUAL_TIMEOUT: ("考试员未作决定", "a proctor decided nothing in time"),
    R.FACE_BY_EYE: ("摄像头停用，由考试员核对", "no camera: a proctor looks"),
    R.DEVICE_FAULT: ("设备故障", "device fault"),
    R.EVIDENCE_FAILED: ("记录无法写入", "evidence cannot be written"),
    R.RESTARTED: ("重新启动", "restarted"),
    R.WORKSHOP: ("运维正在检修", "a technician is at work"),
}


def reason_text(code: str, language: str) -> str:
    """The code in words; the code itself when it is a newer one."""
    try:
        return REASONS[Reason(code)][0 if language == "zh" else 1]
    except ValueError:
        return code
