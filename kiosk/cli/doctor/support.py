"""The archive for support: how the machine and the lane are, and nothing about people.

A test searches it for what was recorded of a candidate. Must not read the database or evidence.
"""

from __future__ import annotations

import io
import json
import os
import platform
import re
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from kiosk.cli.base import Context
from kiosk.cli.doctor.finding import Finding, output
from kiosk.logs import without_credentials

LOG_SINCE = "-2d"
LOG_MOST_BYTES = 8 * 1024 * 1024  #: the newest are kept
SECRET = "***"
_SECRET_KEYS = re.compile("password|secret|token|pin$")


def write(c: Context, file: Path, findings: list[Finding]) -> None:
    """Ends the command when `file` is there already or cannot be written; never half a file."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in _parts(c, findings):
            archive.writestr(name, without_credentials(text))
    c.write_private(file, out.getvalue())


def _parts(c: Context, findings: list[Finding]) -> Iterator[tuple[str, str]]:
    from kiosk.cli.observe import metrics_text

    yield "findings.json", _json([asdict(f) for f in findings])
    yield "versions.json", _json(_versions())
    yield "config.json", _json(without_secrets(c.config.model_dump(mode="json")))
    yield "metrics.txt", metrics_text(c)
    yield "log.txt", _log()
    yield "usb.txt", output(["lsusb"]) + "\n"
    yield "ports.txt", "\n".join(_ports()) + "\n"
    yield "units.txt", output(["systemctl", "--no-pager", "show", "examgate*", "-p",
                               "Id,ActiveState,SubState,NRestarts,Result"]) + "\n"  # fmt: skip


def without_secrets(value: Any) -> Any:
    """The same with passwords and what stands before the @ of an address blotted out."""
    if isinstance(value, dict):
        return {k: SECRET if _SECRET_KEYS.search(k) and v else without_secrets(v)
                for k, v in value.items()}  # fmt: skip
    if isinstance(value, list):
        return [without_secrets(v) for v in value]
    return without_credentials(value) if isinstance(value, str) else value


def _versions() -> dict[str, Any]:
    release = platform.freedesktop_os_release() if Path("/etc/os-release").exists() else {}
    return {
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "system": release.get("PRETTY_NAME", platform.system()),
        "kernel": platform.release(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "python": sys.version,
        "packages": {d.name: d.version for d in sorted(distributions(), key=lambda d: d.name)},
    }


def _log() -> str:
    """As the daemon wrote it, which is without names, numbers or evidence (kiosk.logs)."""
    argv = ["journalctl", "-u", "examgate*", "--since", LOG_SINCE, "-o", "cat", "--no-pager"]
    text = output(argv)
    return text.encode()[-LOG_MOST_BYTES:].decode(errors="replace") + "\n"


def _ports() -> Iterator[str]:
    named, by_id = Path("/dev").glob("examgate-*"), Path("/dev/serial").glob("by-*/*")
    for link in (*sorted(named), *sorted(by_id)):
        yield f"{link} -> {os.path.realpath(link)}"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"
