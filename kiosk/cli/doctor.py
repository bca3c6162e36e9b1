"""`examgate doctor`: looks at everything the lane needs and says what to try for each fault."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from kiosk import wire
from kiosk.cli.base import Context, Exit, as_json, pass_context

#: What screens and drivers load, among it everything that needs libraries of the system.
PACKAGES = ("cv2", "dlib", "face_recognition_models", "numpy", "PyQt5.QtWidgets", "pyfingerprint",
            "pymodbus", "serial", "sqlite_utils", "cryptography", "structlog")  # fmt: skip

GREEN, YELLOW, RED = "green", "yellow", "red"
MARKS = {GREEN: "✓", YELLOW: "!", RED: "✗"}

#: FaultCode → (Chinese, English): what to try; the whole procedure is in docs/faults.md
REMEDIES: dict[str, tuple[str, str]] = {
    "port_missing": ("检查连线和供电：ls -l PORT；稳定名称见 docs/operations.md",
                     "check cable and power: ls -l PORT; udev names: docs/operations.md"),
    "usb_missing": ("检查 USB 线：lsusb；核对 devices 中的 device", "check its USB cable: lsusb; "
                    "and what devices says in device"),
    "port_busy": ("另一个程序占用端口：fuser PORT", "another program has the port: fuser PORT"),
    "port_denied": ("把用户加入 dialout 组", "add the user to the group dialout"),
    "unplugged": ("设备被拔出：重新插好", "it was unplugged: plug it in again"),
    "no_answer": ("检查供电、波特率和接线（A/B 是否接反）",
                  "check power, baud and wiring (A and B swapped?)"),
    "garbled": ("检查接地和波特率，换短线", "check ground and baud, use a shorter cable"),
    "wrong_device": ("端口接的是别的设备：核对 udev 规则", "another device is there: udev rules"),
    "wrong_key": ("核对 key_file 与控制板的密钥", "compare key_file with the board's key"),
    "wrong_password": ("核对配置中的设备密码", "compare the device's password with the file's"),
    "refused": ("核对配置中的线圈和输入编号", "compare coil and input numbers"),
    "unlock_unknown": ("检查闸机接线和传感器", "check the gate's wiring and sensors"),
    "no_frames": ("检查摄像头连接，是否被其他程序占用", "check its cable, and other programs"),
    "misbehaves": ("给设备断电重启；仍然如此则更换", "power-cycle it; if it stays so, replace it"),
    "frozen": ("给摄像头断电重启", "power-cycle the camera"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    what: str
    colour: str
    says: str
    remedy: str = ""


@click.command()
@click.option("--make-key", is_flag=True, help="Create the lane's key file, then stop.")
@as_json
@pass_context
def doctor(c: Context, make_key: bool, json_: bool) -> None:
    """Look at configuration, devices, disk, clock, key, database, roster,
    fonts and voice.

    Opens every configured device, unless the daemon is running: then it is asked. Exit code 1
    when anything is red.

    Example: examgate doctor
    """
    if make_key:
        _make_key(c)
        return
    findings = list(_examine(c))
    if json_:
        c.print_json({"findings": [asdict(f) for f in findings]})
    else:
        for f in findings:
            click.echo(f"{MARKS[f.colour]} {f.what}: {f.says}")
            if f.remedy and f.colour != GREEN:
                click.echo(f"    → {f.remedy}")
    if any(f.colour == RED for f in findings):
        c.fail(Exit.DECLINED, [])


def _make_key(c: Context) -> None:
    from kiosk import app

    with c.declined():
        path = app.make_key(c.config)
    click.echo(
        c.say(f"已生成密钥 {path}（请备份）", f"key created: {path} (keep a copy of it safe)")
    )


def _examine(c: Context) -> Iterator[Finding]:
    yield Finding(c.say("配置", "configuration"), GREEN, f"{c.config_path}" if c.config else "")
    key = list(_key(c))
    yield from (*_packages(c), *key, *_devices(c), *_disk(c))
    if key[0].colour == GREEN:  # nothing of the record can be read without it
        yield from (*_database(c), *_roster(c))
    yield from (*_clock(c), *_font(c), *_voice(c))


def _running(c: Context) -> bool:
    from kiosk import app

    try:
        with wire.Client(app.socket_path(c.config)):
            return True
    except wire.NotRunning:
        return False


def _devices(c: Context) -> Iterator[Finding]:
    from kiosk import app

    try:
        with wire.Client(app.socket_path(c.config)) as client:
            for role, d in client.call("device.status").items():
                yield _device(c, role, d["ok"], d["code"], d["model"] or d["detail"], d["port"])
    except wire.NotRunning:
        for p in app.probe_devices(c.config):
            yield _device(c, p.role, p.ok, p.code, p.summary, p.port)


def _device(c: Context, role: str, ok: bool, code: str | None, says: str, port: str) -> Finding:
    from kiosk.texts import ROLES

    name = ROLES.get(role, (role, role))[0 if c.language == "zh" else 1]
    at = f" ({port})" if port else ""  # readers of libfprint have no port
    if ok:
        return Finding(name, GREEN, says + at)
    known = "usb_missing" if code == "port_missing" and not port else code or ""
    remedy = REMEDIES.get(known, ("", ""))[0 if c.language == "zh" else 1]
    return Finding(name, RED, (code or c.say("未就绪", "not ready")) + at,
                   remedy.replace("PORT", port))  # fmt: skip


def _key(c: Context) -> Iterator[Finding]:
    from kiosk.store.errors import StoreError
    from kiosk.store.vault import read_key_file

    what = c.say("密钥", "key")
    try:
        read_key_file(c.config.paths.key_file)
    except StoreError as error:
        yield Finding(what, RED, error.problems[0])  # which says what to do
    else:
        yield Finding(what, GREEN, str(c.config.paths.key_file))


def _disk(c: Context) -> Iterator[Finding]:
    folder = c.config.paths.data
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free // (1024 * 1024)
    need = c.config.disk.min_free_mb
    colour = RED if free < need else YELLOW if free < 2 * need else GREEN
    remedy = c.say("清理磁盘", "free some space")
    yield Finding(c.say("磁盘", "disk"), colour, f"{free} MB {folder}", remedy)
    if not os.access(folder, os.W_OK):
        yield Finding(c.say("数据目录", "data folder"), RED, str(folder),
                      c.say("检查属主和权限", "check its owner and mode"))  # fmt: skip


def _asked(c: Context, method: str, **params: Any) -> Any:
    """An office's answer, or the sentences with which it declined."""
    from kiosk.store.errors import StoreError

    try:
        with c.office() as ask:
            return ask(method, params)
    except StoreError as error:
        return error.problems
    except wire.RpcError as error:
        return error.problems


