"""The lane's devices: asked of the daemon, else opened one after the other."""

from __future__ import annotations

from collections.abc import Iterator

from kiosk import wire
from kiosk.cli.base import Context
from kiosk.cli.device_texts import FAULTS, in_words
from kiosk.cli.doctor.finding import GREEN, RED, YELLOW, Finding
from kiosk.config.devices import AUTO
from kiosk.logs import without_credentials

#: FaultCode → (Chinese, English): what to try; the whole procedure is in docs/faults.md
REMEDIES: dict[str, tuple[str, str]] = {
    "port_missing": ("检查连线和供电：ls -l PORT；稳定名称见 docs/operations.md",
                     "check cable and power: ls -l PORT; udev names: docs/operations.md"),
    "search_empty": ("问遍所有串口都没有它的应答：检查供电、接线和波特率，或在 devices 中写明端口",
                     "no serial port has it: check power, cable and baud, or write its port into "
                     "devices"),
    "usb_missing": ("检查 USB 线：lsusb；核对 devices 中的 device", "check its USB cable: lsusb; "
                    "and what devices says in device"),
    "port_busy": ("另一个程序占用端口：fuser PORT", "another program has the port: fuser PORT"),
    "port_denied": ("把用户加入 dialout 组", "add the user to the group dialout"),
    "unplugged": ("设备被拔出：重新插好", "it was unplugged: plug it in again"),
    "no_answer": ("检查供电、波特率和接线（A/B 或 TX/RX 是否接反），两个设备的插头是否互换",
                  "check power, baud and wiring (A and B, or TX and RX, swapped?), and whether two "
                  "devices' plugs changed places"),
    "garbled": ("检查接地和波特率，换短线", "check ground and baud, use a shorter cable"),
    "wrong_device": ("端口接的是别的设备：核对 udev 规则", "another device is there: udev rules"),
    "wrong_source": ("改正 devices.camera.source（examgate config check）",
                     "correct devices.camera.source (examgate config check)"),
    "wrong_model": ("重新安装上面所写的模型文件（见“人脸模型”）",
                    "install the file again, see face models"),
    "wrong_key": ("核对 key_file 与控制板的密钥", "compare key_file with the board's key"),
    "wrong_password": ("核对配置中的设备密码", "compare the device's password with the file's"),
    "refused": ("核对配置中的线圈和输入编号", "compare coil and input numbers"),
    "unlock_unknown": ("检查闸机接线和传感器", "check the gate's wiring and sensors"),
    "no_frames": ("检查摄像头连接，是否被其他程序占用", "check its cable, and other programs"),
    "misbehaves": ("给设备断电重启；仍然如此则更换", "power-cycle it; if it stays so, replace it"),
    "frozen": ("给摄像头断电重启", "power-cycle the camera"),
}  # fmt: skip


def devices(c: Context) -> Iterator[Finding]:
    from kiosk import app, app_devices

    try:
        with wire.Client(app.socket_path(c.config)) as client:
            for role, d in client.call("device.status").items():
                yield _device(c, role, d["ok"], d["code"], d["model"] or d["detail"], d["port"])
    except wire.NotRunning:
        for p in app_devices.probe_devices(c.config):
            yield _device(c, p.role, p.ok, p.code, p.summary, p.port)
            if p.role == "camera" and p.ok:
                yield _camera_rate(c, float(p.facts["fps"]))


def _device(c: Context, role: str, ok: bool, code: str | None, says: str, port: str) -> Finding:
    from kiosk.texts import ROLES

    name = ROLES.get(role, (role, role))[0 if c.language == "zh" else 1]
    port = without_credentials(port)
    at = f" ({port})" if port else ""  # readers of libfprint have no port
    if ok:
        return Finding(name, GREEN, says + at)
    known = "usb_missing" if code == "port_missing" and not port else code or ""
    if port == AUTO and code in ("port_missing", "no_answer", "garbled"):
        known = "search_empty"
    wrong = in_words(c, code, FAULTS) if code else c.say("未就绪", "not ready")
    return Finding(name, RED, wrong + at, remedy(c, known, port))


def remedy(c: Context, code: str, port: str = "PORT") -> str:
    """What to try; empty for a code that there is nothing to say about."""
    return c.say(*REMEDIES.get(code, ("", ""))).replace("PORT", port)


def _camera_rate(c: Context, fps: float) -> Finding:
    """Measured: what a camera says of itself it does not keep to in dim light."""
    from kiosk import workshop

    what = c.say("摄像头帧率", "camera's rate")
    says = c.say(f"每秒 {fps} 幅", f"{fps} pictures a second")
    if fps >= workshop.LEAST_FPS:
        return Finding(what, GREEN, says)
    return Finding(
        what, YELLOW, says,
        c.say(f"少于 {workshop.LEAST_FPS:.0f} 幅时，转头快的考生会被要求再慢慢转一次："
              "增加照明，摄像头接 USB 主口，关闭“低光补偿”",
              f"below {workshop.LEAST_FPS:.0f} who turns quickly is asked to do it again, slowly: "
              "more light, a USB port of its own, its low-light compensation off"),
    )  # fmt: skip
