"""What a device answered, in words, for the technician's commands. The code stays beside the words:
journal, ledger and docs/faults.md go by it.
"""

from __future__ import annotations

from kiosk.cli.base import Context

Words = dict[str, tuple[str, str]]

FAULTS: Words = {
    "port_missing": ("没有接上", "not connected"),
    "port_busy": ("端口被别的程序占用", "another program has the port"),
    "port_denied": ("没有权限使用端口", "no permission for the port"),
    "unplugged": ("连接断开", "connection lost"),
    "no_answer": ("没有应答", "no answer"),
    "garbled": ("应答残缺", "disturbed answer"),
    "wrong_device": ("接的是别的设备", "another device is there"),
    "wrong_source": ("配置的不是摄像头", "what is configured is no camera"),
    "wrong_model": ("人脸模型文件缺失或损坏", "a file of the face models is missing or damaged"),
    "wrong_key": ("加密密钥不对", "wrong encryption key"),
    "wrong_password": ("设备口令不对", "wrong device password"),
    "refused": ("设备拒绝了指令", "the device declined"),
    "unlock_unknown": ("不能确定闸机是否开过", "unknown whether the gate opened"),
    "no_frames": ("没有画面", "no picture"),
    "frozen": ("画面不动", "frozen picture"),
    "misbehaves": ("有应答但不正常", "it answers, but not as it must"),
}
#: of a finger, a card or a code that was waited for; and what an acceptance run finds
OUTCOMES: Words = {
    "matched": ("指纹一致", "the finger matches"),
    "not_matched": ("指纹不一致", "the finger does not match"),
    "no_finger": ("没有等到手指", "no finger came in time"),
    "finger_lifted": ("抬得太早", "lifted too soon"),
    "too_dry": ("手指太干", "too dry"),
    "too_wet": ("手指太湿", "too wet"),
    "too_few_features": ("看不清纹路：用力一点，放在中间",
                         "too few features: press harder, in the middle"),
    "smeared": ("手指滑动了", "smeared"),
    "not_compared": ("比对超时", "the comparison took too long"),
    "unreadable_template": ("模板无法读取", "the template cannot be read"),
    "no_card": ("没有等到证件", "no card came in time"),
    "no_code": ("没有等到条码", "no code came in time"),
    "card_unreadable": ("证件读不出", "the card cannot be read"),
    "card_removed": ("证件拿开得太早", "the card was lifted too soon"),
    "card_not_trusted": ("证件与读卡器互不认可", "card and reader do not trust each other"),
    "card_other": ("不是身份证", "not an identity card"),
    "inputs_active": ("消防或强开触点有信号", "the fire or forced contact is active"),
    "not_sharp": ("画面不清晰", "the picture is not sharp"),
}  # fmt: skip
PULSES: Words = {
    "sent": ("已发出并确认", "sent and confirmed"),
    "not_sent": ("没有发出", "not sent"),
    "unknown": ("已发出，没有确认", "sent, not confirmed"),
}
ENDS: Words = {
    "passed": ("有人通过", "somebody went through"),
    "timed_out": ("没有人通过", "nobody came"),
    "turned_back": ("进去又退回", "somebody turned back"),
    "tailgated": ("有第二个人跟过", "a second person came through"),
    "blocked": ("有人或物停在闸机内", "somebody or something stood in the gate"),
    "unseen": ("这种闸机看不到结果", "this gate sees nothing"),
    "none": ("没有看到结果", "no end seen"),
}


def in_words(c: Context, code: str, *tables: Words) -> str:
    """`words (code)`; the code alone where it is newer than these words."""
    for table in tables:
        if code in table:
            return f"{c.say(*table[code])} ({code})"
    return code
