"""`examgate demo`: the cast, then (with a display) the windows for a person to play in.

Chooses between the three shows; each is its own file.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from kiosk.demo.director import Director
from kiosk.demo.photos import PhotosMissing, photos_dir
from kiosk.demo.venue import VenueError


@dataclass(frozen=True, slots=True)
class DemoOptions:
    out: Path = Path("demo-out")
    camera: int | None = None  #: a webcam: enrol and admit the person in front of it
    windows: bool | None = None  #: None: where there is a display
    language: str = "zh"
    fast: bool = False  #: the virtual people hurry
    play: bool = True  #: keep the windows open afterwards, for a person to play


def has_display() -> bool:
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def run(options: DemoOptions) -> int:
    """Play. Returns 0 only if everything ended as it should."""
    console = Console(stderr=True)
    windowed = has_display() if options.windows is None else options.windows
    out = options.out.resolve()
    _clean(out)
    try:
        if options.camera is not None:
            from kiosk.demo.webcam import play_webcam

            return play_webcam(options, out, windowed=windowed)
        photos = photos_dir()
        pace = 0.4 if options.fast else 1.0
        director = Director(out, photos, language=options.language, windowed=windowed, pace=pace)
        code = director.run()
        if windowed and options.play:
            from kiosk.demo.panel import play_by_hand

            play_by_hand(out / "play", photos, options.language)
        return code
    except (VenueError, PhotosMissing) as error:
        console.print(f"[red]{error}[/red]", soft_wrap=True)
        return 1


def _clean(out: Path) -> None:
    """Only what an earlier demonstration left is removed."""
    for name in ("card", "face", "play", "webcam"):
        shutil.rmtree(out / name, ignore_errors=True)
    out.mkdir(parents=True, exist_ok=True)
