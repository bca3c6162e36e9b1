"""Enrolment at a counter: a photograph that the face engine takes, fingers that match themselves.

Works through the devices' contracts; asking the person is handed in. Keeps nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

import cv2

from drivers.contracts import Camera, FingerprintReader
from drivers.errors import Retry
from kiosk.face.enrol import Enroller, PhotoProblem
from kiosk.face.parts import Detector
from kiosk.face.quality import assess

TRIES = 4  #: of one finger: then another finger is the better way
LOOK_ON_S = 1.0  #: after the first good picture a better one may come
JPEG_QUALITY = 95

Ask = Callable[[str], None]  #: says a code of what to do now


class EnrolmentFailed(Exception):
    """It did not come to a photograph or a template; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def take_photo(
    camera: Camera, detector: Detector, enroller: Enroller, ask: Ask, seconds: float
) -> bytes:
    """The sharpest of the good pictures, as JPEG. `camera` is open.

    Good: one face, large, sharp and evenly lit, looking ahead with nothing before it, by the same
    checks as at the lane. Raises `EnrolmentFailed` with what was wrong last.
    """
    until_s = time.monotonic() + seconds
    best, best_sharpness, told, seq = b"", 0.0, "", -1
    ask("look")
    while time.monotonic() < until_s:
        frame = camera.newest(seq, 5.0)
        seq = frame.seq
        problem, photo, sharpness = _judged(frame.image, detector, enroller)
        if not problem and sharpness > best_sharpness:
            if not best:
                until_s = min(until_s, time.monotonic() + LOOK_ON_S)
            best, best_sharpness = photo, sharpness
        elif problem and not best and problem != told:
            ask(problem)
            told = problem
    if not best:
        raise EnrolmentFailed(told or "no_face")
    return best


def _judged(image: Any, detector: Detector, enroller: Enroller) -> tuple[str, bytes, float]:
    """(what is wrong, or "", the JPEG, its sharpness)."""
    faces = detector.detect(image, 480)
    if not faces:
        return "no_face", b"", 0.0
    quality = assess(image, faces)
    if not quality.good:
        return quality.prompt.value, b"", 0.0
    done, coded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    photo = coded.tobytes() if done else b""
    try:
        return "", photo, enroller.enrol(photo).sharpness
    except PhotoProblem as problem:
        return problem.code.value, b"", 0.0


async def take_finger(
    reader: FingerprintReader, earlier: Sequence[bytes], ask: Ask, seconds: float
) -> bytes:
    """A template whose finger, laid on once more, matched it and none of the `earlier` ones.

    `seconds`: for each time that the finger is waited for. Raises `EnrolmentFailed`, `DeviceFault`.
    """
    for _ in range(TRIES):
        try:
            ask("lay")
            template: bytes = await _within(reader.capture(), seconds)
            ask("lift")
            await _within(reader.wait_lifted(), seconds)
            ask("again")
            await reader.load([*earlier, template])
            found = await _within(reader.verify(), seconds)
            ask("lift")
            await _within(reader.wait_lifted(), seconds)
        except Retry as retry:
            ask(retry.reason.value)
            continue
        finally:
            await reader.clear()
        if found.matched and found.template_index == len(earlier):
            return template
        ask("same_finger" if found.matched else "no_match")
    raise EnrolmentFailed("finger_poor")


async def _within(work: Any, seconds: float) -> Any:
    try:
        return await asyncio.wait_for(work, seconds)
    except TimeoutError:
        raise EnrolmentFailed("no_finger") from None