def _database(c: Context) -> Iterator[Finding]:
    what = c.say("数据库", "database")
    if _running(c):
        said = c.say("守护进程使用中；重算请用 examgate journal verify",
                     "in use by the daemon; to recompute it: examgate journal verify")  # fmt: skip
        yield Finding(what, GREEN, said)
        return
    result = _asked(c, "journal.verify")
    if isinstance(result, list):
        yield Finding(what, RED, "; ".join(result))
    elif result["problems"]:
        remedy = c.say(
            "停用本通道并保留磁盘，通知中心", "stop this lane, keep the disk, tell the centre"
        )
        yield Finding(what, RED, "; ".join(result["problems"][:3]), remedy)
    else:
        said = c.say(
            f"{result['entries']} 条记录，未被改动", f"{result['entries']} entries, nothing bent"
        )
        yield Finding(what, GREEN, said)


def _roster(c: Context) -> Iterator[Finding]:
    what = c.say("名单", "roster")
    result = _asked(c, "roster.status")
    if isinstance(result, list):
        yield Finding(what, RED, "; ".join(result))
        return
    if not result["sessions"]:
        yield Finding(what, YELLOW, c.say("没有名单", "none"), "examgate roster import DIR")
        return
    newest = max(datetime.fromisoformat(s["imported_at"]) for s in result["sessions"])
    days = (datetime.now(UTC) - newest).days
    count = sum(s["candidates"] for s in result["sessions"])
    said = c.say(
        f"{count} 名考生，{days} 天前导入", f"{count} candidates, imported {days} days ago"
    )
    yield Finding(what, YELLOW if days > 1 else GREEN, said, "examgate roster import DIR")


