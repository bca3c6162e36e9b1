"""Plain sentences of the daemon's refusals, in Chinese and English, by problem code.

Only words: which problem applies is decided elsewhere (kiosk.office).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kiosk.told import in_language

SENTENCES: dict[str, tuple[str, str]] = {
    "session_unknown": (
        "没有场次 {session_id}。请先用 examgate session create 建立。",
        "There is no session {session_id}. Create it first: examgate session create.",
    ),
    "nobody_on_roll": (
        "没有开放的场次，记录中也没有人在场内。已关闭的场次请写明场次号。",
        "No session is open and nobody is inside by the record. Of a closed session, say which.",
    ),
    "session_closed_for_good": (
        "场次 {session_id} 已经结束，不能再次开放。",
        "Session {session_id} is closed and cannot be opened again.",
    ),
    "other_session_open": (
        "场次 {other} 还在进行，请先关闭。",
        "Session {other} is still open; close it first.",
    ),
    "roster_missing": (
        "场次 {session_id} 没有考生名单。请先导入：examgate roster import。",
        "Session {session_id} has no roster. Import it first: examgate roster import.",
    ),
    "other_day": (
        "场次 {session_id} 的日期是 {day}，今天是 {today}。请检查场次或系统时间。",
        "Session {session_id} is for {day}, but today is {today}. Check session and clock.",
    ),
    "window_over": (
        "场次 {session_id} 的入场时间已于 {until} 结束。",
        "The check-in window of session {session_id} ended at {until}.",
    ),
    "encoder_differs": (
        "名单中有 {count} 名考生的人脸特征由另一算法生成。"
        "请停止服务后运行：examgate roster reembed。",
        "Another encoder made the face data of {count} candidates. Stop the daemon and run: "
        "examgate roster reembed.",
    ),
    "wrong_encoder": (
        "人脸特征由算法 {made_by} 生成，本通道使用 {wanted}。请用本通道的配置重新导入。",
        "The face data were made by encoder {made_by}, but this lane uses {wanted}. Import "
        "again with this lane's configuration.",
    ),
    "fire_contact": (
        "消防报警仍在输出信号，闸机保持常开。请先在消防控制器上复位，再解除。",
        "The fire panel still gives its alarm; the gate stays open. Reset the panel first, then "
        "end the release.",
    ),
    "release_lasts": (
        "闸机已经常开，不能开始演练。请先解除。",
        "The gate stands open already: end that first, then begin the drill.",
    ),
    "no_drill": (
        "没有正在进行的演练。火警放行请在考试员屏幕上解除。",
        "There is no drill. A release in a fire is ended on the proctor's screen.",
    ),
    "drill_gate_in_use": (
        "有人正在通过闸机，请等他走完再开始演练。",
        "Somebody is in the gate: begin the drill once they are through.",
    ),
    "return_not_left": (
        "考台 {terminal} 的考生没有离场记录，不用允许返回。",
        "Who has terminal {terminal} has not left by the gate: there is nothing to allow.",
    ),
    "not_on_roll": (
        "考台 {terminal} 没有在场的考生。",
        "Nobody at terminal {terminal} is inside by the record.",
    ),
    "no_way_out": (
        "本通道只进不出（配置 lane.direction）。",
        "This gate lets nobody out (lane.direction in the configuration).",
    ),
    "no_terminal": (
        "没有可用的考台。",
        "No terminal is in service.",
    ),
    "too_few_terminals": (
        "报名 {booked} 人，可用考台只有 {usable} 个。请恢复考台或减少人数。",
        "{booked} candidates are booked but only {usable} terminals are in service.",
    ),
    "device": (
        "设备“{role}”不正常（{code}）：请运行 examgate doctor 查看处理办法。",
        "Device “{role}” is not well ({code}): examgate doctor says what to do.",
    ),
    "disk": (
        "磁盘只剩 {free} MB，至少需要 {need} MB。请清理磁盘。",
        "The disk has {free} MB left and {need} MB are needed. Free some space.",
    ),
    "clock": (
        "系统时间 {now} 不可信（早于 {earliest}）。请校时。",
        "The clock says {now}, which cannot be (before {earliest}). Set it.",
    ),
    "evidence": (
        "记录无法写入：{detail}。不能记录就不能放行。",
        "Evidence cannot be written: {detail}. Nobody is admitted where nothing is recorded.",
    ),
    "daemon_needed": (
        "开放场次需要先启动守护进程：examgate daemon（它要检查设备）。",
        "Opening a session needs the daemon, which checks the devices: examgate daemon.",
    ),
    "candidate_unknown": (
        "名单里已经没有这名考生，请刷新。",
        "This candidate is not on the roster any more; load the list again.",
    ),
    "not_open": ("场次 {session_id} 没有开放。", "Session {session_id} is not open."),
    "seat_not_held": (
        "考台 {terminal} 没有人持有。",
        "Nobody holds terminal {terminal}.",
    ),
    "seat_changed": (
        "考台 {terminal} 现在属于别人，请刷新后再试。",
        "Terminal {terminal} is somebody else's by now; look again.",
    ),
    "seat_at_gate": (
        "闸机正为该考生打开，请等通行结束。",
        "The gate is open for this candidate; wait until they have passed.",
    ),
    "second_not_inside": (
        "该考生没有入过场，不能作第二次考试。",
        "This candidate has not been inside, so this is no second attempt.",
    ),
    "second_used": (
        "该考生的第二次考试机会已用过。",
        "This candidate has had the second attempt.",
    ),
    "approval_own": (
        "不能自己批准自己的决定，请另一位考试员批准。",
        "Nobody approves their own decision; ask somebody else.",
    ),
    "approval_missing": (
        "这一决定需要第二个人批准。",
        "A second person must approve this.",
    ),
    "note_missing": ("请写明原因。", "Write the reason down."),
    "store": ("{detail}", "{detail}"),
    "bundle": ("名单包{zh}", "The roster bundle {en}"),
    "bundle_only": (
        "本通道只接受中心签发的名单包（config.yaml 中设置了 centre.public_key）。",
        "This lane takes signed roster bundles only (centre.public_key is set in config.yaml).",
    ),
    "stick_gone": (
        "U 盘已拔出，没有改动名单。请重新插入。",
        "The stick was pulled out; the roster is as it was. Plug it in again.",
    ),
    "stick_busy": (
        "正在导入 U 盘上的名单，请等它完成。",
        "A roster is being taken from a stick; wait until that is done.",
    ),
    "stick_slow": (
        "U 盘没有及时应答，没有改动名单。请换一个 U 盘或插口。",
        "The stick does not answer in time; the roster is as it was. Try another stick or socket.",
    ),
    "stick_unreadable": (
        "U 盘读不出来，没有改动名单。请拔出后重新插入，或换一个 U 盘。",
        "The stick cannot be read; the roster is as it was. Plug it in again, or take another one.",
    ),
    "stick_changed": (
        "U 盘上的文件和刚才看到的不一样，没有改动名单。请重新插入。",
        "The file is not the one that was seen on the stick before; the roster is as it was. "
        "Plug it in again.",
    ),
    "record_unknown": (
        "没有正在导出的记录 {record_id}，请重新导出。",
        "There is no record {record_id} being exported; export it again.",
    ),
    "dispute_unknown": (
        "名单中没有这个身份证号或准考证号的考生（请核对号码和场次）。",
        "Nobody on the rosters has this identity or admission number; check it and the session.",
    ),
    "dispute_several": (
        "该号码在多个场次中：{sessions}。请用 --session 指明场次。",
        "This number is booked in several sessions: {sessions}. Say which with --session.",
    ),
    "document_unknown": (
        "没有正在制作的文件 {document_id}，请重新开始。",
        "There is no document {document_id} being made; begin again.",
    ),
    "import_unknown": (
        "导入 {import_id} 不存在或已过期，请重新开始。",
        "Import {import_id} does not exist or has expired; start again.",
    ),
    "import_incomplete": (
        "应有 {expected} 行，只收到 {received} 行；没有导入任何内容。",
        "{expected} rows were announced and {received} came; nothing was imported.",
    ),
    "signature_empty": (
        "签名太短，请写下姓名。",
        "The signature is too short: please write your name.",
    ),
    "not_booked": (
        "名单中没有准考证号 {admission_no}。",
        "No candidate of this session has the admission number {admission_no}.",
    ),
    "score_text": (
        "签名上方的文字不是 {score} 分的成绩确认。请向考生显示 exit.statement 给出的文字。",
        "The text above the pad is not the statement of {score} points. Show the candidate the "
        "text that exit.statement gives.",
    ),
    "score_not_inside": (
        "该考生不在考场内，不能签成绩。",
        "This candidate is not inside the hall; there is no score to sign for.",
    ),
    "score_signed": (
        "该考生已签过成绩。如成绩有误，请写明原因后重签。",
        "This candidate has signed for a score. If it was wrong, say why in a note and sign again.",
    ),
    "number_empty": ("请输入号码。", "Please type the number."),
    "number_length": (
        "位数不对：身份证号 18 位，准考证号以准考证为准。",
        "It does not have as many characters as an identity number (18) or admission number.",
    ),
    "number_characters": (
        "身份证号只有数字，末位可以是 X。",
        "An identity number has digits only; the last may be X.",
    ),
    "number_old_number": (
        "这是 15 位的旧号码，请输入 18 位的身份证号。",
        "This is an old number of 15 digits; type the 18 characters of the present card.",
    ),
    "number_birth_date": (
        "号码中的出生日期不对，请核对。",
        "The birth date in the number does not exist; please compare it.",
    ),
    "number_checksum": (
        "号码有误，请逐位核对。",
        "A digit of the number is wrong; please compare each one.",
    ),
    # who may do what
    "not_here": (
        "这个屏幕不能进行这个操作。",
        "That cannot be done from this screen.",
    ),
    "not_allowed": (
        "您的岗位不能进行这个操作，请找主考。",
        "Your role may not do that; ask the chief proctor.",
    ),
    "login_needed": (
        "请先登录：考试员屏幕上输入工号和密码（在命令行请用 sudo -u examgate）。",
        "Log in first, with number and PIN on the proctor's screen (at the command line: "
        "sudo -u examgate).",
    ),
    "no_staff": (
        "本通道还没有建立考试员。请运维运行：examgate staff add 工号 --name 姓名 --role chief。",
        "No staff has been set up at this lane. A technician runs: examgate staff add NUMBER "
        "--name NAME --role chief.",
    ),
    "screen_locked": ("屏幕已锁定，请输入密码。", "The screen is locked; enter your PIN."),
    "wrong_pin": (
        "工号或密码不对。",
        "Number and PIN do not fit.",
    ),
    "staff_wait": (
        "密码错误次数太多，请 {seconds} 秒后再试。",
        "Too many wrong PINs; try again in {seconds} s.",
    ),
    "person_form": (
        "“工号 姓名”的写法只留给登录的人；--person 请只写姓名。",
        "Number and name together stand for somebody who has logged in; give --person a name only.",
    ),
    "pin_length": ("密码须为 6 至 12 位数字。", "A PIN has 6 to 12 digits."),
    "pin_digits": ("密码只能是数字。", "A PIN has digits only."),
    "pin_number": ("密码不能包含工号。", "The PIN must not contain the staff number."),
    "pin_easy": (
        "密码太容易猜到（重复、连续、日期或常用数字），请换一个。",
        "This PIN is too easy to guess (repeats, runs, dates, favourites); take another one.",
    ),
    "staff_no_form": ("工号须为 1 至 12 位数字。", "A staff number is 1 to 12 digits."),
    "staff_name_form": (
        "姓名须为 1 至 32 个可显示的字符。",
        "A name has 1 to 32 printable characters.",
    ),
    "staff_same_name": (
        "工号 {staff_no} 的人员也叫“{name}”。屏幕和日志上要能分清两人："
        "请在姓名后加注，例如“{name}（二）”。",
        "{staff_no} is called {name} as well. Screens and record must tell the two apart: "
        "add something to the name, as in “{name} (2)”.",
    ),
    "staff_exists": (
        "工号 {staff_no} 已被使用。",
        "The staff number {staff_no} is taken.",
    ),
    "staff_unknown": (
        "没有工号 {staff_no}，或已停用：examgate staff list 可查看。",
        "Nobody has the number {staff_no}, or no longer: examgate staff list shows who does.",
    ),
    "staff_last_chief": (
        "这是唯一的主考，不能停用。请先建立另一位主考。",
        "This is the only chief, who cannot be disabled; add another chief first.",
    ),
    "approval_pin": (
        "批准人须输入自己的工号和密码，只写姓名无效。",
        "Who approves enters their own number and PIN; a name is not enough.",
    ),
    "approval_chief": (
        "两人之中须有一位主考。",
        "One of the two must be a chief proctor.",
    ),
    # decided at the lane
    "verify_not_booked": (
        "不能核对这位考生：{reason}。",
        "This candidate cannot be let in: {reason}.",
    ),
    "lane_busy": (
        "通道上是另一位考生，请等他走完，或先取消。",
        "Somebody else is at the lane; wait until they are done, or cancel first.",
    ),
    "evidence_picture": (
        "请先拍下考生现在的样子。",
        "Take a picture of the candidate first.",
    ),
    "camera_works": (
        "摄像头正常，请拍照并选择其他原因。",
        "The camera works: take a picture and choose another reason.",
    ),
    "device_works": (
        "设备“{role}”没有故障（或本通道没有），或已经允许停用它继续。",
        "The {role} works, this lane has none, or the lane goes on without it already.",
    ),
    "gate_in_use": (
        "通道上有人，现在不能试开闸机：请等他走完。",
        "Somebody is at the lane: the gate cannot be tried until they are done.",
    ),
    "gate_released": (
        "闸机已放行常开，不能试开：请先在考试员屏幕上解除。",
        "The gate stands released and cannot be tried: end the release on the proctor's screen.",
    ),
    "gate_chief": (
        "场次进行中：试开闸机须由主考批准（--approved-by 主考工号）。",
        "A session is open: a chief has to approve this (--approved-by and the chief's number).",
    ),
    "help_unknown": (
        "这条求助已经处理。",
        "This request has been answered already.",
    ),
    "stale_visit": ("这一位已经结束。", "That person's turn is over."),
    "not_now": ("现在不能进行这个操作。", "That cannot be done now."),
}

ROLES: dict[str, tuple[str, str]] = {
    "turnstile": ("闸机", "turnstile"),
    "fingerprint": ("指纹仪", "fingerprint reader"),
    "camera": ("摄像头", "camera"),
    "id_card": ("身份证读卡器", "identity-card reader"),
    "scanner": ("扫码器", "code scanner"),
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason to decline, with what its sentence needs."""

    code: str
    args: Mapping[str, object] = field(default_factory=dict)

    def sentence(self, language: str) -> str:
        """In `zh` or `en`; roles are named in the same language."""
        column = 0 if language == "zh" else 1
        args = dict(self.args)
        if "role" in args:
            args["role"] = ROLES.get(str(args["role"]), (args["role"],) * 2)[column]
        args = {k: in_language(v, language) if isinstance(v, str) else v for k, v in args.items()}
        return SENTENCES[self.code][column].format(**args)
