"""The words of reports and dispute packs, (zh, en) by key. Knows no layout and decides nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kiosk.core.balance import Code
from kiosk.report.model import Status

Words = Mapping[str, tuple[str, str]]

#: What happened, in one sentence. `{seat}` is the terminal of the entry.
EVENTS: Words = {
    "seat_voided": (
        "考台 {seat}（第 {draw_no} 号抽签）作废：{why}{note}{approved}",
        "terminal {seat} (draw {draw_no}) given up: {why}{note}{approved}",
    ),
    "terminal_changed": (
        "考台 {seat} 变更：{changes}（{why}）",
        "terminal {seat} changed: {changes} ({why})",
    ),
    "claim_typed": ("手工输入或扫码报号", "number typed or scanned"),
    "same_face": (
        "同一人脸以另一身份出现（距离 {distance}）",
        "same face under another identity (distance {distance})",
    ),
    "same_face_answered": ("人脸提示已核对：{same}", "face alert answered: {same}"),
    "cancelled_by_proctor": ("考试员取消本次入场", "turn cancelled by the proctor"),
    "emergency_release": (
        "闸机紧急放行（常开）",
        "emergency release: the gate was opened for everybody",
    ),
    "fire_release_ended": (
        "确认消防放行结束，闸机恢复",
        "fire release declared over, gate locked again",
    ),
    "drill_on": ("消防演练：闸机常开", "fire drill: the gate was opened for everybody"),
    "drill_ended": ("确认消防演练结束，闸机恢复", "fire drill declared over, gate locked again"),
    "return_allowed": (
        "允许考台 {seat} 的考生返回（{why}{note}{approved}）",
        "the candidate of terminal {seat} may come in again ({why}{note}{approved})",
    ),
    "seen_outside": ("点名：考台 {seat} 的考生已在场外见到",
                     "roll-call: the candidate of terminal {seat} was seen outside"),
    "not_seen_outside": ("点名更正：考台 {seat} 的考生未见到",
                         "roll-call corrected: terminal {seat} was not seen"),
    "score_again": (
        "考台 {seat} 更正成绩为 {score} 分，考生重新签名{note}",
        "terminal {seat}: score corrected to {score} and signed for again{note}",
    ),
    "help_asked": ("需要考试员", "a proctor was needed"),
    "identity_overridden": (
        "考试员核对本人后放行（{why}{note}{approved}）",
        "identity confirmed by a proctor ({why}{note}{approved})",
    ),
    "finger_overridden": (
        "考试员免验指纹（{why}{note}{approved}）",
        "fingerprint set aside by a proctor ({why}{note}{approved})",
    ),
    "identity_rejected": (
        "考试员核对后不予放行（{why}{note}）",
        "turned away by a proctor who looked ({why}{note})",
    ),
    "session_paused": ("暂停入场（{why}{note}）", "session paused ({why}{note})"),
    "session_resumed": ("恢复入场", "session resumed"),
    "help_done": ("帮助已处理", "help was given"),
    "refused": ("未放行", "turned away"),
    "claim_failed": ("报号与人脸不符", "number and face do not fit"),
    "not_passed": (
        "已开闸但未通过，考台 {seat} 保留",
        "let in but did not pass; terminal {seat} kept",
    ),
    "gate_passed": ("无开闸指令却有人通过", "somebody passed whom nothing had let in"),
    "gate_timed_out": ("闸机超时信号（无人在场）", "gate timed out with nobody at the lane"),
    "gate_turned_back": ("闸机内有人退回（无人在场）", "somebody turned back in the gate, unasked"),
    "gate_tailgated": ("一次开闸两人通过（尾随）", "two people on one unlock (tailgating)"),
    "gate_blocked": ("闸机通道被占", "gate blocked"),
    "gate_forced": ("强行闯入", "gate forced"),
    "gate_opposite": ("反向通行", "passage in the wrong direction"),
    "gate_unseen": ("开闸时间结束（闸机无传感器）", "an unlock's time ended, seen by nobody"),
    "gate_held": ("闸机被撑开", "gate held open"),
    "gate_sensor_blocked": ("闸机传感器被挡", "a sensor of the gate is blocked"),
    "gate_sensor_clear": ("闸机传感器恢复", "the gate's sensors are free again"),
    "gate_fire_on": ("消防联动：闸机常开", "fire release: gate open"),
    "gate_fire_off": ("消防信号解除", "fire signal off"),
    "lane_started": ("通道程序启动（版本 {version}）", "lane program started (version {version})"),
    "lane_stopped": ("通道程序停止", "lane program stopped"),
    "clock_stepped_back": ("系统时钟被回拨：{from} → {to}", "clock set back: {from} → {to}"),
    "journal_restored": (
        "数据库被恢复为旧副本，缺 {lost} 条",
        "an older database was put back, {lost} entries are lost",
    ),
    "anchor_lost": ("锚文件丢失或损坏", "the anchor was lost or damaged"),
    "roster_imported": ("场次期间导入名单", "roster imported during the session"),
}

#: Why a person decided so, by code: seats, overrides, rejections, pauses.
WHYS: Words = {
    "appearance": ("与照片样貌不同", "looks other than on the photograph"),
    "photo": ("名单照片不清", "poor photograph on the roster"),
    "movement": ("不能按提示动作", "cannot move as asked"),
    "covered": ("面部有遮挡", "face is covered"),
    "alike": ("与他人相像，已当面核对", "alike to another; both were looked at"),
    "camera": ("摄像头故障", "camera out of order"),
    "worn": ("指纹磨损", "worn finger"),
    "injured": ("手指受伤", "injured finger"),
    "no_template": ("没有登记指纹", "no fingerprint enrolled"),
    "reader": ("指纹仪故障", "reader out of order"),
    "not_the_person": ("不是本人", "not the person"),
    "card": ("证件有问题", "card missing or not in order"),
    "uncooperative": ("不配合核对", "would not be looked at"),
    "exam_system": ("考试系统", "exam system"),
    "hall": ("考场", "the hall"),
    "lane": ("通道", "this lane"),
    "break": ("休息", "break"),
    "other": ("其他", "other"),
    "toilet": ("去卫生间", "toilet"),
    "unwell": ("身体不适", "unwell"),
    "called": ("工作人员叫出", "called out by the staff"),
    "terminal_broken": ("考台故障", "terminal broken"),
    "second_attempt": ("第二次考试", "second attempt"),
    "proctor_decision": ("考试员决定", "proctor's decision"),
}

CHANGES: Words = {
    "in_service": ("启用", "in service"),
    "reserved": ("保留", "reserved"),
    "accessible": ("无障碍", "accessible"),
    "classes": ("适用车型", "classes"),
}

STATUS: Mapping[Status, tuple[str, str]] = {
    Status.INSIDE: ("已入场", "inside"),
    Status.SEATED: ("已抽号未入场", "seat, not inside"),
    Status.LEFT: ("已离场", "left"),
    Status.CAME_OUT: ("入场后退出", "came out"),
    Status.TURNED_AWAY: ("未放行", "turned away"),
    Status.ABSENT: ("缺考", "no-show"),
}

PULSES: Words = {
    "sent": ("已发出", "sent"),
    "not_sent": ("未发出", "not sent"),
    "unknown": ("没有应答", "no answer came"),
}

CLAIMS: Words = {"card": ("身份证", "card"), "number": ("号码", "number"), "face": ("人脸", "face")}

DEVICES: Words = {
    "turnstile": ("闸机", "turnstile"),
    "fingerprint": ("指纹仪", "fingerprint reader"),
    "camera": ("摄像头", "camera"),
    "id_card": ("身份证读卡器", "card reader"),
    "scanner": ("扫码器", "code scanner"),
}

#: Name and what it means for the numbers.
DIFFERENCES: Mapping[Code, tuple[str, str]] = {
    Code.SEAT_NOT_USED: (
        "抽号后未入场：座位保留，人未通过闸机",
        "seat drawn but never passed: the seat is held, the person is not inside",
    ),
    Code.OUTCOME_UNKNOWN: (
        "已开闸，通行结果未知：可能在场内也可能不在",
        "let in, outcome unknown: may be inside or not",
    ),
    Code.OUTCOME_MISSING: ("已开闸，没有结果记录", "let in, and no outcome is recorded"),
    Code.TWO_ON_ONE: ("一次开闸两人通过：多一人进入", "two people on one unlock: one more went in"),
    Code.UNSEEN: (
        "闸机没有传感器：{count} 次开闸按已通过处理，没有设备看见",
        "the gate has no sensors: {count} let in and taken for passed, seen by nobody",
    ),
    Code.CAME_OUT: (
        "入场后座位作废，入场次数比占座多一{back}",
        "seat given up after entry: one admission more than seats{back}",
    ),
    Code.PASSED_UNASKED: ("无开闸指令却有人通过", "somebody passed whom nothing had let in"),
    Code.BY_HAND: ("运维试开闸机", "the gate was opened by hand by a technician"),
    Code.FORCED: ("强行闯入", "forced passage"),
    Code.OPPOSITE: ("反向通行", "passage in the wrong direction"),
    Code.FIRE_OPEN: (
        "消防放行期间闸机常开，通行人数无法核对",
        "fire release: the gate stood open, passages cannot be reconciled",
    ),
    Code.DRILL_OPEN: (
        "消防演练期间闸机常开，通行人数无法核对",
        "fire drill: the gate stood open, passages cannot be reconciled",
    ),
    Code.NOT_BACK: (
        "闸机对所有人放行时在场内、之后没有再验证入场：{count} 人"
        "（留在场内还是离开，没有设备看见）",
        "{count} were inside when the gate stood open and were not let in again since: whether "
        "they stayed or went, nobody counted",
    ),
    Code.STILL_INSIDE: (
        "关场时 {count} 人还没有从闸机离场",
        "{count} had not left by the gate when the session was closed",
    ),
    Code.OUT_ON_A_WORD: (
        "由考试员放出，但没有入场记录",
        "let out on a proctor's word, though no admission is recorded",
    ),
    Code.COUNTER_MORE: (
        "闸机计数比可解释的通行多 {count}（计数 {counted}，入场 {admissions}）",
        "the counter says {count} more than is explained (counted {counted}, admitted "
        "{admissions})",
    ),
    Code.COUNTER_FEWER: (
        "闸机计数比入场少 {count}（计数 {counted}，入场 {admissions}）",
        "the counter says {count} fewer than went in (counted {counted}, admitted {admissions})",
    ),
    Code.EXIT_MORE: (
        "闸机出向计数比可解释的多 {count}（计数 {counted}，离场 {left}）",
        "the counter says {count} more went out than is explained (counted {counted}, "
        "left {left})",
    ),
    Code.EXIT_FEWER: (
        "闸机出向计数比离场少 {count}（计数 {counted}，离场 {left}）",
        "the counter says {count} fewer than went out (counted {counted}, left {left})",
    ),
    Code.OTHERS_LEFT: (
        "出向计数中有 {count} 人是其他场次的考生",
        "{count} of those counted out had come in with another session",
    ),
    Code.COUNTER_RESET: (
        "闸机计数在场次中变小（{from} → {to}），无法核对",
        "the counter went back during the session ({from} → {to}): not usable",
    ),
    Code.COUNTER_UNREAD: (
        "闸机计数只读到一次，无法核对",
        "the counter was read only once: not usable",
    ),
    Code.PASSED_NOT_ADMITTED: (
        "已通过闸机，但没有入场记录",
        "passed the gate, but no admission is recorded",
    ),
    Code.ADMITTED_NOT_PASSED: (
        "有入场记录，但没有通过闸机",
        "admitted without having passed the gate",
    ),
    Code.PASSED_NOT_LEFT: (
        "已向外通过闸机，但没有离场记录",
        "passed out by the gate, but no leaving is recorded",
    ),
    Code.LEFT_NOT_PASSED: (
        "有离场记录，但没有向外通过闸机",
        "left without having passed out by the gate",
    ),
    Code.CLOSING_DIFFERS: (
        "关场记录的人数与日志不符",
        "the closing's counts are not those of the entries",
    ),
}

LABELS: Words = {
    "title": ("入场场次报告", "Session report"),
    "public": ("公开版（仅化名）", "public version (pseudonyms only)"),
    "official": ("内部版，含个人信息", "official version, contains personal data"),
    "interim": (
        "场次尚未关闭：以下为暂时情况",
        "The session is not closed: everything here is provisional",
    ),
    "venue": ("考场", "venue"),
    "lane": ("通道", "lane"),
    "session": ("场次", "session"),
    "subject": ("科目", "subject"),
    "starts_at": ("开考时间", "start"),
    "window": ("入场时间", "check-in"),
    "opened": ("开放", "opened"),
    "closed": ("关闭", "closed"),
    "state": ("状态", "state"),
    "hall": ("考台", "terminals"),
    "hall_value": (
        "{terminals} 个，停用 {out}，容量 {capacity}",
        "{terminals}, {out} out of service, capacity {capacity}",
    ),
    "checks": ("核验方式", "checks"),
    "software": ("程序版本", "software"),
    "spacing_on": ("同驾校隔位", "same school apart"),
    "finger_on": ("指纹", "finger"),
    "liveness_on": ("活体", "liveness"),
    "created_state": ("未开放", "not opened"),
    "open_state": ("进行中", "open"),
    "closed_state": ("已关闭", "closed"),
    "n_booked": ("报名", "booked"),
    "n_inside": ("场内", "inside"),
    "n_seated": ("抽号未入场", "seat, not inside"),
    "n_absent": ("缺考", "no-shows"),
    "n_turned_away": ("未放行", "turned away"),
    "n_refusals": ("拒绝次数", "refusals"),
    "n_faults": ("设备故障", "device faults"),
    "balance": ("人数核对", "Balance"),
    "balance_row": (
        "入场 {admissions} 人次 · 开闸 {intents} 次，看见通过 {passages} 次，未见 {unseen} 次"
        " · 抽号 {drawn}，作废 {voided}，占座 {held}（场内 {inside}）",
        "{admissions} admissions · {intents} unlocks, {passages} passages seen, {unseen} not seen"
        " · {drawn} draws, {voided} given up, {held} seats held ({inside} inside)",
    ),
    "balance_out": (
        "从闸机离场 {exits} 人次 · 重新入场 {readmissions} 人次 · 已离场 {left} 人",
        "{exits} passed out by the gate · {readmissions} let in again · {left} have left",
    ),
    "counters": (
        "闸机计数：进 {counted_in}，出 {counted_out}",
        "turnstile counter: {counted_in} in, {counted_out} out",
    ),
    "no_counters": (
        "闸机没有计数器，或未读到计数",
        "the turnstile has no counter, or it was not read",
    ),
    "balanced": (
        "人数、闸机与座位一致，没有差异。",
        "Admissions, gate and seats agree: there is no difference.",
    ),
    "differences": ("有 {count} 处差异：", "{count} difference(s):"),
    "code": ("代码", "code"),
    "meaning": ("说明", "meaning"),
    "entries": ("日志序号", "entries"),
    "candidates": ("考生", "Candidates"),
    "admission_no": ("准考证号", "admission no."),
    "name": ("姓名", "name"),
    "pseudonym": ("化名", "pseudonym"),
    "class": ("车型", "class"),
    "status": ("结果", "result"),
    "entered": ("入场时间", "entered"),
    "left": ("离场时间", "left"),
    "terminal": ("考台", "terminal"),
    "draw_no": ("抽号", "draw"),
    "claim": ("身份", "claimed by"),
    "face": ("人脸", "face"),
    "finger": ("指纹", "finger"),
    "passed_mark": ("通过", "yes"),
    "figures_mean": (
        "人脸：与名单照片的距离，越小越像；指纹：读头的比对得分，越大越像；“通过”表示没有数值记录。",
        "face: distance to the roster's photograph, smaller is more alike; finger: the reader's "
        "score, larger is more alike; “yes” where no figure was recorded.",
    ),
    "no_candidates": ("名单上没有考生。", "Nobody was on the roster."),
    "absent": ("缺考考生", "No-shows"),
    "no_absent": ("没有缺考。", "There were none."),
    "overrides": ("人工处理", "Overrides and decisions"),
    "no_overrides": ("没有人工处理。", "There were none."),
    "refusals": ("拒绝与未通过", "Refusals and passages that failed"),
    "no_refusals": ("没有拒绝。", "There were none."),
    "incidents": ("闸机与通道事件", "Gate and lane incidents"),
    "no_incidents": ("没有异常事件。", "There were none."),
    "faults": ("设备故障", "Device faults"),
    "no_faults": ("没有设备故障。", "There were none."),
    "time": ("时间", "time"),
    "what": ("事项", "what"),
    "who": ("考生", "candidate"),
    "by": ("经办", "by"),
    "reason": ("原因", "reason"),
    "device": ("设备", "device"),
    "duration": ("持续", "duration"),
    "not_recovered": ("场次内未恢复", "not recovered in the session"),
    "proof": ("抽号与日志的证明", "Proof of draw and journal"),
    "commitment": ("种子承诺值（开场时公布）", "commitment to the seed (published at opening)"),
    "seed": ("种子（关场时公开）", "seed (revealed at closing)"),
    "seed_hidden": ("关场后公开", "revealed when the session closes"),
    "hall_sha256": ("考台与规则散列值", "hash of terminals and rules"),
    "first_head": ("第一个签名树头（{size} 条）", "first signed head ({size} entries)"),
    "last_head": ("最后一个签名树头（{size} 条）", "last signed head ({size} entries)"),
    "vkey": ("日志验证公钥", "journal's verifier key"),
    "how": (
        "本报告带有通道的电子签名：用 PDF 阅读器或 pdfsig 查看签名，证书指纹与本文件的 "
        "SHA-256 记在日志 report_signed 中。抽号与日志用 examgate session export 导出后以 "
        "examgate audit 核对。",
        "This report carries the lane's digital signature: see it in a PDF reader or with "
        "pdfsig; the certificate's fingerprint and the file's SHA-256 are in the journal "
        "(report_signed). Draws and journal: examgate session export, then examgate audit.",
    ),
    "page": ("第 {page} 页，共 {pages} 页", "page {page} of {pages}"),
    "approved_by": ("，批准：{name}", ", approved by {name}"),
    "note": ("，备注：{text}", ", note: {text}"),
    "same_yes": ("同一人", "one person"),
    "same_no": ("两个人", "two people"),
    "back_yes": ("（已再次入场）", " (came back in)"),
    "back_no": ("（未再次入场）", " (did not come back)"),
    "yes": ("是", "yes"),
    "no": ("否", "no"),
    "all_classes": ("全部", "all"),
    "timeline": ("考生记录", "Candidate's record"),
    "kind": ("类别", "kind"),
    "seq": ("序号", "entry"),
    "timeline_how": (
        "以下是通道日志中关于该考生的全部记录，按先后排列。每条的原文和证明在同一文件包内，"
        "可用 examgate audit --dispute 核对。",
        "Everything that the lane's journal has of this candidate, in order. The exact "
        "entries and their proofs are in the same file; check it with examgate audit --dispute.",
    ),
}

#: Entries of one candidate, where EVENTS has no sentence for the kind.
KINDS: Words = {
    "session_opened": (
        "场次开放，公布种子承诺值与考台",
        "session opened; commitment and terminals published",
    ),
    "session_closed": ("场次关闭，公开种子", "session closed; seed revealed"),
    "claimed": ("报出身份：{claim}", "claimed an identity by {claim}"),
    "identity_verified": ("人脸核验通过（距离 {distance}）", "face verified (distance {distance})"),
    "capture_kept": (
        "现场照片已保存，散列值 {capture}…",
        "a picture of who stood there was kept, hash {capture}…",
    ),
    "candidate_shown": ("资料与照片已由考试员查看", "data and pictures were looked at"),
    "finger_verified": ("指纹核验通过（得分 {score}）", "finger verified (score {score})"),
    "finger_failed": ("指纹不符（得分 {score}）", "finger did not match (score {score})"),
    "finger_not_compared": ("指纹未能及时比对", "finger could not be compared in time"),
    "signed": ("签名已保存，散列值 {signature}…", "signature stored, hash {signature}…"),
    "signed_exit": (
        "为成绩 {score} 分签名，散列值 {signature}…{note}",
        "signed for a score of {score}, hash {signature}…{note}",
    ),
    "seat_drawn": (
        "抽号第 {draw_no} 号：考台 {seat}，从 {pool} 个空考台中随机抽取",
        "draw {draw_no}: terminal {seat}, at random from {pool} free ones",
    ),
    "gate_intent": ("准许开闸一次", "one opening of the gate was authorised"),
    "gate_pulse": ("开闸脉冲：{result}", "unlock pulse: {result}"),
    "gate_outcome": ("通行结果", "how the passage ended"),
    "admitted": ("入场，考台 {seat}", "inside, terminal {seat}"),
    "left": ("离场，考台 {seat}", "left, terminal {seat}"),
    "signatures_shown": ("签名已出示", "signatures were shown"),
    "warning_raised": ("向考试员发出警报", "a warning to the proctor"),
    "warning_acknowledged": ("考试员已确认警报", "a proctor acknowledged the warning"),
    "report_signed": ("场次报告已出具", "session report handed out"),
    "dispute_made": ("本人记录已导出", "this candidate's record handed out"),
}


def pick(pair: tuple[str, str], lang: str) -> str:
    return pair[0 if lang == "zh" else 1]


def label(key: str, lang: str, **args: Any) -> str:
    text = pick(LABELS[key], lang)
    return text.format(**args) if args else text


def claim_word(claim: str | None, lang: str) -> str | None:
    """Card, number, face; of an older entry, which does not say, nothing."""
    return pick(CLAIMS[claim], lang) if claim is not None and claim in CLAIMS else None
