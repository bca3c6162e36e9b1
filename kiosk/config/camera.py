"""What `devices.camera.source` may be: what can be told of the text, and of what lies there now.

Opens nothing: whether a camera answers is the driver's to find out.
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from kiosk.config.problems import Said, shown

SCHEMES = ("rtsp", "rtsps", "http", "https")
VIDEOS = (".mp4", ".m4v", ".avi", ".mkv", ".mov", ".webm", ".mpg", ".mpeg", ".mjpeg", ".ts")
_MOST = 255  #: minor numbers of the kernel's video devices
_VIDEO4LINUX = 81  #: their major number
_REMEDY: Said = (
    "write the camera's device (/dev/video0), its number (0), or rtsp:// or http:// with its host",
    "请写摄像头设备（/dev/video0）、其编号（0），或 rtsp://、http:// 加主机的地址",
)


def source_mistake(source: Any) -> Said | None:
    """Why no camera can ever be read there; None too for what is no text or whole number."""
    if isinstance(source, bool) or not isinstance(source, str | int):
        return None
    text = str(source)
    if not text.strip():
        return _told("is empty", "为空", source)
    if text != text.strip() or not text.isprintable():
        invisible = "has blanks around it, or invisible characters", "首尾有空白，或有不可见字符"
        return _told(*invisible, source)
    if re.fullmatch(r"[-+]?[0-9]+", text):
        if text.isdigit() and len(text) <= 3 and int(text) <= _MOST:
            return None
        return _told(f"is no number from 0 to {_MOST}", f"不是 0 到 {_MOST} 的编号", source)
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", text):
        return _address_mistake(text)
    return None


def _address_mistake(address: str) -> Said | None:
    scheme, _, rest = address.partition(":")
    if scheme.lower() not in SCHEMES or not rest.startswith("//"):
        known = ", ".join(f"{each}://" for each in SCHEMES)
        return _told(
            f"is no address that a camera is read from; there are: {known}",
            f"不是能读取摄像头的地址；可用：{known}",
            address,
        )
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        return _told("has a host or a port that there cannot be", "主机或端口不可能存在", address)
    if not host or port == 0 or re.search(r"\s", address):
        return _told(
            "has no host, port 0 or a blank in it", "没有主机、端口为 0 或含有空白", address
        )
    return None


def file_mistake(source: str | int) -> Said | None:
    """What is there, and why it can never be a camera; None for what is not there now."""
    kind = _kind(source)
    if kind is None or stat.S_ISDIR(kind.st_mode):
        return None
    text = str(source)
    if stat.S_ISCHR(kind.st_mode):
        camera = os.major(kind.st_rdev) == _VIDEO4LINUX
        return None if camera else _told("is a device, but no camera", "是设备，但不是摄像头", text)
    if not stat.S_ISREG(kind.st_mode) or Path(text).suffix.lower() not in VIDEOS:
        return _told("is neither a camera nor a video", "既不是摄像头，也不是视频", text)
    return None


def is_recording(source: str | int) -> bool:
    """A file or folder that is there: nobody before the gate is seen in it."""
    kind = _kind(source)
    return kind is not None and (stat.S_ISREG(kind.st_mode) or stat.S_ISDIR(kind.st_mode))


def _kind(source: str | int) -> os.stat_result | None:
    text = str(source)
    if "://" in text or text.isdigit():
        return None
    try:
        return Path(text).stat()
    except (OSError, ValueError):
        return None


def _told(en: str, zh: str, source: str | int) -> Said:
    value = shown("devices.camera.source", source)
    return f"{en} (it is {value}); {_REMEDY[0]}", f"{zh}（现为 {value}）；{_REMEDY[1]}"
