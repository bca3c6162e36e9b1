"""The demonstration with a real person before a webcam: enrolled, then admitted.

Card, finger and gate are virtual; the face is real. The picture stays in the output folder's
encrypted store and in memory, and is deleted from the roster folder after the import.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
from rich.console import Console

from drivers.camera.device import OpenCvCamera
from drivers.errors import DeviceFault
from kiosk.core.codes import Reason
from kiosk.demo.actor import Actor
from kiosk.demo.cast import Part
from kiosk.demo.people import WANG, write_roster
from kiosk.demo.venue import Venue, VenueError, VenueOptions, soon
from kiosk.face.enrol import PhotoProblem, enrol_photo

if TYPE_CHECKING:
    from kiosk.demo.main import DemoOptions

LOOKS = 100  #: frames in which a good roster picture must be found


def take_picture(source: int) -> bytes:
    """A JPEG of the person before the webcam, good enough for a roster.

    Raises `VenueError` when there is no camera or no usable face.
    """
    camera = OpenCvCamera({"source": source, "width": 640, "height": 480})
    seq, problem = -1, "no picture"
    try:
        camera.open()
        for _ in range(LOOKS):
            frame = camera.newest(seq, 5.0)
            seq = frame.seq
            jpeg = cv2.imencode(".jpg", frame.image)[1].tobytes()
            try:
                enrol_photo(jpeg)
            except PhotoProblem as found:
                problem = found.code.value
                continue
            return jpeg
    except DeviceFault as fault:
        hint = "is the webcam plugged in and free? ls /dev/video* shows them"
        raise VenueError(f"camera {source}: {fault.code.value} {fault.detail}; {hint}") from fault
    finally:
        camera.close()
    raise VenueError(f"camera {source}: no face good enough for a roster ({problem}); more light?")


def play_webcam(options: DemoOptions, out: Path, *, windowed: bool) -> int:
    """Enrol the person in front of webcam `options.camera` and let them in. 0 when it worked."""
    console = Console()
    assert options.camera is not None
    picture = take_picture(options.camera)
    part = Part("webcam", "摄像头前的您", "you before the webcam", WANG, Reason.ADMITTED)
    with tempfile.TemporaryDirectory() as kept_for_the_import:
        photos = Path(kept_for_the_import)
        (photos / "you.jpg").write_bytes(picture)
        you = replace(WANG, roster_photo="you.jpg", live_photo="you.jpg")
        roster = write_roster(photos / "roster", photos, {"KM1-A": [you]})
        folder = out / "webcam"
        settings = VenueOptions(
            language=options.language, windowed=windowed, camera_source=options.camera
        )
        with Venue(folder, settings) as venue:
            venue.prepare(roster, [("KM1-A", soon(), 20)])
            shutil.rmtree(photos / "roster")
            venue.start_daemon()
            venue.command("session", "open", "KM1-A", "--person", "demo")
            venue.start_screen()
            result = asyncio.run(Actor(venue, part, photos, None).play())
    console.print(f"{result.reason}: {result.terminal or '–'} {result.problem or ''}")
    return 0 if result.as_expected else 1