def _clock(c: Context) -> Iterator[Finding]:
    from kiosk.preconditions import EARLIEST

    now = datetime.now(UTC)
    what = c.say("时钟", "clock")
    remedy = "timedatectl set-ntp true"
    if now < EARLIEST:
        yield Finding(what, RED, f"{now:%Y-%m-%d %H:%M}", remedy)
        return
    if (last := _last_entry(c)) is not None and now < last:
        said = c.say(f"早于最后一条日志 {last:%Y-%m-%d %H:%M}",
                     f"before the last journal entry, {last:%Y-%m-%d %H:%M}")  # fmt: skip
        yield Finding(what, RED, said, remedy)
        return
    synchronised = _output(["timedatectl", "show", "-p", "NTPSynchronized", "--value"])
    colour = GREEN if synchronised == "yes" else YELLOW
    said = (
        c.say("已同步", "synchronised") if colour == GREEN else c.say("未确认同步", "not confirmed")
    )
    yield Finding(what, colour, f"{now.astimezone():%Y-%m-%d %H:%M:%S} {said}", remedy)


def _last_entry(c: Context) -> datetime | None:
    """When the journal was last written; not asked of a running daemon, which checks it itself."""
    if _running(c):
        return None
    verified = _asked(c, "journal.verify")
    if isinstance(verified, list) or not verified["entries"]:
        return None
    last = _asked(c, "journal.list", after=verified["entries"] - 1, limit=1)
    if isinstance(last, list) or not last["entries"]:
        return None
    return datetime.fromisoformat(last["entries"][-1]["at"])


def _packages(c: Context) -> Iterator[Finding]:
    what = c.say("程序库", "libraries")
    missing = []
    for name in PACKAGES:
        try:
            import_module(name)
        except (ImportError, OSError) as error:  # OSError: a shared library is missing
            missing.append(f"{name} ({error})")
    if missing:
        yield Finding(what, RED, "; ".join(missing), "sh tools/setup.sh")
    else:
        yield Finding(what, GREEN, c.say(f"{len(PACKAGES)} 个齐全", f"all {len(PACKAGES)} load"))


def _font(c: Context) -> Iterator[Finding]:
    what = c.say("中文字体", "Chinese font")
    fonts = _output(["fc-list", ":lang=zh", "family"])
    if fonts:
        yield Finding(what, GREEN, fonts.splitlines()[0])
    else:
        yield Finding(what, RED, c.say("没有", "none"), "apt install fonts-wqy-zenhei")


def _voice(c: Context) -> Iterator[Finding]:
    """A lane works without a voice: never red."""
    what = c.say("语音提示", "voice prompts")
    if not c.config.ui.voice:
        yield Finding(what, GREEN, c.say("已关闭（ui.voice）", "off (ui.voice)"))
    elif not (program := _output(["espeak-ng", "--version"])):
        yield Finding(what, YELLOW, c.say("没有 espeak-ng", "espeak-ng is missing"),
                      "apt install espeak-ng")  # fmt: skip
    elif not list(Path("/dev/snd").glob("pcm*p")):
        yield Finding(what, YELLOW, c.say("没有声音设备", "no sound device"),
                      c.say("接上音箱，或设 ui.voice: off",
                            "connect a loudspeaker, or set ui.voice: off"))  # fmt: skip
    else:
        yield Finding(what, GREEN, program.splitlines()[0].split("  ")[0])


def _output(argv: list[str]) -> str:
    """What a command says; empty when it is not there or fails."""
    run: Callable[..., Any] = subprocess.run
    try:
        done = run(argv, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return str(done.stdout).strip() if done.returncode == 0 else ""
