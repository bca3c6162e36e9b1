"""One thing that `examgate doctor` looked at, and what it may ask of the machine."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

GREEN, YELLOW, RED = "green", "yellow", "red"
MARKS = {GREEN: "✓", YELLOW: "!", RED: "✗"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    what: str
    colour: str
    says: str
    remedy: str = ""


def output(argv: list[str]) -> str:
    """What a command says; empty when it is not there or fails."""
    run: Callable[..., Any] = subprocess.run
    try:
        done = run(argv, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return str(done.stdout).strip() if done.returncode == 0 else ""
