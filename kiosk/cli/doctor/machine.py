"""The computer: processor, heat, disk, libraries, face models, font and voice."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from kiosk.cli.base import Context
from kiosk.cli.doctor.finding import GREEN, RED, YELLOW, Finding, output
from kiosk.told import in_language

THERMAL = Path("/sys/class/thermal")
CPUINFO = Path("/proc/cpuinfo")
HOT_C = 80.0  #: where the machine does not say how hot is too hot
#: What OpenCV and ONNX Runtime choose their quick code by
FAST = {"x86_64": ("avx2", "fma"), "aarch64": ("asimd",)}
LEAST_CORES = 2  #: the face worker and the rest

#: What screens and drivers load, among it everything that needs libraries of the system.
PACKAGES = ("cv2", "dlib", "face_recognition_models", "numpy", "onnxruntime", "PyQt5.QtWidgets",
            "pyfingerprint", "pymodbus", "serial", "sqlite_utils", "cryptography",
            "structlog")  # fmt: skip


def packages(c: Context) -> Iterator[Finding]:
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


def models(c: Context) -> Iterator[Finding]:
    """The files that the configured encoder, the detector and the challenge read, each whole."""
    what = c.say("人脸模型", "face models")
    try:
        from kiosk.app_devices import models_of
        from kiosk.face.models import WrongModel

        files, bad = models_of(c.config), 0
    except (ImportError, OSError):  # `packages` has said which
        return
    for file in files:
        try:
            file.read()
        except WrongModel as error:
            bad += 1
            said = f"{error.file}: {in_language(error.detail, c.language)}"
            yield Finding(what, RED, said, in_language(error.remedy, c.language))
    if not bad:
        said = c.say(f"{len(files)} 个文件完好", f"all {len(files)} files are whole")
        yield Finding(what, GREEN, said)


def disk(c: Context) -> Iterator[Finding]:
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


def font(c: Context) -> Iterator[Finding]:
    what = c.say("中文字体", "Chinese font")
    fonts = output(["fc-list", ":lang=zh", "family"])
    if fonts:
        yield Finding(what, GREEN, fonts.splitlines()[0])
    else:
        yield Finding(what, RED, c.say("没有", "none"), "apt install fonts-wqy-zenhei")


def voice(c: Context) -> Iterator[Finding]:
    """A lane works without a voice: never red."""
    what = c.say("语音提示", "voice prompts")
    if not c.config.ui.voice:
        yield Finding(what, GREEN, c.say("已关闭（ui.voice）", "off (ui.voice)"))
    elif not (program := output(["espeak-ng", "--version"])):
        yield Finding(what, YELLOW, c.say("没有 espeak-ng", "espeak-ng is missing"),
                      "apt install espeak-ng")  # fmt: skip
    elif not list(Path("/dev/snd").glob("pcm*p")):
        yield Finding(what, YELLOW, c.say("没有声音设备", "no sound device"),
                      c.say("接上音箱，或设 ui.voice: off",
                            "connect a loudspeaker, or set ui.voice: off"))  # fmt: skip
    else:
        yield Finding(what, GREEN, program.splitlines()[0].split("  ")[0])


def processor(c: Context) -> Iterator[Finding]:
    """Never red: a slow lane is a lane."""
    what = c.say("处理器", "processor")
    cores, machine = len(os.sched_getaffinity(0)), platform.machine()
    lacks = [f for f in FAST.get(machine, ()) if f not in _flags()]
    said = c.say(f"{cores} 核，{machine}", f"{cores} cores, {machine}")
    if lacks:
        lack = " ".join(lacks)
        remedy = c.say("人脸步骤会变慢：换较新的电脑",
                       "the face step takes longer: use a newer computer")  # fmt: skip
        yield Finding(what, YELLOW, said + c.say(f"，没有 {lack}", f", without {lack}"), remedy)
    elif cores < LEAST_CORES:
        remedy = c.say("至少需要 2 核", "it needs two cores at least")
        yield Finding(what, YELLOW, said, remedy)
    else:
        yield Finding(what, GREEN, said)


def _flags() -> set[str]:
    try:
        lines = CPUINFO.read_text(errors="replace").splitlines()
    except OSError:
        return set()
    named = (line.partition(":") for line in lines)
    return {f for key, _, value in named if key.strip() in ("flags", "Features")
            for f in value.split()}  # fmt: skip


def heat(c: Context) -> Iterator[Finding]:
    """The hottest thermal zone, against what the machine itself calls too hot."""
    what = c.say("温度", "temperature")
    zones = [found for zone in sorted(THERMAL.glob("thermal_zone*")) if (found := _zone(zone))]
    if not zones:
        yield Finding(what, GREEN, c.say("没有温度传感器", "no sensor here"))
        return
    name, degrees, limit = max(zones, key=lambda zone: zone[1] - zone[2])
    colour = RED if degrees >= limit else YELLOW if degrees >= limit - 10 else GREEN
    remedy = c.say("清理风扇和通风口", "clean the fan and the vents")
    yield Finding(what, colour, f"{degrees:.0f} °C ({name}, ≤ {limit:.0f} °C)", remedy)


def _zone(zone: Path) -> tuple[str, float, float] | None:
    """(name, degrees Celsius, the lowest trip point of a kind that slows or stops)."""
    try:
        degrees = int((zone / "temp").read_text()) / 1000
        name = (zone / "type").read_text().strip()
    except (OSError, ValueError):
        return None
    limits = []
    for kind in zone.glob("trip_point_*_type"):
        try:
            value = int((zone / kind.name.replace("_type", "_temp")).read_text()) / 1000
            if kind.read_text().strip() in ("hot", "critical") and value > 0:
                limits.append(value)
        except (OSError, ValueError):
            continue
    return name, degrees, min(limits, default=HOT_C)
