"""The sentences of an audit, (zh, en) by key. Knows neither codes nor records."""

from __future__ import annotations

TEXTS: dict[str, tuple[str, str]] = {
    # form
    "unreadable": ("读不出来：{why}", "cannot be read: {why}"),
    "not_a_record": ("不是考试记录：{why}", "is not a record: {why}"),
    "line_form": ("第 {line} 行不合格式：{why}", "line {line} is not what it should be: {why}"),
    "line_counts": (
        "应有 {expected} 行，实有 {found} 行：文件被截断或添加过",
        "has {found} lines where its header announces {expected}: it was cut off or added to",
    ),
    "payload": ("内容缺项或不合格式（{why}）", "its payload is not what its kind asks for ({why})"),
    "sequence": (
        "这里应是第 {expected} 条：中间有缺失、调换或重复",
        "{expected} should come here: entries are missing, swapped or there twice",
    ),
    "clock": (
        "时间比上一条早 {seconds} 秒，却没有记录时钟回拨",
        "is {seconds} s before the entry above, and nothing says that the clock was set back",
    ),
    # tree
    "changed": ("内容与其散列值不符：被改动过", "was changed: its content does not fit its hash"),
    "peaks": ("起始树的峰值个数不对", "the peaks do not fit the number of entries before it"),
    "head_root": (
        "大小为 {size} 的签名树头与内容不符：第 {first} 到 {size} 条中有改动",
        "the signed head of size {size} does not fit: something from entry {first} to {size} is "
        "not what was signed",
    ),
    "head_range": (
        "大小为 {size} 的签名树头不在本记录范围内",
        "a signed head of size {size} is outside this record",
    ),
    "head_twice": (
        "大小为 {size} 的签名树头有两个",
        "there are two signed heads of size {size}",
    ),
    "head_signature": (
        "签名树头（第 {line} 行）无效：{why}",
        "the signed head in line {line}: {why}",
    ),
    "tail": (
        "最后签名到第 {size} 条，此后的记录没有签名",
        "the last signed head ends at entry {size}; nothing signs what follows",
    ),
    "no_head": ("没有任何签名树头", "nothing in it is signed"),
    "opening_unsigned": (
        "首次抽号之前没有对开场和承诺值签名",
        "the opening with its commitment was not signed before this first draw",
    ),
    "earlier": ("更早的签名树头或其证明无效：{why}", "the earlier head or its proof: {why}"),
    "kept_bad": ("保存的树头 {name} 无效：{why}", "the kept head {name}: {why}"),
    "fork": (
        "保存的树头 {name}（大小 {size}）属于另一份日志：历史被替换过",
        "the kept head {name} of size {size} shows another journal: the past was exchanged",
    ),
    "unproven": (
        "保存的树头 {name}（大小 {size}）早于本记录，缺少一致性证明："
        "用 examgate journal prove 取得",
        "the kept head {name} of size {size} is older than this record and there is no proof for "
        "it: get one with examgate journal prove",
    ),
    "unproven_newer": (
        "保存的树头 {name} 有 {size} 条，比本记录（到 {last} 条）新，缺少一致性证明："
        "用 examgate journal prove 取得",
        "the kept head {name} of {size} entries is newer than this record, which ends at {last}, "
        "and there is no proof for it: get one with examgate journal prove",
    ),
    "another_key": (
        "记录自称的公钥不是给出的那一把",
        "the record names another key than the one that was given",
    ),
    # session
    "not_opened": (
        "第一条不是场次 {session} 的开场",
        "the first entry is not the opening of session {session}",
    ),
    "opened_again": ("又一次开场", "a session is opened although this one is not closed"),
    "closed_again": ("再次结束", "the session is closed a second time"),
    "after_close": ("场次结束后不应再有此记录", "comes after the session was closed"),
    "still_open": (
        "场次尚未结束，种子未公布，抽号还不能核对",
        "the session is not closed: the seed is not revealed, so its draws cannot be checked yet",
    ),
    # hall and draws
    "hall": ("考台与规则的散列值不符", "hall_sha256 does not fit terminals and rules"),
    "commitment": (
        "公布的种子与开场时的承诺值不符",
        "the revealed seed is not the one committed to at the opening",
    ),
    "number": ("抽号序号应为 {expected}", "draw {found} where {expected} comes next"),
    "not_signed": (
        "抽号之前没有此人的签名",
        "nothing was signed by this candidate before the draw",
    ),
    "not_newest": (
        "用的不是此人最新的签名",
        "the draw does not use the candidate's newest signature",
    ),
    "signature_used": (
        "用的签名已在以前的抽号中用过",
        "the draw uses a signature that an earlier draw has used",
    ),
    "seated": ("此人已有考台 {terminal}", "the candidate holds terminal {terminal} already"),
    "taken": ("考台 {terminal} 已属他人", "terminal {terminal} is held by somebody else"),
    "rules": ("{field} 与考场规则不符", "{field} is not what the rules of the hall give"),
    "full": (
        "按规则此时应拒绝（{reason}），却抽了号",
        "by the rules this draw had to be refused ({reason})",
    ),
    "draw": (
        "按种子应抽到 {expected}，记录为 {found}",
        "the seed gives terminal {expected}, the record says {found}",
    ),
    "draw_detail": ("{field} 与种子不符", "{field} is not what the seed gives"),
    "terminal_unknown": ("本场次没有考台 {terminal}", "this session has no terminal {terminal}"),
    "terminal_field": ("不能更改 {field}", "{field} of a terminal cannot be changed"),
    "void_not_held": ("作废的座位并无人持有", "voids a seat that this candidate does not hold"),
    "void_at_gate": (
        "闸机正为此人打开时作废了座位",
        "voids a seat while the gate was open for its candidate",
    ),
    "void_inside": ("是否已入场与记录不符", "was_inside is not what the record says"),
    "void_in_service": (
        "考台坏了却仍在用",
        "the terminal is said to be broken but is still in service",
    ),
    "void_second": (
        "第二次考试：此人未曾入场或已用过",
        "a second attempt of somebody who was not inside or has had it",
    ),
    "void_approval": (
        "没有说明或没有第二人批准",
        "a proctor's decision without a note or another person's approval",
    ),
    "void_why": ("作废原因 {why} 不存在", "{why} is no reason to void a seat"),
    # gate
    "intent_twice": ("开闸意图 {intent} 重复", "gate intent {intent} is there twice"),
    "intent_seat": (
        "开闸对象并不持有考台 {terminal}",
        "a gate intent for somebody who does not hold terminal {terminal} by that draw",
    ),
    "intent_inside": ("此人已在场内", "a gate intent for somebody who is inside"),
    "authority_face": (
        "开闸没有依据：身份未核验",
        "no authority for this gate intent: the candidate's identity was not verified",
    ),
    "authority_finger": (
        "开闸没有依据：人脸之后没有核验指纹",
        "no authority for this gate intent: no finger was verified after the face",
    ),
    "authority_signed": (
        "开闸没有依据：没有签名",
        "no authority for this gate intent: nothing was signed",
    ),
    "authority_unknown": (
        "开闸没有依据：授权方式不明",
        "no authority for this gate intent: of a kind that is unknown",
    ),
    "authority_mixed": (
        "开闸依据与记录不符：人工还是自动",
        "its authority says other than what was shown: a person's word, or none",
    ),
    "intent_left": (
        "该考生已经离场，不能再按首次入场放行",
        "this candidate has left: not an admission any more",
    ),
    "intent_return": (
        "重新入场没有依据：其间没有全员放行，也没有考试员允许",
        "re-admitted without a release for everybody or a proctor's word since they came in",
    ),
    "intent_outside": (
        "向外开闸，但该考生不在场内",
        "the gate was opened outwards for somebody who is not inside",
    ),
    "intent_at_gate": (
        "该考生的上一次开闸还没有结果",
        "an earlier intent of this candidate has no outcome yet",
    ),
    "intent_kind": ("开闸的种类不明", "an intent of a kind that is unknown"),
    "return_not_left": ("允许返回的考生并未离场", "allowed to return without having left"),
    "return_why": ("{why} 不是允许返回的理由", "{why} is no reason to let somebody in again"),
    "return_words": (
        "允许返回没有写明何人、为何，或没有第二人批准",
        "allowed to return without saying by whom or why, or without another's approval",
    ),
    "left_not_passed": ("没有向外通过闸机就记为离场", "left without having passed out by the gate"),
    "left_twice": ("重复离场", "left a second time"),
    "left_draw": ("离场的抽号不是此意图的", "left by another draw than the intent's"),
    "left_missing": ("向外通过了闸机却没有记为离场", "passed out by the gate and never left"),
    "override_why": ("{why} 不是人工放行的理由", "{why} is no reason for an override"),
    "override_words": (
        "人工放行没有写明何人或为何",
        "an override that does not say by whom or why",
    ),
    "override_approval": (
        "人工放行没有第二人批准",
        "an override without another person's approval",
    ),
    "override_picture": (
        "人工放行没有留下当时的照片",
        "an override without the picture that was looked at",
    ),
    "pulse_no_intent": (
        "开闸脉冲没有对应的意图",
        "a pulse without its intent: the gate was opened on nobody's authority",
    ),
    "pulse_twice": ("同一意图的第二次脉冲", "a second pulse for one intent"),
    "pulse_other": (
        "脉冲与其意图不是同一人或同一考台",
        "a pulse for another than its intent names",
    ),
    "pulse_seen": (
        "传感器对一个并非无应答的脉冲作了结论",
        "the sensors' word on a pulse whose answer was not lost",
    ),
    "pulse_result": ("脉冲结果 {result} 不存在", "{result} is no result of a pulse"),
    "pulse_missing": (
        "有人通过，却没有开闸脉冲",
        "somebody passed without a pulse having been sent",
    ),
    "trial_asked": (
        "运维试开闸机的结果之前没有请求记录",
        "the result of a pulse by hand that nothing says was asked for",
    ),
    "trial_result": (
        "运维试开闸机没有结果记录",
        "a pulse by hand that never got its result",
    ),
    "trial_approval": (
        "场次进行中试开闸机，没有主考批准",
        "a pulse by hand during the session without another person's approval",
    ),
    "trial_under_way": (
        "运维试开闸机未结束就为考生开闸",
        "an intent while a pulse by hand was under way",
    ),
    "outcome_no_intent": ("结果没有对应的意图", "an outcome without its intent"),
    "outcome_twice": ("同一意图的第二个结果", "a second outcome of one intent"),
    "outcome_other": ("结果与其意图不是同一人", "an outcome for another than its intent names"),
    "outcome_reason": ("{reason} 不是通行结果", "{reason} is not how a passage ends"),
    "outcome_missing": ("开闸意图 {intent} 没有结果", "gate intent {intent} never got an outcome"),
    "admitted_not_passed": ("没有通过闸机就记为入场", "admitted without having passed the gate"),
    "admitted_twice": ("重复入场", "admitted a second time by the same draw"),
    "admitted_draw": ("入场的抽号不是此意图的", "admitted by another draw than the intent's"),
    "admitted_missing": ("通过了闸机却没有记为入场", "passed the gate and was never admitted"),
    "counts": (
        "结束时的人数 {field} 为 {found}，记录中是 {expected}",
        "the closing says {field} {found}, the record has {expected}",
    ),
    # put back
    "restored": (
        "数据库曾被换成旧的：签过名的 {anchor} 条中丢了 {lost} 条",
        "an older copy of the database was put back: {lost} of {anchor} signed entries are lost",
    ),
    "anchor": (
        "锚点丢失（{why}）：此前若换过旧数据库，无从发现",
        "the anchor was lost ({why}): an older copy could have been put back unseen before this",
    ),
    # receipt
    "receipt_bad": ("回执无效：{why}", "the receipt: {why}"),
    "receipt_session": ("回执属于场次 {session}", "the receipt is of session {session}"),
    "receipt_entry": (
        "回执所指的第 {entry} 条不在记录中，或不是抽号",
        "the receipt's entry {entry} is not in the record or is no draw",
    ),
    "receipt_leaf": (
        "回执的散列值与记录不符：抽号被改过，或回执不是真的",
        "the receipt's hash is not this entry's: the draw was changed, or the receipt is not real",
    ),
    "receipt_head": (
        "回执上的树头（{size} 条）不在本记录范围内，无法比对",
        "the receipt's head of {size} entries is outside this record and cannot be compared",
    ),
    "receipt_field": (
        "回执上的 {field} 是 {seen}，记录中是 {said}",
        "the receipt says {field} {seen}, the entry says {said}",
    ),
}
